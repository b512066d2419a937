//! Bodies: read strictly, checked against the very schema that OpenAPI publishes.
//!
//! A caller learns every fault at once, each with a JSON pointer (RFC 6901). Faults of shape
//! (`type`, `required`, `unknown-field`) make a body malformed: 400. Faults of value
//! (`out-of-range`, `format`, `enum`, `too-short`, `too-long`, `too-few`, `too-many`,
//! `duplicate`) make it
//! wrong: 422. With both kinds it is 400, naming all.
//!
//! An integer without bounds of its own may be at most [`LIMIT`] in size, so a quantity needs no
//! annotation; a map has at most [`MAX_MEMBERS`] members. `openapi.rs` publishes the same bounds.
//!
//! # How a body's type is written
//! * Derive `Deserialize` and `ToSchema`, with `#[serde(deny_unknown_fields)]`.
//! * Values are kernel types such as `Id`, `Day`, `Money` and `Ratio`. A quantity is written `i64`,
//!   never `Quantity`: utoipa cannot see through an alias and would lose the bounds. Bounds are
//!   small literals: `#[schema(minimum = 1)]`.
//! * What may be left out is an `Option`, or has `#[serde(default)]`, or `#[serde(default = "…")]`
//!   with `#[schema(default = …)]`. An `Option` also takes null.
//! * A list has `#[schema(min_items = …, max_items = …)]`, a text without a format `max_length`: a
//!   body of no bound is a fault. A `Ratio` is of any length in answers; in a body it is
//!   published as `GivenRatio`, whose digits a decimal always holds.
//! * One of several forms is an untagged enum of one-field variants, each with a type of its own.
//! * A type that holds itself needs `#[schema(no_recursion)]` on that field.
//!
//! `openapi::faults` tells what was forgotten; each domain has a test that it finds nothing.
//!
//! [`LIMIT`]: tradewind_kernel::quantity::LIMIT

pub mod format;
mod json;
mod walk;

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tradewind_kernel::refusal::{Fault, Refusal, RefusalKind};
use utoipa::ToSchema;

use crate::route::{Described, described};

pub(crate) use walk::{bounds, is_closed};

/// A value has another JSON type.
pub const TYPE: &str = "type";
/// A field must be given.
pub const REQUIRED: &str = "required";
/// There is no such field.
pub const UNKNOWN_FIELD: &str = "unknown-field";
/// The body is not one well-formed JSON text, or an object in it has a name twice.
pub const BODY_MALFORMED: &str = "body-malformed";

/// The most members of a map in a body, such as prices by channel: far more than a tenant has, and
/// few enough to be kept in one record. utoipa has no words for it in a field.
pub const MAX_MEMBERS: usize = 256;

/// How many faults are named at most: more help nobody, and an answer should not outgrow its
/// question.
pub const MAX_FAULTS: usize = 1000;

/// Every fault of a value, in the order of its fields' names; none means that it fits.
#[must_use]
pub fn check(described: &Described, value: &Value) -> Vec<Fault> {
    walk::faults(described, value, "")
}

/// Reads a body as `T`. An empty body counts as `{}`.
///
/// # Errors
/// 400 when it is not well-formed JSON or has another shape than `T`, 422 when its shape is right
/// but a value is not; both name every fault.
pub fn read<T: DeserializeOwned + ToSchema + 'static>(body: &[u8]) -> Result<T, Refusal> {
    read_parsed(&parse(body))
}

/// Reads a body that was parsed before, as [`read`] does.
pub(crate) fn read_parsed<T>(parsed: &serde_json::Result<Value>) -> Result<T, Refusal>
where
    T: DeserializeOwned + ToSchema + 'static,
{
    read_under(parsed, "")
}

/// Reads one line of a body of JSON lines as [`read`] does; pointers start with `/{number}`.
///
/// # Errors
/// As [`read`].
pub fn read_line<T>(line: &[u8], number: usize) -> Result<T, Refusal>
where
    T: DeserializeOwned + ToSchema + 'static,
{
    read_under(&parse(line), &format!("/{number}"))
}

/// One whole JSON text, read strictly. An empty one is `{}`.
pub(crate) fn parse(text: &[u8]) -> Result<Value, serde_json::Error> {
    json::parse(if text.trim_ascii().is_empty() { b"{}" } else { text })
}

/// Nothing is no state to put: it would be taken for all defaults.
pub(crate) fn empty_put() -> Refusal {
    malformed("", "the body is empty; `{}` puts every default")
}

fn malformed(under: &str, detail: impl Into<String>) -> Refusal {
    let detail = detail.into();
    let fault = Fault::new(under, BODY_MALFORMED, detail.clone());
    Refusal::new(RefusalKind::Malformed, BODY_MALFORMED, detail).with_faults(vec![fault])
}

fn read_under<T>(parsed: &serde_json::Result<Value>, under: &str) -> Result<T, Refusal>
where
    T: DeserializeOwned + ToSchema + 'static,
{
    let value = parsed
        .as_ref()
        .map_err(|words| malformed(under, format!("the body is not well-formed JSON: {words}")))?;
    let faults = walk::faults(&kept::<T>(), value, under);
    if !faults.is_empty() {
        return Err(refusal(faults));
    }
    T::deserialize(value)
        .map_err(|error| Refusal::invalid(vec![Fault::new(under, "invalid", error.to_string())]))
}

/// The refusal of these faults: 400 when one is of shape, else 422.
fn refusal(faults: Vec<Fault>) -> Refusal {
    let of_shape = |fault: &Fault| [TYPE, REQUIRED, UNKNOWN_FIELD].contains(&fault.code.as_str());
    let malformed = faults.iter().any(of_shape);
    let refusal = Refusal::invalid(faults);
    if malformed { Refusal { kind: RefusalKind::Malformed, ..refusal } } else { refusal }
}

type Descriptions = RefCell<BTreeMap<TypeId, Rc<Described>>>;

thread_local! {
    static DESCRIBED: Descriptions = const { RefCell::new(BTreeMap::new()) };
}

/// The description of `T`, made once.
fn kept<T: ToSchema + 'static>() -> Rc<Described> {
    let id = TypeId::of::<T>();
    if let Some(found) = DESCRIBED.with_borrow(|kept| kept.get(&id).cloned()) {
        return found;
    }
    let mut fresh = described::<T>();
    fresh.parts.sort_by(|left, right| left.0.cmp(&right.0));
    fresh.parts.dedup_by(|left, right| left.0 == right.0);
    let fresh = Rc::new(fresh);
    DESCRIBED.with_borrow_mut(|kept| kept.insert(id, Rc::clone(&fresh)));
    fresh
}

#[cfg(test)]
mod tests;
