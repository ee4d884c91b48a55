//! Changing the status of a credential by its id (VCALM 1.0).

use serde_json::{Value, json};

use crate::support::actors::{badge, text};
use crate::support::house::House;
use crate::support::reader::{bit, place};

fn change(id: &Value, purpose: &str, status: bool) -> Value {
    json!({
        "credentialId": id,
        "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": purpose },
        "status": status,
    })
}

#[test]
fn a_credential_is_suspended_reinstated_and_revoked_for_good() {
    let house = House::open();
    let school = house.registrar("school");
    let verifier = house.verifier();
    let mut unsigned = badge(&school.id, "https://far.example/welding");
    let open = |purpose| change(&Value::Null, purpose, true)["credentialStatus"].clone();
    unsigned["credentialStatus"] = json!([open("revocation"), open("suspension")]);
    let issued = school.issues(&unsigned);
    let id = &issued["id"];
    let (revocations, index) = place(&issued["credentialStatus"][0]);
    let (suspensions, _) = place(&issued["credentialStatus"][1]);
    let by_id = format!("/status?credential={}", text(id));
    for (purpose, status, outcome, revoked, suspended) in [
        ("suspension", true, "suspended", false, true),
        ("suspension", false, "active", false, false),
        ("suspension", false, "active", false, false),
        ("suspension", true, "suspended", false, true),
        ("revocation", true, "revoked", true, true),
        ("suspension", false, "revoked", true, false),
        ("revocation", true, "revoked", true, false),
    ] {
        let body = change(id, purpose, status);
        school.post("/credentials/status", &body).is(200);
        assert_eq!(bit(&verifier.reads(&revocations), index), revoked);
        assert_eq!(bit(&verifier.reads(&suspensions), index), suspended);
        assert_eq!(verifier.verifies(&issued)["outcome"], outcome);
        assert_eq!(school.get(&by_id).is(200).json()["outcome"], outcome);
    }
    let before = house.store();
    let back = change(id, "revocation", false);
    let refused = school.post("/credentials/status", &back).problem(422);
    assert!(
        text(&refused["detail"]).contains("never goes back"),
        "{refused}"
    );
    assert_eq!(house.store(), before);
}

#[test]
fn the_entry_that_is_meant_is_the_one_that_changes() {
    let house = House::open();
    let school = house.registrar("school");
    let issued = school.issues(&badge(&school.id, "https://far.example/welding"));
    let (list, index) = place(&issued["credentialStatus"]);
    let before = house.store();
    let with = |member: &str, value: Value| {
        let mut body = change(&issued["id"], "revocation", true);
        body["credentialStatus"][member] = value;
        body
    };
    for (body, pointer) in [
        (
            change(&issued["id"], "suspension", true),
            "/credentialStatus",
        ),
        (
            with("statusListIndex", json!((index + 1).to_string())),
            "/credentialStatus",
        ),
        (
            with("statusListCredential", json!("https://far.example/l")),
            "/credentialStatus",
        ),
        (
            with("type", json!("StatusList2021Entry")),
            "/credentialStatus/type",
        ),
        (
            with("statusListIndex", json!("one")),
            "/credentialStatus/statusListIndex",
        ),
    ] {
        let refused = school.post("/credentials/status", &body).problem(400);
        assert_eq!(refused["pointer"], pointer, "{refused}");
    }
    school
        .post(
            "/credentials/status",
            &change(&json!("urn:none"), "revocation", true),
        )
        .problem(404);
    assert_eq!(house.store(), before);
    let mut exact = with("statusListIndex", json!(index.to_string()));
    exact["credentialStatus"]["statusListCredential"] = json!(list);
    exact["indexAllocator"] = json!("https://registry.example");
    exact["reason"] = json!("a mistake");
    school.post("/credentials/status", &exact).is(200);
    assert_eq!(house.verifier().verifies(&issued)["outcome"], "revoked");
}

#[test]
fn a_credential_made_elsewhere_has_its_status_here_by_its_id() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let ids = json!({ "credentialIds": ["urn:made:elsewhere"] });
    let entries = school.post(&format!("{list}/entries"), &ids).is(200).json();
    let (_, index) = place(&entries["entries"][0]);
    let body = change(&json!("urn:made:elsewhere"), "revocation", true);
    school.post("/credentials/status", &body).is(200);
    assert_eq!(
        house.verifier().looks_up(&list, index)["outcome"],
        "revoked"
    );
}

#[test]
fn a_look_up_tells_what_a_status_means() {
    let house = House::open();
    let school = house.registrar("school");
    let texts = ["with its owner", "reported lost", "found", "replaced"];
    let messages = texts.iter().enumerate();
    let messages = messages
        .map(|(status, message)| json!({ "status": format!("{status:#x}"), "message": message }));
    let new = json!({
        "issuer": "school",
        "statusPurpose": "message",
        "statusSize": 2,
        "statusMessage": messages.collect::<Vec<_>>(),
    });
    let opened = school.post("/status-lists", &new).is(201).json();
    let list = text(&opened["id"]);
    let ids = json!({ "credentialIds": ["urn:card:1"] });
    let entries = school.post(&format!("{list}/entries"), &ids).is(200).json();
    let (_, index) = place(&entries["entries"][0]);
    for status in [0, 1, 3, 2] {
        let change = json!({ "updates": [{ "index": index, "status": status }] });
        school.post(&format!("{list}/updates"), &change).is(200);
        let said = house.verifier().looks_up(&list, index);
        assert_eq!(said["status"], status);
        assert_eq!(said["message"], texts[status]);
        let by_id = school.get("/status?credential=urn:card:1").is(200).json();
        assert_eq!(by_id["entries"][0]["message"], texts[status]);
    }
    let plain = school.opens_list("revocation");
    let said = house.verifier().looks_up(&plain, 5);
    assert_eq!(said.get("message"), None, "{said}");
}

/// With its place a credential is given the claim for the token list, which shows every list over
/// the same indexes. What is asked by id is no milder than that.
#[test]
fn a_look_up_by_id_shows_what_the_token_list_of_its_indexes_shows() {
    let house = House::open();
    let school = house.registrar("school");
    for (formats, outcome) in [(json!(["token"]), "suspended"), (json!([]), "active")] {
        let mut new = json!({ "issuer": "school", "statusPurpose": "revocation" });
        new["formats"] = formats;
        let revocations = school.post("/status-lists", &new).is(201).json()["id"].clone();
        let mut new = json!({ "issuer": "school", "statusPurpose": "suspension" });
        new["pairedWith"] = revocations.clone();
        let suspensions = school.post("/status-lists", &new).is(201).json()["id"].clone();
        let id = format!("urn:card:{outcome}");
        let ids = json!({ "credentialIds": [id] });
        let entries = format!("{}/entries", text(&revocations));
        let entries = school.post(&entries, &ids).is(200).json();
        assert_eq!(entries.get("status").is_some(), outcome == "suspended");
        let (_, index) = place(&entries["entries"][0]);
        let suspend = json!({ "updates": [{ "index": index, "status": 1 }] });
        let updates = format!("{}/updates", text(&suspensions));
        school.post(&updates, &suspend).is(200);
        let by_id = format!("/status?credential={id}");
        let said = school.get(&by_id).is(200).json();
        assert_eq!(said["outcome"], outcome, "{said}");
        // Where the token list shows it, it can be changed by the id, too.
        let reinstate = json!({ "updates": [{ "credentialId": id, "status": 0 }] });
        let answer = school.post(&updates, &reinstate);
        match outcome {
            "suspended" => drop(answer.is(200)),
            _ => drop(answer.problem(422)),
        }
        let said = school.get(&by_id).is(200).json();
        assert_eq!(said["outcome"], "active", "{said}");
    }
}
