//! The main job as a story: a supplier confirms a late delivery, and one cascade tells what that
//! means.
//!
//! Everything is read from the running system by HTTP; nothing is known of it beforehand but that
//! it serves the published interface.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tradewind_kernel::Day;

use super::brand;
use super::client::{Client, Write};
use super::plan::{Actor, FIRST};
use crate::up::DEMO_TENANT;
use waiting::Candidate;

mod before;
mod chain;
mod effects;
mod options;
mod table;
mod waiting;

/// How much later the supplier says it comes.
const DELAY_DAYS: i64 = 14;

/// How long the cascade may take: it is there within a second or so on a quiet machine.
const COMPLETE_WITHIN: Duration = Duration::from_secs(60);

/// How often it is asked for.
const ASK_EVERY: Duration = Duration::from_millis(15);

/// Why goods are late, by country.
const REASONS: [(&str, &str); 5] = [
    ("CN", "vessel rolled, port congestion"),
    ("IN", "monsoon damage at the dye works"),
    ("VN", "typhoon closed the port"),
    ("PT", "kiln failure, second firing needed"),
    ("TR", "customs inspection of the container"),
];

/// What is said when a country has no reason of its own.
const OTHER_REASON: &str = "short of material";

/// What happened, for the telling.
struct Told {
    /// What the confirmation was answered in.
    answered: Duration,
    /// When, from that answer on, every domain had reacted.
    complete: Duration,
    cascade: Value,
}

/// Delays the open purchase order that most rests on, tells what followed, and gives back the
/// cascade it told of.
pub fn late_shipment(client: &Client<'_>) -> Result<Value> {
    if client.find(FIRST)?.is_none() {
        bail!(
            "the demo brand is not in this system's tenant {DEMO_TENANT}: start the system again \
             without --no-demo, with --fresh if the tenant holds something else"
        );
    }
    let Some(candidate) = waiting::most_awaited(client)? else {
        bail!(
            "every confirmed purchase order is late already: start the system again with --fresh"
        );
    };
    let names = Names::of(client, &candidate)?;
    let supplier = client.read(&format!("/suppliers/v1/suppliers/{}", candidate.supplier()))?;
    print(&before::told(client, &candidate, &supplier, &names)?);
    let reason = reason_for(&supplier);
    let told = delay(client, &candidate, reason)?;
    print(&asked(&candidate, &supplier, reason, &told));
    let cascade = &told.cascade;
    print(&effects::told(client, cascade, &names)?);
    print(&options::told(cascade, &names));
    print(&chain::told(cascade));
    print(&whither(&candidate, cascade));
    Ok(told.cascade)
}

/// Names of items, as far as the story needs them.
struct Names {
    items: std::collections::BTreeMap<String, String>,
}

impl Names {
    fn of(client: &Client<'_>, candidate: &Candidate) -> Result<Self> {
        let mut items = std::collections::BTreeMap::new();
        for line in table::list(&candidate.order["lines"]) {
            let sku = table::text(&line["sku"]);
            let item = client.find(&format!("/inventory/v1/items/{sku}"))?.unwrap_or(Value::Null);
            items.insert(sku, table::text(&item["name"]));
        }
        Ok(Self { items })
    }

    fn item(&self, sku: &Value) -> String {
        let sku = table::text(sku);
        self.items.get(&sku).cloned().unwrap_or(sku)
    }
}

fn reason_for(supplier: &Value) -> &'static str {
    let country = supplier["country"].as_str();
    let own = REASONS.iter().find(|(code, _)| Some(*code) == country);
    own.map_or(OTHER_REASON, |(_, reason)| reason)
}

/// The supplier confirms everything that is open for later; returns when the cascade is complete.
fn delay(client: &Client<'_>, candidate: &Candidate, reason: &str) -> Result<Told> {
    let mut lines = Vec::new();
    for line in table::list(&candidate.order["lines"]).iter().filter(|line| waiting::is_open(line))
    {
        let day: Day = waiting::day_of(line).context("an open line has no day")?;
        lines.push(json!({ "line": line["line"], "day": day.plus(DELAY_DAYS) }));
    }
    let body = json!({ "lines": lines, "reason": reason }).to_string();
    let actor = brand::suppliers().find(|facts| facts.id == candidate.supplier());
    let write = Write {
        actor: actor.map_or(Actor::Buyer, |facts| Actor::Supplier(facts.id)),
        method: "POST",
        path: &format!("/procurement/v1/orders/{}/confirmations", candidate.id()),
        body: &body,
        media: "application/json",
        key: &format!("late-shipment-{}-{}", candidate.id(), candidate.day),
    };
    let begun = Instant::now();
    let written = client.write(&write)?;
    let answered = begun.elapsed();
    let path = format!("/reporting/v1/cascades/{}", written.correlation);
    let begun = Instant::now();
    while begun.elapsed() < COMPLETE_WITHIN {
        let cascade = client.find(&path)?.unwrap_or(Value::Null);
        if cascade["complete"] == true {
            return Ok(Told { answered, complete: begun.elapsed(), cascade });
        }
        std::thread::sleep(ASK_EVERY);
    }
    bail!("the cascade {} is not complete after {COMPLETE_WITHIN:?}", written.correlation)
}

/// What was asked, and how long it took.
fn asked(candidate: &Candidate, supplier: &Value, reason: &str, told: &Told) -> Vec<String> {
    let mut lines = vec![heading("What happens")];
    lines.extend(table::paragraph(&format!(
        "{} confirms all of it for {}, {DELAY_DAYS} days later: \"{reason}\".",
        table::text(&supplier["name"]),
        candidate.day.plus(DELAY_DAYS),
    )));
    lines.extend(table::paragraph(&format!(
        "Asked: POST /procurement/v1/orders/{}/confirmations. Answered in {} ms; {} ms later \
         every domain had reacted, with no further request.",
        candidate.id(),
        told.answered.as_millis(),
        told.complete.as_millis(),
    )));
    lines.extend(table::paragraph(&table::text(&told.cascade["summary"])));
    lines
}

/// Where to look further.
fn whither(candidate: &Candidate, cascade: &Value) -> Vec<String> {
    let correlation = table::text(&cascade["correlation_id"]);
    let mut lines = vec![heading("Where to look further")];
    for (what, path) in [
        ("all of this", format!("/reporting/v1/cascades/{correlation}")),
        ("the purchase order", format!("/procurement/v1/orders/{}", candidate.id())),
        ("the supplier", format!("/suppliers/v1/suppliers/{}/scorecard", candidate.supplier())),
        ("what needs someone", "/reporting/v1/exceptions".to_owned()),
        ("the weeks of cash", "/finance/v1/cash-forecast?weeks=13".to_owned()),
        ("every event", "/inventory/v1/events".to_owned()),
    ] {
        lines.push(format!("   {what:<20}GET {path}"));
    }
    lines
}

/// A line that begins a section.
fn heading(title: &str) -> String {
    format!("\n{title}\n{}", "-".repeat(title.chars().count()))
}

/// The story goes to standard output: it is the result of the command.
fn print(lines: &[String]) {
    for line in lines {
        println!("{line}");
    }
}
