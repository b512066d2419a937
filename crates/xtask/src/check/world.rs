//! A component fits the world that `wit/worlds.wit` states for it.
//!
//! The world of a build is named `<domain>-service` or `<domain>-query`, that of a plug-in
//! `<point>-plugin`. It states the exports and the asks; what the platform offers is checked against
//! Spin's own list (`offers.rs`), because those imports come from the compiler and the SDK, whose
//! patch versions are not ours to state.

use std::path::Path;

use anyhow::{Context, Result, bail};
use wac_types::{ItemKind, Package, Type, Types, WorldId, validate_target};
use wit_parser::{PackageId, Resolve};

use crate::compose::{NAMESPACE, Piece};

/// Fails when the component exports less or more than its world, or imports from a `tradewind:`
/// package what the world does not state, or when a type differs.
pub fn check(wit: &Path, world: &str, component: &Piece) -> Result<()> {
    hold(wit, world, component, Exports::Exactly)
}

/// The same for a component of others, whose tools may have it export more: nobody calls that.
pub fn check_foreign(wit: &Path, world: &str, component: &Piece) -> Result<()> {
    hold(wit, world, component, Exports::AtLeast)
}

/// Which exports a world asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exports {
    Exactly,
    AtLeast,
}

fn hold(wit: &Path, world: &str, component: &Piece, exports: Exports) -> Result<()> {
    let (resolve, package) = parse(wit)?;
    if !resolve.packages[package].worlds.contains_key(world) {
        bail!("wit/worlds.wit has no world `{world}`");
    }
    let encoded = wit_component::encode(&resolve, package).context("wit/ does not encode")?;
    let mut types = Types::default();
    let contract = Package::from_bytes("wit", None, encoded, &mut types)?;
    let expected = world_of(&types, &contract, world)
        .with_context(|| format!("the encoded wit/ has no world `{world}`"))?;
    let found = Package::from_bytes(&component.name, None, component.bytes.clone(), &mut types)?;
    let stated = &types[expected].exports;
    let exported = types[found.ty()].exports.keys();
    let mut faults: Vec<String> = exported
        .filter(|name| exports == Exports::Exactly && !stated.contains_key(*name))
        .map(|name| format!("exports {name}, which the world does not"))
        .collect();
    if let Err(report) = validate_target(&types, expected, found.ty()) {
        let imports = report.imports_not_in_target().filter(|name| name.starts_with(NAMESPACE));
        faults.extend(imports.map(|name| format!("imports {name}, which the world does not")));
        faults.extend(report.missing_exports().map(|(name, _)| format!("does not export {name}")));
        faults.extend(report.mismatched_types().filter_map(|(name, _, error)| {
            let ours = name.starts_with(NAMESPACE) || !super::offers::is_offered(name);
            ours.then(|| format!("differs in {name}: {error:#}"))
        }));
    }
    if !faults.is_empty() {
        bail!("{} does not fit the world `{world}`: {}", component.name, faults.join("; "));
    }
    Ok(())
}

/// The names of the worlds that `wit/worlds.wit` states; fails when `wit/` does not parse.
pub fn names(wit: &Path) -> Result<Vec<String>> {
    let (resolve, package) = parse(wit)?;
    Ok(resolve.packages[package].worlds.keys().cloned().collect())
}

fn parse(wit: &Path) -> Result<(Resolve, PackageId)> {
    let mut resolve = Resolve::default();
    let (package, _) =
        resolve.push_dir(wit).with_context(|| format!("{} does not parse", wit.display()))?;
    Ok((resolve, package))
}

/// An encoded WIT package exports each world as a component type that holds one component, whose
/// exported name is the world's full name.
fn world_of(types: &Types, package: &Package, name: &str) -> Option<WorldId> {
    let ItemKind::Type(Type::World(outer)) = types[package.ty()].exports.get(name)? else {
        return None;
    };
    types[*outer].exports.values().find_map(|item| match item {
        ItemKind::Component(world) => Some(*world),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::project::{DOMAINS, Project};

    #[test]
    fn every_domain_has_a_service_world() {
        let worlds = names(&Project::here().unwrap().wit()).unwrap();
        for domain in DOMAINS {
            assert!(worlds.contains(&format!("{domain}-service")), "{domain}");
        }
    }
}
