//! Two versions of a schema: is what was good still good, is what was promised still true?

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{object, texts};

/// Bounds below which nothing is taken, and above which nothing is.
const LEAST: [&str; 4] = ["minimum", "minLength", "minItems", "minProperties"];
const MOST: [&str; 4] = ["maximum", "maxLength", "maxItems", "maxProperties"];

/// The schemas of two versions of a document.
pub struct Schemas<'a> {
    old: &'a Value,
    new: &'a Value,
    /// Pairs of references that are being compared, since schemas may refer to themselves.
    open: RefCell<BTreeSet<(String, String, bool)>>,
}

impl<'a> Schemas<'a> {
    /// The schemas of an older and a newer document.
    pub fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old, new, open: RefCell::default() }
    }

    /// What was taken under the old schema and is not under the new one.
    pub fn taken(&self, place: &str, old: &Value, new: &Value) -> Vec<String> {
        self.compare(place, old, new, true)
    }

    /// What the old schema promised and the new one does not.
    pub fn given(&self, place: &str, old: &Value, new: &Value) -> Vec<String> {
        self.compare(place, old, new, false)
    }

    fn compare(&self, place: &str, old: &Value, new: &Value, taken: bool) -> Vec<String> {
        let names = |value: &Value| value["$ref"].as_str().unwrap_or("").to_owned();
        let pair = (names(old), names(new), taken);
        let by_name = !pair.0.is_empty() || !pair.1.is_empty();
        if by_name && !self.open.borrow_mut().insert(pair.clone()) {
            return Vec::new();
        }
        let (old, new) = (whole(self.old, old), whole(self.new, new));
        let (old, new) = (old.as_ref(), new.as_ref());
        let mut faults = Vec::new();
        self.choices(place, old, new, taken, &mut faults);
        kinds(place, old, new, taken, &mut faults);
        if taken {
            bounds(place, old, new, &mut faults);
        }
        self.parts(place, old, new, taken, &mut faults);
        if by_name {
            self.open.borrow_mut().remove(&pair);
        }
        faults
    }

    /// Every alternative of one side must fit one of the other.
    fn choices(&self, at: &str, old: &Value, new: &Value, taken: bool, faults: &mut Vec<String>) {
        let (before, after) = (alternatives(old), alternatives(new));
        if before.len() < 2 && after.len() < 2 && !is_choice(old) && !is_choice(new) {
            return;
        }
        let fits = |one: &&Value, other: &&Value| self.compare(at, one, other, taken).is_empty();
        let lost = if taken {
            before.iter().filter(|one| !after.iter().any(|other| fits(one, other))).count()
        } else {
            after.iter().filter(|other| !before.iter().any(|one| fits(one, other))).count()
        };
        if lost > 0 {
            let what = if taken { "are no longer taken" } else { "are new in an answer" };
            faults.push(format!("{at}: {lost} of its alternatives {what}"));
        }
    }

    fn parts(&self, place: &str, old: &Value, new: &Value, taken: bool, faults: &mut Vec<String>) {
        for part in ["items", "additionalProperties"] {
            if old[part].is_object() && new[part].is_object() {
                let place = format!("{place}/*");
                faults.extend(self.compare(&place, &old[part], &new[part], taken));
            }
        }
        for (name, before) in object(&old["properties"]) {
            let place = format!("{place}/{name}");
            match new["properties"].get(name) {
                None => faults.push(format!("{place}: gone")),
                Some(after) => faults.extend(self.compare(&place, before, after, taken)),
            }
        }
        let (before, after) = (texts(&old["required"]), texts(&new["required"]));
        let (lost, what) = if taken {
            (after.difference(&before), "is required now")
        } else {
            (before.difference(&after), "may be absent now")
        };
        faults.extend(lost.map(|name| format!("{place}/{name}: {what}")));
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let path = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    path.and_then(|path| document.pointer(path)).unwrap_or(schema)
}

/// A schema, through its reference; one that is several objects at once as the one object it is.
fn whole<'a>(document: &'a Value, schema: &'a Value) -> Cow<'a, Value> {
    let schema = resolved(document, schema);
    let Some(parts) = schema["allOf"].as_array() else { return Cow::Borrowed(schema) };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts {
        let part = whole(document, part);
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
    }
    Cow::Owned(json!({ "type": "object", "properties": properties, "required": required }))
}

fn is_choice(schema: &Value) -> bool {
    schema["oneOf"].is_array() || schema["anyOf"].is_array()
}

/// What a schema may be; itself when it offers no choice.
fn alternatives(schema: &Value) -> Vec<&Value> {
    let listed = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    listed.map_or_else(|| vec![schema], |listed| listed.iter().collect())
}

/// The types and the enumerated values: a request's may grow, an answer's may shrink.
fn kinds(place: &str, old: &Value, new: &Value, taken: bool, faults: &mut Vec<String>) {
    if is_choice(old) || is_choice(new) {
        return;
    }
    let values = |schema: &Value| -> Option<BTreeSet<String>> {
        let listed = schema["enum"].as_array()?;
        Some(listed.iter().map(ToString::to_string).collect())
    };
    let (narrow, wide) = if taken { (old, new) } else { (new, old) };
    let fits = match (types(narrow), types(wide)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(narrow), Some(wide)) => narrow.is_subset(&wide),
    };
    if !fits {
        faults.push(format!("{place}: the type was {} and is {}", old["type"], new["type"]));
    }
    let fits = match (values(narrow), values(wide)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(narrow), Some(wide)) => narrow.is_subset(&wide),
    };
    if !fits {
        faults.push(format!("{place}: the values were {} and are {}", old["enum"], new["enum"]));
    }
    for word in ["format", "pattern"] {
        let loosened = taken && new[word].is_null();
        if old[word] != new[word] && !loosened {
            faults.push(format!("{place}: the {word} was {} and is {}", old[word], new[word]));
        }
    }
}

/// The types that a schema allows; none when it may be anything.
fn types(schema: &Value) -> Option<BTreeSet<&str>> {
    match (&schema["type"], schema["enum"].as_array()) {
        (Value::String(one), _) => Some(BTreeSet::from([one.as_str()])),
        (Value::Array(_), _) => Some(texts(&schema["type"])),
        (_, Some(values)) => Some(values.iter().map(type_of).collect()),
        _ => None,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn bounds(place: &str, old: &Value, new: &Value, faults: &mut Vec<String>) {
    for (words, tighter) in [(LEAST, f64::gt as fn(&f64, &f64) -> bool), (MOST, f64::lt)] {
        for word in words {
            let Some(after) = new[word].as_f64() else { continue };
            if old[word].as_f64().is_none_or(|before| tighter(&after, &before)) {
                faults.push(format!("{place}: {word} was {} and is {}", old[word], new[word]));
            }
        }
    }
    if new["additionalProperties"] == false && old["additionalProperties"].is_object() {
        faults.push(format!("{place}: further fields are no longer taken"));
    }
}
