//! RocksDB's manifest: which sorted files make up the store, as a log of changes of its own.
//!
//! It is a row of blocks of 32,768 bytes with records in them, none across a block's end:
//!
//! ```text
//! checksum u32 | length u16 | kind u8 | length bytes
//! ```
//!
//! Numbers are little endian. A change is one record (kind 1), or a first, some middle and a last one
//! (2, 3, 4). Less than a record's head at a block's end is left empty. The checksum is the CRC-32C of
//! the kind and the bytes, turned by 15 bits, plus a constant.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::store::durably::sync_folder;

const BLOCK: usize = 32_768;
const HEAD: usize = 7;
const WHOLE: u8 = 1;
const LAST: u8 = 4;

/// Whether a file of this name is a manifest.
pub(super) fn is_one(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"MANIFEST-")
}

/// Where the manifest of the store in `folder` has a damaged record, it ends before the change that the
/// record belongs to when this returns, also after a power cut. A whole one is left as it is.
pub(super) fn cut_at_damage(folder: &Path) -> io::Result<()> {
    // What does not lead to a manifest, or cannot be read, is RocksDB's to refuse.
    let current = fs::read_to_string(folder.join("CURRENT")).unwrap_or_default();
    let name = current.trim_end();
    if !is_one(OsStr::new(name)) || name.contains('/') {
        return Ok(());
    }
    let manifest = folder.join(name);
    let Ok(bytes) = fs::read(&manifest) else {
        return Ok(());
    };
    let whole = whole_changes(&bytes);
    if whole == 0 || whole == bytes.len() {
        return Ok(());
    }
    let shorter = folder.join("manifest.cut");
    let mut file = File::create(&shorter)?;
    file.write_all(&bytes[..whole])?;
    file.sync_all()?;
    fs::rename(&shorter, &manifest)?;
    sync_folder(folder)
}

/// How many bytes the changes take before the first that is not whole.
fn whole_changes(bytes: &[u8]) -> usize {
    let (mut at, mut whole) = (0, 0);
    while let Some(kind) = record(bytes, &mut at) {
        if kind == WHOLE || kind == LAST {
            whole = at;
        }
    }
    whole
}

/// The kind of the record at a place, which moves behind it; `None` where there is no whole one.
fn record(bytes: &[u8], at: &mut usize) -> Option<u8> {
    let left = BLOCK - *at % BLOCK;
    if left < HEAD {
        *at += left;
    }
    let (head, rest) = bytes.get(*at..)?.split_at_checked(HEAD)?;
    let checksum = u32::from_le_bytes(*head.first_chunk()?);
    let length = usize::from(u16::from_le_bytes([head[4], head[5]]));
    let kind = head[6];
    let body = rest.get(..length)?;
    let sound = (WHOLE..=LAST).contains(&kind) && checksum == masked(crc32c(kind, body));
    *at += HEAD + length;
    sound.then_some(kind)
}

const fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), bit by bit: a manifest is small.
fn crc32c(kind: u8, body: &[u8]) -> u32 {
    let mut remainder = u32::MAX;
    for byte in std::iter::once(kind).chain(body.iter().copied()) {
        remainder ^= u32::from(byte);
        for _ in 0..8 {
            let low = remainder & 1;
            remainder = (remainder >> 1) ^ (0x82f6_3b78 * low);
        }
    }
    !remainder
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of the kind, with the head that RocksDB gives it.
    fn written(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = masked(crc32c(kind, body)).to_le_bytes().to_vec();
        bytes.extend((body.len() as u16).to_le_bytes());
        bytes.push(kind);
        bytes.extend(body);
        bytes
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // RFC 3720, appendix B.4: 32 bytes of zeros, and 32 from 0 to 31.
        assert_eq!(crc32c(0, &[0; 31]), 0x8a91_36aa);
        let ascending: Vec<u8> = (1..32).collect();
        assert_eq!(crc32c(0, &ascending), 0x46dd_794e);
    }

    #[test]
    fn changes_are_whole_up_to_the_first_that_is_not() {
        let first = written(WHOLE, b"first");
        let second = [written(2, b"sec"), written(3, b"o"), written(LAST, b"nd")].concat();
        let third = written(WHOLE, b"third");
        let both = [first.clone(), second].concat();
        let all = [both.clone(), third].concat();
        assert_eq!(whole_changes(&all), all.len());
        assert_eq!(whole_changes(&[]), 0);
        for cut in 0..all.len() {
            let expected = match cut {
                _ if cut < first.len() => 0,
                _ if cut < both.len() => first.len(),
                _ => both.len(),
            };
            assert_eq!(whole_changes(&all[..cut]), expected, "{cut}");
            let mut damaged = all.clone();
            damaged[cut] ^= 1;
            assert_eq!(whole_changes(&damaged), expected, "{cut}");
        }
    }

    #[test]
    fn a_record_does_not_reach_over_the_end_of_a_block() {
        let most = vec![7; BLOCK - 2 * HEAD - 3];
        let mut bytes = written(WHOLE, &most);
        // Room for a head and three bytes; then for less than a head.
        bytes.extend(written(WHOLE, b""));
        bytes.extend([0; 3]);
        assert_eq!(bytes.len(), BLOCK);
        bytes.extend(written(WHOLE, b"next block"));
        assert_eq!(whole_changes(&bytes), bytes.len());
    }
}
