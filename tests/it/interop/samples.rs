//! Documents that signers and verifiers are tried with.

use std::io::Write;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use goodstanding::vc::keys::SigningKey;
use serde_json::{Value, json};

/// The seed of the key that signs in these tests.
pub(crate) const SEED: [u8; 32] = [7; 32];

/// The key of [`SEED`] as a private JWK, for a peer to sign with.
pub(crate) fn seed_key() -> Value {
    let public = SigningKey::from_seed(&SEED).public();
    let mut jwk = public.to_jwk();
    jwk["d"] = json!(BASE64_URL_SAFE_NO_PAD.encode(SEED));
    jwk
}

/// Entries in [`list`].
pub(crate) const LENGTH: u64 = 131_072;

/// A credential with hardly anything in it.
pub(crate) fn credential() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:holder"}
    })
}

/// A credential of VCDM 1.1.
pub(crate) fn old_credential() -> Value {
    json!({
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "id": "urn:uuid:0d8c8f5e-1f5c-4c52-9a43-5a1f5ef4b2b1",
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2036-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:holder"}
    })
}

/// A presentation of one credential.
pub(crate) fn presentation(credential: &Value) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:93fd4ba4-6a1a-4b9c-8f8a-0a2f2f3c7d21",
        "type": ["VerifiablePresentation"],
        "holder": "did:example:holder",
        "verifiableCredential": [credential]
    })
}

/// An Open Badge with what is easily lost or read differently: letters outside ASCII, escapes,
/// a fraction, types with contexts of their own, blank nodes that are alike.
pub(crate) fn badge() -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
        ],
        "id": "https://college.example/credentials/3732",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Zusammenarbeit ✓ 協力",
        "issuer": {
            "id": "did:example:issuer",
            "type": ["Profile"],
            "name": "Example \"College\"\n\tof \\ Arts",
            "url": "https://college.example/"
        },
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [{
                "type": "IdentityObject",
                "hashed": false,
                "identityHash": "learner@example.org",
                "identityType": "emailAddress"
            }],
            "achievement": {
                "id": "https://college.example/achievements/1",
                "type": ["Achievement"],
                "name": "Teamwork",
                "description": "Works with others.",
                "criteria": {"narrative": "Nominated by peers."},
                "creditsAvailable": 1.5,
                "alignment": [
                    {"type": ["Alignment"], "targetName": "A", "targetUrl": "https://x.example/a"},
                    {"type": ["Alignment"], "targetName": "B", "targetUrl": "https://x.example/b"}
                ]
            }
        },
        "credentialStatus": [{
            "id": "https://college.example/lists/1#94567",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "94567",
            "statusListCredential": "https://college.example/lists/1"
        }],
        "credentialSchema": [{
            "id": "https://college.example/schema.json",
            "type": "1EdTechJsonSchemaValidator2019"
        }]
    })
}

/// A badge for several subjects, each with a number that is written in more than one way. None
/// like 1e-7, with an exponent and no fraction, which jsonld.js reads as the integer 0.
pub(crate) fn numbers() -> Value {
    let numbers = json!([0, -0.0, 1.0, 42, 1.5, 0.1, 1.5e-7, 1e20, 1e21, -3.25e300]);
    let mut document = badge();
    let subject = document["credentialSubject"].take();
    let subjects = numbers.as_array().unwrap().iter().map(|number| {
        let mut subject = subject.clone();
        subject["achievement"]["id"] = json!(format!("https://college.example/n/{number}"));
        subject["achievement"]["creditsAvailable"] = number.clone();
        subject
    });
    document["credentialSubject"] = subjects.collect();
    document
}

/// The oldest package writes a tab as it is, where RDFC-1.0 escapes it; and the legacy type of proof
/// has a context of its own.
pub(crate) fn as_the_suite_needs_it(mut document: Value, suite: &str) -> Value {
    match suite {
        "eddsa-2022" => serde_json::from_str(&document.to_string().replace("\\t", " ")).unwrap(),
        "Ed25519Signature2020" => {
            let contexts = document["@context"].as_array_mut().unwrap();
            contexts.push(json!("https://w3id.org/security/suites/ed25519-2020/v1"));
            document
        }
        _ => document,
    }
}

/// A status list of [`LENGTH`] entries in which those at `revoked` are set.
pub(crate) fn list(revoked: &[u64]) -> Value {
    let mut bits = vec![0_u8; usize::try_from(LENGTH / 8).unwrap()];
    for index in revoked {
        bits[usize::try_from(index / 8).unwrap()] |= 0x80 >> (index % 8);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bits).unwrap();
    let encoded = BASE64_URL_SAFE_NO_PAD.encode(encoder.finish().unwrap());
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "https://college.example/lists/1",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": "did:example:issuer",
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "https://college.example/lists/1#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": format!("u{encoded}")
        }
    })
}

/// One entry in a hundred, spread over the list, with both of its ends.
pub(crate) fn one_percent() -> Vec<u64> {
    // An odd factor visits distinct entries of a list whose length is a power of two.
    let mut chosen: Vec<u64> = (0..LENGTH / 100)
        .map(|number| number * 40_503 % LENGTH)
        .collect();
    chosen.push(LENGTH - 1);
    chosen
}
