//! A whole request of an operation, lawful or spoilt, and what is wrong with it by the document.

use std::fmt::Write;

use serde_json::Value;
use tradewind_shell::auth::Caller;
use tradewind_shell::http::Request;
use tradewind_shell::route::Role;

use super::lawful::{Ids, Maker};
use super::schema::{faults, resolved, types};
use super::wrong::{garble, spoil};
use crate::chance::Chance;

/// The tenant that is fuzzed.
pub const HOME: &str = "home";

/// Lines of a body of JSON lines.
const MOST_LINES: u64 = 4;

/// An operation of a published document.
#[derive(Debug, Clone)]
pub struct Operation<'a> {
    /// The document.
    pub document: &'a Value,
    /// The method, upper case.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: &'a str,
    /// What the document says of it.
    pub told: &'a Value,
}

impl Operation<'_> {
    /// Whether it reads a list in pages.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.method == "GET" && self.parameters("query").any(|told| told["name"] == "limit")
    }

    /// Method and path.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether this role may, by the document.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.told["x-roles"]
            .as_array()
            .is_none_or(|roles| roles.iter().any(|name| name == role.name()))
    }

    pub(super) fn parameters<'s>(&'s self, place: &'s str) -> impl Iterator<Item = &'s Value> {
        let all = self.told["parameters"].as_array().into_iter().flatten();
        all.filter(move |parameter| parameter["in"] == place)
    }
}

/// What is sent, and what is known of it.
#[derive(Debug, Clone)]
pub struct Shot {
    /// Who asks.
    pub caller: Caller,
    /// The request.
    pub request: Request,
    /// Why the document forbids it; empty when it does not.
    pub wrong: Vec<String>,
}

impl Shot {
    /// The role that asks.
    #[must_use]
    pub fn role(&self) -> Role {
        self.caller.roles.first().copied().unwrap_or(Role::Viewer)
    }

    /// The request as one would type it, shortened.
    #[must_use]
    pub fn told(&self) -> String {
        let request = &self.request;
        let mut told = format!("{} {}", request.method, shortened(&request.path));
        if !request.query.is_empty() {
            let _ = write!(told, "?{}", shortened(&request.query));
        }
        let _ = writeln!(told, "   as {}", self.role().name());
        for (name, value) in &request.headers {
            let _ = writeln!(told, "  {name}: {}", shortened(value));
        }
        let _ = write!(told, "  {}", shortened(&String::from_utf8_lossy(&request.body)));
        told
    }
}

/// So much of a text as a person reads.
#[must_use]
pub fn shortened(text: &str) -> String {
    const SHOWN: usize = 1500;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        let _ = write!(shown, "… ({} bytes)", text.len());
    }
    shown
}

/// Makes a request of an operation; half of all are spoilt in one part.
#[must_use]
pub fn shot(chance: &mut Chance, ids: &Ids, operation: &Operation<'_>, number: u64) -> Shot {
    let role = if chance.below(100) < 92 { Role::Admin } else { *chance.one_of(&Role::ALL) };
    let part = if chance.below(2) == 0 { "none" } else { *chance.one_of(&PARTS) };
    let mut making = Making { operation, maker: maker(operation, chance, ids), wrong: Vec::new() };
    let path = making.path(part == "path");
    let query = making.query(part == "query");
    let headers = making.headers(part == "headers", number);
    let (body, kind) = making.body(part);
    let headers = headers.into_iter().chain(kind.map(|kind| ("content-type".to_owned(), kind)));
    let request =
        Request { method: operation.method.clone(), path, query, headers: headers.collect(), body };
    // Nobody approves what they raised.
    let subject = ["ana", "ben"][usize::try_from(number % 2).unwrap_or(0)];
    let caller = Caller {
        subject: subject.to_owned(),
        tenant: HOME.to_owned(),
        roles: vec![role],
        supplier: (role == Role::Partner).then(|| "S1".to_owned()),
        channel: None,
        expires: i64::MAX,
    };
    Shot { caller, request, wrong: making.wrong }
}

/// What is spoilt; bodies most often.
const PARTS: [&str; 7] = ["body", "body", "body", "text", "query", "path", "headers"];

fn maker<'a>(operation: &Operation<'a>, chance: &'a mut Chance, ids: &'a Ids) -> Maker<'a> {
    let calm = chance.below(100) < 60;
    Maker { document: operation.document, chance, ids, calm }
}

struct Making<'o, 'a> {
    operation: &'o Operation<'a>,
    maker: Maker<'a>,
    wrong: Vec<String>,
}

impl Making<'_, '_> {
    fn hold(&mut self, what: &str, schema: &Value, value: &Value) {
        let found = faults(self.operation.document, schema, value);
        self.wrong.extend(found.into_iter().map(|fault| format!("{what} {fault}")));
    }

    fn path(&mut self, spoilt: bool) -> String {
        let operation = self.operation;
        let mut parts = Vec::new();
        for part in operation.path.split('/') {
            let Some(name) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
                parts.push(part.to_owned());
                continue;
            };
            let told = operation.parameters("path").find(|parameter| parameter["name"] == name);
            let schema = told.map_or(&Value::Null, |told| &told["schema"]);
            let list = parts.join("/");
            let there = self.maker.ids.of(&list);
            let value = if spoilt {
                let odd = ["", " ", "é", "a b", "..", "a/b", "%", "x\u{0}", "-x", "{id}", "*"];
                let long = "x".repeat(65);
                let all: Vec<&str> = odd.iter().copied().chain([long.as_str()]).collect();
                (*self.maker.chance.one_of(&all)).to_owned()
            } else if !there.is_empty() && self.maker.chance.below(4) > 0 {
                self.maker.chance.one_of(there).clone()
            } else {
                let made = self.maker.value(schema, name);
                made.as_str().unwrap_or_default().to_owned()
            };
            self.hold(name, schema, &Value::from(value.as_str()));
            parts.push(encoded(&value));
        }
        parts.join("/")
    }

    fn query(&mut self, spoilt: bool) -> String {
        let operation = self.operation;
        let mut pairs: Vec<(String, String)> = Vec::new();
        for parameter in operation.parameters("query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let required = parameter["required"] == true;
            if !required && self.maker.happens(60) {
                continue;
            }
            let schema = &parameter["schema"];
            // A cursor is what a page said; what is made up is no cursor.
            let made = match name {
                "after" => continue,
                _ => self.maker.value(schema, name),
            };
            let values = made.as_array().cloned().unwrap_or_else(|| vec![made]);
            pairs.extend(values.iter().map(|value| (name.to_owned(), plain(value))));
        }
        if spoilt {
            self.spoil_query(&mut pairs);
        }
        for parameter in operation.parameters("query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let schema = resolved(operation.document, &parameter["schema"]);
            let given: Vec<&String> =
                pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect();
            if given.is_empty() && parameter["required"] == true {
                self.wrong.push(format!("the query needs {name}"));
            }
            let several = types(schema).contains(&"array");
            let most = schema["maxItems"].as_u64().filter(|_| several).unwrap_or(1);
            if given.len() as u64 > most {
                self.wrong.push(format!("{name} is given more than {most} times"));
            }
            let schema = if several { &schema["items"] } else { schema };
            for text in given {
                self.hold(name, schema, &read(operation.document, schema, text));
            }
        }
        let known = |name: &str| operation.parameters("query").any(|one| one["name"] == name);
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known(name)) {
            self.wrong.push(format!("the query has an unknown {name}"));
        }
        let pair =
            |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(value));
        let mut query = pairs.iter().map(pair).collect::<Vec<_>>().join("&");
        if spoilt && self.maker.happens(20) {
            query.push_str("&a=%f");
            self.wrong.push("the query is not well encoded".to_owned());
        }
        query
    }

    fn spoil_query(&mut self, pairs: &mut Vec<(String, String)>) {
        let place = usize::try_from(self.maker.chance.below(pairs.len() as u64)).unwrap_or(0);
        let odd = ["", "-1", "0", "501", "1e3", "9223372036854775808", "+5", " 5", "x y", "é", "٣"];
        let text = (*self.maker.chance.one_of(&odd)).to_owned();
        match (self.maker.chance.below(4), pairs.get_mut(place)) {
            (0, Some(pair)) => pair.1 = text,
            (1, Some(_)) => drop(pairs.remove(place)),
            (2, Some(pair)) => {
                let pair = pair.clone();
                pairs.push(pair);
            }
            _ => pairs.push(("nobody".to_owned(), text)),
        }
    }

    fn headers(&mut self, spoilt: bool, number: u64) -> Vec<(String, String)> {
        let operation = self.operation;
        let mut headers = Vec::new();
        for parameter in operation.parameters("header") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let value = match name {
                "Idempotency-Key" if parameter["required"] == true => format!("k{number}"),
                "Correlation-Id" if self.maker.happens(30) => format!("mine-{number}"),
                _ => continue,
            };
            headers.push((name.to_ascii_lowercase(), value));
        }
        if spoilt && operation.method != "GET" {
            let (long, key) = ("k".repeat(256), "idempotency-key".to_owned());
            let odd = ["", " ", "é", "a b", "\t", long.as_str()];
            let chosen = *self.maker.chance.one_of(&odd);
            headers.retain(|(name, _)| *name != key);
            let held = operation.parameters("header").find(|one| one["name"] == "Idempotency-Key");
            let Some(held) = held else { return headers };
            if self.maker.happens(70) {
                headers.push((key, chosen.to_owned()));
                self.hold("Idempotency-Key", &held["schema"], &Value::from(chosen));
            } else if held["required"] == true {
                self.wrong.push("the Idempotency-Key is missing".to_owned());
            }
        }
        headers
    }

    /// The body and its type.
    fn body(&mut self, part: &str) -> (Vec<u8>, Option<String>) {
        let operation = self.operation;
        let content = operation.told["requestBody"]["content"].as_object();
        let Some((kind, media)) = content.and_then(|content| content.iter().next()) else {
            return (Vec::new(), None);
        };
        let required = operation.told["requestBody"]["required"] == true;
        if !required && self.maker.happens(20) {
            return (Vec::new(), None);
        }
        let lines =
            if kind.contains("ndjson") { self.maker.chance.between(1, MOST_LINES) } else { 1 };
        let mut texts = Vec::new();
        self.maker.calm = self.maker.happens(60);
        for _ in 0..lines {
            let mut value = self.maker.value(&media["schema"], "");
            if part == "body" {
                for _ in 0..self.maker.chance.between(1, 2) {
                    spoil(self.maker.chance, &mut value);
                }
            }
            self.hold("body", &media["schema"], &value);
            texts.push(value.to_string());
        }
        let text = texts.join("\n");
        let mut kind = kind.clone();
        if part == "headers" && self.maker.happens(30) {
            kind = "text/plain".to_owned();
            self.wrong.push("the body is not of its type".to_owned());
        }
        if part != "text" {
            return (text.into_bytes(), Some(kind));
        }
        self.wrong.push("the body is no JSON".to_owned());
        (garble(self.maker.chance, &text), Some(kind))
    }
}

/// A value as it stands in a query.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text of a query as the value that its schema means.
fn read(document: &Value, schema: &Value, text: &str) -> Value {
    let types = types(resolved(document, schema));
    // `+5` is no JSON, and no number of ours.
    let whole = text.parse::<i64>().ok().filter(|_| !text.starts_with('+'));
    match whole {
        Some(number) if types.contains(&"integer") => Value::from(number),
        _ => Value::from(text),
    }
}

/// Percent-encoded, all but what never needs it.
pub(super) fn encoded(text: &str) -> String {
    let mut made = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            made.push(char::from(byte));
        } else {
            let _ = write!(made, "%{byte:02X}");
        }
    }
    made
}
