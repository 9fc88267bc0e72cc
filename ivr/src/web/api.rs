//! (being written)

use axum::Router;

use super::App;

/// The resources.
pub fn routes() -> Router<App> {
    Router::new()
}
