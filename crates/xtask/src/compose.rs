//! Composition: one component out of a domain's service and the query builds of those it asks.
//!
//! What is asked is read from the components themselves: an import in a `tradewind:` package that
//! holds a function is met by the provider that exports the same interface. Each provider is
//! instantiated once and its exports aliased to everyone who imports them, so a diamond shares one
//! instance (and one Redis connection). Providers may ask others in turn; a cycle is an error.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use wac_graph::types::{ItemKind, Package, Type, Types, WorldId};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

/// The namespace of our own WIT packages; every other import is the platform's to meet.
pub const NAMESPACE: &str = "tradewind:";

/// The package of the extension points: what is imported from it is met by a plug-in that
/// `spin.toml` attaches, not by the build.
pub const PLUGIN_PACKAGE: &str = "tradewind:plugin/";

/// A built component and the name errors call it by.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The name, such as `inventory` or `inventory (query)`.
    pub name: String,
    /// The component's bytes.
    pub bytes: Vec<u8>,
}

/// What a component imports and exports by name.
#[derive(Clone, Debug, Default)]
pub struct Surface {
    /// Interfaces it needs, functions in them or not.
    pub imports: Vec<String>,
    /// Imports in a `tradewind:` package that hold a function: questions another domain answers.
    /// An interface of types alone needs no one.
    pub asks: Vec<String>,
    /// Imports of [`PLUGIN_PACKAGE`] that hold a function: questions a plug-in answers.
    pub points: Vec<String>,
    /// Interfaces it offers.
    pub exports: Vec<String>,
}

/// Reads a component's imports and exports.
pub fn surface(piece: &Piece) -> Result<Surface> {
    let mut types = Types::default();
    let package = package_of(piece, &mut types)?;
    Ok(surface_of(&types, package.ty()))
}

/// Composes the service with the providers it asks, directly or through another provider.
/// Providers nobody asks stay out. The result exports what the service exports, and nothing else.
pub fn compose(service: &Piece, providers: &[Piece]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let root = Member::register(&mut graph, service)?;
    let members = providers
        .iter()
        .map(|provider| Member::register(&mut graph, provider))
        .collect::<Result<Vec<_>>>()?;
    let mut composer = Composer { graph, members, instances: BTreeMap::new(), path: Vec::new() };
    let instance = composer.instantiate(&root)?;
    for export in &root.surface.exports {
        let alias = composer.graph.alias_instance_export(instance, export)?;
        composer.graph.export(alias, export)?;
    }
    composer
        .graph
        .encode(EncodeOptions::default())
        .with_context(|| format!("cannot encode the composition of {}", service.name))
}

/// A component registered with the graph.
#[derive(Clone)]
struct Member {
    name: String,
    package: PackageId,
    surface: Surface,
}

impl Member {
    fn register(graph: &mut CompositionGraph, piece: &Piece) -> Result<Self> {
        let package = package_of(piece, graph.types_mut())?;
        let surface = surface_of(graph.types(), package.ty());
        let package = graph
            .register_package(package)
            .with_context(|| format!("two components are called {}", piece.name))?;
        Ok(Self { name: piece.name.clone(), package, surface })
    }
}

struct Composer {
    graph: CompositionGraph,
    members: Vec<Member>,
    instances: BTreeMap<String, NodeId>,
    path: Vec<String>,
}

impl Composer {
    /// Instantiates a member after the providers it asks, once however many import it.
    fn instantiate(&mut self, member: &Member) -> Result<NodeId> {
        if let Some(instance) = self.instances.get(&member.name) {
            return Ok(*instance);
        }
        if self.path.contains(&member.name) {
            bail!("asks go round in a circle: {} → {}", self.path.join(" → "), member.name);
        }
        self.path.push(member.name.clone());
        let mut arguments = Vec::new();
        for import in &member.surface.asks {
            let provider = self.provider_of(import).with_context(|| {
                format!("{} asks {import}, which no domain's query build exports", member.name)
            })?;
            let instance = self.instantiate(&provider)?;
            arguments.push((import, self.graph.alias_instance_export(instance, import)?));
        }
        let instance = self.graph.instantiate(member.package);
        for (import, answer) in arguments {
            self.graph
                .set_instantiation_argument(instance, import, answer)
                .with_context(|| format!("{import} does not fit what {} asks", member.name))?;
        }
        self.path.pop();
        self.instances.insert(member.name.clone(), instance);
        Ok(instance)
    }

    fn provider_of(&self, import: &str) -> Option<Member> {
        self.members
            .iter()
            .find(|member| member.surface.exports.iter().any(|export| export == import))
            .cloned()
    }
}

fn package_of(piece: &Piece, types: &mut Types) -> Result<Package> {
    Package::from_bytes(&piece.name, None, piece.bytes.clone(), types)
        .with_context(|| format!("{} is not a component", piece.name))
}

fn surface_of(types: &Types, world: WorldId) -> Surface {
    let world = &types[world];
    let (points, asks) = world
        .imports
        .iter()
        .filter(|(name, item)| name.starts_with(NAMESPACE) && holds_functions(types, **item))
        .map(|(name, _)| name.clone())
        .partition(|name| name.starts_with(PLUGIN_PACKAGE));
    Surface {
        imports: world.imports.keys().cloned().collect(),
        asks,
        points,
        exports: world.exports.keys().cloned().collect(),
    }
}

/// True for a function, a resource, or an interface with either; false for types alone.
fn holds_functions(types: &Types, item: ItemKind) -> bool {
    match item {
        ItemKind::Func(_) | ItemKind::Type(Type::Resource(_)) => true,
        ItemKind::Instance(interface) => {
            types[interface].exports.values().any(|item| holds_functions(types, *item))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
    use wit_parser::{ManglingAndAbi, Resolve};

    use super::*;

    /// A diamond: procurement asks both others, inventory asks suppliers too. Types are shared.
    const CONTRACT: &str = "
        package test:app;
        world procurement-service {
            import tradewind:suppliers/standing@0.1.0;
            import tradewind:inventory/stock@0.1.0;
            import spin:redis/redis@3.0.0;
            import tradewind:plugin/approval@0.1.0;
            export run: func();
        }
        world inventory-query {
            import tradewind:suppliers/standing@0.1.0;
            export tradewind:inventory/stock@0.1.0;
        }
        world suppliers-query {
            import spin:redis/redis@3.0.0;
            export tradewind:suppliers/standing@0.1.0;
        }
        world circular-query {
            import tradewind:inventory/stock@0.1.0;
            export tradewind:suppliers/standing@0.1.0;
        }
        package tradewind:plugin@0.1.0 { interface approval { judge: func() -> string; } }
        package tradewind:types@0.1.0 { interface types { record answer { value: s64 } } }
        package tradewind:suppliers@0.1.0 {
            interface standing {
                use tradewind:types/types@0.1.0.{answer};
                of: func(supplier: string) -> answer;
            }
        }
        package tradewind:inventory@0.1.0 {
            interface stock {
                use tradewind:types/types@0.1.0.{answer};
                available: async func(sku: string) -> answer;
            }
        }
        package spin:redis@3.0.0 { interface redis { get: func(key: string) -> string; } }
    ";

    fn piece(world: &str) -> Piece {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("app.wit", CONTRACT).unwrap();
        let id = resolve.select_world(&[package], Some(world)).unwrap();
        let mut module = dummy_module(&resolve, id, ManglingAndAbi::Standard32);
        embed_component_metadata(&mut module, &resolve, id, StringEncoding::UTF8).unwrap();
        let bytes =
            ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap();
        Piece { name: world.to_owned(), bytes }
    }

    #[test]
    fn asks_are_met_and_the_platform_and_plug_ins_are_left_open() {
        let providers = [piece("inventory-query"), piece("suppliers-query")];
        let bytes = compose(&piece("procurement-service"), &providers).unwrap();
        let whole = Piece { name: "procurement".to_owned(), bytes };
        let surface = surface(&whole).unwrap();
        assert_eq!(surface.asks, Vec::<String>::new());
        assert_eq!(surface.points, ["tradewind:plugin/approval@0.1.0"]);
        assert_eq!(surface.exports, ["run"]);
        assert!(surface.imports.contains(&"spin:redis/redis@3.0.0".to_owned()));
        crate::check::offers::check(&whole).unwrap();
    }

    #[test]
    fn a_provider_is_there_once_and_only_when_asked() {
        let all = [piece("inventory-query"), piece("suppliers-query")];
        let copies = |whole: &[u8], part: &Piece| {
            whole.windows(part.bytes.len()).filter(|window| *window == part.bytes).count()
        };
        let diamond = compose(&piece("procurement-service"), &all).unwrap();
        assert_eq!(copies(&diamond, &all[0]), 1);
        assert_eq!(copies(&diamond, &all[1]), 1);
        let alone = compose(&all[1], &all[..1]).unwrap();
        assert_eq!(copies(&alone, &all[0]), 0);
    }

    #[test]
    fn an_open_ask_and_a_circle_are_errors() {
        let service = piece("procurement-service");
        let error = compose(&service, &[piece("suppliers-query")]).unwrap_err();
        assert!(format!("{error:#}").contains("tradewind:inventory/stock@0.1.0"), "{error:#}");
        assert!(crate::check::offers::check(&service).is_err());
        let circle = [piece("inventory-query"), piece("circular-query")];
        let error = compose(&service, &circle).unwrap_err();
        assert!(format!("{error:#}").contains("circle"), "{error:#}");
    }

    #[test]
    fn a_component_is_held_to_its_world() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("worlds.wit"), CONTRACT).unwrap();
        let check = |world: &str, part: &str| {
            crate::check::world::check(folder.path(), world, &piece(part))
        };
        check("suppliers-query", "suppliers-query").unwrap();
        check("procurement-service", "procurement-service").unwrap();
        for (world, part, fault) in [
            ("suppliers-query", "inventory-query", "does not export tradewind:suppliers/standing"),
            ("suppliers-query", "inventory-query", "exports tradewind:inventory/stock"),
            ("suppliers-query", "circular-query", "imports tradewind:inventory/stock"),
            ("unknown", "suppliers-query", "no world `unknown`"),
        ] {
            let error = format!("{:#}", check(world, part).unwrap_err());
            assert!(error.contains(fault), "{error}");
        }
    }
}
