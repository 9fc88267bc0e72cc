//! JSON in which every key stands once. RFC 8259 4 leaves open what another reader makes of a second one, so whoever writes
//! two wants two readers to see two values.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Fault;

/// The object in these octets.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Fault> {
    let is_duplicate = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Unique(&is_duplicate).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(object)) => Ok(object),
        _ if is_duplicate.get() => Err(Fault::DuplicateKey),
        _ => Err(Fault::Json),
    }
}

/// Reads any value, and notes if it is for a second key of a name that it ends.
struct Unique<'a>(&'a Cell<bool>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(value) = values.next_element_seed(Unique(self.0))? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Unique(self.0))?;
            if object.insert(key, value).is_some() {
                self.0.set(true);
                return Err(A::Error::custom("one key twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_at_any_depth_is_told_from_what_is_no_json() {
        for (text, expected) in [
            (r#"{"a":{"b":1},"c":[{"b":2.5},null,true,-1,"x"]}"#, None),
            (r#"{"a":1,"a":1}"#, Some(Fault::DuplicateKey)),
            (r#"{"a":1,"\u0061":1}"#, Some(Fault::DuplicateKey)),
            (r#"{"dest":[{"tn":1,"tn":2}]}"#, Some(Fault::DuplicateKey)),
            ("[]", Some(Fault::Json)),
            ("{} {}", Some(Fault::Json)),
            ("{", Some(Fault::Json)),
            ("{\"a\":\"\u{1}\"}", Some(Fault::Json)),
            ("", Some(Fault::Json)),
        ] {
            assert_eq!(object(text.as_bytes()).err(), expected, "{text}");
        }
        assert_eq!(object(&[b'{', 0xff, b'}']), Err(Fault::Json));
        assert_eq!(object("[".repeat(100_000).as_bytes()), Err(Fault::Json), "deeper than any claim");
    }
}
