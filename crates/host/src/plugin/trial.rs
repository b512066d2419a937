//! Trying a plug-in out, away from any application: questions in, answers out, as JSON.

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::contract::exports::tradewind::plugin::approval::{Failure, Opinion, Question};
use super::visit::{Visited, Visits};
use crate::Limits;
use crate::engine;

/// Two surroundings that differ in all that a plug-in must not go by: one is as in an application.
const SURROUNDINGS: [u64; 2] = [0, 20_000];

/// Asks each of these questions twice, in surroundings that differ, under the limits that hold in
/// an application. For each question there is
/// `{"answers": [a, a], "milliseconds": most, "memory_bytes": most}`, where an answer is
/// `{"opinion": …}`, `{"failed": text}` or `{"ended": text, "by": name}`.
///
/// # Errors
/// The plug-in does not load, or a question is none.
pub async fn try_out(
    plugin: &Path,
    questions: Vec<Value>,
    compiled: &Path,
    limits: &Limits,
) -> anyhow::Result<Vec<Value>> {
    let engine = engine::ticking(limits)?;
    let component = engine::load(&engine, plugin, compiled)?;
    let visits = Visits::new(&engine, &component, "plug-in", limits)?;
    let mut results = Vec::new();
    for (place, question) in questions.into_iter().enumerate() {
        let question: Question = serde_json::from_value(question)
            .with_context(|| format!("question {} is none", place + 1))?;
        let mut visited = Vec::new();
        for surroundings in SURROUNDINGS {
            visited.push(visits.visit(&question, surroundings).await);
        }
        results.push(json!({
            "answers": visited.iter().map(answer).collect::<Vec<_>>(),
            "milliseconds": visited.iter().map(|it| it.took.as_millis()).max(),
            "memory_bytes": visited.iter().map(|it| it.memory_bytes).max(),
        }));
    }
    Ok(results)
}

fn answer(visited: &Visited) -> Value {
    match &visited.answer {
        Ok(Ok(opinion)) => json!({ "opinion": self::opinion(opinion) }),
        Ok(Err(Failure::Failed(why))) => json!({ "failed": why }),
        Ok(Err(Failure::Ended(_) | Failure::Later)) => {
            json!({ "ended": "it says what a host alone may say", "by": "nonsense" })
        }
        Err(end) => json!({ "ended": end.to_string(), "by": end.name() }),
    }
}

fn opinion(opinion: &Opinion) -> Value {
    match opinion {
        Opinion::NoOpinion => json!("no-opinion"),
        Opinion::Require(it) => {
            json!({ "require": { "roles": it.roles, "because": it.because } })
        }
        Opinion::Refuse(it) => json!({ "refuse": { "code": it.code, "because": it.because } }),
    }
}
