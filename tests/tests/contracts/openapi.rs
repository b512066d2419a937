//! The published description of each domain.

use std::collections::BTreeSet;

use serde_json::Value;
use tradewind_finance::Finance;
use tradewind_inventory::Inventory;
use tradewind_kernel::event::Domain;
use tradewind_planning::Planning;
use tradewind_procurement::Procurement;
use tradewind_reporting::Reporting;
use tradewind_shell::openapi::{document, faults};
use tradewind_shell::service::Service;
use tradewind_suppliers::Suppliers;

use crate::examples::illustrated;
use crate::{World, golden};

/// Answers that say nothing of their form yet. The list can only shrink.
const WITHOUT_FORM: &[&str] = &[];

/// Lists whose answer is not described as a page yet. The list can only shrink.
const WITHOUT_PAGE: &[&str] = &[];

/// A domain's document, without examples of answers, and what is wrong with its routes.
pub struct Published {
    /// Whose it is.
    pub domain: Domain,
    /// The document.
    pub document: Value,
    faults: Vec<String>,
}

fn of<S: Service<World>>() -> Published {
    let made = document(S::DOMAIN, S::routes(), env!("CARGO_PKG_VERSION"));
    let document = serde_json::to_value(&made).unwrap();
    Published { domain: S::DOMAIN, document, faults: faults(S::DOMAIN, S::routes()) }
}

/// All six.
pub fn published() -> Vec<Published> {
    vec![
        of::<Suppliers>(),
        of::<Procurement>(),
        of::<Inventory>(),
        of::<Planning>(),
        of::<Finance>(),
        of::<Reporting>(),
    ]
}

/// An operation of a document.
pub struct Operation<'a> {
    /// Method and path, such as `POST /planning/v1/runs`.
    pub name: String,
    /// The path alone.
    pub path: &'a str,
    /// What the document says of it.
    pub value: &'a Value,
}

/// Every operation of a document.
pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, value) in item.as_object().unwrap() {
            let name = format!("{} {path}", method.to_ascii_uppercase());
            found.push(Operation { name, path, value });
        }
    }
    found
}

#[test]
fn each_domain_publishes_what_it_does() {
    for (domain, text) in illustrated() {
        golden(&format!("components/{domain}/openapi.json"), &text);
    }
}

#[test]
fn no_route_is_wrongly_described() {
    let told = |one: Published| {
        let domain = one.domain;
        one.faults.into_iter().map(move |fault| format!("{domain}: {fault}"))
    };
    let faults: Vec<String> = published().into_iter().flat_map(told).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_documents_are_valid() {
    let mut faults = Vec::new();
    for Published { domain, document, .. } in published() {
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{domain}");
        for field in ["title", "version"] {
            assert!(document["info"][field].is_string(), "{domain}: no {field}");
        }
        assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
        let mut ids = BTreeSet::new();
        for operation in operations(&document) {
            let id = operation.value["operationId"].as_str().unwrap_or("");
            if id.is_empty() || !ids.insert(id.to_owned()) {
                faults.push(format!("{}: its operationId is missing or taken", operation.name));
            }
            faults.extend(faults_of(&document, &operation));
        }
        schemas(&domain.to_string(), &document, &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether a schema, or what it refers to, has `items` and `next`.
fn is_page(document: &Value, schema: &Value) -> bool {
    let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let schema = reference.and_then(|path| document.pointer(path)).unwrap_or(schema);
    ["items", "next"].iter().all(|field| schema["properties"][field].is_object())
}

fn faults_of(document: &Value, operation: &Operation<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let none = Vec::new();
    let parameters = operation.value["parameters"].as_array().unwrap_or(&none);
    let mut names = BTreeSet::new();
    for parameter in parameters {
        let (name, place) = (&parameter["name"], &parameter["in"]);
        if !names.insert((name.to_string(), place.to_string())) {
            faults.push(format!("the parameter {name} is there twice"));
        }
        if !parameter["schema"].is_object() {
            faults.push(format!("the parameter {name} has no schema"));
        }
        if place == "path" && parameter["required"] != true {
            faults.push(format!("the parameter {name} of the path must be required"));
        }
    }
    let given: BTreeSet<&str> = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "path")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    let wanted: BTreeSet<&str> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    if given != wanted {
        faults.push(format!("its path has {wanted:?}, its parameters {given:?}"));
    }
    let responses = operation.value["responses"].as_object();
    let successes: Vec<_> =
        responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2')).collect();
    if successes.is_empty() {
        faults.push("it never succeeds".to_owned());
    }
    let listed = parameters.iter().any(|parameter| parameter["name"] == "limit");
    for (status, response) in successes {
        let schema = &response["content"]["application/json"]["schema"];
        if !response["description"].is_string() {
            faults.push(format!("its answer {status} has no description"));
        }
        let formless = WITHOUT_FORM.contains(&operation.name.as_str());
        let itself = operation.path.ends_with("/openapi.json");
        if !formless && !itself && !schema.is_object() {
            faults.push(format!("its answer {status} says nothing of its form"));
        }
        let excused = WITHOUT_PAGE.contains(&operation.name.as_str());
        if listed && schema.is_object() && !excused && !is_page(document, schema) {
            faults.push("it is a list, but its answer is no page".to_owned());
        }
    }
    faults.into_iter().map(|fault| format!("{}: {fault}", operation.name)).collect()
}

/// Every published schema says something: a type, a reference, or a choice.
fn schemas(domain: &str, document: &Value, faults: &mut Vec<String>) {
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let says = ["type", "$ref", "oneOf", "anyOf", "allOf", "enum"]
            .iter()
            .any(|keyword| schema.get(keyword).is_some());
        if !says {
            faults.push(format!("{domain}: the schema {name} says nothing"));
        }
        let properties = schema["properties"].as_object();
        for required in schema["required"].as_array().into_iter().flatten() {
            let known = required.as_str().is_some_and(|required| {
                properties.is_some_and(|properties| properties.contains_key(required))
            });
            if !known {
                faults.push(format!("{domain}: {name} requires {required}, which it has not"));
            }
        }
    }
}
