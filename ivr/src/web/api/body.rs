//! The JSON object that a program posts, what is said of one that is not as described, and the one that it gets.

use std::fmt;
use std::marker::PhantomData;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::web::App;
use crate::web::error::WebError;

/// A JSON body, and a problem if it is none.
pub(in crate::web) struct Body<T>(pub(in crate::web) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        match Json::from_request(request, app).await {
            Ok(Json(Object(body))) => Ok(Self(body)),
            Err(JsonRejection::JsonDataError(error)) => Err(WebError::field(words(&error.body_text())).into_response()),
            Err(other) => Err(other.into_response()),
        }
    }
}

/// What is read from an object alone: serde would also take an array of the fields in the order of their declaration.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Object<T>, M::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// serde's words without what only its users know: the prefix, the types of Rust, and columns of what a program wrote.
fn words(error: &str) -> String {
    let what = error.split_once(": ").map_or(error, |(_, what)| what);
    let what = what.rsplit_once(" at line ").map_or(what, |(what, _)| what);
    if let Some((place, field)) = what.split_once("missing field ") {
        return format!("{place}{field} is missing");
    }
    match what.split_once(", expected struct ") {
        Some((what, _)) => format!("{what}, expected an object"),
        None => what.to_owned(),
    }
}

/// A JSON body that nobody keeps.
pub(super) fn private(body: impl Serialize) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
