//! What is looked at after every step, also while events are unread and marks wait: what inventory
//! answers is the model's, and what it keeps is what pegging gives whenever nothing waits.

use futures::FutureExt;
use tradewind_kernel::event::Domain;
use tradewind_shell::store::{Found, Needs, Read, ReadRequest, Snapshot, Store};

use super::player::Player;
use super::step::Finding;
use super::world::TENANT;

/// The record of the day for which inventory pegs.
const DAY: &str = "inventory:day";

impl Player {
    /// Looks at inventory as it is now. It is asked at a fork of this moment, since a domain that is
    /// asked catches up first: what comes next must find it as late as it is.
    pub(super) fn moment(&mut self) -> Result<(), Finding> {
        if self.nothing_waits() {
            self.counts.pegged_moments += 1;
            self.pegging()?;
        }
        let mut fork = self.fork(self.hub.planted());
        fork.answers().map_err(|finding| Finding {
            detail: format!("asked while others are behind: {}", finding.detail),
            ..finding
        })?;
        if fork.nothing_waits() {
            fork.pegging()?;
            self.counts.pegged_moments += 1;
        }
        self.counts.moments += 1;
        Ok(())
    }

    /// Whether inventory has read every event that it reacts to, no item is marked, and the day has
    /// turned: then its promises are those that pegging gives, whatever the other domains have to do.
    fn nothing_waits(&self) -> bool {
        let request = ReadRequest {
            tenant: TENANT.to_owned(),
            domain: Domain::Inventory,
            needs: Needs::Everything,
            reads: vec![Read::Record { key: DAY.to_owned() }],
        };
        let read = self.hub.inner.read(&request).now_or_never();
        let Some(Ok(Snapshot { behind: false, waiting: false, found, .. })) = read else {
            return false;
        };
        let today = format!("\"{}\"", self.model.today());
        matches!(found.as_slice(), [Found::Record(Some(day))] if day.json.contains(&today))
    }
}
