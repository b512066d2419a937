//! The host's log: kept from start to start, so that what it said before a crash can still be read.
//!
//! Each start adds a line of its own, in the form of the host's, and the host what it says. A log
//! that has grown is put aside at the next start, in place of the one put aside before it.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tradewind_kernel::Instant as Moment;

/// The log's name, and that of the one put aside.
const NAMES: [&str; 2] = ["host.log", "host.1.log"];

/// Bytes from which a log is put aside: some sixty thousand requests, and an editor still opens it.
const GROWN: u64 = 16 << 20;

/// How many lines of a host that fails are shown.
const LAST_LINES: usize = 12;

/// The log of one start.
#[derive(Debug)]
pub struct Log {
    file: PathBuf,
    /// Where the host's own words of this start begin.
    begin: u64,
}

impl Log {
    /// Begins the part of a start in the folder's log; the open file is the host's to write to.
    pub fn begin(folder: &Path, now: Moment) -> Result<(Self, File)> {
        let [file, aside] = NAMES.map(|name| folder.join(name));
        let cannot = || format!("cannot write {}", file.display());
        fs::create_dir_all(folder).with_context(cannot)?;
        match fs::metadata(&file) {
            Ok(found) if found.len() >= GROWN => fs::rename(&file, &aside).with_context(cannot)?,
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(cannot);
            }
            _ => {}
        }
        let mut output = File::options()
            .create(true)
            .read(true)
            .append(true)
            .open(&file)
            .with_context(cannot)?;
        let line = serde_json::json!({
            "timestamp": now,
            "level": "INFO",
            "message": "a start begins",
            "target": "xtask",
        });
        // A host that was killed may have left half a line.
        let gap = if is_broken_off(&mut output)? { "\n" } else { "" };
        writeln!(output, "{gap}{line}").with_context(cannot)?;
        let begin = output.metadata()?.len();
        Ok((Self { file, begin }, output))
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The last lines of what the host has said since this start.
    pub fn last_words(&self) -> Result<Vec<String>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.begin))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.len().saturating_sub(LAST_LINES);
        Ok(lines.into_iter().skip(last).map(str::to_owned).collect())
    }
}

/// Does the file end within a line?
fn is_broken_off(file: &mut File) -> Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn begin(folder: &Path) -> (Log, File) {
        Log::begin(folder, Moment::from_millis(0)).unwrap()
    }

    #[test]
    fn what_was_said_before_a_crash_is_kept_and_each_start_tells_its_own_words() {
        let folder = tempfile::tempdir().unwrap();
        let (_, mut output) = begin(&folder.path().join("logs"));
        write!(output, "first\nhalf a l").unwrap();
        let (second, mut output) = begin(&folder.path().join("logs"));
        writeln!(output, "second").unwrap();
        let text = fs::read_to_string(second.file()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let start: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(start["timestamp"], "1970-01-01T00:00:00.000Z");
        assert_eq!(lines, [lines[0], "first", "half a l", lines[0], "second"]);
        assert_eq!(second.last_words().unwrap(), ["second"]);
    }

    #[test]
    fn a_log_that_has_grown_is_put_aside_once() {
        let folder = tempfile::tempdir().unwrap();
        let [file, aside] = NAMES.map(|name| folder.path().join(name));
        fs::write(&aside, "older").unwrap();
        fs::write(&file, "small").unwrap();
        begin(folder.path());
        assert_eq!(fs::read_to_string(&aside).unwrap(), "older");
        File::options().write(true).open(&file).unwrap().set_len(GROWN).unwrap();
        begin(folder.path());
        assert_eq!(fs::metadata(&aside).unwrap().len(), GROWN);
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    }

    #[test]
    fn the_last_words_are_few() {
        let folder = tempfile::tempdir().unwrap();
        let (log, mut output) = begin(folder.path());
        output.write_all("word\n".repeat(100).as_bytes()).unwrap();
        assert_eq!(log.last_words().unwrap(), ["word"; LAST_LINES]);
    }
}
