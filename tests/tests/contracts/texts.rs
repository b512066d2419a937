//! Every text of an answer says what it may be: words, a pattern, a format or a length. What is
//! for people alone says that: `free-text`.

use std::collections::BTreeSet;

use serde_json::Value;
use tradewind_tests::fuzzing::schema::types;

use crate::openapi::{operations, published};

/// Texts that say nothing of their form, as `domain Schema/field`.
const SILENT: &[&str] = &[];

/// The formats that answers use: those of JSON Schema, those that bodies are checked by, a text for
/// people, and a text that is only given back.
const FORMATS: &[&str] =
    &["amount", "currency", "cursor", "date", "date-time", "free-text", "id", "ratio", "zone"];

/// What says of a text what it may be.
const WORDS: [&str; 4] = ["enum", "pattern", "format", "maxLength"];

struct Walk<'a> {
    document: &'a Value,
    seen: BTreeSet<&'a str>,
    silent: BTreeSet<String>,
    formats: BTreeSet<&'a str>,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, place: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            if self.seen.insert(reference) {
                let name = reference.rsplit('/').next().unwrap_or("");
                let found = self.document.pointer(reference.trim_start_matches('#'));
                self.schema(found.unwrap_or_else(|| panic!("no {reference}")), name);
            }
            return;
        }
        if types(schema).contains(&"string") {
            if WORDS.iter().all(|word| schema[*word].is_null()) {
                self.silent.insert(place.to_owned());
            }
            self.formats.extend(schema["format"].as_str());
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.schema(property, &format!("{place}/{name}"));
        }
        for part in ["items", "additionalProperties", "propertyNames"] {
            if schema[part].is_object() {
                self.schema(&schema[part], &format!("{place}/*"));
            }
        }
        for part in ["oneOf", "anyOf", "allOf", "prefixItems"] {
            for one in schema[part].as_array().into_iter().flatten() {
                self.schema(one, place);
            }
        }
    }
}

#[test]
fn every_text_of_an_answer_says_what_it_may_be() {
    let mut silent = BTreeSet::new();
    let mut formats = BTreeSet::new();
    for one in published() {
        let document = &one.document;
        let (seen, none) = (BTreeSet::new(), BTreeSet::new());
        let mut walk = Walk { document, seen, silent: none, formats: BTreeSet::new() };
        let mut responses: Vec<(String, &Value)> = Vec::new();
        for operation in operations(document) {
            for (status, response) in operation.value["responses"].as_object().unwrap() {
                responses.push((format!("{} {status}", operation.name), response));
            }
        }
        for (name, response) in document["components"]["responses"].as_object().unwrap() {
            responses.push((name.clone(), response));
        }
        for (name, response) in &responses {
            for (_, content) in response["content"].as_object().into_iter().flatten() {
                walk.schema(&content["schema"], name);
            }
        }
        silent.extend(walk.silent.into_iter().map(|place| format!("{} {place}", one.domain)));
        formats.extend(walk.formats.into_iter().map(str::to_owned));
    }
    assert_eq!(silent, SILENT.iter().map(|place| (*place).to_owned()).collect());
    assert_eq!(formats, FORMATS.iter().map(|format| (*format).to_owned()).collect());
}
