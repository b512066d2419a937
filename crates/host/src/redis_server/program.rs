//! The server's program: looked for on PATH, and remembered, since asking one for its version costs
//! as much as starting it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

/// Programs that will do, in the order they are looked for.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// Functions with flags, sharded pub/sub and multi-part append-only files came with 7.
const OLDEST_MAJOR: u32 = 7;

/// The file in the server's folder that says which program ran there last.
const NOTE: &str = "redis.program";

/// A program that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Its version as it says it.
    pub version: String,
}

/// Finds a Redis or Valkey server, version 7 or later, on PATH.
///
/// # Errors
/// There is none, or only older ones: one line that says what to install.
pub fn find() -> anyhow::Result<Program> {
    let mut too_old = None;
    for path in candidates() {
        let Ok(output) = Command::new(&path).arg("--version").output() else { continue };
        let Some(version) = version(&String::from_utf8_lossy(&output.stdout)) else { continue };
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_some_and(|major| major >= OLDEST_MAJOR) {
            return Ok(Program { path, version });
        }
        too_old.get_or_insert((path, version));
    }
    match too_old {
        Some((path, version)) => {
            bail!("{} is version {version}; Redis 7 or later is needed", path.display())
        }
        None => bail!(
            "no redis-server or valkey-server on PATH; on Debian: apt-get install redis-server"
        ),
    }
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.into_iter().flat_map(|folder| PROGRAMS.map(|name| folder.join(name)))
}

/// As [`find`], without asking a program that was asked before and is still the same file.
///
/// # Errors
/// As [`find`].
pub(super) fn find_again(directory: &Path) -> anyhow::Result<Program> {
    let note = directory.join(NOTE);
    let seen: Vec<String> = candidates().filter_map(|path| described(&path)).collect();
    if let Ok(text) = std::fs::read_to_string(&note)
        && let Some((noted, rest)) = text.split_once('\n')
        && let Some((version, path)) = rest.split_once('\n')
        && noted == seen.join(";")
    {
        return Ok(Program { path: PathBuf::from(path), version: version.to_owned() });
    }
    let found = find()?;
    let text =
        found.path.to_str().map(|path| format!("{}\n{}\n{path}", seen.join(";"), found.version));
    if let Some(text) = text
        && let Err(error) = std::fs::write(&note, text)
    {
        tracing::warn!(%error, "the next start is slower");
    }
    Ok(found)
}

/// A file as the file system describes it: who changes it changes one of these.
fn described(path: &Path) -> Option<String> {
    let file = std::fs::metadata(path).ok()?;
    Some(format!("{} {} {} {}", file.dev(), file.ino(), file.len(), file.ctime()))
}

/// Reads `Redis server v=7.0.15 sha=…`.
fn version(text: &str) -> Option<String> {
    text.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_are_read() {
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64";
        assert_eq!(version(redis).as_deref(), Some("7.0.15"));
        let valkey = "Valkey server v=8.1.3 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64";
        assert_eq!(version(valkey).as_deref(), Some("8.1.3"));
        assert_eq!(version("something else"), None);
    }

    #[test]
    fn what_was_found_is_found_again_and_a_note_of_other_files_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let found = find().unwrap();
        assert_eq!(find_again(folder.path()).unwrap(), found);
        assert_eq!(find_again(folder.path()).unwrap(), found);
        let note = folder.path().join(NOTE);
        std::fs::write(&note, "other files\n9.9.9\n/nowhere").unwrap();
        assert_eq!(find_again(folder.path()).unwrap(), found);
        assert!(std::fs::read_to_string(&note).unwrap().contains(&found.version));
    }
}
