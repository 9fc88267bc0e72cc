//! What does not change from visitor to visitor: how the service works and how to look somebody up, where a certificate's key
//! speaks, and what the type of a problem document means.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;

use super::App;
use super::error::{Kind, WebError};
use super::page::{self, Frame, Translated};

/// `/about`, `/key` and `/problems/{kind}`
pub fn routes() -> Router<App> {
    Router::new().route("/about", get(about)).route("/key", get(key)).route("/problems/{kind}", get(problem))
}

#[derive(Template)]
#[template(path = "key.html")]
struct KeyPage {
    frame: Frame,
}

async fn key(Translated(frame): Translated) -> Result<Response, WebError> {
    page::html(&KeyPage { frame })
}

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    frame: Frame,
    public_url: String,
    fingerprint: String,
    directory: String,
}

async fn about(State(app): State<App>, Translated(frame): Translated) -> Result<Response, WebError> {
    let directory = if frame.is_demo { frame.words.demo_directory.to_string() } else { app.settings.directory.clone() };
    page::html(&AboutPage {
        frame,
        public_url: app.settings.public_url.clone(),
        fingerprint: fingerprint(&app.authority.root_sha256),
        directory,
    })
}

/// SHA-256 as `dialproof lookup --root` reads it: pairs of digits with colons.
pub(super) fn fingerprint(sha256: &[u8; 32]) -> String {
    let pairs: Vec<String> = sha256.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    kind: &'static Kind,
}

async fn problem(Path(name): Path<String>, frame: Frame) -> Result<Response, WebError> {
    page::html(&ProblemPage { frame, kind: Kind::of(&name).ok_or(WebError::NotFound)? })
}
