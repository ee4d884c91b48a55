//! A list that another system kept becomes a list here; its indexes stay what they are.

use std::collections::BTreeSet;

use goodstanding::store::event::{Event, EventKind};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{ENTRIES, bits_with, encoded, gzipped, scattered, zlibbed};
use crate::support::actors::{badge, text};
use crate::support::house::House;

#[test]
fn what_was_revoked_elsewhere_is_revoked_here_and_stays_so() {
    let house = House::open();
    let school = house.registrar("school");
    let set = scattered(500, ENTRIES as u64);
    let bits = bits_with(ENTRIES, &set);
    let body = json!({
        "issuer": school.id, "statusPurpose": "revocation", "encodedList": encoded(&bits),
        "source": "https://old.example/lists/7", "ttl": 60_000,
    });
    let answer = school.imports(&body).is(201);
    let imported = answer.json();
    let list = text(&imported["id"]);
    assert_eq!(answer.header("location"), Some(list.as_str()));
    assert_eq!(
        imported["imported"],
        json!({ "entries": ENTRIES, "given": ENTRIES, "set": set.len(), "used": null, "sealed": true })
    );
    let verifier = house.verifier();
    assert_eq!(verifier.reads(&list), bits);
    assert_eq!(
        verifier.get(&list).is(200).json(),
        imported["verifiableCredential"]
    );
    let subject = &imported["verifiableCredential"]["credentialSubject"];
    assert_eq!(
        (&subject["ttl"], &subject["statusPurpose"]),
        (&json!(60_000), &json!("revocation"))
    );
    let said = verifier.looks_up(&list, set[0]);
    assert_eq!(
        (&said["outcome"], &said["revision"]),
        (&json!("revoked"), &json!(1))
    );
    assert!(!verifier.get(&list).text().contains("old.example"));

    // A revocation is for ever, wherever it was made; any other entry may be in use, and can be
    // revoked.
    assert!(
        text(&school.sets(&list, set[0], 0).problem(422)["detail"]).contains("never goes back")
    );
    let free = (0..).find(|index| !set.contains(index)).unwrap();
    school.sets(&list, free, 1).is(200);
    assert_eq!(verifier.looks_up(&list, free)["outcome"], "revoked");
    // Nobody said which are free, so none is given out.
    let sealed = school
        .post(&format!("{list}/entries"), &json!({ "count": 1 }))
        .problem(409);
    assert_eq!(sealed["type"], "urn:goodstanding:problem:list-sealed");
    assert!(text(&sealed["detail"]).contains("usedIndexes"), "{sealed}");
    let ids = json!({ "credentialIds": ["urn:x:1"] });
    school.post(&format!("{list}/entries"), &ids).problem(409);
}

#[test]
fn the_log_tells_an_import_with_its_digest_and_the_past_begins_with_it() {
    let house = House::open();
    let school = house.registrar("school");
    house.wait(60);
    let before = house.now();
    house.wait(60);
    let bits = bits_with(ENTRIES, &[5]);
    let since = house.engine.head().seq;
    let list = school.brings(&bits, None);
    let events = house.engine.changes(since, 100).unwrap();
    let kinds: Vec<EventKind> = events
        .iter()
        .map(|event| Event::decode(&event.body).unwrap().kind)
        .collect();
    let digest: [u8; 32] = Sha256::digest(&bits).into();
    let told = kinds.iter().find_map(|kind| match *kind {
        EventKind::ListImported { digest, list, .. } => Some((digest, list.to_string())),
        _ => None,
    });
    let id = list.rsplit('/').next().unwrap().to_owned();
    assert_eq!(told, Some((digest, id)));
    assert!(
        kinds
            .iter()
            .any(|kind| matches!(kind, EventKind::ListOpened { .. }))
    );

    let target = format!("/status?list={list}&index=5&at={before}");
    let refused = school.get(&target).problem(404);
    assert!(
        text(&refused["detail"]).contains("was opened at"),
        "{refused}"
    );
    house.wait(60);
    school.sets(&list, 6, 1).is(200);
    let target = format!("/status?list={list}&index=6&at=2026-03-01T09:02:30Z");
    assert_eq!(school.get(&target).is(200).json()["status"], 0);
}

#[test]
fn with_the_used_indexes_the_others_are_given_out_and_no_other_twice() {
    let house = House::open();
    let school = house.registrar("school");
    let used: BTreeSet<u64> = scattered(130_000, ENTRIES as u64).into_iter().collect();
    let set: Vec<u64> = (0..ENTRIES as u64).step_by(9_973).collect();
    let named: Vec<u64> = used.iter().copied().collect();
    let as_bits = json!({ "encodedList": encoded(&bits_with(ENTRIES, &named)) });
    for used_indexes in [json!(named), as_bits] {
        let bits = bits_with(ENTRIES, &set);
        let body = json!({
            "issuer": "school", "statusPurpose": "suspension", "encodedList": encoded(&bits),
            "usedIndexes": used_indexes,
        });
        let imported = school.imports(&body).is(201).json();
        let list = text(&imported["id"]);
        // An entry that is set is in use, whether it is named or not.
        let mut taken = used.clone();
        taken.extend(&set);
        assert_eq!(imported["imported"]["used"], taken.len());
        assert_eq!(imported["imported"]["sealed"], false);
        let mut left = ENTRIES - taken.len();
        assert!(left > 100, "{left}");
        let never = (0..).find(|index| !taken.contains(index)).unwrap();
        let refused = school.sets(&list, never, 1).problem(422);
        assert!(
            text(&refused["detail"]).contains("never given out"),
            "{refused}"
        );
        school.sets(&list, named[0], 1).is(200);
        while left > 0 {
            let count = left.min(97);
            for index in school.allocates(&list, count as u64) {
                assert!(taken.insert(index), "{index} was in use");
            }
            left -= count;
        }
        assert_eq!(taken.len(), ENTRIES);
        let full = school
            .post(&format!("{list}/entries"), &json!({ "count": 5 }))
            .problem(409);
        assert_eq!(
            (&full["type"], &full["remaining"]),
            (&json!("urn:goodstanding:problem:list-full"), &json!(0))
        );
    }
}

#[test]
fn credentials_of_a_table_are_changed_by_their_ids() {
    let house = House::open();
    let school = house.registrar("school");
    let rows =
        "index,status,credentialId\r\n7,0,urn:old:7\r\n90000,1,\"urn:old:\"\"q\"\"\"\r\n12,1,\r\n";
    let target = "/status-lists/import?issuer=school&statusPurpose=suspension&usedIndexes=rows";
    let imported = school.sends(target, "text/csv", rows).is(201).json();
    let list = text(&imported["id"]);
    assert_eq!(
        imported["imported"],
        json!({ "entries": ENTRIES, "given": 3, "set": 2, "used": 3, "sealed": false })
    );
    assert_eq!(
        school.get("/status?credential=urn:old:7").is(200).json()["outcome"],
        "active"
    );
    let body = json!({ "updates": [{ "credentialId": "urn:old:7", "status": 1 }] });
    school.post(&format!("{list}/updates"), &body).is(200);
    assert_eq!(
        school.get("/status?credential=urn:old:7").is(200).json()["outcome"],
        "suspended"
    );
    // The credential keeps its index, and nobody else gets it.
    let ids = json!({ "credentialIds": ["urn:old:7", "urn:new:1"] });
    let entries = school.post(&format!("{list}/entries"), &ids).is(200).json();
    assert_eq!(entries["entries"][0]["statusListIndex"], "7");
    assert!(
        !["7", "12", "90000"].contains(&text(&entries["entries"][1]["statusListIndex"]).as_str())
    );

    // The same as lines of JSON, over the same indexes, for another purpose.
    let target =
        format!("/status-lists/import?issuer=school&statusPurpose=revocation&pairedWith={list}");
    let rows = "{\"index\":90000,\"status\":1,\"credentialId\":\"urn:old:\\\"q\\\"\"}\n";
    let paired = school
        .sends(&target, "application/x-ndjson", rows)
        .is(201)
        .json();
    assert_eq!(paired["imported"]["sealed"], false);
    let said = school
        .get("/status?credential=urn:old:%22q%22")
        .is(200)
        .json();
    assert_eq!(
        (&said["outcome"], said["entries"].as_array().unwrap().len()),
        (&json!("revoked"), 2)
    );
    // Over indexes that were never given out there is nothing to say.
    let target = target.replace("revocation", "refresh");
    let rows = "{\"index\":1,\"status\":1}\n";
    let refused = school
        .sends(&target, "application/x-ndjson", rows)
        .problem(400);
    assert_eq!(refused["pointer"], "/pairedWith");
    // An index is one credential's.
    let rows = "index,status,credentialId\n7,0,urn:other\n";
    school.sends(&target, "text/csv", rows).problem(409);
}

#[test]
fn every_format_is_read_and_a_short_list_is_extended() {
    let house = House::open();
    let school = house.registrar("school");
    let bits = bits_with(800, &[0, 3, 799]);
    let base = json!({ "issuer": "school", "statusPurpose": "revocation" });
    let with = |more: serde_json::Value| {
        let mut body = base.clone();
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    // The same bits from the least significant end; and two bits an entry, 1 invalid, 2 suspended.
    let lsb: Vec<u8> = bits.iter().map(|byte| byte.reverse_bits()).collect();
    let mut two = vec![0_u8; 200];
    (two[0], two[1], two[199]) = (0b0100_0001, 0b0000_0010, 0b0100_0000);
    for (body, expected) in [
        (
            with(json!({ "encodedList": encoded(&bits) })),
            vec![0, 3, 799],
        ),
        (
            with(json!({ "encodedList": gzipped(&bits), "format": "2021" })),
            vec![0, 3, 799],
        ),
        (
            with(json!({ "encodedList": zlibbed(&lsb), "format": "token" })),
            vec![0, 3, 799],
        ),
        (
            with(json!({ "encodedList": zlibbed(&two), "format": "token", "statusSize": 2 })),
            vec![0, 3, 799],
        ),
        (
            with(
                json!({ "encodedList": zlibbed(&two), "format": "token", "statusSize": 2, "statusPurpose": "suspension" }),
            ),
            vec![4],
        ),
        (
            with(json!({ "encodedList": encoded(&bits), "length": 200_003 })),
            vec![0, 3, 799],
        ),
    ] {
        let imported = school.imports(&body).is(201).json();
        let entries = if body["length"].is_null() {
            ENTRIES
        } else {
            200_008
        };
        assert_eq!(imported["imported"]["entries"], entries, "{body}");
        assert_eq!(imported["imported"]["given"], 800);
        let read = house.verifier().reads(&text(&imported["id"]));
        assert_eq!(read, bits_with(entries, &expected), "{body}");
    }
    // Four values an entry, with what each means.
    let messages = json!([
        { "status": "0x0", "message": "sent" }, { "status": "0x1", "message": "read" },
        { "status": "0x2", "message": "lost" }, { "status": "0x3", "message": "found" },
    ]);
    let body = with(json!({
        "statusPurpose": "message", "encodedList": encoded(&[0b0001_1011; 200]),
        "statusSize": 2, "statusMessage": messages,
    }));
    let imported = school.imports(&body).is(201).json();
    let list = text(&imported["id"]);
    assert_eq!(imported["imported"]["set"], 600);
    let statuses: Vec<_> = (0..4)
        .map(|index| house.verifier().looks_up(&list, index)["status"].clone())
        .collect();
    assert_eq!(statuses, [0, 1, 2, 3]);
    let exported = school
        .get(&format!("{list}/export?format=json"))
        .is(200)
        .json();
    assert_eq!(exported["statusMessage"], messages);
    assert_eq!(
        school.imports(&exported).is(201).json()["imported"]["set"],
        600
    );
}

#[test]
fn a_list_credential_is_taken_by_what_it_says() {
    let house = House::open();
    let school = house.registrar("school");
    let other = house.registrar("other");
    let bits = bits_with(ENTRIES, &[11]);
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "https://old.example/lists/1",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": "did:web:old.example",
        "validFrom": "2025-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "https://old.example/lists/1#list", "type": "BitstringStatusList",
            "statusPurpose": "suspension", "ttl": 120_000, "encodedList": encoded(&bits),
        },
    });
    let body = json!({ "issuer": "school", "credential": credential });
    let imported = school.imports(&body).is(201).json();
    let list = text(&imported["id"]);
    assert_eq!(house.verifier().reads(&list), bits);
    let subject = &imported["verifiableCredential"]["credentialSubject"];
    assert_eq!(
        (&subject["statusPurpose"], &subject["ttl"]),
        (&json!("suspension"), &json!(120_000))
    );

    let legacy = json!({
        "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/vc/status-list/2021/v1"],
        "id": "https://old.example/lists/2",
        "type": ["VerifiableCredential", "StatusList2021Credential"],
        "issuer": "did:web:old.example", "issuanceDate": "2025-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "https://old.example/lists/2#list", "type": "StatusList2021",
            "statusPurpose": "revocation", "encodedList": gzipped(&bits),
        },
    });
    let body = json!({ "issuer": "school", "credential": legacy });
    let imported = school.imports(&body).is(201).json();
    assert_eq!(house.verifier().reads(&text(&imported["id"])), bits);

    // What is handed in beside it must not say otherwise, and it must not be somebody else's.
    for (pointer, value, at) in [
        ("/statusPurpose", json!("revocation"), "/statusPurpose"),
        ("/format", json!("bitstring"), "/format"),
        ("/credential/issuer", json!(other.id), "/credential"),
        (
            "/credential/type",
            json!(["VerifiableCredential"]),
            "/credential",
        ),
        (
            "/credential/credentialSubject/encodedList",
            json!("uAAAA"),
            "/credential",
        ),
    ] {
        let mut body = json!({ "issuer": "school", "credential": credential });
        match body.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => body[&pointer[1..]] = value,
        }
        let refused = school.imports(&body).problem(400);
        assert_eq!(refused["pointer"], at, "{refused}");
    }
}

#[test]
fn an_import_is_the_issuers_and_is_made_once() {
    let house = House::open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let bits = bits_with(ENTRIES, &[1]);
    let body = json!({
        "issuer": "school", "statusPurpose": "revocation", "encodedList": encoded(&bits),
    });
    let before = house.store();
    other.imports(&body).problem(403);
    assert_eq!(house.store(), before);
    let send = |body: &serde_json::Value| {
        let call = school.call("POST", "/status-lists/import").key("k");
        call.json(body).send()
    };
    let first = send(&body).is(201).json();
    let after = house.store();
    assert_eq!(send(&body).is(201).json(), first);
    assert_eq!(house.store(), after);
    let mut changed = body.clone();
    changed["statusPurpose"] = json!("suspension");
    send(&changed).problem(422);
    house.operator().imports(&body).is(201);
}

#[test]
fn a_credential_keeps_the_entry_that_it_had_elsewhere() {
    let house = House::open();
    let school = house.registrar("school");
    let bits = bits_with(ENTRIES, &[]);
    let sealed = school.brings(&bits, None);
    let known = school.brings(&bits, Some(&json!([7])));
    let carrying = |list: &str, index: u64| {
        let mut unsigned = badge(&school.id, "https://far.example/welding");
        unsigned["credentialStatus"] = json!({
            "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
            "statusListIndex": index.to_string(), "statusListCredential": list,
        });
        school.asks_to_issue(&unsigned)
    };
    for list in [&sealed, &known] {
        let issued = carrying(list, 7).is(201).json()["verifiableCredential"].clone();
        assert_eq!(issued["credentialStatus"]["statusListIndex"], "7");
        school.sets(list, 7, 1).is(200);
        let said = house.verifier().verifies(&issued);
        assert_eq!(said["outcome"], "revoked", "{said}");
        // It is that credential's now.
        carrying(list, 7).problem(409);
    }
    let refused = carrying(&known, 8).problem(400);
    assert!(
        text(&refused["detail"]).contains("never given out"),
        "{refused}"
    );
}
