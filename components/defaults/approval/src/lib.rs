//! A plug-in for order approval: it sees an order and says who must approve it beside those the
//! approval policy names, or why it must not be placed. `wit/plugin.wit` is the manual.
//!
//! The rule is a plain function, so that it is tested without a host: `cargo test`.

use contract::exports::tradewind::plugin::approval::{Opinion, Question};

#[allow(missing_docs, reason = "the WIT file is the manual")]
mod contract {
    wit_bindgen::generate!({ world: "tradewind:plugin/approver", path: "../../../wit" });
}

/// The rule: what the policy demands is enough.
#[must_use]
pub fn judge(_order: &Question) -> Opinion {
    Opinion::NoOpinion
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
            Ok(super::judge(&question))
        }
    }

    super::contract::export!(Plugin with_types_in super::contract);
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::exports::tradewind::plugin::approval::Line;

    fn order(amount: &str) -> Question {
        Question {
            supplier: "S1".to_owned(),
            class: None,
            status: "approved".to_owned(),
            country: Some("VN".to_owned()),
            currency: "USD".to_owned(),
            amount: amount.to_owned(),
            base_currency: "USD".to_owned(),
            base_amount: Some(amount.to_owned()),
            lines: vec![Line {
                sku: "MUG".to_owned(),
                node: "OWN".to_owned(),
                quantity: 100,
                price: "4.50".to_owned(),
                due: "2026-12-15".to_owned(),
            }],
            raised_by: "ann".to_owned(),
            day: "2026-11-23".to_owned(),
        }
    }

    #[test]
    fn the_policy_is_enough() {
        assert!(matches!(judge(&order("450.00")), Opinion::NoOpinion));
    }
}
