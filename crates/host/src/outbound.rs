//! Where a component may connect to: `allowed_outbound_hosts`.
//!
//! The form is Spin's, `scheme://host[:port]`: `*` stands for any scheme, host or port,
//! `*.domain` for any host below one. Nothing is allowed unless it is listed. Left out: address
//! ranges, port ranges and `self`.

use anyhow::{Context, bail, ensure};

/// One allowed destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    scheme: Option<String>,
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    Below(String),
    Exactly(String),
}

impl AllowedHost {
    /// Parses an entry, its templates already rendered.
    ///
    /// # Errors
    /// The entry has not the form above.
    pub fn parse(entry: &str) -> anyhow::Result<AllowedHost> {
        let (scheme, rest) = entry.trim().split_once("://").with_context(|| {
            format!("allowed outbound host `{entry}` is not of the form scheme://host:port")
        })?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        ensure!(
            !authority.contains(['/', '@']),
            "allowed outbound host `{entry}` has a path or a user, which Spin refuses"
        );
        let (host, port) = split_port(authority);
        let port = match port {
            Some("*") => None,
            Some(port) => Some(port.parse().with_context(|| format!("the port in `{entry}`"))?),
            None => Some(default_port(scheme).with_context(|| format!("`{entry}` needs a port"))?),
        };
        let host = match host {
            "" => bail!("allowed outbound host `{entry}` names no host"),
            "*" => Host::Any,
            "self" | "self.alt" => bail!("`{entry}`: calls to the application itself are left out"),
            host => match host.strip_prefix('*') {
                Some(below) if below.starts_with('.') => Host::Below(below.to_ascii_lowercase()),
                Some(_) => bail!("`{entry}`: a star stands for a whole name"),
                None if host.contains('*') => bail!("`{entry}`: a star stands for a whole name"),
                None => Host::Exactly(host.to_ascii_lowercase()),
            },
        };
        let scheme = (scheme != "*").then(|| scheme.to_ascii_lowercase());
        Ok(AllowedHost { scheme, host, port })
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host_allowed = match &self.host {
            Host::Any => true,
            Host::Below(suffix) => host.ends_with(suffix.as_str()),
            Host::Exactly(name) => name == host,
        };
        host_allowed
            && self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
            && self.port.is_none_or(|allowed| allowed == port)
    }
}

/// Whether one of `allowed` admits `url`. What cannot be read as a URL is not allowed.
pub fn is_allowed(allowed: &[AllowedHost], url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = split_port(authority);
    let scheme = scheme.to_ascii_lowercase();
    let port = match port {
        Some(port) => port.parse().ok(),
        None => default_port(&scheme),
    };
    let Some(port) = port else { return false };
    let host = host.to_ascii_lowercase();
    allowed.iter().any(|entry| entry.allows(&scheme, &host, port))
}

/// Splits `host:port`, leaving the brackets of an IPv6 address alone.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "redis" | "rediss" => Some(6379),
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_an_entry_allows() {
        for (entry, url, expected) in [
            ("redis://127.0.0.1:7000", "redis://127.0.0.1:7000", true),
            ("redis://127.0.0.1:7000/", "redis://127.0.0.1:7000/1", true),
            ("redis://127.0.0.1:7000", "redis://127.0.0.1:7001", false),
            ("redis://localhost", "redis://user:word@localhost:6379", true),
            ("redis://localhost", "redis://localhost@elsewhere", false),
            ("redis://*:*", "redis://anywhere:1", true),
            ("redis://*:*", "http://anywhere", false),
            ("*://*:*", "http://anywhere", true),
            ("https://*.example.com", "https://a.example.com/x", true),
            ("https://*.example.com", "https://example.com.evil/x", false),
            ("redis://[::1]:7000", "redis://[::1]:7000", true),
            ("redis://localhost", "not a url", false),
        ] {
            let allowed = [AllowedHost::parse(entry).unwrap()];
            assert_eq!(is_allowed(&allowed, url), expected, "{entry} {url}");
        }
        for wrong in ["localhost", "redis://h:1/0", "x://h", "redis://", "redis://a*:1"] {
            assert!(AllowedHost::parse(wrong).is_err(), "{wrong}");
        }
    }
}
