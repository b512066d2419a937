//! The schemas of a document, by name.
//!
//! utoipa's schemas are published with what the check of bodies adds to them: integers without
//! bounds get those of their width, bodies are closed to unknown fields, flattened structs become
//! one object, and references to a bare number or text are put in place.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::Number;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, Object, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::route::Described;
use crate::schema::format::{self, FORMATS};
use crate::schema::{MAX_MEMBERS, bounds, is_closed};

#[derive(Default)]
pub(super) struct Registry {
    /// As utoipa gave them; and whether a body has them.
    raw: BTreeMap<String, (RefOr<Schema>, bool)>,
    clashes: BTreeSet<String>,
}

impl Registry {
    /// Adds a type and its parts; `closed` when it is read from callers.
    pub(super) fn add(&mut self, described: &Described, closed: bool) {
        for (name, schema) in &described.parts {
            if !self.put(name, schema, closed) {
                self.clashes.insert(name.clone());
            }
        }
        if stands_alone(described) {
            self.put(&described.name, &described.schema, closed);
        }
    }

    fn put(&mut self, name: &str, schema: &RefOr<Schema>, closed: bool) -> bool {
        let kept = self.raw.entry(name.to_owned()).or_insert_with(|| (schema.clone(), closed));
        kept.1 |= closed;
        kept.0 == *schema
    }

    /// How an operation names a type: by reference, or in place when it has no name of its own.
    pub(super) fn reference(&self, described: &Described, closed: bool) -> RefOr<Schema> {
        match self.raw.get(&described.name) {
            Some((kept, _)) if stands_alone(described) && *kept == described.schema => {
                RefOr::Ref(Ref::from_schema_name(described.name.clone()))
            }
            _ => self.published_one(&described.schema, closed),
        }
    }

    /// All schemas as they are published.
    pub(super) fn published(&self) -> impl Iterator<Item = (String, RefOr<Schema>)> {
        self.raw
            .iter()
            .filter(|(name, _)| !is_primitive(name))
            .map(|(name, (schema, closed))| (name.clone(), self.published_one(schema, *closed)))
    }

    /// What [`super::faults`] says of types.
    pub(super) fn faults(&self) -> Vec<String> {
        let clashes = self.clashes.iter().map(|name| format!("two types are called `{name}`"));
        let mut faults: Vec<String> = clashes.collect();
        for (name, (schema, closed)) in &self.raw {
            if *closed && is_primitive(name) {
                faults.push(format!("a body has an alias of `{name}`; write {name} in its place"));
            }
            if let RefOr::T(schema) = schema
                && *closed
            {
                self.faults_within(name, schema, &mut faults);
            }
        }
        faults
    }

    fn faults_within(&self, name: &str, schema: &Schema, faults: &mut Vec<String>) {
        match schema {
            Schema::Object(object) => {
                let silent = object.properties.is_empty() && object.additional_properties.is_none();
                if object.schema_type == SchemaType::Type(Type::Object) && silent {
                    faults.push(format!("`{name}` says nothing of its fields"));
                }
                if object.schema_type == SchemaType::Type(Type::Number) {
                    faults.push(format!("`{name}` has a binary float"));
                }
                if let Some(SchemaFormat::Custom(format)) = &object.format
                    && !FORMATS.contains(&format.as_str())
                {
                    faults
                        .push(format!("`{name}` has the format `{format}`, which is not checked"));
                }
                let checked =
                    object.format.as_ref().is_some_and(|named| !format::name(named).is_empty());
                if object.pattern.is_some() && !checked {
                    faults.push(format!("`{name}` has a pattern, which is not checked"));
                }
                if is_unbounded(object) {
                    faults.push(format!("`{name}` has a text of any length"));
                }
                let inner = object.properties.values().filter_map(in_place);
                inner.for_each(|property| self.faults_within(name, property, faults));
            }
            Schema::Array(array) => {
                if array.max_items.is_none() {
                    faults.push(format!("`{name}` has a list of any length"));
                }
                if let ArrayItems::RefOrSchema(item) = &array.items
                    && let RefOr::T(item) = item.as_ref()
                {
                    self.faults_within(name, item, faults);
                }
            }
            Schema::OneOf(choice) => {
                let inner = choice.items.iter().filter_map(in_place);
                inner.for_each(|item| self.faults_within(name, item, faults));
            }
            _ => {}
        }
    }

    fn published_one(&self, schema: &RefOr<Schema>, closed: bool) -> RefOr<Schema> {
        match schema {
            RefOr::Ref(reference) => match self.primitive(reference) {
                Some(schema) => self.published_one(schema, closed),
                None => schema.clone(),
            },
            RefOr::T(schema) => RefOr::T(self.published_schema(schema, closed)),
        }
    }

    fn primitive(&self, reference: &Ref) -> Option<&RefOr<Schema>> {
        let name = reference.ref_location.rsplit('/').next()?;
        self.raw.get(name).filter(|_| is_primitive(name)).map(|(schema, _)| schema)
    }

    fn published_schema(&self, schema: &Schema, closed: bool) -> Schema {
        let each = |items: &[RefOr<Schema>]| -> Vec<RefOr<Schema>> {
            items.iter().map(|item| self.published_one(item, closed)).collect()
        };
        match schema {
            Schema::Object(object) => Schema::Object(self.published_object(object, closed)),
            Schema::Array(array) => {
                let mut array = array.clone();
                if let ArrayItems::RefOrSchema(item) = &array.items {
                    array.items =
                        ArrayItems::RefOrSchema(Box::new(self.published_one(item, closed)));
                }
                Schema::Array(array)
            }
            Schema::OneOf(choice) => {
                let mut choice = choice.clone();
                choice.items = each(&choice.items);
                // Generators of clients know plain defaults; the description tells of a whole one.
                choice.default = choice.default.filter(|default| !default.is_object());
                Schema::OneOf(choice)
            }
            Schema::AnyOf(choice) => {
                let mut choice = choice.clone();
                choice.items = each(&choice.items);
                Schema::AnyOf(choice)
            }
            Schema::AllOf(all) => match self.merged(&all.items) {
                Some(mut object) => {
                    object.description.clone_from(&all.description);
                    Schema::Object(self.published_object(&object, closed))
                }
                None => {
                    let mut all = all.clone();
                    all.items = each(&all.items);
                    Schema::AllOf(all)
                }
            },
            _ => schema.clone(),
        }
    }

    fn published_object(&self, object: &Object, closed: bool) -> Object {
        let mut object = object.clone();
        if let (Some(low), Some(high)) = bounds(&object) {
            // Every bound is exact in a double, and the same on every platform.
            object.minimum = Some(Number::Float(low as f64));
            object.maximum = Some(Number::Float(high as f64));
            object.exclusive_minimum = None;
            object.exclusive_maximum = None;
        }
        for property in object.properties.values_mut() {
            *property = self.published_one(property, closed);
        }
        if let Some(AdditionalProperties::RefOr(schema)) = object.additional_properties.as_deref() {
            let schema = AdditionalProperties::RefOr(self.published_one(schema, closed));
            object.additional_properties = Some(Box::new(schema));
            object.max_properties = closed.then_some(MAX_MEMBERS);
        } else if closed && is_closed(&object) {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        object
    }

    /// Objects that are all meant at once, as one.
    fn merged(&self, items: &[RefOr<Schema>]) -> Option<Object> {
        let mut whole = Object::new();
        for item in items {
            let part = self.resolved_object(item)?;
            whole.properties.extend(part.properties.clone());
            whole.required.extend(part.required.iter().cloned());
            whole.additional_properties = part.additional_properties.clone();
        }
        Some(whole)
    }

    fn resolved_object<'a>(&'a self, schema: &'a RefOr<Schema>) -> Option<&'a Object> {
        let schema = match schema {
            RefOr::T(schema) => schema,
            RefOr::Ref(reference) => {
                match self.raw.get(reference.ref_location.rsplit('/').next()?)? {
                    (RefOr::T(schema), _) => schema,
                    _ => return None,
                }
            }
        };
        match schema {
            Schema::Object(object) => Some(object),
            _ => None,
        }
    }
}

fn in_place(schema: &RefOr<Schema>) -> Option<&Schema> {
    match schema {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(_) => None,
    }
}

/// Whether texts of any length are allowed, as far as the schema says. A ratio is the one format
/// that does not bound its texts by itself.
fn is_unbounded(object: &Object) -> bool {
    let text = match &object.schema_type {
        SchemaType::Type(one) => *one == Type::String,
        SchemaType::Array(several) => several.contains(&Type::String),
        SchemaType::AnyValue => false,
    };
    let format = object.format.as_ref().map_or("", format::name);
    let bounded = FORMATS.contains(&format) && format != "ratio";
    text && !bounded && object.enum_values.is_none() && object.max_length.is_none()
}

/// Lists and bare values have no name worth publishing.
fn stands_alone(described: &Described) -> bool {
    !matches!(described.schema, RefOr::T(Schema::Array(_))) && !is_primitive(&described.name)
}

fn is_primitive(name: &str) -> bool {
    name == "String" || name.starts_with(|first: char| first.is_ascii_lowercase())
}
