//! Schemathesis, a public fuzzer, against the real host: it knows the product by its documents alone.
//!
//! Its judgement is its own: no 5xx, no undocumented status, type, header or form of answer, no
//! operation without the token that it needs, nothing accepted that the document forbids, nothing
//! refused for its form that the document allows, 405 for methods that there are not. What of that
//! is switched off, and why, stands in `clients/schemathesis/schemathesis.toml`.
//!
//! [`crate::fuzzing`] sends more, sees the store, and follows ids.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use xtask::clients::{folder, program};
use xtask::project::{DOMAINS, Project};

use crate::driver::Sender;
use crate::hosted::{Application, Entry, Hosted, project};
use crate::story;

/// The tenant of the main job, on which it is let loose.
const TENANT: &str = "schemathesis";

/// What is sent: the document of a domain, as somebody with this role.
type Part = (&'static str, &'static str);

/// How much is sent.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Random requests of each operation, beside those at the bounds.
    pub examples: u32,
    /// What chance begins with; none: the same requests every time.
    pub seed: Option<u64>,
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations that were tested.
    pub operations: u64,
    /// Requests.
    pub requests: u64,
}

/// Lets it loose on all domains: as admin, whom no role stops, and on half of them as somebody who may
/// do little. One host answers through each entry, both at once.
///
/// # Errors
/// It found something, or could not be run.
pub fn play(effort: Effort) -> Result<Counts> {
    let [suppliers, inventory, procurement, finance, planning, reporting] = DOMAINS;
    let lean: [Part; 4] =
        [(inventory, "admin"), (suppliers, "admin"), (finance, "admin"), (procurement, "viewer")];
    let http: [Part; 5] = [
        (procurement, "admin"),
        (planning, "admin"),
        (reporting, "admin"),
        (inventory, "channel"),
        (suppliers, "buyer"),
    ];
    let config = fresh()?;
    std::thread::scope(|scope| {
        let running =
            [(Entry::Lean, &lean[..]), (Entry::WasiHttp, &http[..])].map(|(entry, parts)| {
                let config = &config;
                scope.spawn(move || on(entry, parts, config, effort))
            });
        let (mut counts, mut found) = (Counts::default(), Vec::new());
        for one in running {
            match one.join() {
                Ok(Ok(played)) => {
                    counts.operations += played.operations;
                    counts.requests += played.requests;
                }
                Ok(Err(error)) => found.push(format!("{error:#}")),
                Err(_) => found.push("a thread panicked".to_owned()),
            }
        }
        if found.is_empty() { Ok(counts) } else { bail!(found.join("\n\n")) }
    })
}

/// Its folder, with our files as they are now.
fn fresh() -> Result<PathBuf> {
    let to = folder(&project(), "schemathesis");
    let from = project().root().join("tests/clients/schemathesis");
    fs::create_dir_all(&to)?;
    for name in ["hooks.py", "schemathesis.toml"] {
        fs::copy(from.join(name), to.join(name)).with_context(|| name.to_owned())?;
    }
    Ok(to)
}

/// The parts one after the other on a host of their own, furnished by the main job.
fn on(entry: Entry, parts: &[Part], config: &Path, effort: Effort) -> Result<Counts> {
    let mut hosted = Hosted::start_with(Application { entry, ..Application::default() })?;
    let main_job = fs::read_to_string(project().root().join("tests/scenarios/main_job.md"))?;
    story::play(&mut hosted, TENANT, &main_job)?;
    let (mut counts, mut found) = (Counts::default(), Vec::new());
    for (domain, role) in parts {
        match one(&mut hosted, domain, role, config, effort) {
            Ok(sent) => {
                counts.operations += sent.operations;
                counts.requests += sent.requests;
            }
            Err(error) => found.push(format!("{domain} as {role}, {entry:?}: {error:#}")),
        }
    }
    if found.is_empty() { Ok(counts) } else { bail!(found.join("\n\n")) }
}

fn one(
    hosted: &mut Hosted,
    domain: &str,
    role: &str,
    config: &Path,
    effort: Effort,
) -> Result<Counts> {
    let document = document(&project(), domain);
    let sender = Sender {
        tenant: TENANT.to_owned(),
        role: role.to_owned(),
        subject: "schemathesis".to_owned(),
        bound: None,
    };
    let mut command = Command::new(program(config, "venv/bin/schemathesis")?);
    command.args(["--config-file", "schemathesis.toml", "run", "--no-color"]);
    command.arg(&document).args(["--url", &hosted.base()]);
    command.args(["--max-examples", &effort.examples.to_string()]);
    match effort.seed {
        Some(seed) => command.args(["--seed", &seed.to_string(), "--generation-database", "none"]),
        None => command.arg("--generation-deterministic"),
    };
    command.env("TOKEN", hosted.token(&sender)?).current_dir(config);
    let output = command.output().context("Schemathesis does not start; run: cargo xtask test")?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{said}{errors}\n{}", hosted.log());
    }
    let text = fs::read_to_string(&document)?;
    let sent = counts(&said).with_context(|| format!("it tells no counts: {said}"))?;
    let there = operations(&serde_json::from_str(&text)?);
    if sent.operations != there {
        bail!("it tested {} of {there} operations", sent.operations);
    }
    Ok(sent)
}

fn document(project: &Project, domain: &str) -> PathBuf {
    project.root().join("components").join(domain).join("openapi.json")
}

fn operations(document: &Value) -> u64 {
    let paths = document["paths"].as_object().into_iter().flatten();
    let count = paths.filter_map(|(_, item)| item.as_object()).map(serde_json::Map::len);
    count.sum::<usize>() as u64
}

/// Reads `Tested: 18` and `975 generated` of its summary.
fn counts(said: &str) -> Option<Counts> {
    let mut words = said.split_whitespace();
    words.find(|word| *word == "Tested:")?;
    let operations = words.next()?.parse().ok()?;
    let mut before = "";
    let requests = words.find_map(|word| {
        let count = (word.trim_end_matches(',') == "generated").then(|| before.parse().ok());
        before = word;
        count.flatten()
    })?;
    Some(Counts { operations, requests })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        let said = "  Selected: 18/18\n  Tested: 18\n\nTest cases:\n  975 generated, 28 skipped\n";
        assert_eq!(counts(said), Some(Counts { operations: 18, requests: 975 }));
        assert_eq!(counts("Usage: …"), None);
    }
}
