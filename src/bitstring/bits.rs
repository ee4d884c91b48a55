//! A list of statuses in memory. The order of bits is part of the type, since the two families
//! of standards count them from opposite ends, and mixing them up must not compile.

use std::borrow::Cow;
use std::marker::PhantomData;

use thiserror::Error;

use super::length::{ListLength, StatusIndex, StatusSize};

/// The statuses of a list, packed. `Bitstring` alone, most significant bit first, is what
/// Bitstring Status List publishes and what the store keeps; `Bitstring<Lsb>` is what Token
/// Status List publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitstring<O = Msb> {
    bytes: Vec<u8>,
    size: StatusSize,
    order: PhantomData<O>,
}

/// Why bytes or a change do not fit a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BitstringError {
    /// The index belongs to a longer list.
    #[error("index {index} lies behind the end of the list, which has {entries} entries")]
    Range {
        /// The index asked for.
        index: u64,
        /// The number of entries.
        entries: u64,
    },
    /// The value needs more bits than an entry has.
    #[error(transparent)]
    Value(#[from] ValueTooLarge),
}

/// A value needs more bits than an entry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("status {value} does not fit entries of {size} bits: take at most {}", size.maximum())]
pub struct ValueTooLarge {
    /// The value.
    pub value: u8,
    /// The size of an entry.
    pub size: StatusSize,
}

/// Where in its byte an entry stands. Entries of 1, 2, 4 or 8 bits never straddle bytes.
pub trait BitOrder: private::Sealed {
    /// How far the entry's value is shifted to the left. `first` is the number of bits of the
    /// byte that lie before the entry, `bits` the size of the entry.
    fn shift(first: u64, bits: u64) -> u64;
}

/// Most significant bit first: index 0 is the left-most bit (Bitstring Status List 1.0, section
/// 2.2). An entry of several bits has its most significant bit first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Msb {}

/// Least significant bit first (Token Status List, section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lsb {}

impl BitOrder for Msb {
    fn shift(first: u64, bits: u64) -> u64 {
        8 - bits - first
    }
}

impl BitOrder for Lsb {
    fn shift(first: u64, _bits: u64) -> u64 {
        first
    }
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::Msb {}
    impl Sealed for super::Lsb {}
}

impl<O: BitOrder> Bitstring<O> {
    /// A list in which every entry is 0.
    pub fn zeroed(length: ListLength, size: StatusSize) -> Self {
        Self::from_bytes(vec![0; length.bytes(size)], size)
    }

    /// Reads the packed bytes of a list, which may come from outside and have any length.
    pub const fn from_bytes(bytes: Vec<u8>, size: StatusSize) -> Self {
        Self {
            bytes,
            size,
            order: PhantomData,
        }
    }

    /// The packed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The packed bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The size of an entry.
    pub const fn size(&self) -> StatusSize {
        self.size
    }

    /// The number of entries.
    pub const fn entries(&self) -> u64 {
        self.bytes.len() as u64 * 8 / self.size.bits()
    }

    /// The status at `index`, or `None` behind the end. It takes a plain number as well as a
    /// [`StatusIndex`], since an entry read from outside may point behind its list.
    pub fn get(&self, index: impl Into<u64>) -> Option<u8> {
        read::<O>(&self.bytes, self.size, index.into())
    }

    /// Sets the status at `index` and returns the one that stood there.
    ///
    /// # Errors
    /// The index comes from a longer list, or the value does not fit; nothing is changed then.
    pub fn set(&mut self, index: StatusIndex, value: u8) -> Result<u8, BitstringError> {
        let entries = self.entries();
        let size = self.size;
        let slot = place::<O>(index.get(), size)
            .and_then(|(byte, shift)| Some((self.bytes.get_mut(byte)?, shift)));
        let Some((byte, shift)) = slot else {
            let index = index.get();
            return Err(BitstringError::Range { index, entries });
        };
        Ok(replace(byte, shift, size, value)?)
    }

    /// The number of bits that are set; for one-bit entries, the number of entries set.
    pub fn count_ones(&self) -> u64 {
        let (words, rest) = self.bytes.as_chunks::<8>();
        let in_words: u64 = words
            .iter()
            .map(|word| u64::from(u64::from_ne_bytes(*word).count_ones()))
            .sum();
        let in_rest: u64 = rest.iter().map(|byte| u64::from(byte.count_ones())).sum();
        in_words + in_rest
    }

    /// Every status, in order of index.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        let (bits, mask) = (self.size.bits(), self.size.maximum());
        self.bytes.iter().flat_map(move |byte| {
            (0..8 / bits).map(move |place| byte >> O::shift(place * bits, bits) & mask)
        })
    }
}

impl Bitstring<Msb> {
    /// The same statuses in the order of Token Status List.
    pub fn to_lsb(&self) -> Bitstring<Lsb> {
        Bitstring::from_bytes(reordered(&self.bytes, self.size), self.size)
    }

    /// Which entries are not 0: one bit for each of them, most significant bit first. It takes a
    /// pass over the list where an entry has several bits, and nothing where it has one.
    pub fn flags(&self) -> Cow<'_, [u8]> {
        if self.size == StatusSize::One {
            return Cow::Borrowed(&self.bytes);
        }
        // As many bytes as hold eight entries.
        let eights = self.bytes.chunks(self.size.bits() as usize);
        Cow::Owned(eights.map(|eight| flags_of(eight, self.size)).collect())
    }
}

impl Bitstring<Lsb> {
    /// The same statuses in the order of Bitstring Status List.
    pub fn to_msb(&self) -> Bitstring<Msb> {
        Bitstring::from_bytes(reordered(&self.bytes, self.size), self.size)
    }
}

/// The status at `index` of a list packed most significant bit first, without owning its bytes;
/// `None` behind the end.
pub fn status_at(bytes: &[u8], size: StatusSize, index: u64) -> Option<u8> {
    read::<Msb>(bytes, size, index)
}

/// For each byte of flags, most significant bit first, the eight entries of `size` of which those
/// are 1 whose flag is set. The first entry is the least significant one of the number, so that its
/// first `size.bits()` bytes, least significant first, are those of a `Bitstring<Lsb>`.
pub const fn spread(size: StatusSize) -> &'static [u64; 256] {
    const ONE: [u64; 256] = spread_table(1);
    const TWO: [u64; 256] = spread_table(2);
    const FOUR: [u64; 256] = spread_table(4);
    const EIGHT: [u64; 256] = spread_table(8);
    match size {
        StatusSize::One => &ONE,
        StatusSize::Two => &TWO,
        StatusSize::Four => &FOUR,
        StatusSize::Eight => &EIGHT,
    }
}

const fn spread_table(bits: usize) -> [u64; 256] {
    let mut table = [0; 256];
    let mut flags = 0;
    while flags < 256 {
        let mut place = 0;
        while place < 8 {
            let flag = (flags >> (7 - place) & 1) as u64;
            table[flags] |= flag << (place * bits);
            place += 1;
        }
        flags += 1;
    }
    table
}

fn read<O: BitOrder>(bytes: &[u8], size: StatusSize, index: u64) -> Option<u8> {
    let (byte, shift) = place::<O>(index, size)?;
    Some(bytes.get(byte)? >> shift & size.maximum())
}

/// The byte in which entry `index` stands, and how far its value is shifted to the left there.
/// `None` where no memory could hold so long a list.
pub(super) fn place<O: BitOrder>(index: u64, size: StatusSize) -> Option<(usize, u64)> {
    let bit = index.checked_mul(size.bits())?;
    let byte = usize::try_from(bit / 8).ok()?;
    Some((byte, O::shift(bit % 8, size.bits())))
}

/// Puts `value` at `shift` in `byte` and returns what stood there; the bits beside it stay.
pub(super) fn replace(
    byte: &mut u8,
    shift: u64,
    size: StatusSize,
    value: u8,
) -> Result<u8, ValueTooLarge> {
    if value > size.maximum() {
        return Err(ValueTooLarge { value, size });
    }
    let before = *byte >> shift & size.maximum();
    *byte = *byte & !(size.maximum() << shift) | value << shift;
    Ok(before)
}

/// One bit for each of up to eight entries, set where the entry is not 0, most significant bit
/// first.
fn flags_of(entries: &[u8], size: StatusSize) -> u8 {
    let per_byte = 8 / size.bits() as usize;
    let flags = entries.iter().fold(0, |flags: u8, &byte| {
        let set = match size {
            // A byte of them is its own flags, and there is but one.
            StatusSize::One => return byte,
            StatusSize::Two => {
                let set = (byte | byte >> 1) & 0x55;
                set >> 3 & 8 | set >> 2 & 4 | set >> 1 & 2 | set & 1
            }
            StatusSize::Four => u8::from(byte >> 4 != 0) << 1 | u8::from(byte & 15 != 0),
            StatusSize::Eight => u8::from(byte != 0),
        };
        flags << per_byte | set
    });
    flags << ((8 - per_byte * entries.len()) % 8)
}

/// The bytes with the entries within each byte in the opposite order.
fn reordered(bytes: &[u8], size: StatusSize) -> Vec<u8> {
    let turn = |byte: u8| match size {
        StatusSize::One => byte.reverse_bits(),
        StatusSize::Two => {
            let swapped = byte.rotate_left(4);
            (swapped & 0x33) << 2 | swapped >> 2 & 0x33
        }
        StatusSize::Four => byte.rotate_left(4),
        StatusSize::Eight => byte,
    };
    bytes.iter().map(|&byte| turn(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZES: [StatusSize; 4] = [
        StatusSize::One,
        StatusSize::Two,
        StatusSize::Four,
        StatusSize::Eight,
    ];

    fn any_size() -> impl Strategy<Value = StatusSize> {
        prop::sample::select(&SIZES)
    }

    #[test]
    fn index_0_is_the_left_most_bit() {
        let length = ListLength::MINIMUM;
        for (index, byte, mask) in [
            (0, 0, 0x80),
            (7, 0, 0x01),
            (8, 1, 0x80),
            (94_567, 11_820, 0x01),
            (131_071, 16_383, 0x01),
        ] {
            let mut bits: Bitstring = Bitstring::zeroed(length, StatusSize::One);
            assert_eq!(bits.set(length.index(index).unwrap(), 1), Ok(0));
            assert_eq!(bits.as_bytes()[byte], mask, "{index}");
            assert_eq!(bits.count_ones(), 1);
            assert_eq!(bits.get(index), Some(1));
        }
    }

    #[test]
    fn wide_entries_have_their_most_significant_bit_first() {
        let bits: Bitstring = Bitstring::from_bytes(vec![0b1001_0011, 0xff], StatusSize::Two);
        assert_eq!(
            bits.iter().collect::<Vec<_>>(),
            [0b10, 0b01, 0b00, 0b11, 3, 3, 3, 3]
        );
        let bits: Bitstring = Bitstring::from_bytes(vec![0xa5], StatusSize::Four);
        assert_eq!((bits.get(0u64), bits.get(1u64)), (Some(0xa), Some(0x5)));
    }

    #[test]
    fn token_lists_count_from_the_other_end() {
        // The example lists of the Token Status List text: one bit, then two bits per entry.
        let one: Bitstring<Lsb> = Bitstring::from_bytes(vec![0xb9, 0xa3], StatusSize::One);
        let expected = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
        assert_eq!(one.iter().collect::<Vec<_>>(), expected);
        let two: Bitstring<Lsb> = Bitstring::from_bytes(vec![0xc9, 0x44, 0xf9], StatusSize::Two);
        let expected = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
        assert_eq!(two.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_value_that_does_not_fit_changes_nothing() {
        let length = ListLength::MINIMUM;
        let mut bits: Bitstring = Bitstring::zeroed(length, StatusSize::Two);
        let refused = bits.set(length.index(1).unwrap(), 4).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "status 4 does not fit entries of 2 bits: take at most 3"
        );
        assert_eq!(bits.count_ones(), 0);
    }

    #[test]
    fn an_index_behind_the_end_has_no_status() {
        let mut bits: Bitstring = Bitstring::from_bytes(vec![0xff; 2], StatusSize::Four);
        assert_eq!(bits.get(3u64), Some(15));
        assert_eq!(bits.get(4u64), None);
        assert_eq!(bits.get(u64::MAX), None);
        let far = ListLength::MINIMUM.index(4).unwrap();
        let range = BitstringError::Range {
            index: 4,
            entries: 4,
        };
        assert_eq!(bits.set(far, 0), Err(range));
    }

    proptest! {
        #[test]
        fn what_is_set_is_read_and_the_rest_stays(
            bytes in prop::collection::vec(any::<u8>(), 1..64),
            size in any_size(),
            index: prop::sample::Index,
            value: u8,
        ) {
            let mut bits: Bitstring = Bitstring::from_bytes(bytes, size);
            let before: Vec<u8> = bits.iter().collect();
            let index = index.index(before.len());
            let value = value & size.maximum();
            let place = ListLength::MINIMUM.index(index as u64).unwrap();
            prop_assert_eq!(bits.set(place, value), Ok(before[index]));
            let mut expected = before;
            expected[index] = value;
            prop_assert_eq!(bits.get(place), Some(value));
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn both_orders_hold_the_same_statuses(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            size in any_size(),
        ) {
            let msb: Bitstring = Bitstring::from_bytes(bytes, size);
            let lsb = msb.to_lsb();
            prop_assert_eq!(msb.iter().collect::<Vec<_>>(), lsb.iter().collect::<Vec<_>>());
            prop_assert_eq!(lsb.to_msb(), msb);
        }

        #[test]
        fn flags_and_their_spread_hold_what_is_set(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            size in any_size(),
            wide in any_size(),
        ) {
            let bits: Bitstring = Bitstring::from_bytes(bytes, size);
            let flags = bits.flags();
            let set: Vec<u8> = bits.iter().map(|status| u8::from(status != 0)).collect();
            let read: Bitstring = Bitstring::from_bytes(flags.to_vec(), StatusSize::One);
            prop_assert_eq!(read.iter().take(set.len()).collect::<Vec<_>>(), set.clone());
            prop_assert!(read.iter().skip(set.len()).all(|flag| flag == 0));
            let spread = flags.iter().flat_map(|&flags| {
                let entries = spread(wide)[usize::from(flags)];
                entries.to_le_bytes().into_iter().take(wide.bits() as usize)
            });
            let spread: Bitstring<Lsb> = Bitstring::from_bytes(spread.collect(), wide);
            prop_assert_eq!(spread.iter().take(set.len()).collect::<Vec<_>>(), set);
        }

        #[test]
        fn ones_are_counted_in_words_and_in_the_rest(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let bits: Bitstring = Bitstring::from_bytes(bytes, StatusSize::One);
            let one_by_one = bits.iter().filter(|&status| status == 1).count();
            prop_assert_eq!(bits.count_ones(), one_by_one as u64);
        }
    }
}
