//! Signing keys at rest: sealed under a data key, which is sealed under a master key that stands
//! outside the store.
//!
//! The master key is so small a secret that it can be changed by sealing the data keys anew, of
//! which there are few, and no signing key. What older programs wrote was sealed directly under
//! the master key; that is still opened.

mod sealed;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::keys::{KEY_BYTES, SigningKey};
use crate::entropy::Entropy;
use crate::ids::{KeyId, ProfileId};

#[cfg(test)]
pub(crate) use sealed::sealed_directly;
pub use sealed::{SEALED_BYTES, SEALED_DATA_KEY_BYTES, Sealed, SealedDataKey, SealedUnder};

/// Length in bytes of the name of a master key.
pub const MASTER_KEY_ID_BYTES: usize = 8;

/// The key under which data keys are sealed. It comes from a file beside the store, never from
/// the store itself; it is wiped when dropped, and `Debug` shows its id alone.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; KEY_BYTES]);

/// Tells master keys apart without saying anything about them: the first 8 bytes of SHA-256 over
/// a label and the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MasterKeyId([u8; MASTER_KEY_ID_BYTES]);

/// Which data key is meant: 1 for the first of a store, and one more for each that is made later.
/// What was sealed under an earlier one stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u32);

/// A key under which signing keys are sealed. It is wiped when dropped, and `Debug` shows its
/// generation alone.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct DataKey {
    #[zeroize(skip)]
    generation: Generation,
    key: [u8; KEY_BYTES],
}

/// Which key of which profile a sealed secret is. It is bound into the seal, so that a sealed key
/// that was moved to another row does not open there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPlace {
    /// The profile; [`ProfileId::REGISTRY`] for the registry's own keys.
    pub profile: ProfileId,
    /// The key's number within it.
    pub key: KeyId,
}

/// Why a text is not a master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MasterKeyError {
    /// Neither of the two forms. The text itself is never repeated.
    #[error(
        "a master key is 32 bytes, as 43 characters of base64url without padding or 64 of \
         hexadecimal, and at most one line"
    )]
    Form,
    /// All 32 bytes are the same: a placeholder, not a key.
    #[error("the master key is a placeholder (all bytes are equal); make one with random bytes")]
    Placeholder,
}

/// Why a sealed key did not open.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Not as long as a sealed key.
    #[error("a sealed key does not have {0} bytes: the row is damaged")]
    Length(usize),
    /// Written by a newer program.
    #[error(
        "the sealed key has format {0}, which this program does not read; use the one that wrote it"
    )]
    Version(u8),
    /// Sealed under another master key.
    #[error("the key is sealed under master key {sealed}, and the one given is {given}")]
    WrongMasterKey {
        /// The master key that opens it.
        sealed: MasterKeyId,
        /// The one at hand.
        given: MasterKeyId,
    },
    /// Sealed under another data key.
    #[error("the key is sealed under data key {sealed}, which is not here: restore the store")]
    WrongDataKey {
        /// The data key that opens it.
        sealed: Generation,
    },
    /// Still sealed directly under a master key, which the running registry does not keep.
    #[error(
        "the key is sealed directly under master key {0}, and could not be sealed anew when the \
         registry was opened: the row is damaged; restore it"
    )]
    Directly(MasterKeyId),
    /// The bytes were changed, or moved here from the row of another key.
    #[error(
        "the sealed key {} of profile {} was changed, or belongs to another key: restore the row",
        .0.key, .0.profile.0
    )]
    Damaged(KeyPlace),
    /// The same of a data key.
    #[error("the sealed data key {0} was changed, or belongs to another row: restore the row")]
    DamagedDataKey(Generation),
}

impl MasterKey {
    /// A new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Self([0; KEY_BYTES]);
        entropy.fill(&mut key.0);
        key
    }

    /// Reads what [`Self::to_text`] writes, or the same bytes in hexadecimal; one line end may
    /// follow, as editors add it.
    ///
    /// # Errors
    /// Any other text, white space included.
    pub fn from_text(text: &str) -> Result<Self, MasterKeyError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut key = Self([0; KEY_BYTES]);
        let read = match line.len() {
            64 => unhex(line.as_bytes(), &mut key.0),
            // Checked before decoding, since the decoder wants room for what it may write.
            43 => URL_SAFE_NO_PAD.decode_slice(line, &mut key.0).ok(),
            _ => None,
        };
        if read != Some(KEY_BYTES) {
            return Err(MasterKeyError::Form);
        }
        if key.0.iter().all(|byte| *byte == key.0[0]) {
            return Err(MasterKeyError::Placeholder);
        }
        Ok(key)
    }

    /// The key as base64url, for its file. It is wiped when dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0))
    }

    /// What sealed keys name this key by.
    pub fn id(&self) -> MasterKeyId {
        let mut hash = Sha256::new();
        hash.update(b"goodstanding master key id\0");
        hash.update(self.0);
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
        MasterKeyId([a, b, c, d, e, f, g, h])
    }

    /// Seals a data key. The nonce is random, so that sealing twice differs.
    pub fn seal(&self, key: &DataKey, entropy: &dyn Entropy) -> SealedDataKey {
        SealedDataKey::seal((self.id(), &self.0), key.generation, &key.key, entropy)
    }

    /// Opens what [`Self::seal`] sealed of the same generation.
    ///
    /// # Errors
    /// Another master key, and bytes that were changed or moved.
    pub fn open(
        &self,
        generation: Generation,
        sealed: &SealedDataKey,
    ) -> Result<DataKey, OpenError> {
        self.must_be(sealed.master_key())?;
        let opened = sealed.open(generation, &self.0);
        let key = *opened.ok_or(OpenError::DamagedDataKey(generation))?;
        Ok(DataKey { generation, key })
    }

    /// Opens a signing key that an older program sealed under this key itself.
    ///
    /// # Errors
    /// Another master key, one that is sealed under a data key, and bytes that were changed or
    /// moved.
    pub fn open_directly(&self, place: KeyPlace, sealed: &Sealed) -> Result<SigningKey, OpenError> {
        match sealed.under() {
            SealedUnder::MasterKey(master) => self.must_be(master)?,
            SealedUnder::DataKey(sealed) => return Err(OpenError::WrongDataKey { sealed }),
        }
        sealed.open(place, &self.0)
    }

    fn must_be(&self, sealed: MasterKeyId) -> Result<(), OpenError> {
        let given = self.id();
        match sealed == given {
            true => Ok(()),
            false => Err(OpenError::WrongMasterKey { sealed, given }),
        }
    }
}

impl DataKey {
    /// A new key, the first of its generation.
    pub fn generate(generation: Generation, entropy: &dyn Entropy) -> Self {
        let mut key = Self {
            generation,
            key: [0; KEY_BYTES],
        };
        entropy.fill(&mut key.key);
        key
    }

    /// Which it is.
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Whether `other` is the same key, of the same generation. Both are ours, so that how long it
    /// takes tells nobody anything.
    pub fn is(&self, other: &Self) -> bool {
        self.generation == other.generation && self.key == other.key
    }

    /// A secret for one purpose, which is the same wherever this key is, and tells nothing of it or of the
    /// secrets for other purposes: HMAC-SHA-256 of the purpose under the key.
    pub fn secret_for(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        let tag = hmac::sign(&key, purpose.as_bytes());
        let secret = tag.as_ref().try_into();
        Zeroizing::new(secret.expect("HMAC-SHA-256 gives 32 bytes"))
    }

    /// Seals a signing key for its place. The nonce is random, so that sealing twice differs.
    pub fn seal(&self, place: KeyPlace, key: &SigningKey, entropy: &dyn Entropy) -> Sealed {
        let under = SealedUnder::DataKey(self.generation);
        Sealed::seal(under, &self.key, place, key, entropy)
    }

    /// Opens what [`Self::seal`] sealed for the same place.
    ///
    /// # Errors
    /// Another data key, and bytes that were changed or moved.
    pub fn open(&self, place: KeyPlace, sealed: &Sealed) -> Result<SigningKey, OpenError> {
        match sealed.under() {
            SealedUnder::DataKey(sealed) if sealed != self.generation => {
                Err(OpenError::WrongDataKey { sealed })
            }
            SealedUnder::DataKey(_) => sealed.open(place, &self.key),
            SealedUnder::MasterKey(master) => Err(OpenError::Directly(master)),
        }
    }
}

impl MasterKeyId {
    /// Its bytes, as rows and events hold them.
    pub const fn as_bytes(&self) -> &[u8; MASTER_KEY_ID_BYTES] {
        &self.0
    }

    /// Reads them back.
    pub const fn from_bytes(bytes: [u8; MASTER_KEY_ID_BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey(id {})", self.id())
    }
}

/// 16 hexadecimal digits.
impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKeyId({self})")
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey(generation {})", self.generation)
    }
}

fn unhex(digits: &[u8], out: &mut [u8; KEY_BYTES]) -> Option<usize> {
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(KEY_BYTES)
}

#[cfg(test)]
mod tests;
