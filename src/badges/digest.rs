//! The digest of what an endorsement speaks of (`digestMultibase`, VCDM 2.0 section 5.3), so that
//! a later version of it does not inherit the endorsement.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::vc::multibase::{self, MultibaseError};

/// The multihash code of SHA-256 and its length in bytes.
const SHA2_256: [u8; 2] = [0x12, 32];

/// A SHA-256 digest of the bytes of a document. It is written as `u`, base64url; `z`, base58btc,
/// is read as well, and two digests are equal whatever they were written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DigestMultibase([u8; 32]);

/// A text is not the digest of a document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DigestError {
    /// Not multibase.
    #[error(transparent)]
    Multibase(#[from] MultibaseError),
    /// Another hash function than SHA-256, or no multihash.
    #[error("a digestMultibase is a SHA-256 multihash: 12 20 (hexadecimal), then 32 bytes")]
    Multihash,
}

impl DigestMultibase {
    /// The digest of a document.
    pub fn of(document: &[u8]) -> Self {
        Self(Sha256::digest(document).into())
    }

    /// The digest's 32 bytes.
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for DigestMultibase {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let bytes = multibase::decode(text)?;
        let digest = bytes.strip_prefix(&SHA2_256);
        let digest = digest.and_then(|digest| digest.try_into().ok());
        digest.map(Self).ok_or(DigestError::Multihash)
    }
}

impl TryFrom<String> for DigestMultibase {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<DigestMultibase> for String {
    fn from(digest: DigestMultibase) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for DigestMultibase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let multihash = [&SHA2_256[..], &self.0].concat();
        f.write_str(&multibase::encode_base64url(&multihash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_digest_is_a_multihash_in_multibase() {
        // The SHA-256 of nothing, as published in FIPS 180-4's examples.
        let empty = "uEiDjsMRCmPwcFJr79MiZb7kkJ65B5GSbk0yklZkbeFK4VQ";
        assert_eq!(DigestMultibase::of(b"").to_string(), empty);
        assert_eq!(empty.parse(), Ok(DigestMultibase::of(b"")));
        let digest = DigestMultibase::of(b"a");
        let multihash = [&SHA2_256[..], digest.sha256()].concat();
        assert_eq!(multibase::encode_base58btc(&multihash).parse(), Ok(digest));
    }

    #[test]
    fn other_hashes_and_other_texts_are_refused() {
        let refused = |bytes: &[u8]| multibase::encode_base64url(bytes).parse::<DigestMultibase>();
        assert_eq!(refused(&[0x12, 32, 1]), Err(DigestError::Multihash));
        assert_eq!(refused(&[0x13; 34]), Err(DigestError::Multihash));
        assert_eq!(refused(&[0x12; 35]), Err(DigestError::Multihash));
        let bad = "sha256-abc".parse::<DigestMultibase>();
        assert!(matches!(bad, Err(DigestError::Multibase(_))));
    }

    proptest! {
        #[test]
        fn digests_survive_their_text(document: Vec<u8>) {
            let digest = DigestMultibase::of(&document);
            prop_assert_eq!(digest.to_string().parse(), Ok(digest));
        }
    }
}
