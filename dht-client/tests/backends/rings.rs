//! A ring of twenty real mainline nodes that loses most of them.

use std::time::Duration;

use crate::contract::{item, now, until};
use dht_client::backend::mainline::{Mainline, Ring};
use dht_client::{Answer, Backend, GetError, Item};
use futures_util::{StreamExt, stream};

const NODES: usize = 20;
/// 30 % and 75 %.
const LOST: [usize; 2] = [6, 15];
const RECORDS: u8 = 6;
/// Queries at once: each waits two seconds for the dead.
const AT_ONCE: usize = 12;
const PATIENCE: Duration = Duration::from_secs(20);
const TTL: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_ring_that_lost_three_quarters_of_its_nodes_still_has_every_record() {
    let mut ring = Ring::start(&[0; NODES]).await.unwrap();
    let writer = Backend::Mainline(Mainline::ring(ring.addresses()).await.unwrap());
    let records: Vec<Item> = (0..RECORDS).map(|number| item(&[number], 1_799_999_000, &[number; 700])).collect();
    stream::iter(&records)
        .for_each_concurrent(AT_ONCE, |item| async {
            // As its keeper would, until more nodes have it than will be lost.
            let put = async || writer.put(item, TTL, None, now()).await;
            let stored = until(put, |stored| matches!(stored, Ok(stored) if stored.nodes > LOST[1])).await;
            assert!(stored.as_ref().is_ok_and(|stored| stored.nodes > LOST[1]), "{stored:?}");
        })
        .await;
    for lost in LOST {
        ring.shrink_to(NODES - lost);
        // A reader that begins now, with the bundle's addresses, most of which are dead.
        let reader = Backend::Mainline(Mainline::ring(ring.addresses()).await.unwrap());
        stream::iter(&records)
            .for_each_concurrent(AT_ONCE, |item| async {
                let get = async || reader.get(item.slot(), PATIENCE, None, now()).await;
                let answer = until(get, Result::is_ok).await;
                let expected = Answer::Items { items: vec![item.clone()], complete: false };
                assert_eq!(answer, Ok(expected), "with {lost} of {NODES} lost");
            })
            .await;
        let never_put = item(b"never put", 1_799_999_000, b"");
        let answer = reader.get(never_put.slot(), PATIENCE, None, now()).await;
        assert_eq!(answer, Err(GetError::Unreachable), "absence is not proved by those who are left");
        let reachable = until(async || reader.health().await.reachable, |count| *count == NODES - lost).await;
        assert_eq!(reachable, NODES - lost);
    }
}
