//! What is known to exist: inventory's items and nodes, as its events told them.
//!
//! Nothing is bought for an item or a node that does not exist, and nothing is received at such a
//! node, since nobody could find it there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tradewind_kernel::{Decision, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::world::World;

use crate::keys;

/// That something exists: the record of an item or a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Known {}

/// What of a command's items and nodes does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unknown {
    /// Items.
    pub skus: BTreeSet<Id>,
    /// Nodes.
    pub nodes: BTreeSet<Id>,
}

/// Keeps that an item exists.
#[must_use]
pub fn keep_item(sku: &Id) -> Decision {
    keep(keys::item(sku))
}

/// Keeps that a node exists.
#[must_use]
pub fn keep_node(node: &Id) -> Decision {
    keep(keys::node(node))
}

fn keep(key: String) -> Decision {
    let mut decision = Decision::default();
    decision.put(key, &Known {});
    decision
}

/// Which of these items and nodes do not exist.
///
/// # Errors
/// Outages; `Behind` when there is more to learn of them.
pub async fn unknown<W: World>(
    gather: &Gather<'_, W>,
    skus: BTreeSet<Id>,
    nodes: BTreeSet<Id>,
) -> Result<Unknown, Failure> {
    let keys = skus.iter().map(keys::item).chain(nodes.iter().map(keys::node)).collect();
    let mut missing = gather.records::<Known>(keys).await?.into_iter().map(|kept| kept.is_none());
    let mut lacking =
        |ids: BTreeSet<Id>| ids.into_iter().filter(|_| missing.next() == Some(true)).collect();
    Ok(Unknown { skus: lacking(skus), nodes: lacking(nodes) })
}
