//! The list of calls and its filter, also as a file.

use axum::http::header::CONTENT_TYPE;
use ivr_core::caller::Reason;

use super::*;
use crate::web::tests::browser::Answer;

#[tokio::test]
async fn the_pages_of_calls_follow_each_other_completely_while_calls_come_in() {
    let service = Service::new().await;
    service.calls(0..120).await;
    let mut ada = service.operator("ada").await;
    let (mut path, mut seen) = ("/console/calls?trunk=carrier".to_owned(), Vec::new());
    for newer in 200..210 {
        let page = ada.get(&path).await;
        seen.extend(
            page.body.split("<td role=\"cell\"><a href=\"/console/calls/").skip(1).map(|row| row[..32].to_owned()),
        );
        service.calls(newer..newer + 1).await;
        let Some((before, _)) = page.body.split_once("\">Older</a>") else { break };
        path = before.rsplit_once("href=\"").unwrap().1.replace("&#38;", "&");
        assert!(path.contains("trunk=carrier&after="), "{path}");
    }
    let unique: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), unique.len()), (120, 120));
    ada.get(&path).await.says(">Newest</a>");
}

#[tokio::test]
async fn the_address_is_the_filter_and_holds_no_empty_field() {
    let service = Service::new().await;
    service.calls(0..3).await;
    service.record(vec![began("refused"), Entry::Refused { reason: Reason::NoSession, claimed: None }]).await;
    let mut ada = service.operator("ada").await;
    let sent = ada.get("/console/calls?number=&text=call-1.&outcome=&from=&level=").await;
    assert_eq!(sent.location(), "/console/calls?text=call-1.");
    let rows = |page: &Answer| page.body.matches("<tr role=\"row\"><td").count();
    for (query, count) in [
        ("text=call-1.", 1),
        ("number=%2B12025550143", 4),
        ("number=(202)+555-0143", 4),
        ("number=0143", 4),
        ("number=0144", 0),
        ("call_id=refused", 1),
        ("outcome=refused", 1),
        ("reason=no-session", 1),
        ("country=us&level=L2&trunk=carrier", 4),
        ("from=2020-01-01&until=2020-01-02", 0),
        ("from=2020-01-01", 4),
        ("text=%00", 0),
    ] {
        let page = ada.get(&format!("/console/calls?{query}")).await;
        assert_eq!((page.status, rows(&page)), (StatusCode::OK, count), "{query}");
    }
    for (query, field) in [("number=12", "number"), ("level=L9", "level"), ("from=x", "from"), ("after=1", "after")] {
        let page = ada.get(&format!("/console/calls?{query}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        page.says(&format!("role=\"alert\">The field “{field}” cannot be read: "));
    }
}

#[tokio::test]
async fn the_file_has_every_call_of_the_filter() {
    let service = Service::new().await;
    service.calls(0..1203).await;
    service.record(vec![began_on("other", "another"), Entry::Over { duration: Duration::ZERO }]).await;
    let mut ada = service.operator("ada").await;
    ada.get("/console/calls?trunk=carrier").await.says("href=\"/console/calls.csv?trunk=carrier\"");
    let file = ada.get("/console/calls.csv?trunk=carrier").await;
    assert!(file.header(CONTENT_TYPE).starts_with("text/csv"));
    let mut lines = file.body.lines();
    assert!(lines.next().unwrap().starts_with("began_at,number,country,"));
    let ids: Vec<&str> = lines.map(|line| line.split(',').nth(6).unwrap()).collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!((ids.len(), unique.len()), (1203, 1203));
    file.says("\"***0143\",\"US\",\"L2\"").does_not_say("2025550143");
    assert_eq!(ada.get("/console/calls.csv?level=9").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}
