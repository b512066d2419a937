//! Composing a component with its plug-in, as Spin does it.
//!
//! Spin puts a component between the two that denies the plug-in all that its asker may do. Here a
//! plug-in that imports any of that is refused, which comes to the same.

use std::path::Path;

use anyhow::{Context, ensure};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, PackageId};

use super::INTERFACE;

/// Interfaces that a plug-in may import: what compilers put into any component.
const BASICS: [&str; 5] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/"];

/// A component whose import is met by its plug-in.
///
/// # Errors
/// A file cannot be read or is no component, or the plug-in does not fit.
pub fn compose(component: &Path, plugin: &Path) -> anyhow::Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let asker = register(&mut graph, "asker", component)?;
    let plug = register(&mut graph, "plug-in", plugin)?;
    let world = &graph.types()[graph[plug].ty()];
    for import in world.imports.keys() {
        let basic = BASICS.iter().any(|basic| import.starts_with(basic));
        ensure!(basic, "the plug-in {} may not import {import}", plugin.display());
    }
    let exports: Vec<String> = graph.types()[graph[asker].ty()].exports.keys().cloned().collect();
    let plug = graph.instantiate(plug);
    let asker = graph.instantiate(asker);
    let fits = || format!("the plug-in {} does not fit {INTERFACE}", plugin.display());
    let answer = graph.alias_instance_export(plug, INTERFACE).with_context(fits)?;
    graph.set_instantiation_argument(asker, INTERFACE, answer).with_context(fits)?;
    for export in exports {
        let alias = graph.alias_instance_export(asker, &export)?;
        graph.export(alias, &export)?;
    }
    graph.encode(EncodeOptions::default()).with_context(fits)
}

fn register(graph: &mut CompositionGraph, name: &str, file: &Path) -> anyhow::Result<PackageId> {
    let bytes = std::fs::read(file)
        .with_context(|| format!("cannot read the component {}; is it built?", file.display()))?;
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())
        .with_context(|| format!("{} is no component", file.display()))?;
    Ok(graph.register_package(package)?)
}
