//! A check of the checks: faults of an engine that they have to find, each within a few seeds.

use super::machine::Planted;
use super::outcome;
use super::script::Script;

/// So many seeds may go by before one is found.
const MOST_SEEDS: u64 = 25;

#[test]
fn an_engine_with_a_planted_fault_is_found_out_within_a_few_seeds() {
    for planted in [
        Planted::DropsABatch,
        Planted::WritesAnOldPage,
        Planted::GivesOutTwice,
        Planted::AcknowledgesEarly,
        Planted::ForgetsAnswers,
        Planted::TakesBackARevocation,
    ] {
        let found = (1..=MOST_SEEDS).find_map(|seed| {
            let violation = outcome(&Script::of(seed), Some(planted)).err()?;
            Some((seed, violation))
        });
        let (seed, violation) = found.unwrap_or_else(|| panic!("{planted:?} was not found"));
        eprintln!("{planted:?}, by seed {seed}: {}", violation.0);
    }
}
