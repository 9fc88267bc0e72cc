//! Which check speaks first.

use super::*;
use crate::private::Private;

/// One call in which everything is wrong, and is mended in the order of docs/protocol.md.
#[test]
fn the_first_check_that_fails_names_the_reason() {
    const TWO: &str = "Identity: e30.e30.s;info=<https://h/c>;ppt=shaken, e30.e30.s;info=<https://h/d>;ppt=shaken";
    const LOW: &str = "P-Attestation-Indicator: C";
    let wrong = |identity: &str| {
        format!(
            "sip:+12025550101@h
             From: <sip:+12025550199@h>
             P-Asserted-Identity: <<<
             Remote-Party-ID: <tel:+11235550143;ext=7;cpc=payphone>;privacy=off
             Privacy: id
             Diversion: <tel:+12025550150>
             Referred-By: <sip:+12025550150@h>
             X-Checked: Wrong
             {LOW}
             {identity}"
        )
    };
    // The reason; then what is mended, and how.
    let mends = [
        ("ingress-secret", "0101@h", "0101@h;key=x7Qm2kLp9"),
        ("not-our-number", "+12025550101", "+12025550100"),
        ("malformed-identity", "P-Asserted-Identity: <<<", ""),
        ("unscreened", "privacy=off", "screen=yes;privacy=off"),
        ("anonymous", "Privacy: id", ""),
        ("extension", ";ext=7", ""),
        ("shared-line", ";cpc=payphone", ""),
        ("number-format", "+11235550143", "+18002345678"),
        ("identities-differ", "+12025550199", "+18002345678"),
        ("number-kind", "+18002345678", "+12025550143"),
        ("forwarded", "Diversion: <tel:+12025550150>", ""),
        ("transferred", "Referred-By: <sip:+12025550150@h>", ""),
        ("validation-failed", "X-Checked: Wrong", ""),
        ("invalid-identity", TWO, ""),
        ("use-identity-header", LOW, "P-Attestation-Indicator: C\nIdentity: e30.e30.s;info=<https://h/c>;ppt=shaken"),
        ("below-issuing-level", LOW, ""),
    ];
    let trunk = Policy {
        issue_from: Level::L2.into(),
        ..policy(TrunkProfile {
            ingress_secret: Some(Private::new("x7Qm2kLp9".to_owned())),
            trust_rpid: true,
            verstat: Some(dialect("X-Checked", None, &[("Wrong", Finding::Failed)])),
            identity_passthrough: true,
            identity: SignedIdentity::Required,
            ..screened()
        })
    };
    // One Identity too many, and none, cannot be wrong at once.
    for identity in [TWO, ""] {
        let mut request = wrong(identity);
        for (reason, from, to) in mends.iter().filter(|(_, from, _)| identity == TWO || *from != TWO) {
            let (uri, given) = request.split_once('\n').unwrap();
            let verdict = told(&trunk, PEER, uri, given);
            assert_eq!(verdict.split(' ').next(), Some(*reason), "{request}");
            assert!(request.contains(from), "{from} is not in {request}");
            request = request.replace(from, to);
        }
        let (uri, given) = request.split_once('\n').unwrap();
        assert_eq!(told(&trunk, PEER, uri, given), "+12025550143 L2", "{request}");
    }
}
