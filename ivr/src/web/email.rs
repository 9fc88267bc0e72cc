//! The pages of a certificate for a mailbox: the form, the field for the code, what the links in the mails open, and in
//! a demonstration the mails themselves. Links change nothing by being opened: buttons do.

mod catcher;
mod confirm;
mod order;
mod revoke;
mod session;
mod start;

use axum::Router;

use super::App;
use super::error::WebError;
use crate::enrol_email::{BeginError, EnrolEmail};

/// The pages, under `/email`, and the catcher's under `/demo/mail`.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(start::routes())
        .merge(order::routes())
        .merge(confirm::routes())
        .merge(revoke::routes())
        .merge(catcher::routes())
}

/// The use case, where it is offered.
pub(super) fn offered(app: &App) -> Result<&EnrolEmail, WebError> {
    app.enrol.as_ref().ok_or(WebError::NotFound)
}

/// The words of a code that is none, for programs.
pub(super) const NO_CODE: &str = "a code has eight letters and digits, as in the mail";

/// The words for a wrong code, for programs.
pub(super) fn wrong_code(left: u8) -> String {
    let times = if left == 1 { "once".to_owned() } else { format!("{left} times") };
    format!("this is not the code of the mail; you can try {times} more")
}

impl From<BeginError> for WebError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Request(_) | BeginError::Refused(_) => {
                Self::Refused { kind: "certificate-request", detail: error.to_string() }
            }
            BeginError::TooMany { retry_after } => Self::TooMany { retry_after },
            BeginError::Store(error) => error.into(),
        }
    }
}
