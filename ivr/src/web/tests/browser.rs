//! A browser without scripts: keeps cookies, fills in forms, sends what it was given.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_TYPE, COOKIE, HeaderName, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

/// One visitor.
pub(super) struct Browser {
    router: Router,
    source: IpAddr,
    /// (name, path, value)
    cookies: Vec<(String, String, String)>,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Browser {
    /// A visitor from this machine.
    pub(super) fn new(router: &Router) -> Self {
        Self { router: router.clone(), source: IpAddr::from([127, 0, 0, 1]), cookies: Vec::new() }
    }

    /// A visitor from elsewhere.
    pub(super) fn from(source: &str, router: &Router) -> Self {
        Self { source: source.parse().unwrap(), ..Self::new(router) }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// Opens the page of a form, and posts its token with these fields.
    pub(super) async fn submit(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(page).await.token();
        let mut all = vec![("csrf", token.as_str())];
        all.extend(fields);
        self.post(path, &all).await
    }

    /// Posts fields as they are.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.send(Method::POST, path, &[(CONTENT_TYPE, "application/x-www-form-urlencoded")], body).await
    }

    /// Anything.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let response = self.exchange(method, path, headers, body).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// As [`send`](Self::send), with the body still to come.
    pub(super) async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: impl Into<Body>,
    ) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let sent: Vec<String> = self
            .cookies
            .iter()
            .filter(|(_, at, _)| path.starts_with(at.as_str()))
            .map(|(name, _, value)| format!("{name}={value}"))
            .collect();
        if !sent.is_empty() {
            request = request.header(COOKIE, sent.join("; "));
        }
        let mut request = request.body(body.into()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(self.source, 40_000)));
        let response = self.router.clone().oneshot(request).await.unwrap();
        for line in response.headers().get_all(SET_COOKIE) {
            self.keep(line.to_str().unwrap());
        }
        response
    }

    /// A cookie, as a `Set-Cookie` line says it.
    pub(super) fn keep(&mut self, line: &str) {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let path = parts.find_map(|part| part.strip_prefix("Path=")).unwrap();
        self.cookies.retain(|(known, at, _)| (known.as_str(), at.as_str()) != (name, path));
        self.cookies.push((name.to_owned(), path.to_owned(), value.to_owned()));
    }
}

impl Answer {
    /// The token of the page's form.
    pub(super) fn token(&self) -> String {
        let (_, from) = self.body.split_once("name=\"csrf\" value=\"").expect("the page has a form");
        from.split_once('"').unwrap().0.to_owned()
    }

    /// A header.
    pub(super) fn header(&self, name: impl axum::http::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where to.
    pub(super) fn location(&self) -> String {
        self.header(LOCATION).to_owned()
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The status, and the name of the problem's type.
    pub(super) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header(CONTENT_TYPE), "application/problem+json", "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16(), "{json}");
        let kind = json["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned();
        (self.status.as_u16(), kind)
    }

    /// Asserts that the page says this.
    #[track_caller]
    pub(super) fn says(&self, words: &str) -> &Self {
        assert!(self.body.contains(words), "{words:?} is not on the page:\n{}", self.body);
        self
    }

    /// Asserts that it does not.
    #[track_caller]
    pub(super) fn does_not_say(&self, words: &str) -> &Self {
        assert!(!self.body.contains(words), "{words:?} is on the page:\n{}", self.body);
        self
    }
}
