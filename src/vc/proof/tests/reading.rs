//! Documents that were signed as JSON, as readers of JSON-LD take them.

use super::*;
use crate::jsonld::Error;
use crate::vc::members::MemberError;

/// The endorsement, changed, and signed by somebody who does not look.
fn signed_as_json(change: impl Fn(&mut Value)) -> Value {
    let mut document = endorsement();
    change(&mut document);
    let options = ProofOptions {
        suite: Suite::EddsaJcs2022,
        ..options()
    };
    let mut proof = options.members(document.get("@context"));
    let data = HashData::jcs(&document, &proof).unwrap();
    let value = multibase::encode_base58btc(&key().sign(&data.combined()));
    proof.insert("proofValue".to_owned(), json!(value));
    document["proof"] = Value::Object(proof);
    document
}

/// What the reading says, of a document whose proof is good.
fn reading(change: impl Fn(&mut Value)) -> Result<(), ProofError> {
    let signed = signed_as_json(change);
    assert_eq!(verify_all(&signed, Timestamp::EPOCH), [Ok(Verified::Json)]);
    check_reading(&signed, &mut Work::default())
}

fn add_context(document: &mut Value, context: Value) {
    let contexts = document["@context"].as_array_mut().unwrap();
    contexts.push(context);
}

#[test]
fn what_no_context_defines_is_signed_as_json() {
    assert_eq!(reading(|_| {}), Ok(()));
    let undefined = |document: &mut Value| {
        document["invented"] = json!({"deep": [1, {"er": null}]});
        document["credentialSubject"]["score"] = json!(0.1);
        document["type"]
            .as_array_mut()
            .unwrap()
            .push(json!("Invented"));
    };
    assert_eq!(reading(undefined), Ok(()));
    let mut changed = signed_as_json(undefined);
    changed["invented"]["deep"][0] = json!(2);
    assert!(verify_all(&changed, Timestamp::EPOCH)[0].is_err());
    // A suite over statements would not cover it, and so refuses it.
    let mut document = endorsement();
    undefined(&mut document);
    assert!(sign(&document, &options(), &key()).is_err());
    let jcs = ProofOptions {
        suite: Suite::EddsaJcs2022,
        ..options()
    };
    assert!(sign(&document, &jcs, &key()).is_err());
}

#[test]
fn a_second_name_for_what_a_verdict_rests_on_is_found() {
    for iri in [
        "https://www.w3.org/2018/credentials#validUntil",
        "https://www.w3.org/2018/credentials#credentialStatus",
        "https://www.w3.org/2018/credentials#issuer",
        "https://www.w3.org/2018/credentials#credentialSubject",
    ] {
        let refused = reading(|document| {
            add_context(document, json!({ "ends": iri }));
            document["ends"] = json!("2026-02-01T00:00:00Z");
        });
        let reason = match refused {
            Err(ProofError::JsonLd { reason, .. }) => reason,
            other => panic!("{iri}: {other:?}"),
        };
        assert!(
            matches!(reason, Error::SecondName { .. }),
            "{iri}: {reason}"
        );
    }
}

#[test]
fn members_that_mean_something_else_than_they_show_are_found() {
    for (member, value) in [
        ("validUntil", Value::Null),
        ("validUntil", json!({ "@value": "2026-02-01T00:00:00Z" })),
        ("credentialStatus", json!([null])),
        ("issuer", json!("profile")),
    ] {
        let refused = reading(|document| document[member] = value.clone());
        assert!(
            matches!(
                refused,
                Err(ProofError::Hidden {
                    reason: MemberError::Differs { .. },
                    ..
                })
            ),
            "{member} {value}: {refused:?}"
        );
    }
    // What another mention of the credential says of it counts as its own.
    let refused = reading(|document| {
        document["issuer"]["parentOrg"] = json!({
            "id": document["id"],
            "type": ["Profile", "VerifiableCredential"],
            "validUntil": "2026-02-01T00:00:00Z",
        });
    });
    assert!(
        matches!(refused, Err(ProofError::Hidden { .. })),
        "{refused:?}"
    );
}

#[test]
fn names_that_no_reader_looks_for_are_refused_by_the_proof_itself() {
    for (member, value) in [
        (
            "https://www.w3.org/2018/credentials#validUntil",
            json!("2026-02-01T00:00:00Z"),
        ),
        (
            "@included",
            json!([{ "id": "https://a.example/credentials/1" }]),
        ),
        ("@type", json!("VerifiableCredential")),
    ] {
        let mut signed = sign(
            &endorsement(),
            &ProofOptions {
                suite: Suite::EddsaJcs2022,
                ..options()
            },
            &key(),
        )
        .unwrap();
        signed[member] = value;
        let refused = verify_all(&signed, Timestamp::EPOCH).remove(0);
        assert!(
            matches!(refused, Err(ProofError::Hidden { .. })),
            "{member}: {refused:?}"
        );
    }
}

#[test]
fn a_context_that_is_not_known_is_named() {
    let unknown = "https://context.example/v1";
    let refused = reading(|document| add_context(document, json!(unknown)));
    assert!(
        matches!(
            &refused,
            Err(ProofError::JsonLd {
                reason: Error::UnknownContext { .. },
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(refused.unwrap_err().to_string().contains(unknown));
}

#[test]
fn either_revision_may_be_the_one_that_was_meant() {
    let first = |document: &mut Value| {
        add_context(document, json!({ "jti": "https://a.example/terms#jti" }));
        document["credentialSubject"]["jti"] = json!("7");
    };
    assert_eq!(reading(first), Ok(()));
}

#[test]
fn reading_costs_work_unless_the_statements_are_known() {
    let signed = signed_as_json(|_| {});
    assert_eq!(
        check_reading(&signed, &mut Work::units(0)),
        Err(ProofError::Spent)
    );
    let both = sign(&signed, &options(), &key()).unwrap();
    let mut prepared = Prepared::of(&both).unwrap();
    let key = key().public().into();
    for proof in proofs(&both) {
        let mut work = Work::default();
        let proof = proof.unwrap();
        assert!(
            prepared
                .verify(&proof, PURPOSE, &key, Timestamp::EPOCH, &mut work)
                .is_ok()
        );
    }
    assert_eq!(prepared.check_reading(&mut Work::units(0)), Ok(()));
}
