//! What happened in runs.

use std::collections::BTreeMap;
use std::time::Instant;

use super::script::Kind;

/// How often.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) steps: u64,
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    /// Those that were not answered, or that failed for the store's sake.
    pub(super) unanswered: u64,
    pub(super) replayed: u64,
    pub(super) starts: u64,
    pub(super) kills: u64,
    /// Starts on a store that does not fit its anchor.
    pub(super) misfits: u64,
    pub(super) epochs: u64,
    pub(super) checks: u64,
    pub(super) faults: BTreeMap<Kind, u64>,
}

impl Tally {
    pub(super) fn adds(&mut self, other: &Self) {
        self.steps += other.steps;
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.replayed += other.replayed;
        self.starts += other.starts;
        self.kills += other.kills;
        self.misfits += other.misfits;
        self.epochs += other.epochs;
        self.checks += other.checks;
        for (kind, count) in &other.faults {
            *self.faults.entry(*kind).or_default() += count;
        }
    }
}

/// Says what happened, and how long it took.
pub(super) fn report(what: &str, tally: &Tally, began: Instant) {
    let faults = &tally.faults;
    eprintln!(
        "\r{what} in {:.1} s: {} steps, {} acknowledged, {} refused, {} unanswered, {} answers given \
         again, {} starts, {} kills, {} misfits, {} epochs, everything looked at {} times; faults: \
         {faults:?}",
        began.elapsed().as_secs_f64(),
        tally.steps,
        tally.acknowledged,
        tally.refused,
        tally.unanswered,
        tally.replayed,
        tally.starts,
        tally.kills,
        tally.misfits,
        tally.epochs,
        tally.checks,
    );
}
