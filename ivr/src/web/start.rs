//! (being written)

use axum::Router;

use super::App;

/// Its pages.
pub fn routes() -> Router<App> {
    Router::new()
}
