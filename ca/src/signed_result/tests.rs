//! Results as a web site reads them: by the published key set alone.

use proptest::prelude::*;

use super::*;
use crate::Authority;
use crate::fixture::{authority, shared};

/// What a web site does: picks the key by its identifier from the set, and verifies with a library of its own.
fn verified_by(jwks: &Value, token: &str) -> Option<Value> {
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header_json: Value = serde_json::from_slice(&decode(header)?).ok()?;
    let keys = jwks["keys"].as_array()?;
    let key = keys.iter().find(|key| key["kid"] == header_json["kid"] && key["alg"] == header_json["alg"])?;
    let coordinate = |name: &str| decode(key[name].as_str()?);
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    let signed = format!("{header}.{claims}");
    ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &decode(signature)?)
        .ok()?;
    serde_json::from_slice(&decode(claims)?).ok()
}

fn claims() -> Value {
    json!({ "sub": "tel:+12025550143", "level": "L2", "iat": 1_772_366_400 })
}

fn signed(authority: &Authority) -> String {
    authority.result_key().sign(Statement::Result, &claims()).unwrap()
}

#[test]
fn a_web_site_reads_a_result_with_the_published_key() {
    let authority = authority();
    let (key, token) = (authority.result_key(), signed(&authority));
    assert_eq!(verified_by(&key.jwks(), &token), Some(claims()));
    assert_eq!(key.verify(Statement::Result, &token), Some(claims()));
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header, json!({ "alg": "ES256", "kid": key.key_id(), "typ": "dialproof-result+jwt" }));
}

#[test]
fn the_key_set_holds_no_secret_and_names_its_key_by_thumbprint() {
    let authority = authority();
    let set = authority.result_key().jwks();
    let key = &set["keys"][0];
    let members: Vec<&String> = key.as_object().unwrap().keys().collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    // RFC 7638 3: the required members, in the order of the alphabet, without spaces.
    let (x, y) = (key["x"].as_str().unwrap(), key["y"].as_str().unwrap());
    let thumbprint = Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
    assert_eq!(key["kid"], URL_SAFE_NO_PAD.encode(thumbprint));
    assert_eq!(URL_SAFE_NO_PAD.decode(x).unwrap().len(), 32);
}

#[test]
fn a_result_of_another_authority_is_none() {
    let (one, other) = (authority(), authority());
    assert_eq!(one.result_key().verify(Statement::Result, &signed(&other)), None);
    assert_eq!(verified_by(&one.result_key().jwks(), &signed(&other)), None);
}

#[test]
fn a_statement_of_one_kind_is_none_of_another() {
    let authority = authority();
    let key = authority.result_key();
    let head = key.sign(Statement::AuditHead, &claims()).unwrap();
    assert_eq!(key.verify(Statement::AuditHead, &head), Some(claims()));
    assert_eq!(key.verify(Statement::Result, &head), None);
    assert_eq!(key.verify(Statement::AuditHead, &signed(&authority)), None);
}

#[test]
fn only_objects_are_signed() {
    let authority = authority();
    for claims in [json!([1]), json!("text"), json!(null), json!(7)] {
        assert!(matches!(authority.result_key().sign(Statement::Result, &claims), Err(ResultError::NotAnObject)));
    }
    let token = authority.result_key().sign(Statement::Result, &json!({})).unwrap();
    assert_eq!(authority.result_key().verify(Statement::Result, &token), Some(json!({})));
}

#[test]
fn what_is_not_three_parts_with_a_signature_is_no_result() {
    let authority = authority();
    let (key, token) = (authority.result_key(), signed(&authority));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    for bad in [
        String::new(),
        "..".into(),
        signed.into(),
        format!("{signed}."),
        format!("{signed}.{}", &signature[1..]),
        format!("{signed}.{signature}="),
        format!("{claims}.{header}.{signature}"),
        format!("{signed}.{signature}.{signature}"),
    ] {
        assert_eq!(key.verify(Statement::Result, &bad), None, "{bad}");
    }
}

#[test]
fn printing_the_key_tells_its_name_only() {
    let authority = authority();
    let key = authority.result_key();
    assert_eq!(format!("{key:?}"), format!("ResultKey({})", key.key_id()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_result_with_a_changed_character_is_none(at: prop::sample::Index, other in "[A-Za-z0-9_.-]") {
        let authority = shared();
        let mut token = signed(authority);
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != other);
        token.replace_range(at..=at, &other);
        prop_assert_eq!(authority.result_key().verify(Statement::Result, &token), None);
    }
}
