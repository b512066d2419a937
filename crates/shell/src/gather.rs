//! Gathering: reading what a decision will rest on.
//!
//! Every record and set read through a [`Gather`] becomes a witness: the commit checks that it is
//! still as it was read. Counters do not; guards protect them. Reads are remembered, so asking
//! twice costs nothing and gives the same, and [`Gather::prefetch`] reads many things at one
//! moment in one round trip.

mod laid;
mod page;
mod parse;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use serde::de::DeserializeOwned;
use tradewind_kernel::event::Domain;
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::refusal::Refusal;
use tradewind_kernel::{Day, Id, Instant};

use crate::failure::Failure;
use crate::store::{Check, Found, MarkState, Needs, Outage, Read, ReadRequest, Store};
use crate::world::{Answered, AskError, World};

use self::parse::{misread, parse, parse_json};

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    /// The version of the commit that wrote it; its `ETag`.
    pub version: u64,
    /// The record.
    pub value: T,
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What was read, to be carried into the next try when only counters have changed.
pub(crate) type Carried = Vec<(Read, Found)>;

#[derive(Default)]
struct Memory {
    known: Carried,
    checks: BTreeSet<Check>,
    sequence: u64,
    laid: laid::Laid,
}

/// Reads for one decision or one answer.
pub struct Gather<'w, W: World> {
    world: &'w W,
    tenant: &'w str,
    domain: Domain,
    needs: Needs,
    now: Instant,
    attempt: u32,
    memory: RefCell<Memory>,
}

impl<'w, W: World> Gather<'w, W> {
    /// A fresh gathering of `domain` for `tenant`; `attempt` counts from 0.
    #[must_use]
    pub fn new(world: &'w W, tenant: &'w str, domain: Domain, needs: Needs, attempt: u32) -> Self {
        let memory = RefCell::default();
        Self { world, tenant, domain, needs, now: world.now(), attempt, memory }
    }

    pub(crate) fn carrying(self, known: Carried) -> Self {
        for (read, found) in known {
            self.remember(read, found);
        }
        self
    }

    pub(crate) fn carried(&self) -> Carried {
        self.memory.borrow().known.clone()
    }

    /// The world, for asks: `g.world().asks()`.
    #[must_use]
    pub fn world(&self) -> &'w W {
        self.world
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &'w str {
        self.tenant
    }

    /// The business clock, the same throughout this gathering.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Which try this is, from 0: what is merely better, but could be missed for ever under load,
    /// is not insisted on in late tries.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The tenant's sequence as of the last read.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.memory.borrow().sequence
    }

    /// A fresh id of ours.
    #[must_use]
    pub fn id(&self, prefix: &str) -> Id {
        Id::unique(prefix, self.now, self.world.random())
    }

    /// Everything read so far that must still be so.
    #[must_use]
    pub fn witnesses(&self) -> Vec<Check> {
        self.memory.borrow().checks.iter().cloned().collect()
    }

    /// Adds a witness.
    pub fn witness(&self, check: Check) {
        self.memory.borrow_mut().checks.insert(check);
    }

    /// The answer of an ask; its witnesses become ours.
    ///
    /// # Errors
    /// `Behind` and outages as such; a refused question as a 422 refusal with its code.
    pub fn asked<T>(&self, answer: Result<Answered<T>, AskError>) -> Result<T, Failure> {
        match answer {
            Ok(answered) => {
                self.memory.borrow_mut().checks.extend(answered.witnesses);
                Ok(answered.value)
            }
            Err(AskError::Behind) => Err(Failure::Behind),
            Err(AskError::Unavailable(why)) => Err(Outage(why).into()),
            Err(AskError::Refused(code, detail)) => {
                let kind = tradewind_kernel::refusal::RefusalKind::Invalid;
                Err(Refusal::new(kind, code, detail).into())
            }
        }
    }

    /// Wraps an answer of ours with what it rests on, for `queries.rs`.
    pub fn answer<T>(&self, value: T) -> Answered<T> {
        Answered { value, witnesses: self.witnesses(), sequence: self.sequence() }
    }

    /// Reads many things at one moment; later reads of the same find them remembered.
    ///
    /// # Errors
    /// Outages; `Behind` when the domain must catch up.
    pub async fn prefetch(&self, reads: Vec<Read>) -> Result<(), Failure> {
        self.fetch(reads).await.map(|_| ())
    }

    /// Reads these things, in order.
    ///
    /// # Errors
    /// Outages; `Behind` when the domain must catch up.
    pub async fn fetch(&self, reads: Vec<Read>) -> Result<Vec<Found>, Failure> {
        let missing: Vec<Read> =
            reads.iter().filter(|read| self.remembered(read).is_none()).cloned().collect();
        if !missing.is_empty() {
            let request = ReadRequest {
                tenant: self.tenant.to_owned(),
                domain: self.domain,
                needs: self.needs.clone(),
                reads: missing,
            };
            let snapshot = self.world.store().read(&request).await?;
            if snapshot.behind {
                return Err(Failure::Behind);
            }
            self.memory.borrow_mut().sequence = snapshot.sequence;
            for (read, found) in request.reads.into_iter().zip(snapshot.found) {
                self.remember(read, found);
            }
        }
        reads
            .iter()
            .map(|read| {
                self.remembered(read)
                    .ok_or_else(|| Outage("the store left a read unanswered".to_owned()).into())
            })
            .collect()
    }

    fn remembered(&self, read: &Read) -> Option<Found> {
        let memory = self.memory.borrow();
        memory.known.iter().find(|(known, _)| known == read).map(|(_, found)| found.clone())
    }

    fn remember(&self, read: Read, mut found: Found) {
        let mut memory = self.memory.borrow_mut();
        match (&read, &found) {
            (Read::Record { key }, Found::Record(record)) => {
                let version = record.as_ref().map_or(0, |record| record.version);
                memory.checks.insert(Check::Record { key: key.clone(), version });
            }
            (Read::Set { key }, Found::Set(version, _))
            | (Read::Members { key, .. }, Found::Members(version, _)) => {
                memory.checks.insert(Check::Set { key: key.clone(), version: *version });
            }
            _ => {}
        }
        memory.laid.show_in(&read, &mut found);
        memory.known.push((read, found));
    }

    async fn one(&self, read: Read) -> Result<Found, Failure> {
        let mut found = self.fetch(vec![read]).await?;
        found.pop().ok_or_else(|| Outage("the store left a read unanswered".to_owned()).into())
    }

    /// A record, and its version.
    ///
    /// # Errors
    /// Outages; `Behind`; a record that does not read as `T` is an outage, told to the operator.
    pub async fn record<T: DeserializeOwned>(
        &self,
        key: impl Into<String>,
    ) -> Result<Option<Kept<T>>, Failure> {
        let key = key.into();
        match self.one(Read::Record { key: key.clone() }).await? {
            Found::Record(record) => record.map(|record| parse(&key, &record)).transpose(),
            other => Err(misread(&key, &other)),
        }
    }

    /// Several records, in order, at one moment.
    ///
    /// # Errors
    /// As [`Gather::record`].
    pub async fn records<T: DeserializeOwned>(
        &self,
        keys: Vec<String>,
    ) -> Result<Vec<Option<Kept<T>>>, Failure> {
        let reads = keys.iter().map(|key| Read::Record { key: key.clone() }).collect();
        let found = self.fetch(reads).await?;
        keys.iter()
            .zip(found)
            .map(|(key, found)| match found {
                Found::Record(record) => record.map(|record| parse(key, &record)).transpose(),
                other => Err(misread(key, &other)),
            })
            .collect()
    }

    /// All members of a set.
    ///
    /// # Errors
    /// As [`Gather::record`].
    pub async fn set<T: DeserializeOwned>(
        &self,
        key: impl Into<String>,
    ) -> Result<BTreeMap<String, T>, Failure> {
        let key = key.into();
        match self.one(Read::Set { key: key.clone() }).await? {
            Found::Set(_, members) => members
                .into_iter()
                .map(|(name, json)| Ok((name, parse_json(&key, &json)?)))
                .collect(),
            other => Err(misread(&key, &other)),
        }
    }

    /// Some members of a set, in the order asked.
    ///
    /// # Errors
    /// As [`Gather::record`].
    pub async fn members<T: DeserializeOwned>(
        &self,
        key: impl Into<String>,
        members: Vec<String>,
    ) -> Result<Vec<Option<T>>, Failure> {
        let key = key.into();
        match self.one(Read::Members { key: key.clone(), members }).await? {
            Found::Members(_, values) => values
                .into_iter()
                .map(|json| json.map(|json| parse_json(&key, &json)).transpose())
                .collect(),
            other => Err(misread(&key, &other)),
        }
    }

    /// A whole group of counters.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn counters(&self, key: impl Into<String>) -> Result<BTreeMap<String, i64>, Failure> {
        let key = key.into();
        match self.one(Read::Counters { key: key.clone() }).await? {
            Found::Counters(counters) => Ok(counters),
            other => Err(misread(&key, &other)),
        }
    }

    /// Some counters of a group, in the order asked.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn counter_fields(
        &self,
        key: impl Into<String>,
        fields: Vec<String>,
    ) -> Result<Vec<i64>, Failure> {
        let key = key.into();
        match self.one(Read::CounterFields { key: key.clone(), fields }).await? {
            Found::CounterFields(values) => Ok(values),
            other => Err(misread(&key, &other)),
        }
    }

    /// Names of an index, after a name that need not be in it; empty for the start.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn list(
        &self,
        index: impl Into<String>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>, Failure> {
        let (index, after) = (index.into(), after.to_owned());
        match self.one(Read::List { index: index.clone(), after, limit }).await? {
            Found::Names(names) => Ok(names.into_iter().map(|(name, _)| name).collect()),
            other => Err(misread(&index, &other)),
        }
    }

    /// What is due in an index: names and scores, lowest first.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn due(
        &self,
        index: impl Into<String>,
        until: i64,
        limit: usize,
    ) -> Result<Vec<(String, i64)>, Failure> {
        let index = index.into();
        match self.one(Read::Due { index: index.clone(), until, limit }).await? {
            Found::Names(names) => Ok(names),
            other => Err(misread(&index, &other)),
        }
    }

    /// The mark of an item of this domain.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn mark(&self, item: &str) -> Result<Option<MarkState>, Failure> {
        let read = Read::Mark { domain: self.domain, item: item.to_owned() };
        match self.one(read).await? {
            Found::Marks(mut marks) => Ok(marks.pop()),
            other => Err(misread(item, &other)),
        }
    }

    /// Insists that an item does not wait: `Behind` when it does, so that the shell works it and
    /// tries again. In late tries an item that is marked all the time is let through.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn settled(&self, item: &str) -> Result<(), Failure> {
        if self.mark(item).await?.is_some() && self.attempt < crate::run::PATIENT_ATTEMPTS {
            return Err(Failure::Behind);
        }
        Ok(())
    }

    /// The tenant's settings as this domain knows them; a bare tenant has the defaults.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn settings(&self) -> Result<SettingsChanged, Failure> {
        let kept = self.record::<SettingsChanged>(crate::settings::key(self.domain)).await?;
        Ok(kept.map(|kept| kept.value).unwrap_or_default())
    }

    /// Today in the tenant's zone.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn today(&self) -> Result<Day, Failure> {
        Ok(self.now.day_in(self.settings().await?.zone))
    }
}
