//! A commit as arguments, in the order in which `commit.lua` takes them, and its answer.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::decision::{Floor, Guard, Sum, Term, Write};
use tradewind_kernel::event::{Domain, reactors};

use super::arguments::{Builder, Request};
use super::read::encode_needs;
use super::reply::{Reader, Value, senseless};
use super::{Function, check, event, mark};
use crate::store::{Check, Commit, Outage, Outcome, keys};

/// The place of the domain's marks among the keys.
const MARKS: usize = 5;

/// Encodes a commit.
///
/// # Errors
/// When no store could carry it out.
pub fn encode_commit(commit: &Commit) -> Result<Request, Outage> {
    check::commit(commit)?;
    let function = if commit.frees { Function::CommitFrees } else { Function::Commit };
    let mut to = Builder::new(function, &commit.tenant);
    to.shell_keys();
    to.key(&keys::marks(commit.domain));
    to.key(&keys::stream(commit.domain));
    match &commit.idempotency {
        Some(asked) => to.key(&keys::idempotency(&asked.key)),
        None => to.key(keys::SEQUENCE), // holds the place, is not read
    }
    to.text(&commit.tenant);
    to.text(keys::NUDGE_CHANNEL);
    encode_reacting(&mut to, commit);
    conditions(&mut to, commit);
    let adds = commit.writes.iter().filter(|write| matches!(write, Write::Add { .. }));
    to.number(adds.clone().count());
    for write in adds {
        if let Write::Add { counters, field, delta } = write {
            to.key_argument(counters);
            to.text(field);
            to.number(*delta);
        }
    }
    effects(&mut to, commit);
    Ok(to.finish())
}

/// Who reacts to the commit's events: how many, the committing domain and their names, and for each
/// the offset of the last event that concerns it.
fn encode_reacting<'a>(to: &mut Builder<'a>, commit: &'a Commit) {
    let mut last: BTreeMap<Domain, usize> = BTreeMap::new();
    for (offset, told) in (1..).zip(&commit.events) {
        last.extend(reactors(&told.kind).map(|domain| (domain, offset)));
    }
    to.number(last.len());
    to.text(commit.domain.name());
    last.keys().for_each(|domain| to.text(domain.name()));
    last.values().for_each(|offset| to.number(*offset));
}

/// What may refuse the commit.
fn conditions<'a>(to: &mut Builder<'a>, commit: &'a Commit) {
    let asked = commit.idempotency.as_ref();
    to.text(&asked.map(|asked| check::reply_prefix(&asked.request)).unwrap_or_default());
    to.text(if commit.tenant_known { "1" } else { "0" });
    to.text(&commit.cursor.as_ref().map(|at| at.expected.to_string()).unwrap_or_default());
    encode_needs(to, &commit.needs);
    to.number(commit.checks.len());
    for check in &commit.checks {
        encode_check(to, check);
    }
    let groups: Vec<&str> = guarded_groups(&commit.guards);
    to.number(groups.len());
    groups.into_iter().for_each(|group| to.key_argument(group));
    encode_live(to, commit);
    to.number(commit.guards.len());
    for guard in &commit.guards {
        encode_sum(to, &guard.sum);
        match &guard.floor {
            Floor::Value(value) => {
                to.number(-1);
                to.number(*value);
            }
            Floor::MinimumOf(sums) => {
                to.number(sums.len());
                sums.iter().for_each(|sum| encode_sum(to, sum));
            }
        }
    }
}

fn encode_check<'a>(to: &mut Builder<'a>, check: &'a Check) {
    match check {
        Check::Record { key, version } => {
            to.text("R");
            to.key_argument(key);
            let absent = *version == 0;
            to.text(&if absent { String::new() } else { format!("{version:016}") });
        }
        Check::Set { key, version } => {
            to.text("S");
            to.key_argument(key);
            to.digits(version);
        }
        Check::Unmarked { item } => {
            to.text("U");
            to.number(MARKS);
            to.text(item);
        }
        Check::Life { life } => {
            to.text("L");
            to.number(MARKS); // holds the place, is not read
            to.digits(life);
        }
    }
}

/// All counters that the guards and writes speak of, by group.
fn encode_live<'a>(to: &mut Builder<'a>, commit: &'a Commit) {
    let mut fields: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for term in commit.guards.iter().flat_map(terms_of) {
        let (Term::Counter { counters, field, .. } | Term::Remaining { counters, field, .. }) =
            term;
        fields.entry(counters).or_default().insert(field);
    }
    for write in &commit.writes {
        if let Write::Add { counters, field, .. } = write {
            fields.entry(counters).or_default().insert(field);
        }
    }
    to.number(fields.len());
    for (group, names) in fields {
        to.key_argument(group);
        to.counted(names.into_iter());
    }
}

/// The terms of a guard and of its floor.
fn terms_of(guard: &Guard) -> impl Iterator<Item = &Term> {
    let floor = match &guard.floor {
        Floor::Value(_) => &[][..],
        Floor::MinimumOf(sums) => sums,
    };
    std::iter::once(&guard.sum).chain(floor).flat_map(|sum| &sum.terms)
}

fn encode_sum<'a>(to: &mut Builder<'a>, sum: &'a Sum) {
    to.number(sum.constant);
    to.number(sum.terms.len());
    for term in &sum.terms {
        let (counters, field, times) = match term {
            Term::Counter { counters, field, times } => {
                to.text("");
                (counters, field, times)
            }
            Term::Remaining { quantity, counters, field, times } => {
                to.number(*quantity);
                (counters, field, times)
            }
        };
        to.key_argument(counters);
        to.text(field);
        to.number(*times);
    }
}

/// The groups of counters that the guards speak of, each once.
fn guarded_groups(guards: &[Guard]) -> Vec<&str> {
    let mut groups = Vec::new();
    for term in guards.iter().flat_map(terms_of) {
        let (Term::Counter { counters, .. } | Term::Remaining { counters, .. }) = term;
        if !groups.contains(&counters.as_str()) {
            groups.push(counters.as_str());
        }
    }
    groups
}

/// What the commit does.
fn effects<'a>(to: &mut Builder<'a>, commit: &'a Commit) {
    let offsets = (1_usize..).zip(&commit.events);
    let types: BTreeMap<&str, usize> =
        offsets.map(|(offset, told)| (told.kind.as_str(), offset)).collect();
    let marks = commit.writes.iter().any(|write| matches!(write, Write::Mark { .. }));
    to.text(if marks { "1" } else { "0" });
    to.number(commit.events.len());
    to.text(&commit.cursor.as_ref().map(|at| at.next.to_string()).unwrap_or_default());
    let unmark = commit.unmark.as_ref();
    let (item, token) = unmark.map_or(("", ""), |(item, token)| (item, token));
    to.text(item);
    to.text(token);
    to.text(&mark::escape(&commit.origin.correlation));
    to.text(&mark::escape(&commit.origin.by));
    let writes = commit.writes.iter().filter(|write| !matches!(write, Write::Add { .. }));
    to.number(writes.clone().count());
    writes.for_each(|write| encode_write(to, write));
    to.number(types.len());
    for (kind, offset) in types {
        to.text(kind);
        to.number(offset);
    }
    to.number(commit.events.len());
    for told in &commit.events {
        to.text(&told.kind);
        to.text(&event::encode(commit.domain, told, &commit.origin));
    }
    match &commit.idempotency {
        Some(asked) => {
            to.digits(check::keep_seconds(asked.keep_seconds));
            to.text(&[&check::reply_prefix(&asked.request), asked.reply.as_str()].concat());
        }
        None => {
            to.text("");
            to.text("");
        }
    }
}

/// Kind, place of the key, a name or value, and for some one more.
fn encode_write<'a>(to: &mut Builder<'a>, write: &'a Write) {
    let (kind, key, name, more) = match write {
        Write::Put { key, value } => ("P", key, value.as_str(), None),
        Write::Delete { key } => ("X", key, "", None),
        Write::PutMember { set, member, value } => {
            ("M", set, member.as_str(), Some(Cow::from(value)))
        }
        Write::DeleteMember { set, member } => ("D", set, member.as_str(), None),
        Write::Index { index, member, score } => {
            ("I", index, member.as_str(), Some(score.to_string().into()))
        }
        Write::Unindex { index, member } => ("U", index, member.as_str(), None),
        Write::Mark { item } => {
            to.text("K");
            to.number(MARKS);
            to.text(item);
            return;
        }
        Write::Add { .. } => return, // counters are changed before the other writes
    };
    to.text(kind);
    to.key_argument(key);
    to.text(name);
    more.into_iter().for_each(|more: Cow<'_, str>| to.text(&more));
}

/// Decodes the answer to a commit.
///
/// # Errors
/// When it makes no sense.
pub fn decode_commit(commit: &Commit, values: Vec<Value>) -> Result<Outcome, Outage> {
    let mut from = Reader::new(values);
    Ok(match from.text()?.as_str() {
        "done" => Outcome::Done { version: from.number()? },
        "replayed" => Outcome::Replayed { version: from.number()?, reply: from.text()? },
        "key-reused" => Outcome::KeyReused,
        "new-tenant" => Outcome::NewTenant,
        "cursor-moved" => Outcome::CursorMoved,
        "behind" => Outcome::Behind,
        "full" => Outcome::Full,
        "stale" => Outcome::Stale(from.number()?),
        "guarded" => {
            let place = from.number()?;
            let groups = guarded_groups(&commit.guards).into_iter();
            let live = groups.map(|name| Ok((name.to_owned(), from.counters()?)));
            Outcome::Guarded(place, live.collect::<Result<_, _>>()?)
        }
        other => return Err(senseless(&format!("`{other}` to a commit"))),
    })
}
