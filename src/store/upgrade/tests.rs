use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;

use super::rewrite::Rewrite;
use super::to_format_2::{self, ToFormat2};
use super::to_format_3;
use super::*;
use crate::bitstring::{PAGE_BYTES, Page};
use crate::ids::{ListId, Revision};
use crate::store::engine::{Read, Row};
use crate::store::memory::Rows;
use crate::store::past::{MOST_REPLAYED, led_back};
use crate::store::staging::Writes;
use crate::store::tables::{
    ENDORSEMENTS, ENDORSEMENTS_BY_SUBJECT, PAGES, PAST_PAGES, PAST_STATES, id_digest,
};
use crate::time::Timestamp;

/// The rows of a store that a program of format 1 wrote (`tests/it/stores`).
fn format_1() -> Rows {
    rows_in(include_bytes!("../../../tests/it/stores/format-1.json.gz"))
}

/// The rows of a store that a program of format 2 wrote.
fn format_2() -> Rows {
    rows_in(include_bytes!("../../../tests/it/stores/format-2.json.gz"))
}

/// The rows of a store that a program of format 3 wrote.
fn format_3() -> Rows {
    rows_in(include_bytes!("../../../tests/it/stores/format-3.json.gz"))
}

fn rows_in(packed: &[u8]) -> Rows {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let store: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = store["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let (key, value) = row.as_str().unwrap().split_once(' ').unwrap();
        (bytes(key), bytes(value))
    })
    .collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn all(read: &dyn Read) -> Vec<Row> {
    read.scan(&[], &[0xff], usize::MAX).unwrap()
}

fn format_of(read: &dyn Read) -> Vec<u8> {
    read.get(b"\x01format").unwrap().unwrap()
}

/// A store whose writes fail after so many.
struct Cut {
    rows: Rows,
    writes: usize,
}

impl Read for Cut {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.rows.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.rows.scan(from, to, limit)
    }
}

impl Opening for Cut {
    fn write(&mut self, writes: Writes) -> Result<(), StoreError> {
        let left = self.writes.checked_sub(1);
        self.writes = left.ok_or_else(|| StoreError::Unavailable("the power went".to_owned()))?;
        self.rows.write(writes)
    }
}

const SMALL: ToFormat2 = ToFormat2 { rows_at_once: 3 };

/// As `bring_up` does it, in small batches.
fn bring_up_slowly(store: &mut dyn Opening) -> Result<(), StoreError> {
    if format_of(store) == 1u32.to_be_bytes() {
        take(store, 1, &SMALL)?;
    }
    let found = format_of(store).try_into().unwrap();
    bring_up(store, u32::from_be_bytes(found))
}

/// Every page of every list, as it was in each state that is over.
fn pages_then(read: &dyn Read) -> BTreeMap<(ListId, Timestamp, u32), Page> {
    let mut then = BTreeMap::new();
    for ((list, number), present) in PAGES.scan(read, &[], None, usize::MAX).unwrap() {
        let states = PAST_STATES.scan(read, list.as_bytes(), None, usize::MAX);
        for (((_, until), revision), _) in states.unwrap() {
            let prefix = [list.as_bytes().as_slice(), &number.to_be_bytes()].concat();
            let behind = ((list, number), revision);
            let rows = PAST_PAGES.scan(read, &prefix, Some(&behind), MOST_REPLAYED);
            let rows: Vec<_> = rows.unwrap().into_iter().map(|(_, past)| past).collect();
            let page = led_back(&rows, present.clone().try_into().unwrap());
            // The first row behind a moment counts.
            then.entry((list, until, number)).or_insert(page);
        }
    }
    then
}

#[test]
fn an_upgrade_that_is_cut_off_anywhere_goes_on_to_the_same_end() {
    assert!(cut_off_anywhere(&format_1()) > 10);
    assert!(cut_off_anywhere(&format_2()) > 5);
    assert!(cut_off_anywhere(&format_3()) > 3);
}

/// Returns in how many places it was cut off.
fn cut_off_anywhere(older: &Rows) -> usize {
    let mut whole = older.clone();
    bring_up_slowly(&mut whole).unwrap();
    assert_eq!(format_of(&whole), FORMAT.to_be_bytes());
    let mut cuts = 0;
    loop {
        let mut store = Cut {
            rows: older.clone(),
            writes: cuts,
        };
        let Err(error) = bring_up_slowly(&mut store) else {
            break;
        };
        assert_eq!(error, StoreError::Unavailable("the power went".to_owned()));
        let mut rows = store.rows;
        bring_up_slowly(&mut rows).unwrap();
        assert_eq!(all(&rows), all(&whole), "cut off after {cuts} writes");
        cuts += 1;
    }
    cuts
}

#[test]
fn in_large_batches_and_in_small_ones_the_past_is_the_same() {
    let (mut slowly, mut quickly) = (format_1(), format_1());
    bring_up_slowly(&mut slowly).unwrap();
    bring_up(&mut quickly, 1).unwrap();
    let then = pages_then(&quickly);
    assert!(then.len() > 40, "{}", then.len());
    assert_eq!(then, pages_then(&slowly));
    // Before its first change a list was clear.
    let mut first = BTreeMap::new();
    for ((list, until, number), page) in then {
        first.entry((list, number)).or_insert((until, page));
    }
    for (place, (_, page)) in first {
        assert_eq!(page, [0; PAGE_BYTES], "{place:?}");
    }
}

#[test]
fn nothing_else_is_touched_and_nothing_is_left_over() {
    let mut rows = format_1();
    take(&mut rows, 1, &SMALL).unwrap();
    empty_work_tables(&mut rows).unwrap();
    let new = |key: &[u8]| (0x39..=0x3b).contains(&key[0]);
    only_this_is_new(&format_1(), &rows, to_format_2::REWRITES, &new);

    let mut rows = format_2();
    take(&mut rows, 2, &ToFormat3).unwrap();
    // Artefacts have another key, and each waits to be renewed.
    let moved = |key: &[u8]| matches!(key[0], 0x38 | 0x3d);
    only_this_is_new(&format_2(), &rows, to_format_3::REWRITES, &moved);
    let of = |rows: &Rows, tag: u8| rows.scan(&[tag], &[tag + 1], usize::MAX).unwrap();
    let (before, after) = (of(&format_2(), 0x38), of(&rows, 0x38));
    assert_eq!(after.len(), before.len());
    assert_eq!(of(&rows, 0x3d).len(), before.len());
    for ((older, _), (newer, _)) in before.iter().zip(after) {
        assert_eq!([older.as_slice(), &[0]].concat(), newer);
    }
}

fn only_this_is_new(
    before: &Rows,
    after: &Rows,
    rewrites: &[Rewrite],
    new: &dyn Fn(&[u8]) -> bool,
) {
    let (made, mut kept): (Vec<_>, Vec<_>) = all(after).into_iter().partition(|row| new(&row.0));
    assert!(!made.is_empty());
    let mut before: Vec<Row> = all(before).into_iter().filter(|row| !new(&row.0)).collect();
    // Of rows that are rewritten, what stands in them is the matter of their tables.
    let rewritten =
        |key: &[u8]| key == b"\x01format" || rewrites.iter().any(|one| one.tag == key[0]);
    for (key, value) in before.iter_mut().chain(&mut kept) {
        if rewritten(key) {
            value.clear();
        }
    }
    assert_eq!(kept, before);
}

#[test]
fn what_a_program_of_the_older_format_adds_in_between_is_replayed_too() {
    let whole = format_1();
    let mut expected = format_1();
    bring_up(&mut expected, 1).unwrap();
    let expected = pages_then(&expected);
    let newest = whole.scan(&[3], &[4], usize::MAX).unwrap().len() as u64;
    for known in (0..newest).step_by(7) {
        let is_later = |row: &Row| row.0[0] == 3 && row.0[1..] > known.to_be_bytes()[..];
        let (later, early): (Vec<_>, Vec<_>) = all(&whole).into_iter().partition(is_later);
        let mut rows: Rows = early.into_iter().collect();
        replay::run(&mut rows, 3).unwrap();
        let later = later.into_iter();
        rows.write(later.map(|(key, value)| (key, Some(value))).collect())
            .unwrap();
        bring_up_slowly(&mut rows).unwrap();
        assert_eq!(pages_then(&rows), expected, "after event {known}");
    }
}

#[test]
fn what_an_upgrade_had_left_is_removed_when_the_store_is_opened() {
    let mut rows = format_1();
    bring_up(&mut rows, 1).unwrap();
    let before = all(&rows);
    let left = (0..9_000u32).map(|n| ([&[0xf1][..], &n.to_be_bytes()].concat(), Some(vec![1])));
    rows.write(left.collect()).unwrap();
    bring_up(&mut rows, 2).unwrap();
    assert_eq!(all(&rows), before);
}

#[test]
fn a_store_whose_log_does_not_add_up_keeps_its_format() {
    let page_row = |rows: &Rows| rows.scan(&[0x34], &[0x35], 1).unwrap().remove(0);
    let refused = |change: &dyn Fn(&mut Rows)| {
        let mut rows = format_1();
        change(&mut rows);
        let error = bring_up(&mut rows, 1).unwrap_err().to_string();
        assert_eq!(format_of(&rows), 1u32.to_be_bytes());
        error
    };
    let put = |rows: &mut Rows, (key, value): Row| {
        rows.write(Writes::from([(key, Some(value))])).unwrap();
    };
    insta::assert_snapshot!(refused(&|rows| {
        let (key, mut page) = page_row(rows);
        page[200] ^= 1;
        put(rows, (key, page));
    }), @"table pages: stored bytes cannot be read: page 5 of the list 000000c9hg6sb3hqwwh0 is not what the log adds up to, so the past cannot be told; the store keeps its format: restore a backup, or go on with the program that wrote it");
    insta::assert_snapshot!(refused(&|rows| {
        let (key, _) = page_row(rows);
        rows.write(Writes::from([(key, None)])).unwrap();
    }), @"table pages: stored bytes cannot be read: page 5 of the list 000000c9hg6sb3hqwwh0 is not what the log adds up to, so the past cannot be told; the store keeps its format: restore a backup, or go on with the program that wrote it");
    insta::assert_snapshot!(refused(&|rows| {
        let (mut key, page) = page_row(rows);
        key[16] = 200;
        put(rows, (key, page));
    }), @"table pages: stored bytes cannot be read: page 200 of the list 000000c9hg6sb3hqwwh0 is not what the log adds up to, so the past cannot be told; the store keeps its format: restore a backup, or go on with the program that wrote it");
    insta::assert_snapshot!(refused(&|rows| {
        let (key, mut state) = rows.scan(&[0x33], &[0x34], 1).unwrap().remove(0);
        state[1] += 1;
        put(rows, (key, state));
    }), @"table list states: stored bytes cannot be read: the revision of the list 000000c9hg6sb3hqwwh0 is not what the log adds up to, so the past cannot be told; the store keeps its format: restore a backup, or go on with the program that wrote it");
    insta::assert_snapshot!(refused(&|rows| {
        let (key, mut event) = rows.scan(&[3], &[4], usize::MAX).unwrap().remove(9);
        event[8 + 32] = 9;
        put(rows, (key, event));
    }), @"table events: stored bytes cannot be read: event 10: the event has version 9, and this program reads versions up to 2");
    insta::assert_snapshot!(refused(&|rows| {
        let lists = rows.scan(&[0x32], &[0x33], usize::MAX).unwrap().into_iter();
        rows.write(lists.map(|(key, _)| (key, None)).collect()).unwrap();
    }), @"table lists: stored bytes cannot be read: the log opens 000000erf7antsbxmceg, and it is not there");
}

#[test]
fn what_endorses_a_thing_is_found_with_its_records() {
    for older in [format_1(), format_2(), format_3()] {
        let found = older.scan(&[0x52], &[0x53], usize::MAX).unwrap();
        assert!(found.iter().all(|(_, value)| *value == [1]));
        let mut rows = older;
        let from = u32::from_be_bytes(format_of(&rows).try_into().unwrap());
        bring_up(&mut rows, from).unwrap();
        let by_subject = ENDORSEMENTS_BY_SUBJECT.scan(&rows, &[], None, usize::MAX);
        let by_subject = by_subject.unwrap();
        let records = ENDORSEMENTS.scan(&rows, &[], None, usize::MAX).unwrap();
        assert!(records.len() > 1 && records.len() == by_subject.len());
        for ((digest, id), record) in by_subject {
            assert_eq!(digest, id_digest(&record.subject));
            assert_eq!(ENDORSEMENTS.get(&rows, &id), Ok(Some(record)));
        }
    }
}

#[test]
fn a_store_whose_endorsements_are_not_found_by_what_they_endorse_keeps_its_format() {
    let first = |rows: &Rows, tag: u8| rows.scan(&[tag], &[tag + 1], 1).unwrap().remove(0).0;
    let refused = |tag: u8| {
        let mut rows = format_3();
        let gone = first(&rows, tag);
        rows.write(Writes::from([(gone, None)])).unwrap();
        let error = bring_up(&mut rows, 3).unwrap_err().to_string();
        assert_eq!(format_of(&rows), 3u32.to_be_bytes());
        error
    };
    insta::assert_snapshot!(refused(0x50), @"table endorsements by subject: stored bytes cannot be read: a row is of an endorsement that is not there");
    insta::assert_snapshot!(refused(0x52), @"table endorsements by subject: stored bytes cannot be read: 2 endorsements, of which 1 can be found");
    // Something else than the step wrote it, while it had not come to an end.
    let mut rows = format_3();
    bring_up(&mut rows, 3).unwrap();
    let row = first(&rows, 0x52);
    rows.write(Writes::from([(row, Some(vec![2]))])).unwrap();
    insta::assert_snapshot!(ToFormat4.validate(&rows).unwrap_err(), @"table endorsements by subject: stored bytes cannot be read: a row is not the record of its endorsement");
}

/// Doubles each byte of a body; one that holds a zero is damaged.
const DOUBLED: Rewrite = Rewrite {
    table: "doubled",
    tag: 0x70,
    from: 1,
    to: 2,
    body: |body| match body.contains(&0) {
        true => Err("a zero".to_owned()),
        false => Ok(body.iter().flat_map(|byte| [*byte, *byte]).collect()),
    },
};

fn to_double(count: u32) -> Rows {
    let row = |n: u32| ([&[0x70][..], &n.to_be_bytes()].concat(), vec![1, 7, 8]);
    let others = [(vec![0x6f, 0xff], vec![1, 1]), (vec![0x71], vec![1, 1])];
    (0..count).map(row).chain(others).collect()
}

#[test]
fn the_rows_of_a_table_are_rewritten_once_however_often_that_is_cut_off() {
    let count = 10_000;
    for cut in 0..=3 {
        let mut store = Cut {
            rows: to_double(count),
            writes: cut,
        };
        let finished = DOUBLED.run(&mut store);
        assert_eq!(finished.is_ok(), cut == 3, "{finished:?}");
        assert_eq!(DOUBLED.validate(&store).is_ok(), cut == 3);
        let mut rows = store.rows;
        DOUBLED.run(&mut rows).unwrap();
        DOUBLED.validate(&rows).unwrap();
        let doubled = rows.scan(&[0x70], &[0x71], usize::MAX).unwrap();
        assert_eq!(doubled.len(), count as usize);
        assert!(doubled.iter().all(|(_, value)| *value == [2, 7, 7, 8, 8]));
        let others = rows.get(&[0x71]).unwrap().into_iter();
        let others = others.chain(rows.get(&[0x6f, 0xff]).unwrap());
        assert_eq!(others.collect::<Vec<_>>(), [[1, 1], [1, 1]]);
    }
}

#[test]
fn a_row_that_cannot_be_rewritten_is_an_error_that_names_its_table() {
    let mut rows = to_double(3);
    rows.write(Writes::from([(vec![0x70, 9], Some(vec![1, 0]))]))
        .unwrap();
    insta::assert_snapshot!(DOUBLED.run(&mut rows).unwrap_err(), @"table doubled: stored bytes cannot be read: it cannot be brought up to the newer format: a zero");
    rows.write(Writes::from([(vec![0x70, 9], Some(vec![3, 0]))]))
        .unwrap();
    DOUBLED.run(&mut rows).unwrap();
    insta::assert_snapshot!(DOUBLED.validate(&rows).unwrap_err(), @"table doubled: stored bytes cannot be read: it cannot be brought up to the newer format: a record of version Some(3), not 2");
}

#[test]
fn the_first_state_of_a_list_begins_when_it_was_opened() {
    let mut rows = format_1();
    bring_up(&mut rows, 1).unwrap();
    let lists = crate::store::tables::LISTS.scan(&rows, &[], None, usize::MAX);
    let mut changed = 0;
    for (list, record) in lists.unwrap() {
        let states = PAST_STATES.scan(&rows, list.as_bytes(), None, usize::MAX);
        let mut since = record.created_at;
        for (number, (((_, until), revision), past)) in states.unwrap().into_iter().enumerate() {
            assert_eq!(past.since, since);
            assert!(number > 0 || revision == Revision(1));
            since = until;
            changed += 1;
        }
    }
    assert!(changed > 8, "{changed}");
}
