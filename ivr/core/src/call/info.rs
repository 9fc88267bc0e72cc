//! INFO: keys of callers whose media bring none.

use super::*;
use crate::sip::info_key::{self, BARE, RELAY, Unreadable};

impl Call {
    /// An INFO in the dialog.
    pub(super) fn on_info(&mut self, info: &Incoming, desk: &mut Desk<'_>) {
        match read(&info.request) {
            Ok(key) => {
                self.respond(Reply::new(200), info, desk);
                if let Some(key) = key {
                    self.press(key, KeySource::Info, desk);
                }
            }
            Err(reply) => self.respond(reply, info, desk),
        }
    }
}

/// The key in an INFO, if there is one, or what is wrong.
fn read(request: &Request) -> Result<Option<char>, Reply> {
    let unreadable_type = || Reply::new(415).accept_only(&[RELAY, BARE]);
    if request.lines.value("Info-Package").is_some() {
        // RFC 6086 4.2.2: we take none, which the empty list says.
        return Err(Reply::new(469).header("Recv-Info", ""));
    }
    if request.body.is_empty() {
        return Ok(None); // RFC 2976 2.2: nothing to do, which is fine.
    }
    if request.is_encoded() {
        return Err(unreadable_type());
    }
    info_key::read(request.lines.value("Content-Type").unwrap_or_default(), &request.body).map_err(
        |cause| match cause {
            Unreadable::MediaType => unreadable_type(),
            Unreadable::Malformed => Reply::new(400),
        },
    )
}
