//! Passphrases: PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2), which makes each guess at a stolen
//! row as dear as a sign-in.

use std::num::NonZeroU32;

use ring::pbkdf2;
use thiserror::Error;

use super::secret::SecretCheck;

/// How many rounds a new passphrase goes through.
pub const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).expect("it is not zero");

/// The fewest and the most characters, the latter so that nobody has much hashed.
const CHARACTERS: std::ops::RangeInclusive<usize> = 12..=256;

/// A text that is no passphrase here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a passphrase has 12 to 256 characters, and more than one letter over and over")]
pub struct TooWeak;

/// Demands that a text can be a passphrase.
///
/// # Errors
/// [`TooWeak`].
pub fn check_new(passphrase: &str) -> Result<(), TooWeak> {
    let long_enough = CHARACTERS.contains(&passphrase.chars().count());
    let mut letters: Vec<char> = passphrase.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    match long_enough && letters.len() > 3 {
        true => Ok(()),
        false => Err(TooWeak),
    }
}

/// What is kept of a passphrase.
pub fn derive(passphrase: &str, salt: &[u8; 16], rounds: NonZeroU32) -> [u8; 32] {
    let mut out = [0; 32];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(algorithm, rounds, salt, passphrase.as_bytes(), &mut out);
    out
}

/// Compares a passphrase with what is kept of one, in a time that does not tell how much of it fits.
pub fn check(
    passphrase: &str,
    salt: &[u8; 16],
    rounds: NonZeroU32,
    kept: &[u8; 32],
) -> SecretCheck {
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    match pbkdf2::verify(algorithm, rounds, salt, passphrase.as_bytes(), kept) {
        Ok(()) => SecretCheck::Good,
        Err(_) => SecretCheck::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By Python's hashlib.pbkdf2_hmac over the same passphrase, salt and rounds.
    #[test]
    fn what_is_kept_is_pbkdf2() {
        let rounds = NonZeroU32::new(2).unwrap();
        let kept = derive("correct horse", &[7; 16], rounds);
        let hex: String = kept.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "a0eba81daed1e2fafdf494c90174d372c1a2ed541a08a93647204c219fc40d9b"
        );
        assert_eq!(
            check("correct horse", &[7; 16], rounds, &kept),
            SecretCheck::Good
        );
        assert_eq!(
            check("correct horsE", &[7; 16], rounds, &kept),
            SecretCheck::Bad
        );
        assert_eq!(
            check("correct horse", &[8; 16], rounds, &kept),
            SecretCheck::Bad
        );
    }

    #[test]
    fn what_is_short_or_one_letter_is_no_passphrase() {
        assert_eq!(check_new("twelve chars"), Ok(()));
        assert_eq!(check_new("äöüäöüäöüäöüß"), Ok(()));
        for bad in [
            "",
            "elevenchars",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            &"x1yz".repeat(65),
        ] {
            assert_eq!(check_new(bad), Err(TooWeak), "{bad}");
        }
    }
}
