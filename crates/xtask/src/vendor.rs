//! `wit/deps/`: the WASI and Spin packages that our own worlds name, copied from the SDK.
//!
//! The SDK's crate carries the contracts of the Spin it speaks to, so the locked version of
//! `spin-sdk` says which they are, and no network is needed beyond cargo's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{ask, cargo};
use crate::project::Project;

/// The packages that an export of ours needs: the HTTP handler with what its types use, Redis
/// (the nudge and the connection), and variables.
const PACKAGES: [&str; 8] = [
    "cli@0.3.0",
    "clocks@0.3.0",
    "filesystem@0.3.0",
    "http@0.3.0",
    "random@0.3.0",
    "sockets@0.3.0",
    "spin-redis@3.0.0",
    "spin-variables@3.0.0",
];

/// Rewrites `wit/deps/` from the SDK.
pub fn vendor(project: &Project) -> Result<()> {
    let wanted = sdk_files(project)?;
    let folder = project.wit().join("deps");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for (name, text) in wanted {
        let file = folder.join(&name);
        let parent = file.parent().context("a vendored file has no folder")?;
        fs::create_dir_all(parent)?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Fails when `wit/deps/` is not what [`vendor`] would write.
pub fn check(project: &Project) -> Result<()> {
    let folder = project.wit().join("deps");
    for (name, text) in sdk_files(project)? {
        if fs::read_to_string(folder.join(&name)).ok().as_ref() != Some(&text) {
            bail!("wit/deps/{} is not the SDK's; run: cargo xtask docs", name.display());
        }
    }
    Ok(())
}

/// The files to vendor, by their path under `wit/deps/`.
fn sdk_files(project: &Project) -> Result<BTreeMap<PathBuf, String>> {
    let deps = sdk_folder(project)?.join("wit/deps");
    let mut files = BTreeMap::new();
    for package in PACKAGES {
        let entries = fs::read_dir(deps.join(package))
            .with_context(|| format!("the SDK has no wit/deps/{package}"))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().context("an entry of the SDK has no name")?;
            files.insert(Path::new(package).join(name), fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

/// Where cargo keeps the source of the locked SDK.
fn sdk_folder(project: &Project) -> Result<PathBuf> {
    let metadata = ask(&mut cargo(
        project.root(),
        ["metadata", "--format-version=1", "--locked", "--filter-platform", "wasm32-wasip2"],
    ))
    .context("cargo metadata failed; is Cargo.lock up to date?")?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "spin-sdk")
        .and_then(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(Path::to_owned)
        .context("spin-sdk is not among the dependencies")
}
