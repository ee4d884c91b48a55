//! The bytes of sealed keys.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{Generation, KeyPlace, MASTER_KEY_ID_BYTES, MasterKeyId, OpenError};
use crate::entropy::{Entropy, random};
use crate::vc::keys::{KEY_BYTES, SigningKey};

/// Length in bytes of a sealed data key.
pub const SEALED_DATA_KEY_BYTES: usize = 1 + MASTER_KEY_ID_BYTES + BOXED_BYTES;
/// Length in bytes of a signing key that is sealed under a data key.
pub const SEALED_BYTES: usize = 1 + GENERATION_BYTES + BOXED_BYTES;

const DIRECTLY: u8 = 1;
const UNDER_DATA_KEY: u8 = 2;
const DATA_KEY_VERSION: u8 = 1;
const GENERATION_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const BOXED_BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

/// A data key, sealed with XChaCha20-Poly1305 under a master key.
///
/// ```text
/// | version: 1 byte = 1 | master key id: 8 | nonce: 24, random | ciphertext: 32 | tag: 16 |
/// ```
/// Associated data, in this order: `goodstanding sealed data key`, version, master key id,
/// generation (u32, big endian).
#[derive(Clone, PartialEq, Eq)]
pub struct SealedDataKey {
    master: MasterKeyId,
    boxed: Boxed,
}

/// A signing key, sealed with XChaCha20-Poly1305 under a data key, or, as older programs did it,
/// directly under a master key.
///
/// ```text
/// | version: 1 byte = 2 | generation: 4 (u32, big endian) | nonce: 24, random | ciphertext: 32 | tag: 16 |
/// | version: 1 byte = 1 | master key id: 8                | nonce: 24, random | ciphertext: 32 | tag: 16 |
/// ```
/// The seed is the plaintext. Associated data, in this order: `goodstanding sealed key`, version,
/// generation or master key id, profile number (u32, big endian), key number (u32, big endian).
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    under: SealedUnder,
    boxed: Boxed,
}

/// What a signing key is sealed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedUnder {
    /// The data key of this generation.
    DataKey(Generation),
    /// The master key itself (version 1).
    MasterKey(MasterKeyId),
}

/// Nonce, ciphertext and tag.
type Boxed = [u8; BOXED_BYTES];

impl SealedDataKey {
    /// Reads stored bytes back.
    ///
    /// # Errors
    /// Another length or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OpenError> {
        let length = OpenError::Length(bytes.len());
        let (&version, rest) = bytes.split_first().ok_or_else(|| length.clone())?;
        if version != DATA_KEY_VERSION {
            return Err(OpenError::Version(version));
        }
        let (master, boxed) = parts(rest).ok_or(length)?;
        Ok(Self {
            master: MasterKeyId(master),
            boxed,
        })
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            &[DATA_KEY_VERSION],
            self.master.as_bytes().as_slice(),
            &self.boxed,
        ]
        .concat()
    }

    /// The master key that opens it.
    pub const fn master_key(&self) -> MasterKeyId {
        self.master
    }

    pub(super) fn seal(
        (master, key): (MasterKeyId, &[u8; KEY_BYTES]),
        generation: Generation,
        data_key: &[u8; KEY_BYTES],
        entropy: &dyn Entropy,
    ) -> Self {
        let aad = data_key_aad(master, generation);
        let boxed = encrypt(key, data_key, &aad, entropy);
        Self { master, boxed }
    }

    pub(super) fn open(
        &self,
        generation: Generation,
        key: &[u8; KEY_BYTES],
    ) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
        decrypt(key, &self.boxed, &data_key_aad(self.master, generation))
    }
}

impl fmt::Debug for SealedDataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedDataKey(under {})", self.master)
    }
}

impl Sealed {
    /// Reads stored bytes back.
    ///
    /// # Errors
    /// Another length or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OpenError> {
        let length = OpenError::Length(bytes.len());
        let (&version, rest) = bytes.split_first().ok_or_else(|| length.clone())?;
        let read = match version {
            DIRECTLY => parts(rest).map(|(id, boxed)| Self {
                under: SealedUnder::MasterKey(MasterKeyId(id)),
                boxed,
            }),
            UNDER_DATA_KEY => parts(rest).map(|(generation, boxed)| Self {
                under: SealedUnder::DataKey(Generation(u32::from_be_bytes(generation))),
                boxed,
            }),
            other => return Err(OpenError::Version(other)),
        };
        read.ok_or(length)
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.under.head().as_slice(), &self.boxed].concat()
    }

    /// What opens it.
    pub const fn under(&self) -> SealedUnder {
        self.under
    }

    pub(super) fn seal(
        under: SealedUnder,
        key: &[u8; KEY_BYTES],
        place: KeyPlace,
        secret: &SigningKey,
        entropy: &dyn Entropy,
    ) -> Self {
        let boxed = encrypt(key, &secret.seed(), &under.aad(place), entropy);
        Self { under, boxed }
    }

    pub(super) fn open(
        &self,
        place: KeyPlace,
        key: &[u8; KEY_BYTES],
    ) -> Result<SigningKey, OpenError> {
        let opened = decrypt(key, &self.boxed, &self.under.aad(place));
        let seed = opened.ok_or(OpenError::Damaged(place))?;
        Ok(SigningKey::from_seed(&seed))
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(under {:?})", self.under)
    }
}

impl SealedUnder {
    /// The version, and which key it is.
    fn head(self) -> Vec<u8> {
        match self {
            Self::DataKey(generation) => {
                [&[UNDER_DATA_KEY], generation.0.to_be_bytes().as_slice()].concat()
            }
            Self::MasterKey(master) => [&[DIRECTLY], master.as_bytes().as_slice()].concat(),
        }
    }

    fn aad(self, place: KeyPlace) -> Vec<u8> {
        [
            b"goodstanding sealed key".as_slice(),
            &self.head(),
            &place.profile.0.to_be_bytes(),
            &place.key.0.to_be_bytes(),
        ]
        .concat()
    }
}

fn data_key_aad(master: MasterKeyId, generation: Generation) -> Vec<u8> {
    [
        b"goodstanding sealed data key".as_slice(),
        &[DATA_KEY_VERSION],
        master.as_bytes(),
        &generation.0.to_be_bytes(),
    ]
    .concat()
}

/// A name of one length, and what is sealed behind it.
fn parts<const N: usize>(bytes: &[u8]) -> Option<([u8; N], Boxed)> {
    let (name, boxed) = bytes.split_first_chunk()?;
    Some((*name, boxed.try_into().ok()?))
}

fn encrypt(
    key: &[u8; KEY_BYTES],
    secret: &[u8; KEY_BYTES],
    aad: &[u8],
    entropy: &dyn Entropy,
) -> Boxed {
    let nonce: [u8; NONCE_BYTES] = random(entropy);
    let payload = Payload { msg: secret, aad };
    let ciphertext = XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(nonce), payload);
    let mut boxed = [0; BOXED_BYTES];
    boxed[..NONCE_BYTES].copy_from_slice(&nonce);
    boxed[NONCE_BYTES..]
        .copy_from_slice(&ciphertext.expect("32 bytes are far below the cipher's limit"));
    boxed
}

fn decrypt(key: &[u8; KEY_BYTES], boxed: &Boxed, aad: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let (nonce, msg) = boxed.split_at(NONCE_BYTES);
    let nonce = XNonce::try_from(nonce).expect("the nonce's room has the nonce's length");
    let opened = XChaCha20Poly1305::new(key.into()).decrypt(&nonce, Payload { msg, aad });
    let opened = Zeroizing::new(opened.ok()?);
    let mut secret = Zeroizing::new([0; KEY_BYTES]);
    (opened.len() == KEY_BYTES).then(|| secret.copy_from_slice(&opened))?;
    Some(secret)
}

/// What older programs wrote, for tests of what is made of it.
#[cfg(test)]
pub(crate) fn sealed_directly(
    master: &super::MasterKey,
    place: KeyPlace,
    key: &SigningKey,
    entropy: &dyn Entropy,
) -> Sealed {
    let under = SealedUnder::MasterKey(master.id());
    Sealed::seal(under, &master.0, place, key, entropy)
}
