//! How a plug-in's folder becomes a component, in each of three languages.
//!
//! Each uses its language's own tools, at the versions that the folder's lock file pins, installed
//! into the folder; the machine gives the compiler or the interpreter.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{command, is_installed, run};
use crate::packages::{Install, apt_install};
use crate::project::Project;
use crate::toolchain::{self, TARGET};

/// The component's name in a plug-in's folder.
const MADE: &str = "plugin.wasm";

/// The languages that there is a template for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Language {
    Rust,
    Javascript,
    Python,
}

impl Language {
    /// The file by which a folder's language is known: it names the tools.
    fn mark(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Javascript => "package.json",
            Self::Python => "requirements.txt",
        }
    }

    /// The file that holds the rule.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Rust => "src/lib.rs",
            Self::Javascript => "plugin.js",
            Self::Python => "plugin.py",
        }
    }

    /// The language of a plug-in's folder.
    pub fn of(dir: &Path) -> Result<Self> {
        let all = [Self::Rust, Self::Javascript, Self::Python];
        all.into_iter().find(|language| dir.join(language.mark()).is_file()).with_context(|| {
            let marks = all.map(Self::mark).join(", ");
            format!("{} is no plug-in's folder: it has none of {marks}", dir.display())
        })
    }
}

/// Builds a folder; returns its component.
pub fn build(project: &Project, install: Install, dir: &Path) -> Result<PathBuf> {
    let dir = dir.canonicalize().with_context(|| format!("no folder {}", dir.display()))?;
    match Language::of(&dir)? {
        Language::Rust => rust(project, install, &dir)?,
        Language::Javascript => javascript(install, &dir)?,
        Language::Python => python(install, &dir)?,
    }
    Ok(dir.join(MADE))
}

fn rust(project: &Project, install: Install, dir: &Path) -> Result<()> {
    let toolchain = toolchain::ensure(project.root(), install)?;
    let manifest = dir.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let table: toml::Table = toml::from_str(&text)?;
    let name = table
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(toml::Value::as_str)
        .with_context(|| format!("{} names no package", manifest.display()))?;
    let target = dir.join("target");
    let mut cargo = toolchain.cargo(project.root());
    cargo.args(["build", "--release", "--locked", "--lib", "--target", TARGET]);
    cargo.arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(&target);
    run(&mut cargo)?;
    let made = target.join(TARGET).join("release").join(name.replace('-', "_") + ".wasm");
    fs::copy(&made, dir.join(MADE)).with_context(|| format!("cargo made no {}", made.display()))?;
    Ok(())
}

fn javascript(install: Install, dir: &Path) -> Result<()> {
    ensure_programs(install, &[("node", "nodejs"), ("npm", "npm")])?;
    let (tools, lock) = (dir.join("node_modules"), dir.join("package-lock.json"));
    if is_older(&tools.join(".package-lock.json"), &lock) {
        // Not `npm ci`: it refuses a lock file without the optional packages of platforms for which
        // none was published. This takes the lock file's versions and hashes and does not change it.
        let mut npm = command("npm", ["install", "--no-save", "--ignore-scripts"]);
        run(npm.args(["--no-audit", "--no-fund"]).current_dir(dir))?;
    }
    run(command("npm", ["run", "--silent", "build"]).current_dir(dir))
}

fn python(install: Install, dir: &Path) -> Result<()> {
    ensure_programs(install, &[("python3", "python3")])?;
    let (tools, lock) = (dir.join(".venv"), dir.join("requirements.txt"));
    let installed = tools.join("installed");
    if is_older(&installed, &lock) {
        ensure_venv(install)?;
        run(command("python3", ["-m", "venv", "--clear"]).arg(&tools))?;
        let mut pip = command(tools.join("bin/pip"), ["install", "--quiet", "--require-hashes"]);
        run(pip.arg("--disable-pip-version-check").arg("-r").arg(&lock))?;
        fs::write(&installed, "")?;
    }
    let mut componentize = command(tools.join("bin/componentize-py"), ["--wit-path", "wit"]);
    componentize.args(["--world", "approver", "componentize", "--stub-wasi", "plugin"]);
    run(componentize.args(["-o", MADE]).current_dir(dir))
}

/// Python's venv is a package of its own on Debian.
fn ensure_venv(install: Install) -> Result<()> {
    let mut there = command("python3", ["-c", "import ensurepip, venv"]);
    if crate::command::ask(&mut there).is_some() {
        return Ok(());
    }
    install_packages(install, &["python3-venv"])
}

/// Sees to it that programs are there, each named with its Debian package.
fn ensure_programs(install: Install, programs: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(program, _)| !is_installed(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() { Ok(()) } else { install_packages(install, &missing) }
}

fn install_packages(install: Install, packages: &[&str]) -> Result<()> {
    if install == Install::Forbidden || !is_installed("apt-get") {
        bail!("missing on this machine: {}; install them and try again", packages.join(", "));
    }
    apt_install(packages)
}

/// Whether what was made from a lock file is missing or older than it.
fn is_older(made: &Path, lock: &Path) -> bool {
    let changed = |file: &Path| fs::metadata(file).and_then(|it| it.modified()).ok();
    changed(made).is_none_or(|made| changed(lock).is_some_and(|lock| lock > made))
}
