//! Presentations: signed by their holder, for whoever asked.

use super::*;
use crate::jsonld::canon::Variant;
use crate::vc::contexts::{Revision, processor};
use crate::vc::jws::{self, NewHeader};
use crate::vc::jwt::Envelope;
use crate::vc::multibase::encode_base58btc;
use crate::vc::proof::HashData;

const ASKED: Expected<'_> = Expected {
    challenge: Some("c-1"),
    domain: Some("jobs.example"),
};

fn learner() -> Actor {
    Actor::named("did:web:learner.example", 5)
}

fn presentation(credentials: &[Value]) -> Value {
    json!({
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "holder": learner().id,
        "verifiableCredential": credentials,
    })
}

/// Signs as a wallet does.
fn present(holder: &Actor, presentation: Value) -> Value {
    present_until(holder, presentation, "2026-07-01T00:00:00Z")
}

fn present_until(holder: &Actor, mut presentation: Value, expires: &str) -> Value {
    let mut proof = json!({
        "expires": expires,
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-05-31T00:00:00Z",
        "verificationMethod": holder.method,
        "proofPurpose": "authentication",
        "challenge": "c-1",
        "domain": "jobs.example",
    });
    let processor = processor(Revision::Mid2026);
    let options = proof.as_object().unwrap();
    let data = HashData::rdfc(processor, &presentation, options, Variant::Listed).unwrap();
    proof["proofValue"] = json!(encode_base58btc(&holder.key.sign(&data.combined())));
    presentation["proof"] = proof;
    presentation
}

fn verify(presentation: &Value, expected: Expected<'_>) -> PresentationReport {
    let world = World::default().with(&learner());
    verify_presentation(presentation, &world, expecting(expected), now())
}

fn expecting(expected: Expected<'_>) -> Options<'_> {
    Options {
        expected,
        ..Options::default()
    }
}

fn codes(report: &PresentationReport) -> Vec<&str> {
    report
        .problems
        .iter()
        .map(|problem| problem.code.as_str())
        .collect()
}

#[test]
fn a_holder_presents_what_others_issued() {
    let college = Actor::did_key(1);
    let signed = present(&learner(), presentation(&[college.sign(&college.badge())]));
    let report = verify(&signed, ASKED);
    assert_eq!(
        (report.verified, report.outcome),
        (true, Outcome::Active),
        "{report:?}"
    );
    assert_eq!(report.holder.as_deref(), Some("did:web:learner.example"));
    let answer = Value::Object(report.to_json(ASKED));
    assert_eq!(answer["verified"], true);
    assert_eq!(answer["results"]["credentials"][0]["outcome"], "active");
    let challenge = json!({"verified": true, "input": "c-1"});
    assert_eq!(answer["results"]["presentation"]["challenge"], challenge);
    let paths: Vec<String> = report.checks.iter().map(Check::path).collect();
    assert!(
        paths.contains(&"verifiableCredential[0].proof".to_owned()),
        "{paths:?}"
    );
}

#[test]
fn a_presentation_is_as_good_as_what_is_in_it() {
    let college = Actor::did_key(1);
    let good = college.sign(&college.badge());
    let mut expired = college.badge();
    expired["validUntil"] = json!("2026-02-01T00:00:00Z");
    let signed = present(
        &learner(),
        presentation(&[good.clone(), college.sign(&expired)]),
    );
    let report = verify(&signed, ASKED);
    assert_eq!((report.verified, report.outcome), (true, Outcome::Expired));

    let mut forged = good.clone();
    forged["name"] = json!("Flying");
    let signed = present(&learner(), presentation(&[good, forged]));
    let report = verify(&signed, ASKED);
    assert!(report.presented);
    assert_eq!((report.verified, report.outcome), (false, Outcome::Unknown));
    let enveloped = json!({
        "@context": CREDENTIALS_V2,
        "id": "data:application/vc+jwt,a.b.c",
        "type": "EnvelopedVerifiableCredential",
    });
    let report = verify(&present(&learner(), presentation(&[enveloped])), ASKED);
    assert_eq!((report.verified, report.outcome), (false, Outcome::Unknown));
    assert_eq!(
        problems(&report.credentials[0]),
        [("jwt-malformed", "/verifiableCredential/0")]
    );
}

#[test]
fn it_answers_who_asked_and_nobody_else() {
    let signed = present(&learner(), presentation(&[]));
    let with = |challenge, domain| verify(&signed, Expected { challenge, domain });
    assert!(with(None, None).verified);
    assert!(with(Some("c-1"), None).verified);
    assert_eq!(codes(&with(Some("c-2"), None)), ["challenge-mismatch"]);
    assert_eq!(
        codes(&with(Some("c-1"), Some("other.example"))),
        ["domain-mismatch"]
    );
    let mut replayed = signed.clone();
    replayed["proof"]["challenge"] = json!("c-2");
    let asked = Expected {
        challenge: Some("c-2"),
        domain: None,
    };
    let report = verify(&replayed, asked);
    assert_eq!(codes(&report), ["signature-bad"]);
    assert_eq!((report.verified, report.outcome), (false, Outcome::Unknown));
    let types = Value::Object(with(Some("c-2"), None).to_json(ASKED));
    let expected = "https://w3id.org/security#INVALID_CHALLENGE_ERROR";
    assert_eq!(types["problemDetails"][0]["type"], expected);
}

#[test]
fn it_is_the_holders_own() {
    let thief = Actor::did_key(66);
    let stolen = present(&thief, presentation(&[]));
    assert_eq!(codes(&verify(&stolen, ASKED)), ["key-of-another"]);
    let mut nameless = presentation(&[]);
    nameless.as_object_mut().unwrap().shift_remove("holder");
    assert!(verify(&present(&thief, nameless), ASKED).verified);
    // A proof for a credential does not present.
    let asserted = learner().sign(&presentation(&[]));
    assert_eq!(
        codes(&verify(&asserted, Expected::default())),
        ["proof-purpose"]
    );
    assert_eq!(codes(&verify(&presentation(&[]), ASKED)), ["no-proof"]);
    let mut smuggled = present(&learner(), presentation(&[]));
    smuggled["grade"] = json!("A");
    assert_eq!(codes(&verify(&smuggled, ASKED)), ["not-signable"]);
}

#[test]
fn its_proof_and_its_key_have_to_be_in_force() {
    let late = present_until(&learner(), presentation(&[]), "2026-06-01T00:00:00Z");
    assert_eq!(codes(&verify(&late, ASKED)), ["proof-expired"]);
    let signed = present(&learner(), presentation(&[]));
    for (member, code) in [
        ("authentication", "key-purpose"),
        ("verificationMethod", "key-missing"),
    ] {
        let mut document = learner().document();
        document[member] = json!([]);
        let mut world = World::default();
        world.documents.insert(learner().id, Ok(document));
        let report = verify_presentation(&signed, &world, expecting(ASKED), now());
        assert_eq!(codes(&report), [code]);
        assert_eq!((report.verified, report.outcome), (false, Outcome::Unknown));
    }
    let report = verify_presentation(&signed, &World::default(), expecting(ASKED), now());
    assert_eq!(
        (report.verified, report.outcome),
        (false, Outcome::Unreachable)
    );
    for (member, value, code) in [
        ("type", json!("Ed25519Signature2018"), "proof-unsupported"),
        ("previousProof", json!("urn:a"), "proof-chain"),
        ("created", json!("once"), "proof-malformed"),
        ("proofValue", json!("z2"), "proof-malformed"),
        ("verificationMethod", json!({}), "proof-malformed"),
    ] {
        let mut forged = signed.clone();
        forged["proof"][member] = value;
        assert_eq!(codes(&verify(&forged, ASKED)), [code], "{member}");
    }
}

#[test]
fn a_presentation_as_a_jwt_is_good_in_its_own_period_only() {
    let college = Actor::did_key(1);
    let badge = sign_credential(&college.badge(), &college.method, &college.key).unwrap();
    let mut payload = presentation(&[Envelope::Credential.wrap(&badge)]);
    let moment = |text: &str| json!(at(text).seconds());
    payload["nbf"] = moment("2026-05-31T00:00:00Z");
    payload["exp"] = moment("2026-06-02T00:00:00Z");
    let (holder, typ) = (learner(), "vp+jwt");
    let header = NewHeader {
        typ,
        kid: &holder.method,
    };
    let jwt = json!(jws::sign(
        header,
        payload.to_string().as_bytes(),
        &holder.key
    ));
    for (now, outcome, expected) in [
        (
            "2026-05-30T00:00:00Z",
            Outcome::NotYetValid,
            "not-yet-valid",
        ),
        ("2026-06-01T00:00:00Z", Outcome::Active, ""),
        ("2026-06-02T00:00:00Z", Outcome::Expired, "expired"),
    ] {
        let world = World::default().with(&holder);
        let report = verify_presentation(&jwt, &world, Options::default(), at(now));
        assert_eq!((report.verified, report.outcome), (true, outcome), "{now}");
        assert_eq!(report.credentials[0].outcome, Outcome::Active, "{now}");
        assert_eq!(codes(&report).concat(), expected, "{now}");
    }
}

#[test]
fn what_is_no_presentation_is_told_so() {
    let signed = present(&learner(), presentation(&[]));
    for (member, value) in [
        ("@context", json!([OPEN_BADGES])),
        ("type", json!("VerifiableCredential")),
        ("holder", json!("me")),
    ] {
        let mut forged = signed.clone();
        forged[member] = value;
        let report = verify(&forged, ASKED);
        assert_eq!(codes(&report), ["malformed"], "{member}");
        assert_eq!((report.verified, report.outcome), (false, Outcome::Unknown));
    }
}

#[test]
fn there_is_an_end_to_credentials() {
    let signed = present(&learner(), presentation(&[]));
    let mut many = signed;
    many["verifiableCredential"] = json!(vec![json!({}); 129]);
    assert_eq!(codes(&verify(&many, ASKED)), ["malformed"]);
    // What they embed is counted with them.
    let college = Actor::did_key(1);
    let mut badge = college.badge();
    badge["issuer"]["endorsementJwt"] = json!(["a.b.c", "a.b.c"]);
    let mut credentials = vec![college.sign(&badge)];
    credentials.resize(127, json!({}));
    let report = verify(&presentation(&credentials), ASKED);
    let found: Vec<Code> = report.credentials[0]
        .endorsements()
        .map(|check| check.code)
        .collect();
    assert_eq!(found, [Code::JwtMalformed, Code::NotLookedAt]);
}
