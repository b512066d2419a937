//! The native contender: inventory behind axum, in a process of its own.
//!
//! The same domain code, shell and script library as the component, called without wasm. Domain
//! futures stay on their thread, so it runs a runtime and a listener per thread (SO_REUSEPORT),
//! which is also axum's cheapest form. As in the product, a nudge has marked items pegged anew.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::serve::ListenerExt;
use futures::StreamExt;
use http::request::Parts;
use send_wrapper::SendWrapper;
use tokio::net::TcpSocket;
use tradewind_inventory::Inventory;
use tradewind_shell::auth::{TokenCache, bearer};
use tradewind_shell::cache::Cache;
use tradewind_shell::http::Request;
use tradewind_shell::redis::{RedisStore, open};
use tradewind_shell::serve::{nudged, serve};
use tradewind_shell::store::keys::NUDGE_CHANNEL;

use crate::clock::wall_millis;
use crate::native_world::NativeWorld;
use crate::process::Running;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// What the process is started with.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Its Redis.
    #[arg(long)]
    redis: String,
    /// The keys that sign tokens.
    #[arg(long)]
    keys: String,
    /// The audience of the tokens.
    #[arg(long)]
    audience: String,
}

/// What a thread keeps.
struct Shop {
    store: RedisStore,
    tokens: RefCell<TokenCache>,
    cache: Rc<Cache>,
}

impl Shop {
    fn world(&self) -> NativeWorld<RedisStore> {
        NativeWorld::new(self.store.clone(), Rc::clone(&self.cache))
    }
}

/// Starts the service as a child and waits for its address.
pub fn start(redis: &str, keys: &str, audience: &str) -> Result<(Running, SocketAddr)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["serve-native", "--redis", redis, "--keys", keys, "--audience", audience])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().context("no output")?;
    let child = Running::new(child);
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)?;
    Ok((child, line.trim().parse().context("the native service did not start")?))
}

/// Serves until standard input ends.
pub fn run(options: &Options) -> Result<()> {
    let address = reserve_port()?;
    let threads = std::thread::available_parallelism()?.get();
    let (ready, started) = std::sync::mpsc::channel();
    for thread in 0..threads {
        let (options, ready) = (options.clone(), ready.clone());
        std::thread::spawn(move || {
            let served = serve_thread(&options, address, thread == 0, &ready);
            drop(ready.send(served));
        });
    }
    for _ in 0..threads {
        started.recv()??;
    }
    let mut output = std::io::stdout();
    writeln!(output, "{address}")?;
    output.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A port that every thread can listen on afterwards.
fn reserve_port() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn serve_thread(
    options: &Options,
    address: SocketAddr,
    reacts: bool,
    ready: &std::sync::mpsc::Sender<Result<()>>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let store = open(&options.redis, 0)?;
    let tokens = TokenCache::new(&options.keys, &options.audience)?;
    let (tokens, cache) = (RefCell::new(tokens), Rc::default());
    let shop = Arc::new(SendWrapper::new(Shop { store, tokens, cache }));
    runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?.tap_io(|stream| {
            drop(stream.set_nodelay(true));
        });
        if reacts {
            let (redis, shop) = (options.redis.clone(), shop.clone());
            tokio::spawn(SendWrapper::new(async move { react(&redis, &shop).await }));
        }
        ready.send(Ok(()))?;
        let router = Router::new().fallback(answer).with_state(shop);
        axum::serve(listener, router).await?;
        Ok(())
    })
}

/// Does what Spin's Redis trigger does: one message at a time.
async fn react(redis: &str, shop: &Shop) -> Result<()> {
    let client = redis::Client::open(redis)?;
    let mut subscribed = client.get_async_pubsub().await?;
    subscribed.subscribe(format!("{NUDGE_CHANNEL}inventory")).await?;
    let mut messages = subscribed.on_message();
    while let Some(message) = messages.next().await {
        let world = shop.world();
        if let Err(failure) = nudged::<Inventory, _>(&world, message.get_payload_bytes()).await {
            tradewind_shell::world::World::log(&world, &failure.to_string());
        }
    }
    Ok(())
}

type SharedShop = Arc<SendWrapper<Shop>>;

async fn answer(State(shop): State<SharedShop>, parts: Parts, body: Bytes) -> http::Response<Body> {
    SendWrapper::new(async move { answer_here(&shop, parts, body).await }).await
}

async fn answer_here(shop: &Shop, parts: Parts, body: Bytes) -> http::Response<Body> {
    let headers = parts.headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or("").to_owned(),
        headers: headers.collect(),
        body: body.to_vec(),
    };
    let caller = bearer(request.header("authorization"))
        .and_then(|token| shop.tokens.borrow_mut().verify(token, wall_millis().div_euclid(1000)));
    let world = shop.world();
    let response = serve::<Inventory, _>(&world, &request, caller).await;
    let mut builder = http::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(response.body)).unwrap_or_default()
}
