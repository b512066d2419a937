//! Plays the plan against a running host: several connections, step by step.
//!
//! Every write has an Idempotency-Key made of seed, base day and place in the plan, so that a load
//! that was interrupted is repeated from the start and has each effect once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tradewind_kernel::time::Zone;
use tradewind_kernel::{Day, Instant as Moment};

use super::brand::{self, ZONE};
use super::client::{Client, People, Write};
use super::plan::{Body, Call, Clock, FIRST, LAST, Step, plan};
use super::purchases::PLAYED_DAYS;
use crate::command::say;
use crate::keys::Keys;

/// The seed of the demo brand.
const SEED: u64 = 1;

/// Connections at once: with fsync on every write, several commits share one.
const CONNECTIONS: usize = 8;

/// How long after a first try a load can still be repeated: keys are kept for seven days.
const REPEATABLE_DAYS: i64 = 6;

/// How long the domains may take to react to the last of it.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// How often that is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// How far the brand is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// There is nothing in the tenant.
    Nothing,
    /// A load was interrupted.
    Partly,
    /// It is all there, or the tenant holds something else.
    Whole,
}

/// How far the brand is loaded.
pub fn loaded(client: &Client<'_>) -> Result<Loaded> {
    if client.find(LAST)?.is_some() {
        return Ok(Loaded::Whole);
    }
    if client.find(FIRST)?.is_some() || begun(client)?.is_some() {
        return Ok(Loaded::Partly);
    }
    let items = client.read("/inventory/v1/items?limit=1")?;
    let none = items["items"].as_array().is_none_or(Vec::is_empty);
    Ok(if none { Loaded::Nothing } else { Loaded::Whole })
}

/// The business time of the tenant's first settings; the load begins with them.
fn begun(client: &Client<'_>) -> Result<Option<Moment>> {
    let events = client.read("/finance/v1/events?limit=1")?;
    let time = events["items"][0]["time"].as_str().map(str::parse).transpose();
    time.context("an event's time is no instant")
}

/// Loads the brand, or the rest of it.
pub fn load(base_url: &str, keys: &Keys) -> Result<()> {
    let people = People::of(keys)?;
    let client = Client::new(base_url, &people);
    let today = today()?;
    let base = match (loaded(&client)?, begun(&client)?) {
        (Loaded::Partly, Some(moment)) => moment.day_in(zone()?).plus(PLAYED_DAYS),
        _ => today,
    };
    if today.since(base) > REPEATABLE_DAYS {
        bail!("an interrupted load of {base} cannot be continued any more; start with --fresh");
    }
    say(&format!("{} as of {base}, by playing its last {PLAYED_DAYS} days", brand::NAME));
    let begun = Instant::now();
    let plan = plan(SEED, base)?;
    let player = Player {
        base_url,
        people: &people,
        key: format!("demo-{SEED}-{base}"),
        ids: Mutex::default(),
        last: Mutex::default(),
        done: AtomicUsize::new(0),
    };
    for (number, step) in plan.iter().enumerate() {
        player.play(&client, number, step)?;
        let calls = player.done.load(Ordering::Relaxed);
        say(&format!("{:5.1} s  {calls:5} calls  {}", begun.elapsed().as_secs_f32(), step.what));
    }
    player.settle(&client)?;
    say(&format!("{:5.1} s  the brand is there", begun.elapsed().as_secs_f32()));
    Ok(())
}

fn zone() -> Result<Zone> {
    Ok(ZONE.parse()?)
}

/// The real day where the brand is.
pub fn today() -> Result<Day> {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(Moment::from_millis(i64::try_from(millis)?).day_in(zone()?))
}

struct Player<'a> {
    base_url: &'a str,
    people: &'a People,
    /// What every Idempotency-Key begins with.
    key: String,
    /// Ids that answers gave, by the plan's names for them.
    ids: Mutex<BTreeMap<String, String>>,
    /// The correlation of the latest write.
    last: Mutex<String>,
    done: AtomicUsize,
}

impl Player<'_> {
    fn play(&self, client: &Client<'_>, number: usize, step: &Step) -> Result<()> {
        match step.clock {
            Clock::Stays => {}
            // Mid-morning in the brand's zone, whatever the season.
            Clock::On(day) => client.set_clock(Some(&format!("{day}T15:00:00Z")))?,
            Clock::Real => client.set_clock(None)?,
        }
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || -> Result<()> {
            let client = Client::new(self.base_url, self.people);
            while !failed.load(Ordering::Relaxed) {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(chain) = step.chains.get(place) else { return Ok(()) };
                for (call_number, call) in chain.iter().enumerate() {
                    let key = format!("{}-{number}-{place}-{call_number}", self.key);
                    self.call(&client, call, &key)
                        .inspect_err(|_| failed.store(true, Ordering::Relaxed))
                        .with_context(|| step.what.clone())?;
                    self.done.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(())
        };
        let connections = CONNECTIONS.min(step.chains.len());
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..connections).map(|_| scope.spawn(work)).collect();
            let mut result = Ok(());
            for worker in workers {
                match worker.join() {
                    Ok(ended) => result = result.and(ended),
                    Err(_) => bail!("a connection of the load panicked"),
                }
            }
            result
        })
    }

    fn call(&self, client: &Client<'_>, call: &Call, key: &str) -> Result<()> {
        let path = self.path_of(&call.path)?;
        let text;
        let (body, media) = match &call.body {
            Body::Json(value) => {
                text = value.to_string();
                (text.as_str(), "application/json")
            }
            Body::Lines(lines) => (lines.as_str(), "application/x-ndjson"),
        };
        let Call { actor, method, .. } = *call;
        let written = client.write(&Write { actor, method, path: &path, body, media, key })?;
        if let (Some(name), Some(id)) = (&call.keep, written.body["id"].as_str()) {
            locked(&self.ids)?.insert(name.clone(), id.to_owned());
        }
        *locked(&self.last)? = written.correlation;
        Ok(())
    }

    /// The path with the kept id in it.
    fn path_of(&self, path: &str) -> Result<String> {
        let Some((before, rest)) = path.split_once('{') else { return Ok(path.to_owned()) };
        let (name, after) = rest.split_once('}').context("a path's name does not end")?;
        let ids = locked(&self.ids)?;
        let id = ids.get(name).with_context(|| format!("no answer gave an id for {name}"))?;
        Ok(format!("{before}{id}{after}"))
    }

    /// Waits until every domain has reacted to the latest write, and so to all before it.
    fn settle(&self, client: &Client<'_>) -> Result<()> {
        let path = format!("/reporting/v1/cascades/{}", locked(&self.last)?);
        let begun = Instant::now();
        while begun.elapsed() < SETTLED_WITHIN {
            let cascade = client.find(&path)?.unwrap_or(Value::Null);
            if cascade["complete"] == true {
                return Ok(());
            }
            std::thread::sleep(ASK_EVERY);
        }
        bail!("the domains have not caught up within {} s", SETTLED_WITHIN.as_secs())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> Result<std::sync::MutexGuard<'_, T>> {
    mutex.lock().map_err(|_| anyhow::anyhow!("a connection of the load panicked"))
}
