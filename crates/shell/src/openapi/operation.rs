//! One operation of the document.

use serde_json::json;
use tradewind_kernel::event::Domain;
use tradewind_kernel::quantity::LIMIT;
use utoipa::Number;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{
    Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, ParameterStyle,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder, Schema};

use super::components::Registry;
use super::{Entry, nothing, shared};
use crate::call::{MAX_PAGE, PAGE};
use crate::http::Method;
use crate::route::{QueryParameter, Role};
use crate::schema::check;

/// What every `after` takes.
const CURSOR: &str = "an empty one is the start, and what is no cursor of this list is refused with 400 \
    `cursor-unknown`";

/// What every `limit` takes.
const PAGE_LIMIT: &str = "anything else is refused with 400 `query-malformed`";

/// The operation's id: method and path without `/v1`, as in `postProcurementOrdersByIdSubmit`.
pub(super) fn id(method: Method, path: &str) -> String {
    let mut id = method.name().to_ascii_lowercase();
    for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != "v1") {
        let words = match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => {
                id.push_str("By");
                name
            }
            None => segment,
        };
        for word in words.split(|letter: char| !letter.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            id.push_str(letters.as_str());
        }
    }
    id
}

pub(super) fn operation(entry: &Entry<'_>, domain: Domain, registry: &Registry) -> Operation {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(id(entry.method, &entry.path)))
        .tag(domain.name())
        .summary(Some(entry.summary))
        .request_body(body(entry, registry));
    for parameter in path_parameters(&entry.path) {
        operation = operation.parameter(parameter);
    }
    for parameter in entry.query {
        operation = operation.parameter(query_parameter(parameter));
    }
    for parameter in headers(entry) {
        operation = operation.parameter(parameter);
    }
    for (status, response) in answers(entry, registry) {
        operation = operation.response(status, response);
    }
    for (status, name) in shared::PROBLEMS {
        if shared::can_have(entry, *status) {
            operation = operation.response(status.to_string(), Ref::from_response_name(*name));
        }
    }
    match entry.roles {
        Some(roles) => {
            let may = |role: &Role| *role == Role::Admin || roles.contains(role);
            let names: Vec<&str> =
                Role::ALL.into_iter().filter(may).map(|role| role.name()).collect();
            let extensions = ExtensionsBuilder::new().add("x-roles", json!(names)).build();
            operation.extensions(Some(extensions)).build()
        }
        None => operation.securities(Some([])).build(),
    }
}

fn body(entry: &Entry<'_>, registry: &Registry) -> Option<RequestBody> {
    let described = entry.body.as_ref()?;
    let content = ContentBuilder::new().schema(Some(registry.reference(described, true))).build();
    let body = if entry.lines {
        RequestBodyBuilder::new()
            .content("application/x-ndjson", content)
            .description(Some("one JSON value of this form on each line"))
            .required(Some(Required::True))
    } else {
        let may_be_empty = entry.method != Method::Put && check(described, &nothing()).is_empty();
        let required = if may_be_empty { Required::False } else { Required::True };
        RequestBodyBuilder::new().content("application/json", content).required(Some(required))
    };
    Some(body.build())
}

fn parameter(place: ParameterIn, name: &str, required: bool) -> ParameterBuilder {
    let required = if required { Required::True } else { Required::False };
    ParameterBuilder::new().name(name).parameter_in(place).required(required)
}

fn path_parameters(path: &str) -> Vec<Parameter> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = match name {
                "day" => RefOr::Ref(Ref::from_schema_name("Day")),
                "currency" => RefOr::Ref(Ref::from_schema_name("Currency")),
                "line" => integer(1, LIMIT),
                _ => RefOr::Ref(Ref::from_schema_name("Id")),
            };
            parameter(ParameterIn::Path, name, true).schema(Some(schema)).build()
        })
        .collect()
}

fn query_parameter(query: &QueryParameter) -> Parameter {
    let one = match query.form {
        // A cursor is what a page said, nothing to make up; an empty one is the start.
        _ if query.name == "after" => text(Type::String, None),
        "id" => RefOr::Ref(Ref::from_schema_name("Id")),
        "date" => RefOr::Ref(Ref::from_schema_name("Day")),
        "currency" => RefOr::Ref(Ref::from_schema_name("Currency")),
        // Every list reads its `limit` by `Call::limit`.
        "integer" if query.name == "limit" => page_limit(),
        "integer" => integer(-LIMIT, LIMIT),
        "boolean" => text(Type::Boolean, None),
        "string" => text(Type::String, None),
        words if words.contains('|') => one_of(words),
        format => match query.range() {
            Some((least, most)) => integer(least, most),
            None => text(Type::String, Some(format)),
        },
    };
    let schema = if query.most > 1 {
        let list = ArrayBuilder::new().items(one);
        let list = list.min_items(Some(1)).max_items(Some(query.most));
        RefOr::T(Schema::Array(list.build()))
    } else {
        one
    };
    let words = match query.name {
        "after" => format!("{}; {CURSOR}", query.description),
        "limit" => format!("{}; {PAGE_LIMIT}", query.description),
        _ => query.description.to_owned(),
    };
    let built = parameter(ParameterIn::Query, query.name, query.required)
        .description(Some(words))
        .schema(Some(schema));
    if query.most > 1 {
        built.style(Some(ParameterStyle::Form)).explode(Some(true)).build()
    } else {
        built.build()
    }
}

fn headers(entry: &Entry<'_>) -> Vec<Parameter> {
    let header = |name: &str, required: bool, words: &str, schema: RefOr<Schema>| {
        parameter(ParameterIn::Header, name, required)
            .description(Some(words))
            .schema(Some(schema))
            .build()
    };
    let mut headers = Vec::new();
    if entry.keyed {
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]+$"));
        let key = RefOr::T(Schema::Object(key.build()));
        let required = entry.method == Method::Post;
        headers.push(header("Idempotency-Key", required, shared::KEY_DESCRIPTION, key));
    }
    if matches!(entry.method, Method::Put | Method::Delete) {
        let words = "the ETag of what is to be changed, several with commas between, or `*` for \
            whatever there is; anything else is refused with 412, as is what has changed since";
        headers.push(header("If-Match", false, words, text(Type::String, None)));
    }
    if entry.method.writes() {
        let words = "what this belongs to, an id. It is never refused: when it is in use, is one \
            of ours or is no id, ours is new and keeps its first 64 characters as parent";
        headers.push(header("Correlation-Id", false, words, text(Type::String, None)));
    }
    headers
}

fn answers(entry: &Entry<'_>, registry: &Registry) -> Vec<(String, utoipa::openapi::Response)> {
    let bare = [(200, None)];
    let listed: Vec<(u16, Option<RefOr<Schema>>)> = if entry.answers.is_empty() {
        bare.to_vec()
    } else {
        let reference = |(status, described): &(u16, Option<_>)| {
            (*status, described.as_ref().map(|described| registry.reference(described, false)))
        };
        entry.answers.iter().map(reference).collect()
    };
    let mut answers = Vec::new();
    for (status, schema) in listed {
        let words = match status {
            201 => "Made",
            503 => "The store does not answer",
            _ => "Done",
        };
        let mut response = ResponseBuilder::new().description(words);
        if let Some(schema) = schema {
            let content = ContentBuilder::new().schema(Some(schema)).build();
            response = response.content("application/json", content);
        }
        for (name, header) in shared::answer_headers(entry, status) {
            response = response.header(name, header);
        }
        answers.push((status.to_string(), response.build()));
    }
    answers
}

fn text(kind: Type, format: Option<&str>) -> RefOr<Schema> {
    let format = format.map(|format| SchemaFormat::Custom(format.to_owned()));
    let object = ObjectBuilder::new().schema_type(SchemaType::Type(kind)).format(format);
    RefOr::T(Schema::Object(object.build()))
}

/// A text that is one of these words.
fn one_of(words: &str) -> RefOr<Schema> {
    let kind = SchemaType::Type(Type::String);
    let object = ObjectBuilder::new().schema_type(kind).enum_values(Some(words.split('|')));
    RefOr::T(Schema::Object(object.build()))
}

fn page_limit() -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .minimum(Some(Number::UInt(1)))
        .maximum(Some(Number::UInt(MAX_PAGE)))
        .default(Some(json!(PAGE)));
    RefOr::T(Schema::Object(object.build()))
}

fn integer(least: i64, most: i64) -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .minimum(Some(Number::Float(least as f64)))
        .maximum(Some(Number::Float(most as f64)));
    RefOr::T(Schema::Object(object.build()))
}
