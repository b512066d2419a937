//! `cargo xtask bench`: the load and planning benchmarks of `bench/`, apart from the tests because
//! their figures mean something only on a machine that does nothing else.

use anyhow::{Result, ensure};

use crate::command::{cargo, run};
use crate::packages::Install;
use crate::project::Project;
use crate::{build, redis, server};

/// Builds everything in release and runs the benchmark program with the given arguments.
pub fn bench(project: &Project, install: Install, arguments: &[String]) -> Result<()> {
    ensure!(project.root().join("bench/Cargo.toml").is_file(), "there is no bench/ yet");
    redis::ensure(install)?;
    build::build(project, install)?;
    server::build(project)?;
    let mut bench =
        cargo(project.root(), ["run", "--release", "--package", "tradewind-bench", "--"]);
    run(bench.args(arguments))
}
