//! A server is told to stop while there is much to do, in time and not, once and twice. Whatever
//! becomes of the rest: what it had acknowledged is there.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use super::crash::{holds_what_was_acknowledged, revoke_until};
use super::folder::Folder;
use super::server::{Ended, PATIENCE, Server};
use super::standing::{ISSUER, entries, list, profile};

const ENTRIES: usize = 1_000;

/// Well below the twenty seconds that stopping may take unless something else is said.
const SOON: Duration = Duration::from_secs(10);

/// A request of which the end does not come, so that the server cannot stop in order.
struct Held(TcpStream);

impl Held {
    fn by(server: &Server, token: &str) -> Self {
        let mut stream = connect(server.address);
        let head = format!(
            "POST /profiles HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // That it asks for the body shows that the request is under way.
        let mut answer = [0; 25];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self(stream)
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Waits until the server refuses connections, as it does once it was told to stop.
fn refuses(server: &Server) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(server.address).is_ok() {
        assert!(Instant::now() < deadline, "it still takes connections");
    }
}

fn said(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.status.code(), Some(code), "{}", ended.err);
    let lines: Vec<&str> = ended.err.lines().collect();
    let told = lines
        .iter()
        .filter(|line| line.starts_with("goodstanding: "));
    assert_eq!(told.count(), 1, "{}", ended.err);
    for word in words {
        assert!(ended.err.contains(word), "{word}: {}", ended.err);
    }
}

#[test]
fn what_takes_longer_than_the_limit_is_cut_off() {
    let folder = Folder::prepared();
    let server = folder.serve(&[("GOODSTANDING_LIMITS__DRAIN_MS", "700")]);
    let mut held = Held::by(&server, &folder.token);
    let told = Instant::now();
    let ended = server.stop();
    let took = told.elapsed();
    assert!(took > Duration::from_millis(500), "{took:?}");
    assert!(took < SOON, "{took:?}");
    let words = ["limits.drain_ms", "1 connections were cut off"];
    said(&ended, 3, &words);
    let end = held.0.read(&mut [0; 1]);
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

#[test]
fn told_twice_it_ends_at_once() {
    for (first, second, code) in [("TERM", "TERM", 143), ("TERM", "INT", 130)] {
        let folder = Folder::prepared();
        let server = folder.serve(&[]);
        let _held = Held::by(&server, &folder.token);
        server.tell(first);
        refuses(&server);
        let told = Instant::now();
        server.tell(second);
        let ended = server.ended();
        assert!(told.elapsed() < SOON, "{:?}", told.elapsed());
        let name = format!("SIG{second} while stopping");
        said(&ended, code, &[&name]);
    }
}

/// Neither who only listens nor who only connected has a request that is to be answered.
#[test]
fn whoever_asks_for_nothing_holds_nothing_up() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let mut feed = connect(server.address);
    let ask = "GET /events/published HTTP/1.1\r\nHost: localhost\r\n\r\n";
    feed.write_all(ask.as_bytes()).unwrap();
    let mut begun = [0; 15];
    feed.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200 OK");
    let silent = connect(server.address);
    let told = Instant::now();
    server.stop().in_order();
    assert!(told.elapsed() < SOON, "{:?}", told.elapsed());
    // The feed came to its proper end.
    let mut rest = String::new();
    feed.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
    drop(silent);
}

/// So late that what is published is published because the server stops.
const LATE: (&str, &str) = ("GOODSTANDING_LISTS__PUBLISH_DELAY_MS", "86400000");

/// Revocations from several threads, in the middle of which the server ends in this way; then all
/// that was acknowledged is there, and in the signed list. Gives what the server said, and what it
/// says of what it found at its next start.
fn load_and_stop(end: impl FnOnce(&Server, &str)) -> (Ended, String) {
    let folder = Folder::prepared();
    let server = folder.serve(&[LATE]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let indexes = entries(&registry, &list, ENTRIES);
    let stop = || end(&server, &folder.token);
    let cut = revoke_until(200, stop, &registry, &list, &indexes);
    assert!(cut.sent.len() < ENTRIES, "the end came too late to show");
    let ended = server.ended();

    let server = folder.serve(&[LATE]);
    let registry = folder.operator(&server);
    holds_what_was_acknowledged(&registry, &list, &indexes, &cut);
    // It goes on from there.
    let last = json!({ "updates": [{ "index": indexes[ENTRIES - 1], "status": 1 }] });
    let answer = registry.post(&format!("{list}/updates"), &last).json(200);
    assert_eq!(answer["refused"], json!([]));
    let again = server.stop();
    again.in_order();
    (ended, again.err)
}

const FOUND_BEHIND: &str = "lists were behind their changes";

#[test]
fn told_to_stop_in_the_middle_of_revocations_it_publishes_them() {
    let (ended, next) = load_and_stop(|server, _| server.terminate());
    ended.in_order();
    assert!(!next.contains(FOUND_BEHIND), "{next}");
}

#[test]
fn told_twice_in_the_middle_of_revocations_it_keeps_them() {
    let mut held = None;
    let (ended, next) = load_and_stop(|server, token| {
        held = Some(Held::by(server, token));
        server.terminate();
        server.terminate();
    });
    // Two signals of a kind that come at the same moment are one, and the held request is cut off.
    match ended.status.code() {
        Some(143) => {
            said(&ended, 143, &["SIGTERM while stopping"]);
            assert!(next.contains(FOUND_BEHIND), "{next}");
        }
        other => assert_eq!(other, Some(3), "{}", ended.err),
    }
}
