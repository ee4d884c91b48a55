//! Endorsements that cover a part of their subject: readers that know nothing of scopes, and fetch
//! no context for them, still verify each word of one.

use goodstanding::badges::{Endorsement, EndorsementToIssue, Issuer, Scope};
use goodstanding::vc::did::DidKey;
use goodstanding::vc::jwt::sign_credential;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions, Suite};
use serde_json::{Value, json};

use super::proofs::{bad, key_for, options, verify};
use super::samples::{SEED, as_the_suite_needs_it, seed_key};
use crate::support::peers::{CREATED, Peer, peers};

const SUITES: [Suite; 2] = [Suite::EddsaRdfc2022, Suite::EddsaJcs2022];

#[test]
fn the_peers_verify_an_endorsement_with_a_scope_and_sign_it_alike() {
    for suite in SUITES {
        let document = endorsement();
        let ours = signed(&document, suite);
        for peer in peers() {
            let report = peer.verify(&ours, &[]);
            if takes_no_context_written_out(peer, suite) {
                let told = report.error.unwrap_or_default();
                assert!(
                    told.contains("does not start with proof.@context"),
                    "{told}"
                );
            } else {
                assert!(report.verified, "{suite}, {}: {report:?}", peer.name);
            }
            let theirs = peer.sign(&document, suite.name(), &seed_key());
            assert_eq!(ours["proof"], theirs["proof"], "{suite}, {}", peer.name);
        }
    }
}

/// In every suite, what they sign reads here as the scope that it is.
#[test]
fn we_read_the_scopes_that_the_peers_sign() {
    for peer in peers() {
        for suite in Suite::ALL {
            let mut document = as_the_suite_needs_it(endorsement(), suite.name());
            // The scope's own context has the last word.
            document["@context"]
                .as_array_mut()
                .unwrap()
                .sort_by_key(Value::is_object);
            let signed = peer.sign(&document, suite.name(), &key_for(peer, suite));
            assert_eq!(verify(&signed), [Ok(())], "{suite}, {}", peer.name);
            let read = Endorsement::read(&signed).unwrap().scope;
            assert_eq!(read, Some(scope()), "{suite}, {}", peer.name);
        }
    }
}

/// No limit can be moved, and none added or taken away, without the peers seeing it.
#[test]
fn every_limit_is_signed() {
    for suite in SUITES {
        let ours = signed(&endorsement(), suite);
        let limits = ours["credentialSubject"]["endorsementScope"].clone();
        let names = limits.as_object().unwrap().keys();
        let names: Vec<&String> = names.filter(|name| *name != "type").collect();
        assert_eq!(names.len(), 7);
        let changes = names.into_iter().flat_map(|name| {
            let mut without = limits.clone();
            without.as_object_mut().unwrap().shift_remove(name);
            let mut other = limits.clone();
            other[name] = match &limits[name] {
                Value::Array(values) => values.iter().cloned().chain([json!("X")]).collect(),
                _ => json!("2040-01-01T00:00:00Z"),
            };
            [without, other]
        });
        for changed in changes.chain([json!([])]) {
            let mut document = ours.clone();
            document["credentialSubject"]["endorsementScope"] = changed;
            assert_eq!(verify(&document), [bad("/proof")], "{suite}");
            for peer in peers() {
                let report = peer.verify(&document, &[]);
                assert!(!report.verified, "{suite}, {}: {document}", peer.name);
            }
        }
    }
}

#[test]
fn the_peers_read_a_scope_out_of_our_jwt() {
    let key = SigningKey::from_seed(&SEED);
    let did = DidKey::from(key.public());
    let document = endorsement();
    assert_eq!(proof::check_signable(&document), Ok(()));
    let token = sign_credential(&document, &did.method_url(), &key).unwrap();
    for peer in peers() {
        let report = peer.verify_with(&json!(token), &json!({"suite": "vc-jose-cose"}));
        assert!(report.verified, "{}: {report:?}", peer.name);
        let read = report.document.unwrap();
        assert_eq!(read["credentialSubject"], document["credentialSubject"]);
    }
}

// --- helpers ----------------------------------------------------------------------------

/// The package for that suite compares contexts as one compares texts.
fn takes_no_context_written_out(peer: &Peer, suite: Suite) -> bool {
    peer.name == "Node" && suite == Suite::EddsaJcs2022
}

fn scope() -> Scope {
    Scope::parse(&json!({
        "role": ["issuer"],
        "achievementType": ["Degree", "ext:Nanodegree"],
        "tag": ["Pflege ✓", "nursing"],
        "alignment": ["https://framework.example/nursing?level=6"],
        "awardedFrom": "2026-01-01T00:00:00Z",
        "awardedUntil": "2030-01-01T00:00:00.500Z",
        "jurisdiction": ["CH-ZH", "DE"],
    }))
    .unwrap()
}

fn endorsement() -> Value {
    let did = DidKey::from(SigningKey::from_seed(&SEED).public());
    EndorsementToIssue {
        id: "https://registry.example/endorsements/1",
        name: "Accredited",
        issuer: Issuer {
            id: &did.to_string(),
            name: "State",
            url: None,
        },
        valid_from: CREATED.parse().unwrap(),
        valid_until: None,
        awarded: None,
        subject: "https://college.example/profile",
        comment: Some("We *know* them."),
        digest: None,
        scope: Some(&scope()),
        status: &[],
    }
    .build()
}

fn signed(document: &Value, suite: Suite) -> Value {
    let key = SigningKey::from_seed(&SEED);
    let did = DidKey::from(key.public());
    let options = ProofOptions {
        suite,
        ..options(&did.method_url())
    };
    proof::sign(document, &options, &key).unwrap()
}
