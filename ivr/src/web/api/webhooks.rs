//! The requests that the service itself makes, for the description (OpenAPI 3.1, `webhooks`).

use serde_json::json;
use utoipa::Modify;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, HttpMethod, PathItem, Ref, Required, ResponseBuilder};

/// Adds them.
pub(super) struct Webhooks;

impl Modify for Webhooks {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        // utoipa has no field for them, and writes extensions as they are named.
        let webhooks = json!({ "verification": verification() });
        description.extensions.get_or_insert_default().insert("webhooks".to_owned(), webhooks);
    }
}

fn verification() -> PathItem {
    let header = |name: &str, kind: Type, text: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(text))
            .schema(Some(ObjectBuilder::new().schema_type(kind)))
            .build()
    };
    let response = |text: &str| ResponseBuilder::new().description(text).build();
    let body = Content::new(Some(Ref::from_schema_name("WebhookEvent")));
    let operation = OperationBuilder::new()
        .tag("webhooks")
        .summary(Some("A verification has its result, waits, or is over."))
        .description(Some(
            "Posted to the endpoints that the operator added (`dialproof webhook add`), by Standard Webhooks 1.0.0. Events come \
             in no order, and sometimes twice: under the same webhook-id then.",
        ))
        .parameter(header("webhook-id", Type::String, "Names the event; the same at each attempt."))
        .parameter(header("webhook-timestamp", Type::Integer, "Of this attempt, in seconds since 1970. Refuse old ones."))
        .parameter(header(
            "webhook-signature",
            Type::String,
            "One or more, with spaces between: `v1,` and base64 of HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}`. \
             The key is what stands after `whsec_` in the endpoint's secret, decoded from base64.",
        ))
        .request_body(Some(RequestBodyBuilder::new().required(Some(Required::True)).content("application/json", body).build()))
        .response("2XX", response("Received, within 15 s"))
        .response("410", response("Nothing more is to be sent: the endpoint is turned off"))
        .response("default", response("Anything else: sent again, ten times in three days, then once a day for two"))
        .build();
    PathItem::new(HttpMethod::Post, operation)
}
