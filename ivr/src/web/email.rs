//! The pages of an enrolment by email.

use axum::Router;

use super::App;

/// The pages, under `/email`, and the API's enrolments.
pub fn routes() -> Router<App> {
    Router::new()
}
