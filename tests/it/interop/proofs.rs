//! Data Integrity proofs: ours verified there, theirs verified here.

use goodstanding::vc::controller::{Method, Relationship, did_document};
use goodstanding::vc::did::DidKey;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, Proof, ProofError, ProofOptions, Suite};
use goodstanding::vc::verifying::KeyKind;
use serde_json::{Value, json};

use super::samples::{
    SEED, as_the_suite_needs_it, badge, credential, list, numbers, one_percent, presentation,
    seed_key,
};
use crate::support::peers::{CREATED, NOW, Peer, peers};

/// Ed25519 leaves one possible signature, so our proofs and the peers' are the same to the last
/// letter, and whoever verifies the one verifies the other.
#[test]
fn we_sign_what_the_peers_sign() {
    let key = SigningKey::from_seed(&SEED);
    let did = DidKey::from(key.public());
    for suite in [Suite::EddsaRdfc2022, Suite::EddsaJcs2022] {
        for document in [credential(), badge(), numbers(), list(&one_percent())] {
            let document = issued_by(document, &did.to_string());
            let options = ProofOptions {
                suite,
                ..options(&did.method_url())
            };
            let ours = proof::sign(&document, &options, &key).unwrap();
            for peer in peers() {
                let theirs = peer.sign(&document, suite.name(), &seed_key());
                assert_eq!(ours["proof"], theirs["proof"], "{suite}, {}", peer.name);
                let report = peer.verify(&ours, &[]);
                assert!(report.verified, "{suite}, {}: {report:?}", peer.name);
            }
        }
    }
}

/// A key of did:web is found in the DID document as we publish it, and no more once it is revoked.
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
    let revoked = Method {
        revoked: Some(CREATED.parse().unwrap()),
        ..method
    };
    let revoked = did_document(did, &[revoked], &[]);
    let options = options(&format!("{did}#key-1"));
    let ours = proof::sign(&issued_by(badge(), did), &options, &key).unwrap();
    for peer in peers() {
        let report = peer.verify(&ours, std::slice::from_ref(&published));
        assert!(report.verified, "{}: {report:?}", peer.name);
        let report = peer.verify(&ours, std::slice::from_ref(&revoked));
        assert!(!report.verified, "{}: {report:?}", peer.name);
    }
}

/// Each suite, the legacy ones included. A change anywhere is a signature that does not fit.
#[test]
fn we_verify_what_the_peers_sign() {
    for peer in peers() {
        for suite in Suite::ALL {
            let key = key_for(peer, suite);
            for document in [credential(), badge(), numbers(), list(&one_percent())] {
                let document = as_the_suite_needs_it(document, suite.name());
                let signed = peer.sign(&document, suite.name(), &key);
                assert_eq!(verify(&signed), [Ok(())], "{suite}, {}", peer.name);
                let mut changed = signed;
                changed["validFrom"] = json!("2026-01-01T00:00:01Z");
                assert_eq!(verify(&changed), [bad("/proof")], "{suite}, {}", peer.name);
            }
        }
    }
}

/// Two proofs of one document, each by a suite of its own: one may be bad and the other good.
#[test]
fn a_set_of_proofs_is_good_one_by_one() {
    for peer in peers() {
        let once = peer.sign(&badge(), "eddsa-rdfc-2022", &seed_key());
        let twice = peer.sign(&once, "eddsa-jcs-2022", &seed_key());
        assert_eq!(verify(&twice), [Ok(()), Ok(())], "{}", peer.name);
        let mut changed = twice;
        changed["proof"][0]["created"] = json!("2026-01-01T00:00:01Z");
        let answers = verify(&changed);
        assert_eq!(answers, [bad("/proof/0"), Ok(())], "{}", peer.name);
        let report = peer.verify(&changed, &[]);
        let theirs: Vec<bool> = report.proofs.iter().map(|proof| proof.verified).collect();
        assert_eq!(theirs, [false, true], "{}", peer.name);
    }
}

/// A proof that rests on an earlier one signs it as well: where the earlier one is changed, both are
/// bad, here and there. Theirs, in each suite that has chains.
#[test]
fn we_verify_the_chains_of_the_peers() {
    for peer in peers() {
        for suite in Suite::ALL {
            if suite == Suite::Ed25519Signature2020 {
                continue;
            }
            let key = key_for(peer, suite);
            let first = json!({"issuer": true, "id": FIRST});
            let signed = peer.sign_with(&badge_for(suite), suite.name(), &key, &first);
            let second = json!({"id": "urn:uuid:2", "previousProof": FIRST});
            let chained = peer.sign_with(&signed, suite.name(), &key, &second);
            let context = format!("{suite}, {}", peer.name);
            assert_eq!(verify(&chained), [Ok(()), Ok(())], "{context}");
            let changed = with_the_first_changed(&chained);
            assert_eq!(
                verify(&changed),
                [bad("/proof/0"), bad("/proof/1")],
                "{context}"
            );
        }
    }
}

/// And ours, in both suites that we sign with, one resting on the other.
#[test]
fn the_peers_verify_our_chains() {
    let key = SigningKey::from_seed(&SEED);
    let did = DidKey::from(key.public());
    let signing = [Suite::EddsaRdfc2022, Suite::EddsaJcs2022];
    for (earlier, later) in signing.iter().flat_map(|a| signing.map(|b| (*a, b))) {
        let first = ProofOptions {
            suite: earlier,
            id: Some(FIRST.to_owned()),
            ..options(&did.method_url())
        };
        let second = ProofOptions {
            suite: later,
            previous_proof: vec![FIRST.to_owned()],
            ..options(&did.method_url())
        };
        let once = proof::sign(&issued_by(badge(), &did.to_string()), &first, &key).unwrap();
        let chained = proof::sign(&once, &second, &key).unwrap();
        for peer in peers() {
            let context = format!("{later} on {earlier}, {}", peer.name);
            let report = peer.verify(&chained, &[]);
            assert!(report.verified, "{context}: {report:?}");
            let report = peer.verify(&with_the_first_changed(&chained), &[]);
            let good = report.proofs.iter().filter(|proof| proof.verified).count();
            assert_eq!(good, 0, "{context}: {report:?}");
        }
    }
}

/// A presentation is signed for authentication, and answers a challenge for a domain.
#[test]
fn we_verify_the_presentations_of_the_peers() {
    for peer in peers() {
        let inner = peer.sign(&credential(), "eddsa-rdfc-2022", &seed_key());
        let asked = json!({"issuer": true, "challenge": "7e4a", "domain": "verifier.example"});
        for suite in [
            Suite::EddsaRdfc2022,
            Suite::EddsaJcs2022,
            Suite::EcdsaRdfc2019,
        ] {
            let key = key_for(peer, suite);
            let signed = peer.sign_with(&presentation(&inner), suite.name(), &key, &asked);
            let proofs = read(&signed);
            assert_eq!(proofs[0].challenge, Some("7e4a"));
            assert_eq!(proofs[0].domain, ["verifier.example"]);
            let answer = check(&signed, &proofs[0], Relationship::Authentication);
            assert_eq!(answer, Ok(()), "{suite}, {}", peer.name);
            let answer = check(&signed, &proofs[0], Relationship::AssertionMethod);
            assert!(matches!(answer, Err(ProofError::Purpose { .. })));
        }
    }
}

/// RDFC-1.0 escapes control characters, which not every canonicalization does: the packages of
/// today do, and so do we. What older software signed over such a text does not verify here.
#[test]
fn control_characters_are_escaped_as_the_standard_says() {
    let escaped_by = |suite: &str, text: &str| {
        let mut document = credential();
        document["name"] = json!(text);
        let signed: Vec<_> = peers()
            .iter()
            .map(|peer| (peer.name, verify(&peer.sign(&document, suite, &seed_key()))))
            .collect();
        let good = signed.iter().filter(|(_, answers)| answers == &[Ok(())]);
        good.map(|(name, _)| *name).collect::<Vec<_>>()
    };
    let here: Vec<&str> = peers().iter().map(|peer| peer.name).collect();
    let only = |name| {
        here.iter()
            .copied()
            .filter(|one| *one == name)
            .collect::<Vec<_>>()
    };
    assert_eq!(escaped_by("eddsa-rdfc-2022", "a\tb"), here);
    assert_eq!(
        escaped_by("eddsa-rdfc-2022", "a\u{1}b\u{c}c\u{7f}d"),
        only("Node")
    );
    assert_eq!(escaped_by("eddsa-2022", "a\tb"), only("Python"));
}

// --- helpers ----------------------------------------------------------------------------

const FIRST: &str = "urn:uuid:1f8e4a2c-9a3f-4d6b-8a55-2f0f3c1f7e10";

pub(super) fn options(method: &str) -> ProofOptions {
    ProofOptions {
        created: Some(CREATED.parse().unwrap()),
        ..ProofOptions::new(method)
    }
}

pub(super) fn issued_by(mut document: Value, issuer: &str) -> Value {
    match &mut document["issuer"] {
        Value::Object(members) => members.insert("id".to_owned(), json!(issuer)),
        plain => Some(std::mem::replace(plain, json!(issuer))),
    };
    document
}

/// A private key for the peer to sign with, of the kind that the suite takes.
pub(super) fn key_for(peer: &Peer, suite: Suite) -> Value {
    match suite.key_kind() {
        KeyKind::Ed25519 => seed_key(),
        _ => peer.key("P-256").0,
    }
}

fn badge_for(suite: Suite) -> Value {
    as_the_suite_needs_it(badge(), suite.name())
}

fn with_the_first_changed(chained: &Value) -> Value {
    let mut changed = chained.clone();
    changed["proof"][0]["created"] = json!("2026-01-01T00:00:01Z");
    changed
}

/// Our verdict on each proof of `signed`, by the key of the did:key that it names.
pub(super) fn verify(signed: &Value) -> Vec<Result<(), ProofError>> {
    let purpose = Relationship::AssertionMethod;
    let proofs = read(signed);
    let verdicts = proofs.iter().map(|proof| check(signed, proof, purpose));
    verdicts.collect()
}

fn read(signed: &Value) -> Vec<Proof<'_>> {
    let read: Result<Vec<_>, _> = proof::proofs(signed).collect();
    read.expect("the peers' proofs are well made")
}

fn check(signed: &Value, proof: &Proof<'_>, purpose: Relationship) -> Result<(), ProofError> {
    let (did, _) = proof.verification_method.split_once('#').unwrap();
    let did: DidKey = did.parse().unwrap();
    assert_eq!(proof.verification_method, did.method_url());
    proof::verify(signed, proof, purpose, &did.key(), NOW.parse().unwrap()).map(|_verified| ())
}

pub(super) fn bad(place: &str) -> Result<(), ProofError> {
    Err(ProofError::Signature {
        place: place.to_owned(),
    })
}
