//! Who may do what, by asking: every operation as every role, and with another tenant's ids.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tradewind_shell::auth::Caller;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::route::Role;
use tradewind_tests::native::Native;
use tradewind_tests::story;

use crate::openapi::{Operation, operations, published};
use crate::read;
use crate::roles::wanted;

const HOME: &str = "home";

fn caller(tenant: &str, role: Role) -> Caller {
    Caller {
        subject: role.name().to_owned(),
        tenant: tenant.to_owned(),
        roles: vec![role],
        supplier: None,
        channel: None,
        expires: i64::MAX,
    }
}

fn ask(
    product: &mut Native,
    caller: Caller,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Response {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if method == "POST" {
        headers.push(("idempotency-key".to_owned(), "k1".to_owned()));
    }
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        ..Request::default()
    };
    product.answer(caller, &request).unwrap()
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or(Value::Null)
}

/// The entries of a printed structure, by name, at this depth.
fn entries(text: &str, depth: usize) -> BTreeMap<String, String> {
    let margin = " ".repeat(4 * depth);
    let mut found = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix(&margin)
            && !rest.starts_with([' ', '}', ']'])
        {
            name = rest.split(": ").next().unwrap_or(rest).to_owned();
        }
        let entry: &mut String = found.entry(name.clone()).or_default();
        entry.push_str(line);
        entry.push('\n');
    }
    found
}

/// What of a tenant is not as it was, beside the note that somebody was refused.
fn changed(before: &str, after: &str, domain: &str) -> Vec<String> {
    let (before, after) = (entries(before, 1), entries(after, 1));
    let mut faults = Vec::new();
    for part in ["records", "indexes", "marks"] {
        if before.get(part) != after.get(part) {
            faults.push(format!("{part} changed"));
        }
    }
    let sets = |all: &BTreeMap<String, String>| {
        let mut sets = entries(&all["sets"], 2);
        sets.remove(&format!("\"{domain}:refusals\""));
        sets.into_values().collect::<String>().replace(['{', '}', '\n', ',', ' '], "")
    };
    if sets(&before) != sets(&after) {
        faults.push("sets changed".to_owned());
    }
    let told = |all: &BTreeMap<String, String>, what: &str| all["streams"].matches(what).count();
    let more = |what: &str| told(&after, what).saturating_sub(told(&before, what));
    let refused = format!("kind: \"{domain}.access-refused\"");
    if (more("sequence: "), more(&refused)) != (1, 1) {
        faults.push(format!(
            "{} events, {} of them of a refusal",
            more("sequence: "),
            more(&refused)
        ));
    }
    faults
}

/// A path of the operation with ids that nothing has.
fn invented(path: &str) -> String {
    let part = |part: &str| match part {
        "{event}" => "ev_1".to_owned(),
        "{currency}" => "EUR".to_owned(),
        "{day}" => "2026-01-01".to_owned(),
        other if other.starts_with('{') => "nothing".to_owned(),
        other => other.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn method<'a>(operation: &'a Operation<'_>) -> &'a str {
    operation.name.split(' ').next().unwrap()
}

#[test]
fn every_operation_answers_403_to_exactly_those_who_may_not() {
    let mut home = Native::default();
    let item = json!({ "name": "X" });
    let made =
        ask(&mut home, caller(HOME, Role::Admin), "PUT", "/inventory/v1/items/X", Some(&item));
    assert_eq!(made.status, 201);
    home.settle().unwrap();
    let before = home.store().contents(HOME);
    let mut faults = Vec::new();
    for one in published() {
        let domain = one.domain.name();
        for operation in operations(&one.document) {
            if operation.path.ends_with("/v1/health") {
                continue;
            }
            let may = wanted(&operation.name, operation.path).unwrap_or_default();
            for role in Role::ALL {
                let mut product = home.fork();
                let (name, path) = (&operation.name, invented(operation.path));
                let answer = ask(&mut product, caller(HOME, role), method(&operation), &path, None);
                let allowed = role == Role::Admin || may.contains(role.name());
                if allowed == (answer.status == 403) {
                    faults.push(format!("{name} as {}: {}", role.name(), answer.status));
                }
                if answer.status == 403 {
                    let after = product.store().contents(HOME);
                    let found = changed(&before, &after, domain);
                    faults.extend(found.into_iter().map(|what| format!("{name}, refused: {what}")));
                } else if answer.status >= 500 {
                    faults.push(format!("{name} as {}: {}", role.name(), answer.status));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Bodies of commands that need one.
fn command(path: &str) -> Value {
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "confirmations" => json!({ "lines": [{ "line": 1, "day": "2026-12-30" }] }),
        "receipts" => json!({ "lines": [{ "line": 1, "accepted": 1 }], "node": "OWN" }),
        "conditional" => json!({ "limit": { "amount": "5", "currency": "USD" }, "reason": "r" }),
        "approve" | "reject" | "cancel" | "close" | "suspend" | "block" => json!({ "reason": "r" }),
        _ => json!({}),
    }
}

/// The first id of a list.
fn first(product: &mut Native, list: &str) -> String {
    let answer = ask(product, caller(HOME, Role::Admin), "GET", list, None);
    let body = body(&answer);
    let id = body.pointer("/items/0/id").and_then(Value::as_str);
    id.unwrap_or_else(|| panic!("{list} has nothing: {body}")).to_owned()
}

/// A tenant with something under every kind of id: the main job, and what it has none of.
fn furnished() -> Native {
    let mut home = Native::default();
    story::play(&mut home, HOME, &read("tests/scenarios/main_job.md")).unwrap();
    let mut admin = |method: &str, path: &str, body: Value| {
        let answer = ask(&mut home, caller(HOME, Role::Admin), method, path, Some(&body));
        assert!(answer.status < 300, "{path}: {}", String::from_utf8_lossy(&answer.body));
        home.settle().unwrap();
    };
    admin("PUT", "/finance/v1/rates/EUR/2026-11-01", json!({ "rate": "1.1" }));
    admin("PUT", "/inventory/v1/lanes/FBA/OWN", json!({ "days": 2 }));
    admin("PUT", "/planning/v1/policies/X/OWN", json!({}));
    home
}

/// The operation's path with ids that the tenant at home has; none where it has nothing such.
fn real(home: &mut Native, path: &str) -> Option<String> {
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in [
        ("{supplier}", "S1"),
        ("{sku}", "X"),
        ("{node}", "OWN"),
        ("{channel}", "web"),
        ("{from}", "FBA"),
        ("{to}", "OWN"),
        ("{currency}", "EUR"),
        ("{day}", "2026-11-01"),
    ] {
        named.insert(name, value.to_owned());
    }
    let (list, _) = path.split_once("/{")?;
    match list {
        "/inventory/v1/orders" => drop(named.insert("{order}", "O1".to_owned())),
        "/inventory/v1/protections" => drop(named.insert("{id}", "P-AMZ".to_owned())),
        "/planning/v1/promotions" => drop(named.insert("{id}", "PROMO".to_owned())),
        "/procurement/v1/orders" => {
            let order = first(home, list);
            if path.contains("{receipt}") {
                return None;
            }
            named.insert("{order}", order);
        }
        "/reporting/v1/cascades" => {
            let events = "/procurement/v1/events";
            let answer = ask(home, caller(HOME, Role::Admin), "GET", events, None);
            let id = body(&answer)
                .pointer("/items/0/correlationid")
                .and_then(|id| id.as_str().map(str::to_owned));
            named.insert("{correlation_id}", id.unwrap());
        }
        "/planning/v1/runs" => {
            let made = ask(home, caller(HOME, Role::Admin), "POST", list, Some(&json!({})));
            let id = body(&made)["id"].as_str().unwrap().to_owned();
            home.settle().unwrap();
            named.insert("{id}", id);
        }
        "/inventory/v1/reservations" | "/reporting/v1/exceptions" => {
            named.insert("{id}", first(home, list));
        }
        _ if path.contains("{event}") || path.contains("/forecasts/") => return None,
        _ => {}
    }
    let part = |part: &str| named.get(part).cloned().unwrap_or_else(|| part.to_owned());
    let filled = path.split('/').map(part).collect::<Vec<_>>().join("/");
    assert!(!filled.contains('{'), "{path}: no id is known for it");
    Some(filled)
}

#[test]
fn another_tenants_ids_are_unknown() {
    let mut home = furnished();
    real(&mut home, "/planning/v1/runs/{id}");
    let before = home.store().contents(HOME);
    let (mut faults, mut asked) = (Vec::new(), 0);
    for one in published() {
        for operation in operations(&one.document) {
            let (name, verb) = (&operation.name, method(&operation));
            let admin = |tenant: &str| caller(tenant, Role::Admin);
            if verb == "GET" && !operation.path.contains('{') {
                // A list of nothing, or a question that needs more to be asked.
                let answer = ask(&mut home, admin("stranger"), verb, operation.path, None);
                let body = body(&answer);
                if body["items"].as_array().is_some_and(|items| !items.is_empty()) {
                    faults.push(format!("{name} shows {body}"));
                }
                continue;
            }
            if verb == "PUT" || !operation.path.contains('{') {
                continue;
            }
            let Some(path) = real(&mut home, operation.path) else { continue };
            asked += 1;
            let command = (verb == "POST").then(|| command(&path));
            let answer = ask(&mut home, admin("stranger"), verb, &path, command.as_ref());
            if answer.status != 404 {
                let said = String::from_utf8_lossy(&answer.body).into_owned();
                faults.push(format!("{name}, {path}: {} {said}", answer.status));
            }
            if verb == "GET" {
                let answer = ask(&mut home, admin(HOME), verb, &path, None);
                if answer.status != 200 {
                    faults.push(format!("{name}, {path} at home: {}", answer.status));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(asked > 30, "only {asked} operations were asked");
    assert_eq!(home.store().contents(HOME), before, "a stranger changed something");
    let left = home.store().contents("stranger");
    assert!(left.contains("sequence: 0,"), "a stranger left something: {left}");
}
