//! System packages: installed through the machine's own package manager, said aloud, never when
//! `--no-install` forbids it.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{ask, command, is_installed, run};

/// Whether the person allows changes to the machine outside the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Install {
    /// Packages may be installed; each command is printed before it runs.
    Allowed,
    /// `--no-install`: say what would be needed and stop.
    Forbidden,
}

/// A package manager: its program, how it installs, and its name for a Redis server.
struct Manager {
    program: &'static str,
    install: &'static [&'static str],
    redis: &'static str,
    needs_root: bool,
}

/// In the order they are looked for; a machine has one of them as a rule.
const MANAGERS: [Manager; 5] = [
    Manager {
        program: "apt-get",
        install: &["install", "-y", "--no-install-recommends"],
        redis: "redis-server",
        needs_root: true,
    },
    Manager { program: "dnf", install: &["install", "-y"], redis: "valkey", needs_root: true },
    Manager { program: "apk", install: &["add"], redis: "valkey", needs_root: true },
    Manager {
        program: "pacman",
        install: &["-S", "--noconfirm"],
        redis: "valkey",
        needs_root: true,
    },
    Manager { program: "brew", install: &["install"], redis: "redis", needs_root: false },
];

/// The command that installs a Redis server here, as a person would type it.
pub fn redis_command_line() -> String {
    match MANAGERS.iter().find(|manager| is_installed(manager.program)) {
        Some(manager) => {
            let sudo = if manager.needs_root { "sudo " } else { "" };
            format!("{sudo}{} {} {}", manager.program, manager.install.join(" "), manager.redis)
        }
        None => "install redis-server 7 or later, or Valkey, with your package manager".to_owned(),
    }
}

/// The command that installs Debian's packages, as a person would type it.
pub fn command_line(packages: &[&str]) -> String {
    format!("sudo apt-get install -y --no-install-recommends {}", packages.join(" "))
}

/// Installs a Redis server by the machine's package manager.
pub fn install_redis() -> Result<()> {
    let manager = MANAGERS
        .iter()
        .find(|manager| is_installed(manager.program))
        .context("no known package manager; install redis-server 7 or later, or Valkey")?;
    if manager.program == "apt-get" {
        return apt_install(&[manager.redis]);
    }
    let mut install = if manager.needs_root {
        as_root(manager.program)?
    } else {
        command(manager.program, [""; 0])
    };
    run(install.args(manager.install).arg(manager.redis))
}

/// Installs Debian packages from the machine's own sources, after refreshing their lists.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    run(as_root("apt-get")?.args(["update", "-qq"]))?;
    run(as_root("apt-get")?
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The program itself for root, else through sudo (which may ask for a password).
fn as_root(program: &str) -> Result<Command> {
    if ask(&mut command("id", ["-u"])).as_deref() == Some("0") {
        return Ok(command(program, [""; 0]));
    }
    if !is_installed("sudo") {
        bail!("`{program}` needs root, and there is no sudo: run this command as root once");
    }
    Ok(command("sudo", ["--preserve-env=DEBIAN_FRONTEND", program]))
}
