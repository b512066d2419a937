//! The benchmarks: each contender beside its floors, in one run, so that ratios mean something
//! even where absolute figures do not.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people: a rounded rate is no quantity"
)]

mod availability;
mod bare_script;
mod cascade;
mod cell;
mod clock;
mod http_client;
mod load;
mod native_service;
mod native_world;
mod private_redis;
mod process;
mod product;
mod profile;
mod report;
mod reserve;
mod stand;
mod start;
mod stock;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde_json::{Map, Value, json};

use crate::product::Place;
use crate::report::{print, say};
use crate::stand::{Contender, Stand};

/// The host's allocator, for the native contender as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures reserve, availability, cascade and start, each beside its floor.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// Only this one [default: all].
    #[command(subcommand)]
    task: Option<Task>,
    /// Seconds of load for each cell of the reserve and availability tables.
    #[arg(long, global = true, default_value_t = 1.0)]
    seconds: f64,
    /// Order lines of the cascades.
    #[arg(long, global = true, value_delimiter = ',', default_values_t = [10, 100, 1_000, 10_000])]
    lines: Vec<usize>,
    #[command(flatten)]
    matrix: reserve::Options,
}

#[derive(Subcommand, Clone)]
enum Task {
    /// Reservations of a hot item and of a thousand, by clients and contenders; memory.
    Reserve,
    /// What a channel can take of a hot item and of a thousand, by clients and contenders.
    Availability,
    /// A late confirmation on which many order lines wait.
    Cascade,
    /// From the start of the host to its first answer; idle memory.
    Start,
    /// Where the CPU goes under load.
    Profile,
    /// The native contender itself; the benchmark starts it.
    #[command(hide = true)]
    ServeNative(native_service::Options),
}

impl Arguments {
    fn wants(&self, wanted: fn(&Task) -> bool) -> bool {
        self.task.as_ref().is_none_or(wanted)
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(Task::ServeNative(options)) = &arguments.task {
        return native_service::run(options);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(&arguments))
}

async fn run(arguments: &Arguments) -> Result<()> {
    let place = Place::new()?;
    let length = Duration::from_secs_f64(arguments.seconds);
    let begun = clock::now();
    let mut results = Map::new();
    let mut tables = Vec::new();
    // First, since only the first start of a run has no compiled code.
    if arguments.wants(|task| matches!(task, Task::Start)) {
        let found = start::run(&place).await?;
        tables.push(found.table());
        results.insert("start".to_owned(), json!(found));
    }
    let reserve = arguments.wants(|task| matches!(task, Task::Reserve));
    let availability = arguments.wants(|task| matches!(task, Task::Availability));
    let profile = arguments.wants(|task| matches!(task, Task::Profile));
    if reserve || availability || profile {
        let mut stands = Vec::new();
        let needed = |one: &Contender| reserve || one.serves();
        for contender in arguments.matrix.contenders().into_iter().filter(needed) {
            say(&format!("{} is started and stocked", contender.name()));
            stands.push(Stand::open(&place, contender).await?);
        }
        // Before anything is reserved: all stands have the same stock then.
        if availability {
            let found = availability::run(&mut stands, &arguments.matrix, length).await?;
            tables.extend(found.tables());
            results.insert("availability".to_owned(), json!(found));
        }
        if reserve {
            let found = reserve::run(&mut stands, &arguments.matrix, length).await?;
            tables.extend(found.tables());
            results.insert("reserve".to_owned(), json!(found));
        }
        if profile {
            let found = profile::run(&mut stands, place.folder.path(), length * 2).await?;
            tables.extend(found.iter().flat_map(profile::Found::tables));
            results.insert("profile".to_owned(), json!(found));
        }
    }
    if arguments.wants(|task| matches!(task, Task::Cascade)) {
        let found = cascade::run(&place, &arguments.lines).await?;
        tables.push(cascade::table(&found));
        results.insert("cascade".to_owned(), json!(found));
    }
    for table in &tables {
        print(&table.text());
    }
    let file = place.project.root().join("bench/results/latest.json");
    write(&file, Value::Object(results))?;
    say(&format!("done in {:.0} s; {}", begun.elapsed().as_secs_f64(), file.display()));
    Ok(())
}

fn write(file: &Path, results: Value) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(file, format!("{results:#}\n"))?)
}
