//! The rows that are the engine's own: the version of the format, the head of the log, and the
//! log. Every engine keeps them in the same bytes.
//!
//! ```text
//! key                          value
//! 01 | "format"                format u32
//! 02                           seq u64 | at i64 | digest 32 | clock i64
//! 03 | seq u64                 at i64 | digest 32 | body
//! 04 | who u32 | seq u64       (nothing: an event that is their affair)
//! ```
//!
//! Numbers are big endian, times milliseconds since 1970. Tags 05 to 07 are kept for later rows of
//! the engine. `clock` is the time of the newest batch, one without events included, so that time
//! never runs backwards over a restart, whatever the machine's clock does. The digest of an event
//! closes the chain over all events before it:
//!
//! ```text
//! SHA-256("goodstanding event 1" | digest of the event before 32 | seq u64 | at i64 | body)
//! ```
//!
//! where the digest before the first event is 32 zeros. The format's version covers these rows,
//! the spelling of all keys, and which tables there are; the values of tables carry versions of
//! their own. The row of the version keeps its shape in every format to come, so that each program
//! can tell a store that it does not know.
//!
//! | format | since then |
//! |---|---|
//! | 1 | |
//! | 2 | the past of lists is kept: `past states`, `past pages`, `page runs` |
//! | 3 | lists are published in several forms, each a row of `artefacts`, and renewed: `published
//! tokens`, `renewals`; spaces can be brought along: `occupied` |
//! | 4 | the log is also kept by whose affair an event is; tokens and reasons stand under whom they
//! belong to, records of endorsements also under what they endorse |

use sha2::{Digest as _, Sha256};

use super::codec::{CodecError, Reader};
use super::engine::{DIGEST_BYTES, Head, LoggedEvent, Read, Row, StoreError};
use super::staging::Writes;
use super::table::LAST_RESERVED_TAG;
use super::upgrade;
use crate::ids::Seq;
use crate::time::Timestamp;

/// The format that this program writes, and the only one that it reads. A store of an older one is
/// brought up to it when it is opened, before anything else is read.
pub const FORMAT: u32 = 4;

const META_TAG: u8 = 0x01;
const HEAD_TAG: u8 = 0x02;
const EVENTS_TAG: u8 = 0x03;
const PLACES_TAG: u8 = 0x04;

/// Where the store stands: what the head row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    /// The newest event.
    pub(super) head: Head,
    /// When the newest batch was committed, whether it had events or not.
    pub(super) clock: Timestamp,
}

/// A store that is being opened: nobody else reads or writes it yet.
pub(super) trait Opening: Read {
    /// Writes all of it or nothing, and returns when it is durable.
    fn write(&mut self, writes: Writes) -> Result<(), StoreError>;
}

/// Every engine comes up through here: a store without rows is made one of this format, one of an
/// older format is brought up to it, and any other is refused; its log must end where the head row
/// says. Returns where the store stands.
pub(super) fn open(store: &mut dyn Opening) -> Result<Tip, StoreError> {
    let Some(found) = store.get(&format_key())? else {
        if !store.scan(&[], &[0xff], 1)?.is_empty() {
            let reason = "the store has rows and no version of its format";
            return Err(corrupt("meta", reason));
        }
        store.write(new_store())?;
        return Ok(Tip::EMPTY);
    };
    let found = read_format(&found)?;
    if !(upgrade::OLDEST..=FORMAT).contains(&found) {
        return Err(StoreError::Format {
            found,
            known: FORMAT,
        });
    }
    let head = store
        .get(&head_key())?
        .ok_or_else(|| corrupt("head", "the row is missing"))?;
    let tip = Tip::decode(&head)?;
    ends_at(store, tip.head)?;
    upgrade::bring_up(store, found)?;
    Ok(tip)
}

/// Up to `limit` events after `since`, in order.
pub(super) fn changes(
    read: &dyn Read,
    since: Seq,
    limit: usize,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let Some(first) = since.0.checked_add(1) else {
        return Ok(Vec::new());
    };
    let rows = read.scan(&event_key(Seq(first)), &[EVENTS_TAG + 1], limit)?;
    rows.iter()
        .map(|(key, value)| decode_event(key, value))
        .collect()
}

/// Up to `limit` events after `since` that are the affair of `who`, in order.
pub(super) fn changes_of(
    read: &dyn Read,
    who: u32,
    since: Seq,
    limit: usize,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let Some(first) = since.0.checked_add(1) else {
        return Ok(Vec::new());
    };
    let mut end = place_key(who, Seq(u64::MAX));
    end.push(0);
    let places = read.scan(&place_key(who, Seq(first)), &end, limit)?;
    let keys = places.iter().map(|(key, _)| event_key(seq_of_place(key)));
    let keys: Vec<_> = keys.collect();
    let rows = keys.iter().zip(read.multi_get(&keys)?);
    rows.map(|(key, row)| {
        let missing = || corrupt("events", "an event that somebody's places name is missing");
        decode_event(key, &row.ok_or_else(missing)?)
    })
    .collect()
}

/// The digest chain's next link: over the digest before, and the event with its place and time.
/// Whoever holds the events can recompute the chain with it.
pub fn link(
    before: &[u8; DIGEST_BYTES],
    seq: Seq,
    at: Timestamp,
    body: &[u8],
) -> [u8; DIGEST_BYTES] {
    let mut hash = Sha256::new();
    hash.update(b"goodstanding event 1");
    hash.update(before);
    hash.update(seq.0.to_be_bytes());
    hash.update(at.millis().to_be_bytes());
    hash.update(body);
    hash.finalize().into()
}

/// Whether the engine alone writes `key`.
pub(super) fn is_reserved(key: &[u8]) -> bool {
    key.first()
        .is_none_or(|&tag| tag <= LAST_RESERVED_TAG || tag == 0xff)
}

/// The key of the head row.
pub(super) fn head_key() -> Vec<u8> {
    vec![HEAD_TAG]
}

/// The row of an event.
pub(super) fn event_row(event: &LoggedEvent) -> Row {
    let mut value = Vec::with_capacity(8 + DIGEST_BYTES + event.body.len());
    value.extend(event.at.millis().to_be_bytes());
    value.extend(event.digest);
    value.extend(&event.body);
    (event_key(event.seq), value)
}

impl Tip {
    /// Where a store without batches stands.
    pub(super) const EMPTY: Self = Self {
        head: Head {
            seq: Seq(0),
            digest: [0; DIGEST_BYTES],
            at: Timestamp::EPOCH,
        },
        clock: Timestamp::EPOCH,
    };

    /// The value of the head row.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24 + DIGEST_BYTES);
        out.extend(self.head.seq.0.to_be_bytes());
        out.extend(self.head.at.millis().to_be_bytes());
        out.extend(self.head.digest);
        out.extend(self.clock.millis().to_be_bytes());
        out
    }

    fn decode(value: &[u8]) -> Result<Self, StoreError> {
        let read = || -> Result<Self, CodecError> {
            let mut reader = Reader::new(value);
            let seq = Seq(reader.u64()?);
            let at = reader.timestamp()?;
            let digest = reader.array()?;
            let clock = reader.timestamp()?;
            reader.finish()?;
            Ok(Self {
                head: Head { seq, digest, at },
                clock,
            })
        };
        read().map_err(|error| corrupt("head", error))
    }
}

/// The rows of a store without batches.
fn new_store() -> Writes {
    let head = (head_key(), Some(Tip::EMPTY.encode()));
    [format_row(FORMAT), head].into_iter().collect()
}

/// The row that says that a store has this format.
pub(super) fn format_row(format: u32) -> (Vec<u8>, Option<Vec<u8>>) {
    (format_key(), Some(format.to_be_bytes().to_vec()))
}

fn format_key() -> Vec<u8> {
    let mut key = vec![META_TAG];
    key.extend(b"format");
    key
}

fn event_key(seq: Seq) -> Vec<u8> {
    let mut key = vec![EVENTS_TAG];
    key.extend(seq.0.to_be_bytes());
    key
}

/// The key of the row that says whose affair an event is.
pub(super) fn place_key(who: u32, seq: Seq) -> Vec<u8> {
    let mut key = vec![PLACES_TAG];
    key.extend(who.to_be_bytes());
    key.extend(seq.0.to_be_bytes());
    key
}

fn seq_of_place(key: &[u8]) -> Seq {
    let seq = key.last_chunk().expect("a place's key ends with a number");
    Seq(u64::from_be_bytes(*seq))
}

fn read_format(value: &[u8]) -> Result<u32, StoreError> {
    let bytes = value
        .try_into()
        .map_err(|_| corrupt("meta", "the format is not four bytes"))?;
    Ok(u32::from_be_bytes(bytes))
}

/// The log's last event must be the one that the head names: a log that was cut, or goes on
/// behind its head, was not written by an engine.
fn ends_at(read: &dyn Opening, head: Head) -> Result<(), StoreError> {
    let last = changes(read, Seq(head.seq.0.saturating_sub(1)), 2)?;
    let whole = match (head.seq.0, last.as_slice()) {
        (0, []) => head.digest == Tip::EMPTY.head.digest,
        (_, [event]) => (event.seq, event.digest, event.at) == (head.seq, head.digest, head.at),
        _ => false,
    };
    if whole {
        return Ok(());
    }
    Err(corrupt(
        "events",
        format!(
            "the log does not end with event {}, as the head says",
            head.seq
        ),
    ))
}

fn decode_event(key: &[u8], value: &[u8]) -> Result<LoggedEvent, StoreError> {
    let read = || -> Result<LoggedEvent, CodecError> {
        let mut reader = Reader::new(key);
        reader.u8()?;
        let seq = Seq(reader.u64()?);
        reader.finish()?;
        let mut reader = Reader::new(value);
        let at = reader.timestamp()?;
        let digest = reader.array()?;
        Ok(LoggedEvent {
            seq,
            at,
            digest,
            body: reader.rest().to_vec(),
        })
    };
    read().map_err(|error| corrupt("events", error))
}

fn corrupt(table: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Corrupt {
        table,
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Rows;
    use crate::store::table::hex;
    use proptest::prelude::*;

    /// The rows of a new store, and `rows` over them.
    fn store(rows: impl IntoIterator<Item = Row>) -> Rows {
        new_rows().chain(rows).collect()
    }

    fn new_rows() -> impl Iterator<Item = Row> {
        let rows = new_store().into_iter();
        rows.filter_map(|(key, value)| Some((key, value?)))
    }

    /// The rows of a log of one event, and of a head that names it.
    fn one_event() -> [Row; 2] {
        let (seq, at) = (Seq(1), Timestamp::from_millis(1_700_000_000_123));
        let body = b"body".to_vec();
        let digest = link(&[0; DIGEST_BYTES], seq, at, &body);
        let tip = Tip {
            head: Head { seq, digest, at },
            clock: Timestamp::from_millis(at.millis() + 1),
        };
        [
            event_row(&LoggedEvent {
                seq,
                at,
                digest,
                body,
            }),
            (head_key(), tip.encode()),
        ]
    }

    #[test]
    fn stored_bytes_are_these() {
        let [event, head] = one_event();
        let rows: Vec<_> = new_rows()
            .chain([event, head])
            .map(|(k, v)| (hex(&k), hex(&v)))
            .collect();
        insta::assert_debug_snapshot!(rows, @r#"
        [
            (
                "01666f726d6174",
                "00000004",
            ),
            (
                "02",
                "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
            ),
            (
                "030000000000000001",
                "0000018bcfe5687b6e2e302423ba49fd2734b37ebf4ef7d18620093c7fc91943c1355e87de031a9c626f6479",
            ),
            (
                "02",
                "00000000000000010000018bcfe5687b6e2e302423ba49fd2734b37ebf4ef7d18620093c7fc91943c1355e87de031a9c0000018bcfe5687c",
            ),
        ]
        "#);
    }

    #[test]
    fn a_store_without_rows_is_made_one_of_this_format() {
        let mut rows = Rows::default();
        assert_eq!(open(&mut rows), Ok(Tip::EMPTY));
        let made = rows.scan(&[], &[0xff], usize::MAX).unwrap();
        assert_eq!(made, new_rows().collect::<Vec<_>>());
        assert_eq!(open(&mut rows), Ok(Tip::EMPTY));
        assert_eq!(rows.scan(&[], &[0xff], usize::MAX), Ok(made));
    }

    #[test]
    fn a_store_says_where_it_stands() {
        let [event, head] = one_event();
        let tip = open(&mut store([event, head])).unwrap();
        assert_eq!(tip.head.seq, Seq(1));
        assert_eq!(tip.head.at.millis(), 1_700_000_000_123);
        assert_eq!(tip.clock.millis(), 1_700_000_000_124);
    }

    #[test]
    fn stores_of_other_formats_are_refused() {
        for found in [0, FORMAT + 1, u32::MAX] {
            let mut rows = store([(format_key(), found.to_be_bytes().to_vec())]);
            let error = StoreError::Format {
                found,
                known: FORMAT,
            };
            assert_eq!(open(&mut rows), Err(error));
        }
    }

    #[test]
    fn stores_whose_own_rows_do_not_fit_together_are_refused() {
        let [event, head] = one_event();
        let behind = event_row(&LoggedEvent {
            seq: Seq(2),
            at: Timestamp::EPOCH,
            digest: [0; DIGEST_BYTES],
            body: vec![],
        });
        let mut other = event.clone();
        other.1[8] ^= 1;
        let refused = |mut rows: Rows| open(&mut rows).unwrap_err().to_string();
        insta::assert_snapshot!(refused([(vec![0x10], vec![1])].into_iter().collect()), @"table meta: stored bytes cannot be read: the store has rows and no version of its format");
        insta::assert_snapshot!(refused(store([(format_key(), vec![1])])), @"table meta: stored bytes cannot be read: the format is not four bytes");
        insta::assert_snapshot!(refused(new_rows().take(1).collect()), @"table head: stored bytes cannot be read: the row is missing");
        insta::assert_snapshot!(refused(store([(head_key(), vec![0; 55])])), @"table head: stored bytes cannot be read: at byte 48: 8 more bytes are needed and 7 are left");
        insta::assert_snapshot!(refused(store([head.clone()])), @"table events: stored bytes cannot be read: the log does not end with event 1, as the head says");
        insta::assert_snapshot!(refused(store([event.clone()])), @"table events: stored bytes cannot be read: the log does not end with event 0, as the head says");
        insta::assert_snapshot!(refused(store([event.clone(), behind, head.clone()])), @"table events: stored bytes cannot be read: the log does not end with event 1, as the head says");
        insta::assert_snapshot!(refused(store([other, head])), @"table events: stored bytes cannot be read: the log does not end with event 1, as the head says");
    }

    #[test]
    fn a_link_depends_on_all_that_it_closes_over() {
        let at = Timestamp::from_millis(5);
        let base = link(&[0; 32], Seq(1), at, b"body");
        assert_ne!(base, link(&[1; 32], Seq(1), at, b"body"));
        assert_ne!(base, link(&[0; 32], Seq(2), at, b"body"));
        assert_ne!(
            base,
            link(&[0; 32], Seq(1), Timestamp::from_millis(6), b"body")
        );
        assert_ne!(base, link(&[0; 32], Seq(1), at, b"bodY"));
    }

    proptest! {
        #[test]
        fn the_head_row_survives(seq: u64, digest: [u8; 32], at: i64, clock: i64) {
            let (at, clock) = (Timestamp::from_millis(at), Timestamp::from_millis(clock));
            let tip = Tip { head: Head { seq: Seq(seq), digest, at }, clock };
            prop_assert_eq!(Tip::decode(&tip.encode()), Ok(tip));
        }

        #[test]
        fn events_survive(seq: u64, at: i64, digest: [u8; 32], body: Vec<u8>) {
            let at = Timestamp::from_millis(at);
            let event = LoggedEvent { seq: Seq(seq), at, digest, body };
            let (key, value) = event_row(&event);
            prop_assert_eq!(decode_event(&key, &value), Ok(event));
            prop_assert!(decode_event(&key, &value[..39]).is_err());
        }
    }
}
