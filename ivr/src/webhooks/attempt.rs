//! One attempt: an event is posted, and what the receiver answers is judged.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};

use super::signature;
use crate::event::EventId;
use crate::outbound::{NameFault, Outbound, fault_of_name};
use crate::store::endpoints::Target;

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The receiver has it.
    Delivered,
    /// It wants no more of them.
    Gone,
    /// Nothing was posted, through a fault of ours: it is tried again, and the endpoint is not to blame.
    Unsent(String),
    /// It is tried again.
    Failed {
        /// Why, without an octet of the receiver's.
        why: String,
        /// How long it wants to be left alone.
        rest: Option<Duration>,
    },
}

/// Posts it. What the receiver answers beyond its status is not read.
pub(super) async fn post(
    client: &Outbound,
    target: &Target,
    (id, timestamp): (EventId, i64),
    body: Vec<u8>,
) -> Verdict {
    let url = match client.address(target.url.expose()) {
        Ok(url) => url,
        Err(denied) => return failed(denied.to_string()),
    };
    let id = id.to_string();
    let request = client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("Dialproof/", env!("CARGO_PKG_VERSION")))
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature::header(&target.secrets, &id, timestamp, &body))
        .header("webhook-id", id)
        .body(body);
    let error = match request.send().await {
        Ok(response) => return judge(response.status(), response.headers()),
        Err(error) => error,
    };
    match fault_of_name(&error) {
        // Of this machine, and of no receiver.
        Some(fault @ NameFault::NoServers) => return Verdict::Unsent(fault.to_string()),
        Some(fault) => return failed(fault.to_string()),
        None => {}
    }
    match error {
        error if error.is_timeout() => failed("no answer in time".to_owned()),
        // Its text may hold the URL.
        error if error.is_connect() => failed("no connection, or no TLS that holds".to_owned()),
        _ => failed("the connection broke".to_owned()),
    }
}

/// Standard Webhooks 1.0.0, "Delivery success and failure".
fn judge(status: StatusCode, headers: &HeaderMap) -> Verdict {
    match status {
        StatusCode::GONE => Verdict::Gone,
        status if status.is_success() => Verdict::Delivered,
        status if status.is_redirection() => {
            failed(format!("it answers {}: redirects are not followed, name the new URL", status.as_u16()))
        }
        status => {
            let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
            let rest = seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_REST));
            Verdict::Failed { why: format!("it answers {}", status.as_u16()), rest }
        }
    }
}

fn failed(why: String) -> Verdict {
    Verdict::Failed { why, rest: None }
}

/// An endpoint that wants to be left alone for longer is asked once a day whether it still does.
const LONGEST_REST: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_status_decides() {
        let of = |status: u16, retry_after: Option<&'static str>| {
            let headers = retry_after.map(|text| (RETRY_AFTER, HeaderValue::from_static(text))).into_iter().collect();
            judge(StatusCode::from_u16(status).unwrap(), &headers)
        };
        for status in [200, 202, 204, 299] {
            assert_eq!(of(status, Some("10")), Verdict::Delivered, "{status}");
        }
        assert_eq!(of(410, None), Verdict::Gone);
        for status in [301, 400, 404, 429, 500, 502, 504] {
            assert!(matches!(of(status, None), Verdict::Failed { rest: None, .. }), "{status}");
        }
        let rest = |text| match of(503, Some(text)) {
            Verdict::Failed { rest, .. } => rest.map(|rest| rest.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(rest("120"), Some(120));
        assert_eq!(rest("99999999"), Some(24 * 3_600));
        assert_eq!((rest("Fri, 27 Nov 2026 00:00:00 GMT"), rest("-1"), rest("")), (None, None, None));
    }
}
