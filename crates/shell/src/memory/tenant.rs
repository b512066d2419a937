//! What one tenant has, in memory, and how it is read.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::event::{Domain, Event, reacted_by};

use crate::protocol::check::{self, CUT_SCAN};
use crate::store::{
    Cut, Found, Lease, MarkState, Needs, Read, ReadRequest, Snapshot, TakeUp, Taken, Versioned,
    Waiting, keys,
};

/// Everything of one tenant.
#[derive(Debug, Clone, Default)]
pub(super) struct Tenant {
    /// The store's life; the same in all its tenants.
    pub(super) life: u64,
    pub(super) sequence: u64,
    pub(super) records: BTreeMap<String, Kept>,
    pub(super) sets: BTreeMap<String, Members>,
    pub(super) counters: BTreeMap<String, BTreeMap<String, i64>>,
    pub(super) indexes: BTreeMap<String, BTreeMap<String, i64>>,
    pub(super) marks: BTreeMap<Domain, BTreeMap<String, MarkState>>,
    pub(super) streams: BTreeMap<Domain, BTreeMap<u64, Event>>,
    leases: BTreeMap<Domain, Held>,
    tries: BTreeMap<Domain, Tries>,
}

/// A record and when it ends, by the clock.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) record: Versioned,
    pub(super) until: Option<u64>,
}

/// A set.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    pub(super) version: u64,
    pub(super) members: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Held {
    owner: String,
    until: u64,
}

/// How often the lease was taken at one position: cursor, and version of the plan beside it.
#[derive(Debug, Clone, Copy)]
struct Tries {
    position: (u64, u64),
    count: u64,
    since: u64,
}

impl Tenant {
    /// Forgets what ended by now.
    pub(super) fn expire(&mut self, now: u64) {
        self.records.retain(|_, kept| kept.until.is_none_or(|until| until > now));
        self.leases.retain(|_, held| held.until > now);
    }

    pub(super) fn read(&self, request: &ReadRequest) -> Snapshot {
        Snapshot {
            behind: self.behind(request.domain, &request.needs),
            waiting: self.waiting(request.domain),
            sequence: self.sequence,
            life: self.life,
            found: request.reads.iter().map(|read| self.find(read)).collect(),
        }
    }

    /// A counter; 0 when never written.
    pub(super) fn counter(&self, group: &str, field: &str) -> i64 {
        self.counters.get(group).and_then(|fields| fields.get(field)).copied().unwrap_or(0)
    }

    /// A counter of the shell's own that holds a sequence.
    pub(super) fn sequence_in(&self, group: &str, field: &str) -> u64 {
        u64::try_from(self.counter(group, field)).unwrap_or(0)
    }

    pub(super) fn cursor(&self, domain: Domain) -> u64 {
        self.sequence_in(keys::CURSORS, domain.name())
    }

    pub(super) fn last(&self, domain: Domain) -> u64 {
        self.sequence_in(keys::LAST, domain.name())
    }

    pub(super) fn waiting(&self, domain: Domain) -> bool {
        self.marks.get(&domain).is_some_and(|marks| !marks.is_empty())
    }

    pub(super) fn behind(&self, domain: Domain, needs: &Needs) -> bool {
        let cursor = self.cursor(domain);
        match needs {
            Needs::Nothing => false,
            Needs::Types(types) => {
                types.iter().any(|kind| self.sequence_in(keys::TYPES, kind) > cursor)
            }
            Needs::Everything => self.last(domain) > cursor,
            Needs::UpTo(sequence) => cursor < *sequence && self.last(domain) > cursor,
        }
    }

    pub(super) fn record_version(&self, key: &str) -> u64 {
        self.records.get(key).map_or(0, |kept| kept.record.version)
    }

    pub(super) fn set_version(&self, key: &str) -> u64 {
        self.sets.get(key).map_or(0, |set| set.version)
    }

    fn find(&self, read: &Read) -> Found {
        match read {
            Read::Record { key } => {
                Found::Record(self.records.get(key).map(|kept| kept.record.clone()))
            }
            Read::Set { key } => match self.sets.get(key) {
                Some(set) => Found::Set(set.version, set.members.clone()),
                None => Found::Set(0, BTreeMap::new()),
            },
            Read::Members { key, members } => {
                let set = self.sets.get(key);
                let member = |name: &String| set.and_then(|set| set.members.get(name)).cloned();
                Found::Members(self.set_version(key), members.iter().map(member).collect())
            }
            Read::Counters { key } => {
                Found::Counters(self.counters.get(key).cloned().unwrap_or_default())
            }
            Read::CounterFields { key, fields } => {
                Found::CounterFields(fields.iter().map(|name| self.counter(key, name)).collect())
            }
            Read::List { index, after, limit } => Found::Names(self.list(index, after, *limit)),
            Read::Due { index, until, limit } => Found::Names(self.due(index, *until, *limit)),
            Read::Mark { domain, item } => {
                let mark = self.marks.get(domain).and_then(|marks| marks.get(item));
                Found::Marks(mark.cloned().into_iter().collect())
            }
            Read::Marks { domain, limit } => {
                let marks = self.marks.get(domain).into_iter().flat_map(BTreeMap::values);
                Found::Marks(marks.take(*limit).cloned().collect())
            }
            Read::Events { domain, after, limit } => {
                let events = self.after(*domain, *after).take(*limit);
                Found::Events(events.map(|(_, event)| event.clone()).collect())
            }
        }
    }

    fn list(&self, index: &str, after: &str, limit: usize) -> Vec<(String, i64)> {
        let members = self.indexes.get(index).into_iter().flatten();
        let beyond = members.filter(|(name, _)| after.is_empty() || name.as_str() > after);
        beyond.take(limit).map(|(name, score)| (name.clone(), *score)).collect()
    }

    fn due(&self, index: &str, until: i64, limit: usize) -> Vec<(String, i64)> {
        let members = self.indexes.get(index).into_iter().flatten();
        let mut due: Vec<_> = members
            .filter(|(_, score)| **score <= until)
            .map(|(name, score)| (name.clone(), *score))
            .collect();
        due.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
        due.truncate(limit);
        due
    }

    fn after(&self, domain: Domain, sequence: u64) -> impl Iterator<Item = (&u64, &Event)> {
        let stream = self.streams.get(&domain).into_iter();
        stream.flat_map(move |events| events.range(sequence.saturating_add(1)..))
    }

    pub(super) fn cut(&self, domain: Domain, limit: usize) -> Cut {
        let cursor = self.cursor(domain);
        let types: BTreeSet<&str> = reacted_by(domain).collect();
        let mut horizon = self.sequence;
        let mut events: Vec<Event> = Vec::new();
        for stream in Domain::ALL {
            let bound = self.last_of_interest(domain, stream, &types);
            let mut scanned = 0_usize;
            let mut taken = 0_usize;
            for (sequence, event) in self.after(stream, cursor).filter(|(at, _)| **at <= bound) {
                scanned = scanned.saturating_add(1);
                if types.is_empty() || types.contains(event.kind()) {
                    events.push(event.clone());
                    taken = taken.saturating_add(1);
                }
                if (scanned == CUT_SCAN || taken == limit) && *sequence < bound {
                    horizon = horizon.min(*sequence);
                    break;
                }
            }
        }
        events.retain(|event| event.sequence <= horizon);
        events.sort_by_key(|event| event.sequence);
        if events.len() > limit {
            events.truncate(limit);
            horizon = events.last().map_or(horizon, |event| event.sequence);
        }
        Cut { cursor, events, complete_to: horizon }
    }

    /// The last sequence in `stream` that may interest `domain`; reporting takes all but its own.
    fn last_of_interest(&self, domain: Domain, stream: Domain, types: &BTreeSet<&str>) -> u64 {
        if types.is_empty() {
            return if stream == domain { 0 } else { self.last(domain) };
        }
        let told_here = types.iter().filter(|kind| kind.split('.').next() == Some(stream.name()));
        told_here.map(|kind| self.sequence_in(keys::TYPES, kind)).max().unwrap_or(0)
    }

    pub(super) fn take_up(&mut self, request: &TakeUp, now: u64) -> Taken {
        let (domain, owner) = (request.domain, &request.owner);
        let kept = match self.leases.get(&domain) {
            Some(held) if held.owner != *owner => return Taken::Held,
            Some(_) => true,
            None => false,
        };
        let cut = self.cut(domain, check::cut_limit(request.events));
        let plan = self.records.get(&keys::plan(domain)).map(|kept| kept.record.clone());
        let marks = self.marks.get(&domain).into_iter().flat_map(BTreeMap::keys);
        let marked: Vec<String> = marks.take(request.marks).cloned().collect();
        let behind = self.last(domain) > cut.cursor;
        let left = cut.complete_to.saturating_sub(cut.cursor);
        let skips = cut.events.is_empty() && (left > request.gap || (behind && left > 0));
        if cut.events.is_empty() && plan.is_none() && marked.is_empty() && !skips {
            if kept {
                self.leases.remove(&domain);
                self.tries.remove(&domain);
            }
            return Taken::Idle;
        }
        let until = now.saturating_add(check::lease_millis(request.millis));
        self.leases.insert(domain, Held { owner: owner.clone(), until });
        let position = (cut.cursor, plan.as_ref().map_or(0, |plan| plan.version));
        let none = Tries { position, count: 0, since: now };
        let tries = self.tries.entry(domain).or_insert(none);
        if tries.position != position {
            *tries = none;
        }
        if !kept || tries.count == 0 {
            tries.count = tries.count.saturating_add(1);
        }
        let lease = Lease { tries: tries.count, tried_for: now.saturating_sub(tries.since) };
        Taken::Waiting(Box::new(Waiting { lease, skips, plan, marked, cut }))
    }

    pub(super) fn release(&mut self, domain: Domain, owner: &str, progress: bool) {
        if self.leases.get(&domain).is_none_or(|held| held.owner != owner) {
            return;
        }
        self.leases.remove(&domain);
        if progress {
            self.tries.remove(&domain);
        }
    }
}
