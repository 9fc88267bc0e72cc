//! Where the verdict on a PASSporT comes in.

use super::*;

#[test]
fn a_passports_verdict_comes_in_between_the_checks_and_the_session() {
    use crate::caller::Attest::{A, B};
    use PassportVerdict::{Bad, Unverified, Verified};

    use crate::passport::Fault;
    let trunk = TrunkProfile { identity_passthrough: true, keeps_diversion: KeepsDiversion::No, ..screened() };
    let hands_on = policy(trunk.clone());
    let given = "Identity: e30.eyJhdHRlc3QiOiJBIn0.c2ln;info=<https://h/c>;alg=ES256;ppt=shaken\n\
                 Identity: e30.e30.s;ppt=rph";
    let assessed = |policy: &Policy, text: &str| {
        assess(policy, &Peer::udp(PEER.parse().unwrap()), OURS, &headers(text)).expect("nothing speaks against it")
    };
    for (name, verdict, expected) in [
        ("nobody verifies it", Unverified, "+12025550143 L1"),
        ("A lifts what Diversion and the missing attestation hold down", Verified(A), "+12025550143 L3"),
        ("B does not", Verified(B), "+12025550143 L1"),
        ("a stale one", Bad(Fault::Stale), "stale-identity (+12025550143)"),
        ("one without its certificate", Bad(Fault::Slow), "bad-identity-info (+12025550143)"),
        ("one of a signer whom nobody knows", Bad(Fault::NoAnchor), "unsupported-credential (+12025550143)"),
        ("a bad one", Bad(Fault::Signature), "invalid-identity (+12025550143)"),
    ] {
        assert_eq!(shown(&assessed(&hands_on, given).settle(&hands_on, verdict)), expected, "{name}");
    }
    let passport = assessed(&hands_on, given).passport().map(|passport| passport.expose().clone());
    assert!(passport.is_some_and(|passport| passport.starts_with("e30.eyJ") && passport.ends_with("ppt=shaken")));
    let keeps_them = policy(TrunkProfile { identity_passthrough: false, ..trunk });
    assert_eq!(assessed(&keeps_them, given).passport(), None, "a trunk that does not hand them on");
    for (name, more, expected) in [
        ("two of them", "\ny: e30.e30.s;info=<https://h/d>;ppt=shaken", "invalid-identity (+12025550143)"),
        ("in one header", ", e30.e30.s;info=<https://h/d?a,b>;ppt=shaken", "invalid-identity (+12025550143)"),
        (
            "and one of a forwarded call beside it",
            ", e30.e30.s;info=<https://h/d>;ppt=\"div\"",
            "forwarded (+12025550143)",
        ),
    ] {
        let joined = given.replacen("ppt=shaken", &format!("ppt=shaken{more}"), 1);
        assert_eq!(told(&hands_on, PEER, OURS, &joined), expected, "{name}");
    }
    let (orig, dest) = (assessed(&hands_on, given), "+12025550100");
    assert_eq!((orig.numbers().0.as_str(), orig.numbers().1.as_str()), ("+12025550143", dest));
}

#[test]
fn where_an_identity_is_required_a_call_without_one_of_shaken_is_told_to_bring_it() {
    let required =
        policy(TrunkProfile { identity_passthrough: true, identity: SignedIdentity::Required, ..screened() });
    check(
        &required,
        &[
            ("none", "", "use-identity-header (+12025550143)"),
            ("of another kind", "Identity: e30.e30.s;info=<https://h/c>;ppt=rph", "use-identity-header (+12025550143)"),
            ("of no kind", "Identity: e30.e30.s;info=<https://h/c>", "use-identity-header (+12025550143)"),
            ("of SHAKEN", "Identity: e30.e30.s;info=<https://h/c>;ppt=shaken", "+12025550143 L2"),
            ("in short", "y: e30.e30.s;info=<https://h/c>;ppt=shaken", "+12025550143 L2"),
            // What is wrong with the call itself is said first.
            ("of a forwarded call", "Diversion: <sip:+12025550199@h>", "forwarded (+12025550143)"),
            ("of nobody", "Privacy: id", "anonymous"),
        ],
    );
}
