//! What a schema demands of a place, and values on both sides of each demand.

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};

use super::super::lawful::Maker;
use super::super::schema::{of_type, resolved, types};
use super::places::{Place, escaped, required};

/// One demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limit {
    /// The word of the schema, for `required` with the member's name.
    pub what: String,
    /// The code of the fault when it is not met.
    pub code: &'static str,
}

/// Values of a place on both sides of a limit.
#[derive(Debug, Default)]
pub(super) struct Sides {
    /// Values that just meet it.
    pub within: Vec<Value>,
    /// Values that just do not, each with where in it the fault is.
    pub beyond: Vec<(Value, String)>,
}

/// The words of a schema that demand nothing by themselves: places are made of some of them.
const SILENT: [&str; 7] =
    ["properties", "items", "description", "default", "example", "title", "$ref"];

/// Every demand that a place's schema makes. One that is not known has no code.
pub(super) fn limits(place: &Place<'_>) -> Vec<Limit> {
    let schema = place.schema;
    let mut found = Vec::new();
    for word in schema.as_object().into_iter().flat_map(Map::keys) {
        let code = match word.as_str() {
            silent if SILENT.contains(&silent) => continue,
            // What one form demands of the type is tried where the forms part.
            "type" | "oneOf" if place.is_form() => continue,
            "type" | "oneOf" => "type",
            "required" => {
                let limit = |name| Limit { what: format!("required {name}"), code: "required" };
                found.extend(required(schema).map(limit));
                continue;
            }
            "additionalProperties" if schema[word].is_object() => continue,
            "additionalProperties" => "unknown-field",
            "enum" => "enum",
            "minimum" | "maximum" => "out-of-range",
            "minLength" => "too-short",
            "maxLength" => "too-long",
            "minItems" => "too-few",
            "maxItems" | "maxProperties" => "too-many",
            "uniqueItems" => "duplicate",
            "format" if ["int32", "int64"].iter().any(|width| schema[word] == *width) => continue,
            // A pattern says in its way what the format says.
            "pattern" if schema["format"].is_string() => continue,
            "format" | "propertyNames" => "format",
            _ => "",
        };
        found.push(Limit { what: word.clone(), code });
    }
    found
}

/// Values on both sides of a limit; `at` is a lawful one. `None` when nothing is known to try.
pub(super) fn sides(
    maker: &mut Maker<'_>,
    place: &Place<'_>,
    limit: &Limit,
    at: &Value,
) -> Option<Sides> {
    let (document, schema) = (maker.document, place.schema);
    let number = |word: &str| schema[word].as_i64();
    let count = |word: &str| usize::try_from(number(word)?).ok();
    let here =
        |values: Vec<Value>| values.into_iter().map(|value| (value, String::new())).collect();
    let (within, beyond): (Vec<Value>, Vec<Value>) = match limit.what.as_str() {
        "type" => {
            let null = types(schema).contains(&"null").then_some(Value::Null);
            (null.into_iter().chain([at.clone()]).collect(), of_no_type(document, schema))
        }
        "oneOf" => {
            let forms = schema["oneOf"].as_array()?;
            let made = forms.iter().map(|form| maker.value(form, "")).collect();
            (made, of_no_type(document, schema))
        }
        "enum" => (schema["enum"].as_array()?.clone(), vec![json!("no-such-word"), json!("")]),
        "minimum" => {
            let least = number("minimum")?;
            (vec![json!(least)], vec![json!(least - 1), json!(i64::MIN)])
        }
        "maximum" => {
            let most = number("maximum")?;
            (vec![json!(most)], vec![json!(most + 1), json!(u64::MAX), json!(1e300)])
        }
        "minLength" => {
            let least = count("minLength")?;
            (vec![text(schema, least)?], vec![text(schema, least.checked_sub(1)?)?])
        }
        "maxLength" => {
            let most = count("maxLength")?;
            (vec![text(schema, most)?], vec![text(schema, most + 1)?])
        }
        "format" => {
            let (within, beyond) = of_format(schema["format"].as_str()?)?;
            (within, beyond)
        }
        "minItems" => {
            let least = count("minItems")?;
            let fewer = items(maker, schema, least.checked_sub(1)?)?;
            (vec![items(maker, schema, least)?], vec![fewer])
        }
        "maxItems" => {
            let most = count("maxItems")?;
            let within = items(maker, schema, most)?;
            // Of few words there is no further one: it is said again.
            let more = items(maker, schema, most + 1).or_else(|| {
                let mut more = within.clone();
                let again = more.get(0)?.clone();
                more.as_array_mut()?.push(again);
                Some(more)
            });
            (vec![within], vec![more?])
        }
        "uniqueItems" => {
            let mut twice = items(maker, schema, 1)?;
            let again = twice.get(0)?.clone();
            twice.as_array_mut()?.push(again);
            (vec![items(maker, schema, 2)?], vec![twice])
        }
        "maxProperties" => {
            let most = count("maxProperties")?;
            let value = maker.value(&schema["additionalProperties"], "");
            let keys = |count: usize| -> Value {
                (0..count).map(|number| (format!("K{number}"), value.clone())).collect()
            };
            (vec![keys(most)], vec![keys(most + 1)])
        }
        "propertyNames" => return names(maker, schema),
        "additionalProperties" => return unknown(at),
        _ => return missing(limit, at),
    };
    Some(Sides { within, beyond: here(beyond) })
}

/// Values of every JSON type that is none of a schema's.
fn of_no_type(document: &Value, schema: &Value) -> Vec<Value> {
    let mut wanted = Vec::new();
    forms(document, schema, &mut wanted);
    let all = [json!(null), json!(true), json!(7), json!(1.5), json!(1.0), json!("7")];
    let all = all.into_iter().chain([json!([]), json!({})]);
    all.filter(|value| !wanted.iter().any(|name| of_type(name, value))).collect()
}

/// The types that a schema allows in any of its forms.
fn forms<'a>(document: &'a Value, schema: &'a Value, found: &mut Vec<&'a str>) {
    let schema = resolved(document, schema);
    found.extend(types(schema));
    for form in schema["oneOf"].as_array().into_iter().flatten() {
        forms(document, form, found);
    }
}

/// A text of so many characters, in the schema's format if it has one.
fn text(schema: &Value, count: usize) -> Option<Value> {
    match schema["format"].as_str() {
        // Characters are counted, not bytes.
        None => Some(Value::from("é".repeat(count))),
        Some("ratio") => Some(Value::from(format!("0.5{}", "0".repeat(count.checked_sub(3)?)))),
        Some(_) => None,
    }
}

/// Texts of a format and texts that only look like it.
pub(super) fn of_format(format: &str) -> Option<(Vec<Value>, Vec<Value>)> {
    let (longest, longer) = ("I".repeat(64), "I".repeat(65));
    let (within, beyond): (&[&str], &[&str]) = match format {
        "date" => (
            &["1970-01-01", "2028-02-29", "9999-12-31"],
            &["1969-12-31", "2027-02-29", "10000-01-01", "2026-12-1", "2026-13-01", ""],
        ),
        "date-time" => (
            &["1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-12-01T00:00:00+05:45"],
            &["1969-12-31T23:59:59Z", "2026-12-01T00:00:00", "2026-12-01", ""],
        ),
        "zone" => (&["UTC", "Asia/Kathmandu"], &["Mars/Phobos", ""]),
        "id" => (&["Z", "0", "a.b_c~d-e", &longest], &["-Z", &longer, "é", "a b", "*", ""]),
        "amount" => (
            &["1000000000000000", "0.000001", "0", "12.50"],
            &["1000000000000001", "1000000000000000.000001", "0.0000001", "1e3", "+1", ".5", ""],
        ),
        "currency" => (&["USD", "JPY"], &["usd", "US", "USDX", ""]),
        "ratio" => (&["0.95", "0.5"], &["1e3", "+1", ".5", "1.", "0,5", ""]),
        _ => return None,
    };
    let values = |texts: &[&str]| texts.iter().copied().map(Value::from).collect();
    Some((values(within), values(beyond)))
}

/// A list of so many items, each another where the schema says so.
fn items(maker: &mut Maker<'_>, schema: &Value, count: usize) -> Option<Value> {
    let item = &schema["items"];
    if schema["uniqueItems"] != true {
        return Some(vec![maker.value(item, ""); count].into());
    }
    let item = resolved(maker.document, item);
    let other = |number: usize| match item["enum"].as_array() {
        Some(words) => words.get(number).cloned(),
        None if item["format"] == "date" => {
            let first = NaiveDate::from_ymd_opt(1970, 1, 1)?;
            let day = first.checked_add_days(Days::new(u64::try_from(number).ok()?))?;
            Some(Value::from(day.to_string()))
        }
        None => None,
    };
    (0..count).map(other).collect()
}

fn names(maker: &mut Maker<'_>, schema: &Value) -> Option<Sides> {
    let format = resolved(maker.document, &schema["propertyNames"])["format"].as_str()?;
    let value = maker.value(&schema["additionalProperties"], "");
    let (within, beyond) = of_format(format)?;
    let named = |name: &Value| -> Option<Value> {
        Some(Value::Object(Map::from_iter([(name.as_str()?.to_owned(), value.clone())])))
    };
    let under = |name: &Value| Some((named(name)?, format!("/{}", escaped(name.as_str()?))));
    Some(Sides {
        within: within.iter().map(named).collect::<Option<_>>()?,
        beyond: beyond.iter().map(under).collect::<Option<_>>()?,
    })
}

fn unknown(at: &Value) -> Option<Sides> {
    let with = |name: &str| {
        let mut more = at.as_object()?.clone();
        more.insert(name.to_owned(), json!(1));
        Some((Value::Object(more), format!("/{}", escaped(name))))
    };
    let beyond = ["nobody", "", "a/b~c"].into_iter().map(with).collect::<Option<_>>()?;
    Some(Sides { within: vec![at.clone()], beyond })
}

fn missing(limit: &Limit, at: &Value) -> Option<Sides> {
    let name = limit.what.strip_prefix("required ")?;
    let mut less = at.as_object()?.clone();
    less.remove(name)?;
    let beyond = vec![(Value::Object(less), format!("/{}", escaped(name)))];
    Some(Sides { within: vec![at.clone()], beyond })
}
