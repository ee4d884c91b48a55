//! The bits of a list as the store keeps them: pages of [`PAGE_BYTES`] bytes, most significant
//! bit first, numbered from 0. A page that is not stored is all zeros, so that a fresh list takes
//! no room and a change rewrites one small row.

use thiserror::Error;

use super::bits::{Bitstring, Msb, ValueTooLarge, place, replace};
use super::length::{ListLength, StatusIndex, StatusSize};

/// Length of a page in bytes: 8,192 one-bit entries.
pub const PAGE_BYTES: usize = 1024;

/// The bytes of one page. The last page of a list may be longer than the list; what lies behind
/// the end is zero and never read.
pub type Page = [u8; PAGE_BYTES];

/// Stored pages do not make up the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PageError {
    /// The page lies behind the end of the list.
    #[error("page {page} lies behind the end of the list, which has {count} pages")]
    Number {
        /// The number of the page.
        page: u32,
        /// How many pages the list has.
        count: u32,
    },
    /// The page has another length than [`PAGE_BYTES`].
    #[error("page {page} has {bytes} bytes instead of {PAGE_BYTES}")]
    Length {
        /// The number of the page.
        page: u32,
        /// Its length.
        bytes: usize,
    },
}

/// The number of the page in which entry `index` stands.
pub const fn page_of(index: StatusIndex, size: StatusSize) -> u32 {
    // Below 2^26 entries of 8 bits, so below 2^16 pages.
    (index.get() * size.bits() / 8 / PAGE_BYTES as u64) as u32
}

/// How many pages a list has.
pub const fn page_count(length: ListLength, size: StatusSize) -> u32 {
    length.bytes(size).div_ceil(PAGE_BYTES) as u32
}

/// The status of entry `index`, read from its page, the one that [`page_of`] names.
pub fn get_in_page(page: &Page, index: StatusIndex, size: StatusSize) -> u8 {
    get_in_byte(page[byte_in_page(index, size)], index, size)
}

/// Which byte of its page entry `index` stands in.
pub fn byte_in_page(index: StatusIndex, size: StatusSize) -> usize {
    place_in_page(index, size).0
}

/// The status of entry `index`, read from its byte, the one that [`byte_in_page`] names.
pub fn get_in_byte(byte: u8, index: StatusIndex, size: StatusSize) -> u8 {
    byte >> place_in_page(index, size).1 & size.maximum()
}

/// Sets the status of entry `index` in its page, the one that [`page_of`] names, and returns the
/// status that stood there.
///
/// # Errors
/// [`ValueTooLarge`]; the page is unchanged then.
pub fn set_in_page(
    page: &mut Page,
    index: StatusIndex,
    size: StatusSize,
    value: u8,
) -> Result<u8, ValueTooLarge> {
    let (byte, shift) = place_in_page(index, size);
    replace(&mut page[byte], shift, size, value)
}

impl Bitstring<Msb> {
    /// Puts a list together from those of its pages that are stored, in any order.
    ///
    /// # Errors
    /// [`PageError`] where a page is not one of this list; the store is damaged then.
    pub fn from_pages<P: AsRef<[u8]>>(
        length: ListLength,
        size: StatusSize,
        pages: impl IntoIterator<Item = (u32, P)>,
    ) -> Result<Self, PageError> {
        let count = page_count(length, size);
        let mut bytes = vec![0; length.bytes(size)];
        for (page, stored) in pages {
            let stored = stored.as_ref();
            if page >= count {
                return Err(PageError::Number { page, count });
            }
            if stored.len() != PAGE_BYTES {
                let bytes = stored.len();
                return Err(PageError::Length { page, bytes });
            }
            let start = page as usize * PAGE_BYTES;
            let end = bytes.len().min(start + PAGE_BYTES);
            bytes[start..end].copy_from_slice(&stored[..end - start]);
        }
        Ok(Self::from_bytes(bytes, size))
    }

    /// The pages that hold anything but zeros, in order; these are the ones to store.
    pub fn pages(&self) -> impl Iterator<Item = (u32, Page)> + '_ {
        let chunks = (0..).zip(self.as_bytes().chunks(PAGE_BYTES));
        chunks
            .filter(|(_, chunk)| chunk.iter().any(|&byte| byte != 0))
            .map(|(number, chunk)| {
                let mut page = [0; PAGE_BYTES];
                page[..chunk.len()].copy_from_slice(chunk);
                (number, page)
            })
    }
}

fn place_in_page(index: StatusIndex, size: StatusSize) -> (usize, u64) {
    let (byte, shift) = place::<Msb>(index.get(), size).expect("no index reaches 2^26");
    (byte % PAGE_BYTES, shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn pages_follow_the_size_of_entries() {
        let length = ListLength::MINIMUM;
        let last = length.index(131_071).unwrap();
        for (size, pages) in [
            (StatusSize::One, 16),
            (StatusSize::Two, 32),
            (StatusSize::Four, 64),
            (StatusSize::Eight, 128),
        ] {
            assert_eq!(page_count(length, size), pages);
            assert_eq!(page_of(last, size), pages - 1);
        }
        let long = ListLength::new(131_080).unwrap();
        assert_eq!(page_count(long, StatusSize::One), 17);
        assert_eq!(page_of(long.index(8191).unwrap(), StatusSize::One), 0);
        assert_eq!(page_of(long.index(8192).unwrap(), StatusSize::One), 1);
    }

    #[test]
    fn pages_of_another_list_are_refused() {
        let assemble = |page: u32, bytes: usize| {
            let pages = [(page, vec![0; bytes])];
            Bitstring::from_pages(ListLength::MINIMUM, StatusSize::One, pages)
        };
        let error = assemble(16, PAGE_BYTES).unwrap_err();
        assert_eq!(
            error,
            PageError::Number {
                page: 16,
                count: 16
            }
        );
        let error = assemble(3, 1000).unwrap_err();
        assert_eq!(
            error,
            PageError::Length {
                page: 3,
                bytes: 1000
            }
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn changes_in_pages_and_in_the_whole_list_agree(
            changes in prop::collection::vec((0u64..131_080, 0u8..4), 0..40),
        ) {
            let length = ListLength::new(131_080).unwrap();
            let size = StatusSize::Two;
            let mut whole: Bitstring = Bitstring::zeroed(length, size);
            let mut pages = BTreeMap::new();
            for (index, value) in changes {
                let index = length.index(index).unwrap();
                let page = pages.entry(page_of(index, size)).or_insert([0; PAGE_BYTES]);
                let before = set_in_page(page, index, size, value).unwrap();
                prop_assert_eq!(get_in_page(page, index, size), value);
                prop_assert_eq!(whole.set(index, value), Ok(before));
            }
            let stored: BTreeMap<_, _> = whole.pages().collect();
            pages.retain(|_, page| page.iter().any(|&byte| byte != 0));
            prop_assert_eq!(&stored, &pages);
            prop_assert_eq!(Bitstring::from_pages(length, size, stored).unwrap(), whole);
        }
    }
}
