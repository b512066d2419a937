//! The demo brand and the main job told as a story, by HTTP alone.
//!
//! The boundary to the rest of the task runner is small: [`is_empty`] and [`load`] are called by
//! `up`, which has set the business clock free while [`load`] runs; [`late_shipment`] is called by
//! `cargo xtask demo late-shipment` with a running system.

use anyhow::{Result, bail};

/// True when the token's tenant has nothing in it, so that the demo brand may be loaded.
pub fn is_empty(_base_url: &str, _token: &str) -> Result<bool> {
    Ok(false)
}

/// Loads the demo brand through the public API, and sets the business clock back to real time.
pub fn load(_base_url: &str, _token: &str) -> Result<()> {
    Ok(())
}

/// Delays an open order of the demo brand and tells what followed: what was asked, what changed,
/// why, and what can be done.
pub fn late_shipment(_base_url: &str, _token: &str) -> Result<()> {
    bail!("the demo brand is not there yet")
}
