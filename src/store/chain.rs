//! Whether the log is whole: each event's digest closes over the one before it, so that events which
//! are missing in the middle, or are not those that were written, are noticed wherever they stand.
//!
//! An anchor says what the end of the log has to be. A hole further back leaves the end as it was: an
//! engine whose files were put together from several moments may lose what was written between them and
//! say nothing. Since every change of a status is an event in the same batch, whatever such a hole
//! swallowed of the other tables leaves a gap here. When a store is opened, its newest events are
//! checked before anybody reads; an engine on a disk checks the rest while it serves.
//!
//! Where it was decided to take a store as it was found although its log is broken, a row of `meta`
//! says up to where ([`format::broken_up_to_key`]); what stands before it is not looked at again.

use super::engine::{DIGEST_BYTES, Read, Stopped, StoreError};
use super::format::{self, corrupt};
use crate::ids::Seq;

/// So many of the newest events are checked when a store is opened: some tens of milliseconds.
pub(super) const CHECKED_AT_START: u64 = 16_384;

/// So many events are read in one go.
const EVENTS_AT_ONCE: usize = 1_024;

/// A check that has come so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    seq: Seq,
    digest: [u8; DIGEST_BYTES],
}

/// What a step of a check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Links {
    /// Whole so far, and there is more.
    More,
    /// Whole up to the last event that was to be checked.
    Whole,
    /// The log does not go on with this event as it was written.
    Broken(Seq),
}

impl Links {
    /// Why a store with such a log takes no writes.
    pub(super) const fn stopped(self) -> Option<Stopped> {
        match self {
            Self::Broken(at) => Some(Stopped::LogDamaged(at)),
            Self::More | Self::Whole => None,
        }
    }
}

impl Chain {
    /// A check that begins behind `seq`, or behind what was decided to be left alone.
    pub(super) fn behind(read: &dyn Read, seq: Seq) -> Result<Self, StoreError> {
        let seq = seq.max(left_alone(read)?);
        // Where the event itself is missing, nothing fits behind it either.
        let digest = format::digest_at(read, seq)?.unwrap_or([0xff; DIGEST_BYTES]);
        Ok(Self { seq, digest })
    }

    /// The newest event that was checked.
    #[cfg(feature = "rocksdb")]
    pub(super) const fn seq(&self) -> Seq {
        self.seq
    }

    /// Checks some more events, up to `last`.
    pub(super) fn go_on(&mut self, read: &dyn Read, last: Seq) -> Result<Links, StoreError> {
        if self.seq >= last {
            return Ok(Links::Whole);
        }
        let events = format::changes(read, self.seq, EVENTS_AT_ONCE)?;
        if events.is_empty() {
            return Ok(Links::Broken(Seq(self.seq.0 + 1)));
        }
        for event in events {
            let next = Seq(self.seq.0 + 1);
            let digest = format::link(&self.digest, next, event.at, &event.body);
            if (event.seq, event.digest) != (next, digest) {
                return Ok(Links::Broken(next));
            }
            self.seq = next;
            self.digest = digest;
            if next == last {
                return Ok(Links::Whole);
            }
        }
        Ok(Links::More)
    }
}

/// Checks all events behind `since`, up to `last`.
pub(super) fn check(read: &dyn Read, since: Seq, last: Seq) -> Result<Links, StoreError> {
    let mut chain = Chain::behind(read, since)?;
    loop {
        match chain.go_on(read, last)? {
            Links::More => {}
            found => return Ok(found),
        }
    }
}

/// The newest event before which nothing is checked; 0 where nobody decided that.
fn left_alone(read: &dyn Read) -> Result<Seq, StoreError> {
    let Some(row) = read.get(&format::broken_up_to_key())? else {
        return Ok(Seq(0));
    };
    let seq = row.try_into();
    let seq = seq.map_err(|_| corrupt("meta", "where the log is left alone is not eight bytes"))?;
    Ok(Seq(u64::from_be_bytes(seq)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::{LoggedEvent, Row};
    use crate::store::memory::Rows;
    use crate::time::Timestamp;

    const EVENTS: u64 = 2_500;

    fn log() -> Vec<Row> {
        let mut digest = [0; DIGEST_BYTES];
        let event = |n| {
            let (seq, at) = (Seq(n), Timestamp::from_millis(n as i64));
            let body = n.to_be_bytes().to_vec();
            digest = format::link(&digest, seq, at, &body);
            format::event_row(&LoggedEvent {
                seq,
                at,
                digest,
                body,
            })
        };
        (1..=EVENTS).map(event).collect()
    }

    fn checked(rows: Vec<Row>, since: u64) -> Links {
        let rows: Rows = rows.into_iter().collect();
        check(&rows, Seq(since), Seq(EVENTS)).unwrap()
    }

    #[test]
    fn a_whole_log_is_whole_from_wherever_it_is_read() {
        for since in [0, 1, 1_023, 1_024, 2_048, 2_499, 2_500, 9_999] {
            assert_eq!(checked(log(), since), Links::Whole, "{since}");
        }
        let empty = Rows::default();
        assert_eq!(check(&empty, Seq(0), Seq(0)), Ok(Links::Whole));
    }

    #[test]
    fn whatever_is_missing_or_another_is_noticed() {
        for at in [1, 2, 1_024, 1_025, 2_499, 2_500] {
            let place = at as usize - 1;
            let mut one_less = log();
            one_less.remove(place);
            assert_eq!(checked(one_less, 0), Links::Broken(Seq(at)));
            for byte in [7, 8, 39, 40, 47] {
                let mut other = log();
                other[place].1[byte] ^= 1;
                assert_eq!(checked(other, 0), Links::Broken(Seq(at)), "byte {byte}");
            }
        }
        let hole: Vec<_> = log().into_iter().take(900).collect();
        let hole = hole.into_iter().chain(log().split_off(2_200)).collect();
        assert_eq!(checked(hole, 0), Links::Broken(Seq(901)));
    }

    #[test]
    fn what_was_decided_to_be_left_alone_is_not_looked_at() {
        let decided = |seq: u64| {
            let mut rows = log();
            rows.remove(99);
            rows.push((format::broken_up_to_key(), seq.to_be_bytes().to_vec()));
            rows
        };
        assert_eq!(checked(decided(98), 0), Links::Broken(Seq(100)));
        assert_eq!(checked(decided(99), 0), Links::Broken(Seq(100)));
        assert_eq!(
            checked(decided(100), 0),
            Links::Broken(Seq(101)),
            "it is not there"
        );
        assert_eq!(checked(decided(101), 0), Links::Whole);
        assert_eq!(checked(decided(EVENTS), 0), Links::Whole);
    }
}
