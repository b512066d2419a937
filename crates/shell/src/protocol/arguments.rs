//! A call of a script function: its keys, each named once, and its flat text arguments.

use std::collections::BTreeMap;

use super::Function;
use crate::store::keys;

/// A call of a script function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The function.
    pub function: Function,
    /// The keys, with the tenant's prefix.
    pub keys: Vec<String>,
    /// The arguments.
    pub arguments: Vec<String>,
}

impl Request {
    /// The arguments of the `FCALL` command.
    #[must_use]
    pub fn into_arguments(self) -> Vec<Vec<u8>> {
        let count = self.keys.len().to_string();
        let head = [self.function.name(), count];
        let all = head.into_iter().chain(self.keys).chain(self.arguments);
        all.map(String::into_bytes).collect()
    }
}

/// Puts a [`Request`] together.
pub(super) struct Builder<'a> {
    prefix: String,
    places: BTreeMap<&'a str, usize>,
    request: Request,
}

impl<'a> Builder<'a> {
    pub(super) fn new(function: Function, tenant: &str) -> Self {
        Self {
            prefix: format!("{{{tenant}}}:"),
            places: BTreeMap::new(),
            request: Request { function, keys: Vec::new(), arguments: Vec::new() },
        }
    }

    /// The keys that read, commit and cut begin with.
    pub(super) fn shell_keys(&mut self) {
        for key in [keys::SEQUENCE, keys::CURSORS, keys::LAST, keys::TYPES] {
            self.key(key);
        }
    }

    /// Adds a key, without looking whether it is there.
    pub(super) fn key(&mut self, key: &str) {
        let mut full = String::with_capacity(self.prefix.len().saturating_add(key.len()));
        full.push_str(&self.prefix);
        full.push_str(key);
        self.request.keys.push(full);
    }

    /// The place of a key, from 1; adds it when it is new.
    pub(super) fn place(&mut self, key: &'a str) -> usize {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        self.key(key);
        let place = self.request.keys.len();
        self.places.insert(key, place);
        place
    }

    /// Adds a key's place as an argument.
    pub(super) fn key_argument(&mut self, key: &'a str) {
        let place = self.place(key);
        self.argument(place.to_string());
    }

    /// Adds an argument.
    pub(super) fn argument(&mut self, argument: impl Into<String>) {
        self.request.arguments.push(argument.into());
    }

    /// Adds a number as an argument.
    pub(super) fn number(&mut self, number: impl ToString) {
        self.request.arguments.push(number.to_string());
    }

    /// Adds how many there are, and each.
    pub(super) fn counted<T: Into<String>>(&mut self, all: impl ExactSizeIterator<Item = T>) {
        self.number(all.len());
        all.for_each(|one| self.argument(one));
    }

    pub(super) fn finish(self) -> Request {
        self.request
    }
}
