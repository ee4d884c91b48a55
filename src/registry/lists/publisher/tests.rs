//! Stories of two processes that publish what stands in one store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::waiting::Next;
use super::*;
use crate::registry::Listener;
use crate::registry::sides::{Sides, operator, revoke};
use crate::time::Ttl;

/// Does what a thread of the publisher does, at that moment. Returns what it signed.
fn publish_at(registry: &Registry, now: Instant) -> Vec<ListId> {
    let published = &registry.published;
    let mut signed = Vec::new();
    loop {
        let next = locked(&published.waiting).next(now, &published.reads);
        match next {
            Next::Sign(list) => {
                assert!(registry.publish_or_try_again(list));
                locked(&published.waiting).signed(list);
                signed.push(list);
            }
            Next::LookThrough(after) => registry.look_for_waiting(after),
            Next::Wait(_) | Next::Nothing => return signed,
        }
    }
}

/// A while from now.
fn later(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

fn shown(registry: &Registry, list: ListId) -> u64 {
    let published = registry.published_list(list, ListForm::Bitstring);
    published.unwrap().revision.0
}

fn ready(registry: &Registry, list: ListId) -> Option<u64> {
    let place = (list, ListForm::Bitstring);
    registry.look_at_ready(place, |list, _| list.revision.0)
}

#[test]
fn what_another_process_publishes_takes_the_place_of_what_is_older() {
    let ([one, other], list, index) = Sides::new().with_a_list();
    let rings = Arc::new(AtomicUsize::new(0));
    let rung = rings.clone();
    let listener: Arc<Listener> = Arc::new(move || {
        rung.fetch_add(1, Ordering::SeqCst);
    });
    other.when_published(&listener);
    assert_eq!((shown(&other, list), ready(&other, list)), (1, Some(1)));
    // Somebody reads the present artefact, and stands still before it is kept ready.
    let place = (list, ListForm::Bitstring);
    let newest = Newest::of(&other);
    let stored = ARTEFACTS.get(&*newest.read, &place).unwrap().unwrap();
    revoke(&one, list, index);
    assert_eq!(
        (ready(&other, list), rings.load(Ordering::SeqCst)),
        (Some(1), 0)
    );
    one.publish(list).unwrap();
    assert_eq!(
        (ready(&other, list), rings.load(Ordering::SeqCst)),
        (None, 1)
    );
    newest.keep_ready(place, &PublishedList::of(stored, Ttl::from_seconds(300)));
    assert_eq!(ready(&other, list), None);
    drop(newest);
    assert_eq!((shown(&other, list), ready(&other, list)), (2, Some(2)));
    assert_eq!(shown(&one, list), 2);
    // The other one left it alone, since nothing waits any more.
    assert_eq!(publish_at(&other, later(60)), []);
}

#[test]
fn what_a_process_left_behind_is_published_by_another_one() {
    let sides = Sides::new();
    let ([one, other], list, index) = sides.with_a_list();
    assert_eq!(shown(&one, list), 1);
    publish_at(&other, later(60));
    revoke(&one, list, index);
    // It is left to the one that changed it, which stands still from now on.
    assert_eq!(publish_at(&other, later(1)), []);
    assert_eq!(ready(&one, list), Some(1));
    assert_eq!(publish_at(&other, later(3)), [list]);
    assert_eq!((shown(&other, list), ready(&one, list)), (2, None));
    // It goes on: there is nothing for it to sign, and nothing older that it shows.
    let before = one.newest_event();
    assert_eq!(publish_at(&one, later(3)), [list]);
    assert_eq!((shown(&one, list), one.newest_event()), (2, before));
    assert_eq!(publish_at(&other, later(60)), []);
}

#[test]
fn a_store_that_comes_up_anew_is_looked_through() {
    let sides = Sides::new();
    let ([one, other], list, index) = sides.with_a_list();
    for process in [&one, &other] {
        publish_at(process, later(60));
        assert_eq!(shown(process, list), 1);
    }
    revoke(&one, list, index);
    // What is on its way is told of to nobody.
    locked(&other.published.waiting).waits_no_more_elsewhere(list);
    assert_eq!(publish_at(&other, later(60)), []);
    sides.engine.reopen().unwrap();
    assert_eq!((ready(&one, list), ready(&other, list)), (None, None));
    assert_eq!(publish_at(&other, later(1)), []);
    assert_eq!(publish_at(&other, later(10)), [list]);
    assert_eq!((shown(&one, list), shown(&other, list)), (2, 2));
}

#[test]
fn lists_are_renewed_by_the_process_that_leads() {
    let sides = Sides::new();
    let ([one, other], list, _) = sides.with_a_list();
    let generation = || {
        let state = PUBLISHED.get(&*one.engine, &list).unwrap().unwrap();
        state.generation
    };
    let renew = |process: &Registry| {
        sides.clock.advance(Ttl::from_seconds(6 * 86_400));
        process.renew_lists(100).unwrap()
    };
    assert_eq!((renew(&other), generation()), (0, 0));
    assert_eq!((renew(&one), generation()), (1, 1));
    sides.leader.store(1, Ordering::SeqCst);
    assert_eq!((renew(&one), generation()), (0, 1));
    assert_eq!((renew(&other), generation()), (1, 2));
    // Both catch up: whoever does not lead leaves what waits to whoever changed it.
    let given = one.allocate(&operator(), list, 1).unwrap();
    revoke(&one, list, given.indexes()[0].get());
    assert_eq!(one.catch_up(), Ok(0));
    assert_eq!((other.catch_up(), generation()), (Ok(1), 3));
}
