//! What an instance remembers of the store between requests: records and sets with their versions,
//! and the counters that it saw last.
//!
//! Stale is safe, and so is absence: a command that rests on something remembered names its version
//! in the commit, with the store's life (see [`Check::Life`]); a stale one fails the commit, is
//! forgotten and read anew. What is not committed (an answer, a refusal, a reaction) never rests on
//! this. Remembered counters are advice: who takes them guards everything that they decide.
//!
//! The memory is bounded and forgets what was not used for longest: it has two halves, and when the
//! young one is full it becomes the old one, whose entries come back only by being used. Nothing
//! here waits, so that requests interleaved in one instance never meet in the middle of a change.

use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::rc::Rc;

use tradewind_kernel::decision::Write;

use crate::store::{Check, Commit, Found, Read, Versioned};

/// Bytes that an instance remembers at most, by estimate: some 4,000 items with their plan and
/// counters, and small beside the memory that an instance has anyway.
pub const MAX_BYTES: usize = 4 << 20;

/// One entry takes at most this share of the memory, so that a huge set does not empty it.
const LARGEST_SHARE: usize = 16;

/// What an entry takes beside its texts: two maps' slots, counts and pointers.
const ENTRY_BYTES: usize = 160;

/// Decoded values take about as much again as their JSON.
const DECODED_FACTOR: usize = 2;

/// What was found of one thing, and what it was decoded to.
pub(crate) struct Entry {
    /// As the store answered.
    pub found: Found,
    /// The life of the store that answered.
    pub life: u64,
    decoded: OnceCell<Rc<dyn Any>>,
}

impl Entry {
    pub(crate) fn new(found: Found, life: u64) -> Self {
        Self { found, life, decoded: OnceCell::new() }
    }

    /// The value, decoded by `decode` unless it was before.
    pub(crate) fn decoded<T: 'static, E>(
        &self,
        decode: impl FnOnce() -> Result<T, E>,
    ) -> Result<Rc<T>, E> {
        let known = self.decoded.get().and_then(|any| Rc::clone(any).downcast::<T>().ok());
        if let Some(known) = known {
            return Ok(known);
        }
        let value = Rc::new(decode()?);
        // Who reads the same record as two types decodes the second one each time.
        let _first = self.decoded.set(Rc::clone(&value) as Rc<dyn Any>);
        Ok(value)
    }

    /// What must still be so when something is committed that rests on it.
    pub(crate) fn check(&self, read: &Read) -> Option<Check> {
        match (read, &self.found) {
            (Read::Record { key }, Found::Record(record)) => {
                let version = record.as_ref().map_or(0, |record| record.version);
                Some(Check::Record { key: key.clone(), version })
            }
            (Read::Set { key }, Found::Set(version, _))
            | (Read::Members { key, .. }, Found::Members(version, _)) => {
                Some(Check::Set { key: key.clone(), version: *version })
            }
            _ => None,
        }
    }

    fn bytes(&self) -> usize {
        let texts = match &self.found {
            Found::Record(record) => record.as_ref().map_or(0, |record| record.json.len()),
            Found::Set(_, members) => {
                let size = |(name, json): (&String, &String)| {
                    name.len().saturating_add(json.len()).saturating_add(ENTRY_BYTES)
                };
                members.iter().map(size).fold(0, usize::saturating_add)
            }
            Found::Counters(counters) => counters.len().saturating_mul(ENTRY_BYTES),
            _ => 0,
        };
        texts.saturating_mul(DECODED_FACTOR).saturating_add(ENTRY_BYTES)
    }
}

/// What an instance remembers; see the head of this file.
#[derive(Default)]
pub struct Cache {
    halves: RefCell<Halves>,
}

#[derive(Default)]
struct Halves {
    young: HashMap<String, Rc<Entry>>,
    old: HashMap<String, Rc<Entry>>,
    young_bytes: usize,
}

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let halves = self.halves.borrow();
        formatter
            .debug_struct("Cache")
            .field("young", &halves.young.len())
            .field("old", &halves.old.len())
            .finish_non_exhaustive()
    }
}

/// Whether something of this kind can be remembered at all, and its name across tenants and kinds.
/// No tenant's name and no key has a line feed in it.
fn place(tenant: &str, read: &Read) -> Option<String> {
    match read {
        Read::Record { key } => Some(named(tenant, 'R', key)),
        Read::Set { key } => Some(named(tenant, 'S', key)),
        Read::Counters { key } => Some(named(tenant, 'C', key)),
        _ => None,
    }
}

fn named(tenant: &str, kind: char, key: &str) -> String {
    let mut name = String::with_capacity(tenant.len().saturating_add(key.len()).saturating_add(2));
    name.push_str(tenant);
    name.push('\n');
    name.push(kind);
    name.push_str(key);
    name
}

impl Halves {
    fn find(&mut self, name: String) -> Option<Rc<Entry>> {
        if let Some(entry) = self.young.get(&name) {
            return Some(Rc::clone(entry));
        }
        let entry = self.old.remove(&name)?;
        self.put(name, Rc::clone(&entry));
        Some(entry)
    }

    fn put(&mut self, name: String, entry: Rc<Entry>) {
        let bytes = entry.bytes().saturating_add(name.len());
        if bytes > MAX_BYTES / LARGEST_SHARE {
            self.forget(&name);
            return;
        }
        if self.young_bytes.saturating_add(bytes) > MAX_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        // Replacing one counts twice until the halves turn: the estimate errs on the safe side.
        self.young_bytes = self.young_bytes.saturating_add(bytes);
        self.old.remove(&name);
        self.young.insert(name, entry);
    }

    fn forget(&mut self, name: &str) {
        self.young.remove(name);
        self.old.remove(name);
    }
}

impl Cache {
    /// What is remembered of this, if anything.
    pub(crate) fn recall(&self, tenant: &str, read: &Read) -> Option<Rc<Entry>> {
        self.halves.borrow_mut().find(place(tenant, read)?)
    }

    /// Remembers what was read just now, and gives back the entry to use: the one that is known
    /// already, with its decoded value, when it is of the same version and life.
    pub(crate) fn remember(&self, tenant: &str, read: &Read, entry: Entry) -> Rc<Entry> {
        let Some(name) = place(tenant, read) else { return Rc::new(entry) };
        let mut halves = self.halves.borrow_mut();
        if let Some(known) = halves.find(name.clone())
            && known.life == entry.life
            && same_version(&known.found, &entry.found)
        {
            return known;
        }
        let entry = Rc::new(entry);
        halves.put(name, Rc::clone(&entry));
        entry
    }

    /// Forgets what a check that failed speaks of; everything, if the store has a new life.
    pub(crate) fn forget(&self, tenant: &str, check: &Check) {
        let mut halves = self.halves.borrow_mut();
        match check {
            Check::Record { key, .. } => halves.forget(&named(tenant, 'R', key)),
            Check::Set { key, .. } => halves.forget(&named(tenant, 'S', key)),
            Check::Unmarked { .. } => {}
            Check::Life { .. } => *halves = Halves::default(),
        }
    }

    /// After a commit of this instance: what it wrote is renewed where it is remembered.
    pub(crate) fn committed(&self, commit: &Commit, version: u64, life: Option<u64>) {
        let mut halves = self.halves.borrow_mut();
        for write in &commit.writes {
            let (kind, key) = match write {
                Write::Put { key, .. } | Write::Delete { key } => ('R', key),
                Write::PutMember { set, .. } | Write::DeleteMember { set, .. } => ('S', set),
                Write::Add { counters, .. } => ('C', counters),
                Write::Index { .. } | Write::Unindex { .. } | Write::Mark { .. } => continue,
            };
            let name = named(&commit.tenant, kind, key);
            let Some(known) = halves.find(name.clone()) else { continue };
            match renewed(&known, write, version, life) {
                Some(entry) => halves.put(name, Rc::new(entry)),
                None => halves.forget(&name),
            }
        }
    }

    /// Remembers counters as a failed guard gave them.
    pub(crate) fn counted(
        &self,
        tenant: &str,
        groups: &BTreeMap<String, BTreeMap<String, i64>>,
        life: u64,
    ) {
        let mut halves = self.halves.borrow_mut();
        for (key, counters) in groups {
            let entry = Entry::new(Found::Counters(counters.clone()), life);
            halves.put(named(tenant, 'C', key), Rc::new(entry));
        }
    }
}

/// A remembered entry after a write of ours; `None` when it is easier to read it anew. Two commits
/// of one instance may be answered in another order than they were done: the later one stays.
fn renewed(known: &Entry, write: &Write, version: u64, life: Option<u64>) -> Option<Entry> {
    let life = life.filter(|life| *life == known.life)?;
    match (write, &known.found) {
        (Write::Put { value, .. }, Found::Record(record)) => {
            let later = record.as_ref().is_none_or(|record| record.version < version);
            let found = Found::Record(Some(Versioned { version, json: value.clone() }));
            later.then(|| Entry::new(found, life))
        }
        (Write::Add { field, delta, .. }, Found::Counters(counters)) => {
            let mut counters = counters.clone();
            let value = counters.entry(field.clone()).or_default();
            *value = value.saturating_add(*delta);
            Some(Entry::new(Found::Counters(counters), life))
        }
        _ => None,
    }
}

fn same_version(known: &Found, read: &Found) -> bool {
    match (known, read) {
        (Found::Record(Some(known)), Found::Record(Some(read))) => known.version == read.version,
        (Found::Record(None), Found::Record(None)) => true,
        (Found::Set(known, _), Found::Set(read, _)) => known == read,
        _ => false,
    }
}
