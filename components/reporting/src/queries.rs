//! Reading cascades and the audit chain back from the store.

use std::collections::BTreeMap;

use serde::Deserialize;
use tradewind_kernel::Refusal;
use tradewind_kernel::event::{Domain, Event};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::store::{
    Found, MarkState, Needs, Outage, Read, ReadRequest, Store, Versioned, keys as shell,
};
use tradewind_shell::world::World;

use crate::audit::{Entry, Head, PACK, Verification, Verifier};
use crate::cascade::{Cascade, ParkedEvent, Standing, cascade};
use crate::keys;
use crate::reactions::pointed;

/// Events of one cascade that are read at most: a cascade of 10,000 lines has a few thousand.
const MAX_EVENTS: usize = 100_000;

/// Marks that are looked through for one cascade.
const MAX_MARKS: usize = 100_000;

/// A run of a stream is read at once when the next event of the cascade is at most so far.
const RUN_GAP: u64 = 16;

/// The longest run.
const RUN_LENGTH: u64 = 256;

/// Runs that one round trip reads.
const RUNS_AT_ONCE: usize = 64;

/// Events of a stream that the verification reads at a time.
const VERIFY_PAGE: usize = 256;

/// The events of a correlation, in order, and where the domains stood when they were listed.
pub(crate) struct Told {
    pub(crate) events: Vec<Event>,
    standing: Standing,
    continued_in: Vec<String>,
}

/// Reads what was told under a correlation.
///
/// # Errors
/// 404 for an unknown correlation; outages; `Behind`.
pub(crate) async fn told<W: World>(
    gather: &Gather<'_, W>,
    correlation: &str,
) -> Result<Told, Failure> {
    let due = |index: String| Read::Due { index, until: (1 << 53) - 1, limit: MAX_EVENTS };
    let mut reads = vec![
        due(keys::cascade(correlation)),
        due(keys::continued(correlation)),
        Read::Counters { key: shell::CURSORS.to_owned() },
    ];
    for domain in Domain::ALL {
        reads.push(Read::Set { key: shell::parked(domain) });
        reads.push(Read::Record { key: shell::plan(domain) });
        reads.push(Read::Marks { domain, limit: MAX_MARKS });
    }
    let mut found = gather.fetch(reads).await?.into_iter();
    let (pointers, continued) = (names(found.next())?, names(found.next())?);
    if pointers.is_empty() {
        return Err(Refusal::not_found(format!("cascade `{correlation}`")).into());
    }
    let Some(Found::Counters(cursors)) = found.next() else { return Err(misread()) };
    let mut standing = Standing::default();
    for (name, cursor) in cursors {
        if let (Ok(domain), Ok(cursor)) = (name.parse(), u64::try_from(cursor)) {
            standing.cursors.insert(domain, cursor);
        }
    }
    for domain in Domain::ALL {
        let (Some(Found::Set(_, parked)), Some(Found::Record(plan)), Some(Found::Marks(marks))) =
            (found.next(), found.next(), found.next())
        else {
            return Err(misread());
        };
        let parked = parked.values();
        for json in parked {
            standing.parked.extend(parked_of(domain, json, correlation)?);
        }
        if let Some(plan) = plan {
            standing.pending |= plan_serves(&plan, correlation)?;
        }
        standing.pending |= marks.iter().any(|mark| mark_serves(mark, correlation));
    }
    let events = events(gather, &pointers, correlation).await?;
    Ok(Told { events, standing, continued_in: continued })
}

/// The cascade of a correlation.
///
/// # Errors
/// As [`told`].
pub(crate) async fn cascade_of<W: World>(
    gather: &Gather<'_, W>,
    correlation: &str,
) -> Result<Cascade, Failure> {
    let told = told(gather, correlation).await?;
    let base = gather.settings().await?.currency;
    cascade(&told.events, told.standing, base, told.continued_in)
        .ok_or_else(|| Refusal::not_found(format!("cascade `{correlation}`")).into())
}

fn misread() -> Failure {
    Outage("the store answered something else than was read".to_owned()).into()
}

fn names(found: Option<Found>) -> Result<Vec<String>, Failure> {
    match found {
        Some(Found::Names(names)) => Ok(names.into_iter().map(|(name, _)| name).collect()),
        _ => Err(misread()),
    }
}

/// A record of the shell's set of parked events.
#[derive(Deserialize)]
struct Parked {
    event: Event,
    why: String,
}

fn parked_of(
    domain: Domain,
    json: &str,
    correlation: &str,
) -> Result<Option<ParkedEvent>, Failure> {
    let parked: Parked = serde_json::from_str(json)
        .map_err(|fault| Outage(format!("a parked event does not read: {fault}")))?;
    let ours = parked.event.origin.correlation == correlation;
    Ok(ours.then(|| ParkedEvent {
        id: parked.event.id(),
        kind: parked.event.kind().to_owned(),
        domain,
        why: parked.why,
    }))
}

/// Whether a half-written effect belongs to this correlation. One of an event is covered by the
/// cursor, which has not passed it; one of a mark is not.
fn plan_serves(plan: &Versioned, correlation: &str) -> Result<bool, Failure> {
    let plan: serde_json::Value = serde_json::from_str(&plan.json)
        .map_err(|fault| Outage(format!("a half-written effect does not read: {fault}")))?;
    let field =
        |name: &str| plan.pointer(&format!("/cause/Mark/origin/{name}")).and_then(|it| it.as_str());
    let named = |parents: &str| parents.split(' ').any(|it| it == correlation);
    Ok(field("correlation") == Some(correlation) || field("parent").is_some_and(named))
}

fn mark_serves(mark: &MarkState, correlation: &str) -> bool {
    mark.causes.iter().any(|cause| cause.correlation == correlation)
}

/// Reads the events that an index points to, in order.
async fn events<W: World>(
    gather: &Gather<'_, W>,
    pointers: &[String],
    correlation: &str,
) -> Result<Vec<Event>, Failure> {
    let mut events: BTreeMap<u64, Event> = BTreeMap::new();
    for reads in runs(pointers).chunks(RUNS_AT_ONCE) {
        for found in gather.fetch(reads.to_vec()).await? {
            let Found::Events(run) = found else { return Err(misread()) };
            let ours = run.into_iter().filter(|event| event.origin.correlation == correlation);
            events.extend(ours.map(|event| (event.sequence, event)));
        }
    }
    Ok(events.into_values().collect())
}

/// Reads of runs of streams that cover all pointers.
fn runs(pointers: &[String]) -> Vec<Read> {
    let mut streams: BTreeMap<Domain, Vec<u64>> = BTreeMap::new();
    for (domain, sequence) in pointers.iter().filter_map(|name| pointed(name)) {
        streams.entry(domain).or_default().push(sequence);
    }
    let mut reads = Vec::new();
    for (domain, mut sequences) in streams {
        sequences.sort_unstable();
        let mut run: Option<(u64, u64)> = None;
        for sequence in sequences {
            run = match run {
                Some((first, last))
                    if sequence.saturating_sub(last) <= RUN_GAP
                        && sequence.saturating_sub(first) < RUN_LENGTH =>
                {
                    Some((first, sequence))
                }
                Some(ended) => {
                    reads.push(read_run(domain, ended));
                    Some((sequence, sequence))
                }
                None => Some((sequence, sequence)),
            };
        }
        reads.extend(run.map(|run| read_run(domain, run)));
    }
    reads
}

fn read_run(domain: Domain, (first, last): (u64, u64)) -> Read {
    let length = last.saturating_sub(first).saturating_add(1);
    let limit = usize::try_from(length).unwrap_or(1);
    Read::Events { domain, after: first.saturating_sub(1), limit }
}

/// Reads every stream again and checks the chain against it.
///
/// # Errors
/// Outages; `Behind`.
pub(crate) async fn verify<W: World>(gather: &Gather<'_, W>) -> Result<Verification, Failure> {
    let head = gather.record::<Head>(keys::AUDIT_HEAD).await?;
    let head = head.map(|kept| kept.value).unwrap_or_default();
    let mut streams = Streams::new(gather, head.sequence);
    let mut verifier = Verifier::default();
    let mut difference = None;
    let mut pack: BTreeMap<String, Entry> = BTreeMap::new();
    let mut number = 0u64;
    loop {
        number = number.saturating_add(1);
        let (of, name) = crate::audit::place(number);
        if number.checked_rem(PACK) == Some(1) && number <= head.entries {
            pack = pack_of(gather, of).await?;
        }
        let entry = if number <= head.entries { pack.get(&name) } else { None };
        let event = streams.next().await?;
        if entry.is_none() && event.is_none() {
            break;
        }
        if let Err(found) = verifier.next(entry, event.as_ref()) {
            difference = Some(found);
            break;
        }
    }
    Ok(verifier.finish(&head, difference))
}

async fn pack_of<W: World>(
    gather: &Gather<'_, W>,
    pack: u64,
) -> Result<BTreeMap<String, Entry>, Failure> {
    match read_once(gather, vec![Read::Set { key: keys::audit(pack) }]).await?.pop() {
        Some(Found::Set(_, members)) => {
            let read = |(name, json): (String, String)| {
                Some((name, serde_json::from_str::<Entry>(&json).ok()?))
            };
            Ok(members.into_iter().filter_map(read).collect())
        }
        _ => Err(misread()),
    }
}

/// Reads without remembering: a whole history does not fit into memory.
async fn read_once<W: World>(
    gather: &Gather<'_, W>,
    reads: Vec<Read>,
) -> Result<Vec<Found>, Failure> {
    let (tenant, domain) = (gather.tenant().to_owned(), Domain::Reporting);
    let request = ReadRequest { tenant, domain, needs: Needs::Nothing, reads };
    Ok(gather.world().store().read(&request).await?.found)
}

/// All streams of a tenant as one, in sequence order, up to a sequence.
struct Streams<'g, 'w, W: World> {
    gather: &'g Gather<'w, W>,
    until: u64,
    waiting: BTreeMap<Domain, Stream>,
}

#[derive(Default)]
struct Stream {
    events: std::collections::VecDeque<Event>,
    after: u64,
    ended: bool,
}

impl<'g, 'w, W: World> Streams<'g, 'w, W> {
    fn new(gather: &'g Gather<'w, W>, until: u64) -> Self {
        let streams = Domain::ALL.into_iter().map(|domain| (domain, Stream::default()));
        Self { gather, until, waiting: streams.collect() }
    }

    async fn next(&mut self) -> Result<Option<Event>, Failure> {
        for (domain, stream) in &mut self.waiting {
            if stream.events.is_empty() && !stream.ended {
                let (after, limit) = (stream.after, VERIFY_PAGE);
                let read = Read::Events { domain: *domain, after, limit };
                let Some(Found::Events(events)) = read_once(self.gather, vec![read]).await?.pop()
                else {
                    return Err(misread());
                };
                stream.ended = events.len() < VERIFY_PAGE;
                stream.after = events.last().map_or(after, |event| event.sequence);
                stream.events.extend(events);
            }
        }
        let until = self.until;
        let heads = self
            .waiting
            .values_mut()
            .filter(|stream| stream.events.front().is_some_and(|event| event.sequence <= until));
        let first = heads.min_by_key(|stream| stream.events.front().map(|event| event.sequence));
        Ok(first.and_then(|stream| stream.events.pop_front()))
    }
}
