//! The operators' console: who is logged in sees calls and certificates, masked, and probes trunks; looking behind a mask,
//! revoking and probing are posts that stand in the audit. Everything works without scripts.

pub mod call;
pub mod calls;
pub mod certificate;
pub mod certificates;
mod csv;
pub mod filter;
mod ladder;
pub mod login;
pub mod masked;
pub mod session;
pub mod trunks;
mod words;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};

use super::App;

/// Rows of a page.
const ROWS: u32 = 50;

/// What a level may be, in the lists' filters.
const LEVELS: [&str; 5] = ["L0", "L1", "L2", "L3", "L4"];

/// The console's pages, under `/console`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/console", get(async || Redirect::to(calls::PATH)))
        .route("/console/login", get(login::page).post(login::post))
        .route("/console/logout", post(login::logout))
        .route("/console/enter/{token}", get(login::link).post(login::enter))
        .route(calls::PATH, get(calls::page))
        .route("/console/calls.csv", get(csv::download))
        .route("/console/calls/{id}", get(call::page))
        .route("/console/calls/{id}/reveal", post(call::reveal))
        .route(certificates::PATH, get(certificates::page))
        .route("/console/certificates/{serial}", get(certificate::page))
        .route("/console/certificates/{serial}/reveal", post(certificate::reveal))
        .route("/console/certificates/{serial}/revoke", post(certificate::revoke))
        .route(trunks::PATH, get(trunks::list))
        .route("/console/trunks/{name}", get(trunks::page))
        .route("/console/trunks/{name}/probe", post(trunks::probe))
        .route("/console/trunks/{name}/forget", post(trunks::forget))
}

/// What the header of every page of the console says.
struct Who {
    /// Who is logged in.
    name: String,
    /// `calls`, `certificates` or `trunks`.
    here: &'static str,
}

/// A page of a list of which one row more was asked for, and whether there are more behind it.
pub(super) fn cut<T>(mut rows: Vec<T>, most: u32) -> (Vec<T>, bool) {
    let has_more = rows.len() > most as usize;
    rows.truncate(most as usize);
    (rows, has_more)
}

/// Whether an address has fields without a value. A form sends its empty ones, too; without them an address can be read
/// and passed on.
fn has_empty_field(query: Option<&str>) -> bool {
    query.unwrap_or_default().split('&').any(|field| field.ends_with('='))
}
