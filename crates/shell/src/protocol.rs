//! How a store's requests and answers travel: pure, and shared by every transport.
//!
//! A [`Request`] calls one function of the script library with its keys and one packed list of
//! arguments; the reply is one packed list of [`Value`]s. The library is
//! `commit.lua` and `reads.lua`; which argument stands where is said by the encoders here and the
//! walkers there, side by side.

mod arguments;
pub mod check;
mod commit;
mod event;
mod mark;
mod packed;
mod read;
mod reply;

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use crate::store::MAX_MARK_CAUSES;

pub use arguments::Request;
pub use commit::{decode_commit, encode_commit};
pub use packed::unpack;
pub use read::{
    decode_cut, decode_read, decode_taken, encode_cut, encode_read, encode_release, encode_take_up,
};
pub use reply::Value;

/// Bytes of the hash that tell one version of the library from another.
const HASH_BYTES: usize = 8;

/// A function of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the store's methods")]
pub enum Function {
    Read,
    Commit,
    /// The same code, allowed when memory is full.
    CommitFrees,
    Cut,
    TakeUp,
    Release,
}

impl Function {
    /// Its name in Redis, which carries the hash of the library.
    #[must_use]
    pub fn name(self) -> String {
        let plain = match self {
            Self::Read => "read",
            Self::Commit => "commit",
            Self::CommitFrees => "commit_frees",
            Self::Cut => "cut",
            Self::TakeUp => "take_up",
            Self::Release => "release",
        };
        format!("{plain}_{}", library().hash)
    }
}

/// The script library as it is loaded.
#[derive(Debug)]
pub struct Library {
    /// The hash of its files, in hexadecimal.
    pub hash: String,
    /// Its code, for `FUNCTION LOAD`.
    pub code: String,
}

/// The script library.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let text = concat!(
            include_str!("commit.lua"),
            include_str!("full.lua"),
            include_str!("reads.lua")
        )
        .replace("@MAX_MARK_CAUSES@", &MAX_MARK_CAUSES.to_string());
        let digest = Sha256::digest(text.as_bytes());
        let hash: String =
            digest.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
        let code = text.replace("@VERSION@", &hash);
        Library { hash, code }
    })
}

/// Whether an error's text says that the library is not loaded. Transports alter error texts, so
/// only the middle of it counts.
#[must_use]
pub fn is_not_loaded(error: &str) -> bool {
    error.contains("unction not found")
}

/// Whether an error's text says that Redis is at its `maxmemory`; it says so before anything ran.
#[must_use]
pub fn is_out_of_memory(error: &str) -> bool {
    error.contains("OOM")
}

#[cfg(test)]
mod tests;
