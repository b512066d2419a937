//! Spin's templates, `{{ variable }}`, and the host patterns that are written with them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// Default values of the application's variables; None for one that must be given at run time.
pub type Defaults = BTreeMap<String, Option<String>>;

/// Resolves a template with the variables' defaults: None when one of them has none.
/// Fails for unmatched braces and unknown variables.
pub fn resolve(template: &str, defaults: &Defaults) -> Result<Option<String>> {
    let mut resolved = Some(String::new());
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once("{{") {
        let (name, tail) =
            after.split_once("}}").with_context(|| format!("unmatched {{{{ in {template:?}"))?;
        let name = name.trim();
        let default = defaults
            .get(name)
            .with_context(|| format!("unknown variable {name:?} in {template:?}"))?;
        resolved = match (resolved, default) {
            (Some(text), Some(value)) => Some(text + literal + value),
            _ => None,
        };
        rest = tail;
    }
    Ok(resolved.map(|text| text + rest))
}

/// Checks one entry of `allowed_outbound_hosts` as Spin does when it loads an application: a
/// literal must parse, a template must parse once its variables' defaults are put in (skipped when
/// one has no default, or when the result is empty).
pub fn check_outbound_host(entry: &str, defaults: &Defaults) -> Result<()> {
    match resolve(entry, defaults)? {
        None => Ok(()),
        Some(empty) if empty.is_empty() && entry.contains("{{") => Ok(()),
        Some(host) => check_host_pattern(&host),
    }
}

/// `scheme://host[:port]`; `*` for any part, `*.` before a domain, `from..to` for ports.
///
/// User, password and path are no part of it, so the template `{{ redis_url }}` stops working the
/// moment the URL carries a password.
fn check_host_pattern(pattern: &str) -> Result<()> {
    let (scheme, rest) =
        pattern.split_once("://").with_context(|| format!("{pattern:?} has no scheme"))?;
    if scheme != "*" && (scheme.is_empty() || !scheme.chars().all(char::is_alphabetic)) {
        bail!("{pattern:?}: the scheme must be letters or *");
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('/') {
        bail!("{pattern:?}: a host pattern has no path");
    }
    let (host, port) = split_port(rest);
    let domain = host.strip_prefix("*.").unwrap_or(host);
    if host != "*" && (domain.is_empty() || domain.contains(['*', '@', '{', ' '])) {
        bail!("{pattern:?}: {host:?} is no host pattern");
    }
    match port {
        None | Some("") if scheme == "*" || !has_default_port(scheme) => {
            bail!("{pattern:?} needs a port: its scheme has no default one")
        }
        None | Some("" | "*") => Ok(()),
        Some(port) => check_port(pattern, port),
    }
}

/// Splits at the last colon, but not inside the brackets of an IPv6 address.
fn split_port(rest: &str) -> (&str, Option<&str>) {
    match rest.rsplit_once(':') {
        Some((_, tail)) if tail.contains(']') => (rest, None),
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    }
}

fn check_port(pattern: &str, port: &str) -> Result<()> {
    let (from, to) = port.split_once("..").unwrap_or((port, port));
    for number in [from, to] {
        number.parse::<u16>().with_context(|| format!("{pattern:?}: {port:?} is no port"))?;
    }
    Ok(())
}

/// The schemes for which Spin knows a port.
fn has_default_port(scheme: &str) -> bool {
    ["postgres", "mysql", "redis", "mqtt", "http", "https"].contains(&scheme)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn defaults() -> Defaults {
        [("redis_url", Some("redis://127.0.0.1:6379")), ("token_keys", None)]
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
            .into()
    }

    #[test]
    fn templates_resolve_to_defaults() {
        let resolved = |template| resolve(template, &defaults());
        assert_eq!(resolved("a-{{ redis_url }}-b").unwrap().unwrap(), "a-redis://127.0.0.1:6379-b");
        assert_eq!(resolved("{{token_keys}}").unwrap(), None);
        assert!(resolved("{{ unknown }}").is_err());
        assert!(resolved("{{ redis_url").is_err());
    }

    #[test]
    fn host_patterns_are_judged_as_spin_does() {
        let good = |entry| check_outbound_host(entry, &defaults()).is_ok();
        for entry in ["{{ redis_url }}", "redis://*:*", "rediss://*:*", "https://*.example.com"] {
            assert!(good(entry), "{entry}");
        }
        for entry in [
            "rediss://cache",
            "redis://:secret@cache:6379",
            "redis://cache:6379/1",
            "*",
            "{{ unknown }}",
            "redis://cache:many",
        ] {
            assert!(!good(entry), "{entry}");
        }
    }
}
