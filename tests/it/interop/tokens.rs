//! Credentials and presentations as JWTs: ours read there, theirs read here.

use goodstanding::vc::controller::{Method, did_document};
use goodstanding::vc::did::DidKey;
use goodstanding::vc::jws::JwsError;
use goodstanding::vc::jwt::{CredentialJwt, JwtError, PresentationJwt, Profile, sign_credential};
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::verifying::VerifyingKey;
use serde_json::{Value, json};

use super::samples::{SEED, badge, credential, old_credential, presentation};
use crate::support::peers::{Peer, peers};

const PROFILES: [(&str, Profile); 3] = [
    ("vc-jose-cose", Profile::JoseCose),
    ("open-badges-jwt", Profile::OpenBadges),
    ("vcdm-1.1-jwt", Profile::Claim),
];

const DID: &str = "did:web:college.example";
const METHOD: &str = "did:web:college.example#key-1";

/// Every profile with every kind of key, under an absolute `kid` and with the key in the header.
#[test]
fn we_read_the_tokens_of_the_peers() {
    for peer in peers() {
        for kind in ["Ed25519", "P-256", "RSA"] {
            let (private, public) = peer.key(kind);
            let key = VerifyingKey::from_jwk(&public).unwrap();
            let (_, stranger) = peer.key(kind);
            let stranger = VerifyingKey::from_jwk(&stranger).unwrap();
            for (suite, profile) in PROFILES {
                for header in [json!({}), json!({"jwk": public})] {
                    let document = document_for(profile);
                    let asked = json!({"method": METHOD, "header": header});
                    let token = peer.sign_with(&document, suite, &private, &asked);
                    let context = format!("{suite} with {kind}, {}", peer.name);
                    let read = CredentialJwt::parse(text(&token))
                        .unwrap_or_else(|error| panic!("{context}: {error}"));
                    assert_eq!(read.profile, profile, "{context}");
                    assert_eq!(read.credential, document, "{context}");
                    assert_eq!(read.issuer, DID, "{context}");
                    let kid = header.get("jwk").is_none().then_some(METHOD);
                    assert_eq!(read.header().kid.as_deref(), kid, "{context}");
                    assert_eq!(read.verify(&key), Ok(()), "{context}");
                    let strange = read.verify(&stranger);
                    assert_eq!(strange, Err(JwsError::Signature), "{context}");
                }
            }
        }
    }
}

/// A claim beside the credential that says something else makes the token one of nobody.
#[test]
fn a_claim_that_says_something_else_is_refused() {
    type Expected = fn(&JwtError) -> bool;
    let others: [(Value, Expected); 4] = [
        (json!({"iss": "did:web:other.example"}), |error| {
            matches!(error, JwtError::IssMismatch { .. })
        }),
        (json!({"jti": "urn:uuid:0"}), |error| {
            matches!(error, JwtError::JtiMismatch { .. })
        }),
        (json!({"sub": "did:example:other"}), |error| {
            matches!(error, JwtError::SubMismatch { .. })
        }),
        (json!({"nbf": 1_700_000_000}), |error| {
            matches!(error, JwtError::NbfMismatch { .. })
        }),
    ];
    for peer in peers() {
        let (private, public) = peer.key("P-256");
        for (suite, profile) in &PROFILES[..2] {
            for (claims, is_expected) in &others {
                let asked = json!({"method": METHOD, "claims": claims});
                let token = peer.sign_with(&document_for(*profile), suite, &private, &asked);
                let error = CredentialJwt::parse(text(&token)).unwrap_err();
                assert!(is_expected(&error), "{suite}, {claims}: {error}");
                let theirs = read_there(peer, &token, suite, &public);
                assert!(!theirs, "{suite}, {claims}, {}", peer.name);
            }
        }
    }
}

/// What we sign is a token of VC-JOSE-COSE there, with the key in our DID document.
#[test]
fn the_peers_read_our_tokens() {
    let key = SigningKey::from_seed(&SEED);
    let method = Method {
        fragment: "key-1".to_owned(),
        key: key.public(),
        revoked: None,
    };
    let controller = did_document(DID, &[method], &[]);
    let did = DidKey::from(key.public());
    for document in [credential(), badge()] {
        for (issuer, kid) in [(DID, METHOD), (&did.to_string(), &did.method_url())] {
            let document = issued_by(document.clone(), issuer);
            let token = json!(sign_credential(&document, kid, &key).unwrap());
            for peer in peers() {
                let asked = json!({"suite": "vc-jose-cose", "controllers": [controller]});
                let report = peer.verify_with(&token, &asked);
                assert!(report.verified, "{}: {report:?}", peer.name);
                assert_eq!(report.document.as_ref(), Some(&document), "{}", peer.name);
                let payload = report.payload.unwrap();
                assert_eq!(payload["iss"], json!(issuer));
                assert_eq!(payload["jti"], document["id"]);
                let header = report.header.unwrap();
                assert_eq!(header, json!({"alg": "EdDSA", "typ": "vc+jwt", "kid": kid}));
            }
        }
    }
}

/// A presentation as a JWT, in both forms; it answers `nonce` and is meant for `aud`.
#[test]
fn we_read_the_presentations_of_the_peers() {
    for peer in peers() {
        let (private, public) = peer.key("Ed25519");
        let key = VerifyingKey::from_jwk(&public).unwrap();
        let inner = peer.sign(&credential(), "eddsa-rdfc-2022", &private);
        let mut document = presentation(&inner);
        document["holder"] = json!(DID);
        let claims = json!({"nonce": "7e4a", "aud": "https://verifier.example"});
        for (suite, profile) in [PROFILES[0], PROFILES[2]] {
            let asked = json!({"method": METHOD, "claims": claims});
            let token = peer.sign_with(&document, suite, &private, &asked);
            let read = PresentationJwt::parse(text(&token)).unwrap();
            assert_eq!(read.profile, profile);
            assert_eq!(read.presentation, document);
            assert_eq!(read.holder.as_deref(), Some(DID));
            assert_eq!(read.nonce.as_deref(), Some("7e4a"));
            assert_eq!(read.audience, ["https://verifier.example"]);
            assert_eq!(read.verify(&key), Ok(()), "{suite}, {}", peer.name);
        }
    }
}

// --- helpers ----------------------------------------------------------------------------

fn document_for(profile: Profile) -> Value {
    let document = match profile {
        Profile::Claim => old_credential(),
        Profile::JoseCose | Profile::OpenBadges => credential(),
    };
    issued_by(document, DID)
}

fn issued_by(mut document: Value, issuer: &str) -> Value {
    match &mut document["issuer"] {
        Value::Object(members) => members.insert("id".to_owned(), json!(issuer)),
        plain => Some(std::mem::replace(plain, json!(issuer))),
    };
    document
}

fn text(token: &Value) -> &str {
    token.as_str().unwrap()
}

fn read_there(peer: &Peer, token: &Value, suite: &str, public: &Value) -> bool {
    let controller = json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": DID,
        "verificationMethod": [
            {"id": METHOD, "type": "JsonWebKey", "controller": DID, "publicKeyJwk": public}
        ],
        "assertionMethod": [METHOD]
    });
    let asked = json!({"suite": suite, "controllers": [controller]});
    peer.verify_with(token, &asked).verified
}
