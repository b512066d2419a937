//! Decisions: what a pure decide function returns.
//!
//! A decision is the whole effect of a command or of a reaction: the records it writes, the
//! counters it changes and the guards under which it may, the events it appends, and the reply.
//! The shell commits it with one script, all or nothing; the same meaning holds in memory.
//!
//! Keys are plain text built by a domain's `keys.rs` and relative to the tenant: the shell puts
//! `{tenant}:` before each.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::NewEvent;
use crate::quantity::Quantity;

/// Lines (writes and events together) that one commit may carry: one script then holds Redis for
/// a few milliseconds at most, and `unpack` in Lua stays far from its limit.
pub const MAX_COMMIT_LINES: usize = 2048;

/// Promise lines that one part of a large effect carries (design.md: above 256 lines, in parts).
pub const MAX_PART_LINES: usize = 256;

/// One write of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// Writes a record; its version becomes the commit's.
    Put {
        /// The record's key.
        key: String,
        /// Its JSON.
        value: String,
    },
    /// Removes a record.
    Delete {
        /// The record's key.
        key: String,
    },
    /// Writes a member of a set of records; the set's version becomes the commit's.
    PutMember {
        /// The set's key.
        set: String,
        /// The member's name; never empty.
        member: String,
        /// Its JSON.
        value: String,
    },
    /// Removes a member of a set; the set's version becomes the commit's.
    DeleteMember {
        /// The set's key.
        set: String,
        /// The member's name.
        member: String,
    },
    /// Adds to a counter. A counter that was never written is 0; counters have no version and are
    /// protected by guards.
    Add {
        /// The key of the group of counters.
        counters: String,
        /// The counter's name.
        field: String,
        /// What is added; may be negative.
        delta: Quantity,
    },
    /// Puts a member into a sorted index, or moves it.
    Index {
        /// The index's key.
        index: String,
        /// The member.
        member: String,
        /// What it is sorted by: 0 for alphabetical lists, milliseconds for due times.
        score: i64,
    },
    /// Takes a member out of a sorted index.
    Unindex {
        /// The index's key.
        index: String,
        /// The member.
        member: String,
    },
    /// Marks an item of this domain as waiting for work (for inventory: to be pegged anew), under
    /// the correlation of this commit. Marking twice is one mark that names both causes.
    Mark {
        /// The item.
        item: String,
    },
}

/// A term of a guard's sum over live counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Term {
    /// `times × counter`.
    Counter {
        /// The key of the group of counters.
        counters: String,
        /// The counter's name.
        field: String,
        /// Its factor.
        times: i64,
    },
    /// `times × max(0, quantity − counter)`.
    Remaining {
        /// The quantity that the counter uses up.
        quantity: Quantity,
        /// The key of the group of counters.
        counters: String,
        /// The counter's name.
        field: String,
        /// Its factor.
        times: i64,
    },
}

/// A sum over live counters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sum {
    /// What the sum starts with.
    pub constant: i64,
    /// What is added to it.
    pub terms: Vec<Term>,
}

/// What a guard's sum must reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Floor {
    /// A fixed number.
    Value(i64),
    /// The live minimum of these sums, and of 0.
    MinimumOf(Vec<Sum>),
}

/// A condition on live counters, evaluated inside the commit before the first write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The sum that must be at least `floor`.
    pub sum: Sum,
    /// The least it may be.
    pub floor: Floor,
}

/// The answer of a command. Where `body` has a field `version`, the shell puts the version that
/// the commit gets into it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reply {
    /// The HTTP status: 200 or 201.
    pub status: u16,
    /// The JSON body.
    pub body: Value,
    /// The path of what was made, for a 201.
    pub location: Option<String>,
    /// The version (ETag) of what is answered when the decision writes nothing; otherwise it is
    /// that of the commit.
    pub version: Option<u64>,
}

/// Everything that a command or a reaction does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Decision {
    /// What is written.
    pub writes: Vec<Write>,
    /// Under which conditions on live counters.
    pub guards: Vec<Guard>,
    /// What happened, in order.
    pub events: Vec<NewEvent>,
    /// What the caller is told.
    pub reply: Reply,
}

impl Decision {
    /// A decision that changes nothing and answers 200 with `body`.
    #[must_use]
    pub fn unchanged(body: Value, version: u64) -> Self {
        let reply = Reply { status: 200, body, location: None, version: Some(version) };
        Self { reply, ..Self::default() }
    }

    /// Whether it neither writes nor says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.events.is_empty()
    }

    /// Adds a record write.
    ///
    /// # Panics
    /// Never: our records serialise.
    pub fn put(&mut self, key: impl Into<String>, record: &impl Serialize) {
        self.writes.push(Write::Put { key: key.into(), value: json(record) });
    }

    /// Adds the removal of a record.
    pub fn delete(&mut self, key: impl Into<String>) {
        self.writes.push(Write::Delete { key: key.into() });
    }

    /// Adds a member write.
    pub fn put_member(
        &mut self,
        set: impl Into<String>,
        member: impl Into<String>,
        record: &impl Serialize,
    ) {
        let (set, member) = (set.into(), member.into());
        self.writes.push(Write::PutMember { set, member, value: json(record) });
    }

    /// Adds the removal of a member.
    pub fn delete_member(&mut self, set: impl Into<String>, member: impl Into<String>) {
        self.writes.push(Write::DeleteMember { set: set.into(), member: member.into() });
    }

    /// Adds a counter change; adding 0 is nothing.
    pub fn add(&mut self, counters: impl Into<String>, field: impl Into<String>, delta: Quantity) {
        if delta != 0 {
            let (counters, field) = (counters.into(), field.into());
            self.writes.push(Write::Add { counters, field, delta });
        }
    }

    /// Adds an index entry.
    pub fn index(&mut self, index: impl Into<String>, member: impl Into<String>, score: i64) {
        self.writes.push(Write::Index { index: index.into(), member: member.into(), score });
    }

    /// Takes an index entry out.
    pub fn unindex(&mut self, index: impl Into<String>, member: impl Into<String>) {
        self.writes.push(Write::Unindex { index: index.into(), member: member.into() });
    }

    /// Marks an item as waiting, once.
    pub fn mark(&mut self, item: impl Into<String>) {
        let mark = Write::Mark { item: item.into() };
        if !self.writes.contains(&mark) {
            self.writes.push(mark);
        }
    }

    /// Appends an event.
    pub fn event(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Answers 200 with `body`.
    #[must_use]
    pub fn reply(mut self, status: u16, body: Value) -> Self {
        self.reply = Reply { status, body, ..self.reply };
        self
    }

    /// Answers 201 with `body` and where the new thing is found.
    #[must_use]
    pub fn created(mut self, location: impl Into<String>, body: Value) -> Self {
        self.reply = Reply { status: 201, body, location: Some(location.into()), version: None };
        self
    }
}

/// The JSON of a record of ours.
///
/// # Panics
/// Never for our records: they have text keys and no failing serialiser.
#[must_use]
pub fn json(record: &impl Serialize) -> String {
    #[allow(clippy::expect_used, reason = "our records have text keys and always serialise")]
    serde_json::to_string(record).expect("our records serialise")
}
