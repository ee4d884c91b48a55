//! What a credential carries decides what is said of it, and what was said of it stays said.

use serde_json::{Value, json};

use crate::support::actors::{badge, text};
use crate::support::house::House;
use crate::support::reader::place;

const ELSEWHERE: &str = "https://far.example/welding";

fn open_entry(purpose: &str) -> Value {
    json!({ "type": "BitstringStatusListEntry", "statusPurpose": purpose })
}

#[test]
fn a_credential_that_is_issued_again_keeps_its_place_and_its_revocation() {
    let house = House::open();
    let school = house.registrar("school");
    let mut unsigned = badge(&school.id, ELSEWHERE);
    unsigned["id"] = json!("https://school.example/1");
    let first = school.issues(&unsigned);
    let change = json!({
        "credentialId": "https://school.example/1",
        "credentialStatus": open_entry("revocation"),
        "status": true,
    });
    school.post("/credentials/status", &change).is(200);

    unsigned["credentialStatus"] = json!([open_entry("revocation"), open_entry("suspension")]);
    let second = school.issues(&unsigned);
    let (list, index) = place(&first["credentialStatus"]);
    let again = place(&second["credentialStatus"][0]);
    let suspension = place(&second["credentialStatus"][1]);
    assert_eq!(again, (list, index));
    assert_eq!(
        suspension.1, index,
        "one index is one credential in every list"
    );
    for issued in [&first, &second] {
        assert_eq!(school.verifies(issued)["outcome"], "revoked");
    }
}

#[test]
fn what_verifiers_elsewhere_would_not_see_is_refused() {
    let house = House::open();
    let school = house.registrar("school");
    let plain = school.issues(&badge(&school.id, ELSEWHERE));
    // Another credential brings a suspension list over the same indexes.
    let mut other = badge(&school.id, ELSEWHERE);
    other["credentialStatus"] = json!([open_entry("revocation"), open_entry("suspension")]);
    let other = school.issues(&other);
    let suspend = |credential: &Value| {
        let body = json!({
            "credentialId": credential["id"],
            "credentialStatus": open_entry("suspension"),
            "status": true,
        });
        school.post("/credentials/status", &body)
    };
    let refused = suspend(&plain).problem(400);
    assert_eq!(refused["pointer"], "/credentialStatus");
    suspend(&other).is(200);
    let said = |credential: &Value| {
        let target = format!("/status?credential={}", text(&credential["id"]));
        school.get(&target).is(200).json()
    };
    assert_eq!(said(&plain)["outcome"], "active");
    assert_eq!(said(&plain)["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(said(&other)["outcome"], "suspended");
    let (list, _) = place(&other["credentialStatus"][1]);
    let by_list = json!({ "updates": [{ "credentialId": plain["id"], "status": 1 }] });
    school
        .post(&format!("{list}/updates"), &by_list)
        .problem(422);
}

#[test]
fn a_list_elsewhere_may_say_the_worst() {
    let house = House::open();
    let school = house.registrar("school");
    let mut unsigned = badge(&school.id, ELSEWHERE);
    unsigned["credentialStatus"] = json!([
        {
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://far.example/lists/1",
        },
        open_entry("suspension"),
    ]);
    let issued = school.issues(&unsigned);
    let target = format!("/status?credential={}", text(&issued["id"]));
    assert_eq!(school.get(&target).is(200).json()["outcome"], "unreachable");
}

#[test]
fn a_repeated_issue_gives_the_same_credential_and_keeps_nothing_of_the_person() {
    let house = House::open();
    let school = house.registrar("school");
    let mut unsigned = badge(&school.id, ELSEWHERE);
    unsigned["credentialSubject"]["id"] = json!("did:example:somebody-in-particular");
    let body = json!({ "credential": unsigned });
    let issue = || {
        let call = school
            .call("POST", "/credentials/issue")
            .json(&body)
            .key("k");
        call.send().is(201).json()
    };
    let first = issue();
    assert_eq!(issue(), first);
    assert_eq!(
        school.verifies(&first["verifiableCredential"])["outcome"],
        "active"
    );
    let name = b"somebody-in-particular";
    for (key, value) in house.store() {
        let told = |bytes: &[u8]| bytes.windows(name.len()).any(|part| part == name);
        assert!(!told(&key) && !told(&value), "a row tells of the person");
    }
}

#[test]
fn the_future_is_not_known() {
    let house = House::open();
    let verifier = house.verifier();
    let later = "2099-01-01T00:00:00Z";
    verifier
        .get(&format!("/endorsements?at={later}"))
        .problem(400);
    let body = json!({ "subjects": ["urn:x"], "at": later });
    let refused = verifier.post("/endorsements/query", &body).problem(400);
    assert_eq!(refused["pointer"], "/at");
}
