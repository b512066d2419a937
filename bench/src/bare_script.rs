//! The floor: the very commit of a usual reserve, straight to Redis over one connection.
//!
//! A reserve is made twice through the native domain code while a recording store listens: the
//! first one reads, the second rests on what is remembered. Its commit is then repeated with a fresh
//! reservation, key and correlation each time. Nobody pegs here, so the marks are taken off at a
//! pace, as re-pegging does.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use redis::aio::MultiplexedConnection;
use tradewind_inventory::Inventory;
use tradewind_kernel::decision::Write;
use tradewind_shell::auth::Caller;
use tradewind_shell::http::Request;
use tradewind_shell::redis::{RedisStore, open};
use tradewind_shell::route::Role;
use tradewind_shell::serve::serve;
use tradewind_shell::store::{Commit, Outcome, Store};

use crate::load::Client;
use crate::native_world::{NativeWorld, Recording};
use crate::stock::{self, Shape, TENANT};

/// How often marks are taken off: about as often as a re-pegging comes by.
const UNMARK_EVERY: Duration = Duration::from_millis(20);

/// A recorded reserve.
struct Template {
    commit: Commit,
    reservation: String,
}

/// Everything that the clients of this contender share.
pub struct Script {
    store: RedisStore,
    hot: Template,
    spread: Vec<Template>,
}

impl Script {
    /// Records a reserve of every item on a Redis that has been stocked.
    pub async fn record(redis: &str) -> Result<Rc<Self>> {
        let store = open(redis, 0)?;
        let world = NativeWorld::new(Recording::over(store.clone()), Rc::default());
        let hot = record(&world, stock::HOT).await?;
        let mut spread = Vec::with_capacity(stock::ITEMS);
        for item in 0..stock::ITEMS {
            spread.push(record(&world, &stock::item(item)).await?);
        }
        Ok(Rc::new(Self { store, hot, spread }))
    }
}

type Recorder = NativeWorld<Recording<RedisStore>>;

async fn record(world: &Recorder, sku: &str) -> Result<Template> {
    let recording = tradewind_shell::world::World::store(world);
    reserve(world, sku, "first").await?;
    recording.read.take().context("a first reserve reads")?;
    reserve(world, sku, "usual").await?;
    ensure!(recording.read.take().is_none(), "a usual reserve reads nothing");
    let commit = recording.commit.take().context("a reserve commits")?;
    let reservation = commit.events.first().context("a reserve tells")?.subject.clone();
    Ok(Template { commit, reservation })
}

async fn reserve(world: &Recorder, sku: &str, key: &str) -> Result<()> {
    let request = Request {
        method: "POST".to_owned(),
        path: stock::RESERVE.to_owned(),
        query: String::new(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("idempotency-key".to_owned(), format!("record-{sku}-{key}")),
        ],
        body: stock::reserve_body(sku).into_bytes(),
    };
    let caller = Caller {
        subject: "channel".to_owned(),
        tenant: TENANT.to_owned(),
        roles: vec![Role::Channel],
        supplier: None,
        channel: None,
        expires: i64::MAX,
    };
    let answer = serve::<Inventory, _>(world, &request, Ok(caller)).await;
    let told = String::from_utf8_lossy(&answer.body).into_owned();
    ensure!(answer.status == 201, "recording a reserve of {sku}: {told}");
    Ok(())
}

impl Template {
    /// The recorded commit as another one.
    fn stamped(&self, client: usize, n: u64) -> Commit {
        let (own, fresh) = (&self.reservation, format!("res_{client:06}{n:020}"));
        let mut commit = self.commit.clone();
        for write in &mut commit.writes {
            match write {
                Write::Put { key, value } => {
                    *key = key.replace(own.as_str(), &fresh);
                    *value = value.replace(own.as_str(), &fresh);
                }
                Write::Index { member, .. } if member == own => member.clone_from(&fresh),
                _ => {}
            }
        }
        for event in &mut commit.events {
            event.subject.clone_from(&fresh);
            for field in ["reservation", "order"] {
                if let Some(value) = event.data.get_mut(field) {
                    *value = fresh.clone().into();
                }
            }
        }
        if let Some(idempotency) = &mut commit.idempotency {
            idempotency.key = format!("script-{client}-{n}");
            idempotency.reply = idempotency.reply.replace(own.as_str(), &fresh);
        }
        commit.origin.correlation = format!("cor_{client:06}{n:020}");
        commit
    }
}

/// One client of the bare script.
pub struct ScriptClient {
    script: Rc<Script>,
    shape: Shape,
    client: usize,
    sent: u64,
}

impl ScriptClient {
    /// A client; the number must differ from that of every other, earlier ones included.
    pub fn new(script: &Rc<Script>, shape: Shape, client: usize) -> Self {
        Self { script: script.clone(), shape, client, sent: 0 }
    }
}

impl Client for ScriptClient {
    async fn shoot(&mut self) -> Result<bool> {
        self.sent += 1;
        let n = self.sent;
        let template = match self.shape {
            Shape::Hot => &self.script.hot,
            Shape::Spread => {
                let place = stock::scattered(self.client, n);
                self.script.spread.get(place).context("no such item")?
            }
        };
        let outcome = self.script.store.commit(&template.stamped(self.client, n)).await?;
        Ok(matches!(outcome, Outcome::Done { .. }))
    }
}

/// A client of the plainest write there is.
pub struct IncrClient(pub MultiplexedConnection);

impl Client for IncrClient {
    async fn shoot(&mut self) -> Result<bool> {
        let _count: i64 = redis::cmd("INCR").arg("plain").query_async(&mut self.0).await?;
        Ok(true)
    }
}

/// Takes the marks off, over and over; runs until it is dropped.
pub async fn unmark(mut connection: MultiplexedConnection) {
    let key = format!("{{{TENANT}}}:inventory:marks");
    loop {
        tokio::time::sleep(UNMARK_EVERY).await;
        let _gone: Result<i64, _> = redis::cmd("DEL").arg(&key).query_async(&mut connection).await;
    }
}
