//! Examples of answers: what the product really answers in the stories, played in memory.
//!
//! Each answer that a document promises shows the one that tells the most of all that the stories
//! got. Chance and clock are the stories' own, so an example changes when the answer does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::Result;
use serde_json::Value;
use tradewind_kernel::Domain;
use tradewind_tests::driver::{Driver, Got, Sender, Sent};
use tradewind_tests::fuzzing::schema::faults;
use tradewind_tests::native::Native;
use tradewind_tests::story;

use crate::openapi::{Published, operations, published};
use crate::root;

/// Operations of every domain whose success no story gets: only a fault of ours, or data that does
/// not read, sets an event aside.
const WITHOUT_EXAMPLE: [&str; 2] = ["parked/{event}/dismiss", "parked/{event}/replay"];

/// Bytes of an example at most, unless every answer has more: what a reader takes in at a glance.
const GLANCE: usize = 1500;

/// An answer, by method, path and status.
type Answered = (String, String, u16);

/// Plays stories and keeps every success.
struct Recorder {
    product: Native,
    /// What was made by name, so that it can be made again.
    made: Vec<Sent>,
    got: Vec<(Answered, Value)>,
}

impl Driver for Recorder {
    fn send(&mut self, sender: &Sender, sent: &Sent) -> Result<Got> {
        let got = self.product.send(sender, sent)?;
        if (200..300).contains(&got.status) {
            let path = sent.path.split('?').next().unwrap_or("").to_owned();
            if sent.method == "PUT" {
                self.made.push(sent.clone());
            }
            self.got.push(((sent.method.clone(), path, got.status), got.body.clone()));
        }
        Ok(got)
    }

    fn set_clock(&mut self, instant: &str) -> Result<()> {
        self.product.set_clock(instant)
    }
}

impl Recorder {
    /// When a story has ended: makes once more what it made, which changes nothing, and reads all
    /// that there is to read of what it named.
    fn look_around(&mut self, tenant: &str) {
        let mut paths: BTreeSet<String> = BTreeSet::new();
        for sent in std::mem::take(&mut self.made) {
            paths.insert(sent.path.clone());
            self.ask(tenant, "admin", sent);
        }
        for Published { domain, document, .. } in published() {
            let gets = operations(&document).into_iter().filter(|it| it.name.starts_with("GET "));
            for operation in gets {
                paths.extend(Some(operation.path.to_owned()).filter(|it| !it.contains('{')));
            }
            self.ask(tenant, "system", sent("POST", &format!("/{domain}/v1/tick")));
        }
        for path in paths {
            self.ask(tenant, "admin", sent("GET", &path));
        }
    }

    fn ask(&mut self, tenant: &str, role: &str, sent: Sent) {
        let (tenant, role) = (tenant.to_owned(), role.to_owned());
        let sender = Sender { tenant, subject: role.clone(), role, bound: None };
        self.send(&sender, &sent).unwrap();
    }
}

fn sent(method: &str, path: &str) -> Sent {
    Sent { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: None }
}

/// Every success of every story.
fn successes() -> Vec<(Answered, Value)> {
    let folder = root().join("tests/scenarios");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().replace('_', "-");
        let mut recorder =
            Recorder { product: Native::default(), made: Vec::new(), got: Vec::new() };
        story::play(&mut recorder, &name, &fs::read_to_string(&file).unwrap()).unwrap();
        recorder.look_around(&name);
        found.append(&mut recorder.got);
    }
    found
}

fn is_of(template: &str, path: &str) -> bool {
    let (wanted, given) = (template.split('/'), path.split('/'));
    wanted.clone().count() == given.clone().count()
        && wanted.zip(given).all(|(part, given)| part.starts_with('{') || part == given)
}

/// How much an answer tells: its places that hold something, those of a list's items counted once.
fn tells(value: &Value, place: &str, places: &mut BTreeSet<String>) {
    match value {
        Value::Null => return,
        Value::Array(items) => {
            items.iter().for_each(|item| tells(item, &format!("{place}/*"), places));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, it)| tells(it, &format!("{place}/{name}"), places));
        }
        _ => {}
    }
    places.insert(place.to_owned());
}

/// The better one comes first: what can be taken in at a glance, then what tells more, then what is
/// shorter.
fn rank(value: &Value) -> (usize, Reverse<usize>, usize) {
    let mut places = BTreeSet::new();
    tells(value, "", &mut places);
    let length = value.to_string().len();
    (length.saturating_sub(GLANCE), Reverse(places.len()), length)
}

/// Writes examples into the answers of a document; gives back those that have none.
fn shown(document: &mut Value, got: &[(Answered, Value)]) -> Vec<String> {
    let mut without = Vec::new();
    for (path, item) in document["paths"].as_object_mut().unwrap() {
        for (method, operation) in item.as_object_mut().unwrap() {
            let method = method.to_ascii_uppercase();
            let responses = operation["responses"].as_object_mut().unwrap();
            for (status, response) in responses.iter_mut().filter(|(it, _)| it.starts_with('2')) {
                let content = response.get_mut("content");
                let Some(content) = content.and_then(|it| it.get_mut("application/json")) else {
                    continue;
                };
                let of_it = |(how, given, code): &Answered| {
                    *how == method && is_of(path, given) && code.to_string() == *status
                };
                let candidates = got.iter().filter(|(answered, _)| of_it(answered));
                match candidates.min_by_key(|(_, body)| rank(body)) {
                    Some((_, body)) => content["example"] = body.clone(),
                    None => without.push(format!("{method} {path} {status}")),
                }
            }
        }
    }
    without
}

/// The documents with their examples, as they are checked in.
pub fn illustrated() -> BTreeMap<String, String> {
    let got = successes();
    let mut texts = BTreeMap::new();
    let mut without = Vec::new();
    for Published { domain, mut document, .. } in published() {
        without.extend(shown(&mut document, &got));
        texts.insert(domain.to_string(), serde_json::to_string_pretty(&document).unwrap() + "\n");
    }
    let excused = |domain| WITHOUT_EXAMPLE.map(|it| format!("POST /{domain}/v1/{it} 200"));
    let mut expected: Vec<String> = Domain::ALL.into_iter().flat_map(excused).collect();
    without.sort();
    expected.sort();
    assert_eq!(without, expected, "answers without an example");
    texts
}

/// The examples are some of these.
#[test]
fn every_success_of_the_stories_is_of_its_schema() {
    let published = published();
    let mut wrong = BTreeSet::new();
    for ((method, path, status), body) in successes() {
        let name = format!("{method} {path} {status}");
        let schemas: Vec<_> = published
            .iter()
            .flat_map(|one| operations(&one.document).into_iter().map(|it| (&one.document, it)))
            .filter(|(_, it)| it.name.starts_with(&method) && is_of(it.path, &path))
            .map(|(document, it)| (document, &it.value["responses"][status.to_string()]["content"]))
            .collect();
        let [(document, content)] = schemas[..] else {
            wrong.insert(format!("{name}: {} operations answer it", schemas.len()));
            continue;
        };
        // The document itself has no schema.
        if !path.ends_with("/openapi.json") {
            let found = faults(document, &content["application/json"]["schema"], &body);
            wrong.extend(found.iter().map(|fault| format!("{name} {fault}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}
