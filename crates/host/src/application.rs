//! The loaded application: its components, their routes, and calls into them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use wasmtime::component::Linker;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{
    ExpirationError, InstantiationError, ProxyHandler, TrapOrPanicError,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::bindings::SubscriberPre;
use crate::engine::{self, TickingEngine};
use crate::handler::Instances;
use crate::instance::{self, ComponentRuntime, StoreData};
use crate::manifest::{Component, Manifest, Route};
use crate::metrics::Metrics;
use crate::outbound::AllowedHost;
use crate::plugin::{self, Attaching, Plugins};
use crate::problem::{Problem, whole};
use crate::routes::Router;
use crate::variables::{Template, Variables};
use crate::{Limits, Options};

/// What waits beyond the time limit of a request for its orderly end; then the caller is
/// answered even if an instance still holds the request.
const LATE: Duration = Duration::from_millis(500);

/// The variable that readiness looks at when there is no Redis trigger.
const REDIS_URL: &str = "redis_url";

/// An application ready to answer.
pub struct Application {
    /// Keeps the epoch advancing.
    pub engine: TickingEngine,
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
    stopping: Arc<AtomicBool>,
}

/// A component and the ways into it.
pub struct Served {
    /// The component.
    pub runtime: Arc<ComponentRuntime>,
    /// HTTP, where it exports that.
    pub http: Option<ProxyHandler<Instances>>,
    /// HTTP again, one request an instance: for what is tried once more.
    pub alone: Option<ProxyHandler<Instances>>,
    /// Redis messages, where it exports that.
    pub subscriber: Option<SubscriberPre<StoreData>>,
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
        let engine = TickingEngine::new(&options.limits)?;
        let linker = Arc::new(instance::linker(&engine.engine)?);
        let folder = options.manifest.parent().unwrap_or(Path::new("")).to_owned();
        let mut loading = Vec::new();
        let stopping = Arc::new(AtomicBool::new(false));
        for (id, component) in &manifest.component {
            let runtime = Arc::new(describe(
                id,
                component,
                &folder,
                &variables,
                &metrics,
                &options.limits,
                &stopping,
            )?);
            let (linker, engine) = (linker.clone(), engine.engine.clone());
            let files = Files {
                source: folder.join(&component.source.0),
                plugin: component.dependencies.values().next().map(|it| folder.join(&it.path)),
                plugins: options.plugins,
                grants: !component.files.is_empty() || !component.environment.is_empty(),
                outcomes: metrics.plugin_answers.clone(),
                compiled: options.compiled_dir.clone(),
            };
            let limits = options.limits.clone();
            loading.push(tokio::task::spawn_blocking(move || {
                load_component(runtime, &linker, &engine, files, limits)
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
        Ok(Application {
            engine,
            components,
            router,
            subscriptions,
            variables,
            metrics,
            limits,
            stopping,
        })
    }

    /// Says that instances may be dropped from now on without having failed.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
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

    /// Calls a component with a body that is there as a whole.
    ///
    /// When the instance failed because of *another* request, and this one may be repeated (its
    /// method or an idempotency key says so), it is tried once more, in an instance of its own:
    /// which of the interleaved requests was at fault is not always known.
    ///
    /// # Errors
    /// The component gave no answer.
    pub async fn call(
        &self,
        target: usize,
        parts: Parts,
        body: Bytes,
        limit: Duration,
    ) -> Result<Response<WasiBody>, Problem> {
        let again = may_repeat(&parts).then(|| (parts.clone(), body.clone()));
        let first = Request::from_parts(parts, whole(body));
        let served = &self.components[target];
        match (attempt(served, &served.http, first, limit).await, again) {
            (Err(Fault::Collateral), Some((parts, body))) => {
                let second = Request::from_parts(parts, whole(body));
                attempt(served, &served.alone, second, limit).await.map_err(Problem::from)
            }
            (result, _) => result.map_err(Problem::from),
        }
    }

    /// Calls a component with a body that streams.
    ///
    /// # Errors
    /// The component gave no answer.
    pub async fn call_streaming(
        &self,
        target: usize,
        request: Request<WasiBody>,
        limit: Duration,
    ) -> Result<Response<WasiBody>, Problem> {
        let served = &self.components[target];
        attempt(served, &served.http, request, limit).await.map_err(Problem::from)
    }
}

async fn attempt(
    served: &Served,
    handler: &Option<ProxyHandler<Instances>>,
    request: Request<WasiBody>,
    limit: Duration,
) -> Result<Response<WasiBody>, Fault> {
    let Some(handler) = handler else { return Err(Fault::Own) };
    let start = Instant::now();
    let answered = tokio::time::timeout(limit + LATE, handler.handle(limit, request)).await;
    let error = match answered {
        Ok(Ok(response)) => return Ok(response),
        Ok(Err(error)) => error,
        Err(_) => return Err(Fault::Late),
    };
    if error.is::<ExpirationError>() {
        return Err(Fault::Late);
    }
    if error.is::<TrapOrPanicError>() {
        // An instance that keeps the thread goes at the deadline, with the request in it.
        let own = start.elapsed() >= limit;
        return Err(if own { Fault::Late } else { Fault::Collateral });
    }
    let component = &*served.runtime.id;
    if let Some(error) = error.downcast_ref::<InstantiationError<Duration>>() {
        tracing::warn!(component, %error, "no instance");
        return Err(Fault::NoInstance);
    }
    tracing::error!(component, error = %format!("{error:#}"), "component failed");
    Err(Fault::Own)
}

/// Why a call gave no answer.
enum Fault {
    /// This request made the instance fail.
    Own,
    /// Another request made the instance fail.
    Collateral,
    /// The time limit passed.
    Late,
    /// The pool is used up.
    NoInstance,
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        match fault {
            Fault::Own | Fault::Collateral => Problem::ComponentFailed,
            Fault::Late => Problem::TimeLimit,
            Fault::NoInstance => Problem::Overloaded,
        }
    }
}

fn may_repeat(parts: &Parts) -> bool {
    [Method::GET, Method::HEAD, Method::PUT, Method::DELETE].contains(&parts.method)
        || parts.headers.contains_key("idempotency-key")
}

fn describe(
    id: &str,
    component: &Component,
    folder: &Path,
    variables: &Arc<Variables>,
    metrics: &Metrics,
    limits: &Limits,
    stopping: &Arc<AtomicBool>,
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
        stopping: stopping.clone(),
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
    engine: &wasmtime::Engine,
    files: Files,
    limits: Limits,
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
                runtime: tokio::runtime::Handle::current(),
            };
            plugin::attach(attaching, linker, engine, &files.compiled, &limits)
        }
        None => engine::load(engine, &files.source, &files.compiled)
            .map(|component| (component, linker.clone())),
    }
    .with_context(in_component)?;
    let pre = ComponentRuntime::link(&linker, &component).with_context(in_component)?;
    let subscriber = SubscriberPre::new(pre.clone()).ok();
    let service = ServicePre::new(pre).ok();
    let handler = |limits: Limits| {
        let service = service.clone()?;
        Some(ProxyHandler::new(Instances::new(runtime.clone(), engine.clone(), service, limits)))
    };
    let alone = handler(Limits { interleaved: 1, ..limits.clone() });
    let http = handler(limits);
    Ok(Served { runtime, http, alone, subscriber })
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
            components[target].http.is_some(),
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
            components[target].subscriber.is_some(),
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
