//! The change feed: who follows it learns of every list that is published.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use goodstanding::entropy::{Entropy as _, SeededEntropy};
use goodstanding::store::engine::{Batch, Engine};
use goodstanding::store::event::{Actor as Who, Event, EventKind};
use goodstanding::store::memory::MemoryEngine;
use serde_json::{Value, json};

use crate::support::actors::{Actor, text};
use crate::support::client::Call;
use crate::support::feed::{Changing, Reader};
use crate::support::house::{House, Plan, clock};
use crate::support::reader::bit;

const FEED: &str = "/events/published";

fn follows(house: &House) -> Reader {
    Reader::open(&house.call("GET", FEED), house.address).expect("a feed")
}

fn goes_on(house: &House, last_id: &str) -> Reader {
    let call = house.call("GET", FEED).header("Last-Event-ID", last_id);
    Reader::open(&call, house.address).expect("a feed")
}

/// What the newest publication of each list told.
type Known = BTreeMap<String, u64>;

/// Takes in one publication. Of one list they only go forwards.
fn learns(known: &mut Known, told: &Value) {
    let (list, revision) = (text(&told["list"]), told["revision"].as_u64().unwrap());
    let before = known.insert(list, revision);
    assert!(before.is_none_or(|before| before <= revision), "{told}");
}

fn others(engine: &dyn Engine, count: usize) {
    let kind = EventKind::TokenMade { id: [7; 16] };
    let event = Event {
        actor: Who::REGISTRY,
        request: [0; 16],
        commitment: None,
        also: Vec::new(),
        kind,
    };
    let batch = Batch {
        events: vec![event.to_log(); 1_000],
        ..Batch::default()
    };
    for _ in 0..count / 1_000 {
        engine.commit(batch.clone()).unwrap();
    }
}

#[test]
fn a_change_is_told_with_the_revision_that_the_list_then_has() {
    let house = Plan::new()
        .publishing_after(Duration::from_millis(20))
        .open();
    let school = house.registrar("school");
    let new = json!({
        "issuer": "school", "statusPurpose": "revocation", "formats": ["token", "2021"],
    });
    let list = text(&school.post("/status-lists", &new).is(201).json()["id"]);
    let indexes = school.allocates(&list, 2);
    house.wait(60);

    let mut feed = follows(&house);
    school.sets(&list, indexes[0], 1).is(200);
    let told = feed.publication();
    assert_eq!(feed.retry, Some(3_000));
    let formats = [
        list.clone(),
        format!("{list}/2021"),
        list.replace("/status-lists/", "/token-status-lists/"),
    ];
    let expected = json!({
        "list": list,
        "revision": school.looks_up(&list, indexes[0])["revision"],
        "formats": formats,
        "at": house.now(),
    });
    assert_eq!(told, expected);
    // Whoever fetches it now has the change.
    assert!(bit(&house.verifier().reads(&list), indexes[0]));
    for url in &formats {
        house.call("GET", url).send().is(200);
    }

    // Giving out entries publishes nothing; and a list in one form has one.
    let plain = school.opens_list("suspension");
    assert_eq!(feed.publication()["formats"], json!([plain]));
    school.allocates(&plain, 10);
    school.sets(&list, indexes[1], 1).is(200);
    let told = feed.publication();
    assert_eq!(
        (&told["list"], &told["revision"]),
        (&json!(list), &json!(3))
    );
}

#[test]
fn who_comes_back_misses_nothing() {
    let house = House::open();
    let school = house.registrar("school");
    comes_and_goes(&house, &school, 1);
}

#[test]
fn who_is_told_of_it_later_misses_nothing_either() {
    let plan = Plan::new().publishing_after(Duration::from_millis(2));
    let house = plan.open();
    let school = house.registrar("school");
    comes_and_goes(&house, &school, 2);
}

/// Random changes of several lists, under a reader that is cut off now and then.
fn comes_and_goes(house: &House, school: &Actor<'_>, seed: u64) {
    let entropy = SeededEntropy::new(seed);
    let dice = |sides: u64| {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        u64::from_be_bytes(bytes) % sides
    };
    let mut lists: Vec<_> = (0..6).map(|_| Changing::open(school)).collect();
    let opened = |list: &Changing<'_, '_>| (list.url.clone(), 1);
    let mut model: Known = lists.iter().map(opened).collect();
    let (mut known, mut last_id) = (Known::new(), "0".to_owned());
    let mut feed = None;
    for _ in 0..250 {
        match dice(12) {
            0 => feed = None,
            1 if feed.is_none() => feed = Some(goes_on(house, &last_id)),
            2 => others(&*house.engine, 1_000),
            3 if lists.len() < 12 => {
                lists.push(Changing::open(school));
                model.extend(lists.last().map(opened));
            }
            _ => {
                let list = &lists[usize::try_from(dice(lists.len() as u64)).unwrap()];
                model.insert(list.url.clone(), list.changes());
            }
        }
        // Only while there is something to hear, which nobody else has told.
        if let Some(feed) = &mut feed
            && dice(3) == 0
            && known != model
        {
            learns(&mut known, &feed.publication());
            last_id.clone_from(&feed.last_id);
        }
    }
    let mut feed = goes_on(house, &last_id);
    while known != model {
        learns(&mut known, &feed.publication());
    }
    // And nothing is told after that but what is new.
    let last = Changing::open(school);
    let told = feed.publication();
    assert_eq!(
        (&told["list"], &told["revision"]),
        (&json!(last.url), &json!(1))
    );
}

#[test]
fn thousands_of_other_events_are_passed_over() {
    let house = House::open();
    let school = house.registrar("school");
    let lists: Vec<_> = (0..3).map(|_| Changing::open(&school)).collect();
    let mut feed = follows(&house);
    lists[0].changes();
    assert_eq!(feed.publication()["list"], lists[0].url);
    let before = feed.last_id.clone();
    // While somebody listens, and while nobody does.
    others(&*house.engine, 25_000);
    lists[1].changes();
    assert_eq!(feed.publication()["list"], lists[1].url);
    drop(feed);
    others(&*house.engine, 120_000);
    lists[0].changes();
    let mut feed = goes_on(&house, &before);
    let told = [feed.publication(), feed.publication()];
    assert_eq!(
        told.clone().map(|told| text(&told["list"])),
        [&*lists[1].url, &*lists[0].url]
    );
    assert_eq!(told.map(|told| told["revision"].clone()), [2, 3]);

    // Who has read nothing yet goes on behind what was newest then.
    others(&*house.engine, 1_000);
    let mut other = follows(&house);
    lists[2].changes();
    assert_eq!(other.publication()["list"], lists[2].url);
    assert_eq!(feed.publication()["list"], lists[2].url);
    assert_eq!(feed.last_id, other.last_id);
}

#[test]
fn who_was_cut_off_before_the_first_event_has_a_place_to_go_on_behind() {
    let plan = Plan::new().within(|limits| limits.feed_heartbeat = millis(5));
    let house = plan.open();
    let school = house.registrar("school");
    let list = Changing::open(&school);
    let mut feed = follows(&house);
    feed.hears();
    let place = feed.last_id.clone();
    assert!(!place.is_empty());
    drop(feed);
    list.changes();
    let mut known = Known::new();
    let mut feed = goes_on(&house, &place);
    while known.get(&list.url) != Some(&2) {
        learns(&mut known, &feed.publication());
    }
    // The place tells nothing of what is not published.
    let place = |feed: &mut Reader| {
        feed.hears();
        feed.last_id.clone()
    };
    let before = place(&mut follows(&house));
    school.allocates(&list.url, 10);
    others(&*house.engine, 5_000);
    assert_eq!(place(&mut follows(&house)), before);
}

#[test]
fn a_new_reader_is_told_from_now_on_and_one_with_a_parameter_from_there() {
    let house = House::open();
    let school = house.registrar("school");
    let lists: Vec<_> = (0..250).map(|_| Changing::open(&school)).collect();
    let since = |call: Call| Reader::open(&call, house.address).expect("a feed");
    let mut all = since(house.call("GET", &format!("{FEED}?since=0")));
    let told: Vec<String> = lists
        .iter()
        .map(|_| text(&all.publication()["list"]))
        .collect();
    let urls: Vec<&String> = lists.iter().map(|list| &list.url).collect();
    assert_eq!(
        told.iter().collect::<Vec<_>>(),
        urls,
        "in the order of the log"
    );

    let mut new = follows(&house);
    lists[7].changes();
    let told = json!({
        "list": lists[7].url, "revision": 2, "formats": [lists[7].url], "at": house.now(),
    });
    assert_eq!((new.publication(), all.publication()), (told.clone(), told));
    // One who comes back repeats its URL, and says in the header how far it came.
    let call = house.call("GET", &format!("{FEED}?since=0"));
    let mut back = since(call.header("Last-Event-ID", new.last_id.clone()));
    lists[8].changes();
    assert_eq!(back.publication()["list"], lists[8].url);
}

/// Only the log tells of what another process publishes.
#[test]
fn what_another_process_publishes_is_told() {
    let clock = clock();
    let engine = Arc::new(MemoryEngine::new(clock.clone()));
    let here = Plan::over(engine.clone(), clock.clone()).open();
    let school = here.registrar("school");
    let list = Changing::open(&school);
    let (entry, status) = list.next();
    let mut feed = follows(&here);
    let there = Plan::over(engine, clock).seeded(2).open();
    let updates = json!({ "updates": [{ "index": entry, "status": status }] });
    let call = there.call("POST", &format!("{}/updates", list.url));
    let call = call.token(school.token.as_deref().unwrap());
    call.json(&updates).send().is(200);
    let told = feed.publication();
    assert_eq!(
        (&told["list"], &told["revision"]),
        (&json!(list.url), &json!(2))
    );
}

#[cfg(feature = "rocksdb")]
#[test]
fn a_restart_loses_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let house = House::on_disk(folder.path(), &clock, 1);
    let school = house.registrar("school");
    let lists = [Changing::open(&school), Changing::open(&school)];
    let mut feed = follows(&house);
    lists[0].changes();
    assert_eq!(feed.publication()["list"], lists[0].url);
    lists[1].changes();
    let urls = lists.each_ref().map(|list| list.url.clone());
    let ((entry, status), token) = (lists[0].next(), school.token.clone());
    drop(lists);
    drop(house);

    let house = House::on_disk(folder.path(), &clock, 2);
    let mut again = goes_on(&house, &feed.last_id);
    let told = again.publication();
    assert_eq!(
        (&told["list"], &told["revision"]),
        (&json!(urls[1]), &json!(2))
    );
    let updates = json!({ "updates": [{ "index": entry, "status": status }] });
    let call = house.call("POST", &format!("{}/updates", urls[0]));
    call.token(&token.unwrap()).json(&updates).send().is(200);
    let told = again.publication();
    assert_eq!(
        (&told["list"], &told["revision"]),
        (&json!(urls[0]), &json!(3))
    );
}

fn millis(millis: u64) -> goodstanding::time::Ttl {
    goodstanding::time::Ttl::from_millis(millis)
}
