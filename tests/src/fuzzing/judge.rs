//! What must hold of every answer, by the document and by the store.

use serde_json::Value;
use tradewind_shell::http::Response;

use super::request::{Operation, Shot, shortened};
use super::schema::{faults, resolved};

/// Refusals that the form of a request does not foretell: a key was used before, a cursor is of a
/// list that has moved on.
const OF_STATE: [&str; 1] = ["cursor-unknown"];

/// Refusals of a form that a document of OpenAPI cannot state: of two parameters, one is needed.
const UNSAID: [(&str, &str); 1] = [("/suppliers/v1/offers", "query-malformed")];

/// What is wrong with an answer, as far as one sees without the store.
#[must_use]
pub fn answer(operation: &Operation<'_>, shot: &Shot, response: &Response) -> Vec<String> {
    let mut found = Vec::new();
    let status = response.status;
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let code = body["code"].as_str().unwrap_or("");
    if status >= 500 {
        found.push("a fault of ours".to_owned());
    }
    let told = &operation.told["responses"][status.to_string()];
    if told.is_null() {
        found.push("the status is not documented".to_owned());
    } else {
        found.extend(form(operation, resolved(operation.document, told), response, &body));
    }
    if !(200..300).contains(&status) {
        if body["status"] != status || code.is_empty() || body["detail"] == "" {
            found.push("the problem does not say what it is".to_owned());
        }
        let named = response.headers.iter().find(|(name, _)| name == "correlation-id");
        if named.is_none_or(|(_, value)| body["correlation_id"] != value.as_str()) {
            found.push("the problem's correlation is not that of the header".to_owned());
        }
    }
    let (accepted, lawful) = (status < 400, shot.wrong.is_empty());
    // Monitors add to a health check what they like; it reads nothing of it.
    if accepted && !lawful && !operation.path.ends_with("/v1/health") {
        found.push(format!("accepted, though {}", shot.wrong.join("; ")));
    }
    let excused = OF_STATE.contains(&code) || UNSAID.contains(&(operation.path, code));
    if matches!(status, 400 | 413 | 415) && lawful && !excused {
        found.push("refused for its form, which the document allows".to_owned());
    }
    if !operation.may(shot.role()) && (accepted || (lawful && status != 403)) {
        found.push(format!("{} may not", shot.role().name()));
    }
    found
}

/// Whether the body is of the form that is published for the status.
fn form(operation: &Operation<'_>, told: &Value, response: &Response, body: &Value) -> Vec<String> {
    // The document itself, in the one form that it does not describe.
    if operation.path.ends_with("/openapi.json") && response.status == 200 {
        return Vec::new();
    }
    let kind = response.headers.iter().find(|(name, _)| name == "content-type");
    let kind = kind.map_or("", |(_, value)| value.as_str());
    let Some(media) = told["content"].get(kind) else {
        return vec![format!("`{kind}` is not documented for it")];
    };
    let found = faults(operation.document, &media["schema"], body);
    found.into_iter().map(|fault| format!("the answer {fault}")).collect()
}

/// Whether a refusal leaves a note of itself: one for want of a right, and a refused approval.
#[must_use]
pub fn is_noted(response: &Response) -> bool {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    response.status == 403 || body["code"] == "approval-insufficient"
}

/// What of a tenant a refused request changed but for the note, if it leaves one.
#[must_use]
pub fn unchanged(before: &str, after: &str, noted: bool) -> Option<String> {
    if before == after {
        return None;
    }
    let events = |text: &str| text.matches(" kind: \"").count();
    let notes = |text: &str| {
        let of_refusal =
            |line: &&str| line.contains(" kind: \"") && line.contains(".access-refused\"");
        text.lines().filter(of_refusal).count()
    };
    let more = |count: &dyn Fn(&str) -> usize| count(after).saturating_sub(count(before));
    if noted && (more(&events), more(&notes)) == (1, 1) {
        return None;
    }
    let mut lines = before.lines().zip(after.lines());
    let differs = lines.find(|(one, other)| one != other);
    let (one, other) = differs.unwrap_or(("(end)", "(end)"));
    Some(format!("refused, and changed\n    {}\n  to {}", shortened(one), shortened(other)))
}
