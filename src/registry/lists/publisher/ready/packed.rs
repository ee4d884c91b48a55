//! A published list as it is sent to who takes gzip (RFC 1952).

use bytes::Bytes;
use zlib_rs::{DeflateConfig, ReturnCode, Strategy, compress_bound, compress_slice};

/// A published list, compressed.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Strong entity tag of these bytes, with its quotes.
    pub etag: Bytes,
    /// The gzip stream.
    pub body: Bytes,
}

impl Packed {
    /// `body` compressed, where that takes off a sixteenth at least.
    pub(super) fn of(etag: &[u8], body: &[u8]) -> Option<Self> {
        let packed = gzip(body);
        if packed.len() > body.len() - body.len() / 16 {
            return None;
        }
        let opaque = etag.strip_suffix(b"\"").unwrap_or(etag);
        Some(Self {
            etag: [opaque, b"-gzip\""].concat().into(),
            body: packed.into(),
        })
    }
}

/// What is signed is the text of compressed bits, in which nothing repeats: a Huffman code takes off what
/// base64 put on, a quarter, and within a hundredth of what zlib's level 6 does in three times the time.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    // The largest window, with the header and trailer of gzip.
    const GZIP: i32 = 15 + 16;
    const BESIDE_THE_STREAM: usize = 18;
    let config = DeflateConfig {
        window_bits: GZIP,
        strategy: Strategy::HuffmanOnly,
        ..DeflateConfig::default()
    };
    let mut stream = vec![0; compress_bound(bytes.len()) + BESIDE_THE_STREAM];
    let (written, answer) = compress_slice(&mut stream, bytes, config);
    let length = written.len();
    assert_eq!(answer, ReturnCode::Ok, "there is room for any stream");
    stream.truncate(length);
    stream.shrink_to_fit();
    stream
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back(text in "[a-p]{0,4000}", other in prop::collection::vec(any::<u8>(), 0..3000)) {
            for body in [text.as_bytes(), &other] {
                let mut back = Vec::new();
                GzDecoder::new(&gzip(body)[..]).read_to_end(&mut back).unwrap();
                prop_assert_eq!(&back, body);
            }
        }
    }

    #[test]
    fn what_gains_nothing_is_not_packed() {
        assert!(Packed::of(b"\"a\"", b"").is_none_or(|packed| packed.body.is_empty()));
        let noise: Vec<u8> = (0..4_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        assert!(Packed::of(b"\"a\"", &noise).is_none());
        let packed = Packed::of(b"\"a\"", &[b'x'; 4_000]).unwrap();
        assert_eq!(&packed.etag[..], b"\"a-gzip\"");
    }
}
