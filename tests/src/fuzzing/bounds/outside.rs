//! What the documents demand of the query and of the header `Idempotency-Key`.
//!
//! A fault of the query has no pointer; its detail names the parameter. One of the key is the
//! code of the whole refusal.

use serde_json::Value;
use tradewind_shell::http::Request;

use super::super::campaign::{Campaign, admin};
use super::super::lawful::{Ids, Maker};
use super::super::request::{Operation, encoded, plain};
use super::super::schema::resolved;
use super::limits::of_format;
use super::{Found, Said, segment};
use crate::chance::Chance;

/// The words of a parameter's schema that demand nothing of one value.
const SILENT: [&str; 5] = ["description", "default", "example", "$ref", "items"];

/// The code of a query whose form is wrong.
const MALFORMED: &str = "query-malformed";

/// A list that needs just one of two parameters, which a document cannot say: the first is given
/// unless the second is tried.
const EITHER: (&str, &str, &str) = ("/suppliers/v1/offers", "sku", "supplier");

/// Keys within and beyond a demand.
type Keys = (Vec<String>, Vec<String>);

/// A query, in pairs.
type Pairs = Vec<(String, String)>;

/// Queries on both sides of a demand, and what the fault says beyond it.
struct Sides {
    within: Vec<Pairs>,
    beyond: Vec<Pairs>,
    code: &'static str,
    says: String,
}

/// Holds the product to each limit of an operation's query and of its key.
pub(super) fn play(campaign: &Campaign, operation: &Operation<'_>, found: &mut Found) {
    // Monitors add to a health check what they like; it reads nothing of it.
    if operation.told["responses"]["400"].is_null() {
        return;
    }
    let asked = Asked { campaign, operation };
    asked.unknown(found);
    for parameter in operation.parameters("query") {
        asked.parameter(parameter, found);
    }
    for header in operation.parameters("header").filter(|one| one["name"] == "Idempotency-Key") {
        asked.key(header, found);
    }
}

struct Asked<'a> {
    campaign: &'a Campaign,
    operation: &'a Operation<'a>,
}

impl Asked<'_> {
    fn named(&self, what: &str) -> String {
        format!("{} {} {what}", self.operation.method, self.operation.path)
    }

    /// The parameters that must be given, all but one.
    fn others(&self, name: &str) -> Pairs {
        let (ids, mut chance) = (Ids::known(), Chance::new(1));
        let document = self.operation.document;
        let mut maker = Maker { document, chance: &mut chance, ids: &ids, calm: true };
        let either = self.operation.path == EITHER.0 && name != EITHER.2;
        let needed = self
            .operation
            .parameters("query")
            .filter(|one| one["required"] == true || (either && one["name"] == EITHER.1));
        let mut pairs = Pairs::new();
        for parameter in needed.filter(|parameter| parameter["name"] != name) {
            let name = parameter["name"].as_str().unwrap_or_default();
            let made = maker.value(&parameter["schema"], name);
            let value = made.get(0).unwrap_or(&made);
            pairs.push((name.to_owned(), plain(value)));
        }
        pairs
    }

    fn unknown(&self, found: &mut Found) {
        let within = self.others("");
        let mut beyond = within.clone();
        beyond.push(("nobody".to_owned(), "1".to_owned()));
        let says = "`nobody`".to_owned();
        let sides = Sides { within: vec![within], beyond: vec![beyond], code: MALFORMED, says };
        self.hold("?", Some(sides), found);
    }

    fn parameter(&self, parameter: &Value, found: &mut Found) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let schema = resolved(self.operation.document, &parameter["schema"]);
        let item = match schema["items"].is_object() {
            true => resolved(self.operation.document, &schema["items"]),
            false => schema,
        };
        let (ids, mut chance) = (Ids::known(), Chance::new(1));
        let document = self.operation.document;
        let mut maker = Maker { document, chance: &mut chance, ids: &ids, calm: true };
        let usual = plain(&maker.value(item, name));
        let given = |values: &[String]| -> Pairs {
            let mut pairs = self.others(name);
            pairs.extend(values.iter().map(|value| (name.to_owned(), value.clone())));
            pairs
        };
        let says = format!("`{name}`");
        let sides = |within: Vec<Pairs>, beyond: Vec<Pairs>, code: &'static str| {
            Some(Sides { within, beyond, code, says: says.clone() })
        };
        let times = |count: u64| (0..count).map(|_| usual.clone()).collect::<Vec<_>>();
        if parameter["required"] == true {
            let sides = sides(vec![given(&times(1))], vec![given(&[])], MALFORMED);
            self.hold(&format!("?{name} required"), sides, found);
        }
        if item == schema {
            let sides = sides(vec![given(&times(1))], vec![given(&times(2))], MALFORMED);
            self.hold(&format!("?{name} once"), sides, found);
        }
        let words = schema.as_object().into_iter().flatten();
        let of_item = item.as_object().into_iter().flatten().filter(|_| item != schema);
        for (word, told) in words.chain(of_item) {
            let one = |text: String| given(&[text]);
            let number = |more: i64| told.as_i64().map(|bound| one((bound + more).to_string()));
            // A page's `limit` was always refused as malformed, as its cursor is.
            let range = if name == "limit" { MALFORMED } else { "out-of-range" };
            let sides = match word.as_str() {
                silent if SILENT.contains(&silent) => continue,
                "pattern" if item["format"].is_string() => continue,
                "type" if told == "string" || told == "array" => continue,
                "type" if told == "integer" => {
                    let texts = ["x", "1.5", "+1", " 1", ""].map(|text| one(text.to_owned()));
                    sides(vec![one(usual.clone())], texts.to_vec(), MALFORMED)
                }
                "enum" => {
                    let words = told.as_array().into_iter().flatten();
                    let within = words.map(|word| one(plain(word))).collect();
                    sides(within, vec![one("no-such-word".to_owned())], MALFORMED)
                }
                "minimum" => number(0)
                    .zip(number(-1))
                    .and_then(|(least, less)| sides(vec![least], vec![less], range)),
                "maximum" => number(0)
                    .zip(number(1))
                    .and_then(|(most, more)| sides(vec![most], vec![more], range)),
                "format" => told.as_str().and_then(of_format).and_then(|(within, beyond)| {
                    let each = |texts: Vec<Value>| -> Vec<Pairs> {
                        texts.iter().map(|text| one(plain(text))).collect()
                    };
                    sides(each(within), each(beyond), MALFORMED)
                }),
                "minItems" if *told == 1 => {
                    sides(vec![given(&times(1))], vec![given(&[])], MALFORMED)
                }
                "maxItems" => told.as_u64().and_then(|most| {
                    sides(vec![given(&times(most))], vec![given(&times(most + 1))], MALFORMED)
                }),
                _ => None,
            };
            self.hold(&format!("?{name} {word}"), sides, found);
        }
    }

    fn hold(&self, what: &str, sides: Option<Sides>, found: &mut Found) {
        let Some(Sides { within, beyond, code, says }) = sides else {
            found.count(&self.named(what), vec!["nothing is known to try".to_owned()]);
            return;
        };
        let status = if code == MALFORMED { 400 } else { 422 };
        let right = |said: &Said, refused: bool| {
            let mut faults = said.faults.iter().filter(|fault| fault.0.is_empty());
            match refused {
                true => {
                    said.status == status && faults.any(|it| it.1 == code && it.2.contains(&says))
                }
                false => !faults.any(|it| [MALFORMED, "out-of-range"].contains(&it.1.as_str())),
            }
        };
        let mut wrong = Vec::new();
        for (pairs, refused) in
            within.iter().map(|pairs| (pairs, false)).chain(beyond.iter().map(|it| (it, true)))
        {
            match self.ask(pairs, Some("bounds")) {
                Err(harness) => wrong.push(harness),
                Ok(said) if right(&said, refused) => {}
                Ok(said) => {
                    let shown: String = written(pairs).chars().take(80).collect();
                    let side = if refused { "beyond" } else { "at" };
                    wrong.push(format!("{side} the bound, {shown}: {said:?}"));
                }
            }
        }
        found.count(&self.named(what), wrong);
    }

    fn key(&self, header: &Value, found: &mut Found) {
        let schema = resolved(self.operation.document, &header["schema"]);
        let letters = |count: u64| "k".repeat(usize::try_from(count).unwrap_or(0));
        let mut tried: Vec<(&str, Option<Keys>)> = Vec::new();
        for (word, told) in schema.as_object().into_iter().flatten() {
            let number = told.as_u64();
            let sides = match word.as_str() {
                "type" | "description" => continue,
                "minLength" => number.map(|least| (vec![letters(least)], vec![letters(least - 1)])),
                "maxLength" => number.map(|most| (vec![letters(most)], vec![letters(most + 1)])),
                "pattern" if told == "^[!-~]+$" => {
                    let texts = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
                    Some((texts(&["!", "~", "a/b"]), texts(&["a b", "é", "a\u{7f}", "\t"])))
                }
                _ => None,
            };
            tried.push((word, sides));
        }
        for (word, sides) in tried {
            let mut wrong = Vec::new();
            match sides {
                None => wrong.push("nothing is known to try".to_owned()),
                Some((within, beyond)) => {
                    let key = |key: &String, code| self.holds_key(Some(key.as_str()), code);
                    wrong.extend(within.iter().filter_map(|it| key(it, None)));
                    let malformed = Some("idempotency-key-malformed");
                    wrong.extend(beyond.iter().filter_map(|it| key(it, malformed)));
                }
            }
            found.count(&self.named(&format!("Idempotency-Key {word}")), wrong);
        }
        let code = (header["required"] == true).then_some("idempotency-key-missing");
        let wrong = self.holds_key(None, code).into_iter().collect();
        found.count(&self.named("Idempotency-Key required"), wrong);
    }

    /// What is wrong when a key is not refused with this code; none for one that is lawful.
    fn holds_key(&self, key: Option<&str>, code: Option<&str>) -> Option<String> {
        let said = match self.ask(&self.others(""), key) {
            Err(harness) => return Some(harness),
            Ok(said) => said,
        };
        let mut faults = said.faults.iter();
        let of_key = faults.find(|fault| fault.1.starts_with("idempotency-key-m"));
        let refused = of_key.map(|fault| fault.1.as_str());
        let right = refused == code && (code.is_none() || said.status == 400);
        (!right).then(|| format!("with the key {key:?}: {said:?}"))
    }

    fn ask(&self, pairs: &Pairs, key: Option<&str>) -> Result<Said, String> {
        let path = self.operation.path.split('/').map(segment).collect::<Vec<_>>().join("/");
        let (caller, request) = admin(&self.operation.method, &path, &Value::Null);
        let mut headers = request.headers.clone();
        headers.extend(key.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
        let request = Request { query: written(pairs), headers, ..request };
        Said::hear(self.campaign, caller, &request, "")
    }
}

fn written(pairs: &Pairs) -> String {
    let pair = |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}
