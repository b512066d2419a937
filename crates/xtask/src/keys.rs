//! The signing key of a local instance and the tokens made with it.
//!
//! An Ed25519 key lives in the data folder's `keys/`, made on first use and readable by its owner
//! alone. Components get only its public half, as the JWKS in the variable `token_keys`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

/// The audience that components expect unless the variable `token_audience` says otherwise.
const AUDIENCE: &str = "tradewind";

/// How long a token from the command line lives: long enough for a trial, short enough that a
/// forgotten one ends.
const LIFETIME_SECONDS: i64 = 30 * 24 * 60 * 60;

/// What comes before the 32 key bytes in PKCS #8, the form that signing libraries read: a
/// sequence of version 0, the algorithm Ed25519 (RFC 8410), and the octets.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// How a private key in PEM begins and ends.
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// The roles of the contract; a token for another would be refused everywhere.
pub const ROLES: [&str; 10] = [
    "admin",
    "viewer",
    "buyer",
    "approver",
    "planner",
    "warehouse",
    "channel",
    "finance",
    "system",
    "partner",
];

/// Whom a token is for.
#[derive(Clone, Debug, clap::Args)]
pub struct Bearer {
    /// The tenant's name; `*` (every tenant) is for the role system alone.
    #[arg(long)]
    pub tenant: String,
    /// What the bearer may do.
    #[arg(long, value_parser = ROLES)]
    pub role: String,
    /// Who it is; the role's name unless given. Nobody approves what they raised, so give two
    /// people two subjects.
    #[arg(long)]
    pub subject: Option<String>,
    /// Binds a partner to this supplier.
    #[arg(long)]
    pub supplier: Option<String>,
    /// Binds a storefront, marketplace or partner to this channel.
    #[arg(long)]
    pub channel: Option<String>,
}

impl Bearer {
    /// A bearer with this role in this tenant, the role's name as subject.
    pub fn new(tenant: &str, role: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            role: role.to_owned(),
            subject: None,
            supplier: None,
            channel: None,
        }
    }
}

/// The claims that components read.
#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    tenant: &'a str,
    roles: [&'a str; 1],
    aud: &'a str,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
}

/// The signing key of one data folder.
pub struct Keys {
    key: SigningKey,
}

impl Keys {
    /// Reads the key of a data folder, or makes it.
    pub fn of(data: &Path) -> Result<Self> {
        let file = key_file(data);
        match fs::read_to_string(&file) {
            Ok(pem) => {
                let seed = seed_of(&pem)
                    .with_context(|| format!("{} is not an Ed25519 key", file.display()))?;
                Ok(Self { key: SigningKey::from_bytes(&seed) })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::create(&file),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    fn create(file: &Path) -> Result<Self> {
        let mut seed = [0; 32];
        if getrandom::fill(&mut seed).is_err() {
            bail!("this machine gives no random bytes");
        }
        let folder = file.parent().context("the key file has no folder")?;
        fs::create_dir_all(folder)?;
        let keys = Self { key: SigningKey::from_bytes(&seed) };
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)
            .and_then(|mut opened| opened.write_all(keys.pem().as_bytes()))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(keys)
    }

    /// The public key as a JWKS, the value of the variable `token_keys`.
    pub fn jwks(&self) -> String {
        serde_json::json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.id(),
            "x": self.public(),
        }]})
        .to_string()
    }

    /// Signs a token for this bearer, good for 30 days by the real clock.
    pub fn token(&self, bearer: &Bearer) -> Result<String> {
        self.token_for(bearer, LIFETIME_SECONDS)
    }

    /// Signs a token that ends so many seconds from now by the real clock; one that has ended
    /// already, below 0, is for tests.
    pub fn token_for(&self, bearer: &Bearer, seconds: i64) -> Result<String> {
        if bearer.tenant == "*" && bearer.role != "system" {
            bail!("the tenant * is for the role system alone");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = Claims {
            sub: bearer.subject.as_deref().unwrap_or(&bearer.role),
            tenant: &bearer.tenant,
            roles: [&bearer.role],
            aud: AUDIENCE,
            exp: now.saturating_add_signed(seconds),
            supplier: bearer.supplier.as_deref(),
            channel: bearer.channel.as_deref(),
        };
        let header = Header { kid: Some(self.id()), ..Header::new(Algorithm::EdDSA) };
        let key = EncodingKey::from_ed_der(&self.pkcs8());
        jsonwebtoken::encode(&header, &claims, &key).context("cannot sign the token")
    }

    /// The key's id is the beginning of its public half, so that a new key has a new id.
    pub fn id(&self) -> String {
        self.public().chars().take(11).collect()
    }

    fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    fn pkcs8(&self) -> Vec<u8> {
        [&PKCS8_PREFIX[..], &self.key.to_bytes()].concat()
    }

    fn pem(&self) -> String {
        format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", STANDARD.encode(self.pkcs8()))
    }
}

/// The private key's file, PKCS #8 in PEM.
pub fn key_file(data: &Path) -> PathBuf {
    data.join("keys/signing.pem")
}

fn seed_of(pem: &str) -> Option<[u8; 32]> {
    let text = pem.trim().strip_prefix(PEM_BEGIN)?.strip_suffix(PEM_END)?;
    let bytes = STANDARD.decode(text.trim()).ok()?;
    bytes.strip_prefix(&PKCS8_PREFIX)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};

    use super::*;

    #[test]
    fn a_token_verifies_against_the_published_keys() {
        let data = tempfile::tempdir().unwrap();
        let bearer = Bearer { supplier: Some("acme".to_owned()), ..Bearer::new("demo", "partner") };
        let token = Keys::of(data.path()).unwrap().token(&bearer).unwrap();

        let jwks: JwkSet = serde_json::from_str(&Keys::of(data.path()).unwrap().jwks()).unwrap();
        let id = decode_header(&token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(jwks.find(&id).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        let claims = decode::<serde_json::Value>(&token, &key, &validation).unwrap().claims;
        assert_eq!(claims["sub"], "partner");
        assert_eq!(claims["tenant"], "demo");
        assert_eq!(claims["roles"], serde_json::json!(["partner"]));
        assert_eq!(claims["supplier"], "acme");
        assert!(claims.get("channel").is_none());
    }

    #[test]
    fn every_tenant_at_once_is_for_the_system_alone() {
        let data = tempfile::tempdir().unwrap();
        let keys = Keys::of(data.path()).unwrap();
        assert!(keys.token(&Bearer::new("*", "admin")).is_err());
        assert!(keys.token(&Bearer::new("*", "system")).is_ok());
    }
}
