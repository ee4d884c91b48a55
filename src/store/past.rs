//! What a change of a list's bits leaves of the bits before it, so that the list can be told as it
//! was.
//!
//! A change writes, for each page that it changes, how the page was before ([`PastPage`], under the
//! revision that the change made), and for the list, which revision was in force until then
//! ([`PastState`], under that moment). So the past is read forward, with the engine's only scan:
//!
//! ```text
//! moment ──► first past state behind it, or the present one   = the revision r in force
//! page   ──► past pages of revisions behind r, in order, up to the first whole one
//! ```
//!
//! The page of r is that whole page, or the present page where none is whole, with the differences
//! that stand before it. At least every [`MOST_REPLAYED`]th row of a page is whole, so a look into
//! the past costs two scans of at most that many rows, however long ago the moment is and however
//! much has changed since. Several changes of one moment, as of all who wait in one lane, leave one
//! row a page; changes that are made in the same millisecond later leave rows of their own, and the
//! last one counts.
//!
//! Old rows can be removed from the front, states and pages up to the same revision: what is left
//! leads as far back as it did, and a state that is younger than the moment asked for says that
//! more is not held.

use super::codec::{CodecError, Reader, SortedIndexes};
use super::engine::Batch;
use super::table::{Record, known_version};
use super::tables::{ListState, PAGE_RUNS, PAST_PAGES, PAST_STATES, PastState};
use crate::bitstring::{PAGE_BYTES, Page};
use crate::ids::{ListId, Revision};
use crate::time::Timestamp;

/// At most so many rows of a page are read to tell how it was: one in so many is whole.
pub const MOST_REPLAYED: usize = 64;

/// How a page was before a change of it.
///
/// ```text
/// 00 | positions | XOR    some bytes were others: where they stand in the page (delta varints),
///                         and for each what it is combined with, by exclusive or, to be the former
/// 01 | bytes              it was these, and zeros behind them
/// ```
///
/// A single bit takes four or five bytes. A change of a great part of a page takes no more than the
/// page did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PastPage {
    /// Ascending positions, each with what its byte is combined with, which is not zero.
    Difference(Vec<(u16, u8)>),
    /// The page, without the zeros at its end.
    Whole(Vec<u8>),
}

const DIFFERENCE: u8 = 0;
const WHOLE: u8 = 1;

/// Adds to `batch` that a list's state is over at `until`. One that was in force at no moment is
/// left out.
pub fn stage_past_state(batch: &mut Batch, list: ListId, over: &ListState, until: Timestamp) {
    if over.changed_at < until {
        let past = PastState {
            since: over.changed_at,
        };
        PAST_STATES.put(batch, &((list, until), over.revision), &past);
    }
}

/// Adds to `batch` how page `place` was before the change that makes `revision`; nothing where it
/// is the same. `run` is the page's row in [`PAGE_RUNS`]; returns what it is then.
pub fn stage_past_page(
    batch: &mut Batch,
    place: (ListId, u32),
    revision: Revision,
    (before, after): (&Page, &Page),
    run: u64,
) -> u64 {
    let Some((past, longer)) = PastPage::leading(after, before, run) else {
        return run;
    };
    PAST_PAGES.put(batch, &(place, revision), &past);
    if longer != run {
        PAGE_RUNS.put(batch, &place, &longer);
    }
    longer
}

/// The page that `past` leads back to from `present`: rows of [`PAST_PAGES`] in ascending order
/// of revision, up to the present or to a whole one.
pub fn led_back(past: &[PastPage], present: Page) -> Page {
    let whole = past
        .iter()
        .position(|row| matches!(row, PastPage::Whole(_)));
    let mut page = match whole {
        Some(at) => past[at].undone(present),
        None => present,
    };
    for row in past[..whole.unwrap_or(past.len())].iter().rev() {
        page = row.undone(page);
    }
    page
}

impl PastPage {
    /// What leads from `after` back to `before`, and how many differences stand after the newest
    /// whole page then; `None` where the two are the same.
    fn leading(after: &Page, before: &Page, run: u64) -> Option<(Self, u64)> {
        let difference = difference(after, before);
        if difference.is_empty() {
            return None;
        }
        let length = PAGE_BYTES - before.iter().rev().take_while(|byte| **byte == 0).count();
        let whole = Self::Whole(before[..length].to_vec());
        // The row after this one has to be able to be the whole one.
        let at_length = run + 1 >= MOST_REPLAYED as u64;
        // Each byte that differs takes one for its place, or two, and one for itself.
        if at_length || length <= difference.len() * 2 {
            return Some((whole, 0));
        }
        Some((Self::Difference(difference), run + 1))
    }

    /// `page` as it was before the change.
    fn undone(&self, mut page: Page) -> Page {
        match self {
            Self::Difference(bytes) => {
                for (at, other) in bytes {
                    page[usize::from(*at)] ^= other;
                }
            }
            Self::Whole(bytes) => {
                page = [0; PAGE_BYTES];
                page[..bytes.len()].copy_from_slice(bytes);
            }
        }
        page
    }

    fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            DIFFERENCE => {
                let positions = SortedIndexes::decode(&mut reader)?.into_vec();
                let others = reader.take(positions.len())?;
                let pairs = positions.into_iter().zip(others);
                let bytes = pairs.map(|(at, other)| Ok((position(at)?, changed(*other)?)));
                let bytes = bytes.collect::<Result<Vec<_>, CodecError>>()?;
                reader.finish()?;
                Ok(Self::Difference(bytes))
            }
            WHOLE => {
                let bytes = reader.rest();
                match bytes.last() {
                    Some(0) => Err(out_of_range(0, "the last byte of a page without its zeros")),
                    _ if bytes.len() > PAGE_BYTES => {
                        Err(out_of_range(bytes.len() as u64, "the length of a page"))
                    }
                    _ => Ok(Self::Whole(bytes.to_vec())),
                }
            }
            other => Err(out_of_range(other.into(), "a form of a past page")),
        }
    }
}

impl Record for PastPage {
    const VERSION: u8 = 1;

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Difference(bytes) => {
                out.push(DIFFERENCE);
                let positions = bytes.iter().map(|(at, _)| u32::from(*at));
                positions.collect::<SortedIndexes>().encode(out);
                out.extend(bytes.iter().map(|(_, other)| other));
            }
            Self::Whole(bytes) => {
                out.push(WHOLE);
                out.extend(bytes);
            }
        }
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, String> {
        known_version::<Self>(version)?;
        Self::read(bytes).map_err(|error| error.to_string())
    }
}

/// The bytes that differ, found by the stretches in which any does: most often there is one.
fn difference(after: &Page, before: &Page) -> Vec<(u16, u8)> {
    const STRETCH: usize = 32;
    let mut found = Vec::new();
    let stretches = after.as_chunks::<STRETCH>().0.iter();
    for ((after, before), start) in stretches
        .zip(before.as_chunks::<STRETCH>().0)
        .zip((0u16..).step_by(STRETCH))
        .filter(|((after, before), _)| after != before)
    {
        let bytes = after.iter().zip(before).zip(start..);
        let differ = bytes.filter(|((after, before), _)| after != before);
        found.extend(differ.map(|((after, before), at)| (at, after ^ before)));
    }
    found
}

fn position(at: u32) -> Result<u16, CodecError> {
    match u16::try_from(at) {
        Ok(at) if usize::from(at) < PAGE_BYTES => Ok(at),
        _ => Err(out_of_range(at.into(), "a place in a page")),
    }
}

fn changed(other: u8) -> Result<u8, CodecError> {
    match other {
        0 => Err(out_of_range(0, "a difference")),
        other => Ok(other),
    }
}

const fn out_of_range(value: u64, what: &'static str) -> CodecError {
    CodecError::Range { at: 0, value, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::StoreError;
    use crate::store::memory::Rows;
    use crate::store::table::hex;
    use proptest::prelude::*;

    const LIST: ListId = ListId::from_bytes([0xaa; 12]);
    const PLACE: (ListId, u32) = (LIST, 3);

    fn page(bytes: &[(usize, u8)]) -> Page {
        let mut page = [0; PAGE_BYTES];
        for (at, byte) in bytes {
            page[*at] = *byte;
        }
        page
    }

    /// A page and its past, as they are stored.
    struct Written {
        page: Page,
        run: u64,
        revision: Revision,
        batch: Batch,
    }

    impl Written {
        fn fresh() -> Self {
            Self {
                page: [0; PAGE_BYTES],
                run: 0,
                revision: Revision(1),
                batch: Batch::default(),
            }
        }

        fn becomes(&mut self, after: Page) {
            self.revision = self.revision.next();
            let pages = (&self.page, &after);
            self.run = stage_past_page(&mut self.batch, PLACE, self.revision, pages, self.run);
            self.page = after;
        }

        fn rows(&self) -> Rows {
            let rows = self.batch.puts.clone().into_iter();
            rows.collect()
        }

        fn past(&self, revision: Revision) -> Result<Vec<PastPage>, StoreError> {
            let rows = self.rows();
            let behind = (PLACE, revision);
            let rows = PAST_PAGES.scan(&rows, &[], Some(&behind), MOST_REPLAYED)?;
            Ok(rows.into_iter().map(|(_, past)| past).collect())
        }

        fn was(&self, revision: Revision) -> Page {
            led_back(&self.past(revision).unwrap(), self.page)
        }
    }

    #[test]
    fn stored_bytes_are_these() {
        let mut written = Written::fresh();
        written.becomes(page(&[(0, 0x80)]));
        written.becomes(page(&[(0, 0x80), (5, 1), (300, 0xff)]));
        written.becomes(page(&[(0, 0x80), (300, 0xfe)]));
        let over = ListState {
            revision: Revision(2),
            changed_at: Timestamp::from_millis(500),
        };
        let (before, until) = (over.changed_at, Timestamp::from_millis(1_700_000_000_123));
        stage_past_state(&mut written.batch, LIST, &over, until);
        stage_past_state(&mut written.batch, LIST, &over, before);
        let puts = written.batch.puts.iter();
        let rows: Vec<_> = puts
            .map(|(k, v)| format!("{} {}", hex(k), hex(v)))
            .collect();
        insta::assert_debug_snapshot!(rows, @r#"
        [
            "3aaaaaaaaaaaaaaaaaaaaaaaaa000000030000000000000002 0101",
            "3aaaaaaaaaaaaaaaaaaaaaaaaa000000030000000000000003 010180",
            "3aaaaaaaaaaaaaaaaaaaaaaaaa000000030000000000000004 01000205a6020101",
            "3baaaaaaaaaaaaaaaaaaaaaaaa00000003 010000000000000001",
            "39aaaaaaaaaaaaaaaaaaaaaaaa8000018bcfe5687b0000000000000002 01e807",
        ]
        "#);
    }

    #[test]
    fn a_change_of_most_of_a_page_takes_no_more_than_the_page_before() {
        let mut written = Written::fresh();
        let full = [0xff; PAGE_BYTES];
        written.becomes(full);
        written.becomes([0; PAGE_BYTES]);
        written.becomes(full);
        let sizes = written.batch.puts.iter().map(|(_, value)| value.len());
        assert_eq!(sizes.collect::<Vec<_>>(), [2, 2 + PAGE_BYTES, 2]);
        assert_eq!(written.was(Revision(1)), [0; PAGE_BYTES]);
        assert_eq!(written.was(Revision(2)), full);
    }

    #[test]
    fn nothing_is_left_by_a_change_of_nothing() {
        let mut written = Written::fresh();
        written.becomes([0; PAGE_BYTES]);
        assert_eq!(written.batch, Batch::default());
    }

    #[test]
    fn bytes_that_are_no_past_page_are_refused() {
        for bytes in [
            &[][..],
            &[2],
            &[0, 1, 0],
            &[0, 1, 0, 0],
            &[0, 1, 0, 1, 1],
            &[0, 1, 0x80, 0x08, 1],
            &[1, 1, 0],
            &[&[1][..], &[1; PAGE_BYTES + 1]].concat(),
        ] {
            assert!(PastPage::decode(1, bytes).is_err(), "{bytes:02x?}");
        }
        assert!(PastPage::decode(2, &[1, 1]).is_err());
        let whole = [&[1][..], &[1; PAGE_BYTES]].concat();
        assert_eq!(
            PastPage::decode(1, &whole),
            Ok(PastPage::Whole(vec![1; PAGE_BYTES]))
        );
    }

    /// Changes of a page: bytes, and often one bit of one byte.
    fn changes() -> impl Strategy<Value = Vec<Vec<(usize, u8)>>> {
        let byte = (
            0..PAGE_BYTES,
            prop_oneof![Just(0x80u8), Just(0), any::<u8>()],
        );
        let one = prop::collection::vec(byte.clone(), 0..3);
        let many = prop::collection::vec(byte, 0..1500);
        prop::collection::vec(prop_oneof![20 => one, 1 => many], 0..200)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn each_page_of_the_past_is_told_from_few_rows(changes in changes()) {
            let mut written = Written::fresh();
            let mut pages = vec![written.page];
            for change in changes {
                let mut after = written.page;
                for (at, byte) in change {
                    after[at] = byte;
                }
                written.becomes(after);
                pages.push(after);
            }
            for (page, revision) in pages.iter().zip(1..) {
                prop_assert_eq!(&written.was(Revision(revision)), page);
            }
            // Among so many rows, wherever they begin, one is whole.
            let all = PAST_PAGES.scan(&written.rows(), &[], None, usize::MAX).unwrap();
            for few in all.windows(MOST_REPLAYED) {
                prop_assert!(few.iter().any(|(_, row)| matches!(row, PastPage::Whole(_))));
            }
        }

        #[test]
        fn a_past_page_that_is_read_has_one_spelling(
            bytes in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..40)
        ) {
            if let Ok(past) = PastPage::decode(1, &bytes) {
                let mut again = Vec::new();
                past.encode(&mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
