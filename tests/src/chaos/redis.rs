//! The Redis that the host rests on here: a server, perhaps with a replica, which somebody (a
//! person, an orchestrator) starts again and promotes. The settings are those of the host's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::hosted::free_port;
use crate::resp;

/// How long a server may take to do what it is asked.
const WITHIN: Duration = Duration::from_secs(180);

/// Lines of its log that are shown when it does not come up.
const LOG_LINES: usize = 20;

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A Redis server; it ends when dropped.
pub struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
    replica_of: Option<u16>,
}

/// Waits until something is so.
///
/// # Errors
/// It does not come to it, or cannot be asked.
pub fn until(what: &str, mut is: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is()? {
        ensure!(begun.elapsed() < WITHIN, "{what}: not within {} s", WITHIN.as_secs());
        std::thread::sleep(LOOK);
    }
    Ok(())
}

impl Server {
    /// Starts a server in a folder of its own, and waits until it answers.
    ///
    /// # Errors
    /// It does not.
    pub fn start(folder: &Path, replica_of: Option<u16>) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (folder, port) = (folder.to_path_buf(), free_port()?);
        let child = launch(&folder, port, replica_of)?;
        let mut server = Self { child, port, folder, replica_of };
        server.wait_until_loaded()?;
        Ok(server)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    fn wait_until_loaded(&mut self) -> Result<()> {
        let (child, port) = (&mut self.child, self.port);
        let loaded = until("Redis loads its data", || {
            if let Some(status) = child.try_wait()? {
                bail!("Redis ended with {status}");
            }
            Ok(resp::ask(port, "PING").is_ok_and(|answer| answer == "+PONG"))
        });
        loaded.map_err(|error| anyhow!("{error:#}; its log ends with\n{}", self.log()))
    }

    /// The end of its log.
    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("redis.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or(&[]).join("\n")
    }

    /// Kills it (SIGKILL).
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again on its data, and waits until it answers.
    ///
    /// # Errors
    /// It does not.
    pub fn start_again(&mut self) -> Result<()> {
        ensure!(self.child.try_wait()?.is_some(), "it still runs");
        self.child = launch(&self.folder, self.port, self.replica_of)?;
        self.wait_until_loaded()
    }

    /// Holds its process (SIGSTOP), or lets it go on (SIGCONT).
    ///
    /// # Errors
    /// It has gone.
    pub fn hold(&self, hold: bool) -> Result<()> {
        let signal = if hold { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_child(&self.child), signal).context("Redis cannot be held")
    }

    /// Asks it something.
    ///
    /// # Errors
    /// It refuses, or does not answer.
    pub fn must(&self, command: &str) -> Result<String> {
        resp::must(self.port, command)
    }

    /// Whether a field of `INFO` says this.
    ///
    /// # Errors
    /// It does not answer.
    pub fn says(&self, field: &str, value: &str) -> Result<bool> {
        Ok(resp::info(self.port, field)? == value)
    }

    /// Makes a replica the primary, and waits until it is.
    ///
    /// # Errors
    /// It does not become one.
    pub fn promote(&mut self) -> Result<()> {
        self.must("REPLICAOF NO ONE")?;
        self.replica_of = None;
        until("the replica is promoted", || self.says("role", "master"))
    }

    /// Has the append-only file written anew, and waits until it is.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_file_anew(&self) -> Result<()> {
        self.must("BGREWRITEAOF")?;
        until("the file is written anew", || {
            Ok(self.says("aof_rewrite_scheduled", "0")?
                && self.says("aof_rewrite_in_progress", "0")?)
        })?;
        ensure!(self.says("aof_last_bgrewrite_status", "ok")?, "the file was not written anew");
        Ok(())
    }

    /// Lets no file of this process grow beyond the append-only file's last part as it is now and so
    /// many bytes: the disk is full. Without bytes: there is room again.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn limit_disk(&self, room: Option<u64>) -> Result<()> {
        let current = match room {
            Some(room) => Some(self.log_bytes()?.saturating_add(room)),
            None => None,
        };
        let limit = Rlimit { current, maximum: None };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, limit)
            .context("the size of Redis' files cannot be limited here (prlimit)")?;
        Ok(())
    }

    /// The size of the append-only file's last part, which grows.
    fn log_bytes(&self) -> Result<u64> {
        let mut last = (0, 0);
        for file in std::fs::read_dir(self.folder.join("appendonlydir"))? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            let number = name.strip_suffix(".incr.aof").and_then(|name| name.rsplit_once('.'));
            let Some((_, number)) = number else { continue };
            last = last.max((number.parse::<u64>()?, file.metadata()?.len()));
        }
        Ok(last.1)
    }

    /// How it has ended, if it has.
    ///
    /// # Errors
    /// The system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn launch(folder: &Path, port: u16, replica_of: Option<u16>) -> Result<Child> {
    // A file that may not grow must be an error, as a full disk is; by default the signal ends the
    // process. What a shell ignores stays ignored in the program that it becomes.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    command.arg(xtask::redis::ensure(xtask::packages::Install::Forbidden)?);
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
        .args(["--maxmemory-policy", "noeviction", "--daemonize", "no"])
        // A replica whose primary went away mid-sync should notice it within a round.
        .args(["--repl-diskless-sync-delay", "0"])
        .args(["--repl-timeout", "5", "--repl-ping-replica-period", "1"])
        .arg("--dir")
        .arg(folder)
        .arg("--logfile")
        .arg(folder.join("redis.log"));
    if let Some(primary) = replica_of {
        command.args(["--replicaof", "127.0.0.1", &primary.to_string()]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().context("cannot start redis-server")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `docs/operations.md` says of a disk that was full under `everysec`: after the file was
    /// written anew while Redis ran, what was written shortly leaves zeros before the next command.
    #[test]
    fn a_file_with_a_hole_is_whole_without_the_zeros() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(folder.path(), None).unwrap();
        server.write_file_anew().unwrap();
        server.must("CONFIG SET appendfsync everysec").unwrap();
        server.must("SET before 1").unwrap();
        server.limit_disk(Some(10)).unwrap();
        server.must("SET shortly 2").unwrap();
        until("the disk is full", || server.says("aof_last_write_status", "err")).unwrap();
        server.limit_disk(None).unwrap();
        until("it is not", || server.says("aof_last_write_status", "ok")).unwrap();
        server.must("SET after 3").unwrap();
        server.kill().unwrap();
        // A Redis that knows better starts.
        if let Err(error) = server.start_again() {
            assert!(format!("{error:#}").contains("Bad file format"), "{error:#}");
            for file in std::fs::read_dir(folder.path().join("appendonlydir")).unwrap() {
                let file = file.unwrap().path();
                if file.to_string_lossy().ends_with(".incr.aof") {
                    let mut bytes = std::fs::read(&file).unwrap();
                    bytes.retain(|byte| *byte != 0);
                    std::fs::write(&file, bytes).unwrap();
                }
            }
            server.start_again().unwrap();
        }
        for (key, value) in [("before", "1"), ("shortly", "2"), ("after", "3")] {
            assert_eq!(server.must(&format!("GET {key}")).unwrap(), value);
        }
    }
}
