//! Tokens: who calls, for which tenant, and what they may.
//!
//! A token is a JWT signed with EdDSA (Ed25519) or ES256 by a key of the configured JWKS, named by
//! its `kid`. The key says which algorithm is right, never the token: those two are the only ones
//! that are linked at all. Signatures are checked by RustCrypto's `ed25519-dalek` and `p256`;
//! everything else is checked here, in this order: form, key, signature, claims, audience, expiry.
//! Expiry uses the real clock, which is passed in.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Number, Value};

use tradewind_kernel::id::Id;
use tradewind_kernel::refusal::{Refusal, RefusalKind};

use crate::route::Role;

pub use keys::{Keys, KeysFault};

mod keys;

/// How long after `exp` a token is still good: not at all. Our clocks are synchronised, and a
/// caller can ask for a new token early.
pub const LEEWAY_SECONDS: i64 = 0;

/// The longest token, in bytes; real ones have a few hundred. Nothing longer is even decoded.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The longest subject, in bytes: it is kept in every event.
pub const MAX_SUBJECT_BYTES: usize = 256;

/// How many verified tokens a component remembers; more than the callers of a busy minute.
pub const CACHED_TOKENS: usize = 1024;

/// The tenant of a token that ticks every tenant.
pub const EVERY_TENANT: &str = "*";

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The subject of the token.
    pub subject: String,
    /// The tenant, of the form of an id; [`EVERY_TENANT`] only when the one role is `system`.
    pub tenant: String,
    /// The roles: sorted, each once, at least one.
    pub roles: Vec<Role>,
    /// The supplier that a partner is bound to.
    pub supplier: Option<String>,
    /// The channel that a partner or a storefront is bound to.
    pub channel: Option<String>,
    /// When the token ends, in seconds since 1970 by the real clock.
    pub expires: i64,
}

impl Caller {
    /// Whether the caller has this role.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether one of these roles, or admin, is among the caller's.
    #[must_use]
    pub fn may(&self, allowed: &[Role]) -> bool {
        self.is(Role::Admin) || allowed.iter().any(|role| self.is(*role))
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    tenant: String,
    roles: Vec<String>,
    exp: Number,
    nbf: Option<Number>,
    aud: Audience,
    supplier: Option<Id>,
    channel: Option<Id>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(name) => name == wanted,
            Self::Several(names) => names.iter().any(|name| name == wanted),
        }
    }
}

fn refused(code: &'static str, detail: &str) -> Refusal {
    Refusal::new(RefusalKind::Unauthenticated, code, detail)
}

/// The token of an `Authorization` header.
///
/// # Errors
/// `token-missing` without a header or with another scheme than `Bearer`.
pub fn bearer(authorization: Option<&str>) -> Result<&str, Refusal> {
    let missing = || refused("token-missing", "send a token: `Authorization: Bearer …`");
    let (scheme, token) =
        authorization.and_then(|value| value.split_once(' ')).ok_or_else(missing)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        Ok(token)
    } else {
        Err(missing())
    }
}

/// Verifies a token and says who calls.
///
/// # Errors
/// A 401 refusal, the first that holds of: `token-missing` (empty), `token-malformed`,
/// `token-key` (unknown `kid`, or an `alg` that is not its key's), `token-signature`,
/// `token-claims` (one is missing or wrong), `token-audience`, `token-expired`.
pub fn verify(
    keys: &Keys,
    audience: &str,
    bearer_token: &str,
    now_real_seconds: i64,
) -> Result<Caller, Refusal> {
    if bearer_token.is_empty() {
        return Err(refused("token-missing", "the token is empty"));
    }
    let payload = signed_payload(keys, bearer_token)?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|error| {
        refused("token-claims", &format!("a claim is missing or wrong: {error}"))
    })?;
    let names_us = claims.aud.names(audience);
    let caller = claims.into_caller(now_real_seconds)?;
    if !names_us {
        return Err(refused("token-audience", "the token is for another audience"));
    }
    unexpired(&caller, now_real_seconds)?;
    Ok(caller)
}

/// The payload of a well-formed token whose signature is right.
fn signed_payload(keys: &Keys, token: &str) -> Result<Vec<u8>, Refusal> {
    let malformed = |what: &str| refused("token-malformed", what);
    if token.len() > MAX_TOKEN_BYTES {
        return Err(malformed("the token is too long"));
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed("a token is three parts with points between"));
    };
    let decode = |part: &str| {
        URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("a part of the token is not base64url"))
    };
    let header: Header = serde_json::from_slice(&decode(header)?)
        .map_err(|_| malformed("the token's header is not a JSON object with alg"))?;
    if header.crit.is_some() {
        return Err(malformed("the token's header demands an extension (crit)"));
    }
    let payload = decode(payload)?;
    let signature = decode(signature)?;
    let key = header
        .kid
        .and_then(|kid| keys.named(&kid))
        .ok_or_else(|| refused("token-key", "the token names no known key (kid)"))?;
    if header.alg != key.algorithm() {
        return Err(refused("token-key", "the token's alg is not that of its key"));
    }
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    if key.has_signed(signed.as_bytes(), &signature) {
        Ok(payload)
    } else {
        Err(refused("token-signature", "the token's signature is wrong"))
    }
}

fn unexpired(caller: &Caller, now_real_seconds: i64) -> Result<(), Refusal> {
    if now_real_seconds < caller.expires.saturating_add(LEEWAY_SECONDS) {
        Ok(())
    } else {
        Err(refused("token-expired", "the token has expired"))
    }
}

/// Whole seconds of a NumericDate, which may carry a fraction.
#[allow(clippy::cast_possible_truncation, reason = "the cast saturates, which is what is meant")]
fn whole_seconds(date: &Number) -> Option<i64> {
    date.as_i64().or_else(|| date.as_f64().map(|seconds| seconds.floor() as i64))
}

impl Claims {
    fn into_caller(self, now_real_seconds: i64) -> Result<Caller, Refusal> {
        let wrong = |what: &str| refused("token-claims", what);
        let subject_fits = !self.sub.is_empty() && self.sub.len() <= MAX_SUBJECT_BYTES;
        if !subject_fits || self.sub.chars().any(char::is_control) {
            return Err(wrong("sub is empty, too long or has control characters"));
        }
        let mut roles: Vec<Role> = self.roles.iter().filter_map(|name| name.parse().ok()).collect();
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            return Err(wrong("roles names no known role"));
        }
        let only_system = self.roles.iter().all(|name| name == Role::System.name());
        let everywhere = self.tenant == EVERY_TENANT && only_system;
        if !everywhere && self.tenant.parse::<Id>().is_err() {
            return Err(wrong("tenant is not an id; `*` is for the role system alone"));
        }
        if roles.contains(&Role::Partner) && self.supplier.is_none() && self.channel.is_none() {
            return Err(wrong("a partner needs the claim supplier or channel"));
        }
        let expires = whole_seconds(&self.exp).ok_or_else(|| wrong("exp is not a time"))?;
        let starts = self.nbf.as_ref().and_then(whole_seconds).unwrap_or(i64::MIN);
        if now_real_seconds < starts.saturating_sub(LEEWAY_SECONDS) {
            return Err(wrong("the token is not valid yet (nbf)"));
        }
        Ok(Caller {
            subject: self.sub,
            tenant: self.tenant,
            roles,
            supplier: self.supplier.map(String::from),
            channel: self.channel.map(String::from),
            expires,
        })
    }
}

/// Keys, audience and the callers of tokens that were verified with them.
///
/// A signature is checked once for each token, expiry every time. Refused tokens are not
/// remembered, so nobody without a key can fill the memory.
pub struct TokenCache {
    source: String,
    keys: Keys,
    audience: String,
    callers: HashMap<String, Caller>,
}

impl TokenCache {
    /// An empty cache for the keys of this JWKS text.
    ///
    /// # Errors
    /// As [`Keys::parse`].
    pub fn new(jwks: &str, audience: &str) -> Result<Self, KeysFault> {
        Ok(Self {
            source: jwks.to_owned(),
            keys: Keys::parse(jwks)?,
            audience: audience.to_owned(),
            callers: HashMap::new(),
        })
    }

    /// Whether it was made from this configuration; when not, a new one is due.
    #[must_use]
    pub fn is_for(&self, jwks: &str, audience: &str) -> bool {
        self.source == jwks && self.audience == audience
    }

    /// Verifies as [`verify`] does.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(&mut self, bearer_token: &str, now_real_seconds: i64) -> Result<Caller, Refusal> {
        if let Some(caller) = self.callers.get(bearer_token) {
            unexpired(caller, now_real_seconds)?;
            return Ok(caller.clone());
        }
        let caller = verify(&self.keys, &self.audience, bearer_token, now_real_seconds)?;
        if self.callers.len() >= CACHED_TOKENS {
            self.callers.retain(|_, kept| unexpired(kept, now_real_seconds).is_ok());
        }
        if self.callers.len() >= CACHED_TOKENS
            && let Some(any) = self.callers.keys().next().cloned()
        {
            self.callers.remove(&any);
        }
        self.callers.insert(bearer_token.to_owned(), caller.clone());
        Ok(caller)
    }
}

#[cfg(test)]
mod tests;
