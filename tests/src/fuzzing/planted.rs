//! Faults on purpose, between the fuzzer and the product: proof that the fuzzer finds what it is for.

use anyhow::Result;
use serde_json::{Value, json};
use tradewind_shell::auth::Caller;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::route::Role;

use super::campaign::admin;
use crate::native::Native;

/// A product that is wrong in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// One odd value, a leap day, is a fault of its own: 500.
    OddValue,
    /// What is made is answered with a status that no document names.
    OtherStatus,
    /// Fields that nobody knows are passed over.
    UnknownField,
    /// What is refused leaves something behind.
    RefusalWrites,
    /// A key is not remembered: the same write has its effect again.
    ForgottenKey,
    /// An answer lacks something that is promised.
    OtherForm,
    /// Everybody may everything.
    NoRoles,
    /// It panics at a text of 10,000 letters.
    Panics,
}

impl Planted {
    /// Each, with what the fuzzer says of it.
    pub const ALL: [(Self, &str); 8] = [
        (Self::OddValue, "a fault of ours"),
        (Self::OtherStatus, "the status is not documented"),
        (Self::UnknownField, "accepted, though"),
        (Self::RefusalWrites, "refused, and changed"),
        (Self::ForgottenKey, "sent again it"),
        (Self::OtherForm, "is missing"),
        (Self::NoRoles, "may not"),
        (Self::Panics, "it panicked"),
    ];

    /// The product's answer, wrong; `number` tells requests apart.
    ///
    /// # Errors
    /// As [`Native::answer`].
    ///
    /// # Panics
    /// [`Planted::Panics`] does.
    pub fn answer(
        self,
        product: &mut Native,
        mut caller: Caller,
        request: &Request,
        number: u64,
    ) -> Result<Response> {
        let mut request = request.clone();
        let text = String::from_utf8_lossy(&request.body).into_owned();
        match self {
            Self::OddValue if text.contains("2028-02-29") => {
                return Ok(Response { status: 500, ..Response::default() });
            }
            Self::Panics => assert!(!text.contains(&"x".repeat(10_000)), "planted"),
            Self::NoRoles => caller.roles = vec![Role::Admin],
            Self::ForgottenKey => {
                for (name, value) in &mut request.headers {
                    if name == "idempotency-key" && !value.is_empty() {
                        *value = format!("k-{number}");
                    }
                }
            }
            _ => {}
        }
        let mut response = product.answer(caller.clone(), &request)?;
        let mut body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        match self {
            Self::OtherStatus if response.status == 201 => response.status = 202,
            Self::UnknownField if response.status == 400 => {
                if let Some(known) = known_alone(&request, &body) {
                    return product.answer(caller, &known);
                }
            }
            Self::RefusalWrites if response.status == 409 => {
                let item = json!({ "name": format!("n{number}"), "base_unit": "each" });
                let (caller, request) = admin("PUT", "/inventory/v1/items/PLANTED", &item);
                product.answer(caller, &request)?;
            }
            Self::OtherForm if response.status == 200 => {
                if let Some(members) = body.as_object_mut() {
                    members.remove("version");
                    response.body = body.to_string().into_bytes();
                }
            }
            _ => {}
        }
        Ok(response)
    }
}

/// The request without the fields that the refusal calls unknown, if that is all it says.
fn known_alone(request: &Request, refusal: &Value) -> Option<Request> {
    let mut body: Value = serde_json::from_slice(&request.body).ok()?;
    let faults = refusal["errors"].as_array().filter(|faults| !faults.is_empty())?;
    for fault in faults {
        let pointer = fault["pointer"].as_str().filter(|_| fault["code"] == "unknown-field")?;
        let (parent, name) = pointer.rsplit_once('/')?;
        body.pointer_mut(parent)?.as_object_mut()?.remove(name);
    }
    Some(Request { body: body.to_string().into_bytes(), ..request.clone() })
}
