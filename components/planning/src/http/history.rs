//! Loading demand history: JSON lines, every faulty one named and then none loaded.
//!
//! All lines are checked before the first is written. They are written in blocks, each one commit of
//! whole quarters in the order of items, channels and days; the last carries the idempotency key. A
//! line's place is its identity, so a load that was cut short between blocks is completed by
//! repeating it.

use std::collections::BTreeSet;

use tradewind_kernel::refusal::{Fault, RefusalKind};
use tradewind_kernel::{Day, Id, Refusal};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::schema::{MAX_FAULTS, read_line};
use tradewind_shell::store::Read;
use tradewind_shell::world::World;

use crate::asks::Asks;
use crate::facts::{Channel, Item};
use crate::history::{Books, HistoryLine, Loaded, Place, Quarter, Series, load, quarter_of};
use crate::{MAX_BLOCK_QUARTERS, MAX_HISTORY_LINES, Planning, keys};

/// A line and its number in the body, from 1.
type Numbered = (usize, HistoryLine);

/// Items that are looked up at one moment: a load may name all that there are, and the store is held
/// for milliseconds at most.
const ITEMS_AT_ONCE: usize = 1000;

pub(super) async fn load_history<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let lines = parse(call.raw_body())?;
    let mut sorted: Vec<&HistoryLine> = lines.iter().map(|(_, line)| line).collect();
    // Stable: of two lines with one identity the later one stays the later one.
    sorted.sort_by(|a, b| (&a.sku, &a.channel, a.day).cmp(&(&b.sku, &b.channel, b.day)));
    let whole = Loaded::of(&sorted);
    let (earlier, last) = blocks(&sorted);
    call.in_blocks(
        async |gather| check(gather, &lines, gather.today().await?).await,
        (&earlier, &last),
        async |gather, block| Ok(load(books(gather, block).await?, block, &whole)),
    )
    .await
}

/// The blocks in which sorted lines are written, and the last of them; a quarter is in one.
fn blocks<'a, 'b>(
    sorted: &'b [&'a HistoryLine],
) -> (Vec<&'b [&'a HistoryLine]>, &'b [&'a HistoryLine]) {
    let (mut earlier, mut rest) = (Vec::new(), sorted);
    let (mut quarters, mut length) = (0_usize, 0_usize);
    for quarter in sorted.chunk_by(|a, b| place(a) == place(b)) {
        if quarters == MAX_BLOCK_QUARTERS {
            let (block, after) = rest.split_at(length);
            earlier.push(block);
            (rest, quarters, length) = (after, 0, 0);
        }
        quarters = quarters.saturating_add(1);
        length = length.saturating_add(quarter.len());
    }
    (earlier, rest)
}

fn place(line: &HistoryLine) -> (&Id, &Id, Day) {
    (&line.sku, &line.channel, quarter_of(line.day))
}

/// Every line, or every fault of every line, its pointer beginning with the line's number.
fn parse(body: &[u8]) -> Result<Vec<Numbered>, Refusal> {
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    let mut kind = RefusalKind::Invalid;
    for (place, text) in body.split(|byte| *byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let number = place.saturating_add(1);
        match read_line::<HistoryLine>(text, number) {
            Ok(line) => lines.push((number, line)),
            Err(refusal) => {
                if refusal.kind == RefusalKind::Malformed {
                    kind = RefusalKind::Malformed;
                }
                faults.extend(refusal.faults);
                // A load may be endless, an answer not.
                if faults.len() >= MAX_FAULTS {
                    break;
                }
            }
        }
        if lines.len() > MAX_HISTORY_LINES {
            let detail = format!("one request loads at most {MAX_HISTORY_LINES} lines");
            return Err(Refusal::new(RefusalKind::TooLarge, "too-many-lines", detail));
        }
    }
    if faults.is_empty() {
        return Ok(lines);
    }
    faults.truncate(MAX_FAULTS);
    Err(Refusal { kind, ..Refusal::invalid(faults) })
}

/// Reads the quarters and series that the lines of a block touch.
async fn books<W: World>(gather: &Gather<'_, W>, block: &[&HistoryLine]) -> Result<Books, Failure> {
    let places: BTreeSet<Place> = block
        .iter()
        .map(|line| (line.sku.clone(), line.channel.clone(), quarter_of(line.day)))
        .collect();
    let skus: BTreeSet<&Id> = places.iter().map(|(sku, _, _)| sku).collect();
    let quarter = |(sku, channel, first): &Place| keys::quarter(sku, channel, *first);
    let mut reads: Vec<Read> =
        places.iter().map(|place| Read::Record { key: quarter(place) }).collect();
    reads.extend(skus.iter().map(|sku| Read::Set { key: keys::series(sku) }));
    gather.prefetch(reads).await?;
    let mut books = Books::default();
    let kept = gather.records::<Quarter>(places.iter().map(quarter).collect()).await?;
    for (place, kept) in places.iter().zip(kept) {
        if let Some(kept) = kept {
            books.quarters.insert(place.clone(), kept.value);
        }
    }
    for sku in skus {
        for (channel, series) in gather.set::<Series>(keys::series(sku)).await? {
            if let Ok(channel) = channel.parse() {
                books.series.insert((sku.clone(), channel), series);
            }
        }
    }
    Ok(books)
}

/// Items and channels must be known, days must not lie ahead.
async fn check<W: World>(
    gather: &Gather<'_, W>,
    lines: &[Numbered],
    today: Day,
) -> Result<(), Failure> {
    let channels = gather.set::<Channel>(keys::CHANNELS).await?;
    let skus: BTreeSet<&Id> = lines.iter().map(|(_, line)| &line.sku).collect();
    let skus: Vec<&Id> = skus.into_iter().collect();
    let mut unknown: BTreeSet<&Id> = BTreeSet::new();
    for some in skus.chunks(ITEMS_AT_ONCE) {
        let items = some.iter().map(|sku| keys::item(sku)).collect();
        let found = gather.records::<Item>(items).await?;
        let missing = some.iter().zip(found).filter(|(_, found)| found.is_none());
        unknown.extend(missing.map(|(sku, _)| *sku));
    }
    let mut faults = Vec::new();
    for (number, line) in lines {
        if faults.len() >= MAX_FAULTS {
            break;
        }
        let mut fault = |field: &str, code: &str, detail: &str| {
            faults.push(Fault::new(format!("/{number}/{field}"), code, detail));
        };
        if unknown.contains(&line.sku) {
            fault("sku", "sku-unknown", "there is no such item");
        }
        if !channels.contains_key(line.channel.as_str()) {
            fault("channel", "channel-unknown", "there is no such channel");
        }
        if line.day > today {
            fault("day", "day-ahead", "history is of days that have been");
        }
    }
    faults.truncate(MAX_FAULTS);
    if faults.is_empty() { Ok(()) } else { Err(Refusal::invalid(faults).into()) }
}
