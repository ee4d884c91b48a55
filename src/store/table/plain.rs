//! How ids, moments, and what is made of them stand in keys, and plain values in rows.

use super::{FixedKey, Key, Record, known_version};
use crate::ids::{
    AchievementId, ClientId, EndorsementId, KeyId, ListId, PersonId, ProfileId, RequestId,
    Revision, Seq, Slug, SpaceId,
};
use crate::time::Timestamp;

macro_rules! fixed_key {
    ($key:ty, $width:expr, |$this:ident| $bytes:expr, |$read:ident| $value:expr) => {
        impl Key for $key {
            fn encode(&self, out: &mut Vec<u8>) {
                let $this = self;
                out.extend_from_slice(&$bytes);
            }

            fn decode(bytes: &[u8]) -> Option<Self> {
                let $read = <[u8; $width]>::try_from(bytes).ok()?;
                Some($value)
            }
        }

        impl FixedKey for $key {
            const WIDTH: usize = $width;
        }
    };
}

fixed_key!(u32, 4, |key| key.to_be_bytes(), |read| Self::from_be_bytes(
    read
));
fixed_key!(u64, 8, |key| key.to_be_bytes(), |read| Self::from_be_bytes(
    read
));
fixed_key!(ProfileId, 4, |key| key.0.to_be_bytes(), |read| Self(
    u32::from_be_bytes(read)
));
fixed_key!(KeyId, 4, |key| key.0.to_be_bytes(), |read| Self(
    u32::from_be_bytes(read)
));
fixed_key!(Seq, 8, |key| key.0.to_be_bytes(), |read| Self(
    u64::from_be_bytes(read)
));
fixed_key!(Revision, 8, |key| key.0.to_be_bytes(), |read| Self(
    u64::from_be_bytes(read)
));
fixed_key!(ListId, 12, |key| *key.as_bytes(), |read| Self::from_bytes(
    read
));
fixed_key!(SpaceId, 12, |key| *key.as_bytes(), |read| Self::from_bytes(
    read
));
fixed_key!(EndorsementId, 12, |key| *key.as_bytes(), |read| {
    Self::from_bytes(read)
});
fixed_key!(AchievementId, 12, |key| *key.as_bytes(), |read| {
    Self::from_bytes(read)
});
fixed_key!(ClientId, 16, |key| *key.as_bytes(), |read| {
    Self::from_bytes(read)
});
fixed_key!(PersonId, 16, |key| *key.as_bytes(), |read| {
    Self::from_bytes(read)
});
fixed_key!(RequestId, 12, |key| *key.as_bytes(), |read| {
    Self::from_bytes(read)
});

/// Milliseconds since 1970, the sign bit turned over, so that the order of the bytes is the order
/// of time.
impl Key for Timestamp {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.millis() ^ i64::MIN).to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let millis = i64::from_be_bytes(bytes.try_into().ok()?) ^ i64::MIN;
        Some(Self::from_millis(millis)).filter(|at| at.millis() == millis)
    }
}

impl FixedKey for Timestamp {
    const WIDTH: usize = 8;
}

impl<const N: usize> Key for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

impl<const N: usize> FixedKey for [u8; N] {
    const WIDTH: usize = N;
}

/// The one row of a table that has one.
impl Key for () {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(())
    }
}

/// UTF-8, of any length.
impl Key for String {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.to_vec()).ok()
    }
}

/// Its text.
impl Key for Slug {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_str().as_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok()?.parse().ok()
    }
}

/// The first, then the second: rows of one `A` stand together, in the order of `B`.
impl<A: FixedKey, B: Key> Key for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (first, second) = bytes.split_at_checked(A::WIDTH)?;
        Some((A::decode(first)?, B::decode(second)?))
    }
}

impl<A: FixedKey, B: FixedKey> FixedKey for (A, B) {
    const WIDTH: usize = A::WIDTH + B::WIDTH;
}

/// Stored as they are.
impl Record for Vec<u8> {
    const VERSION: u8 = 1;

    fn encode(&self, out: &mut Self) {
        out.extend_from_slice(self);
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, String> {
        known_version::<Self>(version)?;
        Ok(bytes.to_vec())
    }
}

/// Eight bytes, big endian.
impl Record for u64 {
    const VERSION: u8 = 1;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, String> {
        known_version::<Self>(version)?;
        let bytes = bytes
            .try_into()
            .map_err(|_| format!("{} bytes, not 8", bytes.len()))?;
        Ok(Self::from_be_bytes(bytes))
    }
}

/// No bytes: that the row is there is all it says.
impl Record for () {
    const VERSION: u8 = 1;

    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, String> {
        known_version::<Self>(version)?;
        if bytes.is_empty() {
            Ok(())
        } else {
            Err(format!("{} bytes too many", bytes.len()))
        }
    }
}
