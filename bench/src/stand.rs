//! A stand: one contender with its Redis and its server, stocked and metered.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use xtask::keys::Bearer;
use xtask::project::DOMAINS;

use crate::bare_script::{IncrClient, Script, ScriptClient, unmark};
use crate::http_client::{HttpClient, Target};
use crate::load::{Client, Outcome, Until, closed_loop};
use crate::native_service;
use crate::private_redis::{PrivateRedis, Work};
use crate::process::{Running, cpu_micros, resident_bytes};
use crate::product::{Place, Product, Start};
use crate::stock::{self, ItemClient, Shape, TENANT, Wanted};

/// The audience of every contender's tokens.
const AUDIENCE: &str = "tradewind";

/// Before measuring: instances are made, tokens verified, code paths warm.
const WARM_UP: Duration = Duration::from_millis(400);

/// How long the reactions to a cell's load may take afterwards.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);

/// Who contends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// The host with all six domains, as it ships.
    Product,
    /// The host with inventory alone: what the native service does, no more.
    Inventory,
    /// The same, its requests through `wasi:http` instead of the lean entry.
    InventoryWasiHttp,
    /// Inventory behind axum.
    Native,
    /// The reads and commits alone.
    Script,
}

impl Contender {
    /// All five, in the order of the tables.
    pub const ALL: [Self; 5] =
        [Self::Product, Self::Inventory, Self::InventoryWasiHttp, Self::Native, Self::Script];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Inventory => "inventory alone",
            Self::InventoryWasiHttp => "the same, wasi:http",
            Self::Native => "native axum",
            Self::Script => "bare script",
        }
    }

    /// Whether it answers requests; the bare script repeats a reserve alone.
    pub fn serves(self) -> bool {
        self != Self::Script
    }

    /// The domains that react to its writes.
    fn reacting(self) -> &'static [&'static str] {
        match self {
            Self::Product => &DOMAINS,
            Self::Inventory | Self::InventoryWasiHttp | Self::Native => &["inventory"],
            Self::Script => &[],
        }
    }
}

/// A load of one cell.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// What is asked for.
    pub wanted: Wanted,
    /// Of which items.
    pub shape: Shape,
    /// By how many clients at once.
    pub clients: usize,
}

/// A server process of any kind.
enum Server {
    Host(Product),
    Axum(Running),
}

impl Server {
    fn process(&self) -> u32 {
        match self {
            Self::Host(host) => host.process(),
            Self::Axum(child) => child.id(),
        }
    }
}

/// One contender, ready.
pub struct Stand {
    /// Who it is.
    pub contender: Contender,
    /// Its Redis.
    pub redis: PrivateRedis,
    server: Option<Server>,
    target: Target,
    script: Option<Rc<Script>>,
    clients: usize,
    /// Reservations granted so far.
    pub granted: u64,
    /// Bytes of its data before the first of them.
    pub stocked_bytes: u64,
    /// Bytes its server had resident then.
    pub stocked_resident: u64,
}

/// A moment of a stand's counters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    serving_micros: u64,
    redis_micros: u64,
    work: Work,
}

/// A cell of the table, before ratios.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What the clients saw.
    pub outcome: Outcome,
    /// CPU microseconds of the serving process during the load.
    pub serving_micros: u64,
    /// CPU microseconds of Redis during the load.
    pub redis_micros: u64,
    /// What Redis did during the load.
    pub work: Work,
    /// CPU microseconds of both, reactions finished.
    pub settled_micros: Option<u64>,
    /// How long the reactions took after the load.
    pub settle_seconds: Option<f64>,
}

enum AnyClient {
    Http(ItemClient),
    Script(ScriptClient),
}

impl Client for AnyClient {
    async fn shoot(&mut self) -> Result<bool> {
        match self {
            Self::Http(client) => client.shoot().await,
            Self::Script(client) => client.shoot().await,
        }
    }
}

/// A token of the reserve benchmarks' tenant.
pub fn token(place: &Place, tenant: &str, role: &str, subject: &str) -> Result<String> {
    let bearer = Bearer { subject: Some(subject.to_owned()), ..Bearer::new(tenant, role) };
    place.keys.token(&bearer)
}

impl Stand {
    /// Starts a contender and stocks its items.
    pub async fn open(place: &Place, contender: Contender) -> Result<Self> {
        let redis = PrivateRedis::start(place.folder.path(), "everysec").await?;
        let admin = token(place, TENANT, "admin", "stocker")?;
        let (server, address) = match contender {
            Contender::Product | Contender::Inventory | Contender::InventoryWasiHttp => {
                let start = Start {
                    entry: match contender {
                        Contender::InventoryWasiHttp => "wasi-http",
                        _ => "lean",
                    },
                    domains: contender.reacting(),
                    redis: &redis.url(),
                    compiled: &place.compiled(),
                    token: &admin,
                };
                let host = Product::start(place, &start).await?;
                let address = host.address;
                (Server::Host(host), address)
            }
            Contender::Native | Contender::Script => {
                let keys = place.keys.jwks();
                let (child, address) = native_service::start(&redis.url(), &keys, AUDIENCE)?;
                (Server::Axum(child), address)
            }
        };
        stock::stock(&Target { address, token: admin.into() }).await?;
        let token = token(place, TENANT, "channel", "channel")?.into();
        let mut stand = Self {
            contender,
            redis,
            server: Some(server),
            target: Target { address, token },
            script: None,
            clients: 0,
            granted: 0,
            stocked_bytes: 0,
            stocked_resident: 0,
        };
        stand.settle().await?;
        if contender == Contender::Script {
            stand.server = None;
            stand.script = Some(Script::record(&stand.redis.url()).await?);
            tokio::spawn(unmark(stand.redis.connection()));
        }
        stand.stocked_bytes = stand.redis.used_memory().await?;
        stand.stocked_resident = stand.resident_bytes()?;
        Ok(stand)
    }

    /// The serving process, if there is one.
    pub fn process(&self) -> Option<u32> {
        self.server.as_ref().map(Server::process)
    }

    /// Bytes the serving process has resident.
    pub fn resident_bytes(&self) -> Result<u64> {
        self.process().map_or(Ok(0), resident_bytes)
    }

    async fn moment(&self) -> Result<Moment> {
        let serving_micros = self.process().map_or(Ok(0), cpu_micros)?;
        let work = self.redis.work().await?;
        Ok(Moment { serving_micros, redis_micros: self.redis.cpu_micros()?, work })
    }

    /// Waits until nothing is left to react to.
    pub async fn settle(&self) -> Result<Duration> {
        let mut connection = self.redis.connection();
        stock::settle(&mut connection, TENANT, self.contender.reacting(), SETTLE_WITHIN).await
    }

    /// A connection to its server, as the load has.
    pub async fn http(&self) -> Result<HttpClient> {
        HttpClient::open(&self.target).await
    }

    async fn make_clients(&mut self, load: Load) -> Result<Vec<AnyClient>> {
        let Load { wanted, shape, clients: count } = load;
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count {
            self.clients += 1;
            clients.push(match &self.script {
                Some(script) => AnyClient::Script(ScriptClient::new(script, shape, self.clients)),
                None => {
                    let opened = ItemClient::open(&self.target, wanted, shape, self.clients);
                    AnyClient::Http(opened.await?)
                }
            });
        }
        Ok(clients)
    }

    /// Runs these clients and keeps count of the reservations.
    async fn drive(
        &mut self,
        clients: &mut [AnyClient],
        wanted: Wanted,
        until: Until,
    ) -> Result<Outcome> {
        let outcome = closed_loop(clients, until).await?;
        if wanted == Wanted::Reservation {
            self.granted += outcome.granted;
        }
        Ok(outcome)
    }

    /// Loads it until then, without measuring.
    pub async fn load(&mut self, load: Load, until: Until) -> Result<Outcome> {
        let mut clients = self.make_clients(load).await?;
        self.drive(&mut clients, load.wanted, until).await
    }

    /// Measures a cell: warms up, loads for so long, and lets the reactions finish.
    pub async fn measure(&mut self, load: Load, length: Duration) -> Result<Measured> {
        let mut clients = self.make_clients(load).await?;
        self.drive(&mut clients, load.wanted, Until::Elapsed(WARM_UP)).await?;
        self.settle().await.ok();
        let before = self.moment().await?;
        let outcome = self.drive(&mut clients, load.wanted, Until::Elapsed(length)).await?;
        let after = self.moment().await?;
        let settled = self.settle().await.ok();
        let end = self.moment().await?;
        let both = |moment: Moment| moment.serving_micros + moment.redis_micros;
        Ok(Measured {
            outcome,
            serving_micros: after.serving_micros - before.serving_micros,
            redis_micros: after.redis_micros - before.redis_micros,
            work: after.work.since(before.work),
            settled_micros: settled.map(|_| both(end) - both(before)),
            settle_seconds: settled.map(|took| took.as_secs_f64()),
        })
    }

    /// Measures the plainest write on this stand's Redis.
    pub async fn measure_incr(&self, count: usize, length: Duration) -> Result<Outcome> {
        let connection = self.redis.connection();
        let mut clients: Vec<IncrClient> =
            (0..count).map(|_| IncrClient(connection.clone())).collect();
        closed_loop(&mut clients, Until::Elapsed(length)).await.context("INCR")
    }
}
