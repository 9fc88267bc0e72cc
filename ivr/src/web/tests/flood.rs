//! While too many begin, or many of one number wait, a start is worked for.

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
async fn of_a_number_that_many_wait_for_one_more_is_worked_for_wherever_it_comes_from() {
    let service = Service::new().await;
    let mut program = Browser::from("192.0.2.1", &service.router);
    for n in 0..10 {
        service.try_start(NUMBER, &format!("198.51.{n}.1"), None).await.unwrap();
    }
    let asked = begin(&mut program, NUMBER, None).await;
    assert_eq!(asked.problem(), (428, "puzzle".into()));
    assert_eq!(begin(&mut program, "+12025550144", None).await.status, StatusCode::CREATED, "of another number");
    let puzzle: Puzzle = serde_json::from_value(asked.json()["puzzle"].clone()).unwrap();
    assert_eq!(begin(&mut program, NUMBER, Some(worked(&puzzle))).await.status, StatusCode::CREATED);
    assert_eq!(begin(&mut program, NUMBER, None).await.problem(), (428, "puzzle".into()));
    let mut browser = Browser::from("192.0.2.2", &service.router);
    let asked = browser.submit("/", "/verifications", &[("number", "(202) 555-0143"), ("publish", "no")]).await;
    assert_eq!(asked.status, StatusCode::PRECONDITION_REQUIRED, "{asked:?}");
    asked.says("data-bits=\"8\"");
    // Who is on this machine is its operator.
    let mut operator = Browser::new(&service.router);
    assert_eq!(begin(&mut operator, NUMBER, None).await.status, StatusCode::CREATED);
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
