//! `cargo xtask docs`: rewrites what is generated from the code and checked in.

use anyhow::Result;

use crate::command::{cargo, run};
use crate::project::Project;
use crate::vendor;

/// The test whose goldens are the generated documents; `UPDATE=1` makes it write them.
const GOLDENS: &str = "contracts";

/// Rewrites `wit/deps/` and the documents that the tests compare with the code.
pub fn docs(project: &Project) -> Result<()> {
    vendor::vendor(project)?;
    if project.root().join("tests/tests").join(format!("{GOLDENS}.rs")).is_file() {
        run(cargo(project.root(), ["test", "--package", "tradewind-tests", "--test", GOLDENS])
            .env("UPDATE", "1"))?;
    }
    Ok(())
}
