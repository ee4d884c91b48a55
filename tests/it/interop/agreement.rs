//! The peers against each other: one follows the standards by hand, the other is the packages that
//! most issuers run. What they agree on, a test against either is worth something on.

use serde_json::{Value, json};

use super::samples::{
    LENGTH, as_the_suite_needs_it, badge, credential, list, old_credential, one_percent,
    presentation, seed_key,
};
use crate::support::peers::{Peer, Report, StatusReport, peers};

/// Every Data Integrity suite that the peers know, and the kind of key that it takes.
const SUITES: [(&str, &str); 5] = [
    ("eddsa-rdfc-2022", "Ed25519"),
    ("eddsa-jcs-2022", "Ed25519"),
    ("ecdsa-rdfc-2019", "P-256"),
    ("eddsa-2022", "Ed25519"),
    ("Ed25519Signature2020", "Ed25519"),
];

/// What one signs the other verifies, and nobody does once it is changed. Ed25519 leaves one
/// possible signature, so that their proofs are even the same.
#[test]
fn what_one_peer_signs_the_other_verifies() {
    for (suite, kind) in SUITES {
        for document in [credential(), badge(), list(&one_percent())] {
            let document = as_the_suite_needs_it(document, suite);
            let mut made = Vec::new();
            for signer in peers() {
                let key = if kind == "Ed25519" {
                    seed_key()
                } else {
                    signer.key(kind).0
                };
                let signed = signer.sign(&document, suite, &key);
                for peer in peers() {
                    let report = peer.verify(&signed, &[]);
                    assert!(report.verified, "{suite}, {}: {report:?}", peer.name);
                    assert_eq!(report.proofs[0].suite.as_deref(), Some(suite));
                    refuses_a_change(peer, &signed);
                }
                made.push(signed);
            }
            if kind == "Ed25519" {
                assert!(made.windows(2).all(|pair| pair[0] == pair[1]), "{suite}");
            }
        }
    }
}

fn refuses_a_change(peer: &Peer, signed: &Value) {
    let mut changed = signed.clone();
    changed["validFrom"] = json!("2026-01-01T00:00:01Z");
    let report = peer.verify(&changed, &[]);
    assert!(!report.verified, "{}", peer.name);
    assert_eq!(
        said(&report),
        "the signature does not match",
        "{}",
        peer.name
    );
}

fn said(report: &Report) -> &str {
    report.proofs[0].error.as_deref().unwrap_or_default()
}

/// A term that no context defines, or a relative IRI, would not be covered by the proof.
#[test]
fn the_peers_refuse_what_a_proof_would_not_cover() {
    let mut undefined = badge();
    undefined["undefinedTerm"] = json!(1);
    let mut relative_id = badge();
    relative_id["id"] = json!("credentials/3732");
    let mut relative_type = badge();
    relative_type["credentialSchema"][0]["type"] = json!("UnknownValidator");
    for peer in peers() {
        for document in [&undefined, &relative_id, &relative_type] {
            let more = json!({"issuer": true});
            let refusal = peer.try_sign(document, "eddsa-rdfc-2022", &seed_key(), &more);
            assert!(refusal.is_err(), "{}: {refusal:?}", peer.name);
        }
    }
}

/// A presentation with a credential in it is good for the challenge and the domain it was made for.
#[test]
fn a_presentation_answers_one_challenge() {
    for signer in peers() {
        let inner = signer.sign(&credential(), "eddsa-rdfc-2022", &seed_key());
        let asked = json!({"issuer": true, "challenge": "7e4a", "domain": "verifier.example"});
        let key = seed_key();
        let signed = signer.sign_with(&presentation(&inner), "eddsa-rdfc-2022", &key, &asked);
        for peer in peers() {
            let right = json!({"challenge": "7e4a", "domain": "verifier.example"});
            let report = peer.verify_with(&signed, &right);
            assert!(report.verified, "{}: {report:?}", peer.name);
            assert_eq!(report.credentials, [true]);
            for wrong in [
                json!({"challenge": "7e4b", "domain": "verifier.example"}),
                json!({"challenge": "7e4a", "domain": "other.example"}),
            ] {
                assert!(!peer.verify_with(&signed, &wrong).verified, "{}", peer.name);
            }
        }
    }
}

/// A token of one profile is verified under that profile and under no other, by a key of each kind.
#[test]
fn a_token_is_of_one_profile() {
    let profiles = ["vc-jose-cose", "open-badges-jwt", "vcdm-1.1-jwt"];
    for signer in peers() {
        for kind in ["Ed25519", "P-256", "RSA"] {
            let (key, public) = signer.key(kind);
            let controller = controller(&public);
            for profile in profiles {
                let mut document = match profile {
                    "vcdm-1.1-jwt" => old_credential(),
                    _ => credential(),
                };
                document["issuer"] = controller["id"].clone();
                let method = json!({"method": "did:web:college.example#key-1"});
                let token = signer.sign_with(&document, profile, &key, &method);
                for peer in peers() {
                    for read_as in profiles {
                        let more = json!({"suite": read_as, "controllers": [controller]});
                        let report = peer.verify_with(&token, &more);
                        let context =
                            format!("{} on {profile} as {read_as}: {report:?}", peer.name);
                        assert_eq!(report.verified, read_as == profile, "{context}");
                        if read_as == profile {
                            assert_eq!(report.document.as_ref(), Some(&document), "{context}");
                        }
                    }
                }
            }
        }
    }
}

/// A DID document with one key, as JWK.
fn controller(public: &Value) -> Value {
    let (did, method) = ("did:web:college.example", "did:web:college.example#key-1");
    json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": did,
        "verificationMethod": [
            {"id": method, "type": "JsonWebKey", "controller": did, "publicKeyJwk": public}
        ],
        "assertionMethod": [method]
    })
}

#[test]
fn the_peers_read_every_bit_of_a_list() {
    let revoked = one_percent();
    let mut indexes = vec![0, 1, 7, 8, 9, LENGTH / 2, LENGTH - 2, LENGTH - 1];
    indexes.extend(&revoked[..20]);
    let expected: Vec<StatusReport> = indexes
        .iter()
        .map(|&index| StatusReport {
            index,
            status: u64::from(revoked.contains(&index)),
        })
        .collect();
    for peer in peers() {
        let signed = peer.sign(&list(&revoked), "eddsa-rdfc-2022", &seed_key());
        let report = peer.verify_with(&signed, &json!({"indexes": indexes}));
        let read = report.status_list.as_ref().unwrap();
        assert_eq!(read.length, LENGTH, "{}", peer.name);
        assert_eq!(read.bits_set, revoked.len() as u64, "{}", peer.name);
        assert_eq!(read.statuses, expected, "{}", peer.name);
    }
}
