//! One Open Badge credential: signed and verified, and where the time goes. How that compares with
//! other libraries is measured in `benches/peers`, which has the target.

use goodstanding::json;
use goodstanding::jsonld::canon::{self, canonicalize};
use goodstanding::jsonld::{InlineTerms, Mode, Options};
use goodstanding::time::Timestamp;
use goodstanding::vc::contexts::{Revision, processor};
use goodstanding::vc::controller::Relationship;
use goodstanding::vc::keys::{SignatureCheck, SigningKey};
use goodstanding::vc::proof::{ProofError, ProofOptions, proofs, sign, verify};
use serde_json::{Value, json};

use crate::harness::{Participant, Report, Samples, in_turns};

const DOCUMENTS: [(&str, &str); 2] = [
    ("a small badge", include_str!("../documents/badge.json")),
    (
        "a badge with results, alignments and evidence",
        include_str!("../documents/badge-with-results.json"),
    ),
];

pub(crate) fn run(report: &mut Report) {
    for (name, text) in DOCUMENTS {
        one(report, name, text);
    }
}

fn one(report: &Report, name: &str, text: &str) {
    let key = SigningKey::from_seed(&[7; 32]);
    let method = "did:web:registry.example:profiles:harbour-school#key-1";
    let options = ProofOptions {
        created: Some("2026-02-02T09:00:00Z".parse().expect("RFC 3339")),
        ..ProofOptions::new(method)
    };
    let unsigned = json::parse(text.as_bytes()).expect("the sample is strict JSON");
    let signed = sign(&unsigned, &options, &key).expect("the sample can be signed");
    let secured = signed.to_string();
    check(&signed, &key);

    let public = key.public();
    let processor = processor(Revision::Mid2026);
    let safe = Options {
        mode: Mode::Safe,
        inline_terms: InlineTerms::NoSecondNames,
        ..Options::default()
    };
    let statements = processor.to_rdf(&unsigned, &safe).expect("safe JSON-LD");
    let message = [7; 64];
    let signature = key.sign(&message);
    let mut parts = [
        Participant::new("parse the signed text", || json::parse(secured.as_bytes())),
        Participant::new("JSON-LD to statements, of the document", || {
            processor.to_rdf(&unsigned, &safe)
        }),
        Participant::new("canonicalize the statements", || {
            canonicalize(&statements, &canon::Options::default())
        }),
        Participant::new("check one Ed25519 signature", || {
            public.verify(&message, &signature)
        }),
        Participant::new("sign", || sign(&unsigned, &options, &key)),
        Participant::new("canonicalize and verify", || verified(&signed, &key)),
    ];
    let samples = in_turns(&mut parts);
    let words = format!(
        "{} bytes, {} statements.",
        text.len(),
        canonicalize(&statements, &canon::Options::default())
            .map_or(0, |form| form.nquads.lines().count())
    );
    report.section(&format!("Open Badge: {name}"), &words);
    for (part, samples) in parts.iter().zip(samples) {
        report.context(part.name, &Samples::new(samples).times());
    }
    assert_eq!(public.verify(&message, &signature), SignatureCheck::Good);
}

fn verified(signed: &Value, key: &SigningKey) -> Result<(), ProofError> {
    let proof = proofs(signed).next().expect("the document was signed")?;
    let (purpose, key) = (Relationship::AssertionMethod, key.public().into());
    verify(signed, &proof, purpose, &key, Timestamp::EPOCH).map(|_| ())
}

/// What is measured tells a good document from one that was changed.
fn check(signed: &Value, key: &SigningKey) {
    assert_eq!(verified(signed, key), Ok(()), "the signed sample verifies");
    let mut changed = signed.clone();
    changed["credentialSubject"]["achievement"]["name"] = json!("Another");
    let refused = verified(&changed, key);
    assert!(
        matches!(refused, Err(ProofError::Signature { .. })),
        "a changed sample must not verify: {refused:?}"
    );
}
