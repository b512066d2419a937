//! Processes under measurement: what the kernel says of their time and memory, and their end.

use std::process::Child;

use anyhow::{Context, Result};

/// A child process that is stopped when it goes out of scope.
pub struct Running(Child);

impl Running {
    /// Takes care of a child.
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Its end, if it has ended.
    pub fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        Ok(self.0.try_wait()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let id = rustix::process::Pid::from_child(&self.0);
        if rustix::process::kill_process(id, rustix::process::Signal::TERM).is_err() {
            drop(self.0.kill());
        }
        drop(self.0.wait());
    }
}

/// Microseconds of CPU that a process has used, all its threads together; the kernel counts in
/// hundredths of a second.
pub fn cpu_micros(process: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in brackets may hold anything; the 11th and 12th fields after it are the times.
    let (_, rest) = text.rsplit_once(')').context("an odd /proc stat")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |place: usize| -> Result<u64> {
        Ok(fields.get(place).context("a short /proc stat")?.parse()?)
    };
    let ticks = ticks(11)? + ticks(12)?;
    Ok(ticks * 1_000_000 / rustix::param::clock_ticks_per_second())
}

/// Bytes of memory that a process has resident now.
pub fn resident_bytes(process: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kilobytes: u64 = line.split_whitespace().next().context("an empty VmRSS")?.parse()?;
    Ok(kilobytes * 1024)
}
