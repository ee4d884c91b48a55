//! Signing keys at rest: sealed under a master key that stands outside the store.
//!
//! One layer is enough: a sealed key is as small as the data key that a second layer would seal,
//! so that changing the master key means sealing each of them anew either way.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::keys::{KEY_BYTES, SigningKey};
use crate::entropy::{Entropy, random};
use crate::ids::{KeyId, ProfileId};

/// Length in bytes of a sealed signing key.
pub const SEALED_BYTES: usize = 1 + ID_BYTES + NONCE_BYTES + KEY_BYTES + TAG_BYTES;

const VERSION: u8 = 1;
const ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const NONCE_AT: usize = 1 + ID_BYTES;
const CIPHERTEXT_AT: usize = NONCE_AT + NONCE_BYTES;

/// The key under which signing keys are sealed. It comes from a file beside the store, never from
/// the store itself; it is wiped when dropped, and `Debug` shows its id alone.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; KEY_BYTES]);

/// Tells master keys apart without saying anything about them: the first 8 bytes of SHA-256 over
/// a label and the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MasterKeyId([u8; ID_BYTES]);

/// Which key of which profile a sealed secret is. It is bound into the seal, so that a sealed key
/// that was moved to another row does not open there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPlace {
    /// The profile; [`ProfileId::REGISTRY`] for the registry's own keys.
    pub profile: ProfileId,
    /// The key's number within it.
    pub key: KeyId,
}

/// A signing key, sealed with XChaCha20-Poly1305.
///
/// ```text
/// | version: 1 byte = 1 | master key id: 8 | nonce: 24, random | ciphertext: 32 | tag: 16 |
/// ```
/// The seed is the plaintext. Associated data, in this order: `goodstanding sealed key`, version,
/// master key id, profile number (u32, big endian), key number (u32, big endian).
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed([u8; SEALED_BYTES]);

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
    #[error("a sealed key has {SEALED_BYTES} bytes, and this one has {0}: the row is damaged")]
    Length(usize),
    /// Written by a newer program.
    #[error("the sealed key has format {0}, and this program reads format {VERSION}")]
    Version(u8),
    /// Sealed under another master key.
    #[error("the key is sealed under master key {sealed}, and the one given is {given}")]
    WrongMasterKey {
        /// The master key that opens it.
        sealed: MasterKeyId,
        /// The one at hand.
        given: MasterKeyId,
    },
    /// The bytes were changed, or moved here from the row of another key.
    #[error(
        "the sealed key {} of profile {} was changed, or belongs to another key: restore the row",
        .0.key, .0.profile.0
    )]
    Damaged(KeyPlace),
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

    /// Seals `key` for its place. The nonce is random, so that sealing twice differs.
    pub fn seal(&self, place: KeyPlace, key: &SigningKey, entropy: &dyn Entropy) -> Sealed {
        let nonce: [u8; NONCE_BYTES] = random(entropy);
        let ciphertext = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &*key.seed(),
                    aad: &associated_data(self.id(), place),
                },
            )
            .expect("32 bytes are far below the cipher's limit");
        let mut sealed = [0; SEALED_BYTES];
        sealed[0] = VERSION;
        sealed[1..NONCE_AT].copy_from_slice(&self.id().0);
        sealed[NONCE_AT..CIPHERTEXT_AT].copy_from_slice(&nonce);
        sealed[CIPHERTEXT_AT..].copy_from_slice(&ciphertext);
        Sealed(sealed)
    }

    /// Opens what [`Self::seal`] sealed for the same place.
    ///
    /// # Errors
    /// Another master key, and bytes that were changed or moved.
    pub fn open(&self, place: KeyPlace, sealed: &Sealed) -> Result<SigningKey, OpenError> {
        if sealed.master_key() != self.id() {
            return Err(OpenError::WrongMasterKey {
                sealed: sealed.master_key(),
                given: self.id(),
            });
        }
        let nonce = XNonce::try_from(&sealed.0[NONCE_AT..CIPHERTEXT_AT])
            .expect("the nonce's room has the nonce's length");
        let aad = associated_data(self.id(), place);
        let payload = Payload {
            msg: &sealed.0[CIPHERTEXT_AT..],
            aad: &aad,
        };
        let opened = self.cipher().decrypt(&nonce, payload);
        let opened = Zeroizing::new(opened.map_err(|_| OpenError::Damaged(place))?);
        let seed = opened
            .as_slice()
            .try_into()
            .map_err(|_| OpenError::Damaged(place))?;
        Ok(SigningKey::from_seed(seed))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0).into())
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

impl Sealed {
    /// Reads stored bytes back.
    ///
    /// # Errors
    /// Another length or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OpenError> {
        let sealed: [u8; SEALED_BYTES] = bytes
            .try_into()
            .map_err(|_| OpenError::Length(bytes.len()))?;
        if sealed[0] != VERSION {
            return Err(OpenError::Version(sealed[0]));
        }
        Ok(Self(sealed))
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; SEALED_BYTES] {
        &self.0
    }

    /// The master key that opens it.
    pub fn master_key(&self) -> MasterKeyId {
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&self.0[1..NONCE_AT]);
        MasterKeyId(id)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(under {})", self.master_key())
    }
}

fn associated_data(id: MasterKeyId, place: KeyPlace) -> Vec<u8> {
    [
        b"goodstanding sealed key".as_slice(),
        &[VERSION],
        &id.0,
        &place.profile.0.to_be_bytes(),
        &place.key.0.to_be_bytes(),
    ]
    .concat()
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
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;

    const PLACE: KeyPlace = KeyPlace {
        profile: ProfileId(7),
        key: KeyId(2),
    };

    fn sealed() -> (MasterKey, SigningKey, Sealed) {
        let entropy = SeededEntropy::new(1);
        let (master, key) = (
            MasterKey::generate(&entropy),
            SigningKey::generate(&entropy),
        );
        let sealed = master.seal(PLACE, &key, &entropy);
        (master, key, sealed)
    }

    #[test]
    fn the_stored_bytes_are_as_drawn() {
        let (master, key, sealed) = sealed();
        let bytes = sealed.as_bytes();
        assert_eq!((bytes.len(), bytes[0]), (81, 1));
        assert_eq!(bytes[1..9], master.id().0);
        let aad = [
            b"goodstanding sealed key\x01".as_slice(),
            &bytes[1..9],
            &[0, 0, 0, 7, 0, 0, 0, 2],
        ]
        .concat();
        let nonce = XNonce::try_from(&bytes[9..33]).unwrap();
        let payload = Payload {
            msg: &bytes[33..],
            aad: &aad,
        };
        let opened = XChaCha20Poly1305::new((&master.0).into())
            .decrypt(&nonce, payload)
            .unwrap();
        assert_eq!(opened, *key.seed());
    }

    #[test]
    fn a_sealed_key_opens_only_in_its_place() {
        let (master, key, sealed) = sealed();
        let opened = master.open(PLACE, &sealed).unwrap();
        assert_eq!(opened.public(), key.public());
        let elsewhere = KeyPlace {
            profile: ProfileId(8),
            ..PLACE
        };
        assert_eq!(
            master.open(elsewhere, &sealed).err(),
            Some(OpenError::Damaged(elsewhere))
        );
        let other_key = KeyPlace {
            key: KeyId(3),
            ..PLACE
        };
        assert_eq!(
            master.open(other_key, &sealed).err(),
            Some(OpenError::Damaged(other_key))
        );
        let again = master.seal(PLACE, &key, &SeededEntropy::new(9));
        assert_ne!(again, sealed);
    }

    #[test]
    fn a_wrong_master_key_is_named_as_such() {
        let (master, _, sealed) = sealed();
        let other = MasterKey::generate(&SeededEntropy::new(2));
        let error = other.open(PLACE, &sealed).err().unwrap();
        assert_eq!(
            error,
            OpenError::WrongMasterKey {
                sealed: master.id(),
                given: other.id()
            }
        );
        assert!(error.to_string().contains(&master.id().to_string()));
    }

    #[test]
    fn lengths_and_versions_are_checked() {
        let (_, _, sealed) = sealed();
        assert_eq!(Sealed::from_bytes(sealed.as_bytes()), Ok(sealed.clone()));
        let mut newer = *sealed.as_bytes();
        newer[0] = 2;
        assert_eq!(Sealed::from_bytes(&newer), Err(OpenError::Version(2)));
        assert_eq!(Sealed::from_bytes(&newer[1..]), Err(OpenError::Length(80)));
        assert_eq!(Sealed::from_bytes(&[]), Err(OpenError::Length(0)));
    }

    #[test]
    fn a_master_key_is_read_in_two_forms() {
        let hexadecimal = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
        let base64url = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        for text in [hexadecimal, base64url] {
            for ending in ["", "\n", "\r\n"] {
                let key = MasterKey::from_text(&format!("{text}{ending}")).unwrap();
                assert_eq!(*key.to_text(), base64url);
            }
        }
        let long = format!("{hexadecimal}0");
        let spaced = format!(" {base64url}");
        let twice = format!("{base64url}\n\n");
        let loose = base64url.replace("h8", "h9");
        let padded = format!("{base64url}=");
        let letters = "g".repeat(64);
        let wide = "ä".repeat(32);
        for bad in [
            "", "\n", &long, &spaced, &twice, &loose, &padded, &letters, &wide,
        ] {
            assert_eq!(
                MasterKey::from_text(bad).err(),
                Some(MasterKeyError::Form),
                "{bad:?}"
            );
        }
        let zeros = MasterKey::from_text(&"0".repeat(64)).err();
        assert_eq!(zeros, Some(MasterKeyError::Placeholder));
    }

    #[test]
    fn a_master_key_does_not_show_itself() {
        let (master, key, sealed) = sealed();
        let shown = format!("{master:?} {key:?} {sealed:?}");
        assert!(!shown.contains(&*master.to_text()), "{shown}");
        assert_eq!(
            format!("{master:?}"),
            format!("MasterKey(id {})", master.id())
        );
    }

    proptest! {
        #[test]
        fn every_key_comes_back_and_no_changed_bit_opens(
            seed: [u8; 32],
            master: u64,
            profile: u32,
            key: u32,
            bit in 0..SEALED_BYTES * 8,
        ) {
            let entropy = SeededEntropy::new(master);
            let master = MasterKey::generate(&entropy);
            let place = KeyPlace { profile: ProfileId(profile), key: KeyId(key) };
            let sealed = master.seal(place, &SigningKey::from_seed(&seed), &entropy);
            prop_assert_eq!(*master.open(place, &sealed).unwrap().seed(), seed);
            let mut bytes = *sealed.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let tampered = Sealed::from_bytes(&bytes).and_then(|sealed| master.open(place, &sealed));
            prop_assert!(tampered.is_err());
        }

        #[test]
        fn a_master_key_survives_its_text(seed: u64) {
            let key = MasterKey::generate(&SeededEntropy::new(seed));
            prop_assert_eq!(MasterKey::from_text(&key.to_text()).unwrap().id(), key.id());
        }
    }
}
