//! The registry against software that shares no code with it.

mod peers;
mod samples;
mod served;

use goodstanding::time::Timestamp;
use goodstanding::vc::controller::{Method, Relationship, did_document};
use goodstanding::vc::did::DidKey;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofError, ProofOptions};
use serde_json::{Value, json};

use peers::{Peer, SUITES, StatusReport, peers};
use samples::{LENGTH, SEED, badge, credential, list, numbers, one_percent};

/// When everything here is signed.
const CREATED: &str = "2026-01-01T00:00:00Z";

/// Ed25519 leaves one possible signature, so our proofs and the peers' are the same to the last
/// letter, and whoever verifies the one verifies the other.
#[test]
fn we_sign_what_the_peers_sign() {
    let key = SigningKey::from_seed(&SEED);
    let did = DidKey::from(key.public());
    for document in [credential(), badge(), numbers(), list(&one_percent())] {
        let ours = sign(document, &did.to_string(), &did.method_url(), &key);
        for peer in peers() {
            let theirs = peer.sign(&ours.document, "eddsa-rdfc-2022", &SEED);
            assert_eq!(ours.signed["proof"], theirs["proof"], "{}", peer.name);
            let report = peer.verify(&ours.signed, &[], &[]);
            assert!(report.verified, "{}: {report:?}", peer.name);
        }
    }
}

/// A key of did:web is found in the DID document as we publish it.
#[test]
fn the_peers_find_our_keys_in_our_did_document() {
    let did = "did:web:registry.example:profiles:college";
    let key = SigningKey::from_seed(&SEED);
    let method = Method {
        fragment: "key-1".to_owned(),
        key: key.public(),
        revoked: None,
    };
    let published = did_document(did, std::slice::from_ref(&method), &[]);
    let ours = sign(badge(), did, &format!("{did}#key-1"), &key);
    let revoked = Method {
        revoked: Some(CREATED.parse().unwrap()),
        ..method
    };
    let revoked = did_document(did, &[revoked], &[]);
    for peer in peers() {
        let report = peer.verify(&ours.signed, std::slice::from_ref(&published), &[]);
        assert!(report.verified, "{}: {report:?}", peer.name);
        let report = peer.verify(&ours.signed, std::slice::from_ref(&revoked), &[]);
        assert!(!report.verified, "{}: {report:?}", peer.name);
    }
}

#[test]
fn we_verify_what_the_peers_sign() {
    for peer in peers() {
        for document in [credential(), badge(), numbers(), list(&one_percent())] {
            let signed = peer.sign(&document, "eddsa-rdfc-2022", &SEED);
            verify(&signed).unwrap_or_else(|error| panic!("{}: {error}", peer.name));
            let mut changed = signed;
            changed["validFrom"] = json!("2026-01-01T00:00:01Z");
            assert_eq!(
                verify(&changed),
                Err(ProofError::Signature {
                    place: "/proof".to_owned()
                }),
                "{}",
                peer.name
            );
        }
    }
}

/// A document with its issuer set, and the same signed by us.
struct Ours {
    document: Value,
    signed: Value,
}

fn sign(mut document: Value, issuer: &str, method: &str, key: &SigningKey) -> Ours {
    match &mut document["issuer"] {
        Value::Object(members) => members.insert("id".to_owned(), json!(issuer)),
        plain => Some(std::mem::replace(plain, json!(issuer))),
    };
    let options = ProofOptions {
        created: Some(CREATED.parse().unwrap()),
        ..ProofOptions::new(method)
    };
    let signed = proof::sign(&document, &options, key).unwrap();
    Ours { document, signed }
}

/// Our verdict on the one proof of `signed`, by the key of [`SEED`].
fn verify(signed: &Value) -> Result<(), ProofError> {
    let key = SigningKey::from_seed(&SEED).public();
    let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    let proofs: Vec<_> = proof::proofs(signed).collect::<Result<_, _>>()?;
    let [proof] = proofs.as_slice() else {
        panic!("one proof, not {}", proofs.len());
    };
    assert_eq!(proof.verification_method, DidKey::from(key).method_url());
    proof::verify(
        signed,
        proof,
        Relationship::AssertionMethod,
        &key.into(),
        now,
    )
    .map(|_verified| ())
}

/// What one peer signs the other verifies, and Ed25519 leaves one possible signature: so the
/// peers agree on every byte, and a test against them is a test against both.
#[test]
fn the_peers_agree_with_each_other() {
    let peers = peers();
    for suite in SUITES {
        for document in [credential(), badge(), list(&one_percent())] {
            let signed: Vec<Value> = peers
                .iter()
                .map(|peer| peer.sign(&document, suite, &SEED))
                .collect();
            assert!(signed.windows(2).all(|pair| pair[0] == pair[1]), "{suite}");
            let Some(signed) = signed.first() else {
                return;
            };
            for peer in peers {
                let report = peer.verify(signed, &[], &[]);
                assert!(report.verified, "{}: {report:?}", peer.name);
                refuses_a_change(peer, signed);
            }
        }
    }
}

fn refuses_a_change(peer: &Peer, signed: &Value) {
    let mut changed = signed.clone();
    changed["validFrom"] = json!("2026-01-01T00:00:01Z");
    let report = peer.verify(&changed, &[], &[]);
    assert!(!report.verified, "{}", peer.name);
    assert_eq!(
        report.documents[0].proofs[0].error.as_deref(),
        Some("the signature does not match"),
        "{}",
        peer.name
    );
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
            let refusal = peer.try_sign(document, "eddsa-rdfc-2022", &SEED);
            assert!(refusal.is_err(), "{}: {refusal:?}", peer.name);
        }
    }
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
        let signed = peer.sign(&list(&revoked), "eddsa-rdfc-2022", &SEED);
        let report = peer.verify(&signed, &[], &indexes);
        let read = report.documents[0].status_list.as_ref().unwrap();
        assert_eq!(read.length, LENGTH, "{}", peer.name);
        assert_eq!(read.bits_set, revoked.len() as u64, "{}", peer.name);
        assert_eq!(read.statuses, expected, "{}", peer.name);
    }
}
