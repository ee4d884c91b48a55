//! Issuing (VCALM 1.0): what is filled in, what is kept, and what is refused.

use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::{House, ORIGIN};
use crate::support::reader::{bit, place};

const ELSEWHERE: &str = "https://far.example/welding";

/// A status entry that names only what it is for.
fn open_entry(purpose: &str) -> Value {
    json!({ "type": "BitstringStatusListEntry", "statusPurpose": purpose })
}

#[test]
fn what_is_missing_is_filled_in_for_each_form_of_issuer() {
    let house = House::open();
    let operator = house.operator();
    for (slug, id_form, prefix) in [
        ("one", "did:web", "did:web:registry.example:profiles:one#"),
        ("two", "https", "https://registry.example/profiles/two#"),
        ("three", "did:key", "did:key:z6Mk"),
    ] {
        let school = operator.registers(slug, &["issuer"], id_form);
        let unsigned = badge(&school.id, ELSEWHERE);
        let issued = school.issues(&unsigned);
        let id = text(&issued["id"]);
        assert_eq!(
            (id.len(), &id[..9], &id[23..24]),
            (45, "urn:uuid:", "4"),
            "{id}"
        );
        assert_eq!(issued["validFrom"], "2026-03-01T09:00:00Z");
        assert_eq!(issued["credentialStatus"]["statusPurpose"], "revocation");
        let (list, index) = place(&issued["credentialStatus"]);
        let published = house.call("GET", &list).send().is(200).json();
        assert_eq!(published["issuer"], school.id);
        assert!(!bit(&house.verifier().reads(&list), index));
        let proof = &issued["proof"];
        assert_eq!(proof["type"], "DataIntegrityProof");
        assert_eq!(proof["cryptosuite"], "eddsa-rdfc-2022");
        assert!(
            text(&proof["verificationMethod"]).starts_with(prefix),
            "{proof}"
        );
        // All that was given is there as it was given.
        for (member, value) in unsigned.as_object().unwrap() {
            assert_eq!(issued[member], *value);
        }
        assert_eq!(house.verifier().verifies(&issued)["outcome"], "active");
    }
}

#[test]
fn what_is_given_is_kept() {
    let house = House::open();
    let school = house.registrar("school");
    let mut unsigned = badge(&school.id, ELSEWHERE);
    unsigned["id"] = json!("https://school.example/badges/1");
    unsigned["validFrom"] = json!("2026-01-01T00:00:00Z");
    unsigned["validUntil"] = json!("2030-01-01T00:00:00Z");
    unsigned["credentialStatus"] = json!({
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://far.example/status/3",
    });
    let issued = school.issues(&unsigned);
    for (member, value) in unsigned.as_object().unwrap() {
        assert_eq!(issued[member], *value, "{member}");
    }
    // The id may come as an option, and the issuer by any of its names.
    for named in [school.slug.clone(), format!("{ORIGIN}/profiles/school")] {
        let body = json!({
            "credential": badge(&named, ELSEWHERE),
            "options": { "credentialId": "urn:school:2", "mandatoryPointers": [] },
        });
        let issued = school.post("/credentials/issue", &body).is(201).json();
        let issued = &issued["verifiableCredential"];
        assert_eq!(issued["id"], "urn:school:2");
        assert_eq!(issued["issuer"]["id"], school.id);
        assert_eq!(house.verifier().verifies(issued)["outcome"], "active");
    }
    let mut bare = badge(&school.id, ELSEWHERE);
    bare["issuer"] = json!(school.id);
    assert_eq!(school.issues(&bare)["issuer"], school.id);
}

#[test]
fn entries_that_name_only_a_purpose_get_their_place() {
    let house = House::open();
    let school = house.registrar("school");
    let mut unsigned = badge(&school.id, ELSEWHERE);
    unsigned["credentialStatus"] = open_entry("suspension");
    let issued = school.issues(&unsigned);
    assert_eq!(issued["credentialStatus"]["statusPurpose"], "suspension");
    place(&issued["credentialStatus"]);

    let foreign = json!({
        "type": "BitstringStatusListEntry",
        "statusPurpose": "message",
        "statusListIndex": "7",
        "statusListCredential": "https://far.example/status/9",
    });
    unsigned["credentialStatus"] =
        json!([open_entry("suspension"), foreign, open_entry("revocation")]);
    let issued = school.issues(&unsigned);
    let entries = issued["credentialStatus"].as_array().unwrap();
    assert_eq!(entries[1], foreign);
    assert_eq!(entries[0]["statusPurpose"], "suspension");
    assert_eq!(entries[2]["statusPurpose"], "revocation");
    let [(suspensions, index), (revocations, same)] = [place(&entries[0]), place(&entries[2])];
    assert_eq!(index, same);
    assert_ne!(suspensions, revocations);

    // A place that the school took beforehand is good; one that it never got is not.
    let list = school.opens_list("revocation");
    let taken = school.allocates(&list, 1)[0];
    let complete = |list: &str, index: u64, purpose: &str| {
        let mut unsigned = badge(&school.id, ELSEWHERE);
        unsigned["credentialStatus"] = json!({
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": index.to_string(),
            "statusListCredential": list,
        });
        unsigned
    };
    let issued = school.issues(&complete(&list, taken, "revocation"));
    assert_eq!(house.verifier().verifies(&issued)["outcome"], "active");
    let stranger = house.registrar("stranger");
    let others = stranger.opens_list("revocation");
    let theirs = stranger.allocates(&others, 1)[0];
    let never = if taken == 0 { 1 } else { 0 };
    let before = house.store();
    for (unsigned, member) in [
        (complete(&list, never, "revocation"), "statusListIndex"),
        (complete(&list, 131_072, "revocation"), "statusListIndex"),
        (complete(&list, taken, "suspension"), "statusPurpose"),
        (
            complete(&others, theirs, "revocation"),
            "statusListCredential",
        ),
    ] {
        let refused = school.asks_to_issue(&unsigned).problem(400);
        assert!(text(&refused["pointer"]).ends_with(member), "{refused}");
    }
    assert_eq!(house.store(), before);
}

/// Changes a credential in one way before it is to be issued.
type Spoil = fn(&mut Value);

#[test]
fn what_cannot_be_signed_as_it_stands_is_refused_by_name() {
    let house = House::open();
    let school = house.registrar("school");
    let before = house.store();
    let cases: &[(u16, &str, Spoil)] = &[
        (400, "proof", |c| {
            c["proof"] = json!({ "type": "DataIntegrityProof" })
        }),
        (422, "grade", |c| c["grade"] = json!("A")),
        (422, "grade", |c| {
            c["credentialSubject"]["grade"] = json!("A")
        }),
        (422, "https://far.example/context/v1", |c| {
            let contexts = c["@context"].as_array_mut().unwrap();
            contexts.push(json!("https://far.example/context/v1"));
        }),
        (400, "issuer", |c| {
            drop(c.as_object_mut().unwrap().remove("issuer"))
        }),
        (400, "nobody", |c| {
            c["issuer"]["id"] = json!("did:web:nobody.example")
        }),
        (400, "credentialSubject", |c| {
            drop(c.as_object_mut().unwrap().remove("credentialSubject"))
        }),
        (400, "@context", |c| {
            drop(c.as_object_mut().unwrap().remove("@context"))
        }),
        (400, "validFrom", |c| c["validFrom"] = json!("yesterday")),
        (400, "2020-01-01", |c| {
            c["validUntil"] = json!("2020-01-01T00:00:00Z")
        }),
        (400, "type", |c| c["type"] = json!(["OpenBadgeCredential"])),
        (400, "/credentialStatus", |c| {
            c["credentialStatus"] = json!(null)
        }),
        (400, "/credentialStatus", |c| {
            c["credentialStatus"] = open_entry("refresh")
        }),
        (400, "/credentialStatus", |c| {
            c["credentialStatus"] = json!({ "type": "Other" })
        }),
        (400, "credentialStatus", |c| {
            c["credentialStatus"] = json!([])
        }),
        (400, "criteria", |c| {
            let achievement = c["credentialSubject"]["achievement"]
                .as_object_mut()
                .unwrap();
            achievement.remove("criteria");
        }),
    ];
    for (status, named, spoil) in cases {
        let mut unsigned = badge(&school.id, ELSEWHERE);
        spoil(&mut unsigned);
        let refused = school.asks_to_issue(&unsigned).problem(*status);
        let told = format!("{} {}", refused["detail"], refused["pointer"]);
        assert!(told.contains(named), "{named}: {refused}");
    }
    for not in [json!(null), json!([]), json!("x")] {
        let refused = school.asks_to_issue(&not).problem(400);
        assert!(
            text(&refused["pointer"]).starts_with("/credential"),
            "{refused}"
        );
    }
    assert_eq!(house.store(), before);
}

/// Has each issued, and demands that it is refused without a trace.
fn refuses_each(house: &House, school: &Actor<'_>, bodies: impl IntoIterator<Item = Value>) {
    let mut taken = Vec::new();
    for (n, body) in bodies.into_iter().enumerate() {
        let before = house.store();
        let answer = school.post("/credentials/issue", &body);
        if answer.status == 400 {
            answer.problem(400);
            assert!(house.store() == before, "case {n}: something was stored");
        } else {
            taken.push((n, answer.status));
        }
    }
    assert!(taken.is_empty(), "cases that were not refused: {taken:?}");
}

#[test]
fn an_id_that_is_none_is_not_replaced_in_silence() {
    let house = House::open();
    let school = house.registrar("school");
    let ids = [
        json!(42),
        json!(null),
        json!(["urn:x"]),
        json!(""),
        json!("no url"),
    ];
    let bodies = ids.map(|id| {
        let mut unsigned = badge(&school.id, ELSEWHERE);
        unsigned["id"] = id;
        json!({ "credential": unsigned })
    });
    refuses_each(&house, &school, bodies);
}

#[test]
fn an_option_is_followed_or_refused() {
    let house = House::open();
    let school = house.registrar("school");
    let unsigned = badge(&school.id, ELSEWHERE);
    let mut with_id = unsigned.clone();
    with_id["id"] = json!("urn:a");
    // An id that is no URL, one beside another, and pointers of a kind of proof not made here.
    let bodies = [
        json!({ "credential": unsigned, "options": { "credentialId": "no url" } }),
        json!({ "credential": with_id, "options": { "credentialId": "urn:b" } }),
        json!({ "credential": with_id, "options": { "mandatoryPointers": ["/issuer"] } }),
    ];
    refuses_each(&house, &school, bodies);
}

#[test]
fn a_status_entry_is_not_stripped_in_silence() {
    let house = House::open();
    let school = house.registrar("school");
    let more = [
        ("statusSize", json!(2)),
        ("statusReference", json!("https://school.example/why")),
        ("colour", json!("red")),
    ];
    let bodies = more.map(|(member, value)| {
        let mut unsigned = badge(&school.id, ELSEWHERE);
        unsigned["credentialStatus"] = open_entry("revocation");
        unsigned["credentialStatus"][member] = value;
        json!({ "credential": unsigned })
    });
    refuses_each(&house, &school, bodies);
}

#[test]
fn unknown_members_of_a_request_have_the_type_that_vcalm_gives_them() {
    let house = House::open();
    let school = house.registrar("school");
    let good = school.issues(&badge(&school.id, ELSEWHERE));
    let before = house.store();
    let issue = json!({ "credential": badge(&school.id, ELSEWHERE) });
    let verify = json!({ "verifiableCredential": good });
    let presentation = json!({ "verifiablePresentation": { "type": "VerifiablePresentation" } });
    for (target, body) in [
        ("/credentials/issue", issue),
        ("/credentials/verify", verify),
        ("/presentations/verify", presentation),
    ] {
        for (place, pointer) in [("", ""), ("/options", "/options")] {
            let mut body = body.clone();
            body["options"] = json!({});
            let spoiled = body.pointer_mut(place).unwrap();
            spoiled["haste"] = json!(true);
            let refused = unknown_option(&school, target, &body);
            assert_eq!(refused["pointer"], pointer, "{target}");
        }
    }
    let mut change = json!({
        "credentialId": good["id"], "credentialStatus": open_entry("revocation"), "status": true,
    });
    change["haste"] = json!(true);
    unknown_option(&school, "/credentials/status", &change);
    assert_eq!(house.store(), before);
}

fn unknown_option(actor: &Actor<'_>, target: &str, body: &Value) -> Value {
    let refused = actor.post(target, body).problem(400);
    let kind = "https://www.w3.org/TR/vcalm#UNKNOWN_OPTION_PROVIDED";
    assert_eq!(refused["type"], kind, "{target}: {refused}");
    assert!(text(&refused["detail"]).contains("haste"), "{refused}");
    refused
}
