//! A Redis of its own for each contender, with the settings that the product gives its own.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::clock::now;
use crate::process::{Running, cpu_micros, resident_bytes};

/// Programs that will do, as the host looks for them.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// How long a start may take.
const START_WITHIN: Duration = Duration::from_secs(20);

/// A running Redis with an append-only file, in a folder that goes away with it.
pub struct PrivateRedis {
    child: Running,
    port: u16,
    connection: MultiplexedConnection,
    _folder: TempDir,
}

/// What Redis says of its work so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    /// Script calls.
    pub calls: u64,
    /// Microseconds inside script calls.
    pub script_micros: u64,
    /// Events appended.
    pub events: u64,
}

impl Work {
    /// What was done since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(earlier.calls),
            script_micros: self.script_micros.saturating_sub(earlier.script_micros),
            events: self.events.saturating_sub(earlier.events),
        }
    }
}

impl PrivateRedis {
    /// Starts one below `folder`, which must be on a real disk for fsync to mean anything.
    pub async fn start(folder: &Path, fsync: &str) -> Result<Self> {
        let folder = TempDir::new_in(folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let spawn = |program: &&str| {
            Command::new(program)
                .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
                .args(["--appendonly", "yes", "--appendfsync", fsync, "--daemonize", "no"])
                .args(["--maxmemory-policy", "noeviction"])
                .arg("--dir")
                .arg(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        };
        let child = PROGRAMS.iter().find_map(spawn).context("no redis-server on PATH")?;
        let child = Running::new(child);
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let begun = now();
        let connection = loop {
            match client.get_multiplexed_async_connection_with_config(&config).await {
                Ok(connection) => break connection,
                Err(error) if begun.elapsed() > START_WITHIN => {
                    bail!("Redis does not start: {error}")
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        Ok(Self { child, port, connection, _folder: folder })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Microseconds of CPU it has used.
    pub fn cpu_micros(&self) -> Result<u64> {
        cpu_micros(self.process())
    }

    /// Bytes it has resident.
    pub fn resident_bytes(&self) -> Result<u64> {
        resident_bytes(self.process())
    }

    /// A connection that clones share.
    pub fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    /// Changes when the append-only file reaches the disk.
    pub async fn set_fsync(&self, fsync: &str) -> Result<()> {
        let mut command = redis::cmd("CONFIG");
        command.arg("SET").arg("appendfsync").arg(fsync);
        Ok(command.query_async(&mut self.connection()).await?)
    }

    /// One section of INFO.
    async fn info(&self, section: &str) -> Result<String> {
        Ok(redis::cmd("INFO").arg(section).query_async(&mut self.connection()).await?)
    }

    /// What it has done so far.
    pub async fn work(&self) -> Result<Work> {
        let text = self.info("commandstats").await?;
        let of = |command: &str, field: &str| -> u64 {
            let prefix = format!("cmdstat_{command}:");
            let line = text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or("");
            let mut pairs = line.split(',').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(name, _)| *name == field);
            found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
        };
        Ok(Work {
            calls: of("fcall", "calls"),
            script_micros: of("fcall", "usec"),
            events: of("xadd", "calls"),
        })
    }

    /// Bytes of its data.
    pub async fn used_memory(&self) -> Result<u64> {
        let text = self.info("memory").await?;
        let line = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
        Ok(line.context("no used_memory")?.trim().parse()?)
    }

    /// The sequence of a tenant: one for each commit and one for each event.
    pub async fn sequence(&self, tenant: &str) -> Result<u64> {
        let key = format!("{{{tenant}}}:shell:sequence");
        let found: Option<u64> =
            redis::cmd("GET").arg(key).query_async(&mut self.connection()).await?;
        Ok(found.unwrap_or(0))
    }
}
