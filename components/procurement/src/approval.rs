//! Approval: who must say yes before an order is released, and what the yes covers.
//!
//! The steps are fixed when the order is submitted, and so is the hash of its content. Nobody
//! approves what they raised, and nobody gives two steps. A refused attempt is audited.

use serde::{Deserialize, Serialize};
use tradewind_kernel::Instant;
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::procurement::{
    Advice, OrderApproved, OrderRejected, OrderStatus, OrderSubmitted,
};
use tradewind_kernel::published::{Actor, HashText};
use tradewind_kernel::refusal::Refusal;
use tradewind_kernel::role::StepRole;
use utoipa::ToSchema;

use crate::filing;
use crate::order::{Context, Order};
use crate::policy::Needed;

/// The approval of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// The hash of the content that it covers.
    #[schema(value_type = HashText)]
    pub content: String,
    /// Who must approve, one after the other.
    pub steps: Vec<StepRole>,
    /// Which rule says so.
    #[schema(format = "free-text")]
    pub because: String,
    /// The steps that were given.
    pub given: Vec<Given>,
    /// What the plug-in said when it was last asked.
    #[serde(default)]
    pub advice: Option<Advice>,
}

/// A step that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Given {
    /// By whom.
    #[schema(value_type = Actor)]
    pub by: String,
    /// In which role.
    pub role: StepRole,
    /// When.
    pub at: Instant,
}

impl Approval {
    /// The role whose turn it is; `None` when all steps were given.
    #[must_use]
    pub fn next(&self) -> Option<StepRole> {
        self.steps.get(self.given.len()).copied()
    }
}

/// Checks that an order is a draft.
///
/// # Errors
/// 409 when it is none.
pub fn submittable(order: &Order) -> Result<(), Refusal> {
    order.require(&[OrderStatus::Draft], "submitted")
}

/// Puts a draft before its approvers.
///
/// # Errors
/// 409 when it is no draft.
pub fn submit(order: &Order, needed: Needed) -> Result<Decision, Refusal> {
    submittable(order)?;
    let Needed { steps, because, advice } = needed;
    let (content, given) = (order.content(), Vec::new());
    let approval = Approval { content, steps, because, given, advice: advice.clone() };
    let after = Order { status: OrderStatus::Submitted, approval: Some(approval), ..order.clone() };
    let mut decision = filing::file(Some(order), &after);
    decision
        .event(NewEvent::of(order.id.as_str(), &OrderSubmitted { order: after.state(), advice }));
    Ok(decision)
}

/// Gives the next step of an order's approval.
///
/// # Errors
/// 409 when it waits for none or its content is another than was submitted; 403 for who raised
/// it, who gave a step before, and who has not the role of the step. All but the first are
/// audited.
pub fn approve(order: &Order, context: &Context) -> Result<Decision, Refusal> {
    let (approval, role) = waiting(order, "approved")?;
    if context.by == order.raised_by {
        return Err(Refusal::forbidden("own-order", "nobody approves what they raised"));
    }
    if approval.given.iter().any(|given| given.by == context.by) {
        let detail = "each step of an approval is another person's";
        return Err(Refusal::forbidden("step-given-before", detail));
    }
    may(role, context)?;
    covered(order, approval)?;
    let mut approval = approval.clone();
    approval.given.push(Given { by: context.by.clone(), role, at: context.now });
    let status = if approval.next().is_none() { OrderStatus::Approved } else { order.status };
    let after = Order { status, approval: Some(approval), ..order.clone() };
    let mut decision = filing::file(Some(order), &after);
    decision.event(NewEvent::of(order.id.as_str(), &OrderApproved { order: after.state() }));
    Ok(decision)
}

/// Says no to an order, for good.
///
/// # Errors
/// 409 when it waits for no approval; 403 for who has not the role of the step.
pub fn reject(order: &Order, context: &Context) -> Result<Decision, Refusal> {
    let (_, role) = waiting(order, "rejected")?;
    may(role, context)?;
    let after = Order { status: OrderStatus::Rejected, ..order.clone() };
    let mut decision = filing::file(Some(order), &after);
    decision.event(NewEvent::of(order.id.as_str(), &OrderRejected { order: after.state() }));
    Ok(decision)
}

/// Checks that what an order needs at new prices is covered: by the steps that were given, and by
/// the caller, who says yes to the prices. Each step is another person's.
///
/// # Errors
/// 409 `approval-insufficient`, audited, naming the missing steps.
pub fn suffices(order: &Order, needed: &Needed, context: &Context) -> Result<(), Refusal> {
    let mut missing = needed.steps.clone();
    let mut take = |covers: &dyn Fn(StepRole) -> bool| {
        if let Some(place) = missing.iter().position(|role| covers(*role)) {
            missing.remove(place);
        }
    };
    let given = order.approval.iter().flat_map(|approval| &approval.given);
    let (own, others): (Vec<&Given>, Vec<&Given>) = given.partition(|given| given.by == context.by);
    for other in others {
        take(&|role| role == other.role);
    }
    let gave = |role| own.iter().any(|given| given.role == role);
    take(&|role| context.admin || context.roles.contains(&role) || gave(role));
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.into_iter().map(StepRole::name).collect();
    let detail = format!(
        "at these prices the order needs more approval ({}); missing: {}",
        needed.because,
        names.join(", ")
    );
    Err(Refusal::conflict("approval-insufficient", detail).audited())
}

fn waiting<'a>(order: &'a Order, verb: &str) -> Result<(&'a Approval, StepRole), Refusal> {
    order.require(&[OrderStatus::Submitted], verb)?;
    let approval = order.approval.as_ref();
    approval.and_then(|approval| Some((approval, approval.next()?))).ok_or_else(|| {
        let detail = format!("the order waits for no approval and cannot be {verb}");
        Refusal::conflict("status-transition", detail)
    })
}

fn may(role: StepRole, context: &Context) -> Result<(), Refusal> {
    if context.admin || context.roles.contains(&role) {
        return Ok(());
    }
    let detail = format!("this step needs the role {}", role.name());
    Err(Refusal::forbidden("role-insufficient", detail))
}

/// Checks that the order is still what was submitted, or approved.
///
/// # Errors
/// 409 `content-changed`, audited: there is no path around an approval.
pub fn covered(order: &Order, approval: &Approval) -> Result<(), Refusal> {
    if approval.content == order.content() {
        return Ok(());
    }
    let detail = "the order is not what was submitted for approval";
    Err(Refusal::conflict("content-changed", detail).audited())
}
