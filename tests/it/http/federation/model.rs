//! Random histories against a naive model.

use goodstanding::time::{Timestamp, Ttl};
use serde_json::{Value, json};

use super::{OUTSIDE, encoded, fetch, ids_at, listed};
use crate::support::actors::Actor;
use crate::support::house::{House, ORIGIN, START};

/// A random history, and at each step every answer is that of a naive model.
#[test]
fn every_answer_is_that_of_a_naive_model() {
    let house = House::open();
    let schools: Vec<Actor<'_>> = ["a", "b", "c"].iter().map(|s| house.registrar(s)).collect();
    let boards: Vec<Actor<'_>> = ["board", "guild"]
        .iter()
        .map(|s| house.accreditor(s))
        .collect();
    let mut subjects: Vec<String> = schools.iter().map(|school| school.id.clone()).collect();
    subjects.push(OUTSIDE.to_owned());
    // Endorsements as the model sees them: by whom, of whom, until which second, and whether live.
    let mut model: Vec<(usize, usize, u64, bool, Value)> = Vec::new();
    let mut now = 0;
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for step in 0..120 {
        match random(4) {
            0 => {
                let (board, subject) = (random(2), random(4));
                let until = now + 1 + random(600) as u64;
                let end = house_time(until);
                let body = json!({
                    "endorser": boards[board].slug,
                    "subject": { "id": subjects[subject], "kind": "profile" },
                    "name": "x", "validUntil": end, "suspendable": true,
                });
                let made = boards[board].post("/endorsements", &body).is(201).json();
                model.push((
                    board,
                    subject,
                    until,
                    true,
                    made["verifiableCredential"].clone(),
                ));
            }
            1 if !model.is_empty() => {
                let which = random(model.len());
                let (board, .., live, endorsement) = &mut model[which];
                let action = if *live { "suspend" } else { "reinstate" };
                boards[*board].does(action, endorsement).is(200);
                *live = !*live;
            }
            2 => {
                let seconds = random(90) as u64;
                house.wait(seconds);
                now += seconds;
            }
            _ => {}
        }
        let holds = |by: Option<usize>, subject: usize| {
            model.iter().any(|(board, of, until, live, _)| {
                by.is_none_or(|by| by == *board) && *of == subject && *live && now < *until
            })
        };
        let mut expected: Vec<&String> = (0..4)
            .filter(|s| holds(None, *s))
            .map(|s| &subjects[s])
            .collect();
        expected.sort();
        assert_eq!(
            listed(&house).iter().collect::<Vec<_>>(),
            expected,
            "step {step}"
        );
        for (number, subject) in subjects.iter().enumerate() {
            let found = fetch(&house, subject).status == 200;
            assert_eq!(found, holds(None, number), "step {step}: {subject}");
        }
        for (by, board) in boards.iter().enumerate() {
            let kind = encoded(&format!("{ORIGIN}/profiles/{}", board.slug));
            let marked = ids_at(
                &house,
                &format!("/federation/trust_mark_list?trust_mark_type={kind}"),
            );
            let count = (0..4).filter(|subject| holds(Some(by), *subject)).count();
            assert_eq!(marked.len(), count, "step {step}: {}", board.slug);
        }
    }
}

fn house_time(seconds: u64) -> String {
    let start: Timestamp = START.parse().unwrap();
    start.plus(Ttl::from_seconds(seconds)).to_string()
}
