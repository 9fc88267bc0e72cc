//! How a verdict is told: as text, as JSON, as exit code.

use std::fmt;

use dht_client::client::Origin;
use dht_client::{Certificate, Found, Identity, Verdict};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{hex, pem};

/// A verdict about somebody. `Display` is for people, [`Answer::json`] for programs.
pub(crate) struct Answer<'a> {
    /// Whom it is about.
    pub(crate) identity: &'a Identity,
    /// What was found.
    pub(crate) verdict: &'a Verdict,
}

impl Answer<'_> {
    /// The codes of the module's head.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Found(_) => 0,
            Verdict::Unknown { .. } => 3,
            Verdict::Unreachable(_) => 4,
            Verdict::Revoked(_) | Verdict::Suspended(_) => 5,
            Verdict::Invalid(_) => 6,
        }
    }

    /// The verdict in one word.
    pub(crate) fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Found(_) => "valid",
            Verdict::Unknown { .. } => "unknown",
            Verdict::Unreachable(_) => "unreachable",
            Verdict::Revoked(_) => "revoked",
            Verdict::Suspended(_) => "suspended",
            Verdict::Invalid(_) => "invalid",
        }
    }

    /// One object: `identity` and `verdict` always, the rest as far as there is something to say.
    pub(crate) fn json(&self) -> Value {
        let mut object = json!({ "identity": self.identity.expose(), "verdict": self.word() });
        let more = match self.verdict {
            Verdict::Found(found) => self.found(found),
            Verdict::Revoked(origin) | Verdict::Suspended(origin) => json!({ "dht": dht(origin) }),
            Verdict::Unknown { asked } => json!({ "asked": asked }),
            Verdict::Unreachable(error) => json!({ "reason": error.to_string() }),
            Verdict::Invalid(fault) => json!({ "reason": fault.to_string() }),
        };
        if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
            object.extend(more);
        }
        object
    }

    fn found(&self, found: &Found) -> Value {
        let Found { certificate, location_key, kem_key, pending, origin } = found;
        json!({
            "name": certificate.name,
            "level": certificate.level.to_string(),
            "code_only": certificate.code_only,
            "serial": certificate.serial,
            "not_before": rfc3339(certificate.not_before),
            "not_after": rfc3339(certificate.not_after),
            "certificate_pem": certificate_pem(certificate),
            "chain_pem": chain_pem(certificate),
            "location_key": location_key.map(|key| hex::of(&key)),
            "kem_key": kem_key.map(|key| hex::of(&key)),
            "pending": pending.map(|pending| json!({ "since": pending.since, "key": hex::of(&pending.key) })),
            "dht": dht(origin),
        })
    }
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whom = self.identity.expose();
        match self.verdict {
            Verdict::Found(found) => {
                let Certificate { level, serial, not_before, not_after, name, .. } = &found.certificate;
                writeln!(f, "{whom}: valid")?;
                writeln!(f, "  certified as  {name}")?;
                writeln!(
                    f,
                    "  level         {level}{}",
                    if found.certificate.code_only { ", by code only" } else { "" }
                )?;
                writeln!(f, "  serial        {serial}")?;
                writeln!(f, "  valid         {} to {}", rfc3339(*not_before), rfc3339(*not_after))?;
                if let Some(pending) = &found.pending {
                    writeln!(f, "  another key has asked for this identity since {}", seconds(pending.since))?;
                }
                let issuers = found.certificate.chain.len();
                writeln!(
                    f,
                    "  chain         to the root over {issuers} issuer{}",
                    if issuers == 1 { "" } else { "s" }
                )?;
                if let Some(key) = &found.kem_key {
                    writeln!(f, "  kem key       {}", hex::of(key))?;
                }
                write_origin(f, &found.origin)?;
                f.write_str(&certificate_pem(&found.certificate))
            }
            Verdict::Revoked(origin) => {
                writeln!(f, "{whom}: revoked or withdrawn: the directory shows no certificate any more")?;
                write_origin(f, origin)
            }
            Verdict::Suspended(origin) => {
                writeln!(f, "{whom}: suspended; its owner or a call from the number put the certificate on hold")?;
                write_origin(f, origin)
            }
            Verdict::Unknown { asked } => {
                writeln!(f, "{whom}: unknown; the directory has no record (asked {asked} nodes)")
            }
            Verdict::Unreachable(error) => {
                writeln!(f, "{whom}: nobody can say: {error}; try again, or name other networks with --dht")
            }
            Verdict::Invalid(fault) => writeln!(f, "{whom}: invalid: {fault}"),
        }
    }
}

fn write_origin(f: &mut fmt::Formatter<'_>, origin: &Origin) -> fmt::Result {
    let Origin { backend, slot, seq, bytes, complete } = origin;
    writeln!(f, "  record        {backend}, slot {slot}, number {seq}, {bytes} bytes")?;
    // A number is the time when it was signed, unless several were within a second.
    writeln!(f, "  signed        {}", seconds(*seq))?;
    if *complete {
        return Ok(());
    }
    writeln!(f, "  not every part of the directory answered: a later record may be hidden")
}

fn dht(origin: &Origin) -> Value {
    let Origin { backend, slot, seq, bytes, complete } = origin;
    json!({ "backend": backend, "slot": slot.to_string(), "seq": seq, "bytes": bytes, "complete": complete,
        "signed": seconds(*seq) })
}

/// The certificate, PEM.
pub(crate) fn certificate_pem(certificate: &Certificate) -> String {
    pem::certificate(&certificate.der)
}

/// The intermediates between it and the root, PEM, nearest first.
pub(crate) fn chain_pem(certificate: &Certificate) -> String {
    certificate.chain.iter().map(|der| pem::certificate(der)).collect()
}

/// Whole seconds in UTC, as certificates have them.
pub(crate) fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.unix_timestamp().to_string())
}

fn seconds(unix: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix).map_or_else(|_| unix.to_string(), rfc3339)
}

#[cfg(test)]
mod tests {
    use dht_client::client::Fault;
    use dht_client::{ChainError, GetError, Level, SlotId};
    use time::macros::datetime;

    use super::*;

    const ORIGIN: Origin =
        Origin { backend: "mainline", slot: SlotId([0xab; 20]), seq: 1_800_000_000, bytes: 741, complete: true };

    fn verdicts() -> Vec<(Verdict, u8, &'static str)> {
        let certificate = Certificate {
            der: vec![0x30; 100],
            chain: vec![vec![0x31; 10]],
            level: Level::L2,
            code_only: false,
            serial: "5a".into(),
            not_before: datetime!(2026-03-01 12:00 UTC),
            not_after: datetime!(2026-03-31 12:00 UTC),
            name: "tel:+12025550143".into(),
        };
        let found = Found { certificate, location_key: None, kem_key: Some([1; 32]), pending: None, origin: ORIGIN };
        vec![
            (Verdict::Found(Box::new(found)), 0, "valid"),
            (Verdict::Unknown { asked: 3 }, 3, "unknown"),
            (Verdict::Unreachable(GetError::Unreachable), 4, "unreachable"),
            (Verdict::Revoked(ORIGIN), 5, "revoked"),
            (Verdict::Suspended(ORIGIN), 5, "suspended"),
            (Verdict::Invalid(Fault::Certificate(ChainError::Level)), 6, "invalid"),
        ]
    }

    #[test]
    fn every_verdict_has_its_code_its_word_and_its_text() {
        let identity = Identity::tel("+12025550143").unwrap();
        for (verdict, code, word) in verdicts() {
            let answer = Answer { identity: &identity, verdict: &verdict };
            assert_eq!((answer.exit_code(), answer.word()), (code, word));
            let json = answer.json();
            assert_eq!((json["identity"].as_str(), json["verdict"].as_str()), (Some("tel:+12025550143"), Some(word)));
            assert!(answer.to_string().starts_with("tel:+12025550143: "), "{answer}");
        }
    }

    #[test]
    fn what_was_found_is_told_in_full() {
        let identity = Identity::tel("+12025550143").unwrap();
        let verdict = &verdicts()[0].0;
        let answer = Answer { identity: &identity, verdict };
        let json = answer.json();
        assert_eq!(json["not_after"], "2026-03-31T12:00:00Z");
        assert_eq!(json["dht"]["slot"], "ab".repeat(20));
        assert_eq!(json["dht"]["signed"], "2027-01-15T08:00:00Z");
        assert_eq!(json["kem_key"], "01".repeat(32));
        assert!(json["location_key"].is_null());
        let pem = json["certificate_pem"].as_str().unwrap();
        let lines: Vec<&str> = pem.lines().collect();
        assert_eq!((lines.len(), lines[1].len()), (5, 64), "{pem}");
        let text = answer.to_string();
        assert!(text.contains("level         L2\n") && text.contains("over 1 issuer\n"), "{text}");
        assert!(text.contains("signed        2027-01-15T08:00:00Z\n"), "{text}");
        assert!(text.contains(&format!("kem key       {}\n", "01".repeat(32))), "{text}");
    }
}
