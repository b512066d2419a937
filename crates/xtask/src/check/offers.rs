//! A finished component may import only what Spin 4.1 offers.
//!
//! The list is that of the world `platform` in Spin's own `wit/world.wit` (package `spin:up@4.1.0`),
//! as names; the types are checked by whoever instantiates the component.

use anyhow::{Result, bail};

use crate::compose::{NAMESPACE, Piece, surface};

/// Interfaces of WASI that Spin's world imports in both 0.2 and 0.3.
const WASI_BOTH: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:clocks/monotonic-clock",
    "wasi:filesystem/types",
    "wasi:filesystem/preopens",
    "wasi:http/types",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:sockets/ip-name-lookup",
];

/// Interfaces of WASI 0.2 alone.
const WASI_2: &[&str] = &[
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:sockets/instance-network",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Interfaces of WASI 0.3 alone.
const WASI_3: &[&str] = &[
    "wasi:cli/types",
    "wasi:clocks/system-clock",
    "wasi:clocks/types",
    "wasi:http/client",
    "wasi:sockets/types",
];

/// Spin's own interfaces, with their exact versions.
const SPIN: &[&str] = &[
    "spin:key-value/key-value@3.0.0",
    "spin:mqtt/mqtt@3.0.0",
    "spin:mysql/mysql@3.0.0",
    "spin:postgres/postgres@3.0.0",
    "spin:postgres/postgres@4.2.0",
    "spin:redis/redis@3.0.0",
    "spin:sqlite/sqlite@3.1.0",
    "spin:variables/variables@3.0.0",
    "wasi:keyvalue/store@0.2.0-draft2",
    "wasi:keyvalue/atomics@0.2.0-draft2",
    "wasi:keyvalue/batch@0.2.0-draft2",
    "wasi:config/store@0.2.0-draft-2024-09-27",
];

/// Fails with every import that Spin would refuse.
///
/// An import of ours that holds types alone needs nobody to meet it; one with a function means
/// that composition left an ask open. What a plug-in answers is open, as the manifest is to attach
/// it ([`plugins`](super::plugins) checks that).
pub fn check(component: &Piece) -> Result<()> {
    let surface = surface(component)?;
    let refused: Vec<&str> = surface
        .imports
        .iter()
        .filter(|name| {
            if name.starts_with(NAMESPACE) {
                surface.asks.contains(name)
            } else {
                !is_offered(name)
            }
        })
        .map(String::as_str)
        .collect();
    if !refused.is_empty() {
        bail!("{} imports what Spin does not offer: {}", component.name, refused.join(", "));
    }
    Ok(())
}

/// True when Spin 4.1 meets an import of this name.
pub fn is_offered(import: &str) -> bool {
    if SPIN.contains(&import) {
        return true;
    }
    let Some((interface, version)) = import.split_once('@') else { return false };
    // Within one minor version of WASI any patch links: the host matches by compatibility.
    let wasi_2 = version.starts_with("0.2.") && !version.contains('-');
    let wasi_3 = version.starts_with("0.3.") && !version.contains('-');
    (wasi_2 || wasi_3) && WASI_BOTH.contains(&interface)
        || wasi_2 && WASI_2.contains(&interface)
        || wasi_3 && WASI_3.contains(&interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_spin_offers_is_offered() {
        for offered in [
            "wasi:cli/environment@0.2.9",
            "wasi:http/types@0.3.0",
            "wasi:http/client@0.3.0",
            "spin:redis/redis@3.0.0",
        ] {
            assert!(is_offered(offered), "{offered}");
        }
        for refused in [
            "wasi:http/handler@0.3.0",
            "wasi:io/streams@0.3.0",
            "wasi:cli/environment@0.3.0-rc-2026-03-15",
            "spin:redis/redis@4.0.0",
            "tradewind:inventory/stock@0.1.0",
            "wasi:cli/environment",
        ] {
            assert!(!is_offered(refused), "{refused}");
        }
    }
}
