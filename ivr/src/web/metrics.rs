//! What is counted for `/metrics`, in the text format of Prometheus.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use dht_client::backend::Health;
use ivr_core::endpoint::Counters;
use time::OffsetDateTime;
use tokio::time::timeout;

use super::App;
use super::error::WebError;
use crate::link_status::LinkStatus;
use crate::media_driver::MediaFigures;
use crate::sip_driver::Figures;
use crate::verify::Typed;
use crate::webhooks::Census;

/// How long the DHTs may take to say how they are: who reads the figures waits no longer than that.
const PATIENCE: Duration = Duration::from_secs(2);

/// Requests and what became of them, since the start.
#[derive(Debug, Default)]
pub struct Traffic {
    answers: [AtomicU64; 5],
    started: AtomicU64,
    refused_starts: AtomicU64,
    right: AtomicU64,
    wrong: AtomicU64,
    voided: AtomicU64,
    not_expected: AtomicU64,
}

impl Traffic {
    /// A verification was started, or not.
    pub(crate) fn start(&self, is_started: bool) {
        add(if is_started { &self.started } else { &self.refused_starts });
    }

    /// Digits were typed.
    pub(crate) fn typed(&self, typed: Typed) {
        add(match typed {
            Typed::Right => &self.right,
            Typed::Wrong { .. } => &self.wrong,
            Typed::Voided => &self.voided,
            Typed::NotExpected(_) => &self.not_expected,
        });
    }

    fn answer(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        add(&self.answers[class]);
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The layer that counts answers.
pub async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    app.traffic().answer(response.status());
    response
}

/// The page of `/metrics`.
pub(crate) async fn text(app: &App) -> Result<String, WebError> {
    let census = app.verify.census(app.clock.wall()).await?;
    let traffic = app.traffic();
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let mut out = Page::default();
    out.begin("dialproof_http_responses_total", "counter", "HTTP answers by status class.");
    for (class, counter) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(&traffic.answers) {
        out.value(&format!("{{class=\"{class}\"}}"), read(counter));
    }
    let (started, refused) = (read(&traffic.started), read(&traffic.refused_starts));
    out.single("dialproof_verifications_started_total", "counter", "Verifications started by page or API.", started);
    out.single("dialproof_verifications_refused_total", "counter", "Starts that were refused.", refused);
    out.begin("dialproof_verifications", "gauge", "Verifications of the last day, by state, on all nodes.");
    for (state, many) in census {
        out.value(&format!("{{state=\"{}\"}}", state.name()), many);
    }
    out.begin("dialproof_read_backs_total", "counter", "Read-backs typed, by what became of them.");
    let outcomes = [
        ("right", &traffic.right),
        ("wrong", &traffic.wrong),
        ("voided", &traffic.voided),
        ("not-expected", &traffic.not_expected),
    ];
    for (outcome, counter) in outcomes {
        out.value(&format!("{{outcome=\"{outcome}\"}}"), read(counter));
    }
    let records = app.calls.figures();
    let of_records = [
        ("lines_lost", "Lines of call records that the database did not take.", &records.lost),
        ("retries", "Tries of a busy database for call records.", &records.retried),
    ];
    for (name, help, counter) in of_records {
        out.single(&format!("dialproof_call_record_{name}_total"), "counter", help, read(counter));
    }
    webhooks(&mut out, &app.webhooks.census().await?);
    let figures = (app.figures)();
    sip(&mut out, &figures.endpoint);
    telephone(&mut out, &figures);
    links(&mut out, &(app.links)(), app.clock.wall());
    // A directory that does not say in time how it is leaves no lines: that is neither 0 nor all.
    directory(&mut out, &timeout(PATIENCE, (app.directory)()).await.unwrap_or_default());
    Ok(out.text)
}

/// How events and their endpoints stand.
fn webhooks(out: &mut Page, census: &Census) {
    out.begin("dialproof_webhook_endpoints", "gauge", "Endpoints of webhooks, on all nodes.");
    for (state, many) in census.endpoints {
        out.value(&format!("{{state=\"{state}\"}}"), many);
    }
    out.begin("dialproof_webhook_events", "gauge", "Events of verifications that are not purged yet, on all nodes.");
    for (state, many) in census.events {
        out.value(&format!("{{state=\"{state}\"}}"), many);
    }
}

/// How the DHTs stand: the numbers of [`Health`].
fn directory(out: &mut Page, backends: &[Health]) {
    type Read<'a> = &'a dyn Fn(&Health) -> usize;
    let metrics: [(&str, &str, Read<'_>); 2] = [
        ("reachable", "Nodes or proxies of a DHT that answer.", &|health| health.reachable),
        ("configured", "Nodes or proxies that it should have.", &|health| health.configured),
    ];
    for (name, help, read) in metrics {
        if backends.is_empty() {
            continue;
        }
        out.begin(&format!("dialproof_directory_{name}"), "gauge", help);
        for (number, health) in backends.iter().enumerate() {
            out.value(&format!("{{backend=\"{}\",number=\"{number}\"}}", health.backend), read(health) as u64);
        }
    }
}

fn sip(out: &mut Page, counters: &Counters) {
    // Taken apart, so that a new counter is not forgotten here.
    let Counters {
        datagrams,
        stream_messages,
        broken_streams,
        garbage,
        malformed_requests,
        strangers,
        unmatched_responses,
        unmatched_acks,
        retransmitted_requests,
        retransmissions,
        forged,
        challenged,
        invites,
        refused,
        sandbox_refused,
        unrecorded_refusals,
        signed,
        badly_signed,
        answered,
        confirmed,
        never_acknowledged,
        displaced,
        calls,
        unacknowledged,
    } = *counters;
    let totals = [
        ("datagrams", "SIP datagrams that arrived.", datagrams),
        ("stream_messages", "SIP messages that arrived over TCP or TLS.", stream_messages),
        ("broken_streams", "Connections ended because what came was no SIP.", broken_streams),
        ("garbage", "Datagrams that were no SIP message.", garbage),
        ("malformed_requests", "Requests refused by the byte gate.", malformed_requests),
        ("strangers", "Messages from addresses of no trunk.", strangers),
        ("unmatched_responses", "Responses that matched no transaction.", unmatched_responses),
        ("unmatched_acks", "ACKs that matched nothing.", unmatched_acks),
        ("retransmitted_requests", "Requests answered from memory.", retransmitted_requests),
        ("retransmissions", "Messages sent again.", retransmissions),
        ("forged", "In-dialog requests with foreign tags.", forged),
        ("challenged", "INVITEs that were challenged to prove an account.", challenged),
        ("invites", "INVITEs for new calls.", invites),
        ("refused", "Calls refused.", refused),
        ("sandbox_refused", "Calls of the sandbox refused.", sandbox_refused),
        ("unrecorded_refusals", "Refused calls without a record.", unrecorded_refusals),
        ("signed", "Calls whose signed identity (STIR/SHAKEN) holds.", signed),
        ("badly_signed", "Calls whose signed identity does not hold.", badly_signed),
        ("answered", "Calls answered.", answered),
        ("confirmed", "Calls whose ACK arrived.", confirmed),
        ("never_acknowledged", "Calls ended because no ACK came.", never_acknowledged),
        ("displaced", "Calls without their ACK that gave their number's line to a newer one.", displaced),
    ];
    for (name, help, value) in totals {
        out.single(&format!("dialproof_sip_{name}_total"), "counter", help, value);
    }
    let gauges = [
        ("calls", "Calls that exist now.", calls),
        ("unacknowledged_calls", "Calls whose ACK has not arrived.", unacknowledged),
    ];
    for (name, help, value) in gauges {
        out.single(&format!("dialproof_sip_{name}"), "gauge", help, value as u64);
    }
}

/// How it stands with the trunks: one row for each registration and each probe.
fn links(out: &mut Page, links: &[LinkStatus], now: OffsetDateTime) {
    let seconds = |at: OffsetDateTime| u64::try_from(at.unix_timestamp()).unwrap_or_default();
    let up = |link: &LinkStatus| Some(u64::from(link.is_up(now)));
    let since = |link: &LinkStatus| link.state.map(|_| seconds(link.since));
    let until = |link: &LinkStatus| link.registered_until().map(seconds);
    let refusal = |link: &LinkStatus| link.refusal().map(u64::from);
    type Read<'a> = &'a dyn Fn(&LinkStatus) -> Option<u64>;
    let metrics: [(&str, &str, Read<'_>); 4] = [
        ("up", "1 while we are registered with the trunk, or its server answers our probes.", &up),
        ("last_change_timestamp_seconds", "When that was found out, or the registration was renewed.", &since),
        ("registered_until_timestamp_seconds", "When the registration ends if it is not renewed.", &until),
        ("refused_status", "The SIP status that the server answers with instead.", &refusal),
    ];
    for (name, help, read) in metrics {
        if links.is_empty() {
            continue;
        }
        out.begin(&format!("dialproof_trunk_{name}"), "gauge", help);
        for link in links {
            if let Some(value) = read(link) {
                let trunk = link.trunk.replace('\\', "\\\\").replace('"', "\\\"");
                out.value(&format!("{{trunk=\"{trunk}\",by=\"{}\"}}", link.duty), value);
            }
        }
    }
}

/// What found no room, and what came that belongs to nobody.
fn telephone(out: &mut Page, figures: &Figures) {
    // Taken apart, so that a new one is not forgotten here.
    let Figures {
        endpoint: _,
        media,
        unsent_messages,
        connections,
        refused_connections,
        unasked_questions,
        lost_records,
    } = *figures;
    let MediaFigures { unsent, skipped, unheard_keys, foreign } = media;
    let totals = [
        ("sip_unsent_messages", "SIP messages that the system or a connection did not take.", unsent_messages),
        ("sip_refused_connections", "TCP and TLS connections for which there was no place.", refused_connections),
        ("call_questions_unasked", "Questions of calls that found the database busy.", unasked_questions),
        ("call_record_lines_dropped", "Lines of call records that found their queue full.", lost_records),
        ("media_unsent_packets", "Packets that the system did not take.", unsent),
        ("media_skipped_packets", "Packets left out because they were much too late.", skipped),
        ("media_unheard_keys", "Keys that found their queue full.", unheard_keys),
        ("media_foreign_packets", "Packets from elsewhere than a call's other side.", foreign),
    ];
    for (name, help, value) in totals {
        out.single(&format!("dialproof_{name}_total"), "counter", help, value);
    }
    let help = "TCP and TLS connections that there are.";
    out.single("dialproof_sip_connections", "gauge", help, connections as u64);
}

/// The text, and the metric being written.
#[derive(Default)]
struct Page {
    text: String,
    name: String,
}

impl Page {
    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        self.name = name.to_owned();
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// A value of this metric; the labels are in braces, or empty.
    fn value(&mut self, labels: &str, value: u64) {
        let name = std::mem::take(&mut self.name);
        self.line(format_args!("{name}{labels} {value}"));
        self.name = name;
    }

    /// A metric of one value, without labels.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.begin(name, kind, help);
        self.value("", value);
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a string takes all that is written");
    }
}
