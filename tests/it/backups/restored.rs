//! The drill: a registry gives out, revokes and publishes; is backed up; goes on; is lost; and comes back
//! from the old backup. Nothing is given out twice, nothing that verifiers know as revoked is in force
//! again without being told, and what was published is put back.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use goodstanding::ids::{ListId, Seq};
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::actors::{Actor, badge, text};
use crate::support::house::House;
use crate::support::reader::{bit, place};

/// A list in every form in which it is published.
fn published(by: &Actor<'_>, list: &str) -> Vec<(&'static str, Value)> {
    let get = |target: &str, accept: &str| {
        let answer = by.call("GET", target).header("accept", accept).send();
        answer.is(200).body
    };
    let token = list.replace("/status-lists/", "/token-status-lists/");
    let json = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    let text = |bytes: Vec<u8>| Value::from(String::from_utf8(bytes).unwrap());
    vec![
        ("bitstring", json(get(list, "application/vc"))),
        ("jwt", text(get(list, "application/vc+jwt"))),
        ("2021", json(get(&format!("{list}/2021"), "application/vc"))),
        ("token jwt", text(get(&token, "application/statuslist+jwt"))),
        (
            "token cwt",
            BASE64_URL_SAFE_NO_PAD
                .encode(get(&token, "application/statuslist+cwt"))
                .into(),
        ),
    ]
}

fn opens(school: &Actor<'_>, purpose: &str, beside: Option<&str>) -> String {
    let mut new = json!({ "issuer": school.slug, "statusPurpose": purpose });
    new["formats"] = json!(["bitstring", "token", "2021"]);
    if let Some(other) = beside {
        new["pairedWith"] = other.into();
    }
    text(&school.post("/status-lists", &new).is(201).json()["id"])
}

fn puts_back(house: &House, lists: &[Value], more: &Value) -> Value {
    let mut body = json!({ "lists": lists });
    for (member, value) in more.as_object().unwrap() {
        body[member] = value.clone();
    }
    let answer = house.operator().post("/status-lists/put-back", &body);
    answer.is(200).json()
}

fn outcome(house: &House, list: &str, index: u64) -> String {
    text(&house.operator().looks_up(list, index)["outcome"])
}

/// The newest revision of a list, as the change feed tells it.
fn revision(house: &House, list: &str) -> u64 {
    let since = house.registry.published_since(Seq(0), usize::MAX);
    let found = since.unwrap().found;
    let of_list = found.iter().filter(|told| told.urls[0] == list);
    of_list.map(|told| told.revision.0).max().unwrap()
}

fn profile_number(list: &str) -> u32 {
    let id: ListId = list.rsplit('/').next().unwrap().parse().unwrap();
    id.owner().0
}

fn key_names(house: &House, slug: &str) -> BTreeSet<String> {
    let keys = house.operator().get(&format!("/profiles/{slug}/keys"));
    let keys = keys.is(200).json()["keys"].take();
    let names = keys.as_array().unwrap().iter();
    names.map(|key| text(&key["id"])).collect()
}

/// A registry with a token of its school, as it is after a restore too.
fn school_of<'h>(house: &'h House, token: &Option<String>, id: &str) -> Actor<'h> {
    Actor {
        house,
        token: token.clone(),
        slug: "school".to_owned(),
        id: id.to_owned(),
    }
}

struct Before {
    list: String,
    suspension: String,
    token: Option<String>,
    id: String,
    /// Every place that was ever given out.
    given: BTreeSet<(String, u64)>,
    first: Vec<u64>,
    later: Vec<u64>,
    old_form: Vec<(&'static str, Value)>,
    new_form: Vec<(&'static str, Value)>,
    revision: u64,
    late: u32,
    keys: BTreeSet<String>,
    lost_key: String,
    lost_list: Value,
}

/// Everything up to the loss. The backup is number 1.
fn until_the_loss(scene: &Scene) -> Before {
    let house = scene.house();
    let school = house.registrar("school");
    let list = opens(&school, "revocation", None);
    let suspension = opens(&school, "suspension", Some(&list));
    let first = school.allocates(&list, 50);
    school.sets(&list, first[0], 1).is(200);
    let unsigned = badge(&school.id, "https://far.example/welding");
    let credential = school.issues(&unsigned);
    let mut given: BTreeSet<_> = first.iter().map(|index| (list.clone(), *index)).collect();
    given.insert(place(&credential["credentialStatus"]));

    scene.back_up(&house.engine);

    // From here on nothing is in the backup.
    let later = school.allocates(&list, 50);
    given.extend(later.iter().map(|index| (list.clone(), *index)));
    given.insert(place(&school.issues(&unsigned)["credentialStatus"]));
    school.sets(&list, first[1], 1).is(200);
    school.sets(&list, later[0], 1).is(200);
    school.sets(&suspension, first[2], 1).is(200);
    let old_form = published(&school, &list);
    let lost_list = house.registrar("late").opens_list("revocation");
    let late = profile_number(&lost_list);
    let lost_list = house.call("GET", &lost_list).send().is(200).json();
    // A key that is lost with the rest.
    school.post("/profiles/school/keys", &json!({})).is(201);
    house.wait(3_600);
    school
        .post("/profiles/school/keys/key-1/retire", &json!({}))
        .is(200);
    school.sets(&list, later[1], 1).is(200);
    let new_form = published(&school, &list);
    let keys = school.get("/profiles/school/keys").is(200).json();
    let lost_key = keys["keys"][1]["publicKeyMultibase"].clone();
    Before {
        revision: revision(&house, &list),
        keys: key_names(&house, "school"),
        token: school.token.clone(),
        id: school.id.clone(),
        lost_key: text(&lost_key),
        list,
        suspension,
        given,
        first,
        later,
        old_form,
        new_form,
        late,
        lost_list,
    }
}

#[test]
fn nothing_is_given_out_twice_and_what_was_revoked_stays_so() {
    let scene = Scene::new();
    let before = until_the_loss(&scene);
    fs::remove_dir_all(scene.home.path().join("first")).unwrap();

    let house = scene.restored(1, "second", 2);
    let school = school_of(&house, &before.token, &before.id);
    let list = &before.list;
    house.call("GET", "/health/ready").send().is(200);

    // No entry of a list that was open is given out; its statuses can be changed.
    let refused = school.post(&format!("{list}/entries"), &json!({ "count": 1 }));
    let refused = refused.problem(409);
    assert_eq!(
        refused["type"],
        "urn:goodstanding:problem:list-sealed-by-restore"
    );
    let named = json!({ "credentialIds": ["urn:example:new"] });
    school.post(&format!("{list}/entries"), &named).problem(409);
    let another = opens(&school, "revocation", None);
    let mut given: BTreeSet<_> = school
        .allocates(&another, 100)
        .into_iter()
        .map(|index| (another.clone(), index))
        .collect();
    let unsigned = badge(&before.id, "https://far.example/welding");
    for _ in 0..3 {
        given.insert(place(&school.issues(&unsigned)["credentialStatus"]));
    }
    assert_eq!(given.len(), 103);
    assert!(
        given.is_disjoint(&before.given),
        "a place was given out twice"
    );

    // What names things goes on behind what was given out.
    let late = house.registrar("late").opens_list("revocation");
    assert!(profile_number(&late) > before.late);
    school.post("/profiles/school/keys", &json!({})).is(201);
    let keys = key_names(&house, "school");
    let new: Vec<_> = keys.difference(&before.keys).collect();
    assert_eq!(new.len(), 1, "{keys:?} after {:?}", before.keys);
    assert!(revision(&house, list) > before.revision);
    let signed = school.get(list).is(200).json();
    let lost = &before.new_form[0].1;
    assert!(
        text(&signed["validFrom"]) > text(&lost["validFrom"]),
        "caches take the newer one"
    );

    // The decision is in the log, with what followed.
    let events = house.operator().get("/events?limit=1000").is(200).json();
    let events = events["events"].as_array().unwrap();
    let kinds: Vec<&str> = events.iter().filter_map(|e| e["type"].as_str()).collect();
    let taken = kinds
        .iter()
        .position(|kind| *kind == "store.taken")
        .unwrap();
    let told = events[taken].to_string();
    assert!(
        told.contains("\"why\":\"restored\"") && told.contains("\"epoch\":1"),
        "{told}"
    );
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "space.sealed").count(),
        2
    );

    // Put back: first it is told, then it is done, and then there is nothing more to do.
    assert_eq!(outcome(&house, list, before.first[0]), "revoked");
    assert_eq!(
        outcome(&house, list, before.first[1]),
        "active",
        "lost with the rest"
    );
    let old: Vec<Value> = before
        .old_form
        .iter()
        .map(|(_, list)| list.clone())
        .collect();
    let dry = puts_back(&house, &old, &json!({ "dryRun": true }));
    for (told, (form, _)) in dry["lists"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&before.old_form)
    {
        assert_eq!(told["taken"], true, "{form}: {told}");
        assert_eq!(told["found"][0]["missing"], 2, "{form}: {told}");
    }
    assert_eq!(
        outcome(&house, list, before.first[1]),
        "active",
        "only told"
    );
    let done = puts_back(&house, &old[..1], &json!({}));
    assert_eq!(done["lists"][0]["found"][0]["set"], 2);
    for index in [before.first[1], before.later[0]] {
        assert_eq!(outcome(&house, list, index), "revoked");
        assert!(bit(&school.reads(list), index));
    }
    let again = puts_back(&house, &old, &json!({}));
    let set = again["lists"].as_array().unwrap().iter();
    assert!(
        set.clone().all(|told| told["found"][0]["set"] == 0),
        "{again}"
    );
    // A token list shows who is suspended; that is told, and done where it is asked for.
    let token = &again["lists"][3]["found"][1];
    assert_eq!(
        (&token["suspended"], &token["set"]),
        (&json!(1), &json!(0)),
        "{token}"
    );
    assert_eq!(
        outcome(&house, &before.suspension, before.first[2]),
        "active"
    );
    puts_back(&house, &old[3..4], &json!({ "suspensions": "set" }));
    assert_eq!(
        outcome(&house, &before.suspension, before.first[2]),
        "suspended"
    );

    // What a lost key has signed is believed when whoever runs the registry says whose key it was.
    for (form, list) in &before.new_form {
        let told = puts_back(&house, std::slice::from_ref(list), &json!({}));
        let reason = text(&told["lists"][0]["reason"]);
        assert!(
            reason.contains("no key that this store knows"),
            "{form}: {reason}"
        );
    }
    for (form, list) in &before.new_form {
        let lost = json!({ "lostKeys": [before.lost_key], "dryRun": true });
        let told = puts_back(&house, std::slice::from_ref(list), &lost);
        assert_eq!(told["lists"][0]["found"][0]["missing"], 1, "{form}: {told}");
    }
    let lost = json!({ "lostKeys": [before.lost_key], "reason": "restored on Monday" });
    puts_back(&house, &[before.new_form[4].1.clone()], &lost);
    assert_eq!(outcome(&house, list, before.later[1]), "revoked");
    let revoked = |index: &u64| outcome(&house, list, *index) == "revoked";
    let all: Vec<&u64> = before.first.iter().chain(&before.later).collect();
    assert_eq!(all.iter().filter(|index| revoked(index)).count(), 4);

    // A list that was opened after the backup is not here.
    let told = puts_back(&house, std::slice::from_ref(&before.lost_list), &json!({}));
    let reason = text(&told["lists"][0]["reason"]);
    assert!(reason.contains("opened after the copy"), "{reason}");
}

/// The same backup restored twice: what the first of the two lives gave out is not given out in the second.
#[test]
fn an_old_backup_can_be_restored_twice() {
    let scene = Scene::new();
    let before = until_the_loss(&scene);
    fs::remove_dir_all(scene.home.path().join("first")).unwrap();
    let mut last = (before.revision, before.late, BTreeSet::new());
    for (round, name) in ["second", "third"].into_iter().enumerate() {
        let house = scene.restored(1, name, 2 + round as u64);
        let school = school_of(&house, &before.token, &before.id);
        assert!(revision(&house, &before.list) > last.0);
        let late = house.registrar("late").opens_list("revocation");
        assert!(profile_number(&late) > last.1);
        school.post("/profiles/school/keys", &json!({})).is(201);
        let keys = key_names(&house, "school");
        let new: BTreeSet<_> = keys.difference(&before.keys).cloned().collect();
        assert!(new.is_disjoint(&last.2), "{new:?}");
        school.sets(&before.list, before.first[5], 1).is(200);
        last = (revision(&house, &before.list), profile_number(&late), new);
    }
}

/// A restored registry that is closed and opened again is what it was: nothing is sealed once more.
#[test]
fn what_follows_from_a_restore_is_done_once() {
    let scene = Scene::new();
    let before = until_the_loss(&scene);
    let house = scene.restored(1, "second", 2);
    let school = school_of(&house, &before.token, &before.id);
    let list = opens(&school, "revocation", None);
    school.allocates(&list, 5);
    let events = house.registry.newest_event();
    drop(house);
    let house = House::on_disk(&scene.home.path().join("second"), &scene.clock, 3);
    let school = school_of(&house, &before.token, &before.id);
    school.allocates(&list, 5);
    // The operator's token of this opening, and the allocation.
    assert_eq!(house.registry.newest_event().0, events.0 + 2);
}

/// Nothing is believed that this registry did not sign of its own lists.
#[test]
fn forged_and_foreign_lists_are_refused() {
    let scene = Scene::new();
    let house = scene.house();
    let school = house.registrar("school");
    let list = opens(&school, "revocation", None);
    let index = school.allocates(&list, 1)[0];
    let clear = published(&school, &list);
    school.sets(&list, index, 1).is(200);
    let set = published(&school, &list);
    let other = house.registrar("other");
    let others = opens(&other, "revocation", None);
    let foreign = Scene::new();
    let elsewhere = House::on_disk(&foreign.home.path().join("first"), &foreign.clock, 77);
    let stranger = elsewhere.registrar("school");
    let theirs = opens(&stranger, "revocation", None);
    let theirs = published(&stranger, &theirs);

    // Bits of another signature.
    let mut forged = clear[0].1.clone();
    forged["credentialSubject"]["encodedList"] =
        set[0].1["credentialSubject"]["encodedList"].clone();
    // As a list of somebody else here.
    let mut moved = set[0].1.clone();
    moved["id"] = others.clone().into();
    // No signature at all, and one of nobody known.
    let mut bare = set[0].1.clone();
    bare.as_object_mut().unwrap().shift_remove("proof");
    let mut stolen = set[0].1.clone();
    stolen["proof"]["verificationMethod"] = format!("{}#key-1", other.id).into();
    let jwt = text(&set[1].1);
    let (head, signature) = jwt.rsplit_once('.').unwrap();
    let of_clear = text(&clear[1].1);
    let (head_of_clear, _) = of_clear.rsplit_once('.').unwrap();
    let swapped = format!("{head_of_clear}.{signature}");
    let mut cwt = BASE64_URL_SAFE_NO_PAD.decode(text(&set[4].1)).unwrap();
    let middle = cwt.len() / 2;
    cwt[middle] ^= 1;
    let hostile = [
        forged,
        moved,
        bare,
        stolen,
        swapped.into(),
        format!("{head}.").into(),
        BASE64_URL_SAFE_NO_PAD.encode(&cwt).into(),
        json!({ "id": list }),
        json!({}),
        "e30.e30.e30".into(),
        "0oQ".into(),
    ];
    let hostile: Vec<Value> = hostile
        .into_iter()
        .chain(theirs.into_iter().map(|(_, list)| list))
        .collect();
    let told = puts_back(&house, &hostile, &json!({}));
    for told in told["lists"].as_array().unwrap() {
        assert_eq!(told["taken"], false, "{told}");
    }
    assert_eq!(outcome(&house, &list, index), "revoked");
    assert!(!bit(&other.reads(&others), index));

    // A key that may be in wrong hands signs revocations too.
    school.post("/profiles/school/keys", &json!({})).is(201);
    house.wait(3_600);
    let since = json!({ "since": "2026-03-01T09:00:00Z" });
    school
        .post("/profiles/school/keys/key-1/revoke", &since)
        .is(200);
    let told = puts_back(&house, &[set[0].1.clone()], &json!({}));
    let reason = text(&told["lists"][0]["reason"]);
    assert!(reason.contains("may be in wrong hands"), "{reason}");

    for (body, pointer) in [
        (json!({ "lists": [] }), "/lists"),
        (json!({ "lists": [1] }), "/lists/0"),
        (json!({ "lists": ["~"] }), "/lists/0"),
        (
            json!({ "lists": [{}], "suspensions": "maybe" }),
            "/suspensions",
        ),
        (json!({ "lists": [{}], "lostKeys": ["z6"] }), "/lostKeys/0"),
    ] {
        let refused = house
            .operator()
            .post("/status-lists/put-back", &body)
            .problem(400);
        assert_eq!(refused["pointer"], pointer, "{refused}");
    }
    let refused = school.post("/status-lists/put-back", &json!({ "lists": [{}] }));
    refused.problem(403);
}
