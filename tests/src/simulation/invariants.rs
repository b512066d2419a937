//! What every commit must leave as it is: goods are conserved, nothing is oversold, and counters say
//! what the model says.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;
use tradewind_kernel::event::Domain;
use tradewind_shell::store::{Found, Needs, Read, ReadRequest, Store};

use super::observer::claimed;
use super::player::Player;
use super::seam::Seen;
use super::step::Finding;
use super::world::TENANT;

impl Player {
    /// Counters as they are kept are the model's: goods are conserved, nothing is oversold.
    pub(super) fn counted(&self, seen: &Seen) -> Result<(), Finding> {
        let skus: BTreeSet<&str> = claimed(&seen.commit.writes).collect();
        for sku in skus {
            let mut sum = 0;
            for (field, value) in self.counters(&format!("inventory:stock:{sku}")) {
                let expected = match field.split_once(':') {
                    None => self.model.at(sku, &field),
                    Some((status @ ("sellable" | "hold" | "damaged"), node)) => {
                        self.model.at(sku, &format!("{node}/{status}"))
                    }
                    Some(("claimed", node)) => {
                        let here = self.model.at(sku, &format!("{node}/sellable"));
                        let free = self.model.free(sku, node);
                        if free < 0 {
                            let detail = format!("{free} of {sku} are free at {node}");
                            return Err(Finding::new("oversold", detail));
                        }
                        here - free
                    }
                    Some(_) => value,
                };
                let is_place = !field.contains(':') || {
                    ["sellable:", "hold:", "damaged:"].iter().any(|start| field.starts_with(start))
                };
                sum += if is_place { value } else { 0 };
                if value != expected || (field.contains(':') && value < 0) {
                    let detail = format!("{field} of {sku} is {value}, and must be {expected}");
                    return Err(Finding::new("a counter", detail));
                }
            }
            if sum != 0 {
                return Err(Finding::new("goods", format!("all of {sku} sum to {sum}")));
            }
        }
        Ok(())
    }

    fn counters(&self, key: &str) -> BTreeMap<String, i64> {
        let request = ReadRequest {
            tenant: TENANT.to_owned(),
            domain: Domain::Inventory,
            needs: Needs::Nothing,
            reads: vec![Read::Counters { key: key.to_owned() }],
        };
        let read = self.hub.inner.read(&request).now_or_never();
        match read.and_then(Result::ok).map(|mut snapshot| snapshot.found.pop()) {
            Some(Some(Found::Counters(counters))) => counters,
            _ => BTreeMap::new(),
        }
    }
}
