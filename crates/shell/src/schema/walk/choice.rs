//! Schemas made of others: one of several, or all of several.
//!
//! When no alternative fits, the faults that are named are those of the alternative that was most
//! likely meant: the one whose tag is there, else the one of the right JSON type with the fewest
//! faults.

use std::collections::BTreeSet;

use serde_json::Value;
use tradewind_kernel::refusal::Fault;
use utoipa::openapi::schema::{Object, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use super::super::TYPE;
use super::{Walk, is_closed, type_name};

impl<'a> Walk<'a> {
    pub(super) fn choice(
        &mut self,
        items: &'a [RefOr<Schema>],
        value: &Value,
        pointer: &mut String,
    ) {
        if let Some(tags) = self.tags(items)
            && value.is_object()
        {
            self.tagged(&tags, value, pointer);
            return;
        }
        let mut candidates: Vec<Vec<Fault>> = Vec::new();
        for item in items {
            let mut part = Walk { described: self.described, faults: Vec::new() };
            part.value(item, value, pointer);
            if part.faults.is_empty() {
                return;
            }
            let other_type = |fault: &Fault| fault.code == TYPE && fault.pointer == *pointer;
            if !part.faults.iter().any(other_type) {
                candidates.push(part.faults);
            }
        }
        let not_a_word = |faults: &Vec<Fault>| {
            faults.iter().all(|fault| fault.code == "enum" && fault.pointer == *pointer)
        };
        if candidates.len() > 1 && candidates.iter().all(not_a_word) {
            let words: Vec<&Value> = items.iter().flat_map(|item| self.words(item)).collect();
            self.not_among(&words, pointer);
            return;
        }
        match candidates.into_iter().min_by_key(Vec::len) {
            Some(faults) => {
                for fault in faults {
                    self.add(&fault.pointer, &fault.code, fault.detail);
                }
            }
            None => {
                let wanted: BTreeSet<&str> =
                    items.iter().flat_map(|item| self.types(item)).collect();
                let wanted: Vec<&str> = wanted.into_iter().collect();
                self.wrong_type(&wanted, value, pointer);
            }
        }
    }

    pub(super) fn all_of(
        &mut self,
        items: &'a [RefOr<Schema>],
        value: &Value,
        pointer: &mut String,
    ) {
        let objects: Vec<&'a Object> =
            items.iter().filter_map(|item| self.an_object(item)).collect();
        for item in items {
            match self.an_object(item) {
                Some(object) => self.object(object, value, pointer, false),
                None => self.value(item, value, pointer),
            }
        }
        let Value::Object(members) = value else { return };
        if objects.len() == items.len() && objects.iter().all(|object| is_closed(object)) {
            for name in members.keys() {
                if !objects.iter().any(|object| object.properties.contains_key(name)) {
                    self.unknown(name, pointer);
                }
            }
        }
    }

    fn an_object(&self, schema: &'a RefOr<Schema>) -> Option<&'a Object> {
        match self.resolve(schema) {
            Some(Schema::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// The tag of each alternative, when each has one and all go by the same name.
    fn tags(&self, items: &'a [RefOr<Schema>]) -> Option<Vec<Tag<'a>>> {
        let tags: Option<Vec<Tag<'a>>> = items
            .iter()
            .filter(|item| self.an_object(item).is_none_or(|object| !is_null(object)))
            .map(|item| self.tag(item))
            .collect();
        tags.filter(|tags| {
            tags.first().is_some_and(|first| tags.iter().all(|tag| tag.name == first.name))
        })
    }

    /// The required property of an alternative that can have only one value.
    fn tag(&self, item: &'a RefOr<Schema>) -> Option<Tag<'a>> {
        let objects: Vec<&'a Object> = match self.resolve(item)? {
            Schema::Object(object) => vec![object],
            Schema::AllOf(all) => {
                all.items.iter().filter_map(|part| self.an_object(part)).collect()
            }
            _ => return None,
        };
        objects.into_iter().find_map(|object| {
            object.required.iter().find_map(|name| {
                let property = self.an_object(object.properties.get(name)?)?;
                match property.enum_values.as_deref() {
                    Some([value]) => Some(Tag { name, value, item }),
                    _ => None,
                }
            })
        })
    }

    fn tagged(&mut self, tags: &[Tag<'a>], value: &Value, pointer: &mut String) {
        let Some(name) = tags.first().map(|tag| tag.name) else { return };
        let Some(given) = value.get(name) else {
            self.missing(name, pointer);
            return;
        };
        if let Some(tag) = tags.iter().find(|tag| tag.value == given) {
            self.value(tag.item, value, pointer);
            return;
        }
        let length = pointer.len();
        super::push(pointer, name);
        if given.is_string() {
            let words: Vec<&Value> = tags.iter().map(|tag| tag.value).collect();
            self.not_among(&words, pointer);
        } else {
            self.wrong_type(&["a string"], given, pointer);
        }
        pointer.truncate(length);
    }

    /// The words of an enum, through alternatives.
    fn words(&self, schema: &'a RefOr<Schema>) -> Vec<&'a Value> {
        match self.resolve(schema) {
            Some(Schema::Object(object)) => object.enum_values.iter().flatten().collect(),
            Some(Schema::OneOf(choice)) => {
                choice.items.iter().flat_map(|item| self.words(item)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The JSON types that a schema allows, as far as it says so itself.
    fn types(&self, schema: &'a RefOr<Schema>) -> Vec<&'static str> {
        let of = |wanted: &SchemaType| match wanted {
            SchemaType::Type(one) => vec![type_name(one)],
            SchemaType::Array(several) => several.iter().map(type_name).collect(),
            SchemaType::AnyValue => Vec::new(),
        };
        match self.resolve(schema) {
            Some(Schema::Object(object)) => of(&object.schema_type),
            Some(Schema::Array(array)) => of(&array.schema_type),
            Some(Schema::OneOf(choice)) => {
                choice.items.iter().flat_map(|item| self.types(item)).collect()
            }
            Some(Schema::AnyOf(choice)) => {
                choice.items.iter().flat_map(|item| self.types(item)).collect()
            }
            Some(Schema::AllOf(_)) => vec!["an object"],
            _ => Vec::new(),
        }
    }
}

struct Tag<'a> {
    name: &'a str,
    value: &'a Value,
    item: &'a RefOr<Schema>,
}

fn is_null(object: &Object) -> bool {
    object.schema_type == SchemaType::Type(Type::Null)
}
