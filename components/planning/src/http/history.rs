//! Loading demand history: JSON lines, every faulty one named, all or nothing.

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
use crate::history::{Books, HistoryLine, Place, Quarter, Series, load, quarter_of};
use crate::{MAX_HISTORY_LINES, MAX_HISTORY_RECORDS, Planning, keys};

/// A line and its number in the body, from 1.
type Numbered = (usize, HistoryLine);

pub(super) async fn load_history<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let lines = parse(call.raw_body())?;
    let places: BTreeSet<Place> = lines
        .iter()
        .map(|(_, line)| (line.sku.clone(), line.channel.clone(), quarter_of(line.day)))
        .collect();
    if places.len() > MAX_HISTORY_RECORDS {
        let detail = format!(
            "the lines touch {} quarters of series, at most {MAX_HISTORY_RECORDS} in one request: \
             send the days of a series together, or fewer lines",
            places.len()
        );
        return Err(Refusal::new(RefusalKind::TooLarge, "too-many-quarters", detail).into());
    }
    call.command(async |gather| {
        let today = gather.today().await?;
        let books = books(gather, &places).await?;
        check(gather, &lines, today).await?;
        let lines: Vec<HistoryLine> = lines.iter().map(|(_, line)| line.clone()).collect();
        Ok(load(books, &lines))
    })
    .await
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

/// Reads the quarters and series that the lines touch.
async fn books<W: World>(
    gather: &Gather<'_, W>,
    places: &BTreeSet<Place>,
) -> Result<Books, Failure> {
    let skus: BTreeSet<&Id> = places.iter().map(|(sku, _, _)| sku).collect();
    let quarter = |(sku, channel, first): &Place| keys::quarter(sku, channel, *first);
    let mut reads: Vec<Read> =
        places.iter().map(|place| Read::Record { key: quarter(place) }).collect();
    reads.push(Read::Set { key: keys::CHANNELS.to_owned() });
    for sku in &skus {
        reads.push(Read::Record { key: keys::item(sku) });
        reads.push(Read::Set { key: keys::series(sku) });
    }
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
    let mut unknown: BTreeSet<&Id> = BTreeSet::new();
    for sku in skus {
        if gather.record::<Item>(keys::item(sku)).await?.is_none() {
            unknown.insert(sku);
        }
    }
    let mut faults = Vec::new();
    for (number, line) in lines {
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
