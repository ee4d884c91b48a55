//! The names of things. Every id is a type of its own, made only by parsing or by a generator,
//! so that a handler never holds a raw string and a list can never be looked up by a key's number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::entropy::{Entropy, random};

/// Why a text is not an id. The message says what the id has to look like.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not a slug.
    #[error(
        "a slug has 1 to 64 characters from a-z, 0-9 and '-', and neither starts nor ends with '-'"
    )]
    Slug,
    /// Not an id that this registry hands out.
    #[error("an id has 20 characters from 0-9 and a-z without i, l, o and u")]
    Scoped,
    /// Not the id of a client or a person.
    #[error("the id of a client or a person has 32 characters from 0-9 and a-f")]
    Party,
}

/// The name of a profile in URLs: 1 to 64 characters from `a-z`, `0-9` and `-`. Never reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
        if !fits || text.starts_with('-') || text.ends_with('-') {
            return Err(IdError::Slug);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Slug {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The registry's own number for a profile, in order of registration from 1. It leads every key
/// of what the profile owns, so that one tenant's things stand together and apart from others'.
/// [`ProfileId::REGISTRY`] is the registry itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProfileId(pub u32);

impl ProfileId {
    /// The registry itself, as owner of what belongs to no profile.
    pub const REGISTRY: Self = Self(0);
}

/// Counts the changes of one status list, from 1 at its creation; it only grows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of an event in the registry's log: gapless, in commit order, from 1. 0 is "before all".
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a key within its profile, from 1 in order of making; `#key-N` in the DID document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key-{}", self.0)
    }
}

impl FromStr for KeyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix("key-").ok_or(IdError::Scoped)?;
        match digits.parse::<u32>() {
            Ok(number) if number > 0 && number.to_string() == digits => Ok(Self(number)),
            _ => Err(IdError::Scoped),
        }
    }
}

/// Length in bytes of a scoped id: the owner's number (4, big endian), then 8 random bytes.
pub const SCOPED_ID_BYTES: usize = 12;

/// Length in bytes of the id of a client or a person: the owner's number (4, big endian), then 12
/// random bytes.
pub const PARTY_ID_BYTES: usize = 16;

/// An id of what a profile owns: the owner's number leads, so that the stored things of one profile
/// stand together, and the rest is random. It is written and read as text by the functions named.
macro_rules! owned_id {
    ($(#[$doc:meta])* $name:ident, $bytes:ident, $write:ident, $read:ident, $error:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// A new id for something that `owner` owns; its random bits make it unguessable.
            pub fn generate(owner: ProfileId, entropy: &dyn Entropy) -> Self {
                let mut bytes = [0; $bytes];
                bytes[..4].copy_from_slice(&owner.0.to_be_bytes());
                bytes[4..].copy_from_slice(&random::<{ $bytes - 4 }>(entropy));
                Self(bytes)
            }

            /// The profile that owns the thing; [`ProfileId::REGISTRY`] for the registry itself.
            pub fn owner(self) -> ProfileId {
                let [a, b, c, d, ..] = self.0;
                ProfileId(u32::from_be_bytes([a, b, c, d]))
            }

            /// The stored bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// Reads stored bytes back.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&$write(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                $read(text).map(Self).ok_or(IdError::$error)
            }
        }
    };
}

/// Text: 20 characters of lower-case base 32 (Crockford's alphabet).
macro_rules! scoped_id {
    ($(#[$doc:meta])* $name:ident) => {
        owned_id!($(#[$doc])* $name, SCOPED_ID_BYTES, base32, unbase32, Scoped);
    };
}

/// Text: 32 characters of lower-case hexadecimal.
macro_rules! party_id {
    ($(#[$doc:meta])* $name:ident) => {
        owned_id!($(#[$doc])* $name, PARTY_ID_BYTES, hex, unhex, Party);
    };
}

scoped_id!(
    /// A status list.
    ListId
);
scoped_id!(
    /// An index space: the indexes of one issuer over which one or more status lists lie.
    SpaceId
);
scoped_id!(
    /// An endorsement issued here.
    EndorsementId
);
scoped_id!(
    /// An achievement.
    AchievementId
);
scoped_id!(
    /// A request for an endorsement. The accreditor that is asked owns it, so that its queue stands
    /// together.
    RequestId
);
party_id!(
    /// A program that acts for a profile or for the registry: an OAuth 2.0 client.
    ClientId
);
party_id!(
    /// Somebody who signs in on the pages.
    PersonId
);

fn hex(bytes: &[u8; PARTY_ID_BYTES]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; PARTY_ID_BYTES]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let text: &[u8; 2 * PARTY_ID_BYTES] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; PARTY_ID_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

const NO_DIGIT: u8 = 0xff;

/// The place of each letter in the alphabet.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut place = 0;
    while place < ALPHABET.len() {
        digits[ALPHABET[place] as usize] = place as u8;
        place += 1;
    }
    digits
};

fn base32(bytes: &[u8; SCOPED_ID_BYTES]) -> String {
    // 96 bits, then 4 zero bits, so that 20 characters of 5 bits come out.
    let value = bytes
        .iter()
        .fold(0u128, |value, &byte| value << 8 | u128::from(byte))
        << 4;
    (0..20)
        .rev()
        .map(|place| ALPHABET[(value >> (place * 5) & 31) as usize] as char)
        .collect()
}

fn unbase32(text: &str) -> Option<[u8; SCOPED_ID_BYTES]> {
    if text.len() != 20 {
        return None;
    }
    let mut value = 0u128;
    for byte in text.bytes() {
        let digit = DIGITS[usize::from(byte)];
        if digit == NO_DIGIT {
            return None;
        }
        value = value << 5 | u128::from(digit);
    }
    if value & 0xf != 0 {
        return None;
    }
    let mut bytes = [0; SCOPED_ID_BYTES];
    bytes.copy_from_slice(&(value >> 4).to_be_bytes()[4..]);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;

    #[test]
    fn slugs_are_parsed_at_the_edge() {
        for good in ["a", "demo-issuer", "0", &"x".repeat(64)] {
            assert_eq!(good.parse::<Slug>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a/b", "ä", &"x".repeat(65)] {
            assert_eq!(bad.parse::<Slug>(), Err(IdError::Slug), "{bad:?}");
        }
    }

    #[test]
    fn key_ids_have_one_spelling() {
        assert_eq!("key-12".parse::<KeyId>(), Ok(KeyId(12)));
        for bad in ["key-0", "key-01", "key-+1", "12", "key-", "key-4294967296"] {
            assert!(bad.parse::<KeyId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn scoped_ids_lead_with_their_owner() {
        let entropy = SeededEntropy::new(1);
        let list = ListId::generate(ProfileId(7), &entropy);
        assert_eq!(list.owner(), ProfileId(7));
        assert_ne!(list, ListId::generate(ProfileId(7), &entropy));
    }

    #[test]
    fn ids_of_parties_have_one_spelling() {
        let client = ClientId::generate(ProfileId(7), &SeededEntropy::new(1));
        assert_eq!(client.owner(), ProfileId(7));
        let text = client.to_string();
        assert_eq!(text.parse(), Ok(client));
        for bad in [
            "",
            &text[1..],
            &text.to_uppercase(),
            &text.replace('0', "g"),
        ] {
            assert_eq!(bad.parse::<PersonId>(), Err(IdError::Party), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn scoped_ids_survive_their_text(bytes: [u8; SCOPED_ID_BYTES]) {
            let id = ListId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<ListId>(), Ok(id));
        }

        #[test]
        fn every_accepted_text_is_the_only_text_of_its_id(text in "[0-9a-z]{19,21}") {
            if let Ok(id) = text.parse::<ListId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
