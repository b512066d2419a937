//! A real host with a real Redis and the guest of `tests/guest`, for one test each.
#![allow(clippy::unwrap_used, dead_code)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tradewind_host::redis_server::{Fsync, RedisOptions, RedisServer};
use tradewind_host::{Options, serve};

/// Where the toolchain without a rustup target is registered; see `cargo xtask`.
const LOCAL_TOOLCHAIN: &str = "tradewind-wasm";

pub const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "test"
[application.trigger.redis]
address = "{{ redis_url }}"
[variables]
redis_url = { required = true }
clock_offset_seconds = { default = "0" }
[[trigger.http]]
route = "/guest/..."
component = "guest"
[[trigger.redis]]
channel = "nudge"
component = "guest"
[component.guest]
source = "guest.wasm"
allowed_outbound_hosts = ["{{ redis_url }}"]
[component.guest.variables]
redis_url = "{{ redis_url }}"
clock_offset_seconds = "{{ clock_offset_seconds }}"
"#;

/// A host that runs until it is dropped.
pub struct Host {
    pub address: SocketAddr,
    pub redis: Option<RedisServer>,
    pub folder: TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<anyhow::Result<()>>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub headers: Vec<(String, String)>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Host {
    pub fn start(change: impl FnOnce(&mut Options)) -> Host {
        let folder = tempfile::tempdir().unwrap();
        let redis = RedisServer::start(RedisOptions {
            directory: folder.path().join("redis"),
            port: None,
            fsync: Fsync::EverySecond,
        });
        Host::start_in(folder, redis.unwrap(), change)
    }

    pub fn start_in(
        folder: TempDir,
        redis: RedisServer,
        change: impl FnOnce(&mut Options),
    ) -> Host {
        let mut options = options(&folder, MANIFEST);
        options.variables.insert("redis_url".to_owned(), redis.url());
        change(&mut options);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(serve(options, |address| ready.send(address).unwrap(), stopped))
        });
        let Ok(address) = address.recv() else {
            panic!("{:#}", thread.join().unwrap().unwrap_err());
        };
        Host { address, redis: Some(redis), folder, stop: Some(stop), thread: Some(thread) }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.send("POST", path, &[], body)
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        exchange(request.body(body).unwrap())
    }

    /// The value of a metric's first line that begins so.
    pub fn metric(&self, beginning: &str) -> f64 {
        let metrics = self.get("/host/v1/metrics").body;
        let line = metrics.lines().find(|line| line.starts_with(beginning));
        line.map_or(0.0, |line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
    }

    pub fn redis_query<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let url = self.redis.as_ref().unwrap().url();
        let client = redis::Client::open(url).unwrap();
        command.query(&mut client.get_connection().unwrap()).unwrap()
    }

    pub fn stop(mut self) -> anyhow::Result<()> {
        self.end().unwrap()
    }

    fn end(&mut self) -> Option<anyhow::Result<()>> {
        drop(self.stop.take());
        self.thread.take().map(|thread| thread.join().unwrap())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.end();
    }
}

fn exchange(request: ureq::http::Request<&[u8]>) -> Answer {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut response = ureq::Agent::new_with_config(config).run(request).unwrap();
    let headers = response.headers().iter().map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let headers = headers.collect();
    let status = response.status().as_u16();
    Answer { status, headers, body: response.body_mut().read_to_string().unwrap() }
}

/// Options for a manifest with the guest beside it.
pub fn options(folder: &TempDir, manifest: &str) -> Options {
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest).unwrap();
    let wasm = folder.path().join("guest.wasm");
    if !wasm.exists() {
        std::fs::copy(guest(), wasm).unwrap();
    }
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut options = Options::new(path, listen, folder.path().join("data"));
    options.compiled_dir = target().join("host-tests");
    options
}

fn target() -> PathBuf {
    let tests = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tests.parent().unwrap().to_owned()
}

/// Builds the guest once and says where it is.
fn guest() -> &'static Path {
    static GUEST: OnceLock<PathBuf> = OnceLock::new();
    GUEST.get_or_init(|| {
        let toolchains = Command::new("rustup").args(["toolchain", "list"]).output();
        let local = toolchains
            .is_ok_and(|list| String::from_utf8_lossy(&list.stdout).contains(LOCAL_TOOLCHAIN));
        let mut build = if local {
            let mut build = Command::new("rustup");
            build.args(["run", LOCAL_TOOLCHAIN, "cargo"]);
            build
        } else {
            Command::new("cargo")
        };
        let target = target().join("wasm");
        let status = build
            .args(["build", "--locked", "--target", "wasm32-wasip2", "--profile", "component"])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guest"))
            .env_remove("RUSTC")
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("CARGO_TARGET_DIR")
            .status()
            .unwrap();
        assert!(status.success(), "the guest does not build");
        target.join("wasm32-wasip2/component/host_test_guest.wasm")
    })
}

pub fn milliseconds(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// Runs `work` on so many threads at once and collects what each returns.
pub fn at_once<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads).map(|index| scope.spawn(move || work(index))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Waits until something holds.
pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}: not within 10 s");
        std::thread::sleep(Duration::from_millis(10));
    }
}
