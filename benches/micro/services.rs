//! Look-ups and revocations through the services, as context for what the edge adds to them.

use std::collections::HashSet;
use std::time::Instant;

use goodstanding::ids::ListId;
use goodstanding::registry::{
    Allocated, EntriesAsked, MaySee, Outcome, QuestionAnswer, Registry, StatusAnswer,
    StatusQuestion, StatusTarget, StatusUpdate,
};

use crate::harness::{Report, Samples};
use crate::places::{ENGINES, Place, change};

const ENTRIES: u64 = 100_000;
const LOOK_UPS: usize = 10_000;
/// Revocations one after the other, each its own request.
const SINGLE: usize = 500;
/// Callers at the same time, and requests of each.
const CALLERS: usize = 64;
const REQUESTS: usize = 16;
const ROUNDS: usize = 5;

pub(crate) fn run(report: &mut Report) {
    let words = "Time that passes for the callers. Each round is on a fresh list with 100,000 \
                 entries given out, of which 1 % are revoked when the look-ups run. No publisher \
                 runs beside.";
    report.section("Services: look-ups and revocations", words);
    for engine in ENGINES {
        measure(report, &Place::new(*engine));
    }
}

#[derive(Default)]
struct Taken {
    one_look_up: Vec<f64>,
    many_look_ups: Vec<f64>,
    one_in_memory: Vec<f64>,
    many_in_memory: Vec<f64>,
    single: Vec<f64>,
    together: Vec<f64>,
    apart: Vec<f64>,
    bulk: Vec<f64>,
    publish: Vec<f64>,
}

fn measure(report: &Report, place: &Place) {
    let mut taken = Taken::default();
    for _ in 0..ROUNDS {
        round(place, &mut taken);
    }
    let engine = place.engine;
    let rows = [
        ("look-ups, one a call", taken.one_look_up, LOOK_UPS),
        ("look-ups, 10,000 a call", taken.many_look_ups, LOOK_UPS),
        (
            "look-ups from memory, one a call",
            taken.one_in_memory,
            LOOK_UPS,
        ),
        (
            "look-ups from memory, 10,000 a call",
            taken.many_in_memory,
            LOOK_UPS,
        ),
        (
            "revocations, one caller, one a request",
            taken.single,
            SINGLE,
        ),
        (
            "revocations, 64 callers of one list, one a request",
            taken.together,
            CALLERS * REQUESTS,
        ),
        (
            "revocations, 64 callers, each of a list of its own, one a request",
            taken.apart,
            CALLERS * REQUESTS,
        ),
    ];
    for (what, samples, count) in rows {
        let figure = Samples::new(samples).rates(count);
        report.context(&format!("{engine}: {what}"), &figure);
    }
    let [bulk, publish] = [taken.bulk, taken.publish].map(|samples| Samples::new(samples).times());
    report.context(
        &format!("{engine}: the other entries revoked in one request"),
        &bulk,
    );
    report.context(
        &format!("{engine}: the list signed and stored after 1 % was revoked"),
        &publish,
    );
}

fn round(place: &Place, taken: &mut Taken) {
    let registry = &place.registry;
    let list = place.list();
    let allocated = registry.allocate(&change(), list, ENTRIES);
    let indexes = numbers(&allocated.expect("a fresh list has room"));
    let (few, rest) = indexes.split_at(indexes.len() / 100);
    revoke(registry, list, few);
    let started = Instant::now();
    registry.publish(list).expect("the list can be signed");
    taken.publish.push(started.elapsed().as_secs_f64());

    look_up(registry, list, &indexes, few, taken);

    let (single, rest) = rest.split_at(SINGLE);
    let started = Instant::now();
    single
        .iter()
        .for_each(|index| revoke(registry, list, &[*index]));
    taken.single.push(started.elapsed().as_secs_f64());

    let (together, rest) = rest.split_at(CALLERS * REQUESTS);
    let shares = together
        .chunks(REQUESTS)
        .map(|share| (list, share.to_vec()));
    taken
        .together
        .push(at_the_same_time(registry, &shares.collect::<Vec<_>>()));
    let shares = (0..CALLERS).map(|_| {
        let list = place.list();
        let allocated = registry.allocate(&change(), list, REQUESTS as u64);
        (list, numbers(&allocated.expect("a fresh list has room")))
    });
    taken
        .apart
        .push(at_the_same_time(registry, &shares.collect::<Vec<_>>()));

    let started = Instant::now();
    revoke(registry, list, rest);
    taken.bulk.push(started.elapsed().as_secs_f64());

    let questions = questions(registry, list, &indexes);
    for answer in answers(registry, &questions) {
        assert_eq!(answer.outcome, Outcome::Revoked, "everything was revoked");
    }
}

fn numbers(allocated: &Allocated) -> Vec<u64> {
    let indexes = allocated.indexes();
    indexes.into_iter().map(|index| index.get()).collect()
}

/// How long it takes until every caller has revoked its share, one entry a request.
fn at_the_same_time(registry: &Registry, shares: &[(ListId, Vec<u64>)]) -> f64 {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for (list, share) in shares {
            scope.spawn(move || {
                share
                    .iter()
                    .for_each(|index| revoke(registry, *list, &[*index]));
            });
        }
    });
    started.elapsed().as_secs_f64()
}

/// Revokes entries that were not revoked, and sees that each was.
fn revoke(registry: &Registry, list: ListId, indexes: &[u64]) {
    let updates = indexes.iter().map(|index| StatusUpdate {
        target: StatusTarget::Index(*index),
        status: 1,
    });
    let updated = registry
        .update_statuses(&change(), list, updates.collect(), None)
        .expect("the entries were given out");
    assert_eq!(updated.applied, indexes.len());
    assert!(updated.refused.is_empty(), "{:?}", updated.refused);
}

fn look_up(registry: &Registry, list: ListId, indexes: &[u64], few: &[u64], taken: &mut Taken) {
    let revoked: HashSet<u64> = few.iter().copied().collect();
    // Every tenth, so that what is asked for is spread over the list and partly revoked.
    let asked: Vec<u64> = indexes
        .iter()
        .copied()
        .step_by(indexes.len() / LOOK_UPS)
        .collect();
    assert_eq!(asked.len(), LOOK_UPS);
    let url = registry.urls().list(list);

    let started = Instant::now();
    let single: Vec<StatusAnswer> = asked
        .iter()
        .map(|index| {
            let answer = registry
                .status_at(&url, *index, None, None)
                .expect("the store answers");
            answer.expect("the entry is known")
        })
        .collect();
    taken.one_look_up.push(started.elapsed().as_secs_f64());

    let questions = questions(registry, list, &asked);
    let started = Instant::now();
    let many = answers(registry, &questions);
    taken.many_look_ups.push(started.elapsed().as_secs_f64());

    let started = Instant::now();
    let single_in_memory: Vec<u8> = asked
        .iter()
        .map(|index| {
            let entry = registry.entry_in_memory(&url, *index, |entry| entry.status);
            entry.expect("the list was looked up in")
        })
        .collect();
    taken.one_in_memory.push(started.elapsed().as_secs_f64());

    let started = Instant::now();
    let mut questions = EntriesAsked::default();
    let named = questions.name(url.into());
    asked.iter().for_each(|index| questions.ask(named, *index));
    let told = registry.entries_now(&questions).expect("the store answers");
    let many_in_memory: Vec<u8> = told
        .answers(&questions)
        .map(|answer| answer.expect("the entry is known").status)
        .collect();
    taken.many_in_memory.push(started.elapsed().as_secs_f64());
    for statuses in [single_in_memory, many_in_memory] {
        assert!(
            statuses
                .into_iter()
                .eq(single.iter().map(|answer| answer.status))
        );
    }

    for answers in [single, many] {
        assert_eq!(answers.len(), asked.len());
        for (index, answer) in asked.iter().zip(&answers) {
            let (status, outcome) = match revoked.contains(index) {
                true => (1, Outcome::Revoked),
                false => (0, Outcome::Active),
            };
            assert_eq!((answer.status, answer.outcome), (status, outcome));
        }
    }
}

fn questions(registry: &Registry, list: ListId, indexes: &[u64]) -> Vec<StatusQuestion> {
    let url = registry.urls().list(list);
    indexes
        .iter()
        .map(|index| StatusQuestion::Entry {
            list: url.clone(),
            index: *index,
        })
        .collect()
}

fn answers(registry: &Registry, questions: &[StatusQuestion]) -> Vec<StatusAnswer> {
    registry
        .statuses(questions, None, None, MaySee::Everything)
        .expect("the store answers")
        .into_iter()
        .map(|answer| match answer {
            QuestionAnswer::Entry(answer) => answer.expect("the entry is known"),
            QuestionAnswer::Credential(_) => unreachable!("only entries were asked for"),
        })
        .collect()
}
