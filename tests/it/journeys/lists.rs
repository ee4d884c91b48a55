//! Journeys 2 and 3: a list is opened, entries are given out, statuses change, and the signed
//! list shows it.

use std::collections::HashSet;

use serde_json::json;

use crate::support::actors::{badge, text};
use crate::support::client::Answer;
use crate::support::house::House;
use crate::support::reader::{bit, ones, place};

#[test]
fn entries_are_given_out_without_a_trace() {
    allocation(&House::open());
}

pub(super) fn allocation(house: &House) {
    let school = house.registrar("registry-office");
    let body = json!({ "issuer": school.slug, "statusPurpose": "revocation", "ttl": 30_000 });
    let opened = school.post("/status-lists", &body).is(201);
    let list = opened.header("location").expect("Location").to_owned();
    assert_eq!(opened.json()["id"], list);

    // The list as the standard wants it.
    let published = house.call("GET", &list).send().is(200);
    assert_eq!(published.json(), opened.json()["verifiableCredential"]);
    let credential = published.json();
    assert_eq!(
        credential["@context"],
        json!(["https://www.w3.org/ns/credentials/v2"])
    );
    assert_eq!(credential["id"], list);
    assert_eq!(credential["issuer"], school.id);
    let subject = &credential["credentialSubject"];
    assert_eq!(subject["type"], "BitstringStatusList");
    assert_eq!(subject["statusPurpose"], "revocation");
    assert_eq!(subject["ttl"], 30_000);
    assert_eq!(credential["proof"]["cryptosuite"], "eddsa-rdfc-2022");
    let bits = school.reads(&list);
    assert_eq!((bits.len(), ones(&bits)), (16_384, 0));

    // By count, and by credential id: distinct, in order, and nothing of it is to be seen.
    let by_count = school.allocates(&list, 1_000);
    let ids: Vec<String> = (0..50).map(|n| format!("urn:office:{n}")).collect();
    let target = format!("{list}/entries");
    let named = school
        .post(&target, &json!({ "credentialIds": ids }))
        .is(200)
        .json();
    let named: Vec<u64> = entries(&named).iter().map(|entry| place(entry).1).collect();
    assert_eq!((by_count.len(), named.len()), (1_000, 50));
    let distinct: HashSet<u64> = by_count.iter().chain(&named).copied().collect();
    assert_eq!(distinct.len(), 1_050);
    assert!(distinct.iter().all(|index| *index < 131_072));
    let sorted = by_count.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!(
        (300..700).contains(&sorted),
        "{sorted} of 999 ascend: not random"
    );
    // Asking again for the same ids gives the same entries.
    let again = school
        .post(&target, &json!({ "credentialIds": ids }))
        .is(200)
        .json();
    let again: Vec<u64> = entries(&again).iter().map(|entry| place(entry).1).collect();
    assert_eq!(again, named);

    house.wait(3_600);
    let after = house.call("GET", &list).send().is(200);
    assert_eq!(after.body, published.body, "byte for byte");
    assert_eq!(after.header("etag"), published.header("etag"));
    assert_eq!(
        after.header("last-modified"),
        published.header("last-modified")
    );
}

fn entries(answer: &serde_json::Value) -> Vec<serde_json::Value> {
    answer["entries"].as_array().unwrap().clone()
}

#[test]
fn issuing_and_endorsing_leave_no_trace_either() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let unsigned = badge(&school.id, "https://far.example/welding");
    let (badges, _) = place(&school.issues(&unsigned)["credentialStatus"]);
    let endorsement = board.endorses(&school.id, "profile", false);
    let (endorsements, _) = place(&endorsement["credentialStatus"]);
    let seen = [&badges, &endorsements].map(|list| house.call("GET", list).send().is(200));
    house.wait(3_600);
    for n in 0..20 {
        let (list, _) = place(&school.issues(&unsigned)["credentialStatus"]);
        assert_eq!(list, badges, "one list for all");
        board.endorses(&format!("https://far.example/{n}"), "credential", false);
    }
    let now = [&badges, &endorsements].map(|list| house.call("GET", list).send().is(200));
    for (now, seen) in now.iter().zip(&seen) {
        assert_eq!(now.body, seen.body, "byte for byte");
        assert_eq!(now.header("etag"), seen.header("etag"));
    }
}

#[test]
fn a_hundred_thousand_entries_come_in_one_call_and_a_full_list_says_what_is_left() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let mut given = school.allocates(&list, 100_000);
    let rest = json!({ "count": 100_000 });
    let full = school.post(&format!("{list}/entries"), &rest).problem(409);
    assert_eq!(full["remaining"], 31_072);
    given.extend(school.allocates(&list, 31_072));
    given.sort_unstable();
    assert!(given.into_iter().eq(0..131_072), "each index once");
    let none = json!({ "count": 1 });
    let full = school.post(&format!("{list}/entries"), &none).problem(409);
    assert_eq!(full["remaining"], 0);
}

#[test]
fn a_revocation_stands_in_the_signed_list_and_a_suspension_comes_and_goes() {
    statuses(&House::open());
}

pub(super) fn statuses(house: &House) {
    let school = house.registrar("evening-school");
    let verifier = house.verifier();
    let revocation = school.opens_list("revocation");
    let body = json!({
        "issuer": school.id, "statusPurpose": "suspension", "pairedWith": revocation,
    });
    let suspension = text(&school.post("/status-lists", &body).is(201).json()["id"]);
    let ids = ["urn:evening:1", "urn:evening:2", "urn:evening:3"];
    let taken = school.post(
        &format!("{revocation}/entries"),
        &json!({ "credentialIds": ids }),
    );
    let taken: Vec<u64> = entries(&taken.is(200).json())
        .iter()
        .map(|e| place(e).1)
        .collect();
    let [first, second, third] = taken[..] else {
        panic!("three were asked for")
    };
    // The paired list lies over the same indexes.
    let paired = school.post(
        &format!("{suspension}/entries"),
        &json!({ "credentialIds": ids }),
    );
    let paired: Vec<u64> = entries(&paired.is(200).json())
        .iter()
        .map(|e| place(e).1)
        .collect();
    assert_eq!(paired, taken);
    let second_plane = school.post("/status-lists", &body).problem(409);
    assert_eq!(second_plane["list"], suspension);

    let was = house.call("GET", &revocation).send().is(200);
    let start = verifier.looks_up(&revocation, first);
    assert_eq!(
        (&start["status"], &start["outcome"]),
        (&json!(0), &json!("active"))
    );
    house.wait(90);
    let updates = json!({
        "updates": [{ "index": first, "status": 1 }, { "credentialId": ids[1], "status": 1 }],
        "reason": "The seams did not hold.",
    });
    let done = school
        .post(&format!("{revocation}/updates"), &updates)
        .is(200)
        .json();
    assert_eq!(
        (&done["applied"], &done["refused"]),
        (&json!(2), &json!([]))
    );
    let revision = done["revision"].as_u64().unwrap();
    assert!(revision > start["revision"].as_u64().unwrap());

    // Look-up and list say the same; the list is another one now.
    for (index, outcome) in [(first, "revoked"), (second, "revoked"), (third, "active")] {
        let said = verifier.looks_up(&revocation, index);
        assert_eq!(said["outcome"], outcome);
        assert_eq!(said["valid"], outcome == "active");
        assert_eq!(said["revision"], revision);
        assert_eq!(said["asOf"], house_time(house));
    }
    let bits = verifier.reads(&revocation);
    assert_eq!(
        (bit(&bits, first), bit(&bits, second), ones(&bits)),
        (true, true, 2)
    );
    let is = house.call("GET", &revocation).send().is(200);
    assert_ne!(is.header("etag"), was.header("etag"));
    assert_ne!(is.header("last-modified"), was.header("last-modified"));
    assert!(!is.text().contains("seams"), "reasons are not published");

    // The same again changes nothing; taking it back is refused, beside what can be done.
    let again = school.sets(&revocation, first, 1).is(200).json();
    assert_eq!(
        (&again["revision"], &again["applied"]),
        (&json!(revision), &json!(1))
    );
    school.sets(&revocation, first, 0).problem(422);
    let mixed = json!({ "updates": [
        { "index": first, "status": 0 }, { "index": third, "status": 1 },
    ] });
    let mixed = school
        .post(&format!("{revocation}/updates"), &mixed)
        .is(200)
        .json();
    assert_eq!(
        (&mixed["applied"], &mixed["refused"][0]["item"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(mixed["revision"], revision + 1);
    assert_eq!(ones(&verifier.reads(&revocation)), 3);

    // A suspension goes back, and its list is one of its own.
    let before = verifier.reads(&suspension);
    school.sets(&suspension, third, 1).is(200);
    assert_eq!(
        verifier.looks_up(&suspension, third)["outcome"],
        "suspended"
    );
    assert!(bit(&verifier.reads(&suspension), third));
    school.sets(&suspension, third, 0).is(200);
    assert_eq!(verifier.looks_up(&suspension, third)["outcome"], "active");
    assert_eq!(verifier.reads(&suspension), before);
}

fn house_time(house: &House) -> String {
    use goodstanding::time::Clock as _;
    house.clock.now().to_string()
}

#[test]
fn updates_come_as_lines_too() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let given = school.allocates(&list, 3_000);
    let lines: String = given
        .iter()
        .map(|index| format!("{{\"index\":{index},\"status\":1}}\n"))
        .collect();
    let call = school.call("POST", &format!("{list}/updates"));
    let done = call
        .body("application/x-ndjson", lines)
        .send()
        .is(200)
        .json();
    assert_eq!(
        (&done["applied"], &done["revision"]),
        (&json!(3_000), &json!(2))
    );
    let bits = house.verifier().reads(&list);
    assert_eq!(ones(&bits), 3_000);
    assert!(given.iter().all(|index| bit(&bits, *index)));
}

#[test]
fn a_published_list_is_kind_to_caches() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let get = |headers: &[(&str, &str)]| -> Answer {
        let call = house.call("GET", &list);
        let add = |call: crate::support::client::Call, (name, value): &(&str, &str)| {
            call.header(name, *value)
        };
        headers.iter().fold(call, add).send()
    };
    let plain = get(&[]).is(200);
    let etag = plain.header("etag").expect("an entity tag").to_owned();
    assert!(etag.starts_with('"'), "strong: {etag}");
    assert_eq!(plain.header("content-type"), Some("application/vc"));
    assert_eq!(plain.header("vary"), Some("Accept, Accept-Encoding"));
    assert_eq!(plain.header("access-control-allow-origin"), Some("*"));
    assert_eq!(plain.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(
        plain.header("last-modified"),
        Some("Sun, 01 Mar 2026 09:00:00 GMT")
    );
    for media_type in ["application/json", "application/ld+json", "application/vc"] {
        let answer = get(&[("Accept", media_type)]).is(200);
        assert_eq!(answer.header("content-type"), Some(media_type));
        assert_eq!(answer.body, plain.body);
    }
    get(&[("Accept", "text/csv")]).problem(406);

    for known in [
        etag.clone(),
        format!("\"x\", {etag}"),
        format!("W/{etag}"),
        "*".into(),
    ] {
        let unchanged = get(&[("If-None-Match", &known)]).is(304);
        assert!(unchanged.body.is_empty());
        assert_eq!(unchanged.header("etag"), Some(etag.as_str()));
        assert_eq!(unchanged.header("vary"), Some("Accept, Accept-Encoding"));
        assert_eq!(
            unchanged.header("cache-control"),
            plain.header("cache-control")
        );
    }
    get(&[("If-None-Match", "\"other\"")]).is(200);

    let head = house.call("HEAD", &list).send().is(200);
    for name in [
        "etag",
        "content-type",
        "last-modified",
        "vary",
        "cache-control",
    ] {
        assert_eq!(head.header(name), plain.header(name), "{name}");
    }
    assert_eq!(
        head.header("content-length"),
        Some(&*plain.body.len().to_string())
    );
    let asked = house
        .call("OPTIONS", &list)
        .header("Origin", "https://wallet.example");
    let asked = asked.send().is(204);
    assert_eq!(asked.header("access-control-allow-origin"), Some("*"));
    assert!(asked.header("allow").unwrap().contains("GET"));

    // A list's own ttl is never outlived, and the changed list has another tag.
    let body = json!({ "issuer": "school", "statusPurpose": "refresh", "ttl": 15_000 });
    let short = text(&school.post("/status-lists", &body).is(201).json()["id"]);
    let short = house.call("GET", &short).send().is(200);
    assert_eq!(short.header("cache-control"), Some("public, max-age=15"));
    let index = school.allocates(&list, 1)[0];
    school.sets(&list, index, 1).is(200);
    let changed = get(&[("If-None-Match", &etag)]).is(200);
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
}

#[test]
fn a_moment_that_is_not_held_is_not_answered_with_the_present() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let past = format!("{list}?timestamp=2025-01-01T00%3A00%3A00Z");
    let problem = school.get(&past).problem(404);
    let kind = "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR";
    assert_eq!(problem["type"], kind);
}
