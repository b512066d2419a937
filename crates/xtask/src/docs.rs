//! `cargo xtask docs`: rewrites what is generated from the code and checked in.

use anyhow::Result;

use crate::command::{cargo, run};
use crate::project::Project;
use crate::{plugin, vendor};

/// The test whose goldens are the generated documents; `UPDATE=1` makes it write them.
const GOLDENS: &str = "contracts";

/// Rewrites `wit/deps/`, the plug-ins' copies of their contract, and the documents that the tests
/// compare with the code.
pub fn docs(project: &Project) -> Result<()> {
    vendor::vendor(project)?;
    let contract = plugin::contract::text(project)?;
    for entry in std::fs::read_dir(project.root().join("plugins"))? {
        std::fs::write(entry?.path().join("wit/plugin.wit"), &contract)?;
    }
    run(cargo(project.root(), ["test", "--package", "tradewind-tests", "--test", GOLDENS])
        .env("UPDATE", "1"))
}
