//! The approval policy: which steps of roles an order needs before it may be released.
//!
//! A rule that names an amount, or nothing, belongs to the dimension *amount*; else one that names
//! a class to *class*, else to *status*. Of each dimension one rule counts: of amounts the highest
//! band that the order exceeds (compared in the rule's currency at the order's date), of the
//! others the first that matches. Of these the strictest wins: the one with the most steps, then
//! the earlier dimension. An order that no rule matches needs what a bare tenant's orders need:
//! one approver. So a policy can only say who approves, never that nobody does.
//!
//! Where a rate is missing, a band cannot be compared. The order then needs the strictest of the
//! rules of that dimension, and its approval says why.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::procurement::{Advice, ApprovalPolicySet};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::money::Amount;
use tradewind_kernel::published::Version;
use tradewind_kernel::refusal::{Faults, Refusal};
use tradewind_kernel::role::StepRole;
use tradewind_kernel::{Currency, Day, Money};
use utoipa::ToSchema;

use crate::advice::PluginPolicy;
use crate::keys;
use crate::rates::Rates;

/// A rule: orders that are as it says need its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Totals above this; not below zero.
    pub over: Option<Amount>,
    /// The currency of `over`; the tenant's base currency unless given.
    pub currency: Option<Currency>,
    /// Suppliers of this class.
    #[schema(min_length = 1, max_length = 64)]
    pub class: Option<String>,
    /// Suppliers of this status.
    pub status: Option<SupplierStatus>,
    /// Who must approve, one after the other, each another person.
    #[schema(min_items = 1, max_items = 5)]
    pub steps: Vec<StepRole>,
}

/// The approval policy of a tenant. Without rules every order needs one approver.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "rules": [
        { "over": "50000.00", "currency": "USD", "steps": ["approver", "finance"] },
        { "steps": ["approver"] },
    ],
}))]
pub struct Policy {
    /// The rules, in order.
    #[schema(max_items = 100)]
    pub rules: Vec<Rule>,
    /// How the plug-in for order approval is dealt with.
    #[serde(default)]
    pub plugin: PluginPolicy,
}

/// What an order is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged<'a> {
    /// Its total.
    pub total: Money,
    /// Its date.
    pub day: Day,
    /// Its supplier's class.
    pub class: Option<&'a str>,
    /// Its supplier's status.
    pub status: SupplierStatus,
}

/// The steps that an order needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// Roles, in order; never empty.
    pub steps: Vec<StepRole>,
    /// Which rule says so, for a person.
    pub because: String,
    /// What the plug-in said; none while it was not asked.
    pub advice: Option<Advice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Amount,
    Class,
    Status,
}

fn dimension(rule: &Rule) -> Dimension {
    match rule {
        Rule { over: Some(_), .. } | Rule { class: None, status: None, .. } => Dimension::Amount,
        Rule { class: Some(_), .. } => Dimension::Class,
        Rule { .. } => Dimension::Status,
    }
}

/// How an order compares with a rule's amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Band {
    Below,
    /// How many times the amount it is; none for an amount of nothing. The least is the highest
    /// band.
    Exceeds(Option<Decimal>),
    RateMissing,
}

impl Policy {
    /// The currencies that its amounts are in, beside the base currency.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.rules.iter().filter_map(|rule| rule.currency)
    }

    /// The steps that an order needs, before the plug-in is heard.
    #[must_use]
    pub fn needed(&self, judged: &Judged<'_>, rates: &Rates) -> Needed {
        let candidates = [
            self.by_amount(judged, rates),
            self.first(Dimension::Class, judged),
            self.first(Dimension::Status, judged),
        ];
        let mut needed: Option<Needed> = None;
        for (number, why) in candidates.into_iter().flatten() {
            let Some(rule) = self.rules.get(number) else { continue };
            if needed.as_ref().is_none_or(|best| rule.steps.len() > best.steps.len()) {
                let because = format!("rule {}: {why}", number.saturating_add(1));
                needed = Some(Needed { steps: rule.steps.clone(), because, advice: None });
            }
        }
        needed.unwrap_or_else(|| Needed {
            steps: vec![StepRole::Approver],
            because: "no rule matches: one approver".to_owned(),
            advice: None,
        })
    }

    fn of(&self, dimension_: Dimension, judged: &Judged<'_>) -> Vec<(usize, &Rule)> {
        let concerns = |rule: &Rule| {
            dimension(rule) == dimension_
                && rule.class.as_deref().is_none_or(|class| judged.class == Some(class))
                && rule.status.is_none_or(|status| judged.status == status)
        };
        self.rules.iter().enumerate().filter(|(_, rule)| concerns(rule)).collect()
    }

    fn first(&self, dimension: Dimension, judged: &Judged<'_>) -> Option<(usize, String)> {
        let found = self.of(dimension, judged).into_iter().next();
        found.map(|(number, rule)| (number, described(rule)))
    }

    fn by_amount(&self, judged: &Judged<'_>, rates: &Rates) -> Option<(usize, String)> {
        let rules = self.of(Dimension::Amount, judged);
        let bands: Vec<Band> = rules.iter().map(|(_, rule)| band(rule, judged, rates)).collect();
        if bands.contains(&Band::RateMissing) {
            let most = rules.iter().map(|(_, rule)| rule.steps.len()).max()?;
            let strictest = rules.iter().find(|(_, rule)| rule.steps.len() == most);
            let why = "the strictest, since a rate is missing to compare amounts";
            return strictest.map(|(number, _)| (*number, why.to_owned()));
        }
        let exceeded = rules.iter().zip(bands).filter_map(|((number, rule), band)| match band {
            Band::Exceeds(times) => Some((times.unwrap_or(Decimal::MAX), *number, *rule)),
            _ => None,
        });
        let highest =
            exceeded.min_by(|left, right| left.0.cmp(&right.0).then(left.1.cmp(&right.1)));
        highest.map(|(_, number, rule)| (number, described(rule)))
    }
}

fn band(rule: &Rule, judged: &Judged<'_>, rates: &Rates) -> Band {
    let Some(over) = rule.over else { return Band::Exceeds(None) };
    let currency = rule.currency.unwrap_or(rates.base);
    let Some(total) = rates.convert(judged.total, currency, judged.day) else {
        return Band::RateMissing;
    };
    if total <= over.0 { Band::Below } else { Band::Exceeds(total.checked_div(over.0)) }
}

fn described(rule: &Rule) -> String {
    let over = rule.over.map(|over| {
        let currency = rule.currency.map(|code| format!(" {code}")).unwrap_or_default();
        format!("over {over}{currency}")
    });
    let class = rule.class.as_ref().map(|class| format!("class {class}"));
    let status =
        rule.status.map(|status| format!("status {}", tradewind_kernel::decision::json(&status)));
    let parts: Vec<String> = [over, class, status].into_iter().flatten().collect();
    if parts.is_empty() { "every order".to_owned() } else { parts.join(", ").replace('"', "") }
}

/// Replaces the policy.
///
/// # Errors
/// 422 naming every fault: negative amounts, a currency without an amount, rules without steps.
pub fn set(policy: Policy, current: Option<(u64, Policy)>) -> Result<Decision, Refusal> {
    let mut faults = Faults::new();
    for (place, rule) in policy.rules.iter().enumerate() {
        let at = |field: &str| format!("/rules/{place}/{field}");
        let negative = rule.over.is_some_and(|over| over.0 < Decimal::ZERO);
        faults.require(!negative, at("over"), "out-of-range", "an amount is not negative");
        let needless = rule.currency.is_some() && rule.over.is_none();
        let detail = "a currency belongs to an amount";
        faults.require(!needless, at("currency"), "currency-needless", detail);
        let some = !rule.steps.is_empty();
        faults.require(some, at("steps"), "too-few", "somebody must approve");
    }
    faults.check()?;
    let body = answer(&policy, 0);
    if let Some((version, same)) = current.as_ref().filter(|(_, kept)| *kept == policy) {
        return Ok(Decision::unchanged(answer(same, *version), *version));
    }
    let mut decision = Decision::default();
    decision.put(keys::APPROVAL_POLICY, &policy);
    let (rules, plugin) = (serde_json::json!(policy.rules), serde_json::json!(policy.plugin));
    decision.event(NewEvent::of("approval", &ApprovalPolicySet { rules, plugin }));
    Ok(match current {
        Some(_) => decision.reply(200, body),
        None => decision.created("/procurement/v1/policies/approval", body),
    })
}

/// The policy as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyAnswer {
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// How the plug-in for order approval is dealt with.
    pub plugin: PluginPolicy,
    /// The version, as in `ETag`; `0` while nobody has set a policy.
    #[schema(value_type = Version)]
    pub version: String,
}

/// The policy as others see it.
#[must_use]
pub fn answer(policy: &Policy, version: u64) -> serde_json::Value {
    let Policy { rules, plugin } = policy.clone();
    serde_json::json!(PolicyAnswer { rules, plugin, version: version.to_string() })
}
