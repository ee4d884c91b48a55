//! From format 4 to format 5: the head row counts commits and says how far indexes are given out.

use super::Step;
use crate::store::engine::StoreError;
use crate::store::format::{Tip, count_counters, head_key};
use crate::store::opening::Opening;

/// The step.
pub(super) struct ToFormat5;

impl Step for ToFormat5 {
    fn what(&self) -> &'static str {
        "noting with the newest place of the log how far indexes are given out"
    }

    fn run(&self, store: &mut dyn Opening) -> Result<(), StoreError> {
        let head = head(store)?;
        if Tip::decode(&head).is_ok() {
            return Ok(());
        }
        // Nothing was committed under an anchor yet.
        let tip = Tip {
            counters: count_counters(store)?,
            commits: 0,
            ..Tip::decode_older(&head)?
        };
        store.write([(head_key(), Some(tip.encode()))].into())
    }

    fn validate(&self, store: &dyn Opening) -> Result<(), StoreError> {
        let tip = Tip::decode(&head(store)?)?;
        if count_counters(store)? == tip.counters {
            return Ok(());
        }
        Err(corrupt("it does not say how far indexes are given out"))
    }
}

fn head(store: &dyn Opening) -> Result<Vec<u8>, StoreError> {
    let head = store.get(&head_key())?;
    head.ok_or_else(|| corrupt("the row is missing"))
}

fn corrupt(reason: &str) -> StoreError {
    StoreError::Corrupt {
        table: "head",
        reason: reason.to_owned(),
    }
}
