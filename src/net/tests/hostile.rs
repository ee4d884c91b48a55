//! Servers that send too much, too little, too slowly, or something else.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::support::{
    Authority, HOST, House, Server, Talk, VALID, answer, document, policy, policy_for,
};
use crate::net::{FetchError, Policy, Unreachable, Unusable};
use crate::time::Ttl;

/// Long enough that a test which waits for it has failed.
const FAR_TOO_LONG: Duration = Duration::from_secs(15);

fn fetch_from(say: impl Fn(&mut Talk) + Send + Sync + 'static) -> FetchError {
    let server = Server::with(say);
    House::new().get(&server.url()).unwrap_err()
}

fn impatient() -> Policy {
    Policy {
        total: Ttl::from_millis(300),
        ..policy()
    }
}

#[test]
fn a_question_tells_nothing_of_who_asks() {
    let server = Server::saying(vec![document(
        "Set-Cookie: a=b\r\nCache-Control: no-store\r\n",
    )]);
    let house = House::new();
    house.get(&server.url()).unwrap();
    let got = house.get(&server.url()).unwrap();
    assert_eq!(
        (got.media_type, got.body.as_ref()),
        ("application/vc", &b"{}"[..])
    );
    assert_eq!(server.connections(), 2);
    for request in server.requests() {
        let mut lines: Vec<_> = request.trim_end().lines().collect();
        assert_eq!(lines.remove(0), "get /list http/1.1");
        lines.sort_unstable();
        let host = format!("host: localhost:{}", server.address.port());
        let agent = format!("user-agent: goodstanding/{}", env!("CARGO_PKG_VERSION"));
        let accept = "accept: application/vc, application/vc+jwt, application/ld+json;q=0.9, \
                      application/json;q=0.8";
        assert_eq!(lines, ["accept-encoding: gzip", accept, &host, &agent]);
    }
}

#[test]
fn a_gzip_bomb_is_given_up() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..256 {
        bomb.write_all(&[0; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 2 << 20);
    let fields = "Content-Type: application/vc\r\nContent-Encoding: gzip\r\n";
    let failed = fetch_from(move |talk| {
        talk.send(&answer("200 OK", fields, &bomb));
    });
    assert_eq!(failed, Unusable::ExpandsTooFar(12 << 20).into());
}

/// Sends 50 MB as fast as they are taken, and counts them.
fn fifty_megabytes(
    head: &'static str,
    before: &'static str,
    after: &'static str,
) -> (FetchError, usize) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let failed = fetch_from(move |talk| {
        talk.send(
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/vc\r\n{head}\r\n").as_bytes(),
        );
        let megabyte = [before.as_bytes(), &[b' '; 1 << 20], after.as_bytes()].concat();
        while talk.send(&megabyte) && counted.fetch_add(1, Ordering::SeqCst) < 50 {}
    });
    (failed, sent.load(Ordering::SeqCst))
}

#[test]
fn a_body_of_50_mb_is_not_read_to_its_end() {
    for (head, before, after) in [
        ("Content-Length: 52428800\r\n", "", ""),
        ("Transfer-Encoding: chunked\r\n", "100000\r\n", "\r\n"),
        ("Connection: close\r\n", "", ""),
    ] {
        let (failed, megabytes) = fifty_megabytes(head, before, after);
        assert_eq!(failed, Unusable::TooLarge(4 << 20).into(), "{head}");
        assert!(megabytes < 25, "{head}: {megabytes} MB were taken");
    }
}

#[test]
fn a_header_without_end_is_given_up() {
    let failed = fetch_from(|talk| {
        talk.send(b"HTTP/1.1 200 OK\r\n");
        while talk.send(b"X-Padding: 0123456789012345678901234567890123456789\r\n") {}
    });
    assert_eq!(failed, Unreachable::NotHttp.into());
    let failed = fetch_from(|talk| {
        talk.send(b"HTTP/1.1 200 OK\r\nX-Padding: ");
        while talk.send(&[b'x'; 1000]) {}
    });
    assert_eq!(failed, Unusable::Head(32 << 10).into());
}

#[test]
fn a_trickling_server_ends_in_time() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vc\r\nContent-Length: 1000\r\n\r\n";
    for at_once in [0, head.len()] {
        let server = Server::with(move |talk| {
            talk.send(&head[..at_once]);
            let rest = head[at_once..].iter().chain(std::iter::repeat(&b' '));
            for byte in rest {
                if !talk.pause(Duration::from_millis(50)) || !talk.send(&[*byte]) {
                    return;
                }
            }
        });
        let began = Instant::now();
        let failed = House::with(impatient()).get(&server.url()).unwrap_err();
        assert_eq!(failed, Unreachable::Timeout(300).into(), "{at_once}");
        assert!(began.elapsed() < FAR_TOO_LONG);
    }
}

#[test]
fn a_trickling_server_ends_in_time_under_tls_too() {
    let authority = Authority::new();
    let server = Server::secure(authority.server(HOST, VALID), |talk| {
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/vc\r\n\r\n");
        while talk.pause(Duration::from_millis(50)) && talk.send(b" ") {}
    });
    let house = House::with(Policy {
        total: Ttl::from_millis(1500),
        ..policy_for(&[(HOST, &server)], &authority)
    });
    let began = Instant::now();
    let failed = house.get(&server.url_of(HOST)).unwrap_err();
    assert_eq!(failed, Unreachable::Timeout(1500).into());
    assert!(began.elapsed() < FAR_TOO_LONG);
}

#[test]
fn a_server_that_says_nothing_ends_in_time() {
    let server = Server::with(|talk| talk.hold());
    let failed = House::with(impatient()).get(&server.url()).unwrap_err();
    assert_eq!(failed, Unreachable::Timeout(300).into());
    // The same for the handshake: this server waits for a request in the clear.
    let authority = Authority::new();
    let house = House::with(Policy {
        connect: Ttl::from_millis(300),
        ..policy_for(&[(HOST, &server)], &authority)
    });
    let failed = house.get(&server.url_of(HOST)).unwrap_err();
    assert_eq!(failed, Unreachable::Timeout(300).into());
}

#[test]
fn a_truncated_body_is_no_body() {
    for sent in [
        "HTTP/1.1 200 OK\r\nContent-Type: application/vc\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Type: application/vc\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/vc\r\nTransfer-Encoding: chunked\r\n\r\n\
         9\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Ty",
        "",
    ] {
        let failed = fetch_from(move |talk| {
            talk.send(sent.as_bytes());
        });
        assert_eq!(failed, Unreachable::BrokenOff.into(), "{sent}");
    }
}

#[test]
fn what_is_not_http_is_no_answer() {
    for sent in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/vc\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let failed = fetch_from(move |talk| {
            talk.send(sent.as_bytes());
            talk.hold();
        });
        assert_eq!(failed, Unreachable::NotHttp.into(), "{sent}");
    }
}

#[test]
fn only_the_media_types_of_its_kind_are_taken() {
    for (fields, found) in [
        ("", None),
        ("Content-Type: text/html\r\n", Some("text/html")),
        (
            "Content-Type: application/vc-not\r\n",
            Some("application/vc-not"),
        ),
        (
            "Content-Type: application/vc\r\nContent-Type: application/vc\r\n",
            Some("application/vc"),
        ),
    ] {
        let failed = fetch_from(move |talk| {
            talk.send(&answer("200 OK", fields, b"{}"));
        });
        let FetchError::Unusable(Unusable::ContentType {
            found: told,
            wanted,
        }) = failed
        else {
            panic!("{failed:?}");
        };
        assert_eq!(told.as_deref(), found);
        assert!(wanted.contains("application/vc or"), "{wanted}");
    }
    let fields = "Content-Type: APPLICATION/ld+json ; profile=\"x\"\r\n";
    let server = Server::saying(vec![answer("200 OK", fields, b"{}")]);
    let got = House::new().get(&server.url()).unwrap();
    assert_eq!(got.media_type, "application/ld+json");
}

#[test]
fn only_200_counts() {
    for (status, expected) in [
        ("404 Not Found", FetchError::NotFound),
        ("410 Gone", FetchError::Gone),
        ("201 Created", Unreachable::Status(201).into()),
        ("206 Partial Content", Unreachable::Status(206).into()),
        ("304 Not Modified", Unreachable::Status(304).into()),
        ("401 Unauthorized", Unreachable::Status(401).into()),
        ("500 Internal Server Error", Unreachable::Status(500).into()),
        ("503 Service Unavailable", Unreachable::Status(503).into()),
    ] {
        let failed = fetch_from(move |talk| {
            talk.send(&answer(status, "Content-Type: application/vc\r\n", b"{}"));
        });
        assert_eq!(failed, expected, "{status}");
    }
}

#[test]
fn a_coding_that_was_not_asked_for_is_refused() {
    let failed = fetch_from(|talk| {
        let fields = "Content-Type: application/vc\r\nContent-Encoding: br\r\n";
        talk.send(&answer("200 OK", fields, b"{}"));
    });
    assert_eq!(failed, Unusable::ContentEncoding("br".into()).into());
}

#[test]
fn a_gzipped_list_arrives_expanded() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"{\"id\": 1}").unwrap();
    let fields = "Content-Type: application/vc\r\nContent-Encoding: gzip\r\n";
    let server = Server::saying(vec![answer("200 OK", fields, &encoder.finish().unwrap())]);
    assert_eq!(House::new().get(&server.url()).unwrap().body, "{\"id\": 1}");
}
