//! A pipelined connection to Redis.
//!
//! Whoever has a command puts it into one buffer and waits; one task sends all that is there with
//! one write and hands out the answers of one read, in order. So commands that are ready together
//! cost one call of the system each way. A command is sent once or not at all: when the connection
//! breaks, everybody who waits is told, and nothing is tried again here.

mod resp;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, Value};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

pub use resp::Argument;

/// How long a connection may take to come up: a local or nearby server, or none at all.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long a command may go without an answer. A connection can be lost without a sign of it, and
/// whoever waits on one waits for nothing; a request has the time to try another one. No script of
/// ours takes seconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Room for what arrives at once.
const READ_BYTES: usize = 16 << 10;

/// A buffer that grew beyond this is given back when it is empty: one large command or answer should
/// not be kept for ever.
const KEPT_BYTES: usize = 256 << 10;

/// Why a command has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The address is not one of Redis over TCP.
    #[error("the address of Redis is not one")]
    Address,
    /// No connection came about, or this one has ended.
    #[error("no connection to Redis: {0}")]
    Broken(Arc<str>),
    /// The command was sent; nobody knows what it did.
    #[error("Redis did not answer within {} s", ANSWER_LIMIT.as_secs())]
    Late,
    /// Redis answered with an error.
    #[error("{0}")]
    Refused(String),
}

impl Fault {
    fn broken(why: impl ToString) -> Self {
        Self::Broken(why.to_string().into())
    }
}

/// A connection; ends when it is dropped.
pub struct Wire {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    /// Commands that are not sent yet.
    out: BytesMut,
    /// Who waits for an answer, in the order of the commands. The late ones have been told.
    waiting: VecDeque<Waiting>,
    /// Why no more commands are taken.
    ended: Option<Fault>,
    /// Nobody holds the connection any more.
    dropped: bool,
    /// The task, while it has nothing to do.
    idle: Option<Waker>,
}

struct Waiting {
    deadline: Instant,
    answer: Option<oneshot::Sender<Result<Value, Fault>>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(idle) = self.idle.take() {
            idle.wake();
        }
    }

    /// Takes no more commands, and tells everybody who waits.
    fn end(&mut self, fault: &Fault) {
        self.ended.get_or_insert_with(|| fault.clone());
        self.out = BytesMut::new();
        for waiting in self.waiting.drain(..) {
            waiting.tell(Err(fault.clone()));
        }
    }
}

impl Waiting {
    fn tell(self, answer: Result<Value, Fault>) {
        if let Some(asker) = self.answer {
            // Whoever asked may have gone.
            asker.send(answer).ok();
        }
    }
}

impl Wire {
    /// Opens a connection (`redis://[user:password@]host:port[/database]`). Needs a tokio runtime,
    /// on whose thread the connection stays.
    ///
    /// # Errors
    /// The address is malformed, nobody answers there, or the user is not known.
    pub async fn connect(address: &str) -> Result<Wire, Fault> {
        let information = address.into_connection_info().map_err(|_| Fault::Address)?;
        let opening = timeout(CONNECT_LIMIT, Wire::open(&information));
        opening.await.map_err(|_| Fault::broken("it takes too long"))?
    }

    async fn open(information: &ConnectionInfo) -> Result<Wire, Fault> {
        let ConnectionAddr::Tcp(host, port) = information.addr() else {
            return Err(Fault::Address);
        };
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(Fault::broken)?;
        stream.set_nodelay(true).map_err(Fault::broken)?;
        let shared = Arc::<Shared>::default();
        let task = Task {
            stream,
            shared: shared.clone(),
            room: vec![0; READ_BYTES].into(),
            input: BytesMut::new(),
            out: BytesMut::new(),
            answers: resp::Answers::default(),
        };
        tokio::spawn(task.run());
        let wire = Wire { shared };
        let settings = information.redis_settings();
        if let Some(password) = settings.password() {
            let words = settings.username().into_iter().chain([password]);
            let words: Vec<_> = words.map(|word| Argument::Bytes(word.as_bytes())).collect();
            wire.ask("AUTH", &words).await?;
        }
        if settings.db() != 0 {
            wire.ask("SELECT", &[Argument::Number(settings.db())]).await?;
        }
        Ok(wire)
    }

    /// Whether commands can still be sent.
    pub fn is_open(&self) -> bool {
        self.shared.state().ended.is_none()
    }

    /// Sends a command and waits for its answer. Dropping the future does not unsend it.
    ///
    /// # Errors
    /// Why there is none; an error that Redis answered with, in the client library's words.
    pub fn ask(
        &self,
        command: &str,
        arguments: &[Argument<'_>],
    ) -> impl Future<Output = Result<Value, Fault>> + Send + use<> {
        let (sender, answer) = oneshot::channel();
        {
            let mut state = self.shared.state();
            let waiting = Waiting { deadline: Instant::now() + ANSWER_LIMIT, answer: Some(sender) };
            match &state.ended {
                Some(fault) => waiting.tell(Err(fault.clone())),
                None => {
                    resp::write_command(&mut state.out, command, arguments);
                    state.waiting.push_back(waiting);
                    state.wake();
                }
            }
        }
        async {
            let value = answer.await.unwrap_or_else(|_| Err(Fault::broken("its task ended")))?;
            value.extract_error().map_err(|error| Fault::Refused(error.to_string()))
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.dropped = true;
        state.wake();
    }
}

/// What moves the bytes of a connection.
struct Task {
    stream: TcpStream,
    shared: Arc<Shared>,
    /// Where the socket is read into.
    room: Box<[u8]>,
    /// What has arrived and is no whole answer yet.
    input: BytesMut,
    /// What is being sent.
    out: BytesMut,
    answers: resp::Answers,
}

impl Task {
    async fn run(mut self) {
        let mut limit = pin!(sleep_until(Instant::now() + ANSWER_LIMIT));
        let fault = poll_fn(|context| self.poll(context, limit.as_mut())).await;
        self.shared.state().end(&fault);
    }

    /// Ready when the connection is at its end.
    fn poll(&mut self, context: &mut Context<'_>, limit: Pin<&mut Sleep>) -> Poll<Fault> {
        if let Poll::Ready(fault) = self.receive(context) {
            return Poll::Ready(fault);
        }
        if let Poll::Ready(fault) = self.send(context) {
            return Poll::Ready(fault);
        }
        self.watch(context, limit);
        let mut state = self.shared.state();
        if state.dropped && state.out.is_empty() && self.out.is_empty() {
            return Poll::Ready(Fault::broken("it was closed"));
        }
        match &mut state.idle {
            Some(idle) => idle.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Reads all that is there and hands out the answers in it.
    fn receive(&mut self, context: &mut Context<'_>) -> Poll<Fault> {
        loop {
            if self.input.is_empty() && self.input.capacity() > KEPT_BYTES {
                self.input = BytesMut::new();
            }
            let mut room = ReadBuf::new(&mut self.room);
            if let Err(error) = ready!(Pin::new(&mut self.stream).poll_read(context, &mut room)) {
                return Poll::Ready(Fault::broken(error));
            }
            if room.filled().is_empty() {
                return Poll::Ready(Fault::broken("Redis closed it"));
            }
            self.input.extend_from_slice(room.filled());
            if self.hand_out().is_err() {
                return Poll::Ready(Fault::broken("what it answers makes no sense"));
            }
        }
    }

    fn hand_out(&mut self) -> Result<(), resp::Senseless> {
        let mut state = self.shared.state();
        while let Some(value) = self.answers.next(&mut self.input)? {
            // An answer that nobody asked for belongs to a protocol that is not spoken here.
            state.waiting.pop_front().ok_or(resp::Senseless)?.tell(Ok(value));
        }
        Ok(())
    }

    /// Sends all that is there, unless the socket is full.
    fn send(&mut self, context: &mut Context<'_>) -> Poll<Fault> {
        loop {
            if self.out.is_empty() {
                if self.out.capacity() > KEPT_BYTES {
                    self.out = BytesMut::new();
                }
                self.out.clear();
                std::mem::swap(&mut self.out, &mut self.shared.state().out);
                if self.out.is_empty() {
                    return Poll::Pending;
                }
            }
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.out)) {
                Ok(0) => return Poll::Ready(Fault::broken("nothing can be sent")),
                Ok(sent) => self.out.advance(sent),
                Err(error) => return Poll::Ready(Fault::broken(error)),
            }
        }
    }

    /// Tells those whose time is up. Their answers may still come, and are then nobody's; the
    /// others go on waiting, but nobody new is taken on.
    fn watch(&mut self, context: &mut Context<'_>, mut limit: Pin<&mut Sleep>) {
        while limit.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let mut state = self.shared.state();
            let mut next = now + ANSWER_LIMIT;
            let mut late = false;
            for waiting in &mut state.waiting {
                if waiting.deadline > now {
                    next = waiting.deadline;
                    break;
                }
                if let Some(asker) = waiting.answer.take() {
                    asker.send(Err(Fault::Late)).ok();
                    late = true;
                }
            }
            if late {
                state.ended.get_or_insert(Fault::broken("it does not answer in time"));
            }
            limit.as_mut().reset(next);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const PING: &str = "*1\r\n$4\r\nPING\r\n";

    async fn pair() -> (Wire, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("redis://{}", listener.local_addr().unwrap());
        let (wire, accepted) = futures::join!(Wire::connect(&address), listener.accept());
        (wire.unwrap(), accepted.unwrap().0)
    }

    async fn arrives(stream: &mut TcpStream, text: &str) {
        let mut came = vec![0; text.len()];
        stream.read_exact(&mut came).await.unwrap();
        assert_eq!(String::from_utf8(came).unwrap(), text);
    }

    #[tokio::test]
    async fn commands_go_out_together_and_each_gets_its_answer() {
        let (wire, mut redis) = pair().await;
        let (first, second) = (wire.ask("PING", &[]), wire.ask("PING", &[]));
        let dropped = wire.ask("PING", &[]);
        drop(dropped);
        let fourth = wire.ask("PING", &[]);
        arrives(&mut redis, &PING.repeat(4)).await;
        redis.write_all(b":1\r\n-ERR no\r\n:3\r\n:4\r\n").await.unwrap();
        assert_eq!(first.await, Ok(Value::Int(1)));
        assert!(matches!(second.await, Err(Fault::Refused(text)) if text.contains("no")));
        assert_eq!(fourth.await, Ok(Value::Int(4)));
        assert!(wire.is_open());
    }

    #[tokio::test]
    async fn when_it_breaks_everybody_is_told_and_nothing_is_sent_again() {
        let (wire, mut redis) = pair().await;
        let (first, second) = (wire.ask("PING", &[]), wire.ask("PING", &[]));
        arrives(&mut redis, &PING.repeat(2)).await;
        redis.write_all(b":1\r\n").await.unwrap();
        drop(redis);
        assert_eq!(first.await, Ok(Value::Int(1)));
        assert!(matches!(second.await, Err(Fault::Broken(_))));
        assert!(!wire.is_open());
        assert!(matches!(wire.ask("PING", &[]).await, Err(Fault::Broken(_))));
    }

    #[tokio::test]
    async fn an_answer_that_nobody_asked_for_ends_it() {
        let (wire, mut redis) = pair().await;
        redis.write_all(b":1\r\n").await.unwrap();
        arrives_nothing(&mut redis).await;
        assert!(!wire.is_open());
    }

    async fn arrives_nothing(stream: &mut TcpStream) {
        let mut came = Vec::new();
        // Reset or closed: either way it has ended.
        stream.read_to_end(&mut came).await.ok();
        assert!(came.is_empty());
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_and_a_late_answer_is_nobodys() {
        let (wire, mut redis) = pair().await;
        let first = wire.ask("PING", &[]);
        let second = wire.ask("PING", &[]);
        wire.shared.state().waiting[1].deadline += ANSWER_LIMIT * 100;
        assert_eq!(first.await, Err(Fault::Late));
        assert!(!wire.is_open(), "nobody new is taken on");
        arrives(&mut redis, &PING.repeat(2)).await;
        redis.write_all(b":1\r\n:2\r\n").await.unwrap();
        assert_eq!(second.await, Ok(Value::Int(2)));
    }
}
