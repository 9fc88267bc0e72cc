//! What an operator should know.

use super::*;

#[test]
fn what_an_operator_should_know_is_a_warning() {
    are_warnings(&[
        (
            "country = \"US\"",
            "country = \"US\"\nidentity_passthrough = true",
            "warning: passports.anchors: a trunk has identity_passthrough, but without anchors",
        ),
        (
            "[dht]",
            "[passports]\nanchors = \"a.pem\"\n[dht]",
            "warning: passports.anchors: no trunk has identity_passthrough",
        ),
        (
            "[dht]",
            "[passports]\ndenied_spcs = [\"709J\"]\n[dht]",
            "warning: passports.anchors: without anchors no signature is verified",
        ),
        (
            "[dht]",
            "[passports]\nanchors = \"a.pem\"\n\
             [[passports.authority]]\nname = \"US\"\nanchors = \"b.pem\"\ncountries = [\"US\"]\n[dht]",
            "warning: passports.anchors: these answer for the numbers of all countries",
        ),
        (
            "country = \"US\"",
            "country = \"US\"\nidentity_passthrough = true\n\
             [[passports.authority]]\nname = \"France\"\nanchors = \"a.pem\"\ncountries = [\"FR\"]",
            "warning: trunk \"carrier\".identity_passthrough: no [[passports.authority]] answers for numbers of US",
        ),
        ("passphrase_file = \"passphrase\"", "", "warning: ca.passphrase_file: without it, DIALPROOF_CA_PASSPHRASE"),
        (
            "networks = [\"mainline:192.0.2.9:4001\"]",
            "ring_ports = [4001, 4002]",
            "warning: dht.ring_ports: the ring lives in this process",
        ),
        ("mainline:192.0.2.9:4001", "mainline", "no test of this program reaches the public network"),
        (
            "mainline:192.0.2.9:4001",
            "opendht:http://127.0.0.1:8000",
            "with one proxy, no record is read back from another",
        ),
        (
            "mainline:192.0.2.9:4001",
            "opendht:http://127.0.0.1:8000,http://127.0.0.1:8001",
            "of two proxies, one that lies keeps every record out",
        ),
        (
            "[ca]",
            "[verification]\nissue_from = \"L1\"\n[ca]",
            "warning: verification.issue_from: L1 certificates rest on",
        ),
        (
            "[ca]",
            "[verification]\nfruitless_calls_a_day = 101\n[ca]",
            "warning: verification.fruitless_calls_a_day: more than a person needs",
        ),
        (
            "[dht]",
            "[sandbox]\nnumbers = [\"+12025550150\", \"+12025550200\"]\n[dht]",
            "warning: sandbox.numbers: +12025550200 may be somebody's",
        ),
        (
            "[ca]",
            "[verification]\npuzzle_bits = 21\n[ca]",
            "warning: verification.puzzle_bits: a slow telephone may work longer",
        ),
    ]);
}
