//! What is before: the purchase order and who waits for it.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::table::{Table, amount, counted, hundredths, list, number, paragraph, text, units};
use super::waiting::{Candidate, Waiting};
use super::{Names, heading};
use crate::demo::brand::NAME;
use crate::demo::client::Client;

/// Tells it.
pub fn told(
    client: &Client<'_>,
    candidate: &Candidate,
    supplier: &Value,
    names: &Names,
) -> Result<Vec<String>> {
    let order = &candidate.order;
    let mut lines = vec![format!("{NAME}: a late shipment"), "=".repeat(super::table::WIDTH)];
    lines.push(heading("Before"));
    let ordered: i64 = list(&order["lines"]).iter().map(|line| number(&line["open"])).sum();
    lines.extend(paragraph(&format!(
        "Purchase order {} from {} ({}): {}, {} units to come, {} {} in all, confirmed for {}.",
        candidate.id(),
        text(&supplier["name"]),
        text(&supplier["country"]),
        counted(list(&order["lines"]).len(), "line"),
        units(ordered),
        text(&order["currency"]),
        amount(hundredths(&order["total"])),
        candidate.day,
    )));
    let card =
        client.read(&format!("/suppliers/v1/suppliers/{}/scorecard", candidate.supplier()))?;
    lines.extend(paragraph(&record(&card)));
    lines.push(String::new());
    let mut table =
        Table::new(&["item", "name", "to", ">units", ">awaited", ">orders", ">revenue awaited"]);
    for line in list(&order["lines"]) {
        let sku = text(&line["sku"]);
        let of: Vec<&Waiting> = candidate.waiting.iter().filter(|w| w.sku == sku).collect();
        table.row(vec![
            sku,
            names.item(&line["sku"]),
            text(&line["node"]),
            units(number(&line["open"])),
            units(of.iter().map(|waiting| waiting.units).sum()),
            of.len().to_string(),
            amount(of.iter().map(|waiting| waiting.revenue).sum()),
        ]);
    }
    lines.extend(table.lines());
    lines.push(String::new());
    lines.extend(paragraph(&waiting(&candidate.waiting)));
    Ok(lines)
}

/// What the supplier's record says.
fn record(card: &Value) -> String {
    let Some(score) = card["score"].as_str() else {
        return "The supplier has no record yet.".to_owned();
    };
    let on_time = &card["on_time_in_full"];
    format!(
        "Its score is {score} of 100: {} of {} lines on time and in full, mean lead time {} days.",
        number(&on_time["on_time"]),
        number(&on_time["due"]),
        card["lead_time"]["mean"]
            .as_str()
            .map_or("–", |mean| mean.split('.').next().unwrap_or(mean)),
    )
}

/// Who waits, by channel.
fn waiting(waiting: &[Waiting]) -> String {
    let mut channels: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for line in waiting {
        let sum = channels.entry(&line.channel).or_default();
        sum.0 += 1;
        sum.1 += line.revenue;
    }
    if channels.is_empty() {
        return "No customer waits for it.".to_owned();
    }
    let parts: Vec<String> = channels
        .iter()
        .map(|(channel, (lines, revenue))| {
            format!("{channel} {} ({})", counted(*lines, "line"), amount(*revenue))
        })
        .collect();
    format!("Waiting for it: {}.", parts.join(", "))
}
