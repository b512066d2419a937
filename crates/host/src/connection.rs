//! A connection that ends in order: a caller that is still sending gets the answer that refuses it.
//!
//! A socket that is closed with bytes unread resets the connection, and the reset overtakes the
//! answer. So after the last answer nothing more is written, and what still comes is read for a
//! while and thrown away.

use std::cell::Cell;
use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::server::{DRAIN_LIMIT, DRAINED_BYTES};

/// How much is read at once of what is thrown away.
const CHUNK: usize = 16 << 10;

/// A caller's connection.
pub struct Connection {
    stream: TcpStream,
    /// Whether the host stops: then an idle caller is not waited for.
    stopping: Rc<Cell<bool>>,
    ending: Option<Ending>,
}

/// What may still be thrown away.
struct Ending {
    time: Pin<Box<Sleep>>,
    room: usize,
}

impl Connection {
    /// Takes a caller's stream.
    pub fn new(stream: TcpStream, stopping: Rc<Cell<bool>>) -> Connection {
        Connection { stream, stopping, ending: None }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Says that nothing more comes, then reads on until the caller has said so too, or has used
    /// up what it is given.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Connection { stream, stopping, ending } = &mut *self;
        if ending.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
        }
        let ending = ending.get_or_insert_with(|| Ending {
            time: Box::pin(sleep(DRAIN_LIMIT)),
            room: DRAINED_BYTES,
        });
        loop {
            if stopping.get() || ending.time.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut bytes = [0; CHUNK];
            let mut buffer = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
            let length = buffer.filled().len();
            match ending.room.checked_sub(length) {
                Some(left) if length > 0 => ending.room = left,
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}
