//! A call of a script function: its keys, each named once, and its arguments, packed.

use std::collections::BTreeMap;

use super::Function;
use super::packed::Packer;
use crate::store::keys;

/// A call of a script function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The function.
    pub function: Function,
    /// The keys, with the tenant's prefix.
    pub keys: Vec<String>,
    /// The arguments as one list: numbers and texts.
    pub packed: Vec<u8>,
}

impl Request {
    /// The arguments of the `FCALL` command.
    #[must_use]
    pub fn into_arguments(self) -> Vec<Vec<u8>> {
        let count = self.keys.len().to_string();
        let head = [self.function.name(), count];
        let words = head.into_iter().chain(self.keys).map(String::into_bytes);
        words.chain([self.packed]).collect()
    }
}

/// Puts a [`Request`] together.
pub(super) struct Builder<'a> {
    function: Function,
    prefix: String,
    keys: Vec<String>,
    /// By length first: keys begin alike, and telling them apart by their letters takes longer.
    places: BTreeMap<(usize, &'a str), usize>,
    arguments: Packer,
}

impl<'a> Builder<'a> {
    pub(super) fn new(function: Function, tenant: &str) -> Self {
        Self {
            function,
            prefix: format!("{{{tenant}}}:"),
            keys: Vec::new(),
            places: BTreeMap::new(),
            arguments: Packer::default(),
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
        self.keys.push(full);
    }

    /// The place of a key, from 1; adds it when it is new.
    pub(super) fn place(&mut self, key: &'a str) -> usize {
        if let Some(place) = self.places.get(&(key.len(), key)) {
            return *place;
        }
        self.key(key);
        let place = self.keys.len();
        self.places.insert((key.len(), key), place);
        place
    }

    /// Adds a key's place as an argument.
    pub(super) fn key_argument(&mut self, key: &'a str) {
        let place = self.place(key);
        self.number(place);
    }

    /// Adds a text.
    pub(super) fn text(&mut self, text: &str) {
        self.arguments.text(text);
    }

    /// Adds a number that is counted with.
    pub(super) fn number(&mut self, number: impl TryInto<i64>) {
        // What 64 bits do not hold is beyond everything that is counted.
        self.arguments.number(number.try_into().unwrap_or(i64::MAX));
    }

    /// Adds a number as text: what goes on to Redis, or is compared with what Redis has.
    pub(super) fn digits(&mut self, number: impl ToString) {
        self.text(&number.to_string());
    }

    /// Adds how many there are, and each.
    pub(super) fn counted<T: AsRef<str>>(&mut self, all: impl ExactSizeIterator<Item = T>) {
        self.number(all.len());
        all.for_each(|one| self.text(one.as_ref()));
    }

    pub(super) fn finish(self) -> Request {
        Request { function: self.function, keys: self.keys, packed: self.arguments.finish() }
    }
}
