//! Short codes by which a credential is found that is printed on paper, such as `7K3D-Q9XB-2MFA-T5HW`.
//!
//! A code is 16 symbols of an alphabet of 32: 15 that nobody can guess, and one that tells when another was
//! mistyped. People write it in groups of four, and may write it in any case, with any spaces and dashes, with
//! the letter O for 0, and with I or L for 1.
//!
//! # Why nobody finds one by guessing
//! 15 symbols are 75 bits. Where a nation has 2³⁰ codes outstanding (a thousand million credentials), one guess
//! in 2⁴⁵ finds one of them. At the usual rate of 100 look-ups a second in all
//! (`rates.codes` of the configuration), asked day and night, that takes 2⁴⁵ / 100 seconds on average: 11,000
//! years; with 100 processes that each count for themselves, more than a century. Who wants one certain
//! credential's code needs 2⁷⁵ guesses, and there is no rate at which anybody gets there.
//!
//! # What is kept of one
//! Nothing that tells it: see [`CodeKey`].

use std::fmt;
use std::str::FromStr;

use ring::hmac;
use thiserror::Error;

use crate::ids::ProfileId;

/// How many symbols a code has, its check symbol included.
pub const CODE_SYMBOLS: usize = 16;

/// So many symbols stand together.
const GROUP: usize = 4;

/// The symbols in the order of their values: digits and capitals without I, L, O and U, of which the first
/// three look like digits, and without the fourth few words come up by chance.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code. `Display` writes it as it is printed; `Debug` does not tell it, so that no log does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerificationCode([u8; CODE_SYMBOLS]);

/// Why a text is no code. What was typed is not repeated, but for a symbol that no code has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodeError {
    /// Symbols are missing.
    #[error("a code has 16 letters and digits, and this has {0}: some are missing")]
    TooShort(usize),
    /// There are more symbols than a code has.
    #[error(
        "a code has 16 letters and digits, and this has more: something else was typed with it"
    )]
    TooLong,
    /// A symbol that is in no code.
    #[error("{symbol:?}, symbol {place}, is not used in codes: look at it again")]
    Symbol {
        /// The symbol.
        symbol: char,
        /// Its place among the symbols, from 1.
        place: usize,
    },
    /// The check symbol does not fit the others.
    #[error("a symbol is mistyped, or two are swapped: compare it with the paper once more")]
    Check,
}

impl VerificationCode {
    /// The code of 75 random bits: the first of these.
    pub fn of_bits(bits: [u8; 10]) -> Self {
        let mut symbols = [0; CODE_SYMBOLS];
        let mut left = bits
            .into_iter()
            .fold(0, |all: u128, byte| all << 8 | u128::from(byte))
            >> 5;
        for symbol in symbols[..CODE_SYMBOLS - 1].iter_mut().rev() {
            *symbol = (left & 0x1f) as u8;
            left >>= 5;
        }
        // The check symbol has the weight 1, so that it is what the others leave.
        symbols[CODE_SYMBOLS - 1] = remainder(&symbols);
        Self(symbols)
    }
}

/// What the check of 16 symbols leaves: 0 where they fit.
///
/// It is a sum over GF(32), the polynomials modulo x⁵ + x² + 1, of each symbol times a power of x of its own,
/// from x¹⁵ down to 1. No two of these powers are equal, since x has order 31, and none is 0. So a wrong
/// symbol changes the sum, and so do two different symbols that change places, wherever they stand.
fn remainder(symbols: &[u8; CODE_SYMBOLS]) -> u8 {
    let times_x = |value: u8| match value & 0x10 {
        0 => value << 1,
        _ => (value << 1 ^ 0b10_0101) & 0x1f,
    };
    symbols.iter().fold(0, |sum, symbol| times_x(sum) ^ symbol)
}

/// In groups: `7K3D-Q9XB-2MFA-T5HW`.
impl fmt::Display for VerificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, symbol) in self.0.iter().enumerate() {
            if place > 0 && place % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(ALPHABET[usize::from(*symbol)]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for VerificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerificationCode(…)")
    }
}

impl FromStr for VerificationCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut symbols = [0; CODE_SYMBOLS];
        let mut count = 0;
        for typed in text.chars().filter(|typed| !is_between(*typed)) {
            let place = count + 1;
            let symbol = value_of(typed).ok_or(CodeError::Symbol {
                symbol: typed,
                place,
            })?;
            *symbols.get_mut(count).ok_or(CodeError::TooLong)? = symbol;
            count = place;
        }
        match (count == CODE_SYMBOLS, remainder(&symbols)) {
            (false, _) => Err(CodeError::TooShort(count)),
            (true, 0) => Ok(Self(symbols)),
            (true, _) => Err(CodeError::Check),
        }
    }
}

/// What people and their programs write between groups: white space, and dashes of every kind.
fn is_between(typed: char) -> bool {
    typed.is_whitespace()
        || matches!(
            typed,
            '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' | '\u{200b}'
        )
}

fn value_of(typed: char) -> Option<u8> {
    let meant = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET
        .iter()
        .position(|known| char::from(*known) == meant)?;
    u8::try_from(place).ok()
}

/// A key from which codes are made, and under which they are found again: of it and of random bytes that are
/// kept beside the credential a code follows, and what is kept of the code itself is a digest under the key. So
/// who has the store or a copy of it, and not the master key, has no codes and cannot try any: without a key the
/// digests of a nation's codes would give one away after 2⁴⁵ tries, which a machine makes in hours. And whoever a
/// code was made for can be shown it again.
pub struct CodeKey(hmac::Key);

/// What is kept of a code, to find it by.
pub type CodeDigest = [u8; 32];

/// Random bytes of which a code is made.
pub type CodeSeed = [u8; 16];

impl CodeKey {
    /// A key of these secret bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The code of a credential, named by its issuer and the SHA-256 of its id, from this seed: the first 75
    /// bits of HMAC-SHA-256 over `"code" | profile u32 | digest 32 bytes | seed 16 bytes`.
    pub fn code(
        &self,
        issuer: ProfileId,
        credential: &[u8; 32],
        seed: &CodeSeed,
    ) -> VerificationCode {
        let tag = self.tag(&[b"code", &issuer.0.to_be_bytes(), credential, seed]);
        let (bits, _) = tag.split_first_chunk().expect("32 bytes are more than 10");
        VerificationCode::of_bits(*bits)
    }

    /// What it is found by: HMAC-SHA-256 over `"find" | the value of each symbol, u8`.
    pub fn digest(&self, code: &VerificationCode) -> CodeDigest {
        self.tag(&[b"find", &code.0])
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        parts.iter().for_each(|part| context.update(part));
        let tag = context.sign();
        let bytes = tag.as_ref().try_into();
        bytes.expect("HMAC-SHA-256 gives 32 bytes")
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey(…)")
    }
}

#[cfg(test)]
mod tests;
