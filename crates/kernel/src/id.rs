//! Identifiers.
//!
//! Ids given by callers are checked here; ids given by us are a prefix and a sortable unique part
//! made of the instant and random bits, which the shell passes in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text_form::text_form;
use crate::time::Instant;

/// The longest id.
pub const MAX_LENGTH: usize = 64;

/// An id: 1–64 of `A-Z a-z 0-9 . _ ~ -`, the first a letter or digit; case-sensitive.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String")]
#[schema(
    value_type = String,
    format = "id",
    pattern = "^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$",
    example = "PO-1"
)]
pub struct Id(String);

/// A text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to 64 of A-Z a-z 0-9 . _ ~ -, the first a letter or digit")]
pub struct NotAnId;

impl Id {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A new id: `prefix_` and 26 characters that sort by instant, then by `randomness`.
    ///
    /// The form of the unique part is that of a ULID: 48 bits of milliseconds, 80 random bits, in
    /// Crockford's base 32.
    #[must_use]
    pub fn unique(prefix: &str, at: Instant, randomness: u128) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let millis = u128::try_from(at.millis().max(0)).unwrap_or(0) & 0xffff_ffff_ffff;
        let value = (millis << 80) | (randomness & ((1 << 80) - 1));
        let mut text = String::with_capacity(prefix.len().saturating_add(27));
        text.push_str(prefix);
        text.push('_');
        for position in (0..26u32).rev() {
            let digit = usize::try_from((value >> position.saturating_mul(5)) & 31).unwrap_or(0);
            text.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')));
        }
        Self(text)
    }
}

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let first_ok = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        let rest_ok = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-'));
        if first_ok && rest_ok && text.len() <= MAX_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnId)
        }
    }
}

text_form!(Id, NotAnId, |id| id.0);

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked() {
        for (text, good) in [
            ("PO-1", true),
            ("1~a.b_c", true),
            ("-x", false),
            ("", false),
            ("a b", false),
            ("é", false),
            ("a/b", false),
        ] {
            assert_eq!(text.parse::<Id>().is_ok(), good, "{text}");
        }
        assert!("a".repeat(64).parse::<Id>().is_ok());
        assert!("a".repeat(65).parse::<Id>().is_err());
    }

    #[test]
    fn our_ids_sort_by_time() {
        let early = Id::unique("po", Instant::from_millis(1_000), u128::MAX);
        let late = Id::unique("po", Instant::from_millis(1_001), 0);
        assert!(early < late);
        assert!(early.as_str().parse::<Id>().is_ok());
    }
}
