//! What the media of a call was like, as columns.

use std::time::Duration;

use ivr_core::media::{Mos, Quality, Reported, Suite};
use sqlx::Row as _;

use super::writing::Values;
use super::{from_micros, micros, unsigned};
use crate::store::{Row, StoreError};

/// The figures of a call, and how they were rated when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rated {
    /// The figures.
    pub quality: Quality,
    /// Of what we received.
    pub mos_received: Option<Mos>,
    /// Of what we sent.
    pub mos_sent: Option<Mos>,
}

/// The values of the thirteen columns.
pub(super) fn bind<'q>(query: Values<'q>, quality: Option<&Quality>) -> Values<'q> {
    let figure = |of: fn(&Quality) -> i64| quality.map(of);
    let reported = quality.and_then(|quality| quality.reported);
    let hundredths = |mos: Option<Mos>| mos.map(|mos| i64::from(mos.hundredths));
    query
        .bind(figure(|quality| count(quality.packets_sent)))
        .bind(figure(|quality| count(quality.packets_received)))
        .bind(figure(|quality| count(quality.packets_lost)))
        .bind(figure(|quality| count(quality.packets_foreign)))
        .bind(figure(|quality| micros(quality.jitter)))
        .bind(reported.map(|reported| count(reported.packets_expected)))
        .bind(reported.map(|reported| count(reported.packets_lost)))
        .bind(reported.map(|reported| micros(reported.jitter)))
        .bind(reported.and_then(|reported| reported.round_trip).map(micros))
        .bind(hundredths(quality.and_then(Quality::mos_received)))
        .bind(hundredths(quality.and_then(Quality::mos_sent)))
        .bind(quality.and_then(|quality| quality.srtp).map(Suite::name))
        .bind(figure(|quality| count(quality.packets_unauthentic)))
}

/// What the row of a call says; `None` if it had no media.
pub(super) fn of(row: &Row) -> Result<Option<Rated>, StoreError> {
    let number = |at: usize| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(at)?);
    let figure = |at: usize| Ok::<u64, StoreError>(unsigned(number(at)?.unwrap_or(0)));
    let Some(sent) = number(13)? else { return Ok(None) };
    let reported = match number(20)? {
        None => None,
        Some(expected) => Some(Reported {
            packets_expected: unsigned(expected),
            packets_lost: figure(21)?,
            jitter: Duration::from_micros(figure(22)?),
            round_trip: number(23)?.map(from_micros),
        }),
    };
    let quality = Quality {
        packets_sent: unsigned(sent),
        packets_received: figure(14)?,
        packets_lost: figure(15)?,
        packets_foreign: figure(16)?,
        packets_unauthentic: figure(27)?,
        jitter: Duration::from_micros(figure(17)?),
        reported,
        srtp: row.try_get::<Option<String>, _>(26)?.as_deref().and_then(Suite::from_name),
    };
    let mos = |at: usize| Ok::<_, StoreError>(number(at)?.and_then(scored));
    Ok(Some(Rated { quality, mos_received: mos(24)?, mos_sent: mos(25)? }))
}

fn scored(hundredths: i64) -> Option<Mos> {
    u16::try_from(hundredths).ok().map(|hundredths| Mos { hundredths })
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
