//! What is known to exist: inventory's items and nodes, as its events told them.
//!
//! Nothing is bought for an item or a node that does not exist, and nothing is received at such a
//! node, since nobody could find it there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tradewind_kernel::{Decision, Id};

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
