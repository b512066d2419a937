//! The stock that is reserved and asked for: a network, a hot item and a thousand others, through
//! the public API.

use std::time::Duration;

use anyhow::{Result, bail};
use redis::aio::MultiplexedConnection;
use serde::Deserialize;
use serde_json::json;

use crate::clock::now;
use crate::http_client::{Answer, HttpClient, Target};
use crate::load::Client;

/// The tenant of the reserve benchmarks.
pub const TENANT: &str = "bench";

/// The item that everybody wants.
pub const HOT: &str = "HOT";

/// How many items the load is spread over.
pub const ITEMS: usize = 1000;

/// Where reservations are made.
pub const RESERVE: &str = "/inventory/v1/reservations";

/// Units of each item: more than any run can claim.
pub const UNITS: i64 = 1_000_000_000;

/// Connections that stock in parallel.
const STOCKERS: usize = 16;

/// How the load lies on the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All on one.
    Hot,
    /// Evenly on a thousand.
    Spread,
}

impl Shape {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot item",
            Self::Spread => "1,000 items",
        }
    }

    /// The item that the `n`-th request of a client is for.
    fn sku(self, client: usize, n: u64) -> String {
        match self {
            Self::Hot => HOT.to_owned(),
            Self::Spread => item(scattered(client, n)),
        }
    }
}

/// The id of an item.
pub fn item(place: usize) -> String {
    format!("I{place:04}")
}

/// The item that the `n`-th request of a client is for: evenly, in no order.
pub fn scattered(client: usize, n: u64) -> usize {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let client = u64::try_from(client).unwrap_or(0);
    let mixed = (n ^ (client << 32)).wrapping_mul(MULTIPLIER).rotate_left(31);
    let mixed = mixed.wrapping_mul(MULTIPLIER) >> 16;
    usize::try_from(mixed).unwrap_or(0) % ITEMS
}

/// The body of a reserve of one unit.
pub fn reserve_body(sku: &str) -> String {
    format!(r#"{{"channel":"web","lines":[{{"sku":"{sku}","quantity":1}}]}}"#)
}

/// The question what the channel can take of an item.
pub fn availability_path(sku: &str) -> String {
    format!("/inventory/v1/availability?sku={sku}&channel=web")
}

/// What an answer to [`availability_path`] says the channel can take; nothing if it is not 200 or
/// has no such figure.
pub fn available(answer: &Answer) -> Option<i64> {
    #[derive(Deserialize)]
    struct Said {
        available: i64,
    }
    let said: Option<Said> = serde_json::from_slice(&answer.body).ok();
    said.filter(|_| answer.status == 200).map(|said| said.available)
}

/// Makes the network and the stock; the target's token must be an admin's.
pub async fn stock(target: &Target) -> Result<()> {
    let mut client = HttpClient::open(target).await?;
    client.must("PUT", "/inventory/v1/nodes/OWN", &json!({"kind": "warehouse"})).await?;
    let channel = json!({"kind": "dtc", "priority": 1, "nodes": ["OWN"]});
    client.must("PUT", "/inventory/v1/channels/web", &channel).await?;
    let stockers = (0..STOCKERS).map(async |stocker| {
        let mut client = HttpClient::open(target).await?;
        if stocker == 0 {
            stock_item(&mut client, HOT).await?;
        }
        for place in (stocker..ITEMS).step_by(STOCKERS) {
            stock_item(&mut client, &item(place)).await?;
        }
        anyhow::Ok(())
    });
    futures::future::try_join_all(stockers).await?;
    Ok(())
}

async fn stock_item(client: &mut HttpClient, sku: &str) -> Result<()> {
    let body = json!({"name": sku, "base_unit": "each"});
    client.must("PUT", &format!("/inventory/v1/items/{sku}"), &body).await?;
    let body = json!({
        "sku": sku, "quantity": UNITS, "from": "supplier",
        "to": {"node": "OWN", "status": "sellable"},
    });
    client.must("POST", "/inventory/v1/movements", &body).await?;
    Ok(())
}

/// Waits until these domains have reacted to everything and no item waits; gives back how long
/// that took, or fails after `limit`.
pub async fn settle(
    connection: &mut MultiplexedConnection,
    tenant: &str,
    domains: &[&str],
    limit: Duration,
) -> Result<Duration> {
    let begun = now();
    if domains.is_empty() {
        return Ok(Duration::ZERO);
    }
    loop {
        let waiting = waiting(connection, tenant, domains).await?;
        if waiting.is_empty() {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > limit {
            bail!("{tenant} does not settle within {limit:?}: {}", waiting.join(", "));
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// What is not settled yet, in words.
async fn waiting(
    connection: &mut MultiplexedConnection,
    tenant: &str,
    domains: &[&str],
) -> Result<Vec<String>> {
    let mut pipe = redis::pipe();
    pipe.cmd("HMGET").arg(format!("{{{tenant}}}:shell:last")).arg(domains);
    pipe.cmd("HMGET").arg(format!("{{{tenant}}}:shell:cursors")).arg(domains);
    for domain in domains {
        pipe.cmd("HLEN").arg(format!("{{{tenant}}}:{domain}:marks"));
    }
    let answers: Vec<redis::Value> = pipe.query_async(connection).await?;
    let mut answers = answers.into_iter();
    let mut numbers = || -> Result<Vec<Option<u64>>> {
        let answer = answers.next().unwrap_or(redis::Value::Nil);
        Ok(redis::from_redis_value(answer)?)
    };
    let (lasts, cursors) = (numbers()?, numbers()?);
    let mut found = Vec::new();
    for (place, domain) in domains.iter().enumerate() {
        let of = |all: &[Option<u64>]| all.get(place).copied().flatten().unwrap_or(0);
        let (last, cursor) = (of(&lasts), of(&cursors));
        if last > cursor {
            found.push(format!("{domain} at {cursor} of {last}"));
        }
        let marks: u64 = redis::from_redis_value(answers.next().unwrap_or(redis::Value::Int(0)))?;
        if marks > 0 {
            found.push(format!("{domain} has {marks} marks"));
        }
    }
    Ok(found)
}

/// What is asked for over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A reservation of one unit.
    Reservation,
    /// What the channel can take.
    Availability,
}

/// One client over HTTP.
pub struct ItemClient {
    http: HttpClient,
    wanted: Wanted,
    shape: Shape,
    client: usize,
    sent: u64,
}

impl ItemClient {
    /// A client; the number must differ from that of every other, earlier ones included.
    pub async fn open(
        target: &Target,
        wanted: Wanted,
        shape: Shape,
        client: usize,
    ) -> Result<Self> {
        Ok(Self { http: HttpClient::open(target).await?, wanted, shape, client, sent: 0 })
    }
}

impl Client for ItemClient {
    async fn shoot(&mut self) -> Result<bool> {
        self.sent += 1;
        let n = self.sent;
        let sku = self.shape.sku(self.client, n);
        match self.wanted {
            Wanted::Reservation => {
                let key = format!("bench-{}-{n}", self.client);
                let answer = self.http.send("POST", RESERVE, Some(&key), reserve_body(&sku)).await;
                Ok(answer.is_ok_and(|answer| answer.status == 201))
            }
            Wanted::Availability => {
                let answer = self.http.send("GET", &availability_path(&sku), None, "").await;
                Ok(answer.is_ok_and(|answer| available(&answer).is_some()))
            }
        }
    }
}
