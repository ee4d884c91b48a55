//! All five journeys on RocksDB, and what is there after a restart.

use serde_json::Value;

use crate::support::house::{House, ORIGIN, clock};
use crate::support::reader::{bit, place};

#[test]
fn the_journeys_hold_on_disk_and_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let house = House::on_disk(folder.path(), &clock, 1);
    super::register::profiles_and_did_documents(&house);
    super::lists::allocation(&house);
    super::lists::statuses(&house);
    super::endorse::endorsements(&house);
    super::endorse::suspension(&house);
    super::securing::jwt_endorsements(&house);
    super::requests::conversation(&house);
    super::standing::batch(&house);
    super::verify::badge_in_and_out_of_standing(&house);

    // A list that goes on after the restart where it stopped.
    let school = house.registrar("steady-school");
    let list = school.opens_list("revocation");
    let before = school.allocates(&list, 500);
    school.sets(&list, before[0], 1).is(200);
    let token = school.token.clone();
    let told = everything_public(&house);
    assert!(told.len() > 20, "{}", told.len());
    let stored = house.store();
    drop(school);
    drop(house);

    let house = House::on_disk(folder.path(), &clock, 2);
    for (target, body, etag) in told {
        let again = house.call("GET", &target).send().is(200);
        assert_eq!(
            String::from_utf8_lossy(&again.body),
            String::from_utf8_lossy(&body),
            "{target}"
        );
        assert_eq!(again.header("etag").map(str::to_owned), etag, "{target}");
    }
    let kept = house.store();
    assert!(
        stored.iter().all(|row| is_kept(row, &kept)),
        "rows went missing"
    );

    let call = |target: &str, body| {
        let call = house.call("POST", target).token(token.as_deref().unwrap());
        call.json(&body).send().is(200).json()
    };
    let more = call(
        &format!("{list}/entries"),
        serde_json::json!({ "count": 500 }),
    );
    for entry in more["entries"].as_array().unwrap() {
        assert!(
            !before.contains(&place(entry).1),
            "an index was given out twice"
        );
    }
    let second = serde_json::json!({ "updates": [{ "index": before[1], "status": 1 }] });
    let done = call(&format!("{list}/updates"), second);
    assert_eq!(done["revision"], 3);
    let bits = house.verifier().reads(&list);
    assert!(bit(&bits, before[0]) && bit(&bits, before[1]));
}

/// The end of the log moves on, since opening makes a token; nothing else is written over.
fn is_kept(row: &(Vec<u8>, Vec<u8>), kept: &[(Vec<u8>, Vec<u8>)]) -> bool {
    kept.binary_search_by(|(key, _)| key.cmp(&row.0)).is_ok()
}

type Told = (String, Vec<u8>, Option<String>);

/// Every public document that can be reached from the lists of profiles and endorsements.
fn everything_public(house: &House) -> Vec<Told> {
    let mut targets: Vec<String> = vec![
        "/profiles?limit=1000".into(),
        "/endorsements?limit=1000".into(),
    ];
    let profiles = house.call("GET", &targets[0]).send().is(200).json();
    for profile in profiles["profiles"].as_array().unwrap() {
        let path = format!("/profiles/{}", profile["slug"].as_str().unwrap());
        targets.push(format!("{path}/did.json"));
        targets.push(format!("{path}/achievements"));
        targets.push(path);
    }
    let endorsements = house.call("GET", &targets[1]).send().is(200).json();
    for item in endorsements["endorsements"].as_array().unwrap() {
        targets.push(item["id"].as_str().unwrap().to_owned());
        // A JWT has its entries within.
        let status = item["credential"].get("credentialStatus");
        let entries = match status {
            Some(Value::Array(entries)) => entries.clone(),
            one => one.into_iter().cloned().collect(),
        };
        for entry in entries {
            let (list, index) = place(&entry);
            assert!(list.starts_with(ORIGIN));
            targets.push(format!("/status?list={list}&index={index}"));
            targets.push(list);
        }
    }
    let tell = |target: String| {
        let answer = house.call("GET", &target).send().is(200);
        let etag = answer.header("etag").map(str::to_owned);
        (target, answer.body, etag)
    };
    targets.into_iter().map(tell).collect()
}
