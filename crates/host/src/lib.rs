//! The embedded host: reads a `spin.toml`, runs its components, and needs nothing but a Redis.
//!
//! It is small and strict. Where it and Spin could differ, Spin is right; what it leaves out of
//! Spin is listed in `docs/host.md`. It knows nothing of what the components do.
//!
//! [`serve`] runs an application, [`redis_server`] a private Redis for it. A request's way:
//! `threads` gives its connection to a thread, `server` admits it and reads its body, `calls` hands
//! it to the component's `pool`, a `worker` of which takes it into its instance, through one of the
//! component's `entries`; `instance` says what that instance may reach.

// The host is where clocks are read: it measures, and gives the business clock to components.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

mod admission;
mod application;
mod bindings;
mod calls;
mod clock;
mod connection;
mod engine;
mod entries;
mod guest_output;
mod host_routes;
mod instance;
mod lock;
pub mod logging;
pub mod manifest;
mod metrics;
mod outbound;
mod plugin;
mod pool;
mod problem;
mod redis_imports;
pub mod redis_server;
mod redis_wire;
mod routes;
mod server;
mod subscriber;
mod threads;
mod timer;
mod variables;
mod worker;

pub use entries::Entry;
pub use plugin::{Plugins, try_out};
pub use timer::{Signing, Timer};

/// Pause after a connection could not be accepted: file descriptors are used up, and come back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What to run and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `spin.toml`; component sources lie beside it.
    pub manifest: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The lock lies here; made if absent.
    pub data_dir: PathBuf,
    /// Compiled code lies here; made if absent. It may be shared by several hosts.
    pub compiled_dir: PathBuf,
    /// Values of the application's variables.
    pub variables: BTreeMap<String, String>,
    /// Whether `POST /host/v1/clock` moves the business clock.
    pub test_clock: bool,
    /// Paths to call at a pace.
    pub timer: Option<Timer>,
    /// Which way requests take into a component that offers both.
    pub entry: Entry,
    /// Threads that answer HTTP; one more does what is in the background.
    pub threads: usize,
    /// How plug-ins run.
    pub plugins: Plugins,
    /// What requests and instances may use.
    pub limits: Limits,
}

impl Options {
    /// Options with every default.
    pub fn new(manifest: PathBuf, listen: SocketAddr, data_dir: PathBuf) -> Options {
        Options {
            manifest,
            listen,
            compiled_dir: data_dir.join("compiled"),
            data_dir,
            variables: BTreeMap::new(),
            test_clock: false,
            timer: None,
            entry: Entry::default(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            plugins: Plugins::default(),
            limits: Limits::default(),
        }
    }
}

/// What requests and instances may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a connection may be without the head of a request.
    pub head: Duration,
    /// Most bytes of a request's body.
    pub body_bytes: u64,
    /// Longest time from admission to the head of the answer; the body must end in it too.
    pub time: Duration,
    /// Routes with limits of their own, the first match counts. Their bodies stream.
    pub routes: Vec<RouteLimits>,
    /// How long an instance may compute without waiting for anything: a loop.
    pub busy: Duration,
    /// The time of timer calls and Redis messages.
    pub background_time: Duration,
    /// Most bytes over all memories of one instance.
    pub memory_bytes: usize,
    /// The time of a plug-in for one answer, with its start.
    pub plugin_time: Duration,
    /// Most bytes over all memories of a plug-in.
    pub plugin_memory_bytes: usize,
    /// Most instances at once, over all components.
    pub instances: u32,
    /// Requests interleaved in one instance.
    pub interleaved: usize,
    /// Requests after which an instance is retired.
    pub requests_per_instance: usize,
    /// Time without requests after which an instance goes.
    pub idle_instance: Duration,
    /// Requests in flight, over all components.
    pub in_flight: usize,
    /// Requests that may wait to be in flight.
    pub waiting: usize,
    /// How long they may wait.
    pub wait: Duration,
    /// How long a stop waits for answers still under way.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: Duration::from_secs(75), // proxies in front keep idle connections for a minute
            body_bytes: 1 << 20,           // what the application's contract promises
            time: Duration::from_secs(30), // longer than any answer a person waits for
            routes: Vec::new(),
            busy: Duration::from_secs(30), // a loaded machine stretches honest work
            background_time: Duration::from_secs(60), // catching up after a long stop
            memory_bytes: 512 << 20,       // six composed components with room for large answers
            plugin_time: Duration::from_secs(1), // an interpreter's start on a loaded machine, doubled
            plugin_memory_bytes: 128 << 20,      // an interpreter with a rule's tables
            instances: 512, // twice what may be in flight: retiring ones overlap new ones
            interleaved: 16, // Spin's own default, so that what works here works there
            requests_per_instance: 5000, // far below the 10^6 entries at which a store ends
            idle_instance: Duration::from_secs(10), // longer than the pause between ticks
            in_flight: 256, // two cores are busy with far fewer
            waiting: 1024,  // a burst of clients on one item
            wait: Duration::from_secs(2), // a caller prefers a refusal to a longer wait
            drain: Duration::from_secs(10),
        }
    }
}

/// Limits of the routes under a prefix.
#[derive(Debug, Clone)]
pub struct RouteLimits {
    /// The beginning of the path.
    pub prefix: String,
    /// Most bytes of the body; none: no limit.
    pub body_bytes: Option<u64>,
    /// Longest time to the head of the answer.
    pub time: Duration,
}

/// An application that is loaded and has its port, but answers nobody yet.
pub struct Loaded {
    _lock: std::fs::File,
    listener: TcpListener,
    shared: Arc<server::Shared>,
    threads: usize,
}

impl Loaded {
    /// Takes folder and port and loads the components. It talks to nobody.
    ///
    /// # Errors
    /// The data folder is in use, the port is taken, the manifest is refused, or a component does
    /// not load.
    pub async fn load(options: Options) -> anyhow::Result<Loaded> {
        let lock = lock::take(&options.data_dir, "host.lock")?;
        let listener = bind(options.listen).await?;
        let application = Arc::new(application::Application::load(&options).await?);
        let ticking = options.timer.as_ref();
        let ticking = ticking.map(|timer| timer::Ticking::new(&application, timer)).transpose()?;
        let shared = Arc::new(server::Shared::new(application, ticking, options.test_clock));
        Ok(Loaded { _lock: lock, listener, shared, threads: options.threads })
    }

    /// Runs it until `shutdown` resolves; `ready` is told the address when the first request may
    /// come.
    ///
    /// # Errors
    /// There is no thread to be had. Once ready it does not fail.
    pub async fn run(
        self,
        ready: impl FnOnce(SocketAddr),
        shutdown: impl Future,
    ) -> anyhow::Result<()> {
        let threads = threads::Threads::start(&self.shared, self.threads)?;
        ready(self.listener.local_addr()?);
        tokio::select! {
            _ = shutdown => {}
            never = accept(&self.listener, &threads) => match never {},
        }
        drop(self.listener);
        tracing::info!("stopping");
        threads.stop().await;
        Ok(())
    }
}

/// Loads an application and runs it until `shutdown` resolves; `ready` is told the address when the
/// first request may come.
///
/// # Errors
/// As [`Loaded::load`] and [`Loaded::run`].
pub async fn serve(
    options: Options,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future,
) -> anyhow::Result<()> {
    Loaded::load(options).await?.run(ready, shutdown).await
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("{address} is in use; choose another with --listen")
        }
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })
}

/// Accepts connections for ever.
async fn accept(listener: &TcpListener, threads: &threads::Threads) -> std::convert::Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = threads.take(stream) {
                    tracing::debug!(error = %format!("{error:#}"), "connection lost");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
