//! A list is handed on: page by page, or whole, so that another registry takes it back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{ENTRIES, bits_with, scattered};
use crate::support::actors::text;
use crate::support::house::House;

#[test]
fn pages_hold_what_is_set_and_lead_to_the_next() {
    let house = House::open();
    let school = house.registrar("school");
    let set = scattered(2_500, ENTRIES as u64);
    let list = school.brings(&bits_with(ENTRIES, &set), None);
    let line = |index: &u64| format!("{{\"index\":{index},\"status\":1}}");
    let expected: Vec<String> = set.iter().map(line).collect();
    let whole = school.get(&format!("{list}/export")).is(200);
    assert_eq!(whole.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(whole.header("cache-control"), Some("private, no-store"));
    assert_eq!(whole.header("list-revision"), Some("1"));
    assert_eq!(
        (
            whole.text().lines().map(str::to_owned).collect::<Vec<_>>(),
            whole.next()
        ),
        (expected.clone(), None)
    );
    let (lines, pages) = school.pages(&format!("{list}/export?limit=300"));
    assert_eq!((lines, pages), (expected.clone(), set.len() / 300 + 1));
    // From anywhere on.
    let from = set[1_000] + 1;
    let (lines, _) = school.pages(&format!("{list}/export?from={from}&limit=999"));
    assert_eq!(lines, expected[1_001..]);
    let (lines, _) = school.pages(&format!("{list}/export?from=67108864"));
    assert!(lines.is_empty());
    // As a table each page has the names of its columns.
    let call = school
        .call("GET", &format!("{list}/export?limit=1000"))
        .header("Accept", "text/csv");
    let csv = call.send().is(200);
    assert_eq!(csv.header("vary"), Some("Accept"));
    assert!(
        csv.text()
            .starts_with(&format!("index,status,credentialId\r\n{},1,\r\n", set[0]))
    );
    assert!(csv.next().is_some());
}

#[test]
fn all_that_was_given_out_is_told_with_its_credentials() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("suspension");
    let plain = school.allocates(&list, 40);
    let ids: Vec<String> = (0..30).map(|n| format!("urn:x:{n},\"é\"")).collect();
    let body = json!({ "credentialIds": ids });
    let entries = school
        .post(&format!("{list}/entries"), &body)
        .is(200)
        .json();
    let named: BTreeMap<u64, String> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(&entry["statusListIndex"]).parse().unwrap())
        .zip(ids.clone())
        .collect();
    school.sets(&list, plain[3], 1).is(200);
    let (lines, pages) = school.pages(&format!("{list}/export?all=given-out&limit=9"));
    assert_eq!(pages, 8);
    let rows: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut expected: BTreeSet<u64> = plain.iter().copied().collect();
    expected.extend(named.keys());
    assert_eq!(
        rows.iter()
            .map(|row| row["index"].as_u64().unwrap())
            .collect::<BTreeSet<_>>(),
        expected
    );
    for row in &rows {
        let index = row["index"].as_u64().unwrap();
        assert_eq!(row["status"], u64::from(index == plain[3]));
        assert_eq!(
            row.get("credentialId").and_then(Value::as_str),
            named.get(&index).map(String::as_str)
        );
    }

    // Another registry takes the table, with the credentials; what it has is the same.
    let elsewhere = House::open();
    let taker = elsewhere.registrar("school");
    let call = school
        .call("GET", &format!("{list}/export?all=given-out"))
        .header("Accept", "text/csv");
    let table = call.send().is(200).text();
    let target = "/status-lists/import?issuer=school&statusPurpose=suspension&usedIndexes=rows";
    let taken = taker
        .sends(target, "text/csv", table.clone())
        .is(201)
        .json();
    assert_eq!(taken["imported"]["used"], 70);
    let copy = text(&taken["id"]);
    let call = taker
        .call("GET", &format!("{copy}/export?all=given-out"))
        .header("Accept", "text/csv");
    assert_eq!(call.send().is(200).text(), table);
}

#[test]
fn a_list_is_taken_back_unchanged_with_what_was_given_out() {
    let house = House::open();
    let school = house.registrar("school");
    let used = json!(scattered(60_000, ENTRIES as u64));
    let list = school.brings(&bits_with(ENTRIES, &[5, 99_999]), Some(&used));
    let given: BTreeSet<u64> = school.allocates(&list, 1_000).into_iter().collect();
    school.sets(&list, *given.first().unwrap(), 1).is(200);
    let exported = school
        .get(&format!("{list}/export?format=json"))
        .is(200)
        .json();
    assert_eq!(exported["length"], ENTRIES);
    assert_eq!(exported["source"], *list);

    let elsewhere = House::open();
    elsewhere.registrar("other");
    let taker = elsewhere.registrar("school");
    let taken = taker.imports(&exported).is(201).json();
    let copy = text(&taken["id"]);
    assert_eq!(
        elsewhere.verifier().reads(&copy),
        house.verifier().reads(&list)
    );
    let again = taker
        .get(&format!("{copy}/export?format=json"))
        .is(200)
        .json();
    for member in [
        "issuer",
        "statusPurpose",
        "statusSize",
        "length",
        "encodedList",
        "usedIndexes",
    ] {
        assert_eq!(again[member], exported[member], "{member}");
    }
    // What is in use there is in use here.
    let fresh: BTreeSet<u64> = taker.allocates(&copy, 10_000).into_iter().collect();
    assert!(fresh.is_disjoint(&given));
    let (lines, _) = school.pages(&format!("{list}/export?all=given-out&limit=100000"));
    for line in lines {
        let row: Value = serde_json::from_str(&line).unwrap();
        assert!(!fresh.contains(&row["index"].as_u64().unwrap()), "{line}");
    }

    // A sealed list stays sealed.
    let sealed = school.brings(&bits_with(ENTRIES, &[5]), None);
    let exported = school
        .get(&format!("{sealed}/export?format=json"))
        .is(200)
        .json();
    assert_eq!(exported.get("usedIndexes"), None);
    assert_eq!(
        taker.imports(&exported).is(201).json()["imported"]["sealed"],
        true
    );
}

#[test]
fn which_indexes_are_in_use_is_for_the_issuer_alone() {
    let house = House::open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let list = school.opens_list("revocation");
    let target = format!("{list}/export");
    house.verifier().get(&target).problem(401);
    other.get(&target).problem(403);
    house.operator().get(&target).is(200);
    school
        .get("/status-lists/000000g123456789abc0/export")
        .problem(404);
    for (query, pointer) in [
        ("format=xml", "?format"),
        ("all=yes", "?all"),
        ("limit=0", "?limit"),
        ("limit=100001", "?limit"),
        ("from=-1", "?from"),
        ("format=json&from=1", "?from"),
        ("colour=red", "?colour"),
    ] {
        let refused = school.get(&format!("{target}?{query}")).problem(400);
        assert_eq!(refused["pointer"], pointer, "{query}");
    }
    let call = school.call("GET", &target).header("Accept", "image/png");
    call.send().problem(406);
}
