//! Application variables, the templates that use them, and the import through which a component
//! reads its own.
//!
//! Values are settled when the host starts, all but one: `clock_offset_seconds` may be moved
//! while the host runs, so it is read anew at every use.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use anyhow::{Context, bail};

use crate::bindings::spin::variables::variables as wit;
use crate::instance::{SpinImports, StoreData};
use crate::manifest::{Manifest, is_snake};

/// The variable that a test clock moves: business clock minus real clock.
pub const CLOCK_OFFSET: &str = "clock_offset_seconds";

/// The values of the application's variables.
#[derive(Debug)]
pub struct Variables {
    values: BTreeMap<String, String>,
    clock_offset: Option<AtomicI64>,
    moves: AtomicU64,
}

impl Variables {
    /// Settles every variable: the operator's value, else the default.
    ///
    /// # Errors
    /// A required variable has no value, or the operator gave one that is not declared.
    pub fn settle(
        manifest: &Manifest,
        given: &BTreeMap<String, String>,
        test_clock: bool,
    ) -> anyhow::Result<Variables> {
        if let Some(name) = given.keys().find(|name| !manifest.variables.contains_key(*name)) {
            bail!("variable `{name}` is given, but [variables] of the manifest has none such");
        }
        let mut values = BTreeMap::new();
        for (name, variable) in &manifest.variables {
            let value = given.get(name).or(variable.default.as_ref());
            let value = value.with_context(|| format!("variable `{name}` needs a value"))?;
            values.insert(name.clone(), value.clone());
        }
        let clock_offset = match values.get(CLOCK_OFFSET) {
            Some(value) if test_clock => {
                Some(AtomicI64::new(value.parse().with_context(|| {
                    format!("variable `{CLOCK_OFFSET}` is not a whole number: {value}")
                })?))
            }
            _ => None,
        };
        Ok(Variables { values, clock_offset, moves: AtomicU64::new(0) })
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        match &self.clock_offset {
            Some(offset) if name == CLOCK_OFFSET => {
                Some(offset.load(Ordering::Relaxed).to_string())
            }
            _ => self.values.get(name).cloned(),
        }
    }

    /// Business clock minus real clock; 0 where the application has no such variable.
    pub fn clock_offset_seconds(&self) -> i64 {
        self.get(CLOCK_OFFSET).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// Moves the business clock; false where nothing can be moved.
    pub fn move_clock(&self, offset_seconds: i64) -> bool {
        let Some(offset) = &self.clock_offset else { return false };
        offset.store(offset_seconds, Ordering::Relaxed);
        // After the value: who sees the new number sees the new value.
        self.moves.fetch_add(1, Ordering::Release);
        true
    }

    /// The state of the variables as a number: while it is the same, so are they.
    pub fn state(&self) -> u64 {
        self.moves.load(Ordering::Acquire)
    }
}

/// Text with `{{ name }}` in it.
#[derive(Debug, Clone)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Variable(String),
}

impl Template {
    /// Parses a template, all of whose names must be variables of the application.
    ///
    /// # Errors
    /// A brace is not closed or a name is unknown.
    pub fn parse(text: &str, variables: &Variables) -> anyhow::Result<Template> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after
                .split_once("}}")
                .with_context(|| format!("`{text}`: `{{{{` without `}}}}`"))?;
            let name = name.trim();
            if variables.get(name).is_none() {
                bail!("`{text}` uses the variable `{name}`, which [variables] does not have");
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Template { parts })
    }

    /// The text as it reads now.
    pub fn render(&self, variables: &Variables) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Variable(name) => text.push_str(&variables.get(name).unwrap_or_default()),
            }
        }
        text
    }
}

impl wit::Host for StoreData {}

impl<T: Send> wit::HostWithStore<T> for SpinImports {
    async fn get(
        accessor: &wasmtime::component::Accessor<T, Self>,
        name: String,
    ) -> Result<String, wit::Error> {
        if !is_snake(&name) {
            return Err(wit::Error::InvalidName(format!("`{name}` is not lower snake case")));
        }
        accessor.with(|mut access| {
            let component = &access.get().component;
            match component.variables.get(&name) {
                Some(template) => Ok(template.render(&component.application_variables)),
                None => Err(wit::Error::Undefined(format!(
                    "no variable `{name}` for component `{}`",
                    component.id
                ))),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn manifest() -> Manifest {
        let text = "spin_manifest_version = 2\n[application]\nname = \"a\"\n[variables]\n\
            host = { default = \"h\" }\nport = { required = true }\n\
            clock_offset_seconds = { default = \"0\" }\n";
        Manifest::parse(text).unwrap()
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn values_and_templates() {
        assert!(Variables::settle(&manifest(), &given(&[]), false).is_err());
        assert!(Variables::settle(&manifest(), &given(&[("x", "")]), false).is_err());
        let variables = Variables::settle(&manifest(), &given(&[("port", "1")]), false).unwrap();
        let template = Template::parse("redis://{{ host }}:{{port}}/", &variables).unwrap();
        assert_eq!(template.render(&variables), "redis://h:1/");
        assert!(Template::parse("{{ unknown }}", &variables).is_err());
        assert!(Template::parse("{{ host", &variables).is_err());
    }

    #[test]
    fn only_a_test_clock_moves() {
        let fixed = Variables::settle(&manifest(), &given(&[("port", "1")]), false).unwrap();
        assert!(!fixed.move_clock(5));
        let moving = Variables::settle(&manifest(), &given(&[("port", "1")]), true).unwrap();
        let template = Template::parse("{{ clock_offset_seconds }}", &moving).unwrap();
        let before = moving.state();
        assert!(moving.move_clock(-5));
        assert_ne!(moving.state(), before);
        assert_eq!(template.render(&moving), "-5");
        assert_eq!(moving.clock_offset_seconds(), -5);
    }
}
