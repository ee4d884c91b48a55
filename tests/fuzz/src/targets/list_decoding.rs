//! Status lists as text and as compressed streams.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::bitstring::{
    CodecError, decode, decode_2021, decode_zlib, encode, encode_2021, encode_zlib,
};

use super::Reached;

/// How much may come out: enough for any list that a few kilobytes hold, and for bombs to pass it.
const CAP: usize = 64 * 1024;

/// An input is read in four ways: as text, as a GZIP and as a ZLIB stream, and as a list to be
/// written. What comes out keeps to the cap, to the last byte; it is what the stream says of its
/// own length and checksum; and it survives being written. The readers of both text forms agree.
pub fn run(data: &[u8]) -> Reached {
    let mut reached = Reached::Refused;
    if let Ok(text) = std::str::from_utf8(data) {
        reached = reached.or(of_text(text));
    }
    let text = format!("u{}", URL_SAFE_NO_PAD.encode(data));
    reached = reached.or(of_text(&text)).or(of_zlib(data));
    check_round_trip(data);
    reached
}

fn of_text(text: &str) -> Reached {
    let read = decode(text, CAP);
    let bare = text.strip_prefix('u');
    assert_eq!(
        bare.and_then(|bare| decode_2021(bare, CAP).ok()),
        read.clone().ok()
    );
    let bits = match read {
        Ok(bits) => bits,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Reached::Refused;
        }
    };
    let stream = URL_SAFE_NO_PAD.decode(bare.unwrap_or_default());
    let stream = stream.expect("what was read is base64url");
    let (_, length) = stream
        .split_last_chunk::<4>()
        .expect("GZIP ends in a length");
    let (rest, _) = stream.split_at(stream.len() - 4);
    let (_, checksum) = rest.split_last_chunk::<4>().expect("GZIP has a checksum");
    assert_eq!(u32::from_le_bytes(*length) as usize, bits.len());
    assert_eq!(u32::from_le_bytes(*checksum), crc32(&bits));
    check_cap(&bits, |cap| decode(text, cap));
    assert_eq!(decode(&encode(&bits), bits.len()), Ok(bits));
    Reached::Read
}

fn of_zlib(stream: &[u8]) -> Reached {
    let Ok(bits) = decode_zlib(stream, CAP) else {
        return Reached::Refused;
    };
    let (_, checksum) = stream
        .split_last_chunk::<4>()
        .expect("ZLIB ends in a checksum");
    assert_eq!(u32::from_be_bytes(*checksum), adler32(&bits));
    check_cap(&bits, |cap| decode_zlib(stream, cap));
    Reached::Read
}

fn check_cap(bits: &[u8], decode: impl Fn(usize) -> Result<Vec<u8>, CodecError>) {
    assert!(bits.len() <= CAP);
    assert_eq!(decode(bits.len()).as_deref(), Ok(bits));
    if let Some(less) = bits.len().checked_sub(1) {
        assert_eq!(decode(less), Err(CodecError::TooLarge { cap: less }));
    }
}

fn check_round_trip(bits: &[u8]) {
    let cap = bits.len();
    assert_eq!(decode_2021(&encode_2021(bits), cap).as_deref(), Ok(bits));
    assert_eq!(decode_zlib(&encode_zlib(bits), cap).as_deref(), Ok(bits));
}

/// RFC 1952 section 8.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

/// RFC 1950 section 8.2.
fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), &byte| {
        let low = (low + u32::from(byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}
