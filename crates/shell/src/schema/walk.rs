//! The walk through a value and its schema, side by side.
//!
//! It knows what utoipa 5 makes of our types: references into the parts, objects closed by
//! `deny_unknown_fields`, maps, `oneOf [null, …]` and lists of types for options, `oneOf` for
//! enums, `allOf` for flattened structs. A word of JSON Schema that is not known here passes; serde
//! has the last word.

mod choice;

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};
use tradewind_kernel::Day;
use tradewind_kernel::quantity::LIMIT;
use tradewind_kernel::refusal::Fault;
use utoipa::Number as Bound;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayItems, KnownFormat, Object, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{RefOr, Schema};

use super::{MAX_FAULTS, MAX_MEMBERS, REQUIRED, TYPE, UNKNOWN_FIELD, format};
use crate::route::Described;

/// A window's last day is before its first. Of a body that has no other fault it is left to the
/// domain, which names it together with what it looks up.
const WINDOW_REVERSED: &str = "window-reversed";

/// Every fault of `value`; pointers start with `under`.
pub(super) fn faults(described: &Described, value: &Value, under: &str) -> Vec<Fault> {
    let mut walk = Walk { described, faults: Vec::new() };
    walk.value(&described.schema, value, &mut under.to_owned());
    if walk.faults.iter().all(|fault| fault.code == WINDOW_REVERSED) {
        return Vec::new();
    }
    walk.faults
}

struct Walk<'a> {
    described: &'a Described,
    faults: Vec<Fault>,
}

impl<'a> Walk<'a> {
    fn add(&mut self, pointer: &str, code: &str, detail: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault::new(pointer, code, detail));
        }
    }

    /// The schema itself, through references; `None` when one leads nowhere.
    fn resolve(&self, schema: &'a RefOr<Schema>) -> Option<&'a Schema> {
        let mut schema = schema;
        // A chain of references is as long as the parts at most, unless it is a ring.
        for _ in 0..=self.described.parts.len() {
            match schema {
                RefOr::T(schema) => return Some(schema),
                RefOr::Ref(reference) => {
                    let name = reference.ref_location.rsplit('/').next()?;
                    let part = self.described.parts.iter().find(|(part, _)| part == name);
                    schema = match part {
                        Some((_, schema)) => schema,
                        None if name == self.described.name => &self.described.schema,
                        None => return None,
                    };
                }
            }
        }
        None
    }

    fn value(&mut self, schema: &'a RefOr<Schema>, value: &Value, pointer: &mut String) {
        match self.resolve(schema) {
            Some(Schema::Object(object)) => self.object(object, value, pointer, true),
            Some(Schema::Array(array)) => self.array(array, value, pointer),
            Some(Schema::OneOf(choice)) => self.choice(&choice.items, value, pointer),
            Some(Schema::AnyOf(choice)) => self.choice(&choice.items, value, pointer),
            Some(Schema::AllOf(all)) => self.all_of(&all.items, value, pointer),
            _ => {}
        }
    }

    /// Steps to a member or an item, and back.
    fn step(&mut self, schema: &'a RefOr<Schema>, name: &str, value: &Value, pointer: &mut String) {
        let length = pointer.len();
        push(pointer, name);
        self.value(schema, value, pointer);
        pointer.truncate(length);
    }

    fn object(&mut self, object: &'a Object, value: &Value, pointer: &mut String, close: bool) {
        if !self.of_type(&object.schema_type, value, pointer) {
            return;
        }
        if let Some(words) = &object.enum_values
            && !words.contains(value)
        {
            let words: Vec<&Value> = words.iter().collect();
            self.not_among(&words, pointer);
            return;
        }
        match value {
            Value::String(text) => self.text(object, text, pointer),
            Value::Number(number) => self.number(object, number, pointer),
            Value::Object(members) => self.members(object, members, pointer, close),
            _ => {}
        }
    }

    fn of_type(&mut self, wanted: &SchemaType, value: &Value, pointer: &str) -> bool {
        let types: &[Type] = match wanted {
            SchemaType::AnyValue => return true,
            SchemaType::Type(one) => std::slice::from_ref(one),
            SchemaType::Array(several) => several,
        };
        if types.iter().any(|wanted| is_of(wanted, value)) {
            return true;
        }
        let wanted: Vec<&str> = types.iter().map(type_name).collect();
        if types.contains(&Type::Integer) && is_huge(value) {
            self.add(pointer, "out-of-range", "a whole number is at most 10^15 in size");
        } else {
            self.wrong_type(&wanted, value, pointer);
        }
        false
    }

    fn wrong_type(&mut self, wanted: &[&str], value: &Value, pointer: &str) {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(number) if number.is_f64() => "a number that is no integer",
            Value::Number(_) => "an integer",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        self.add(pointer, TYPE, format!("expected {}, found {found}", wanted.join(" or ")));
    }

    fn not_among(&mut self, words: &[&Value], pointer: &str) {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        self.add(pointer, "enum", format!("expected one of {}", words.join(", ")));
    }

    fn text(&mut self, object: &Object, text: &str, pointer: &str) {
        let length = text.chars().count();
        if let Some(least) = object.min_length.filter(|least| length < *least) {
            self.add(pointer, "too-short", format!("at least {least} characters"));
        }
        if let Some(most) = object.max_length.filter(|most| length > *most) {
            self.add(pointer, "too-long", format!("at most {most} characters"));
        }
        let format = object.format.as_ref().map(format::name);
        if let Some(words) = format.and_then(|format| format::wrong(format, text)) {
            self.add(pointer, "format", words);
        }
    }

    fn number(&mut self, object: &Object, number: &Number, pointer: &str) {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        let (Some(whole), (Some(low), Some(high))) = (whole, bounds(object)) else { return };
        if whole < low || whole > high {
            self.add(pointer, "out-of-range", format!("expected {low} to {high}"));
        }
    }

    fn members(
        &mut self,
        object: &'a Object,
        members: &Map<String, Value>,
        pointer: &mut String,
        close: bool,
    ) {
        if is_map(object) && members.len() > MAX_MEMBERS {
            self.add(pointer, "too-many", format!("at most {MAX_MEMBERS} members"));
        }
        for name in object.required.iter().filter(|name| !members.contains_key(*name)) {
            self.missing(name, pointer);
        }
        for (name, value) in members {
            if let Some(schema) = object.properties.get(name) {
                self.step(schema, name, value, pointer);
                continue;
            }
            match object.additional_properties.as_deref() {
                Some(AdditionalProperties::RefOr(schema)) => {
                    if let Some(Schema::Object(names)) = object.property_names.as_deref() {
                        let length = pointer.len();
                        push(pointer, name);
                        self.text(names, name, pointer);
                        pointer.truncate(length);
                    }
                    self.step(schema, name, value, pointer);
                }
                _ if close && is_closed(object) => self.unknown(name, pointer),
                _ => {}
            }
        }
        self.window(object, members, pointer);
    }

    /// An object with fields `from` and `until`, both days, is a window.
    fn window(&mut self, object: &Object, members: &Map<String, Value>, pointer: &mut String) {
        let day = |name: &str| {
            object.properties.get(name)?;
            members.get(name)?.as_str()?.parse::<Day>().ok()
        };
        if let (Some(from), Some(until)) = (day("from"), day("until"))
            && until < from
        {
            let length = pointer.len();
            push(pointer, "until");
            self.add(pointer, WINDOW_REVERSED, "`until` is before `from`");
            pointer.truncate(length);
        }
    }

    fn missing(&mut self, name: &str, pointer: &mut String) {
        let length = pointer.len();
        push(pointer, name);
        self.add(pointer, REQUIRED, format!("`{name}` must be given"));
        pointer.truncate(length);
    }

    fn unknown(&mut self, name: &str, pointer: &mut String) {
        let length = pointer.len();
        push(pointer, name);
        let shown: String = name.chars().take(40).collect();
        self.add(pointer, UNKNOWN_FIELD, format!("there is no field `{shown}` here"));
        pointer.truncate(length);
    }

    fn array(&mut self, array: &'a Array, value: &Value, pointer: &mut String) {
        if !self.of_type(&array.schema_type, value, pointer) {
            return;
        }
        let Value::Array(items) = value else { return };
        if let Some(least) = array.min_items.filter(|least| items.len() < *least) {
            self.add(pointer, "too-few", format!("at least {least} items"));
        }
        if let Some(most) = array.max_items.filter(|most| items.len() > *most) {
            self.add(pointer, "too-many", format!("at most {most} items"));
        }
        let mut seen = BTreeSet::new();
        if array.unique_items && !items.iter().all(|item| seen.insert(item.to_string())) {
            self.add(pointer, "duplicate", "an item stands there twice");
        }
        // Tuples (`prefixItems`) are left to serde; our bodies have none.
        let ArrayItems::RefOrSchema(schema) = &array.items else { return };
        for (place, item) in items.iter().enumerate() {
            self.step(schema, &place.to_string(), item, pointer);
        }
    }
}

/// The least and the greatest integer of a schema; for one without bounds of its own, the bounds
/// of its width, [`LIMIT`] in size for the widest. `None` when it is not of integers.
pub(crate) fn bounds(object: &Object) -> (Option<i128>, Option<i128>) {
    let integer = match &object.schema_type {
        SchemaType::Type(one) => *one == Type::Integer,
        SchemaType::Array(several) => several.contains(&Type::Integer),
        SchemaType::AnyValue => false,
    };
    if !integer {
        return (None, None);
    }
    let (low, high) = match object.format {
        Some(SchemaFormat::KnownFormat(KnownFormat::Int32)) => {
            (i128::from(i32::MIN), i128::from(i32::MAX))
        }
        _ => (i128::from(-LIMIT), i128::from(LIMIT)),
    };
    let above = object.exclusive_minimum.as_ref().map(|bound| whole(bound).saturating_add(1));
    let below = object.exclusive_maximum.as_ref().map(|bound| whole(bound).saturating_sub(1));
    let low = object.minimum.as_ref().map(whole).or(above).unwrap_or(low);
    let high = object.maximum.as_ref().map(whole).or(below).unwrap_or(high);
    (Some(low), Some(high))
}

#[allow(clippy::cast_possible_truncation, reason = "the cast saturates; bounds are whole numbers")]
fn whole(bound: &Bound) -> i128 {
    match bound {
        Bound::Int(number) => *number as i128,
        Bound::UInt(number) => *number as i128,
        Bound::Float(number) => *number as i128,
    }
}

/// Whether an object has no other fields than those named. One that names fields is closed even
/// when its type forgets to say so: unknown fields are refused (contract.md).
pub(crate) fn is_closed(object: &Object) -> bool {
    match object.additional_properties.as_deref() {
        Some(AdditionalProperties::FreeForm(open)) => !open,
        Some(AdditionalProperties::RefOr(_)) => false,
        None => !object.properties.is_empty(),
    }
}

/// Whether an object's names are the caller's own.
fn is_map(object: &Object) -> bool {
    matches!(object.additional_properties.as_deref(), Some(AdditionalProperties::RefOr(_)))
}

/// A number too large for 64 bits, which `serde_json` reads as a float.
fn is_huge(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.abs() >= 9_223_372_036_854_775_808.0)
}

fn is_of(wanted: &Type, value: &Value) -> bool {
    match wanted {
        Type::Null => value.is_null(),
        Type::Boolean => value.is_boolean(),
        Type::Integer => value.is_i64() || value.is_u64(),
        Type::Number => value.is_number(),
        Type::String => value.is_string(),
        Type::Array => value.is_array(),
        Type::Object => value.is_object(),
    }
}

fn type_name(wanted: &Type) -> &'static str {
    match wanted {
        Type::Null => "null",
        Type::Boolean => "a boolean",
        Type::Integer => "an integer",
        Type::Number => "a number",
        Type::String => "a string",
        Type::Array => "an array",
        Type::Object => "an object",
    }
}

/// Appends a reference token of RFC 6901.
fn push(pointer: &mut String, name: &str) {
    pointer.push('/');
    for letter in name.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
