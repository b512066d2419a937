//! Every place of a body by its schema, and a lawful body that has it.

use std::fmt;

use serde_json::{Map, Value};

use super::super::lawful::Maker;
use super::super::schema::resolved;

/// The key under which a map's value is placed: a channel that there is.
pub(super) const KEY: &str = "web";

/// One step from a value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of this name.
    Member(String),
    /// The first item.
    Item,
    /// The value of a map under [`KEY`].
    Entry,
    /// One of several forms of the same value, by its position.
    Form(usize),
}

/// A place of a body.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    /// The way from the body to it.
    pub steps: Vec<Step>,
    /// What the document says of it, references followed.
    pub schema: &'a Value,
}

impl Place<'_> {
    /// Where it is (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        let step = |step: &Step| match step {
            Step::Member(name) => format!("/{}", escaped(name)),
            Step::Item => "/0".to_owned(),
            Step::Entry => format!("/{KEY}"),
            Step::Form(_) => String::new(),
        };
        self.steps.iter().map(step).collect()
    }

    /// Whether it is one form of several.
    pub(super) fn is_form(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Form(_)))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            match step {
                Step::Member(name) => write!(formatter, "/{}", escaped(name))?,
                Step::Item => write!(formatter, "/*")?,
                Step::Entry => write!(formatter, "/{{key}}")?,
                Step::Form(number) => write!(formatter, "({})", number + 1)?,
            }
        }
        Ok(())
    }
}

/// A name as it stands in a pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Every place of a schema, itself first. A reference within itself is not followed again.
pub(super) fn places<'a>(document: &'a Value, schema: &'a Value) -> Vec<Place<'a>> {
    let mut walk = Walk { document, steps: Vec::new(), references: Vec::new(), found: Vec::new() };
    walk.schema(schema);
    walk.found
}

struct Walk<'a> {
    document: &'a Value,
    steps: Vec<Step>,
    references: Vec<&'a str>,
    found: Vec<Place<'a>>,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value) {
        let reference = schema["$ref"].as_str();
        if reference.is_some_and(|reference| self.references.contains(&reference)) {
            return;
        }
        self.references.extend(reference);
        let schema = resolved(self.document, schema);
        self.found.push(Place { steps: self.steps.clone(), schema });
        for (number, form) in schema["oneOf"].as_array().into_iter().flatten().enumerate() {
            self.step(Step::Form(number), form);
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            self.step(Step::Member(name.clone()), member);
        }
        if schema["items"].is_object() {
            self.step(Step::Item, &schema["items"]);
        }
        if schema["additionalProperties"].is_object() {
            self.step(Step::Entry, &schema["additionalProperties"]);
        }
        if reference.is_some() {
            self.references.pop();
        }
    }

    fn step(&mut self, step: Step, schema: &'a Value) {
        self.steps.push(step);
        self.schema(schema);
        self.steps.pop();
    }
}

/// A value that has the place to which the steps lead: what must be there, and the way.
pub(super) fn built(
    maker: &mut Maker<'_>,
    schema: &Value,
    steps: &[Step],
    name: &str,
) -> Option<Value> {
    let schema = resolved(maker.document, schema);
    let Some((step, rest)) = steps.split_first() else { return Some(maker.value(schema, name)) };
    match step {
        Step::Form(number) => built(maker, schema["oneOf"].get(number)?, rest, name),
        Step::Item => {
            let least = schema["minItems"].as_u64().unwrap_or(0).max(1);
            let first = built(maker, &schema["items"], rest, name)?;
            let others = (1..least).map(|_| maker.value(&schema["items"], name));
            Some(std::iter::once(first).chain(others).collect())
        }
        Step::Entry => {
            let value = built(maker, &schema["additionalProperties"], rest, KEY)?;
            Some(Value::Object(Map::from_iter([(KEY.to_owned(), value)])))
        }
        Step::Member(wanted) => {
            let mut members = Map::new();
            for name in required(schema) {
                members.insert(name.to_owned(), maker.value(&schema["properties"][name], name));
            }
            let member = built(maker, schema["properties"].get(wanted)?, rest, wanted)?;
            members.insert(wanted.clone(), member);
            Some(Value::Object(members))
        }
    }
}

/// The members that an object must have.
pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}
