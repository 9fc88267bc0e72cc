//! The REST API as an applicant's device uses it.

use std::net::IpAddr;
use std::time::Duration;

use ivr_core::private::Private;
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::puzzle::{self, Puzzle};

/// A device that talks to one service.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    /// Where its verifications are, or its rehearsals.
    under: &'static str,
    /// The endpoint that its verifications name.
    webhook: Option<String>,
}

/// What a verification begins with.
#[derive(Serialize)]
pub struct Start<'a> {
    /// The number, in E.164.
    pub number: &'a str,
    /// The PKCS#10 request in PEM; without one there is a result and no certificate.
    pub csr: Option<&'a str>,
    /// Whether a record goes into the DHT.
    pub publish: bool,
    /// The language of the voice.
    pub locale: &'a str,
}

/// What an app begins, which made the key of the request.
#[derive(Serialize)]
struct ByApp<'a> {
    #[serde(flatten)]
    start: &'a Start<'a>,
    started_by: &'static str,
}

/// The same, with where its events go.
#[derive(Serialize)]
struct Telling<'a, T> {
    #[serde(flatten)]
    start: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<&'a str>,
}

/// The same, with the work that it costs.
#[derive(Serialize)]
struct Worked<'a, T> {
    #[serde(flatten)]
    start: &'a T,
    puzzle: Solution<'a>,
}

#[derive(Serialize)]
struct Solution<'a> {
    challenge: &'a str,
    solution: &'a str,
}

/// A verification that was started.
#[derive(Debug, Clone, Deserialize)]
pub struct Started {
    /// Names it.
    pub id: String,
    /// Opens it: sent as a bearer token.
    #[serde(deserialize_with = "private")]
    pub secret: Private<String>,
    /// The code to key in.
    #[serde(deserialize_with = "private")]
    pub code: Private<String>,
    /// Where to call.
    pub dial: Dial,
}

/// Where to call.
#[derive(Debug, Clone, Deserialize)]
pub struct Dial {
    /// The number to dial.
    pub number: String,
}

/// How a verification stands.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub struct Verification {
    /// `issued` once the certificate exists, `voided` when it never will.
    pub state: String,
    /// The certificate.
    #[serde(default)]
    pub certificate_pem: Option<String>,
    /// The certificates above it.
    #[serde(default)]
    pub chain_pem: Option<String>,
    /// Its serial number.
    #[serde(default)]
    pub serial: Option<String>,
    /// How well the number is proved: `L1` to `L4`.
    #[serde(default)]
    pub level: Option<String>,
    /// The end of its life.
    #[serde(default)]
    pub not_after: Option<String>,
    /// Its record in the DHT.
    #[serde(default)]
    pub dht: Option<Dht>,
}

/// A record in the DHT.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub struct Dht {
    /// Where it was put.
    #[serde(default)]
    pub backend: Option<String>,
    /// Under which key.
    #[serde(default)]
    pub slot: Option<String>,
    /// Its sequence number.
    #[serde(default)]
    pub seq: Option<i64>,
    /// Its size.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Whether it is there already.
    #[serde(default)]
    pub published: bool,
}

impl Verification {
    /// The certificate (or, without a CSR, the result) exists.
    pub fn is_issued(&self) -> bool {
        self.state == "issued"
    }

    /// Nothing more comes of it, or not today.
    pub fn is_final(&self) -> bool {
        matches!(self.state.as_str(), "voided" | "expired" | "failed" | "held")
    }

    /// Issued, and in the DHT if it was to go there.
    pub fn is_complete(&self, publish: bool) -> bool {
        self.is_issued() && (!publish || self.dht.as_ref().is_some_and(|dht| dht.published))
    }
}

/// Why the API gave no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No connection, or it broke.
    #[error("{url} cannot be reached: {cause}; is the service running there?")]
    Unreachable {
        /// The resource.
        url: String,
        /// Why.
        cause: reqwest::Error,
    },
    /// A problem document (RFC 9457) or a bare status.
    #[error("{url} answered {status}: {problem}")]
    Refused {
        /// The resource.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the document says.
        problem: String,
        /// `Retry-After` in seconds.
        retry_after: Option<Duration>,
    },
    /// The start is to be worked for: [`Api::start`] does that.
    #[error("the service asks for the solution of a puzzle first")]
    Puzzle(Puzzle),
    /// The answer has another shape.
    #[error("the answer of {url} is not understood: {cause}")]
    Unreadable {
        /// The resource.
        url: String,
        /// Why.
        cause: serde_json::Error,
    },
}

impl Api {
    /// The service at this address, such as `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { http: reqwest::Client::new(), base, under: "/v1/verifications", webhook: None }
    }

    /// The same of its sandbox.
    #[must_use]
    pub fn rehearsing(self) -> Self {
        Self { under: "/v1/sandbox/verifications", ..self }
    }

    /// The same, whose verifications name this endpoint (`ep_…`) of the service's operator.
    #[must_use]
    pub fn telling(self, webhook: &str) -> Self {
        Self { webhook: Some(webhook.to_owned()), ..self }
    }

    /// The same, asked from this address of ours.
    pub fn from(base: &str, local: IpAddr) -> Self {
        let http = reqwest::Client::builder().local_address(local).build();
        Self { http: http.expect("a client with only an address has all that it needs"), ..Self::new(base) }
    }

    /// `POST /v1/verifications`, as a page does; if that is to be worked for, once more with the work done.
    pub async fn start(&self, start: &Start<'_>) -> Result<Started, ApiError> {
        self.begin(start).await
    }

    /// The same as an app: the voice will say the check of its key.
    pub async fn start_by_app(&self, start: &Start<'_>) -> Result<Started, ApiError> {
        self.begin(&ByApp { start, started_by: "app" }).await
    }

    async fn begin(&self, start: &impl Serialize) -> Result<Started, ApiError> {
        let url = format!("{}{}", self.base, self.under);
        let body = Telling { start, webhook: self.webhook.as_deref() };
        let begun = self.ask(self.http.request(Method::POST, &url).json(&body), url.clone()).await;
        let Err(ApiError::Puzzle(Puzzle { challenge, bits, .. })) = begun else { return begun };
        let work = move || (puzzle::solve(&challenge, bits), challenge);
        let Ok((solution, challenge)) = tokio::task::spawn_blocking(work).await else {
            // The process is going down.
            return std::future::pending().await;
        };
        let worked = Worked { start: &body, puzzle: Solution { challenge: &challenge, solution: &solution } };
        self.ask(self.http.request(Method::POST, &url).json(&worked), url).await
    }

    /// `GET /v1/verifications/{id}`
    pub async fn look(&self, started: &Started) -> Result<Verification, ApiError> {
        let url = format!("{}{}/{}", self.base, self.under, started.id);
        let request = self.http.request(Method::GET, &url).bearer_auth(started.secret.expose());
        self.ask(request, url).await
    }

    /// `POST /v1/verifications/{id}/read-back`
    pub async fn type_in(&self, started: &Started, digits: &str) -> Result<(), ApiError> {
        let url = format!("{}{}/{}/read-back", self.base, self.under, started.id);
        let body = serde_json::json!({ "digits": digits });
        let request = self.http.request(Method::POST, &url).bearer_auth(started.secret.expose()).json(&body);
        self.ask::<serde_json::Value>(request, url).await.map(drop)
    }

    async fn ask<A: DeserializeOwned>(&self, request: RequestBuilder, url: String) -> Result<A, ApiError> {
        let broken = |cause| ApiError::Unreachable { url: url.clone(), cause };
        let response = request.send().await.map_err(broken)?;
        let status = response.status();
        let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.bytes().await.map_err(broken)?;
        if !status.is_success() {
            if let Some(puzzle) = asked_to_work(&body) {
                return Err(ApiError::Puzzle(puzzle));
            }
            let retry_after = seconds.map(Duration::from_secs);
            return Err(ApiError::Refused { url, status: status.as_u16(), problem: problem(&body), retry_after });
        }
        // 204 is an answer too.
        let json: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(json).map_err(|cause| ApiError::Unreadable { url, cause })
    }
}

fn private<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Private<String>, D::Error> {
    String::deserialize(deserializer).map(Private::new)
}

fn asked_to_work(body: &[u8]) -> Option<Puzzle> {
    #[derive(Deserialize)]
    struct Problem {
        puzzle: Puzzle,
    }
    serde_json::from_slice(body).ok().map(|Problem { puzzle }| puzzle)
}

fn problem(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Problem {
        title: Option<String>,
        detail: Option<String>,
    }
    match serde_json::from_slice(body) {
        Ok(Problem { title: Some(title), detail: Some(detail) }) => format!("{title}: {detail}"),
        Ok(Problem { title: Some(only), .. } | Problem { detail: Some(only), .. }) => only,
        _ => "it does not say why".to_owned(),
    }
}
