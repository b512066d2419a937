//! The store: what a component may ask of it, and what that means.
//!
//! There are two: Redis through one script library (`commit.lua`), and one in memory of the same
//! meaning; the same tests hold both. Keys here are relative to the tenant (`inventory:item:X`);
//! a store puts `{tenant}:` before each, so that a tenant is one hash slot.
//!
//! # What is kept
//! * A **record** is one JSON text with the version of the commit that wrote it. An absent record
//!   has version 0. Versions come from the tenant's sequence and never repeat.
//! * A **set** is a group of JSON members under one version; what might not exist is covered by it.
//! * **Counters** are a group of integers. They have no version: guards protect them.
//! * An **index** is a sorted list of names.
//! * A **mark** says that an item of a domain waits for work, and for which causes.
//! * Each domain has a **stream** of events; all streams of a tenant share one sequence. A domain's
//!   **cursor** is the sequence up to which it has reacted.

pub mod keys;
mod work;

use std::collections::BTreeMap;

use tradewind_kernel::decision::{Guard, Write};
use tradewind_kernel::event::{Domain, Event, NewEvent, Origin};

pub use work::{Cut, Lease, TakeUp, Taken, Waiting};

/// The world failed: the store is away, too slow, or said something that makes no sense. Retrying
/// helps; the caller gets 503. The words are for the operator's log alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Outage(pub String);

/// One thing to read. All reads of a request see one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Read {
    /// A record.
    Record {
        /// Its key.
        key: String,
    },
    /// A whole set.
    Set {
        /// Its key.
        key: String,
    },
    /// Some members of a set.
    Members {
        /// The set's key.
        key: String,
        /// Their names.
        members: Vec<String>,
    },
    /// A whole group of counters.
    Counters {
        /// The group's key.
        key: String,
    },
    /// Some counters of a group.
    CounterFields {
        /// The group's key.
        key: String,
        /// Their names.
        fields: Vec<String>,
    },
    /// Members of an index by name, after `after`, at most `limit`.
    List {
        /// The index's key; all its scores are 0.
        index: String,
        /// The name after which to start; empty for the first.
        after: String,
        /// At most so many.
        limit: usize,
    },
    /// Members of an index with a score of at most `until`, lowest first, at most `limit`.
    Due {
        /// The index's key.
        index: String,
        /// The highest score.
        until: i64,
        /// At most so many.
        limit: usize,
    },
    /// The mark of one item.
    Mark {
        /// The domain that would work it.
        domain: Domain,
        /// The item.
        item: String,
    },
    /// At most `limit` marks of a domain, in no order.
    Marks {
        /// The domain.
        domain: Domain,
        /// At most so many.
        limit: usize,
    },
    /// Events of one stream, after a sequence, at most `limit`.
    Events {
        /// The stream's domain.
        domain: Domain,
        /// The sequence after which to start.
        after: u64,
        /// At most so many.
        limit: usize,
    },
}

/// A JSON text and the version of the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The version.
    pub version: u64,
    /// The JSON.
    pub json: String,
}

/// Why an item waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkState {
    /// The item.
    pub item: String,
    /// Changes with every marking; a mark is taken off only as it was read.
    pub token: String,
    /// What marked it, oldest first, without repetition; at most [`MAX_MARK_CAUSES`].
    pub causes: Vec<MarkCause>,
}

/// Causes that a mark remembers. Later ones still mark; their correlations are then served by a
/// re-pegging that cannot name them.
pub const MAX_MARK_CAUSES: usize = 32;

/// One cause of a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkCause {
    /// The correlation of the commit that marked.
    pub correlation: String,
    /// The id of its first event, or empty.
    pub event: String,
    /// Who it was.
    pub by: String,
}

/// What a [`Read`] found, in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// For [`Read::Record`].
    Record(Option<Versioned>),
    /// For [`Read::Set`]: version (0 when never written) and members.
    Set(u64, BTreeMap<String, String>),
    /// For [`Read::Members`]: the set's version, and each member in the order asked.
    Members(u64, Vec<Option<String>>),
    /// For [`Read::Counters`].
    Counters(BTreeMap<String, i64>),
    /// For [`Read::CounterFields`], in the order asked; never written is 0.
    CounterFields(Vec<i64>),
    /// For [`Read::List`] and [`Read::Due`]: member and score.
    Names(Vec<(String, i64)>),
    /// For [`Read::Mark`] and [`Read::Marks`].
    Marks(Vec<MarkState>),
    /// For [`Read::Events`].
    Events(Vec<Event>),
}

/// What an answer or a commit of a domain rests on: whether it must have reacted to everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it may be behind.
    Nothing,
    /// Every event of these types.
    Types(Vec<&'static str>),
    /// Every event that the domain reacts to.
    Everything,
    /// Every event that the domain reacts to up to this sequence. Under steady load a domain is
    /// always behind by something; it is past any given sequence soon.
    UpTo(u64),
}

impl Needs {
    /// Everything, up to a sequence or up to now.
    #[must_use]
    pub fn up_to(sequence: Option<u64>) -> Self {
        sequence.map_or(Self::Everything, Self::UpTo)
    }
}

/// A consistent read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRequest {
    /// The tenant.
    pub tenant: String,
    /// The domain that reads; `behind` is about its cursor.
    pub domain: Domain,
    /// What the answer rests on.
    pub needs: Needs,
    /// What to read.
    pub reads: Vec<Read>,
}

/// The answer to a [`ReadRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// An event that the answer rests on lies after the domain's cursor.
    pub behind: bool,
    /// An item of the domain is marked.
    pub waiting: bool,
    /// The tenant's sequence at this moment: 0 for a tenant without any commit.
    pub sequence: u64,
    /// The life of the store that answered; see [`Check::Life`].
    pub life: u64,
    /// What was found.
    pub found: Vec<Found>,
}

/// Something that must still be as it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// A record has this version (0: is absent).
    Record {
        /// Its key.
        key: String,
        /// The version.
        version: u64,
    },
    /// A set has this version (0: was never written).
    Set {
        /// Its key.
        key: String,
        /// The version.
        version: u64,
    },
    /// An item of the committing domain is not marked.
    Unmarked {
        /// The item.
        item: String,
    },
    /// The store is in the life in which it was read. Versions never repeat while a store lives;
    /// one that is restarted, restored or replaced by its replica may have lost its last commits
    /// and give their versions again. What is remembered from an earlier life is stale.
    Life {
        /// The life, as a [`Snapshot`] told it.
        life: u64,
    },
}

/// The idempotency key of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The key, scope: tenant.
    pub key: String,
    /// A hash of method, path and body.
    pub request: String,
    /// How long the reply is kept.
    pub keep_seconds: u64,
    /// The reply to keep: status, body and location as JSON.
    pub reply: String,
}

/// A move of the domain's cursor in the commit of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorMove {
    /// Where it must stand.
    pub expected: u64,
    /// Where it stands afterwards; the same when an effect is not finished.
    pub next: u64,
}

/// One atomic change. The store finishes every check before its first write.
///
/// Checks go in this order: idempotency key, tenant known, cursor, behind, versions, guards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The tenant.
    pub tenant: String,
    /// The domain whose stream, marks and cursor are meant.
    pub domain: Domain,
    /// What the decision rests on.
    pub needs: Needs,
    /// The idempotency key, if the caller gave one.
    pub idempotency: Option<Idempotency>,
    /// The versions that the decision rests on.
    pub checks: Vec<Check>,
    /// Conditions on live counters.
    pub guards: Vec<Guard>,
    /// What is written.
    pub writes: Vec<Write>,
    /// What is told, in order.
    pub events: Vec<NewEvent>,
    /// Who, when, why.
    pub origin: Origin,
    /// The cursor's move, in a reaction.
    pub cursor: Option<CursorMove>,
    /// A mark to take off if it is still as read: item and token.
    pub unmark: Option<(String, String)>,
    /// The tenant is known to be in the list of tenants.
    pub tenant_known: bool,
    /// May go on when memory is full: releases and cancellations.
    pub frees: bool,
}

/// How a commit ended. Only `Done` wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Committed with this version; its events have the sequences after it, in order.
    Done {
        /// The version of everything it wrote.
        version: u64,
    },
    /// The key was used by the same request: the kept reply, and the version it got.
    Replayed {
        /// The version of the first commit.
        version: u64,
        /// The reply as kept.
        reply: String,
    },
    /// The key was used by another request.
    KeyReused,
    /// The tenant has no commit yet and must be put into the list of tenants first.
    NewTenant,
    /// The cursor stands elsewhere: somebody else has done the work.
    CursorMoved,
    /// The domain is behind.
    Behind,
    /// Memory is nearly full, and the commit frees none: nothing was looked at.
    Full,
    /// A check failed: its place in the commit's list.
    Stale(usize),
    /// A guard failed: its place, and the counters that the guards speak of, live.
    Guarded(usize, BTreeMap<String, BTreeMap<String, i64>>),
}

/// The store. Every method may fail with an [`Outage`]; a commit that failed so may or may not
/// have happened, and repeating it under the same idempotency key or cursor is safe.
pub trait Store {
    /// Reads everything asked at one moment.
    async fn read(&self, request: &ReadRequest) -> Result<Snapshot, Outage>;

    /// Commits, all or nothing.
    async fn commit(&self, commit: &Commit) -> Result<Outcome, Outage>;

    /// The next events for a domain, at most about `limit`.
    async fn cut(&self, tenant: &str, domain: Domain, limit: usize) -> Result<Cut, Outage>;

    /// Takes or keeps the domain's advisory lease if something waits for it, and says what.
    /// Correctness rests on the cursor alone; the lease only keeps thirty requests from doing the
    /// same work.
    async fn take_up(&self, request: &TakeUp) -> Result<Taken, Outage>;

    /// Gives the lease back, if `owner` has it. `progress` resets the count of tries.
    async fn release(
        &self,
        tenant: &str,
        domain: Domain,
        owner: &str,
        progress: bool,
    ) -> Result<(), Outage>;

    /// Every tenant that may have a commit.
    async fn tenants(&self) -> Result<Vec<String>, Outage>;

    /// Puts a tenant into the list; before its first commit.
    async fn add_tenant(&self, tenant: &str) -> Result<(), Outage>;

    /// Waits until whatever is read now is as safe as the answer to a commit promises: a kept reply
    /// is a promise once more.
    async fn settle(&self) -> Result<(), Outage>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<(), Outage>;
}
