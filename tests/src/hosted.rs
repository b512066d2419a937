//! The product as it ships: the components in the embedded host, a real Redis, HTTP.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use xtask::keys::{Bearer, Keys};
use xtask::project::Project;

use crate::driver::{Driver, Got, Sender, Sent};

mod application;
mod redis;

pub use application::{Application, Entry, Foreign};

/// How long a host may take to be ready: compiling the components takes most of it, once, and two
/// tests may begin with that at the same time.
const READY_WITHIN: Duration = Duration::from_secs(300);

/// When a request counts as hung: the host itself gives up at 30 seconds and says so.
pub const HUNG_AFTER: Duration = Duration::from_secs(60);

/// A host of its own, with a data folder that goes away with it.
pub struct Hosted {
    child: Option<Child>,
    data: TempDir,
    application: Application,
    port: u16,
    /// Business clock minus real clock, in seconds; a host forgets it when it ends.
    clock_offset: i64,
    keys: Keys,
    tokens: BTreeMap<Sender, String>,
    agent: ureq::Agent,
}

/// The host program; `cargo xtask test` builds it before any test runs. `TRADEWIND_HOST` names
/// another one; else it lies in cargo's target folder, or in the project's own.
///
/// # Errors
/// It is not there.
pub fn program(project: &Project) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("TRADEWIND_HOST") {
        return Ok(project.root().join(named));
    }
    let own = project.root().join("target");
    let folders = std::env::var_os("CARGO_TARGET_DIR").map(|folder| project.root().join(folder));
    let programs = folders.into_iter().chain([own]).map(|it| it.join("release/tradewind-host"));
    let found = programs.into_iter().find(|program| program.is_file());
    found.context("tradewind-host is not built; run: cargo xtask build")
}

/// The project that is tested.
#[must_use]
pub fn project() -> Project {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    Project::at(root)
}

/// A port that nobody has now.
///
/// # Errors
/// There is none.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// What a test kills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Victim {
    Host,
    Redis,
    Both,
}

impl Victim {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Host, Self::Redis, Self::Both];
}

impl Hosted {
    /// Starts a host with its private Redis (fsync at every write) and a movable business clock.
    ///
    /// # Errors
    /// The program or a component is not built, or does not come up.
    pub fn start() -> Result<Self> {
        Self::start_with(Application::default())
    }

    /// The same, with requests taking this way.
    ///
    /// # Errors
    /// As [`Hosted::start`].
    pub fn start_over(entry: Entry) -> Result<Self> {
        Self::start_with(Application { entry, ..Application::default() })
    }

    /// Starts a host on a Redis that somebody else runs.
    ///
    /// # Errors
    /// As [`Hosted::start`].
    pub fn start_on(foreign: Foreign) -> Result<Self> {
        Self::start_with(Application { foreign: Some(foreign), ..Application::default() })
    }

    /// The same with another application.
    ///
    /// # Errors
    /// As [`Hosted::start`].
    pub fn start_with(application: Application) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let keys = Keys::of(data.path())?;
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(HUNG_AFTER))
            .build()
            .into();
        let port = free_port()?;
        let tokens = BTreeMap::new();
        let mut hosted =
            Self { child: None, data, application, port, clock_offset: 0, keys, tokens, agent };
        hosted.spawn()?;
        Ok(hosted)
    }

    /// Stops the host in order and starts it again on its data, with requests taking this way.
    ///
    /// # Errors
    /// It does not end, or does not come up.
    pub fn start_again_over(&mut self, entry: Entry) -> Result<()> {
        self.end();
        self.application.entry = entry;
        self.spawn()
    }

    /// Stops the host in order and starts it again on its data with these further arguments, and with
    /// the signing key that lies there now.
    ///
    /// # Errors
    /// It does not end, or does not come up.
    pub fn start_again_with(&mut self, arguments: Vec<String>) -> Result<()> {
        self.end();
        self.application.arguments = arguments;
        self.keys = Keys::of(self.data.path())?;
        self.tokens.clear();
        self.spawn()
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            if kill_process(Pid::from_child(&child), Signal::TERM).is_err() {
                drop(child.kill());
            }
            drop(child.wait());
        }
    }

    /// Starts the host's process (again, after a kill) and waits until it is ready.
    ///
    /// # Errors
    /// It does not come up.
    pub fn spawn(&mut self) -> Result<()> {
        let project = project();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file())?;
        let options = xtask::server::Options {
            listen: format!("127.0.0.1:{}", self.port).parse()?,
            data: self.data.path().to_path_buf(),
            test_clock: true,
        };
        let served = self.application.project(self.data.path())?;
        let mut command = xtask::server::host_command(&served, &program(&project)?, &options)?;
        command.args(&self.application.arguments);
        command.arg("--variable").arg(format!("clock_offset_seconds={}", self.clock_offset));
        if let Some(foreign) = &self.application.foreign {
            let address = format!("redis_url=redis://127.0.0.1:{}", foreign.port);
            command.arg("--variable").arg(address);
            command.arg("--variable").arg(format!("wait_replicas={}", foreign.wait_replicas));
        }
        command.arg("--entry").arg(match self.application.entry {
            Entry::Lean => "lean",
            Entry::WasiHttp => "wasi-http",
        });
        // Every test of a run serves the same components: they are compiled once.
        command.arg("--compiled").arg(project.root().join("target/compiled"));
        command.stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log);
        self.child = Some(command.spawn().context("cannot start the host")?);
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        let ready = format!("{}/host/v1/ready", self.base());
        while begun.elapsed() < READY_WITHIN {
            if let Ok(answer) = self.agent.get(&ready).call()
                && answer.status() == 200
            {
                return Ok(());
            }
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                bail!("the host ended with {status}: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the host is not ready: {}", self.log())
    }

    /// Where the host's log lies.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.data.path().join("host.log")
    }

    /// The end of the host's log.
    #[must_use]
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(30)..).unwrap_or(&[]).join("\n")
    }

    /// Where it answers.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What one of its counters stands at; one that has not counted yet is not shown.
    ///
    /// # Errors
    /// It does not answer.
    pub fn metric(&self, name: &str) -> Result<u64> {
        let url = format!("{}/host/v1/metrics", self.base());
        let text = self.agent.get(url).call()?.body_mut().read_to_string()?;
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.map_or(Ok(0), |number| number.parse().context(name.to_owned()))
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Kills the host, its Redis, or both, without a chance to do anything more (SIGKILL).
    ///
    /// # Errors
    /// There is nothing to kill.
    pub fn kill(&mut self, victim: Victim) -> Result<()> {
        if victim != Victim::Redis {
            let mut child = self.child.take().context("no host runs")?;
            let redis = self.redis_process();
            child.kill()?;
            // The kernel asks Redis to stop when the host is dead; it should not get to that.
            if victim == Victim::Both
                && let Ok(redis) = redis
            {
                let _gone_already = kill_process(redis, Signal::KILL);
            }
            child.wait()?;
            return Ok(());
        }
        kill_process(self.redis_process()?, Signal::KILL).context("Redis cannot be killed")
    }

    /// After a kill: starts the host if it is gone, and waits until all is there again.
    ///
    /// # Errors
    /// It does not come up.
    pub fn restart(&mut self) -> Result<()> {
        if self.child.is_none() { self.spawn() } else { self.wait_until_ready() }
    }

    /// Holds the host's process (SIGSTOP), or lets it go on (SIGCONT).
    ///
    /// # Errors
    /// No host runs.
    pub fn hold(&self, hold: bool) -> Result<()> {
        let child = self.child.as_ref().context("no host runs")?;
        let signal = if hold { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_child(child), signal).context("the host cannot be held")
    }

    /// The keys whose tokens it accepts.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The agent that requests go through.
    #[must_use]
    pub fn agent(&self) -> ureq::Agent {
        self.agent.clone()
    }

    /// A token for a sender.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn token(&mut self, sender: &Sender) -> Result<String> {
        if let Some(token) = self.tokens.get(sender) {
            return Ok(token.clone());
        }
        let mut bearer = Bearer::new(&sender.tenant, &sender.role);
        bearer.subject = Some(sender.subject.clone());
        match sender.role.as_str() {
            "partner" => bearer.supplier.clone_from(&sender.bound),
            _ => bearer.channel.clone_from(&sender.bound),
        }
        let token = self.keys.token(&bearer)?;
        self.tokens.insert(sender.clone(), token.clone());
        Ok(token)
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.end();
    }
}

/// Sends one request over HTTP; errors are transport errors.
///
/// # Errors
/// The connection failed or the answer is no HTTP.
pub fn send(agent: &ureq::Agent, base: &str, token: &str, sent: &Sent) -> Result<Got> {
    let mut builder = ureq::http::Request::builder()
        .method(sent.method.as_str())
        .uri(format!("{base}{}", sent.path))
        .header("authorization", format!("Bearer {token}"));
    for (name, value) in &sent.headers {
        builder = builder.header(name, value);
    }
    let mut answer = match &sent.body {
        Some(body) => agent.run(builder.body(body.clone())?)?,
        None => agent.run(builder.body(())?)?,
    };
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()))
        .collect();
    let text = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Got { status: answer.status().as_u16(), headers, body })
}

impl Driver for Hosted {
    fn send(&mut self, sender: &Sender, sent: &Sent) -> Result<Got> {
        let token = self.token(sender)?;
        send(&self.agent, &self.base(), &token, sent)
    }

    fn race(&mut self, sender: &Sender, sent: &[Sent]) -> Result<Vec<Got>> {
        let token = self.token(sender)?;
        let (agent, base) = (&self.agent, self.base());
        std::thread::scope(|scope| {
            let runners: Vec<_> =
                sent.iter().map(|sent| scope.spawn(|| send(agent, &base, &token, sent))).collect();
            runners
                .into_iter()
                .map(|runner| match runner.join() {
                    Ok(got) => got,
                    Err(_) => bail!("a client of the race panicked"),
                })
                .collect()
        })
    }

    fn set_clock(&mut self, instant: &str) -> Result<()> {
        let body = serde_json::json!({ "now": instant }).to_string();
        let sent = Sent {
            method: "POST".to_owned(),
            path: "/host/v1/clock".to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Some(body),
        };
        let got = send(&self.agent, &self.base(), "", &sent)?;
        if got.status != 200 {
            bail!("the clock answered {}: {}", got.status, got.body);
        }
        self.clock_offset = got.body["offset_seconds"].as_i64().context("no offset")?;
        Ok(())
    }
}
