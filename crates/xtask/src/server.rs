//! The embedded host as a child process: started, waited for, stopped cleanly.
//!
//! It runs in a process group of its own, so that Ctrl-C reaches the task runner alone, which then
//! asks the host to stop once; the host stops its Redis in turn.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tradewind_kernel::Instant as Moment;

use crate::command::{cargo, say};
use crate::keys::{self, Keys};
use crate::progress;
use crate::project::{DOMAINS, Project};
use log::Log;

mod log;

/// The host's package.
pub const PACKAGE: &str = "tradewind-host";

/// How long the host may take from start to ready: compiling six components to machine code on a
/// slow machine takes most of it, and only the first time.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// How long it may take to finish requests and let Redis write its file before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// How often readiness is asked for; a start that takes seconds should not wait for us.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// How long readiness may take to answer: a host that still loads takes the connection and waits.
const READY_ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// How often a person who waits is told so.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// The routes that stream a body of any length; the contract's limit holds everywhere else.
const BULK_ROUTES: [&str; 1] = ["/planning/v1/history"];

/// What a host is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its data folder.
    pub data: PathBuf,
    /// Whether tests and the demo may move its business clock.
    pub test_clock: bool,
}

/// Builds the host in release: it runs compiled components, and a debug build would be slow at
/// everything around them. Plain `cargo test` never waits for this.
pub fn build(project: &Project) -> Result<PathBuf> {
    let mut build = cargo(project.root(), ["build", "--release", "--package", PACKAGE]);
    progress::build(&mut build, &mut cargo(project.root(), ["tree", "--package", PACKAGE]))?;
    Ok(program(project))
}

/// Where [`build`] puts the host's program.
pub fn program(project: &Project) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| project.root().join("target"), |folder| project.root().join(folder));
    target.join("release").join(PACKAGE)
}

/// Fails with one line when another program has the address.
pub fn check_port(listen: SocketAddr) -> Result<()> {
    match TcpListener::bind(listen) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("{listen} is taken by another program; choose another with --listen")
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {listen}")),
    }
}

/// Takes the data folder for this process alone; the lock ends with the process, however it ends.
pub fn lock(data: &Path) -> Result<File> {
    fs::create_dir_all(data).with_context(|| format!("cannot create {}", data.display()))?;
    let file = File::create(data.join("up.lock"))?;
    if file.try_lock().is_err() {
        bail!("a copy is already running on {} (its Ctrl-C stops it)", data.display());
    }
    Ok(file)
}

/// Turns Ctrl-C and SIGTERM into a request to the running host to stop.
///
/// Installed once, before the first host starts; the host may be replaced while it is in place.
#[derive(Clone, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    child: Arc<AtomicI32>,
}

impl Interrupt {
    /// Installs the handler for this process.
    pub fn install() -> Result<Self> {
        let interrupt = Self::default();
        let handler = interrupt.clone();
        ctrlc::set_handler(move || {
            if !handler.asked.swap(true, Ordering::SeqCst) {
                say("stopping");
            }
            terminate(handler.child.load(Ordering::SeqCst));
        })
        .context("cannot handle Ctrl-C")?;
        Ok(interrupt)
    }

    /// True once the person asked to stop.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// What came of a task; None, and said so, when it failed because the person stopped it.
    pub fn unless_asked<T>(&self, outcome: Result<T>) -> Result<Option<T>> {
        if outcome.is_err() && self.is_asked() {
            say("stopped");
            return Ok(None);
        }
        outcome.map(Some)
    }
}

/// Asks a process to stop; a process that is gone already is no error.
fn terminate(process: i32) {
    if let Some(process) = Pid::from_raw(process) {
        let _gone_already = kill_process(process, Signal::TERM);
    }
}

/// The host's command line: what it serves, the public keys it hands on, and the calls that its
/// timer makes in place of an operator's cron.
pub fn host_command(project: &Project, program: &Path, options: &Options) -> Result<Command> {
    let keys = Keys::of(&options.data)?;
    let mut host = Command::new(program);
    host.arg("--manifest").arg(project.manifest());
    host.arg("--listen").arg(options.listen.to_string());
    host.arg("--data").arg(&options.data);
    host.arg("--variable").arg(format!("token_keys={}", keys.jwks()));
    host.arg("--tick-key").arg(keys::key_file(&options.data));
    // One argument: a key's id is base64url, which may begin with a hyphen.
    host.arg(format!("--tick-key-id={}", keys.id()));
    for domain in DOMAINS {
        host.arg("--tick").arg(format!("/{domain}/v1/tick"));
    }
    for route in BULK_ROUTES {
        host.arg("--bulk").arg(route);
    }
    if options.test_clock {
        host.arg("--test-clock");
    }
    Ok(host)
}

/// A running host. Dropping it stops it.
pub struct Server {
    child: Child,
    interrupt: Interrupt,
    log: Log,
    options: Options,
}

impl Server {
    /// Starts the host program and waits until it is ready to serve.
    pub fn start(
        project: &Project,
        program: &Path,
        options: &Options,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let now = Moment::from_millis(i64::try_from(now)?);
        let (log, output) = Log::begin(&options.data.join("logs"), now)?;
        let mut host = host_command(project, program, options)?;
        host.process_group(0).stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
        let child = host.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        interrupt.child.store(i32::try_from(child.id())?, Ordering::SeqCst);
        let mut server =
            Self { child, interrupt: interrupt.clone(), log, options: options.clone() };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Where it answers, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.options.listen)
    }

    /// The file its log goes to.
    pub fn log(&self) -> &Path {
        self.log.file()
    }

    /// Waits until the host ends, by Ctrl-C or by itself; ending by itself is an error.
    pub fn wait(mut self) -> Result<()> {
        loop {
            if self.interrupt.is_asked() {
                return self.stop();
            }
            if let Some(status) = self.child.try_wait()? {
                // Ctrl-C may have ended it between the two questions.
                if self.interrupt.is_asked() {
                    return Ok(());
                }
                return Err(self.failure(status));
            }
            std::thread::sleep(POLL_EVERY);
        }
    }

    /// Asks the host to stop and waits for it; kills it when it does not.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        terminate(i32::try_from(self.child.id())?);
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > STOP_WITHIN {
                self.child.kill()?;
                self.child.wait()?;
                bail!("the host did not stop within {} s and was killed", STOP_WITHIN.as_secs());
            }
            std::thread::sleep(POLL_EVERY);
        }
        self.interrupt.child.store(0, Ordering::SeqCst);
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        let mut told = begun;
        let address = format!("{}/host/v1/ready", self.base_url());
        loop {
            let asked = ureq::get(&address).config().timeout_global(Some(READY_ANSWERS_WITHIN));
            if asked.build().call().is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failure(status));
            }
            if self.interrupt.is_asked() {
                bail!("stopped before it was ready");
            }
            if begun.elapsed() > READY_WITHIN {
                bail!(
                    "the host is not ready after {} s; see {}",
                    READY_WITHIN.as_secs(),
                    self.log().display()
                );
            }
            if told.elapsed() > TELL_EVERY {
                told = Instant::now();
                let waited = begun.elapsed().as_secs();
                say(&format!("{waited} s; a first start turns the components into machine code"));
            }
            std::thread::sleep(POLL_EVERY);
        }
    }

    fn failure(&self, status: ExitStatus) -> anyhow::Error {
        match self.log.last_words() {
            Ok(last) => {
                anyhow!("the host ended ({status}); its last words:\n  {}", last.join("\n  "))
            }
            Err(error) => anyhow!("the host ended ({status}); its log cannot be read: {error:#}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _nothing_left_to_do = self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_no_failure_once_the_person_asked_to_stop() {
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.unless_asked(Ok(7)).ok(), Some(Some(7)));
        assert!(interrupt.unless_asked::<()>(Err(anyhow!("refused"))).is_err());
        interrupt.asked.store(true, Ordering::SeqCst);
        assert_eq!(interrupt.unless_asked::<()>(Err(anyhow!("refused"))).ok(), Some(None));
        assert_eq!(interrupt.unless_asked(Ok(7)).ok(), Some(Some(7)));
    }
}
