//! The signing key of a local instance and the tokens made with it.
//!
//! An Ed25519 key lives in the data folder's `keys/`, made on first use and readable by its owner
//! alone. Components get only its public half, as the JWKS in the variable `token_keys`. A token that
//! every host would refuse is not made: the rules are those of the shell's `auth`.

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
use tradewind_kernel::id::Id;

use crate::command::say;

/// The audience that components expect unless the variable `token_audience` says otherwise.
const AUDIENCE: &str = "tradewind";

/// How long a token from the command line lives: long enough for a trial, short enough that a
/// forgotten one ends.
const LIFETIME_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The tenant of a token that ticks every tenant.
const EVERY_TENANT: &str = "*";

/// The longest subject that hosts take, in bytes: it is kept in every event.
const MAX_SUBJECT_BYTES: usize = 256;

/// What an id is, in the words of a refusal.
const ID_FORM: &str = "1 to 64 of A-Z a-z 0-9 . _ ~ -, the first a letter or digit";

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
    /// The tenant's name, an id; `*` (every tenant) is for the role system alone.
    #[arg(long)]
    pub tenant: String,
    /// What the bearer may do.
    #[arg(long, value_parser = ROLES)]
    pub role: String,
    /// Who it is; the role's name unless given. Nobody approves what they raised, so give two
    /// people two subjects.
    #[arg(long)]
    pub subject: Option<String>,
    /// Binds a partner to this supplier; a partner needs this or a channel.
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

    fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or(&self.role)
    }

    /// Fails where no token can be of use.
    ///
    /// # Errors
    /// Every host would refuse a token for this bearer; each reason is named.
    pub fn check(&self) -> Result<()> {
        let faults = self.faults();
        if faults.is_empty() {
            return Ok(());
        }
        bail!("every host would refuse this token: {}", faults.join("; "))
    }

    /// Every reason for which hosts would refuse a token for this bearer.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let everywhere = self.tenant == EVERY_TENANT;
        if everywhere && self.role != "system" {
            faults.push("the tenant * is for the role system alone".to_owned());
        }
        let ids = [
            ("tenant", Some(&self.tenant).filter(|_| !everywhere)),
            ("supplier", self.supplier.as_ref()),
            ("channel", self.channel.as_ref()),
        ];
        for (name, id) in ids {
            if let Some(id) = id.filter(|id| id.parse::<Id>().is_err()) {
                faults.push(format!("--{name} `{id}` is not an id ({ID_FORM})"));
            }
        }
        let subject = self.subject();
        if subject.is_empty() || subject.len() > MAX_SUBJECT_BYTES {
            faults.push(format!("--subject has 1 to {MAX_SUBJECT_BYTES} bytes"));
        }
        if subject.chars().any(char::is_control) {
            faults.push("--subject has control characters".to_owned());
        }
        if self.role == "partner" && self.supplier.is_none() && self.channel.is_none() {
            faults.push("--role partner needs --supplier or --channel".to_owned());
        }
        faults
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
    /// Reads the key of a data folder, or makes it and says so.
    pub fn of(data: &Path) -> Result<Self> {
        match Self::existing(data)? {
            Some(keys) => Ok(keys),
            None => Self::create(&key_file(data)),
        }
    }

    /// Reads the key of a data folder; None when it has none.
    pub fn existing(data: &Path) -> Result<Option<Self>> {
        let file = key_file(data);
        match fs::read_to_string(&file) {
            Ok(pem) => {
                let seed = seed_of(&pem)
                    .with_context(|| format!("{} is not an Ed25519 key", file.display()))?;
                Ok(Some(Self { key: SigningKey::from_bytes(&seed) }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
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
        say(&format!(
            "made a new signing key, {}; only a system on this data folder takes its tokens",
            file.display()
        ));
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
    ///
    /// # Errors
    /// As [`Bearer::check`].
    pub fn token(&self, bearer: &Bearer) -> Result<String> {
        self.token_for(bearer, LIFETIME_SECONDS)
    }

    /// Signs a token that ends so many seconds from now by the real clock; one that has ended
    /// already, below 0, is for tests.
    ///
    /// # Errors
    /// As [`Bearer::check`].
    pub fn token_for(&self, bearer: &Bearer, seconds: i64) -> Result<String> {
        bearer.check()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = Claims {
            sub: bearer.subject(),
            tenant: &bearer.tenant,
            roles: [&bearer.role],
            aud: AUDIENCE,
            exp: now.saturating_add_signed(seconds),
            supplier: bearer.supplier.as_deref(),
            channel: bearer.channel.as_deref(),
        };
        self.signed(&self.id(), &claims)
    }

    /// Signs any claims, under any key's id; what is not lawful is for tests.
    ///
    /// # Errors
    /// They are no JSON object.
    pub fn signed(&self, kid: &str, claims: &impl Serialize) -> Result<String> {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
        let key = EncodingKey::from_ed_der(&self.pkcs8());
        jsonwebtoken::encode(&header, claims, &key).context("cannot sign the token")
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
    fn a_token_that_every_host_would_refuse_is_not_made() {
        let bearer = |tenant: &str, role: &str| Bearer::new(tenant, role);
        let named =
            |subject: &str| Bearer { subject: Some(subject.into()), ..bearer("demo", "buyer") };
        let partner = |supplier: Option<&str>, channel: Option<&str>| Bearer {
            supplier: supplier.map(str::to_owned),
            channel: channel.map(str::to_owned),
            ..bearer("demo", "partner")
        };
        let partner_needs = "--role partner needs --supplier or --channel";
        let rows: [(Bearer, &[&str]); 14] = [
            (bearer("demo", "admin"), &[]),
            (bearer("*", "system"), &[]),
            // A storefront of all channels.
            (bearer("demo", "channel"), &[]),
            (partner(Some("acme"), None), &[]),
            (partner(None, Some("amazon")), &[]),
            (named(&"x".repeat(256)), &[]),
            (bearer("*", "admin"), &["the tenant * is for the role system alone"]),
            (bearer("", "admin"), &["--tenant ``"]),
            (bearer("a b", "partner"), &["--tenant `a b`", partner_needs]),
            (partner(Some("-x"), Some("a/b")), &["--supplier `-x`", "--channel `a/b`"]),
            (partner(None, None), &[partner_needs]),
            (named(""), &["--subject has 1 to 256 bytes"]),
            (named(&"x".repeat(257)), &["--subject has 1 to 256 bytes"]),
            (named("a\nb"), &["--subject has control characters"]),
        ];
        for (bearer, wanted) in rows {
            let faults = bearer.faults();
            assert_eq!(faults.len(), wanted.len(), "{bearer:?}: {faults:?}");
            for (fault, begin) in faults.iter().zip(wanted) {
                assert!(fault.starts_with(begin), "{bearer:?}: {fault}");
            }
        }
        let data = tempfile::tempdir().unwrap();
        let refused = Keys::of(data.path()).unwrap().token(&bearer("a b", "partner"));
        let line = refused.unwrap_err().to_string();
        assert!(line.contains("`a b`") && line.contains(partner_needs), "{line}");
    }

    #[test]
    fn asking_for_the_key_of_a_folder_makes_none() {
        let data = tempfile::tempdir().unwrap();
        assert!(Keys::existing(data.path()).unwrap().is_none());
        assert!(!data.path().join("keys").exists());
        let id = Keys::of(data.path()).unwrap().id();
        assert_eq!(Keys::existing(data.path()).unwrap().unwrap().id(), id);
    }
}
