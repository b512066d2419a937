//! Every limit that the documents declare for a body, at its bound and one beyond.
//!
//! A lawful body is made in which the limited place is there; then that place alone is set. At the
//! bound nothing is wrong with the place, beyond it is refused by name: what is declared is what is
//! enforced, no less and no more.

use serde_json::{Value, json};
use tradewind_shell::http::Request;

use super::campaign::{Campaign, admin};
use super::lawful::{Ids, Maker};
use super::request::Operation;
use super::schema::{faults, resolved, types};
use crate::chance::Chance;

/// Bodies that are tried until one has the place.
const TRIES: u64 = 400;

/// What a schema says of a place, and values on both sides of it.
#[derive(Debug, Clone)]
struct Limit {
    pointer: String,
    what: &'static str,
    within: Value,
    beyond: Value,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Limits that hold on both sides.
    pub held: usize,
    /// Those that do not, and how; or that no body was made for.
    pub faults: Vec<String>,
}

/// Holds the product to each limit of each body.
#[must_use]
pub fn play(campaign: &Campaign) -> Found {
    let mut found = Found::default();
    for operation in campaign.operations() {
        let content = operation.told["requestBody"]["content"].as_object();
        let Some((kind, media)) = content.and_then(|content| content.iter().next()) else {
            continue;
        };
        let (ids, mut chance) = (Ids::known(), Chance::new(1));
        let mut tried = std::collections::BTreeSet::new();
        for _ in 0..TRIES {
            let document = operation.document;
            let mut maker = Maker { document, chance: &mut chance, ids: &ids, calm: true };
            let body = maker.value(&media["schema"], "");
            if !faults(document, &media["schema"], &body).is_empty() {
                continue;
            }
            let mut limits = Vec::new();
            list(document, &media["schema"], &body, String::new(), &mut limits);
            for limit in limits {
                if tried.insert((shape(&limit.pointer), limit.what)) {
                    hold(campaign, &operation, kind, &body, &limit, &mut found);
                }
            }
        }
    }
    found
}

/// A pointer without the places of items, so that each limit is tried once.
fn shape(pointer: &str) -> String {
    let step = |step: &str| if step.parse::<usize>().is_ok() { "*" } else { step }.to_owned();
    pointer.split('/').map(step).collect::<Vec<_>>().join("/")
}

fn hold(
    campaign: &Campaign,
    operation: &Operation<'_>,
    kind: &str,
    body: &Value,
    limit: &Limit,
    found: &mut Found,
) {
    let place = format!("{} {}{} {}", operation.method, operation.path, limit.pointer, limit.what);
    let named = |value: &Value| -> (u16, bool) {
        let mut body = body.clone();
        if let Some(part) = body.pointer_mut(&limit.pointer) {
            *part = value.clone();
        }
        let path = operation.path.split('/').map(segment).collect::<Vec<_>>().join("/");
        let (caller, request) = admin(&operation.method, &path, &body);
        let headers = [("idempotency-key", "bounds"), ("content-type", kind)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = Request { headers: headers.to_vec(), ..request };
        let Ok(answer) = campaign.product().answer(caller, &request) else { return (0, false) };
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        // A body of lines has the number of the line in front.
        let pointer = |fault: &Value| fault["pointer"].as_str().unwrap_or("").to_owned();
        let of_place = |fault: &Value| {
            let form =
                ["out-of-range", "format", "enum", "too-short", "too-long", "too-few", "too-many"]
                    .iter()
                    .any(|code| fault["code"] == *code);
            form && pointer(fault).trim_start_matches("/1").starts_with(&limit.pointer)
        };
        let faults = said["errors"].as_array();
        (answer.status, faults.is_some_and(|faults| faults.iter().any(of_place)))
    };
    let (within, beyond) = (named(&limit.within), named(&limit.beyond));
    // What is wrong with a value that the schema allows may be a rule; it is not the schema's limit.
    match (within.1, beyond.1 && [400, 422].contains(&beyond.0)) {
        (false, true) => found.held += 1,
        (true, _) => found.faults.push(format!("{place}: refused at the bound ({})", within.0)),
        (_, false) => found.faults.push(format!("{place}: not refused beyond it ({})", beyond.0)),
    }
}

/// An id in place of a parameter: most operations check their body before they look anything up.
fn segment(segment: &str) -> &str {
    match segment {
        "{supplier}" => "S1",
        "{sku}" => "X",
        "{channel}" => "web",
        "{node}" | "{from}" => "OWN",
        "{to}" => "FBA",
        "{currency}" => "EUR",
        "{day}" => "2026-11-01",
        "{line}" => "1",
        "{order}" => "O1",
        other if other.starts_with('{') => "P-AMZ",
        other => other,
    }
}

/// The limits that a schema puts on what of it a value has.
fn list(document: &Value, schema: &Value, value: &Value, pointer: String, limits: &mut Vec<Limit>) {
    let schema = resolved(document, schema);
    let mut add = |what, within: Value, beyond: Value| {
        limits.push(Limit { pointer: pointer.clone(), what, within, beyond });
    };
    if schema["enum"].is_array() {
        add("enum", schema["enum"][0].clone(), json!("no-such-word"));
    }
    for (what, step) in [("minimum", -1), ("maximum", 1)] {
        if let Some(bound) = schema[what].as_i64().filter(|_| value.is_i64()) {
            add(what, json!(bound), json!(bound + step));
        }
    }
    if let (Some(most), true) = (schema["maxLength"].as_u64(), value.is_string()) {
        let letters = |count: u64| json!("é".repeat(usize::try_from(count).unwrap_or(0)));
        add("maxLength", letters(most), letters(most + 1));
    }
    if let (Some(least), true) = (schema["minLength"].as_u64(), value.is_string()) {
        let letters = |count: u64| json!("e".repeat(usize::try_from(count).unwrap_or(0)));
        add("minLength", letters(least), letters(least.saturating_sub(1)));
    }
    for (format, within, beyond) in [
        ("date", "1970-01-01", "1969-12-31"),
        ("date", "9999-12-31", "10000-01-01"),
        ("amount", "1000000000000000", "1000000000000001"),
        ("amount", "0.000001", "0.0000001"),
        ("currency", "USD", "usd"),
        ("id", "Z", "-Z"),
    ] {
        if schema["format"] == format && value.is_string() {
            let what = if within.len() % 2 == 0 { "format" } else { "format, other bound" };
            add(what, json!(within), json!(beyond));
        }
    }
    if schema["format"] == "id" && value.is_string() {
        add("length of an id", json!("I".repeat(64)), json!("I".repeat(65)));
    }
    if let Some(items) = value.as_array().filter(|items| !items.is_empty()) {
        let times = |count: u64| -> Value { (0..count).map(|_| items[0].clone()).collect() };
        if let Some(most) = schema["maxItems"].as_u64().filter(|_| schema["uniqueItems"] != true) {
            add("maxItems", times(most), times(most + 1));
        }
        if let Some(least @ 1..) = schema["minItems"].as_u64() {
            add("minItems", times(least), times(least - 1));
        }
        list(document, &schema["items"], &items[0], format!("{pointer}/0"), limits);
    }
    if types(schema).contains(&"object") || schema["properties"].is_object() {
        for (name, member) in value.as_object().into_iter().flatten() {
            if schema["properties"][name].is_object() {
                let schema = &schema["properties"][name];
                list(document, schema, member, format!("{pointer}/{name}"), limits);
            }
        }
    }
}
