//! Where things are: the project's folders and its domains.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The domains in the order of who may ask whom: each asks only those before it, reporting all.
pub const DOMAINS: [&str; 6] =
    ["suppliers", "inventory", "procurement", "finance", "planning", "reporting"];

/// The project's root folder and the places derived from it.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The project this task runner was compiled in.
    pub fn here() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("crates/xtask has no project above it")?;
        Ok(Self { root: root.to_owned() })
    }

    /// A project in another folder; the tests compose in a temporary one.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root folder, where `Cargo.toml` and `spin.toml` are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The application manifest.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("spin.toml")
    }

    /// The folder of the WIT packages.
    pub fn wit(&self) -> PathBuf {
        self.root.join("wit")
    }

    /// Everything a running instance keeps, unless `--data` says otherwise (ignored by git).
    pub fn default_data(&self) -> PathBuf {
        self.root.join(".tradewind")
    }

    /// Cargo's folder for components. It is apart from the native one, since two compilers in one
    /// folder rebuild each other's build scripts and macros.
    pub fn wasm_target(&self) -> PathBuf {
        self.root.join("target/wasm")
    }

    /// The folder of the composed components that `spin.toml` names.
    pub fn components(&self) -> PathBuf {
        self.root.join("target/components")
    }

    /// The composed component of a domain.
    pub fn component(&self, domain: &str) -> PathBuf {
        self.components().join(format!("{domain}.wasm"))
    }

    /// The built-in plug-in for order approval, which `spin.toml` attaches.
    pub fn default_plugin(&self) -> PathBuf {
        self.components().join("default-approval.wasm")
    }

    /// The package that links a domain into one of its components, `service` or `query`.
    pub fn part(&self, domain: &str, part: &str) -> PathBuf {
        self.root.join("components").join(domain).join("component").join(part)
    }
}
