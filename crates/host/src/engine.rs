//! The wasmtime engine, and compiled code kept on disk.
//!
//! Compiling a component takes hundreds of milliseconds, loading compiled code a few. The file
//! name is a hash of the component's bytes and of everything in the engine that the compiled code
//! depends on, so a stale file is never loaded: it is simply not looked for. A file that does not
//! load is compiled anew. Hashing takes longer than loading, so beside it lies a note of what the
//! file system said of the component when its hash was taken; as long as it says the same, the
//! component is not read at all. The folder must be writable by this host's user alone, since
//! compiled code is trusted.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// An engine whose epoch advances as long as anything holds it: what still runs when its
/// application has gone, a plug-in say, ends at its limit all the same.
///
/// # Errors
/// Wasmtime cannot run on this machine.
pub fn ticking(limits: &Limits) -> anyhow::Result<Engine> {
    let engine = match Engine::new(&config(limits, true)) {
        Ok(engine) => engine,
        Err(error) => {
            // Containers with a limit on address space have no room for the pool.
            tracing::warn!(%error, "no instance pool; each instance maps its own memory");
            Engine::new(&config(limits, false)).map_err(anyhow::Error::from)?
        }
    };
    let ticking = engine.weak();
    std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(EPOCH);
            let Some(engine) = ticking.upgrade() else { return };
            engine.increment_epoch();
        }
    })?;
    Ok(engine)
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
    let unread = || format!("cannot read the component {}; is it built?", source.display());
    let seen = Seen::of(engine, source, cache).with_context(unread)?;
    if let Some(component) = seen.noted().and_then(|key| compiled(engine, cache, &key)) {
        return Ok(component);
    }
    let bytes = std::fs::read(source).with_context(unread)?;
    let key = cache_key(engine, &bytes);
    let component = keyed(engine, &bytes, &key, &source.display().to_string(), cache)?;
    if let Err(error) = seen.note(&key) {
        tracing::warn!(error = %format!("{error:#}"), "the next start is slower");
    }
    Ok(component)
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
    keyed(engine, bytes, &cache_key(engine, bytes), name, cache)
}

/// The component with this key: its compiled code, which is made if it is not there.
fn keyed(
    engine: &Engine,
    bytes: &[u8],
    key: &str,
    name: &str,
    cache: &Path,
) -> anyhow::Result<Component> {
    match compiled(engine, cache, key) {
        Some(component) => Ok(component),
        None => compile(engine, name, bytes, &file_of(cache, key)),
    }
}

fn file_of(cache: &Path, key: &str) -> PathBuf {
    cache.join(format!("{key}.cwasm"))
}

/// The compiled code under a key, if it is there and loads.
fn compiled(engine: &Engine, cache: &Path, key: &str) -> Option<Component> {
    let file = file_of(cache, key);
    if !file.exists() {
        return None;
    }
    // SAFETY: the file was written by `compile` under a name that depends on its content's
    // source and on the engine, in a folder that only this host's user writes.
    match unsafe { Component::deserialize_file(engine, &file) } {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "compiled code does not load");
            None
        }
    }
}

fn compile(engine: &Engine, name: &str, bytes: &[u8], file: &Path) -> anyhow::Result<Component> {
    let compiled = engine
        .precompile_component(bytes)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("{name} does not compile as a component"))?;
    store(file, &compiled)?;
    // SAFETY: these bytes come from the compiler, this instant.
    unsafe { Component::deserialize_file(engine, file) }.map_err(anyhow::Error::from)
}

/// A component's file as the file system describes it.
struct Seen {
    note: PathBuf,
    /// Device, inode, length, times of the last change of content and of anything: who changes a
    /// file changes one of these.
    description: String,
    /// It changed so lately that another change might not show in its times.
    fresh: bool,
}

/// Times of files may be this coarse.
const COARSE: Duration = Duration::from_secs(2);

impl Seen {
    fn of(engine: &Engine, source: &Path, cache: &Path) -> anyhow::Result<Seen> {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(source)?;
        let description = format!(
            "{} {} {} {}.{} {}.{}",
            file.dev(),
            file.ino(),
            file.len(),
            file.mtime(),
            file.mtime_nsec(),
            file.ctime(),
            file.ctime_nsec()
        );
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let changed = Duration::from_secs(u64::try_from(file.ctime()).unwrap_or(u64::MAX));
        let fresh = changed.saturating_add(COARSE) > now;
        let path = std::path::absolute(source)?;
        let key = cache_key(engine, path.as_os_str().as_encoded_bytes());
        Ok(Seen { note: cache.join(format!("{key}.seen")), description, fresh })
    }

    /// The key that was noted for it, unless the file has changed since.
    fn noted(&self) -> Option<String> {
        let text = std::fs::read_to_string(&self.note).ok()?;
        let (description, key) = text.trim_end().split_once('\n')?;
        (description == self.description).then(|| key.to_owned())
    }

    fn note(&self, key: &str) -> anyhow::Result<()> {
        if self.fresh {
            return Ok(());
        }
        store(&self.note, format!("{}\n{key}\n", self.description).as_bytes())
    }
}

/// Writes beside the file and renames, so that a crash leaves no half file under the name.
fn store(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let folder = file.parent().context("a compiled file lies in a folder")?;
    create_private(folder)?;
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let part = file.with_extension(format!("{:x}.part", u64::from_le_bytes(suffix)));
    std::fs::write(&part, content)
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
