//! Every way a token can be wrong, each with its code.

use jsonwebtoken::{Algorithm, EncodingKey};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;
// The keys of RFC 8037 appendix A and RFC 7515 appendix A.3.
const ED_SECRET: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ED_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const EC_SECRET: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const EC_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const EC_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
// What precedes the 32 secret bytes in PKCS #8.
const ED_PREFIX: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const EC_PREFIX: &[u8] =
    b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\
    \x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";

fn jwks() -> String {
    json!({"keys": [
        {"kty": "RSA", "kid": "old", "n": "AQAB", "e": "AQAB"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": ED_X},
        {"kty": "EC", "crv": "P-256", "kid": "ec", "x": EC_X, "y": EC_Y, "use": "sig"},
    ]})
    .to_string()
}

fn keys() -> Keys {
    Keys::parse(&jwks()).unwrap()
}

fn claims() -> Value {
    json!({
        "sub": "ana", "tenant": "acme", "roles": ["buyer", "juggler"],
        "exp": NOW + 60, "aud": "tradewind",
    })
}

/// `claims` with these changes; null takes a claim away.
fn claims_with(changes: &Value) -> Value {
    let mut all = claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            all.as_object_mut().unwrap().remove(name);
        } else {
            all[name] = value.clone();
        }
    }
    all
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn secret(prefix: &[u8], secret: &str) -> Vec<u8> {
    [prefix, &URL_SAFE_NO_PAD.decode(secret).unwrap()].concat()
}

fn signed(header: &Value, claims: &Value, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let key = match algorithm {
        Algorithm::EdDSA => EncodingKey::from_ed_der(&secret(ED_PREFIX, ED_SECRET)),
        Algorithm::ES256 => EncodingKey::from_ec_der(&secret(EC_PREFIX, EC_SECRET)),
        // The classic confusion: the public key as the secret.
        _ => EncodingKey::from_secret(&URL_SAFE_NO_PAD.decode(ED_X).unwrap()),
    };
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn token(claims: &Value) -> String {
    signed(&json!({"alg": "EdDSA", "kid": "ed"}), claims, Algorithm::EdDSA)
}

fn code(token: &str) -> String {
    match verify(&keys(), "tradewind", token, NOW) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => {
            assert_eq!(refusal.kind, RefusalKind::Unauthenticated);
            refusal.code
        }
    }
}

#[test]
fn a_good_token_says_who_calls() {
    let changes = json!({"supplier": "S-1", "roles": ["partner", "buyer", "buyer"]});
    let caller = verify(&keys(), "tradewind", &token(&claims_with(&changes)), NOW).unwrap();
    let roles = vec![Role::Buyer, Role::Partner];
    assert_eq!((caller.subject.as_str(), caller.tenant.as_str()), ("ana", "acme"));
    assert_eq!((caller.supplier.as_deref(), caller.channel.as_deref()), (Some("S-1"), None));
    assert_eq!((caller.roles.clone(), caller.expires), (roles, NOW + 60));
    assert!(caller.is(Role::Buyer) && caller.may(Role::READERS) && !caller.may(&[Role::System]));
    let admin = Caller { roles: vec![Role::Admin], ..caller };
    assert!(admin.may(&[Role::System]) && admin.may(&[]));
    let header = json!({"alg": "ES256", "kid": "ec", "typ": "JWT"});
    assert_eq!(code(&signed(&header, &claims(), Algorithm::ES256)), "ok");
}

#[test]
fn headers_and_algorithms() {
    use Algorithm::{ES256, EdDSA, HS256};
    for (header, algorithm, want) in [
        (json!({"alg": "none", "kid": "ed"}), EdDSA, "token-key"),
        (json!({"alg": "HS256", "kid": "ed"}), HS256, "token-key"),
        (json!({"alg": "EdDSA", "kid": "ed"}), HS256, "token-signature"),
        (json!({"alg": "ES256", "kid": "ed"}), ES256, "token-key"),
        (json!({"alg": "ES256", "kid": "ec"}), EdDSA, "token-signature"),
        (json!({"alg": "EdDSA", "kid": "ec"}), EdDSA, "token-key"),
        (json!({"alg": "EdDSA", "kid": "who"}), EdDSA, "token-key"),
        (json!({"alg": "EdDSA", "kid": "old"}), EdDSA, "token-key"),
        (json!({"alg": "EdDSA"}), EdDSA, "token-key"),
        (json!({"kid": "ed"}), EdDSA, "token-malformed"),
        (
            json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": false}),
            EdDSA,
            "token-malformed",
        ),
        (json!([]), EdDSA, "token-malformed"),
    ] {
        assert_eq!(code(&signed(&header, &claims(), algorithm)), want, "{header} {algorithm:?}");
    }
}

#[test]
fn claims_are_needed_and_right() {
    for (changes, want) in [
        (json!({"sub": null}), "token-claims"),
        (json!({"tenant": null}), "token-claims"),
        (json!({"roles": null}), "token-claims"),
        (json!({"exp": null}), "token-claims"),
        (json!({"aud": null}), "token-claims"),
        (json!({"sub": ""}), "token-claims"),
        (json!({"sub": "a\nb"}), "token-claims"),
        (json!({"sub": "a".repeat(MAX_SUBJECT_BYTES + 1)}), "token-claims"),
        (json!({"tenant": "a/b"}), "token-claims"),
        (json!({"tenant": "*"}), "token-claims"),
        (json!({"tenant": "*", "roles": ["system", "admin"]}), "token-claims"),
        (json!({"tenant": "*", "roles": ["system", "juggler"]}), "token-claims"),
        (json!({"tenant": "*", "roles": ["system"]}), "ok"),
        (json!({"roles": ["system"]}), "ok"),
        (json!({"roles": []}), "token-claims"),
        (json!({"roles": ["juggler"]}), "token-claims"),
        (json!({"roles": "buyer"}), "token-claims"),
        (json!({"roles": ["partner"]}), "token-claims"),
        (json!({"roles": ["partner"], "channel": "shop"}), "ok"),
        (json!({"channel": "a b"}), "token-claims"),
        (json!({"aud": "other"}), "token-audience"),
        (json!({"aud": []}), "token-audience"),
        (json!({"aud": ["other", "tradewind"]}), "ok"),
        (json!({"exp": "soon"}), "token-claims"),
        (json!({"exp": NOW}), "token-expired"),
        (json!({"exp": -1}), "token-expired"),
        (json!({"exp": 1_800_000_000.5}), "token-expired"),
        (json!({"exp": 1.0e300}), "ok"),
        (json!({"exp": NOW + 1}), "ok"),
        (json!({"nbf": NOW + 1}), "token-claims"),
        (json!({"nbf": NOW}), "ok"),
    ] {
        assert_eq!(code(&token(&claims_with(&changes))), want, "{changes}");
    }
    let twice = claims().to_string().replacen('{', "{\"tenant\":\"evil\",", 1);
    let message = format!(
        "{}.{}",
        part(&json!({"alg": "EdDSA", "kid": "ed"})),
        URL_SAFE_NO_PAD.encode(twice)
    );
    let key = EncodingKey::from_ed_der(&secret(ED_PREFIX, ED_SECRET));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    assert_eq!(code(&format!("{message}.{signature}")), "token-claims");
}

#[test]
fn tampered_and_broken_texts() {
    let good = token(&claims());
    assert_eq!(code(&good), "ok");
    let parts: Vec<&str> = good.split('.').collect();
    let other = part(&claims_with(&json!({"roles": ["admin"]})));
    let mut flipped = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    flipped[3] ^= 1;
    let flipped = URL_SAFE_NO_PAD.encode(flipped);
    for (text, want) in [
        (format!("{}.{other}.{}", parts[0], parts[2]), "token-signature"),
        (format!("{}.{}.{flipped}", parts[0], parts[1]), "token-signature"),
        (format!("{}.{}.", parts[0], parts[1]), "token-signature"),
        (format!("{}.{}", parts[0], parts[1]), "token-malformed"),
        (format!("{good}."), "token-malformed"),
        (format!("{good}="), "token-malformed"),
        (format!("{good}é"), "token-malformed"),
        ("...".to_owned(), "token-malformed"),
        ("a.b.c".to_owned(), "token-malformed"),
        ("x".repeat(MAX_TOKEN_BYTES + 1), "token-malformed"),
        (String::new(), "token-missing"),
    ] {
        assert_eq!(code(&text), want, "{text}");
    }
}

#[test]
fn the_header_names_the_scheme() {
    for (header, want) in [
        (Some("Bearer abc"), Some("abc")),
        (Some("bearer  abc "), Some("abc")),
        (Some("Basic abc"), None),
        (Some("Bearer "), None),
        (Some("Bearer"), None),
        (None, None),
    ] {
        let got = bearer(header);
        assert_eq!(got.as_ref().ok().copied(), want, "{header:?}");
        assert!(got.is_ok() || got.is_err_and(|refusal| refusal.code == "token-missing"));
    }
}

#[test]
fn keys_name_their_fault() {
    let key = |more: Value| {
        let mut key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": ED_X});
        for (name, value) in more.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    };
    let ec = |x: &str, y: &str| json!({"kty": "EC", "crv": "P-256", "kid": "b", "x": x, "y": y});
    for (keys, want) in [
        (json!([key(json!({})), key(json!({}))]), "key 2: another key has the same kid"),
        (json!([key(json!({"kid": null}))]), "key 1: no kid"),
        (json!([key(json!({"x": null}))]), "key 1: a coordinate is missing"),
        (json!([key(json!({"x": "AAAA"}))]), "key 1: a coordinate is not 32 bytes in base64url"),
        (json!([ec(EC_X, EC_X)]), "key 1: not a point of its curve"),
        (json!([key(json!({"use": "enc"}))]), "no Ed25519 or P-256 key among them"),
        (json!([]), "no Ed25519 or P-256 key among them"),
    ] {
        let fault = Keys::parse(&json!({ "keys": keys }).to_string()).err().unwrap();
        assert_eq!(fault.to_string(), format!("token_keys: {want}"), "{keys}");
    }
    assert!(Keys::parse("{}").err().unwrap().to_string().contains("missing field `keys`"));
}

#[test]
fn the_cache_is_bounded_and_checks_expiry() {
    let mut cache = TokenCache::new(&jwks(), "tradewind").unwrap();
    assert!(cache.is_for(&jwks(), "tradewind") && !cache.is_for(&jwks(), "else"));
    let good = token(&claims());
    let first = cache.verify(&good, NOW).unwrap();
    assert_eq!(cache.verify(&good, NOW + 59).unwrap(), first);
    assert_eq!(cache.verify(&good, NOW + 60).unwrap_err().code, "token-expired");
    assert_eq!(cache.verify("a.b.c", NOW).unwrap_err().code, "token-malformed");
    assert_eq!(cache.callers.len(), 1);
    for place in 0..CACHED_TOKENS {
        cache.callers.insert(format!("token {place}"), first.clone());
    }
    let later = token(&claims_with(&json!({"sub": "ben", "exp": NOW + 99})));
    cache.verify(&later, NOW).unwrap();
    assert!(cache.callers.len() <= CACHED_TOKENS + 1);
    let latest = token(&claims_with(&json!({"sub": "cem", "exp": NOW + 99})));
    cache.verify(&latest, NOW + 60).unwrap();
    assert_eq!(cache.callers.len(), 2);
}

#[test]
fn a_key_that_was_taken_out_is_no_key() {
    let ec = json!({"kty": "EC", "crv": "P-256", "kid": "ec", "x": EC_X, "y": EC_Y});
    let ed = json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": ED_X});
    let with = |keys: &[&Value]| json!({ "keys": keys }).to_string();
    let old = token(&claims());
    let new = signed(&json!({"alg": "ES256", "kid": "ec"}), &claims(), Algorithm::ES256);
    let ask = |cache: &mut TokenCache, token: &str| {
        cache.verify(token, NOW).map_or_else(|refusal| refusal.code, |_| "ok".to_owned())
    };
    let mut before = TokenCache::new(&with(&[&ed]), "tradewind").unwrap();
    assert_eq!([&old, &new].map(|token| ask(&mut before, token)), ["ok", "token-key"]);
    let mut both = TokenCache::new(&with(&[&ed, &ec]), "tradewind").unwrap();
    assert_eq!([&old, &new].map(|token| ask(&mut both, token)), ["ok", "ok"]);
    // It remembers both, and is no longer for the keys that are configured.
    assert!(!both.is_for(&with(&[&ec]), "tradewind"));
    let mut after = TokenCache::new(&with(&[&ec]), "tradewind").unwrap();
    assert_eq!([&old, &new].map(|token| ask(&mut after, token)), ["token-key", "ok"]);
    // Another key under the old name is another key.
    let renamed = json!({"kty": "EC", "crv": "P-256", "kid": "ed", "x": EC_X, "y": EC_Y});
    let mut other = TokenCache::new(&with(&[&renamed]), "tradewind").unwrap();
    assert_eq!(ask(&mut other, &old), "token-key");
    let claimed = signed(&json!({"alg": "ES256", "kid": "ed"}), &claims(), Algorithm::EdDSA);
    assert_eq!(ask(&mut other, &claimed), "token-signature");
}

#[test]
fn no_change_of_a_token_is_let_through() {
    let good = token(&claims());
    let letters = b"ABYZabyz0189-_.=+/ \n";
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..1_000 {
        let mut bytes = good.clone().into_bytes();
        let place = draw(bytes.len());
        match draw(4) {
            0 => bytes[place] = letters[draw(letters.len())],
            1 => drop(bytes.remove(place)),
            2 => bytes.insert(place, letters[draw(letters.len())]),
            _ => bytes.swap(place, draw(good.len())),
        }
        let text = String::from_utf8(bytes).unwrap();
        if text != good {
            assert!(verify(&keys(), "tradewind", &text, NOW).is_err(), "{text}");
        }
    }
}

/// What a claim may be, whoever signs.
fn nonsense() -> impl Strategy<Value = Value> {
    let some = [
        json!([]),
        json!(""),
        json!("*"),
        json!(["admin", "system"]),
        json!(["partner"]),
        json!("tradewind"),
        json!(["x", "tradewind"]),
        json!(1e300),
        json!(-1),
        json!(NOW + 1),
        json!({ "a": 1 }),
        json!("a\nb"),
        Value::Null,
    ];
    prop_oneof![
        3 => prop::sample::select(some.to_vec()),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// What a known key has signed may be nonsense: it is refused, or it names a caller who is as a
    /// caller must be.
    #[test]
    fn signed_nonsense_is_refused(
        changes in prop::collection::vec((0_usize..9, nonsense()), 1..4)
    ) {
        let names =
            ["sub", "tenant", "roles", "exp", "nbf", "aud", "supplier", "channel", "jti"];
        let mut all = claims();
        for (place, value) in changes {
            all[names[place]] = value;
        }
        match verify(&keys(), "tradewind", &token(&all), NOW) {
            Ok(caller) => {
                assert!(!caller.subject.is_empty() && !caller.roles.is_empty());
                assert!(caller.expires > NOW, "{caller:?}");
                let everywhere = caller.tenant == EVERY_TENANT && caller.roles == [Role::System];
                assert!(everywhere || caller.tenant.parse::<Id>().is_ok(), "{caller:?}");
                let bound = caller.supplier.is_some() || caller.channel.is_some();
                assert!(bound || !caller.is(Role::Partner), "{caller:?}");
            }
            Err(refusal) => assert_eq!(refusal.kind, RefusalKind::Unauthenticated),
        }
    }
}
