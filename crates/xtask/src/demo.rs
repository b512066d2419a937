//! The demo brand and the main job told as a story, by HTTP alone.
//!
//! The boundary to the rest of the task runner is small: [`is_empty`] and [`load`] are called by
//! `up`, which has set the business clock free while [`load`] runs; [`late_shipment`] is called by
//! `cargo xtask demo late-shipment` with a running system.
//!
//! The brand is a pure function of a seed and a day: [`shapes`](mod@shapes) of real demand and the
//! facts of [`brand`] become items, purchases, orders and stock, and these a [`plan`](mod@plan) of
//! calls, which [`load`](mod@load) makes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::say;
use crate::keys::Keys;
use crate::project::Project;
use client::{Client, People};
use load::Loaded;

mod brand;
mod campaigns;
mod catalogue;
mod client;
mod demand;
mod derive;
mod load;
mod orders;
mod plan;
mod purchases;
mod random;
mod shapes;
mod stock;
mod story;

/// True when the demo brand may be loaded: its tenant has nothing in it, or a part of the brand
/// whose load was interrupted.
pub fn is_empty(base_url: &str, keys: &Keys) -> Result<bool> {
    let people = People::of(keys)?;
    Ok(load::loaded(&Client::new(base_url, &people))? != Loaded::Whole)
}

/// Loads the demo brand through the public API, and sets the business clock back to real time.
pub fn load(base_url: &str, keys: &Keys) -> Result<()> {
    load::load(base_url, keys)
}

/// Delays an open order of the demo brand and tells what followed: what was asked, what changed,
/// why, and what can be done. Gives back the cascade as the host answered it.
pub fn late_shipment(base_url: &str, keys: &Keys) -> Result<Value> {
    let people = People::of(keys)?;
    story::late_shipment(&Client::new(base_url, &people))
}

/// Makes the checked-in shapes anew from the folder with the two data sets.
pub fn derive_shapes(project: &Project, folder: &Path) -> Result<()> {
    let file = project.root().join("crates/xtask/data/shapes.csv");
    let text = derive::file_of(folder)?;
    fs::write(&file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    say(&format!("{} shapes, {} bytes", text.lines().count() - 1, text.len()));
    Ok(())
}
