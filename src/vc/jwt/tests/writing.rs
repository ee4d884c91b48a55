//! What is signed here, and what is not.

use proptest::prelude::*;

use super::*;
use crate::entropy::SeededEntropy;
use crate::vc::keys::SigningKey;

const KID: &str = "https://example.edu/issuers/1#key-1";

fn key() -> SigningKey {
    SigningKey::generate(&SeededEntropy::new(1))
}

/// The same payload as Open Badges 3.0 asks for it.
fn as_open_badge(text: &str) -> CredentialJwt {
    let payload = text.split('.').nth(1).unwrap();
    let header = URL_SAFE_NO_PAD.encode(plain_jwt().to_string());
    CredentialJwt::parse(&format!("{header}.{payload}.AA")).unwrap()
}

#[test]
fn one_form_is_good_under_both_standards() {
    let text = sign_credential(&credential(), KID, &key()).unwrap();
    let read = CredentialJwt::parse(&text).unwrap();
    assert_eq!(read.profile, Profile::JoseCose);
    assert_eq!(read.credential, credential());
    assert_eq!(read.header().kid.as_deref(), Some(KID));
    assert_eq!(read.header().typ.as_deref(), Some("vc+jwt"));
    assert_eq!(read.header().others, Vec::<String>::new());
    assert_eq!(read.verify(&key().public().into()), Ok(()));
    let badge = as_open_badge(&text);
    assert_eq!(badge.profile, Profile::OpenBadges);
    assert_eq!(badge.credential, credential());
    let (_, rest) = text.split_once('.').unwrap();
    let payload = URL_SAFE_NO_PAD
        .decode(rest.split_once('.').unwrap().0)
        .unwrap();
    let payload = json::parse(&payload).unwrap();
    assert_eq!(payload, with(&credential(), claims()));
}

#[test]
fn what_a_reader_could_misread_is_not_signed() {
    let sign = |changes: Value| sign_credential(&with(&credential(), changes), KID, &key());
    for claim in ["jti", "status", "nonce", "vc", "exp"] {
        assert_eq!(sign(json!({ claim: "x" })), Err(SignError::Claim(claim)));
    }
    assert!(matches!(
        sign(json!({"issuer": null})),
        Err(SignError::Credential(_))
    ));
    assert!(matches!(
        sign(json!({"validFrom": "today"})),
        Err(SignError::Credential(_))
    ));
    let hidden = json!({"https://www.w3.org/2018/credentials#validUntil": "2026-01-02T00:00:00Z"});
    assert!(matches!(sign(hidden), Err(SignError::Hidden(_))));
    let included = json!({"@included": [{"id": "urn:x:y"}]});
    assert!(matches!(sign(included), Err(SignError::Hidden(_))));
    for kid in [
        "",
        "key-1",
        "#key-1",
        "https://example.edu/issuers/1",
        "https://example.edu/issuers/1#",
        "https://example.edu/issuers/1#a#b",
        "https://example.edu/issuers/12#key-1",
        "https://evil.example/issuers/1#key-1",
    ] {
        let refused = sign_credential(&credential(), kid, &key());
        assert!(matches!(refused, Err(SignError::Kid { .. })), "{kid}");
    }
    let several = json!({"credentialSubject": [{"id": "did:example:a"}, {"id": "did:example:b"}]});
    let text = sign(several).unwrap();
    assert!(CredentialJwt::parse(&text).is_ok());
}

proptest! {
    #[test]
    fn every_period_is_read_back_to_the_second(
        from in -62_135_596_800_000_i64..253_402_300_799_999,
        lasts in 0_i64..100_000_000_000,
        bounds in 0..4,
    ) {
        let time = |millis| json!(Timestamp::from_millis(millis).to_string());
        let from = if bounds & 1 == 0 { Value::Null } else { time(from) };
        let until = match (bounds & 2, from.as_str()) {
            (0, _) => Value::Null,
            (_, Some(from)) => time(at(from).millis().saturating_add(lasts)),
            (_, None) => time(lasts),
        };
        let document = with(&credential(), json!({"validFrom": from, "validUntil": until}));
        let text = sign_credential(&document, KID, &key()).unwrap();
        let badge = as_open_badge(&text);
        prop_assert_eq!(badge.credential, document);
        prop_assert_eq!(badge.not_before, from.as_str().map(|from| at(from).whole_seconds()));
        prop_assert_eq!(badge.expires, until.as_str().map(|until| at(until).whole_seconds()));
    }

    #[test]
    fn no_payload_makes_the_reader_panic(
        payload in r#"\{("(iss|nbf|vc|vp|aud|type)":("x"|1|\{\}|\[1\]|null),?){0,4}\}"#,
        typ in prop_oneof![Just("JWT"), Just("vc+jwt"), Just("vp+jwt")],
    ) {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": "EdDSA", "typ": typ}).to_string());
        let text = format!("{header}.{}.AA", URL_SAFE_NO_PAD.encode(payload));
        prop_assert!(CredentialJwt::parse(&text).is_err());
        prop_assert!(PresentationJwt::parse(&text).is_err());
    }
}
