//! Secrets of 256 random bits. They are kept as SHA-256: nobody can guess at them, so that no slow
//! hash is needed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::entropy::{Entropy, random};

/// A new secret, in 43 characters of base64url behind `prefix`, by which those who look for leaked
/// secrets find one.
pub fn generate(prefix: &str, entropy: &dyn Entropy) -> Zeroizing<String> {
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(random(entropy));
    Zeroizing::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(*bytes)))
}

/// What is kept of a secret.
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether a secret is the one that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SecretCheck {
    /// It is.
    Good,
    /// It is not, or none is kept.
    Bad,
}

/// Compares `secret` with what is kept, in a time that does not tell how much of it fits, nor
/// whether anything is kept at all.
pub fn check(secret: &str, kept: Option<&[u8; 32]>) -> SecretCheck {
    let given = digest(secret);
    let same = given.ct_eq(kept.unwrap_or(&[0; 32]));
    // No text is known whose digest is all zeros; a row that is not there is refused all the same.
    match bool::from(same) && kept.is_some() {
        true => SecretCheck::Good,
        false => SecretCheck::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_secret_is_itself_alone() {
        let secret = generate("gsc_", &SeededEntropy::new(1));
        assert_eq!(secret.len(), 47);
        let kept = digest(&secret);
        assert_eq!(check(&secret, Some(&kept)), SecretCheck::Good);
        assert_eq!(check(&secret, None), SecretCheck::Bad);
        assert_eq!(check(&secret[1..], Some(&kept)), SecretCheck::Bad);
        assert_eq!(check("", Some(&kept)), SecretCheck::Bad);
    }
}
