//! Cascade: so many customer order lines wait for one purchase order, which is confirmed late.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use tradewind_kernel::time::Instant as Moment;
use xtask::project::DOMAINS;

use crate::clock::{now, wall_millis};
use crate::http_client::{HttpClient, Target};
use crate::private_redis::PrivateRedis;
use crate::process::cpu_micros;
use crate::product::{Place, Product, Start};
use crate::report::{Table, one, ratio, say};
use crate::stand::token;
use crate::stock::settle;

/// Items of the purchase order: its lines, each with its share of the waiting demand.
const ITEMS: usize = 10;

/// Lines of one customer order: nearly the most that the contract allows, since stating them is
/// not what is measured, and each order has its items pegged anew.
const ORDER_LINES: usize = 250;

/// Customer orders stated in parallel.
const STATERS: usize = 4;

/// How long loading or a cascade may take.
const WITHIN: Duration = Duration::from_secs(120);

/// What one cascade took.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    fsync: &'static str,
    answer_millis: f64,
    complete_millis: f64,
    read_millis: f64,
    promises: u64,
    calls: u64,
    commits: u64,
    events: u64,
    script_millis: f64,
    host_cpu_millis: f64,
    redis_cpu_millis: f64,
}

/// The cascades of one size.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    lines: usize,
    load_seconds: f64,
    /// Orders that were answered 503 and sent again.
    put_off: u64,
    runs: Vec<Run>,
}

/// One tenant with its people.
struct Tenant<'a> {
    name: String,
    redis: &'a PrivateRedis,
    host: u32,
    target: Target,
    buyer: HttpClient,
    approver: HttpClient,
}

/// Runs cascades of these sizes on one host, a tenant for each.
pub async fn run(place: &Place, sizes: &[usize]) -> Result<Vec<Found>> {
    let redis = PrivateRedis::start(place.folder.path(), "everysec").await?;
    let first = token(place, "cascade", "viewer", "viewer")?;
    let (url, compiled) = (redis.url(), place.compiled());
    let (domains, entry) = (&DOMAINS[..], "lean");
    let start = Start { domains, entry, redis: &url, compiled: &compiled, token: &first };
    let host = Product::start(place, &start).await?;
    let mut all = Vec::new();
    for lines in sizes {
        let name = format!("cascade-{lines}");
        let target = |subject: &str| -> Result<Target> {
            let token = token(place, &name, "admin", subject)?.into();
            Ok(Target { address: host.address, token })
        };
        let (buyer, approver) = (target("buyer")?, target("approver")?);
        let mut tenant = Tenant {
            name: name.clone(),
            redis: &redis,
            host: host.process(),
            buyer: HttpClient::open(&buyer).await?,
            approver: HttpClient::open(&approver).await?,
            target: buyer,
        };
        say(&format!("cascade: {lines} lines are stated"));
        let begun = now();
        let order = tenant.purchase(lines.div_ceil(ITEMS)).await?;
        let put_off = tenant.demand(*lines).await?;
        tenant.settle().await?;
        let load_seconds = begun.elapsed().as_secs_f64();
        let mut runs = Vec::new();
        for (fsync, late) in [("everysec", 60), ("always", 75)] {
            say(&format!("cascade: {lines} lines, fsync {fsync}"));
            redis.set_fsync(fsync).await?;
            runs.push(tenant.cascade(fsync, &order, late).await?);
        }
        redis.set_fsync("everysec").await?;
        all.push(Found { lines: *lines, load_seconds, put_off, runs });
    }
    Ok(all)
}

/// The day so many days from now.
fn day(ahead: i64) -> String {
    const DAY: i64 = 86_400_000;
    let moment = Moment::from_millis(wall_millis().saturating_add(ahead.saturating_mul(DAY)));
    moment.to_string().chars().take(10).collect()
}

fn sku(place: usize) -> String {
    format!("C{place}")
}

impl Tenant<'_> {
    /// A supplier, items, and one released purchase order, confirmed for its due day.
    async fn purchase(&mut self, each: usize) -> Result<String> {
        let buyer = &mut self.buyer;
        buyer.must("PUT", "/inventory/v1/nodes/OWN", &json!({"kind": "warehouse"})).await?;
        let channel = json!({
            "kind": "dtc", "priority": 1, "nodes": ["OWN"], "payout": {"lag_days": 2, "fee": "0.03"},
        });
        buyer.must("PUT", "/inventory/v1/channels/web", &channel).await?;
        let supplier = json!({
            "name": "S1", "class": "overseas", "currency": "USD", "terms_days": 30,
        });
        buyer.must("PUT", "/suppliers/v1/suppliers/S1", &supplier).await?;
        let reason = json!({"reason": "audited"});
        self.approver.must("POST", "/suppliers/v1/suppliers/S1/approve", &reason).await?;
        let mut lines = Vec::new();
        for place in 0..ITEMS {
            let sku = sku(place);
            let item = json!({"name": sku, "base_unit": "each"});
            buyer.must("PUT", &format!("/inventory/v1/items/{sku}"), &item).await?;
            let offer =
                json!({"price": {"amount": "5.00", "currency": "USD"}, "lead_time_days": 30});
            buyer.must("PUT", &format!("/suppliers/v1/offers/S1/{sku}"), &offer).await?;
            lines.push(json!({
                "sku": sku, "node": "OWN", "quantity": each, "price": "5.00", "due": day(30),
            }));
        }
        let draft = json!({"supplier": "S1", "currency": "USD", "lines": lines});
        let made = buyer.must("POST", "/procurement/v1/orders", &draft).await?.json()?;
        let order = made.get("id").and_then(Value::as_str).context("no order id")?.to_owned();
        let path = |verb: &str| format!("/procurement/v1/orders/{order}/{verb}");
        buyer.must("POST", &path("submit"), &json!({})).await?;
        self.approver.must("POST", &path("approve"), &json!({})).await?;
        self.buyer.must("POST", &path("release"), &json!({})).await?;
        self.confirm(&order, 30).await?;
        self.settle().await?;
        Ok(order)
    }

    async fn confirm(&mut self, order: &str, ahead: i64) -> Result<String> {
        let lines: Vec<Value> =
            (1..=ITEMS).map(|line| json!({"line": line, "day": day(ahead)})).collect();
        let path = format!("/procurement/v1/orders/{order}/confirmations");
        let answer = self.buyer.must("POST", &path, &json!({"lines": lines})).await?;
        answer.correlation.context("a write without correlation")
    }

    /// States so many lines of one unit, evenly over the items, wanted after the goods are due;
    /// gives back how often the answer was 503.
    async fn demand(&self, lines: usize) -> Result<u64> {
        let orders = lines.div_ceil(ORDER_LINES);
        let staters = (0..STATERS).map(async |stater| {
            let mut client = HttpClient::open(&self.target).await?;
            for order in (stater..orders).step_by(STATERS) {
                let first = order * ORDER_LINES;
                let places = first..lines.min(first + ORDER_LINES);
                let lines: Vec<Value> = places
                    .map(|place| {
                        json!({
                            "sku": sku(place % ITEMS), "quantity": 1, "wanted": day(40),
                            "price": {"amount": "12.00", "currency": "USD"},
                        })
                    })
                    .collect();
                let body = json!({"channel": "web", "lines": lines});
                client.must("PUT", &format!("/inventory/v1/orders/O{order}"), &body).await?;
            }
            anyhow::Ok(client.put_off)
        });
        Ok(futures::future::try_join_all(staters).await?.into_iter().sum())
    }

    async fn settle(&self) -> Result<Duration> {
        settle(&mut self.redis.connection(), &self.name, &DOMAINS, WITHIN).await
    }

    /// Confirms late, and waits until the cascade says that it is complete.
    async fn cascade(&mut self, fsync: &'static str, order: &str, late: i64) -> Result<Run> {
        let host_before = cpu_micros(self.host)?;
        let redis_before = self.redis.cpu_micros()?;
        let work_before = self.redis.work().await?;
        let sequence_before = self.redis.sequence(&self.name).await?;
        let begun = now();
        let correlation = self.confirm(order, late).await?;
        let answer_millis = begun.elapsed().as_secs_f64() * 1000.0;
        self.settle().await?;
        let work = self.redis.work().await?.since(work_before);
        let sequence = self.redis.sequence(&self.name).await? - sequence_before;
        let path = format!("/reporting/v1/cascades/{correlation}");
        let (read, cascade) = loop {
            let asked = now();
            let cascade = self.buyer.must("GET", &path, &Value::Null).await?.json()?;
            if cascade.get("complete") == Some(&Value::Bool(true)) {
                break (asked.elapsed(), cascade);
            }
            ensure!(begun.elapsed() < WITHIN, "the cascade is not complete within {WITHIN:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let complete_millis = begun.elapsed().as_secs_f64() * 1000.0;
        let millis = |micros: u64| micros as f64 / 1000.0;
        Ok(Run {
            fsync,
            answer_millis,
            complete_millis,
            read_millis: read.as_secs_f64() * 1000.0,
            promises: cascade.get("promises_total").and_then(Value::as_u64).unwrap_or(0),
            calls: work.calls,
            commits: sequence - work.events,
            events: work.events,
            script_millis: millis(work.script_micros),
            host_cpu_millis: millis(cpu_micros(self.host)? - host_before),
            redis_cpu_millis: millis(self.redis.cpu_micros()? - redis_before),
        })
    }
}

/// The table for a person.
pub fn table(all: &[Found]) -> Table {
    let mut table = Table::new(
        "Cascade: confirmed late, until the cascade is complete",
        &[
            "lines",
            "fsync",
            "promises moved",
            "answer ms",
            "complete ms",
            "of it reading ms",
            "script calls",
            "commits",
            "events",
            "script ms",
            "complete / script",
            "host CPU ms",
            "Redis CPU ms",
            "loading s",
            "503s",
        ],
    );
    for found in all {
        for run in &found.runs {
            table.row(&[
                found.lines.to_string(),
                run.fsync.to_owned(),
                run.promises.to_string(),
                one(run.answer_millis),
                one(run.complete_millis),
                one(run.read_millis),
                run.calls.to_string(),
                run.commits.to_string(),
                run.events.to_string(),
                one(run.script_millis),
                ratio(run.complete_millis, Some(run.script_millis)),
                one(run.host_cpu_millis),
                one(run.redis_cpu_millis),
                one(found.load_seconds),
                found.put_off.to_string(),
            ]);
        }
    }
    table
}
