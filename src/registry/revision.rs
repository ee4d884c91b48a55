//! Where a caller has seen the registry: an answer to a change names a place in the log that shows it, and
//! whoever brings that along is not told of an older state, by whichever process.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Registry;
use crate::ids::Seq;

/// A place in the log, in the epoch in which it was named. Its text means nothing to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    epoch: u32,
    seq: Seq,
}

/// A text that names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no revision that a registry named")]
pub struct NoPlace;

/// `epoch u32 | seq u64` in base64url, 16 characters.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.epoch.to_be_bytes());
        bytes[4..].copy_from_slice(&self.seq.0.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut bytes = [0; 12];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(12) if text.len() == 16 => {}
            _ => return Err(NoPlace),
        }
        let [a, b, c, d, seq @ ..] = bytes;
        Ok(Self {
            epoch: u32::from_be_bytes([a, b, c, d]),
            seq: Seq(u64::from_be_bytes(seq)),
        })
    }
}

impl Registry {
    /// The newest place that this process shows.
    pub fn newest_place(&self) -> Place {
        Place {
            epoch: self.engine.epoch(),
            seq: self.engine.head().seq,
        }
    }

    /// The place of an event, as this process names it.
    pub fn place_at(&self, seq: Seq) -> Place {
        let epoch = self.engine.epoch();
        Place { epoch, seq }
    }

    /// Whether all that was there at a place is shown by now, as far as it was not lost: what was named
    /// before the store was taken as it was found is here, or never will be.
    pub fn shows(&self, place: Place) -> bool {
        let epoch = self.engine.epoch();
        place.epoch < epoch || (place.epoch == epoch && self.engine.head().seq >= place.seq)
    }

    /// The same, where that may be waited for until that moment, on a thread that may block. What another
    /// process has committed comes a moment later; what nobody has is waited for in vain.
    pub fn comes_to_show(&self, place: Place, until: Instant) -> bool {
        let may_come = place.epoch == self.engine.epoch();
        self.shows(place) || (may_come && self.engine.reaches(place.seq, until))
    }

    /// Whether this process is to do what one is enough for, where several share a store.
    pub fn leads(&self) -> bool {
        self.engine.leads()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_has_one_text(epoch: u32, seq: u64, other in "[A-Za-z0-9_=+/-]{0,20}") {
            let place = Place { epoch, seq: Seq(seq) };
            let text = place.to_string();
            prop_assert_eq!(text.len(), 16);
            prop_assert_eq!(text.parse(), Ok(place));
            if let Ok(place) = other.parse::<Place>() {
                prop_assert_eq!(place.to_string(), other);
            }
        }
    }
}
