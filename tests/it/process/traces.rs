//! Traces as a collector reads them: what was done and how long it took, by the names of this program alone.

use std::env;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};

use super::collector::{Collector, Taken};
use super::folder::Folder;
use super::metrics::{LISTEN, Numbers, once, operated};
use super::program::{program, run};
use super::server::{Server, free_port};
use super::standing::{ISSUER, entries, list, profile, revocation};
use crate::support::client::Call;
use crate::support::peers::skip;

const PYTHON: &str = "GOODSTANDING_INTEROP_PYTHON";
const TRACES: &str = "GOODSTANDING_OPERATIONS__TRACES";
const RATIO: &str = "GOODSTANDING_OPERATIONS__TRACES_RATIO";

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// What the collector was sent, read by the messages that OpenTelemetry publishes.
fn spans(taken: &[Taken]) -> Option<Vec<Value>> {
    let Some(python) = env::var_os(PYTHON).filter(|value| !value.is_empty()) else {
        skip("opentelemetry-proto", PYTHON);
        return None;
    };
    let mut lines = String::new();
    for one in taken {
        for byte in &one.body {
            let _ = write!(lines, "{byte:02x}");
        }
        lines.push('\n');
    }
    let mut reads = Command::new(python);
    reads.env("PYTHONDONTWRITEBYTECODE", "1");
    reads.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/interop/traces.py"
    ));
    let read = run(&mut reads, &lines).exits(0).json();
    Some(read.as_array().unwrap().clone())
}

fn named<'s>(spans: &'s [Value], name: &str) -> Vec<&'s Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

/// Asks as a part of a trace.
fn within(server: &Server, path: &str, parent: &str) {
    let mut call = Call::new(server.address, "GET", path);
    call = call.header("traceparent", parent);
    call.header("tracestate", "vendor=canary").send();
}

#[test]
fn a_collector_reads_what_was_done() {
    let collector = Collector::open();
    let folder = Folder::prepared();
    let server = folder.serve(&[(TRACES, collector.url()), (RATIO, "1")]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let index = entries(&registry, &list, 1)[0];
    let revoked = registry.post(&format!("{list}/updates"), &revocation(index));
    assert_eq!(revoked.status, 200);
    // One that the routes answer, one that the thread answers at once, and one that nobody does.
    let recorded = format!("00-{TRACE}-{SPAN}-01");
    within(&server, "/profiles/acme-canary", &recorded);
    within(&server, &list, &recorded);
    within(&server, "/canary", &format!("00-{TRACE}-{SPAN}-00"));
    assert_eq!(registry.get("/canary?secret=canary").status, 404);
    // What waits is sent before the process ends.
    server.stop().in_order();

    let taken = collector.taken();
    for one in &taken {
        assert_eq!(one.head[0], "post /v1/traces http/1.1");
        let media_type = "content-type: application/x-protobuf".to_owned();
        assert!(one.head.contains(&media_type), "{:?}", one.head);
        let said = String::from_utf8_lossy(&one.body).to_lowercase();
        for word in ["canary", ISSUER, list.rsplit('/').next().unwrap()] {
            assert!(!said.contains(&word.to_lowercase()), "{word}: {said}");
        }
        assert!(!said.contains(&folder.token.to_lowercase()), "{said}");
    }
    let Some(spans) = spans(&taken) else {
        return;
    };
    let made = named(&spans, "POST /profiles");
    assert_eq!(made.len(), 1, "{spans:#?}");
    let told = json!({
        "http.request.method": "POST",
        "http.route": "/profiles",
        "http.response.status_code": 201
    });
    assert_eq!(made[0]["attributes"], told);
    assert_eq!(made[0]["kind"], "SPAN_KIND_SERVER");
    assert_eq!(
        (&made[0]["parent"], &made[0]["failed"]),
        (&json!(""), &json!(false))
    );
    let who =
        json!({ "service.name": "goodstanding", "service.version": env!("CARGO_PKG_VERSION") });
    assert_eq!(made[0]["resource"], who);
    assert!(made[0]["nanos"].as_u64().unwrap() > 0);

    // Parts of the trace that was named; not of one that is not recorded.
    let parts = spans.iter().filter(|span| span["trace"] == TRACE);
    let mut parts: Vec<_> = parts.map(|part| part["name"].as_str().unwrap()).collect();
    parts.sort_unstable();
    assert_eq!(
        parts,
        ["GET /profiles/{profile}", "GET /status-lists/{list}"]
    );
    assert!(spans.iter().all(|span| span["state"] == ""));
    let parted = named(&spans, "GET /status-lists/{list}");
    assert_eq!(parted[0]["parent"], SPAN);
    // Where there is nothing its address is not told.
    let nowhere = named(&spans, "GET");
    assert_eq!(nowhere.len(), 1, "{spans:#?}");
    assert_eq!(nowhere[0]["attributes"]["http.response.status_code"], 404);

    // The way of a change, besides.
    let commits = named(&spans, "commit");
    assert!(commits.len() >= 4 && named(&spans, "anchor").len() >= 4);
    assert!(
        commits
            .iter()
            .all(|span| span["attributes"]["goodstanding.changes"].as_u64() >= Some(1))
    );
    assert!(named(&spans, "sign list").len() >= 2, "{spans:#?}");

    // Each has an id of its own, and nothing beside what is on the list.
    let mut ids: Vec<_> = spans.iter().map(|span| span["span"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), spans.len());
    const ATTRIBUTES: &[&str] = &[
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "goodstanding.changes",
    ];
    for span in &spans {
        let mut names = span["attributes"].as_object().unwrap().keys();
        assert!(
            names.all(|name| ATTRIBUTES.contains(&name.as_str())),
            "{span}"
        );
        assert_eq!(
            (&span["more"], &span["scope"]),
            (&json!(0), &json!("goodstanding"))
        );
    }
}

#[test]
fn a_ratio_of_none_sends_none() {
    let collector = Collector::open();
    let folder = Folder::prepared();
    let server = folder.serve(&[(TRACES, collector.url()), (RATIO, "0")]);
    profile(&folder.operator(&server), ISSUER, "issuer");
    within(&server, "/", &format!("00-{TRACE}-{SPAN}-01"));
    server.stop().in_order();
    assert!(collector.taken().is_empty());
}

#[test]
fn what_the_collector_does_not_take_is_counted_and_holds_nobody_up() {
    let collector = Collector::that_answers("400 Bad Request");
    let folder = Folder::prepared();
    let settings = [(TRACES, collector.url()), (RATIO, "1")];
    let (server, operator) = operated(&folder, &settings);
    profile(&folder.operator(&server), ISSUER, "issuer");
    let failed = "goodstanding_trace_spans_total{outcome=\"failed\"}";
    let numbers = once(&operator, |numbers: &Numbers| numbers.at(failed) >= 1.0);
    assert_eq!(
        numbers.at("goodstanding_trace_spans_total{outcome=\"sent\"}"),
        0.0
    );
    let ended = server.stop();
    ended.in_order();
    let told = "the collector takes no traces";
    assert_eq!(ended.err.matches(told).count(), 1, "{}", ended.err);
}

#[test]
fn a_collector_that_never_answers_holds_nobody_up() {
    // It takes connections, and says nothing.
    let listener = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let folder = Folder::prepared();
    let server = folder.serve(&[(TRACES, &silent), (RATIO, "1")]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    list(&registry, ISSUER);
    let (_connection, _) = listener.accept().unwrap();
    assert_eq!(registry.get("/health/ready").status, 200);
    let ended = server.stop();
    ended.in_order();
    let told = ["could not all be sent", "takes no traces"];
    assert!(
        told.iter().any(|told| ended.err.contains(told)),
        "{}",
        ended.err
    );
}

#[test]
fn what_is_sent_is_counted() {
    let collector = Collector::open();
    let folder = Folder::prepared();
    let settings = [(TRACES, collector.url()), (RATIO, "1")];
    let (server, operator) = operated(&folder, &settings);
    profile(&folder.operator(&server), ISSUER, "issuer");
    collector.waits();
    let sent = "goodstanding_trace_spans_total{outcome=\"sent\"}";
    once(&operator, |numbers: &Numbers| numbers.at(sent) >= 1.0);
}

#[test]
fn what_is_no_collector_is_named_with_its_key_and_not_repeated() {
    let folder = Folder::prepared();
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(folder.data());
    command.env(TRACES, "http://me:canary@127.0.0.1:4318");
    command.env(LISTEN, "");
    let ended = Server::try_start(&mut command).map(|_| ()).unwrap_err();
    assert!(
        ended.err.contains("OTEL_EXPORTER_OTLP_HEADERS"),
        "{ended:?}"
    );
    assert!(!ended.err.contains("canary"), "{ended:?}");
}
