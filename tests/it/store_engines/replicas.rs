//! Several replicas on one shared place, and what happens on the way to it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use goodstanding::ids::Seq;
use goodstanding::store::following::{Follower, Written};
use goodstanding::store::replica::ReplicaEngine;
use goodstanding::store::replica::model::{Deed, Kept, Met, SharedPlace};
use goodstanding::store::rocks::{Place, RocksEngine, checkpoint};
use goodstanding::store::{
    Batch, CommitError, Committed, Decision, Engine, Read, Row, Stopped, StoreError,
};
use tempfile::TempDir;

use super::support::{
    BatchOf, Machine, assert_chain, bodies, contents, key, put, rows, text, whole_log,
};

const SOON: Duration = Duration::from_secs(20);

fn replica(place: &SharedPlace, kept: &Kept) -> ReplicaEngine {
    start(place, kept).unwrap()
}

fn start(place: &SharedPlace, kept: &Kept) -> Result<ReplicaEngine, StoreError> {
    place.replica(kept, Decision::AsAnchored, Arc::new(Machine::default()))
}

fn on_disk(place: &SharedPlace, folder: &Path) -> Result<ReplicaEngine, StoreError> {
    let at = Place::within(folder, [7; 16]);
    place.replica_at(&at, 1, Arc::new(Machine::default()))
}

fn sees(engine: &dyn Engine, committed: Committed) {
    assert!(engine.reaches(committed.seq, Instant::now() + SOON));
}

/// Asks again until it is so.
fn soon(mut it_is_so: impl FnMut() -> bool) {
    let until = Instant::now() + SOON;
    while !it_is_so() {
        assert!(Instant::now() < until, "it never is");
        thread::yield_now();
    }
}

fn state(engine: &dyn Engine) -> &'static str {
    engine
        .takes_writes()
        .map_or_else(|why| why.state(), |()| "")
}

fn refuses_for_good(engine: &dyn Engine, stopped: &Stopped) {
    soon(|| engine.takes_writes().as_ref() == Err(stopped));
    let refused = engine.commit(put("a", "late"));
    let unavailable = CommitError::Unavailable(stopped.to_string());
    assert_eq!(refused, Err(unavailable), "nothing is written");
}

#[test]
fn replicas_see_what_the_others_write() {
    let place = SharedPlace::default();
    let kept = [1, 2, 3].map(Kept::nothing);
    let replicas = kept.each_ref().map(|kept| replica(&place, kept));
    for n in 0..30 {
        let writer = &replicas[n % 3];
        let before = (n > 0).then(|| (n - 1).to_string());
        let batch = put("a", &n.to_string())
            .only_if("a", before.as_deref())
            .and_log(&format!("event {n}"));
        // Decided on the newest, though nobody here has been told of it.
        let committed = writer.commit(batch).unwrap();
        assert_eq!(committed.seq, Seq(n as u64 + 1));
        replicas.iter().for_each(|other| sees(other, committed));
        for other in &replicas {
            assert_eq!(contents(other), rows(&[("a", &n.to_string())]));
        }
    }
    for replica in &replicas {
        assert_eq!(whole_log(replica), whole_log(&replicas[0]));
        assert_chain(replica);
    }
    drop(replicas);
    assert_eq!(kept[0].rows(), kept[1].rows());
    assert_eq!(kept[0].rows(), kept[2].rows());
}

#[test]
fn a_conflict_is_one_with_the_newest_and_what_it_lost_to_can_be_read() {
    let place = SharedPlace::default();
    let [one, other] = [1, 2].map(|name| replica(&place, &Kept::nothing(name)));
    // The other one hears of nothing by itself.
    place.set_hook(|name, deed| match (name, deed) {
        (2, Deed::Tip) => Met::Away,
        _ => Met::Nothing,
    });
    one.commit(put("a", "1").and_log("one")).unwrap();
    let lost = loop {
        match other.commit(put("a", "2").only_if("a", None)) {
            Err(CommitError::Unavailable(_)) => {}
            answer => break answer,
        }
    };
    assert_eq!(lost, Err(CommitError::Conflict));
    assert_eq!(contents(&other), rows(&[("a", "1")]));
    assert_eq!(bodies(&whole_log(&other)), ["one"]);
}

/// Table `allocation` says how far indexes are given out.
#[test]
fn replicas_that_race_give_no_index_twice() {
    const EACH: usize = 60;
    let place = SharedPlace::default();
    let replicas = [1, 2, 3].map(|name| replica(&place, &Kept::nothing(name)));
    let counter = vec![0x31, 1];
    let next = |engine: &ReplicaEngine, name: &str| loop {
        let before = engine.get(&counter).unwrap();
        let index = before.as_ref().map_or(0, |row| row[0]);
        let batch = Batch {
            preconditions: vec![(counter.clone(), before)],
            puts: vec![(counter.clone(), vec![index + 1])],
            ..Batch::default()
        };
        match engine.commit(batch.and_log(&format!("{name} got {index}"))) {
            Ok(committed) => break (index, committed.seq),
            Err(CommitError::Conflict) => {}
            Err(other) => panic!("{other}"),
        }
    };
    let mut given: Vec<(u8, Seq)> = thread::scope(|scope| {
        let threads: Vec<_> = replicas
            .iter()
            .enumerate()
            .map(|(name, engine)| {
                let next = &next;
                scope.spawn(move || {
                    let each = (0..EACH).map(|_| next(engine, &name.to_string()));
                    each.collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    given.sort_unstable();
    let all: Vec<_> = (0..3 * EACH)
        .map(|index| (index as u8, Seq(index as u64 + 1)))
        .collect();
    assert_eq!(given, all, "each index once, and in the order of the log");
    for replica in &replicas {
        assert!(replica.reaches(Seq(3 * EACH as u64), Instant::now() + SOON));
        assert_chain(replica);
        assert_eq!(whole_log(replica), whole_log(&replicas[0]));
    }
}

#[test]
fn a_write_that_was_cut_off_is_found_out() {
    for (met, is_there) in [(Met::CutOffAndKept, true), (Met::CutOffAndLost, false)] {
        let place = SharedPlace::default();
        let [one, other] = [1, 2].map(|name| replica(&place, &Kept::nothing(name)));
        one.commit(put("a", "1").and_log("one")).unwrap();
        let cut = AtomicBool::new(false);
        place.set_hook(move |_, deed| match deed {
            Deed::Write if !cut.swap(true, Ordering::SeqCst) => met,
            _ => Met::Nothing,
        });
        let answer = one.commit(put("a", "2").and_log("two"));
        match is_there {
            true => assert_eq!(answer.unwrap().seq, Seq(2)),
            false => assert!(
                matches!(answer, Err(CommitError::Unavailable(_))),
                "{answer:?}"
            ),
        }
        // It goes on, and so does the other one.
        let again = other.commit(put("b", "1").and_log("b")).unwrap();
        assert_eq!(again.seq, Seq(2 + u64::from(is_there)));
        soon(|| state(&one).is_empty());
        let last = one.commit(put("c", "1").and_log("c")).unwrap();
        sees(&other, last);
        for replica in [&one, &other] {
            assert_eq!(contents(replica).len(), 3);
            let value = replica.get(&key("a")).unwrap().map(text);
            assert_eq!(value.as_deref(), Some(if is_there { "2" } else { "1" }));
            assert_chain(replica);
        }
    }
}

/// The head row stays held by a transaction whose connection is gone until the database notices.
#[test]
fn a_write_that_is_cut_off_and_goes_on_is_waited_for() {
    for kept in [true, false] {
        let place = SharedPlace::default();
        let one = replica(&place, &Kept::nothing(1));
        let cut = AtomicBool::new(false);
        place.set_hook(move |_, deed| match deed {
            Deed::Write if !cut.swap(true, Ordering::SeqCst) => Met::CutOffAndOpen,
            _ => Met::Nothing,
        });
        let answer = thread::scope(|scope| {
            let waits = scope.spawn(|| one.commit(put("a", "1").and_log("one")));
            soon(|| place.is_open());
            assert_eq!(contents(&one), [], "nobody sees what may not be there");
            place.ends(kept);
            waits.join().unwrap()
        });
        assert_eq!(answer.is_ok(), kept, "{answer:?}");
        assert_eq!(contents(&one).len(), usize::from(kept));
    }
}

#[test]
fn what_cannot_be_found_out_is_unknown_and_turns_up_if_it_is_there() {
    for met in [Met::CutOffAndKept, Met::CutOffAndLost] {
        let place = SharedPlace::default();
        let one = replica(&place, &Kept::nothing(1));
        one.commit(put("a", "1").and_log("one")).unwrap();
        let away = Arc::new(AtomicBool::new(false));
        let hook = away.clone();
        place.set_hook(move |_, deed| match deed {
            Deed::Write => {
                hook.store(true, Ordering::SeqCst);
                met
            }
            _ if hook.load(Ordering::SeqCst) => Met::Away,
            _ => Met::Nothing,
        });
        let answer = one.commit(put("a", "2").and_log("two"));
        assert!(
            matches!(answer, Err(CommitError::Indeterminate(_))),
            "{answer:?}"
        );
        assert_eq!(contents(&one), rows(&[("a", "1")]));
        soon(|| state(&one) == "shared-place-away");
        place.set_hook(|_, _| Met::Nothing);
        soon(|| state(&one).is_empty());
        let after = one.commit(put("b", "1").and_log("after")).unwrap();
        let log = bodies(&whole_log(&one));
        match met {
            Met::CutOffAndKept => assert_eq!(log, ["one", "two", "after"]),
            _ => assert_eq!(log, ["one", "after"]),
        }
        assert_eq!(after.seq, one.head().seq);
        assert_chain(&one);
    }
}

#[test]
fn while_the_place_is_away_reads_go_on_and_changes_are_refused() {
    let place = SharedPlace::default();
    let kept = Kept::nothing(1);
    let one = replica(&place, &kept);
    one.commit(put("a", "1").and_log("one")).unwrap();
    place.set_hook(|_, _| Met::Away);
    let refused = one.commit(put("a", "2"));
    assert!(
        matches!(refused, Err(CommitError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(state(&one), "shared-place-away");
    assert_eq!(contents(&one), rows(&[("a", "1")]));
    // It comes up so, too; without a copy it does not.
    drop(one);
    let one = replica(&place, &kept);
    assert_eq!(state(&one), "shared-place-away");
    assert_eq!(contents(&one), rows(&[("a", "1")]));
    assert_eq!(bodies(&whole_log(&one)), ["one"]);
    let without = start(&place, &kept.without_copy()).unwrap_err();
    assert!(matches!(without, StoreError::Unavailable(_)), "{without}");

    place.set_hook(|name, _| match name {
        1 => Met::Away,
        _ => Met::Nothing,
    });
    let other = replica(&place, &Kept::nothing(2));
    let meanwhile = other.commit(put("a", "2").and_log("two")).unwrap();
    assert_eq!(contents(&one), rows(&[("a", "1")]));
    let heard = Arc::new(Heard::default());
    one.follow(heard.clone());
    assert_eq!(heard.anew.load(Ordering::SeqCst), 1);
    place.set_hook(|_, _| Met::Nothing);
    sees(&one, meanwhile);
    assert_eq!(contents(&one), rows(&[("a", "2")]));
    soon(|| state(&one).is_empty());
    assert!(one.commit(put("a", "3").only_if("a", Some("2"))).is_ok());
    assert_eq!(
        heard.anew.load(Ordering::SeqCst),
        2,
        "it was not there to hear of it"
    );
}

/// What somebody who follows is told.
#[derive(Default)]
struct Heard {
    /// The number of each group, and whether it came from elsewhere.
    groups: Mutex<Vec<(u64, bool)>>,
    anew: AtomicU32,
}

impl Follower for Heard {
    fn follow(&self, written: &Written<'_>) {
        let told = (written.number(), written.is_from_elsewhere());
        self.groups.lock().unwrap().push(told);
    }

    fn begin_anew(&self, _: u64) {
        self.anew.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn who_follows_hears_whether_it_came_from_elsewhere() {
    let place = SharedPlace::default();
    let [one, other] = [1, 2].map(|name| replica(&place, &Kept::nothing(name)));
    let [heard, there] = [(); 2].map(|()| Arc::new(Heard::default()));
    one.follow(heard.clone());
    other.follow(there.clone());
    sees(&other, one.commit(put("a", "1").and_log("1")).unwrap());
    sees(&one, other.commit(put("a", "2").and_log("2")).unwrap());
    sees(&other, one.commit(put("a", "3").and_log("3")).unwrap());
    let of = |heard: &Heard| heard.groups.lock().unwrap().clone();
    soon(|| of(&heard).len() == 3 && of(&there).len() == 3);
    assert_eq!(of(&heard), [(1, false), (2, true), (3, false)]);
    assert_eq!(of(&there), [(1, true), (2, false), (3, true)]);
}

#[test]
fn what_others_hold_is_waited_for_and_a_change_is_dated_after_it() {
    let place = SharedPlace::default();
    let one = replica(&place, &Kept::nothing(1));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let held = place.held();
        scope.spawn(|| {
            one.commit(put("a", "1").and_log("one")).unwrap();
            done.store(true, Ordering::SeqCst);
        });
        assert_eq!(one.get(&key("a")), Ok(None));
        assert!(!done.load(Ordering::SeqCst));
        drop(held);
    });
    assert_eq!(contents(&one), rows(&[("a", "1")]));
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
    let damaged = |change: fn(&mut Vec<Row>)| {
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
fn an_epoch_that_one_begins_is_one_for_all() {
    let place = SharedPlace::default();
    let [one, other] = [1, 2].map(|name| replica(&place, &Kept::nothing(name)));
    sees(&other, one.commit(put("a", "1").and_log("one")).unwrap());
    drop(one);
    let machine = Arc::new(Machine::default());
    let kept = Kept::nothing(3);
    let third = place.replica(&kept, Decision::NewEpoch, machine).unwrap();
    sees(&other, third.commit(put("a", "2").and_log("two")).unwrap());
    assert_eq!((third.epoch(), other.epoch()), (1, 1));
    assert_eq!(contents(&other), rows(&[("a", "2")]));
    drop(third);
    assert_eq!(replica(&place, &kept).epoch(), 1, "decided once");
}

#[test]
fn one_of_them_leads_and_another_one_when_it_has_gone() {
    let place = SharedPlace::default();
    let one = replica(&place, &Kept::nothing(1));
    soon(|| one.leads());
    let other = replica(&place, &Kept::nothing(2));
    let batch = put("a", "1").and_log("one");
    sees(&one, other.commit(batch).unwrap());
    assert!(!other.leads());
    drop(one);
    soon(|| other.leads());
    place.set_hook(|_, _| Met::Away);
    soon(|| !other.leads());
}

#[test]
fn it_ends_at_once_while_the_place_is_away_and_what_waits_is_answered() {
    let place = SharedPlace::default();
    let one = replica(&place, &Kept::nothing(1));
    let cut = Arc::new(AtomicBool::new(false));
    let hook = cut.clone();
    place.set_hook(move |_, deed| match deed {
        Deed::Write => {
            hook.store(true, Ordering::SeqCst);
            Met::CutOffAndLost
        }
        _ if hook.load(Ordering::SeqCst) => Met::Away,
        _ => Met::Nothing,
    });
    let waits = one.queue(put("a", "1"));
    let behind = one.queue(put("b", "1"));
    soon(|| cut.load(Ordering::SeqCst));
    let began = Instant::now();
    drop(one);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    for queued in [waits, behind] {
        let answer = queued.wait();
        assert!(
            matches!(
                answer,
                Err(CommitError::Indeterminate(_) | CommitError::Unavailable(_))
            ),
            "{answer:?}"
        );
    }
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
