//! Token Status Lists, as the claims of a JWT and as CWTs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::bitstring::decode_zlib;
use goodstanding::json;
use goodstanding::status::{SignedCwt, StatusError, TokenStatusList};
use serde_json::Value;

use super::{Reached, signing_key};

const CAP: usize = 64 * 1024;

/// An input is read as claims in JSON, as a whole CWT, and as the payload of one that is signed
/// here. No CWT counts that was not signed; the one that was does. Values are those that a second
/// reader finds, and there is none behind the end.
pub fn run(data: &[u8]) -> Reached {
    if let Ok(claims) = json::parse(data) {
        return of_claims(&claims);
    }
    let key = signing_key();
    let public = key.public().into();
    let whole = SignedCwt::parse(data);
    if let Ok(token) = &whole {
        assert!(token.verify(&public, CAP).is_err(), "nobody signed it");
    }
    let signed = cwt(data);
    let Ok(token) = SignedCwt::parse(&signed) else {
        return if whole.is_ok() {
            Reached::Read
        } else {
            Reached::Refused
        };
    };
    match token.verify(&public, CAP) {
        Ok(list) => check(&list, None),
        Err(StatusError::Verification { reason, .. }) => panic!("it was signed: {reason}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    Reached::Read
}

fn of_claims(claims: &Value) -> Reached {
    let Ok(list) = TokenStatusList::from_claims(claims, CAP) else {
        return Reached::Refused;
    };
    assert_eq!(claims["sub"], *list.subject);
    let compressed =
        URL_SAFE_NO_PAD.decode(claims["status_list"]["lst"].as_str().unwrap_or_default());
    let bytes = decode_zlib(&compressed.expect("it was read"), CAP).expect("it was read");
    let bits = claims["status_list"]["bits"].as_u64().expect("it was read");
    check(&list, Some((&bytes, bits)));
    Reached::Read
}

fn check(list: &TokenStatusList, content: Option<(&[u8], u64)>) {
    let mut index = 0;
    // The first, then farther and farther apart.
    while let Ok(result) = list.status(index) {
        assert_eq!(result.valid, result.status == 0);
        if let Some((bytes, bits)) = content {
            assert_eq!(Some(u64::from(result.status)), value(bytes, bits, index));
        }
        index += 1 + index / 64;
    }
    if let Some((bytes, bits)) = content {
        assert_eq!(value(bytes, bits, index), None);
    }
    assert!(list.status(u64::MAX).is_err());
}

/// The value at `index`, bit by bit: the least significant of a byte is the first.
fn value(bytes: &[u8], bits: u64, index: u64) -> Option<u64> {
    (0..bits).try_fold(0, |value, bit| {
        let place = index.checked_mul(bits)? + bit;
        let byte = bytes.get(usize::try_from(place / 8).ok()?)?;
        Some(value | u64::from(byte >> (place % 8) & 1) << bit)
    })
}

/// A COSE_Sign1 with its tag, by hand (RFC 9052 section 4.4, RFC 8949 section 3).
fn cwt(payload: &[u8]) -> Vec<u8> {
    let protected = [
        b"\xa2\x01\x27\x10\x78\x1a",
        &b"application/statuslist+cwt"[..],
    ]
    .concat();
    let (protected, payload) = (string(&protected), string(payload));
    let signed = [b"\x84\x6aSignature1", &protected[..], b"\x40", &payload].concat();
    let signature = string(&signing_key().sign(&signed));
    [b"\xd2\x84", &protected[..], b"\xa0", &payload, &signature].concat()
}

/// A byte string, with its length as short as can be.
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("inputs are short");
    let [_, _, high, low] = length.to_be_bytes();
    let head = match length {
        0..24 => vec![0x40 | low],
        24..0x100 => vec![0x58, low],
        0x100..0x1_0000 => vec![0x59, high, low],
        _ => [&[0x5a], &length.to_be_bytes()[..]].concat(),
    };
    [head.as_slice(), bytes].concat()
}
