//! The Redis of a hosted product: its own process or another one.

use anyhow::{Context, Result, bail};
use rustix::process::Pid;

use super::Hosted;
use crate::resp;

impl Hosted {
    /// The private Redis' process, which works in the data folder.
    pub(super) fn redis_process(&self) -> Result<Pid> {
        let folder = self.data.path().join("redis").canonicalize()?;
        let text = std::fs::read_to_string(folder.join("redis.pid"))?;
        let process = text.trim();
        if std::fs::read_link(format!("/proc/{process}/cwd"))? != folder {
            bail!("process {process} is not the private Redis");
        }
        Pid::from_raw(process.parse()?).context("no process has the number 0")
    }

    /// The answer of its Redis to one command without blanks in its words.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn redis(&self, command: &str) -> Result<String> {
        resp::ask(self.redis_port()?, command)
    }

    fn redis_port(&self) -> Result<u16> {
        if let Some(foreign) = &self.application.foreign {
            return Ok(foreign.port);
        }
        let process = self.redis_process()?.as_raw_nonzero();
        let title = std::fs::read_to_string(format!("/proc/{process}/cmdline"))?;
        let port = title.split(|it: char| !it.is_ascii_digit()).rfind(|it| !it.is_empty());
        Ok(port.context("Redis' title names no port")?.parse()?)
    }
}
