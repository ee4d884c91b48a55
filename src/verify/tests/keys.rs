//! Each way in which a key does not count has a code of its own.

use super::*;

fn college() -> Actor {
    Actor::named("did:web:college.example", 1)
}

/// The report where the controller document is this.
fn found(document: Result<Value, Unresolved>) -> Report {
    let college = college();
    let mut world = World::default();
    world.documents.insert(college.id.clone(), document);
    let report = world.verify(&college.sign(&college.badge()));
    assert_ne!(report.outcome, Outcome::Active);
    assert!(!report.verified);
    report
}

#[test]
fn a_document_that_cannot_be_had_is_unreachable() {
    for (reason, outcome, code) in [
        (
            Unresolved::NotFound,
            Outcome::Unreachable,
            "key-document-not-found",
        ),
        (
            Unresolved::Refused,
            Outcome::Unreachable,
            "key-document-refused",
        ),
        (
            Unresolved::Unreachable("no route".into()),
            Outcome::Unreachable,
            "key-document-unreachable",
        ),
        (
            Unresolved::Malformed("HTML".into()),
            Outcome::Unknown,
            "key-document-malformed",
        ),
    ] {
        let report = found(Err(reason));
        assert_eq!(report.outcome, outcome, "{code}");
        assert_eq!(problems(&report), [(code, "/proof/verificationMethod")]);
    }
}

#[test]
fn a_document_that_nobody_reaches_does_not_excuse_a_malformed_credential() {
    let college = college();
    let mut badge = college.sign(&college.badge());
    badge["https://www.w3.org/2018/credentials#validUntil"] = json!("2027-01-01T00:00:00Z");
    let world = World::default();
    assert_eq!(world.verify(&badge).outcome, Outcome::Unknown);
    assert_eq!(world.asked(), [""; 0]);
}

#[test]
fn each_step_of_retrieval_can_fail() {
    let document = college().document();
    let other = college().key.public().to_jwk();
    let with = |pointer: &str, value: Value| {
        let mut document = document.clone();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[member] = value;
        document
    };
    let method = "/verificationMethod/0";
    for (document, code) in [
        (
            with("/id", json!("did:web:other.example")),
            "key-document-id",
        ),
        (with("/verificationMethod", json!([])), "key-missing"),
        (
            with(
                &format!("{method}/id"),
                json!("did:web:other.example#key-1"),
            ),
            "key-method-id",
        ),
        (
            with(
                &format!("{method}/controller"),
                json!("did:web:other.example"),
            ),
            "key-controller",
        ),
        (
            with(&format!("{method}/expires"), json!("2026-03-01T00:00:00Z")),
            "key-expired",
        ),
        (
            with(&format!("{method}/revoked"), json!("2026-03-01T00:00:00Z")),
            "key-revoked",
        ),
        (
            with(&format!("{method}/revoked"), json!("soon")),
            "key-date",
        ),
        (
            with(&format!("{method}/type"), json!("RsaVerificationKey2018")),
            "key-unsupported",
        ),
        (
            with(&format!("{method}/publicKeyMultibase"), json!("z6Mk")),
            "key-malformed",
        ),
        (with("/assertionMethod", json!([])), "key-purpose"),
        (
            with(
                "/authentication",
                json!([{"id": "#key-1", "publicKeyJwk": other}]),
            ),
            "key-ambiguous",
        ),
    ] {
        let report = found(Ok(document));
        assert_eq!(problems(&report), [(code, "/proof/verificationMethod")]);
        assert_eq!(report.outcome, Outcome::Unknown, "{code}");
    }
}

#[test]
fn a_key_in_itself_is_read_strictly() {
    let college = Actor::did_key(1);
    let mut badge = college.badge();
    for (did, code) in [
        ("did:key:z6MkNotAKey", "key-malformed"),
        (
            "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
            "key-malformed",
        ),
    ] {
        badge["issuer"]["id"] = json!(did);
        let forged = college.sign_as(&format!("{did}#key"), &badge);
        let report = World::default().verify(&forged);
        assert_eq!(
            problems(&report),
            [(code, "/proof/verificationMethod")],
            "{did}"
        );
    }
    // The right key under another fragment.
    let forged = college.sign_as(&format!("{}#key-1", college.id), &college.badge());
    let report = World::default().verify(&forged);
    assert_eq!(
        problems(&report),
        [("key-missing", "/proof/verificationMethod")]
    );
}
