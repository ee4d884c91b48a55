//! The rows of a group as bytes, as they stand in the log of the shared place.
//!
//! ```text
//! version u8 (1) | count varint | count times: key | value | checksum 8
//! key     length varint | bytes, each key after the one before it
//! value   0, where the row is removed; else length + 1 varint | bytes
//! ```
//!
//! The checksum is the beginning of SHA-256 over everything before it: what another program or a disk
//! made of the bytes is not taken for rows.

use sha2::{Digest as _, Sha256};

use crate::store::codec::{CodecError, Reader, put_varint};
use crate::store::staging::Writes;

const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 8;

/// These rows as bytes.
pub(in crate::store) fn encode_writes(writes: &Writes) -> Vec<u8> {
    let bytes = writes
        .iter()
        .map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len) + 8);
    let mut out = Vec::with_capacity(bytes.sum::<usize>() + 32);
    out.push(VERSION);
    put_varint(&mut out, writes.len() as u64);
    for (key, value) in writes {
        put_varint(&mut out, key.len() as u64);
        out.extend(key);
        match value {
            Some(value) => {
                put_varint(&mut out, value.len() as u64 + 1);
                out.extend(value);
            }
            None => put_varint(&mut out, 0),
        }
    }
    let checksum = checksum(&out);
    out.extend(checksum);
    out
}

/// Reads what [`encode_writes`] wrote, and nothing else.
///
/// # Errors
/// Another version, damage, and whatever [`encode_writes`] would have spelled otherwise.
pub(in crate::store) fn decode_writes(bytes: &[u8]) -> Result<Writes, CodecError> {
    let body = bytes.len().checked_sub(CHECKSUM_BYTES);
    let body = body.ok_or(CodecError::Short {
        at: 0,
        wanted: CHECKSUM_BYTES,
        left: bytes.len(),
    })?;
    let (told, sum) = bytes.split_at(body);
    if sum != checksum(told) {
        let value = u64::from_be_bytes(sum.try_into().unwrap_or_default());
        return Err(out_of_range(body, value, "the checksum of these rows"));
    }
    let mut reader = Reader::new(told);
    let version = reader.u8()?;
    if version != VERSION {
        return Err(out_of_range(0, u64::from(version), "the version of rows"));
    }
    let count = reader.varint()?;
    let mut writes = Writes::new();
    for _ in 0..count {
        let at = reader.position();
        let key = counted(&mut reader, 0)?.unwrap_or_default();
        let behind = writes.last_key_value().is_none_or(|(last, _)| *last < key);
        if !behind {
            return Err(out_of_range(at, key.len() as u64, "a key in its order"));
        }
        let value = counted(&mut reader, 1)?;
        writes.insert(key, value);
    }
    reader.finish()?;
    Ok(writes)
}

/// So many bytes as a number says that stands before them, less `nothing`; `None` where it is less than
/// that.
fn counted(reader: &mut Reader<'_>, nothing: u64) -> Result<Option<Vec<u8>>, CodecError> {
    let at = reader.position();
    let Some(length) = reader.varint()?.checked_sub(nothing) else {
        return Ok(None);
    };
    // Compared with what is there before memory is set aside for it.
    let narrow = usize::try_from(length);
    let length = narrow.map_err(|_| out_of_range(at, length, "a length"))?;
    reader.take(length).map(|bytes| Some(bytes.to_vec()))
}

const fn out_of_range(at: usize, value: u64, what: &'static str) -> CodecError {
    CodecError::Range { at, value, what }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let whole = Sha256::digest(bytes);
    let mut beginning = [0; CHECKSUM_BYTES];
    beginning.copy_from_slice(&whole[..CHECKSUM_BYTES]);
    beginning
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn writes() -> impl Strategy<Value = Writes> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..200);
        prop::collection::btree_map(bytes(), prop::option::of(bytes()), 0..12)
    }

    /// With a checksum that fits.
    fn sealed(told: &[u8]) -> Vec<u8> {
        [told, &checksum(told)].concat()
    }

    #[test]
    fn rows_have_known_bytes() {
        let writes = Writes::from([
            (vec![0x10], Some(vec![7, 8])),
            (vec![0x10, 1], None),
            (vec![0x20], Some(vec![])),
        ]);
        let told = [1, 3, 1, 0x10, 3, 7, 8, 2, 0x10, 1, 0, 1, 0x20, 1];
        assert_eq!(encode_writes(&writes), sealed(&told));
    }

    #[test]
    fn what_nobody_writes_is_refused_though_its_checksum_fits() {
        for (story, told) in [
            ("another version", &[2, 0][..]),
            ("nothing", &[]),
            ("no count", &[1]),
            ("fewer rows than it says", &[1, 2, 1, 0x10, 0]),
            ("more than it says", &[1, 0, 0]),
            ("a key twice", &[1, 2, 1, 0x10, 0, 1, 0x10, 0]),
            ("keys out of order", &[1, 2, 1, 0x11, 0, 1, 0x10, 0]),
            ("a key beyond the end", &[1, 1, 9, 0x10, 0]),
            ("a value beyond the end", &[1, 1, 1, 0x10, 9, 0]),
            (
                "lengths beyond memory",
                &[1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            ),
            ("another spelling of a number", &[1, 0x80, 0]),
        ] {
            assert!(decode_writes(&sealed(told)).is_err(), "{story}");
        }
        assert!(decode_writes(&[]).is_err());
    }

    proptest! {
        #[test]
        fn rows_survive(writes in writes()) {
            prop_assert_eq!(decode_writes(&encode_writes(&writes)), Ok(writes));
        }

        #[test]
        fn damage_is_noticed(writes in writes(), place: prop::sample::Index, flip in 1u8..) {
            let whole = encode_writes(&writes);
            let mut damaged = whole.clone();
            damaged[place.index(whole.len())] ^= flip;
            prop_assert!(decode_writes(&damaged).is_err());
            prop_assert!(decode_writes(&whole[..place.index(whole.len())]).is_err());
        }

        #[test]
        fn rows_that_are_read_have_one_spelling(told in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..40)) {
            let bytes = sealed(&[&[1], &told[..]].concat());
            if let Ok(writes) = decode_writes(&bytes) {
                prop_assert_eq!(encode_writes(&writes), bytes);
            }
        }
    }
}
