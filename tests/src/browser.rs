//! A real browser: headless Chromium, steered by Debian's chromedriver.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::process::{Process, free_port};
use crate::service::wait_until;

/// What the browser is like.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The width of the window in CSS pixels.
    pub width: u32,
    /// The visitor likes dark pages.
    pub is_dark: bool,
    /// Scripts run.
    pub runs_scripts: bool,
    /// What the visitor reads.
    pub language: &'static str,
}

impl Look {
    /// The same for who reads another language.
    #[must_use]
    pub const fn reading(self, language: &'static str) -> Self {
        Self { language, ..self }
    }
}

/// A window on a desktop.
pub const DESKTOP: Look = Look { width: 1000, is_dark: false, runs_scripts: true, language: "en" };
/// The narrowest window that pages are made for, by night.
pub const NARROW: Look = Look { width: 320, is_dark: true, runs_scripts: true, language: "en" };
/// A browser that runs no scripts.
pub const PLAIN: Look = Look { width: 1000, is_dark: false, runs_scripts: false, language: "en" };

/// One browser with a profile of its own. It ends with its test.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    session: String,
    driver: SocketAddr,
    downloads: tempfile::TempDir,
    _process: Process,
}

impl Browser {
    /// Opens a window.
    ///
    /// # Panics
    /// If chromium or chromedriver is not installed, or does not come up.
    pub async fn open(look: Look) -> Self {
        let downloads = tempfile::tempdir().expect("a temporary folder");
        let driver = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={}", driver.port())).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(&mut command).listening_at(driver);
        let Value::Object(capabilities) = capabilities(look, downloads.path().to_str().expect("a plain path")) else {
            unreachable!("written as an object")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://{driver}"))
            .await
            .expect("chromedriver opens a window");
        let session = client.session_id().await.expect("chromedriver answers").expect("a session has a name");
        let browser = Self { client, session, driver, downloads, _process: process };
        browser.widen(look.width).await;
        let scheme = if look.is_dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.devtools("Emulation.setEmulatedMedia", features).await;
        browser
    }

    /// Gives the window another width.
    ///
    /// # Panics
    /// If the browser is gone.
    pub async fn widen(&self, width: u32) {
        let metrics = json!({ "width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Gives the page so many times less of the processor, as a slow telephone would.
    ///
    /// # Panics
    /// If the browser is gone.
    pub async fn slow_down(&self, times: u32) {
        self.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": times })).await;
    }

    /// Runs a script in every page that is opened from now on, before its own.
    ///
    /// # Panics
    /// If the browser is gone.
    pub async fn run_in_every_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Opens a page.
    ///
    /// # Panics
    /// If it does not load.
    pub async fn go(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// The address of the page.
    ///
    /// # Panics
    /// If the browser is gone.
    pub async fn address(&self) -> String {
        self.client.current_url().await.expect("a page is open").to_string()
    }

    /// The element of this CSS selector, as soon as it is there.
    ///
    /// # Panics
    /// If it does not come.
    pub async fn find(&self, selector: &str) -> Element {
        let found = self.client.wait().for_element(Locator::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("{selector}: {error}"))
    }

    /// What an element says, as a reader sees it; nothing if it is not there or hidden.
    pub async fn text(&self, selector: &str) -> String {
        match self.client.find(Locator::Css(selector)).await {
            // It may go with its page between the two questions.
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until an element says this.
    ///
    /// # Panics
    /// If it does not.
    pub async fn wait_for_text(&self, selector: &str, words: &str) {
        self.wait_until(&format!("{selector} says {words:?}"), async || self.text(selector).await.contains(words))
            .await;
    }

    /// Waits until an element is seen.
    ///
    /// # Panics
    /// If it is not.
    pub async fn wait_for_sight(&self, selector: &str) {
        let is_seen = async || match self.client.find(Locator::Css(selector)).await {
            Ok(element) => element.is_displayed().await.unwrap_or(false),
            Err(_) => false,
        };
        self.wait_until(&format!("{selector} is seen"), is_seen).await;
    }

    #[expect(clippy::disallowed_methods, reason = "a test waits for a real browser")]
    async fn wait_until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let give_up = std::time::Instant::now() + PATIENCE;
        while !is_so().await {
            if std::time::Instant::now() > give_up {
                panic!("waited in vain until {what}; {} says:\n{}", self.address().await, self.text("body").await);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Types into a field.
    ///
    /// # Panics
    /// If it cannot be typed into.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let typed = self.find(selector).await.send_keys(text).await;
        typed.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Clicks.
    ///
    /// # Panics
    /// If it cannot be clicked.
    pub async fn click(&self, selector: &str) {
        let clicked = self.find(selector).await.click().await;
        clicked.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Runs a script in the page and gives what it returns (also where the page may run none itself).
    ///
    /// # Panics
    /// If it fails.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("the script runs")
    }

    /// The one file among the downloads with this ending, as soon as it is whole.
    ///
    /// # Panics
    /// If it does not come.
    pub fn downloaded(&self, ending: &str) -> PathBuf {
        let mut found = None;
        wait_until(&format!("a file {ending} is downloaded"), || {
            let entries = std::fs::read_dir(self.downloads.path()).expect("the folder is there");
            let mut files = entries.map(|entry| entry.expect("an entry").path());
            found = files.find(|file| file.extension().is_some_and(|found| found == ending));
            found.is_some()
        });
        found.expect("waited for it")
    }

    /// What the page complained about: scripts that failed, what the content policy forbids.
    ///
    /// # Panics
    /// If the browser is gone.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.ask("se/log", json!({ "type": "browser" })).await;
        let lines = log.as_array().cloned().unwrap_or_default();
        lines
            .into_iter()
            .filter(|line| matches!(line["source"].as_str(), Some("javascript" | "security" | "violation")))
            .map(|line| line["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// What stands in the way of readers: see `accessibility.js`.
    ///
    /// # Panics
    /// If the page cannot be examined.
    pub async fn obstacles(&self) -> Vec<String> {
        let found = self.run(include_str!("browser/accessibility.js")).await;
        serde_json::from_value(found).expect("a list of texts")
    }

    /// The whole page as a picture, for people to look at: `target/tmp/pages/NAME.png`.
    ///
    /// # Panics
    /// If it cannot be taken or written.
    pub async fn picture(&self, name: &str) {
        let size =
            self.run("const { scrollHeight } = document.documentElement; return [innerWidth, scrollHeight];").await;
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let taken =
            self.devtools("Page.captureScreenshot", json!({ "captureBeyondViewport": true, "clip": clip })).await;
        let png = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            taken["data"].as_str().expect("a picture in base64"),
        );
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test.ancestors().nth(3).expect("tests lie in target/PROFILE/deps").join("tmp/pages");
        std::fs::create_dir_all(&folder).expect("target can be written");
        std::fs::write(folder.join(format!("{name}.png")), png.expect("base64")).expect("target can be written");
    }

    /// A command of Chromium's own protocol.
    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.ask("goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// A command of chromedriver that WebDriver does not have.
    async fn ask(&self, command: &str, body: Value) -> Value {
        let url = format!("http://{}/session/{}/{command}", self.driver, self.session);
        let answer = reqwest::Client::new().post(&url).json(&body).send().await.expect("chromedriver answers");
        let answer: Value = answer.json().await.expect("chromedriver answers JSON");
        assert!(answer["value"]["error"].is_null(), "{command}: {answer}");
        answer["value"].clone()
    }
}

impl Drop for Browser {
    /// Chromedriver closes its window; killed before that, it would leave Chromium behind.
    fn drop(&mut self) {
        let Ok(mut stream) = std::net::TcpStream::connect(self.driver) else { return };
        let head = format!("DELETE /session/{} HTTP/1.1\r\nHost: {}\r\n", self.session, self.driver);
        // Chromium is gone when the answer begins; the connection may stay open after it.
        let asked = stream.set_read_timeout(Some(CLOSING)).and_then(|()| stream.write_all((head + "\r\n").as_bytes()));
        if asked.is_ok() {
            let _ = stream.read(&mut [0]);
        }
    }
}

/// Longer than a whole telephone call.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);
/// The height of the window in CSS pixels.
const HEIGHT: u32 = 800;
/// Longer than a window takes to close.
const CLOSING: std::time::Duration = std::time::Duration::from_secs(10);
/// Between two looks.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

fn capabilities(look: Look, downloads: &str) -> Value {
    // 2 is "block".
    let scripts = if look.runs_scripts { 1 } else { 2 };
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": {
            // Tests may run as root, where Chromium has no sandbox; the pages are our own.
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                format!("--window-size={},{HEIGHT}", look.width), format!("--accept-lang={}", look.language),
            ],
            "prefs": {
                "download.default_directory": downloads,
                "intl.accept_languages": look.language,
                "profile.managed_default_content_settings.javascript": scripts,
            },
        },
        "goog:loggingPrefs": { "browser": "ALL" },
    })
}
