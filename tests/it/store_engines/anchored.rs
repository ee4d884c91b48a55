//! A store and its anchor: what was acknowledged is there, or it is noticed that it is not.

use std::sync::Arc;

use goodstanding::ids::Seq;
use goodstanding::store::memory::{Fault, Image, MemoryEngine};
use goodstanding::store::{Batch, CommitError, Decision, Engine, Read as _, Stopped, StoreError};

use super::support::{BatchOf, Machine, assert_chain, bodies, contents, put, rows, whole_log};

fn engine() -> MemoryEngine {
    MemoryEngine::new(Arc::new(Machine::default()))
}

fn start(image: Image, decision: Decision) -> Result<MemoryEngine, StoreError> {
    MemoryEngine::starting(image, decision, Arc::new(Machine::default()))
}

/// What the disk held after each of so many commits.
fn images(commits: usize) -> Vec<Image> {
    let engine = engine();
    let mut images = vec![engine.disk()];
    for n in 0..commits {
        let batch = put("a", &n.to_string()).and_log(&format!("event {n}"));
        engine.commit(batch).unwrap();
        images.push(engine.disk());
    }
    images
}

/// The rows of one moment beside the anchor of another.
fn mixed(rows: &Image, anchor: &Image) -> Image {
    let mut mixed = rows.clone();
    mixed.anchor = anchor.anchor.clone();
    mixed
}

fn refuses(engine: &dyn Engine, stopped: &Stopped) {
    assert_eq!(engine.takes_writes().as_ref(), Err(stopped));
    let refused = engine.commit(put("a", "late"));
    assert_eq!(
        refused,
        Err(CommitError::Unavailable(stopped.to_string())),
        "nothing is written"
    );
}

#[test]
fn a_store_that_is_put_back_is_read_and_not_written() {
    let images = images(4);
    for (found, older) in images.iter().enumerate().take(4) {
        let engine = start(mixed(older, &images[4]), Decision::AsAnchored).unwrap();
        let behind = Stopped::BehindAnchor {
            anchored: Seq(4),
            found: Seq(found as u64),
        };
        refuses(&engine, &behind);
        assert_eq!(behind.state(), "behind-anchor");
        assert_eq!(whole_log(&engine).len(), found);
        assert_chain(&engine);
        // It stays so, however often it is started.
        refuses(
            &start(engine.disk(), Decision::AsAnchored).unwrap(),
            &behind,
        );
    }
}

#[test]
fn the_loss_of_a_change_without_an_event_is_noticed() {
    let engine = engine();
    engine.commit(put("a", "1").and_log("one")).unwrap();
    let before = engine.disk();
    engine.commit(put("a", "2")).unwrap();
    let lost = mixed(&before, &engine.disk());
    let engine = start(lost, Decision::AsAnchored).unwrap();
    let (anchored, found) = (Seq(1), Seq(1));
    refuses(&engine, &Stopped::BehindAnchor { anchored, found });
}

/// A crash between the commit and the anchor leaves that.
#[test]
fn a_store_ahead_of_its_anchor_goes_on() {
    let images = images(4);
    for older in &images[..4] {
        let engine = start(mixed(&images[4], older), Decision::AsAnchored).unwrap();
        assert_eq!(engine.takes_writes(), Ok(()));
        assert_eq!(
            engine.commit(put("b", "1").and_log("on")).unwrap().seq,
            Seq(5)
        );
        // It was anchored as it was found.
        let again = start(mixed(&images[4], &engine.disk()), Decision::AsAnchored);
        assert!(again.unwrap().takes_writes().is_err());
    }
}

#[test]
fn another_history_of_the_same_length_is_noticed() {
    let one = images(3).pop().unwrap();
    let engine = engine();
    for n in 0..5 {
        let batch = put("a", &n.to_string()).and_log(&format!("other {n}"));
        engine.commit(batch).unwrap();
    }
    let mixed = start(mixed(&engine.disk(), &one), Decision::AsAnchored).unwrap();
    refuses(&mixed, &Stopped::NotTheAnchoredHistory(Seq(3)));
}

#[test]
fn an_anchor_that_is_missing_or_damaged_stops_writes() {
    let mut image = images(2).pop().unwrap();
    let whole = image.anchor.take();
    refuses(
        &start(image.clone(), Decision::AsAnchored).unwrap(),
        &Stopped::AnchorMissing,
    );
    let [one, other] = whole.clone().unwrap();
    for place in [0, 9, 20, 100, 140, 168, 4_095] {
        let flip = |slot: &[u8]| {
            let mut slot = slot.to_vec();
            slot[place] ^= 1;
            slot
        };
        image.anchor = Some([flip(&one), flip(&other)]);
        let engine = start(image.clone(), Decision::AsAnchored).unwrap();
        let stopped = engine.takes_writes().unwrap_err();
        assert_eq!(stopped.state(), "anchor-unreadable", "byte {place}");
        refuses(&engine, &stopped);
        // With one slot of two, what was acknowledged last but one is known at least.
        for half in [[flip(&one), other.clone()], [one.clone(), flip(&other)]] {
            image.anchor = Some(half);
            let engine = start(image.clone(), Decision::AsAnchored).unwrap();
            assert_eq!(engine.takes_writes(), Ok(()));
        }
    }
    image.anchor = Some([one[..100].to_vec(), Vec::new()]);
    let engine = start(image.clone(), Decision::AsAnchored).unwrap();
    assert_eq!(
        engine.takes_writes().unwrap_err().state(),
        "anchor-unreadable"
    );
}

/// Nothing was acknowledged yet, so that nothing can have been lost.
#[test]
fn a_first_start_that_was_cut_off_goes_on() {
    let mut image = engine().disk();
    image.anchor = None;
    let engine = start(image, Decision::AsAnchored).unwrap();
    assert_eq!(engine.takes_writes(), Ok(()));
    assert!(engine.disk().anchor.is_some());
}

#[test]
fn a_store_that_is_gone_beside_its_anchor_does_not_open() {
    let image = images(2).pop().unwrap();
    let empty = Image::default();
    let gone = start(mixed(&empty, &image), Decision::AsAnchored).unwrap_err();
    assert_eq!(gone, StoreError::NoWrites(Stopped::EmptyBesideAnchor));
    // With neither it is a new one, also by decision.
    for decision in [Decision::AsAnchored, Decision::NewEpoch] {
        let new = start(empty.clone(), decision).unwrap();
        assert_eq!((new.takes_writes(), new.epoch()), (Ok(()), 0));
    }
}

#[test]
fn by_a_decision_a_store_counts_as_it_is_found_in_another_epoch() {
    let images = images(4);
    let behind = mixed(&images[2], &images[4]);
    let mut missing = images[2].clone();
    missing.anchor = None;
    for image in [behind, missing] {
        let engine = start(image.clone(), Decision::NewEpoch).unwrap();
        assert_eq!((engine.takes_writes(), engine.epoch()), (Ok(()), 1));
        assert_eq!(bodies(&whole_log(&engine)), ["event 0", "event 1"]);
        engine.commit(put("a", "on").and_log("on")).unwrap();
        // The decision stands.
        let again = start(engine.disk(), Decision::AsAnchored).unwrap();
        assert_eq!((again.takes_writes(), again.epoch()), (Ok(()), 1));
        assert_eq!(contents(&again), rows(&[("a", "on")]));
        // Cut off after the store's own rows and before the anchor, it stands too, unless there is no
        // anchor that could tell.
        let cut = start(mixed(&engine.disk(), &image), Decision::AsAnchored).unwrap();
        let stands = match image.anchor {
            Some(_) => Ok(()),
            None => Err(Stopped::AnchorMissing),
        };
        assert_eq!((cut.takes_writes(), cut.epoch()), (stands, 1));
        // And a copy from before it is one that has lost something.
        let older = start(mixed(&images[4], &engine.disk()), Decision::AsAnchored).unwrap();
        let stopped = older.takes_writes().unwrap_err();
        assert_eq!(stopped.state(), "behind-anchor");
    }
}

/// Table `allocation` says how far indexes are given out; what it says cannot be put back.
#[test]
fn counters_that_were_put_back_are_noticed() {
    let counter = |value: u8| (vec![0x31, 1], vec![value]);
    let count_to = |value: u8| Batch {
        preconditions: vec![(vec![0x31, 1], (value > 1).then(|| vec![value - 1]))],
        puts: vec![counter(value)],
        ..Batch::default()
    };
    let engine = engine();
    for value in 1..=3 {
        engine.commit(count_to(value).and_log("given out")).unwrap();
    }
    let image = engine.disk();
    for other in [vec![counter(2)], vec![counter(4)], vec![]] {
        let kept = engine.scan(&[], &[0xff], usize::MAX).unwrap();
        let kept = kept.into_iter().filter(|(key, _)| key[0] != 0x31);
        let rows = kept.chain(other).collect();
        let engine = start(mixed(&rows, &image), Decision::AsAnchored).unwrap();
        refuses(&engine, &Stopped::CountersDiffer);
        let decided = start(engine.disk(), Decision::NewEpoch).unwrap();
        assert_eq!(decided.takes_writes(), Ok(()));
        let again = start(decided.disk(), Decision::AsAnchored).unwrap();
        assert_eq!(again.takes_writes(), Ok(()));
    }
    // Nobody can change one without saying what it was.
    let blindly = Batch {
        preconditions: vec![],
        ..count_to(4)
    };
    let refused = engine.commit(blindly);
    assert!(matches!(refused, Err(CommitError::Unavailable(_))));
    assert!(engine.commit(count_to(4)).is_ok());
}

#[test]
fn after_a_crash_at_the_anchor_all_is_there_and_goes_on() {
    for fault in [Fault::TearAnchor, Fault::AnchorButReportFailed] {
        for at in 2..5 {
            let engine = engine();
            engine.set_fault_hook(move |n, _| if n == at { fault } else { Fault::Proceed });
            let mut n = 0;
            let failed = loop {
                n += 1;
                let batch = put("a", &n.to_string()).and_log(&n.to_string());
                if let Err(failed) = engine.commit(batch) {
                    break failed;
                }
            };
            assert!(matches!(failed, CommitError::Indeterminate(_)), "{failed}");
            assert_eq!(n, at);
            // Readers see nothing that is not anchored, for all that anybody knows.
            assert_eq!(whole_log(&engine).len() as u64, at - 1);
            engine.reopen().unwrap();
            assert_eq!(engine.takes_writes(), Ok(()));
            assert_eq!(whole_log(&engine).len() as u64, at);
            engine.commit(put("b", "1").and_log("on")).unwrap();
            engine.reopen().unwrap();
            assert_eq!(whole_log(&engine).len() as u64, at + 1);
            assert_chain(&engine);
        }
    }
}

#[test]
fn a_full_disk_refuses_changes_until_there_is_room() {
    let engine = engine();
    engine.set_fault_hook(|n, _| match n {
        2 | 3 => Fault::NoSpace,
        _ => Fault::Proceed,
    });
    engine.commit(put("a", "1").and_log("one")).unwrap();
    for _ in 0..2 {
        let refused = engine.commit(put("a", "2").and_log("two"));
        assert!(matches!(refused, Err(CommitError::Unavailable(_))));
        assert_eq!(engine.takes_writes().unwrap_err().state(), "disk-full");
        assert_eq!(contents(&engine), rows(&[("a", "1")]));
    }
    engine.commit(put("a", "2").and_log("two")).unwrap();
    assert_eq!(engine.takes_writes(), Ok(()));
    assert_eq!(bodies(&whole_log(&engine)), ["one", "two"]);
}
