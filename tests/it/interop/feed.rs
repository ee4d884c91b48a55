//! The change feed as the EventSource of Node follows it, which comes back by itself.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Write as _, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use crate::support::feed::Changing;
use crate::support::house::House;
use crate::support::peers::peers;

#[test]
fn an_event_source_that_is_cut_off_comes_back_and_misses_nothing() {
    let node = env::var_os("GOODSTANDING_INTEROP_NODE").filter(|node| !node.is_empty());
    let Some(node) = node else {
        // Says that it is skipped, or fails where it may not be.
        peers();
        return;
    };
    if !has_event_source(&node) {
        // Written past the capture of a test's output, which hides what a passing test says.
        let line = b"skipped: the change feed with Node, which has an EventSource from 20.18 on\n";
        io::stderr().write_all(line).unwrap();
        return;
    }
    let house = House::open();
    let school = house.registrar("school");
    let lists = [Changing::open(&school), Changing::open(&school)];
    let (relay, connections) = relay(house.address);
    let mut source = Source::start(&node, &format!("http://{relay}/events/published"));
    assert_eq!(source.hears(), json!({ "open": true }));
    for revision in 2..4 {
        assert_eq!(lists[0].changes(), revision);
        source.is_told(&lists[0].url, revision);
    }
    // The way is cut, and both lists change meanwhile.
    let way = connections.recv().unwrap();
    way.shutdown(Shutdown::Both).unwrap();
    lists[1].changes();
    lists[0].changes();
    lists[1].changes();
    assert_eq!(source.hears(), json!({ "open": true }));
    let expected = BTreeMap::from([(lists[0].url.clone(), 4), (lists[1].url.clone(), 3)]);
    let mut known = BTreeMap::new();
    while known != expected {
        known.extend([source.publication()]);
    }
}

const EVENT_SOURCE: &str = "--experimental-eventsource";

fn has_event_source(node: &OsStr) -> bool {
    let asked = Command::new(node).args([EVENT_SOURCE, "-e", ""]).output();
    asked.expect("Node starts").status.success()
}

/// Node, following.
struct Source {
    lines: BufReader<ChildStdout>,
    program: Child,
}

impl Source {
    fn start(node: &OsStr, url: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/feed.mjs");
        let mut program = Command::new(node)
            .arg(EVENT_SOURCE)
            .args([script.as_os_str(), url.as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Node starts");
        let lines = BufReader::new(program.stdout.take().unwrap());
        Self { lines, program }
    }

    fn hears(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("Node goes on")
    }

    /// The list and the revision of the next publication.
    fn publication(&mut self) -> (String, u64) {
        let told = self.hears();
        let list = told["list"].as_str().expect("a publication").to_owned();
        (list, told["revision"].as_u64().unwrap())
    }

    fn is_told(&mut self, list: &str, revision: u64) {
        assert_eq!(self.publication(), (list.to_owned(), revision));
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        drop(self.program.stdin.take());
        self.program.wait().expect("Node ends with its input");
    }
}

/// Something on the way that can be cut: where it listens, and its connections to Node as they
/// come.
fn relay(to: SocketAddr) -> (SocketAddr, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (come, coming) = channel();
    thread::spawn(move || {
        for here in listener.incoming() {
            let (here, there) = (here.unwrap(), TcpStream::connect(to).unwrap());
            for (from, into) in [(&here, &there), (&there, &here)] {
                let mut from = from.try_clone().unwrap();
                let mut into = into.try_clone().unwrap();
                thread::spawn(move || {
                    // However it ends, nothing more comes that way.
                    let _ = copy(&mut from, &mut into);
                    let _ = into.shutdown(Shutdown::Both);
                });
            }
            if come.send(here).is_err() {
                return;
            }
        }
    });
    (address, coming)
}
