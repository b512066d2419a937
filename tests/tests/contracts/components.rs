//! The contracts in `wit/`, the built components, and `spin.toml`, against Spin's own rules.
//!
//! A component that is not built is a failure here: what was not looked at does not hold.

use std::collections::{BTreeMap, BTreeSet};

use xtask::check::{manifest, offers, plugins, world};
use xtask::compose::{Piece, surface};
use xtask::project::{DOMAINS, Project};
use xtask::vendor;

use crate::{read, root};

fn project() -> Project {
    Project::at(root())
}

/// A domain's composed component.
fn built(project: &Project, domain: &str) -> Piece {
    let bytes = std::fs::read(project.component(domain)).unwrap_or_else(|_| {
        panic!("target/components/{domain}.wasm is not built; run: cargo xtask build")
    });
    Piece { name: domain.to_owned(), bytes }
}

#[test]
fn wit_parses_and_has_a_world_for_every_domain() {
    let worlds = world::names(&project().wit()).unwrap();
    for domain in DOMAINS {
        assert!(worlds.contains(&format!("{domain}-service")), "no world {domain}-service");
    }
}

#[test]
fn vendored_contracts_are_the_sdks() {
    vendor::check(&project()).unwrap();
}

#[test]
fn every_component_fits_its_world_and_imports_what_spin_offers() {
    let project = project();
    for domain in DOMAINS {
        let whole = built(&project, domain);
        world::check(&project.wit(), &format!("{domain}-service"), &whole).unwrap();
        offers::check(&whole).unwrap();
        let asks = surface(&whole).unwrap().asks;
        assert!(asks.is_empty(), "{domain}: nobody answers {asks:?}");
        let points = surface(&whole).unwrap().points;
        let own: &[&str] =
            if domain == "procurement" { &["tradewind:plugin/approval@0.1.0"] } else { &[] };
        assert_eq!(points, own, "{domain}");
    }
}

#[test]
fn the_manifest_and_its_files_obey_spin() {
    let project = project();
    for domain in DOMAINS {
        built(&project, domain); // says what to run when it is missing
    }
    let manifest = manifest::check_file(&project.manifest()).unwrap();
    manifest::check_built(&manifest, project.root()).unwrap();
}

#[test]
fn the_default_plug_in_fits_and_can_do_nothing() {
    let project = project();
    let bytes = std::fs::read(project.default_plugin())
        .expect("target/components/default-approval.wasm is not built; run: cargo xtask build");
    let plugin = Piece { name: "the default plug-in".to_owned(), bytes };
    plugins::check(&project.wit(), &plugin).unwrap();
    // A domain is no plug-in, and what is attached must be what is asked.
    let domain = built(&project, "suppliers");
    assert!(plugins::check(&project.wit(), &domain).is_err());
    let named = |name: &str| Piece { name: name.to_owned(), ..plugin.clone() };
    let asker = built(&project, "procurement");
    plugins::check_attached(&asker, &[named("tradewind:plugin/approval@0.1.0")]).unwrap();
    for wrong in [
        vec![],
        vec![named("tradewind:plugin/approval@0.2.0")],
        vec![named("tradewind:plugin/approval"), named("tradewind:plugin@0.1.0")],
        vec![named("tradewind:plugin"), named("a:b/c")],
    ] {
        assert!(plugins::check_attached(&asker, &wrong).is_err());
    }
    let point = "tradewind:plugin/approval@0.1.0".to_owned();
    assert!(plugins::check_attached(&asker, &[Piece { name: point, ..domain }]).is_err());
}

/// Who asks whom, as the worlds say: a service's imports, and those of its query build.
fn asks() -> BTreeMap<String, BTreeSet<String>> {
    let mut asks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut domain = None;
    for line in read("wit/worlds.wit").lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("world ") {
            let name = name.trim_end_matches('{').trim();
            let part = name.strip_suffix("-service").or_else(|| name.strip_suffix("-query"));
            domain = part.map(str::to_owned);
        } else if let (Some(domain), Some(import)) =
            (&domain, line.strip_prefix("import tradewind:"))
        {
            let provider = import.split('/').next().unwrap().to_owned();
            // A plug-in is asked by one domain and asks nobody.
            if provider == "plugin" {
                continue;
            }
            asks.entry(domain.clone()).or_default().insert(provider);
        }
    }
    asks
}

#[test]
fn asks_have_no_cycle() {
    let asks = asks();
    assert!(!asks.is_empty(), "wit/worlds.wit states no ask");
    // `DOMAINS` is an order in which each asks only those before it: such an order is the proof.
    let place = |name: &str| DOMAINS.iter().position(|domain| *domain == name);
    for (asker, providers) in &asks {
        for provider in providers {
            assert!(place(provider).is_some(), "{asker} asks {provider}, which is no domain");
            assert!(place(provider) < place(asker), "{asker} may not ask {provider}");
        }
    }
}
