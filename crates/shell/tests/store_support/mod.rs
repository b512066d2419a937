//! Two stores on a bench: the one in memory, and Redis on a server of the test's own.
#![allow(dead_code, reason = "each test file uses its part")]

use std::future::Future;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::StreamExt;
use tradewind_kernel::decision::Write;
use tradewind_kernel::event::{Domain, NewEvent, Origin};
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::store::{
    Commit, Found, Lease, MarkState, Needs, Outcome, Read, ReadRequest, Snapshot, Store, TakeUp,
    Taken, keys,
};

/// The tenant of most tests.
pub const TENANT: &str = "acme";

/// A store, and what a test needs beside it.
pub trait Bench {
    /// Its store.
    type Store: Store;
    /// The store.
    fn store(&self) -> &Self::Store;
    /// Lets time pass.
    async fn pass(&self, millis: u64);
    /// The nudges since the last call, sorted.
    async fn nudges(&self) -> Vec<(Domain, String)>;
}

/// The store in memory.
#[derive(Default)]
pub struct Memory {
    pub store: MemoryStore,
}

impl Bench for Memory {
    type Store = MemoryStore;

    fn store(&self) -> &MemoryStore {
        &self.store
    }

    async fn pass(&self, millis: u64) {
        self.store.advance(millis);
    }

    async fn nudges(&self) -> Vec<(Domain, String)> {
        let mut nudges = self.store.take_nudges();
        nudges.sort();
        nudges
    }
}

/// Runs a test to its end on one thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(work)
}

/// A port that nobody listens on.
pub fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

/// A `redis-server` that ends with the test.
pub struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts one without persistence, on a socket of its own.
    pub fn start() -> Self {
        Self::start_with(&["--port", "0"])
    }

    /// Starts one with these settings.
    pub fn start_with(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("redis.sock");
        let child = Command::new("redis-server")
            .args(settings)
            .args(["--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let server = Self { child, folder };
        for _ in 0..500 {
            if std::os::unix::net::UnixStream::connect(&socket).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server did not start");
    }

    pub fn address(&self) -> String {
        let socket: &Path = &self.folder.path().join("redis.sock");
        format!("redis+unix://{}", socket.display())
    }

    /// Another connection, for what the store would not do.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.address()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Redis.
pub struct Redis {
    pub server: Server,
    pub store: tradewind_shell::redis::RedisStore,
    listener: futures::lock::Mutex<redis::aio::PubSub>,
}

impl Redis {
    pub async fn start() -> Self {
        let server = Server::start();
        let store = tradewind_shell::redis::open(&server.address(), 0).unwrap();
        let client = redis::Client::open(server.address()).unwrap();
        let mut listener = client.get_async_pubsub().await.unwrap();
        listener.psubscribe(format!("{}*", keys::NUDGE_CHANNEL)).await.unwrap();
        Self { server, store, listener: futures::lock::Mutex::new(listener) }
    }
}

impl Bench for Redis {
    type Store = tradewind_shell::redis::RedisStore;

    fn store(&self) -> &Self::Store {
        &self.store
    }

    async fn pass(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    async fn nudges(&self) -> Vec<(Domain, String)> {
        let end = format!("{}end", keys::NUDGE_CHANNEL);
        let mut connection = self.server.connection().await;
        let _: i64 =
            redis::cmd("PUBLISH").arg(&end).arg("").query_async(&mut connection).await.unwrap();
        let mut nudges = Vec::new();
        let mut listener = self.listener.lock().await;
        let mut messages = listener.on_message();
        while let Some(message) = messages.next().await {
            if message.get_channel_name() == end {
                break;
            }
            let domain = message.get_channel_name().strip_prefix(keys::NUDGE_CHANNEL).unwrap();
            nudges.push((domain.parse().unwrap(), message.get_payload().unwrap()));
        }
        nudges.sort();
        nudges
    }
}

/// A commit of a domain that does nothing yet.
pub fn commit(domain: Domain) -> Commit {
    Commit {
        tenant: TENANT.to_owned(),
        domain,
        needs: Needs::Nothing,
        idempotency: None,
        checks: Vec::new(),
        guards: Vec::new(),
        writes: Vec::new(),
        events: Vec::new(),
        origin: origin("c1"),
        cursor: None,
        unmark: None,
        tenant_known: true,
        frees: false,
    }
}

/// An origin under this correlation.
pub fn origin(correlation: &str) -> Origin {
    Origin {
        at: serde_json::from_str("\"2026-12-01T08:00:00.000Z\"").unwrap(),
        by: "someone, \"odd\"; 100%\n".to_owned(),
        reason: None,
        correlation: correlation.to_owned(),
        parent: Some("c0".to_owned()),
        causation: None,
    }
}

/// An event of this type.
pub fn event(kind: &str) -> NewEvent {
    let data = serde_json::json!({"kind": kind, "list": [1, {"a": null}], "text": "ü"});
    NewEvent { kind: kind.to_owned(), subject: "s1".to_owned(), data }
}

pub fn put(key: &str, value: &str) -> Write {
    Write::Put { key: key.to_owned(), value: value.to_owned() }
}

pub fn add(group: &str, field: &str, delta: i64) -> Write {
    Write::Add { counters: group.to_owned(), field: field.to_owned(), delta }
}

/// Commits and expects it to be done.
pub async fn done(store: &impl Store, commit: &Commit) -> u64 {
    match store.commit(commit).await.unwrap() {
        Outcome::Done { version } => version,
        other => panic!("not done: {other:?}"),
    }
}

/// A commit of these writes by inventory.
pub async fn write(store: &impl Store, writes: Vec<Write>) -> u64 {
    done(store, &Commit { writes, ..commit(Domain::Inventory) }).await
}

/// Tells events of these types in one commit.
pub async fn tell(store: &impl Store, domain: Domain, kinds: &[&str]) -> u64 {
    let events = kinds.iter().map(|kind| event(kind)).collect();
    done(store, &Commit { events, ..commit(domain) }).await
}

/// Moves a cursor.
pub async fn move_cursor(store: &impl Store, domain: Domain, expected: u64, next: u64) -> Outcome {
    let cursor = Some(tradewind_shell::store::CursorMove { expected, next });
    store.commit(&Commit { cursor, ..commit(domain) }).await.unwrap()
}

pub fn mark(item: &str) -> Write {
    Write::Mark { item: item.to_owned() }
}

pub async fn marked(store: &impl Store, domain: Domain, item: &str) -> Option<MarkState> {
    match read(store, vec![Read::Mark { domain, item: item.to_owned() }]).await.pop() {
        Some(Found::Marks(mut marks)) => marks.pop(),
        other => panic!("{other:?}"),
    }
}

/// What a domain asks that works marks; whatever lies after its cursor waits for it.
pub fn take_up(domain: Domain, owner: &str) -> TakeUp {
    let (tenant, owner) = (TENANT.to_owned(), owner.to_owned());
    TakeUp { tenant, domain, owner, millis: 60_000, events: 9, marks: 9, gap: 0 }
}

/// The lease that was taken, if anything waits; nothing when somebody else has it.
pub async fn lease(store: &impl Store, request: &TakeUp) -> Option<Lease> {
    match store.take_up(request).await.unwrap() {
        Taken::Held => None,
        Taken::Waiting(waiting) => Some(waiting.lease),
        Taken::Idle => panic!("nothing waits"),
    }
}

pub fn request(domain: Domain, reads: Vec<Read>) -> ReadRequest {
    ReadRequest { tenant: TENANT.to_owned(), domain, needs: Needs::Nothing, reads }
}

/// Reads as inventory.
pub async fn read(store: &impl Store, reads: Vec<Read>) -> Vec<Found> {
    snapshot(store, reads).await.found
}

pub async fn snapshot(store: &impl Store, reads: Vec<Read>) -> Snapshot {
    store.read(&request(Domain::Inventory, reads)).await.unwrap()
}
