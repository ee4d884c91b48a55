//! Lists that are opened, paired and brought in ways that nobody meant.

use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::House;
use crate::support::reader::bit;

/// The most entries of one bit that a list can have.
const MOST: u64 = 1 << 26;

fn opens(school: &Actor<'_>, new: &Value) -> String {
    text(&school.post("/status-lists", new).is(201).json()["id"])
}

#[test]
fn a_token_list_is_never_longer_than_its_readers_expand() {
    let house = House::open();
    let school = house.registrar("school");
    let new = json!({
        "issuer": "school", "statusPurpose": "revocation", "length": MOST, "formats": ["token"],
    });
    let list = opens(&school, &new);
    // Two bits an entry would be twice as much as a list may have.
    let beside = json!({
        "issuer": "school", "statusPurpose": "suspension", "length": MOST, "pairedWith": list,
    });
    let problem = school.post("/status-lists", &beside).problem(400);
    assert!(text(&problem["detail"]).contains("too long"), "{problem}");
    let ids = json!({ "credentialIds": ["urn:school:1"] });
    school.post(&format!("{list}/entries"), &ids).is(200);
    let mut credential = badge(&school.id, "1");
    credential["id"] = json!("urn:school:1");
    credential["credentialStatus"] =
        json!({ "type": "BitstringStatusListEntry", "statusPurpose": "suspension" });
    let body = json!({ "credential": credential });
    school.post("/credentials/issue", &body).problem(400);
    // What was refused is not in the way of what is published.
    let index = school.allocates(&list, 1)[0];
    school.sets(&list, index, 1).is(200);
    assert!(bit(&school.reads(&list), index));
}
