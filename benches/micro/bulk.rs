//! A list of 10,000,000 entries that another system kept: taken in, handed on, and taken back.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use goodstanding::bitstring::{Bitstring, KeyedPermutation, ListLength, StatusSize, encode};
use goodstanding::http::{Edge, Reply, answer_locally};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::harness::{CpuClock, Report, Samples};
use crate::places::{ENGINES, ORIGIN, Place};

const ENTRIES: u64 = 10_000_000;
/// One entry in a hundred is set, and six in ten are in use.
const SET: u64 = ENTRIES / 100;
const USED: u64 = ENTRIES / 10 * 6;
const ROUNDS: usize = 5;

pub(crate) fn run(report: &mut Report) {
    let words = "From the bytes of the request to those of the answer, without a network. Of the \
                 entries 100,000 are set and 6,000,000 in use, anywhere. Each round imports the list \
                 (which signs it as well), exports it in each form, and imports the export; \
                 statuses and used indexes have to be the same after it. Times are CPU time, and in \
                 brackets the time that passes; memory is the most that the process held during the \
                 step, and what it held before.";
    report.section("Bulk: a list of 10,000,000 entries", words);
    let list = List::scattered();
    for engine in ENGINES {
        let place = Place::new(*engine);
        let edge = Edge::usual(Arc::clone(&place.registry));
        let mut steps = Steps::default();
        for _ in 0..ROUNDS {
            round(&edge, &list, &mut steps);
        }
        steps.tell(report, place.engine);
    }
}

/// What is imported, and its body.
struct List {
    statuses: Bitstring,
    used: Bitstring,
    body: Bytes,
}

impl List {
    fn scattered() -> Self {
        let length = ListLength::new(ENTRIES).expect("a length of a list");
        let order = KeyedPermutation::new(&[7; 16], ENTRIES);
        let bits = |count: u64| {
            let mut bits: Bitstring = Bitstring::zeroed(length, StatusSize::One);
            for index in order.images(0..count) {
                let index = length.index(index).expect("within the length");
                bits.set(index, 1).expect("one bit holds 1");
            }
            bits
        };
        let (statuses, used) = (bits(SET), bits(USED));
        let body = json!({
            "issuer": "harbour-school",
            "statusPurpose": "revocation",
            "encodedList": encode(statuses.as_bytes()),
            "usedIndexes": { "encodedList": encode(used.as_bytes()) },
        });
        Self {
            statuses,
            used,
            body: body.to_string().into(),
        }
    }
}

/// What was measured of each step, in the order of the round.
#[derive(Default)]
struct Steps(Vec<(&'static str, Step)>);

#[derive(Default)]
struct Step {
    cpu: Vec<f64>,
    passed: Vec<f64>,
    most: u64,
    before: u64,
}

impl Steps {
    fn measure<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        if !self.0.iter().any(|(known, _)| *known == name) {
            self.0.push((name, Step::default()));
        }
        // From here on the kernel counts the peak anew (proc_pid_clear_refs(5)).
        let counted_anew = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        let before = kilobytes("VmRSS:");
        let (clock, started) = (CpuClock::start(), Instant::now());
        let made = work();
        let (cpu, passed) = (clock.used(), started.elapsed());
        let step = self.0.iter_mut().find(|(known, _)| *known == name);
        let (_, step) = step.expect("it was added above");
        step.cpu.push(cpu.as_secs_f64());
        step.passed.push(passed.as_secs_f64());
        let most = if counted_anew { kilobytes("VmHWM:") } else { 0 };
        if most >= step.most {
            (step.most, step.before) = (most, before);
        }
        made
    }

    fn tell(self, report: &Report, engine: &str) {
        for (name, step) in self.0 {
            let (cpu, passed) = (Samples::new(step.cpu), Samples::new(step.passed));
            let figure = format!(
                "{} [{}], {} MB, {} MB before",
                cpu.times(),
                passed.times(),
                step.most / 1_000,
                step.before / 1_000
            );
            report.context(&format!("{engine}: {name}"), &figure);
        }
    }
}

/// A line of this process's memory, where the system tells.
fn kilobytes(name: &str) -> u64 {
    let told = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

fn round(edge: &Edge, list: &List, steps: &mut Steps) {
    let imported = steps.measure("import, signed", || import(edge, list.body.clone()));
    let path = path_of(&imported);
    let exported = steps.measure("export as a list", || {
        ask(
            edge,
            "GET",
            &format!("{path}/export?format=json"),
            Bytes::new(),
        )
    });
    let set = steps.measure("export of what is set, NDJSON", || {
        rows(edge, format!("{path}/export?format=ndjson&limit=100000"))
    });
    assert_eq!(set, SET);
    let all = steps.measure("export of all that is in use, CSV", || {
        rows(
            edge,
            format!("{path}/export?format=csv&all=given-out&limit=100000"),
        )
    });
    assert_eq!(all, USED);
    let again = steps.measure("import of the export, signed", || {
        import(edge, exported.body.clone())
    });
    check(edge, list, &path_of(&again), &exported);
}

/// The list that was taken back says the same as the one that was brought.
fn check(edge: &Edge, list: &List, path: &str, exported: &Reply) {
    let reply = ask(
        edge,
        "GET",
        &format!("{path}/export?format=json"),
        Bytes::new(),
    );
    let parsed = |reply: &Reply| -> Value { serde_json::from_slice(&reply.body).expect("JSON") };
    let (mut first, mut second) = (parsed(exported), parsed(&reply));
    first["source"] = Value::Null;
    second["source"] = Value::Null;
    assert!(first == second, "what was taken back is something else");
    for (encoded, bits) in [
        (&first["encodedList"], &list.statuses),
        (&first["usedIndexes"]["encodedList"], &list.used),
    ] {
        let encoded = encoded.as_str().expect("text");
        let bytes = goodstanding::bitstring::decode(encoded, 8 << 20).expect("a list");
        assert!(
            bytes == bits.as_bytes(),
            "what was exported is something else"
        );
    }
}

fn import(edge: &Edge, body: Bytes) -> Reply {
    ask(edge, "POST", "/status-lists/import", body)
}

fn path_of(imported: &Reply) -> String {
    let url = imported.get("location").expect("where the list is");
    url.strip_prefix(ORIGIN).expect("here").to_owned()
}

/// How many rows all pages have.
fn rows(edge: &Edge, path: String) -> u64 {
    let (mut count, mut next) = (0, Some(path));
    while let Some(path) = next.take() {
        let page = ask(edge, "GET", &path, Bytes::new());
        let header = u64::from(page.get("content-type") == Some("text/csv"));
        count += page.body.iter().filter(|byte| **byte == b'\n').count() as u64 - header;
        next = page.get("link").map(|link| {
            let (url, _) = link[1..].split_once('>').expect("a link");
            url.strip_prefix(ORIGIN).expect("here").to_owned()
        });
    }
    count
}

fn ask(edge: &Edge, method: &str, path: &str, body: Bytes) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let reply = answer_locally(edge, method, path, headers, body);
    let said = || String::from_utf8_lossy(&reply.body[..reply.body.len().min(500)]).into_owned();
    assert!(matches!(reply.status, 200 | 201), "{path}: {}", said());
    reply
}
