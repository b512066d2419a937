//! `cargo xtask build`: from the domains' crates to one composed .wasm each.
//!
//! 1. Every domain is compiled as a service (feature `service`).
//! 2. The packages that the services import name the domains they ask; those are compiled as
//!    providers (feature `query`), and the packages that *they* import likewise, until no new one
//!    turns up.
//! 3. Each service is composed with its providers, checked, and written where `spin.toml` looks.
//!
//! Cargo decides what to recompile; composing takes milliseconds; a file is written only when its
//! content changed, so that the host's compiled-code cache stays warm.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::check::{self, offers, plugins, world};
use crate::command::{run, say};
use crate::compose::{self, NAMESPACE, Piece};
use crate::packages::Install;
use crate::project::{DOMAINS, Project};
use crate::toolchain::{self, TARGET, Toolchain};

/// Cargo's profile for components (see the root `Cargo.toml`).
const PROFILE: &str = "component";

/// The crate of the built-in plug-in for order approval.
const DEFAULT_PLUGIN: &str = "tradewind-default-approval";

/// The domain that asks it.
const ASKS_PLUGIN: &str = "procurement";

/// What a domain's crate is compiled as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Exports the HTTP handler and the nudge, imports what it asks.
    Service,
    /// Exports the domain's queries alone.
    Query,
}

impl Part {
    /// The crate's feature, also the ending of the world's name in `wit/worlds.wit`.
    fn feature(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Query => "query",
        }
    }
}

/// Builds, composes and checks every domain that has a component; returns the files in the order
/// of [`DOMAINS`]. With no component yet there is nothing to do, which is said.
pub fn build(project: &Project, install: Install) -> Result<Vec<PathBuf>> {
    let domains = project.component_domains();
    if domains.is_empty() {
        say("no domain has a component yet (components/*/src/component.rs)");
        return Ok(Vec::new());
    }
    build_some(project, install, &domains)
}

/// Builds these domains, and the query builds that they ask, whatever state the rest is in.
pub fn build_some(
    project: &Project,
    install: Install,
    domains: &[&'static str],
) -> Result<Vec<PathBuf>> {
    let toolchain = toolchain::ensure(project.root(), install)?;
    say(&format!("building the components: {}", domains.join(", ")));
    let services = compile(project, toolchain, domains, Part::Service)?;
    let providers = compile_providers(project, toolchain, &services)?;
    fs::create_dir_all(project.components())?;
    let mut files = Vec::new();
    for (domain, service) in domains.iter().zip(&services) {
        let bytes = compose::compose(service, &providers)?;
        let whole = Piece { name: format!("{domain} (composed)"), bytes };
        offers::check(&whole)?;
        let file = project.component(domain);
        write_if_changed(&file, &whole.bytes)?;
        say(&format!("  {domain}.wasm  {} kB", whole.bytes.len() / 1000));
        files.push(file);
    }
    if domains.contains(&ASKS_PLUGIN) {
        build_default_plugin(project, toolchain)?;
    }
    if project.manifest().is_file() {
        let manifest = check::manifest::check_file(&project.manifest())?;
        if domains.len() == DOMAINS.len() {
            check::manifest::check_built(&manifest, project.root())?;
        }
    }
    Ok(files)
}

/// Compiles and checks the plug-in that `spin.toml` attaches.
fn build_default_plugin(project: &Project, toolchain: Toolchain) -> Result<()> {
    let target = project.wasm_target().join("plugin");
    let mut cargo = toolchain.cargo(project.root());
    cargo.args(["build", "--target", TARGET, "--profile", PROFILE, "--lib"]);
    cargo.arg("--target-dir").arg(&target).arg("--package").arg(DEFAULT_PLUGIN);
    run(&mut cargo)?;
    let made = format!("{}.wasm", DEFAULT_PLUGIN.replace('-', "_"));
    let made = target.join(TARGET).join(PROFILE).join(made);
    let bytes = fs::read(&made).with_context(|| format!("cargo made no {}", made.display()))?;
    let plugin = Piece { name: "the default plug-in".to_owned(), bytes };
    plugins::check(&project.wit(), &plugin)?;
    write_if_changed(&project.default_plugin(), &plugin.bytes)?;
    say(&format!("  default-approval.wasm  {} kB", plugin.bytes.len() / 1000));
    Ok(())
}

/// Compiles the query builds that the services need, and those that these need in turn.
fn compile_providers(
    project: &Project,
    toolchain: Toolchain,
    services: &[Piece],
) -> Result<Vec<Piece>> {
    let mut providers: Vec<Piece> = Vec::new();
    let mut known = BTreeSet::new();
    let mut askers = services.to_vec();
    loop {
        let mut asked = BTreeSet::new();
        for asker in &askers {
            asked.extend(asked_domains(asker)?);
        }
        let new: Vec<&'static str> =
            asked.into_iter().filter(|domain| known.insert(*domain)).collect();
        if new.is_empty() {
            return Ok(providers);
        }
        askers = compile(project, toolchain, &new, Part::Query)?;
        providers.extend(askers.iter().cloned());
    }
}

/// The domains whose package an asker imports: `tradewind:inventory/stock@…` is inventory's.
fn asked_domains(asker: &Piece) -> Result<BTreeSet<&'static str>> {
    let surface = compose::surface(asker)?;
    Ok(surface
        .asks
        .iter()
        .filter_map(|import| {
            let package = import.strip_prefix(NAMESPACE)?.split(['/', '@']).next()?;
            DOMAINS.into_iter().find(|domain| *domain == package)
        })
        .collect())
}

/// Compiles one part of several domains in one call of cargo, and checks each against its world.
fn compile(
    project: &Project,
    toolchain: Toolchain,
    domains: &[&str],
    part: Part,
) -> Result<Vec<Piece>> {
    let mut cargo = toolchain.cargo(project.root());
    cargo.args(["build", "--target", TARGET, "--profile", PROFILE, "--lib"]);
    // A folder for each part: cargo gives both builds of a crate the same file name, and in one
    // folder each would undo the other at every run.
    let target = project.wasm_target().join(part.feature());
    cargo.arg("--target-dir").arg(&target);
    let mut features = Vec::new();
    for domain in domains {
        cargo.arg("--package").arg(format!("tradewind-{domain}"));
        features.push(format!("tradewind-{domain}/{}", part.feature()));
    }
    cargo.arg("--features").arg(features.join(","));
    run(&mut cargo)?;
    let folder = target.join(TARGET).join(PROFILE);
    let mut pieces = Vec::new();
    for domain in domains {
        let file = folder.join(format!("tradewind_{domain}.wasm"));
        let bytes = fs::read(&file).with_context(|| format!("cargo made no {}", file.display()))?;
        let piece = Piece { name: format!("{domain}-{}", part.feature()), bytes };
        world::check(&project.wit(), &piece.name, &piece)?;
        pieces.push(piece);
    }
    Ok(pieces)
}

fn write_if_changed(file: &PathBuf, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
