//! Plays one seed: a sequence of requests on a furnished tenant, each answer judged.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use tradewind_kernel::event::Domain;
use tradewind_shell::auth::Caller;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::route::Role;

use super::furnished::{furnish, learn};
use super::judge;
use super::lawful::Ids;
use super::planted::Planted;
use super::request::{HOME, Operation, Shot, shortened, shot};
use crate::chance::Chance;
use crate::native::{Moment, Native};

/// Requests of a seed: enough for some to build on others.
pub const REQUESTS: u64 = 200;

/// The seed of a pursuit: none that is played otherwise.
const PURSUIT: u64 = 0;

/// What was found, and how it is seen again.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The seed.
    pub seed: u64,
    /// Which request of it; the first is 1.
    pub number: u64,
    /// What is wrong.
    pub what: Vec<String>,
    /// The operation, to tell findings apart.
    pub operation: String,
    told: String,
    answered: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, number, told, answered, .. } = self;
        let what = self.what.join("\n  ");
        writeln!(formatter, "seed {seed}, request {number}: {what}\n{told}\n  -> {answered}")?;
        if *seed == PURSUIT {
            return write!(formatter, "in pursuit of {}", self.operation);
        }
        write!(formatter, "again: cargo xtask fuzz {seed}")
    }
}

/// What was asked and how it was answered.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Requests.
    pub requests: u64,
    /// Requests that the documents allow.
    pub lawful: u64,
    /// Operations that granted something, and how often.
    pub granted: BTreeMap<String, u64>,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
}

impl Counts {
    /// Adds those of another seed.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.lawful += other.lawful;
        for (name, count) in &other.granted {
            *self.granted.entry(name.clone()).or_default() += count;
        }
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
    }
}

/// The documents and the furnished tenant from which every seed begins.
pub struct Campaign {
    documents: Vec<Value>,
    moment: Moment,
    ids: Ids,
}

pub(super) fn admin(method: &str, path: &str, body: &Value) -> (Caller, Request) {
    let caller = Caller {
        subject: "admin".to_owned(),
        tenant: HOME.to_owned(),
        roles: vec![Role::Admin],
        supplier: None,
        channel: None,
        expires: i64::MAX,
    };
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        ..Request::default()
    };
    (caller, request)
}

impl Campaign {
    /// Reads the documents and plays the main job.
    ///
    /// # Errors
    /// A document is missing, or the main job fails.
    pub fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut documents = Vec::new();
        for domain in Domain::ALL {
            let file = root.join(format!("components/{domain}/openapi.json"));
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            documents.push(serde_json::from_str(&text)?);
        }
        let mut product = Native::default();
        let main_job = fs::read_to_string(root.join("tests/scenarios/main_job.md"))?;
        let ids = furnish(&mut product, &main_job, &operations_of(&documents))?;
        Ok(Self { moment: product.moment(), documents, ids })
    }

    /// The same with other documents, to see what is said of them.
    #[must_use]
    pub fn doctored(&self, doctor: impl Fn(&mut Value)) -> Self {
        let mut documents = self.documents.clone();
        documents.iter_mut().for_each(doctor);
        Self { documents, moment: self.product().moment(), ids: self.ids.clone() }
    }

    /// The product with the furnished tenant.
    #[must_use]
    pub fn product(&self) -> Native {
        self.moment.begin()
    }

    /// All operations of all documents.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation<'_>> {
        operations_of(&self.documents)
    }

    /// Plays a seed to its end.
    #[must_use]
    pub fn seed(&self, seed: u64, requests: u64) -> (Counts, Vec<Finding>) {
        self.planted(seed, requests, None)
    }

    /// Plays a seed to its end with a planted fault.
    #[must_use]
    pub fn planted(
        &self,
        seed: u64,
        requests: u64,
        planted: Option<Planted>,
    ) -> (Counts, Vec<Finding>) {
        let operations = self.operations();
        let mut play = self.play(seed, planted);
        for number in 1..=requests {
            // Half of the requests are tries of what was never granted: hard things need more.
            let operation = if play.chance.below(2) == 0 {
                play.chance.one_of(&operations).clone()
            } else {
                let granted = &play.counts.granted;
                let hard = operations.iter().filter(|one| !granted.contains_key(&one.name()));
                let hard: Vec<&Operation<'_>> = hard.collect();
                (*play.chance.one_of(&hard)).clone()
            };
            if !play.request(&operation, number) {
                break;
            }
        }
        play.ending(requests);
        (play.counts, play.findings)
    }

    /// Sends requests of one operation until one is granted, so many at most.
    #[must_use]
    pub fn pursue(&self, operation: &Operation<'_>, requests: u64) -> (Counts, Vec<Finding>) {
        let mut play = self.play(PURSUIT, None);
        for number in 1..=requests {
            let usable = play.request(operation, number);
            if !usable || !play.counts.granted.is_empty() {
                break;
            }
        }
        (play.counts, play.findings)
    }

    fn play(&self, seed: u64, planted: Option<Planted>) -> Play {
        let mut play = Play {
            product: self.moment.begin(),
            chance: Chance::new(seed),
            ids: self.ids.clone(),
            contents: String::new(),
            counts: Counts::default(),
            findings: Vec::new(),
            seed,
            planted,
            sent: 0,
        };
        play.contents = play.product.store().contents(HOME);
        play
    }
}

fn operations_of(documents: &[Value]) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for document in documents {
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, told) in item.as_object().into_iter().flatten() {
                let method = method.to_ascii_uppercase();
                found.push(Operation { document, method, path, told });
            }
        }
    }
    found
}

struct Play {
    product: Native,
    chance: Chance,
    ids: Ids,
    contents: String,
    counts: Counts,
    findings: Vec<Finding>,
    seed: u64,
    planted: Option<Planted>,
    /// Requests that went to the product, repeated ones too.
    sent: u64,
}

impl Play {
    fn ask(&mut self, shot: &Shot) -> Result<Response> {
        self.sent += 1;
        let (product, caller) = (&mut self.product, shot.caller.clone());
        match self.planted {
            None => product.answer(caller, &shot.request),
            Some(planted) => planted.answer(product, caller, &shot.request, self.sent),
        }
    }

    /// Sends a request; false when the product is of no further use.
    fn request(&mut self, operation: &Operation<'_>, number: u64) -> bool {
        let shot = shot(&mut self.chance, &self.ids, operation, number);
        let name = operation.name();
        self.counts.requests += 1;
        self.counts.lawful += u64::from(shot.wrong.is_empty());
        let sent = catch_unwind(AssertUnwindSafe(|| self.ask(&shot)));
        let Ok(Ok(response)) = sent else {
            self.findings.push(Finding {
                seed: self.seed,
                number,
                what: vec!["it panicked".to_owned()],
                operation: name,
                told: shot.told(),
                answered: String::new(),
            });
            return false;
        };
        *self.counts.statuses.entry(response.status).or_default() += 1;
        let said = shortened(&String::from_utf8_lossy(&response.body));
        let answered = format!("{} {said}", response.status);
        let mut what = judge::answer(operation, &shot, &response);
        let granted = (200..300).contains(&response.status);
        let wrote = granted && operation.method != "GET";
        if !granted {
            let after = self.product.store().contents(HOME);
            what.extend(judge::unchanged(&self.contents, &after, judge::is_noted(&response)));
            self.contents = after;
        }
        if granted {
            *self.counts.granted.entry(name.clone()).or_default() += 1;
            let body = serde_json::from_slice(&response.body).unwrap_or_default();
            learn(&mut self.ids, operation, &shot.request.path, &body);
        }
        let usable = if wrote || judge::is_noted(&response) {
            let settled = settle(&mut self.product);
            what.extend(settled.iter().cloned());
            self.contents = self.product.store().contents(HOME);
            what.extend(self.again(&shot, &response));
            settled.is_none()
        } else {
            true
        };
        if !what.is_empty() {
            let found = Finding {
                seed: self.seed,
                number,
                what,
                operation: name,
                told: shot.told(),
                answered,
            };
            self.findings.push(found);
        }
        usable
    }

    /// A write under a key, sent again: the same answer, and nothing changes.
    fn again(&mut self, shot: &Shot, first: &Response) -> Option<String> {
        let keyed = shot.request.header("idempotency-key").is_some();
        // A tick takes no key: it may be repeated by what it is.
        if !keyed || first.status >= 300 || shot.request.path.ends_with("/tick") {
            return None;
        }
        let again = self.ask(shot).ok()?;
        let after = self.product.store().contents(HOME);
        if (again.status, &again.body) != (first.status, &first.body) {
            let said = shortened(&String::from_utf8_lossy(&again.body));
            return Some(format!("sent again it answered {} {said}", again.status));
        }
        (after != self.contents).then(|| "sent again it changed something".to_owned())
    }

    /// What must hold when all is done.
    fn ending(&mut self, number: u64) {
        for (path, list) in [
            ("/inventory/v1/verify", "/differences"),
            ("/reporting/v1/audit/verify", "/fault"),
            ("/suppliers/v1/parked", "/items"),
            ("/procurement/v1/parked", "/items"),
            ("/inventory/v1/parked", "/items"),
            ("/planning/v1/parked", "/items"),
            ("/finance/v1/parked", "/items"),
            ("/reporting/v1/parked", "/items"),
        ] {
            let (caller, request) = admin("GET", path, &Value::Null);
            let Ok(answer) = self.product.answer(caller, &request) else { continue };
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let wrong = body.pointer(list).is_some_and(|found| {
                !found.is_null() && found.as_array().is_none_or(|found| !found.is_empty())
            });
            if answer.status != 200 || wrong {
                self.findings.push(Finding {
                    seed: self.seed,
                    number,
                    what: vec!["at the end something is not as it must be".to_owned()],
                    operation: format!("GET {path}"),
                    told: format!("GET {path}"),
                    answered: format!("{} {}", answer.status, shortened(&body.to_string())),
                });
            }
        }
    }
}

fn settle(product: &mut Native) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| product.settle())) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("afterwards a domain cannot catch up: {error:#}")),
        Err(_) => Some("afterwards a domain panicked catching up".to_owned()),
    }
}
