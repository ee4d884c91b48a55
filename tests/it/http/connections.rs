//! Connections: what comes in pieces, one behind the other, in older words, or not at all.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use goodstanding::http::Limits;
use goodstanding::time::Ttl;
use serde_json::json;

use crate::support::client::Connection;
use crate::support::house::{House, Plan};

/// A list that is ready, and the path to it.
fn list(house: &House) -> String {
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let call = school.call("POST", &format!("{list}/entries"));
    call.json(&json!({ "count": 5 })).send().is(200);
    list
}

fn connect(house: &House) -> TcpStream {
    let stream = TcpStream::connect(house.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn to_end(mut stream: TcpStream) -> String {
    let mut read = Vec::new();
    stream.read_to_end(&mut read).unwrap();
    String::from_utf8(read).unwrap()
}

#[test]
fn what_is_asked_one_behind_the_other_is_answered_in_order() {
    let house = House::open();
    let list = list(&house);
    let mut stream = connect(&house);
    let mut all = String::new();
    // Some are answered at once and some by handlers, which take longer.
    let paths = [
        list.as_str(),
        "/health/live",
        &list,
        "/nowhere",
        "/profiles/school",
        &list,
    ];
    for round in 0..10 {
        for path in paths {
            all += &format!(
                "GET {path} HTTP/1.1\r\nHost: registry.example\r\nX-Round: {round}\r\n\r\n"
            );
        }
    }
    all += "GET /health/live HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n\r\n";
    stream.write_all(all.as_bytes()).unwrap();
    let answers = to_end(stream);
    let types: Vec<&str> = answers
        .lines()
        .filter_map(|line| line.strip_prefix("content-type: "))
        .collect();
    let (vc, json) = ("application/vc", "application/json");
    let round = [
        vc,
        json,
        vc,
        "application/problem+json",
        "application/ld+json",
        vc,
    ];
    let expected: Vec<&str> = round
        .iter()
        .copied()
        .cycle()
        .take(60)
        .chain([json])
        .collect();
    assert_eq!(types, expected);
}

#[test]
fn an_answer_does_not_wait_for_the_rest_of_the_next_request() {
    let house = House::open();
    let list = list(&house);
    let mut connection = Connection::open(house.address);
    let head = format!("GET {list} HTTP/1.1\r\nHost: registry.example\r\n\r\n");
    let (half, rest) = head.split_at(20);
    let first = connection
        .send_bytes(format!("{head}{half}").as_bytes())
        .is(200);
    assert_eq!(connection.send_bytes(rest.as_bytes()), first);
}

#[test]
fn a_head_may_come_byte_by_byte() {
    let house = House::open();
    let list = list(&house);
    let mut stream = connect(&house);
    let head =
        format!("GET {list} HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n\r\n");
    for byte in head.as_bytes() {
        stream.write_all(&[*byte]).unwrap();
    }
    assert!(to_end(stream).starts_with("HTTP/1.1 200 "));
}

#[test]
fn who_asks_once_gets_one_answer_and_the_end() {
    let house = House::open();
    let list = list(&house);
    for (version, header, said) in [
        ("1.1", "Connection: close\r\n", "connection: close"),
        ("1.0", "", "HTTP/1.0 200"),
        ("1.1", "Connection: Close, x\r\n", "connection: close"),
    ] {
        for path in [&list, "/health/live"] {
            let mut stream = connect(&house);
            let head =
                format!("GET {path} HTTP/{version}\r\nHost: registry.example\r\n{header}\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            let answer = to_end(stream);
            assert!(answer.contains(said), "{path} {version}: {answer}");
        }
    }
    // One of HTTP/1.0 that asks for more is told that there can be.
    let mut connection = Connection::open(house.address);
    let head = format!("GET {list} HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
    let first = connection.send_bytes(head.as_bytes()).is(200);
    assert_eq!(first.header("connection"), Some("keep-alive"));
    connection.send_bytes(head.as_bytes()).is(200);
}

#[test]
fn what_is_answered_at_once_is_what_the_routes_say_on_the_wire() {
    let house = House::open();
    let list = list(&house);
    let gzip = "Accept-Encoding: gzip\r\n";
    let get = |method: &str, headers: &str, body: &str| {
        let mut connection = connect(&house);
        let head = format!(
            "{method} {list} HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n{headers}"
        );
        connection
            .write_all(format!("{head}{body}").as_bytes())
            .unwrap();
        let mut read = Vec::new();
        connection.read_to_end(&mut read).unwrap();
        let text = String::from_utf8_lossy(&read).into_owned();
        // The second may have changed.
        let lines = text
            .split("\r\n")
            .filter(|line| !line.starts_with("date: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for headers in [
        "",
        gzip,
        "If-None-Match: *\r\n",
        "Accept: application/vc+jwt\r\n",
    ] {
        for method in ["GET", "HEAD"] {
            // A body, though an empty one, is left to the routes.
            let chunked = "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
            let by_routes = get(method, headers, chunked);
            let at_once = get(method, headers, "\r\n");
            assert_eq!(at_once, by_routes, "{method} {headers}");
        }
    }
}

#[test]
fn an_idle_connection_is_closed_and_one_that_asks_is_not() {
    const IDLE: Duration = Duration::from_millis(400);
    let soon = |limits: &mut Limits| limits.idle = Ttl::from_millis(400);
    let house = Plan::new().within(soon).open();
    let list = list(&house);
    let mut idle = connect(&house);
    let head = format!("GET {list} HTTP/1.1\r\nHost: registry.example\r\n\r\n");
    idle.write_all(head.as_bytes()).unwrap();
    let began = Instant::now();
    let mut busy = Connection::open(house.address);
    let mut answered = 0;
    let mut at = [0; 4_096];
    idle.set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    // The busy one asks again whenever there is no news of the other.
    loop {
        match idle.read(&mut at) {
            Ok(0) => break,
            Ok(_) => {}
            Err(_) => {
                busy.send_bytes(head.as_bytes()).is(200);
                answered += 1;
            }
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it is not closed"
        );
    }
    assert!(began.elapsed() >= IDLE, "{:?}", began.elapsed());
    assert!(answered > 3, "{answered}");
    busy.send_bytes(head.as_bytes()).is(200);
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let house = House::open();
    let long = "x".repeat(40 << 10);
    let mut stream = connect(&house);
    let head = format!("GET / HTTP/1.1\r\nHost: registry.example\r\nX-Long: {long}\r\n\r\n");
    // It may be reset, with the rest unread.
    let _ = stream.write_all(head.as_bytes());
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read);
    let answer = String::from_utf8_lossy(&read);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{answer}"
    );
    house.call("GET", "/health/live").send().is(200);
}
