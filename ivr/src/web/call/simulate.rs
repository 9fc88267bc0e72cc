//! "Simulate the call", in a demonstration only: the built-in caller does what the person would do with a telephone, by a
//! real call to the SIP socket, and the page shows it live. What the voice reads back it types itself. While one is on the line,
//! another is refused: the page tells of one verification, and the end of either would be taken for the other's.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ivr_core::call::flow::LONGER_THAN_A_CALL;
use ivr_core::code::Code;
use ivr_core::private::Private;

use super::CallPage;
use crate::phone::applicant::voice;
use crate::phone::{CallPlan, Identity, Law, Scenario, Stage, call_and_type};
use crate::verify::{State as Standing, View};
use crate::web::App;
use crate::web::error::WebError;
use crate::web::form::Fields;
use crate::web::page::{self, Frame};
use crate::web::session::{self, ByCookie};
use crate::web::simulated::NoPlace;

/// What the page offers: the name in the form, and what the caller does.
const OFFERED: &[(&str, Scenario)] = &[
    ("call", Scenario::Happy),
    ("wrong-code", Scenario::ThreeWrongCodes),
    ("spoof", Scenario::Spoof),
    ("hang-up", Scenario::HangUp(Stage::Code)),
];

/// Begins the call and leads back to its page.
pub(super) async fn simulate(
    State(app): State<App>,
    ByCookie(session): ByCookie,
    frame: Frame,
    fields: Fields,
) -> Result<Response, WebError> {
    let demo = app.settings.demo.as_ref().ok_or(WebError::NotFound)?;
    let wanted = fields.text("scenario");
    let (_, scenario) = OFFERED.iter().find(|(name, _)| *name == wanted).ok_or(WebError::NotFound)?;
    // The place first: a call that has just left it is in what is read then.
    let place = app.simulated().enter(session.id);
    let view = session.view(&app).await?;
    let back = Redirect::to(&session::path(session.id)).into_response();
    let code = match (view.state, &view.code) {
        (Standing::Waiting, Some(code)) => code,
        (Standing::Calling, _) => return refuse(&app, frame, &view),
        // It is proved, or over: there is nothing left to call for.
        _ => return Ok(back),
    };
    let place = match place {
        Ok(place) => place,
        Err(NoPlace::Taken) => return refuse(&app, frame, &view),
        Err(NoPlace::Full) => return Err(WebError::Busy),
    };
    let plan = CallPlan {
        service: demo.sip,
        local: None,
        dialled: view.dial.as_str().to_owned(),
        uri_parameters: Vec::new(),
        identity: Identity::in_scenario(*scenario, view.number.as_str()),
        laws: vec![Law::Mu, Law::A],
        scenario: *scenario,
        code: Private::new(code.expose().as_str().to_owned()),
        vocabulary: voice(view.number.as_str(), &view.locale),
        patience: LONGER_THAN_A_CALL,
    };
    tokio::spawn(async move {
        let (app, session) = (&app, &session);
        let type_in = |digits: Private<String>| async move {
            let Some(digits) = Code::parse(digits.expose()) else { return };
            let typed = app.verify.type_in(session.id, session.secret.expose(), &digits, app.clock.wall()).await;
            if let Err(error) = typed {
                tracing::warn!(%error, "the simulated person could not type: {error}");
            }
        };
        if let Err(error) = call_and_type(plan, |_| {}, type_in).await {
            tracing::warn!(%error, "the simulated call failed: {error}");
        }
        drop(place);
    });
    Ok(back)
}

/// The page again, which says that one call is on the line.
fn refuse(app: &App, frame: Frame, view: &View) -> Result<Response, WebError> {
    let frame = frame.speaking(&view.locale);
    let page = CallPage { simulates_in_vain: true, ..CallPage::new(app, frame, view, app.clock.wall()) };
    Ok((StatusCode::CONFLICT, page::html(&page)?).into_response())
}
