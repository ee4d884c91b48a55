//! JWTs by other programs: PyJWT and jose.

use super::*;
use crate::vc::jwks;

fn samples() -> Value {
    json::parse(include_bytes!("samples.json")).unwrap()
}

/// The JWT of this name and the key that signed it.
fn sample(name: &str) -> (String, VerifyingKey) {
    let samples = samples();
    let sample = &samples["jwts"][name];
    let key = &samples["keys"][sample["key"].as_str().unwrap()];
    let key = VerifyingKey::from_jwk(key).unwrap();
    (sample["jwt"].as_str().unwrap().to_owned(), key)
}

#[test]
fn an_open_badge_by_another_program_is_read() {
    let (text, key) = sample("open_badges");
    let badge = CredentialJwt::parse(&text).unwrap();
    assert_eq!(badge.profile, Profile::OpenBadges);
    assert_eq!(badge.credential, samples()["credential"]);
    assert_eq!(badge.issuer, "https://badges.example.edu/issuers/1");
    assert_eq!(badge.not_before, Some(at("2026-01-31T12:00:00Z")));
    assert_eq!(badge.expires, Some(at("2030-01-31T12:00:00Z")));
    assert_eq!(badge.verify(&key), Ok(()));
    // The key came along in the header, and counts since it is in the issuer's set.
    let set = json!({"keys": [key.to_jwk()]});
    let chosen = jwks::select(&set, badge.header(), &badge.issuer);
    assert_eq!(chosen, Ok(key));
}

#[test]
fn a_vc_jwt_by_another_program_is_read() {
    let (text, key) = sample("vc_jwt");
    let badge = CredentialJwt::parse(&text).unwrap();
    assert_eq!(badge.profile, Profile::JoseCose);
    assert_eq!(badge.credential, samples()["credential"]);
    assert_eq!(badge.issued_at, Some(at("2026-01-31T12:00:05Z")));
    // The signature ends long before the credential does.
    let end = at("2026-02-01T12:00:00Z");
    assert_eq!(
        badge.validity(at("2026-02-01T11:59:59Z")),
        Validity::Current
    );
    assert_eq!(badge.validity(end), Validity::Expired { at: end });
    assert_eq!(badge.verify(&key), Ok(()));
    assert_eq!(badge.as_str(), text);
    let (_, other) = sample("open_badges");
    assert!(matches!(badge.verify(&other), Err(JwsError::Kind { .. })));
}

#[test]
fn a_credential_in_a_claim_is_completed() {
    let (text, key) = sample("claim_vc");
    let degree = CredentialJwt::parse(&text).unwrap();
    assert_eq!(degree.profile, Profile::Claim);
    assert_eq!(degree.verify(&key), Ok(()));
    assert_eq!(
        degree.credential,
        json!({
            "@context": [CONTEXT_V1],
            "type": ["VerifiableCredential"],
            "credentialSubject": {
                "degree": { "type": "BachelorDegree" },
                "id": "did:example:alice",
            },
            "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
            "issuanceDate": "2026-01-31T12:00:00Z",
            "expirationDate": "2030-01-31T12:00:00.250Z",
            "issuer": "https://badges.example.edu/issuers/1",
        })
    );
}

#[test]
fn presentations_by_other_programs_are_read() {
    let (text, key) = sample("vp_jwt");
    let shown = PresentationJwt::parse(&text).unwrap();
    assert_eq!(shown.profile, Profile::JoseCose);
    assert_eq!(shown.holder.as_deref(), Some("did:example:alice"));
    assert_eq!(shown.nonce.as_deref(), Some("n-0S6_WzA2Mj"));
    let audience = ["https://verifier.example", "https://other.example"];
    assert_eq!(shown.audience, audience);
    assert_eq!(shown.verify(&key), Ok(()));
    let within = &shown.presentation["verifiableCredential"][0];
    let within = Envelope::Credential.open(within).unwrap();
    assert_eq!(within, sample("open_badges").0);

    let (text, key) = sample("claim_vp");
    let shown = PresentationJwt::parse(&text).unwrap();
    assert_eq!(shown.profile, Profile::Claim);
    assert_eq!(shown.holder.as_deref(), Some("did:example:alice"));
    assert_eq!(shown.presentation["holder"], "did:example:alice");
    assert_eq!(shown.audience, ["https://verifier.example"]);
    assert_eq!(
        shown.validity(at("2026-01-31T12:09:59Z")),
        Validity::Current
    );
    assert_eq!(shown.verify(&key), Ok(()));
    let within = &shown.presentation["verifiableCredential"][0];
    assert_eq!(within.as_str(), Some(&*sample("claim_vc").0));
}

#[test]
fn thumbprints_are_those_of_another_program() {
    let samples = samples();
    for (name, jwk) in samples["keys"].as_object().unwrap() {
        let key = VerifyingKey::from_jwk(jwk).unwrap();
        assert_eq!(key.thumbprint(), samples["thumbprints"][name], "{name}");
        assert_eq!(key.to_jwk(), *jwk);
    }
}

/// The text was verified by PyJWT and jose; see `samples.json`.
#[test]
fn what_is_written_here_is_what_others_verified() {
    let key = crate::vc::keys::SigningKey::from_seed(&[7; 32]);
    let samples = samples();
    let kid = "https://badges.example.edu/issuers/1#key-1";
    let text = sign_credential(&samples["credential"], kid, &key).unwrap();
    assert_eq!(text, samples["ours"]);
}
