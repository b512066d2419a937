//! One component of the application, and what a running instance of it may use.
//!
//! A store holds one instance. It can reach Redis at the allowed addresses, its variables, the
//! mounted directories, clocks and randomness; nothing else. Its memory is bounded over all its
//! linear memories together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus::IntCounter;
use wasmtime::component::{Component, HasData, InstancePre, Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView,
};

use crate::bindings;
use crate::guest_output::GuestOutput;
use crate::metrics::ComponentMetrics;
use crate::outbound::{self, AllowedHost};
use crate::variables::{Template, Variables};

/// A component as the manifest describes it, ready to be instantiated.
pub struct ComponentRuntime {
    /// The id in the manifest.
    pub id: Arc<str>,
    /// Variables of the component, as templates over those of the application.
    pub variables: BTreeMap<String, Template>,
    /// The application's variables.
    pub application_variables: Arc<Variables>,
    /// Where it may connect to.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// Directories on this machine and where the component sees them.
    pub mounts: Vec<(std::path::PathBuf, String)>,
    /// Most bytes over all memories of an instance.
    pub memory_bytes: usize,
    /// What is counted.
    pub metrics: ComponentMetrics,
}

/// What belongs to one instance.
pub struct StoreData {
    /// Its component.
    pub component: Arc<ComponentRuntime>,
    /// Resources it holds.
    pub table: ResourceTable,
    /// Redis calls made, over all instances of the component.
    pub redis_commands: IntCounter,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Outgoing,
    memory: MemoryLimit,
    /// Epochs in a row in which this instance was found running.
    pub busy_epochs: Arc<AtomicU64>,
}

/// Names the imports that Spin offers beside WASI; their data is the whole store's.
pub struct SpinImports;

impl HasData for SpinImports {
    type Data<'a> = &'a mut StoreData;
}

impl WasiView for StoreData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for StoreData {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Outgoing HTTP: to the allowed hosts, else refused.
struct Outgoing {
    component: Arc<ComponentRuntime>,
}

type Exchanged = Result<
    (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), HttpError>> + Send>),
    HttpError,
>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = Exchanged> + Send> {
        let target = request.uri().to_string();
        let allowed = outbound::is_allowed(&self.component.allowed_hosts, &target);
        if !allowed {
            tracing::warn!(component = %self.component.id, %target, "outbound host not allowed");
        }
        Box::new(async move {
            if !allowed {
                return Err(HttpError::HttpRequestDenied);
            }
            let (response, io) = wasmtime_wasi_http::default_send_request(request, options).await?;
            let response = response.map(http_body_util::BodyExt::boxed_unsync);
            Ok((response, Box::new(io) as Box<dyn Future<Output = _> + Send>))
        })
    }
}

/// Bounds the memories of a store together. Growth beyond the bound fails inside the component,
/// whose allocator then gives up: the request is answered 500.
struct MemoryLimit {
    bytes: usize,
    most: usize,
    component: Arc<str>,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = self.bytes.saturating_add(desired.saturating_sub(current));
        if grown > self.most {
            tracing::warn!(component = %self.component, bytes = grown, "memory limit reached");
            return Ok(false);
        }
        self.bytes = grown;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// Everything a component may import.
///
/// # Errors
/// Never in practice: the interfaces are fixed when this host is built.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<StoreData>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    bindings::spin::redis::redis::add_to_linker::<_, SpinImports>(&mut linker, |data| data)?;
    bindings::spin::variables::variables::add_to_linker::<_, SpinImports>(&mut linker, |data| {
        data
    })?;
    Ok(linker)
}

impl ComponentRuntime {
    /// Links a component: from here on an instance costs microseconds.
    ///
    /// # Errors
    /// It imports something that this host does not offer; the error names it.
    pub fn link(
        linker: &Linker<StoreData>,
        component: &Component,
    ) -> anyhow::Result<InstancePre<StoreData>> {
        linker.instantiate_pre(component).map_err(anyhow::Error::from)
    }

    /// A new store for an instance.
    ///
    /// # Errors
    /// A mounted directory cannot be opened.
    pub fn store(self: &Arc<Self>, engine: &Engine) -> wasmtime::Result<Store<StoreData>> {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(GuestOutput::new(self.id.clone(), false));
        wasi.stderr(GuestOutput::new(self.id.clone(), true));
        wasi.allow_tcp(false).allow_udp(false);
        for (name, value) in &self.environment {
            wasi.env(name, value);
        }
        for (directory, destination) in &self.mounts {
            wasi.preopened_dir(directory, destination, FsPerms::ReadOnly)?;
        }
        let data = StoreData {
            component: self.clone(),
            table: ResourceTable::new(),
            redis_commands: self.metrics.redis_commands.clone(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: Outgoing { component: self.clone() },
            memory: MemoryLimit { bytes: 0, most: self.memory_bytes, component: self.id.clone() },
            busy_epochs: Arc::new(AtomicU64::new(0)),
        };
        let mut store = Store::new(engine, data);
        store.limiter(|data| &mut data.memory);
        // Running wasm hands the thread back at every epoch, so that whoever waits for the
        // instance can look at the time and drop it.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            context.data().busy_epochs.fetch_add(1, Ordering::Relaxed);
            Ok(UpdateDeadline::Yield(1))
        });
        self.metrics.instances_made.inc();
        Ok(store)
    }
}
