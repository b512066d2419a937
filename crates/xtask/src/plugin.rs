//! `cargo xtask plugin`: from an empty folder to a plug-in that can be attached.
//!
//! `docs/plugins.md` is the way through it for a partner.

pub mod contract;
pub mod languages;
pub mod scaffold;
pub mod trial;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::command::say;
use crate::packages::Install;
use crate::project::Project;
use languages::Language;

/// What is asked of a plug-in.
#[derive(clap::Subcommand)]
pub enum Task {
    /// Make a folder with a plug-in that works: the default's rule, in one of three languages.
    ///
    /// The folder stands alone: the contract (wit/), the rule, how it is built with pinned tools,
    /// and vectors.json with a question and the answer that is expected.
    New {
        /// The plug-in's name: words joined by hyphens.
        name: String,
        /// The language of the rule.
        #[arg(long, value_enum)]
        lang: Language,
        /// The folder to make.
        dir: PathBuf,
    },
    /// Build a plug-in's folder into its plugin.wasm.
    ///
    /// The language is known by the folder's files (Cargo.toml, package.json, requirements.txt).
    /// Its tools are installed into the folder, at the versions that its lock file pins.
    Build {
        /// Install nothing on this machine; say what is missing instead.
        #[arg(long)]
        no_install: bool,
        /// The plug-in's folder.
        dir: PathBuf,
    },
    /// Check that a plug-in may be attached.
    ///
    /// It exports the extension point, imports nothing that can do anything, gives a lawful answer
    /// to each golden question, the same one at another time and with other chance, and stays
    /// within the limits of time and memory that the embedded host sets.
    Check {
        /// The plug-in.
        file: PathBuf,
    },
    /// Hold a plug-in to questions of your own and the answers that you expect.
    ///
    /// The vectors are a JSON array of {"name", "question", "answer"}; an answer is "no-opinion",
    /// {"require": {"roles": […], "because": "…"}}, {"refuse": {"code": "…", "because": "…"}} or
    /// {"failed": "…"}.
    Test {
        /// The plug-in.
        file: PathBuf,
        /// The vectors.
        vectors: PathBuf,
    },
}

/// Does it.
pub fn plugin(project: &Project, task: &Task) -> Result<()> {
    match task {
        Task::New { name, lang, dir } => {
            scaffold::make(project, name, *lang, dir)?;
            let folder = dir.display();
            say(&format!("made {folder}; its rule is in {folder}/{}", lang.rule()));
            say(&format!("next: cargo xtask plugin build {folder}"));
            Ok(())
        }
        Task::Build { no_install, dir } => {
            let install = if *no_install { Install::Forbidden } else { Install::Allowed };
            let made = build(project, install, dir)?;
            say(&format!("next: cargo xtask plugin check {}", made.display()));
            Ok(())
        }
        Task::Check { file } => trial::check(project, &host(project)?, file),
        Task::Test { file, vectors } => trial::test(project, &host(project)?, file, vectors),
    }
}

/// Builds a plug-in's folder; returns its component.
pub fn build(project: &Project, install: Install, dir: &Path) -> Result<PathBuf> {
    let made = languages::build(project, install, dir)?;
    let size = std::fs::metadata(&made)?.len() / 1000;
    say(&format!("{}  {size} kB", made.display()));
    Ok(made)
}

/// The host program, which runs plug-ins.
fn host(project: &Project) -> Result<PathBuf> {
    say("building the host");
    crate::server::build(project)
}
