//! Calls that somebody forwarded or transferred.

use super::*;

/// The header of RFC 8946 4.1, which somebody added who sent the call on.
const DIV: &str = concat!(
    "Identity:eyJhbGciOiJFUzI1NiIsInBwdCI6ImRpdiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly93d3cuZXhhbXBsZS5jb20vY2VydC5jZXIifQ.",
    "eyJkZXN0Ijp7InRuIjpbIjEyMTU1NTUxMjE0Il19LCJkaXYiOnsidG4iOiIxMjE1NTU1NTEyMTMifSwiaWF0IjoxNDQzMjA4MzQ1LCJvcmlnIjp7InRuIjoiMTIxNTU1NTEyMTIifX0.",
    "xBHWipDEEJ8a6TsdX6xUXAnblsFiGUiAxwLiv0HLC9IICj6eG9jQd6WzeSSjHRBwxmChHhVIiMTSqIlk3yCNkg",
    ";info=<https://www.example.com/cert.cer>;ppt=\"div\""
);

#[test]
fn a_forwarded_or_transferred_call_is_nobodys() {
    check(
        &policy(screened()),
        &[
            ("Diversion", "Diversion: <tel:+12025550150>;reason=unconditional", "forwarded (+12025550143)"),
            ("empty Diversion", "Diversion:", "forwarded (+12025550143)"),
            ("plain history", "History-Info: <sip:+12025550100@h>;index=1", "+12025550143 L2"),
            (
                "history of routing",
                "History-Info: <sip:+12025550100@a>;index=1, <sip:+12025550100@b>;index=1.1;rc=1",
                "+12025550143 L2",
            ),
            (
                "RFC 4458 cause",
                "History-Info: <sip:+12025550150@h>;index=1, <sip:+12025550100@h;cause=302>;index=1.1",
                "forwarded (+12025550143)",
            ),
            (
                "escaped Reason",
                "History-Info: <sip:+12025550150@h?Reason=SIP%3Bcause%3D486>;index=1",
                "forwarded (+12025550143)",
            ),
            (
                "escaped Reason with a text",
                "History-Info: <sip:+12025550150@h?Privacy=none&reason=SIP%3B%20CAUSE%3D302%3Btext%3D%22x%22>;index=1",
                "forwarded (+12025550143)",
            ),
            ("retargeted", "History-Info: <sip:+12025550100@h>;index=1.1;mp=1", "forwarded (+12025550143)"),
            ("service number", "History-Info: <sip:+12025550100@h;cause=380>;index=1.1", "+12025550143 L2"),
            ("unreadable", "History-Info: <<<", "forwarded (+12025550143)"),
            ("Referred-By", "Referred-By: <sip:+12025550150@h>", "transferred (+12025550143)"),
            ("compact Referred-By", "b: <sip:+12025550150@h>", "transferred (+12025550143)"),
            ("Replaces", "Replaces: x;to-tag=1;from-tag=2", "transferred (+12025550143)"),
            ("Join", "Join: x;to-tag=1;from-tag=2", "transferred (+12025550143)"),
            ("div PASSporT", "Identity: a.b.c;info=<https://h/c>;alg=ES256;ppt=\"div\"", "forwarded (+12025550143)"),
            ("that of RFC 8946 4.1", DIV, "forwarded (+12025550143)"),
            // {"ppt":"div"}, {"ppt":"Div-O"}, {}
            (
                "div without its parameter",
                "Identity: eyJwcHQiOiJkaXYifQ.e30.c2ln;info=<https://h/c>",
                "forwarded (+12025550143)",
            ),
            (
                "div with an empty one",
                "Identity: eyJwcHQiOiJkaXYifQ.e30.c2ln;info=<https://h/c>;ppt=",
                "forwarded (+12025550143)",
            ),
            (
                "div-o without it",
                "Identity: eyJwcHQiOiJEaXYtTyJ9.e30.c2ln;info=<https://h/c>",
                "forwarded (+12025550143)",
            ),
            ("no kind at all", "Identity: e30.e30.c2ln;info=<https://h/c>", "+12025550143 L2"),
        ],
    );
}
