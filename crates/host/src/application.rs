//! The loaded application: its components, their routes, and what they hear.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::engine;
use crate::entries::{Entries, Entry};
use crate::instance::{self, ComponentRuntime, StoreData};
use crate::manifest::{Component, Manifest, Route};
use crate::metrics::Metrics;
use crate::outbound::AllowedHost;
use crate::plugin::{self, Attaching, Plugins};
use crate::routes::Router;
use crate::variables::{Template, Variables};
use crate::{Limits, Options};

/// The variable that readiness looks at when there is no Redis trigger.
const REDIS_URL: &str = "redis_url";

/// An application ready to answer.
pub struct Application {
    /// What its components run on.
    pub engine: Engine,
    /// Its components, in the order of their ids.
    pub components: Vec<Served>,
    /// Which component answers a path.
    pub router: Router,
    /// Channels to subscribe to.
    pub subscriptions: Vec<Subscription>,
    /// The application's variables.
    pub variables: Arc<Variables>,
    /// What is counted.
    pub metrics: Metrics,
    /// The limits in force.
    pub limits: Limits,
}

/// A component and the ways into it.
pub struct Served {
    /// The component.
    pub runtime: Arc<ComponentRuntime>,
    /// The ways into it.
    pub entries: Arc<Entries>,
}

/// One channel and the components that hear it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The server.
    pub address: String,
    /// The channel.
    pub channel: String,
    /// Indices of components.
    pub targets: Vec<usize>,
}

impl Application {
    /// Reads the manifest and loads every component.
    ///
    /// # Errors
    /// The manifest is refused, or a component cannot be loaded or lacks an export that a
    /// trigger needs.
    pub async fn load(options: &Options) -> anyhow::Result<Application> {
        let manifest = Manifest::read(&options.manifest)?;
        let variables =
            Arc::new(Variables::settle(&manifest, &options.variables, options.test_clock)?);
        ensure!(
            !options.test_clock || variables.move_clock(variables.clock_offset_seconds()),
            "a test clock needs the variable `clock_offset_seconds` in the manifest"
        );
        let metrics = Metrics::new()?;
        let engine = engine::ticking(&options.limits)?;
        let linker = Arc::new(instance::linker(&engine)?);
        let folder = options.manifest.parent().unwrap_or(Path::new("")).to_owned();
        let mut loading = Vec::new();
        for (id, component) in &manifest.component {
            let runtime =
                Arc::new(describe(id, component, &folder, &variables, &metrics, &options.limits)?);
            let (linker, engine) = (linker.clone(), engine.clone());
            let files = Files {
                source: folder.join(&component.source.0),
                plugin: component.dependencies.values().next().map(|it| folder.join(&it.path)),
                plugins: options.plugins,
                grants: !component.files.is_empty() || !component.environment.is_empty(),
                outcomes: metrics.plugin_answers.clone(),
                compiled: options.compiled_dir.clone(),
            };
            let (limits, entry) = (options.limits.clone(), options.entry);
            loading.push(tokio::task::spawn_blocking(move || {
                load_component(runtime, &linker, &engine, files, &limits, entry)
            }));
        }
        let mut components = Vec::new();
        for task in loading {
            components.push(task.await??);
        }
        let order: BTreeMap<&str, usize> =
            manifest.component.keys().enumerate().map(|(index, id)| (id.as_str(), index)).collect();
        let router = routes(&manifest, &order, &components)?;
        let subscriptions = subscriptions(&manifest, &order, &components, &variables)?;
        let limits = options.limits.clone();
        Ok(Application { engine, components, router, subscriptions, variables, metrics, limits })
    }

    /// The Redis servers on which the application rests, for readiness.
    pub fn redis_addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> =
            self.subscriptions.iter().map(|subscription| subscription.address.clone()).collect();
        addresses.extend(self.variables.get(REDIS_URL));
        addresses.sort();
        addresses.dedup();
        addresses
    }
}

fn describe(
    id: &str,
    component: &Component,
    folder: &Path,
    variables: &Arc<Variables>,
    metrics: &Metrics,
    limits: &Limits,
) -> anyhow::Result<ComponentRuntime> {
    let in_component = || format!("in component `{id}`");
    let mut own = BTreeMap::new();
    for (name, text) in &component.variables {
        own.insert(name.clone(), Template::parse(text, variables).with_context(in_component)?);
    }
    let mut allowed_hosts = Vec::new();
    for entry in &component.allowed_outbound_hosts {
        let entry = Template::parse(entry, variables).with_context(in_component)?;
        let host = AllowedHost::parse(&entry.render(variables)).with_context(in_component)?;
        allowed_hosts.push(host);
    }
    let mounts = component
        .files
        .iter()
        .map(|mount| (folder.join(&mount.source), mount.destination.clone()))
        .collect();
    Ok(ComponentRuntime {
        id: id.into(),
        variables: own,
        application_variables: variables.clone(),
        allowed_hosts,
        environment: component.environment.clone().into_iter().collect(),
        mounts,
        memory_bytes: limits.memory_bytes,
        metrics: metrics.component(id),
    })
}

/// Where a component and its plug-in come from.
struct Files {
    source: PathBuf,
    plugin: Option<PathBuf>,
    plugins: Plugins,
    grants: bool,
    outcomes: prometheus::IntCounterVec,
    compiled: PathBuf,
}

fn load_component(
    runtime: Arc<ComponentRuntime>,
    linker: &Linker<StoreData>,
    engine: &Engine,
    files: Files,
    limits: &Limits,
    entry: Entry,
) -> anyhow::Result<Served> {
    let in_component = || format!("component `{}`", runtime.id);
    let (component, linker) = match files.plugin {
        Some(plugin) => {
            let attaching = Attaching {
                component: &runtime.id,
                source: &files.source,
                plugin,
                how: files.plugins,
                grants: files.grants,
                outcomes: files.outcomes,
            };
            plugin::attach(attaching, linker, engine, &files.compiled, limits)
        }
        None => engine::load(engine, &files.source, &files.compiled)
            .map(|component| (component, linker.clone())),
    }
    .with_context(in_component)?;
    let pre = ComponentRuntime::link(&linker, &component).with_context(in_component)?;
    let entries = Arc::new(Entries::of(pre, entry));
    Ok(Served { runtime, entries })
}

fn routes(
    manifest: &Manifest,
    order: &BTreeMap<&str, usize>,
    components: &[Served],
) -> anyhow::Result<Router> {
    let mut router = Router::default();
    for trigger in &manifest.trigger.http {
        let target = order[trigger.component.as_str()];
        ensure!(
            components[target].entries.answers_http(),
            "component `{}` has a route but does not export wasi:http/handler@0.3",
            trigger.component
        );
        if let Route::Path(route) = &trigger.route {
            router.add(route, target)?;
        }
    }
    Ok(router)
}

fn subscriptions(
    manifest: &Manifest,
    order: &BTreeMap<&str, usize>,
    components: &[Served],
    variables: &Variables,
) -> anyhow::Result<Vec<Subscription>> {
    let mut subscriptions: Vec<Subscription> = Vec::new();
    let default = manifest.application.trigger.redis.as_ref().map(|redis| &redis.address);
    for trigger in &manifest.trigger.redis {
        let target = order[trigger.component.as_str()];
        ensure!(
            components[target].entries.hears_messages(),
            "component `{}` has a redis trigger but does not export spin:redis/inbound-redis@3.0.0",
            trigger.component
        );
        let address = trigger.address.as_ref().or(default).context("checked with the manifest")?;
        let address = Template::parse(address, variables)?.render(variables);
        let channel = Template::parse(&trigger.channel, variables)?.render(variables);
        let same = |other: &&mut Subscription| other.address == address && other.channel == channel;
        match subscriptions.iter_mut().find(same) {
            Some(subscription) => subscription.targets.push(target),
            None => subscriptions.push(Subscription { address, channel, targets: vec![target] }),
        }
    }
    Ok(subscriptions)
}
