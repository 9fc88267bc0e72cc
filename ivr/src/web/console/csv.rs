//! The calls of a filter as a file (RFC 4180), written while they are read: however many there are, few are in memory.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use ivr_core::media::{Mos, Quality, Reported};

use super::filter::Asked;
use super::session::Person;
use super::{masked, words};
use crate::store::StoreError;
use crate::store::calls::{Call, CallFilter, Rated, Signed};
use crate::web::App;
use crate::web::error::WebError;

/// Calls that are read at a time.
const CHUNK: u32 = 500;

const HEADER: &str = "began_at,number,country,level,trunk,source,call_id,outcome,status,reason,setup_ms,duration_ms,\
                      packets_sent,packets_received,packets_lost,packets_foreign,jitter_ms,verification,certificate,\
                      reported_expected,reported_lost,reported_jitter_ms,round_trip_ms,mos_received,mos_sent,\
                      srtp,packets_unauthentic,caps,line,signed,spc,origid,x5u,signer_sha256\r\n";

pub(super) async fn download(
    State(app): State<App>,
    Person(_): Person,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let filter = asked.tidied().from_the_first().filter(app.settings.default_country, CHUNK)?;
    let rows = stream::try_unfold((app, Some(filter)), |(app, filter)| async {
        let Some(filter) = filter else { return Ok::<_, StoreError>(None) };
        let calls = app.calls.list(&filter).await?;
        let mut text = if filter.after.is_none() { HEADER.to_owned() } else { String::new() };
        calls.iter().for_each(|call| write_call(call, &mut text));
        let is_full = calls.len() == CHUNK as usize;
        let last = calls.last().filter(|_| is_full).map(|last| (last.began_at, last.id));
        let next = last.map(|last| CallFilter { after: Some(last), ..filter });
        Ok(Some((Bytes::from(text), (app, next))))
    });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (CONTENT_DISPOSITION, "attachment; filename=\"calls.csv\""),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(rows)).into_response())
}

fn write_call(call: &Call, out: &mut String) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let millis = |duration: std::time::Duration| format!("{:.3}", duration.as_secs_f64() * 1e3);
    let quality = call.quality.map(|rated| rated.quality);
    let reported = quality.and_then(|quality| quality.reported);
    let count = |of: fn(Quality) -> u64| quality.map(|quality| of(quality).to_string()).unwrap_or_default();
    let said = |of: fn(Reported) -> u64| reported.map(|reported| of(reported).to_string()).unwrap_or_default();
    let mos = |of: fn(Rated) -> Option<Mos>| call.quality.and_then(of).map(words::mos).unwrap_or_default();
    let signed = |of: fn(&Signed) -> Option<String>| call.signed.as_ref().and_then(of).unwrap_or_default();
    let (status, reason) = call.refusal.clone().map(|(status, reason)| (status.to_string(), reason)).unzip();
    let cells = [
        words::iso(call.began_at),
        call.last4.as_deref().map(masked::number).unwrap_or_default(),
        text(&call.country),
        call.level.map(|level| level.to_string()).unwrap_or_default(),
        text(&call.trunk),
        call.source.clone(),
        call.sip_call_id.clone(),
        call.outcome.clone(),
        text(&status),
        text(&reason),
        call.setup.map(millis).unwrap_or_default(),
        call.duration.map(millis).unwrap_or_default(),
        count(|quality| quality.packets_sent),
        count(|quality| quality.packets_received),
        count(|quality| quality.packets_lost),
        count(|quality| quality.packets_foreign),
        quality.map(|quality| millis(quality.jitter)).unwrap_or_default(),
        call.verification.map(|id| id.to_string()).unwrap_or_default(),
        text(&call.serial),
        said(|reported| reported.packets_expected),
        said(|reported| reported.packets_lost),
        reported.map(|reported| millis(reported.jitter)).unwrap_or_default(),
        reported.and_then(|reported| reported.round_trip).map(millis).unwrap_or_default(),
        mos(|rated| rated.mos_received),
        mos(|rated| rated.mos_sent),
        quality.and_then(|quality| quality.srtp).map(|suite| suite.name().to_owned()).unwrap_or_default(),
        count(|quality| quality.packets_unauthentic),
        call.caps.to_string(),
        text(&call.line),
        signed(|signed| Some(signed.verdict.clone())),
        signed(|signed| signed.spc.clone()),
        signed(|signed| signed.origid.clone()),
        signed(|signed| signed.x5u.clone()),
        signed(|signed| signed.certificate.clone()),
    ];
    for (at, cell) in cells.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(out, "{comma}{}", quoted(cell)).expect("a string takes all that is written");
    }
    out.push_str("\r\n");
}

/// A cell, quoted. Spreadsheets run what begins like a formula, and peers choose their Call-ID: an apostrophe before it
/// makes it text.
fn quoted(cell: &str) -> String {
    let is_formula = cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%'])
        || cell.starts_with(['\t', '\r', '\n']);
    let apostrophe = if is_formula { "'" } else { "" };
    format!("\"{apostrophe}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        let table = [
            ("abc@192.0.2.7", "\"abc@192.0.2.7\""),
            ("", "\"\""),
            ("a,\"b\"\r\nc", "\"a,\"\"b\"\"\r\nc\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            (" =1", "\"' =1\""),
            ("\t=1", "\"'\t=1\""),
            ("＝1", "\"'＝1\""),
        ];
        for (cell, expected) in table {
            assert_eq!(quoted(cell), expected);
        }
    }
}
