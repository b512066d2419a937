//! `cargo xtask test`: everything that must hold before a change lands, with its own set-up.
//!
//! Cheap checks come first. Nothing is skipped because something is missing: it is installed, or
//! the command fails and says what to run.

use anyhow::Result;

use crate::command::{cargo, is_installed, run};
use crate::packages::Install;
use crate::project::Project;
use crate::{build, redis, server, vendor};

/// Variables with which a developer plays a part of the tests; left over in a shell, they must not
/// quietly weaken the whole.
const WEAKENING: [&str; 2] = ["STORY", "KILL_ROUNDS"];

/// The host's package.
const HOST: &str = "tradewind-host";

/// Formatting, lints, components, the host, then every test of the workspace. Arguments go to the
/// test runner, to choose among tests; the rest still runs.
pub fn test(project: &Project, install: Install, filter: &[String]) -> Result<()> {
    let cargo = |arguments: &[&str]| {
        let mut command = cargo(project.root(), arguments);
        for name in WEAKENING {
            command.env_remove(name);
        }
        run(&mut command)
    };
    cargo(&["fmt", "--all", "--check"])?;
    redis::ensure(install)?;
    build::build(project, install)?;
    server::build(project)?;
    vendor::check(project)?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    // The runner of the other tests comes last, so that its closing line counts them.
    cargo(&["test", "--workspace", "--exclude", HOST, "--doc"])?;
    // The host's own tests run in release: they need the same optimised wasmtime as the product,
    // and building it a second time for the dev profile would take longer than all tests.
    for part in [["--package", HOST, "--release"].as_slice(), &["--workspace", "--exclude", HOST]] {
        let mut tests = if is_installed("cargo-nextest") {
            // A filter may leave one of the two parts without a test.
            let none = if filter.is_empty() { "fail" } else { "pass" };
            vec!["nextest", "run", "--no-tests", none]
        } else {
            vec!["test", "--all-targets"]
        };
        tests.extend(part);
        tests.extend(filter.iter().map(String::as_str));
        cargo(&tests)?;
    }
    Ok(())
}
