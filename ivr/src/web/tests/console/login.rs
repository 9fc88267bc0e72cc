//! Who gets into the console, and how.

use axum::http::Method;
use axum::http::header::SET_COOKIE;

use super::*;

#[tokio::test]
async fn without_a_login_every_page_leads_to_the_login_and_from_there_back() {
    let service = Service::new().await;
    service.operator("ada").await;
    let id = "0".repeat(32);
    for path in [
        "/console/calls?trunk=a%26b",
        "/console/calls.csv",
        &format!("/console/calls/{id}"),
        "/console/certificates",
        &format!("/console/certificates/{id}"),
    ] {
        let mut browser = Browser::new(&service.router);
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        let login = answer.location();
        let token = browser.get(&login).await.says("Password").token();
        let (_, next) = login.split_once("next=").unwrap();
        let next: Vec<(String, String)> = serde_urlencoded::from_str(&format!("next={next}")).unwrap();
        let fields = [("csrf", token.as_str()), ("next", &next[0].1), LOGIN[0], LOGIN[1]];
        assert_eq!(browser.post("/console/login", &fields).await.location(), path);
    }
    let mut stranger = Browser::new(&service.router);
    let token = stranger.get("/console/login").await.token();
    for path in ["/console/calls/0/reveal", "/console/certificates/0/revoke", "/console/certificates/0/reveal"] {
        let answer = stranger.post(path, &[("csrf", &token), ("why", "x"), ("reason", "superseded")]).await;
        assert_eq!((answer.status, answer.location().as_str()), (StatusCode::SEE_OTHER, "/console/login?"), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_password_gives_the_form_again_and_says_not_what_was_wrong() {
    let service = Service::new().await;
    service.operator("ada").await;
    let mut bodies = Vec::new();
    for (name, password) in [("ada", "battery staple"), ("eve", PASSWORD)] {
        let mut browser = Browser::new(&service.router);
        let page = browser.submit("/console/login", "/console/login", &[("name", name), ("password", password)]).await;
        assert_eq!((page.status, page.header(SET_COOKIE)), (StatusCode::UNPROCESSABLE_ENTITY, ""));
        page.says("Name or password is wrong.").does_not_say(password);
        bodies.push(page.body.replace(&page.token(), "").replace(&format!("value=\"{name}\""), ""));
    }
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn who_tries_passwords_waits() {
    let service = Service::new().await;
    service.operator("ada").await;
    let mut browser = Browser::from("192.0.2.9", &service.router);
    for _ in 0..5 {
        let page = browser.submit("/console/login", "/console/login", &[LOGIN[0], ("password", "wrong")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let refused = browser.submit("/console/login", "/console/login", &LOGIN).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "the right password is not tried either");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn a_login_is_one_browsers_and_ends() {
    let service = Service::new().await;
    let (mut ada, mut eve) = (service.operator("ada").await, service.operator("eve").await);
    assert_eq!(ada.get("/console/calls").await.status, StatusCode::OK);
    let out = ada.submit("/console/calls", "/console/logout", &[]).await;
    assert_eq!(out.location(), "/console/login");
    assert!(out.header(SET_COOKIE).starts_with("operator=; Path=/; Max-Age=0;"), "{out:?}");
    assert_eq!(ada.get("/console/calls").await.status, StatusCode::SEE_OTHER);
    eve.get("/console/calls").await.says("eve").says("No calls yet");
    let invented = [("cookie".parse().unwrap(), "operator=AAAA")];
    let answer = Browser::new(&service.router).send(Method::GET, "/console/calls", &invented, "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_foreign_sites_and_clear_connections() {
    let service = Service::with(|settings| settings.public_url = "https://verify.example.org".to_owned()).await;
    service.app.operators.add("ada", &Private::new(PASSWORD.to_owned()), Clock.wall()).await.unwrap();
    let login = Browser::new(&service.router).submit("/console/login", "/console/login", &LOGIN).await;
    let cookies: Vec<&str> = login.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|line| line.starts_with("operator=")).unwrap();
    let value = cookie.split(';').next().unwrap();
    assert_eq!(*cookie, format!("{value}; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure"));
}

#[tokio::test]
async fn a_link_is_spent_by_its_button_and_lets_in_once() {
    let service = Service::new().await;
    let token = service.app.operators.one_time_link("demo", Clock.wall()).await.unwrap();
    let path = format!("/console/enter/{}", token.expose());
    // Whatever looks at a link first, such as a mail program, spends nothing.
    for _ in 0..3 {
        Browser::new(&service.router).get(&path).await.says("Enter the console");
    }
    let mut browser = Browser::new(&service.router);
    assert_eq!(browser.submit(&path, &path, &[]).await.location(), "/console/calls");
    browser.get("/console/calls").await.says("demo");
    let again = Browser::new(&service.router).submit(&path, &path, &[]).await;
    assert_eq!((again.status, again.header(SET_COOKIE)), (StatusCode::GONE, ""));
    again.says("This link was used");
}
