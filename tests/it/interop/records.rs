//! Learner records (CLR 2.0): ours verified there, theirs verified here, each with a badge of its
//! own proof in it.

use goodstanding::badges::Clr;
use goodstanding::vc::did::DidKey;
use goodstanding::vc::jwt::{Envelope, sign_credential};
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions, Suite};
use serde_json::{Value, json};

use super::proofs::{bad, key_for, options, verify};
use super::samples::{SEED, as_the_suite_needs_it, badge, seed_key};
use crate::support::peers::{Peer, peers};

#[test]
fn we_sign_the_records_that_the_peers_sign() {
    for suite in [Suite::EddsaRdfc2022, Suite::EddsaJcs2022] {
        for peer in peers() {
            let document = record(&bundled_by(peer, Suite::EddsaRdfc2022));
            let ours = signed(&document, suite);
            let context = format!("{suite}, {}", peer.name);
            assert_eq!(
                ours,
                peer.sign(&document, suite.name(), &seed_key()),
                "{context}"
            );
            let report = peer.verify(&ours, &[]);
            assert!(report.verified, "{context}: {report:?}");
            for pointer in [
                "/credentialSubject/verifiableCredential/0/name",
                "/credentialSubject/achievement/0/name",
                "/credentialSubject/association/0/associationType",
                "/credentialSubject/association/0/targetId",
            ] {
                let mut changed = ours.clone();
                *changed.pointer_mut(pointer).unwrap() = json!("isPeerOf");
                let report = peer.verify(&changed, &[]);
                assert!(!report.verified, "{context}, {pointer}");
                assert_eq!(verify(&changed), [bad("/proof")], "{context}, {pointer}");
            }
        }
    }
}

/// In every suite. What they bundle is verified by itself, as it stands there.
#[test]
fn we_verify_the_records_of_the_peers() {
    for peer in peers() {
        for suite in Suite::ALL {
            let document = as_the_suite_needs_it(record(&bundled_by(peer, suite)), suite.name());
            let signed = peer.sign(&document, suite.name(), &key_for(peer, suite));
            let context = format!("{suite}, {}", peer.name);
            assert_eq!(verify(&signed), [Ok(())], "{context}");
            let badge = &signed["credentialSubject"]["verifiableCredential"][0];
            assert_eq!(verify(badge), [Ok(())], "{context}");
        }
    }
}

#[test]
fn the_peers_take_a_record_and_its_badges_out_of_jwts() {
    let key = SigningKey::from_seed(&SEED);
    let did = DidKey::from(key.public());
    let sign = |document: &Value| sign_credential(document, &did.method_url(), &key).unwrap();
    let enveloped = Envelope::Credential.wrap(&sign(&issued_by_us(badge())));
    let document = record(&enveloped);
    for peer in peers() {
        let as_token = json!({"suite": "vc-jose-cose"});
        let report = peer.verify_with(&json!(sign(&document)), &as_token);
        assert!(report.verified, "{}: {report:?}", peer.name);
        let taken = report.document.unwrap();
        assert_eq!(taken, document, "{}", peer.name);
        let inner = &taken["credentialSubject"]["verifiableCredential"][0];
        let inner = Envelope::Credential.open(inner).unwrap();
        let report = peer.verify_with(&json!(inner), &as_token);
        assert!(report.verified, "{}: {report:?}", peer.name);
        // An embedded proof covers the envelope as it covers anything else.
        let report = peer.verify(&signed(&document, Suite::EddsaRdfc2022), &[]);
        assert!(report.verified, "{}: {report:?}", peer.name);
    }
}

// --- helpers ----------------------------------------------------------------------------

/// A badge that the peer signs by a key of its own.
fn bundled_by(peer: &Peer, suite: Suite) -> Value {
    let badge = as_the_suite_needs_it(badge(), suite.name());
    peer.sign(&badge, suite.name(), &key_for(peer, suite))
}

fn record(bundled: &Value) -> Value {
    let mut document = issued_by_us(json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
        ],
        "id": "https://college.example/records/1",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Zeugnis ✓",
        "issuer": {"type": ["Profile"], "name": "Registrar"},
        "validFrom": "2026-01-01T00:00:00Z",
        "partial": false,
        "credentialSubject": {
            "id": "did:example:holder",
            "type": ["ClrSubject"],
            "verifiableCredential": [bundled],
            "association": [{
                "type": "Association",
                "associationType": "isPartOf",
                "sourceId": "https://college.example/achievements/1",
                "targetId": "https://college.example/achievements/2"
            }]
        }
    }));
    let mut programme = badge()["credentialSubject"]["achievement"].take();
    programme["id"] = json!("https://college.example/achievements/2");
    document["credentialSubject"]["achievement"] = json!([programme]);
    Clr::read(&document).unwrap();
    document
}

fn issued_by_us(mut document: Value) -> Value {
    let did = DidKey::from(SigningKey::from_seed(&SEED).public());
    document["issuer"]["id"] = json!(did.to_string());
    document
}

fn signed(document: &Value, suite: Suite) -> Value {
    let key = SigningKey::from_seed(&SEED);
    let options = ProofOptions {
        suite,
        ..options(&DidKey::from(key.public()).method_url())
    };
    proof::sign(document, &options, &key).unwrap()
}
