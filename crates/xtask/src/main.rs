//! `cargo xtask`: the commands of a developer's day. Each says what it does under `--help`.
#![allow(clippy::print_stdout)] // a task runner talks to a person in a terminal

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use xtask::command::say;
use xtask::keys::{Bearer, Keys};
use xtask::packages::Install;
use xtask::project::{DOMAINS, Project};
use xtask::{bench, build, chaos, demo, docs, fuzz, late_shipment, plugin, sim, test, up};

/// The task runner of Tradewind.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Set everything up, start Redis and the host, load the demo brand, stay until Ctrl-C.
    Up(up::Options),
    /// Make a signed token; it is alone on the last line.
    ///
    /// It is good for 30 days, for hosts that run on the same data folder.
    Token {
        #[command(flatten)]
        bearer: Bearer,
        /// The data folder whose key signs [default: .tradewind in the project].
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// Build, compose and check the components into target/components.
    Build {
        #[command(flatten)]
        setup: Setup,
        /// Only these domains [default: all].
        #[arg(value_parser = DOMAINS)]
        domains: Vec<String>,
    },
    /// Check formatting and lints, build the components, run every test.
    Test {
        #[command(flatten)]
        setup: Setup,
        /// Show the calls that led to a failure.
        #[arg(long)]
        backtrace: bool,
        /// Passed to the test runner, such as the name of a test.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        filter: Vec<String>,
    },
    /// Tell a story on the demo brand, starting the system if nothing listens.
    Demo {
        #[command(subcommand)]
        story: Story,
    },
    /// Run the benchmarks of bench/, each beside its floor.
    #[command(after_help = bench::HELP)]
    Bench {
        #[command(flatten)]
        setup: Setup,
        /// Which benchmark, and how: see below [default: all].
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Make, build, check and test a partner's plug-in.
    Plugin {
        #[command(subcommand)]
        task: plugin::Task,
    },
    /// Play seeds of the simulation: one again, or new ones for a while.
    Sim(sim::Options),
    /// Break what the host rests on, under load: rounds of faults, judged.
    Chaos {
        #[command(flatten)]
        setup: Setup,
        #[command(flatten)]
        options: chaos::Options,
    },
    /// Send requests made from the published documents: one seed again, or new ones for a while.
    Fuzz {
        #[command(flatten)]
        setup: Setup,
        #[command(flatten)]
        options: fuzz::Options,
    },
    /// Rewrite generated documents and vendored contracts.
    Docs,
}

/// What every command that may install something takes.
#[derive(clap::Args)]
struct Setup {
    /// Install nothing; say what is missing instead.
    #[arg(long)]
    no_install: bool,
}

impl Setup {
    fn install(&self) -> Install {
        if self.no_install { Install::Forbidden } else { Install::Allowed }
    }
}

#[derive(Subcommand)]
enum Story {
    /// A supplier confirms a late delivery: what changes, why, and what can be done.
    LateShipment(up::Options),
    /// Make the demo's shapes of demand anew from the folder with the two public data sets.
    Shapes {
        /// The folder (crates/xtask/data/README.md says what is in it).
        #[arg(long)]
        from: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let project = Project::here()?;
    match task {
        Task::Up(options) => up::up(&project, &options),
        Task::Token { bearer, data } => {
            bearer.check()?;
            let data = match data {
                Some(data) => named_folder(data)?,
                None => project.default_data(),
            };
            println!("{}", Keys::of(&data)?.token(&bearer)?);
            Ok(())
        }
        Task::Build { setup, domains } if domains.is_empty() => {
            build::build(&project, setup.install()).map(|_files| ())
        }
        Task::Build { setup, domains } => {
            let some = DOMAINS.into_iter().filter(|each| domains.iter().any(|name| name == each));
            let some: Vec<&'static str> = some.collect();
            build::build_some(&project, setup.install(), &some).map(|_files| ())
        }
        Task::Test { setup, backtrace, filter } => {
            test::test(&project, setup.install(), &test::Options { backtrace, filter })
        }
        Task::Demo { story: Story::LateShipment(options) } => {
            late_shipment::late_shipment(&project, &options)
        }
        Task::Demo { story: Story::Shapes { from } } => demo::derive_shapes(&project, &from),
        Task::Bench { setup, arguments } => bench::bench(&project, setup.install(), &arguments),
        Task::Plugin { task } => plugin::plugin(&project, &task),
        Task::Sim(options) => sim::sim(&project, &options),
        Task::Chaos { setup, options } => chaos::chaos(&project, setup.install(), &options),
        Task::Fuzz { setup, options } => fuzz::fuzz(&project, setup.install(), &options),
        Task::Docs => docs::docs(&project),
    }
}

/// A data folder that was named is there: a mistyped one would get a key that no system knows.
fn named_folder(data: PathBuf) -> Result<PathBuf> {
    if !data.is_dir() {
        bail!("there is no data folder {}; cargo xtask up --data makes one", data.display());
    }
    Ok(data)
}
