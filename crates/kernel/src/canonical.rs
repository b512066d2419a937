//! Canonical JSON: one text for one meaning.
//!
//! Names sorted, no spaces, each string escaped in one way; so two texts that say the same have the
//! same hash, whatever order of fields or white space they were written with.

use serde::Serialize;
use serde_json::Value;

/// A record of ours as canonical JSON.
///
/// # Panics
/// Never for our records: they have text keys and no failing serialiser.
#[must_use]
pub fn canonical(record: &impl Serialize) -> String {
    #[allow(clippy::expect_used, reason = "our records have text keys and always serialise")]
    let value = serde_json::to_value(record).expect("our records serialise");
    canonical_value(&value)
}

/// A JSON value as canonical JSON.
#[must_use]
pub fn canonical_value(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<(&String, &Value)> = fields.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (place, (name, value)) in names.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_space_and_escapes_make_no_difference() {
        let read = |text: &str| canonical_value(&serde_json::from_str(text).unwrap());
        let plain = r#"{"a":[1,{"b":"x","c":null}],"d":"é"}"#;
        assert_eq!(read(plain), plain);
        let other = "{ \"d\": \"\\u00e9\",\n \"a\": [ 1, { \"c\": null, \"b\": \"\\u0078\" } ] }";
        assert_eq!(read(other), plain);
        assert_ne!(read("[1,2]"), read("[2,1]"), "the order of items means something");
        assert_ne!(read("1"), read("\"1\""));
    }
}
