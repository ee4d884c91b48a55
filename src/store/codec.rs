//! The small pieces that stored bytes are made of: fixed-width numbers, varints, sorted lists of
//! indexes as deltas, and a bounded [`Reader`] for all of them.
//!
//! Numbers of fixed width are big endian, so that the order of the bytes is the order of the
//! numbers. A varint is LEB128: seven bits a byte, the least significant first, the high bit set
//! on every byte but the last. Only the shortest spelling is read, so that equal values have
//! equal bytes and a digest over bytes is a digest over values.

use thiserror::Error;

use crate::time::Timestamp;

/// A value that is stored as it is.
pub type Bytes = Vec<u8>;

/// Stored bytes are not what the codec writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The bytes end too early.
    #[error("at byte {at}: {wanted} more bytes are needed and {left} are left")]
    Short {
        /// Offset at which the reader stood.
        at: usize,
        /// How many bytes it needed.
        wanted: usize,
        /// How many there were.
        left: usize,
    },
    /// A varint is longer than its value needs, or beyond 64 bits.
    #[error("at byte {at}: not the shortest spelling of a number of at most 64 bits")]
    Varint {
        /// Offset of its first byte.
        at: usize,
    },
    /// A number lies outside the range of what it stands for.
    #[error("at byte {at}: {value} is out of range for {what}")]
    Range {
        /// Offset of its first byte.
        at: usize,
        /// What was read.
        value: u64,
        /// What it should have been.
        what: &'static str,
    },
    /// Bytes are left where the value has ended.
    #[error("at byte {at}: {left} bytes too many")]
    Trailing {
        /// Offset at which the value ended.
        at: usize,
        /// How many bytes follow.
        left: usize,
    },
}

/// Indexes in ascending order, none twice.
///
/// ```text
/// count varint | first varint | (index - previous - 1) varint, count - 1 times
/// ```
///
/// Neighbours cost one byte, so a dense change stays near a byte an index; neither disorder nor
/// a repeated index can be spelled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SortedIndexes(Vec<u32>);

impl SortedIndexes {
    /// The indexes in ascending order.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// The indexes in ascending order.
    pub fn into_vec(self) -> Vec<u32> {
        self.0
    }

    /// Appends the bytes drawn above.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.0.len() as u64);
        let mut next = 0;
        for &index in &self.0 {
            put_varint(out, u64::from(index) - next);
            next = u64::from(index) + 1;
        }
    }

    /// Reads what [`encode`](Self::encode) wrote; refuses an index beyond 32 bits.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = reader.at;
        let count = reader.varint()?;
        // Each index takes a byte or more, so a count beyond what is left is damage, and memory
        // is set aside only for what is really there.
        let count = match usize::try_from(count) {
            Ok(count) if count <= reader.left() => count,
            _ => {
                return Err(CodecError::Range {
                    at,
                    value: count,
                    what: "a count of indexes",
                });
            }
        };
        let mut indexes = Vec::with_capacity(count);
        let mut next = 0u64;
        for _ in 0..count {
            let at = reader.at;
            let index = next.saturating_add(reader.varint()?);
            let narrow = u32::try_from(index).map_err(|_| CodecError::Range {
                at,
                value: index,
                what: "an index",
            })?;
            indexes.push(narrow);
            next = index + 1;
        }
        Ok(Self(indexes))
    }
}

/// Sorts, and drops what stands twice.
impl From<Vec<u32>> for SortedIndexes {
    fn from(mut indexes: Vec<u32>) -> Self {
        indexes.sort_unstable();
        indexes.dedup();
        Self(indexes)
    }
}

impl FromIterator<u32> for SortedIndexes {
    fn from_iter<I: IntoIterator<Item = u32>>(indexes: I) -> Self {
        Self::from(indexes.into_iter().collect::<Vec<_>>())
    }
}

/// Appends `value` as a varint: 1 byte below 128, at most 10.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads stored bytes from front to back and never past their end.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the first of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset of the next byte.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let (at, left) = (self.at, self.left());
        if count > left {
            return Err(CodecError::Short {
                at,
                wanted: count,
                left,
            });
        }
        self.at += count;
        Ok(&self.bytes[at..self.at])
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    /// A byte.
    pub fn u8(&mut self) -> Result<u8, CodecError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// Four bytes, big endian.
    pub fn u32(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Eight bytes, big endian.
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Eight bytes, big endian, two's complement: milliseconds since 1970, within the years that
    /// a [`Timestamp`] holds.
    pub fn timestamp(&mut self) -> Result<Timestamp, CodecError> {
        let at = self.at;
        let millis = i64::from_be_bytes(self.array()?);
        let timestamp = Timestamp::from_millis(millis);
        if timestamp.millis() != millis {
            return Err(CodecError::Range {
                at,
                value: millis as u64,
                what: "a time",
            });
        }
        Ok(timestamp)
    }

    /// A varint in its shortest spelling.
    pub fn varint(&mut self) -> Result<u64, CodecError> {
        let start = self.at;
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if shift == 63 && byte > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    break;
                }
                return Ok(value);
            }
        }
        Err(CodecError::Varint { at: start })
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// Refuses bytes behind the value's end.
    pub const fn finish(self) -> Result<(), CodecError> {
        match self.left() {
            0 => Ok(()),
            left => Err(CodecError::Trailing { at: self.at, left }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(indexes: &SortedIndexes) -> Vec<u8> {
        let mut out = Vec::new();
        indexes.encode(&mut out);
        out
    }

    #[test]
    fn varints_have_known_bytes() {
        for (value, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (300, &[0xac, 0x02]),
            (
                u64::MAX,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            ),
        ] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out, bytes);
        }
    }

    #[test]
    fn other_spellings_of_a_varint_are_refused() {
        let beyond_64_bits = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        for bad in [
            &[0x80, 0x00][..],
            &[0xff, 0x80, 0x00],
            &beyond_64_bits,
            &[0x80; 11],
        ] {
            let read = Reader::new(bad).varint();
            assert_eq!(read, Err(CodecError::Varint { at: 0 }), "{bad:02x?}");
        }
        let short = Reader::new(&[0x80]).varint();
        assert_eq!(
            short,
            Err(CodecError::Short {
                at: 1,
                wanted: 1,
                left: 0
            })
        );
    }

    #[test]
    fn indexes_have_known_bytes() {
        let indexes = SortedIndexes::from(vec![300, 7, 8, 7]);
        assert_eq!(indexes.as_slice(), [7, 8, 300]);
        assert_eq!(encoded(&indexes), [3, 7, 0, 0xa3, 0x02]);
    }

    #[test]
    fn indexes_beyond_32_bits_and_false_counts_are_refused() {
        let mut beyond = vec![2];
        put_varint(&mut beyond, u64::from(u32::MAX));
        put_varint(&mut beyond, 0);
        let refused = SortedIndexes::decode(&mut Reader::new(&beyond));
        assert_eq!(
            refused,
            Err(CodecError::Range {
                at: 6,
                value: 1 << 32,
                what: "an index"
            })
        );

        let mut endless = Vec::new();
        put_varint(&mut endless, u64::MAX);
        let refused = SortedIndexes::decode(&mut Reader::new(&endless));
        assert!(
            matches!(refused, Err(CodecError::Range { at: 0, .. })),
            "{refused:?}"
        );

        let wrapping = [
            2, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ];
        assert!(SortedIndexes::decode(&mut Reader::new(&wrapping)).is_err());
    }

    #[test]
    fn many_changes_of_one_list_stay_near_a_byte_each() {
        // Three of four entries of 131,072, as many as 98,304.
        let dense: SortedIndexes = (0..131_072).filter(|index| index % 4 != 3).collect();
        assert!(encoded(&dense).len() < 98_304 + 8);
    }

    #[test]
    fn times_outside_the_calendar_are_refused() {
        let bytes = i64::MAX.to_be_bytes();
        assert!(matches!(
            Reader::new(&bytes).timestamp(),
            Err(CodecError::Range { .. })
        ));
    }

    proptest! {
        #[test]
        fn varints_survive(value: u64) {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.varint(), Ok(value));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn a_varint_that_is_read_is_the_only_spelling(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.varint() {
                let mut out = Vec::new();
                put_varint(&mut out, value);
                prop_assert_eq!(&out[..], &bytes[..reader.position()]);
            }
        }

        #[test]
        fn indexes_survive(raw in prop::collection::vec(any::<u32>(), 0..200)) {
            let indexes = SortedIndexes::from(raw);
            let bytes = encoded(&indexes);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(SortedIndexes::decode(&mut reader), Ok(indexes));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn indexes_that_are_read_have_one_spelling(
            bytes in prop::collection::vec(prop_oneof![0u8..6, any::<u8>()], 0..40)
        ) {
            let mut reader = Reader::new(&bytes);
            if let Ok(indexes) = SortedIndexes::decode(&mut reader) {
                prop_assert!(indexes.as_slice().is_sorted_by(|a, b| a < b));
                prop_assert_eq!(encoded(&indexes), &bytes[..reader.position()]);
            }
        }

        #[test]
        fn numbers_survive(a: u8, b: u32, c: u64, d in -62_135_596_800_000i64..253_402_300_799_999) {
            let mut out = vec![a];
            out.extend(b.to_be_bytes());
            out.extend(c.to_be_bytes());
            out.extend(d.to_be_bytes());
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.u8(), Ok(a));
            prop_assert_eq!(reader.u32(), Ok(b));
            prop_assert_eq!(reader.u64(), Ok(c));
            prop_assert_eq!(reader.timestamp(), Ok(Timestamp::from_millis(d)));
            prop_assert_eq!(reader.finish(), Ok(()));
        }
    }
}
