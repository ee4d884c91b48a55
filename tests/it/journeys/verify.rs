//! Journey 5, verification: the whole of a credential, in words that are never a bare no.

use serde_json::{Value, json};

use crate::support::actors::{badge, text};
use crate::support::house::House;
use crate::support::reader::{bit, place};

#[test]
fn a_badge_is_good_until_it_is_not() {
    badge_in_and_out_of_standing(&House::open());
}

pub(super) fn badge_in_and_out_of_standing(house: &House) {
    let school = house.registrar("badge-school");
    let verifier = house.verifier();
    let achievement = school.defines("Welding");
    let badge = school.issues(&badge(&school.id, &achievement));
    let report = verifier.verifies(&badge);
    assert_eq!(
        (&report["verified"], &report["outcome"]),
        (&json!(true), &json!("active"))
    );
    assert_eq!(report["problemDetails"], json!([]));
    assert!(report["report"].is_array() || report["report"].is_object());

    let (list, index) = place(&badge["credentialStatus"]);
    let revoke = json!({
        "credentialId": badge["id"],
        "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" },
        "status": true,
    });
    school.post("/credentials/status", &revoke).is(200);
    assert!(bit(&verifier.reads(&list), index));
    let report = verifier.verifies(&badge);
    assert_eq!(report["outcome"], "revoked");
    assert_eq!(report["verified"], true, "the proof is as good as it was");
    assert_ne!(report["problemDetails"], json!([]), "{report}");
}

#[test]
fn whatever_is_changed_in_a_badge_is_noticed() {
    let house = House::open();
    let school = house.registrar("school");
    let other = house.registrar("other");
    let good = school.issues(&badge(&school.id, "https://far.example/welding"));
    let tampered: [(&str, Value); 8] = [
        (
            "/credentialSubject/achievement/name",
            json!("Welding, level 3"),
        ),
        ("/credentialSubject/id", json!("did:example:thief")),
        ("/issuer/id", json!(other.id)),
        ("/validFrom", json!("2020-01-01T00:00:00Z")),
        ("/credentialStatus/statusListIndex", json!("0")),
        ("/proof/created", json!("2026-02-01T09:00:00Z")),
        ("/proof/proofPurpose", json!("authentication")),
        (
            "/id",
            json!("urn:uuid:00000000-0000-4000-8000-000000000000"),
        ),
    ];
    for (pointer, value) in tampered {
        let mut bad = good.clone();
        let place = bad.pointer_mut(pointer).expect("a place in the badge");
        assert_ne!(*place, value, "{pointer} would not change");
        *place = value;
        not_good(&house, &bad, pointer);
    }
    for extra in ["secretGrade", "https://example.org/grade", "@included"] {
        let mut bad = good.clone();
        bad[extra] = json!([{ "name": "x" }]);
        not_good(&house, &bad, extra);
    }
    let mut bad = good.clone();
    bad.as_object_mut().unwrap().remove("proof");
    not_good(&house, &bad, "no proof");
    let mut bad = good.clone();
    let value = text(&bad["proof"]["proofValue"]);
    let last = if value.ends_with('1') { '2' } else { '1' };
    bad["proof"]["proofValue"] = json!(format!("{}{last}", &value[..value.len() - 1]));
    not_good(&house, &bad, "another signature");
    assert_eq!(house.verifier().verifies(&good)["outcome"], "active");
}

fn not_good(house: &House, credential: &Value, what: &str) {
    let report = house.verifier().verifies(credential);
    assert_eq!(report["verified"], false, "{what}: {report}");
    assert_ne!(report["outcome"], "active", "{what}");
    let problems = report["problemDetails"].as_array().expect("always there");
    assert!(!problems.is_empty(), "{what}");
}

#[test]
fn what_cannot_be_asked_is_unreachable_and_not_bad() {
    let house = House::open();
    let school = house.registrar("school");
    // A list elsewhere is not fetched.
    let mut unsigned = badge(&school.id, "https://far.example/welding");
    unsigned["credentialStatus"] = json!({
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://far.example/status/3",
    });
    let report = house.verifier().verifies(&school.issues(&unsigned));
    assert_eq!(
        (&report["verified"], &report["outcome"]),
        (&json!(true), &json!("unreachable"))
    );

    // Nor is a controller document elsewhere.
    let elsewhere = House::open();
    let stranger = elsewhere.registrar("stranger");
    let badge = stranger.issues(&badge(&stranger.id, "https://far.example/welding"));
    not_good(
        &house,
        &badge,
        "it would be a profile here, and there is none",
    );
    let mut foreign: Value = badge;
    foreign["issuer"]["id"] = json!("did:web:far.example");
    foreign["proof"]["verificationMethod"] = json!("did:web:far.example#key-1");
    let report = house.verifier().verifies(&foreign);
    assert_eq!(
        (&report["verified"], &report["outcome"]),
        (&json!(false), &json!("unreachable"))
    );
}

#[test]
fn embedded_endorsements_are_reported_one_by_one_and_do_not_sink_the_badge() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let good = board.endorses(&school.id, "profile", false);
    let bad = board.endorses(&school.id, "profile", false);
    board.does("revoke", &bad).is(200);
    let mut unsigned = badge(&school.id, "https://far.example/welding");
    unsigned["issuer"]["endorsement"] = json!([good, bad]);
    let report = house.verifier().verifies(&school.issues(&unsigned));
    assert_eq!(
        (&report["verified"], &report["outcome"]),
        (&json!(true), &json!("active"))
    );
    let told = report.to_string();
    assert!(told.contains("issuer.endorsement[0]"), "{told}");
    assert!(told.contains("issuer.endorsement[1]"), "{told}");
    assert!(told.contains("revoked"), "{told}");
}
