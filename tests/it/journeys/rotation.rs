//! A new key takes over from another while everybody goes on reading: no read fails, and each list
//! verifies at every moment, by the DID document of that moment and by each that may still be kept.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use goodstanding::registry::{Actor as Who, Change, NewList};
use goodstanding::status::StatusPurpose;
use goodstanding::store::memory::{Fault, MemoryEngine};
use goodstanding::time::{Clock as _, Timestamp, Ttl};
use goodstanding::vc::controller::{Relationship, retrieve_key};
use goodstanding::vc::proof;
use serde_json::{Value, json};

use crate::support::actors::{Actor, text};
use crate::support::client::Connection;
use crate::support::house::{House, Plan, clock};
use crate::support::jwt;

/// For how long a DID document may be kept.
const MAX_AGE: u64 = 3_600;

/// The keys of a DID document that may assert, as a key set.
fn key_set(document: &Value) -> Value {
    let asserts = document["assertionMethod"].as_array().unwrap();
    let methods = document["verificationMethod"].as_array().unwrap().iter();
    let keys = methods
        .filter(|method| asserts.contains(&method["id"]) && method.get("revoked").is_none())
        .filter_map(|method| {
            assert_eq!(method.get("expires"), None, "it would end what was signed");
            let mut key = method.get("publicKeyJwk")?.clone();
            key["kid"] = method["id"].clone();
            Some(key)
        });
    json!({ "keys": keys.collect::<Vec<Value>>() })
}

/// The verification method that signed a list, once it has been verified by this DID document.
fn verified(body: &[u8], document: &Value, now: Timestamp) -> String {
    if body.first() != Some(&b'{') {
        let list = jwt::check(std::str::from_utf8(body).unwrap(), &key_set(document));
        return text(&list.header["kid"]);
    }
    let list: Value = serde_json::from_slice(body).unwrap();
    let made = proof::proofs(&list).next().unwrap().unwrap();
    let purpose = Relationship::AssertionMethod;
    let method = made.verification_method;
    let key = retrieve_key(document, method, purpose, now).expect("a key that asserts");
    let _good = proof::verify(&list, &made, purpose, &key, now).expect("a good proof");
    method.to_owned()
}

fn rotation(actor: &Actor<'_>) -> Value {
    let target = format!("/profiles/{}/keys", actor.slug);
    actor.get(&target).is(200).json()["rotation"].clone()
}

fn begun(actor: &Actor<'_>) -> Value {
    let target = format!("/profiles/{}/keys/rotate", actor.slug);
    actor.call("POST", &target).send().is(201).json()
}

/// Goes on until nothing is under way; how many lists were looked at.
fn to_its_end(house: &House) -> usize {
    let mut lists = 0;
    loop {
        match house.registry.advance_rotations(64).unwrap() {
            0 => return lists,
            some => lists += some,
        }
    }
}

/// Opens many lists, without the noise of HTTP.
fn lists(house: &House, actor: &Actor<'_>, count: usize) -> Vec<String> {
    let profile = house.registry.profile(&actor.slug.parse().unwrap());
    let profile = profile.unwrap().id;
    let operator = Change::by(Who::operator());
    let new = NewList::usual(profile, StatusPurpose::Revocation);
    let open = |_| house.registry.create_list(&operator, &new).unwrap().id;
    let lists = (0..count).map(open);
    lists.map(|id| house.registry.urls().list(id)).collect()
}

/// What readers share: DID documents with when each was fetched.
struct Shared<'h> {
    house: &'h House,
    lists: Vec<String>,
    documents: Mutex<Vec<(Timestamp, Arc<Value>)>>,
    over: AtomicBool,
    reads: AtomicUsize,
}

impl Shared<'_> {
    fn fetches(&self) -> Value {
        // The clock first: a copy is never thought younger than it is.
        let at = self.house.clock.now();
        let answer = self.house.verifier().get("/profiles/school/did.json");
        let document = answer.is(200).json();
        let mut known = self.documents.lock().unwrap();
        known.push((at, Arc::new(document.clone())));
        document
    }

    /// Every document that somebody may still use, the oldest first, at most a few.
    fn still_kept(&self, now: Timestamp) -> Vec<Arc<Value>> {
        let known = self.documents.lock().unwrap();
        let fresh = |at: Timestamp| now < at.plus(Ttl::from_seconds(MAX_AGE));
        let kept = known.iter().filter(|(at, _)| fresh(*at));
        kept.take(2).map(|(_, one)| one.clone()).collect()
    }

    /// Reads list after list until it is over.
    fn read_on(&self, start: usize, step: usize) {
        let mut connection = Connection::open(self.house.address);
        let mut place = start;
        while !self.over.load(Ordering::Acquire) {
            let list = &self.lists[place % self.lists.len()];
            let accept = ["application/vc", "application/vc+jwt"][place / 7 % 2];
            let call = self.house.call("GET", list).header("Accept", accept);
            let answer = connection.send(&call).is(200);
            let now = self.house.clock.now();
            for document in self.still_kept(now) {
                verified(&answer.body, &document, now);
            }
            let present = self.house.call("GET", "/profiles/school/did.json");
            let present = connection.send(&present).is(200).json();
            verified(&answer.body, &present, now);
            place += step;
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Ends the readers also where the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn over_a_thousand_lists_under_load_no_read_fails_and_every_list_verifies() {
    let house = Plan::new()
        .publishing_after(Duration::from_millis(20))
        .open();
    let school = house.registrar("school");
    let shared = Shared {
        lists: lists(&house, &school, 1_000),
        house: &house,
        documents: Mutex::default(),
        over: AtomicBool::new(false),
        reads: AtomicUsize::new(0),
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = [(0, 1), (500, 7), (250, 13)]
            .map(|(start, step)| {
                let shared = &shared;
                scope.spawn(move || shared.read_on(start, step))
            })
            .into();
        let told = {
            let _over = Over(&shared.over);
            the_rotation(&school, &shared)
        };
        for reader in readers {
            reader.join().expect("every read was good");
        }
        assert_eq!(told["lists"], json!({ "done": 1_000, "total": 1_000 }));
    });
    let reads = shared.reads.load(Ordering::Relaxed);
    assert!(reads >= 50, "only {reads} reads");

    // All of them are the new key's, and the old one is retired without an end.
    let document = shared.fetches();
    let now = house.clock.now();
    for list in &shared.lists {
        let body = house.verifier().get(list).is(200).body;
        assert!(verified(&body, &document, now).ends_with("#key-2"));
    }
    let keys = school.get("/profiles/school/keys").is(200).json()["keys"].clone();
    assert!(keys[0].get("retiredAt").is_some() && keys[0].get("revokedSince").is_none());
    assert!(keys[1].get("retiredAt").is_none());
    assert_eq!(document["assertionMethod"].as_array().unwrap().len(), 4);
}

/// A whole rotation with ordinary work between its portions.
fn the_rotation(school: &Actor<'_>, shared: &Shared<'_>) -> Value {
    let house = shared.house;
    shared.fetches();
    let made = begun(school);
    assert_eq!(made["rotation"]["state"], "announced");
    shared.fetches();
    for seconds in [1_000, 1_000, 1_000, 599] {
        house.wait(seconds);
        shared.fetches();
        assert_eq!(
            house.registry.advance_rotations(64).unwrap(),
            0,
            "not before it is known"
        );
    }
    house.wait(1);
    let mut portions = 0;
    loop {
        house.registry.advance_rotations(64).unwrap();
        portions += 1;
        house.wait(2);
        shared.fetches();
        // Ordinary work: its publications are the publisher's, and go on beside this.
        for list in shared.lists.iter().skip(portions * 31 % 900).step_by(300) {
            let taken = school.allocates(list, 1);
            school.sets(list, taken[0], 1).is(200);
        }
        let told = rotation(school);
        match told["state"].as_str().unwrap() {
            "signing" => assert!(told["lists"]["done"].as_u64() <= Some(1_000)),
            "done" => return told,
            other => panic!("{other}"),
        }
        assert!(portions < 2_000, "it does not end: {told}");
    }
}

#[test]
fn who_begins_twice_is_told_what_goes_on_and_giving_up_the_new_key_ends_it() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let stranger = house.registrar("stranger");
    let target = "/profiles/school/keys/rotate";
    let before = house.store();
    stranger.call("POST", target).send().problem(403);
    house.verifier().call("POST", target).send().problem(401);
    assert_eq!(house.store(), before);

    let made = begun(&school);
    assert_eq!(
        made["rotation"],
        json!({
            "from": ["key-1"], "to": "key-2", "signsFrom": "2026-03-01T10:00:00Z",
            "lists": { "done": 0, "total": 1 }, "state": "announced",
        })
    );
    assert_eq!(made["id"], "key-2");
    let problem = school.call("POST", target).send().problem(409);
    assert_eq!(
        problem["type"],
        "urn:goodstanding:problem:rotation-under-way"
    );
    let detail = text(&problem["detail"]);
    assert!(
        detail.contains("key-2") && detail.contains("revoke"),
        "{detail}"
    );

    // The key that was to take over is given up: the one before it goes on.
    school
        .call("POST", "/profiles/school/keys/key-2/revoke")
        .json(&json!({ "since": "2026-03-01T09:00:00Z" }))
        .send()
        .is(200);
    assert_eq!(rotation(&school), Value::Null);
    house.wait(MAX_AGE);
    assert_eq!(to_its_end(&house), 0);
    let body = house.verifier().get(&list).is(200).json();
    assert!(text(&body["proof"]["verificationMethod"]).ends_with("#key-1"));

    // And another rotation can begin, and ends where there is nothing to sign, too.
    assert_eq!(begun(&school)["id"], "key-3");
    assert_eq!(begun(&stranger)["rotation"]["lists"]["total"], 0);
    house.wait(MAX_AGE);
    assert_eq!(rotation(&school)["state"], "signing");
    assert_eq!(to_its_end(&house), 1);
    for (actor, to) in [(&school, "key-3"), (&stranger, "key-2")] {
        let told = rotation(actor);
        assert_eq!((&told["state"], &told["to"]), (&json!("done"), &json!(to)));
    }
    let body = house.verifier().get(&list).is(200).json();
    assert!(text(&body["proof"]["verificationMethod"]).ends_with("#key-3"));
}

#[test]
fn the_registrys_own_key_takes_over_too_and_a_did_key_cannot() {
    let house = House::open();
    let school = house.registrar("school");
    let operator = house.operator();
    school.call("POST", "/keys/rotate").send().problem(403);
    let made = operator.call("POST", "/keys/rotate").send().is(201).json();
    assert_eq!(made["rotation"]["state"], "announced");
    house.wait(MAX_AGE);
    to_its_end(&house);
    let keys = operator.get("/keys").is(200).json();
    assert_eq!(keys["rotation"]["state"], "done");
    assert!(keys["keys"][0].get("retiredAt").is_some());

    let fixed = operator.registers("fixed", &["issuer"], "did:key");
    let refused = fixed.call("POST", "/profiles/fixed/keys/rotate").send();
    assert!(text(&refused.problem(409)["detail"]).contains("did:key"));
}

/// At each commit of a rotation the disk fails, with and without what was to be written, and
/// somebody starts again.
#[test]
fn a_crash_at_any_commit_loses_nothing() {
    for (fault, name) in [
        (Fault::LoseAndReportFailed, "lost"),
        (Fault::PersistButReportFailed, "kept"),
    ] {
        let mut crashes = 0;
        for at in 0.. {
            let (clock, engine) = (clock(), Arc::new(MemoryEngine::new(clock())));
            let house = Plan::over(engine.clone(), clock.clone()).open();
            let school = house.registrar("school");
            let urls = lists(&house, &school, 3);
            begun(&school);
            house.wait(MAX_AGE);
            let first = Arc::new(AtomicUsize::new(0));
            let counted = first.clone();
            engine.set_fault_hook(move |_, _| {
                match counted.fetch_add(1, Ordering::Relaxed) == at {
                    true => fault,
                    false => Fault::Proceed,
                }
            });
            let _ = house.registry.advance_rotations(64);
            let met = first.load(Ordering::Relaxed) > at;
            engine.set_fault_hook(|_, _| Fault::Proceed);
            engine.reopen().unwrap();
            let house = Plan::over(engine, clock).seeded(2).open();
            // A pass in which something went wrong is followed by another, later.
            for _ in 0..3 {
                house.registry.advance_rotations(64).unwrap();
                house.wait(61);
            }
            let school = house.operator();
            let keys = school.get("/profiles/school/keys").is(200).json();
            assert_eq!(keys["rotation"]["state"], "done", "{name} at {at}");
            assert!(keys["keys"][0].get("retiredAt").is_some(), "{name} at {at}");
            for list in &urls {
                let body = house.verifier().get(list).is(200).json();
                let by = text(&body["proof"]["verificationMethod"]);
                assert!(by.ends_with("#key-2"), "{name} at {at}");
            }
            if !met {
                break;
            }
            crashes += 1;
        }
        // Three lists, and the note that it is done.
        assert_eq!(crashes, 4, "{name}");
    }
}
