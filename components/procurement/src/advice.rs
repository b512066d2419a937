//! Advice: what a partner's plug-in says of an order, and what becomes of it.
//!
//! A plug-in can only add to what the approval policy demands: more steps, or a reason not to order
//! at all. It cannot lower it, since a policy is what the tenant's admins set and audit, and a plug-in
//! is a file that whoever deploys can exchange: were it able to waive a step, the file would be the
//! policy. For the same reason `no-opinion` approves nothing.
//!
//! What follows when it gives no lawful answer is policy too ([`OnFailure`]). Either way the order
//! tells: what was said, or why nothing was, stays with its approval.

use serde::{Deserialize, Serialize};
use tradewind_kernel::asks::approval::{Line, Objection, Opinion, Question, Unanswered};
use tradewind_kernel::asks::suppliers::Standing;
use tradewind_kernel::events::procurement::Advice;
use tradewind_kernel::money::Amount;
use tradewind_kernel::refusal::Refusal;
use tradewind_kernel::role::StepRole;
use utoipa::ToSchema;

use crate::order::Order;
use crate::policy::Needed;
use crate::rates::Rates;

/// What follows when the plug-in fails: it traps, takes too long, needs too much memory, says that
/// it cannot judge, or answers what its contract does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// The order stays what it was: a check that was not made is not passed.
    #[default]
    Refuse,
    /// The policy's own steps stand, as if the plug-in had no opinion.
    Default,
}

/// How the plug-in for order approval is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginPolicy {
    /// What follows when it fails; `refuse` unless given.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// What the plug-in is told of an order.
#[must_use]
pub fn question(order: &Order, standing: &Standing, rates: &Rates) -> Question {
    let total = order.total();
    let base = rates.convert(total, rates.base, order.raised_on);
    let rounded = |amount| tradewind_kernel::Money::new(amount, rates.base).rounded().amount;
    Question {
        supplier: order.supplier.clone(),
        class: standing.class.clone(),
        status: standing.status,
        country: standing.country.clone(),
        currency: order.currency,
        amount: total.amount,
        base_currency: rates.base,
        base_amount: base.map(rounded).filter(within_limit),
        lines: order
            .lines
            .iter()
            .map(|line| Line {
                sku: line.sku.clone(),
                node: line.node.clone(),
                quantity: line.quantity,
                price: line.price,
                due: line.due,
            })
            .collect(),
        raised_by: order.raised_by.clone(),
        day: order.raised_on,
    }
}

/// A converted amount may be larger than amounts can be: it is then not known.
fn within_limit(amount: &Amount) -> bool {
    amount.0.abs() <= tradewind_kernel::money::AMOUNT_LIMIT
}

/// What the order needs when the plug-in has spoken: at least what the policy demands, in its order,
/// then the steps that the plug-in asks for and the policy does not.
///
/// # Errors
/// 409 `plugin-refused` when the plug-in objects, `plugin-failed` when it gives no lawful answer and
/// the policy says to refuse.
pub fn heard(
    needed: Needed,
    answer: Result<Opinion, Unanswered>,
    on_failure: OnFailure,
) -> Result<Needed, Refusal> {
    match answer.and_then(Opinion::lawful) {
        Ok(Opinion::NoOpinion) => Ok(Needed { advice: Some(Advice::default()), ..needed }),
        Ok(Opinion::Require(required)) => {
            let roles: Vec<StepRole> =
                required.roles.iter().filter_map(|name| StepRole::named(name)).collect();
            let mut steps = needed.steps.clone();
            steps.extend(beyond(&needed.steps, &roles));
            let because = format!("{}; plug-in: {}", needed.because, required.because);
            let advice = Some(Advice { roles, because: Some(required.because), failed: None });
            Ok(Needed { steps, because, advice })
        }
        Ok(Opinion::Refuse(Objection { code, because })) => {
            let detail = format!("the plug-in for order approval objects: {because} ({code})");
            Err(Refusal::conflict("plugin-refused", detail))
        }
        Err(Unanswered(failure)) => match on_failure {
            OnFailure::Refuse => {
                let detail = format!(
                    "the plug-in for order approval failed ({failure}), and the approval policy \
                     lets no order pass without it"
                );
                Err(Refusal::conflict("plugin-failed", detail))
            }
            OnFailure::Default => {
                let because = format!("{}; the plug-in failed", needed.because);
                let advice = Advice { failed: Some(failure), ..Advice::default() };
                Ok(Needed { because, advice: Some(advice), ..needed })
            }
        },
    }
}

/// The roles for which there is no step among these already, each step meeting one.
fn beyond(steps: &[StepRole], roles: &[StepRole]) -> Vec<StepRole> {
    let mut left = steps.to_vec();
    roles
        .iter()
        .copied()
        .filter(|role| match left.iter().position(|step| step == role) {
            Some(place) => {
                left.remove(place);
                false
            }
            None => true,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use StepRole::{Admin, Approver, Finance};
    use tradewind_kernel::asks::approval::Requirement;

    fn needed(steps: &[StepRole]) -> Needed {
        Needed { steps: steps.to_vec(), because: "rule 1".to_owned(), advice: None }
    }

    fn require(roles: &[&str]) -> Result<Opinion, Unanswered> {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Ok(Opinion::Require(Requirement { roles, because: "large".to_owned() }))
    }

    #[test]
    fn a_plug_in_only_adds() {
        for (policy, asked, all) in [
            (vec![Approver], vec!["finance"], vec![Approver, Finance]),
            (vec![Approver, Finance], vec!["finance"], vec![Approver, Finance]),
            (vec![Finance], vec!["finance", "finance"], vec![Finance, Finance]),
            (vec![Finance, Admin], vec!["approver"], vec![Finance, Admin, Approver]),
        ] {
            let heard = heard(needed(&policy), require(&asked), OnFailure::Refuse).unwrap();
            assert_eq!(heard.steps, all);
            assert_eq!(heard.because, "rule 1; plug-in: large");
            let told = heard.advice.unwrap().roles;
            assert_eq!(told.into_iter().map(StepRole::name).collect::<Vec<_>>(), asked);
        }
        let none = heard(needed(&[Admin]), Ok(Opinion::NoOpinion), OnFailure::Refuse).unwrap();
        assert_eq!((none.steps, none.advice), (vec![Admin], Some(Advice::default())));
    }

    #[test]
    fn an_objection_refuses_whatever_the_policy_says_of_failures() {
        let objection = Objection { code: "embargo".to_owned(), because: "not there".to_owned() };
        for on_failure in [OnFailure::Refuse, OnFailure::Default] {
            let said = Ok(Opinion::Refuse(objection.clone()));
            let refusal = heard(needed(&[Admin]), said, on_failure).unwrap_err();
            assert_eq!(refusal.code, "plugin-refused");
            assert!(refusal.detail.contains("not there (embargo)"), "{refusal}");
        }
    }

    #[test]
    fn a_failure_is_what_the_policy_says_it_is() {
        for answer in [Err(Unanswered("it ran out of time".to_owned())), require(&["king"])] {
            let refusal = heard(needed(&[Admin]), answer.clone(), OnFailure::Refuse).unwrap_err();
            assert_eq!((refusal.code.as_str(), refusal.kind.status()), ("plugin-failed", 409));
            let passed = heard(needed(&[Admin]), answer, OnFailure::Default).unwrap();
            assert_eq!(passed.steps, [Admin]);
            assert_eq!(passed.because, "rule 1; the plug-in failed");
            assert!(passed.advice.unwrap().failed.is_some());
        }
    }
}
