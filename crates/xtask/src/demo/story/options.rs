//! What can be done: the ranked options, and why others cannot.

use std::collections::BTreeMap;

use serde_json::Value;

use super::table::{
    Table, amount, counted, hundredths, list, number, paragraph, text, units, wrapped,
};
use super::{Names, heading};

/// How many of the options are shown one by one: a large order has some for each of its items.
const SHOWN: usize = 8;

/// Tells it.
pub fn told(cascade: &Value, names: &Names) -> Vec<String> {
    let options = list(&cascade["options"]);
    let mut lines = vec![heading("What can be done")];
    let (feasible, infeasible): (Vec<&Value>, Vec<&Value>) =
        options.iter().partition(|option| option["feasible"] == true);
    if options.is_empty() {
        lines.extend(paragraph("Nothing needs to be done."));
        return lines;
    }
    lines.extend(by_kind(&feasible));
    lines.push(String::new());
    let mut table = Table::new(&[
        ">#", "what", "item", "from", ">units", ">revenue", ">lost", ">cost", ">cash", ">net",
    ]);
    for (rank, option) in feasible.iter().take(SHOWN).enumerate() {
        table.row(vec![
            (rank + 1).to_string(),
            text(&option["kind"]),
            text(&option["sku"]),
            text(&option["day"]),
            units(number(&option["units"])),
            whole(&option["revenue"]),
            whole(&option["lost"]),
            whole(&option["cost"]),
            whole(&option["cash"]),
            whole(&option["net"]),
        ]);
    }
    if !table.is_empty() {
        lines.extend(paragraph("The best, by what they bring beyond their cost:"));
        lines.extend(table.lines());
        for (rank, option) in feasible.iter().take(SHOWN).enumerate() {
            let item = names.item(&option["sku"]);
            let sentence = format!("{}. {item}: {}", rank + 1, text(&option["description"]));
            lines.extend(wrapped(&sentence, "   "));
        }
    }
    if feasible.len() > SHOWN {
        lines.extend(paragraph(&format!("and {} more.", feasible.len() - SHOWN)));
    }
    lines.extend(cannot(&infeasible));
    lines
}

/// An amount without its hundredths: options are compared, not booked.
fn whole(value: &Value) -> String {
    units((hundredths(value) + 50).div_euclid(100))
}

/// What each kind could do over all items.
fn by_kind(feasible: &[&Value]) -> Vec<String> {
    let mut kinds: BTreeMap<String, (usize, i64, i64, i64)> = BTreeMap::new();
    for option in feasible {
        let sum = kinds.entry(text(&option["kind"])).or_default();
        sum.0 += 1;
        sum.1 += number(&option["units"]);
        sum.2 += hundredths(&option["cost"]);
        sum.3 += hundredths(&option["net"]);
    }
    let mut table = Table::new(&["kind", ">options", ">units", ">cost", ">net"]);
    for (kind, (count, sum, cost, net)) in kinds {
        table.row(vec![kind, count.to_string(), units(sum), amount(cost), amount(net)]);
    }
    if table.is_empty() { Vec::new() } else { table.lines() }
}

/// Why the others cannot be done.
fn cannot(infeasible: &[&Value]) -> Vec<String> {
    let mut reasons: BTreeMap<(String, String), usize> = BTreeMap::new();
    for option in infeasible {
        *reasons.entry((text(&option["kind"]), text(&option["reason"]))).or_default() += 1;
    }
    if reasons.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    lines.extend(paragraph("What cannot be done:"));
    for ((kind, reason), count) in reasons {
        let sentence = format!("{kind} ({}): {reason}", counted(count, "item"));
        lines.extend(wrapped(&sentence, "   "));
    }
    lines
}
