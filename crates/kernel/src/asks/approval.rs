//! What a partner's plug-in is asked about a purchase order, and what it may say: `wit/plugin.wit`.
//!
//! The answer comes from code that nobody here wrote, so it is checked before it counts.

use serde::{Deserialize, Serialize};

use crate::events::suppliers::SupplierStatus;
use crate::id::Id;
use crate::money::{Amount, Currency};
use crate::quantity::Quantity;
use crate::role::StepRole;
use crate::time::Day;

/// Roles that one answer asks for at most, as many as a rule of the approval policy.
pub const MAX_ROLES: usize = 5;

/// Characters of a reason at most: a few sentences, shown to approvers and kept with the order.
pub const MAX_REASON: usize = 500;

/// Characters of an objection's code at most.
pub const MAX_CODE: usize = 64;

/// What a plug-in sees of an order. Nothing says whose order it is: a rule does not need the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// From whom.
    pub supplier: Id,
    /// The supplier's class.
    pub class: Option<String>,
    /// Where the supplier stands.
    pub status: SupplierStatus,
    /// The supplier's country as it was entered.
    pub country: Option<String>,
    /// The currency of the order.
    pub currency: Currency,
    /// All lines at their prices, rounded to the minor unit.
    pub amount: Amount,
    /// The tenant's base currency.
    pub base_currency: Currency,
    /// The amount in the base currency; none without a rate.
    pub base_amount: Option<Amount>,
    /// The lines, by number.
    pub lines: Vec<Line>,
    /// Who raised it.
    pub raised_by: String,
    /// The order's date.
    pub day: Day,
}

/// A line of the order that is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Line {
    pub sku: Id,
    pub node: Id,
    /// Base units.
    pub quantity: Quantity,
    /// Unit price in the order's currency.
    pub price: Amount,
    pub due: Day,
}

/// What a plug-in thinks of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Opinion {
    /// What the policy demands is enough.
    NoOpinion,
    /// More people must approve.
    Require(Requirement),
    /// It must not be placed.
    Refuse(Objection),
}

/// More people must approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// In which roles, in order: those of [`StepRole`], by name.
    pub roles: Vec<String>,
    /// Why, for a person.
    pub because: String,
}

/// The order must not be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// A stable code in kebab case.
    pub code: String,
    /// Why, for a person.
    pub because: String,
}

/// Why a plug-in gave no opinion: it said so, was ended by its host, or what it said is unlawful.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(pub String);

impl Opinion {
    /// Checks the opinion against what `wit/plugin.wit` allows.
    ///
    /// # Errors
    /// The first fault, as a sentence about the answer.
    pub fn lawful(self) -> Result<Self, Unanswered> {
        let fault = match &self {
            Self::NoOpinion => None,
            Self::Require(Requirement { roles, because }) => {
                unlawful_roles(roles).or_else(|| unlawful_reason(because))
            }
            Self::Refuse(Objection { code, because }) => {
                unlawful_code(code).or_else(|| unlawful_reason(because))
            }
        };
        fault.map_or(Ok(self), |fault| Err(Unanswered(format!("its answer is unlawful: {fault}"))))
    }
}

fn unlawful_roles(roles: &[String]) -> Option<String> {
    if !(1..=MAX_ROLES).contains(&roles.len()) {
        return Some(format!("it asks for {} roles, not for 1 to {MAX_ROLES}", roles.len()));
    }
    let unknown = roles.iter().find(|role| StepRole::named(role).is_none())?;
    Some(format!("`{}` is no role that approves", shortened(unknown)))
}

fn unlawful_reason(because: &str) -> Option<String> {
    let length = because.chars().count();
    if because.trim().is_empty() || length > MAX_REASON {
        return Some(format!("its reason has {length} characters, not 1 to {MAX_REASON}"));
    }
    let control = because.chars().any(char::is_control);
    control.then(|| "its reason has control characters".to_owned())
}

fn unlawful_code(code: &str) -> Option<String> {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
    };
    let lawful = code.len() <= MAX_CODE && code.split('-').all(word);
    (!lawful).then(|| format!("`{}` is no code in kebab case", shortened(code)))
}

/// So much of a foreign text as fits into a sentence.
fn shortened(text: &str) -> String {
    text.chars().take(40).filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_held_to_the_contract() {
        let require = |roles: &[&str], because: &str| {
            let roles = roles.iter().map(|role| (*role).to_owned()).collect();
            Opinion::Require(Requirement { roles, because: because.to_owned() })
        };
        let refuse = |code: &str| {
            Opinion::Refuse(Objection { code: code.to_owned(), because: "it is so".to_owned() })
        };
        let long = "a".repeat(MAX_REASON + 1);
        for (opinion, fault) in [
            (Opinion::NoOpinion, None),
            (require(&["finance"], "a quarter ends"), None),
            (require(&["finance", "finance"], "two pairs of eyes"), None),
            (refuse("country-embargoed"), None),
            (require(&[], "why"), Some("0 roles")),
            (require(&["finance"; 6], "why"), Some("6 roles")),
            (require(&["king"], "why"), Some("`king`")),
            (require(&["finance"], " "), Some("reason")),
            (require(&["finance"], &long), Some("501 characters")),
            (require(&["finance"], "a\nb"), Some("control")),
            (refuse(""), Some("kebab")),
            (refuse("Embargo"), Some("kebab")),
            (refuse(&"a".repeat(MAX_CODE + 1)), Some("kebab")),
        ] {
            let said = opinion.clone().lawful();
            match fault {
                None => assert_eq!(said, Ok(opinion)),
                Some(fault) => {
                    let error = said.unwrap_err().to_string();
                    assert!(error.contains(fault), "{error}");
                }
            }
        }
    }

    #[test]
    fn the_json_form_is_what_vectors_are_written_in() {
        let read = |text: &str| serde_json::from_str::<Opinion>(text).unwrap();
        assert_eq!(read("\"no-opinion\""), Opinion::NoOpinion);
        let text = r#"{"require":{"roles":["finance"],"because":"a quarter ends"}}"#;
        assert_eq!(crate::decision::json(&read(text)), text);
        assert!(serde_json::from_str::<Opinion>(r#"{"refuse":{"code":"a"}}"#).is_err());
    }
}
