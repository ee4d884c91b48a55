//! One list in many forms: what each `Accept` gets, entries of several bits with what they mean,
//! the token list of an index space, and renewal ahead of the end.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use goodstanding::time::{Clock as _, Ttl};
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::client::Answer;
use crate::support::house::{House, Plan};
use crate::support::reader::{bit, bits, place};

const EVERYTHING: [&str; 3] = ["bitstring", "token", "2021"];

fn opens(school: &Actor<'_>, more: &Value) -> String {
    let mut new = json!({ "issuer": "school", "statusPurpose": "revocation" });
    for (member, value) in more.as_object().unwrap() {
        new[member] = value.clone();
    }
    text(&school.post("/status-lists", &new).is(201).json()["id"])
}

fn token_list(list: &str) -> String {
    list.replace("/status-lists/", "/token-status-lists/")
}

fn asks(school: &Actor<'_>, target: &str, accept: Option<&str>) -> Answer {
    let call = school.call("GET", target);
    match accept {
        Some(accept) => call.header("accept", accept).send(),
        None => call.send(),
    }
}

/// Each line: what is asked for, and the type of the answer, or 406.
const NEGOTIATION: [(&str, &[(&str, &str)]); 3] = [
    (
        "",
        &[
            ("-", "application/vc"),
            ("*/*", "application/vc"),
            ("application/*", "application/vc"),
            ("application/vc", "application/vc"),
            ("APPLICATION/VC", "application/vc"),
            ("application/json", "application/json"),
            ("application/ld+json", "application/ld+json"),
            ("application/vc+jwt", "application/vc+jwt"),
            (
                "application/vc+jwt;q=0.5, application/json;q=0.4",
                "application/vc+jwt",
            ),
            ("application/vc;q=0, */*", "application/ld+json"),
            (
                "text/html, application/xhtml+xml, */*;q=0.8",
                "application/vc",
            ),
            ("text/html", "406"),
            ("application/statuslist+jwt", "406"),
            ("application/vc+jwt;q=0", "406"),
        ],
    ),
    (
        "/2021",
        &[
            ("-", "application/vc"),
            ("*/*", "application/vc"),
            ("application/json", "application/json"),
            ("application/ld+json", "application/ld+json"),
            ("application/vc+jwt", "406"),
        ],
    ),
    (
        "token",
        &[
            ("-", "application/statuslist+jwt"),
            ("*/*", "application/statuslist+jwt"),
            ("application/*", "application/statuslist+jwt"),
            ("application/statuslist+jwt", "application/statuslist+jwt"),
            ("application/statuslist+cwt", "application/statuslist+cwt"),
            (
                "application/statuslist+cwt, application/statuslist+jwt;q=0.9",
                "application/statuslist+cwt",
            ),
            ("application/json", "406"),
            ("application/vc", "406"),
        ],
    ),
];

#[test]
fn each_accept_has_its_form() {
    let house = House::open();
    let school = house.registrar("school");
    let list = opens(&school, &json!({ "formats": EVERYTHING }));
    for (form, table) in NEGOTIATION {
        let target = match form {
            "token" => token_list(&list),
            tail => format!("{list}{tail}"),
        };
        for (accept, expected) in table {
            let accept = (*accept != "-").then_some(*accept);
            let answer = asks(&school, &target, accept);
            if *expected == "406" {
                answer.is(406);
                continue;
            }
            let answer = answer.is(200);
            let context = format!("{target} {accept:?}");
            assert_eq!(answer.header("content-type"), Some(*expected), "{context}");
            assert_eq!(
                answer.header("vary"),
                Some("Accept, Accept-Encoding"),
                "{context}"
            );
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            let age = answer.header("cache-control").unwrap();
            assert!(age.contains("max-age=60"), "{context}: {age}");
            is_not_sent_twice(&school, &target, accept, &answer);
        }
    }
}

/// The same tag is told the second time, without the body; another form has another tag.
fn is_not_sent_twice(school: &Actor<'_>, target: &str, accept: Option<&str>, answer: &Answer) {
    let tag = answer.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"'), "{tag} is no strong tag");
    let accept = accept.unwrap_or("*/*");
    let again = school.call("GET", target).header("accept", accept);
    let again = again.header("if-none-match", tag.as_str()).send();
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    assert_eq!(again.header("vary"), Some("Accept, Accept-Encoding"));
    let head = school.call("HEAD", target).header("accept", accept).send();
    assert_eq!(head.is(200).header("etag"), Some(tag.as_str()));
    let other = school.call("GET", target).header("accept", accept);
    other.header("if-none-match", "\"other\"").send().is(200);
}

#[test]
fn a_form_that_was_not_asked_for_is_not_there() {
    let house = House::open();
    let school = house.registrar("school");
    let list = opens(&school, &json!({}));
    school.get(&format!("{list}/2021")).problem(404);
    school.get(&token_list(&list)).problem(404);
    let given = school.post(&format!("{list}/entries"), &json!({ "count": 1 }));
    let given = given.is(200).json();
    assert_eq!(
        given.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["entries"]
    );
    let none = school
        .get("/token-status-lists?issuer=school")
        .is(200)
        .json();
    assert_eq!(none, json!({ "status_lists": [] }));
    school.get("/token-status-lists").problem(400);
    school.get("/token-status-lists?issuer=nobody").problem(400);
}

#[test]
fn all_lists_over_one_space_are_one_token_list() {
    let house = House::open();
    let school = house.registrar("school");
    let revocations = opens(&school, &json!({ "formats": ["token"] }));
    let tokens = token_list(&revocations);
    let claims = |target: &str| payload(&text_of(asks(&school, target, None).is(200)));
    assert_eq!(claims(&tokens)["status_list"]["bits"], 1);
    let paired = json!({ "statusPurpose": "suspension", "pairedWith": revocations });
    let suspensions = opens(&school, &paired);
    let said = claims(&tokens);
    assert_eq!(said["status_list"]["bits"], 2);
    assert_eq!(said["sub"], tokens);
    assert_eq!(said["iss"], school.id);
    assert_eq!(said["ttl"], 300);
    let held = said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap();
    assert_eq!(held, 7 * 86_400);
    let all = school.get(said["status_list"]["aggregation_uri"].as_str().unwrap());
    assert_eq!(all.is(200).json(), json!({ "status_lists": [tokens] }));
    // Either list gives out the same claim.
    let give = |list: &str| {
        let given = school.post(&format!("{list}/entries"), &json!({ "count": 1 }));
        given.is(200).json()["status"][0]["status_list"].clone()
    };
    let (first, second) = (give(&revocations), give(&suspensions));
    assert_eq!(
        (&first["uri"], &second["uri"]),
        (&json!(tokens), &json!(tokens))
    );
    let (first, second) = (
        first["idx"].as_u64().unwrap(),
        second["idx"].as_u64().unwrap(),
    );
    assert_ne!(first, second);
    school.sets(&suspensions, first, 1).is(200);
    school.sets(&suspensions, second, 1).is(200);
    school.sets(&revocations, first, 1).is(200);
    let statuses = |index: u64| {
        let lst = text(&claims(&tokens)["status_list"]["lst"]);
        let bytes = unzipped(&BASE64_URL_SAFE_NO_PAD.decode(lst).unwrap());
        bytes[index as usize / 4] >> (index % 4 * 2) & 3
    };
    // A revocation outweighs the suspension.
    assert_eq!((statuses(first), statuses(second)), (1, 2));
    school.sets(&suspensions, second, 0).is(200);
    assert_eq!((statuses(first), statuses(second)), (1, 0));
}

/// The claims of a JWT, whose signature others check (`interop::served_lists`).
fn payload(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn text_of(answer: Answer) -> String {
    String::from_utf8(answer.body).unwrap()
}

fn unzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut out = Vec::new();
    let mut reader = flate2::read::ZlibDecoder::new(bytes);
    reader.read_to_end(&mut out).unwrap();
    out
}

#[test]
fn entries_of_several_bits_say_what_they_mean() {
    let house = House::open();
    let school = house.registrar("school");
    let messages: Vec<Value> = (0..4)
        .map(|n| json!({ "status": format!("{n:#x}"), "message": format!("step {n}") }))
        .collect();
    let list = opens(
        &school,
        &json!({
            "statusPurpose": "message", "statusSize": 2, "statusMessage": messages,
            "statusReference": "https://school.example/steps", "formats": ["token"],
        }),
    );
    let given = school.post(&format!("{list}/entries"), &json!({ "count": 2 }));
    let given = given.is(200).json();
    let entry = &given["entries"][0];
    assert_eq!(
        (&entry["statusSize"], &entry["statusMessage"]),
        (&json!(2), &json!(messages))
    );
    assert_eq!(entry["statusReference"], "https://school.example/steps");
    let index = place(entry).1;
    // As a token list's values 1 and 2 would say that the credential is out of force.
    for (status, words) in [(1, "INVALID"), (2, "SUSPENDED"), (4, "at most 3")] {
        let refused = school.sets(&list, index, status).problem(422);
        let reason = text(&refused["refused"][0]["reason"]);
        assert!(reason.contains(words), "{reason}");
    }
    school.sets(&list, index, 3).is(200);
    let published = school.get(&list).is(200).json();
    let bits = bits(&published);
    let at = 2 * index;
    assert_eq!((bit(&bits, at), bit(&bits, at + 1)), (true, true));
    let lst =
        text(&payload(&text_of(school.get(&token_list(&list)).is(200)))["status_list"]["lst"]);
    let bytes = unzipped(&BASE64_URL_SAFE_NO_PAD.decode(lst).unwrap());
    assert_eq!(bytes[index as usize / 4] >> (index % 4 * 2) & 3, 3);
    assert_eq!(school.looks_up(&list, index)["status"], 3);

    // A badge with the entry is in force, and the verifier hears the message.
    let mut unsigned = badge(&school.id, &school.defines("Welding"));
    unsigned["credentialStatus"] = entry.clone();
    let issued = school.issues(&unsigned);
    let report = school.verifies(&issued);
    assert_eq!(report["outcome"], "active", "{report}");
    assert!(report.to_string().contains("step 3"), "{report}");
    for (member, value) in [
        ("statusSize", json!(1)),
        (
            "statusMessage",
            json!([
                { "status": "0x0", "message": "a" }, { "status": "0x1", "message": "b" },
                { "status": "0x2", "message": "c" }, { "status": "0x3", "message": "d" },
            ]),
        ),
    ] {
        let mut unsigned = badge(&school.id, "https://far.example/welding");
        unsigned["credentialStatus"] = given["entries"][1].clone();
        unsigned["credentialStatus"][member] = value;
        let refused = school.asks_to_issue(&unsigned).problem(400);
        assert!(
            text(&refused["pointer"]).contains("credentialStatus"),
            "{refused}"
        );
    }
}

#[test]
fn a_list_has_a_second_proof_where_it_was_asked_for() {
    let house = House::open();
    let school = house.registrar("school");
    let suites = json!(["eddsa-rdfc-2022", "eddsa-jcs-2022"]);
    let list = opens(&school, &json!({ "cryptosuites": suites }));
    let published = school.get(&list).is(200).json();
    let made = published["proof"].as_array().unwrap().iter();
    let made: Vec<&Value> = made.map(|proof| &proof["cryptosuite"]).collect();
    assert_eq!(json!(made), suites);
    let report = school.verifies(&published);
    assert_eq!(report["outcome"], "active", "{report}");
    // The JWT has no proof within.
    let jwt = text_of(asks(&school, &list, Some("application/vc+jwt")).is(200));
    let claims = payload(&jwt);
    assert_eq!(claims["id"], list);
    assert!(claims.get("proof").is_none());
}

#[test]
fn a_list_is_renewed_before_it_ends_and_lists_not_all_at_once() {
    let house = House::open();
    let school = house.registrar("school");
    let lists: Vec<String> = (0..20).map(|_| opens(&school, &json!({}))).collect();
    let shown = |list: &str| school.get(list).is(200).json();
    let before: Vec<Value> = lists.iter().map(|list| shown(list)).collect();
    let held = |list: &Value| {
        let moment = |member: &str| text(&list[member]).parse().unwrap();
        let (from, until): (goodstanding::time::Timestamp, goodstanding::time::Timestamp) =
            (moment("validFrom"), moment("validUntil"));
        until.millis() - from.millis()
    };
    assert!(before.iter().all(|list| held(list) == 7 * 86_400_000));
    // Up to half of the time nothing is due, and at three quarters everything was.
    let renewed = |house: &House| house.registry.renew_lists(1_000).unwrap();
    house.wait(7 * 43_200 - 60);
    assert_eq!(renewed(&house), 0);
    let mut days = Vec::new();
    for _ in 0..7 {
        house.wait(21_600);
        days.push(renewed(&house));
    }
    house.wait(120);
    days.push(renewed(&house));
    assert_eq!(days.iter().sum::<usize>(), lists.len(), "{days:?}");
    assert!(
        days.iter().filter(|renewed| **renewed > 0).count() > 2,
        "{days:?}"
    );
    for (list, before) in lists.iter().zip(&before) {
        let after = shown(list);
        assert!(text(&after["validFrom"]) > text(&before["validFrom"]));
        assert_eq!(held(&after), 7 * 86_400_000);
    }
    // Where nobody renewed it, one that is asked for after its end is signed again.
    house.clock.advance(Ttl::from_seconds(8 * 86_400));
    let late = shown(&lists[0]);
    assert!(text(&late["validUntil"]) > house.clock.now().to_string());
}

#[test]
fn a_list_is_filled_to_some_part_before_there_is_another() {
    let house = Plan::new().filling(1).open();
    let (school, college) = (house.registrar("school"), house.registrar("college"));
    let first = opens(&school, &json!({}));
    let another = json!({ "issuer": "school", "statusPurpose": "revocation" });
    school.allocates(&first, 1_310);
    let refused = school.post("/status-lists", &another).problem(409);
    assert_eq!(refused["type"], "urn:goodstanding:problem:list-has-room");
    assert_eq!(refused["list"], first);
    assert!(
        text(&refused["detail"]).contains("until 1311 were"),
        "{refused}"
    );
    // For another purpose, beside it, and for another issuer it is no other list.
    let suspension = json!({ "statusPurpose": "suspension" });
    let apart = opens(&school, &suspension);
    opens(
        &school,
        &json!({ "statusPurpose": "refresh", "pairedWith": apart }),
    );
    let theirs = json!({ "issuer": "college", "statusPurpose": "revocation" });
    college.post("/status-lists", &theirs).is(201);
    // The operator may know better.
    house.operator().post("/status-lists", &another).is(201);
    school.allocates(&first, 1);
    let refused = school.post("/status-lists", &another).problem(409);
    assert_ne!(refused["list"], first);
}

#[test]
fn a_list_that_cannot_stand_in_for_another_needs_not_be_filled_before_it() {
    let house = Plan::new().filling(1).open();
    let school = house.registrar("school");
    // It opened by itself, and is a BitstringStatusListCredential alone.
    school.issues(&badge(&school.id, "https://far.example/welding"));
    let more = [
        json!({ "formats": ["token"] }),
        json!({ "formats": ["2021"] }),
        json!({ "formats": ["token", "2021"] }),
        json!({ "cryptosuites": ["eddsa-jcs-2022"] }),
    ];
    let refused = |more: &Value| {
        let mut new = json!({ "issuer": "school", "statusPurpose": "revocation" });
        for (member, value) in more.as_object().unwrap() {
            new[member] = value.clone();
        }
        let refused = school.post("/status-lists", &new).problem(409);
        assert_eq!(refused["type"], "urn:goodstanding:problem:list-has-room");
    };
    refused(&json!({}));
    more.iter().for_each(|more| drop(opens(&school, more)));
    // Each of these is there now, and has room.
    more.iter().for_each(refused);
    refused(&json!({}));
}

#[test]
fn giving_out_an_entry_changes_nothing_that_is_published() {
    let house = House::open();
    let school = house.registrar("school");
    let list = opens(&school, &json!({ "formats": EVERYTHING }));
    let places = [list.clone(), format!("{list}/2021"), token_list(&list)];
    let shown = || {
        let shown = places.iter().map(|place| {
            let answer = school.get(place).is(200);
            let tag = answer.header("etag").unwrap().to_owned();
            (tag, answer.body)
        });
        shown.collect::<Vec<_>>()
    };
    let before = shown();
    house.wait(3_600);
    school.allocates(&list, 100);
    let ids = json!({ "credentialIds": ["urn:uuid:1a8e2bcd-52ab-4c0f-a5c0-0f6f8f1e1f10"] });
    school.post(&format!("{list}/entries"), &ids).is(200);
    assert_eq!(shown(), before);
}
