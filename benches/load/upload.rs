//! Ten million changes in one upload, with reads beside.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Context;
use crate::reads::Small;
use crate::results::{Goal, Row, megabytes, quantile, time};
use crate::service::{ISSUER, List, Service, bits, is_set, ones};
use crate::steady::Steady;

const LENGTH: u64 = 1 << 24;
const CHANGES: u64 = 10_000_000;
/// Odd, so that the indexes of a list whose length is a power of two come once each, in no order.
const STEP: u64 = 6_700_417;
/// Lines that are sent as one chunk.
const LINES: u64 = 5_000;
/// Reads a second of another list meanwhile.
const READS: u32 = 400;
/// How long they go on before.
const BEFORE: Duration = Duration::from_secs(8);
/// Goals.
const MOST: Duration = Duration::from_secs(60);
const WITHIN: f64 = 2.0;

/// As usual.
const SETTINGS: &str = "";

pub(crate) fn run(context: &mut Context) {
    let small = Small::set_up(context, SETTINGS);
    let service = &small.service;
    let list = imported(service);
    let steady = Steady::new();
    let memory = service.process.memory().now;
    let (begun, sent, shown, ended, said) = thread::scope(|scope| {
        steady.start(scope, service, &small.list, READS);
        thread::sleep(BEFORE);
        let begun = Instant::now();
        let said = upload(service, &list);
        let sent = Instant::now();
        if said.0 == 200 {
            wait_until_shown(service, &list);
        }
        let shown = Instant::now();
        steady.stop();
        (begun, sent - begun, shown - begun, shown, said)
    });
    let before = steady.waited(begun - BEFORE + Duration::from_secs(1), begun);
    let during = steady.waited(begun, ended);
    let (before, during) = (quantile(&before, 0.99), quantile(&during, 0.99));
    let most = service.process.memory().most;
    let slower = during.as_secs_f64() / before.as_secs_f64();
    let (figure, made) = match said {
        (200, _) => (
            format!(
                "answered after {}, published after {}; p99 of {READS} reads a second {} \
                 ({} before: {slower:.1}×); resident at most {} ({} before)",
                time(sent),
                time(shown),
                time(during),
                time(before),
                megabytes(most),
                megabytes(memory),
            ),
            true,
        ),
        (status, text) => (
            format!("refused after {}: {status} {text}", time(sent)),
            false,
        ),
    };
    context.results.row(Row {
        key: "upload",
        what: "10,000,000 changes in one NDJSON upload, into a list of 16,777,216".to_owned(),
        figure,
        goal: Goal::of(
            "published ≤ 60 s, p99 of reads within 2×",
            made && shown <= MOST && slower <= WITHIN,
        ),
    });
}

/// A list without a revocation, all of whose entries are in use.
fn imported(service: &Service) -> List {
    use base64::Engine as _;
    let zeros = crate::nginx::packed(&[0]);
    let zeros = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(zeros);
    let body = json!({
        "issuer": ISSUER,
        "statusPurpose": "revocation",
        "length": LENGTH,
        "encodedList": format!("u{zeros}"),
    });
    let made = service.operator().json("/status-lists/import", &body, 201);
    List::of(&made)
}

/// Sends the changes as they are made up; the answer's status, and the beginning of what else it says.
fn upload(service: &Service, list: &List) -> (u16, String) {
    let path = format!("{}/updates", list.path);
    let mut number = 0_u64;
    let mut operator = service.operator();
    let answer = operator.stream(&path, "application/x-ndjson", |chunk| {
        let end = (number + LINES).min(CHANGES);
        while number < end {
            let index = number * STEP % LENGTH;
            chunk.extend_from_slice(b"{\"index\":");
            digits(chunk, index);
            chunk.extend_from_slice(b",\"status\":1}\n");
            number += 1;
        }
        !chunk.is_empty()
    });
    let answer = answer.expect("it answers");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.status == 200 {
        let told: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(told["applied"], CHANGES, "all of them are made");
    }
    (answer.status, text.chars().take(200).collect())
}

/// The signed list shows all of them, and nothing else.
fn wait_until_shown(service: &Service, list: &List) {
    let until = Instant::now() + Duration::from_secs(120);
    let mut client = service.anybody();
    let mut tag = String::new();
    loop {
        let answer = client.get(&list.path, &[("If-None-Match", &tag)]);
        let answer = answer.expect("it answers");
        if answer.status == 200 {
            answer.header("etag").expect("a tag").clone_into(&mut tag);
            let bits = bits(&answer);
            if ones(&bits) as u64 == CHANGES {
                let sample = (0..CHANGES).step_by(9_973);
                let indexes = sample.map(|number| number * STEP % LENGTH);
                assert!(indexes.into_iter().all(|index| is_set(&bits, index)));
                return;
            }
        }
        assert!(Instant::now() < until, "it is not published");
        thread::sleep(Duration::from_millis(50));
    }
}

fn digits(out: &mut Vec<u8>, number: u64) {
    if number >= 10 {
        digits(out, number / 10);
    }
    out.push(b'0' + (number % 10) as u8);
}
