//! Gathering: reading what a decision will rest on.
//!
//! Every record and set read through a [`Gather`] becomes a witness: the commit checks that it is
//! still as it was read. Counters do not; guards protect them. Asking twice costs nothing and gives
//! the same, and [`Gather::prefetch`] reads many things at one moment in one round trip.
//!
//! The first try of a command may rest on what the instance remembers ([`crate::cache`]): its
//! commit checks that. Whatever else would come of it, a refusal above all, is gathered anew.

mod laid;
mod page;
pub(crate) mod parse;
mod typed;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;
use std::rc::Rc;

use tradewind_kernel::event::Domain;
use tradewind_kernel::refusal::{Refusal, RefusalKind};
use tradewind_kernel::{Id, Instant};

use crate::cache::Entry;
use crate::failure::Failure;
use crate::store::{Check, Found, Needs, Outage, Read, ReadRequest, Store};
use crate::world::{Answered, AskError, World};

/// A batch of more reads than this is not remembered: a page of a list is not what the next command
/// rests on, and would push out what is.
const MOST_REMEMBERED: usize = 64;

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

/// How far a gathering may rest on what the instance remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It knows nothing of it: reactions, and who gathers apart.
    Apart,
    /// Everything is read; what was decoded before is not decoded again.
    Fresh,
    /// Records and sets may be remembered ones, since a commit will check them.
    Remembered,
}

/// What was read, to be carried into the next try when only counters have changed.
#[derive(Default)]
pub(crate) struct Carried {
    known: Vec<(Read, Rc<Entry>)>,
    life: Option<u64>,
}

#[derive(Default)]
struct Memory {
    known: HashMap<Read, Rc<Entry>>,
    /// Witnesses that are not reads of ours.
    further: BTreeSet<Check>,
    sequence: u64,
    /// What effects before this one have written and not committed.
    laid: laid::Laid,
    /// The life of the store that answered last, remembered answers included.
    life: Option<u64>,
    /// The life from which something is remembered: a witness too.
    remembered: Option<u64>,
    /// Something is remembered that the store has not confirmed yet.
    unconfirmed: bool,
}

/// Reads for one decision or one answer.
pub struct Gather<'w, W: World> {
    world: &'w W,
    tenant: &'w str,
    domain: Domain,
    needs: Needs,
    now: Instant,
    attempt: u32,
    trust: Cell<Trust>,
    memory: RefCell<Memory>,
}

impl<'w, W: World> Gather<'w, W> {
    /// A fresh gathering of `domain` for `tenant`; `attempt` counts from 0.
    #[must_use]
    pub fn new(world: &'w W, tenant: &'w str, domain: Domain, needs: Needs, attempt: u32) -> Self {
        let (trust, memory) = (Cell::new(Trust::Apart), RefCell::default());
        Self { world, tenant, domain, needs, now: world.now(), attempt, trust, memory }
    }

    /// As of this moment, if the clock is not there yet.
    pub(crate) fn not_before(mut self, moment: Instant) -> Self {
        self.now = self.now.max(moment);
        self
    }

    pub(crate) fn trusting(self, trust: Trust) -> Self {
        self.trust.set(trust);
        self
    }

    /// Goes on with what a failed guard has confirmed.
    pub(crate) fn carrying(self, carried: Carried) -> Self {
        {
            let mut memory = self.memory.borrow_mut();
            memory.known.extend(carried.known);
            (memory.remembered, memory.life) = (carried.life, carried.life);
        }
        self
    }

    /// After a guard failed, records and sets are as they were (checks come first) and the counters
    /// are at hand: the next try needs no read.
    pub(crate) fn carried(&self, mut live: BTreeMap<String, BTreeMap<String, i64>>) -> Carried {
        let memory = self.memory.borrow();
        let confirmed = |(read, entry): (&Read, &Rc<Entry>)| match read {
            Read::Record { .. } | Read::Set { .. } | Read::Members { .. } => {
                Some((read.clone(), Rc::clone(entry)))
            }
            Read::Counters { key } => {
                let counters = Found::Counters(live.remove(key)?);
                Some((read.clone(), Rc::new(Entry::new(counters, entry.life))))
            }
            _ => None,
        };
        let known = memory.known.iter().filter_map(confirmed).collect();
        Carried { known, life: memory.remembered }
    }

    /// Whether anything rests on what the instance remembers and the store has not confirmed: such
    /// a decision may be committed, and nothing else may come of it.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        self.memory.borrow().unconfirmed
    }

    /// The life of the store that answered last.
    pub(crate) fn life(&self) -> Option<u64> {
        self.memory.borrow().life
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

    /// The tenant's sequence as of the last read; 0 when nothing was read.
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
        let memory = self.memory.borrow();
        let mut checks = memory.further.clone();
        checks.extend(memory.known.iter().filter_map(|(read, entry)| entry.check(read)));
        checks.extend(memory.remembered.map(|life| Check::Life { life }));
        checks.into_iter().collect()
    }

    /// Adds a witness.
    pub fn witness(&self, check: Check) {
        self.memory.borrow_mut().further.insert(check);
    }

    /// The answer of an ask; its witnesses become ours.
    ///
    /// # Errors
    /// `Behind` and outages as such; a refused question as a 422 refusal with its code.
    pub fn asked<T>(&self, answer: Result<Answered<T>, AskError>) -> Result<T, Failure> {
        match answer {
            Ok(answered) => {
                self.memory.borrow_mut().further.extend(answered.witnesses);
                Ok(answered.value)
            }
            Err(AskError::Behind) => Err(Failure::Behind),
            Err(AskError::Unavailable(why)) => Err(Outage(why).into()),
            Err(AskError::Refused(code, detail)) => {
                Err(Refusal::new(RefusalKind::Invalid, code, detail).into())
            }
        }
    }

    /// Wraps an answer of ours with what it rests on, for `queries.rs`.
    pub fn answer<T>(&self, value: T) -> Answered<T> {
        Answered { value, witnesses: self.witnesses(), sequence: self.sequence() }
    }

    /// Reads many things at one moment; later reads of the same find them known. In a command's
    /// first try they may be remembered instead: all of them or none, so that what is read is of
    /// one moment.
    ///
    /// # Errors
    /// Outages; `Behind` when the domain must catch up.
    pub async fn prefetch(&self, reads: Vec<Read>) -> Result<(), Failure> {
        let missing = self.missing(reads);
        if missing.is_empty() || self.recalls(&missing, false) {
            return Ok(());
        }
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
        if snapshot.found.len() != request.reads.len() {
            return Err(unanswered());
        }
        let keeps = self.trust.get() != Trust::Apart && request.reads.len() <= MOST_REMEMBERED;
        let mut memory = self.memory.borrow_mut();
        (memory.sequence, memory.life) = (snapshot.sequence, Some(snapshot.life));
        for (read, found) in request.reads.into_iter().zip(snapshot.found) {
            let entry = Entry::new(found, snapshot.life);
            let entry = if keeps {
                self.world.cache().remember(self.tenant, &read, entry)
            } else {
                Rc::new(entry)
            };
            memory.laid.show_in(&read, &entry);
            memory.known.insert(read, entry);
        }
        Ok(())
    }

    /// Reads these things, in order.
    ///
    /// # Errors
    /// Outages; `Behind` when the domain must catch up.
    pub async fn fetch(&self, reads: Vec<Read>) -> Result<Vec<Found>, Failure> {
        self.prefetch(reads.clone()).await?;
        reads.iter().map(|read| Ok(self.known(read)?.found.clone())).collect()
    }

    /// Takes these from what the instance remembers, counters as well: all of them, or none. Says
    /// whether it did; never in a later try, when live counters are at hand.
    ///
    /// Remembered counters are advice: who rests on them guards everything that they decide. When
    /// they do not serve, [`Gather::begin_anew`].
    #[must_use]
    pub fn recall(&self, reads: Vec<Read>) -> bool {
        let missing = self.missing(reads);
        !missing.is_empty() && self.recalls(&missing, true)
    }

    /// Forgets what was read here and rests on the instance's memory no more: from now on the store
    /// is asked. Witnesses of asks stay.
    pub fn begin_anew(&self) {
        if self.trust.get() == Trust::Remembered {
            self.trust.set(Trust::Fresh);
        }
        let mut memory = self.memory.borrow_mut();
        let further = std::mem::take(&mut memory.further);
        *memory = Memory { further, ..Memory::default() };
    }

    fn missing(&self, mut reads: Vec<Read>) -> Vec<Read> {
        let memory = self.memory.borrow();
        reads.retain(|read| !memory.known.contains_key(read));
        reads
    }

    /// Takes all of these from what is remembered, all of one life, if that is allowed.
    fn recalls(&self, reads: &[Read], counters: bool) -> bool {
        if self.trust.get() != Trust::Remembered {
            return false;
        }
        let mut memory = self.memory.borrow_mut();
        let mut life = memory.remembered;
        let mut entries = Vec::with_capacity(reads.len());
        for read in reads {
            if matches!(read, Read::Counters { .. }) && !counters {
                return false;
            }
            let Some(entry) = self.world.cache().recall(self.tenant, read) else { return false };
            if *life.get_or_insert(entry.life) != entry.life {
                return false;
            }
            entries.push(entry);
        }
        memory.known.extend(reads.iter().cloned().zip(entries));
        (memory.remembered, memory.life, memory.unconfirmed) = (life, life, true);
        true
    }

    fn known(&self, read: &Read) -> Result<Rc<Entry>, Failure> {
        self.found(read).ok_or_else(unanswered)
    }

    /// What is known of this, with what was laid over it.
    fn found(&self, read: &Read) -> Option<Rc<Entry>> {
        let memory = self.memory.borrow();
        memory.laid.shown(read).or_else(|| memory.known.get(read)).map(Rc::clone)
    }

    async fn one(&self, read: Read) -> Result<Rc<Entry>, Failure> {
        if let Some(known) = self.found(&read) {
            return Ok(known);
        }
        self.prefetch(vec![read.clone()]).await?;
        self.known(&read)
    }
}

fn unanswered() -> Failure {
    Outage("the store left a read unanswered".to_owned()).into()
}
