//! Learner records: what they bundle, and what they say beside it.

use super::*;
use crate::vc::contexts::CLR;
use crate::vc::jwt::Envelope;

fn college() -> Actor {
    Actor::did_key(1)
}

fn board() -> Actor {
    Actor::did_key(2)
}

/// A badge by the board for an achievement of this name, not yet signed.
fn badge(achievement: &str) -> Value {
    let mut badge = board().badge();
    badge["id"] = json!(format!("https://board.example/badges/{achievement}"));
    badge["credentialSubject"]["achievement"]["id"] = json!(id(achievement));
    badge
}

fn id(achievement: &str) -> String {
    format!("https://board.example/achievements/{achievement}")
}

/// A record by the college, not yet signed.
fn record(bundled: &[Value]) -> Value {
    json!({
        "@context": [CREDENTIALS_V2, CLR, OPEN_BADGES],
        "id": "https://college.example/records/1",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Record",
        "issuer": {"id": college().id, "type": ["Profile"]},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["ClrSubject"],
            "verifiableCredential": bundled,
        },
    })
}

/// The report on a good record, whatever is in it.
fn report(world: &World, record: &Value) -> Report {
    let report = world.verify(&college().sign(record));
    assert_eq!(
        (report.verified, report.outcome),
        (true, Outcome::Active),
        "{report:?}"
    );
    assert_eq!(
        problems(&report),
        [],
        "what is bundled makes no record worse"
    );
    report
}

/// Where the report tells something that decides nothing, and what.
fn told(report: &Report) -> Vec<(String, &str)> {
    let told = report.checks.iter();
    let told = told.filter(|check| check.kind == CheckKind::Reference);
    told.map(|check| (check.path(), check.code.as_str()))
        .collect()
}

fn bundled(rest: &str) -> String {
    format!("credentialSubject.verifiableCredential{rest}")
}

#[test]
fn the_credentials_of_a_record_are_reported_one_by_one() {
    let url = "https://board.example/lists/1";
    let world = World::default().with_list(url, &board(), "revocation", &[7]);
    let mut revoked = badge("riveting");
    revoked["credentialStatus"] = statuses::entry(url, "revocation", 7);
    let mut good = badge("welding");
    good["endorsement"] = json!([college().endorse(good["id"].as_str().unwrap())]);
    let report = report(
        &world,
        &record(&[board().sign(&good), board().sign(&revoked)]),
    );
    assert_eq!(
        wholes(&report),
        [
            (bundled("[0]"), "active", "included"),
            (bundled("[0].endorsement[0]"), "active", "endorsed"),
            (bundled("[1]"), "revoked", "revoked"),
        ]
    );
    assert_eq!(told(&report), []);
}

#[test]
fn a_bundled_badge_without_a_proof_is_somebodys_word() {
    let mut own = badge("welding");
    own["issuer"]["id"] = json!(college().id);
    let report = report(&World::default(), &record(&[own, badge("riveting")]));
    let no_proof = |rest| (bundled(rest), "unknown", "no-proof");
    assert_eq!(wholes(&report), [no_proof("[0]"), no_proof("[1]")]);
    let details: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.kind == CheckKind::Credential)
        .map(|check| &*check.detail)
        .collect();
    let (college, board) = (college().id, board().id);
    assert_eq!(
        details,
        [
            format!(
                "it has no proof of its own: it is there by the word of {college}, who signed the \
                 record"
            ),
            format!("it has no proof of its own: nothing shows that {board} has issued it"),
        ]
    );
}

#[test]
fn an_achievement_counts_as_awarded_by_a_proved_badge_alone() {
    let jwt = || sign_credential(&badge("riveting"), &board().method, &board().key).unwrap();
    let mut forged = board().sign(&badge("brazing"));
    forged["name"] = json!("Master of brazing");
    let mut record = record(&[
        board().sign(&badge("welding")),
        Envelope::Credential.wrap(&jwt()),
        forged,
        badge("casting"),
    ]);
    let names = ["welding", "riveting", "brazing", "casting", "forging"];
    let achievement = |name: &&str| badge(name)["credentialSubject"]["achievement"].clone();
    record["credentialSubject"]["achievement"] = names.iter().map(achievement).collect();
    let report = report(&World::default(), &record);
    let bare = |place| {
        let path = format!("credentialSubject.achievement[{place}]");
        (path, "no-credential")
    };
    assert_eq!(told(&report), [bare(2), bare(3), bare(4)]);
}

#[test]
fn an_association_that_leads_out_of_the_record_is_told() {
    let mut record = record(&[board().sign(&badge("welding"))]);
    let association = |source, target| {
        json!({
            "type": "Association", "associationType": "isPartOf",
            "sourceId": id(source), "targetId": id(target),
        })
    };
    record["credentialSubject"]["association"] = json!([
        association("welding", "welding"),
        association("welding", "metalwork")
    ]);
    let report = report(&World::default(), &record);
    let path = "credentialSubject.association[1].targetId".to_owned();
    assert_eq!(told(&report), [(path, "association-open")]);
    // In what is no record they are somebody else's words.
    record["type"] = json!(["VerifiableCredential"]);
    assert_eq!(told(&World::default().verify(&college().sign(&record))), []);
}

#[test]
fn what_is_told_of_a_record_has_an_end() {
    let mut record = record(&[board().sign(&badge("welding"))]);
    let achievement = |number| {
        let mut achievement = badge("x")["credentialSubject"]["achievement"].clone();
        achievement["id"] = json!(format!("urn:achievement:{number}"));
        achievement
    };
    record["credentialSubject"]["achievement"] = (0..70).map(achievement).collect();
    let report = report(&World::default(), &record);
    let told = told(&report);
    let last = "credentialSubject.achievement[64]".to_owned();
    assert_eq!(told.len(), 65);
    assert_eq!(told[64], (last, "not-looked-at"));
}

/// A record that may be issued is looked at as a whole.
#[test]
fn each_credential_of_the_largest_record_is_looked_at() {
    let most = crate::badges::Clr::MAX_CREDENTIALS;
    let signed: Vec<Value> = (0..most)
        .map(|number| board().sign(&badge(&number.to_string())))
        .collect();
    let report = report(&World::default(), &record(&signed));
    let whole = wholes(&report);
    assert_eq!(whole.len(), most);
    assert!(whole.iter().all(|(_, outcome, _)| *outcome == "active"));
}
