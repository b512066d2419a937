//! Who may do what, by asking: every operation as every role.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tradewind_shell::auth::Caller;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::route::Role;
use tradewind_tests::native::Native;

use crate::openapi::{Operation, operations, published};
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
        headers.push(("idempotency-key".to_owned(), format!("k1{path}")));
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
