//! What pages load besides their text: embedded, and served under a name that holds a hash of its content, so that a
//! browser may keep it for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::App;
use super::error::WebError;

/// Every asset: its name, its type, its content.
const ASSETS: &[(&str, &str, &[u8])] = &[
    ("style.css", "text/css; charset=utf-8", include_bytes!("../../assets/style.css")),
    ("script.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/script.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")),
];

/// Their addresses, in the order of [`ASSETS`].
static URLS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let url = |(name, _, content): &(&str, &str, &[u8])| {
        let hash: String = Sha256::digest(content)[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        format!("/assets/{stem}.{hash}.{extension}")
    };
    ASSETS.iter().map(url).collect()
});

/// The address of an asset; of one that does not exist, a place where nothing is (a test asserts that no page has one).
pub fn url(name: &str) -> &'static str {
    let at = ASSETS.iter().position(|(found, ..)| *found == name);
    at.map_or("/assets/missing", |at| URLS[at].as_str())
}

/// `/assets/{name}.{hash}.{extension}`
pub fn routes() -> Router<App> {
    Router::new().route("/assets/{file}", get(asset))
}

async fn asset(Path(file): Path<String>) -> Result<impl IntoResponse, WebError> {
    let at = URLS.iter().position(|url| url.strip_prefix("/assets/") == Some(&file)).ok_or(WebError::NotFound)?;
    let (_, kind, content) = ASSETS[at];
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")], content))
}
