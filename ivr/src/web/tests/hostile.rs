//! What nobody should send.

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{Browser, Service};

#[tokio::test]
async fn any_bytes_posted_as_a_form_or_as_json_are_an_answer_and_no_fault() {
    let service = Service::new().await;
    let mut browser = Browser::new(&service.router);
    let mut runner = TestRunner::deterministic();
    let kinds = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    let pieces = prop::sample::select(vec![
        "--x",
        "\r\n",
        "csrf=",
        "Content-Disposition: form-data; name=\"",
        "\"",
        "&",
        "{",
        "\"number\":",
        "%00",
        "--",
    ]);
    let mixed = (prop::collection::vec(pieces, 0..20), bytes)
        .prop_map(|(pieces, bytes)| [pieces.concat().into_bytes(), bytes].concat());
    for _ in 0..100 {
        let body = mixed.new_tree(&mut runner).unwrap().current();
        for (path, kind) in
            ["/v1/verifications", "/verifications"].into_iter().flat_map(|path| kinds.map(|kind| (path, kind)))
        {
            let answer = browser.send(Method::POST, path, &[(CONTENT_TYPE, kind)], body.clone()).await;
            assert!(answer.status.is_client_error(), "{path} {kind} {body:?}: {answer:?}");
            assert_ne!(answer.status, StatusCode::NOT_FOUND);
        }
    }
}
