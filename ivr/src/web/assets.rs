//! What pages load besides their text: embedded, compressed once, and served under a name that holds a hash of its
//! content, so that a browser may keep it for ever.

use std::io::Write;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::App;
use super::error::WebError;
use crate::hex;

/// Every asset: its name, its type, its content.
const ASSETS: &[(&str, &str, &[u8])] = &[
    ("style.css", "text/css; charset=utf-8", include_bytes!("../../assets/style.css")),
    ("console.css", "text/css; charset=utf-8", include_bytes!("../../assets/console.css")),
    ("script.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/script.js")),
    ("key.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/key.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")),
];

/// What is served of each of [`ASSETS`], in their order.
static SERVED: LazyLock<Vec<Served>> = LazyLock::new(|| ASSETS.iter().map(Served::of).collect());

struct Served {
    url: String,
    kind: &'static str,
    content: &'static [u8],
    compressed: Vec<u8>,
}

impl Served {
    fn of((name, kind, content): &(&str, &'static str, &'static [u8])) -> Self {
        let hash = hex::of(&Sha256::digest(content)[..6]);
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(content).expect("a vector takes all that is written");
        let compressed = gzip.finish().expect("a vector takes all that is written");
        Self { url: format!("/assets/{stem}.{hash}.{extension}"), kind, content, compressed }
    }
}

/// The address of an asset; of one that does not exist, a place where nothing is (a test asserts that no page has one).
pub fn url(name: &str) -> &'static str {
    let at = ASSETS.iter().position(|(found, ..)| *found == name);
    at.map_or("/assets/missing", |at| SERVED[at].url.as_str())
}

/// `/assets/{name}.{hash}.{extension}`
pub fn routes() -> Router<App> {
    Router::new().route("/assets/{file}", get(asset))
}

async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let is_asked = |served: &&Served| served.url.strip_prefix("/assets/") == Some(&file);
    let served = SERVED.iter().find(is_asked).ok_or(WebError::NotFound)?;
    let encodings = headers.get(ACCEPT_ENCODING).and_then(|header| header.to_str().ok()).unwrap_or_default();
    let headers = [
        (CONTENT_TYPE, served.kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (VARY, "accept-encoding"),
    ];
    if !encodings.split(',').any(|encoding| encoding.trim() == "gzip") {
        return Ok((headers, served.content).into_response());
    }
    let mut response = (headers, served.compressed.as_slice()).into_response();
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_and_the_style_are_small() {
        let size = |name: &str| SERVED[ASSETS.iter().position(|(found, ..)| *found == name).unwrap()].compressed.len();
        assert!(size("script.js") <= 5 * 1024, "{}", size("script.js"));
        assert!(size("style.css") <= 4 * 1024, "{}", size("style.css"));
    }

    #[test]
    fn an_address_changes_with_its_content() {
        let one = Served::of(&("a.js", "text/javascript", b"1")).url;
        assert_ne!(one, Served::of(&("a.js", "text/javascript", b"2")).url);
        assert!(one.starts_with("/assets/a.") && one.ends_with(".js"), "{one}");
    }
}
