//! Stores of older formats are brought up to the present one when they are opened, step by step.
//!
//! A step writes in as many batches as it needs and may be cut off after any of them: it is run
//! again then, and what it had done stays done. Only when its result was checked is the store's
//! format raised; until then the store has the older one, and a program of that format takes it
//! as long as no row was rewritten. What a step keeps for itself stands in tables of their own,
//! which are emptied when the format was raised.

mod replay;
mod rewrite;
mod to_format_2;
mod to_format_3;
mod to_format_4;
mod to_format_5;

use tracing::info;

use super::engine::StoreError;
use super::format::{FORMAT, format_row};
use super::opening::Opening;
use to_format_2::ToFormat2;
use to_format_3::ToFormat3;
use to_format_4::ToFormat4;
use to_format_5::ToFormat5;

/// The oldest format that can be brought up.
pub(super) const OLDEST: u32 = 1;

/// The steps, each to the format after the one before it; the first leads from [`OLDEST`].
const STEPS: [&dyn Step; (FORMAT - OLDEST) as usize] = [
    &ToFormat2 {
        rows_at_once: ROWS_AT_ONCE,
    },
    &ToFormat3,
    &ToFormat4,
    &ToFormat5,
];

/// What leads from one format to the next. It reads and writes rows as they were in its two
/// formats: where a table has moved on since, by a shape of its own.
trait Step {
    /// What it does, for the operator.
    fn what(&self) -> &'static str;

    /// Makes what is new in the newer format. Run again after it was cut off, it goes on.
    fn run(&self, store: &mut dyn Opening) -> Result<(), StoreError>;

    /// Checks what was made. Where it is not as it has to be, the store keeps its format.
    fn validate(&self, store: &dyn Opening) -> Result<(), StoreError>;
}

/// Brings up a store that has format `found`, [`OLDEST`] or newer, and removes what an earlier
/// upgrade had kept for itself.
pub(super) fn bring_up(store: &mut dyn Opening, found: u32) -> Result<(), StoreError> {
    for (from, step) in (OLDEST..).zip(STEPS).skip((found - OLDEST) as usize) {
        take(store, from, step)?;
    }
    empty_work_tables(store)
}

/// Takes the step from one format to the next.
fn take(store: &mut dyn Opening, from: u32, step: &dyn Step) -> Result<(), StoreError> {
    let (to, what) = (from + 1, step.what());
    info!(from, to, what, "bringing the store up to a newer format");
    step.run(store)?;
    step.validate(store)?;
    store.write([format_row(to)].into_iter().collect())?;
    info!(
        format = to,
        "the store has the newer format; older programs refuse it from now on"
    );
    Ok(())
}

/// Tables that a step keeps for itself have tags from here on.
const WORK_TAGS: u8 = 0xf0;

/// How many rows are read or written in one go, about.
const ROWS_AT_ONCE: usize = 4_096;

fn empty_work_tables(store: &mut dyn Opening) -> Result<(), StoreError> {
    loop {
        let rows = store.scan(&[WORK_TAGS], &[0xff], ROWS_AT_ONCE)?;
        if rows.is_empty() {
            return Ok(());
        }
        store.write(rows.into_iter().map(|(key, _)| (key, None)).collect())?;
    }
}

#[cfg(test)]
mod tests;
