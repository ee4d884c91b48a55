//! What a replica keeps, and what it finds in the shared place when it comes back: copies that are old, damaged
//! or gone, logs that were forgotten, and places that were put back.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use goodstanding::ids::Seq;
use goodstanding::store::replica::ReplicaEngine;
use goodstanding::store::replica::model::{Deed, Kept, Met, SharedPlace};
use goodstanding::store::rocks::{Place, RocksEngine, checkpoint};
use goodstanding::store::{Batch, CommitError, Decision, Engine, Stopped, StoreError};
use tempfile::TempDir;

use super::replicas::{Heard, replica, sees, soon, start, state};
use super::support::{BatchOf, Machine, assert_chain, bodies, contents, put, rows, whole_log};

fn on_disk(place: &SharedPlace, folder: &Path) -> Result<ReplicaEngine, StoreError> {
    let at = Place::within(folder, [7; 16]);
    place.replica_at(&at, 1, Arc::new(Machine::default()))
}

fn refuses_for_good(engine: &dyn Engine, stopped: &Stopped) {
    soon(|| engine.takes_writes().as_ref() == Err(stopped));
    let refused = engine.commit(put("a", "late"));
    let unavailable = CommitError::Unavailable(stopped.to_string());
    assert_eq!(refused, Err(unavailable), "nothing is written");
}

#[test]
fn a_replica_that_stood_still_for_long_reads_all_rows_anew() {
    let place = SharedPlace::default();
    let [one, other] = [1, 2].map(|name| replica(&place, &Kept::nothing(name)));
    for n in 0..40 {
        let batch = put(&n.to_string(), "before").and_log(&n.to_string());
        sees(&other, one.commit(batch).unwrap());
    }
    let snapshot = other.snapshot();
    let heard = Arc::new(Heard::default());
    other.follow(heard.clone());
    let began = heard.anew.load(Ordering::SeqCst);
    place.set_hook(|name, _| match name {
        2 => Met::Away,
        _ => Met::Nothing,
    });
    soon(|| state(&other) == "shared-place-away");
    for n in 20..60 {
        let batch = match n % 3 {
            0 => Batch::default().and_delete(&n.to_string()),
            _ => put(&n.to_string(), "after"),
        };
        one.commit(batch.and_log(&format!("then {n}"))).unwrap();
    }
    place.forget_log();
    let last = one.commit(put("last", "1").and_log("last")).unwrap();
    place.forget_log();
    place.set_hook(|_, _| Met::Nothing);
    sees(&other, last);
    assert_eq!(contents(&other), contents(&one));
    assert_eq!(whole_log(&other), whole_log(&one));
    assert_chain(&other);
    assert_eq!(contents(&*snapshot).len(), 40, "a snapshot does not move");
    soon(|| heard.anew.load(Ordering::SeqCst) == began + 1);
    soon(|| state(&other).is_empty());
    sees(
        &one,
        other.commit(put("more", "1").and_log("more")).unwrap(),
    );
    assert_eq!(contents(&other), contents(&one));
}

#[test]
fn reading_anew_that_is_cut_off_is_done_again() {
    let place = SharedPlace::default();
    let one = replica(&place, &Kept::nothing(1));
    for n in 0..60 {
        one.commit(put(&n.to_string(), "1").and_log("event"))
            .unwrap();
    }
    place.forget_log();
    for portions in 0..9 {
        let kept = Kept::nothing(2);
        let read = AtomicU32::new(0);
        place.set_hook(move |name, deed| match (name, deed) {
            (2, Deed::ReadAll) if read.fetch_add(1, Ordering::SeqCst) > portions => Met::Away,
            _ => Met::Nothing,
        });
        let cut = start(&place, &kept);
        assert!(matches!(cut, Err(StoreError::Unavailable(_))), "{cut:?}");
        // What it has of a copy is not taken for one.
        place.set_hook(|_, _| Met::Away);
        assert!(start(&place, &kept).is_err());
        place.set_hook(|_, _| Met::Nothing);
        let other = replica(&place, &kept);
        assert_eq!(contents(&other), contents(&one));
        assert_chain(&other);
    }
}

#[test]
fn a_copy_is_brought_up_from_wherever_it_is() {
    let place = SharedPlace::default();
    let kept = Kept::nothing(1);
    let one = replica(&place, &kept);
    for n in 0..10 {
        one.commit(put("a", &n.to_string()).and_log("event"))
            .unwrap();
    }
    drop(one);
    let older = kept.set_aside();
    let other = replica(&place, &Kept::nothing(2));
    for n in 10..30 {
        other
            .commit(put("a", &n.to_string()).and_log("event"))
            .unwrap();
    }
    let is_up = |kept: &Kept| {
        let one = replica(&place, kept);
        assert_eq!(contents(&one), contents(&other));
        assert_eq!(whole_log(&one), whole_log(&other));
        assert_eq!(one.takes_writes(), Ok(()));
    };
    is_up(&older.set_aside());
    is_up(&older.without_copy());
    // A row of the log is missing; one of the counters; the head is another one.
    let damaged = |change: fn(&mut Vec<goodstanding::store::Row>)| {
        let mut rows = older.rows();
        change(&mut rows);
        older.with_rows(rows)
    };
    is_up(&damaged(|rows| {
        rows.retain(|(key, _)| key[0] != 3 || key[8] != 4)
    }));
    is_up(&damaged(|rows| rows.push((vec![0x31, 1], vec![9]))));
    is_up(&damaged(|rows| rows.retain(|(key, _)| key[0] != 2)));
    is_up(&damaged(|rows| rows.retain(|(key, _)| key[0] != 1)));
    // Another store's altogether.
    let elsewhere = Kept::nothing(3);
    let stranger = replica(&SharedPlace::default(), &elsewhere);
    stranger
        .commit(put("strange", "1").and_log("strange"))
        .unwrap();
    drop(stranger);
    is_up(&older.with_rows(elsewhere.rows()));
    // But with its anchor it is that store's replica, and this is the wrong place.
    let wrong = replica(&place, &elsewhere);
    refuses_for_good(&wrong, &Stopped::AnchorOfAnotherStore);
    assert_eq!(contents(&wrong), rows(&[("strange", "1")]));
}

#[test]
fn a_place_that_was_put_back_is_refused_and_reads_go_on() {
    for restarted in [false, true] {
        let place = SharedPlace::default();
        let kept = Kept::nothing(1);
        let mut one = replica(&place, &kept);
        one.commit(put("a", "1").and_log("one")).unwrap();
        let earlier = place.moment();
        one.commit(put("a", "2").and_log("two")).unwrap();
        if restarted {
            drop(one);
            place.put_back(earlier);
            one = replica(&place, &kept);
        } else {
            place.put_back(earlier);
        }
        let behind = Stopped::BehindAnchor {
            anchored: Seq(2),
            found: Seq(1),
        };
        refuses_for_good(&one, &behind);
        assert_eq!(contents(&one), rows(&[("a", "2")]));
        // A copy that is gone makes it no better.
        drop(one);
        let one = replica(&place, &kept.without_copy());
        refuses_for_good(&one, &behind);
        assert_eq!(contents(&one), rows(&[("a", "1")]));
        drop(one);

        // By a decision it counts as it is, for all.
        let machine = Arc::new(Machine::default());
        let accepted = place.replica(&kept, Decision::NewEpoch, machine).unwrap();
        assert_eq!((accepted.takes_writes(), accepted.epoch()), (Ok(()), 1));
        accepted.commit(put("a", "3").and_log("three")).unwrap();
        assert_eq!(bodies(&whole_log(&accepted)), ["one", "three"]);
        assert_chain(&accepted);
    }
}

#[test]
fn another_history_is_refused_however_long_it_is() {
    for further in 0..3 {
        let place = SharedPlace::default();
        let [one, other] = [1, 2].map(|name| replica(&place, &Kept::nothing(name)));
        sees(&other, one.commit(put("a", "1").and_log("one")).unwrap());
        let fork = place.moment();
        sees(&other, one.commit(put("a", "2").and_log("two")).unwrap());
        drop(one);
        // Somebody else goes on from the earlier moment.
        let elsewhere = SharedPlace::default();
        elsewhere.put_back(fork);
        let third = replica(&elsewhere, &Kept::nothing(3));
        for n in 0..=further {
            let batch = put("a", "other").and_log(&format!("other {n}"));
            third.commit(batch).unwrap();
        }
        place.put_back(elsewhere.moment());
        refuses_for_good(&other, &Stopped::NotTheAnchoredHistory(Seq(2)));
        assert_eq!(contents(&other), rows(&[("a", "2")]));
        assert_eq!(bodies(&whole_log(&other)), ["one", "two"]);
    }
}

#[test]
fn a_place_that_was_emptied_is_not_made_anew() {
    let place = SharedPlace::default();
    let kept = Kept::nothing(1);
    let one = replica(&place, &kept);
    one.commit(put("a", "1").and_log("one")).unwrap();
    place.put_back(SharedPlace::default().moment());
    refuses_for_good(&one, &Stopped::EmptyBesideAnchor);
    assert_eq!(contents(&one), rows(&[("a", "1")]));
    drop(one);
    let again = replica(&place, &kept);
    refuses_for_good(&again, &Stopped::EmptyBesideAnchor);
    assert_eq!(contents(&again), rows(&[("a", "1")]));
    let without = start(&place, &kept.without_copy()).unwrap_err();
    assert_eq!(without, StoreError::NoWrites(Stopped::EmptyBesideAnchor));
}

#[test]
fn a_copy_on_a_disk_is_used_again_or_read_anew() {
    let place = SharedPlace::default();
    let folder = TempDir::new().unwrap();
    let one = on_disk(&place, folder.path()).unwrap();
    for n in 0..50 {
        one.commit(put(&n.to_string(), "1").and_log("event"))
            .unwrap();
    }
    drop(one);
    let store = folder.path().join("store");
    let is_up = || {
        let one = on_disk(&place, folder.path()).unwrap();
        assert_eq!(one.takes_writes(), Ok(()));
        assert_eq!((contents(&one).len(), one.head().seq), (50, Seq(50)));
        assert_chain(&one);
    };
    // Used again: all that is left of the log is not enough to read it anew from.
    place.set_hook(|_, deed| match deed {
        Deed::Newer => Met::Away,
        _ => Met::Nothing,
    });
    is_up();
    place.set_hook(|_, _| Met::Nothing);
    // Files of it are damaged, or gone.
    for file in fs::read_dir(&store).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "log") {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            if middle > 0 {
                bytes[middle] ^= 0xff;
            }
            fs::write(&path, bytes).unwrap();
        }
    }
    is_up();
    fs::remove_file(store.join("CURRENT")).unwrap();
    is_up();
    fs::write(store.join("GIVEN-UP"), "").unwrap();
    is_up();
    assert!(!store.join("GIVEN-UP").exists());
    fs::remove_dir_all(&store).unwrap();
    is_up();
}

#[test]
fn no_store_is_taken_for_a_copy_and_no_copy_for_a_store() {
    let (store, copied) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let place = SharedPlace::default();
    let clock = Arc::new(Machine::default());
    let open =
        |folder: &TempDir| RocksEngine::open(&Place::within(folder.path(), [7; 16]), clock.clone());
    let rocks = open(&store).unwrap();
    rocks.commit(put("a", "precious").and_log("one")).unwrap();
    drop(rocks);
    let refused = on_disk(&place, store.path()).unwrap_err();
    assert!(
        refused.to_string().contains("a store of its own"),
        "{refused}"
    );
    assert_eq!(contents(&open(&store).unwrap()), rows(&[("a", "precious")]));

    let one = on_disk(&place, copied.path()).unwrap();
    one.commit(put("a", "1").and_log("one")).unwrap();
    let in_use = on_disk(&place, copied.path()).unwrap_err();
    assert!(
        in_use.to_string().contains("another goodstanding"),
        "{in_use}"
    );
    let backup = copied.path().join("backup");
    one.copy_to(&backup).unwrap();
    drop(one);
    let refused = open(&copied).unwrap_err();
    assert!(
        refused.to_string().contains("a replica's copy"),
        "{refused}"
    );
    // A backup of it is a store like any other.
    let whole = checkpoint::inspect(&backup).unwrap();
    assert_eq!((whole.head.seq, whole.commits), (Seq(1), 1));
}
