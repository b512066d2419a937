//! House rules, read from the source: who may import whom, sizes, words.
//!
//! Each rule has its reason beside it. A rule that a file cannot keep is listed with that file, so
//! that the list can only shrink.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const DOMAINS: [&str; 6] =
    ["suppliers", "procurement", "inventory", "planning", "finance", "reporting"];

/// A file holds one noun; beyond this it usually holds two.
const MAX_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let made = ["target", ".git", "node_modules", ".venv", ".tradewind"];
            if !made.contains(&name.as_str()) {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

fn all_sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    files.sort();
    files.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect()
}

/// The part of a file before its tests: the rules for nouns are about what ships.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn uses<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter(move |line| !line.trim_start().starts_with("//") && line.contains(name))
}

#[test]
fn the_kernel_imports_nothing_of_ours_and_does_no_io() {
    for (file, text) in all_sources() {
        if !file.starts_with("crates/kernel/src/") {
            continue;
        }
        for word in [
            "tradewind_",
            "std::fs",
            "std::net",
            "std::env",
            "SystemTime",
            "f64",
            "f32",
            "getrandom",
        ] {
            let found: Vec<&str> = uses(shipped(&text), word).collect();
            assert!(found.is_empty(), "{file} uses {word}: {found:?}");
        }
    }
}

#[test]
fn domains_never_import_each_other() {
    for (file, text) in all_sources() {
        let within = |name: &&&str| {
            let rest = file.strip_prefix("components/").and_then(|rest| rest.strip_prefix(**name));
            rest.is_some_and(|rest| rest.starts_with("/src/") || rest.starts_with("/component/"))
        };
        let Some(domain) = DOMAINS.iter().find(within) else { continue };
        for other in DOMAINS.iter().filter(|other| other != &domain) {
            let name = format!("tradewind_{other}");
            let found: Vec<&str> = uses(shipped(&text), &name).collect();
            assert!(found.is_empty(), "{file} imports {other}: {found:?}");
        }
    }
}

/// The files of a domain that may see the shell, because they gather, route or answer; all others
/// are nouns.
const EDGES: [&str; 11] = [
    "lib.rs",
    "queries.rs",
    "reactions.rs",
    "http.rs",
    "asks.rs",
    "keys.rs",
    "gathering.rs",
    "tick.rs",
    "routes.rs",
    "options.rs",
    "runs.rs",
];

#[test]
fn nouns_see_the_kernel_alone_and_bindings_stay_at_the_edge() {
    for (file, text) in all_sources() {
        let Some(rest) = file.strip_prefix("components/") else { continue };
        // What lies under `component/` is the domain's edge, in packages of its own.
        let Some((_, inside)) = rest.split_once("/src/") else { continue };
        if rest.contains("/component/") {
            continue;
        }
        let top = inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs");
        // The built-in plug-ins are what a partner would write: bindings and nothing of ours.
        if file.starts_with("components/defaults/") {
            continue;
        }
        let edge = EDGES.iter().any(|name| name.trim_end_matches(".rs") == top);
        let text = shipped(&text);
        if !edge {
            let found: Vec<&str> = uses(text, "tradewind_shell").collect();
            assert!(found.is_empty(), "the noun {file} imports the shell: {found:?}");
        }
        for word in ["spin_sdk", "tradewind_bindings", "wit_bindgen"] {
            let found: Vec<&str> = uses(text, word).collect();
            assert!(found.is_empty(), "{file} sees bindings: {found:?}");
        }
    }
}

#[test]
fn plug_ins_import_nothing_of_ours() {
    for (file, text) in all_sources() {
        let folders = ["components/defaults/", "plugins/", "tests/plugins/"];
        if !folders.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        let found: Vec<&str> = uses(&text, "tradewind_").collect();
        assert!(found.is_empty(), "the plug-in {file} imports ours: {found:?}");
    }
}

#[test]
fn shell_host_and_tasks_keep_their_distance() {
    for (file, text) in all_sources() {
        let text = shipped(&text);
        let bans: &[&str] = if file.starts_with("crates/shell/src/") {
            &[
                "tradewind_suppliers",
                "tradewind_procurement",
                "tradewind_inventory",
                "tradewind_planning",
                "tradewind_finance",
                "tradewind_reporting",
                "tradewind_host",
            ]
        } else if file.starts_with("crates/host/src/") {
            &[
                "tradewind_kernel",
                "tradewind_shell",
                "tradewind_suppliers",
                "tradewind_inventory",
                "procurement",
                "supplier",
                "reservation",
                "sku",
            ]
        } else {
            continue;
        };
        for word in bans {
            let found: Vec<&str> = uses(text, word).collect();
            assert!(found.is_empty(), "{file} knows {word}: {found:?}");
        }
    }
}

#[test]
fn nothing_else_depends_on_the_embedded_host() {
    for (file, text) in all_sources() {
        let allowed = ["crates/host/", "crates/xtask/", "tests/", "bench/"];
        if allowed.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        let found: Vec<&str> = uses(&text, "tradewind_host").collect();
        assert!(found.is_empty(), "{file} depends on the host: {found:?}");
    }
}

#[test]
fn files_say_what_they_are_and_stay_small() {
    for (file, text) in all_sources() {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{file} has {lines} lines; it holds more than one noun");
        if !file.ends_with("build.rs") {
            assert!(text.starts_with("//!"), "{file} does not begin by saying what it is");
        }
    }
}

#[test]
fn no_unfinished_marks_and_no_vague_names() {
    let marks: [String; 5] = [
        ["to", "do!"].concat(),
        ["unimple", "mented!"].concat(),
        ["FIX", "ME"].concat(),
        ["db", "g!("].concat(),
        ["#[ign", "ore"].concat(),
    ];
    for (file, text) in all_sources() {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{file} has {mark}");
        }
        let stem = Path::new(&file).file_stem().unwrap().to_string_lossy().into_owned();
        for vague in ["utils", "common", "helpers", "manager", "misc"] {
            assert_ne!(stem, vague, "{file}: name the thing");
        }
    }
}

#[test]
fn versions_are_declared_once() {
    let mut manifests = BTreeSet::new();
    let parts = DOMAINS.map(|domain| format!("components/{domain}/component"));
    for folder in ["crates", "components"].into_iter().chain(parts.iter().map(String::as_str)) {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            manifests.insert(entry.unwrap().path().join("Cargo.toml"));
        }
    }
    for manifest in manifests.into_iter().filter(|manifest| manifest.is_file()) {
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
        let own = text.lines().find(|line| line.contains("version = \""));
        assert_eq!(own, None, "{} declares a version of its own", manifest.display());
    }
}
