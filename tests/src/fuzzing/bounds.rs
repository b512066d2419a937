//! Every limit that the documents declare, at its bound and just beyond.
//!
//! * [`places`] lists every place of every body and builds a lawful body that has it; [`limits`]
//!   lists what the schema demands there, with values on both sides. Nothing is left to chance: a
//!   place that cannot be built or a demand that is not known is a fault of the document or of
//!   these tests, and never passed over.
//! * [`outside`] does the same for the query and the header `Idempotency-Key`.
//!
//! At the bound the product must find nothing wrong with the form of the place; beyond it, it must
//! name that place, and no other, with the code that belongs to the demand. So what is declared is
//! enforced, no less and no more. A limit that is enforced and not declared is not seen here.

mod limits;
mod outside;
mod places;

use std::collections::BTreeSet;

use serde_json::Value;
use tradewind_shell::auth::Caller;
use tradewind_shell::http::Request;

use super::campaign::{Campaign, admin};
use super::lawful::{Ids, Maker};
use super::request::Operation;
use super::schema::faults;
use crate::chance::Chance;
use limits::{Limit, Sides, limits, sides};
use places::{Place, built, places};

/// Bodies made for a limit until one is lawful: a list of chance may have an item twice.
const TRIES: u64 = 20;

/// What is wrong with the form of a value: the codes of the check of bodies.
const OF_FORM: [&str; 11] = [
    "type",
    "required",
    "unknown-field",
    "out-of-range",
    "format",
    "enum",
    "too-short",
    "too-long",
    "too-few",
    "too-many",
    "duplicate",
];

/// Those for which the body is malformed: 400 in place of 422.
const OF_SHAPE: [&str; 3] = ["type", "required", "unknown-field"];

/// Rules of a domain that have the code of a demand and are narrower than a schema can say, each
/// with its reason. One that is not met is a fault too.
const RULES: [(&str, &str); 3] = [
    (
        "POST /suppliers/v1/suppliers/{supplier}/conditional /limit(2)/amount format",
        "an amount here is more than nothing, and a text has no least value",
    ),
    (
        "PUT /finance/v1/settings /cash_floor(2)(2) format",
        "an amount has the decimals of the base currency, which another field names",
    ),
    (
        "PUT /finance/v1/settings /opening_cash(1)(2) format",
        "an amount has the decimals of the base currency, which another field names",
    ),
];

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Limits that the documents declare.
    pub declared: usize,
    /// Those that hold on both sides.
    pub held: usize,
    /// Those that do not, and how; or that could not be tried.
    pub faults: Vec<String>,
    /// Those of [`RULES`] that were met.
    met: BTreeSet<&'static str>,
}

impl Found {
    /// Counts a limit, held when nothing is wrong with it.
    fn count(&mut self, place: &str, wrong: Vec<String>) {
        self.declared += 1;
        self.held += usize::from(wrong.is_empty());
        self.faults.extend(wrong.into_iter().map(|what| format!("{place}: {what}")));
    }
}

/// Holds the product to each limit of each operation.
#[must_use]
pub fn play(campaign: &Campaign) -> Found {
    let mut found = play_some(campaign, |_| true);
    for (limit, reason) in RULES.iter().filter(|(limit, _)| !found.met.contains(limit)) {
        found.faults.push(format!("{limit}: no rule is met, though {reason}"));
    }
    found
}

/// Holds the product to each limit of the operations that are wanted.
#[must_use]
pub fn play_some(campaign: &Campaign, wanted: impl Fn(&Operation<'_>) -> bool) -> Found {
    let mut found = Found::default();
    for operation in campaign.operations().iter().filter(|operation| wanted(operation)) {
        outside::play(campaign, operation, &mut found);
        let content = operation.told["requestBody"]["content"].as_object();
        for (kind, media) in content.into_iter().flatten() {
            let form = Form { campaign, operation, kind, schema: &media["schema"] };
            form.play(&mut found);
        }
    }
    found
}

/// A body of an operation.
struct Form<'a> {
    campaign: &'a Campaign,
    operation: &'a Operation<'a>,
    kind: &'a str,
    schema: &'a Value,
}

impl Form<'_> {
    fn play(&self, found: &mut Found) {
        for place in places(self.operation.document, self.schema) {
            for limit in limits(&place) {
                let Operation { method, path, .. } = self.operation;
                let named = format!("{method} {path} {place} {}", limit.what);
                let wrong = match self.made(&place, &limit) {
                    None => vec!["no lawful body was made to try it".to_owned()],
                    Some((body, sides)) => self.wrong(&place, &limit, &body, &sides, |what| {
                        let rule = RULES.iter().find(|(limit, _)| *limit == named);
                        found.met.extend(rule.map(|(limit, _)| *limit));
                        rule.is_none().then_some(what)
                    }),
                };
                found.count(&named, wrong);
            }
        }
    }

    /// A lawful body that has the place, and values for it.
    fn made(&self, place: &Place<'_>, limit: &Limit) -> Option<(Value, Sides)> {
        let (document, ids) = (self.operation.document, Ids::known());
        (1..=TRIES).find_map(|seed| {
            let mut chance = Chance::new(seed);
            let mut maker = Maker { document, chance: &mut chance, ids: &ids, calm: true };
            let body = built(&mut maker, self.schema, &place.steps, "")?;
            let lawful = faults(document, self.schema, &body).is_empty();
            let sides = sides(&mut maker, place, limit, body.pointer(&place.pointer())?)?;
            lawful.then_some((body, sides))
        })
    }

    /// What is wrong with a limit; `refused` is asked of what is refused at the bound.
    fn wrong(
        &self,
        place: &Place<'_>,
        limit: &Limit,
        body: &Value,
        sides: &Sides,
        mut refused: impl FnMut(String) -> Option<String>,
    ) -> Vec<String> {
        let pointer = place.pointer();
        let document = self.operation.document;
        let with = |value: &Value| {
            let mut body = body.clone();
            if let Some(part) = body.pointer_mut(&pointer) {
                *part = value.clone();
            }
            body
        };
        let lawful = |body: &Value| faults(document, self.schema, body).is_empty();
        let shown = |value: &Value| value.to_string().chars().take(80).collect::<String>();
        let mut wrong = Vec::new();
        for value in &sides.within {
            let body = with(value);
            let what = match self.answer(&body) {
                Err(harness) => Some(harness),
                Ok(_) if !lawful(&body) => Some("at the bound, yet the document forbids it".into()),
                Ok(said) => said.refuses(&pointer).and_then(&mut refused),
            };
            wrong.extend(what.map(|what| format!("{what}: {}", shown(value))));
        }
        for (value, under) in &sides.beyond {
            let body = with(value);
            let what = match self.answer(&body) {
                Err(harness) => Some(harness),
                Ok(_) if lawful(&body) => {
                    Some("beyond the bound, yet the document allows it".into())
                }
                Ok(said) => said.misses(&format!("{pointer}{under}"), limit.code),
            };
            wrong.extend(what.map(|what| format!("{what}: {}", shown(value))));
        }
        wrong
    }

    fn answer(&self, body: &Value) -> Result<Said, String> {
        let path = self.operation.path.split('/').map(segment).collect::<Vec<_>>().join("/");
        let (caller, request) = admin(&self.operation.method, &path, body);
        let headers = [("idempotency-key", "bounds"), ("content-type", self.kind)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        // `admin` sends nothing for null, which is a value here.
        let body = body.to_string().into_bytes();
        let request = Request { headers: headers.to_vec(), body, ..request };
        // A body of lines has the number of the line in front.
        let line = if self.kind == "application/x-ndjson" { "/1" } else { "" };
        Said::hear(self.campaign, caller, &request, line)
    }
}

/// What the product said to a request.
#[derive(Debug)]
struct Said {
    status: u16,
    /// Pointer, code and detail of each fault.
    faults: Vec<(String, String, String)>,
}

impl Said {
    /// Asks a product of its own; pointers are told without what they have `before`.
    ///
    /// # Errors
    /// The harness does not work, which says nothing of the product.
    fn hear(
        campaign: &Campaign,
        caller: Caller,
        request: &Request,
        before: &str,
    ) -> Result<Self, String> {
        let answer = campaign.product().answer(caller, request);
        let answer = answer.map_err(|error| format!("the harness failed: {error:#}"))?;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let part = |fault: &Value, name: &str| fault[name].as_str().unwrap_or("").to_owned();
        let faults = said["errors"].as_array().into_iter().flatten().map(|fault| {
            let pointer = part(fault, "pointer");
            let pointer = pointer.strip_prefix(before).unwrap_or(&pointer).to_owned();
            (pointer, part(fault, "code"), part(fault, "detail"))
        });
        Ok(Self { status: answer.status, faults: faults.collect() })
    }

    fn of_form(&self) -> impl Iterator<Item = &(String, String, String)> {
        self.faults.iter().filter(|(_, code, _)| OF_FORM.contains(&code.as_str()))
    }

    /// Why it does not take the form of a place, if so.
    fn refuses(&self, pointer: &str) -> Option<String> {
        if self.status == 400 || self.status >= 500 {
            return Some(format!("answered {} {:?}", self.status, self.faults));
        }
        let fault = self.of_form().find(|(place, ..)| place == pointer)?;
        Some(format!("refused at the bound with `{}`, {}", fault.1, fault.2))
    }

    /// How it does other than refuse a place with this code alone.
    fn misses(&self, pointer: &str, code: &str) -> Option<String> {
        let status = if OF_SHAPE.contains(&code) { 400 } else { 422 };
        let named = self.of_form().any(|fault| (&*fault.0, &*fault.1) == (pointer, code));
        let elsewhere = self.of_form().any(|(place, ..)| place != pointer);
        let right = self.status == status && named && !elsewhere;
        (!right).then(|| format!("not {status} `{code}` at {pointer:?}, but {self:?}"))
    }
}

/// What stands for a parameter of a path: it is there, lest something else be refused first.
fn segment(segment: &str) -> &str {
    match segment {
        "{supplier}" => "S1",
        "{sku}" => "X",
        "{channel}" => "web",
        "{node}" | "{from}" => "OWN",
        "{to}" => "FBA",
        "{currency}" => "EUR",
        "{day}" => "2026-11-01",
        "{line}" => "1",
        "{order}" => "O1",
        other if other.starts_with('{') => "P-AMZ",
        other => other,
    }
}
