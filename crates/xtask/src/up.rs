//! `cargo xtask up`: from a fresh clone to a running system, and the same command every day after.
//!
//! Checks that cost nothing come first (another copy, the port, Redis), then what may take minutes
//! the first time and nothing later (the toolchain, the components, the host), then the start.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command::{quoted, say};
use crate::keys::{Bearer, Keys};
use crate::packages::Install;
use crate::project::Project;
use crate::server::{self, Interrupt, Server};
use crate::{build, demo, redis};

/// The tenant that the demo brand is loaded into.
pub const DEMO_TENANT: &str = "demo";

/// What `--fresh` deletes of the data folder: the state. Keys stay, so that old tokens keep
/// working, and so do the compiled code and the logs, which may say why one starts afresh. Never the
/// folder itself: `--data` may name any.
const STATE: &str = "redis";

/// The steps of a start, as [`step`] counts them.
const STEPS: usize = 4;

/// Where `up` listens unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:3000";

/// What `up` is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The address to listen on.
    #[arg(long, default_value = DEFAULT_LISTEN)]
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

    /// The words by which another command signs with the key of this data folder, each with a
    /// space before it: none for the project's own folder.
    pub fn key_words(&self, project: &Project) -> Result<String> {
        let data = self.data(project)?;
        if data == std::path::absolute(project.default_data())? {
            return Ok(String::new());
        }
        Ok(format!(" --data {}", quoted(&data.to_string_lossy())))
    }

    /// The words by which another command finds this very system, likewise.
    pub fn place_words(&self, project: &Project) -> Result<String> {
        let listen = self.listen.to_string();
        let listen =
            if listen == DEFAULT_LISTEN { String::new() } else { format!(" --listen {listen}") };
        Ok(listen + &self.key_words(project)?)
    }

    /// The options given that say how a system is started, and mean nothing to one that runs.
    pub fn of_a_start(&self) -> Vec<&'static str> {
        [("--fresh", self.fresh), ("--no-demo", self.no_demo), ("--test-clock", self.test_clock)]
            .into_iter()
            .filter_map(|(name, given)| given.then_some(name))
            .collect()
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
    let Some(running) = interrupt.unless_asked(start(project, options, &interrupt))? else {
        return Ok(());
    };
    say(&format!("log: {}", running.server.log().display()));
    println!();
    println!("  Tradewind is up at  {}", running.base_url());
    println!("  tenant {DEMO_TENANT}, admin token:\n\n{}\n", running.token);
    let place = options.place_words(project)?;
    println!("  The main job:  cargo xtask demo late-shipment{place}");
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
    if !server::program(project).exists() {
        say(
            "the first start builds everything, ten minutes or more on two cores; later ones take \
             seconds",
        );
    }
    redis::ensure(options.install())?;
    step(1, "the components");
    build::build(project, options.install())?;
    step(2, "the host");
    let program = server::build(project)?;
    step(3, "starting the host and its Redis");
    if options.fresh {
        let state = data.join(STATE);
        if state.exists() {
            say(&format!("deleting {}", state.display()));
            fs::remove_dir_all(&state)?;
        }
    }
    let keys = Keys::of(&data)?;
    let mut host = server::Options { listen: options.listen, data, test_clock: options.test_clock };
    let mut server = Server::start(project, &program, &host, interrupt)?;
    if options.no_demo {
        step(4, "the demo brand is left out");
    } else if !demo::is_empty(&server.base_url(), &keys)? {
        step(4, "the demo brand, or what took its place, is there");
    } else {
        step(4, "loading the demo brand");
        // The demo plays its past months under the business clock, which only a host started for
        // that allows; afterwards the host runs as it was asked to.
        if !options.test_clock {
            server.stop()?;
            host.test_clock = true;
            server = Server::start(project, &program, &host, interrupt)?;
        }
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

/// Says which of the steps of a start begins.
fn step(number: usize, what: &str) {
    say(&format!("[{number}/{STEPS}] {what}"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn given(words: &[&str]) -> Options {
        Line::parse_from([&["up"], words].concat()).options
    }

    #[test]
    fn what_is_printed_to_run_next_names_all_that_is_not_the_default() {
        let project = Project::at("/project");
        for (words, key, place) in [
            (&[][..], "", ""),
            (&["--listen", DEFAULT_LISTEN, "--data", "/project/.tradewind", "--fresh"], "", ""),
            (&["--listen", "127.0.0.1:3100"], "", " --listen 127.0.0.1:3100"),
            (&["--data", "/elsewhere"], " --data /elsewhere", " --data /elsewhere"),
            (
                &["--listen", "0.0.0.0:80", "--data", "/my data"],
                " --data '/my data'",
                " --listen 0.0.0.0:80 --data '/my data'",
            ),
        ] {
            let options = given(words);
            assert_eq!(options.key_words(&project).unwrap(), key, "{words:?}");
            assert_eq!(options.place_words(&project).unwrap(), place, "{words:?}");
        }
        let relative = given(&["--data", "here"]).key_words(&project).unwrap();
        let here = std::env::current_dir().unwrap().join("here");
        assert_eq!(relative, format!(" --data {}", quoted(&here.to_string_lossy())));
    }

    #[test]
    fn options_of_a_start_are_told_from_those_that_find_a_system() {
        let all = ["--fresh", "--no-demo", "--test-clock"];
        assert_eq!(given(&all).of_a_start(), all);
        assert_eq!(given(&["--test-clock"]).of_a_start(), ["--test-clock"]);
        let other = given(&["--listen", "127.0.0.1:1", "--data", "d", "--no-install"]);
        assert!(other.of_a_start().is_empty());
    }
}
