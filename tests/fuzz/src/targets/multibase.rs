//! Multibase values.

use goodstanding::vc::multibase::{
    MAX_BASE58_CHARACTERS, decode, decode_base58btc, encode_base58btc, encode_base64url,
};

use super::Reached;

/// What is read is what would be written, and a second reader agrees. Any bytes can be written,
/// and are read again.
pub fn run(data: &[u8]) -> Reached {
    if data.len() <= 512 {
        assert_eq!(decode(&encode_base58btc(data)).as_deref(), Ok(data));
    }
    assert_eq!(decode(&encode_base64url(data)).as_deref(), Ok(data));
    let Ok(text) = std::str::from_utf8(data) else {
        return Reached::Refused;
    };
    let read = decode(text).ok();
    let theirs = match text.as_bytes().first() {
        Some(b'z') if text.len() <= MAX_BASE58_CHARACTERS => base58(&text[1..]),
        Some(b'u') => base64url(&text[1..]),
        _ => None,
    };
    assert_eq!(read, theirs, "{text:?}");
    let is_base58 = text.starts_with('z');
    assert_eq!(
        decode_base58btc(text).ok(),
        read.clone().filter(|_| is_base58)
    );
    let Some(bytes) = read else {
        return Reached::Refused;
    };
    let again = if is_base58 {
        encode_base58btc(&bytes)
    } else {
        encode_base64url(&bytes)
    };
    assert_eq!(again, text);
    Reached::Read
}

fn base58(text: &str) -> Option<Vec<u8>> {
    let alphabet = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    // Least significant byte first.
    let mut number: Vec<u8> = Vec::new();
    for digit in text.bytes() {
        let mut carry = alphabet.iter().position(|known| *known == digit)?;
        for byte in &mut number {
            carry += usize::from(*byte) * 58;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        if carry > 0 {
            number.push(carry as u8);
        }
    }
    let zeros = text.bytes().take_while(|digit| *digit == b'1').count();
    number.resize(number.len() + zeros, 0);
    number.reverse();
    Some(number)
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for digit in text.bytes() {
        let value = alphabet.iter().position(|known| *known == digit)?;
        bits = (bits << 6 | value as u32) & 0xfff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    // What is left over is less than a digit, and zero.
    (held < 6 && bits & ((1 << held) - 1) == 0).then_some(bytes)
}
