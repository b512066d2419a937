//! The wasmtime engine, and compiled code kept on disk.
//!
//! Compiling a component takes hundreds of milliseconds, loading compiled code a few. The file
//! name is a hash of the component's bytes and of everything in the engine that the compiled code
//! depends on, so a stale file is never loaded: it is simply not looked for. A file that does not
//! load is compiled anew. The folder must be writable by this host's user alone, since compiled
//! code is trusted.

use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::Limits;

/// How often running wasm is asked whether it has run for too long. Short against any time
/// limit, long against the cost of the question.
pub const EPOCH: Duration = Duration::from_millis(10);

/// Linear memories in one composed component: the service and the components it asks.
const MEMORIES_PER_COMPONENT: u32 = 32;

/// Linear memories reserved for each instance that may live at once. An instance of ours has
/// one to six; a pool too small is an answer 503, not a fault.
const MEMORIES_PER_INSTANCE: u32 = 4;

/// Core instances and tables per instance: each memory comes with its module and two small ones
/// that the component linker adds.
const CORE_INSTANCES_PER_INSTANCE: u32 = 16;

/// Bookkeeping of one instance; generous, since it is only reserved address space.
const INSTANCE_BYTES: usize = 4 << 20;

/// Entries of the largest function table taken; console and script engines have tens of thousands.
const TABLE_ELEMENTS: usize = 100_000;

/// Bytes of a returned memory that are cleared by hand instead of handed back to the kernel.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;

/// An engine whose epoch advances as long as this value lives.
pub struct TickingEngine {
    /// The engine.
    pub engine: Engine,
    stopped: Arc<AtomicBool>,
}

impl TickingEngine {
    /// Makes the engine and starts its epoch thread.
    ///
    /// # Errors
    /// Wasmtime cannot run on this machine.
    pub fn new(limits: &Limits) -> anyhow::Result<TickingEngine> {
        let engine = match Engine::new(&config(limits, true)) {
            Ok(engine) => engine,
            Err(error) => {
                // Containers with a limit on address space have no room for the pool.
                tracing::warn!(%error, "no instance pool; each instance maps its own memory");
                Engine::new(&config(limits, false)).map_err(anyhow::Error::from)?
            }
        };
        let stopped = Arc::new(AtomicBool::new(false));
        let (ticking, until) = (engine.weak(), stopped.clone());
        std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
            while !until.load(Ordering::Relaxed) {
                std::thread::sleep(EPOCH);
                let Some(engine) = ticking.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(TickingEngine { engine, stopped })
    }
}

impl Drop for TickingEngine {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

fn config(limits: &Limits, pooled: bool) -> Config {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    if pooled {
        let instances = limits.instances;
        let mut pool = PoolingAllocationConfig::default();
        pool.total_component_instances(instances)
            .total_memories(instances * MEMORIES_PER_INSTANCE)
            .total_tables(instances * CORE_INSTANCES_PER_INSTANCE)
            .total_core_instances(instances * CORE_INSTANCES_PER_INSTANCE)
            .total_stacks(instances * 2)
            .max_memories_per_component(MEMORIES_PER_COMPONENT)
            .max_tables_per_component(MEMORIES_PER_COMPONENT * 2)
            .max_component_instance_size(INSTANCE_BYTES)
            .max_core_instance_size(INSTANCE_BYTES)
            .table_elements(TABLE_ELEMENTS)
            .max_memory_size(limits.memory_bytes)
            .linear_memory_keep_resident(KEEP_RESIDENT_BYTES);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// Loads a component, compiling it if its compiled code is not in `cache`.
///
/// # Errors
/// The file cannot be read or is no component.
pub fn load(engine: &Engine, source: &Path, cache: &Path) -> anyhow::Result<Component> {
    let bytes = std::fs::read(source)
        .with_context(|| format!("cannot read the component {}; is it built?", source.display()))?;
    load_bytes(engine, &bytes, &source.display().to_string(), cache)
}

/// The same for a component that is in memory; errors call it by `name`.
///
/// # Errors
/// It is no component.
pub fn load_bytes(
    engine: &Engine,
    bytes: &[u8],
    name: &str,
    cache: &Path,
) -> anyhow::Result<Component> {
    let file = cache.join(format!("{}.cwasm", cache_key(engine, bytes)));
    if file.exists() {
        // SAFETY: the file was written by `compile` under a name that depends on its content's
        // source and on the engine, in a folder that only this host's user writes.
        match unsafe { Component::deserialize_file(engine, &file) } {
            Ok(component) => return Ok(component),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "compiled code does not load");
            }
        }
    }
    let compiled = engine
        .precompile_component(bytes)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("{name} does not compile as a component"))?;
    store(&file, &compiled)?;
    // SAFETY: these bytes come from the compiler, this instant.
    unsafe { Component::deserialize_file(engine, &file) }.map_err(anyhow::Error::from)
}

/// Writes beside the file and renames, so that a crash leaves no half file under the name.
fn store(file: &Path, compiled: &[u8]) -> anyhow::Result<()> {
    let folder = file.parent().context("a compiled file lies in a folder")?;
    create_private(folder)?;
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let part = file.with_extension(format!("{:x}.part", u64::from_le_bytes(suffix)));
    std::fs::write(&part, compiled)
        .and_then(|()| std::fs::rename(&part, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn create_private(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot create {}", folder.display()))
}

fn cache_key(engine: &Engine, bytes: &[u8]) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.write(bytes);
    hasher.0.finalize().iter().take(16).fold(String::new(), |mut key, byte| {
        key.push_str(&format!("{byte:02x}"));
        key
    })
}

/// Lets the engine's compatibility hash flow into SHA-256, which is the same on every run.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
