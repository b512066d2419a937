//! A thread per core: each with a runtime, connections and instances of its own.
//!
//! A request never leaves its thread, so nothing on its way is shared or woken across cores. One
//! listener hands each connection to the thread that has the fewest: the load is split evenly,
//! which listeners of their own (SO_REUSEPORT) do only by chance, and a taken port is noticed. What
//! runs in the background (timer, Redis messages) has one more thread with instances of its own.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{mpsc, oneshot};

use crate::calls::Calls;
use crate::connection::Connection;
use crate::logging;
use crate::server::{Server, Shared};
use crate::subscriber::Listener;

/// The threads that answer HTTP, and the one for the background.
pub struct Threads {
    threads: Vec<Thread>,
    background: Background,
}

struct Thread {
    connections: mpsc::UnboundedSender<std::net::TcpStream>,
    open: Arc<AtomicUsize>,
    ended: oneshot::Receiver<()>,
}

struct Background {
    _running: oneshot::Sender<Infallible>,
    ended: oneshot::Receiver<()>,
}

fn runtime() -> std::io::Result<LocalRuntime> {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().on_thread_park(logging::flush).on_thread_stop(logging::flush);
    builder.build_local(LocalOptions::default())
}

/// Runs a future on a thread of its own; the receiver hears when it has ended.
fn spawn<Work>(
    name: &str,
    work: impl FnOnce() -> Work + Send + 'static,
) -> anyhow::Result<oneshot::Receiver<()>>
where
    Work: Future<Output = ()>,
{
    let (ending, ended) = oneshot::channel();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        match runtime() {
            Ok(runtime) => runtime.block_on(work()),
            Err(error) => tracing::error!(%error, "a thread has no runtime"),
        }
        logging::flush();
        ending.send(()).ok();
    })?;
    Ok(ended)
}

impl Threads {
    /// Starts so many threads for HTTP, and the one for the background.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub fn start(shared: &Arc<Shared>, count: usize) -> anyhow::Result<Threads> {
        let threads = (0..count.max(1)).map(|number| Thread::start(shared, number));
        let threads = threads.collect::<anyhow::Result<_>>()?;
        Ok(Threads { threads, background: Background::start(shared)? })
    }

    /// Gives a connection to the thread that has the fewest.
    ///
    /// # Errors
    /// The connection is of no use.
    pub fn take(&self, stream: TcpStream) -> anyhow::Result<()> {
        stream.set_nodelay(true)?;
        let fewest = self.threads.iter().min_by_key(|it| it.open.load(Ordering::Relaxed));
        let thread = fewest.context("there is always a thread")?;
        thread.open.fetch_add(1, Ordering::Relaxed);
        let sent = thread.connections.send(stream.into_std()?);
        sent.map_err(|_| anyhow::anyhow!("the thread has ended"))
    }

    /// Ends the background, lets answers under way be finished, and waits for the threads.
    pub async fn stop(self) {
        drop(self.background._running);
        let ended = self.threads.into_iter().map(|thread| {
            drop(thread.connections);
            thread.ended
        });
        let ended: Vec<_> = ended.chain([self.background.ended]).collect();
        futures::future::join_all(ended).await;
    }
}

impl Thread {
    fn start(shared: &Arc<Shared>, number: usize) -> anyhow::Result<Thread> {
        let (connections, incoming) = mpsc::unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let (shared, counted) = (shared.clone(), open.clone());
        let ended = spawn(&format!("http-{number}"), move || serve(shared, incoming, counted))?;
        Ok(Thread { connections, open, ended })
    }
}

impl Background {
    fn start(shared: &Arc<Shared>) -> anyhow::Result<Background> {
        let (running, stopped) = oneshot::channel::<Infallible>();
        let shared = shared.clone();
        let ended = spawn("background", move || async move {
            let calls = Rc::new(Calls::new(shared.application.clone()));
            for subscription in shared.application.subscriptions.clone() {
                let (calls, shared) = (calls.clone(), shared.clone());
                let listener = Listener { calls, shared, subscription };
                tokio::task::spawn_local(listener.listen());
            }
            tokio::task::spawn_local(async move {
                if let Some(ticking) = &shared.ticking {
                    ticking.run(&calls).await;
                }
            });
            stopped.await.ok();
        })?;
        Ok(Background { _running: running, ended })
    }
}

/// One connection fewer when it goes.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves the connections that come in until there will be no more; then finishes what is under
/// way.
async fn serve(
    shared: Arc<Shared>,
    mut incoming: mpsc::UnboundedReceiver<std::net::TcpStream>,
    open: Arc<AtomicUsize>,
) {
    let (drain, head) = (shared.application.limits.drain, shared.application.limits.head);
    let calls = Rc::new(Calls::new(shared.application.clone()));
    let server = Rc::new(Server { shared, calls });
    let graceful = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    // Not `pipeline_flush`: with it hyper holds its answer to a head that is none (400, 431) back
    // until the rest of it is read, which never happens.
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let stopping = Rc::new(Cell::new(false));
    while let Some(stream) = incoming.recv().await {
        let counted = Counted(open.clone());
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "connection lost");
                continue;
            }
        };
        let server = server.clone();
        let service = hyper::service::service_fn(move |request| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        let stream = TokioIo::new(Connection::new(stream, stopping.clone()));
        let connection = graceful.watch(http.serve_connection(stream, service));
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(counted);
        });
    }
    stopping.set(true);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped with answers still under way");
    }
}
