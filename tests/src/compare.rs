//! Holding an answer against what a story expects.
//!
//! An expected object names the fields that matter; others may be there. An expected list is the
//! whole list, in order. `"*"` is anything but null; `"$name"` takes the value on first sight and
//! must be equal to it later. Everything else must be equal; numbers and texts never mix.

use std::collections::BTreeMap;

use serde_json::Value;

/// The values that a story has taken.
pub type Names = BTreeMap<String, Value>;

/// What differs, each with its place; empty when the answer is as expected.
pub fn differences(expected: &Value, found: &Value, names: &mut Names) -> Vec<String> {
    let mut out = Vec::new();
    compare("", expected, found, names, &mut out);
    out
}

fn compare(at: &str, expected: &Value, found: &Value, names: &mut Names, out: &mut Vec<String>) {
    match (expected, found) {
        (Value::String(text), _) if text == "*" => {
            if found.is_null() {
                out.push(format!("{at}: is null"));
            }
        }
        (Value::String(text), _) if text.starts_with('$') => {
            let name = text[1..].to_owned();
            match names.get(&name) {
                None => {
                    names.insert(name, found.clone());
                }
                Some(known) if known == found => {}
                Some(known) => out.push(format!("{at}: is {found}, and ${name} is {known}")),
            }
        }
        (Value::Object(fields), Value::Object(given)) => {
            for (field, wanted) in fields {
                let place = format!("{at}/{field}");
                match given.get(field) {
                    Some(value) => compare(&place, wanted, value, names, out),
                    None => out.push(format!("{place}: is missing")),
                }
            }
        }
        (Value::Array(wanted), Value::Array(given)) => {
            if wanted.len() != given.len() {
                let (want, got) = (wanted.len(), given.len());
                out.push(format!("{at}: has {got} items, not {want}: {found}"));
                return;
            }
            for (index, (want, got)) in wanted.iter().zip(given).enumerate() {
                compare(&format!("{at}/{index}"), want, got, names, out);
            }
        }
        _ if expected == found => {}
        _ => out.push(format!("{at}: is {found}, not {expected}")),
    }
}

/// Puts taken values into a text: `{name}`.
#[must_use]
pub fn fill(text: &str, names: &Names) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| {
        let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{name}}}"), &plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_are_open_lists_are_closed_names_bind() {
        let mut names = Names::new();
        let expected = json!({"id": "$po", "lines": [{"line": 1}], "version": "*"});
        let found =
            json!({"id": "po_1", "lines": [{"line": 1, "open": 3}], "version": "9", "x": 1});
        assert!(differences(&expected, &found, &mut names).is_empty());
        assert_eq!(fill("/orders/{po}", &names), "/orders/po_1");
        for wrong in [
            json!({"id": "po_2", "lines": [{"line": 1}], "version": "9"}),
            json!({"id": "po_1", "lines": [], "version": "9"}),
            json!({"id": "po_1", "lines": [{"line": "1"}], "version": "9"}),
            json!({"id": "po_1", "lines": [{"line": 1}], "version": null}),
            json!({"id": "po_1", "lines": [{"line": 1}]}),
        ] {
            assert_eq!(differences(&expected, &wrong, &mut names).len(), 1, "{wrong}");
        }
    }
}
