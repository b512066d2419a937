//! Tokens and their keys on the running product: a key is rotated and taken out as
//! `docs/operations.md` says, and what is wrong with a token is refused over both entries, with
//! nothing written.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tradewind_tests::driver::Sent;
use tradewind_tests::hosted::{Entry, Hosted, send};
use xtask::keys::{Keys, key_file};

/// What a usual token says, so many seconds from now.
#[allow(clippy::disallowed_methods, reason = "a token ends by the machine's clock")]
fn claims(seconds: i64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "sub": "auditor", "tenant": "keys", "roles": ["admin"], "aud": "tradewind",
        "exp": now.saturating_add_signed(seconds),
    })
}

/// The usual claims with this one another.
fn but(name: &str, value: Value) -> Value {
    let mut claims = claims(600);
    claims[name] = value;
    claims
}

fn ask(hosted: &Hosted, token: &str, method: &str, item: &str) -> (u16, String) {
    let sent = Sent {
        method: method.to_owned(),
        path: format!("/inventory/v1/items/{item}"),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: (method == "PUT").then(|| "{}".to_owned()),
    };
    let got = send(&hosted.agent(), &hosted.base(), token, &sent).unwrap();
    (got.status, got.body["code"].as_str().unwrap_or("").to_owned())
}

fn refused(code: &str) -> (u16, String) {
    (401, code.to_owned())
}

fn granted() -> (u16, String) {
    (200, String::new())
}

/// The public keys of both, as the variable takes them.
fn both(one: &Keys, other: &Keys) -> Vec<String> {
    let [mut all, more] =
        [one, other].map(|keys| -> Value { serde_json::from_str(&keys.jwks()).unwrap() });
    all["keys"].as_array_mut().unwrap().extend(more["keys"].as_array().unwrap().clone());
    vec!["--variable".to_owned(), format!("token_keys={all}")]
}

#[test]
fn a_key_is_rotated_and_the_old_one_taken_out() {
    let mut hosted = Hosted::start().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (old, new) = (Keys::of(hosted.data()).unwrap(), Keys::of(elsewhere.path()).unwrap());
    let [by_old, by_new] = [&old, &new].map(|keys| keys.signed(&keys.id(), &claims(600)).unwrap());
    assert_eq!(ask(&hosted, &by_old, "PUT", "X").0, 201);
    assert_eq!(ask(&hosted, &by_new, "GET", "X"), refused("token-key"));

    // The new key beside the old one: both are taken.
    hosted.start_again_with(both(&old, &new)).unwrap();
    assert_eq!(ask(&hosted, &by_old, "GET", "X"), granted());
    assert_eq!(ask(&hosted, &by_new, "GET", "X"), granted());

    // From now on the new one signs, also for the host's own ticks.
    std::fs::copy(key_file(elsewhere.path()), key_file(hosted.data())).unwrap();
    hosted.start_again_with(both(&old, &new)).unwrap();
    assert_eq!(ask(&hosted, &by_old, "GET", "X"), granted());
    assert_eq!(hosted.keys().id(), new.id());

    // The old one is taken out: its tokens are no more, nothing else is lost.
    hosted.start_again_with(Vec::new()).unwrap();
    assert_eq!(ask(&hosted, &by_old, "GET", "X"), refused("token-key"));
    assert_eq!(ask(&hosted, &by_old, "PUT", "Y"), refused("token-key"));
    let posing = old.signed(&new.id(), &claims(600)).unwrap();
    assert_eq!(ask(&hosted, &posing, "GET", "X"), refused("token-signature"));
    assert_eq!(ask(&hosted, &by_new, "GET", "X"), granted());
    assert_eq!(ask(&hosted, &by_new, "GET", "Y").0, 404);
}

/// A token by hand: header and claims as they are, and this for a signature.
fn by_hand(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let [header, claims] = [header, claims].map(|part| base64(part.to_string().as_bytes()));
    format!("{header}.{claims}.{}", base64(signature))
}

/// A token signed with this secret, which both sides would have to know.
fn by_secret(kid: &str, claims: &Value, secret: &str) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn holds(entry: Entry) {
    let hosted = Hosted::start_over(entry).unwrap();
    let keys = hosted.keys();
    let id = keys.id();
    let good = keys.signed(&id, &claims(600)).unwrap();
    let now = claims(0)["exp"].as_u64().unwrap();
    let jwks: Value = serde_json::from_str(&keys.jwks()).unwrap();
    let public = jwks["keys"][0]["x"].as_str().unwrap().to_owned();
    let header = |alg: &str| json!({ "alg": alg, "kid": id });
    let signed = |claims: Value| keys.signed(&id, &claims).unwrap();
    let without = |name: &str| {
        let mut claims = claims(600);
        claims.as_object_mut().unwrap().remove(name);
        signed(claims)
    };
    for (what, token, code) in [
        ("another audience", signed(but("aud", json!("elsewhere"))), "token-audience"),
        ("no audience", without("aud"), "token-claims"),
        ("other audiences", signed(but("aud", json!(["a", "b"]))), "token-audience"),
        ("not valid yet", signed(but("nbf", json!(now + 600))), "token-claims"),
        ("ended", signed(claims(-1)), "token-expired"),
        ("never ends", without("exp"), "token-claims"),
        ("no tenant", without("tenant"), "token-claims"),
        ("no role", signed(but("roles", json!(["owner"]))), "token-claims"),
        ("a key of nobody", keys.signed("nobody", &claims(600)).unwrap(), "token-key"),
        ("unsigned", by_hand(&header("none"), &claims(600), b""), "token-key"),
        ("the public key as a secret", by_secret(&id, &claims(600), &public), "token-key"),
        ("another algorithm", by_hand(&header("ES256"), &claims(600), &[1; 64]), "token-key"),
        ("changed", changed(&good), "token-signature"),
    ] {
        assert_eq!(ask(&hosted, &token, "PUT", "X"), refused(code), "{what}");
        assert_eq!(ask(&hosted, &good, "GET", "X").0, 404, "{what}: something was written");
    }
    let several = signed(but("aud", json!(["elsewhere", "tradewind"])));
    assert_eq!(ask(&hosted, &several, "PUT", "X").0, 201);
    let begun = signed(but("nbf", json!(now - 1)));
    assert_eq!(ask(&hosted, &begun, "GET", "X"), granted());
}

/// With another first letter of the signature.
fn changed(token: &str) -> String {
    let (text, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{text}.{other}{}", &signature[1..])
}

#[test]
fn what_is_wrong_with_a_token_is_refused_over_the_lean_entry() {
    holds(Entry::Lean);
}

#[test]
fn what_is_wrong_with_a_token_is_refused_over_wasi_http() {
    holds(Entry::WasiHttp);
}
