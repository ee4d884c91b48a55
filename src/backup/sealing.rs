//! Pieces of backups under a key: what makes a piece unreadable to others, and shows whether it is
//! the piece that was written, whole.
//!
//! ```text
//! at   bytes
//!  0    8    "gs-piece"
//!  8   16    random, for this piece alone
//! 24         chunks of 65,536 bytes, the last one shorter or empty, each with a tag of 16 behind it
//! ```
//!
//! Each chunk is sealed with XChaCha20-Poly1305. Its nonce is the 16 random bytes and the chunk's number
//! (u64, big endian, from 0); associated data, in this order: `goodstanding backup piece 1`, the piece's
//! name (32 bytes), the number, 1 for the last chunk and 0 for others. So a chunk opens in its own place
//! of its own piece alone, and a piece that is cut short has no last chunk.
//!
//! The key of a folder of backups is no master key: who holds the one reads the store's rows, of which
//! secrets are sealed under the other. From its 32 bytes three keys are derived, by HMAC-SHA-256 over
//! labels: for sealing, for naming pieces, and for vouching for manifests.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ring::hmac;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::entropy::{Entropy, random};

/// Bytes of content in each chunk but the last.
pub(super) const CHUNK_BYTES: usize = 65_536;
/// Bytes that each chunk takes more than its content.
pub(super) const TAG_BYTES: usize = 16;
/// Bytes before the first chunk.
pub(super) const HEAD_BYTES: usize = MAGIC.len() + SALT_BYTES;

const MAGIC: [u8; 8] = *b"gs-piece";
const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

/// What a piece is called: SHA-256 of its content, or where it is sealed, HMAC-SHA-256 of that, so that
/// nobody without the key can tell whether a known content is among the pieces.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PieceName([u8; 32]);

/// The key under which backups are sealed. Its bytes are wiped when dropped, and `Debug` shows its id
/// alone.
pub struct BackupKey {
    seal: Zeroizing<[u8; KEY_BYTES]>,
    names: hmac::Key,
    manifests: hmac::Key,
    id: BackupKeyId,
}

/// Tells backup keys apart without saying anything about them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BackupKeyId(String);

/// Why a text is not a backup key. The text itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BackupKeyError {
    /// Not as it is written.
    #[error("a backup key is one line of 64 hexadecimal digits, as `backup --make-key` writes it")]
    Form,
    /// All 32 bytes are the same: a placeholder, not a key.
    #[error("the backup key is a placeholder (all bytes are equal); have one made with --make-key")]
    Placeholder,
}

/// Why a sealed piece does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// It does not begin as one.
    #[error("it does not begin as a sealed piece does")]
    Head,
    /// The chunk was changed, or is another one's, or the piece is cut short or goes on.
    #[error(
        "chunk {0} was changed, is out of its place, or is not the last one where the piece ends"
    )]
    Chunk(u64),
}

/// Whether a piece ends with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Another one follows.
    Within,
    /// It is the last one.
    Last,
}

impl PieceName {
    /// Of bytes whose SHA-256 this is.
    pub fn of(digest: [u8; 32], key: Option<&BackupKey>) -> Self {
        match key {
            None => Self(digest),
            Some(key) => {
                let mut name = [0; 32];
                name.copy_from_slice(hmac::sign(&key.names, &digest).as_ref());
                Self(name)
            }
        }
    }
}

impl fmt::Display for PieceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PieceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<PieceName> for String {
    fn from(name: PieceName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for PieceName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        unhex(&text)
            .map(Self)
            .ok_or("the name of a piece has 64 hexadecimal digits")
    }
}

impl BackupKey {
    /// A new key, as the text of its file.
    pub fn generate(entropy: &dyn Entropy) -> Zeroizing<String> {
        let bytes: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(random(entropy));
        Zeroizing::new(hex(&*bytes) + "\n")
    }

    /// Reads the text of a key's file.
    ///
    /// # Errors
    /// Any other text than one line of 64 hexadecimal digits.
    pub fn from_text(text: &str) -> Result<Self, BackupKeyError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let bytes: [u8; KEY_BYTES] = unhex(line).ok_or(BackupKeyError::Form)?;
        let bytes = Zeroizing::new(bytes);
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(BackupKeyError::Placeholder);
        }
        let root = hmac::Key::new(hmac::HMAC_SHA256, &*bytes);
        let derived = |label: &str| {
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            key.copy_from_slice(hmac::sign(&root, label.as_bytes()).as_ref());
            key
        };
        let mac = |label: &str| hmac::Key::new(hmac::HMAC_SHA256, &*derived(label));
        let id = hex(&derived("goodstanding backup key id 1")[..8]);
        Ok(Self {
            seal: derived("goodstanding backup seal 1"),
            names: mac("goodstanding backup names 1"),
            manifests: mac("goodstanding backup manifests 1"),
            id: BackupKeyId(id),
        })
    }

    /// What backups name it by.
    pub const fn id(&self) -> &BackupKeyId {
        &self.id
    }

    /// What vouches for a manifest of these bytes.
    pub(super) fn vouch(&self, manifest: &[u8]) -> String {
        hex(hmac::sign(&self.manifests, manifest).as_ref())
    }

    /// Whether that vouches for it.
    pub(super) fn vouches(&self, manifest: &[u8], tag: &str) -> bool {
        unhex(tag)
            .is_some_and(|tag: [u8; 32]| hmac::verify(&self.manifests, manifest, &tag).is_ok())
    }
}

impl fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackupKey({})", self.id)
    }
}

impl fmt::Display for BackupKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BackupKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Seals or opens the chunks of one piece, in their order.
pub(super) struct Chunks {
    cipher: XChaCha20Poly1305,
    name: PieceName,
    salt: [u8; SALT_BYTES],
    number: u64,
}

impl Chunks {
    /// Of a piece that is written.
    pub(super) fn to_write(key: &BackupKey, name: PieceName, entropy: &dyn Entropy) -> Self {
        Self::of(key, name, random(entropy))
    }

    /// Of a piece that begins with these bytes.
    ///
    /// # Errors
    /// It does not begin as a sealed piece.
    pub(super) fn to_read(
        key: &BackupKey,
        name: PieceName,
        head: &[u8; HEAD_BYTES],
    ) -> Result<Self, SealError> {
        match head.split_first_chunk() {
            Some((magic, salt)) if *magic == MAGIC => {
                let salt = salt.try_into().map_err(|_| SealError::Head)?;
                Ok(Self::of(key, name, salt))
            }
            _ => Err(SealError::Head),
        }
    }

    fn of(key: &BackupKey, name: PieceName, salt: [u8; SALT_BYTES]) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new((&*key.seal).into()),
            name,
            salt,
            number: 0,
        }
    }

    /// What the piece begins with.
    pub(super) fn head(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[..MAGIC.len()].copy_from_slice(&MAGIC);
        head[MAGIC.len()..].copy_from_slice(&self.salt);
        head
    }

    /// The next chunk, sealed.
    pub(super) fn seal(&mut self, content: &[u8], place: Place) -> Vec<u8> {
        let (nonce, aad) = self.bound_to(place);
        let payload = Payload {
            msg: content,
            aad: &aad,
        };
        let sealed = self.cipher.encrypt(&nonce, payload);
        self.number += 1;
        sealed.expect("a chunk is far below the cipher's limit")
    }

    /// The next chunk, opened.
    ///
    /// # Errors
    /// It is not the one that was sealed for this place.
    pub(super) fn open(&mut self, sealed: &[u8], place: Place) -> Result<Vec<u8>, SealError> {
        let (nonce, aad) = self.bound_to(place);
        let payload = Payload {
            msg: sealed,
            aad: &aad,
        };
        let opened = self.cipher.decrypt(&nonce, payload);
        let opened = opened.map_err(|_| SealError::Chunk(self.number))?;
        self.number += 1;
        Ok(opened)
    }

    fn bound_to(&self, place: Place) -> (XNonce, Vec<u8>) {
        let mut nonce = [0; SALT_BYTES + 8];
        nonce[..SALT_BYTES].copy_from_slice(&self.salt);
        nonce[SALT_BYTES..].copy_from_slice(&self.number.to_be_bytes());
        let mut aad = b"goodstanding backup piece 1".to_vec();
        aad.extend(self.name.0);
        aad.extend(self.number.to_be_bytes());
        aad.push(u8::from(place == Place::Last));
        (XNonce::from(nonce), aad)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// So many bytes in lower or upper case; nothing else.
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    fn key(seed: u64) -> BackupKey {
        BackupKey::from_text(&BackupKey::generate(&SeededEntropy::new(seed))).unwrap()
    }

    fn name(content: &[u8], key: &BackupKey) -> PieceName {
        PieceName::of(Sha256::digest(content).into(), Some(key))
    }

    fn sealed(chunks: &[Vec<u8>], key: &BackupKey, name: PieceName) -> (Chunks, Vec<Vec<u8>>) {
        let mut to_write = Chunks::to_write(key, name, &SeededEntropy::new(9));
        let head = to_write.head();
        let last = chunks.len() - 1;
        let sealed = chunks.iter().enumerate().map(|(n, chunk)| {
            let place = if n == last {
                Place::Last
            } else {
                Place::Within
            };
            to_write.seal(chunk, place)
        });
        let sealed = sealed.collect();
        (Chunks::to_read(key, name, &head).unwrap(), sealed)
    }

    fn open(mut reading: Chunks, sealed: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, SealError> {
        let last = sealed.len().saturating_sub(1);
        let opened = sealed.iter().enumerate().map(|(n, chunk)| {
            let place = if n == last {
                Place::Last
            } else {
                Place::Within
            };
            reading.open(chunk, place)
        });
        opened.collect()
    }

    fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6)
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_in_its_own_place_alone(chunks in chunks(), one in 0usize..6, other in 0usize..6) {
            let key = key(1);
            let name = name(&chunks.concat(), &key);
            let (reading, sealed) = sealed(&chunks, &key, name);
            prop_assert_eq!(open(reading, &sealed), Ok(chunks.clone()));
            // Swapped.
            let (one, other) = (one % sealed.len(), other % sealed.len());
            let again = || sealed_again(&chunks, &key, name);
            let mut swapped = sealed.clone();
            swapped.swap(one, other);
            prop_assert_eq!(open(again(), &swapped).is_ok(), one == other);
            // Cut short, down to nothing but its head.
            for kept in 1..sealed.len() {
                prop_assert!(open(again(), &sealed[..kept]).is_err());
            }
            // One left out before the last.
            let mut without = sealed.clone();
            without.remove(one);
            prop_assert!(without.is_empty() || open(again(), &without).is_err());
            // As another piece, and under another key.
            let other = PieceName([7; 32]);
            prop_assert!(open(sealed_again(&chunks, &key, other), &sealed).is_err());
            let stranger = self::key(2);
            prop_assert!(open(sealed_again(&chunks, &stranger, name), &sealed).is_err());
        }

        #[test]
        fn no_byte_can_be_changed(chunks in chunks(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let key = key(1);
            let name = name(&chunks.concat(), &key);
            let (reading, mut sealed) = sealed(&chunks, &key, name);
            let mut places: Vec<&mut u8> = sealed.iter_mut().flatten().collect();
            let place = at.index(places.len());
            *places[place] ^= 1 << bit;
            prop_assert!(open(reading, &sealed).is_err());
        }
    }

    fn sealed_again(chunks: &[Vec<u8>], key: &BackupKey, name: PieceName) -> Chunks {
        sealed(chunks, key, name).0
    }

    #[test]
    fn a_key_is_read_as_it_is_written_and_shows_its_id_alone() {
        let text = BackupKey::generate(&SeededEntropy::new(1));
        assert_eq!(text.len(), 65);
        let key = BackupKey::from_text(&text).unwrap();
        assert_eq!(format!("{key:?}"), format!("BackupKey({})", key.id()));
        assert!(!text.contains(&key.id().to_string()));
        for (bad, why) in [
            ("", BackupKeyError::Form),
            ("00", BackupKeyError::Form),
            (&format!("{}x\n", &text[..63]), BackupKeyError::Form),
            (&format!("{}\n\n", &text[..64]), BackupKeyError::Form),
            (&"7f".repeat(32), BackupKeyError::Placeholder),
        ] {
            assert_eq!(BackupKey::from_text(bad).err(), Some(why), "{bad:?}");
        }
    }

    #[test]
    fn names_and_seals_do_not_change() {
        let key = key(1);
        assert_eq!(key.id().to_string(), ID);
        assert_eq!(name(b"abc", &key).to_string(), NAME);
        let plain = PieceName::of(Sha256::digest(b"abc").into(), None);
        // NIST's example.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(plain.to_string(), known);
        let mut chunks = Chunks::to_write(&key, plain, &SeededEntropy::new(9));
        assert_eq!(hex(&chunks.seal(b"abc", Place::Last)), SEALED);
    }

    /// Computed with Python's hmac and hashlib.
    const ID: &str = "1d87aacd849ee7ae";
    const NAME: &str = "401bde61aa2b7629d125e069be85cf757ab513802dd15d71e311f79474f1eb82";
    /// Computed with an implementation of the cipher in Python, made after its draft.
    const SEALED: &str = "f3313d4899525934053963daf70cda287b1c3a";
}
