//! The operators' console.

use axum::Router;

use super::App;

/// The console's pages, under `/console`.
pub fn routes() -> Router<App> {
    Router::new()
}
