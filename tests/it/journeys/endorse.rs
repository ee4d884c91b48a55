//! Journey 4: an accreditor endorses, and stands by it or not.

use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::{House, ORIGIN};
use crate::support::reader::{bit, place};

#[test]
fn an_issuer_an_achievement_and_a_credential_elsewhere_are_endorsed() {
    endorsements(&House::open());
}

pub(super) fn endorsements(house: &House) {
    let school = house.registrar("welding-school");
    let accreditor = house.accreditor("welding-board");
    let verifier = house.verifier();
    let achievement = school.defines("Welding");
    let elsewhere = "https://far.example/credentials/7?v=3_0";
    for (subject, kind) in [
        (school.id.as_str(), "profile"),
        (achievement.as_str(), "achievement"),
        (elsewhere, "credential"),
    ] {
        assert_eq!(
            verifier.asks_about(&[subject])[0]["endorsements"],
            json!([])
        );
        let asked = accreditor.asks_to_endorse(subject, kind, false).is(201);
        let endorsement = asked.json()["verifiableCredential"].clone();
        assert_eq!(asked.header("location"), endorsement["id"].as_str());

        // The credential that Open Badges wants.
        assert_eq!(
            endorsement["@context"][0],
            "https://www.w3.org/ns/credentials/v2"
        );
        let types = json!(["VerifiableCredential", "EndorsementCredential"]);
        assert_eq!(endorsement["type"], types);
        assert_eq!(endorsement["issuer"]["id"], accreditor.id);
        assert_eq!(endorsement["name"], "Quality label");
        let about = &endorsement["credentialSubject"];
        assert_eq!(
            (&about["id"], &about["type"]),
            (&json!(subject), &json!(["EndorsementSubject"]))
        );
        assert_eq!(about["endorsementComment"], "Seen on site.");
        assert_eq!(endorsement["proof"]["proofPurpose"], "assertionMethod");

        // One entry, for revocation, in the accreditor's own list.
        let (list, index) = place(&endorsement["credentialStatus"]);
        assert_eq!(
            endorsement["credentialStatus"]["statusPurpose"],
            "revocation"
        );
        let published = verifier.get(&list).is(200).json();
        assert_eq!(published["issuer"], accreditor.id);
        assert!(!bit(&verifier.reads(&list), index));

        // It is served under its id, and found by its subject.
        let served = verifier.get(&text(&endorsement["id"])).is(200);
        assert_eq!(served.header("content-type"), Some("application/vc"));
        assert_eq!(served.header("cache-control"), Some("public, max-age=60"));
        assert_eq!(served.json(), endorsement);
        let found = &verifier.asks_about(&[subject])[0];
        assert_eq!(found["outcome"], "active");
        let [only] = &found["endorsements"].as_array().unwrap()[..] else {
            panic!("one endorsement: {found}");
        };
        assert_eq!(only["id"], endorsement["id"]);
        assert_eq!(
            (&only["endorser"], &only["kind"]),
            (&json!(accreditor.id), &json!(kind))
        );
        assert_eq!(only["credential"], endorsement);
        assert_eq!(verifier.verifies(&endorsement)["outcome"], "active");
    }
    let page = house
        .call("GET", "/profiles/welding-school?endorsements=embed")
        .send();
    let embedded = page.is(200).json()["endorsement"].clone();
    assert_eq!(embedded.as_array().map(Vec::len), Some(1));
    assert_eq!(embedded[0]["credentialSubject"]["id"], school.id);
}

#[test]
fn a_profile_named_by_its_url_is_endorsed_under_its_id() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let url = format!("{ORIGIN}/profiles/school");
    let endorsement = board.endorses(&url, "profile", false);
    assert_eq!(endorsement["credentialSubject"]["id"], school.id);
    let answers = house.verifier().asks_about(&[&url, &school.id]);
    for (answer, asked) in answers.iter().zip([&url, &school.id]) {
        assert_eq!(
            (&answer["subject"], &answer["outcome"]),
            (&json!(asked), &json!("active"))
        );
        assert_eq!(answer["endorsements"][0]["subject"], school.id);
        assert_eq!(answer["endorsements"][0]["id"], endorsement["id"]);
    }
}

#[test]
fn an_endorsement_covers_the_roles_that_its_subject_held() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let first = board.endorses(&school.id, "profile", false);
    let both = json!({ "name": "School", "roles": ["issuer", "accreditor"] });
    house.operator().put("/profiles/school", &both).is(200);
    let second = board.endorses(&school.id, "profile", false);

    let target = format!("/endorsements?subject={}", school.id);
    let found = house.verifier().get(&target).is(200).json();
    let roles_of = |id: &Value| {
        let items = found["endorsements"].as_array().unwrap();
        let item = items.iter().find(|item| item["id"] == *id).expect("listed");
        item["roles"].clone()
    };
    assert_eq!(roles_of(&first["id"]), json!(["issuer"]));
    assert_eq!(roles_of(&second["id"]), json!(["issuer", "accreditor"]));
}

fn outcome(actor: &Actor<'_>, endorsement: &Value) -> String {
    let subject = text(&endorsement["credentialSubject"]["id"]);
    let found = &actor.asks_about(&[&subject])[0];
    let items = found["endorsements"].as_array().unwrap();
    let item = items.iter().find(|item| item["id"] == endorsement["id"]);
    text(&item.expect("listed under its subject")["outcome"])
}

#[test]
fn an_endorsement_is_suspended_reinstated_and_revoked_for_good() {
    suspension(&House::open());
}

pub(super) fn suspension(house: &House) {
    let school = house.registrar("night-school");
    let board = house.accreditor("night-board");
    let verifier = house.verifier();
    let endorsement = board.endorses(&school.id, "profile", true);
    let entries = endorsement["credentialStatus"]
        .as_array()
        .expect("two entries");
    let purposes: Vec<&Value> = entries
        .iter()
        .map(|entry| &entry["statusPurpose"])
        .collect();
    assert_eq!(purposes, ["revocation", "suspension"]);
    let [(revocations, index), (suspensions, same)] = [place(&entries[0]), place(&entries[1])];
    assert_eq!(index, same, "one index in both planes");

    let acts = |action, standing, revoked, suspended| {
        let answer = board.does(action, &endorsement).is(200).json();
        assert_eq!(answer["outcome"], standing, "{action}");
        assert_eq!(outcome(&verifier, &endorsement), standing);
        assert_eq!(verifier.verifies(&endorsement)["outcome"], standing);
        assert_eq!(bit(&verifier.reads(&revocations), index), revoked);
        assert_eq!(bit(&verifier.reads(&suspensions), index), suspended);
    };
    acts("suspend", "suspended", false, true);
    acts("reinstate", "active", false, false);
    acts("suspend", "suspended", false, true);
    acts("revoke", "revoked", true, true);
    acts("revoke", "revoked", true, true);
    let before = house.store();
    for action in ["reinstate", "suspend"] {
        let refused = board.does(action, &endorsement).problem(409);
        assert!(text(&refused["detail"]).contains("revo"), "{refused}");
    }
    board.sets(&revocations, index, 0).problem(422);
    assert_eq!(house.store(), before);
    // Nothing of it is embedded any more.
    let profile = verifier
        .get("/profiles/night-school?endorsements=embed")
        .is(200);
    assert_eq!(profile.json().get("endorsement"), None);
}

#[test]
fn what_is_not_suspendable_is_not_suspended_by_any_way() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let plain = board.endorses(&school.id, "profile", false);
    let other = board.endorses("https://far.example/x", "profile", true);
    let before = house.store();
    let refused = board.does("suspend", &plain).problem(409);
    assert!(
        text(&refused["detail"]).contains("suspendable"),
        "{refused}"
    );
    // The other one has opened a suspension list over the very same indexes.
    let (_, index) = place(&plain["credentialStatus"]);
    let (suspensions, _) = place(&other["credentialStatus"][1]);
    board.sets(&suspensions, index, 1).problem(422);
    assert_eq!(house.store(), before);
    assert_eq!(outcome(&board, &plain), "active");
}

#[test]
fn the_record_follows_the_bit() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let endorsement = board.endorses(&school.id, "profile", true);
    let (revocations, index) = place(&endorsement["credentialStatus"][0]);
    let (suspensions, _) = place(&endorsement["credentialStatus"][1]);
    board.sets(&suspensions, index, 1).is(200);
    assert_eq!(outcome(&board, &endorsement), "suspended");
    board.sets(&suspensions, index, 0).is(200);
    assert_eq!(outcome(&board, &endorsement), "active");
    house.wait(60);
    board.sets(&revocations, index, 1).is(200);
    assert_eq!(outcome(&board, &endorsement), "revoked");
    // Before that it was not.
    let at = json!({ "subjects": [school.id], "at": "2026-03-01T09:00:30Z" });
    let then = house
        .verifier()
        .post("/endorsements/query", &at)
        .is(200)
        .json();
    assert_eq!(then["results"][0]["outcome"], "active");
    assert_eq!(then["asOf"], "2026-03-01T09:00:30Z");
}

#[test]
fn what_cannot_be_endorsed_is_refused_with_the_reason() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let achievement = school.defines("Welding");
    let credential = school.issues(&badge(&school.id, &achievement));
    let credential = text(&credential["id"]);
    let by_url = format!("{ORIGIN}/profiles/school");
    let absent = format!("{ORIGIN}/profiles/nobody");
    let no_achievement = format!("{ORIGIN}/achievements/{}", "0".repeat(20));
    let absent_did = "did:web:registry.example:profiles:nobody";
    let own_url = format!("{ORIGIN}/profiles/board");
    let before = house.store();
    for (subject, kind, named) in [
        // Of another kind than it is.
        (school.id.as_str(), "achievement", school.id.as_str()),
        (&by_url, "credential", &by_url),
        (&achievement, "profile", &achievement),
        (&credential, "achievement", &credential),
        // Not here, though it would be.
        (&absent, "profile", &absent),
        (&no_achievement, "achievement", &no_achievement),
        (absent_did, "profile", absent_did),
        // Oneself, by each name.
        (&board.id, "profile", "itself"),
        (&own_url, "profile", "itself"),
    ] {
        let refused = board.asks_to_endorse(subject, kind, false).problem(422);
        assert!(
            text(&refused["detail"]).contains(named),
            "{subject} {refused}"
        );
    }
    let refused = board
        .asks_to_endorse("welding", "achievement", false)
        .problem(400);
    assert_eq!(refused["pointer"], "/subject/id");
    let refused = board
        .asks_to_endorse(&school.id, "school", false)
        .problem(400);
    assert_eq!(refused["pointer"], "/subject/kind");
    // Nor by whom is no accreditor, or is somebody else.
    school
        .asks_to_endorse(&board.id, "profile", false)
        .problem(403);
    let body = json!({
        "endorser": board.slug, "name": "x", "subject": { "id": school.id, "kind": "profile" },
    });
    school.post("/endorsements", &body).problem(403);
    assert_eq!(house.store(), before);
}

#[test]
fn nobody_endorses_what_they_made() {
    let house = House::open();
    let both = house
        .operator()
        .registers("both", &["issuer", "accreditor"], "did:web");
    let achievement = both.defines("Welding");
    let credential = both.issues(&badge(&both.id, &achievement));
    let credential = text(&credential["id"]);
    let before = house.store();
    both.asks_to_endorse(&credential, "credential", false)
        .problem(422);
    both.asks_to_endorse(&achievement, "achievement", false)
        .problem(422);
    assert_eq!(house.store(), before);
}

#[test]
fn an_endorsement_has_a_period() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let ask = |from: &str, until: &str| {
        let body = json!({
            "endorser": board.id,
            "subject": { "id": school.id, "kind": "profile" },
            "name": "For March",
            "validFrom": from,
            "validUntil": until,
        });
        board.post("/endorsements", &body)
    };
    let refused = ask("2026-03-02T00:00:00Z", "2026-03-01T23:00:00Z").problem(400);
    assert_eq!(refused["pointer"], "/validUntil");
    let endorsement = ask("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z")
        .is(201)
        .json();
    let endorsement = endorsement["verifiableCredential"].clone();
    for (seconds, standing) in [(0, "not-yet-valid"), (3_600, "active"), (3_601, "expired")] {
        house.wait(seconds);
        assert_eq!(outcome(&board, &endorsement), standing);
        assert_eq!(house.verifier().verifies(&endorsement)["outcome"], standing);
    }
}
