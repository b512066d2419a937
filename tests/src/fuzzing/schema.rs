//! A JSON value against a published schema, judged from the document alone.
//!
//! The product checks bodies by the types behind the document; this reads the document as an
//! outside program would, so that the two can differ and be seen to. In one point it is as strict as
//! the product says it is: `1.0` is no integer.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use regex_lite::Regex;
use serde_json::Value;

/// What is wrong with a value, each fault with its JSON pointer.
#[must_use]
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut judge = Judge { document, faults: Vec::new() };
    judge.check(schema, value, "");
    judge.faults
}

/// What a schema refers to, itself when to nothing.
#[must_use]
pub fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let found = pointer.and_then(|pointer| document.pointer(pointer));
    found.map_or(schema, |found| resolved(document, found))
}

thread_local! {
    /// The patterns met so far, read.
    static PATTERNS: RefCell<BTreeMap<String, Regex>> = const { RefCell::new(BTreeMap::new()) };
}

/// Whether a text is of a pattern that we publish.
///
/// # Panics
/// The pattern does not read.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    PATTERNS.with_borrow_mut(|known| {
        if !known.contains_key(pattern) {
            let read = Regex::new(pattern).unwrap_or_else(|fault| panic!("{pattern}: {fault}"));
            known.insert(pattern.to_owned(), read);
        }
        known[pattern].is_match(text)
    })
}

fn of_format(format: &str, text: &str) -> bool {
    match format {
        "date" => text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
        "date-time" => DateTime::parse_from_rfc3339(text).is_ok(),
        "zone" => text.parse::<chrono_tz::Tz>().is_ok(),
        _ => true,
    }
}

pub(super) fn of_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is new"),
    }
}

/// The names of a schema's types; none when it says nothing of them.
#[must_use]
pub fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

struct Judge<'a> {
    document: &'a Value,
    faults: Vec<String>,
}

impl Judge<'_> {
    fn add(&mut self, at: &str, what: impl std::fmt::Display) {
        self.faults.push(format!("{at}: {what}"));
    }

    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        let schema = resolved(self.document, schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, at);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let fits = |choice: &&Value| faults(self.document, choice, value).is_empty();
            let count = choices.iter().filter(fits).count();
            if count != 1 {
                self.add(at, format!("fits {count} of {} forms", choices.len()));
            }
        }
        let types = types(schema);
        if !types.is_empty() && !types.iter().any(|name| of_type(name, value)) {
            self.add(at, format!("is no {}", types.join(" or ")));
            return;
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            self.add(at, format!("{value} is none of the words"));
        }
        match value {
            Value::String(text) => self.text(schema, text, at),
            Value::Number(number) => {
                let whole = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
                let bound = |name: &str| schema[name].as_i64().map(i128::from);
                let below = bound("minimum").zip(whole).is_some_and(|(least, it)| it < least);
                let above = bound("maximum").zip(whole).is_some_and(|(most, it)| it > most);
                if below || above {
                    self.add(at, format!("{number} is out of range"));
                }
            }
            Value::Array(items) => self.items(schema, items, at),
            Value::Object(members) => self.members(schema, members, at),
            _ => {}
        }
    }

    fn text(&mut self, schema: &Value, text: &str, at: &str) {
        let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        let short = schema["minLength"].as_u64().is_some_and(|least| length < least);
        let long = schema["maxLength"].as_u64().is_some_and(|most| length > most);
        if short || long {
            self.add(at, "has a wrong length");
        }
        if schema["pattern"].as_str().is_some_and(|pattern| !fits(pattern, text)) {
            self.add(at, format!("`{text}` does not fit the pattern"));
        }
        if schema["format"].as_str().is_some_and(|format| !of_format(format, text)) {
            self.add(at, format!("`{text}` is not of the format"));
        }
    }

    fn items(&mut self, schema: &Value, items: &[Value], at: &str) {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let few = schema["minItems"].as_u64().is_some_and(|least| count < least);
        let many = schema["maxItems"].as_u64().is_some_and(|most| count > most);
        if few || many {
            self.add(at, "has a wrong number of items");
        }
        let twice = |(place, item): (usize, &Value)| items[..place].contains(item);
        if schema["uniqueItems"] == true && items.iter().enumerate().any(twice) {
            self.add(at, "has an item twice");
        }
        if schema["items"].is_object() {
            for (place, item) in items.iter().enumerate() {
                self.check(&schema["items"], item, &format!("{at}/{place}"));
            }
        }
    }

    fn members(&mut self, schema: &Value, members: &serde_json::Map<String, Value>, at: &str) {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                self.add(at, format!("`{name}` is missing"));
            }
        }
        let count = u64::try_from(members.len()).unwrap_or(u64::MAX);
        if schema["maxProperties"].as_u64().is_some_and(|most| count > most) {
            self.add(at, "has too many members");
        }
        for (name, value) in members {
            let place = format!("{at}/{name}");
            if let Some(known) = schema["properties"].get(name) {
                self.check(known, value, &place);
                continue;
            }
            match &schema["additionalProperties"] {
                Value::Bool(false) => self.add(&place, "is unknown"),
                Value::Object(_) => {
                    if schema["propertyNames"].is_object() {
                        self.check(&schema["propertyNames"], &Value::from(name.as_str()), &place);
                    }
                    self.check(&schema["additionalProperties"], value, &place);
                }
                _ => {}
            }
        }
    }
}
