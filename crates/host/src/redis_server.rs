//! A private Redis: found, started, kept up, stopped.
//!
//! It listens on 127.0.0.1 alone, writes every change to disk before it answers, evicts nothing,
//! and is started again on the same port when it dies. It ends with this process, however that
//! ends: on a normal stop by SIGTERM; when the process is killed, by a signal from the kernel;
//! and if it still lives at the next start, by its pid file.

mod program;

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::lock;

pub use program::{Program, find};

/// How often the child is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The first look while it starts, for which somebody waits.
const FIRST_LOOK: Duration = Duration::from_millis(1);

/// The next ones come ever later: what is waited too long is at most this part of the whole.
const LATER_BY: u32 = 8;

/// How long loading the append-only file may take before a start is given up.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How long a stop waits before it kills.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// First and longest pause before a dead server is started again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// When the append-only file reaches the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before each answer: what was answered survives a power cut.
    Always,
    /// Every second: faster on slow disks, up to a second may be lost.
    EverySecond,
}

/// How to run the private Redis.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// Its folder; made if absent.
    pub directory: PathBuf,
    /// Its port; none: a free one.
    pub port: Option<u16>,
    /// Durability.
    pub fsync: Fsync,
}

/// A running private Redis; stops when dropped.
pub struct RedisServer {
    port: u16,
    shared: Arc<Shared>,
    supervisor: Option<JoinHandle<()>>,
    _lock: std::fs::File,
}

struct Shared {
    program: Program,
    options: RedisOptions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stopping: bool,
    /// Before it is set, a server that ends is not started again: it would end again.
    loaded: bool,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts the server and waits until it has loaded its data. Blocks: call it outside of an
    /// async runtime or through `spawn_blocking`.
    ///
    /// # Errors
    /// No program, the folder or port is in use, or the server ends at once.
    pub fn start(options: RedisOptions) -> anyhow::Result<RedisServer> {
        let server = RedisServer::launch(options)?;
        server.wait_until_loaded()?;
        Ok(server)
    }

    /// Starts the server without waiting for its data: its address is known from now on.
    ///
    /// # Errors
    /// As [`RedisServer::start`], but for what the server finds in its data.
    pub fn launch(options: RedisOptions) -> anyhow::Result<RedisServer> {
        let lock = lock::take(&options.directory, "redis.lock")?;
        let directory = options.directory.canonicalize()?;
        let program = program::find_again(&directory)?;
        end_orphan(&directory)?;
        let port = match options.port {
            Some(port) => {
                let free = TcpListener::bind(("127.0.0.1", port));
                ensure!(free.is_ok(), "the Redis port {port} is in use; choose another");
                port
            }
            None => TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port(),
        };
        let options = RedisOptions { directory, port: Some(port), fsync: options.fsync };
        let shared = Arc::new(Shared { program, options, state: Mutex::default() });
        let (started, first_start) = mpsc::channel();
        let supervised = shared.clone();
        // The kernel's signal at our death is tied to the thread that starts the child: this one
        // lives as long as the child should.
        let supervisor = std::thread::Builder::new()
            .name("redis-supervisor".to_owned())
            .spawn(move || supervised.supervise(port, &started))?;
        let server = RedisServer { port, shared, supervisor: Some(supervisor), _lock: lock };
        first_start.recv().context("the supervisor ended")??;
        Ok(server)
    }

    /// Where components reach it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The process id of the server as of now; tests kill it.
    pub fn process_id(&self) -> Option<u32> {
        self.shared.state().child.as_ref().map(Child::id)
    }

    /// Stops the server and waits for it.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(supervisor) = self.supervisor.take() else { return };
        {
            let mut state = self.shared.state();
            state.stopping = true;
            if let Some(child) = &state.child {
                signal(child.id(), libc::SIGTERM);
            }
        }
        if supervisor.join().is_err() {
            tracing::error!("the Redis supervisor panicked");
        }
    }

    /// Waits until the server answers. Blocks.
    ///
    /// # Errors
    /// It ends instead, or takes too long.
    pub fn wait_until_loaded(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            if answers(self.port) {
                self.shared.state().loaded = true;
                return Ok(());
            }
            let mut state = self.shared.state();
            let ended = match state.child.as_mut() {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            if ended {
                state.stopping = true;
                bail!("Redis ended at its start: {}", self.shared.last_log_line());
            }
            drop(state);
            std::thread::sleep((begun.elapsed() / LATER_BY).clamp(FIRST_LOOK, LOOK));
        }
        bail!("Redis did not load its data within {START_LIMIT:?}")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn supervise(&self, port: u16, started: &mpsc::Sender<anyhow::Result<()>>) {
        let first = self.spawn(port);
        let failed = first.is_err();
        if started.send(first).is_err() || failed {
            return;
        }
        let mut pause = PAUSE.0;
        let mut up_since = Instant::now();
        loop {
            if self.wait() || !self.state().loaded {
                return;
            }
            if up_since.elapsed() > PAUSE.1 {
                pause = PAUSE.0;
            }
            tracing::warn!(log = %self.last_log_line(), "Redis died; starting it again");
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSE.1);
            up_since = Instant::now();
            if let Err(error) = self.spawn(port) {
                tracing::error!(error = %format!("{error:#}"), "Redis does not start");
            }
        }
    }

    /// Waits for the child's end; true when it was asked to stop. One that does not obey is
    /// killed.
    fn wait(&self) -> bool {
        let mut kill_at = None;
        loop {
            let mut state = self.state();
            let stopping = state.stopping;
            let ended = match state.child.as_mut() {
                None => true,
                Some(child) => {
                    let late = kill_at.is_some_and(|at| Instant::now() > at);
                    if late && let Err(error) = child.kill() {
                        tracing::warn!(%error, "Redis cannot be killed");
                    }
                    !matches!(child.try_wait(), Ok(None))
                }
            };
            if ended {
                state.child = None;
                return stopping;
            }
            drop(state);
            if stopping {
                kill_at.get_or_insert(Instant::now() + STOP_LIMIT);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn spawn(&self, port: u16) -> anyhow::Result<()> {
        let directory = &self.options.directory;
        let fsync = match self.options.fsync {
            Fsync::Always => "always",
            Fsync::EverySecond => "everysec",
        };
        let mut command = Command::new(&self.program.path);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--appendonly", "yes", "--appendfsync", fsync, "--save", ""])
            .args(["--maxmemory-policy", "noeviction", "--daemonize", "no"])
            .arg("--dir")
            .arg(directory)
            .arg("--logfile")
            .arg(directory.join("redis.log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C goes to the whole foreground group; Redis must outlive the host's draining.
            .process_group(0);
        #[cfg(target_os = "linux")]
        // SAFETY: prctl is async-signal-safe and touches nothing of the parent.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
                Ok(())
            });
        }
        let mut state = self.state();
        if state.stopping {
            return Ok(());
        }
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.path.display()))?;
        std::fs::write(directory.join(PID_FILE), child.id().to_string())?;
        state.child = Some(child);
        Ok(())
    }

    fn last_log_line(&self) -> String {
        let log = std::fs::read_to_string(self.options.directory.join("redis.log"));
        log.unwrap_or_default().lines().last().unwrap_or("no log").to_owned()
    }
}

const PID_FILE: &str = "redis.pid";

/// Ends a server that a killed host left behind in this folder. The folder's lock is ours, so
/// nobody else's server can be there; that it is one, and here, its working folder says.
fn end_orphan(directory: &Path) -> anyhow::Result<()> {
    let Ok(text) = std::fs::read_to_string(directory.join(PID_FILE)) else { return Ok(()) };
    let Ok(pid) = text.trim().parse::<u32>() else { return Ok(()) };
    let lives_here =
        || std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == directory);
    let start = Instant::now();
    while lives_here() {
        let waited = start.elapsed();
        ensure!(waited < STOP_LIMIT * 2, "process {pid} still uses {}", directory.display());
        signal(pid, if waited < STOP_LIMIT { libc::SIGTERM } else { libc::SIGKILL });
        std::thread::sleep(LOOK);
    }
    Ok(())
}

fn signal(pid: u32, number: libc::c_int) {
    if let Ok(pid) = libc::pid_t::try_from(pid) {
        // SAFETY: kill has no memory effects; the pid is of a child not yet waited for, or was
        // just seen in our folder.
        unsafe { libc::kill(pid, number) };
    }
}

/// Whether the server on the port answers commands (while loading it refuses them).
fn answers(port: u16) -> bool {
    let Ok(client) = redis::Client::open(format!("redis://127.0.0.1:{port}")) else { return false };
    let Ok(mut connection) = client.get_connection() else { return false };
    redis::cmd("PING").query::<String>(&mut connection).is_ok()
}
