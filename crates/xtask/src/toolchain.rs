//! The compiler for wasm32-wasip2: rustup's target where it can be had, else one built from
//! Debian's packages and linked into rustup as `tradewind-wasm`.
//!
//! The project's `rust-toolchain.toml` does not list the target: where rustup cannot fetch it,
//! listing it would stop every cargo command.

mod debian;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command::{ask, cargo, command, is_installed, say};
use crate::packages::Install;

/// The target every component is built for.
pub const TARGET: &str = "wasm32-wasip2";

/// The name under which rustup knows the toolchain built from Debian's packages.
pub const LINKED_NAME: &str = "tradewind-wasm";

/// Set to `debian` to use the linked toolchain even where rustup has the target: the only way to
/// test the recipe on a machine that does not need it.
const FORCE_VARIABLE: &str = "TRADEWIND_WASM_TOOLCHAIN";

/// A toolchain that can build components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The project's own, with the target added by rustup.
    Project,
    /// The one linked as [`LINKED_NAME`].
    Linked,
}

impl Toolchain {
    /// Cargo of this toolchain, in the project's folder.
    pub fn cargo(self, root: &Path) -> Command {
        match self {
            Self::Project => cargo(root, [""; 0]),
            Self::Linked => cargo(root, [format!("+{LINKED_NAME}")]),
        }
    }
}

/// Finds a toolchain for components, or sets one up where that is allowed.
///
/// Looks first at what is there, so that every start after the first costs two quick questions.
pub fn ensure(root: &Path, install: Install) -> Result<Toolchain> {
    let forced = std::env::var(FORCE_VARIABLE).is_ok_and(|value| value == "debian");
    if !forced && has_target(command("rustc", [""; 0]).current_dir(root)) {
        return Ok(Toolchain::Project);
    }
    if debian::is_ready() || (!forced && has_target(&mut linked_rustc())) {
        return Ok(Toolchain::Linked);
    }
    if install == Install::Forbidden {
        bail!("the {TARGET} target is missing; run: rustup target add {TARGET}");
    }
    if !forced && is_installed("rustup") {
        say(&format!("$ rustup target add {TARGET}"));
        let added = ask(command("rustup", ["target", "add", TARGET]).current_dir(root));
        if added.is_some() && has_target(command("rustc", [""; 0]).current_dir(root)) {
            return Ok(Toolchain::Project);
        }
        say("rustup cannot fetch the target here");
    }
    if !debian::applies() {
        bail!("cannot set up the {TARGET} target; run: rustup target add {TARGET}");
    }
    say("building the target's standard library from Debian's packages (once, about two minutes)");
    debian::build(root)?;
    Ok(Toolchain::Linked)
}

/// The linked toolchain's compiler, whether or not it exists.
fn linked_rustc() -> Command {
    command("rustc", [format!("+{LINKED_NAME}")])
}

/// True when this compiler has a standard library for the target.
fn has_target(rustc: &mut Command) -> bool {
    let folder = ask(rustc.args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_some_and(|folder| has_library(Path::new(&folder), "libstd-"))
}

/// True when the folder holds a compiled library whose name starts so.
fn has_library(folder: &Path, prefix: &str) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(prefix) && name.ends_with(".rlib")
        })
    })
}
