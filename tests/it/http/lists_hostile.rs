//! Lists that are opened, paired and brought in ways that nobody meant.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use goodstanding::bitstring::{Bitstring, ListLength, StatusSize, encode};
use goodstanding::store::memory::MemoryEngine;
use goodstanding::store::tables::LIST_STATES;
use goodstanding::time::{Clock as _, Ttl};
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::{House, Plan, clock};
use crate::support::reader::{bit, place};

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

#[test]
fn an_endorsement_says_how_many_bits_its_entry_has() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let plain = board.endorses(&school.id, "profile", false);
    let (revocations, _) = place(&plain["credentialStatus"]);
    // The board opens the suspension list over its endorsements itself, with two bits an entry.
    let messages: Vec<Value> = ["in force", "on hold", "under review", "not asked"]
        .iter()
        .enumerate()
        .map(|(n, message)| json!({ "status": format!("0x{n}"), "message": message }))
        .collect();
    let new = json!({
        "issuer": "board", "statusPurpose": "suspension", "statusSize": 2,
        "statusMessage": messages, "pairedWith": revocations,
    });
    let suspensions = opens(&board, &new);
    let suspendable = board.endorses("https://far.example/x", "profile", true);
    let entry = &suspendable["credentialStatus"][1];
    assert_eq!(entry["statusListCredential"], suspensions);
    assert_eq!(entry["statusSize"], 2);
    assert_eq!(entry["statusMessage"], json!(messages));
    board.does("suspend", &suspendable).is(200);
    let report = house.verifier().verifies(&suspendable);
    assert_eq!(report["outcome"], "suspended", "{report}");
}

fn with_set(index: u64) -> String {
    let length = ListLength::MINIMUM;
    let mut bits: Bitstring = Bitstring::zeroed(length, StatusSize::One);
    bits.set(length.index(index).unwrap(), 1).unwrap();
    encode(bits.as_bytes())
}

#[test]
fn what_is_not_suspendable_is_not_suspended_by_a_list_that_is_brought() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let plain = board.endorses(&school.id, "profile", false);
    let (revocations, index) = place(&plain["credentialStatus"]);
    let before = house.store();
    let brought = json!({
        "issuer": "board", "statusPurpose": "suspension", "encodedList": with_set(index),
        "pairedWith": revocations,
    });
    let problem = board.post("/status-lists/import", &brought).problem(400);
    assert!(
        text(&problem["detail"]).contains("endorsement"),
        "{problem}"
    );
    assert_eq!(house.store(), before);
}

#[test]
fn nobody_keeps_a_list_of_a_moment_longer_than_it_holds() {
    let validity = Ttl::from_seconds(100);
    let house = Plan::new()
        .with_open_history()
        .lists_holding(validity)
        .open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    house.wait(70);
    let then = format!("{list}?timestamp={}", house.now());
    for target in [&list, &then] {
        let answer = house.verifier().get(target).is(200);
        assert_eq!(
            answer.header("cache-control"),
            Some("public, max-age=30"),
            "{target}"
        );
    }
}

#[test]
fn a_key_that_is_revoked_at_the_moment_of_a_change_leaves_its_mark_on_the_list() {
    let house = House::open();
    let school = house.registrar("school");
    school.opens_list("revocation");
    let states = || {
        let mut rows = house.store();
        rows.retain(|(key, _)| key[0] == LIST_STATES.tag());
        rows
    };
    let before = states();
    // A publication under way has signed with the key. It must not take away the mark that the
    // list is to be signed again, and goes by this row.
    let since = json!({ "since": house.now() });
    school
        .post("/profiles/school/keys/key-1/revoke", &since)
        .is(200);
    assert_ne!(states(), before);
    // Nor is the present forgotten by that.
    let list = school.opens_list("suspension");
    let answer = school.get(&format!("{list}?timestamp={}", house.now()));
    answer.is(200);
}

#[test]
fn a_token_list_that_ended_is_signed_again_also_where_its_own_list_holds() {
    let (clock, engine) = (clock(), Arc::new(MemoryEngine::new(clock())));
    let house = Plan::over(engine.clone(), clock.clone()).open();
    let school = house.registrar("school");
    let new = json!({ "issuer": "school", "statusPurpose": "revocation", "formats": ["token"] });
    let list = opens(&school, &new);
    let index = school.allocates(&list, 1)[0];
    let new = json!({ "issuer": "school", "statusPurpose": "suspension", "pairedWith": list });
    let beside = opens(&school, &new);
    // From now on what is signed holds for an hour; the suspension list is signed, and the token
    // list with it.
    let validity = Ttl::from_seconds(3_600);
    let short = Plan::over(engine, clock).seeded(2).left_as_it_was();
    let short = short.lists_holding(validity).open();
    let token = list.replace("/status-lists/", "/token-status-lists/");
    house.wait(1);
    let later = Actor {
        house: &short,
        token: school.token.clone(),
        slug: school.slug.clone(),
        id: school.id.clone(),
    };
    later.sets(&beside, index, 1).is(200);
    short.wait(7_200);
    let claims = claims(&later.get(&token).is(200).text());
    assert!(
        claims["exp"].as_i64() > Some(short.clock.now().seconds()),
        "{claims}"
    );
}

#[test]
fn an_index_that_was_brought_counts_once_as_given_out() {
    let house = Plan::new().filling(60).open();
    let school = house.registrar("school");
    let used: Vec<u64> = (0..65_536).collect();
    let zeros = encode(&[0; 16_384]);
    let brought = json!({
        "issuer": "school", "statusPurpose": "revocation", "encodedList": zeros,
        "usedIndexes": used,
    });
    let list = text(&school.post("/status-lists/import", &brought).is(201).json()["id"]);
    // 60 in 100 are 78,644 of them.
    school.allocates(&list, 10_000);
    let another = json!({ "issuer": "school", "statusPurpose": "revocation" });
    let problem = school.post("/status-lists", &another).problem(409);
    assert!(text(&problem["detail"]).contains("75536"), "{problem}");
    school.allocates(&list, 3_108);
    school.post("/status-lists", &another).is(201);
}

fn claims(jwt: &str) -> Value {
    let claims = jwt.split('.').nth(1).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

#[test]
fn a_token_list_is_kept_for_as_long_as_its_own_list_says() {
    let house = House::open();
    let school = house.registrar("school");
    let new = json!({
        "issuer": "school", "statusPurpose": "revocation", "formats": ["token"], "ttl": 30_000,
    });
    let list = opens(&school, &new);
    let token = list.replace("/status-lists/", "/token-status-lists/");
    let shown = || {
        let answer = school.get(&token).is(200);
        let kept = answer.header("cache-control").unwrap().to_owned();
        (claims(&answer.text())["ttl"].clone(), kept)
    };
    let before = shown();
    assert_eq!(before, (json!(30), "public, max-age=30".to_owned()));
    // A list beside it with a longer ttl is signed, and the token list with it.
    let new = json!({
        "issuer": "school", "statusPurpose": "suspension", "pairedWith": list, "ttl": 86_400_000,
    });
    opens(&school, &new);
    assert_eq!(shown(), before);
}

#[test]
fn a_list_that_is_brought_is_no_way_around_filling_the_one_before() {
    let house = Plan::new().filling(1).open();
    let school = house.registrar("school");
    school.opens_list("revocation");
    let brings = |used: Option<u64>| {
        let mut brought = json!({
            "issuer": "school", "statusPurpose": "revocation", "encodedList": encode(&[0; 16_384]),
        });
        if let Some(used) = used {
            brought["usedIndexes"] = json!((0..used).collect::<Vec<_>>());
        }
        school.post("/status-lists/import", &brought)
    };
    let problem = brings(Some(1_310)).problem(409);
    assert_eq!(problem["type"], "urn:goodstanding:problem:list-has-room");
    // One that is filled so far hides what it gives out, and one that is sealed gives out nothing.
    brings(Some(1_311)).is(201);
    brings(None).is(201);
}
