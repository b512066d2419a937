//! What each cause moved, by the model: promises, availability and holds right before and right after
//! every commit that tells of them, by correlation. So the totals of a cascade can be judged also
//! when other causes came between its commits.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tradewind_kernel::Day;
use tradewind_kernel::event::{Domain, NewEvent};

use super::model::Model;
use super::player::Player;
use super::seam::Seen;
use super::step::Finding;

/// Events that tell what availability and promises changed by.
const AVAILABILITY: &str = "inventory.availability-changed";
const PEGGED: &str = "inventory.item-pegged";

/// Causes whose reaction compares with another day or network than that of the moment before it.
const OTHER_VIEWS: [&str; 3] =
    ["inventory.day-turned", "inventory.node-set", "inventory.channel-set"];

/// Two figures of a place: what it can take and shows, or what is held and short.
type Pair = (i64, i64);

/// What the model says of items at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    available: BTreeMap<String, Pair>,
    protections: BTreeMap<String, Pair>,
    promises: BTreeMap<String, Option<Day>>,
    /// Lines of which something is unclaimed: of the others no promise moves.
    open: BTreeSet<String>,
}

impl View {
    /// The promises of lines of which something is unclaimed.
    fn open(&self) -> impl Iterator<Item = (&String, &Option<Day>)> {
        self.promises.iter().filter(|(name, _)| self.open.contains(*name))
    }
}

/// What causes moved: before the first of their commits, and after the last.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    views: BTreeSet<u64>,
    /// Items that were last pegged by counters as they were a moment before: their promises are
    /// not those of the model until they are pegged again, for which they are marked; a line that
    /// is wholly claimed keeps what it was promised then until it is open again.
    torn: BTreeSet<String>,
    causes: BTreeMap<String, Moves>,
}

#[derive(Debug, Clone, Default)]
struct Moves {
    available: BTreeMap<String, (Pair, Pair)>,
    protections: BTreeMap<String, (Pair, Pair)>,
    /// A line that was given its first promise, or another after it was wholly claimed, has none
    /// before.
    promises: BTreeMap<String, (Option<Option<Day>>, Option<Day>)>,
    /// It compared with another day or network.
    other_view: bool,
    /// Something that it told rests on counters as they were a moment before.
    torn: bool,
}

fn tells<'a>(seen: &'a Seen, kind: &'a str) -> impl Iterator<Item = &'a NewEvent> {
    seen.commit.events.iter().filter(move |event| event.kind == kind)
}

impl Model {
    fn view(&self, skus: &BTreeSet<String>) -> View {
        let mut view = View::default();
        for sku in skus {
            for channel in self.channels.keys() {
                let name = format!("{sku} in {channel}");
                view.available.insert(name, self.shown(sku, channel));
            }
            let short = self.protected(sku);
            for (id, held) in self.held(sku) {
                let short = short.get(&id).map_or(0, |(_, short)| *short);
                view.protections.insert(id, (held, short));
            }
            let kept = self.promises.get(sku).into_iter().flatten();
            for ((order, line), kept) in kept.filter(|(_, kept)| !kept.unasked) {
                let name = format!("{order}/{line}");
                if !kept.is_filled() {
                    view.open.insert(name.clone());
                }
                view.promises.insert(name, kept.promised);
            }
        }
        view
    }
}

impl Ledger {
    /// Whether the promises of an item may be other than the model's.
    pub(super) fn any_torn(&self) -> bool {
        !self.torn.is_empty()
    }
}

impl Player {
    /// What the model says before it takes a commit in, if the commit tells of it.
    pub(super) fn view_before(&self, seen: &Seen) -> Option<View> {
        let skus = told_items(seen);
        (!skus.is_empty()).then(|| self.model.view(&skus))
    }

    /// What a commit tells is what the model says before and after it; the ledger takes it in.
    pub(super) fn told_right(&mut self, seen: &Seen, before: Option<View>) -> Result<(), Finding> {
        for (sequence, event) in (seen.version + 1..).zip(&seen.commit.events) {
            if OTHER_VIEWS.contains(&event.kind.as_str()) {
                self.observer.ledger.views.insert(sequence);
            }
        }
        let Some(before) = before else { return Ok(()) };
        let after = self.model.view(&told_items(seen));
        let other_view =
            self.cause(seen).is_some_and(|cause| self.observer.ledger.views.contains(&cause));
        let correlation = seen.commit.origin.correlation.clone();
        let ledger = &mut self.observer.ledger;
        let mut exact = seen.exact;
        for event in tells(seen, PEGGED) {
            let was_torn = ledger.torn.contains(&event.subject);
            let kept = self.model.promises.get(&event.subject).into_iter().flatten();
            if !seen.exact {
                ledger.torn.insert(event.subject.clone());
            } else if kept.into_iter().all(|(_, kept)| !kept.is_filled()) {
                ledger.torn.remove(&event.subject);
            }
            exact &= !was_torn;
        }
        let moves = ledger.causes.entry(correlation).or_default();
        moves.other_view |= other_view;
        moves.torn |= !exact;
        for event in tells(seen, AVAILABILITY) {
            if exact && !other_view {
                availability_told(&event.data, &before, &after)?;
            }
            merge(&mut moves.available, &before.available, &after.available);
            merge(&mut moves.protections, &before.protections, &after.protections);
        }
        for event in tells(seen, PEGGED) {
            if exact {
                promises_told(&event.data, &before, &after)?;
            }
            for (name, new) in after.open() {
                let old = before.promises.get(name).copied();
                if old != Some(*new) {
                    moves.promises.entry(name.clone()).or_insert((old, *new)).1 = *new;
                }
            }
        }
        Ok(())
    }

    /// A cascade tells what the ledger has of its cause.
    pub(super) fn by_ledger(&mut self, correlation: &str, told: &Value) -> Result<(), Finding> {
        let none = Moves::default();
        let moves = self.observer.ledger.causes.get(correlation).unwrap_or(&none);
        if moves.torn {
            return Ok(());
        }
        let differ = |what: &str, expected: String, found: String| {
            let detail = format!("expected {expected}\n  told {found}\n  in {told}");
            Err(Finding::new(format!("ledger: {what}"), detail))
        };
        let list = |field: &str| told[field].as_array().cloned().unwrap_or_default();
        let moved = moves.promises.iter().filter_map(|(name, (old, new))| {
            let old = (*old)?;
            (old != *new).then(|| (name.clone(), (old, *new)))
        });
        let expected: BTreeMap<String, (Option<Day>, Option<Day>)> = moved.collect();
        let found: BTreeMap<_, _> = list("promises").iter().map(promise).collect();
        if found != expected {
            return differ("promises", format!("{expected:?}"), format!("{found:?}"));
        }
        let mut count = expected.len();
        if !moves.other_view {
            for (what, moved, told) in [
                (
                    "allocations",
                    &moves.available,
                    list("allocations").iter().map(channel).collect(),
                ),
                ("protections", &moves.protections, list("protections").iter().map(held).collect()),
            ] {
                let moved = moved.iter().filter(|(_, (old, new))| old != new);
                let expected: BTreeMap<String, (Pair, Pair)> =
                    moved.map(|(name, pairs)| (name.clone(), *pairs)).collect();
                let told: BTreeMap<String, (Pair, Pair)> = told;
                if told != expected {
                    return differ(what, format!("{expected:?}"), format!("{told:?}"));
                }
                count += expected.len();
            }
        }
        self.counts.ledgers += 1;
        self.counts.ledger += u64::try_from(count).unwrap_or(0);
        Ok(())
    }
}

/// The items of which a commit tells.
fn told_items(seen: &Seen) -> BTreeSet<String> {
    if seen.commit.domain != Domain::Inventory {
        return BTreeSet::new();
    }
    let told = tells(seen, AVAILABILITY).chain(tells(seen, PEGGED));
    told.map(|event| event.subject.clone()).collect()
}

/// Takes in what changed: the first of a cause says from what, the last to what.
fn merge(
    into: &mut BTreeMap<String, (Pair, Pair)>,
    before: &BTreeMap<String, Pair>,
    after: &BTreeMap<String, Pair>,
) {
    for name in before.keys().chain(after.keys()) {
        let of = |view: &BTreeMap<String, Pair>| view.get(name).copied().unwrap_or_default();
        if of(before) != of(after) {
            into.entry(name.clone()).or_insert((of(before), of(after))).1 = of(after);
        }
    }
}

fn availability_told(told: &Value, before: &View, after: &View) -> Result<(), Finding> {
    let list = |field: &str| told[field].as_array().cloned().unwrap_or_default();
    let channels: BTreeMap<String, (Pair, Pair)> = list("channels").iter().map(channel).collect();
    let protections: BTreeMap<_, _> = list("protections").iter().map(held).collect();
    for (what, told, before, after) in [
        ("availability", channels, &before.available, &after.available),
        ("protections", protections, &before.protections, &after.protections),
    ] {
        let mut expected = BTreeMap::new();
        merge(&mut expected, before, after);
        if told != expected {
            let detail = format!("expected {expected:?}\n  told {told:?}");
            return Err(Finding::new(format!("told: {what}"), detail));
        }
    }
    Ok(())
}

fn promises_told(told: &Value, before: &View, after: &View) -> Result<(), Finding> {
    let moved = told["moved"].as_array().cloned().unwrap_or_default();
    let given = moved.iter().filter(|one| one["first"] != true);
    let found: BTreeMap<_, _> = given.map(promise).collect();
    let mut expected = BTreeMap::new();
    for (name, new) in after.open() {
        if let Some(old) = before.promises.get(name).filter(|old| *old != new) {
            expected.insert(name.clone(), (*old, *new));
        }
    }
    if found != expected {
        let detail = format!("expected {expected:?}\n  told {found:?}");
        return Err(Finding::new("told: promises", detail));
    }
    Ok(())
}

fn figure(told: &Value, field: &str) -> i64 {
    told[field].as_i64().unwrap_or(0)
}

fn text(told: &Value, field: &str) -> String {
    told[field].as_str().unwrap_or_default().to_owned()
}

fn channel(told: &Value) -> (String, (Pair, Pair)) {
    let pair = |when: &str| {
        (figure(told, &format!("available_{when}")), figure(told, &format!("published_{when}")))
    };
    let name = format!("{} in {}", text(told, "sku"), text(told, "channel"));
    (name, (pair("before"), pair("after")))
}

fn held(told: &Value) -> (String, (Pair, Pair)) {
    let pair = |when: &str| {
        (figure(told, &format!("held_{when}")), figure(told, &format!("short_{when}")))
    };
    (text(told, "id"), (pair("before"), pair("after")))
}

fn promise(told: &Value) -> (String, (Option<Day>, Option<Day>)) {
    let day = |field: &str| told[field].as_str().and_then(|day| day.parse().ok());
    let name = format!("{}/{}", text(told, "order"), told["line"]);
    (name, (day("old_day"), day("new_day")))
}
