//! Whose call it is: the trunk by its address, secret or certificate, and the number that is called.

use super::*;
use crate::caller::Realm;
use crate::private::Private;

#[test]
fn nothing_is_believed_from_an_unknown_peer() {
    let two = Policy {
        trunks: vec![
            screened(),
            TrunkProfile {
                sources: vec!["192.0.2.15".parse().unwrap(), "2001:db8::/64".parse().unwrap()],
                ..screened()
            },
        ],
        ..policy(screened())
    };
    for (name, peer, expected) in [
        ("inside", "192.0.2.10:5060", "+12025550143 L2"),
        ("any port", "192.0.2.10:40000", "+12025550143 L2"),
        ("mapped into IPv6", "[::ffff:192.0.2.10]:5060", "+12025550143 L2"),
        ("the second trunk", "[2001:db8::7]:5060", "+12025550143 L2"),
        ("outside", "192.0.2.16:5060", "unknown-peer"),
        ("two trunks claim it", "192.0.2.15:5060", "unknown-peer"),
    ] {
        assert_eq!(told(&two, peer, OURS, ""), expected, "{name}");
    }
}

#[test]
fn who_may_call_the_sandbox_from_anywhere_takes_no_carriers_address() {
    let anywhere = ["0.0.0.0/0", "::/0"].map(|network| network.parse().unwrap()).to_vec();
    let sandbox = TrunkProfile { realm: Realm::Sandbox, sources: anywhere, ..screened() };
    let carrier = screened();
    for trunks in [vec![sandbox.clone(), carrier.clone()], vec![carrier.clone(), sandbox.clone()]] {
        let both = Policy { trunks, ..policy(screened()) };
        let realm = |peer: &str| {
            let trunk = both.trunk_of(&Peer::udp(peer.parse().unwrap())).map(|trunk| both.trunk(trunk));
            trunk.map(|trunk| trunk.realm)
        };
        assert_eq!(realm("192.0.2.10:5060"), Some(Realm::Service), "the carrier's own");
        assert_eq!(realm("203.0.113.7:5060"), Some(Realm::Sandbox));
        let Verdict::Accept { caller, .. } =
            judge(&both, &Peer::udp("203.0.113.7:5060".parse().unwrap()), OURS, &headers(""))
        else {
            panic!("a call of the sandbox is judged as any other")
        };
        assert_eq!(caller.realm, Realm::Sandbox);
    }
    // Two carriers that claim an address make it nobody's, and not the sandbox's either.
    let three = Policy { trunks: vec![carrier.clone(), sandbox, carrier], ..policy(screened()) };
    assert_eq!(three.trunk_of(&Peer::udp("192.0.2.10:5060".parse().unwrap())), None);
}

#[test]
fn shared_addresses_need_a_secret() {
    let secret = Some(Private::new("x7Qm2kLp9".to_owned()));
    let shared = policy(TrunkProfile { shared_addresses: true, ..screened() });
    assert_eq!(told(&shared, PEER, OURS, ""), "+12025550143 L1", "without a secret the level is capped");
    let secured = policy(TrunkProfile { shared_addresses: true, ingress_secret: secret, ..screened() });
    for (name, uri, given, expected) in [
        ("URI parameter", "sip:+12025550100@h;key=x7Qm2kLp9", "", "+12025550143 L2"),
        ("user parameter", "sip:+12025550100;k=x7Qm2kLp9@h", "", "+12025550143 L2"),
        ("user part, number in To", "sip:x7Qm2kLp9@h", "To: <sip:+12025550100@h>", "+12025550143 L2"),
        ("user part, compact To", "sip:x7Qm2kLp9@h", "t: <sip:+12025550100@h>", "+12025550143 L2"),
        ("user part, foreign number in To", "sip:x7Qm2kLp9@h", "To: <sip:+12025550101@h>", "not-our-number"),
        ("user part, no To", "sip:x7Qm2kLp9@h", "", "not-our-number"),
        ("no secret", OURS, "", "ingress-secret"),
        ("wrong secret", "sip:+12025550100@h;key=x7Qm2kLp8", "", "ingress-secret"),
        ("part of the secret", "sip:+12025550100@h;key=x7Qm2kLp", "", "ingress-secret"),
        ("secret in a URI header", "sip:+12025550100@h?key=x7Qm2kLp9", "", "ingress-secret"),
        ("secret in a SIP header", OURS, "X-Key: x7Qm2kLp9", "ingress-secret"),
    ] {
        assert_eq!(told(&secured, PEER, uri, given), expected, "{name}");
    }
}

#[test]
fn a_certificate_tells_the_trunk_apart_and_not_its_customers() {
    let certified = policy(TrunkProfile { shared_addresses: true, shows_certificate: true, ..screened() });
    let shown_from = |certified_as| Peer { certified: certified_as, ..Peer::udp(PEER.parse().unwrap()) };
    for (name, peer, expected) in [
        ("it shows the certificate", shown_from(Some(TrunkIndex(0))), "+12025550143 L1"),
        ("the address alone is not this trunk", shown_from(None), "unknown-peer"),
    ] {
        assert_eq!(shown(&judge(&certified, &peer, OURS, &headers(""))), expected, "{name}");
    }
}

#[test]
fn only_the_trunks_own_numbers_are_called() {
    let trunk = policy(screened());
    for (name, uri, expected) in [
        ("ours", OURS, "+12025550143 L2"),
        ("ours as tel:", "tel:+1-202-555-0100", "+12025550143 L2"),
        ("escaped plus", "sip:%2B12025550100@h", "+12025550143 L2"),
        ("with number portability", "sip:+12025550100;npdi;rn=+12025550199@h;user=phone", "+12025550143 L2"),
        ("another's", "sip:+12025550101@h", "not-our-number"),
        ("without plus, which this trunk does not write", "sip:12025550100@h", "not-our-number"),
        ("a suffix", "sip:5550100@h", "not-our-number"),
        ("a name", "sip:service@h", "not-our-number"),
        ("no user", "sip:h", "not-our-number"),
        ("not SIP", "http://h/+12025550100", "not-our-number"),
        ("empty", "", "not-our-number"),
    ] {
        assert_eq!(told(&trunk, PEER, uri, ""), expected, "{name}");
    }
}
