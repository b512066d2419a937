//! Which component answers a path.
//!
//! As Spin has it: an exact route matches its path with or without a slash at the end; a route
//! that ends in `/...` matches its prefix and everything below; the longest match wins, an exact
//! route before a prefix of the same length. Named segments (`/:id`) are left out.

use anyhow::{bail, ensure};

/// Paths under this prefix are the host's own.
pub const HOST_PREFIX: &str = "/host/v1/";

/// The routes of an application; a target is the index of a component.
#[derive(Debug, Default)]
pub struct Router {
    routes: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    path: String,
    prefix: bool,
    target: usize,
}

impl Router {
    /// Adds a route.
    ///
    /// # Errors
    /// The route is malformed, taken, or the host's own.
    pub fn add(&mut self, route: &str, target: usize) -> anyhow::Result<()> {
        ensure!(route.starts_with('/'), "route `{route}` does not begin with a slash");
        ensure!(!route.contains("/:"), "route `{route}`: named segments are not offered");
        let (path, prefix) = match route.strip_suffix("/...") {
            Some(path) => (path, true),
            None => (route.trim_end_matches('/'), false),
        };
        ensure!(!path.contains("..."), "route `{route}`: `...` stands at the end only");
        if (path.to_owned() + "/").starts_with(HOST_PREFIX) {
            bail!("route `{route}`: paths under {HOST_PREFIX} are the host's own");
        }
        let taken = self.routes.iter().any(|entry| entry.path == path && entry.prefix == prefix);
        ensure!(!taken, "route `{route}` is there twice");
        self.routes.push(Entry { path: path.to_owned(), prefix, target });
        // Longest first, exact before prefix: the first match is the right one.
        self.routes.sort_by_key(|entry| (std::cmp::Reverse(entry.path.len()), entry.prefix));
        Ok(())
    }

    /// The component that answers `path`.
    pub fn find(&self, path: &str) -> Option<usize> {
        self.routes.iter().find(|entry| entry.matches(path)).map(|entry| entry.target)
    }
}

impl Entry {
    fn matches(&self, path: &str) -> bool {
        match path.strip_prefix(self.path.as_str()) {
            None => false,
            Some("" | "/") => true,
            Some(rest) => self.prefix && rest.starts_with('/'),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_longest_match_wins() {
        let mut router = Router::default();
        for (target, route) in ["/...", "/a/...", "/a/b", "/a/b/...", "/c"].iter().enumerate() {
            router.add(route, target).unwrap();
        }
        for (path, target) in [
            ("/", 0),
            ("/x", 0),
            ("/a", 1),
            ("/ab", 0),
            ("/a/x", 1),
            ("/a/b", 2),
            ("/a/b/", 2),
            ("/a/b/c", 3),
            ("/c", 4),
            ("/c/d", 0),
        ] {
            assert_eq!(router.find(path), Some(target), "{path}");
        }
        for wrong in ["a", "/a/:id", "/.../b", "/host/v1/...", "/host/v1/clock", "/c/"] {
            assert!(router.add(wrong, 9).is_err(), "{wrong}");
        }
    }
}
