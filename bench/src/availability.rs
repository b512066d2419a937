//! Availability: what a channel can take of an item, by contenders that answer requests.
//!
//! A read and no write, so that all contenders keep the same stock: before the load each must give
//! the same answers as the others.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::cell::{Cell, HEADS};
use crate::report::{Table, ratio, say};
use crate::reserve::Options;
use crate::stand::{Contender, Load, Stand};
use crate::stock::{self, HOT, ITEMS, Shape, UNITS, Wanted};

/// Everything that the availability benchmark found.
#[derive(Debug, Clone, Serialize, Default)]
pub struct Found {
    cells: Vec<Cell>,
}

/// Compares the answers of these stands, then loads each in turn; they must be newly stocked. Those
/// that answer no requests are left out.
pub async fn run(stands: &mut [Stand], options: &Options, length: Duration) -> Result<Found> {
    let mut stands: Vec<&mut Stand> =
        stands.iter_mut().filter(|stand| stand.contender.serves()).collect();
    check(&stands, options.shapes()).await?;
    let mut found = Found::default();
    for clients in options.clients() {
        for &shape in options.shapes() {
            let load = Load { wanted: Wanted::Availability, shape, clients };
            for stand in &mut stands {
                let (shape, name) = (shape.name(), stand.contender.name());
                say(&format!("availability: {shape}, {clients} clients, {name}"));
                let measured = stand.measure(load, length).await?;
                found.cells.push(Cell::of(stand.contender, load, &measured));
            }
        }
    }
    Ok(found)
}

/// Fails unless all stands answer alike for every item of these shapes, with all of its stock.
async fn check(stands: &[&mut Stand], shapes: &[Shape]) -> Result<()> {
    let mut skus = vec![HOT.to_owned()];
    if shapes.contains(&Shape::Spread) {
        skus.extend((0..ITEMS).map(stock::item));
    }
    let mut first: Option<(Contender, Vec<Value>)> = None;
    for stand in stands {
        let name = stand.contender.name();
        say(&format!("availability: the answers of {name} are compared"));
        let answers = answers(stand, &skus).await.context(name)?;
        let (other, expected) = first.get_or_insert_with(|| (stand.contender, answers.clone()));
        for (answer, expected) in answers.iter().zip(expected.iter()) {
            let other = other.name();
            ensure!(answer == expected, "{name} answers {answer}, {other} {expected}");
        }
    }
    Ok(())
}

async fn answers(stand: &Stand, skus: &[String]) -> Result<Vec<Value>> {
    let mut client = stand.http().await?;
    let mut answers = Vec::with_capacity(skus.len());
    for sku in skus {
        let answer = client.send("GET", &stock::availability_path(sku), None, Bytes::new()).await?;
        let told = String::from_utf8_lossy(&answer.body);
        let all = stock::available(&answer) == Some(UNITS);
        ensure!(all, "{sku}, of which there are {UNITS}: {}: {told}", answer.status);
        answers.push(answer.json()?);
    }
    Ok(answers)
}

impl Found {
    /// The tables for a person.
    pub fn tables(&self) -> Vec<Table> {
        let tables = [Shape::Hot, Shape::Spread].map(|shape| self.table(shape));
        tables.into_iter().filter(|table| !table.is_empty()).collect()
    }

    fn table(&self, shape: Shape) -> Table {
        let title = format!("Availability, {}", shape.name());
        let mut table = Table::new(&title, &[&HEADS[..], &["rate / axum", "CPU / axum"]].concat());
        for cell in self.cells.iter().filter(|cell| cell.shape == shape.name()) {
            let native = self.cells.iter().find(|one| {
                one.contender == Contender::Native
                    && one.clients == cell.clients
                    && one.shape == cell.shape
            });
            let own = [
                ratio(cell.per_second, native.map(|one| one.per_second)),
                ratio(cell.cpu(), native.map(Cell::cpu)),
            ];
            table.row(&[&cell.shown()[..], &own].concat());
        }
        table
    }
}
