//! The road between host and Redis: a TCP proxy that can slow it, hold it, close it and lose what
//! goes over it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;

/// Bytes that are carried at once.
const LOAD_BYTES: usize = 16 << 10;

/// The state of the road.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    /// All goes through.
    Open,
    /// All goes through, each load so much later.
    Slow(Duration),
    /// Nothing goes through until the road is open again; nothing is lost.
    Held,
    /// Whoever comes is turned away.
    Closed,
}

/// A proxy on a port of its own; it ends when dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    road: Road,
    /// The port that it leads to.
    target: u16,
    ended: bool,
    links: Vec<Arc<Link>>,
}

/// One connection over the road.
struct Link {
    client: TcpStream,
    server: TcpStream,
    /// Nobody hears of the other side any more, not even that it has gone.
    lost: AtomicBool,
    gone: AtomicBool,
}

impl Proxy {
    /// A road to this port.
    ///
    /// # Errors
    /// No port is free.
    pub fn to(target: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let state = State { road: Road::Open, target, ended: false, links: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accepting.accept(&listener));
        Ok(Self { port, shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes the road. Closing it cuts every connection.
    pub fn set(&self, road: Road) {
        let mut state = self.shared.state();
        state.road = road;
        if road == Road::Closed {
            state.cut();
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Loses every connection that there is: what is sent over it disappears, and neither side
    /// hears of it. New connections go through. Gives back how many there were.
    #[must_use]
    pub fn lose(&self) -> usize {
        let mut state = self.shared.state();
        state.sweep();
        for link in &state.links {
            link.lost.store(true, Ordering::SeqCst);
        }
        state.links.len()
    }

    /// Cuts every connection and leads new ones to this port.
    pub fn lead_to(&self, target: u16) {
        let mut state = self.shared.state();
        state.target = target;
        state.cut();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.ended = true;
        state.cut();
        drop(state);
        self.shared.changed.notify_all();
        // The listener wakes up and sees that it has ended.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl State {
    fn cut(&mut self) {
        for link in self.links.drain(..) {
            link.end();
        }
    }

    fn sweep(&mut self) {
        self.links.retain(|link| !link.gone.load(Ordering::SeqCst));
    }
}

impl Link {
    fn end(&self) {
        self.gone.store(true, Ordering::SeqCst);
        for side in [&self.client, &self.server] {
            // It may have gone already.
            let _gone = side.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            let (target, road) = {
                let state = self.state();
                if state.ended {
                    return;
                }
                (state.target, state.road)
            };
            let (Ok(client), true) = (client, road != Road::Closed) else { continue };
            let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
            if let Err(error) = self.link(client, server) {
                eprintln!("a connection was not carried: {error}");
            }
        }
    }

    fn link(self: &Arc<Self>, client: TcpStream, server: TcpStream) -> Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
        let (lost, gone) = (AtomicBool::new(false), AtomicBool::new(false));
        let link = Arc::new(Link { client, server, lost, gone });
        let mut state = self.state();
        state.sweep();
        state.links.push(Arc::clone(&link));
        // It was closed, or led elsewhere, since this connection was begun.
        if state.road == Road::Closed || link.server.peer_addr()?.port() != state.target {
            state.cut();
        }
        drop(state);
        for (from, there) in [(from_client, true), (from_server, false)] {
            let (shared, link) = (Arc::clone(self), Arc::clone(&link));
            std::thread::spawn(move || shared.carry(&link, from, there));
        }
        Ok(())
    }

    /// Carries what comes from one side to the other until one of them goes.
    fn carry(&self, link: &Link, mut from: TcpStream, there: bool) {
        let mut to = if there { &link.server } else { &link.client };
        let mut bytes = [0; LOAD_BYTES];
        loop {
            let count = match from.read(&mut bytes) {
                Ok(count) if count > 0 => count,
                // Of a lost connection the client is not told that the server has gone.
                _ if !there && link.lost.load(Ordering::SeqCst) => return,
                _ => return link.end(),
            };
            self.wait();
            if !link.lost.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).is_err() {
                return link.end();
            }
        }
    }

    /// Waits as the road demands.
    fn wait(&self) {
        let mut state = self.state();
        if let Road::Slow(by) = state.road {
            drop(state);
            return std::thread::sleep(by);
        }
        while state.road == Road::Held && !state.ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let mut back = stream.try_clone().unwrap();
                    std::io::copy(&mut stream, &mut back)
                });
            }
        });
        port
    }

    fn connect(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(("127.0.0.1", proxy.port())).unwrap()
    }

    fn hears(stream: &mut TcpStream) -> std::io::Result<u8> {
        let mut byte = [0];
        stream.read_exact(&mut byte).map(|()| byte[0])
    }

    #[test]
    fn an_open_road_carries_and_a_held_one_keeps() {
        let proxy = Proxy::to(echo()).unwrap();
        let mut stream = connect(&proxy);
        stream.write_all(b"a").unwrap();
        assert_eq!(hears(&mut stream).unwrap(), b'a');
        proxy.set(Road::Held);
        stream.write_all(b"b").unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(hears(&mut stream).is_err());
        proxy.set(Road::Slow(Duration::from_millis(1)));
        stream.set_read_timeout(None).unwrap();
        assert_eq!(hears(&mut stream).unwrap(), b'b');
    }

    #[test]
    fn a_closed_road_cuts_and_turns_away() {
        let proxy = Proxy::to(echo()).unwrap();
        let mut stream = connect(&proxy);
        stream.write_all(b"a").unwrap();
        assert_eq!(hears(&mut stream).unwrap(), b'a');
        proxy.set(Road::Closed);
        assert!(hears(&mut stream).is_err());
        assert!(hears(&mut connect(&proxy)).is_err());
    }

    #[test]
    fn a_lost_connection_is_silent_and_a_new_one_goes_through() {
        let proxy = Proxy::to(echo()).unwrap();
        let mut stream = connect(&proxy);
        stream.write_all(b"a").unwrap();
        assert_eq!(hears(&mut stream).unwrap(), b'a');
        assert_eq!(proxy.lose(), 1);
        stream.write_all(b"b").unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert_eq!(hears(&mut stream).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        let mut other = connect(&proxy);
        other.write_all(b"c").unwrap();
        assert_eq!(hears(&mut other).unwrap(), b'c');
    }
}
