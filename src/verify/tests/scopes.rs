//! Embedded endorsements that cover a part of their subject.

use super::*;
use crate::badges::{OpenBadgesError, Scope, scope_context};

fn college() -> Actor {
    Actor::did_key(1)
}

fn board() -> Actor {
    Actor::did_key(2)
}

/// The board's endorsement of `subject`, not yet signed, limited to this.
fn limited(subject: &str, scope: &Value) -> Value {
    let mut endorsement = board().endorsement(subject);
    let scope = Scope::parse(scope).unwrap().to_value();
    endorsement["credentialSubject"]["endorsementScope"] = scope;
    let contexts = endorsement["@context"].as_array_mut().unwrap();
    contexts.push(scope_context());
    endorsement
}

/// A badge by the college for a degree in care, awarded in 2025, not yet signed.
fn badge() -> Value {
    let mut badge = college().badge();
    badge["awardedDate"] = json!("2025-07-01T00:00:00Z");
    let achievement = &mut badge["credentialSubject"]["achievement"];
    achievement["achievementType"] = json!("Degree");
    achievement["tag"] = json!(["care"]);
    badge
}

/// What is said of an endorsement of the issuer, in the college's badge.
fn of_issuer(endorsement: &Value) -> (String, &'static str) {
    let mut badge = badge();
    badge["issuer"]["endorsement"] = json!([endorsement]);
    let report = World::default().verify(&college().sign(&badge));
    assert_eq!(report.outcome, Outcome::Active, "{report:?}");
    let check = report.endorsements().next().unwrap();
    (check.outcome.as_str().to_owned(), check.code.as_str())
}

fn said(outcome: &str, code: &'static str) -> (String, &'static str) {
    (outcome.to_owned(), code)
}

#[test]
fn an_endorsement_counts_for_what_it_covers() {
    let told = |scope: Value| of_issuer(&board().sign(&limited(&college().id, &scope)));
    for covered in [
        json!({"achievementType": ["Degree", "Diploma"], "tag": ["care"]}),
        json!({"awardedFrom": "2025-01-01T00:00:00Z", "role": ["issuer"]}),
        // Where it is to count nobody asked.
        json!({"jurisdiction": ["CH"]}),
    ] {
        assert_eq!(told(covered), said("active", "endorsed"));
    }
    for other in [
        json!({"achievementType": ["Course"]}),
        json!({"tag": ["welding"]}),
        json!({"alignment": ["https://framework.example/care"]}),
        json!({"awardedFrom": "2026-01-01T00:00:00Z"}),
        json!({"role": ["accreditor"]}),
    ] {
        assert_eq!(told(other), said("not-endorsed", "out-of-scope"));
    }
}

#[test]
fn what_the_badge_does_not_say_leaves_it_open() {
    let endorsement = limited(&college().id, &json!({"achievementType": ["Degree"]}));
    let mut badge = badge();
    // Of several subjects none is the one that is meant.
    let subject = badge["credentialSubject"].clone();
    badge["credentialSubject"] = json!([subject, {"id": "did:example:other"}]);
    badge["credentialSubject"][1]["type"] = json!(["AchievementSubject"]);
    badge["credentialSubject"][1]["achievement"] = subject["achievement"].clone();
    badge["issuer"]["endorsement"] = json!([board().sign(&endorsement)]);
    let report = World::default().verify(&college().sign(&badge));
    let check = report.endorsements().next().unwrap();
    assert_eq!(
        (check.outcome, check.code),
        (Outcome::Unknown, Code::OutOfScope)
    );
    // At the achievement there is no doubt which is meant.
    let id = subject["achievement"]["id"].as_str().unwrap();
    let endorsement = limited(id, &json!({"achievementType": ["Degree"]}));
    badge["issuer"]
        .as_object_mut()
        .unwrap()
        .shift_remove("endorsement");
    badge["credentialSubject"][0]["achievement"]["endorsement"] =
        json!([board().sign(&endorsement)]);
    let report = World::default().verify(&college().sign(&badge));
    let check = report.endorsements().next().unwrap();
    assert_eq!(
        (check.outcome, check.code),
        (Outcome::Active, Code::Endorsed)
    );
    let (name, scope) = &check.evidence[0];
    assert_eq!(*name, "scope");
    assert!(
        scope.contains("\"achievementType\":[\"Degree\"]"),
        "{scope}"
    );
}

#[test]
fn a_scope_that_cannot_be_read_covers_nothing() {
    let mut garbled = limited(&college().id, &json!({"tag": ["care"]}));
    let scope = garbled["credentialSubject"]["endorsementScope"].take();
    // Each has a good proof, and reads as one of the whole subject to who looks for an object.
    garbled["credentialSubject"]["endorsementScope"] = json!([scope]);
    assert_eq!(
        of_issuer(&board().sign(&garbled)),
        said("unknown", "scope-malformed")
    );
    let mut arrayed = limited(&college().id, &json!({"tag": ["welding"]}));
    let subject = arrayed["credentialSubject"].clone();
    arrayed["credentialSubject"] = json!([subject]);
    assert_eq!(
        of_issuer(&board().sign(&arrayed)),
        said("not-endorsed", "out-of-scope")
    );
    arrayed["credentialSubject"] = json!([{"id": college().id, "type": ["EndorsementSubject"]}]);
    let subjects = arrayed["credentialSubject"].as_array_mut().unwrap();
    subjects.push(subject);
    let token = sign_credential(&arrayed, &board().method, &board().key);
    let two = of_issuer(&json!(token.unwrap()));
    assert_eq!(two, said("unknown", "hidden-member"));
    let mut foreign = board().endorsement(&college().id);
    foreign["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!({"endorsementScope": "urn:x:scope"}));
    foreign["credentialSubject"]["endorsementScope"] = json!("welding");
    assert_eq!(
        of_issuer(&board().sign(&foreign)),
        said("unknown", "scope-malformed")
    );
}

#[test]
fn what_speaks_against_the_endorsement_comes_first() {
    let mut over = limited(&college().id, &json!({"tag": ["welding"]}));
    over["validUntil"] = json!("2026-02-01T00:00:00Z");
    assert_eq!(of_issuer(&board().sign(&over)), said("expired", "expired"));
    let mut own = limited(&college().id, &json!({"tag": ["welding"]}));
    own["issuer"]["id"] = json!(college().id);
    assert_eq!(
        of_issuer(&college().sign(&own)),
        said("not-endorsed", "self-endorsement")
    );
}

/// An endorser is endorsed as one that endorses.
#[test]
fn who_endorses_needs_the_role_for_it() {
    let university = Actor::did_key(3);
    for (role, expected) in [
        ("accreditor", said("active", "endorsed")),
        ("issuer", said("not-endorsed", "out-of-scope")),
    ] {
        let mut of_board = university.endorsement(&board().id);
        let scope = Scope::parse(&json!({"role": [role]})).unwrap().to_value();
        of_board["credentialSubject"]["endorsementScope"] = scope;
        of_board["@context"]
            .as_array_mut()
            .unwrap()
            .push(scope_context());
        let mut of_college = board().endorsement(&college().id);
        of_college["issuer"]["endorsement"] = json!([university.sign(&of_board)]);
        let mut badge = badge();
        badge["issuer"]["endorsement"] = json!([board().sign(&of_college)]);
        let report = World::default().verify(&college().sign(&badge));
        let inner = report.endorsements().nth(1).unwrap();
        assert_eq!(inner.path(), "issuer.endorsement[0].issuer.endorsement[0]");
        assert_eq!(
            (inner.outcome.as_str().to_owned(), inner.code.as_str()),
            expected
        );
    }
}

#[test]
fn an_endorsement_by_itself_tells_what_it_covers() {
    let told = |endorsement: &Value| {
        let report = World::default().verify(&board().sign(endorsement));
        assert_eq!((report.verified, report.outcome), (true, Outcome::Active));
        let checks = report.checks.into_iter();
        let mut checks = checks.filter(|check| check.kind == CheckKind::Reference);
        checks
            .next()
            .map(|check| (check.path(), check.code, check.detail))
    };
    let place = "credentialSubject.endorsementScope".to_owned();
    let mut endorsement = limited(&college().id, &json!({"tag": ["care"]}));
    let detail = "it covers a part of its subject".to_owned();
    assert_eq!(
        told(&endorsement),
        Some((place.clone(), Code::Limited, detail))
    );
    let contexts = endorsement["@context"].as_array_mut().unwrap();
    contexts.push(json!({"level": "urn:x:level"}));
    let detail = OpenBadgesError::ScopeContext.to_string();
    assert_eq!(
        told(&endorsement),
        Some((place, Code::ScopeMalformed, detail))
    );
    assert_eq!(told(&board().endorsement(&college().id)), None);
}
