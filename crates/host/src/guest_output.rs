//! What a component prints: each line of its stdout and stderr becomes a log record.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// Longest line kept together; a component that prints without end is cut into records.
const LINE_BYTES: usize = 8 * 1024;

/// Standard output or standard error of one component.
#[derive(Clone)]
pub struct GuestOutput {
    component: Arc<str>,
    stderr: bool,
}

impl GuestOutput {
    /// The stream of a component.
    pub fn new(component: Arc<str>, stderr: bool) -> GuestOutput {
        GuestOutput { component, stderr }
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Lines { output: self.clone(), line: Vec::new() })
    }
}

struct Lines {
    output: GuestOutput,
    line: Vec<u8>,
}

impl Lines {
    fn end_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&self.line);
        let component = &*self.output.component;
        if self.output.stderr {
            tracing::warn!(target: "guest", component, "{text}");
        } else {
            tracing::info!(target: "guest", component, "{text}");
        }
        self.line.clear();
    }
}

impl AsyncWrite for Lines {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        for &byte in bytes {
            if byte == b'\n' || self.line.len() == LINE_BYTES {
                self.end_line();
            }
            if byte != b'\n' {
                self.line.push(byte);
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end_line();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.end_line();
    }
}
