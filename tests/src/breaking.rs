//! What would break the programs of others: a published document held against an older one.
//!
//! * **OpenAPI.** An operation, its id, a parameter, a role, an answer's status never go away, and
//!   nothing more becomes required. A request that was good stays good: its schema may only become
//!   wider. What an answer promised stays true: its schema may only gain fields.
//! * **Events.** A type, a field, a value never go away or change; a new field may be absent, since
//!   events from before have none.
//! * **WIT.** What a package says under a version it says for ever; it may say more beside that.

mod schema;
pub mod wit;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use schema::Schemas;

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn texts(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What of an OpenAPI document its newer version breaks, each with its place.
#[must_use]
pub fn openapi(old: &Value, new: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let schemas = Schemas::new(old, new);
    for (path, methods) in object(&old["paths"]) {
        for (method, before) in object(methods) {
            let place = format!("{} {path}", method.to_uppercase());
            match new["paths"][path].get(method) {
                None => faults.push(format!("{place}: gone")),
                Some(after) => operation(&schemas, &place, before, after, &mut faults),
            }
        }
    }
    faults
}

fn operation(schemas: &Schemas, place: &str, old: &Value, new: &Value, faults: &mut Vec<String>) {
    if old["operationId"] != new["operationId"] {
        faults.push(format!("{place}: its operationId changed; clients are named by it"));
    }
    for role in texts(&old["x-roles"]).difference(&texts(&new["x-roles"])) {
        faults.push(format!("{place}: {role} may no longer"));
    }
    parameters(schemas, place, old, new, faults);
    let (before, after) = (&old["requestBody"], &new["requestBody"]);
    if after["required"] == true && before["required"] != true {
        faults.push(format!("{place}: a body is required now"));
    }
    for (kind, content) in object(&before["content"]) {
        match after["content"].get(kind) {
            None => faults.push(format!("{place}: a body of {kind} is no longer taken")),
            Some(now) => faults.extend(schemas.taken(place, &content["schema"], &now["schema"])),
        }
    }
    for (status, before) in object(&old["responses"]).filter(|(status, _)| status.starts_with('2'))
    {
        let Some(after) = new["responses"].get(status) else {
            faults.push(format!("{place}: no longer answers {status}"));
            continue;
        };
        for (name, _) in object(&before["headers"]) {
            if after["headers"].get(name).is_none() {
                faults.push(format!("{place}: the header {name} of {status} is gone"));
            }
        }
        for (kind, content) in object(&before["content"]) {
            let place = format!("{place} → {status}");
            match after["content"].get(kind) {
                None => faults.push(format!("{place}: no longer answers {kind}")),
                Some(now) => {
                    faults.extend(schemas.given(&place, &content["schema"], &now["schema"]));
                }
            }
        }
    }
}

fn parameters(schemas: &Schemas, place: &str, old: &Value, new: &Value, faults: &mut Vec<String>) {
    let all = |operation: &Value| -> Vec<Value> {
        operation["parameters"].as_array().cloned().unwrap_or_default()
    };
    let same =
        |one: &Value, other: &Value| one["name"] == other["name"] && one["in"] == other["in"];
    let (before, after) = (all(old), all(new));
    for parameter in &before {
        let name = parameter["name"].as_str().unwrap_or("");
        match after.iter().find(|other| same(parameter, other)) {
            None => faults.push(format!("{place}: the parameter {name} is gone")),
            Some(now) => {
                let place = format!("{place} ?{name}");
                faults.extend(schemas.taken(&place, &parameter["schema"], &now["schema"]));
            }
        }
    }
    for parameter in after.iter().filter(|parameter| parameter["required"] == true) {
        let known = before.iter().find(|other| same(parameter, other));
        if known.is_none_or(|other| other["required"] != true) {
            faults.push(format!("{place}: the parameter {} is required now", parameter["name"]));
        }
    }
}

/// What of the list of events (`docs/events.json`) its newer version breaks.
#[must_use]
pub fn events(old: &Value, new: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (kind, before) in object(&old["events"]) {
        match new["events"].get(kind) {
            None => faults.push(format!("{kind}: gone")),
            Some(after) => fields(kind, &before["data"], &after["data"], &mut faults),
        }
    }
    for (name, before) in object(&old["forms"]) {
        let after = &new["forms"][name];
        fields(name, &before["fields"], &after["fields"], &mut faults);
        let (before, after) = (texts(&before["one of"]), texts(&after["one of"]));
        faults
            .extend(before.difference(&after).map(|value| format!("{name}: no {value} any more")));
    }
    faults
}

fn fields(place: &str, old: &Value, new: &Value, faults: &mut Vec<String>) {
    let none = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&none), new.as_object().unwrap_or(&none));
    for (name, before) in old {
        match new.get(name) {
            None => faults.push(format!("{place}: the field {name} is gone")),
            Some(after) if before != after => {
                faults.push(format!("{place}: the field {name} was {before} and is {after}"));
            }
            Some(_) => {}
        }
    }
    for (name, words) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        if !words.as_str().is_some_and(|words| words.ends_with("or null")) {
            faults.push(format!("{place}: the new field {name} must be one that can be absent"));
        }
    }
}
