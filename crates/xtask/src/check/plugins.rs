//! Plug-ins: a component fits the extension point it is made for, can do nothing but compute, and is
//! attached where it is asked.

use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::world;
use crate::compose::{Piece, surface};

/// The world that a plug-in for order approval is held to.
const WORLD: &str = "approval-plugin";

/// Interfaces that a plug-in may import beside types: what compilers and interpreters put into any
/// component. Spin and the embedded host meet them with nothing behind them: no files, no
/// environment, and on the embedded host no clock and no chance either.
const BASICS: [&str; 5] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/"];

/// Fails when a component is no plug-in for order approval, or imports what one may not.
pub fn check(wit: &Path, plugin: &Piece) -> Result<()> {
    check_imports(plugin)?;
    world::check_foreign(wit, WORLD, plugin)
}

/// Fails with every import that a plug-in may not have.
fn check_imports(plugin: &Piece) -> Result<()> {
    let surface = surface(plugin)?;
    let basic = |import: &&String| BASICS.iter().any(|basic| import.starts_with(basic));
    let refused: Vec<&str> =
        surface.imports.iter().filter(|import| !basic(import)).map(String::as_str).collect();
    if !refused.is_empty() {
        bail!("{} imports what a plug-in may not: {}", plugin.name, refused.join(", "));
    }
    super::offers::check(plugin)
}

/// Fails unless each extension point of a component has its plug-in and each plug-in is asked: Spin
/// refuses an application where it is otherwise. An attached piece is named by its dependency.
pub fn check_attached(component: &Piece, attached: &[Piece]) -> Result<()> {
    let points = surface(component)?.points;
    for point in &points {
        let meets = attached.iter().filter(|plugin| matches(&plugin.name, point)).count();
        ensure!(
            meets == 1,
            "{} plug-ins of {} meet {point}; Spin wants one",
            meets,
            component.name
        );
    }
    for plugin in attached {
        let asked = points.iter().find(|point| matches(&plugin.name, point));
        let Some(point) = asked else {
            bail!("the dependency {:?} meets no import of {}", plugin.name, component.name);
        };
        let exports = surface(plugin)?.exports;
        ensure!(exports.contains(point), "the dependency {:?} does not export it", plugin.name);
        check_imports(plugin)?;
    }
    Ok(())
}

/// Whether a dependency's name means an import: Spin lets interface and version be left out.
fn matches(dependency: &str, import: &str) -> bool {
    let (import_path, import_version) = import.split_once('@').unwrap_or((import, ""));
    let (path, version) = match dependency.split_once('@') {
        Some((path, version)) => (path, Some(version)),
        None => (dependency, None),
    };
    let package = import_path.split('/').next().unwrap_or(import_path);
    (path == import_path || path == package)
        && version.is_none_or(|version| version == import_version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_named_as_spin_reads_them() {
        let import = "tradewind:plugin/approval@0.1.0";
        for name in
            [import, "tradewind:plugin/approval", "tradewind:plugin", "tradewind:plugin@0.1.0"]
        {
            assert!(matches(name, import), "{name}");
        }
        for name in ["tradewind:plugin/approval@0.2.0", "tradewind:plug", "tradewind:plugin/other"]
        {
            assert!(!matches(name, import), "{name}");
        }
    }
}
