//! What lists take up, which of them stay, and how often they are read.

use std::ops::Range;

use super::*;

/// Lists that take turns, each with an entry set in each of its pages.
pub(super) fn full(engine: &MemoryEngine, lists: Range<u8>, size: StatusSize) {
    let mut batch = Batch::default();
    for number in lists {
        let mut written = Written::new(size);
        written.opened(&mut batch, list(number));
        let page_entries = PAGE_BYTES * 8 / usize::try_from(size.bits()).unwrap();
        for index in (0..written.record.length).step_by(page_entries) {
            let mut one = Batch::default();
            written.set(&mut one, list(number), index, 1);
            // The state stands first in it, and is written once, at the end.
            batch.puts.extend(one.puts.into_iter().skip(1));
        }
        let state = ListState {
            revision: Revision(written.revision),
            changed_at: Timestamp::EPOCH,
        };
        LIST_STATES.put(&mut batch, &list(number), &state);
    }
    engine.commit(batch).unwrap();
}

fn plain() -> ListRecord {
    ListRecord {
        purpose: StatusPurpose::Revocation,
        entry: EntryMembers::default(),
        ..record(StatusSize::One)
    }
}

/// Figures that the documentation gives. They are those of a machine with 64 bits.
#[test]
fn a_list_takes_so_many_bytes() {
    let new = |record: &ListRecord| List::new(list(1), record, 1);
    let bare = plain();
    assert_eq!(new(&bare).bytes(), 510);
    assert_eq!(List::most_bytes(&bare), 510 + 16 * 1_024);
    // 1.04 bits an entry of one bit, where some are set everywhere.
    assert!(List::most_bytes(&bare) * 8 <= 131_072 * 105 / 100);
    let long = ListRecord {
        length: 1 << 26,
        ..plain()
    };
    assert_eq!(List::most_bytes(&long), 254 + 8_192 * (1_024 + 16));
    let list = new(&bare);
    assert_eq!(list.take_in(&Change::Page(3, None), 2), 0);
    let page = || Box::new([7; PAGE_BYTES]);
    assert_eq!(list.take_in(&Change::Page(3, Some(page())), 2), PAGE_BYTES);
    assert_eq!(list.take_in(&Change::Page(3, Some(page())), 3), 0);
    assert_eq!(list.bytes(), 510 + 1_024);
}

#[test]
fn those_that_are_looked_up_stay() {
    let engine = memory_engine();
    full(&engine, 0..12, StatusSize::One);
    let counting = Counting::new(engine);
    let each = List::most_bytes(&record(StatusSize::One)) as u64;
    let registry = over(counting.clone(), 6 * each);
    let loads = || counting.loads.swap(0, Ordering::SeqCst);
    let ask = |number: u8| {
        let said = one_by_one(&registry, &[(list(number), 8_192)]);
        assert_eq!(said[0].as_ref().unwrap().0, 1);
    };
    (0..6).for_each(ask);
    assert_eq!(loads(), 6);
    // The seventh takes the place of any of them; from then on those that are asked for stay.
    for other in 6..12 {
        (0..3).for_each(ask);
        loads();
        ask(other);
        assert_eq!(loads(), 1, "list {other}");
        (0..3).for_each(ask);
        assert!(loads() == 0 || other == 6, "list {other}");
    }
}

#[test]
fn a_list_that_takes_too_much_room_is_read_from_the_store() {
    let engine = memory_engine();
    full(&engine, 0..1, StatusSize::Eight);
    let counting = Counting::new(engine);
    let registry = over(counting.clone(), 4 * 130_000);
    for _ in 0..3 {
        let said = one_by_one(&registry, &[(list(0), 1_024)]);
        assert_eq!(said[0].as_ref().unwrap().0, 1);
        let said = at_once(&registry, &[(list(0), 1_024), (list(0), 131_072)]);
        assert_eq!(said[0].as_ref().unwrap().0, 1);
        assert!(matches!(said[1], Err(StatusUnknown::OutOfRange(_))));
    }
    assert_eq!(counting.loads.load(Ordering::SeqCst), 0);
    assert!(registry.live.keeper().held.is_empty());
}

#[test]
fn a_list_that_nobody_has_costs_one_question() {
    let counting = Counting::new(memory_engine());
    let registry = over(counting.clone(), 1 << 20);
    let said = one_by_one(&registry, &[(list(9), 0)]);
    assert!(matches!(said[0], Err(StatusUnknown::NoList(_))));
    assert_eq!(counting.records.load(Ordering::SeqCst), 1);
    assert_eq!(counting.loads.load(Ordering::SeqCst), 0);
    assert_eq!(profile_of(list(9)), ProfileId(1));
}

#[test]
fn many_who_ask_for_one_list_load_it_once() {
    let engine = memory_engine();
    full(&engine, 0..8, StatusSize::Two);
    let counting = Counting::new(engine);
    let registry = over(counting.clone(), 1 << 28);
    let begin = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                begin.wait();
                for number in 0..8 {
                    let said = one_by_one(&registry, &[(list(number), 0), (list(number), 1)]);
                    let said: Vec<u8> = said.into_iter().map(|one| one.unwrap().0).collect();
                    assert_eq!(said, [1, 0]);
                }
            });
        }
    });
    assert_eq!(counting.loads.load(Ordering::SeqCst), 8);
}

#[test]
fn a_page_that_cannot_be_read_is_not_kept() {
    let engine = memory_engine();
    let registry = over(engine.clone(), 1 << 20);
    let mut written = Written::new(StatusSize::One);
    let mut batch = Batch::default();
    written.opened(&mut batch, list(0));
    written.set(&mut batch, list(0), 0, 1);
    PAGES.put(&mut batch, &(list(0), 1), &vec![1; 7]);
    engine.commit(batch).unwrap();
    // The pages beside it can be.
    assert_eq!(
        one_by_one(&registry, &[(list(0), 0)])[0]
            .as_ref()
            .unwrap()
            .0,
        1
    );
    let url = registry.urls().list(list(0));
    assert!(registry.status_at(&url, 8_192, None, None).is_err());
    let mut questions = EntriesAsked::default();
    let asked = questions.name(url.into());
    questions.ask(asked, 8_192);
    assert!(registry.entries_now(&questions).is_err());
    assert!(registry.live.keeper().held.is_empty());
    // Nor is one that is damaged while its list is kept.
    let mut batch = Batch::default();
    PAGES.delete(&mut batch, &(list(0), 1));
    engine.commit(batch).unwrap();
    assert_eq!(
        one_by_one(&registry, &[(list(0), 8_192)])[0]
            .as_ref()
            .unwrap()
            .0,
        0
    );
    assert_eq!(registry.live.keeper().held.len(), 1);
    let mut batch = Batch::default();
    PAGES.put(&mut batch, &(list(0), 1), &vec![1; 7]);
    engine.commit(batch).unwrap();
    assert!(registry.live.keeper().held.is_empty());
    assert!(
        registry
            .status_at(&registry.urls().list(list(0)), 8_192, None, None)
            .is_err()
    );
}

#[test]
fn one_request_brings_some_lists_to_memory_and_is_answered_whatever_it_asks_for() {
    let engine = memory_engine();
    full(&engine, 1..200, StatusSize::One);
    let registry = over(engine, 1 << 30);
    // Each list twice, as hostile questions may name them.
    let asked: Vec<_> = (1..200).chain(1..200).map(|n| (list(n), 0)).collect();
    let held = || registry.live.keeper().held.len();
    for brought in [64, 128, 192, 199] {
        let told = at_once(&registry, &asked);
        assert!(told.iter().all(|said| matches!(said, Ok((1, _, _)))));
        assert_eq!(held(), brought);
    }
}
