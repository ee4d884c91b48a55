//! Multibase, as far as credentials use it (Controlled Identifiers 1.0 section 2.4): `z` for
//! base58btc and `u` for base64url without padding. Each value has one accepted spelling.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

/// The longest `z` text that is read. Decoding base 58 takes quadratic time, and what it is used
/// for (keys, signatures, digests) is shorter by far.
pub const MAX_BASE58_CHARACTERS: usize = 1024;

/// Why a text is not a multibase value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MultibaseError {
    /// Neither `z` nor `u` leads.
    #[error("a multibase value starts with z (base58btc) or u (base64url)")]
    Prefix,
    /// Not base58btc.
    #[error("character {0} is none of base58btc's")]
    Base58(usize),
    /// Longer than [`MAX_BASE58_CHARACTERS`].
    #[error("a base58btc value has at most {MAX_BASE58_CHARACTERS} characters")]
    TooLong,
    /// Not base64url without padding, or with bits set beyond the last byte.
    #[error("the text after u is not base64url without padding")]
    Base64Url,
}

/// `z` and base58btc.
pub fn encode_base58btc(bytes: &[u8]) -> String {
    format!("z{}", bs58::encode(bytes).into_string())
}

/// `u` and base64url without padding.
pub fn encode_base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(1 + bytes.len().div_ceil(3) * 4);
    text.push('u');
    URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
    text
}

/// The bytes of a `z` or `u` text.
///
/// # Errors
/// Any other prefix, and whatever no encoder would have written.
pub fn decode(text: &str) -> Result<Vec<u8>, MultibaseError> {
    match text.as_bytes().first() {
        Some(b'z') => decode_base58btc(text),
        Some(b'u') => URL_SAFE_NO_PAD
            .decode(&text[1..])
            .map_err(|_| MultibaseError::Base64Url),
        _ => Err(MultibaseError::Prefix),
    }
}

/// The bytes of a `z` text; `u` is refused. Multikeys and `proofValue` are always base58btc.
///
/// # Errors
/// As [`decode`].
pub fn decode_base58btc(text: &str) -> Result<Vec<u8>, MultibaseError> {
    let digits = text.strip_prefix('z').ok_or(MultibaseError::Prefix)?;
    if text.len() > MAX_BASE58_CHARACTERS {
        return Err(MultibaseError::TooLong);
    }
    base58_number(digits).ok_or_else(|| {
        let place = digits
            .chars()
            .position(|digit| !is_base58(digit))
            .unwrap_or(0);
        // The place counts from 0 after the prefix, so from 1 with it; people count from 1.
        MultibaseError::Base58(place + 2)
    })
}

/// The bytes of the number with these digits, and before them a zero for each leading `1`; nothing
/// where one is no digit. Ten digits are taken at a time, since as many fit into 64 bits.
fn base58_number(digits: &str) -> Option<Vec<u8>> {
    // The least significant 64 bits first, and nothing beyond the most significant ones.
    let mut number: Vec<u64> = Vec::with_capacity(digits.len() * 3 / 32 + 1);
    for chunk in digits.as_bytes().chunks(10) {
        let (mut factor, mut carry) = (1u64, 0u64);
        for digit in chunk {
            factor *= 58;
            carry = carry * 58 + u64::from(base58_value(*digit)?);
        }
        for part in &mut number {
            let product = u128::from(*part) * u128::from(factor) + u128::from(carry);
            *part = product as u64;
            carry = (product >> 64) as u64;
        }
        if carry > 0 {
            number.push(carry);
        }
    }
    let zeros = digits.bytes().take_while(|digit| *digit == b'1').count();
    let mut bytes = vec![0; zeros];
    let significant = number.iter().rev().flat_map(|part| part.to_be_bytes());
    bytes.extend(significant.skip_while(|byte| *byte == 0));
    Some(bytes)
}

/// What a digit counts: its place among `1` to `9`, `A` to `Z` and `a` to `z`, in which `I`, `O`
/// and `l` are left out.
const fn base58_value(digit: u8) -> Option<u8> {
    match digit {
        b'1'..=b'9' => Some(digit - b'1'),
        b'A'..=b'H' => Some(digit - b'A' + 9),
        b'J'..=b'N' => Some(digit - b'J' + 17),
        b'P'..=b'Z' => Some(digit - b'P' + 22),
        b'a'..=b'k' => Some(digit - b'a' + 33),
        b'm'..=b'z' => Some(digit - b'm' + 44),
        _ => None,
    }
}

fn is_base58(digit: char) -> bool {
    u8::try_from(digit).is_ok_and(|digit| base58_value(digit).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_values_are_read() {
        // draft-msporny-base58-03, section 5.
        assert_eq!(decode("z2NEpo7TZRRrLZSi2U").unwrap(), b"Hello World!");
        assert_eq!(
            encode_base58btc(&[0, 0, 0x28, 0x7f, 0xb4, 0xcd]),
            "z11233QC4"
        );
        // RFC 4648, section 10.
        assert_eq!(decode("uZm9vYg").unwrap(), b"foob");
        assert_eq!(decode("z").unwrap(), b"");
        assert_eq!(decode("u").unwrap(), b"");
    }

    #[test]
    fn a_value_has_one_spelling() {
        assert_eq!(decode(""), Err(MultibaseError::Prefix));
        assert_eq!(decode("mZm9v"), Err(MultibaseError::Prefix));
        assert_eq!(decode("z2NE0"), Err(MultibaseError::Base58(5)));
        assert_eq!(decode("zä"), Err(MultibaseError::Base58(2)));
        assert_eq!(decode("z1 "), Err(MultibaseError::Base58(3)));
        for bad in ["uZm8=", "uZg==", "uZh", "u+/", "uZ", "uZm9v ", "uä"] {
            assert_eq!(decode(bad), Err(MultibaseError::Base64Url), "{bad}");
        }
        assert_eq!(decode(&"z1".repeat(600)), Err(MultibaseError::TooLong));
        assert_eq!(decode_base58btc("uZm9v"), Err(MultibaseError::Prefix));
    }

    proptest! {
        #[test]
        fn bytes_survive_both_texts(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode(&encode_base58btc(&bytes)), Ok(bytes.clone()));
            prop_assert_eq!(decode(&encode_base64url(&bytes)), Ok(bytes));
        }

        /// The crate that writes reads otherwise, digit by digit.
        #[test]
        fn any_text_is_read_as_by_bs58(text in "(1{0,4}[1-9A-HJ-NP-Za-km-z]{0,120}|[ -~]{0,8}|\\PC{0,4})") {
            let theirs = bs58::decode(&text).into_vec().ok();
            prop_assert_eq!(decode(&format!("z{text}")).ok(), theirs);
        }

        #[test]
        fn every_accepted_text_is_what_would_be_written(text in "[zu][0-9A-Za-z_-]{0,12}") {
            if let Ok(bytes) = decode(&text) {
                let again = match &text[..1] {
                    "z" => encode_base58btc(&bytes),
                    _ => encode_base64url(&bytes),
                };
                prop_assert_eq!(again, text);
            }
        }
    }
}
