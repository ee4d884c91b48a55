//! The change feed within its bounds: how many, how long, for whom.

use goodstanding::store::engine::Batch;
use goodstanding::store::event::{Actor as Who, Event, EventKind};
use goodstanding::time::Ttl;
use serde_json::json;

use crate::support::actors::text;
use crate::support::client::{Answer, Connection};
use crate::support::feed::{Changing, Heard, Reader};
use crate::support::house::{House, Plan};

const FEED: &str = "/events/published";

fn follows(house: &House) -> Result<Reader, Answer> {
    Reader::open(&house.call("GET", FEED), house.address)
}

#[test]
fn a_feed_without_news_says_that_it_is_there() {
    let plan = Plan::new().within(|limits| limits.feed_heartbeat = Ttl::from_millis(10));
    let house = plan.open();
    let school = house.registrar("school");
    let list = Changing::open(&school);
    let mut feed = follows(&house).unwrap();
    for round in 1..4_u64 {
        assert_eq!(feed.hears(), Heard::Comment);
        let place = feed.last_id.clone();
        assert_eq!(feed.hears(), Heard::Comment);
        assert_eq!(feed.last_id, place);
        assert_eq!(list.changes(), 1 + round);
        assert_eq!(feed.publication()["revision"], 1 + round);
    }
}

#[test]
fn there_are_only_so_many_feeds() {
    let house = Plan::new().within(|limits| limits.feeds = 2).open();
    let mut open = vec![follows(&house).unwrap(), follows(&house).unwrap()];
    let full = follows(&house).err().expect("two are open");
    let problem = full.problem(503);
    assert_eq!(problem["type"], "urn:goodstanding:problem:no-feed");
    assert!(full.header("retry-after").is_some());
    // Everything else is answered, and so is what a feed would be like.
    house.call("GET", "/profiles").send().is(200);
    house.call("HEAD", FEED).send().is(200);
    // Who goes makes room.
    open.pop();
    let third = (0..10_000).find_map(|_| follows(&house).ok());
    assert!(third.is_some(), "no room after one has gone");
    assert_eq!(follows(&house).err().map(|full| full.status), Some(503));
}

#[test]
fn a_server_that_stops_ends_its_feeds() {
    let house = House::open();
    let mut feeds = [follows(&house).unwrap(), follows(&house).unwrap()];
    drop(house);
    for feed in &mut feeds {
        assert_eq!(feed.hears(), Heard::End);
    }
}

/// A feed that stayed open would seem to say that nothing is published.
#[test]
fn a_log_that_cannot_be_read_is_not_silence() {
    let house = House::open();
    let list = house.registrar("school").opens_list("suspension");
    let before = house.registry.newest_event().to_string();
    let mut feed = follows(&house).unwrap();
    let unreadable = Batch {
        events: vec![vec![9].into()],
        ..Batch::default()
    };
    house.engine.commit(unreadable).unwrap();
    let heard = std::iter::repeat_with(|| feed.hears()).find(|heard| *heard != Heard::Comment);
    assert_eq!(heard, Some(Heard::End));
    follows(&house).err().expect("none is open").problem(503);
    // The lists themselves are served.
    house.call("GET", &list).send().is(200);
    let call = house.call("GET", FEED).header("Last-Event-ID", before);
    assert!(Reader::open(&call, house.address).is_err());
}

/// One reader takes nothing, and far more is told than a connection holds.
#[test]
fn a_reader_that_stops_reading_holds_up_nobody_and_is_cut_off() {
    let plan = Plan::new().within(|limits| {
        limits.feeds = 2;
        limits.unread = Ttl::from_millis(100);
    });
    let house = plan.open();
    let school = house.registrar("school");
    let list = Changing::open(&school);
    let others: Vec<String> = (0..250).map(|_| school.opens_list("suspension")).collect();
    let urls = house.registry.urls();
    let published = |list: &String| {
        let kind = EventKind::ListPublished {
            list: urls.parse_list(list).unwrap(),
            revision: goodstanding::ids::Revision(1),
        };
        let event = Event {
            actor: Who::REGISTRY,
            request: [0; 16],
            commitment: None,
            also: Vec::new(),
            kind,
        };
        event.to_log()
    };
    let burst = Batch {
        events: others.iter().map(published).collect(),
        ..Batch::default()
    };
    let mut stalled = follows(&house).unwrap();
    let mut reads = follows(&house).unwrap();
    // Each burst is told to the one who reads, to the last list of it.
    let mut told = 0;
    let gone = (1..2_000_u64).find(|round| {
        house.engine.commit(burst.clone()).unwrap();
        assert_eq!(list.changes(), 1 + round);
        loop {
            let publication = reads.publication();
            told += publication.to_string().len();
            if publication["revision"] == 1 + round {
                break;
            }
        }
        // There is room again once the other one was cut off.
        *round % 20 == 0 && follows(&house).is_ok()
    });
    assert!(gone.is_some(), "after {told} bytes it is there still");
    let end = std::iter::repeat_with(|| stalled.hears());
    let end = end
        .into_iter()
        .find(|heard| !matches!(heard, Heard::Event { .. } | Heard::Comment));
    assert_eq!(end, Some(Heard::CutOff));
}

#[test]
fn an_id_that_no_event_had_is_refused() {
    let house = House::open();
    let newest = house.registry.newest_event().0;
    let future = (newest + 1).to_string();
    let bad = [
        "",
        " ",
        "x",
        "-1",
        "+1",
        "01",
        "1.0",
        "0x1",
        "1,2",
        "18446744073709551616",
        &future,
    ];
    for id in bad {
        let call = house.call("GET", FEED).header("Last-Event-ID", id);
        let problem = call.send().problem(400);
        assert_eq!(problem["pointer"], "Last-Event-ID", "{id:?}");
        let id = id.replace('+', "%2B").replace(' ', "%20");
        let problem = house.call("GET", &format!("{FEED}?since={id}")).send();
        assert_eq!(problem.problem(400)["pointer"], "?since", "{id:?}");
    }
    for twice in [
        house
            .call("GET", FEED)
            .header("Last-Event-ID", "1")
            .header("Last-Event-ID", "2"),
        house
            .call("GET", FEED)
            .header("Last-Event-ID", b"1\xff".as_slice()),
        house.call("GET", &format!("{FEED}?since=1&since=2")),
        house.call("GET", &format!("{FEED}?from=1")),
    ] {
        twice.send().problem(400);
    }
    let newest = newest.to_string();
    let call = house
        .call("GET", FEED)
        .header("Last-Event-ID", newest.clone());
    assert!(Reader::open(&call, house.address).is_ok());
}

#[test]
fn what_a_feed_is_like_can_be_asked_without_one() {
    let house = Plan::new().within(|limits| limits.feeds = 0).open();
    let head = house.call("HEAD", FEED).send().is(200);
    for (name, value) in [
        ("content-type", Some("text/event-stream")),
        ("cache-control", Some("no-store")),
        ("access-control-allow-origin", Some("*")),
        ("content-length", None),
    ] {
        assert_eq!(head.header(name), value, "{name}");
    }
    // The connection goes on after it.
    let mut connection = Connection::open(house.address);
    connection.send(&house.call("HEAD", FEED)).is(200);
    connection.send(&house.call("GET", "/profiles")).is(200);

    let call = house.call("GET", FEED).header("Accept", "application/json");
    call.send().problem(406);
    house
        .call("POST", FEED)
        .json(&json!({}))
        .send()
        .problem(405);
    let preflight = house.call("OPTIONS", FEED).send().is(204);
    let allowed = preflight.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains("Last-Event-ID"), "{allowed}");

    let description = house.call("GET", "/openapi.json").send().is(200).json();
    let feed = &description["paths"][FEED]["get"];
    assert!(feed["responses"]["200"]["content"]["text/event-stream"].is_object());
    let parameters = feed["parameters"].as_array().unwrap().iter();
    let names: Vec<_> = parameters
        .map(|one| (text(&one["name"]), text(&one["in"])))
        .collect();
    let expected = [
        ("since", "query"),
        ("Goodstanding-Revision", "header"),
        ("Last-Event-ID", "header"),
    ];
    assert_eq!(
        names,
        expected.map(|(name, place)| (name.into(), place.into()))
    );
}
