//! The rows that are the engine's own: the version of the format, the head of the log, and the
//! log. Every engine keeps them in the same bytes.
//!
//! ```text
//! key                          value
//! 01 | "format"                format u32
//! 01 | "store"                 the store's id, 16 random bytes
//! 01 | "epoch"                 epoch u32
//! 01 | "broken up to"          seq u64: the log is left alone up to there
//! 02                           seq u64 | at i64 | digest 32 | clock i64 | commits u64 | counters 32
//! 03 | seq u64                 at i64 | digest 32 | body
//! 04 | who u32 | seq u64       (nothing: an event that is their affair)
//! 05                           run 16 | number u64: who wrote last, where several processes share the store
//! ```
//!
//! Numbers are big endian, times milliseconds since 1970. Tags 06 and 07 are kept for later rows of
//! the engine. `clock` is the time of the newest batch, one without events included, so that time
//! never runs backwards over a restart, whatever the machine's clock does. `commits` is how many batches
//! were committed since stores have an anchor (`store/anchor.rs`), and `counters` the sum, modulo
//! 2^256, of SHA-256("goodstanding counter 1" | key | value) over the rows of `allocation`: rows that
//! were put back from an older copy do not add up to it. The epoch rises by one with each decision that takes a
//! store as it was found. The digest of an event closes the chain over all events before it:
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
//! | 5 | the head row has `commits` and `counters`, the store an id and an epoch, and an anchor stands
//! beside it; spaces can be sealed: `sealed spaces`; credentials have codes: `verification codes`, `codes of
//! credentials` |

use sha2::{Digest as _, Sha256};

use super::anchor::Anchor;
use super::codec::{CodecError, Reader};
use super::engine::{DIGEST_BYTES, Head, LoggedEvent, Read, Row, StoreError};
use super::staging::Writes;
use super::table::LAST_RESERVED_TAG;
use super::tables::ALLOCATION;
use crate::ids::Seq;
use crate::time::Timestamp;

/// The format that this program writes, and the only one that it reads. A store of an older one is
/// brought up to it when it is opened, before anything else is read.
pub const FORMAT: u32 = 5;

/// The first one that has an anchor.
pub(super) const ANCHORED: u32 = 5;

const META_TAG: u8 = 0x01;
const HEAD_TAG: u8 = 0x02;
const EVENTS_TAG: u8 = 0x03;
const PLACES_TAG: u8 = 0x04;
#[cfg(feature = "postgres")]
const WRITER_TAG: u8 = 0x05;

/// The rows before these make a store one: its format, its id, and its head.
#[cfg(feature = "rocksdb")]
pub(super) const FIRST_ROWS_TAG: u8 = EVENTS_TAG;

/// The names of the engine's own rows.
#[cfg(feature = "rocksdb")]
pub(super) const NAMES: [(u8, &str); 3] = [
    (EVENTS_TAG, "events"),
    (PLACES_TAG, "places"),
    (WRITER_TAG, "last writer"),
];

/// Where the store stands: what the head row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    /// The newest event.
    pub(super) head: Head,
    /// When the newest batch was committed, whether it had events or not.
    pub(super) clock: Timestamp,
    /// How many batches were committed under an anchor.
    pub(super) commits: u64,
    /// How far indexes are given out.
    pub(super) counters: Counters,
}

/// The sum over the rows of `allocation`, as drawn at the top of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters(pub(super) [u8; DIGEST_BYTES]);

/// Which store this is, and for the how manieth time it was taken as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// Random bytes, once for ever.
    pub(super) store: [u8; 16],
    /// 0 for a store about which nothing had to be decided.
    pub(super) epoch: u32,
}

/// The anchor that says what these rows say; `None` for rows of a format without one.
pub(super) fn anchor_of(read: &dyn Read) -> Result<Option<[Vec<u8>; 2]>, StoreError> {
    if read.get(&store_key())?.is_none() {
        return Ok(None);
    }
    let head = read.get(&head_key())?.unwrap_or_default();
    let slot = Anchor {
        identity: read_identity(read)?,
        number: 0,
        tip: Tip::decode(&head)?,
    }
    .encode();
    Ok(Some([slot.clone(), slot]))
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

/// The digest chain up to and including event `seq`; `None` where there is no such event.
pub(super) fn digest_at(
    read: &dyn Read,
    seq: Seq,
) -> Result<Option<[u8; DIGEST_BYTES]>, StoreError> {
    if seq == Seq(0) {
        return Ok(Some(Tip::EMPTY.head.digest));
    }
    let key = event_key(seq);
    let row = read.get(&key)?;
    row.map(|value| decode_event(&key, &value).map(|event| event.digest))
        .transpose()
}

impl Counters {
    /// With a row of `allocation` more.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        let mut carry = 0;
        for (sum, byte) in self.0.iter_mut().zip(counter(key, value)).rev() {
            let total = u16::from(*sum) + u16::from(byte) + carry;
            *sum = total as u8;
            carry = total >> 8;
        }
    }

    /// With a row of `allocation` less.
    pub(super) fn remove(&mut self, key: &[u8], value: &[u8]) {
        let mut borrow = 0;
        for (sum, byte) in self.0.iter_mut().zip(counter(key, value)).rev() {
            let total = 256 + u16::from(*sum) - u16::from(byte) - borrow;
            *sum = total as u8;
            borrow = 1 - (total >> 8);
        }
    }
}

fn counter(key: &[u8], value: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut hash = Sha256::new();
    hash.update(b"goodstanding counter 1");
    hash.update(key);
    hash.update(value);
    hash.finalize().into()
}

/// Whether a row of this key counts in [`Counters`].
pub(super) fn is_counter(key: &[u8]) -> bool {
    key.first() == Some(&ALLOCATION.tag())
}

/// What the rows of `allocation` add up to.
pub(super) fn count_counters(read: &dyn Read) -> Result<Counters, StoreError> {
    const ROWS_AT_ONCE: usize = 4_096;
    let mut counters = Counters::default();
    let (mut from, to) = (vec![ALLOCATION.tag()], [ALLOCATION.tag() + 1]);
    loop {
        let rows = read.scan(&from, &to, ROWS_AT_ONCE)?;
        let Some((last, _)) = rows.last() else {
            return Ok(counters);
        };
        from = [last.as_slice(), &[0]].concat();
        rows.iter()
            .for_each(|(key, value)| counters.add(key, value));
    }
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

/// The row that says who wrote last: group `number` of that run of a process. No two groups have it alike, so
/// that nobody takes another's for their own.
#[cfg(feature = "postgres")]
pub(super) fn writer_row(run: [u8; 16], number: u64) -> (Vec<u8>, Option<Vec<u8>>) {
    let who = [&run[..], &number.to_be_bytes()].concat();
    (vec![WRITER_TAG], Some(who))
}

/// The events among the rows of a group, in their order.
#[cfg(feature = "postgres")]
pub(super) fn events_in(
    writes: &Writes,
) -> impl Iterator<Item = Result<LoggedEvent, StoreError>> + '_ {
    let rows = writes.range(vec![EVENTS_TAG]..vec![EVENTS_TAG + 1]);
    rows.map(|(key, value)| {
        let removed = || corrupt("events", "an event is removed");
        decode_event(key, value.as_deref().ok_or_else(removed)?)
    })
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
        commits: 0,
        counters: Counters([0; DIGEST_BYTES]),
    };

    /// The value of the head row.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 + 2 * DIGEST_BYTES);
        out.extend(self.head.seq.0.to_be_bytes());
        out.extend(self.head.at.millis().to_be_bytes());
        out.extend(self.head.digest);
        out.extend(self.clock.millis().to_be_bytes());
        out.extend(self.commits.to_be_bytes());
        out.extend(self.counters.0);
        out
    }

    pub(super) fn decode(value: &[u8]) -> Result<Self, StoreError> {
        let mut reader = Reader::new(value);
        let read = || -> Result<Self, CodecError> {
            let (head, clock) = read_head(&mut reader)?;
            let commits = reader.u64()?;
            let counters = Counters(reader.array()?);
            reader.finish()?;
            Ok(Self {
                head,
                clock,
                commits,
                counters,
            })
        };
        read().map_err(|error| corrupt("head", error))
    }

    /// Reads a head row as it was before there were anchors.
    pub(super) fn decode_older(value: &[u8]) -> Result<Self, StoreError> {
        let mut reader = Reader::new(value);
        let read = || -> Result<Self, CodecError> {
            let (head, clock) = read_head(&mut reader)?;
            reader.finish()?;
            Ok(Self {
                head,
                clock,
                ..Self::EMPTY
            })
        };
        read().map_err(|error| corrupt("head", error))
    }
}

fn read_head(reader: &mut Reader<'_>) -> Result<(Head, Timestamp), CodecError> {
    let seq = Seq(reader.u64()?);
    let at = reader.timestamp()?;
    let digest = reader.array()?;
    let clock = reader.timestamp()?;
    Ok((Head { seq, digest, at }, clock))
}

/// The rows of a store without batches.
pub(super) fn new_store(id: [u8; 16]) -> Writes {
    let head = (head_key(), Some(Tip::EMPTY.encode()));
    let id = (store_key(), Some(id.to_vec()));
    [format_row(FORMAT), id, head].into_iter().collect()
}

pub(super) fn read_identity(store: &dyn Read) -> Result<Identity, StoreError> {
    let id = store.get(&store_key())?.unwrap_or_default();
    let id = id
        .try_into()
        .map_err(|_| corrupt("meta", "the store's id is not 16 bytes"))?;
    let epoch = read_epoch(store)?;
    Ok(Identity { store: id, epoch })
}

/// The epoch that a store is in.
pub(super) fn read_epoch(store: &dyn Read) -> Result<u32, StoreError> {
    Ok(match store.get(&epoch_key())? {
        None => 0,
        Some(epoch) => u32::from_be_bytes(
            epoch
                .try_into()
                .map_err(|_| corrupt("meta", "the epoch is not four bytes"))?,
        ),
    })
}

pub(super) fn store_key() -> Vec<u8> {
    [&[META_TAG], &b"store"[..]].concat()
}

pub(super) fn epoch_key() -> Vec<u8> {
    [&[META_TAG], &b"epoch"[..]].concat()
}

/// The key of the row that says up to where the log is left alone, by a decision.
pub(super) fn broken_up_to_key() -> Vec<u8> {
    [&[META_TAG], &b"broken up to"[..]].concat()
}

/// The row that says that a store has this format.
pub(super) fn format_row(format: u32) -> (Vec<u8>, Option<Vec<u8>>) {
    (format_key(), Some(format.to_be_bytes().to_vec()))
}

pub(super) fn format_key() -> Vec<u8> {
    [&[META_TAG], &b"format"[..]].concat()
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

pub(super) fn read_format(value: &[u8]) -> Result<u32, StoreError> {
    let bytes = value
        .try_into()
        .map_err(|_| corrupt("meta", "the format is not four bytes"))?;
    Ok(u32::from_be_bytes(bytes))
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

pub(super) fn corrupt(table: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Corrupt {
        table,
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table::hex;
    use proptest::prelude::*;

    fn new_rows() -> impl Iterator<Item = Row> {
        let rows = new_store([7; 16]).into_iter();
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
            commits: 3,
            counters: Counters([0xcc; 32]),
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
                "00000005",
            ),
            (
                "0173746f7265",
                "07070707070707070707070707070707",
            ),
            (
                "02",
                "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
            ),
            (
                "030000000000000001",
                "0000018bcfe5687b6e2e302423ba49fd2734b37ebf4ef7d18620093c7fc91943c1355e87de031a9c626f6479",
            ),
            (
                "02",
                "00000000000000010000018bcfe5687b6e2e302423ba49fd2734b37ebf4ef7d18620093c7fc91943c1355e87de031a9c0000018bcfe5687c0000000000000003cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
            ),
        ]
        "#);
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
        fn the_head_row_survives(
            seq: u64,
            digest: [u8; 32],
            at: i64,
            clock: i64,
            commits: u64,
            counters: [u8; 32],
        ) {
            let (at, clock) = (Timestamp::from_millis(at), Timestamp::from_millis(clock));
            let head = Head { seq: Seq(seq), digest, at };
            let tip = Tip { head, clock, commits, counters: Counters(counters) };
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

    #[test]
    fn counters_add_up_in_any_order_and_are_taken_away_again() {
        let rows = [
            (b"1a".as_slice(), b"x".as_slice()),
            (b"1b", b"y"),
            (b"1c", b""),
        ];
        let mut forth = Counters::default();
        let mut back = Counters::default();
        rows.iter().for_each(|(key, value)| forth.add(key, value));
        rows.iter()
            .rev()
            .for_each(|(key, value)| back.add(key, value));
        assert_eq!(forth, back);
        let mut other = forth;
        other.remove(b"1b", b"y");
        other.add(b"1b", b"z");
        assert_ne!(other, forth);
        other.remove(b"1b", b"z");
        other.add(b"1b", b"y");
        assert_eq!(other, forth);
        rows.iter()
            .for_each(|(key, value)| forth.remove(key, value));
        assert_eq!(forth, Counters::default());
        forth.remove(b"1a", b"x");
        forth.add(b"1a", b"x");
        assert_eq!(forth, Counters::default(), "also below zero");
    }
}
