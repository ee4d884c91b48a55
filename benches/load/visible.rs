//! From the acknowledgement of a change until the signed list shows it, at 1,000 changes a second.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Context;
use crate::results::{Goal, Row, quantile, time};
use crate::service::{Folder, List, Service, bits, is_set, revocation};

const CHANGES: usize = 10_000;
const RATE: u32 = 1_000;
const CLIENTS: usize = 32;
/// How long the reader waits between two questions, so that the core is not its own.
const BETWEEN: Duration = Duration::from_millis(1);
/// Goals.
const P99: Duration = Duration::from_millis(250);
const SIGNED: f64 = 4.0;

/// What a reader saw: when each change first, and how many different signed lists.
#[derive(Default)]
struct Seen {
    first: HashMap<u64, Instant>,
    artefacts: Vec<Instant>,
}

pub(crate) fn run(context: &mut Context) {
    let folder = Folder::prepared(&context.tools, "");
    let service = folder.serve(&context.tools);
    service.settle();
    let list = service.list(131_072);
    let given = service.entries(&list, CHANGES);
    let acknowledged = Mutex::new(HashMap::new());
    let done = AtomicBool::new(false);
    let started = Instant::now();
    let seen = thread::scope(|scope| {
        let reader = scope.spawn(|| read(&service, &list, &given, &done));
        change(&service, &list, &given, &acknowledged);
        done.store(true, Ordering::Relaxed);
        reader.join().expect("the reader does not panic")
    });
    let acknowledged = acknowledged.into_inner().expect("nobody panicked");
    let last = acknowledged.values().max().expect("there are some");
    let took = last.duration_since(started).as_secs_f64();
    let mut waited: Vec<Duration> = acknowledged
        .iter()
        .map(|(index, at)| seen.first[index].saturating_duration_since(*at))
        .collect();
    waited.sort();
    service.shows(&list, &given);
    let signed = a_second(&seen.artefacts);
    let (p50, p99) = (quantile(&waited, 0.5), quantile(&waited, 0.99));
    context.results.row(Row {
        key: "visible",
        what: format!(
            "acknowledged until visible in the signed list, at {:.0} changes/s on one list",
            CHANGES as f64 / took
        ),
        figure: format!(
            "p50 {}, p99 {}, most {}; signed {signed:.1} times a second",
            time(p50),
            time(p99),
            time(quantile(&waited, 1.0)),
        ),
        goal: Goal::of(
            "p99 ≤ 250 ms, signed ≤ 4 times a second",
            p99 <= P99 && (signed * 10.0).round() / 10.0 <= SIGNED,
        ),
    });
}

/// Changes at a steady rate, whether answers come or not as long as a client is free.
fn change(
    service: &Service,
    list: &List,
    given: &[u64],
    acknowledged: &Mutex<HashMap<u64, Instant>>,
) {
    let path = format!("{}/updates", list.path);
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    let every = Duration::from_secs(1) / RATE;
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = service.operator();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(index) = given.get(number) else {
                        return;
                    };
                    let due = started + every * number as u32;
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    let body = json!({ "updates": [revocation(*index)] }).to_string();
                    let answer = client.post(&path, body.as_bytes()).expect("it answers");
                    let at = Instant::now();
                    answer.expect(200);
                    acknowledged
                        .lock()
                        .expect("nobody panics")
                        .insert(*index, at);
                }
            });
        }
    });
}

/// Reads the list whenever it is another one, until all is seen that will be changed.
fn read(service: &Service, list: &List, given: &[u64], done: &AtomicBool) -> Seen {
    let mut client = service.anybody();
    let mut seen = Seen::default();
    let mut tag = String::new();
    let mut patience = None;
    while seen.first.len() < given.len() {
        let answer = client.get(&list.path, &[("If-None-Match", &tag)]);
        let (answer, now) = (answer.expect("it answers"), Instant::now());
        if answer.status == 200 {
            answer.header("etag").expect("a tag").clone_into(&mut tag);
            seen.artefacts.push(now);
            let bits = bits(&answer);
            for index in given.iter().filter(|index| is_set(&bits, **index)) {
                seen.first.entry(*index).or_insert(now);
            }
        }
        if done.load(Ordering::Relaxed) {
            let until = *patience.get_or_insert(now + Duration::from_secs(30));
            assert!(now < until, "{} changes are seen", seen.first.len());
        }
        thread::sleep(BETWEEN);
    }
    // The list as it was before the first change was there already.
    seen.artefacts.remove(0);
    seen
}

/// How many come a second, by the time between the first and the last.
fn a_second(moments: &[Instant]) -> f64 {
    let [first, .., last] = moments else {
        return 0.0;
    };
    (moments.len() - 1) as f64 / last.duration_since(*first).as_secs_f64()
}
