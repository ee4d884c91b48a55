//! A long run: hours of ordinary work, with what a registry does of its own accord, keys and master
//! keys that follow each other, and a machine that fails now and then.

use std::time::Instant;

use goodstanding::time::{Clock as _, Ttl};

use super::run::Run;
use super::script::{Deed, Script, Step, step};
use super::tally::{Tally, report};
use super::{asked_for, furnished};
use crate::support::dice::Dice;

/// So many hours are told unless another number is asked for.
const HOURS: u64 = 1;

/// Of each hundred steps so many meet something.
const TROUBLED: usize = 10;

#[test]
fn hours_of_load_faults_kills_and_restarts_lose_nothing() {
    if asked_for("SEED").is_some() || asked_for("SEEDS").is_some() {
        return;
    }
    let hours = asked_for("HOURS").unwrap_or(HOURS);
    let began = Instant::now();
    let tally = told(hours, asked_for("HOURS").is_some());
    report(&format!("{hours} hours"), &tally, began);
    assert!(tally.kills >= hours && tally.misfits >= hours);
}

fn told(hours: u64, loud: bool) -> Tally {
    let script = Script {
        seed: 25,
        publishes_first: false,
        furnished: true,
        steps: Vec::new(),
    };
    let mut dice = Dice::new(24);
    let mut run = Run::begin(&script, Some(furnished()), None).expect("it starts");
    let start = run.clock.now();
    let end = start.plus(Ttl::from_seconds(3_600 * hours));
    let mut minute = start;
    let mut last = Vec::new();
    while run.clock.now() < end {
        if minute <= run.clock.now() {
            minute = minute.plus(Ttl::from_seconds(60));
            let minutes = (minute.millis() - start.millis()) / 60_000;
            for deed in of_its_own_accord(minutes) {
                takes(&mut run, &mut last, calm(deed));
            }
            if loud && minutes % 10 == 0 {
                eprint!("\r{} of {} minutes ", minutes, 60 * hours);
            }
        }
        let next = step(&mut dice, TROUBLED);
        if !is_rare(next.deed) || dice.chance(5) {
            takes(&mut run, &mut last, next);
        }
        run.clock.moves(dice.below(5) as i64);
    }
    run.ends().expect("everything holds at the end");
    run.tally
}

fn takes(run: &mut Run, last: &mut Vec<Step>, step: Step) {
    last.push(step);
    let over = last.len().saturating_sub(20);
    last.drain(..over);
    if let Err(violation) = run.takes(step) {
        panic!(
            "after {} steps: {}; the last of them: {last:#?}",
            run.tally.steps, violation.0
        );
    }
}

const fn calm(deed: Deed) -> Step {
    Step {
        deed,
        keyed: true,
        trouble: None,
    }
}

/// What the registry and its machine do by the clock, in this minute.
fn of_its_own_accord(minute: i64) -> Vec<Deed> {
    let mut deeds = vec![
        Deed::CatchUp,
        Deed::Renew,
        Deed::Advance,
        Deed::ReadFeed { most: 255 },
    ];
    if minute % 10 == 0 {
        deeds.extend([Deed::Forget, Deed::Kill]);
    }
    if minute % 60 == 30 {
        deeds.extend([Deed::RotateMaster, Deed::Restart]);
    }
    if minute % 120 == 45 {
        let whose = (minute / 120) as u8;
        deeds.push(Deed::Rotate { whose });
    }
    deeds
}

/// What there should not be too much of in a day.
const fn is_rare(deed: Deed) -> bool {
    matches!(
        deed,
        Deed::Register
            | Deed::Endorse { .. }
            | Deed::Wait { .. }
            | Deed::SetBack { .. }
            | Deed::RollBack { .. }
            | Deed::LoseAnchor { .. }
            | Deed::SpoilAnchor { .. }
            | Deed::RotateMaster
    )
}
