//! Planted faults: bugs that the simulation must find. They sit at the seam, between the product
//! and its store, so that the product carries nothing of them.

use std::collections::BTreeSet;

use serde_json::Value;
use tradewind_kernel::decision::Write;
use tradewind_shell::run::KeptReply;
use tradewind_shell::store::{
    Check, Commit, Found, Idempotency, Needs, Read, ReadRequest, Snapshot, Versioned,
};

/// A bug that the product does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A commit's guards on live counters are not checked.
    LostGuard,
    /// The cursor moves in a commit of its own, before the effect.
    EarlyCursor,
    /// What came from an instance's memory is not checked when it is committed.
    UnwitnessedMemory,
    /// A reserve does not see what protections hold.
    BlindSplit,
    /// Who commits second on a reservation does not find it changed.
    ReleasedTwice,
    /// Now and then the cursor does not move with the effect.
    AppliedTwice,
    /// An expiry leaves the claim on the order's line, so that it is never served again.
    ForgottenBackorder,
    /// A mark is taken off in a commit of its own, before the item is pegged.
    EarlyUnmark,
    /// A refusal is kept under the idempotency key, as if it were an effect.
    KeptRefusal,
    /// Pegging lets a protection serve lines wanted before its window.
    IgnoredWindow,
    /// The reply of a command is not kept under its key.
    UnkeptReply,
    /// An order is released though its supplier was suspended a moment before.
    UnwitnessedAsk,
    /// What inventory pegs for an event is told under a correlation that nobody asks for.
    LostCorrelation,
}

impl Planted {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::LostGuard,
        Self::EarlyCursor,
        Self::UnwitnessedMemory,
        Self::BlindSplit,
        Self::ReleasedTwice,
        Self::AppliedTwice,
        Self::ForgottenBackorder,
        Self::EarlyUnmark,
        Self::KeptRefusal,
        Self::IgnoredWindow,
        Self::UnkeptReply,
        Self::UnwitnessedAsk,
        Self::LostCorrelation,
    ];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| format!("{one:?}") == name)
    }

    /// The commits that are made instead of the one that was meant; the last stands for it. `read`
    /// are the keys that did not come from memory alone; `draw` is a chance of 0 to 7.
    #[must_use]
    pub fn twist(self, commit: &Commit, read: &BTreeSet<String>, draw: u64) -> Vec<Commit> {
        let mut twisted = commit.clone();
        match self {
            Self::LostGuard => twisted.guards.clear(),
            Self::UnwitnessedMemory => twisted.checks.retain(|check| match check {
                Check::Record { key, .. } | Check::Set { key, .. } => read.contains(key),
                Check::Unmarked { .. } => true,
                Check::Life { .. } => false,
            }),
            Self::ReleasedTwice => unwitness(&mut twisted, "inventory:reservation:"),
            Self::UnwitnessedAsk => unwitness(&mut twisted, "suppliers:"),
            Self::LostCorrelation if pegs(commit) && commit.unmark.is_none() => {
                twisted.origin.correlation.push_str("-lost");
            }
            Self::AppliedTwice if draw == 0 => {
                if let Some(moved) = &mut twisted.cursor {
                    moved.next = moved.expected;
                }
            }
            Self::ForgottenBackorder if expires(commit) => {
                let fills = "inventory:fills:";
                twisted.writes.retain(|write| {
                    !matches!(write, Write::Add { counters, .. } if counters.starts_with(fills))
                });
            }
            Self::UnkeptReply => twisted.idempotency = None,
            Self::EarlyCursor if moves(commit) => {
                twisted.cursor = None;
                let cursor = commit.cursor.clone();
                return vec![Commit { cursor, ..nothing(commit) }, twisted];
            }
            Self::EarlyUnmark if commit.unmark.is_some() => {
                twisted.unmark = None;
                let unmark = commit.unmark.clone();
                return vec![Commit { unmark, ..nothing(commit) }, twisted];
            }
            _ => {}
        }
        vec![twisted]
    }

    /// What is read instead of what is there.
    pub fn twist_read(self, request: &ReadRequest, snapshot: &mut Snapshot) {
        let reads = |start: &str| {
            request
                .reads
                .iter()
                .any(|read| matches!(read, Read::Set { key } if key.starts_with(start)))
        };
        let field: fn(&mut Value) = match self {
            // A reserve reads what is on the shelf, and no supply to come.
            Self::BlindSplit if !reads("inventory:supply:") => {
                |one| one["inbound"] = one["quantity"].clone()
            }
            Self::IgnoredWindow if reads("inventory:demand:") => {
                |one| one["from"] = Value::from("2026-11-01")
            }
            _ => return,
        };
        for (read, found) in request.reads.iter().zip(&mut snapshot.found) {
            if let (Read::Record { key }, Found::Record(Some(kept))) = (read, found)
                && key.starts_with("inventory:plan:")
            {
                change(kept, field);
            }
        }
    }

    /// What is committed when a request is about to be refused: `request` is its hash.
    #[must_use]
    pub fn refusal(self, read: &ReadRequest, snapshot: &Snapshot, request: &str) -> Option<Commit> {
        let [Read::Record { key }] = read.reads.as_slice() else { return None };
        let key = key.strip_prefix("shell:reply:")?;
        if self != Self::KeptRefusal || snapshot.found != [Found::Record(None)] {
            return None;
        }
        let reply = KeptReply {
            status: 409,
            body: serde_json::json!({ "code": "kept" }),
            location: None,
            version: None,
            correlation: "cor_kept".to_owned(),
        };
        Some(Commit {
            tenant: read.tenant.clone(),
            domain: read.domain,
            needs: Needs::Nothing,
            idempotency: Some(Idempotency {
                key: key.to_owned(),
                request: request.to_owned(),
                keep_seconds: super::world::KEEP_SECONDS,
                reply: tradewind_kernel::decision::json(&reply),
            }),
            checks: Vec::new(),
            guards: Vec::new(),
            writes: Vec::new(),
            events: Vec::new(),
            origin: tradewind_kernel::event::Origin {
                at: tradewind_kernel::Instant::from_millis(0),
                by: "planted".to_owned(),
                reason: None,
                correlation: "cor_kept".to_owned(),
                parent: None,
                causation: None,
            },
            cursor: None,
            unmark: None,
            tenant_known: true,
            frees: true,
        })
    }
}

fn unwitness(commit: &mut Commit, start: &str) {
    let is_kept =
        |check: &Check| !matches!(check, Check::Record { key, .. } if key.starts_with(start));
    commit.checks.retain(is_kept);
}

fn pegs(commit: &Commit) -> bool {
    commit.events.iter().any(|event| event.kind == "inventory.item-pegged")
}

fn expires(commit: &Commit) -> bool {
    commit.events.iter().any(|event| event.data["expired"] == Value::Bool(true))
}

fn moves(commit: &Commit) -> bool {
    let moves = commit.cursor.as_ref().is_some_and(|moved| moved.next > moved.expected);
    moves && !(commit.writes.is_empty() && commit.events.is_empty())
}

/// The commit without its effect.
fn nothing(commit: &Commit) -> Commit {
    Commit {
        checks: Vec::new(),
        guards: Vec::new(),
        writes: Vec::new(),
        events: Vec::new(),
        cursor: None,
        unmark: None,
        ..commit.clone()
    }
}

/// Changes every protection of a plan.
fn change(kept: &mut Versioned, field: fn(&mut Value)) {
    let mut plan: Value = serde_json::from_str(&kept.json).unwrap_or_default();
    plan["protections"].as_array_mut().into_iter().flatten().for_each(field);
    kept.json = plan.to_string();
}
