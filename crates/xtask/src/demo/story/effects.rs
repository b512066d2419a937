//! What changed: promises, availability, protections, promotions, cash, the supplier's score.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;
use tradewind_kernel::Day;

use super::table::{
    Table, amount, change, counted, hundredths, list, number, paragraph, text, units,
};
use super::{Names, heading};
use crate::demo::client::Client;

/// How many of the moved promises are shown one by one.
const SHOWN_PROMISES: usize = 10;

/// How many changes of availability are shown one by one.
const SHOWN_ALLOCATIONS: usize = 10;

/// Tells it.
pub fn told(client: &Client<'_>, cascade: &Value, names: &Names) -> Result<Vec<String>> {
    let mut lines = promises(cascade, names);
    lines.extend(allocations(cascade, names));
    lines.extend(protections(client, cascade, names)?);
    lines.extend(promotions(client, cascade, names)?);
    lines.extend(cash(cascade));
    lines.extend(score(cascade));
    Ok(lines)
}

fn promises(cascade: &Value, names: &Names) -> Vec<String> {
    let mut lines = vec![heading("Promises that moved")];
    let moved = list(&cascade["promises"]);
    if moved.is_empty() {
        lines.extend(paragraph("None: what customers were promised can be kept."));
        return lines;
    }
    let mut channels: BTreeMap<String, Sum> = BTreeMap::new();
    for promise in moved {
        for name in [text(&promise["channel"]), "all".to_owned()] {
            channels.entry(name).or_default().add(promise);
        }
    }
    // "all" comes last whatever the channels are called.
    let all = channels.remove("all").unwrap_or_default();
    let mut table = Table::new(&["channel", ">promises", ">units", ">revenue", ">days later"]);
    for (channel, sum) in channels.into_iter().chain([("all".to_owned(), all)]) {
        table.row(sum.row(channel));
    }
    lines.extend(table.lines());
    lines.push(String::new());
    lines.extend(paragraph("The largest:"));
    let mut table =
        Table::new(&["order", "channel", "item", ">units", ">revenue", "was", "is now"]);
    for promise in moved.iter().take(SHOWN_PROMISES) {
        table.row(vec![
            text(&promise["order"]),
            text(&promise["channel"]),
            names.item(&promise["sku"]),
            units(number(&promise["quantity"])),
            amount(hundredths(&promise["revenue"])),
            day(&promise["old_day"]),
            day(&promise["new_day"]),
        ]);
    }
    lines.extend(table.lines());
    let rest = usize::try_from(number(&cascade["promises_total"])).unwrap_or(0).max(moved.len());
    if rest > SHOWN_PROMISES {
        lines.extend(paragraph(&format!("and {} more.", rest - SHOWN_PROMISES)));
    }
    lines
}

fn day(value: &Value) -> String {
    value.as_str().unwrap_or("unpromised").to_owned()
}

/// Moved promises of a channel.
#[derive(Default)]
struct Sum {
    promises: usize,
    units: i64,
    revenue: i64,
    days: Vec<i64>,
}

impl Sum {
    fn add(&mut self, promise: &Value) {
        let parsed = |value: &Value| value.as_str().and_then(|day| day.parse::<Day>().ok());
        self.promises += 1;
        self.units += number(&promise["quantity"]);
        self.revenue += hundredths(&promise["revenue"]);
        if let (Some(old), Some(new)) = (parsed(&promise["old_day"]), parsed(&promise["new_day"])) {
            self.days.push(new.since(old));
        }
    }

    fn row(mut self, channel: String) -> Vec<String> {
        self.days.sort_unstable();
        let span = match (self.days.first(), self.days.last()) {
            (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
            (Some(least), _) => least.to_string(),
            _ => "–".to_owned(),
        };
        let promises = self.promises.to_string();
        vec![channel, promises, units(self.units), amount(self.revenue), span]
    }
}

fn allocations(cascade: &Value, names: &Names) -> Vec<String> {
    let mut lines = vec![heading("What channels can still sell from stock")];
    let mut changes: Vec<&Value> = list(&cascade["allocations"]).iter().collect();
    if changes.is_empty() {
        lines.extend(paragraph("As much as before."));
        return lines;
    }
    let less = |it: &Value| number(&it["available_after"]) - number(&it["available_before"]);
    changes.sort_by_key(|it| less(it));
    let mut table =
        Table::new(&["item", "name", "channel", ">available", ">now", ">shown", ">now"]);
    for it in changes.iter().take(SHOWN_ALLOCATIONS) {
        table.row(vec![
            text(&it["sku"]),
            names.item(&it["sku"]),
            text(&it["channel"]),
            units(number(&it["available_before"])),
            units(number(&it["available_after"])),
            units(number(&it["published_before"])),
            units(number(&it["published_after"])),
        ]);
    }
    lines.extend(table.lines());
    if changes.len() > SHOWN_ALLOCATIONS {
        lines.extend(paragraph(&format!("and {} more.", changes.len() - SHOWN_ALLOCATIONS)));
    }
    lines
}

/// A number before and after.
fn moved(before: &Value, after: &Value) -> String {
    format!("{} → {}", units(number(before)), units(number(after)))
}

/// The first and the last day of a window, without their years.
fn window(document: &Value) -> String {
    let day = |name: &str| text(&document[name]).get(5..).unwrap_or("–").to_owned();
    format!("{}…{}", day("from"), day("until"))
}

fn protections(client: &Client<'_>, cascade: &Value, names: &Names) -> Result<Vec<String>> {
    let mut lines = vec![heading("Units kept for a channel")];
    let mut table =
        Table::new(&["for", "why", "item", "window", ">kept", ">held of stock", ">short"]);
    for it in list(&cascade["protections"]) {
        let path = format!("/inventory/v1/protections/{}", text(&it["id"]));
        let kept = client.find(&path)?.unwrap_or(Value::Null);
        table.row(vec![
            text(&kept["channel"]),
            text(&kept["reason"]),
            names.item(&kept["sku"]),
            window(&kept),
            units(number(&kept["quantity"])),
            moved(&it["held_before"], &it["held_after"]),
            moved(&it["short_before"], &it["short_after"]),
        ]);
    }
    if table.is_empty() {
        lines.extend(paragraph("None is touched."));
    } else {
        lines.extend(table.lines());
    }
    Ok(lines)
}

fn promotions(client: &Client<'_>, cascade: &Value, names: &Names) -> Result<Vec<String>> {
    let mut lines = vec![heading("Promotions at risk")];
    let mut table = Table::new(&[
        "promotion",
        "channel",
        "item",
        "window",
        ">expects",
        ">short",
        "first on",
        ">revenue",
    ]);
    for it in list(&cascade["promotions"]) {
        let path = format!("/planning/v1/promotions/{}", text(&it["promotion"]));
        let planned = client.find(&path)?.unwrap_or(Value::Null);
        table.row(vec![
            text(&planned["name"]),
            text(&planned["channel"]),
            names.item(&planned["sku"]),
            window(&planned),
            units(number(&planned["expected_units"])),
            moved(&it["units_short_before"], &it["units_short"]),
            text(&it["first_day"]).get(5..).unwrap_or("–").to_owned(),
            amount(hundredths(&it["revenue"])),
        ]);
    }
    if table.is_empty() {
        lines.extend(paragraph("None."));
    } else {
        lines.extend(table.lines());
    }
    Ok(lines)
}

fn cash(cascade: &Value) -> Vec<String> {
    let mut lines = vec![heading("Cash by week")];
    let weeks = list(&cascade["cash"]["weeks"]);
    if weeks.is_empty() {
        lines.extend(paragraph("No week changes."));
        return lines;
    }
    let mut table =
        Table::new(&["week of", ">net before", ">net now", ">change", ">change so far"]);
    let mut sum = 0;
    for week in weeks {
        sum += hundredths(&week["change"]);
        table.row(vec![
            text(&week["week"]),
            amount(hundredths(&week["before"])),
            amount(hundredths(&week["after"])),
            change(hundredths(&week["change"])),
            change(sum),
        ]);
    }
    lines.extend(table.lines());
    lines.extend(paragraph(&format!(
        "In {}: money in less money out of each week; other weeks do not change.",
        text(&cascade["cash"]["currency"])
    )));
    lines
}

fn score(cascade: &Value) -> Vec<String> {
    let mut lines = vec![heading("The supplier")];
    let supplier = &cascade["supplier"];
    if supplier.is_null() {
        lines.extend(paragraph("Its score does not change."));
        return lines;
    }
    lines.extend(paragraph(&format!(
        "The score of {} goes from {} to {}:",
        text(&supplier["id"]),
        text(&supplier["score_before"]),
        text(&supplier["score_after"]),
    )));
    let mut table = Table::new(&["part", ">value", ">weight", ">of"]);
    for part in list(&supplier["parts"]) {
        table.row(vec![
            text(&part["name"]),
            text(&part["value"]),
            text(&part["weight"]),
            part["of"].as_i64().map_or_else(|| text(&part["of"]), units),
        ]);
    }
    lines.extend(table.lines());
    let others = list(&cascade["suppliers"]).len().saturating_sub(1);
    if others > 0 {
        lines.extend(paragraph(&format!("{} more changed.", counted(others, "score"))));
    }
    lines
}
