//! Clients that public generators make from the published documents do the main job on the real
//! host: what OpenAPI says is enough to write a program against, with types that hold.
//!
//! Their sources are in `clients/`. `cargo xtask test` sets their languages and packages up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tradewind_tests::driver::Sender;
use tradewind_tests::hosted::Hosted;
use xtask::clients::{folder, program};
use xtask::command::line_of;
use xtask::project::{DOMAINS, Project};

/// Who takes part in the main job.
const ROLES: [&str; 7] =
    ["admin", "approver", "buyer", "channel", "planner", "viewer", "warehouse"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// The client's folder, with its sources as they are now.
fn fresh(language: &str) -> Result<PathBuf> {
    let to = folder(&Project::at(root()), language);
    fs::create_dir_all(&to)?;
    for entry in fs::read_dir(root().join("tests/clients").join(language))? {
        let from = entry?.path();
        fs::copy(&from, to.join(from.file_name().context("a file without a name")?))?;
    }
    Ok(to)
}

fn document(domain: &str) -> PathBuf {
    root().join("components").join(domain).join("openapi.json")
}

/// Runs a program in the client's folder; its output is the error when it fails.
fn run(command: &mut Command, folder: &Path) -> Result<()> {
    // Its environment holds tokens, which are nobody's business.
    let line = line_of(command);
    let output = command
        .current_dir(folder)
        .output()
        .with_context(|| format!("cannot start `{line}`; run: cargo xtask test"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    bail!("`{line}` failed:\n{}", String::from_utf8_lossy(&said))
}

/// Has a program do the main job for a tenant of its own.
fn do_main_job(tenant: &str, command: &mut Command, folder: &Path) -> Result<()> {
    let mut hosted = Hosted::start()?;
    let mut tokens = serde_json::Map::new();
    for role in ROLES {
        let (tenant, role) = (tenant.to_owned(), role.to_owned());
        let sender = Sender { tenant, subject: role.clone(), role: role.clone(), bound: None };
        tokens.insert(role, hosted.token(&sender)?.into());
    }
    let tokens = serde_json::Value::Object(tokens).to_string();
    let command = command.env("BASE_URL", hosted.base()).env("TOKENS", tokens);
    run(command, folder).with_context(|| hosted.log())
}

fn typescript() -> Result<()> {
    let folder = fresh("typescript")?;
    for domain in DOMAINS {
        let generator = program(&folder, "node_modules/.bin/openapi-typescript")?;
        // A default lets a caller leave the field out; it does not make it one that must be there.
        let mut generate = Command::new(generator);
        generate.arg(document(domain)).arg("--default-non-nullable=false");
        run(generate.args(["--output", &format!("generated/{domain}.ts")]), &folder)?;
    }
    let compiler = program(&folder, "node_modules/.bin/tsc")?;
    run(Command::new(compiler).args(["--project", "."]), &folder)?;
    do_main_job("typescript", Command::new("node").arg("compiled/main_job.js"), &folder)
}

fn python() -> Result<()> {
    let folder = fresh("python")?;
    for domain in DOMAINS {
        let generator = program(&folder, "venv/bin/openapi-python-client")?;
        let mut generate = Command::new(generator);
        generate.arg("generate").arg("--path").arg(document(domain));
        generate.args(["--config", "generator.yml", "--meta", "none", "--overwrite"]);
        run(generate.args(["--output-path", &format!("tradewind/{domain}")]), &folder)?;
    }
    let checker = program(&folder, "venv/bin/mypy")?;
    run(Command::new(checker).args(["--config-file", "mypy.ini", "main_job.py"]), &folder)?;
    let python = program(&folder, "venv/bin/python")?;
    do_main_job("python", Command::new(python).arg("main_job.py"), &folder)
}

#[test]
fn a_typescript_client_does_the_main_job() {
    if let Err(fault) = typescript() {
        panic!("{fault:#}");
    }
}

#[test]
fn a_python_client_does_the_main_job() {
    if let Err(fault) = python() {
        panic!("{fault:#}");
    }
}
