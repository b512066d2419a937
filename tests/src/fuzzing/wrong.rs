//! What is done to a lawful value or text to make it nearly lawful.

use serde_json::{Value, json};

use crate::chance::Chance;

/// Nesting far beyond what any body has, and beyond what a thread's stack would bear.
pub const DEEP: usize = 100_000;

/// Does one thing to some part of a value, which may or may not make it unlawful.
pub fn spoil(chance: &mut Chance, value: &mut Value) {
    let mut places = Vec::new();
    list(value, String::new(), &mut places);
    let place = chance.one_of(&places).clone();
    let Some(part) = value.pointer_mut(&place) else { return };
    match part {
        Value::Object(members) if chance.below(3) > 0 && !members.is_empty() => {
            let names: Vec<String> = members.keys().cloned().collect();
            let name = chance.one_of(&names).clone();
            match chance.below(3) {
                0 => drop(members.remove(&name)),
                1 => drop(members.insert(format!("{name}s"), json!(1))),
                _ => drop(members.insert(String::new(), Value::Null)),
            }
        }
        Value::Array(items) if chance.below(3) > 0 && !items.is_empty() => {
            let item = chance.one_of(items).clone();
            match chance.below(3) {
                0 => items.clear(),
                1 => items.push(item),
                _ => items.resize(2000, item),
            }
        }
        _ => *part = other(chance),
    }
}

fn list(value: &Value, at: String, places: &mut Vec<String>) {
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| {
                list(member, format!("{at}/{}", escaped(name)), places);
            });
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| list(item, format!("{at}/{n}"), places));
        }
        _ => {}
    }
    places.push(at);
}

/// A value that hardly anything expects.
fn other(chance: &mut Chance) -> Value {
    let nested = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1_000_000_000_000_001_i64),
        json!(1.5),
        json!(1.0),
        json!(-0.0),
        json!(1e300),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("x".repeat(10_000)),
        json!("🚢".repeat(70)),
        json!("2026-02-30"),
        json!("2026-12-01T00:00:00"),
        json!("12,50"),
        json!("1e3"),
        json!("٣"),
        json!("-0"),
        json!("+1"),
        json!("usd"),
        json!("*"),
        json!("../x"),
        json!([]),
        json!({}),
        json!([[], {}]),
        nested,
    ];
    chance.one_of(&values).clone()
}

/// A text that is not one well-formed JSON value, from one that is; an object never says a name
/// twice.
pub fn garble(chance: &mut Chance, text: &str) -> Vec<u8> {
    let cut = |at: usize| text.as_bytes()[..at.min(text.len())].to_vec();
    match chance.below(9) {
        0 => cut(text.trim_end().len().saturating_sub(1)),
        1 => format!("{text}{text}").into_bytes(),
        2 => format!("\u{feff}{text}").into_bytes(),
        3 => format!("{text}//").into_bytes(),
        4 => [text.as_bytes(), &[0xff]].concat(),
        5 => "[".repeat(DEEP).into_bytes(),
        6 => [r#"{"a":"#.repeat(DEEP), "1".to_owned(), "}".repeat(DEEP)].concat().into_bytes(),
        7 => br#"{"a":1e999}"#.to_vec(),
        _ => br#"{"a":1,"a":1}"#.to_vec(),
    }
}
