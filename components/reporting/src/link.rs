//! Link: from an exception to what it touches, in whichever domain that is read.

use serde::{Deserialize, Serialize};
use tradewind_kernel::{Domain, Id};
use utoipa::ToSchema;

/// What an exception points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Thing {
    PurchaseOrder,
    Supplier,
    Order,
    Item,
    Protection,
    Promotion,
    Channel,
    Cascade,
}

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum LinkKind {
    /// A thing.
    Thing(Thing),
    /// An event that this domain set aside.
    ParkedBy(Domain),
}

/// What an exception touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Link {
    /// What it is.
    pub kind: LinkKind,
    /// Its id.
    #[schema(value_type = Id)]
    pub id: String,
    /// Where it is read.
    #[schema(pattern = "^/[a-z]+/v1/")]
    pub href: String,
}

/// A link to a thing.
#[must_use]
pub fn link(thing: Thing, id: &str) -> Link {
    let href = match thing {
        Thing::PurchaseOrder => format!("/procurement/v1/orders/{id}"),
        Thing::Supplier => format!("/suppliers/v1/suppliers/{id}"),
        Thing::Order => format!("/inventory/v1/orders/{id}"),
        Thing::Item => format!("/inventory/v1/items/{id}"),
        Thing::Protection => format!("/inventory/v1/protections/{id}"),
        Thing::Promotion => format!("/planning/v1/promotions/{id}"),
        Thing::Channel => format!("/inventory/v1/channels/{id}"),
        Thing::Cascade => format!("/reporting/v1/cascades/{id}"),
    };
    Link { kind: LinkKind::Thing(thing), id: id.to_owned(), href }
}

/// A link to an event that a domain set aside.
#[must_use]
pub fn parked_link(domain: Domain, event: &str) -> Link {
    let href = format!("/{domain}/v1/parked");
    Link { kind: LinkKind::ParkedBy(domain), id: event.to_owned(), href }
}
