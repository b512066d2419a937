//! `plugin check` and `plugin test`: a plug-in answers questions in the embedded host, under the
//! limits that hold there.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tradewind_kernel::asks::approval::{Opinion, Question};

use crate::check::plugins;
use crate::command::say;
use crate::compose::Piece;
use crate::project::Project;

/// The golden questions: what any plug-in must have a lawful answer to.
pub const GOLDEN: &str = include_str!("../../data/plugin/approval.json");

/// A question, and the answer to it where one is expected.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    question: Value,
    answer: Option<Value>,
}

/// What the host tells of a question.
#[derive(Deserialize)]
struct Told {
    answers: [Value; 2],
    milliseconds: u64,
    memory_bytes: u64,
}

/// Checks that a plug-in may be attached.
pub fn check(project: &Project, host: &Path, file: &Path) -> Result<()> {
    check_on(project, host, file, GOLDEN)
}

/// Checks a plug-in on these questions, which are [`GOLDEN`] for everybody but tests.
pub fn check_on(project: &Project, host: &Path, file: &Path, golden: &str) -> Result<()> {
    fits(project, file)?;
    let vectors = read(golden).context("the golden vectors")?;
    let told = ask(project, host, file, &vectors)?;
    let mut faults = Vec::new();
    for (vector, told) in vectors.iter().zip(&told) {
        faults.extend(told.fault().map(|fault| format!("{}: {fault}", vector.name)));
    }
    if !faults.is_empty() {
        bail!("{} may not be attached:\n  {}", file.display(), faults.join("\n  "));
    }
    let slowest = told.iter().map(|told| told.milliseconds).max().unwrap_or_default();
    let memory = told.iter().map(|told| told.memory_bytes).max().unwrap_or_default() >> 20;
    say(&format!(
        "{} may be attached: {} questions, {slowest} ms and {memory} MiB at most",
        file.display(),
        told.len()
    ));
    Ok(())
}

/// Holds a plug-in to a partner's own vectors.
pub fn test(project: &Project, host: &Path, file: &Path, vectors: &Path) -> Result<()> {
    fits(project, file)?;
    let named = || vectors.display().to_string();
    let vectors = fs::read_to_string(vectors).with_context(named)?;
    let vectors = read(&vectors).with_context(named)?;
    let told = ask(project, host, file, &vectors)?;
    let mut wrong = 0;
    for (vector, told) in vectors.iter().zip(&told) {
        let expected = vector.answer.as_ref().with_context(|| {
            format!("{}: the vector {:?} expects no answer", named(), vector.name)
        })?;
        let fault = told.differs(expected);
        wrong += usize::from(fault.is_some());
        say(&format!("{}: {}", vector.name, fault.as_deref().unwrap_or("ok")));
    }
    ensure!(wrong == 0, "{wrong} of {} vectors fail", vectors.len());
    Ok(())
}

impl Told {
    /// In what the answers differ from the expected one. That it fails may be what is expected, if
    /// it does so both times.
    fn differs(&self, expected: &Value) -> Option<String> {
        let said = self.answers[0].get("opinion").unwrap_or(&self.answers[0]);
        let is_expected = said == expected;
        let fails_alike = said.get("failed").is_some() && self.answers[0] == self.answers[1];
        match self.fault() {
            Some(fault) => Some(fault).filter(|_| !(is_expected && fails_alike)),
            None if is_expected => None,
            None => Some(format!("expected {expected}, answered {said}")),
        }
    }

    /// What is wrong with the answers, whatever they were to be.
    fn fault(&self) -> Option<String> {
        let [first, second] = &self.answers;
        if let Some(how) = first.get("ended").or(second.get("ended")) {
            return Some(format!("no answer: {}", how.as_str().unwrap_or_default()));
        }
        if first != second {
            return Some(format!("not the same answer twice: {first}, then {second}"));
        }
        if let Some(why) = first.get("failed") {
            return Some(format!("no answer: it says {why}"));
        }
        let opinion = serde_json::from_value::<Opinion>(first["opinion"].clone());
        match opinion.map(Opinion::lawful) {
            Ok(Ok(_)) => None,
            Ok(Err(unlawful)) => Some(unlawful.to_string()),
            Err(error) => Some(format!("its answer {first} does not read: {error}")),
        }
    }
}

/// Its exports and imports are those of a plug-in.
fn fits(project: &Project, file: &Path) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("no {}", file.display()))?;
    plugins::check(&project.wit(), &Piece { name: file.display().to_string(), bytes })
}

/// Reads vectors; each question must be one, and each name stand once.
fn read(text: &str) -> Result<Vec<Vector>> {
    let vectors: Vec<Vector> = serde_json::from_str(text)?;
    let mut names = BTreeSet::new();
    for vector in &vectors {
        ensure!(names.insert(&vector.name), "the name {:?} stands twice", vector.name);
        serde_json::from_value::<Question>(vector.question.clone())
            .with_context(|| format!("the question of {:?}", vector.name))?;
    }
    ensure!(!vectors.is_empty(), "there is no vector");
    Ok(vectors)
}

/// Asks the host to ask the plug-in.
fn ask(project: &Project, host: &Path, file: &Path, vectors: &[Vector]) -> Result<Vec<Told>> {
    let questions: Vec<&Value> = vectors.iter().map(|vector| &vector.question).collect();
    let mut child = Command::new(host)
        .arg("--try-plugin")
        .arg(file)
        .arg("--compiled")
        .arg(project.root().join("target/compiled"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", host.display()))?;
    let mut input = child.stdin.take().context("the host takes no questions")?;
    input.write_all(json!(questions).to_string().as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the host cannot try {} out", file.display());
    let told: Vec<Told> = serde_json::from_slice(&output.stdout).context("what the host tells")?;
    ensure!(told.len() == vectors.len(), "the host answers {} questions", told.len());
    Ok(told)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn told(first: Value, second: Value) -> Told {
        Told { answers: [first, second], milliseconds: 0, memory_bytes: 0 }
    }

    #[test]
    fn golden_questions_are_questions() {
        assert!(read(GOLDEN).unwrap().len() > 10);
        let twice = r#"[{"name": "a", "question": {}}, {"name": "a", "question": {}}]"#;
        assert!(read(twice).is_err());
    }

    #[test]
    fn the_vectors_of_the_examples_and_the_scaffold_are_vectors() {
        let project = Project::here().unwrap();
        for entry in fs::read_dir(project.root().join("plugins")).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path().join("vectors.json")).unwrap();
            assert!(read(&text).unwrap().iter().all(|vector| vector.answer.is_some()));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let none = json!({ "opinion": "no-opinion" });
        let king = json!({ "opinion": { "require": { "roles": ["king"], "because": "a" } } });
        for (first, second, fault) in [
            (none.clone(), none.clone(), None),
            (none.clone(), king.clone(), Some("not the same")),
            (king.clone(), king, Some("`king`")),
            (json!({ "ended": "it trapped" }), none.clone(), Some("no answer: it trapped")),
            (json!({ "failed": "a" }), json!({ "failed": "a" }), Some("it says \"a\"")),
            (json!({ "opinion": 1 }), json!({ "opinion": 1 }), Some("does not read")),
        ] {
            let said = told(first, second).fault();
            assert_eq!(said.is_some(), fault.is_some(), "{said:?}");
            if let (Some(said), Some(fault)) = (said, fault) {
                assert!(said.contains(fault), "{said}");
            }
        }
    }

    #[test]
    fn an_answer_is_the_expected_one_both_times() {
        let none = json!("no-opinion");
        let said = json!({ "opinion": none });
        let fails = json!({ "failed": "no rate" });
        let king = json!({ "require": { "roles": ["king"], "because": "a" } });
        let unlawful = json!({ "opinion": king });
        for (first, second, expected, fault) in [
            (&said, &said, &none, None),
            (&fails, &fails, &fails, None),
            (&said, &fails, &none, Some("not the same answer twice")),
            (&said, &unlawful, &none, Some("not the same answer twice")),
            (&fails, &said, &fails, Some("not the same answer twice")),
            (&fails, &fails, &none, Some("it says")),
            (&unlawful, &unlawful, &king, Some("`king`")),
            (&said, &said, &king, Some("expected")),
        ] {
            let told = told(first.clone(), second.clone()).differs(expected);
            assert_eq!(told.is_some(), fault.is_some(), "{told:?}");
            assert!(told.unwrap_or_default().contains(fault.unwrap_or_default()));
        }
    }
}
