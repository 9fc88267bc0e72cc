//! What whoever keeps the items of locations sees, without a friend's key (ADR 9).

use dht_client::location::place::Place;
use dht_client::{Audience, FriendsKey, Location, Slot};

use crate::location::{at, p256, written};
use crate::scene::location_key;
use crate::vectors::{array, number};

/// What ADR 9 gives up: the item of each day names the location key, so whoever keeps two of them knows that they are one's.
#[test]
fn who_keeps_the_friends_items_of_two_days_sees_one_key() {
    let (owner, friends) = (p256(), FriendsKey::from_bytes([5; 32]));
    let kept = [0, 86_400].map(|later| {
        let now = at(number("seq") + later);
        let location = Location { not_before: now.unix_timestamp(), not_after: now.unix_timestamp() + 60, ..written() };
        let both = (&owner, &location_key());
        location.publish(Audience::Friends(&friends), both, now.unix_timestamp(), [3; 32], now).expect("it fits")
    });
    assert_ne!(kept[0].slot().id(), kept[1].slot().id());
    assert!(kept.iter().all(|item| *item.slot().key() == array("key")), "it is linkable");
    let contact = b"sip:ada@192.0.2.7";
    assert!(kept.iter().all(|item| !item.to_bytes().windows(contact.len()).any(|window| window == contact)));
}

/// The price of watching: of a thousand days of a friends' location, how many a stranger keeps who runs a part of the nodes. Prints it.
#[test]
fn how_many_days_a_stranger_sees_who_runs_a_part_of_the_nodes() {
    const NODES: usize = 2000;
    let (owner, friends) = (array("key"), FriendsKey::from_bytes([5; 32]));
    // Node 0 to n are the stranger's: an id is a hash, as on the networks.
    let nodes: Vec<_> = (0..NODES).map(|node| Slot::new(owner, &node.to_be_bytes()).expect("short").id().0).collect();
    // Of the nodes that keep each day's item, the lowest number.
    let lowest = |keepers: usize| -> Vec<usize> {
        let day = |day: i64| Place::all_of_friends(&owner, &friends, at(86_400 * day + 43_200))[1].slot().id().0;
        (20_000..21_000)
            .map(|number| {
                let slot = day(number);
                let distance = |node: &usize| -> [u8; 20] { std::array::from_fn(|at| nodes[*node][at] ^ slot[at]) };
                let mut by_distance: Vec<usize> = (0..NODES).collect();
                by_distance.select_nth_unstable_by_key(keepers - 1, distance);
                by_distance[..keepers].iter().copied().min().expect("some keep it")
            })
            .collect()
    };
    // Kademlia's k on mainline, and OpenDHT's.
    for (name, keepers) in [("mainline", 20), ("OpenDHT", 8)] {
        let lowest = lowest(keepers);
        for per_mille in [1, 10, 100] {
            let seen = lowest.iter().filter(|node| **node < NODES * per_mille / 1000).count();
            println!("{name}: who runs {per_mille} of 1,000 nodes keeps {seen} of 1,000 days");
            let part = per_mille as f64 / 1000.0;
            let expected = 1000.0 * (1.0 - (1.0 - part).powi(i32::try_from(keepers).expect("small")));
            assert!((seen as f64 - expected).abs() < 60.0, "{seen}, by reckoning {expected:.0}");
        }
    }
}

#[test]
fn a_friends_slot_tells_nothing_of_the_next_day() {
    let (key, friends) = (array("key"), FriendsKey::from_bytes([5; 32]));
    let days: Vec<Slot> = (0..3)
        .map(|day| Place::all_of_friends(&key, &friends, at(86_400 * (20_000 + day) + 43_200))[1].slot().clone())
        .collect();
    assert!(days[0] != days[1] && days[1] != days[2]);
}
