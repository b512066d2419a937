//! Reserve: the matrix of load shapes, clients and contenders, each beside its floors.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::cell::{Cell, HEADS};
use crate::load::Until;
use crate::report::{Table, megabytes, one, ratio, say};
use crate::stand::{Contender, Load, Stand};
use crate::stock::{Shape, Wanted};

/// Clients that load on until so many reservations are made.
const FILLERS: usize = 64;

/// Reservations between two words of progress.
const STEP: u64 = 100_000;

/// What of the matrix is run.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Clients at once, with the append-only file flushed every second; 0: none.
    #[arg(long, global = true, value_delimiter = ',', default_values_t = [1, 8, 32, 64])]
    clients: Vec<usize>,
    /// Clients at once that reserve with every write flushed; 0: none.
    #[arg(long, global = true, default_value_t = 32)]
    clients_always: usize,
    /// Only the hot item.
    #[arg(long, global = true)]
    hot: bool,
    /// Only these contenders [default: all].
    #[arg(long, global = true, value_delimiter = ',', value_enum)]
    contenders: Vec<Contender>,
    /// Reserve on after the cells until each contender has made so many, then read its memory
    /// [default: what the cells made].
    #[arg(long, global = true)]
    reservations: Option<u64>,
}

impl Options {
    /// Who contends, in the order of the tables.
    pub fn contenders(&self) -> Vec<Contender> {
        let wanted = |one: &Contender| self.contenders.is_empty() || self.contenders.contains(one);
        Contender::ALL.into_iter().filter(wanted).collect()
    }

    /// The shapes of the load.
    pub fn shapes(&self) -> &'static [Shape] {
        if self.hot { &[Shape::Hot] } else { &[Shape::Hot, Shape::Spread] }
    }

    /// Clients at once, with the append-only file flushed every second.
    pub fn clients(&self) -> impl Iterator<Item = usize> {
        self.clients.iter().copied().filter(|clients| *clients > 0)
    }

    /// How the append-only file is flushed, and the clients that reserve meanwhile.
    fn matrix(&self) -> Vec<(&'static str, usize)> {
        let always = Some(self.clients_always).filter(|clients| *clients > 0);
        let everysec = self.clients().map(|clients| ("everysec", clients));
        everysec.chain(always.map(|clients| ("always", clients))).collect()
    }
}

/// A cell with what only a reserve has.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    fsync: &'static str,
    #[serde(flatten)]
    cell: Cell,
    /// CPU of serving process and Redis for one request, the reactions to it included.
    settled_micros: Option<f64>,
    settle_seconds: Option<f64>,
    incr_per_second: Option<f64>,
}

/// Memory of a contender.
#[derive(Debug, Clone, Serialize)]
pub struct Memory {
    contender: Contender,
    reservations: u64,
    redis_bytes_per_reservation: f64,
    stocked_resident_bytes: u64,
    loaded_resident_bytes: u64,
}

/// Everything that the reserve benchmark found.
#[derive(Debug, Clone, Serialize, Default)]
pub struct Found {
    cells: Vec<Row>,
    memory: Vec<Memory>,
}

/// Runs the matrix on these stands: the contenders of a cell, and the shapes, right after one
/// another, since their ratios are what counts.
pub async fn run(stands: &mut [Stand], options: &Options, length: Duration) -> Result<Found> {
    let mut found = Found::default();
    for (fsync, clients) in options.matrix() {
        for stand in stands.iter() {
            stand.redis.set_fsync(fsync).await?;
        }
        for &shape in options.shapes() {
            let load = Load { wanted: Wanted::Reservation, shape, clients };
            for stand in stands.iter_mut() {
                let (shape, name) = (shape.name(), stand.contender.name());
                say(&format!("reserve: {shape}, {clients} clients, {name}, fsync {fsync}"));
                found.cells.push(row(stand, fsync, load, length).await?);
            }
        }
    }
    for stand in stands.iter_mut() {
        stand.redis.set_fsync("everysec").await?;
        fill(stand, options.reservations.unwrap_or(0)).await?;
        found.memory.push(memory(stand).await?);
    }
    Ok(found)
}

async fn row(stand: &mut Stand, fsync: &'static str, load: Load, length: Duration) -> Result<Row> {
    let measured = stand.measure(load, length).await?;
    let floor = stand.contender == Contender::Script && load.shape == Shape::Hot;
    let incr_per_second = match floor {
        true => Some(stand.measure_incr(load.clients, length / 4).await?.per_second()),
        false => None,
    };
    Ok(Row {
        fsync,
        cell: Cell::of(stand.contender, load, &measured),
        settled_micros: measured.settled_micros.map(|micros| measured.outcome.each(micros)),
        settle_seconds: measured.settle_seconds,
        incr_per_second,
    })
}

/// Reserves the hot item until so many reservations are made in all; none if they are already.
async fn fill(stand: &mut Stand, reservations: u64) -> Result<()> {
    let load = Load { wanted: Wanted::Reservation, shape: Shape::Hot, clients: FILLERS };
    while stand.granted < reservations {
        let name = stand.contender.name();
        say(&format!("memory: {name}, {} of {reservations} reservations", stand.granted));
        let most = STEP.min(reservations - stand.granted);
        let outcome = stand.load(load, Until::Sent(most)).await?;
        ensure!(outcome.granted > 0, "{name} grants no reservation any more");
    }
    stand.settle().await?;
    Ok(())
}

async fn memory(stand: &Stand) -> Result<Memory> {
    let grown = stand.redis.used_memory().await?.saturating_sub(stand.stocked_bytes);
    Ok(Memory {
        contender: stand.contender,
        reservations: stand.granted,
        redis_bytes_per_reservation: grown as f64 / stand.granted.max(1) as f64,
        stocked_resident_bytes: stand.stocked_resident,
        loaded_resident_bytes: stand.resident_bytes()?,
    })
}

impl Found {
    /// The tables for a person.
    pub fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for fsync in ["everysec", "always"] {
            for shape in [Shape::Hot, Shape::Spread] {
                tables.push(self.table(fsync, shape));
            }
        }
        tables.push(self.hot_table());
        tables.push(self.memory_table());
        tables.retain(|table| !table.is_empty());
        tables
    }

    fn find(&self, like: &Row, shape: &str, contender: Contender) -> Option<&Cell> {
        let alike = |one: &&Row| {
            one.fsync == like.fsync
                && one.cell.clients == like.cell.clients
                && one.cell.shape == shape
                && one.cell.contender == contender
        };
        self.cells.iter().find(alike).map(|one| &one.cell)
    }

    fn table(&self, fsync: &str, shape: Shape) -> Table {
        let own = ["CPU-µs settled", "settle s", "rate / axum", "CPU / axum", "rate / script"];
        let title = format!("Reserve, {}, fsync {fsync}", shape.name());
        let mut table = Table::new(&title, &[&HEADS[..], &own].concat());
        let here = |row: &&Row| row.fsync == fsync && row.cell.shape == shape.name();
        for row in self.cells.iter().filter(here) {
            let cell = &row.cell;
            let native = self.find(row, cell.shape, Contender::Native);
            let script = self.find(row, cell.shape, Contender::Script);
            let own = [
                row.settled_micros.map_or("?".to_owned(), |micros| format!("{micros:.0}")),
                row.settle_seconds.map_or("> 60".to_owned(), one),
                ratio(cell.per_second, native.map(|one| one.per_second)),
                ratio(cell.cpu(), native.map(Cell::cpu)),
                ratio(cell.per_second, script.map(|one| one.per_second)),
            ];
            table.row(&[&cell.shown()[..], &own].concat());
            if let Some(incr) = row.incr_per_second {
                let rate = ratio(incr, Some(cell.per_second));
                let mut row = vec![cell.clients.to_string(), "plain INCR, pipelined".to_owned()];
                row.push(format!("{incr:.0}"));
                row.extend(std::iter::repeat_n(String::new(), 11));
                row.push(rate);
                table.row(&row);
            }
        }
        table
    }

    /// What it costs that everybody wants the same item, where both shapes were measured.
    fn hot_table(&self) -> Table {
        let mut table = Table::new(
            "Reserve, the hot item beside 1,000",
            &[
                "fsync",
                "clients",
                "contender",
                "hot requests/s",
                "spread requests/s",
                "hot / spread",
            ],
        );
        for row in self.cells.iter().filter(|row| row.cell.shape == Shape::Hot.name()) {
            let hot = &row.cell;
            let Some(spread) = self.find(row, Shape::Spread.name(), hot.contender) else {
                continue;
            };
            table.row(&[
                row.fsync.to_owned(),
                hot.clients.to_string(),
                hot.contender.name().to_owned(),
                format!("{:.0}", hot.per_second),
                format!("{:.0}", spread.per_second),
                ratio(hot.per_second, Some(spread.per_second)),
            ]);
        }
        table
    }

    fn memory_table(&self) -> Table {
        let mut table = Table::new(
            "Memory",
            &["contender", "reservations", "Redis bytes each", "server stocked MB", "loaded MB"],
        );
        for one in &self.memory {
            table.row(&[
                one.contender.name().to_owned(),
                one.reservations.to_string(),
                format!("{:.0}", one.redis_bytes_per_reservation),
                megabytes(one.stocked_resident_bytes),
                megabytes(one.loaded_resident_bytes),
            ]);
        }
        table
    }
}
