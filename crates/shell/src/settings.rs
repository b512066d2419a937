//! The tenant's settings, as every domain keeps them.
//!
//! They are finance's; each domain reacts to `finance.settings-changed` with [`kept`] and then has
//! them at hand in the same store, so that "today" needs no ask.

use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::{Domain, Event};
use tradewind_kernel::events::finance::SettingsChanged;

use crate::store::Outage;

/// Where a domain keeps the settings.
#[must_use]
pub fn key(domain: Domain) -> String {
    format!("{domain}:settings")
}

/// The effect of `finance.settings-changed` on a domain that only keeps them; `None` for other
/// events.
///
/// # Errors
/// An event of that type that does not read.
pub fn kept(domain: Domain, event: &Event) -> Result<Option<Decision>, Outage> {
    if !event.is::<SettingsChanged>() {
        return Ok(None);
    }
    let settings: SettingsChanged = event.read().map_err(|fault| Outage(fault.to_string()))?;
    let mut decision = Decision::default();
    decision.put(key(domain), &settings);
    Ok(Some(decision))
}
