//! What an answer must be, and whether it is.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tradewind_shell::run::KeptReply;

use super::command::{Command, Names};
use super::flight::Keep;
use super::model::{Model, Verdict};
use crate::compare;
use crate::driver::Sent;

/// What a request must be answered at one moment.
#[derive(Debug, Clone)]
pub enum Told {
    /// What the model says.
    Model(Verdict),
    /// The reply that is kept under its key.
    Kept(KeptReply),
}

/// What a request must be answered now.
#[must_use]
pub fn told(
    model: &Model,
    names: &Names,
    keep: Option<&Keep>,
    command: &Command,
    sent: &Sent,
) -> Told {
    match keep {
        Some(keep) if keep.sent == *sent => Told::Kept(keep.reply.clone()),
        Some(_) => {
            let (status, code) = (409, "idempotency-key-reused".to_owned());
            Told::Model(Err(super::model::No { status, code }))
        }
        None => Told::Model(model.clone().act(command, names, None)),
    }
}

/// Whether this is the answer that was told.
///
/// # Errors
/// What differs, in words.
pub fn matches(
    told: &Told,
    command: &Command,
    committed: bool,
    status: u16,
    body: &Value,
) -> Result<(), String> {
    match told {
        Told::Kept(reply) => {
            if status != reply.status || bare(body) != bare(&reply.body) {
                return Err(format!("expected {} {}, as was committed", reply.status, reply.body));
            }
            Ok(())
        }
        Told::Model(Err(no)) => {
            if status != no.status || body["code"] != no.code.as_str() {
                return Err(format!("expected {} {}", no.status, no.code));
            }
            Ok(())
        }
        Told::Model(Ok(yes)) => {
            if command.writes() && !committed {
                return Err(format!("expected {} {}, committed", yes.status, yes.body));
            }
            says(command, &yes.body, yes.status, status, body)
        }
    }
}

/// Whether a success says what the model says.
///
/// # Errors
/// What differs, in words.
pub fn says(
    command: &Command,
    expected: &Value,
    expected_status: u16,
    status: u16,
    body: &Value,
) -> Result<(), String> {
    if status != expected_status {
        return Err(format!("expected {expected_status} {expected}"));
    }
    let faults = compare::differences(expected, &readable(command, body), &mut BTreeMap::new());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// A body without its version, which only the commit knows.
fn bare(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("version");
    }
    body
}

/// A body with its lists of no meaning to their order as something that can be compared.
fn readable(command: &Command, body: &Value) -> Value {
    let mut body = body.clone();
    match command {
        Command::Availability { .. } => {
            let list = body["protected"].as_array().cloned().unwrap_or_default();
            let held = list.iter().map(|one| {
                (one["id"].as_str().unwrap_or_default().to_owned(), one["held"].clone())
            });
            body["held"] = json!(held.collect::<BTreeMap<_, _>>());
        }
        Command::Promise { .. } => {
            let pegs = body["supply"].clone();
            body["held"] = summed(&pegs);
        }
        Command::OrderView { .. } | Command::Order { .. } => {
            for line in body["lines"].as_array_mut().into_iter().flatten() {
                let pegs = line["pegs"].clone();
                line["held"] = summed(&pegs);
            }
        }
        _ => {}
    }
    body
}

fn summed(pegs: &Value) -> Value {
    let mut sums: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for peg in pegs.as_array().into_iter().flatten() {
        let text = |field: &str| peg[field].as_str();
        let name = (text("supply").unwrap_or("?"), text("protection").unwrap_or("-"));
        *sums.entry(name).or_default() += peg["quantity"].as_i64().unwrap_or(0);
    }
    // As the model sorts: what nobody held comes first.
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|((supply, from), _)| (*supply, *from != "-", *from));
    sums.into_iter().map(|((supply, from), units)| format!("{supply} {from} {units}")).collect()
}
