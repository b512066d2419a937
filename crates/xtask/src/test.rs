//! `cargo xtask test`: everything that must hold before a change lands, with its own set-up.
//!
//! Cheap checks come first. Nothing is skipped because something is missing: it is installed, or
//! the command fails and says what to run. A check that fails does not keep the others from
//! running, so that one run shows every failure; what the tests themselves need does. The seconds
//! of each step stand at the end.

use anyhow::Result;

use crate::command::{cargo, is_installed, run};
use crate::packages::Install;
use crate::project::Project;
use crate::server::PACKAGE as HOST;
use crate::steps::Steps;
use crate::{build, clients, deny, redis, server, vendor};

/// Variables with which a developer plays a part of the tests, plays fewer cases, tests another host,
/// or writes the checked-in documents anew instead of holding them; left over in a shell, they must
/// not quietly weaken the whole.
const WEAKENING: [&str; 5] = ["STORY", "KILL_ROUNDS", "PROPTEST_CASES", "TRADEWIND_HOST", "UPDATE"];

/// What a run of the tests is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether a failing test shows the calls that led there. They bury what the test itself says,
    /// and make every error of a running component slow.
    pub backtrace: bool,
    /// Arguments of the test runner, to choose among tests; the rest still runs.
    pub filter: Vec<String>,
}

/// Formatting, lints, components, the host, then every test of the workspace.
pub fn test(project: &Project, install: Install, options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    let set_up = all(project, install, options, &mut steps);
    steps.tell();
    set_up.and(steps.verdict())
}

fn all(project: &Project, install: Install, options: &Options, steps: &mut Steps) -> Result<()> {
    let cargo = |arguments: &[&str]| {
        let mut command = cargo(project.root(), arguments);
        for name in WEAKENING {
            command.env_remove(name);
        }
        run(command.env("RUST_BACKTRACE", if options.backtrace { "1" } else { "0" }))
    };
    steps.check("formatting", || cargo(&["fmt", "--all", "--check"]));
    steps.need("Redis", || redis::ensure(install))?;
    steps.need("clients' languages and packages", || clients::ensure(project, install))?;
    steps.need("components", || build::build(project, install))?;
    steps.need("host", || server::build(project))?;
    steps.check("dependencies", || deny::check(project));
    steps.check("vendored WIT", || vendor::check(project));
    steps.check("lints", || {
        cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    });
    // The runner of the other tests comes last, so that its closing line counts them.
    steps.check("examples in the documentation", || {
        cargo(&["test", "--workspace", "--exclude", HOST, "--doc", "--no-fail-fast"])
    });
    // The host's own tests run in release: they need the same optimised wasmtime as the product,
    // and building it a second time for the dev profile would take longer than all tests.
    let parts: [(&str, &str, &[&str]); 2] = [
        ("building the host's tests", "the host's tests", &["--package", HOST, "--release"]),
        ("building the tests", "tests", &["--workspace", "--exclude", HOST]),
    ];
    for (building, running, part) in parts {
        let next = is_installed("cargo-nextest");
        let runner: &[&str] = if next { &["nextest", "run"] } else { &["test", "--all-targets"] };
        steps.check(building, || cargo(&[runner, part, &["--no-run"]].concat()));
        let mut tests = [runner, part, &["--no-fail-fast"]].concat();
        if next {
            // A filter may leave one of the two parts without a test.
            let none = if options.filter.is_empty() { "fail" } else { "pass" };
            tests.extend(["--no-tests", none]);
        }
        tests.extend(options.filter.iter().map(String::as_str));
        steps.check(running, || cargo(&tests));
    }
    Ok(())
}
