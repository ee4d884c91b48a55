//! What is asked again, and when.

use super::support::{House, Server, answer, document};
use crate::net::{FetchError, Kind, Unreachable};

fn counting(fields: &'static str) -> Server {
    Server::with(move |talk| {
        let body = format!("{{\"turn\": {}}}", talk.turn);
        let fields = format!("Content-Type: application/vc\r\n{fields}");
        talk.send(&answer("200 OK", &fields, body.as_bytes()));
    })
}

#[test]
fn an_answer_is_used_again_for_as_long_as_it_says() {
    for (fields, seconds) in [
        ("Cache-Control: max-age=300\r\n", 300),
        ("", 60),
        ("Cache-Control: max-age=999999999\r\n", 86_400),
    ] {
        let (server, house) = (counting(fields), House::new());
        let first = house.get(&server.url()).unwrap();
        assert_eq!(first.fetched_at, house.now());
        house.advance(seconds - 1);
        assert_eq!(house.get(&server.url()).unwrap(), first);
        assert_eq!(server.connections(), 1, "{fields}");
        house.advance(1);
        let second = house.get(&server.url()).unwrap();
        assert_eq!(second.body, "{\"turn\": 1}");
        assert_eq!(second.fetched_at, house.now());
    }
}

#[test]
fn what_may_not_be_kept_is_asked_each_time() {
    for fields in ["no-store", "private", "no-cache", "max-age=0"] {
        let fields: &str = Box::leak(format!("Cache-Control: {fields}\r\n").into());
        let (server, house) = (counting(fields), House::new());
        for _ in 0..3 {
            house.get(&server.url()).unwrap();
        }
        assert_eq!(server.connections(), 3, "{fields}");
    }
}

#[test]
fn a_stale_answer_is_confirmed_by_its_tag() {
    let server = Server::with(|talk| {
        let said = match talk.turn {
            0 => document(
                "Cache-Control: max-age=10\r\nETag: \"v1\"\r\n\
                 Last-Modified: Sat, 31 Jan 2026 11:00:00 GMT\r\n",
            ),
            1 => b"HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=100\r\n\r\n".to_vec(),
            _ => document("ETag: \"v2\"\r\n"),
        };
        talk.send(&said);
    });
    let house = House::new();
    let first = house.get(&server.url()).unwrap();
    house.advance(10);
    let confirmed = house.get(&server.url()).unwrap();
    assert_eq!(confirmed.body, first.body);
    assert_eq!(confirmed.media_type, first.media_type);
    assert_eq!(confirmed.fetched_at, house.now());
    let requests = server.requests();
    assert!(!requests[0].contains("if-none-match"), "{}", requests[0]);
    assert!(
        requests[1].contains("\r\nif-none-match: \"v1\"\r\n"),
        "{}",
        requests[1]
    );
    let since = "\r\nif-modified-since: sat, 31 jan 2026 11:00:00 gmt\r\n";
    assert!(requests[1].contains(since), "{}", requests[1]);
    // The confirmation said for how long, and the tag still counts.
    house.advance(99);
    house.get(&server.url()).unwrap();
    assert_eq!(server.connections(), 2);
    house.advance(1);
    house.get(&server.url()).unwrap();
    assert!(server.requests()[2].contains("\r\nif-none-match: \"v1\"\r\n"));
}

#[test]
fn a_stale_answer_never_stands_in_for_an_error() {
    let server = Server::saying(vec![
        document("Cache-Control: max-age=10\r\nETag: \"v1\"\r\n"),
        answer("500 Internal Server Error", "", b""),
        answer("404 Not Found", "", b""),
        document(""),
    ]);
    let house = House::new();
    house.get(&server.url()).unwrap();
    house.advance(10);
    let failed = house.get(&server.url()).unwrap_err();
    assert_eq!(failed, Unreachable::Status(500).into());
    house.advance(5);
    let failed = house.get(&server.url()).unwrap_err();
    assert_eq!(failed, FetchError::NotFound);
    house.advance(5);
    assert!(house.get(&server.url()).is_ok());
    let (url, address) = (server.url(), server.address);
    drop(server);
    // The listener is closed by its thread, which may be a moment behind.
    while std::net::TcpStream::connect(address).is_ok() {}
    house.advance(3600);
    let failed = house.get(&url).unwrap_err();
    assert_eq!(failed, Unreachable::Connect("localhost".into()).into());
}

#[test]
fn a_failure_is_remembered_for_some_seconds() {
    let server = Server::saying(vec![
        answer("503 Service Unavailable", "", b""),
        document(""),
    ]);
    let house = House::new();
    for _ in 0..10 {
        let failed = house.get(&server.url()).unwrap_err();
        assert_eq!(failed, Unreachable::Status(503).into());
    }
    assert_eq!(server.connections(), 1);
    house.advance(5);
    assert!(house.get(&server.url()).is_ok());
}

#[test]
fn a_dead_host_is_dead_for_all_of_its_urls() {
    let house = House::new();
    house.names.says("localhost", &[&[], &["127.0.0.1"]]);
    let server = Server::saying(vec![document("")]);
    for path in 0..10 {
        let failed = house.get(&format!("{}/{path}", server.url())).unwrap_err();
        assert_eq!(failed, Unreachable::Name("localhost".into()).into());
    }
    assert_eq!(house.names.queries().len(), 1);
    house.advance(5);
    assert!(house.get(&server.url()).is_ok());
}

#[test]
fn a_copy_that_is_too_old_for_the_asker_is_asked_for_again() {
    let (server, house) = (counting("Cache-Control: max-age=300\r\n"), House::new());
    house.get(&server.url()).unwrap();
    house.advance(100);
    let get_since = |since| {
        let got = house
            .fetcher
            .get_since(&server.url(), Kind::StatusList, since);
        got.unwrap().body
    };
    let an_hour_ago = "2026-01-31T11:00:00Z".parse().unwrap();
    assert_eq!(get_since(an_hour_ago), "{\"turn\": 0}");
    assert_eq!(get_since(house.now()), "{\"turn\": 1}");
    assert_eq!(get_since(house.now()), "{\"turn\": 1}");
}

#[test]
fn one_url_asked_for_as_two_kinds_is_two_things() {
    let server = Server::with(|talk| {
        let fields = "Content-Type: application/json\r\n";
        talk.send(&answer("200 OK", fields, b"{}"));
    });
    let house = House::new();
    for kind in [Kind::KeySet, Kind::ControllerDocument, Kind::KeySet] {
        house.fetcher.get(&server.url(), kind).unwrap();
    }
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_fragment_is_no_part_of_what_is_asked_for() {
    let (server, house) = (counting(""), House::new());
    for fragment in ["", "#a", "#b"] {
        let got = house.get(&format!("{}{fragment}", server.url())).unwrap();
        assert_eq!(got.url, server.url());
    }
    assert_eq!(server.connections(), 1);
}
