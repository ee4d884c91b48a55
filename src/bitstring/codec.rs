//! How the bits of a list are published: compressed, then as text.
//!
//! | standard | compression | text |
//! |---|---|---|
//! | Bitstring Status List 1.0 | GZIP | `u`, then base64url without padding |
//! | StatusList2021 | GZIP | base64url without padding |
//! | Token Status List | ZLIB | base64url without padding in JSON, bytes in CBOR |
//!
//! Reading is bounded: a list from outside is expanded as a stream and given up once it passes
//! the cap, so that a few kilobytes can never become gigabytes.

use std::io::{self, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::bufread::{GzDecoder, ZlibDecoder};
use flate2::write::ZlibEncoder;
use thiserror::Error;
use zlib_rs::adler32::adler32;
use zlib_rs::crc32::crc32;

use super::deflate::deflate;

/// How many bytes a list from outside may have when expanded, unless configured: 8 MiB, 2^26 bits.
pub const DEFAULT_CAP_BYTES: usize = 8 << 20;

/// The multibase code of base64url without padding.
const MULTIBASE: char = 'u';

/// How a GZIP member begins (RFC 1952, section 2.3): deflate, no name, no time, and no word on the
/// system, so that the same bits give the same bytes.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// How a ZLIB stream begins (RFC 1950, section 2.2): deflate with a window of 32 KiB.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];

/// The check value of nothing, from which Adler-32 goes on.
const ADLER32_START: u32 = 1;

/// The longest list, in bytes, that is compressed as ZLIB as well as can be, which Token Status List
/// recommends (section 4.1). Level 9 saves 5 to 12 % of a list of which up to 2 % is set and nothing
/// beyond, in 20 to 80 times the time: milliseconds up to here, but for 10,000,000 entries a quarter
/// of a second at 1 %, at every publication.
const BEST_UP_TO: usize = 128 << 10;

/// Why a text or its bytes are not a compressed list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The multibase prefix is missing, or names another base.
    #[error("an encoded list starts with 'u' (multibase, base64url without padding), not {}",
        .0.map_or("with nothing".to_owned(), |found| format!("with {found:?}")))]
    Prefix(Option<char>),
    /// Not base64url without padding.
    #[error("an encoded list is base64url without padding: {0}")]
    Text(String),
    /// Not one whole, undamaged compressed stream.
    #[error("the {format} stream of an encoded list cannot be read: {reason}")]
    Stream {
        /// GZIP or ZLIB.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Bytes follow the compressed stream, or a second one.
    #[error("{0} bytes follow the compressed stream of an encoded list")]
    Trailing(usize),
    /// The list is longer than the reader takes.
    #[error("an encoded list expands to more than {cap} bytes, which is the limit here")]
    TooLarge {
        /// The limit in bytes.
        cap: usize,
    },
}

/// The `encodedList` of a Bitstring Status List. The same bits give the same text.
pub fn encode(bits: &[u8]) -> String {
    let compressed = gzip(bits);
    let mut text = String::with_capacity(1 + compressed.len().div_ceil(3) * 4);
    text.push(MULTIBASE);
    URL_SAFE_NO_PAD.encode_string(compressed, &mut text);
    text
}

/// Reads the `encodedList` of a Bitstring Status List; at most `cap` bytes come out.
///
/// # Errors
/// [`CodecError`] says at which of the layers the text fails.
pub fn decode(text: &str, cap: usize) -> Result<Vec<u8>, CodecError> {
    let bare = text
        .strip_prefix(MULTIBASE)
        .ok_or_else(|| CodecError::Prefix(text.chars().next()))?;
    decode_2021(bare, cap)
}

/// The `encodedList` of a StatusList2021, which has no multibase prefix.
pub fn encode_2021(bits: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(gzip(bits))
}

/// Reads the `encodedList` of a StatusList2021; at most `cap` bytes come out.
///
/// # Errors
/// [`CodecError`] says at which of the layers the text fails.
pub fn decode_2021(text: &str, cap: usize) -> Result<Vec<u8>, CodecError> {
    let compressed = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| CodecError::Text(error.to_string()))?;
    let mut decoder = GzDecoder::new(compressed.as_slice());
    let bits = expand("GZIP", &mut decoder, cap)?;
    whole(bits, decoder.into_inner())
}

/// The compressed list of a Token Status List: `lst` as CBOR carries it. JSON carries it as
/// base64url without padding. An empty list is a stream as well.
pub fn encode_zlib(bits: &[u8]) -> Vec<u8> {
    let check = adler32(ADLER32_START, bits).to_be_bytes();
    let ours = [&ZLIB_HEADER[..], &deflate(bits), &check].concat();
    if bits.len() > BEST_UP_TO {
        return ours;
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let best = encoder
        .write_all(bits)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail");
    match ours.len() < best.len() {
        true => ours,
        false => best,
    }
}

/// Reads the compressed list of a Token Status List; at most `cap` bytes come out.
///
/// # Errors
/// [`CodecError`] says what is wrong with the stream.
pub fn decode_zlib(compressed: &[u8], cap: usize) -> Result<Vec<u8>, CodecError> {
    let mut decoder = ZlibDecoder::new(compressed);
    let bits = expand("ZLIB", &mut decoder, cap)?;
    whole(bits, decoder.into_inner())
}

/// One GZIP member: its header, the stream, the CRC-32 and the length of what was compressed.
fn gzip(bits: &[u8]) -> Vec<u8> {
    let check = crc32(0, bits).to_le_bytes();
    // The length counts modulo 2^32 (RFC 1952, section 2.3.1).
    let length = (bits.len() as u32).to_le_bytes();
    [&GZIP_HEADER[..], &deflate(bits), &check, &length].concat()
}

/// Reads `decoder` to its end, or one byte past the cap. Only the end proves the checksum.
fn expand(format: &'static str, decoder: impl Read, cap: usize) -> Result<Vec<u8>, CodecError> {
    let mut bits = Vec::new();
    let bound = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    decoder
        .take(bound)
        .read_to_end(&mut bits)
        .map_err(|error| CodecError::Stream {
            format,
            reason: reason(&error),
        })?;
    if bits.len() > cap {
        return Err(CodecError::TooLarge { cap });
    }
    Ok(bits)
}

/// A list is one stream. A second member behind the first is legal GZIP, but readers disagree on
/// whether it counts, so that one text would be two lists.
fn whole(bits: Vec<u8>, rest: &[u8]) -> Result<Vec<u8>, CodecError> {
    match rest.len() {
        0 => Ok(bits),
        trailing => Err(CodecError::Trailing(trailing)),
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Published example: 16,384 zero bytes.
    const ZEROS: &str = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA";

    #[test]
    fn the_published_empty_list_is_read() {
        assert_eq!(decode(ZEROS, DEFAULT_CAP_BYTES).unwrap(), vec![0; 16_384]);
        assert_eq!(
            decode_2021(&ZEROS[1..], DEFAULT_CAP_BYTES).unwrap(),
            vec![0; 16_384]
        );
    }

    #[test]
    fn an_encoded_list_is_small_and_always_the_same() {
        let text = encode(&[0; 16_384]);
        assert!(text.starts_with('u') && text.len() < 100, "{text}");
        assert_eq!(text, encode(&[0; 16_384]));
        assert_eq!(encode_2021(&[0; 16_384]), text[1..]);
    }

    #[test]
    fn the_published_token_lists_are_read() {
        for (text, bits) in [
            ("eNrbuRgAAhcBXQ", &[0xb9, 0xa3][..]),
            ("eNo76fITAAPfAgc", &[0xc9, 0x44, 0xf9]),
        ] {
            let compressed = URL_SAFE_NO_PAD.decode(text).unwrap();
            assert_eq!(decode_zlib(&compressed, 8).unwrap(), bits);
            assert_eq!(URL_SAFE_NO_PAD.encode(encode_zlib(bits)), text);
        }
        assert_eq!(decode_zlib(&encode_zlib(&[]), 0), Ok(Vec::new()));
    }

    #[test]
    fn the_prefix_and_the_alphabet_are_strict() {
        assert_eq!(decode("", 1), Err(CodecError::Prefix(None)));
        assert_eq!(decode(&ZEROS[1..], 1), Err(CodecError::Prefix(Some('H'))));
        assert_eq!(
            decode("zabc", 1).unwrap_err().to_string(),
            "an encoded list starts with 'u' (multibase, base64url without padding), not with 'z'"
        );
        for bad in ["u+/+/", "uH4sI====", "uH4 I", "uB"] {
            assert!(matches!(decode(bad, 9), Err(CodecError::Text(_))), "{bad}");
        }
    }

    #[test]
    fn a_list_longer_than_the_cap_is_given_up() {
        let text = encode(&[0; 4096]);
        assert_eq!(decode(&text, 4096).unwrap().len(), 4096);
        assert_eq!(decode(&text, 4095), Err(CodecError::TooLarge { cap: 4095 }));
        // 64 MiB out of some 64 KiB of text.
        let bomb = encode(&vec![0; 64 << 20]);
        let cap = DEFAULT_CAP_BYTES;
        assert_eq!(decode(&bomb, cap), Err(CodecError::TooLarge { cap }));
    }

    #[test]
    fn every_damaged_stream_is_refused() {
        let good = gzip(b"some bits");
        let read = |bytes: &[u8]| decode_2021(&URL_SAFE_NO_PAD.encode(bytes), 100);
        assert_eq!(read(&good).unwrap(), b"some bits");
        for length in 0..good.len() {
            let error = read(&good[..length]).unwrap_err();
            assert!(matches!(error, CodecError::Stream { .. }), "{length}");
        }
        for place in good.len() - 8..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1; // the checksum and the length
            assert!(read(&bad).is_err(), "{place}");
        }
        let garbage = [&good[..], b"abc"].concat();
        assert_eq!(read(&garbage), Err(CodecError::Trailing(3)));
        let twice = [&good[..], &good[..]].concat();
        assert_eq!(read(&twice), Err(CodecError::Trailing(good.len())));
        let zlib = [&encode_zlib(b"bits")[..], b"abc"].concat();
        assert_eq!(decode_zlib(&zlib, 100), Err(CodecError::Trailing(3)));
        assert!(decode_zlib(&good, 100).is_err());
    }

    proptest! {
        #[test]
        fn bits_survive_their_text(bits in prop::collection::vec(any::<u8>(), 0..2000)) {
            let cap = bits.len();
            prop_assert_eq!(decode(&encode(&bits), cap), Ok(bits.clone()));
            prop_assert_eq!(decode_2021(&encode_2021(&bits), cap), Ok(bits.clone()));
            prop_assert_eq!(decode_zlib(&encode_zlib(&bits), cap), Ok(bits));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "u?[-_A-Za-z0-9]{0,80}") {
            if let Ok(bits) = decode(&text, 50) {
                prop_assert!(bits.len() <= 50);
            }
        }
    }
}
