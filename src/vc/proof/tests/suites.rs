//! Every suite: what the packages of others sign, and what fits no suite.

use super::*;
use crate::vc::verifying::KeyKind;

const METHOD: &str = "https://a.example/profile#key-1";
const ED25519_2020: &str = "https://w3id.org/security/suites/ed25519-2020/v1";

/// What others signed with the key of [`key`], or with one on P-256.
fn signed_by_others(contexts: Value, proof: Value) -> Value {
    let mut document = json!({
        "@context": contexts,
        "id": "https://a.example/credentials/1",
        "type": ["VerifiableCredential"],
        "issuer": "https://a.example/profile",
        "credentialSubject": { "id": "https://b.example/profile" },
        "proof": {
            "type": "DataIntegrityProof",
            "created": "2026-01-01T00:00:00Z",
            "verificationMethod": METHOD,
            "proofPurpose": "assertionMethod",
        },
    });
    for (member, value) in proof.as_object().unwrap() {
        document["proof"][member] = value.clone();
    }
    document
}

fn p256() -> VerifyingKey {
    let key = "zDnaeXnAmFMV4gLV3g7q9BkD9GCC5e7VyGofgmN1vtBd3q5Be";
    VerifyingKey::from_multikey(key).unwrap()
}

fn only(secured: &Value) -> Result<Proof<'_>, ProofError> {
    proofs(secured).next().unwrap()
}

fn good() -> Verified {
    Verified::Statements {
        revision: Revision::Mid2026,
        variant: Variant::Listed,
    }
}

/// What the npm packages `@digitalbazaar/ed25519-signature-2020` and the cryptosuites of
/// `@digitalbazaar/data-integrity` made of one document.
fn by_npm() -> Vec<(Suite, Value, VerifyingKey)> {
    let v2 = json!([CREDENTIALS_V2]);
    let made = |suite: Suite, contexts: &Value, mut proof: Value, key| {
        if suite != Suite::Ed25519Signature2020 {
            proof["cryptosuite"] = json!(suite.name());
        }
        (suite, signed_by_others(contexts.clone(), proof), key)
    };
    let ed25519 = || VerifyingKey::from(key().public());
    vec![
        made(
            Suite::EddsaRdfc2022,
            &v2,
            json!({"proofValue": "z3xiSM5BccTVGNA6uwvuGmE3vGgDiArjBTj4mQ47B4CgsUWqXXqSR751LJVfzLvMR63wciHUg9EL7XCh33saM841h"}),
            ed25519(),
        ),
        made(
            Suite::EddsaJcs2022,
            &v2,
            json!({
                "@context": v2,
                "proofValue": "z5JwmdTxYRtyEDQADFD171kUuVrP5GYB3aJ79tLetL4tCGE8iQFLBB5LkN7DB7tPn7EuVh8Lt7uuLGTsBynbHFVwi",
            }),
            ed25519(),
        ),
        made(
            Suite::EcdsaRdfc2019,
            &v2,
            json!({"proofValue": "z4wm8pLM1aUYfa4Kghx9b7HvUhtLEm7BLCXfpjMN5UA1tpEVs3yR1ciihVfsDajSHjFqrLTPkFwMKX6kcCb6RzF3w"}),
            p256(),
        ),
        made(
            Suite::Eddsa2022,
            &v2,
            json!({"proofValue": "z5z99bATZwpgshkYKTvbRjpADb9Rdf7BBweotYv7Mtjpogt4wCQydiznyxSGbkfkVWoPUi7u52yfNAeSogn3ffMXP"}),
            ed25519(),
        ),
        made(
            Suite::Ed25519Signature2020,
            &json!([CREDENTIALS_V2, ED25519_2020]),
            json!({
                "type": "Ed25519Signature2020",
                "proofPurpose": "authentication",
                "challenge": "c",
                "domain": "d.example",
                "proofValue": "z2mKKbk65hNink8Cg5bYE2zAzovro59XnxLqDTr6bmVmNipr7mjKhdbeAA3ziMMzG5nGp3QhoevXMsuQ1Jia28nvq",
            }),
            ed25519(),
        ),
    ]
}

#[test]
fn what_others_sign_with_each_suite_is_good() {
    let all = by_npm();
    assert!(all.iter().map(|(suite, ..)| *suite).eq(Suite::ALL));
    for (suite, signed, key) in all {
        let proof = only(&signed).unwrap();
        assert_eq!(proof.suite, suite);
        let purpose = match proof.purpose {
            "authentication" => Relationship::Authentication,
            _ => PURPOSE,
        };
        let expected = match suite.transformation() {
            Transformation::Statements => good(),
            Transformation::Json => Verified::Json,
        };
        let verdict = verify(&signed, &proof, purpose, &key, Timestamp::EPOCH);
        assert_eq!(verdict, Ok(expected), "{suite}");
        for (place, value) in [
            ("/issuer", "https://evil.example/profile"),
            ("/credentialSubject/id", "https://evil.example/profile"),
            ("/proof/created", "2026-01-01T00:00:01Z"),
            (
                "/proof/verificationMethod",
                "https://a.example/profile#key-2",
            ),
        ] {
            let mut changed = signed.clone();
            *changed.pointer_mut(place).unwrap() = json!(value);
            let proof = only(&changed).unwrap();
            let verdict = verify(&changed, &proof, purpose, &key, Timestamp::EPOCH);
            let bad = matches!(verdict, Err(ProofError::Signature { .. }));
            assert!(bad, "{suite}, {place}: {verdict:?}");
        }
    }
}

/// Ed25519 leaves one possible signature.
#[test]
fn our_proofs_are_theirs_to_the_last_letter() {
    for (suite, signed, _) in by_npm() {
        let options = ProofOptions { suite, ..options() };
        let document = without_proof(&signed).unwrap();
        match sign(&document, &options, &key()) {
            Ok(ours) => assert_eq!(ours["proof"], signed["proof"], "{suite}"),
            Err(refused) => assert_eq!(refused, ProofError::ReadOnly(suite)),
        }
    }
}

#[test]
fn the_older_data_model_with_the_older_proof_is_read() {
    let v1 = "https://www.w3.org/2018/credentials/v1";
    let proof = json!({
        "type": "Ed25519Signature2020",
        "proofValue": "zc74doFaFu7z5wqgKnW1nhCuPu3qPJ2ArQm7DyJ2GozMD7pjfx8vn91H7qxyKmn8LdqQX2hcEPD1zUMptBe1xKbH",
    });
    let mut signed = signed_by_others(json!([v1, ED25519_2020]), proof);
    signed["issuanceDate"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(verify_all(&signed, Timestamp::EPOCH), [Ok(good())]);
    // Without its context the type of the proof means nothing, and nothing of it is signed.
    signed["@context"] = json!([v1]);
    let refused = verify_all(&signed, Timestamp::EPOCH).remove(0);
    let part = Part::Proof;
    assert!(
        matches!(&refused, Err(ProofError::JsonLd { part: p, .. }) if *p == part),
        "{refused:?}"
    );
}

#[test]
fn the_kind_of_key_is_the_suites() {
    for (suite, signed, _) in by_npm() {
        let other = match suite.key_kind() {
            KeyKind::Ed25519 => p256(),
            KeyKind::P256 | KeyKind::Rsa => key().public().into(),
        };
        let proof = only(&signed).unwrap();
        let purpose = match proof.purpose {
            "authentication" => Relationship::Authentication,
            _ => PURPOSE,
        };
        // Told before any work.
        let mut work = Work::units(0);
        let mut prepared = Prepared::of(&signed).unwrap();
        let refused = prepared.verify(&proof, purpose, &other, Timestamp::EPOCH, &mut work);
        let expected = ProofError::KeyKind {
            place: "/proof".to_owned(),
            suite,
            found: other.kind(),
        };
        assert_eq!(refused, Err(expected));
    }
}

#[test]
fn signatures_on_p_384_are_told_to_be_so() {
    let value = "zS5SCLfegcJTKUgswa5UenUCh6NZScRVQXL71YsLjLn1ptLrBAzZAQU8LsikkfNAXRqzpnPyH6ThpjeH7mwMu6wSSJ33az5AZkSzZWBKd3a212T6NMxFmQphpxHfNA5iDsgU";
    let proof = json!({"cryptosuite": "ecdsa-rdfc-2019", "proofValue": value});
    let signed = signed_by_others(json!([CREDENTIALS_V2]), proof);
    let refused = only(&signed).unwrap_err().to_string();
    assert!(refused.contains("P-384 is not read"), "{refused}");
    let key = "z82LkvBb9ECdqCdPgDa1M1Usu2kkfwbWdXk5a4cALVgfeLXWqHcp6PPeARJdRQEhnYHFaZF";
    let refused = VerifyingKey::from_multikey(key).unwrap_err().to_string();
    assert!(refused.contains("P-384"), "{refused}");
}

#[test]
fn a_proof_is_good_for_its_purpose_alone() {
    let present = ProofOptions {
        purpose: Relationship::Authentication,
        challenge: Some("c-1".to_owned()),
        domain: vec!["jobs.example".to_owned(), "work.example".to_owned()],
        ..options()
    };
    for suite in [Suite::EddsaRdfc2022, Suite::EddsaJcs2022] {
        let present = ProofOptions {
            suite,
            ..present.clone()
        };
        let signed = sign(&endorsement(), &present, &key()).unwrap();
        let proof = only(&signed).unwrap();
        assert_eq!(proof.challenge, Some("c-1"));
        assert_eq!(proof.domain, ["jobs.example", "work.example"]);
        let verdict = |purpose| {
            let key = key().public().into();
            verify(&signed, &proof, purpose, &key, Timestamp::EPOCH)
        };
        assert!(verdict(Relationship::Authentication).is_ok());
        let expected = ProofError::Purpose {
            place: "/proof".to_owned(),
            expected: PURPOSE,
            found: "authentication".to_owned(),
        };
        assert_eq!(verdict(PURPOSE), Err(expected));
        let mut changed = signed.clone();
        changed["proof"]["challenge"] = json!("c-2");
        let proof = only(&changed).unwrap();
        let key = key().public().into();
        let purpose = Relationship::Authentication;
        let verdict = verify(&changed, &proof, purpose, &key, Timestamp::EPOCH);
        assert!(matches!(verdict, Err(ProofError::Signature { .. })));
    }
}

#[test]
fn suites_that_are_only_read_are_not_made() {
    for suite in Suite::ALL {
        let options = ProofOptions { suite, ..options() };
        let made = sign(&endorsement(), &options, &key());
        match suite {
            Suite::EddsaRdfc2022 | Suite::EddsaJcs2022 => assert!(made.is_ok(), "{suite}"),
            _ => assert_eq!(made, Err(ProofError::ReadOnly(suite))),
        }
    }
}

#[test]
fn a_proof_over_statements_may_repeat_the_contexts_and_no_others() {
    let mut document = endorsement();
    document["@context"] = json!([CREDENTIALS_V2]);
    for member in ["credentialSubject", "issuer"] {
        document[member] = document[member]["id"].clone();
    }
    document["type"] = json!(["VerifiableCredential"]);
    let mut signed = sign(&document, &options(), &key()).unwrap();
    for same in [json!([CREDENTIALS_V2]), json!(CREDENTIALS_V2)] {
        signed["proof"]["@context"] = same;
        assert_eq!(verify_all(&signed, Timestamp::EPOCH), [Ok(good())]);
    }
    for other in [
        json!([]),
        json!([CREDENTIALS_V2, OPEN_BADGES]),
        json!({"x": "urn:x"}),
    ] {
        signed["proof"]["@context"] = other;
        let refused = verify_all(&signed, Timestamp::EPOCH).remove(0);
        assert!(
            matches!(refused, Err(ProofError::Context { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn members_of_a_proof_are_read_strictly() {
    let signed = sign(&endorsement(), &options(), &key()).unwrap();
    for (member, value) in [
        ("id", json!(7)),
        ("id", json!("proof-1")),
        ("id", json!("_:proof")),
        ("challenge", json!(["c"])),
        ("domain", json!([])),
        ("domain", json!([7])),
        ("previousProof", json!([])),
        ("previousProof", json!({"id": "urn:x"})),
        ("previousProof", json!(["urn:x", 7])),
        ("proofPurpose", json!(["assertionMethod"])),
        ("proofPurpose", json!("")),
        ("type", json!("Ed25519Signature2018")),
    ] {
        let mut changed = signed.clone();
        changed["proof"][member] = value.clone();
        let refused = only(&changed).unwrap_err();
        let named = matches!(&refused, ProofError::Member { member: m, .. } if *m == member);
        assert!(named, "{member} {value}: {refused}");
    }
}

#[test]
fn json_that_readers_round_is_neither_signed_nor_verified() {
    let jcs = ProofOptions {
        suite: Suite::EddsaJcs2022,
        ..options()
    };
    let mut document = endorsement();
    document["credentialSubject"]["count"] = json!(9_007_199_254_740_993_u64);
    document["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "count": "https://a.example/terms#count" }));
    assert!(sign(&document, &jcs, &key()).is_err());
    let mut signed = sign(&endorsement(), &jcs, &key()).unwrap();
    signed["credentialSubject"]["count"] = json!(9_007_199_254_740_993_u64);
    let refused = verify_all(&signed, Timestamp::EPOCH).remove(0);
    let Err(ProofError::Json { part, reason }) = refused else {
        panic!("{refused:?}");
    };
    let place = "/credentialSubject/count";
    assert_eq!((part, reason.pointer()), (Part::Document, place));
}
