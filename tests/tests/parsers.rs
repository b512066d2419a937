//! Every parser by itself, on arbitrary input and on good input with a few changes: none panics,
//! what it reads it writes so that it is read again as the same, and what it refuses it explains.
//!
//! `fuzzing.rs` and `schemathesis.rs` reach the same parsers through whole requests. The manifest of
//! the host is tested beside its parser (`crates/host/src/manifest.rs`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "parsers/tokens.rs"]
mod tokens;
#[path = "parsers/values.rs"]
mod values;
#[path = "parsers/wire.rs"]
mod wire;

use proptest::prelude::*;

/// Letters that parsers give a meaning to, and some that they stumble over.
const SHARP: &[&str] = &[
    "0", "1", "9", "-", "+", ".", ":", "e", "E", "T", "Z", "z", " ", "\t", "\n", "\0", "\"", "\\",
    "{", "}", "[", "]", ",", "/", "%", "&", "=", "_", "~", "A", "a", "é", "٣", "\u{feff}", "🚢",
];

/// A change of a text: what stands at a place (in thousandths of the length) is taken away, doubled,
/// or replaced.
fn changed(mut text: Vec<char>, changes: &[(u16, u8, usize)]) -> String {
    for (place, what, letter) in changes {
        let place = usize::from(*place) * text.len() / 1000;
        let sharp = SHARP[letter % SHARP.len()].chars();
        match what % 4 {
            0 if place < text.len() => drop(text.remove(place)),
            1 if place < text.len() => text.insert(place, text[place]),
            2 if place < text.len() => drop(text.splice(place..=place, sharp)),
            _ => drop(text.splice(place..place, sharp)),
        }
    }
    text.into_iter().collect()
}

/// One of these texts with up to three changes, or any text.
fn nearly(good: &'static [&'static str]) -> impl Strategy<Value = String> {
    let changes = prop::collection::vec((0_u16..=1000, any::<u8>(), any::<usize>()), 0..4);
    let changed = (prop::sample::select(good), changes)
        .prop_map(|(text, changes)| changed(text.chars().collect(), &changes));
    prop_oneof![4 => changed, 1 => any::<String>()]
}
