//! `cargo xtask up`: from a fresh clone to a running system, and the same command every day after.
//!
//! Checks that cost nothing come first (another copy, the port, Redis), then what may take minutes
//! the first time and nothing later (the toolchain, the components, the host), then the start.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command::say;
use crate::keys::{Bearer, Keys};
use crate::packages::Install;
use crate::project::Project;
use crate::server::{self, Interrupt, Server};
use crate::{build, demo, redis};

/// The tenant that the demo brand is loaded into.
pub const DEMO_TENANT: &str = "demo";

/// What `--fresh` deletes of the data folder: the state. Keys stay, so that old tokens keep
/// working, and so does the compiled code. Never the folder itself: `--data` may name any.
const STATE: [&str; 2] = ["redis", "logs"];

/// What `up` is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// The folder for state, keys and logs [default: .tradewind in the project].
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Leave the demo brand out.
    #[arg(long)]
    pub no_demo: bool,
    /// Delete the state first.
    #[arg(long)]
    pub fresh: bool,
    /// Allow POST /host/v1/clock to move the business clock.
    #[arg(long)]
    pub test_clock: bool,
    /// Install nothing; say what is missing instead.
    #[arg(long)]
    pub no_install: bool,
}

impl Options {
    /// The data folder, absolute.
    pub fn data(&self, project: &Project) -> Result<PathBuf> {
        let data = self.data.clone().unwrap_or_else(|| project.default_data());
        std::path::absolute(data).context("the data folder has no absolute path")
    }

    /// Whether the machine's package manager may be used.
    pub fn install(&self) -> Install {
        if self.no_install { Install::Forbidden } else { Install::Allowed }
    }
}

/// A system that is up: the host, the lock that keeps a second copy out, and a token.
pub struct Running {
    server: Server,
    /// A token for the role admin in the demo tenant.
    pub token: String,
    /// The keys that sign further ones.
    pub keys: Keys,
    _lock: File,
}

impl Running {
    /// Where it answers, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// Stops the host and its Redis; the data stays.
    pub fn stop(self) -> Result<()> {
        self.server.stop()
    }
}

/// Starts the system and stays until Ctrl-C.
pub fn up(project: &Project, options: &Options) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let running = match start(project, options, &interrupt) {
        // What failed, failed because the person stopped it.
        Err(_) if interrupt.is_asked() => {
            say("stopped");
            return Ok(());
        }
        started => started?,
    };
    say(&format!("log: {}", running.server.log().display()));
    println!();
    println!("  Tradewind is up at  {}", running.base_url());
    println!("  tenant {DEMO_TENANT}, admin token:\n\n{}\n", running.token);
    println!("  The main job:  cargo xtask demo late-shipment");
    println!("  Ctrl-C stops everything; the data stays in {}", options.data(project)?.display());
    running.server.wait()?;
    say("stopped");
    Ok(())
}

/// Sets everything up, starts the host and loads the demo brand where that is wanted.
pub fn start(project: &Project, options: &Options, interrupt: &Interrupt) -> Result<Running> {
    let data = options.data(project)?;
    let lock = server::lock(&data)?;
    server::check_port(options.listen)?;
    redis::ensure(options.install())?;
    build::build(project, options.install())?;
    say("building the host");
    let program = server::build(project)?;
    if options.fresh {
        for folder in STATE.map(|name| data.join(name)).iter().filter(|folder| folder.exists()) {
            say(&format!("deleting {}", folder.display()));
            fs::remove_dir_all(folder)?;
        }
    }
    let keys = Keys::of(&data)?;
    let mut host = server::Options { listen: options.listen, data, test_clock: options.test_clock };
    say("starting the host and its Redis");
    let mut server = Server::start(project, &program, &host, interrupt)?;
    if !options.no_demo && demo::is_empty(&server.base_url(), &keys)? {
        // The demo plays its past months under the business clock, which only a host started for
        // that allows; afterwards the host runs as it was asked to.
        if !options.test_clock {
            server.stop()?;
            host.test_clock = true;
            server = Server::start(project, &program, &host, interrupt)?;
        }
        say("loading the demo brand");
        demo::load(&server.base_url(), &keys)?;
        if !options.test_clock {
            server.stop()?;
            host.test_clock = false;
            server = Server::start(project, &program, &host, interrupt)?;
        }
    }
    let token = keys.token(&Bearer::new(DEMO_TENANT, "admin"))?;
    Ok(Running { server, token, keys, _lock: lock })
}
