//! Another tenant's ids, by asking: every operation, with everything that home has a name for.
//!
//! A request that names home's things goes to home first, so that its key is used and every cache is
//! warm. Then a stranger sends the same bytes under the same key, twice: beside home, and where home
//! never was. The two answers, and what they leave behind, must be the same to the byte: then
//! nothing of home showed, not even that it is there. And home must be as it was.
//!
//! That the test can fail is its other half: told by home's own tenant the two answers differ, for
//! every operation but those that are listed with a reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tradewind_shell::auth::Caller;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::route::Role;
use tradewind_tests::native::Native;
use tradewind_tests::story;

use crate::openapi::{Operation, operations, published};
use crate::read;
use crate::roles::wanted;

const HOME: &str = "home";
const STRANGER: &str = "stranger";

/// Operations that answer home as they answer a tenant that has nothing, each with the reason.
const ALIKE: &[(&str, &str)] = &[
    ("/v1/health", "says nothing of a tenant"),
    ("/v1/openapi.json", "says nothing of a tenant"),
    ("/reporting/v1/events", "home's reporting has told nothing"),
    ("/planning/v1/proposals", "home's plan proposes nothing"),
    ("/v1/tick", "finds nothing to do"),
    ("/v1/parked", "home has parked nothing"),
    ("/v1/parked/{event}/dismiss", "home has parked nothing"),
    ("/v1/parked/{event}/replay", "home has parked nothing"),
];

/// A request that names something of home's.
#[derive(Clone, Debug)]
struct Asked {
    method: String,
    path: String,
    query: String,
    body: Option<String>,
    if_match: Option<String>,
}

fn caller(tenant: &str, role: Role) -> Caller {
    Caller {
        subject: role.name().to_owned(),
        tenant: tenant.to_owned(),
        roles: vec![role],
        supplier: (role == Role::Partner).then(|| "S1".to_owned()),
        channel: (role == Role::Channel).then(|| "web".to_owned()),
        expires: i64::MAX,
    }
}

fn ask(product: &mut Native, caller: Caller, asked: &Asked) -> Response {
    let lines = asked.path.ends_with("/history");
    let form = if lines { "application/x-ndjson" } else { "application/json" };
    let mut headers = vec![("content-type".to_owned(), form.to_owned())];
    if asked.method == "POST" {
        headers.push(("idempotency-key".to_owned(), format!("k{}", asked.path.replace('/', "-"))));
    }
    headers.extend(asked.if_match.iter().map(|tag| ("if-match".to_owned(), tag.clone())));
    let request = Request {
        method: asked.method.clone(),
        path: asked.path.clone(),
        query: asked.query.clone(),
        headers,
        body: asked.body.clone().unwrap_or_default().into_bytes(),
    };
    product.answer(caller, &request).unwrap()
}

fn get(product: &mut Native, path: &str) -> (Response, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let asked = Asked { method: "GET".to_owned(), path, query, body: None, if_match: None };
    let answer = ask(product, caller(HOME, Role::Admin), &asked);
    let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    (answer, body)
}

/// Home: the main job, what it has none of, and the names of all that it has.
struct Home {
    product: Native,
    names: BTreeMap<(&'static str, &'static str), String>,
}

impl Home {
    fn furnished() -> Self {
        let mut product = Native::default();
        story::play(&mut product, HOME, &read("tests/scenarios/main_job.md")).unwrap();
        let mut home = Self { product, names: BTreeMap::new() };
        home.make("PUT", "/finance/v1/rates/EUR/2026-11-01", &json!({ "rate": "1.1" }));
        home.make("PUT", "/finance/v1/settings", &json!({ "opening_cash": "250000.00" }));
        home.make("PUT", "/inventory/v1/lanes/FBA/OWN", &json!({ "days": 2 }));
        home.make("PUT", "/planning/v1/policies/X/OWN", &json!({}));
        home.make(
            "PUT",
            "/procurement/v1/policies/approval",
            &json!({ "rules": [{ "steps": ["finance"] }] }),
        );
        let day =
            |day| json!({ "sku": "X", "channel": "web", "day": day, "quantity": 9 }).to_string();
        let days: Vec<String> = (10..31).map(|of| day(format!("2026-10-{of}"))).collect();
        home.make("POST", "/planning/v1/history", &days.join("\n"));
        let draft = json!({ "supplier": "S1", "currency": "USD", "lines": [
            { "sku": "Y", "node": "OWN", "quantity": 7, "price": "7.50", "due": "2027-01-20" } ] });
        let draft = home.make("POST", "/procurement/v1/orders", &draft);
        let moved = json!({ "sku": "X", "quantity": 1, "from": "found",
            "to": { "node": "OWN", "status": "hold" } });
        let movement = home.make("POST", "/inventory/v1/movements", &moved);
        let run = home.make("POST", "/planning/v1/runs", &json!({}));
        for (name, value) in [
            ("{supplier}", "S1"),
            ("{sku}", "X"),
            ("{node}", "OWN"),
            ("{channel}", "web"),
            ("{from}", "FBA"),
            ("{to}", "OWN"),
            ("{currency}", "EUR"),
            ("{day}", "2026-11-01"),
            ("{event}", "ev_5"),
        ] {
            home.names.insert(("", name), value.to_owned());
        }
        let (order, receipt) = home.received();
        let correlation = get(&mut home.product, "/procurement/v1/events").1;
        let correlation = correlation["items"][0]["correlationid"].as_str().unwrap().to_owned();
        for (list, name, value) in [
            ("/planning/v1/runs", "{id}", run),
            ("/inventory/v1/movements", "{movement}", movement),
            ("/inventory/v1/orders", "{order}", "O1".to_owned()),
            ("/inventory/v1/protections", "{id}", "P-AMZ".to_owned()),
            ("/planning/v1/promotions", "{id}", "PROMO".to_owned()),
            ("/reporting/v1/cascades", "{correlation_id}", correlation),
            ("/procurement/v1/orders", "{draft}", draft),
            ("/procurement/v1/orders", "{order}", order),
            ("/procurement/v1/orders", "{receipt}", receipt),
        ] {
            home.names.insert((list, name), value);
        }
        for list in ["/inventory/v1/reservations", "/reporting/v1/exceptions"] {
            let id = get(&mut home.product, list).1["items"][0]["id"].as_str().unwrap().to_owned();
            home.names.insert((list, "{id}"), id);
        }
        home
    }

    /// Makes something; gives back its id, if it was given one.
    fn make(&mut self, method: &str, path: &str, body: &impl ToString) -> String {
        let body = Some(body.to_string());
        let (method, path) = (method.to_owned(), path.to_owned());
        let asked = Asked { method, path, query: String::new(), body, if_match: None };
        let answer = ask(&mut self.product, caller(HOME, Role::Admin), &asked);
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        assert!(answer.status < 300, "{asked:?}: {said}");
        self.product.settle().unwrap();
        said["id"].as_str().unwrap_or_default().to_owned()
    }

    /// A purchase order with a receipt, and the receipt.
    fn received(&mut self) -> (String, String) {
        let orders = get(&mut self.product, "/procurement/v1/orders").1;
        for order in orders["items"].as_array().unwrap() {
            let order = order["id"].as_str().unwrap().to_owned();
            let receipts =
                get(&mut self.product, &format!("/procurement/v1/orders/{order}/receipts"));
            if let Some(receipt) = receipts.1["items"][0]["id"].as_str() {
                return (order, receipt.to_owned());
            }
        }
        panic!("nothing was received");
    }

    /// The operation's path with names that home has.
    fn path(&self, path: &str) -> String {
        let list = path.split("/{").next().unwrap();
        let last = path.rsplit('/').next().unwrap();
        let part = |part: &str| {
            let drafts = list == "/procurement/v1/orders" && matches!(last, "submit" | "cancel");
            let part = if part == "{order}" && drafts { "{draft}" } else { part };
            let own = self.names.iter().find(|((of, name), _)| *of == list && *name == part);
            let any = || self.names.iter().find(|((of, name), _)| of.is_empty() && *name == part);
            own.or_else(any).map_or_else(|| part.to_owned(), |(_, value)| value.clone())
        };
        let filled = path.split('/').map(part).collect::<Vec<_>>().join("/");
        assert!(!filled.contains('{'), "{path}: home has no name for it");
        filled
    }

    /// The requests of an operation: with home's names in its path, body and query, and at every
    /// place of home's list.
    fn requests(&mut self, document: &Value, operation: &Operation<'_>) -> Vec<Asked> {
        let method = operation.name.split(' ').next().unwrap().to_owned();
        let path = self.path(operation.path);
        let mut asked = Asked { method, path, query: String::new(), body: None, if_match: None };
        let parameters = operation.value["parameters"].as_array().cloned().unwrap_or_default();
        let queried =
            |name: &str| parameters.iter().any(|one| one["in"] == "query" && one["name"] == *name);
        let required = |name: &str| {
            parameters.iter().any(|one| one["name"] == *name && one["required"] == true)
        };
        let named = QUERIES.into_iter().filter(|(name, _)| queried(name));
        let (needed, more): (Vec<_>, Vec<_>) = named.partition(|(name, _)| required(name));
        let written = |(name, value): &(&str, &str)| format!("{name}={value}");
        asked.query = needed.iter().map(written).collect::<Vec<_>>().join("&");
        match asked.method.as_str() {
            "PUT" => {
                let (answer, view) = get(&mut self.product, &asked.path);
                let tag = answer.headers.into_iter().find(|(name, _)| name == "etag");
                asked.if_match = tag.map(|(_, tag)| tag);
                asked.body = Some(put_body(document, operation, &view).to_string());
            }
            "POST" => asked.body = body(operation.path).map(|body| body.to_string()),
            _ => {}
        }
        let mut all = vec![asked.clone()];
        all.extend(more.iter().map(|one| {
            let query = format!("{}&{}", asked.query, written(one));
            Asked { query: query.trim_start_matches('&').to_owned(), ..asked.clone() }
        }));
        if queried("after") {
            let mut pages = 0;
            let mut path = format!("{}?limit=1", asked.path);
            while let Some(next) = get(&mut self.product, &path).1["next"].as_str() {
                let query = format!("after={next}&limit=1");
                path = format!("{}?{query}", asked.path);
                all.push(Asked { query, ..asked.clone() });
                pages += 1;
                if pages == PAGES {
                    break;
                }
            }
        }
        all
    }
}

/// Pages of a list that are asked for by home's cursors.
const PAGES: usize = 3;

/// What home's things are called in queries.
const QUERIES: [(&str, &str); 5] = [
    ("sku", "X"),
    ("channel", "web"),
    ("supplier", "S1"),
    ("quantity", "3"),
    ("wanted", "2027-01-15"),
];

/// What home has there, as a body that says the same once more.
fn put_body(document: &Value, operation: &Operation<'_>, view: &Value) -> Value {
    let schema = &operation.value["requestBody"]["content"]["application/json"]["schema"];
    let path = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let schema = path.and_then(|path| document.pointer(path)).unwrap_or(schema);
    let taken = |name: &str| schema["properties"][name].is_object();
    let fields = view.as_object().unwrap_or_else(|| panic!("{}: home has none", operation.name));
    let kept = fields.iter().filter(|(name, value)| taken(name) && !value.is_null());
    let mut body: Map<String, Value> =
        kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    if operation.path.starts_with("/inventory/v1/orders/") {
        // Its view tells of each line what became of it; a statement has not that.
        let line = json!({ "sku": "X", "quantity": 90, "wanted": "2026-12-18",
            "price": { "amount": "12.00", "currency": "USD" } });
        body.insert("lines".to_owned(), json!([line]));
    }
    Value::Object(body)
}

/// Bodies of commands, with home's names; none where a command needs none.
fn body(path: &str) -> Option<Value> {
    let reason = json!({ "reason": "r" });
    let line = json!({ "sku": "X", "quantity": 1 });
    Some(match path.rsplit('/').next().unwrap_or_default() {
        "tick" | "replay" | "dismiss" => return None,
        "confirmations" => json!({ "lines": [{ "line": 1, "day": "2026-12-30" }] }),
        "receipts" => json!({ "lines": [{ "line": 1, "accepted": 1 }], "node": "OWN" }),
        "conditional" => json!({ "limit": { "amount": "5", "currency": "USD" }, "reason": "r" }),
        "movements" => json!({ "sku": "X", "quantity": 1, "from": "found",
            "to": { "node": "OWN", "status": "hold" } }),
        "reservations" => json!({ "channel": "web", "order": "O1", "lines": [line] }),
        "ship" | "release" if path.contains("reservations") => json!({ "lines": [line] }),
        "history" => json!({ "sku": "X", "channel": "web", "day": "2026-10-01", "quantity": 3 }),
        "runs" => json!({}),
        "orders" => json!({ "supplier": "S1", "currency": "USD", "lines": [
            { "sku": "X", "node": "OWN", "quantity": 5, "price": "7.50", "due": "2027-01-20" } ] }),
        _ => reason,
    })
}

/// What of an answer differs, in short.
fn differs(one: &Response, other: &Response) -> Option<String> {
    let said = |answer: &Response| String::from_utf8_lossy(&answer.body).into_owned();
    let same = one.status == other.status && one.headers == other.headers && one.body == other.body;
    (!same).then(|| format!("{} {} and {} {}", one.status, said(one), other.status, said(other)))
}

/// The product beside home, after home has sent this, and where there never was anything.
fn worlds(home: &Native, asked: &Asked) -> [Native; 2] {
    let mut beside = home.fork();
    ask(&mut beside, caller(HOME, Role::Admin), asked);
    beside.settle().unwrap();
    let alone = beside.emptied();
    [beside, alone]
}

/// What tells a stranger that home is there.
fn telltales(home: &Native, role: Role, asked: &Asked) -> Vec<String> {
    let mut worlds = worlds(home, asked);
    let before = worlds[0].store().contents(HOME);
    let answers = worlds.each_mut().map(|world| ask(world, caller(STRANGER, role), asked));
    let mut found: Vec<String> = differs(&answers[0], &answers[1]).into_iter().collect();
    found.extend(answers.iter().filter(|one| one.status >= 500).map(|one| one.status.to_string()));
    let [beside, alone] = worlds.each_ref().map(|world| world.store().contents(STRANGER));
    if beside != alone {
        found.push("it left something else behind".to_owned());
    }
    if worlds[0].store().contents(HOME) != before {
        found.push("home has changed".to_owned());
    }
    found
}

/// Whether it would be seen that a stranger is taken for home.
fn shows(home: &Native, asked: &Asked) -> bool {
    let worlds = [home.fork(), home.emptied()];
    let answers = worlds.map(|mut world| ask(&mut world, caller(HOME, Role::Admin), asked));
    differs(&answers[0], &answers[1]).is_some()
}

#[test]
fn a_tenant_tells_nothing_of_itself_to_another() {
    let mut home = Home::furnished();
    let (mut faults, mut blind, mut all) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let mut asked = 0;
    for one in published() {
        for operation in operations(&one.document) {
            all.insert(operation.name.clone());
            let may = wanted(&operation.name, operation.path).unwrap_or_default();
            let requests = home.requests(&one.document, &operation);
            let home = &home.product;
            for request in &requests {
                for role in Role::ALL {
                    if role == Role::Admin || may.contains(role.name()) {
                        asked += 1;
                        let found = telltales(home, role, request);
                        let told = |what: String| format!("{request:?} as {}: {what}", role.name());
                        faults.extend(found.into_iter().map(told));
                    }
                }
            }
            if !requests.iter().any(|request| shows(home, request)) {
                blind.insert(operation.name.clone());
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let listed = |name: &str| ALIKE.iter().any(|(path, _)| name.ends_with(path));
    let expected: BTreeSet<String> = all.into_iter().filter(|name| listed(name)).collect();
    let unseen: Vec<&String> = blind.difference(&expected).collect();
    assert!(unseen.is_empty(), "home could be shown, and nobody would notice: {unseen:#?}");
    let needless: Vec<&String> = expected.difference(&blind).collect();
    assert!(needless.is_empty(), "these tell home from nobody, and are listed: {needless:#?}");
    assert!(asked > 250, "only {asked} requests were sent");
}
