//! Contracts: what is published and what is built is what the code, the events and Spin say.
//!
//! Four documents are made from the code and checked in: `components/*/openapi.json`,
//! `docs/events.json` and `docs/refusals.md`. With `UPDATE=1` these tests write them
//! (`cargo xtask docs`); without it they fail while one differs.

#![allow(clippy::unwrap_used, reason = "a test that cannot read what it holds has failed")]

#[path = "contracts/asked.rs"]
mod asked;
#[path = "contracts/components.rs"]
mod components;
#[path = "contracts/events.rs"]
mod events;
#[path = "contracts/examples.rs"]
mod examples;
#[path = "contracts/openapi.rs"]
mod openapi;
#[path = "contracts/reactions.rs"]
mod reactions;
#[path = "contracts/refusals.rs"]
mod refusals;
#[path = "contracts/roles.rs"]
mod roles;
#[path = "contracts/strangers.rs"]
mod strangers;
#[path = "contracts/texts.rs"]
mod texts;

use std::fs;
use std::path::{Path, PathBuf};

use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;

use reactions::Nobody;

/// A world in which every domain is a service.
type World = LocalWorld<MemoryStore, Nobody>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|fault| panic!("no {path}: {fault}"))
}

/// Holds a generated document to the one that is checked in, or writes it under `UPDATE=1`.
fn golden(path: &str, text: &str) {
    let file = root().join(path);
    let kept = fs::read_to_string(&file).unwrap_or_default();
    if kept == text {
        return;
    }
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(&file, text).unwrap_or_else(|fault| panic!("cannot write {path}: {fault}"));
        return;
    }
    let (place, ours, theirs) = first_difference(text, &kept);
    panic!(
        "{path} is not what the code says; run: cargo xtask docs\n\
         line {place}: the code says\n  {ours}\nand the file\n  {theirs}"
    );
}

fn first_difference<'a>(ours: &'a str, theirs: &'a str) -> (usize, &'a str, &'a str) {
    let (mut left, mut right) = (ours.lines(), theirs.lines());
    let mut place = 1;
    loop {
        match (left.next(), right.next()) {
            (one, other) if one == other && one.is_some() => place += 1,
            (one, other) => return (place, one.unwrap_or("(end)"), other.unwrap_or("(end)")),
        }
    }
}

/// The Rust files under a folder of the project, with their paths from the root, in order.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}
