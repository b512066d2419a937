//! Questions to finance: `wit/finance.wit`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::{Amount, Currency};
use crate::ratio::Ratio;
use crate::time::Day;

/// The cash forecast in short: can something more be paid for?
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outlook {
    /// The base currency.
    pub currency: Currency,
    /// The least that the balance may be; none: no floor.
    pub floor: Option<Amount>,
    /// The balance at the end of each week, named by its Monday.
    pub balances: Vec<(Day, Amount)>,
    /// The newest rate of each currency to the base currency, as of today.
    pub rates: BTreeMap<String, Ratio>,
}
