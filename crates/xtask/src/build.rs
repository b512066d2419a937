//! `cargo xtask build`: from the domains' crates to one composed .wasm each.
//!
//! A domain is a plain library. The packages under its `component/` link it into components:
//! `service` exports its HTTP handler and the nudge, `query` its answers to other domains alone. The
//! built-in plug-in of an extension point is a package by itself, as a partner would write it.
//!
//! 1. All of them are compiled in one call of cargo, so that each library is compiled once and
//!    cargo sees everything that can be done side by side.
//! 2. The packages that a service imports name the domains it asks. It is composed with the query
//!    components of these, checked, and written where `spin.toml` looks.
//!
//! Cargo decides what to recompile; composing takes milliseconds; a file is written only when its
//! content changed, so that the host's compiled-code cache stays warm.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::check::{self, offers, world};
use crate::command::say;
use crate::compose::{self, NAMESPACE, Piece};
use crate::packages::Install;
use crate::progress;
use crate::project::{DOMAINS, Project};
use crate::toolchain::{self, TARGET, Toolchain};

/// Cargo's profile for components (see the root `Cargo.toml`).
const PROFILE: &str = "component";

/// The extension point that has a built-in plug-in, and the domain that asks there.
const POINT: &str = "approval";
const ASKS_PLUGIN: &str = "procurement";

/// What a component does for its domain or extension point: the ending of its package's and its
/// world's names, and for a domain the name of its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Exports the HTTP handler and the nudge, imports what it asks.
    Service,
    /// Exports the domain's queries alone.
    Query,
    /// Answers at an extension point.
    Plugin,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Query => "query",
            Self::Plugin => "plugin",
        }
    }

    /// Whether the domain has this part; only those that others ask have a query.
    fn exists(self, project: &Project, domain: &str) -> bool {
        project.part(domain, self.name()).join("Cargo.toml").is_file()
    }
}

/// Builds, composes and checks every domain; returns the files in the order of [`DOMAINS`].
pub fn build(project: &Project, install: Install) -> Result<Vec<PathBuf>> {
    let queries = DOMAINS.into_iter().filter(|domain| Part::Query.exists(project, domain));
    let queries: Vec<&'static str> = queries.collect();
    build_with(project, install, &DOMAINS, &queries)
}

/// Builds these domains, and the queries that they ask, whatever state the rest is in.
pub fn build_some(
    project: &Project,
    install: Install,
    domains: &[&'static str],
) -> Result<Vec<PathBuf>> {
    build_with(project, install, domains, &[])
}

/// Builds these domains. The queries, and the built-in plug-in if it is asked, are compiled together
/// with the services; queries that turn out to be asked beyond them are compiled afterwards.
fn build_with(
    project: &Project,
    install: Install,
    domains: &[&'static str],
    queries: &[&'static str],
) -> Result<Vec<PathBuf>> {
    let toolchain = toolchain::ensure(project.root(), install)?;
    say(&format!("building the components: {}", domains.join(", ")));
    let services = domains.iter().map(|domain| (*domain, Part::Service));
    let queried = queries.iter().map(|domain| (*domain, Part::Query));
    let plugin = domains.contains(&ASKS_PLUGIN).then_some((POINT, Part::Plugin));
    let together: Vec<_> = services.chain(queried).chain(plugin).collect();
    let mut services = compile(project, toolchain, &together)?;
    let mut providers = services.split_off(domains.len());
    let plugins = providers.split_off(queries.len());
    compile_asked(project, toolchain, &services, queries, &mut providers)?;
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
    for plugin in plugins {
        check::plugins::check(&project.wit(), &plugin)?;
        write_if_changed(&project.default_plugin(), &plugin.bytes)?;
        say(&format!("  default-approval.wasm  {} kB", plugin.bytes.len() / 1000));
    }
    let manifest = check::manifest::check_file(&project.manifest())?;
    if domains.len() == DOMAINS.len() {
        check::manifest::check_built(&manifest, project.root())?;
    }
    Ok(files)
}

/// Compiles the queries that are asked and not there yet, and those that these ask in turn.
fn compile_asked(
    project: &Project,
    toolchain: Toolchain,
    services: &[Piece],
    compiled: &[&'static str],
    providers: &mut Vec<Piece>,
) -> Result<()> {
    let mut known: BTreeSet<&'static str> = compiled.iter().copied().collect();
    let mut askers: Vec<Piece> = services.iter().chain(providers.iter()).cloned().collect();
    while !askers.is_empty() {
        let mut new = Vec::new();
        for asker in &askers {
            let asked = asked_domains(asker)?.into_iter();
            new.extend(asked.filter(|domain| known.insert(domain)).map(|it| (it, Part::Query)));
        }
        askers = compile(project, toolchain, &new)?;
        providers.extend(askers.iter().cloned());
    }
    Ok(())
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

/// Compiles these parts in one call of cargo, and checks each against its world.
fn compile(project: &Project, toolchain: Toolchain, parts: &[(&str, Part)]) -> Result<Vec<Piece>> {
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let of = |task: &str| {
        let mut cargo = toolchain.cargo(project.root());
        cargo.args([task, "--target", TARGET]);
        for (domain, part) in parts {
            cargo.arg("--package").arg(format!("tradewind-{domain}-{}", part.name()));
        }
        cargo
    };
    let mut build = of("build");
    build.args(["--profile", PROFILE]).arg("--target-dir").arg(project.wasm_target());
    progress::build(&mut build, &mut of("tree"))?;
    let folder = project.wasm_target().join(TARGET).join(PROFILE);
    parts.iter().map(|(domain, part)| piece(project, &folder, domain, *part)).collect()
}

/// Reads what cargo made of a part, and holds it to its world.
fn piece(project: &Project, folder: &Path, domain: &str, part: Part) -> Result<Piece> {
    let file = folder.join(format!("tradewind_{domain}_{}.wasm", part.name()));
    let bytes = fs::read(&file).with_context(|| format!("cargo made no {}", file.display()))?;
    let piece = Piece { name: format!("{domain}-{}", part.name()), bytes };
    world::check(&project.wit(), &piece.name, &piece)?;
    Ok(piece)
}

fn write_if_changed(file: &PathBuf, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
