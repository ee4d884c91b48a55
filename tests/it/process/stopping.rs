//! How a server ends, and how it deals with clients that take too long.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::client::Client;
use super::program::program;
use super::server::{PATIENCE, Server, start_on_a_free_port};
use tempfile::TempDir;

/// A development server on the memory engine, and the folder of its master key.
fn server(settings: &[(&str, &str)]) -> (Server, TempDir) {
    let home = TempDir::new().unwrap();
    let server = start_on_a_free_port(|port| {
        let mut command = program();
        command.args(["serve", "--dev", "--listen", &format!("127.0.0.1:{port}")]);
        command.arg("--data").arg(home.path().join("data"));
        command.env("GOODSTANDING_STORE__ENGINE", "memory");
        command.envs(settings.iter().copied());
        command
    });
    (server, home)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything up to the end of the connection.
fn read_to_end(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    match stream.read_to_end(&mut read) {
        Ok(_) => {}
        Err(reset) if reset.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is not closed: {error}"),
    }
    String::from_utf8(read).unwrap()
}

const BODY: &str = r#"{"slug":"late","name":"Late","roles":["issuer"]}"#;

fn head_of_a_change(length: usize) -> String {
    format!(
        "POST /profiles HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

#[test]
fn a_request_under_way_is_answered_before_the_server_stops() {
    let (server, _home) = server(&[]);
    let (early, late) = BODY.split_at(20);
    let mut under_way = connect(&server);
    under_way
        .write_all((head_of_a_change(BODY.len()) + early).as_bytes())
        .unwrap();
    let mut idle = connect(&server);
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    read_until(&mut idle, "\r\n\r\n");
    server.terminate();
    // New connections are refused from then on.
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(server.address).is_ok() {
        assert!(Instant::now() < deadline, "it still takes connections");
    }
    under_way.write_all(late.as_bytes()).unwrap();
    let answer = read_to_end(&mut under_way);
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(answer.contains(r#""name":"Late""#), "{answer}");
    let answered = Instant::now();
    server.ended().in_order();
    // The idle connection is not waited for.
    assert!(answered.elapsed() < Duration::from_secs(8));
}

/// Reads up to and with some text.
fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(end.as_bytes()) {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "closed early");
        read.push(byte[0]);
    }
    String::from_utf8(read).unwrap()
}

const HEAD_LIMIT: Duration = Duration::from_millis(600);
const BODY_LIMIT: Duration = Duration::from_millis(600);
/// What a loaded machine may take on top, well below the limits that are the defaults.
const SLACK: Duration = Duration::from_secs(7);

/// Sends a byte whenever the server has said nothing for a while, until it says something or
/// closes; gives what it said up to the end.
fn drip(stream: &mut TcpStream, drops: &mut dyn Iterator<Item = u8>) -> String {
    let pause = Some(Duration::from_millis(40));
    stream.set_read_timeout(pause).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut said = Vec::new();
    let mut part = [0; 4_096];
    while Instant::now() < deadline {
        match stream.read(&mut part) {
            Ok(0) => return String::from_utf8(said).unwrap(),
            Ok(length) => said.extend_from_slice(&part[..length]),
            Err(error) if is_pause(&error) && said.is_empty() => {
                // The other side may close at this moment: the next read tells.
                let _ = stream.write_all(&[drops.next().expect("drops enough")]);
            }
            Err(error) if is_pause(&error) => {}
            Err(_) => return String::from_utf8(said).unwrap(),
        }
    }
    panic!("still open, after {}", String::from_utf8_lossy(&said));
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[test]
fn a_head_that_does_not_come_to_its_end_is_cut_off() {
    let (server, _home) = server(&[("GOODSTANDING_LIMITS__HEAD_MS", "600")]);
    let half = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Half: ";
    for (story, start) in [("half a head", half), ("nothing at all", "")] {
        let mut stream = connect(&server);
        let began = Instant::now();
        stream.write_all(start.as_bytes()).unwrap();
        stream.set_read_timeout(Some(HEAD_LIMIT + SLACK)).unwrap();
        read_to_end(&mut stream);
        let took = began.elapsed();
        assert!(took > HEAD_LIMIT / 2, "{story}: cut off after {took:?}");
        assert!(took < HEAD_LIMIT + SLACK, "{story}: {took:?}");
    }
    // One letter after the other does not put it off.
    let mut stream = connect(&server);
    stream.write_all(half.as_bytes()).unwrap();
    let began = Instant::now();
    drip(&mut stream, &mut std::iter::repeat(b'x'));
    let took = began.elapsed();
    assert!(took < HEAD_LIMIT + SLACK, "{took:?}");
    // Others are served all the while.
    let client = Client::new(server.url(), None);
    assert_eq!(client.get("/health/live").status, 200);
    server.stop().in_order();
}

#[test]
fn a_body_that_drips_is_answered_with_408() {
    let (server, _home) = server(&[("GOODSTANDING_LIMITS__BODY_MS", "600")]);
    let mut stream = connect(&server);
    stream
        .write_all(head_of_a_change(1_000_000).as_bytes())
        .unwrap();
    let began = Instant::now();
    let answer = drip(&mut stream, &mut std::iter::repeat(b' '));
    let took = began.elapsed();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(
        took > BODY_LIMIT / 2 && took < BODY_LIMIT + SLACK,
        "{took:?}"
    );

    let mut chunked = connect(&server);
    let head = "POST /profiles HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    chunked.write_all(head.as_bytes()).unwrap();
    let mut drops = b"1\r\n \r\n".iter().copied().cycle();
    let answer = drip(&mut chunked, &mut drops);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");

    // Nothing came of either, and a body that is there in time is taken.
    let mut whole = connect(&server);
    let request = head_of_a_change(BODY.len()) + BODY;
    whole.write_all(request.as_bytes()).unwrap();
    let answer = read_until(&mut whole, "\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    server.stop().in_order();
}

/// A service manager may change its mind as soon as it hears that the server is up.
#[test]
fn a_server_that_has_just_come_up_stops_in_order() {
    for _ in 0..10 {
        let (server, _home) = server(&[]);
        server.stop().in_order();
    }
}
