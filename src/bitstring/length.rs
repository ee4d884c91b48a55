//! How many entries a list has, how many bits an entry takes, and the places of entries.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The fewest entries a list may have: below that a list gives too little herd privacy
/// (Bitstring Status List 1.0, section 2.2: 131,072).
pub const MINIMUM_ENTRIES: u64 = 131_072;

/// The most bits a list may take, entries times size: 2^26 bits are 8 MiB, the cap under which
/// readers expand a list.
pub const MAXIMUM_BITS: u64 = 1 << 26;

/// The number of entries of a list kept here: a multiple of 8, at least [`MINIMUM_ENTRIES`], and
/// at most [`MAXIMUM_BITS`] divided by the size of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct ListLength(u32);

/// Why a number is not the length of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LengthError {
    /// Too few entries.
    #[error("a status list of {0} entries is too short: take at least {MINIMUM_ENTRIES}")]
    TooShort(u64),
    /// Too many entries for their size.
    #[error(
        "a status list of {entries} entries of {size} bits is too long: take at most {}",
        MAXIMUM_BITS / size.bits()
    )]
    TooLong {
        /// The number asked for.
        entries: u64,
        /// The size of an entry.
        size: StatusSize,
    },
    /// Not a whole number of bytes.
    #[error("a status list of {0} entries does not fill whole bytes: take a multiple of 8")]
    NotWholeBytes(u64),
}

/// An index lies behind the end of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("index {index} lies outside the list, whose indexes are 0 to {}", length.entries() - 1)]
pub struct IndexOutOfRange {
    /// The index asked for.
    pub index: u64,
    /// The length of the list.
    pub length: ListLength,
}

impl ListLength {
    /// The shortest list, which is also the default.
    pub const MINIMUM: Self = Self(131_072);

    /// The length of a list of one-bit entries. For wider entries see [`ListLength::of_size`].
    ///
    /// # Errors
    /// [`LengthError`] says which bound was missed.
    pub fn new(entries: u64) -> Result<Self, LengthError> {
        Self::of_size(entries, StatusSize::One)
    }

    /// The length of a list whose entries take `size` bits each.
    ///
    /// # Errors
    /// [`LengthError`] says which bound was missed.
    pub fn of_size(entries: u64, size: StatusSize) -> Result<Self, LengthError> {
        if entries < MINIMUM_ENTRIES {
            return Err(LengthError::TooShort(entries));
        }
        if entries > MAXIMUM_BITS / size.bits() {
            return Err(LengthError::TooLong { entries, size });
        }
        if !entries.is_multiple_of(8) {
            return Err(LengthError::NotWholeBytes(entries));
        }
        Ok(Self(
            u32::try_from(entries).expect("no list has more than 2^26 entries"),
        ))
    }

    /// The number of entries.
    pub const fn entries(self) -> u64 {
        self.0 as u64
    }

    /// The number of bytes that entries of `size` take.
    pub const fn bytes(self, size: StatusSize) -> usize {
        // At most 2^26 entries of 8 bits, which any address space holds.
        (self.entries() / 8 * size.bits()) as usize
    }

    /// The place `index` in this list, from 0.
    ///
    /// # Errors
    /// [`IndexOutOfRange`] where the list is shorter.
    pub fn index(self, index: u64) -> Result<StatusIndex, IndexOutOfRange> {
        match u32::try_from(index) {
            Ok(place) if place < self.0 => Ok(StatusIndex(place)),
            _ => Err(IndexOutOfRange {
                index,
                length: self,
            }),
        }
    }
}

impl TryFrom<u64> for ListLength {
    type Error = LengthError;

    fn try_from(entries: u64) -> Result<Self, LengthError> {
        Self::new(entries)
    }
}

impl From<ListLength> for u64 {
    fn from(length: ListLength) -> Self {
        length.entries()
    }
}

impl fmt::Display for ListLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an entry in a list, from 0. It only comes from [`ListLength::index`] and from
/// the allocation of a list, so that it lies within that list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusIndex(u32);

impl StatusIndex {
    /// The index as a number, below 2^26.
    pub const fn get(self) -> u64 {
        self.0 as u64
    }
}

impl From<StatusIndex> for u64 {
    fn from(index: StatusIndex) -> Self {
        index.get()
    }
}

impl fmt::Display for StatusIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many bits an entry takes (`statusSize`). The standard allows any number above 0; these are
/// the ones that never straddle a byte, and the ones Token Status Lists know too.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(try_from = "u64", into = "u64")]
pub enum StatusSize {
    /// One bit: clear or set.
    #[default]
    One,
    /// Two bits: 4 values.
    Two,
    /// Four bits: 16 values.
    Four,
    /// Eight bits: 256 values.
    Eight,
}

/// A number of bits that entries cannot have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a status size of {0} bits is not supported: take 1, 2, 4 or 8")]
pub struct UnsupportedSize(pub u64);

impl StatusSize {
    /// All sizes, the smallest first.
    pub const ALL: [Self; 4] = [Self::One, Self::Two, Self::Four, Self::Eight];

    /// The number of bits.
    pub const fn bits(self) -> u64 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The greatest value that fits.
    pub const fn maximum(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 3,
            Self::Four => 15,
            Self::Eight => 255,
        }
    }
}

impl TryFrom<u64> for StatusSize {
    type Error = UnsupportedSize;

    fn try_from(bits: u64) -> Result<Self, UnsupportedSize> {
        match bits {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            other => Err(UnsupportedSize(other)),
        }
    }
}

impl From<StatusSize> for u64 {
    fn from(size: StatusSize) -> Self {
        size.bits()
    }
}

impl fmt::Display for StatusSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bits().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_keeps_the_bounds_of_the_standard() {
        assert_eq!(ListLength::new(131_072), Ok(ListLength::MINIMUM));
        assert_eq!(
            ListLength::new(131_071),
            Err(LengthError::TooShort(131_071))
        );
        assert_eq!(
            ListLength::new(131_073),
            Err(LengthError::NotWholeBytes(131_073))
        );
        assert!(ListLength::new(MAXIMUM_BITS).is_ok());
        assert!(ListLength::new(MAXIMUM_BITS + 8).is_err());
        assert!(ListLength::new(u64::MAX).is_err());
        assert!(ListLength::of_size(MAXIMUM_BITS / 4, StatusSize::Four).is_ok());
        let error = ListLength::of_size(MAXIMUM_BITS / 4 + 8, StatusSize::Four).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a status list of 16777224 entries of 4 bits is too long: take at most 16777216"
        );
    }

    #[test]
    fn an_index_lies_within_its_list() {
        let length = ListLength::MINIMUM;
        assert_eq!(length.index(131_071).map(StatusIndex::get), Ok(131_071));
        let error = length.index(131_072).unwrap_err();
        assert_eq!(
            error.to_string(),
            "index 131072 lies outside the list, whose indexes are 0 to 131071"
        );
        assert!(length.index(u64::MAX).is_err());
    }

    #[test]
    fn lengths_and_sizes_keep_their_bounds_when_deserialized() {
        assert!(serde_json::from_str::<ListLength>("8").is_err());
        assert!(serde_json::from_str::<StatusSize>("3").is_err());
        assert_eq!(
            serde_json::from_str::<StatusSize>("4").unwrap(),
            StatusSize::Four
        );
    }

    proptest! {
        #[test]
        fn lengths_survive_their_serialization(eighths in MINIMUM_ENTRIES / 8..=MAXIMUM_BITS / 8) {
            let length = ListLength::new(eighths * 8).unwrap();
            let text = serde_json::to_string(&length).unwrap();
            prop_assert_eq!(serde_json::from_str::<ListLength>(&text).unwrap(), length);
            prop_assert_eq!(length.bytes(StatusSize::Two) as u64, eighths * 2);
        }
    }
}
