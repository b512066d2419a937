//! Commands: what clients of a simulated tenant ask, and the requests that say so.
//!
//! What the product names (reservations, purchase orders) is named here by the label of the command
//! that made it, so that a history can be played again, and with commands left out.

use std::collections::BTreeMap;

use tradewind_kernel::Day;
use tradewind_shell::route::Role;

/// The number of a command in its history.
pub type Label = u32;

/// The ids that the product gave to what commands made.
pub type Names = BTreeMap<Label, String>;

/// A place: `N1/sellable`, or a word such as `supplier`.
pub type Spot = String;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it; days are counted from the first")]
pub enum Command {
    Item {
        sku: String,
        name: u8,
    },
    Node {
        node: String,
        receiving: u32,
        weekends: bool,
    },
    Channel(Channel),
    Move {
        sku: String,
        quantity: i64,
        from: Spot,
        to: Spot,
    },
    Protect {
        id: String,
        sku: String,
        channel: String,
        quantity: i64,
        from: i64,
        until: i64,
    },
    Unprotect {
        id: String,
    },
    Reserve(Reserve),
    Leave {
        reservation: Label,
        ships: bool,
        lines: Option<Vec<(String, i64)>>,
    },
    Order {
        order: String,
        channel: String,
        lines: Vec<OrderLine>,
    },
    CancelOrder {
        order: String,
    },
    Supplier {
        supplier: String,
    },
    Standing {
        supplier: String,
        to: &'static str,
    },
    Raise {
        supplier: String,
        lines: Vec<Bought>,
    },
    Act {
        purchase: Label,
        action: &'static str,
        by: &'static str,
    },
    Confirm {
        purchase: Label,
        lines: Vec<(u32, i64, Option<i64>)>,
    },
    Receive {
        purchase: Label,
        lines: Vec<(u32, i64, i64)>,
    },
    Offer {
        supplier: String,
        sku: String,
        price: i64,
        days: i64,
    },
    Promotion {
        id: String,
        sku: String,
        channel: String,
        from: i64,
        until: i64,
        units: i64,
    },
    Policy {
        sku: String,
        node: String,
        review: i64,
    },
    History {
        sku: String,
        channel: String,
        day: i64,
        quantity: i64,
    },
    Run,
    /// A setting of which the model knows only that it is there: see [`SETTINGS`].
    Set {
        what: &'static str,
        value: i64,
    },
    Trespass {
        sku: String,
    },
    Availability {
        sku: String,
        channel: String,
    },
    Promise {
        sku: String,
        channel: String,
        quantity: i64,
        wanted: i64,
    },
    OrderView {
        order: String,
    },
    /// Another command's request once more, under its key.
    Again {
        label: Label,
    },
    /// Another request under a key that another command has used.
    Reuse {
        label: Label,
        sku: String,
    },
}

/// What a client says of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Channel {
    pub id: String,
    pub priority: u32,
    pub nodes: Vec<String>,
    pub cap: Option<i64>,
    pub buffer: i64,
    pub threshold: i64,
    pub backorder: bool,
}

/// What a client wants reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Reserve {
    pub channel: String,
    pub order: Option<String>,
    pub partial: bool,
    pub lines: Vec<(String, i64)>,
    pub expires: Option<i64>,
    pub strategy: &'static str,
}

/// A line of a customer order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderLine {
    pub line: u32,
    pub sku: String,
    pub quantity: i64,
    pub wanted: Option<i64>,
    pub price: i64,
}

/// A line of a purchase order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Bought {
    pub sku: String,
    pub node: String,
    pub quantity: i64,
    pub due: i64,
}

/// The first day of every simulation, a Tuesday.
///
/// # Panics
/// Never: it is a day.
#[must_use]
pub fn day(number: i64) -> Day {
    #[allow(clippy::expect_used, reason = "it is a day")]
    let first = Day::new(2026, 12, 1).expect("it is a day");
    first.plus(number)
}

/// What can be set, by its path.
pub const SETTINGS: [&str; 4] = [
    "/finance/v1/settings",
    "/finance/v1/rates/EUR/2026-12-01",
    "/inventory/v1/lanes/N1/N2",
    "/procurement/v1/policies/approval",
];

/// What is not there, in a path: no id of ours is like that.
pub const NOBODY: &str = "nobody-there";

impl Command {
    /// Whether it asks for a change.
    #[must_use]
    pub fn writes(&self) -> bool {
        !matches!(self, Self::Availability { .. } | Self::Promise { .. } | Self::OrderView { .. })
    }

    /// What kind of command it is, in a word.
    #[must_use]
    pub fn kind(&self) -> String {
        let text = format!("{self:?}");
        let end = text.find([' ', '(']).unwrap_or(text.len());
        text.get(..end).unwrap_or_default().to_owned()
    }

    /// Who sends it.
    #[must_use]
    pub fn sender(&self) -> (Role, &'static str) {
        match self {
            Self::Trespass { .. } => (Role::Viewer, "visitor"),
            Self::Act { by, .. } => (Role::Admin, by),
            _ => (Role::Admin, "clerk"),
        }
    }
}

/// The idempotency key of a command.
#[must_use]
pub fn key(label: Label) -> String {
    format!("k{label}")
}
