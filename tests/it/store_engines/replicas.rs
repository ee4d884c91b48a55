//! Several replicas on one shared place, and what happens on the way to it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::support::{
    BatchOf, Machine, assert_chain, bodies, contents, key, put, rows, text, whole_log,
};
use goodstanding::ids::Seq;
use goodstanding::store::following::{Follower, Written};
use goodstanding::store::replica::ReplicaEngine;
use goodstanding::store::replica::model::{Deed, Kept, Met, SharedPlace};
use goodstanding::store::{Batch, CommitError, Committed, Decision, Engine, Read, StoreError};

const SOON: Duration = Duration::from_secs(20);

pub(super) fn replica(place: &SharedPlace, kept: &Kept) -> ReplicaEngine {
    start(place, kept).unwrap()
}

pub(super) fn start(place: &SharedPlace, kept: &Kept) -> Result<ReplicaEngine, StoreError> {
    place.replica(kept, Decision::AsAnchored, Arc::new(Machine::default()))
}

pub(super) fn sees(engine: &dyn Engine, committed: Committed) {
    assert!(engine.reaches(committed.seq, Instant::now() + SOON));
}

/// Asks again until it is so.
pub(super) fn soon(mut it_is_so: impl FnMut() -> bool) {
    let until = Instant::now() + SOON;
    while !it_is_so() {
        assert!(Instant::now() < until, "it never is");
        thread::yield_now();
    }
}

pub(super) fn state(engine: &dyn Engine) -> &'static str {
    engine
        .takes_writes()
        .map_or_else(|why| why.state(), |()| "")
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
pub(super) struct Heard {
    /// The number of each group, and whether it came from elsewhere.
    groups: Mutex<Vec<(u64, bool)>>,
    pub(super) anew: AtomicU32,
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
