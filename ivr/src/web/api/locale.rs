//! The language in which a program wants its person spoken to.

use crate::web::App;
use crate::web::error::WebError;

/// A language tag becomes a language that we have, the first of ours if it is none of them: programs hand on what their users'
/// browsers wish for. What is no tag is refused (RFC 5646 2.1, roughly).
pub(super) fn locale(app: &App, tag: Option<&str>) -> Result<String, WebError> {
    let Some(tag) = tag else { return Ok(app.settings.first_language()) };
    let is_tag = tag.len() <= 35
        && tag
            .split(['-', '_'])
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if !is_tag {
        return Err(WebError::field("locale: write a language tag, such as en"));
    }
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let ours = app.settings.languages.iter().find(|language| **language == primary);
    Ok(ours.cloned().unwrap_or_else(|| app.settings.first_language()))
}
