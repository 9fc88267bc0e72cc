//! `config.example.toml` shows every key, and what it shows is valid.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use toml::{Table, Value};

use super::*;

const EXAMPLE: &str = include_str!("../../../../config.example.toml");

#[test]
fn the_example_is_faultless_but_for_the_documentation_arc() {
    let (config, findings) = parsed(EXAMPLE, Purpose::Serve);
    assert!(config.is_none());
    let faults: Vec<_> = findings.iter().filter(|line| line.starts_with("fault")).collect();
    assert!(matches!(&faults[..], [only] if only.starts_with("fault: ca.oid_arc")), "{findings:#?}");
    assert!(parsed(EXAMPLE, Purpose::Demo).0.is_some());
}

#[test]
fn the_example_shows_every_key_and_what_it_comments_out_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "0123456789abcdef").unwrap();
    let is_setting = |line: &str| {
        line.strip_prefix('#').is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_lowercase()) && rest.contains(" = ")
                || rest.starts_with("[trunk.")
                || rest.starts_with("[[passports.")
        })
    };
    let all: String = EXAMPLE
        .lines()
        .map(|line| if is_setting(line) { &line[1..] } else { line })
        .map(|line| line.replace("/etc/dialproof/carrier.secret", &secret.display().to_string()))
        .map(|line| line.replace("/etc/dialproof/carrier.password", &secret.display().to_string()))
        .map(|line| line.replace("/etc/dialproof/carrier-calls.password", &secret.display().to_string()))
        // Prefixes belong to a format that is not the default.
        .map(|line| line.replace("number_format = \"e164\"", "number_format = \"national\"") + "\n")
        .collect();
    let (config, findings) = parsed(&all, Purpose::Demo);
    assert!(config.is_some(), "{findings:#?}");

    let table: Table = all.parse().unwrap();
    let sections: [(&str, &[&str]); 14] = [
        ("service", keys_of::<service::Raw>()),
        ("http", keys_of::<http::Raw>()),
        ("sip", keys_of::<sip::Raw>()),
        ("trunk", keys_of::<trunk::Raw>()),
        ("verification", keys_of::<verification::Raw>()),
        ("ca", keys_of::<ca::Raw>()),
        ("database", keys_of::<database::Raw>()),
        ("dht", keys_of::<dht::Raw>()),
        ("smtp", keys_of::<smtp::Raw>()),
        ("keys", keys_of::<keys::Raw>()),
        ("operators", keys_of::<operators::Raw>()),
        ("sandbox", keys_of::<sandbox::Raw>()),
        ("passports", keys_of::<passports::Raw>()),
        ("webhooks", keys_of::<webhooks::Raw>()),
    ];
    for (section, keys) in sections {
        let shown = match &table[section] {
            Value::Array(list) => list[0].as_table().unwrap(),
            value => value.as_table().unwrap(),
        };
        for key in keys {
            assert!(shown.contains_key(*key), "config.example.toml does not show {section}.{key}");
        }
    }
    assert_eq!(sections.map(|(section, _)| section), SECTIONS);
    assert_eq!(table.len(), sections.len(), "a section is not asserted here");
    let parts = [
        ("register", keys_of::<link::Raw>()),
        ("verstat", keys_of::<verstat::Raw>()),
        ("digest", keys_of::<digest::Raw>()),
    ];
    for (part, keys) in parts {
        let shown = table["trunk"][0][part].as_table().unwrap();
        for key in keys {
            assert!(shown.contains_key(*key), "config.example.toml does not show trunk.{part}.{key}");
        }
    }
    for key in keys_of::<passports::RawAuthority>() {
        let shown = table["passports"]["authority"][0].as_table().unwrap();
        assert!(shown.contains_key(*key), "config.example.toml does not show passports.authority.{key}");
    }
}

/// The keys of a section, as serde derived them.
fn keys_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    let _ = T::deserialize(KeyReader(&mut keys));
    assert!(!keys.is_empty());
    keys
}

/// A deserializer that only notes which fields it is asked for.
struct KeyReader<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct Noted;

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("noted")
    }
}

impl std::error::Error for Noted {}

impl Error for Noted {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for KeyReader<'_> {
    type Error = Noted;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Noted> {
        Err(Noted)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Noted> {
        *self.0 = fields;
        Err(Noted)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
