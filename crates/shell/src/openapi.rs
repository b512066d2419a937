//! The published description of a domain: OpenAPI 3.1, made from its table of routes.
//!
//! The same table drives matching, roles and the check of bodies, so the document cannot say
//! anything else than the code does. The output is the same every time, so that it is checked in
//! and compared.

mod components;
mod events;
mod operation;
mod shared;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tradewind_kernel::event::Domain;
use tradewind_kernel::id::Id;
use tradewind_kernel::refusal::Fault;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, PathsBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Info, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Schema,
    SecurityRequirement,
};

use crate::http::Method;
use crate::route::{Described, QueryParameter, Role, Route, described};
use crate::schema::check;
use components::Registry;

/// The name of the one security scheme.
const TOKEN: &str = "token";

/// One operation, of the domain or of the shell.
struct Entry<'a> {
    method: Method,
    path: String,
    summary: &'a str,
    /// Who may; `None` when no token is needed.
    roles: Option<&'a [Role]>,
    body: Option<Described>,
    lines: bool,
    query: &'a [QueryParameter],
    answers: Vec<(u16, Option<Described>)>,
    /// Whether it takes an idempotency key.
    keyed: bool,
}

impl<'a> Entry<'a> {
    fn of<Op>(route: &'a Route<Op>) -> Self {
        Self {
            method: route.method,
            path: route.path.to_owned(),
            summary: route.summary,
            roles: Some(route.roles),
            body: route.body.map(|described| described()),
            lines: route.lines,
            query: route.query,
            answers: route
                .answers
                .iter()
                .map(|(status, described)| (*status, described.map(|described| described())))
                .collect(),
            keyed: route.method.writes(),
        }
    }
}

/// The OpenAPI document of a domain: its routes and those that the shell answers for every domain.
#[must_use]
pub fn document<Op>(domain: Domain, routes: &[Route<Op>], version: &str) -> OpenApi {
    let entries = entries(domain, routes);
    let registry = registry(&entries);
    let mut paths = PathsBuilder::new();
    for entry in &entries {
        let operation = operation::operation(entry, domain, &registry);
        paths = paths.path(entry.path.clone(), PathItem::new(http_method(entry.method), operation));
    }
    let mut components = ComponentsBuilder::new()
        .schemas_from_iter(registry.published())
        .schemas_from_iter(events::schemas(domain))
        .security_scheme(TOKEN, token_scheme());
    for (name, response) in shared::problems() {
        components = components.response(name, response);
    }
    let mut info = Info::new(format!("Tradewind {domain}"), version.to_owned());
    info.description = Some(shared::DESCRIPTION.to_owned());
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .security(Some([SecurityRequirement::new(TOKEN, Vec::<String>::new())]))
        .build()
}

/// What is wrong with a table of routes; each domain has a test that there is nothing.
///
/// * Two operations have the same method and path form.
/// * Two different types have one name: rename one with `#[schema(as = …)]`.
/// * A reference leads nowhere: a generic type does not bring its parameter (use [`page`]).
/// * A body says nothing of its fields, has a format that is not checked or a binary float.
/// * A body has a text or a list of any length.
/// * A body's field is of a type alias such as `Quantity`: utoipa loses the bounds written there;
///   write `i64`.
/// * A body shows no example, or one that its own schema refuses.
/// * A route has no summary, a GET or DELETE a body, or an answer is no success.
#[must_use]
pub fn faults<Op>(domain: Domain, routes: &[Route<Op>]) -> Vec<String> {
    let entries = entries(domain, routes);
    let registry = registry(&entries);
    let mut faults: BTreeSet<String> = registry.faults().into_iter().collect();
    let mut seen = BTreeSet::new();
    let inside = format!("/{domain}/v1/");
    for entry in &entries {
        let name = format!("{} {}", entry.method.name(), entry.path);
        if !seen.insert(operation::id(entry.method, &entry.path)) {
            faults.insert(format!("{name}: another operation has this method and form of path"));
        }
        let bare = entry.body.is_some() && matches!(entry.method, Method::Get | Method::Delete);
        for (wrong, what) in [
            (!entry.path.starts_with(&inside), "lies outside the domain"),
            (entry.summary.is_empty(), "has no summary"),
            (bare, "has a body"),
            (entry.lines && entry.body.is_none(), "takes lines but says not of what"),
            (
                entry
                    .answers
                    .iter()
                    .any(|(status, _)| !(200..300).contains(status) && *status != 503),
                "answers what is neither a success nor 503",
            ),
        ] {
            if wrong {
                faults.insert(format!("{name}: {what}"));
            }
        }
    }
    for described in entries.iter().filter_map(|entry| entry.body.as_ref()) {
        let name = &described.name;
        match example(described) {
            None => drop(faults.insert(format!("`{name}` shows no example"))),
            Some(value) => {
                let wrong = check(described, value).into_iter();
                faults.extend(wrong.map(|fault| {
                    format!("the example of `{name}`: {} {}", fault.pointer, fault.detail)
                }));
            }
        }
    }
    let text = serde_json::to_value(document(domain, routes, "0")).unwrap_or(Value::Null);
    unresolved(&text, &text, &mut faults);
    faults.into_iter().collect()
}

/// The description of a page of a list, `{items, next}`, for a route's answers:
/// `(200, Some(page::<OrderView>))`. A generic type would not bring `T` along.
#[must_use]
pub fn page<T: ToSchema>() -> Described {
    let Described { name, schema, mut parts } = described::<T>();
    parts.push((name.clone(), schema));
    page_of(&name, parts)
}

/// The description of a page of what has this name.
fn page_of(name: &str, parts: Vec<(String, RefOr<Schema>)>) -> Described {
    let cursor = ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
        .format(Some(SchemaFormat::Custom("cursor".to_owned())))
        .description(Some("give it as `after` to go on; null at the end"));
    let items = ArrayBuilder::new().items(Ref::from_schema_name(name));
    let list = ObjectBuilder::new()
        .property("items", items)
        .property("next", cursor)
        .required("items")
        .required("next");
    Described { name: format!("{name}Page"), schema: RefOr::T(Schema::Object(list.build())), parts }
}

fn example(described: &Described) -> Option<&Value> {
    match &described.schema {
        RefOr::T(Schema::Object(object)) => object.example.as_ref(),
        RefOr::T(Schema::AllOf(all)) => all.example.as_ref(),
        _ => None,
    }
}

fn entries<Op>(domain: Domain, routes: &[Route<Op>]) -> Vec<Entry<'_>> {
    routes.iter().map(Entry::of).chain(shared::entries(domain)).collect()
}

fn registry(entries: &[Entry<'_>]) -> Registry {
    let mut registry = Registry::default();
    for described in [described::<Id>(), described::<Fault>(), described::<shared::Problem>()] {
        registry.add(&described, false);
    }
    for described in
        [described::<tradewind_kernel::Day>(), described::<tradewind_kernel::Currency>()]
    {
        registry.add(&described, false);
    }
    for described in entries.iter().filter_map(|entry| entry.body.as_ref()) {
        registry.add(described, true);
    }
    for (_, answer) in entries.iter().flat_map(|entry| &entry.answers) {
        if let Some(described) = answer {
            registry.add(described, false);
        }
    }
    registry
}

fn http_method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Put => HttpMethod::Put,
        Method::Post => HttpMethod::Post,
        Method::Delete => HttpMethod::Delete,
    }
}

fn token_scheme() -> SecurityScheme {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(shared::TOKEN_DESCRIPTION));
    SecurityScheme::Http(scheme.build())
}

/// Notes every reference within `value` that leads nowhere in `document`.
fn unresolved(document: &Value, value: &Value, faults: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let found = reference.strip_prefix('#').and_then(|path| document.pointer(path));
                if found.is_none() {
                    faults.insert(format!("{reference} leads nowhere"));
                }
            }
            members.values().for_each(|member| unresolved(document, member, faults));
        }
        Value::Array(items) => items.iter().for_each(|item| unresolved(document, item, faults)),
        _ => {}
    }
}

/// An empty body, for the question whether a body may be left out.
fn nothing() -> Value {
    json!({})
}

#[cfg(test)]
mod tests;
