//! Orders above the budget of a category are held: finance must approve them too.
//!
//! An item's category is the first part of its SKU (`MUG-BLUE-300` is a `MUG`). A category without a
//! budget is free. Amounts are compared in the tenant's base currency; an order that cannot be
//! converted is held as well, since nobody knows what it costs.

use std::collections::BTreeMap;

use contract::exports::tradewind::plugin::approval::{Line, Opinion, Question, Requirement};
use rust_decimal::Decimal;

mod contract {
    wit_bindgen::generate!({ world: "tradewind:plugin/approver", path: "wit" });
}

/// What one order may cost in a category, in the base currency. These are yours to change.
const BUDGETS: [(&str, i64); 3] = [("MUG", 5_000), ("LAMP", 20_000), ("CHAIR", 50_000)];

/// Who holds the budgets.
const HOLDER: &str = "finance";

/// What the order costs in each category, in its own currency.
fn by_category(lines: &[Line]) -> Result<BTreeMap<&str, Decimal>, String> {
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for line in lines {
        let category = line.sku.split('-').next().unwrap_or(&line.sku);
        let cost = decimal(&line.price)?
            .checked_mul(line.quantity.into())
            .ok_or("a line's amount is too large")?;
        let sum = sums.entry(category).or_default();
        *sum = sum.checked_add(cost).ok_or("a category's amount is too large")?;
    }
    Ok(sums)
}

fn decimal(text: &str) -> Result<Decimal, String> {
    text.parse().map_err(|_| format!("`{text}` is no decimal"))
}

/// The rule.
///
/// # Errors
/// An amount does not read, or is too large to compute with.
pub fn judge(order: &Question) -> Result<Opinion, String> {
    let total = decimal(&order.amount)?;
    let mut over = Vec::new();
    for (category, sum) in by_category(&order.lines)? {
        let Some((_, budget)) = BUDGETS.iter().find(|(name, _)| *name == category) else {
            continue;
        };
        // The share of the category in the order, at the rate that the order as a whole has.
        let in_base = match &order.base_amount {
            Some(base) if !total.is_zero() => sum
                .checked_div(total)
                .and_then(|share| share.checked_mul(decimal(base).ok()?))
                .ok_or("an amount is no decimal or too large")?,
            Some(_) => Decimal::ZERO,
            None => {
                over.push(format!("{category} cannot be compared in {}", order.base_currency));
                continue;
            }
        };
        if in_base > Decimal::from(*budget) {
            let (amount, currency) = (in_base.round_dp(2), &order.base_currency);
            over.push(format!("{category} costs {amount} {currency} of a budget of {budget}"));
        }
    }
    if over.is_empty() {
        return Ok(Opinion::NoOpinion);
    }
    let (roles, because) = (vec![HOLDER.to_owned()], over.join("; "));
    Ok(Opinion::Require(Requirement { roles, because }))
}

/// What the component exports; elsewhere there is the rule alone, to be tested.
#[cfg(target_arch = "wasm32")]
mod component {
    use super::contract::exports::tradewind::plugin::approval::{
        Failure, Guest, Opinion, Question,
    };

    struct Plugin;

    impl Guest for Plugin {
        fn judge(question: Question) -> Result<Opinion, Failure> {
            super::judge(&question).map_err(Failure::Failed)
        }
    }

    super::contract::export!(Plugin with_types_in super::contract);
}
