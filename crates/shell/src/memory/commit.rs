//! The commit in memory: every check, then every write.

use std::collections::BTreeMap;

use tradewind_kernel::decision::{Floor, Guard, Sum, Term, Write};
use tradewind_kernel::event::{Domain, Event, event_id, reactors};

use super::tenant::{Kept, Tenant};
use crate::protocol::check::{self, MAX_INTEGER};
use crate::store::{
    Check, Commit, MAX_MARK_CAUSES, MarkCause, MarkState, Outage, Outcome, Versioned, keys,
};

/// Milliseconds in a second.
const SECOND: u64 = 1000;

impl Tenant {
    /// Commits; also says whom to nudge.
    pub(super) fn commit(
        &mut self,
        commit: &Commit,
        now: u64,
    ) -> Result<(Outcome, Vec<Domain>), Outage> {
        if let Some(outcome) = self.refusal(commit)? {
            return Ok((outcome, Vec::new()));
        }
        let counters = self.changed_counters(&commit.writes)?;
        let before = self.caught_up();
        let had_marks = self.waiting(commit.domain);

        let version = self.sequence.saturating_add(1);
        self.sequence = version.saturating_add(commit.events.len() as u64);
        self.unmark(commit);
        for write in &commit.writes {
            self.write(commit, write, version);
        }
        for ((group, field), value) in counters {
            self.counters.entry(group.to_owned()).or_default().insert(field.to_owned(), value);
        }
        self.tell(commit, version);
        if let Some(moved) = &commit.cursor {
            self.note(keys::CURSORS, commit.domain.name(), moved.next);
        }
        self.keep_reply(commit, version, now);

        let after = self.caught_up();
        let mut nudged: Vec<Domain> =
            before.into_iter().filter(|domain| !after.contains(domain)).collect();
        let newly_marked = !had_marks && self.waiting(commit.domain);
        if newly_marked && !nudged.contains(&commit.domain) {
            nudged.push(commit.domain);
        }
        Ok((Outcome::Done { version }, nudged))
    }

    fn caught_up(&self) -> Vec<Domain> {
        Domain::ALL
            .into_iter()
            .filter(|domain| self.last(*domain) <= self.cursor(*domain))
            .collect()
    }

    fn refusal(&self, commit: &Commit) -> Result<Option<Outcome>, Outage> {
        if let Some(outcome) = self.earlier_reply(commit) {
            return Ok(Some(outcome));
        }
        if !commit.tenant_known && self.sequence == 0 {
            return Ok(Some(Outcome::NewTenant));
        }
        if commit.cursor.as_ref().is_some_and(|moved| moved.expected != self.cursor(commit.domain))
        {
            return Ok(Some(Outcome::CursorMoved));
        }
        if self.behind(commit.domain, &commit.needs) {
            return Ok(Some(Outcome::Behind));
        }
        if let Some(place) = commit.checks.iter().position(|check| !self.holds(commit, check)) {
            return Ok(Some(Outcome::Stale(place)));
        }
        for (place, guard) in commit.guards.iter().enumerate() {
            if !self.guards(guard)? {
                return Ok(Some(Outcome::Guarded(place, self.guarded_groups(&commit.guards))));
            }
        }
        Ok(None)
    }

    fn earlier_reply(&self, commit: &Commit) -> Option<Outcome> {
        let asked = commit.idempotency.as_ref()?;
        let kept = &self.records.get(&keys::idempotency(&asked.key))?.record;
        let prefix = check::reply_prefix(&asked.request);
        Some(match kept.json.strip_prefix(&prefix) {
            Some(reply) => Outcome::Replayed { version: kept.version, reply: reply.to_owned() },
            None => Outcome::KeyReused,
        })
    }

    fn holds(&self, commit: &Commit, check: &Check) -> bool {
        match check {
            Check::Record { key, version } => self.record_version(key) == *version,
            Check::Set { key, version } => self.set_version(key) == *version,
            Check::Unmarked { item } => {
                self.marks.get(&commit.domain).is_none_or(|marks| !marks.contains_key(item))
            }
            Check::Life { life } => *life == self.life,
        }
    }

    fn guards(&self, guard: &Guard) -> Result<bool, Outage> {
        let sum = self.sum(&guard.sum)?;
        let floor = match &guard.floor {
            Floor::Value(value) => *value,
            Floor::MinimumOf(sums) => {
                let mut least = 0;
                for sum in sums {
                    least = least.min(self.sum(sum)?);
                }
                least
            }
        };
        Ok(sum >= floor)
    }

    fn sum(&self, sum: &Sum) -> Result<i64, Outage> {
        let mut total = sum.constant;
        for term in &sum.terms {
            let (times, value) = match term {
                Term::Counter { counters, field, times } => (times, self.counter(counters, field)),
                Term::Remaining { quantity, counters, field, times } => {
                    let left = exact(quantity.checked_sub(self.counter(counters, field)))?;
                    (times, left.max(0))
                }
            };
            total = exact(total.checked_add(exact(times.checked_mul(value))?))?;
        }
        Ok(total)
    }

    fn guarded_groups(&self, guards: &[Guard]) -> BTreeMap<String, BTreeMap<String, i64>> {
        let mut groups = BTreeMap::new();
        for name in guards.iter().flat_map(groups_of) {
            let live = || self.counters.get(name).cloned().unwrap_or_default();
            groups.entry(name.to_owned()).or_insert_with(live);
        }
        groups
    }

    /// The counters after the writes: they are calculated before the first write, since one may
    /// leave what counts exactly.
    fn changed_counters<'a>(
        &self,
        writes: &'a [Write],
    ) -> Result<BTreeMap<(&'a str, &'a str), i64>, Outage> {
        let mut changed = BTreeMap::new();
        for write in writes {
            if let Write::Add { counters, field, delta } = write {
                let value = changed
                    .entry((counters.as_str(), field.as_str()))
                    .or_insert_with(|| self.counter(counters, field));
                *value = exact(value.checked_add(*delta))?;
            }
        }
        Ok(changed)
    }

    fn unmark(&mut self, commit: &Commit) {
        let Some((item, token)) = &commit.unmark else { return };
        let Some(marks) = self.marks.get_mut(&commit.domain) else { return };
        if marks.get(item).is_some_and(|mark| mark.token == *token) {
            marks.remove(item);
        }
    }

    fn write(&mut self, commit: &Commit, write: &Write, version: u64) {
        match write {
            Write::Put { key, value } => {
                let record = Versioned { version, json: value.clone() };
                self.records.insert(key.clone(), Kept { record, until: None });
            }
            Write::Delete { key } => {
                self.records.remove(key);
            }
            Write::PutMember { set, member, value } => {
                let set = self.sets.entry(set.clone()).or_default();
                set.version = version;
                set.members.insert(member.clone(), value.clone());
            }
            Write::DeleteMember { set, member } => {
                let set = self.sets.entry(set.clone()).or_default();
                set.version = version;
                set.members.remove(member);
            }
            Write::Add { .. } => {}
            Write::Index { index, member, score } => {
                self.indexes.entry(index.clone()).or_default().insert(member.clone(), *score);
            }
            Write::Unindex { index, member } => {
                if let Some(members) = self.indexes.get_mut(index) {
                    members.remove(member);
                }
            }
            Write::Mark { item } => self.mark(commit, item, version),
        }
    }

    fn mark(&mut self, commit: &Commit, item: &str, version: u64) {
        let marks = self.marks.entry(commit.domain).or_default();
        let mark = marks.entry(item.to_owned()).or_insert_with(|| MarkState {
            item: item.to_owned(),
            token: String::new(),
            causes: Vec::new(),
        });
        let correlation = &commit.origin.correlation;
        let named = mark.causes.iter().any(|cause| cause.correlation == *correlation);
        if !named && mark.causes.len() < MAX_MARK_CAUSES {
            let told = !commit.events.is_empty();
            let event = if told { event_id(version.saturating_add(1)) } else { String::new() };
            let (correlation, by) = (correlation.clone(), commit.origin.by.clone());
            mark.causes.push(MarkCause { correlation, event, by });
        }
        mark.token = format!("{version}.{}", mark.causes.len());
    }

    fn tell(&mut self, commit: &Commit, version: u64) {
        let mut sequence = version;
        for what in &commit.events {
            sequence = sequence.saturating_add(1);
            self.note(keys::TYPES, &what.kind, sequence);
            for domain in reactors(&what.kind) {
                self.note(keys::LAST, domain.name(), sequence);
            }
            let (domain, what, origin) = (commit.domain, what.clone(), commit.origin.clone());
            let event = Event { sequence, domain, what, origin };
            self.streams.entry(domain).or_default().insert(sequence, event);
        }
    }

    fn note(&mut self, group: &str, field: &str, sequence: u64) {
        let value = i64::try_from(sequence).unwrap_or(MAX_INTEGER);
        self.counters.entry(group.to_owned()).or_default().insert(field.to_owned(), value);
    }

    fn keep_reply(&mut self, commit: &Commit, version: u64, now: u64) {
        let Some(asked) = &commit.idempotency else { return };
        let json = format!("{}{}", check::reply_prefix(&asked.request), asked.reply);
        let kept_for = check::keep_seconds(asked.keep_seconds).saturating_mul(SECOND);
        let record = Versioned { version, json };
        let kept = Kept { record, until: Some(now.saturating_add(kept_for)) };
        self.records.insert(keys::idempotency(&asked.key), kept);
    }
}

/// The groups of counters that a guard speaks of.
fn groups_of(guard: &Guard) -> Vec<&str> {
    let floor = match &guard.floor {
        Floor::Value(_) => &[][..],
        Floor::MinimumOf(sums) => sums,
    };
    let terms = std::iter::once(&guard.sum).chain(floor).flat_map(|sum| &sum.terms);
    terms
        .map(|term| match term {
            Term::Counter { counters, .. } | Term::Remaining { counters, .. } => counters.as_str(),
        })
        .collect()
}

/// A result that a script would also have calculated exactly.
fn exact(value: Option<i64>) -> Result<i64, Outage> {
    value
        .filter(|value| value.unsigned_abs() <= MAX_INTEGER.unsigned_abs())
        .ok_or_else(|| Outage("a sum of counters is beyond 2^53".to_owned()))
}
