//! Durable changes by 32 clients at once, beside RocksDB's own group commit with 32 threads.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Context;
use crate::harness::{Samples, grouped};
use crate::results::{Goal, Row, quantile, rates, time};
use crate::rocks::{BATCH, Rocks, syncs};
use crate::service::{Folder, List, Service, index_of, revocation};
use crate::turns::profile_while;

/// Clients, each on a connection of its own, which waits for the answer before it asks again.
const CLIENTS: usize = 32;
const LENGTH: u64 = 131_072;
/// Entries of a list that are given out before a round.
const GIVEN: usize = 120_000;
/// Goals, in changes a second and as a share of RocksDB's own.
const LEAST: f64 = 5_000.0;
const SHARE: f64 = 0.5;

/// What came of a round.
struct Round {
    each: Vec<Duration>,
    seconds: f64,
    /// Of the server.
    cpu: Duration,
    /// Answers of another status than 200, by status.
    others: Vec<u16>,
}

/// Rounds of ours beside those of RocksDB alone.
struct Rounds {
    ours: Vec<Round>,
    rocks: Vec<f64>,
}

pub(crate) fn run(context: &mut Context) {
    let folder = Folder::prepared(&context.tools, "");
    let service = folder.serve(&context.tools);
    service.settle();
    let rocks = Rocks::new();
    let disk = syncs(Duration::from_secs(1));
    let single = rocks.commits(1, Duration::from_secs(1));
    let one = in_turns(context, &rocks, || revoke(context, &service, 1));
    let many = in_turns(context, &rocks, || revoke(context, &service, 64));
    let given = in_turns(context, &rocks, || allocate(context, &service));
    let batches: Vec<f64> = (0..context.rounds)
        .map(|_| allocate_batches(context, &service))
        .collect();

    profile_while(context, "revoke-one-list", &service.process, || {
        revoke(context, &service, 1);
    });
    profile_while(context, "allocate-one", &service.process, || {
        allocate(context, &service);
    });

    let all: Vec<f64> = [&one, &many, &given]
        .iter()
        .flat_map(|one| one.rocks.clone())
        .collect();
    context.results.detail(&format!(
        "\nRocksDB alone, 32 threads, {BATCH}, synced: {}; one thread: {} /s. The disk \
         alone, one thread, 1.2 KB into blocks that are there, and a sync: {} /s.\n",
        rates(all),
        grouped(single as u64),
        grouped(disk as u64),
    ));
    row(
        context,
        "revoke-one-list",
        "revoke one, 32 clients, one list",
        &one,
    );
    row(
        context,
        "revoke-64-lists",
        "revoke one, 32 clients, 64 lists",
        &many,
    );
    row(
        context,
        "allocate-one",
        "allocate one, 32 clients, one list",
        &given,
    );
    let median = Samples::new(batches.clone()).median();
    context.results.row(Row {
        key: "allocate-batches",
        what: "allocate in batches of 100,000, 4 clients".to_owned(),
        figure: format!("{} entries", rates(batches)),
        goal: Goal::of("≥ 1,000,000 entries/s", median >= 1e6),
    });
}

/// Ours and RocksDB alone, A B A B.
fn in_turns(context: &Context, rocks: &Rocks, mut ours: impl FnMut() -> Round) -> Rounds {
    let mut rounds = Rounds {
        ours: Vec::new(),
        rocks: Vec::new(),
    };
    let time = Duration::from_secs(context.seconds);
    for _ in 0..context.rounds {
        rounds.ours.push(ours());
        rounds.rocks.push(rocks.commits(CLIENTS, time));
    }
    rounds
}

fn row(context: &mut Context, key: &'static str, what: &str, rounds: &Rounds) {
    let rate = |round: &Round| round.each.len() as f64 / round.seconds;
    let own: Vec<f64> = rounds.ours.iter().map(rate).collect();
    let pairs = own.iter().zip(&rounds.rocks);
    let share = Samples::new(pairs.map(|(ours, rocks)| ours / rocks).collect());
    let others: usize = rounds.ours.iter().map(|round| round.others.len()).sum();
    let mut each: Vec<Duration> = rounds
        .ours
        .iter()
        .flat_map(|round| round.each.clone())
        .collect();
    each.sort();
    let cpu: Vec<f64> = rounds
        .ours
        .iter()
        .map(|round| round.cpu.as_secs_f64() / round.each.len() as f64)
        .collect();
    context.results.detail(&format!(
        "{what}: p50 {}, p99 {}, p99.9 {}; CPU of the server {} each; {} answers, {others} of them \
         not 200.\n",
        time(quantile(&each, 0.5)),
        time(quantile(&each, 0.99)),
        time(quantile(&each, 0.999)),
        Samples::new(cpu).times(),
        grouped((each.len() + others) as u64),
    ));
    let figure = format!(
        "{}; {} RocksDB's own; {others} refused",
        rates(own.clone()),
        share.hundredths()
    );
    let met = share.median() >= SHARE && Samples::new(own).median() >= LEAST && others == 0;
    context.results.row(Row {
        key,
        what: what.to_owned(),
        figure,
        goal: Goal::of("≥ 0.5× RocksDB alone, ≥ 5,000/s, none refused", met),
    });
}

/// Clients that post what `next` gives them, until the time is up. `next` is given a number of its own
/// each time; `took` hears of each answer with 200.
fn clients(
    context: &Context,
    service: &Service,
    next: impl Fn(usize) -> Option<(String, Value)> + Sync,
    took: impl Fn(usize, &[u8]) + Sync,
) -> Round {
    let number = AtomicUsize::new(0);
    let gathered = Mutex::new((Vec::new(), Vec::new()));
    let before = service.process.cpu();
    let started = Instant::now();
    let until = started + Duration::from_secs(context.seconds);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = service.operator();
                let (mut each, mut others) = (Vec::new(), Vec::new());
                while Instant::now() < until {
                    let number = number.fetch_add(1, Ordering::Relaxed);
                    let Some((path, body)) = next(number) else {
                        break;
                    };
                    let body = body.to_string();
                    let begun = Instant::now();
                    let answer = client.post(&path, body.as_bytes()).expect("it answers");
                    if answer.status == 200 {
                        each.push(begun.elapsed());
                        took(number, &answer.body);
                    } else {
                        others.push(answer.status);
                    }
                }
                let mut gathered = gathered.lock().expect("nobody panics with it");
                gathered.0.extend(each);
                gathered.1.extend(others);
            });
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    let cpu = service.process.cpu().saturating_sub(before);
    let (each, others) = gathered.into_inner().expect("nobody panicked with it");
    Round {
        each,
        seconds,
        cpu,
        others,
    }
}

/// Revokes entries one at a time, of so many lists in turns, each in a request of its own; afterwards
/// the signed lists show exactly those that were acknowledged.
fn revoke(context: &Context, service: &Service, lists: usize) -> Round {
    let lists: Vec<(List, Vec<u64>)> = (0..lists)
        .map(|_| {
            let list = service.list(LENGTH);
            let given = service.entries(&list, GIVEN / lists);
            (list, given)
        })
        .collect();
    // What was set up is written before the time runs.
    thread::sleep(Duration::from_millis(300));
    let entry = |number: usize| {
        let (list, given) = &lists[number % lists.len()];
        let index = given.get(number / lists.len())?;
        Some((list, *index))
    };
    let done = Mutex::new(vec![Vec::new(); lists.len()]);
    let round = clients(
        context,
        service,
        |number| {
            let (list, index) = entry(number)?;
            let path = format!("{}/updates", list.path);
            Some((path, json!({ "updates": [revocation(index)] })))
        },
        |number, _| {
            let (_, index) = entry(number).expect("it was asked for");
            done.lock().expect("nobody panics with it")[number % lists.len()].push(index);
        },
    );
    let done = done.into_inner().expect("nobody panicked with it");
    for ((list, _), done) in lists.iter().zip(&done) {
        service.shows(list, done);
    }
    round
}

/// Takes entries one at a time; none is given out twice.
fn allocate(context: &Context, service: &Service) -> Round {
    let list = service.list(LENGTH);
    let path = format!("{}/entries", list.path);
    let given = Mutex::new(HashSet::new());
    clients(
        context,
        service,
        |number| (number < LENGTH as usize).then(|| (path.clone(), json!({ "count": 1 }))),
        |_, body| {
            let told: Value = serde_json::from_slice(body).expect("JSON");
            let index = index_of(&told["entries"][0]);
            let fresh = given.lock().expect("nobody panics with it").insert(index);
            assert!(fresh, "{index} is given out twice");
        },
    )
}

/// Entries a second that are given out in large batches; a few of each answer are looked at.
fn allocate_batches(context: &Context, service: &Service) -> f64 {
    const BATCH: usize = 100_000;
    const CLIENTS: usize = 4;
    // Room for ten million a second.
    let list = service.list(1 << 25);
    let path = format!("{}/entries", list.path);
    let body = json!({ "count": BATCH }).to_string();
    let count = AtomicUsize::new(0);
    let seen = Mutex::new(HashSet::new());
    let started = Instant::now();
    let until = started + Duration::from_secs(context.seconds);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = service.operator();
                while Instant::now() < until {
                    let answer = client.post(&path, body.as_bytes()).expect("it answers");
                    let answer = answer.expect(200);
                    let first = first_index(&answer.body);
                    assert!(seen.lock().expect("nobody panics").insert(first), "twice");
                    assert!(answer.body.ends_with(b"}]}"), "the answer is whole");
                    count.fetch_add(BATCH, Ordering::Relaxed);
                }
            });
        }
    });
    count.into_inner() as f64 / started.elapsed().as_secs_f64()
}

/// The index of the first entry of an answer that is too long to be read whole each time.
fn first_index(body: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(&body[..400.min(body.len())]);
    let rest = text
        .split(r#""statusListIndex":""#)
        .nth(1)
        .expect("an entry");
    let digits = rest.split('"').next().expect("its index");
    digits.parse().expect("a number")
}
