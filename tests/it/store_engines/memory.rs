//! The memory engine, and the faults that only it can be made to have.

use std::sync::Arc;

use goodstanding::ids::Seq;
use goodstanding::store::memory::{Fault, MemoryEngine};
use goodstanding::store::{CommitError, Engine};

use super::Store;
use super::support::{BatchOf, Machine, assert_chain, bodies, contents, put, rows, whole_log};

/// The engine with a clock of its own.
pub(super) struct Memory {
    engine: MemoryEngine,
    clock: Arc<Machine>,
}

impl Store for Memory {
    fn new() -> Self {
        let clock = Arc::new(Machine::default());
        Self {
            engine: MemoryEngine::new(clock.clone()),
            clock,
        }
    }

    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    fn clock(&self) -> &Machine {
        &self.clock
    }

    fn restart(&mut self) {
        self.engine.reopen().unwrap();
    }
}

/// An engine with one row and one event, whose next commit meets `fault` and is reported failed.
fn after(fault: Fault) -> Memory {
    let store = Memory::new();
    store
        .engine
        .set_fault_hook(move |n, _| if n == 2 { fault } else { Fault::Proceed });
    store.engine.commit(put("a", "1").and_log("one")).unwrap();
    let failed = store.engine.commit(put("a", "2").and_log("two"));
    assert!(
        matches!(failed, Err(CommitError::Indeterminate(_))),
        "{failed:?}"
    );
    store
}

#[test]
fn after_a_write_error_there_are_no_writes_and_reads_go_on() {
    for fault in [Fault::LoseAndReportFailed, Fault::PersistButReportFailed] {
        let mut store = after(fault);
        assert!(store.engine.takes_writes().is_err(), "it says so");
        for _ in 0..2 {
            let refused = store.engine.commit(put("b", "1"));
            assert!(
                matches!(refused, Err(CommitError::Unavailable(_))),
                "{refused:?}"
            );
        }
        assert_eq!(contents(&store.engine), rows(&[("a", "1")]));
        assert_eq!(bodies(&whole_log(&store.engine)), ["one"]);
        assert_chain(&store.engine);
        store.restart();
        assert_eq!(store.engine.takes_writes(), Ok(()));
    }
}

#[test]
fn a_write_that_was_lost_is_not_there_after_a_restart() {
    let mut store = after(Fault::LoseAndReportFailed);
    store.restart();
    assert_eq!(contents(&store.engine), rows(&[("a", "1")]));
    let again = store
        .engine
        .commit(put("a", "2").and_log("two").only_if("a", Some("1")));
    assert_eq!(again.unwrap().seq, Seq(2));
    assert_chain(&store.engine);
}

#[test]
fn a_write_that_was_only_reported_failed_is_there_after_a_restart() {
    let mut store = after(Fault::PersistButReportFailed);
    store.restart();
    assert_eq!(contents(&store.engine), rows(&[("a", "2")]));
    assert_eq!(bodies(&whole_log(&store.engine)), ["one", "two"]);
    let blindly = store
        .engine
        .commit(put("a", "2").and_log("two").only_if("a", Some("1")));
    assert_eq!(blindly, Err(CommitError::Conflict));
    assert_chain(&store.engine);
}

#[test]
fn a_write_that_was_refused_can_be_tried_again() {
    let store = Memory::new();
    store.engine.set_fault_hook(|n, _| {
        if n == 1 {
            Fault::Refuse
        } else {
            Fault::Proceed
        }
    });
    let batch = put("a", "1").and_log("one");
    let refused = store.engine.commit(batch.clone());
    assert!(
        matches!(refused, Err(CommitError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(contents(&store.engine), []);
    assert_eq!(store.engine.takes_writes(), Ok(()));
    assert_eq!(store.engine.commit(batch).unwrap().seq, Seq(1));
}
