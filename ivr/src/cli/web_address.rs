//! The web address of a service, as the command line takes it.

use reqwest::Url;

/// One that paths can be added to.
pub(super) fn web_address(text: &str) -> Result<String, &'static str> {
    let is_web = Url::parse(text).is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    if is_web { Ok(text.to_owned()) } else { Err("write an http or https URL, such as https://verify.example.org") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_by_a_url() {
        for (text, is_url) in [
            ("https://verify.example.org", true),
            ("http://127.0.0.1:8080/", true),
            ("127.0.0.1:8080", false),
            ("localhost:8080", false),
            ("verify.example.org", false),
            ("", false),
        ] {
            assert_eq!(web_address(text).is_ok(), is_url, "{text}");
        }
    }
}
