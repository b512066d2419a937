//! What the tests with clients made from the documents need: Node with its packages, Python with
//! its own, once for a generated client and once for Schemathesis, which is a client of chance.
//!
//! The packages are those of the lock files in `tests/clients/`, checked by their hashes, and lie
//! under `target/clients/`; the system lends Node, npm and Python.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{ask, command, run, say};
use crate::packages::{self, Install};
use crate::project::Project;

/// Debian's packages of what the clients run on.
const PACKAGES: [&str; 4] = ["nodejs", "npm", "python3", "python3-venv"];

/// The oldest Node that has what the TypeScript client uses (`fetch`).
const OLDEST_NODE: u32 = 18;

/// The oldest Python that the generator of the Python client runs on.
const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// A language's client: its folder in `tests/clients/`, and the files that say what it needs.
struct Client {
    language: &'static str,
    needs: &'static [&'static str],
}

const TYPESCRIPT: Client =
    Client { language: "typescript", needs: &["package.json", "package-lock.json"] };
const PYTHON: Client = Client { language: "python", needs: &["requirements.txt"] };
const SCHEMATHESIS: Client = Client { language: "schemathesis", needs: &["requirements.txt"] };

/// Where a client is set up, and its sources are copied to when a test runs it.
pub fn folder(project: &Project, language: &str) -> PathBuf {
    project.root().join("target/clients").join(language)
}

/// Sets all clients up, where that is not done already.
pub fn ensure(project: &Project, install: Install) -> Result<()> {
    ensure_languages(install)?;
    let node = folder(project, TYPESCRIPT.language);
    set_up(project, &TYPESCRIPT, || {
        run(command("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&node))
    })?;
    python(project, &PYTHON)?;
    python(project, &SCHEMATHESIS)
}

/// Sets Schemathesis up alone.
pub fn ensure_schemathesis(project: &Project, install: Install) -> Result<()> {
    ensure_languages(install)?;
    python(project, &SCHEMATHESIS)
}

fn python(project: &Project, client: &Client) -> Result<()> {
    let folder = folder(project, client.language);
    set_up(project, client, || {
        run(command("python3", ["-m", "venv", "--clear", "venv"]).current_dir(&folder))?;
        run(command(folder.join("venv/bin/pip"), ["install", "--quiet"])
            .args(["--disable-pip-version-check", "--only-binary", ":all:"])
            .args(["--require-hashes", "--requirement", "requirements.txt"])
            .current_dir(&folder))
    })
}

/// Runs `install` in the client's folder, unless it was done with the same files before.
fn set_up(project: &Project, client: &Client, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let from = project.root().join("tests/clients").join(client.language);
    let to = folder(project, client.language);
    let done = to.join("set-up");
    let mut wanted = String::new();
    for name in client.needs {
        let file = from.join(name);
        wanted += &fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
    }
    if fs::read_to_string(&done).is_ok_and(|kept| kept == wanted) {
        return Ok(());
    }
    fs::create_dir_all(&to)?;
    for name in client.needs {
        fs::copy(from.join(name), to.join(name))?;
    }
    install()?;
    fs::write(&done, wanted).with_context(|| format!("cannot write {}", done.display()))
}

fn ensure_languages(install: Install) -> Result<()> {
    let Err(missing) = check_languages() else { return Ok(()) };
    if install == Install::Forbidden {
        bail!("{missing:#}; run: {}", packages::command_line(&PACKAGES));
    }
    say(&format!("{missing:#}; installing it with the system's package manager"));
    packages::apt_install(&PACKAGES)
        .with_context(|| format!("{missing:#}; run: {}", packages::command_line(&PACKAGES)))?;
    check_languages()
}

fn check_languages() -> Result<()> {
    let node = ask(&mut command("node", ["--version"])).context("no node here")?;
    if node_version(&node).is_none_or(|version| version < OLDEST_NODE) {
        bail!("node is {node}; the clients need {OLDEST_NODE} or later");
    }
    ask(&mut command("npm", ["--version"])).context("no npm here")?;
    let (major, minor) = OLDEST_PYTHON;
    let able =
        format!("import ensurepip, sys, venv; sys.exit(sys.version_info < ({major}, {minor}))");
    ask(&mut command("python3", ["-c", &able]))
        .with_context(|| format!("no python3 from {major}.{minor} with venv here"))?;
    Ok(())
}

/// Reads `v18.20.4`.
fn node_version(text: &str) -> Option<u32> {
    text.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// A program that the set-up put into a client's folder.
///
/// # Errors
/// It is not there: the set-up was not run.
pub fn program(folder: &Path, path: &str) -> Result<PathBuf> {
    let program = folder.join(path);
    if program.exists() {
        return Ok(program);
    }
    bail!("{} is not set up; run: cargo xtask test", program.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_version_is_read_as_it_prints_it() {
        assert_eq!(node_version("v18.20.4"), Some(18));
        assert_eq!(node_version("18"), None);
    }
}
