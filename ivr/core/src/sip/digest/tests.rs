//! The RFCs' examples, and what challenges look like in the field.

use proptest::prelude::*;

use super::*;
use crate::sip::header_lines::HeaderLine;

fn login(user: &str, password: &str) -> Login {
    Login { user: Private::new(user.to_owned()), password: Private::new(password.to_owned()) }
}

fn lines(values: &[&str]) -> HeaderLines {
    HeaderLines(values.iter().map(|value| HeaderLine::new("WWW-Authenticate", *value)).collect())
}

fn first(values: &[&str]) -> Option<Challenge> {
    Challenge::first(&lines(values), "WWW-Authenticate")
}

/// The response to a challenge's first request.
fn response(challenge: &str, cnonce: &str, login: &Login, method: &str, uri: &str) -> String {
    let value = Credentials::new(first(&[challenge]).unwrap(), cnonce.to_owned()).value(login, method, uri, b"");
    value.split_once("response=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

const OF_RFC_7616: &str = r#"realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;

#[test]
fn the_examples_of_the_rfcs_come_out() {
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    for (name, challenge, cnonce, login, uri, expected) in [
        (
            "RFC 2617 3.5",
            r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#.to_owned(),
            "0a4f113b",
            login("Mufasa", "Circle Of Life"),
            "/dir/index.html",
            "6629fae49393a05397450978507c4ef1",
        ),
        (
            "RFC 7616 3.9.1, MD5",
            format!("Digest algorithm=MD5, {OF_RFC_7616}"),
            cnonce,
            login("Mufasa", "Circle of Life"),
            "/dir/index.html",
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
        (
            "RFC 7616 3.9.1, SHA-256",
            format!("Digest algorithm=SHA-256, {OF_RFC_7616}"),
            cnonce,
            login("Mufasa", "Circle of Life"),
            "/dir/index.html",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        (
            // The RFC prints the start of a SHA-512; this is the erratum 4897's.
            "RFC 7616 3.9.2, SHA-512-256",
            r#"Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true"#.to_owned(),
            "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
            login("J\u{e4}s\u{f8}n Doe", "Secret, or not?"),
            "/doe.json",
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
        ),
    ] {
        assert_eq!(response(&challenge, cnonce, &login, "GET", uri), expected, "{name}");
    }
}

#[test]
fn without_qop_it_is_answered_as_in_the_beginning() {
    // RFC 2069 2.4: unq(nonce) and nothing of ours.
    let value = Credentials::new(first(&[r#"Digest realm="r", nonce="n""#]).unwrap(), "unused".to_owned()).value(
        &login("u", "p"),
        "REGISTER",
        "sip:r",
        b"",
    );
    let h = |text: &str| Hash::Md5.of(text.as_bytes());
    let expected = h(&format!("{}:n:{}", h("u:r:p"), h("REGISTER:sip:r")));
    assert_eq!(value, format!(r#"Digest username="u", realm="r", nonce="n", uri="sip:r", response="{expected}""#));
}

#[test]
fn requests_are_counted_and_a_session_keeps_its_key() {
    let challenge = first(&[r#"Digest realm="r", nonce="n", algorithm=md5-SESS, qop="auth-int", opaque="o\"o""#]);
    let mut credentials = Credentials::new(challenge.unwrap(), "c".to_owned());
    let h = |text: &str| Hash::Md5.of(text.as_bytes());
    let key = h(&format!("{}:n:c", h("u:r:p")));
    for nc in ["00000001", "00000002"] {
        let value = credentials.value(&login("u", "p"), "REGISTER", "sip:r", b"body");
        let asked = h(&format!("REGISTER:sip:r:{}", h("body")));
        let expected = h(&format!("{key}:n:{nc}:c:auth-int:{asked}"));
        assert_eq!(
            value,
            format!(
                r#"Digest username="u", realm="r", nonce="n", uri="sip:r", response="{expected}", algorithm=md5-SESS, qop=auth-int, nc={nc}, cnonce="c", opaque="o\"o""#
            )
        );
    }
}

#[test]
fn the_first_challenge_that_we_know_is_answered() {
    let md5 = r#"Digest realm="r", nonce="md5", algorithm=MD5, qop="auth""#;
    let sha = r#"Digest realm="r", nonce="sha", algorithm=SHA-256, qop="auth""#;
    let unknown = r#"Digest realm="r", nonce="x", algorithm=SHA3-512, qop="auth""#;
    let basic = r#"Basic realm="r""#;
    for (values, nonce) in [
        (vec![sha, md5], Some("sha")),
        (vec![md5, sha], Some("md5")),
        (vec![unknown, basic, sha], Some("sha")),
        (vec![unknown, basic], None),
        (vec![], None),
    ] {
        assert_eq!(first(&values).map(|challenge| challenge.nonce).as_deref(), nonce, "{values:?}");
        // The same in one line.
        let one_line = values.join(", ");
        assert_eq!(first(&[&one_line]).map(|challenge| challenge.nonce).as_deref(), nonce, "{one_line}");
    }
}

#[test]
fn a_challenge_is_read_as_the_field_writes_it() {
    let shown = |value: &str| {
        first(&[value]).map(|Challenge { realm, nonce, protection, stale, .. }| {
            let protection = protection.map_or("", Protection::name);
            format!("{realm} {nonce} {protection}{}", if stale { " stale" } else { "" })
        })
    };
    for (value, expected) in [
        (r#"Digest realm="a, b" , nonce = "n=1" ,qop="auth-int,auth",stale=TRUE"#, Some("a, b n=1 auth stale")),
        (r#"digest realm="a", nonce="n", stale="true", qop=auth"#, Some("a n auth stale")),
        (r#"Digest nonce=n,realm=a,algorithm="MD5","#, Some("a n ")),
        (r#"Digest realm="a \"b\"", nonce="", stale=false"#, Some(r#"a \"b\"  "#.trim_end_matches(' '))),
        (r#"Digest realm="a", nonce="n", qop="auth-conf""#, None),
        (r#"Digest realm="a", nonce="n", nonce="m""#, None),
        (r#"Digest realm="a""#, None),
        (r#"Digest nonce="n""#, None),
        (r#"realm="a", nonce="n""#, None),
        (r#"Digest realm="a", nonce="n"#, None),
        (r#"Digest realm="a", nonce="n\""#, None),
        ("Digest", None),
        ("", None),
    ] {
        let shown = shown(value);
        assert_eq!(shown.as_deref().map(str::trim_end), expected.map(str::trim_end), "{value}");
    }
    let long = format!(r#"Digest realm="a", nonce="{}""#, "n".repeat(LONGEST_VALUE_BYTES + 1));
    assert_eq!(first(&[&long]), None, "it would not fit into a datagram");
}

#[test]
fn a_nonce_is_too_old_only_if_there_is_a_new_one() {
    let credentials = Credentials::new(first(&[r#"Digest realm="r", nonce="1""#]).unwrap(), "c".to_owned());
    for (value, are_only_stale) in [
        (r#"Digest realm="r", nonce="2", stale=true"#, true),
        (r#"Digest realm="r", nonce="1", stale=true"#, false),
        (r#"Digest realm="r", nonce="2""#, false),
    ] {
        assert_eq!(credentials.are_only_stale(&first(&[value]).unwrap()), are_only_stale, "{value}");
    }
}

proptest! {
    #[test]
    fn whatever_is_read_can_be_sent_in_one_line(value in r#"(Digest )?([a-z-]{1,9}=?"?[ -~\u{e9}]{0,9}"?, ?){0,6}realm="\PC{0,9}", nonce=\PC{0,9}"#) {
        if let Some(challenge) = first(&[&value]) {
            let value = Credentials::new(challenge, "c".to_owned()).value(&login("u", "p"), "REGISTER", "sip:r", b"");
            prop_assert!(!value.contains(char::is_control) && value.len() < 4 * LONGEST_VALUE_BYTES + 512);
            // Whoever reads it finds our parameters: no value closes its quotes early.
            let names: Vec<&str> = Pieces::of(&value, b',').filter_map(|piece| Some(piece.split_once('=')?.0)).collect();
            prop_assert!(names.starts_with(&["Digest username", "realm", "nonce", "uri", "response"]), "{value}");
        }
    }
}
