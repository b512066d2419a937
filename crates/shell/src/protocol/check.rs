//! What both stores refuse before they do anything: requests that no store could carry out.
//!
//! Each of these is a defect of the caller's code. It becomes an [`Outage`], so the caller gets a
//! 503 and the operator's log says what it was.

use tradewind_kernel::decision::{Floor, Guard, MAX_COMMIT_LINES, Sum, Term, Write};
use tradewind_kernel::event::{Domain, NewEvent};

use crate::store::{Check, Commit, Needs, Outage, Read, ReadRequest};

/// The largest size of any integer that crosses into a script: Lua counts in doubles, which are
/// exact up to here.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// Entries of one stream that a cut looks at: what is not of interest is passed over inside the
/// script, and this bounds how long that holds Redis (about a millisecond a stream).
pub const CUT_SCAN: usize = 512;

/// The longest that a reply is kept: ten years. Redis refuses absurd times.
const MAX_KEEP_SECONDS: u64 = 315_360_000;

/// The longest lease: a day.
const MAX_LEASE_MILLIS: u64 = 86_400_000;

/// How long a reply is kept, in what Redis accepts.
#[must_use]
pub fn keep_seconds(asked: u64) -> u64 {
    asked.clamp(1, MAX_KEEP_SECONDS)
}

/// How long a lease lasts, in what Redis accepts.
#[must_use]
pub fn lease_millis(asked: u64) -> u64 {
    asked.clamp(1, MAX_LEASE_MILLIS)
}

/// How many events a cut returns at most.
#[must_use]
pub fn cut_limit(asked: usize) -> usize {
    asked.clamp(1, CUT_SCAN)
}

/// What stands before a kept reply: the hash of its request.
#[must_use]
pub fn reply_prefix(request: &str) -> String {
    format!("{request}\n")
}

/// A tenant's name can be part of a key.
///
/// # Errors
/// When it is empty, the name of all tenants, or holds a brace (which would move its keys to
/// another hash slot).
pub fn tenant(name: &str) -> Result<(), Outage> {
    if name.is_empty() || name == "*" || name.contains(['{', '}']) {
        return Err(Outage(format!("`{name}` cannot be the name of a tenant")));
    }
    Ok(())
}

fn needs(needs: &Needs) -> Result<(), Outage> {
    match needs {
        Needs::UpTo(sequence) => version("a sequence", *sequence),
        Needs::Nothing | Needs::Types(_) | Needs::Everything => Ok(()),
    }
}

/// A read can be carried out.
///
/// # Errors
/// When the tenant's name, a member's name or a number cannot be.
pub fn read(request: &ReadRequest) -> Result<(), Outage> {
    tenant(&request.tenant)?;
    needs(&request.needs)?;
    for read in &request.reads {
        match read {
            Read::Members { members, .. } => members.iter().try_for_each(|name| member(name))?,
            Read::Due { until, .. } => integer("a due time", *until)?,
            Read::Events { after, .. } => version("a sequence", *after)?,
            _ => {}
        }
    }
    Ok(())
}

/// A commit can be carried out, so that no write of it fails halfway.
///
/// # Errors
/// When it is too large, a number leaves what scripts count exactly, or a name is not one.
pub fn commit(commit: &Commit) -> Result<(), Outage> {
    tenant(&commit.tenant)?;
    needs(&commit.needs)?;
    if commit.writes.len().saturating_add(commit.events.len()) > MAX_COMMIT_LINES {
        return Err(Outage(format!("a commit of more than {MAX_COMMIT_LINES} lines")));
    }
    if commit.idempotency.as_ref().is_some_and(|asked| asked.request.contains('\n')) {
        return Err(Outage("the hash of a request with a line feed in it".to_owned()));
    }
    if let Some(moved) = &commit.cursor {
        version("a cursor", moved.expected)?;
        version("a cursor", moved.next)?;
        if moved.next < moved.expected {
            return Err(Outage("a cursor that moves back".to_owned()));
        }
    }
    for check in &commit.checks {
        match check {
            Check::Record { version: read, .. } | Check::Set { version: read, .. } => {
                version("a version", *read)?;
            }
            Check::Life { life } => version("a life", *life)?,
            Check::Unmarked { .. } => {}
        }
    }
    commit.guards.iter().try_for_each(guard)?;
    commit.writes.iter().try_for_each(write)?;
    commit.events.iter().try_for_each(|told| event(commit.domain, told))
}

fn write(write: &Write) -> Result<(), Outage> {
    match write {
        Write::PutMember { member: name, .. } | Write::DeleteMember { member: name, .. } => {
            member(name)
        }
        Write::Add { delta, .. } => integer("a change of a counter", *delta),
        Write::Index { score, .. } => integer("a score", *score),
        _ => Ok(()),
    }
}

/// A reacting domain finds an event in the stream that its type names.
fn event(domain: Domain, told: &NewEvent) -> Result<(), Outage> {
    match told.kind.strip_prefix(domain.name()) {
        Some(rest) if rest.starts_with('.') => Ok(()),
        _ => Err(Outage(format!("{domain} cannot tell `{}`", told.kind))),
    }
}

fn guard(guard: &Guard) -> Result<(), Outage> {
    sum(&guard.sum)?;
    match &guard.floor {
        Floor::Value(value) => integer("a floor", *value),
        Floor::MinimumOf(sums) => sums.iter().try_for_each(sum),
    }
}

fn sum(sum: &Sum) -> Result<(), Outage> {
    integer("a constant", sum.constant)?;
    sum.terms.iter().try_for_each(|term| match term {
        Term::Counter { times, .. } => integer("a factor", *times),
        Term::Remaining { quantity, times, .. } => {
            integer("a quantity", *quantity)?;
            integer("a factor", *times)
        }
    })
}

fn member(name: &str) -> Result<(), Outage> {
    if name.is_empty() {
        return Err(Outage("a member of a set without a name".to_owned()));
    }
    Ok(())
}

fn integer(what: &str, value: i64) -> Result<(), Outage> {
    if value.unsigned_abs() > MAX_INTEGER.unsigned_abs() {
        return Err(Outage(format!("{what} of {value} is beyond 2^53")));
    }
    Ok(())
}

fn version(what: &str, value: u64) -> Result<(), Outage> {
    if value > MAX_INTEGER.unsigned_abs() {
        return Err(Outage(format!("{what} of {value} is beyond 2^53")));
    }
    Ok(())
}
