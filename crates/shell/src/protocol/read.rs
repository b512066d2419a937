//! Reads, cuts and leases as arguments, and their answers.

use tradewind_kernel::event::{Domain, reacted_by};

use super::arguments::{Builder, Request};
use super::check::{self, CUT_SCAN, MAX_INTEGER};
use super::reply::{Reader, Value, senseless};
use super::{Function, event, mark};
use crate::store::{
    Cut, Found, Lease, Needs, Outage, Read, ReadRequest, Snapshot, TakeUp, Taken, Waiting, keys,
};

/// Encodes a read.
///
/// # Errors
/// When no store could carry it out.
pub fn encode_read(request: &ReadRequest) -> Result<Request, Outage> {
    check::read(request)?;
    let mut to = Builder::new(Function::Read, &request.tenant);
    to.shell_keys();
    to.key(&keys::marks(request.domain));
    to.text(request.domain.name());
    encode_needs(&mut to, &request.needs);
    for read in &request.reads {
        encode_one(&mut to, read);
    }
    Ok(to.finish())
}

/// `needs`: -1 for everything, -2 and a sequence for everything up to it, else how many types, and
/// each.
pub(super) fn encode_needs(to: &mut Builder<'_>, needs: &Needs) {
    match needs {
        Needs::Nothing => to.number(0),
        Needs::Types(types) => to.counted(types.iter().copied()),
        Needs::Everything => to.number(-1),
        Needs::UpTo(sequence) => {
            to.number(-2);
            to.number(*sequence);
        }
    }
}

fn encode_one(to: &mut Builder<'_>, read: &Read) {
    match read {
        Read::Record { key } => {
            to.key(key);
            to.text("R");
        }
        Read::Set { key } | Read::Counters { key } => {
            to.key(key);
            to.text("H");
        }
        Read::Members { key, members } => {
            to.key(key);
            to.text("F");
            let all = std::iter::once("").chain(members.iter().map(String::as_str));
            let all: Vec<&str> = all.collect();
            to.counted(all.into_iter());
        }
        Read::CounterFields { key, fields } => {
            to.key(key);
            to.text("F");
            to.counted(fields.iter());
        }
        Read::List { index, after, limit } => {
            to.key(index);
            let start = if after.is_empty() { "-".to_owned() } else { format!("({after}") };
            to.text("L");
            to.text(&start);
            to.digits(count(*limit));
        }
        Read::Due { index, until, limit } => {
            to.key(index);
            to.text("D");
            to.digits(until);
            to.digits(count(*limit));
        }
        Read::Mark { domain, item } => {
            to.key(&keys::marks(*domain));
            to.text("K");
            to.text(item);
        }
        Read::Marks { domain, limit } => {
            to.key(&keys::marks(*domain));
            to.text("W");
            to.digits(count(*limit));
        }
        Read::Events { domain, after, limit } => {
            to.key(&keys::stream(*domain));
            to.text("E");
            to.text(&format!("({after}"));
            to.digits(count(*limit));
        }
    }
}

/// A limit that Redis takes.
fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(MAX_INTEGER).min(MAX_INTEGER)
}

/// Decodes the answer to a read.
///
/// # Errors
/// When it makes no sense.
pub fn decode_read(request: &ReadRequest, values: Vec<Value>) -> Result<Snapshot, Outage> {
    let mut from = Reader::new(values);
    let behind = from.number::<i64>()? == 1;
    let waiting = from.number::<i64>()? == 1;
    let sequence = from.number()?;
    let life = from.number()?;
    let found =
        request.reads.iter().map(|read| decode_one(read, &mut from)).collect::<Result<_, _>>()?;
    if !from.is_empty() {
        return Err(senseless("a reply that is too long"));
    }
    Ok(Snapshot { behind, waiting, sequence, life, found })
}

fn decode_one(read: &Read, from: &mut Reader) -> Result<Found, Outage> {
    Ok(match read {
        Read::Record { .. } => Found::Record(from.record()?),
        Read::Set { .. } => {
            let mut members: std::collections::BTreeMap<_, _> = from.pairs()?.into_iter().collect();
            let version = members.remove("").map_or(Ok(0), |text| super::reply::parse(&text))?;
            Found::Set(version, members)
        }
        Read::Members { members, .. } => {
            let version = u64::try_from(from.number_or_zero()?).unwrap_or(0);
            let found = members.iter().map(|_| from.optional()).collect::<Result<_, _>>()?;
            Found::Members(version, found)
        }
        Read::Counters { .. } => Found::Counters(from.counters()?),
        Read::CounterFields { fields, .. } => {
            let found = fields.iter().map(|_| from.number_or_zero()).collect::<Result<_, _>>()?;
            Found::CounterFields(found)
        }
        Read::List { .. } => {
            let size: usize = from.number()?;
            let names = (0..size).map(|_| Ok((from.text()?, 0))).collect::<Result<_, _>>()?;
            Found::Names(names)
        }
        Read::Due { .. } => {
            let size = from.number::<usize>()? / 2;
            let names = (0..size).map(|_| Ok((from.text()?, from.number()?)));
            Found::Names(names.collect::<Result<_, _>>()?)
        }
        Read::Mark { item, .. } => {
            let found = from.optional()?;
            let marks = found.into_iter().map(|text| mark::decode(item.clone(), &text));
            Found::Marks(marks.collect::<Result<_, _>>()?)
        }
        Read::Marks { .. } => {
            let marks = from.pairs()?.into_iter().map(|(item, text)| mark::decode(item, &text));
            Found::Marks(marks.collect::<Result<_, _>>()?)
        }
        Read::Events { .. } => {
            let size: usize = from.number()?;
            let events = (0..size).map(|_| event::decode(&from.text()?, &from.text()?));
            Found::Events(events.collect::<Result<_, _>>()?)
        }
    })
}

/// The streams that a domain reacts to, and for each the types; none stands for all.
fn streams(domain: Domain) -> Vec<(Domain, Vec<&'static str>)> {
    let types: Vec<&'static str> = reacted_by(domain).collect();
    if types.is_empty() {
        let others = Domain::ALL.into_iter().filter(|other| *other != domain);
        return others.map(|other| (other, Vec::new())).collect();
    }
    let of = |stream: Domain| {
        let here = types.iter().filter(|kind| kind.split('.').next() == Some(stream.name()));
        (stream, here.copied().collect::<Vec<_>>())
    };
    Domain::ALL.into_iter().map(of).filter(|(_, here)| !here.is_empty()).collect()
}

/// Encodes a cut.
///
/// # Errors
/// When the tenant's name cannot be one.
pub fn encode_cut(tenant: &str, domain: Domain, limit: usize) -> Result<Request, Outage> {
    check::tenant(tenant)?;
    let mut to = Builder::new(Function::Cut, tenant);
    to.shell_keys();
    to.text(domain.name());
    encode_streams(&mut to, domain, limit);
    Ok(to.finish())
}

fn encode_streams(to: &mut Builder<'_>, domain: Domain, limit: usize) {
    to.number(check::cut_limit(limit));
    to.number(CUT_SCAN);
    for (stream, types) in streams(domain) {
        to.key(&keys::stream(stream));
        to.counted(types.into_iter());
    }
}

/// Decodes the answer to a cut.
///
/// # Errors
/// When it makes no sense.
pub fn decode_cut(values: Vec<Value>) -> Result<Cut, Outage> {
    decode_streams(Reader::new(values))
}

fn decode_streams(mut from: Reader) -> Result<Cut, Outage> {
    let (cursor, complete_to) = (from.number()?, from.number()?);
    let mut events = Vec::new();
    while !from.is_empty() {
        events.push(event::decode(&from.text()?, &from.text()?)?);
    }
    Ok(Cut { cursor, events, complete_to })
}

/// Encodes the taking up of what waits.
///
/// # Errors
/// When the tenant's name cannot be one.
pub fn encode_take_up(request: &TakeUp) -> Result<Request, Outage> {
    check::tenant(&request.tenant)?;
    let domain = request.domain;
    let mut to = Builder::new(Function::TakeUp, &request.tenant);
    to.shell_keys();
    for of in [keys::marks, keys::lease, keys::tries, keys::plan] {
        to.key(&of(domain));
    }
    to.text(domain.name());
    to.text(&request.owner);
    to.digits(check::lease_millis(request.millis));
    to.number(request.gap);
    to.digits(count(request.marks));
    encode_streams(&mut to, domain, request.events);
    Ok(to.finish())
}

/// Decodes the answer to the taking up of what waits.
///
/// # Errors
/// When it makes no sense.
pub fn decode_taken(values: Vec<Value>) -> Result<Taken, Outage> {
    let mut from = Reader::new(values);
    match from.text()?.as_str() {
        "held" => return Ok(Taken::Held),
        "idle" => return Ok(Taken::Idle),
        "waiting" => {}
        other => return Err(senseless(&format!("`{other}` to a taking up"))),
    }
    let lease = Lease { tries: from.number()?, tried_for: from.number()? };
    let skips = from.number::<i64>()? == 1;
    let plan = from.record()?;
    let size: usize = from.number()?;
    let marked = (0..size).map(|_| from.text()).collect::<Result<_, _>>()?;
    let cut = decode_streams(from)?;
    Ok(Taken::Waiting(Box::new(Waiting { lease, skips, plan, marked, cut })))
}

/// Encodes the giving back of a lease.
///
/// # Errors
/// When the tenant's name cannot be one.
pub fn encode_release(
    tenant: &str,
    domain: Domain,
    owner: &str,
    progress: bool,
) -> Result<Request, Outage> {
    check::tenant(tenant)?;
    let mut to = Builder::new(Function::Release, tenant);
    to.key(&keys::lease(domain));
    to.key(&keys::tries(domain));
    to.text(owner);
    to.text(if progress { "1" } else { "0" });
    Ok(to.finish())
}
