//! What a host runs: the project's own application, or one that differs from it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use xtask::project::Project;

use super::project;

/// Which way requests take into the components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Entry {
    /// The lean entry, as the host does by itself.
    #[default]
    Lean,
    /// `wasi:http`, as on Spin.
    WasiHttp,
}

/// A Redis that is not the host's own.
#[derive(Debug, Clone, Copy)]
pub struct Foreign {
    /// Its port on this machine.
    pub port: u16,
    /// So many replicas must have a write before it is answered.
    pub wait_replicas: u32,
}

/// What a host runs and how, where it is not the project's own application as it is.
#[derive(Debug, Clone, Default)]
pub struct Application {
    /// Which way requests take.
    pub entry: Entry,
    /// The plug-in that is attached in place of the default one.
    pub plugin: Option<PathBuf>,
    /// The Redis that it uses instead of a private one.
    pub foreign: Option<Foreign>,
    /// Further arguments of the host.
    pub arguments: Vec<String>,
}

impl Application {
    /// The folder with its `spin.toml`: the project, or one whose manifest names the other plug-in.
    pub(super) fn project(&self, data: &Path) -> Result<Project> {
        let own = project();
        let Some(plugin) = &self.plugin else { return Ok(own) };
        let text = std::fs::read_to_string(own.manifest())?;
        let default = own.default_plugin();
        let built = own.components().display().to_string();
        let text = text.replace("target/components", &built);
        let named = text.replace(&default.display().to_string(), &plugin.display().to_string());
        if named == text {
            bail!("spin.toml does not attach the default plug-in");
        }
        let other = Project::at(data.join("application"));
        std::fs::create_dir_all(other.root())?;
        std::fs::write(other.manifest(), named)?;
        Ok(other)
    }
}
