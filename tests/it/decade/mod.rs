//! A simulated decade: a random history of endorsements, suspensions, revocations, decisions about
//! accreditors, key changes, expiries and issued credentials; at random moments, past ones and the
//! present, every answer is that of a naive model.
//!
//! In reading order: `facts`, what can happen; `model`, `credentials` and `rules`, what it means;
//! `history`, `deeds` and `issuing`, what is done; `asking`, what is asked, and
//! `again`, what is asked once more after the next change. A seed makes one history;
//! `make decade SEEDS=100` tries many, and `make decade SEED=7` the one that failed.

mod again;
mod asking;
mod credentials;
mod deeds;
mod facts;
mod history;
mod issuing;
mod model;
mod rules;

use std::collections::BTreeSet;
use std::env;

use crate::support::house::Plan;
use history::{DAY, History};

/// So many histories are tried unless another number is asked for.
const SEEDS: u64 = 3;

/// The end of the decade, in milliseconds from its beginning.
const DECADE: i64 = 3_652 * DAY as i64 * 1_000;

/// What has to have occurred in the histories that are always tried: else little would be shown by
/// trying them.
const TO_BE_SEEN: &[&str] = &[
    "credential: achievement active",
    "credential: credential expired",
    "credential: credential not-yet-valid",
    "credential: credential revoked",
    "credential: credential suspended",
    "credential: credential unknown",
    "credential: credential unreachable",
    "credential: issuer active",
    "credential: issuer expired",
    "credential: issuer not-endorsed",
    "credential: issuer revoked",
    "credential: issuer suspended",
    "credential: issuer unknown",
    "endorsement: active",
    "endorsement: expired",
    "endorsement: not-yet-valid",
    "endorsement: revoked",
    "endorsement: stale-digest",
    "endorsement: suspended",
    "endorsement: unknown",
    "path: 0",
    "path: 1",
    "path: 2",
    "path: 3",
    "refused: /credentialStatus",
    "refused: /scope/role",
    "refused: /validUntil",
    "refused: accreditor-suspended",
    "refused: irreversible",
    "refused: key",
    "refused: not-suspendable",
    "refused: role-missing",
    "refused: scope-too-wide",
    "refused: self-endorsement",
    "subject: anchor-itself active",
    "subject: anchor-itself revoked",
    "subject: anchor-itself suspended",
    "subject: link expired",
    "subject: link not-yet-valid",
    "subject: link revoked",
    "subject: link stale-digest",
    "subject: link suspended",
    "subject: link unknown",
    "subject: no-endorsement not-endorsed",
    "subject: no-path not-endorsed",
    "subject: not-carried not-endorsed",
    "subject: only-cycles not-endorsed",
    "subject: out-of-scope not-endorsed",
    "subject: path-found active",
    "subject: unknown-subject unknown",
];

#[test]
fn every_answer_of_a_decade_is_that_of_a_naive_model() {
    let number = |name: &str| -> Option<u64> { env::var(name).ok()?.parse().ok() };
    if let Some(seed) = number("GOODSTANDING_DECADE_SEED") {
        return drop(decade(seed));
    }
    let seeds = number("GOODSTANDING_DECADE_SEEDS").unwrap_or(SEEDS);
    let seen: BTreeSet<String> = (1..=seeds).flat_map(decade).collect();
    let missing = TO_BE_SEEN.iter().filter(|one| !seen.contains(**one));
    let missing: Vec<_> = missing.filter(|_| seeds >= SEEDS).collect();
    assert!(missing.is_empty(), "never occurred: {missing:?}");
}

/// A history, and what occurred in it.
fn decade(seed: u64) -> BTreeSet<String> {
    let mut failing = Failing { seed, step: 0 };
    // In every other one the registry itself trusts somebody who comes later, too.
    let trusted: &[&str] = match seed % 2 {
        0 => &["ministry", "chamber"],
        _ => &[],
    };
    let house = Plan::new().trusting(trusted).open();
    let mut history = History::begin(&house, seed, trusted);
    let begin = history.now().millis();
    while history.now().millis() - begin < DECADE {
        failing.step += 1;
        history.goes_on();
        history.is_asked_again();
        if history.dice.chance(45) {
            history.is_asked();
            house.endorsements_agree();
        }
    }
    history.seen.take()
}

/// Says which history it was when an answer is another.
struct Failing {
    seed: u64,
    step: usize,
}

impl Drop for Failing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, step } = self;
            eprintln!("in step {step} of the history of seed {seed}: make decade SEED={seed}");
        }
    }
}
