//! `tradewind-host`: runs a `spin.toml` from the command line.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tradewind_host::manifest::Manifest;
use tradewind_host::redis_server::{Fsync, RedisOptions, RedisServer};
use tradewind_host::{
    Entry, Limits, Loaded, Options, Plugins, RouteLimits, Signing, Timer, logging,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the components of a spin.toml.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The manifest.
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where data, compiled code and the private Redis lie.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Where compiled code lies [default: `compiled` in the data folder].
    #[arg(long)]
    compiled: Option<PathBuf>,
    /// A variable of the application; may be repeated. It wins over SPIN_VARIABLE_NAME in the
    /// environment.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// The variable that gets the private Redis' address; `none` starts no Redis.
    #[arg(long, default_value = "redis_url")]
    redis_variable: String,
    /// The private Redis flushes to disk every second instead of at every write.
    #[arg(long)]
    fsync_every_second: bool,
    /// Lets POST /host/v1/clock move the business clock.
    #[arg(long)]
    test_clock: bool,
    /// A path to POST to at a pace; may be repeated.
    #[arg(long)]
    tick: Vec<String>,
    /// The pace, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    tick_milliseconds: u64,
    /// The Ed25519 key (PKCS #8, PEM or plain) that signs the ticks.
    #[arg(long, requires = "tick_key_id")]
    tick_key: Option<PathBuf>,
    /// The id of that key.
    #[arg(long)]
    tick_key_id: Option<String>,
    /// The audience of the ticks' tokens.
    #[arg(long, default_value = "tradewind")]
    tick_audience: String,
    /// A route whose body streams without limit; may be repeated.
    #[arg(long, value_name = "PREFIX")]
    bulk: Vec<String>,
    /// Which way requests take into components that offer both.
    #[arg(long, value_enum, default_value_t)]
    entry: Entry,
    /// Threads that answer HTTP [default: one for each core].
    #[arg(long)]
    threads: Option<usize>,
    /// How plug-ins run: each ask in a store of its own, or composed as Spin does it.
    #[arg(long, value_enum, default_value_t)]
    plugins: Plugins,
    /// The time of a plug-in for one answer, in milliseconds [default: 1000].
    #[arg(long)]
    plugin_milliseconds: Option<u64>,
    /// The memory of a plug-in, in MiB [default: 128].
    #[arg(long)]
    plugin_mebibytes: Option<usize>,
    /// Log filter.
    #[arg(long, default_value = "info")]
    log: String,
    /// Serve nothing: read questions (a JSON array) from standard input, ask this plug-in each of
    /// them twice, and write what it said to standard output.
    #[arg(long, value_name = "FILE")]
    try_plugin: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Keeps the kernel from giving the allocator pages of 2 MB: it spreads its small blocks over many
/// of them, and an idle host would hold 30 MB for 5.
fn without_huge_pages() {
    #[cfg(target_os = "linux")]
    // SAFETY: it changes how the kernel maps pages from now on, not what is in them.
    if unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) } != 0 {
        tracing::debug!("the kernel keeps its huge pages");
    }
}

fn main() -> ExitCode {
    without_huge_pages();
    let arguments = Arguments::parse();
    logging::start(&arguments.log);
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Tries a plug-in out.
fn try_plugin(file: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let questions = serde_json::from_reader(std::io::stdin().lock())
        .context("standard input is no JSON array of questions")?;
    let limits = limits(arguments);
    let compiled = arguments.compiled.clone().unwrap_or_else(|| arguments.data.join("compiled"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let results = runtime.block_on(tradewind_host::try_out(file, questions, &compiled, &limits))?;
    serde_json::to_writer(std::io::stdout().lock(), &results).context("standard output")
}

fn limits(arguments: &Arguments) -> Limits {
    let mut limits = Limits::default();
    if let Some(milliseconds) = arguments.plugin_milliseconds {
        limits.plugin_time = Duration::from_millis(milliseconds);
    }
    if let Some(mebibytes) = arguments.plugin_mebibytes {
        limits.plugin_memory_bytes = mebibytes << 20;
    }
    limits
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    if let Some(file) = &arguments.try_plugin {
        return try_plugin(file, &arguments);
    }
    let mut variables = environment(&arguments.manifest)?;
    variables.extend(arguments.variables.iter().cloned());
    let own =
        arguments.redis_variable != "none" && !variables.contains_key(&arguments.redis_variable);
    let redis = own.then(|| start_redis(&arguments)).transpose()?;
    if let Some(redis) = &redis {
        variables.insert(arguments.redis_variable.clone(), redis.url());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let loaded = Loaded::load(options(arguments, variables)).await?;
        // Redis starts meanwhile.
        if let Some(redis) = &redis {
            redis.wait_until_loaded()?;
        }
        loaded.run(|address| tracing::info!(%address, "listening"), interrupted()).await
    });
    drop(redis);
    served
}

/// The variables given as Spin takes them, `SPIN_VARIABLE_NAME=value`; those that the manifest
/// does not have belong to another application.
fn environment(manifest: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    for name in Manifest::read(manifest)?.variables.into_keys() {
        if let Ok(value) = std::env::var(format!("SPIN_VARIABLE_{}", name.to_uppercase())) {
            variables.insert(name, value);
        }
    }
    Ok(variables)
}

fn start_redis(arguments: &Arguments) -> anyhow::Result<RedisServer> {
    let fsync = if arguments.fsync_every_second { Fsync::EverySecond } else { Fsync::Always };
    let directory = arguments.data.join("redis");
    RedisServer::launch(RedisOptions { directory, port: None, fsync }).context("private Redis")
}

fn options(arguments: Arguments, variables: BTreeMap<String, String>) -> Options {
    let limits = limits(&arguments);
    let mut options = Options::new(arguments.manifest, arguments.listen, arguments.data);
    options.limits = limits;
    options.plugins = arguments.plugins;
    if let Some(compiled) = arguments.compiled {
        options.compiled_dir = compiled;
    }
    options.variables = variables;
    options.entry = arguments.entry;
    if let Some(threads) = arguments.threads {
        options.threads = threads;
    }
    options.test_clock = arguments.test_clock;
    let audience = &arguments.tick_audience;
    let signing = arguments
        .tick_key
        .zip(arguments.tick_key_id)
        .map(|(file, id)| Signing::new(&file, &id, audience));
    if !arguments.tick.is_empty() {
        let every = Duration::from_millis(arguments.tick_milliseconds);
        options.timer = Some(Timer { paths: arguments.tick, every, signing });
    }
    let time = options.limits.background_time;
    options.limits.routes = arguments
        .bulk
        .into_iter()
        .map(|prefix| RouteLimits { prefix, body_bytes: None, time })
        .collect();
    options
}

/// Resolves at Ctrl-C or SIGTERM.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
