//! The Redis server that `up` and the tests start privately: found, or installed, and new enough.

use anyhow::{Context, Result, bail};

use crate::command::{ask, command, say};
use crate::packages::{self, Install};

/// The programs that will do, best first.
const SERVERS: [&str; 2] = ["redis-server", "valkey-server"];

/// The oldest major version with functions that survive a restart, which the commit script needs.
/// Valkey began at 7.2, so one number serves both.
const OLDEST_MAJOR: u32 = 7;

/// The Redis (or Valkey) program to start; installs one where that is allowed.
pub fn ensure(install: Install) -> Result<&'static str> {
    if let Some(found) = find()? {
        return Ok(found);
    }
    if install == Install::Forbidden {
        bail!("no redis-server here; run: {}", packages::redis_command_line());
    }
    say("no redis-server here; installing it with the system's package manager");
    packages::install_redis().with_context(|| {
        format!("cannot install Redis; run: {}", packages::redis_command_line())
    })?;
    find()?.context("the package was installed, but there is no redis-server on PATH")
}

/// The first server on PATH that is new enough. One that is too old, with no other, is an error,
/// because the person then has to decide.
fn find() -> Result<Option<&'static str>> {
    let mut too_old = None;
    for server in SERVERS {
        let Some(text) = ask(&mut command(server, ["--version"])) else { continue };
        let major = major_version(&text)
            .with_context(|| format!("cannot read the version in `{text}` of {server}"))?;
        if major >= OLDEST_MAJOR {
            return Ok(Some(server));
        }
        too_old = Some(format!("{server} is version {major}"));
    }
    match too_old {
        Some(found) => bail!("{found}; Tradewind needs Redis {OLDEST_MAJOR} or later, or Valkey"),
        None => Ok(None),
    }
}

/// Reads `… v=7.0.15 …` as both Redis and Valkey print it.
fn major_version(text: &str) -> Option<u32> {
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="))?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_both_servers_print_them() {
        assert_eq!(major_version("Redis server v=7.0.15 sha=0 malloc=jemalloc"), Some(7));
        assert_eq!(major_version("Valkey server v=8.1.1 sha=0 bits=64"), Some(8));
        assert_eq!(major_version("something else"), None);
    }
}
