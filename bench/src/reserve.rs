//! Reserve: the matrix of load shapes, clients and contenders, each beside its floors.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::report::{Table, megabytes, one, ratio, say, two};
use crate::stand::{Contender, Measured, Stand};
use crate::stock::Shape;

/// What of the matrix is run.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Clients at once, with the append-only file flushed every second.
    #[arg(long, global = true, value_delimiter = ',', default_values_t = [1, 8, 32, 64])]
    clients: Vec<usize>,
    /// Clients at once, with every write flushed; 0: none.
    #[arg(long, global = true, default_value_t = 32)]
    clients_always: usize,
    /// Only the hot item.
    #[arg(long, global = true)]
    hot: bool,
    /// Only these contenders [default: all].
    #[arg(long, global = true, value_delimiter = ',', value_enum)]
    contenders: Vec<Contender>,
}

impl Options {
    /// Who contends, in the order of the tables.
    pub fn contenders(&self) -> Vec<Contender> {
        let wanted = |one: &Contender| self.contenders.is_empty() || self.contenders.contains(one);
        Contender::ALL.into_iter().filter(wanted).collect()
    }
}

/// A cell as it is kept.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    fsync: &'static str,
    shape: &'static str,
    clients: usize,
    contender: Contender,
    granted: u64,
    failed: u64,
    per_second: f64,
    p50_millis: f64,
    p99_millis: f64,
    serving_micros: f64,
    redis_micros: f64,
    script_micros: f64,
    script_calls: f64,
    /// CPU of serving process and Redis for one request, the reactions to it included.
    settled_micros: Option<f64>,
    settle_seconds: Option<f64>,
    incr_per_second: Option<f64>,
}

impl Cell {
    fn of(fsync: &'static str, shape: Shape, clients: usize, from: (Contender, &Measured)) -> Self {
        let (contender, measured) = from;
        let granted = measured.outcome.granted.max(1) as f64;
        let each = |total: u64| total as f64 / granted;
        Self {
            fsync,
            shape: shape.name(),
            clients,
            contender,
            granted: measured.outcome.granted,
            failed: measured.outcome.failed,
            per_second: measured.outcome.per_second(),
            p50_millis: measured.outcome.percentile(0.5),
            p99_millis: measured.outcome.percentile(0.99),
            serving_micros: each(measured.serving_micros),
            redis_micros: each(measured.redis_micros),
            script_micros: each(measured.work.script_micros),
            script_calls: each(measured.work.calls),
            settled_micros: measured.settled_micros.map(each),
            settle_seconds: measured.settle_seconds,
            incr_per_second: None,
        }
    }

    fn is_beside(&self, other: &Self) -> bool {
        self.fsync == other.fsync && self.shape == other.shape && self.clients == other.clients
    }

    fn cpu(&self) -> f64 {
        self.serving_micros + self.redis_micros
    }
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
    cells: Vec<Cell>,
    memory: Vec<Memory>,
}

/// Runs the matrix on these stands.
pub async fn run(stands: &mut [Stand], options: &Options, length: Duration) -> Result<Found> {
    let mut found = Found::default();
    let always: Vec<usize> =
        Some(options.clients_always).filter(|it| *it > 0).into_iter().collect();
    let shapes = if options.hot { &[Shape::Hot][..] } else { &[Shape::Hot, Shape::Spread] };
    for (fsync, counts) in [("everysec", &options.clients), ("always", &always)] {
        for stand in stands.iter() {
            stand.redis.set_fsync(fsync).await?;
        }
        for &shape in shapes {
            for clients in counts {
                for stand in stands.iter_mut() {
                    say(&format!(
                        "reserve: {}, {clients} clients, {}, fsync {fsync}",
                        shape.name(),
                        stand.contender.name()
                    ));
                    let measured = stand.measure(shape, *clients, length).await?;
                    let from = (stand.contender, &measured);
                    let mut cell = Cell::of(fsync, shape, *clients, from);
                    if stand.contender == Contender::Script && shape == Shape::Hot {
                        let incr = stand.measure_incr(*clients, length / 4).await?;
                        cell.incr_per_second = Some(incr.per_second());
                    }
                    found.cells.push(cell);
                }
            }
        }
    }
    for stand in stands.iter() {
        stand.redis.set_fsync("everysec").await?;
        found.memory.push(memory(stand).await?);
    }
    Ok(found)
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
    fn beside(&self, cell: &Cell, contender: Contender) -> Option<&Cell> {
        self.cells.iter().find(|one| one.is_beside(cell) && one.contender == contender)
    }

    /// The tables for a person.
    pub fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for fsync in ["everysec", "always"] {
            for shape in [Shape::Hot, Shape::Spread] {
                tables.push(self.table(fsync, shape));
            }
        }
        tables.push(self.memory_table());
        tables
    }

    fn table(&self, fsync: &str, shape: Shape) -> Table {
        let mut table = Table::new(
            &format!("Reserve, {}, fsync {fsync}", shape.name()),
            &[
                "clients",
                "contender",
                "requests/s",
                "p50 ms",
                "p99 ms",
                "failed",
                "CPU-µs serving",
                "CPU-µs Redis",
                "scripts",
                "script-µs",
                "CPU-µs settled",
                "settle s",
                "rate / axum",
                "CPU / axum",
                "rate / script",
            ],
        );
        for cell in self.cells.iter().filter(|one| one.fsync == fsync && one.shape == shape.name())
        {
            let native = self.beside(cell, Contender::Native);
            let script = self.beside(cell, Contender::Script);
            table.row(&[
                cell.clients.to_string(),
                cell.contender.name().to_owned(),
                format!("{:.0}", cell.per_second),
                two(cell.p50_millis),
                two(cell.p99_millis),
                cell.failed.to_string(),
                format!("{:.0}", cell.serving_micros),
                format!("{:.0}", cell.redis_micros),
                one(cell.script_calls),
                format!("{:.0}", cell.script_micros),
                cell.settled_micros.map_or("?".to_owned(), |micros| format!("{micros:.0}")),
                cell.settle_seconds.map_or("> 60".to_owned(), one),
                ratio(cell.per_second, native.map(|one| one.per_second)),
                ratio(cell.cpu(), native.map(Cell::cpu)),
                ratio(cell.per_second, script.map(|one| one.per_second)),
            ]);
            if let Some(incr) = cell.incr_per_second {
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
