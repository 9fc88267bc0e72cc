//! A browser without scripts, as small as a test needs it: it keeps cookies, and sends forms with the token of their page.

use std::collections::BTreeMap;

use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};

/// It follows no redirection by itself.
#[derive(Debug)]
pub struct Forms {
    http: Client,
    base: String,
    cookies: BTreeMap<String, String>,
    token: String,
}

impl Forms {
    /// At this service.
    ///
    /// # Panics
    /// If there is no client to be had.
    pub fn at(base: &str) -> Self {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        Self { http, base: base.to_owned(), cookies: BTreeMap::new(), token: String::new() }
    }

    /// Opens a page: its status and text. The token of its form is kept.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn open(&mut self, path: &str) -> (u16, String) {
        let answer = self.send(self.http.get(self.url(path))).await;
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a text");
        if let Some((_, rest)) = text.split_once("name=\"csrf\" value=\"") {
            self.token = rest.split('"').next().expect("a token").to_owned();
        }
        (status, text)
    }

    /// Sends a form of the page that was opened last: the status, and where it leads to.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> (u16, Option<String>) {
        let token = self.token.clone();
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", token.as_str())]).collect();
        let body = serde_urlencoded::to_string(fields).expect("texts");
        let request = self.http.post(self.url(path)).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self.send(request.body(body)).await;
        let location = answer.headers().get("location").and_then(|at| at.to_str().ok()).map(str::to_owned);
        (answer.status().as_u16(), location)
    }

    /// Posts JSON with the cookies of the pages, as a script of theirs would.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn post_json(&mut self, path: &str, body: &serde_json::Value) -> u16 {
        self.send(self.http.post(self.url(path)).json(body)).await.status().as_u16()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn send(&mut self, request: RequestBuilder) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header(COOKIE, cookies.join("; ")).send().await.expect("an answer");
        for set in answer.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().ok().and_then(|set| set.split(';').next()?.split_once('='));
            let (name, value) = pair.expect("a name and a value");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}
