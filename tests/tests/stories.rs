//! Every story of `scenarios/`, on the in-memory store and on the real host with a real
//! Redis, through the lean entry; some of them through `wasi:http` as well.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use tradewind_tests::driver::Driver;
use tradewind_tests::hosted::{Entry, Hosted};
use tradewind_tests::native::Native;
use tradewind_tests::story;

fn scenarios() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let wanted = std::env::var("STORY").unwrap_or_default();
    files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "md"))
        .map(|file| {
            let name = file.file_stem().unwrap().to_string_lossy().replace('_', "-");
            (name, fs::read_to_string(&file).unwrap())
        })
        .filter(|(name, _)| name.contains(&wanted))
        .collect()
}

/// Plays stories and reports every one that fails, not only the first.
fn play_all(stories: &[(String, String)], mut driver: impl FnMut() -> Box<dyn Driver>) {
    let mut faults = Vec::new();
    for (name, text) in stories {
        let mut driver = driver();
        if let Err(fault) = story::play(driver.as_mut(), name, text) {
            faults.push(format!("{fault:#}"));
        }
    }
    assert!(faults.is_empty(), "{} stories failed:\n\n{}", faults.len(), faults.join("\n\n"));
}

#[test]
fn stories_hold_in_memory() {
    let stories = scenarios();
    assert!(!stories.is_empty(), "there are no stories");
    play_all(&stories, || Box::new(Native::default()));
}

#[test]
fn stories_hold_on_the_host() {
    // The business clock is the host's, not the tenant's: each story has a host of its own.
    play_all(&scenarios(), || Box::new(Hosted::start().unwrap()));
}

/// Stories that between them use every domain, asks, refusals, a race and several tenants.
const AS_ON_SPIN: [&str; 4] = ["main-job", "last-unit", "supplier-suspended", "two-tenants"];

#[test]
fn stories_hold_on_the_host_as_on_spin() {
    let mut stories = scenarios();
    stories.retain(|(name, _)| AS_ON_SPIN.contains(&name.as_str()));
    play_all(&stories, || Box::new(Hosted::start_over(Entry::WasiHttp).unwrap()));
}
