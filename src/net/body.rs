//! The body of an answer: read up to a cap, and expanded up to another.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::{GzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use super::error::Unusable;

/// How a body is coded on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    /// ZLIB, as HTTP means it.
    Deflate,
}

/// Why a body could not be had.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It could not be read.
    Read(io::Error),
    /// It was read, or would be too long to be.
    Unusable(Unusable),
}

impl Coding {
    /// The coding that the headers name: one, and one of ours.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Unusable> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let (first, more) = (values.next(), values.next());
        let Some(first) = first else {
            return Ok(Self::Identity);
        };
        let named = first.to_str().unwrap_or("?").trim().to_ascii_lowercase();
        match named.as_str() {
            "identity" | "" if more.is_none() => Ok(Self::Identity),
            "gzip" | "x-gzip" if more.is_none() => Ok(Self::Gzip),
            "deflate" if more.is_none() => Ok(Self::Deflate),
            _ => Err(Unusable::ContentEncoding(named.chars().take(100).collect())),
        }
    }
}

/// Reads a body of at most `cap` bytes, which expand to at most `expanded_cap`. One that says it
/// is longer is not read at all.
pub(super) fn read(
    headers: &HeaderMap,
    body: impl Read,
    (cap, expanded_cap): (usize, usize),
) -> Result<Bytes, BodyError> {
    let coding = Coding::of(headers)?;
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.trim().parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > bound(cap) - 1) {
        return Err(Unusable::TooLarge(cap).into());
    }
    let mut sent = Vec::new();
    body.take(bound(cap))
        .read_to_end(&mut sent)
        .map_err(BodyError::Read)?;
    if sent.len() > cap {
        return Err(Unusable::TooLarge(cap).into());
    }
    let whole = match coding {
        Coding::Identity => sent,
        Coding::Gzip => {
            let mut decoder = GzDecoder::new(sent.as_slice());
            let expanded = expand(&mut decoder, expanded_cap)?;
            nothing_behind(expanded, decoder.into_inner())?
        }
        Coding::Deflate => {
            let mut decoder = ZlibDecoder::new(sent.as_slice());
            let expanded = expand(&mut decoder, expanded_cap)?;
            nothing_behind(expanded, decoder.into_inner())?
        }
    };
    Ok(whole.into_boxed_slice().into())
}

fn expand(decoder: impl Read, cap: usize) -> Result<Vec<u8>, Unusable> {
    let mut expanded = Vec::new();
    decoder
        .take(bound(cap))
        .read_to_end(&mut expanded)
        .map_err(|_| Unusable::Damaged)?;
    match expanded.len() > cap {
        true => Err(Unusable::ExpandsTooFar(cap)),
        false => Ok(expanded),
    }
}

/// One stream is one body: readers disagree on what stands behind it.
fn nothing_behind(expanded: Vec<u8>, rest: &[u8]) -> Result<Vec<u8>, Unusable> {
    match rest.is_empty() {
        true => Ok(expanded),
        false => Err(Unusable::Damaged),
    }
}

/// One more than `cap`: whoever has so many bytes has too many.
fn bound(cap: usize) -> u64 {
    u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1)
}

impl From<Unusable> for BodyError {
    fn from(unusable: Unusable) -> Self {
        Self::Unusable(unusable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;
    use proptest::prelude::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn coded(coding: &'static str, sent: &[u8], caps: (usize, usize)) -> Result<Bytes, Unusable> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        read(&headers, sent, caps).map_err(|error| match error {
            BodyError::Unusable(unusable) => unusable,
            BodyError::Read(error) => panic!("{error}"),
        })
    }

    #[test]
    fn each_coding_is_taken_off() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"body").unwrap();
        for (coding, sent) in [
            ("identity", b"body".to_vec()),
            ("gzip", gzip(b"body")),
            ("X-GZIP", gzip(b"body")),
            ("deflate", zlib.finish().unwrap()),
        ] {
            assert_eq!(coded(coding, &sent, (100, 4)).unwrap(), "body", "{coding}");
        }
    }

    #[test]
    fn a_coding_that_nobody_asked_for_is_refused() {
        for coding in ["br", "zstd", "gzip, gzip", "compress", "aes128gcm"] {
            let refused = coded(coding, b"body", (100, 100)).unwrap_err();
            assert_eq!(refused, Unusable::ContentEncoding(coding.to_owned()));
        }
        let mut twice = HeaderMap::new();
        twice.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        twice.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(Coding::of(&twice).is_err());
    }

    #[test]
    fn a_damaged_stream_is_no_body() {
        let good = gzip(b"some body that is long enough to be cut");
        for length in 0..good.len() {
            let cut = coded("gzip", &good[..length], (100, 100));
            assert_eq!(cut, Err(Unusable::Damaged), "{length}");
        }
        let twice = [&good[..], &good[..]].concat();
        assert_eq!(coded("gzip", &twice, (200, 200)), Err(Unusable::Damaged));
        assert_eq!(coded("gzip", b"plain", (100, 100)), Err(Unusable::Damaged));
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(b"body").unwrap();
        let raw = raw.finish().unwrap();
        assert_eq!(coded("deflate", &raw, (100, 100)), Err(Unusable::Damaged));
    }

    #[test]
    fn both_caps_hold_to_the_byte() {
        assert_eq!(coded("", b"1234", (4, 0)).unwrap(), "1234");
        assert_eq!(coded("", b"12345", (4, 9)), Err(Unusable::TooLarge(4)));
        let bomb = gzip(&vec![0; 64 << 20]);
        assert_eq!(
            coded("gzip", &bomb, (1 << 20, 1000)),
            Err(Unusable::ExpandsTooFar(1000))
        );
        assert_eq!(
            coded("gzip", &gzip(&[0; 1000]), (100, 1000)).unwrap().len(),
            1000
        );
    }

    #[test]
    fn a_body_that_says_it_is_too_long_is_not_read() {
        struct Untouched;
        impl Read for Untouched {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("this body was read")
            }
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("101"));
        let refused = read(&headers, Untouched, (100, 100)).unwrap_err();
        assert!(matches!(
            refused,
            BodyError::Unusable(Unusable::TooLarge(100))
        ));
    }

    proptest! {
        #[test]
        fn no_stream_makes_the_reader_panic(sent: Vec<u8>, cap in 0_usize..50) {
            for coding in ["gzip", "deflate"] {
                if let Ok(body) = coded(coding, &sent, (1000, cap)) {
                    prop_assert!(body.len() <= cap);
                }
            }
        }
    }
}
