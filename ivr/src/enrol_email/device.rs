//! Who asked, in our own words. The User-Agent is a stranger's text: only which of these names it contains is kept.

/// Browsers, the more particular first: most claim to be some of the others too.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

/// Systems, the more particular first.
const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// `Firefox on Linux`, `a browser on Windows`, `a program`.
pub fn device(user_agent: Option<&str>) -> String {
    let known = |names: &[(&str, &'static str)]| {
        let agent = user_agent.unwrap_or_default();
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (known(BROWSERS), known(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (None, Some(system)) => format!("a browser on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, None) => "a program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_in_our_words() {
        let table = [
            (Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), "Firefox on Linux"),
            (
                Some("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"),
                "Edge on Windows",
            ),
            (
                Some("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"),
                "Chrome on Android",
            ),
            (Some("Mozilla/5.0 (iPhone; CPU iPhone OS 18) Version/18.0 Safari/604.1"), "Safari on an iPhone"),
            (Some("curl/8.5.0"), "curl"),
            (Some("Your bank\r\nBcc: x (Windows)"), "a browser on Windows"),
            (Some(""), "a program"),
            (None, "a program"),
        ];
        for (agent, told) in table {
            assert_eq!(device(agent), told, "{agent:?}");
        }
    }
}
