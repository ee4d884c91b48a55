//! Endorsements and credentials within a credential.

use super::*;

const ACHIEVEMENT: &str = "https://college.example/achievements/welding";

fn college() -> Actor {
    Actor::did_key(1)
}

fn board() -> Actor {
    Actor::did_key(2)
}

/// The report on the college's badge with endorsements of the issuer.
fn report(world: &World, endorsements: &[Value]) -> Report {
    let mut badge = college().badge();
    badge["issuer"]["endorsement"] = json!(endorsements);
    let report = world.verify(&college().sign(&badge));
    assert_eq!(
        (report.verified, report.outcome),
        (true, Outcome::Active),
        "{report:?}"
    );
    assert_eq!(problems(&report), [], "an endorsement makes no badge worse");
    report
}

fn first(world: &World, endorsement: Value) -> (&'static str, &'static str) {
    let report = report(world, &[endorsement]);
    let check = report.endorsements().next().unwrap();
    assert_eq!(check.path(), "issuer.endorsement[0]");
    (check.outcome.as_str(), check.code.as_str())
}

#[test]
fn endorsements_are_reported_one_by_one_wherever_they_hang() {
    let mut badge = college().badge();
    let id = badge["id"].as_str().unwrap().to_owned();
    badge["endorsement"] = json!([board().endorse(&id)]);
    badge["issuer"]["endorsement"] = json!([
        board().endorse(&college().id),
        Actor::did_key(3).endorse(&college().id)
    ]);
    badge["issuer"]["parentOrg"] = json!({
        "id": "did:example:university", "type": ["Profile"],
        "endorsement": [board().endorse("did:example:university")],
    });
    badge["credentialSubject"]["achievement"]["endorsement"] =
        json!([board().endorse(ACHIEVEMENT)]);
    let report = World::default().verify(&college().sign(&badge));
    assert_eq!(report.outcome, Outcome::Active);
    let endorsed = |path: &str| (path.to_owned(), "active", "endorsed");
    assert_eq!(
        wholes(&report),
        [
            endorsed("issuer.endorsement[0]"),
            endorsed("issuer.endorsement[1]"),
            endorsed("issuer.parentOrg.endorsement[0]"),
            endorsed("credentialSubject.achievement.endorsement[0]"),
            endorsed("endorsement[0]"),
        ]
    );
    let whole = report.endorsements().next().unwrap().of.as_ref().unwrap();
    assert_eq!(
        (whole.verified, whole.issuer.as_deref()),
        (true, Some(&*board().id))
    );
    let inner = report
        .checks
        .iter()
        .find(|check| check.path() == "endorsement[0].proof")
        .unwrap();
    assert_eq!(inner.code, Code::ProofGood);
    let json = Value::Object(report.to_json());
    let found = json["report"]["checks"].as_array().unwrap().iter();
    let found = found.filter(|check| check["kind"] == "endorsement").count();
    assert_eq!(found, 5);
}

#[test]
fn a_bad_endorsement_is_told_and_the_badge_stays_good() {
    let world = World::default();
    let good = board().endorse(&college().id);
    assert_eq!(first(&world, good.clone()), ("active", "endorsed"));
    let mut forged = good.clone();
    forged["name"] = json!("Praised");
    assert_eq!(first(&world, forged), ("unknown", "signature-bad"));
    let mut unsigned = good;
    unsigned.as_object_mut().unwrap().shift_remove("proof");
    assert_eq!(first(&world, unsigned), ("unknown", "no-proof"));
    let by_another = Actor::did_key(66).sign(&board().endorsement(&college().id));
    assert_eq!(first(&world, by_another), ("unknown", "key-of-another"));
    let nowhere = Actor::named("did:web:board.example", 2).endorse(&college().id);
    assert_eq!(
        first(&world, nowhere),
        ("unreachable", "key-document-not-found")
    );
}

#[test]
fn an_endorsement_stands_as_any_credential_does() {
    let url = "https://board.example/lists/1";
    let world = World::default().with_list(url, &board(), "revocation", &[7]);
    let mut endorsement = board().endorsement(&college().id);
    for (index, expected) in [(7, ("revoked", "revoked")), (8, ("active", "endorsed"))] {
        endorsement["credentialStatus"] = statuses::entry(url, "revocation", index);
        assert_eq!(first(&world, board().sign(&endorsement)), expected);
    }
    assert_eq!(
        first(&World::default(), board().sign(&endorsement)).0,
        "unreachable"
    );
    endorsement["validUntil"] = json!("2026-02-01T00:00:00Z");
    assert_eq!(
        first(&world, board().sign(&endorsement)),
        ("expired", "expired")
    );
}

#[test]
fn nobody_supports_themselves() {
    let own = college().endorse(&college().id);
    assert_eq!(
        first(&World::default(), own),
        ("not-endorsed", "self-endorsement")
    );
    let mut badge = college().badge();
    badge["credentialSubject"]["achievement"]["endorsement"] =
        json!([college().endorse(ACHIEVEMENT), board().endorse(ACHIEVEMENT)]);
    let report = World::default().verify(&college().sign(&badge));
    let outcomes: Vec<&str> = report
        .endorsements()
        .map(|check| check.outcome.as_str())
        .collect();
    assert_eq!(outcomes, ["not-endorsed", "active"]);
}

#[test]
fn naming_another_creator_makes_no_other_endorser() {
    let mut badge = college().badge();
    let achievement = &mut badge["credentialSubject"]["achievement"];
    achievement["creator"] = json!({"id": "did:example:another", "type": ["Profile"]});
    achievement["endorsement"] =
        json!([college().endorse(ACHIEVEMENT), board().endorse(ACHIEVEMENT)]);
    let report = World::default().verify(&college().sign(&badge));
    let codes: Vec<&str> = report
        .endorsements()
        .map(|check| check.code.as_str())
        .collect();
    assert_eq!(codes, ["self-endorsement", "endorsed"]);
}

#[test]
fn an_endorsement_of_something_else_is_none_of_this() {
    let elsewhere = board().endorse("did:example:another");
    assert_eq!(
        first(&World::default(), elsewhere),
        ("unknown", "wrong-subject")
    );
    let mut two = board().endorsement(&college().id);
    two["credentialSubject"] = json!([
        {"id": college().id, "type": ["EndorsementSubject"]},
        {"id": "did:example:another", "type": ["EndorsementSubject"]},
    ]);
    assert_eq!(
        first(&World::default(), board().sign(&two)),
        ("unknown", "wrong-subject")
    );
    // A thing without an id cannot be what is meant.
    let mut badge = college().badge();
    badge.as_object_mut().unwrap().shift_remove("id");
    badge["endorsement"] = json!([board().endorse("https://college.example/badges/1")]);
    let report = World::default().verify(&college().sign(&badge));
    assert_eq!(
        wholes(&report),
        [("endorsement[0]".to_owned(), "unknown", "wrong-subject")]
    );
}

#[test]
fn what_is_no_endorsement_does_not_pass_for_one() {
    let mut badge = board().badge();
    badge["id"] = json!("https://board.example/badges/1");
    assert_eq!(
        first(&World::default(), board().sign(&badge)),
        ("unknown", "not-an-endorsement")
    );
    let mut untyped = board().endorsement(&college().id);
    untyped["credentialSubject"]["type"] = json!(["Profile"]);
    assert_eq!(
        first(&World::default(), board().sign(&untyped)),
        ("unknown", "malformed")
    );
}

#[test]
fn an_endorsement_may_be_a_jwt_and_is_checked_by_itself() {
    let good = board().endorse_as_jwt(&college().id);
    let of_another = board().endorse_as_jwt("https://other.example");
    let (start, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{start}.{}", "A".repeat(86));
    let nonsense = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJhIn0.c2ln".to_owned();
    for (jwt, outcome, code) in [
        (good, "active", "endorsed"),
        (of_another, "unknown", "wrong-subject"),
        (forged, "unknown", "signature-bad"),
        (nonsense, "unknown", "jwt-header"),
    ] {
        let mut badge = college().badge();
        badge["issuer"]["endorsementJwt"] = json!([jwt]);
        let report = World::default().verify(&college().sign(&badge));
        assert_eq!((report.verified, report.outcome), (true, Outcome::Active));
        let path = "issuer.endorsementJwt[0]".to_owned();
        assert_eq!(wholes(&report), [(path, outcome, code)]);
    }
}

#[test]
fn endorsers_may_be_endorsed_but_not_for_ever() {
    let mut inner: Option<Value> = None;
    // Each endorses the one before and carries an endorsement of itself.
    for seed in (10..17).rev() {
        let (endorser, endorsed) = (Actor::did_key(seed), Actor::did_key(seed - 1));
        let subject = if seed == 10 {
            college().id
        } else {
            endorsed.id
        };
        let mut endorsement = endorser.endorsement(&subject);
        if let Some(inner) = inner {
            endorsement["issuer"]["endorsement"] = json!([inner]);
        }
        inner = Some(endorser.sign(&endorsement));
    }
    let report = report(&World::default(), &[inner.unwrap()]);
    let codes: Vec<(usize, &str)> = wholes(&report)
        .iter()
        .map(|(path, _, code)| (path.matches("endorsement[0]").count(), *code))
        .collect();
    let expected = [
        (1, "endorsed"),
        (2, "endorsed"),
        (3, "endorsed"),
        (4, "endorsed"),
        (5, "not-looked-at"),
    ];
    assert_eq!(codes, expected);
}

#[test]
fn there_is_an_end_to_endorsements() {
    let mut badge = college().badge();
    badge["issuer"]["endorsementJwt"] = json!(vec!["a.b.c"; 600]);
    let signed = college().sign(&badge);
    let report = World::default().verify(&signed);
    assert_eq!(report.outcome, Outcome::Active);
    let last = report.endorsements().last().unwrap();
    assert_eq!(report.endorsements().count(), 129);
    assert_eq!(
        (last.path().as_str(), last.code),
        ("issuer.endorsementJwt[128]", Code::NotLookedAt)
    );
}

#[test]
fn there_is_an_end_to_work() {
    // Eight proofs each, all by the right key and none over this document.
    let mut forged = board().endorse(&college().id);
    let proof = forged["proof"].take();
    forged["name"] = json!("Praised");
    forged["proof"] = json!(vec![proof; 8]);
    let mut endorsements = vec![forged; 100];
    endorsements.push(board().endorse(&college().id));
    let report = report(&World::default(), &endorsements);
    let codes: Vec<&str> = report.endorsements().map(|one| one.code.as_str()).collect();
    assert_eq!((codes[0], codes[99]), ("signature-bad", "too-many"));
    let last = report.endorsements().last().unwrap();
    assert_eq!(
        (last.outcome, last.code),
        (Outcome::Unknown, Code::TooMany),
        "what nobody looked at is not known"
    );
}

#[test]
fn what_is_not_compared_is_told() {
    let mut badge = college().badge();
    badge["credentialSchema"] = json!([{
        "id": "https://college.example/schemas/badge.json",
        "type": "JsonSchema",
    }]);
    let mut endorsement = board().endorsement(&college().id);
    endorsement["relatedResource"] = json!([{"id": college().id, "digestSRI": "sha256-x"}]);
    badge["issuer"]["endorsement"] = json!([board().sign(&endorsement)]);
    let report = World::default().verify(&college().sign(&badge));
    assert_eq!(report.outcome, Outcome::Active);
    let references: Vec<(String, &str)> = report
        .checks
        .iter()
        .filter(|check| check.kind == CheckKind::Reference)
        .map(|check| (check.path(), check.code.as_str()))
        .collect();
    assert_eq!(
        references,
        [
            ("credentialSchema[0]".to_owned(), "schema-not-checked"),
            (
                "issuer.endorsement[0].relatedResource[0]".to_owned(),
                "digest-not-checked"
            ),
        ]
    );
}
