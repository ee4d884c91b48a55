//! What the store keeps of the past of a list's pages.

use goodstanding::bitstring::{PAGE_BYTES, Page};
use goodstanding::store::Record;
use goodstanding::store::past::{PastPage, led_back};

use super::Reached;

/// An input is rows of one page, each behind its length in two bytes, in order of revision. What is
/// read is what would be written, and a second reader takes the same; all of them lead back to the
/// page that is found by undoing one after the other, from a page of zeros or of ones.
pub fn run(data: &[u8]) -> Reached {
    let mut rows = Vec::new();
    let mut pages = [[0x00; PAGE_BYTES], [0xff; PAGE_BYTES]];
    let mut undone = Vec::new();
    for bytes in split(data) {
        let read = PastPage::decode(PastPage::VERSION, bytes);
        let theirs = second_reader(bytes);
        assert_eq!(read.is_ok(), theirs.is_some(), "{bytes:?}: {read:?}");
        assert!(PastPage::decode(PastPage::VERSION + 1, bytes).is_err());
        let (Ok(row), Some(theirs)) = (read, theirs) else {
            return Reached::Refused;
        };
        let mut written = Vec::new();
        row.encode(&mut written);
        assert_eq!(written, bytes, "{row:?}");
        rows.push(row);
        undone.push(theirs);
    }
    let present = pages;
    for change in undone.iter().rev() {
        pages.iter_mut().for_each(|page| change.undo(page));
    }
    for (present, past) in present.into_iter().zip(pages) {
        assert_eq!(led_back(&rows, present), past, "{rows:?}");
    }
    match rows.is_empty() {
        true => Reached::Refused,
        false => Reached::Read,
    }
}

/// The rows; the last one is what is left.
fn split(mut data: &[u8]) -> Vec<&[u8]> {
    let mut rows = Vec::new();
    while let [high, low, rest @ ..] = data {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (row, behind) = rest.split_at(length);
        rows.push(row);
        data = behind;
    }
    rows
}

/// What one row does to a page.
enum Change<'a> {
    Combine(Vec<(usize, u8)>),
    Replace(&'a [u8]),
}

impl Change<'_> {
    fn undo(&self, page: &mut Page) {
        match self {
            Self::Combine(bytes) => bytes.iter().for_each(|(at, other)| page[*at] ^= other),
            Self::Replace(bytes) => {
                for (at, byte) in page.iter_mut().enumerate() {
                    *byte = bytes.get(at).copied().unwrap_or(0);
                }
            }
        }
    }
}

/// As the bytes are drawn at `PastPage`.
fn second_reader(row: &[u8]) -> Option<Change<'_>> {
    match row.split_first()? {
        (0, mut rest) => {
            let count = usize::try_from(number(&mut rest)?).ok()?;
            let mut places = Vec::new();
            let mut next = 0_u64;
            for _ in 0..count {
                let place = next.checked_add(number(&mut rest)?)?;
                places.push(usize::try_from(place).ok().filter(|at| *at < PAGE_BYTES)?);
                next = place + 1;
            }
            let fits = rest.len() == count && !rest.contains(&0);
            fits.then(|| Change::Combine(places.into_iter().zip(rest.iter().copied()).collect()))
        }
        (1, bytes) => {
            let fits = bytes.len() <= PAGE_BYTES && bytes.last() != Some(&0);
            fits.then_some(Change::Replace(bytes))
        }
        _ => None,
    }
}

/// A number in LEB128, in its shortest spelling.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (spelt, rest) = bytes.split_at(length);
    *bytes = rest;
    if length > 1 && spelt.last() == Some(&0) {
        return None;
    }
    spelt.iter().rev().try_fold(0_u64, |value, byte| {
        value.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))
    })
}
