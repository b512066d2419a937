//! Places: where goods can be. Goods only move between places, so that nothing is lost.

use serde::{Deserialize, Serialize};
use tradewind_kernel::Id;
use utoipa::ToSchema;

/// The state of goods at a node.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Can be sold.
    #[default]
    Sellable,
    /// Waits for a decision on its quality.
    Hold,
    /// Cannot be sold.
    Damaged,
}

impl Status {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sellable => "sellable",
            Self::Hold => "hold",
            Self::Damaged => "damaged",
        }
    }
}

/// A status at a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AtNode {
    /// The node.
    pub node: Id,
    /// The status; sellable unless said.
    #[serde(default)]
    pub status: Status,
}

/// A place that is no node of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Elsewhere {
    Supplier,
    Customer,
    Transit,
    Loss,
    Found,
}

impl Elsewhere {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Supplier, Self::Customer, Self::Transit, Self::Loss, Self::Found];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Supplier => "supplier",
            Self::Customer => "customer",
            Self::Transit => "transit",
            Self::Loss => "loss",
            Self::Found => "found",
        }
    }
}

/// A place: `{node, status}`, or one of the words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Place {
    /// At a node, in a status.
    At(AtNode),
    /// Elsewhere.
    Elsewhere(Elsewhere),
}

impl Place {
    /// Sellable stock of a node.
    #[must_use]
    pub fn sellable(node: &Id) -> Self {
        Self::At(AtNode { node: node.clone(), status: Status::Sellable })
    }

    /// The counter of what is there.
    #[must_use]
    pub fn counter(&self) -> String {
        match self {
            Self::At(at) => format!("{}:{}", at.status.name(), at.node),
            Self::Elsewhere(word) => word.name().to_owned(),
        }
    }

    /// Its name in events: `NODE/STATUS` or the word.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::At(at) => format!("{}/{}", at.node, at.status.name()),
            Self::Elsewhere(word) => word.name().to_owned(),
        }
    }

    /// The place of that name in events.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        if let Some(word) = Elsewhere::ALL.into_iter().find(|word| word.name() == text) {
            return Some(Self::Elsewhere(word));
        }
        let (node, status) = text.split_once('/')?;
        let all = [Status::Sellable, Status::Hold, Status::Damaged];
        let status = all.into_iter().find(|one| one.name() == status)?;
        Some(Self::At(AtNode { node: node.parse().ok()?, status }))
    }

    /// The node, when the place is its sellable stock.
    #[must_use]
    pub fn sellable_node(&self) -> Option<&Id> {
        match self {
            Self::At(at) if at.status == Status::Sellable => Some(&at.node),
            _ => None,
        }
    }

    /// Whether what is there is counted by us, so that it cannot be less than nothing. What is with
    /// suppliers and customers, was found or was lost, is the other side of our own count.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        matches!(self, Self::At(_) | Self::Elsewhere(Elsewhere::Transit))
    }
}
