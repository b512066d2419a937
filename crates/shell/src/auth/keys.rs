//! The public keys that tokens are signed with: a JWKS, read strictly.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier;
use serde::Deserialize;
use serde_json::Value;

/// The keys that may sign tokens.
pub struct Keys(BTreeMap<String, Key>);

/// A public key, which is of one algorithm alone.
pub(super) enum Key {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

impl Key {
    /// The `alg` of the tokens that it signs.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        }
    }

    /// Whether the signature over the message is this key's.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            // Strict: one message and key have one signature that is good, also for weak keys.
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

/// The configured keys are of no use; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("token_keys: {0}")]
pub struct KeysFault(String);

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct KeyEntry {
    kid: Option<String>,
    kty: Option<String>,
    crv: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// The keys of a JWKS text: Ed25519 and P-256 for signatures; keys of other kinds are passed
    /// over.
    ///
    /// # Errors
    /// [`KeysFault`] names the first key that cannot be used, or says that there is none.
    pub fn parse(jwks: &str) -> Result<Self, KeysFault> {
        let set: KeySet = serde_json::from_str(jwks)
            .map_err(|error| KeysFault(format!("not a JWKS as JSON: {error}")))?;
        let mut keys = BTreeMap::new();
        for (place, entry) in set.keys.into_iter().enumerate() {
            let fault = |what: &str| KeysFault(format!("key {}: {what}", place.saturating_add(1)));
            let entry: KeyEntry =
                serde_json::from_value(entry).map_err(|error| fault(&error.to_string()))?;
            let Some(curve) = entry.curve() else { continue };
            let key = entry.key(curve).map_err(fault)?;
            let kid = entry.kid.filter(|kid| !kid.is_empty()).ok_or_else(|| fault("no kid"))?;
            if keys.contains_key(&kid) {
                return Err(fault("another key has the same kid"));
            }
            keys.insert(kid, key);
        }
        if keys.is_empty() {
            return Err(KeysFault("no Ed25519 or P-256 key among them".to_owned()));
        }
        Ok(Self(keys))
    }

    /// The key with this `kid`.
    pub(super) fn named(&self, kid: &str) -> Option<&Key> {
        self.0.get(kid)
    }
}

/// A curve whose keys are accepted.
#[derive(Clone, Copy)]
enum Curve {
    Ed25519,
    P256,
}

impl KeyEntry {
    fn curve(&self) -> Option<Curve> {
        if self.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        match (self.kty.as_deref(), self.crv.as_deref()) {
            (Some("OKP"), Some("Ed25519")) => Some(Curve::Ed25519),
            (Some("EC"), Some("P-256")) => Some(Curve::P256),
            _ => None,
        }
    }

    fn key(&self, curve: Curve) -> Result<Key, &'static str> {
        let coordinate = |text: &Option<String>| -> Result<[u8; 32], &'static str> {
            let text = text.as_ref().ok_or("a coordinate is missing")?;
            let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or("a coordinate is not 32 bytes in base64url")
        };
        let x = coordinate(&self.x)?;
        let key = match curve {
            Curve::Ed25519 => ed25519_dalek::VerifyingKey::from_bytes(&x).ok().map(Key::Ed25519),
            Curve::P256 => {
                let y = coordinate(&self.y)?;
                let point =
                    p256::EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
                p256::ecdsa::VerifyingKey::from_encoded_point(&point).ok().map(Key::P256)
            }
        };
        key.ok_or("not a point of its curve")
    }
}
