//! While too many begin, a start is worked for.

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::browser::Answer;
use super::email::pasted;
use super::service::NUMBER;
use super::{Browser, Service};
use crate::puzzle::{Puzzle, solve};

async fn begin(program: &mut Browser, number: &str, puzzle: Option<Value>) -> Answer {
    let body = json!({ "number": number, "publish": false, "puzzle": puzzle });
    program.send(Method::POST, "/v1/verifications", &[(CONTENT_TYPE, "application/json")], body.to_string()).await
}

fn worked(puzzle: &Puzzle) -> Value {
    json!({ "challenge": puzzle.challenge, "solution": solve(&puzzle.challenge, puzzle.bits) })
}

#[tokio::test]
async fn a_program_is_told_what_to_do_and_its_work_begins_one_verification_of_its_number() {
    let service = Service::flooded().await;
    let mut program = Browser::new(&service.router);
    let asked = begin(&mut program, NUMBER, None).await;
    assert_eq!(asked.problem(), (428, "puzzle".into()));
    let puzzle: Puzzle = serde_json::from_value(asked.json()["puzzle"].clone()).unwrap();
    assert_eq!(puzzle.bits, 8);
    let work = worked(&puzzle);
    let other = begin(&mut program, "+12025550144", Some(work.clone())).await;
    assert_eq!(other.problem(), (428, "puzzle".into()));
    let begun = begin(&mut program, NUMBER, Some(work.clone())).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let again = begin(&mut program, NUMBER, Some(work)).await;
    assert_eq!(again.problem(), (428, "puzzle".into()));
    // What is no number is told so, and costs nothing.
    assert_eq!(begin(&mut program, "12", None).await.problem(), (422, "number".into()));
}

#[tokio::test]
async fn a_page_comes_back_with_the_work_and_all_that_was_filled_in() {
    let service = Service::flooded().await;
    let mut browser = Browser::new(&service.router);
    let csr = pasted();
    let fields = [("number", "(202) 555-0143"), ("publish", "yes"), ("csr", csr.as_str())];
    let asked = browser.submit("/", "/verifications", &fields).await;
    assert_eq!(asked.status, StatusCode::PRECONDITION_REQUIRED, "{asked:?}");
    asked.says("data-bits=\"8\" data-whole").says("value=\"+1 202-555-0143\"").says("BEGIN CERTIFICATE REQUEST");
    asked.says("value=\"yes\" required checked").says("try again in a few minutes");
    let (_, rest) = asked.body.split_once("name=\"challenge\" value=\"").unwrap();
    let challenge = rest.split('"').next().unwrap();
    let (solution, token) = (solve(challenge, 8), asked.token());
    let work = [("csrf", token.as_str()), ("challenge", challenge), ("solution", &solution)];
    let all: Vec<(&str, &str)> = fields.into_iter().chain(work).collect();
    let begun = browser.post("/verifications", &all).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{begun:?}");
    let again = browser.post("/verifications", &all).await;
    assert_eq!(again.status, StatusCode::PRECONDITION_REQUIRED);
    // Work in vain is not begun again without a click.
    again.says("data-bits=\"8\"").does_not_say("data-whole").says("and continue");
}
