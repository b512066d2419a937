//! The product contender: the embedded host with the components as they ship.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use toml::{Table, Value};
use xtask::keys::{Keys, key_file};
use xtask::project::{DOMAINS, Project};

use crate::clock::now;
use crate::http_client::{HttpClient, Target};
use crate::process::Running;

/// How long compiling six components may take on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(300);

/// How often a start is asked for its first answer.
const LOOK: Duration = Duration::from_millis(2);

/// The project, and the folders of one run.
pub struct Place {
    /// The project.
    pub project: Project,
    /// The folder of the run, on the project's own disk: fsync must mean something.
    pub folder: tempfile::TempDir,
    /// The key that signs the tokens of every contender.
    pub keys: Keys,
}

impl Place {
    /// Makes the folder of a run.
    pub fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no project")?;
        let project = Project::at(root);
        let target = root.join("target");
        std::fs::create_dir_all(&target)?;
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(target)?;
        let keys = Keys::of(folder.path())?;
        Ok(Self { project, folder, keys })
    }

    /// Where compiled code is kept, from run to run.
    pub fn compiled(&self) -> PathBuf {
        self.project.root().join("target/bench-compiled")
    }

    /// The host program.
    fn host(&self) -> Result<PathBuf> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || self.project.root().join("target"),
            |folder| self.project.root().join(folder),
        );
        let program = target.join("release/tradewind-host");
        ensure!(program.is_file(), "{} is not built; run: cargo xtask bench", program.display());
        Ok(program)
    }

    /// A manifest with these domains alone, so that a contender does no more than its rival.
    pub fn manifest(&self, domains: &[&str]) -> Result<PathBuf> {
        let text = std::fs::read_to_string(self.project.manifest())?;
        let mut manifest: Table = text.parse()?;
        let chosen = |one: &Value| {
            let name = one.get("component").and_then(Value::as_str).unwrap_or("");
            domains.contains(&name)
        };
        for kind in ["http", "redis"] {
            let triggers = manifest.get_mut("trigger").and_then(|all| all.get_mut(kind));
            if let Some(triggers) = triggers.and_then(Value::as_array_mut) {
                triggers.retain(chosen);
            }
        }
        let components = manifest.get_mut("component").and_then(Value::as_table_mut);
        let components = components.context("spin.toml names no component")?;
        components.retain(|name, _| domains.contains(&name));
        for component in components.iter_mut().filter_map(|(_, one)| one.as_table_mut()) {
            self.root_path(component, "source");
            let plugins = component.get_mut("dependencies").and_then(Value::as_table_mut);
            for plugin in plugins.into_iter().flat_map(Table::iter_mut) {
                plugin.1.as_table_mut().into_iter().for_each(|it| self.root_path(it, "path"));
            }
        }
        let file = self.folder.path().join(format!("spin-{}.toml", domains.join("-")));
        std::fs::write(&file, manifest.to_string())?;
        Ok(file)
    }

    /// Makes a path of the project's manifest one that holds in any folder.
    fn root_path(&self, table: &mut Table, name: &str) {
        if let Some(path) = table.get_mut(name)
            && let Some(text) = path.as_str()
        {
            *path = Value::String(self.project.root().join(text).display().to_string());
        }
    }
}

/// A running host.
pub struct Product {
    child: Running,
    /// Where it answers.
    pub address: SocketAddr,
    /// From the start of the process to its first answer of a domain.
    pub first_answer: Duration,
}

/// How to start a host.
pub struct Start<'a> {
    /// The domains it serves and ticks.
    pub domains: &'a [&'a str],
    /// Which way requests take.
    pub entry: &'a str,
    /// Its Redis.
    pub redis: &'a str,
    /// Where compiled code is kept.
    pub compiled: &'a Path,
    /// A token with which a domain answers.
    pub token: &'a str,
}

impl Product {
    /// Starts a host and waits for its first answer.
    pub async fn start(place: &Place, start: &Start<'_>) -> Result<Self> {
        let address: SocketAddr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let data = tempfile::TempDir::new_in(place.folder.path())?.keep();
        let log = std::fs::File::create(data.join("host.log"))?;
        let mut host = Command::new(place.host()?);
        host.arg("--manifest").arg(place.manifest(start.domains)?);
        host.arg("--listen").arg(address.to_string());
        host.arg("--data").arg(&data).arg("--compiled").arg(start.compiled);
        host.arg("--variable").arg(format!("token_keys={}", place.keys.jwks()));
        host.arg("--variable").arg(format!("redis_url={}", start.redis));
        host.arg("--tick-key").arg(key_file(place.folder.path()));
        host.arg(format!("--tick-key-id={}", place.keys.id())).arg("--entry").arg(start.entry);
        for domain in DOMAINS.iter().filter(|domain| start.domains.contains(domain)) {
            host.arg("--tick").arg(format!("/{domain}/v1/tick"));
        }
        host.stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log);
        let begun = now();
        let child = Running::new(host.spawn()?);
        let mut product = Self { child, address, first_answer: Duration::ZERO };
        product.first_answer = product.answers(begun, start.token, &data).await?;
        Ok(product)
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    async fn answers(&mut self, begun: Instant, token: &str, data: &Path) -> Result<Duration> {
        let target = Target { address: self.address, token: token.into() };
        while begun.elapsed() < READY_WITHIN {
            if let Ok(mut client) = HttpClient::open(&target).await
                && let Ok(answer) = client.send("GET", "/inventory/v1/items", None, "").await
                && answer.status == 200
            {
                return Ok(begun.elapsed());
            }
            if let Some(status) = self.child.ended()? {
                let log = std::fs::read_to_string(data.join("host.log")).unwrap_or_default();
                bail!("the host ended with {status}: {log}");
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the host does not answer within {READY_WITHIN:?}")
    }
}
