//! The hash that tells blank nodes apart, and its hexadecimal text.

use sha2::{Digest as _, Sha256, Sha384};

/// The hash algorithm that RDFC-1.0 is run with (section 4.4, "hash algorithm").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256, the default of the Recommendation.
    #[default]
    Sha256,
    /// SHA-384, which suites for P-384 keys use.
    Sha384,
}

/// A hash. Bytes beyond the length of the algorithm are zero, so that hashes of one algorithm
/// compare as their hexadecimal texts do.
pub(super) type Hash = [u8; 48];

impl HashAlgorithm {
    /// The hash of `bytes`.
    pub(super) fn hash(self, bytes: &[u8]) -> Hash {
        let mut hash = [0; 48];
        match self {
            Self::Sha256 => hash[..32].copy_from_slice(&Sha256::digest(bytes)),
            Self::Sha384 => hash.copy_from_slice(&Sha384::digest(bytes)),
        }
        hash
    }

    /// Appends the hash in lower-case hexadecimal.
    pub(super) fn push_hex(self, out: &mut Vec<u8>, hash: &Hash) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let length = match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        };
        for byte in &hash[..length] {
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_have_the_length_of_their_algorithm() {
        // The examples of FIPS 180 for the text "abc".
        for (algorithm, expected) in [
            (
                HashAlgorithm::Sha256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                HashAlgorithm::Sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
        ] {
            let mut hex = Vec::new();
            algorithm.push_hex(&mut hex, &algorithm.hash(b"abc"));
            assert_eq!(String::from_utf8(hex).unwrap(), expected);
        }
    }
}
