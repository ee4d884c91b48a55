//! A store of an older format is opened by this program: all that was in it is there, and what was
//! changed before can be asked for as it was then, also where the format kept no past.
//!
//! `stores/format-N.json.gz` holds the rows of such a store, as the last program of that format
//! wrote them on the memory engine, with what was seen of it then: the documents that it served,
//! and which entries were set after each change.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::Arc;

use flate2::read::GzDecoder;
use goodstanding::store::engine::Row;
use goodstanding::store::memory::MemoryEngine;
use goodstanding::time::{ManualClock, Timestamp, Ttl};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::actors::text;
use crate::support::house::{House, Plan};

/// What was kept of the older store.
struct Kept(Value);

impl Kept {
    fn of_format_1() -> Self {
        Self::read(include_bytes!("../stores/format-1.json.gz"))
    }

    fn of_format_2() -> Self {
        Self::read(include_bytes!("../stores/format-2.json.gz"))
    }

    fn of_format_3() -> Self {
        Self::read(include_bytes!("../stores/format-3.json.gz"))
    }

    fn of_format_4() -> Self {
        Self::read(include_bytes!("../stores/format-4.json.gz"))
    }

    fn read(packed: &[u8]) -> Self {
        let mut text = String::new();
        let mut unpacked = GzDecoder::new(packed);
        unpacked.read_to_string(&mut text).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    fn rows(&self) -> Vec<Row> {
        let rows = self.0["rows"].as_array().unwrap().iter();
        rows.map(|row| {
            let row = text(row);
            let (key, value) = row.split_once(' ').unwrap();
            (bytes(key), bytes(value))
        })
        .collect()
    }

    /// The clock stands where it stood when the store was closed.
    fn clock(&self) -> Arc<ManualClock> {
        Arc::new(ManualClock::new(moment(&self.0["now"])))
    }

    fn list(&self, purpose: &str) -> String {
        text(&self.0["lists"][purpose])
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn moment(value: &Value) -> Timestamp {
    text(value).parse().unwrap()
}

fn numbers(value: &Value) -> BTreeSet<u64> {
    let items = value.as_array().unwrap().iter();
    items.map(|item| item.as_u64().unwrap()).collect()
}

#[test]
fn a_store_of_format_1_opens() {
    opens(&Kept::of_format_1());
}

#[test]
fn a_store_of_format_2_opens() {
    opens(&Kept::of_format_2());
}

#[test]
fn a_store_of_format_3_opens() {
    opens(&Kept::of_format_3());
}

#[test]
fn a_store_of_format_4_opens() {
    opens(&Kept::of_format_4());
}

/// The trail tells of what was done before events had places of their own, the words given for it
/// are found, and a token that was made then is revoked now.
#[test]
fn the_trail_of_an_older_store_is_whole() {
    let kept = Kept::of_format_3();
    let engine = MemoryEngine::holding(kept.rows(), kept.clock()).unwrap();
    let house = Plan::over(Arc::new(engine), kept.clock()).seeded(2).open();
    let school = text(&kept.0["token"]);
    let trail = |token: &str, target: &str| {
        let answer = house.call("GET", target).token(token).send().is(200);
        answer.json()["events"].as_array().unwrap().clone()
    };
    let own = trail(&school, "/events?limit=1000");
    let operator = house.operator_token.clone();
    let whole = trail(&operator, "/events?limit=1000");
    assert!(own.len() > 20 && own.len() < whole.len());
    let of_school = trail(&operator, "/events?limit=1000&profile=school");
    assert_eq!(own.len(), of_school.len());
    let reasons = |events: &[Value]| {
        let given = events.iter().filter_map(|event| event["reason"].as_str());
        given.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(
        reasons(&whole).into_iter().collect::<Vec<_>>(),
        ["as decided", "as the committee decided", "not this year"]
    );
    // A request is the affair of both its sides.
    let declined = own.iter().find(|event| event["type"] == "request.declined");
    assert_eq!(declined.unwrap()["about"]["request"], kept.0["request"]);
    let made: Vec<&Value> = own.iter().filter(|e| e["type"] == "token.made").collect();
    assert_eq!(made.len(), 1);
    let target = format!("/tokens/{}/revoke", text(&made[0]["about"]["token"]));
    let revoked = house.call("POST", &target).token(&school).send();
    revoked.is(204);
    house
        .call("GET", "/events")
        .token(&school)
        .send()
        .problem(401);
}

fn opens(kept: &Kept) {
    let clock = kept.clock();
    let engine = MemoryEngine::holding(kept.rows(), clock.clone()).unwrap();
    all_is_there(kept, &Plan::over(Arc::new(engine), clock).seeded(2).open());
    #[cfg(feature = "rocksdb")]
    opens_on_disk_and_stays_what_it_has_become(kept);
}

#[cfg(feature = "rocksdb")]
fn opens_on_disk_and_stays_what_it_has_become(kept: &Kept) {
    let folder = tempfile::tempdir().unwrap();
    let place = goodstanding::store::rocks::Place::within(folder.path(), [7; 16]);
    let db = rocksdb::DB::open_default(&place.store).unwrap();
    for (key, value) in kept.rows() {
        db.put(key, value).unwrap();
    }
    drop(db);
    let clock = kept.clock();
    is_refused_beside_an_anchor(kept, &place);
    let house = House::on_disk(folder.path(), &clock, 2);
    all_is_there(kept, &house);
    let stored = house.store();
    drop(house);
    let again = goodstanding::store::rocks::RocksEngine::open(&place, clock).unwrap();
    let again: &dyn goodstanding::store::engine::Engine = &again;
    assert_eq!(again.scan(&[], &[0xff; 64], usize::MAX).unwrap(), stored);
}

/// An anchor beside it is that of a newer store, in whose place an old copy was put: it stays as it is.
#[cfg(feature = "rocksdb")]
fn is_refused_beside_an_anchor(kept: &Kept, place: &goodstanding::store::rocks::Place) {
    use goodstanding::store::rocks::{Place, RocksEngine};
    use goodstanding::store::{Stopped, StoreError};
    let other = tempfile::tempdir().unwrap();
    let newer = Place::within(other.path(), [8; 16]);
    drop(RocksEngine::open(&newer, kept.clock()).unwrap());
    std::fs::create_dir_all(place.anchor.parent().unwrap()).unwrap();
    std::fs::copy(newer.anchor, &place.anchor).unwrap();
    for _ in 0..2 {
        let refused = RocksEngine::open(place, kept.clock()).unwrap_err();
        let stopped = Stopped::AnchorOfAnotherStore;
        assert_eq!(refused, StoreError::NoWrites(stopped));
    }
    std::fs::remove_file(&place.anchor).unwrap();
}

fn all_is_there(kept: &Kept, house: &House) {
    serves_the_same_documents(kept, house);
    tells_every_moment(kept, house);
    tells_when_the_credential_was_revoked(kept, house);
    goes_on(kept, house);
    tells_every_moment(kept, house);
}

fn serves_the_same_documents(kept: &Kept, house: &House) {
    let documents = kept.0["documents"].as_array().unwrap();
    assert!(documents.len() > 10);
    for document in documents {
        let target = text(&document[0]);
        let body = house.call("GET", &target).send().is(200).body;
        let digest = Sha256::digest(&body).to_vec();
        let shown = String::from_utf8_lossy(&body);
        assert_eq!(digest, bytes(&text(&document[1])), "{target}: {shown}");
    }
    let stands = |id: &Value| {
        let id = text(id);
        let found = house.call("GET", "/endorsements?limit=1000").send();
        let found = found.is(200).json();
        let items = found["endorsements"].as_array().unwrap();
        let item = items.iter().find(|item| item["id"] == id.as_str());
        text(&item.unwrap()["outcome"])
    };
    for (name, id) in kept.0["endorsements"].as_object().unwrap() {
        let expected = match name.as_str() {
            "withdrawn" => "revoked",
            _ => "active",
        };
        assert_eq!(stands(id), expected, "{name}");
    }
}

/// After each change, and just before the next one, each entry says what it said then.
fn tells_every_moment(kept: &Kept, house: &House) {
    let moments = kept.0["moments"].as_array().unwrap();
    for (place, seen) in moments.iter().enumerate() {
        let at = moment(&seen["at"]);
        said_at(kept, house, at, seen);
        let next = match moments.get(place + 1) {
            Some(next) => moment(&next["at"]),
            None => moment(&kept.0["now"]),
        };
        said_at(kept, house, Timestamp::from_millis(next.millis() - 1), seen);
    }
}

fn said_at(kept: &Kept, house: &House, at: Timestamp, seen: &Value) {
    let moments = kept.0["moments"].as_array().unwrap().iter();
    let ever = moments.flat_map(|seen| {
        let sets = [numbers(&seen["revoked"]), numbers(&seen["suspended"])];
        sets.into_iter().flatten()
    });
    let ever: BTreeSet<u64> = ever.chain([0, 131_071]).collect();
    assert!(ever.len() > 100);
    for (list, set) in [("revocations", "revoked"), ("suspensions", "suspended")] {
        let set = numbers(&seen[set]);
        let list = kept.list(list);
        let queries: Vec<Value> = ever
            .iter()
            .map(|index| json!({ "list": list, "index": index }))
            .collect();
        let question = json!({ "queries": queries, "at": at.to_string() });
        let school = text(&kept.0["token"]);
        let call = house.call("POST", "/status/query").token(&school);
        let answer = call.json(&question).send().is(200).json();
        assert_eq!(answer["asOf"], at.to_string());
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), ever.len());
        for (index, result) in ever.iter().zip(results) {
            let status = u8::from(set.contains(index));
            assert_eq!(result["status"], status, "{list} {index} {at}: {result}");
        }
    }
}

fn tells_when_the_credential_was_revoked(kept: &Kept, house: &House) {
    let credential = &kept.0["credential"];
    let id = text(&credential["document"]["id"]);
    let school = text(&kept.0["token"]);
    let stood = |at: Timestamp| {
        let question = json!({ "queries": [{ "credential": id }], "at": at.to_string() });
        let call = house.call("POST", "/status/query").token(&school);
        text(&call.json(&question).send().is(200).json()["results"][0]["outcome"])
    };
    let issued = moment(&credential["issuedAt"]);
    let revoked = moment(&credential["revokedAt"]);
    let before = |at: Timestamp| Timestamp::from_millis(at.millis() - 1);
    assert_eq!(stood(before(issued)), "unknown");
    assert_eq!(stood(issued), "active");
    assert_eq!(stood(before(revoked)), "active");
    assert_eq!(stood(revoked), "revoked");
    let report = house.verifier().verifies(&credential["document"]);
    assert_eq!(report["outcome"], "revoked");
}

/// A change after the upgrade is in the past as those before it are.
fn goes_on(kept: &Kept, house: &House) {
    let list = kept.list("suspensions");
    let last = kept.0["moments"].as_array().unwrap().last().unwrap();
    let suspended = *numbers(&last["suspended"]).first().unwrap();
    let says = |at: Timestamp| {
        let target = format!("/status?list={list}&index={suspended}&at={at}");
        let call = house.call("GET", &target).token(&text(&kept.0["token"]));
        let said = call.send().is(200).json();
        (
            said["status"].as_u64().unwrap(),
            said["revision"].as_u64().unwrap(),
        )
    };
    let before = moment(&kept.0["now"]);
    let (status, revision) = says(before);
    assert_eq!(status, 1);
    house.wait(60);
    let school = text(&kept.0["token"]);
    let body = json!({ "updates": [{ "index": suspended, "status": 0 }] });
    let call = house.call("POST", &format!("{list}/updates"));
    let done = call.token(&school).json(&body).send().is(200).json();
    assert_eq!(done["revision"], revision + 1);
    assert_eq!(says(before.plus(Ttl::from_millis(59_999))), (1, revision));
    assert_eq!(says(before.plus(Ttl::from_seconds(60))), (0, revision + 1));
}
