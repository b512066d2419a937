//! Tokens and the keys that sign them. Signed nonsense, and good tokens with changes, are tested where
//! there is a key to sign with: `crates/shell/src/auth/tests.rs`.

use proptest::prelude::*;
use tradewind_kernel::refusal::RefusalKind;
use tradewind_shell::auth::{Keys, bearer, verify};

use super::nearly;

/// Some time in 2027, in seconds.
const NOW: i64 = 1_800_000_000;

/// A JWKS with a key of each kind that is known (RFC 8037 A, RFC 7515 A.3), and one that is not.
const JWKS: &str = r#"{"keys":[{"kty":"RSA","kid":"old","n":"AQAB","e":"AQAB"},
{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
{"kty":"EC","crv":"P-256","kid":"ec","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn keys_are_read_or_their_fault_is_named(text in nearly(&[JWKS])) {
        if let Err(fault) = Keys::parse(&text) {
            assert!(fault.to_string().starts_with("token_keys: "), "{fault}");
        }
    }

    #[test]
    fn headers_hold_a_token_or_none(text in nearly(&["Bearer a.b.c", "bearer x", "Basic eDp5"])) {
        match bearer(Some(&text)) {
            Ok(token) => assert!(!token.is_empty() && text.contains(token)),
            Err(refusal) => assert_eq!(refusal.code, "token-missing"),
        }
    }

    /// No text is a token but one that a key has signed.
    #[test]
    fn no_other_text_is_a_token(text in nearly(&["e30.e30.", "eyJhbGciOiJub25lIn0.e30.AAAA"])) {
        let keys = Keys::parse(JWKS).unwrap();
        let refusal = verify(&keys, "tradewind", &text, NOW).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Unauthenticated);
        assert!(!refusal.detail.is_empty());
    }
}
