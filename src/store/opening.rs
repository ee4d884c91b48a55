//! How a store comes up: every engine goes through here, and what a crash left behind is found here.

use super::anchor::{self, AnchorPlace, Anchoring, Judged};
use super::chain::{self, CHECKED_AT_START, Links};
use super::engine::{Decision, Head, Read, Stopped, StoreError};
use super::format::{
    ANCHORED, FORMAT, Identity, Tip, broken_up_to_key, changes, corrupt, count_counters, epoch_key,
    format_key, head_key, new_store, read_epoch, read_format, read_identity, store_key,
};
use super::staging::Writes;
use super::upgrade;
use crate::ids::Seq;

/// A store that is being opened: nobody else reads or writes it yet.
pub(super) trait Opening: Read {
    /// Writes all of it or nothing, and returns when it is durable.
    fn write(&mut self, writes: Writes) -> Result<(), StoreError>;
}

/// A store that has come up.
pub(super) struct Opened {
    /// Where it stands.
    pub(super) tip: Tip,
    /// Which it is.
    pub(super) identity: Identity,
    /// What anchors its commits, or why it takes none.
    pub(super) anchoring: Result<Anchoring, Stopped>,
}

/// What is known of a store before it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// As it was left: the engine found nothing wrong with it.
    AsLeft,
    /// Its end was cut off where the engine found damage: whether anything that was acknowledged went with
    /// it, only an anchor can tell.
    CutOff,
}

/// Every engine comes up through here. A store without rows is made one of this format, one of an
/// older format is brought up to it, and any other is refused; its log must end where the head row
/// says. Then it is held against its anchor, and its log is checked: a store that does not hold everything
/// that was acknowledged is read and not written, unless it was decided to take it as it is.
pub(super) fn open(
    store: &mut dyn Opening,
    anchor: Box<dyn AnchorPlace>,
    new_id: [u8; 16],
    decision: Decision,
    origin: Origin,
) -> Result<Opened, StoreError> {
    let Some(found) = store.get(&format_key())? else {
        if (origin, decision) == (Origin::CutOff, Decision::AsAnchored) {
            let reason =
                "nothing stands before the damage, not even the version of the store's format";
            return Err(corrupt("meta", reason));
        }
        return begin(store, anchor, new_id);
    };
    let found = read_format(&found)?;
    if !(upgrade::OLDEST..=FORMAT).contains(&found) {
        return Err(StoreError::Format {
            found,
            known: FORMAT,
        });
    }
    if (origin, decision) == (Origin::CutOff, Decision::AsAnchored) && !anchor::is_there(&*anchor) {
        return unanchored(store, found);
    }
    // Its anchor is made when a store is brought up: one beside an older store was that of what stood in
    // its place.
    if found < ANCHORED && decision == Decision::AsAnchored && anchor::is_there(&*anchor) {
        return Err(StoreError::NoWrites(Stopped::AnchorOfAnotherStore));
    }
    if found < ANCHORED {
        // Cut off while it is brought up, what was decided stands.
        if decision == Decision::NewEpoch {
            store.write([epoch_row(read_epoch(store)? + 1)].into())?;
        }
        let tip = read_older_tip(store)?;
        ends_at(store, tip.head)?;
        upgrade::bring_up(store, found)?;
    }
    // What follows was cut off once where it was begun: it is done again.
    if store.get(&store_key())?.is_none() {
        store.write([(store_key(), Some(new_id.to_vec()))].into())?;
    }
    let tip = read_tip(store)?;
    let identity = read_identity(store)?;
    if decision == Decision::NewEpoch {
        return take_as_found(store, anchor, identity, tip);
    }
    let anchoring = match not_whole(store, &tip, origin) {
        Some(stopped) => Err(stopped),
        None => held_against(store, anchor, identity, &tip)?,
    };
    match &anchoring {
        Err(stopped) if found < FORMAT => return Err(StoreError::NoWrites(stopped.clone())),
        Err(_) => {}
        Ok(_) => upgrade::bring_up(store, found.max(ANCHORED))?,
    }
    Ok(Opened {
        tip,
        identity,
        anchoring,
    })
}

/// What was cut off, and has no anchor, may have lost anything: it is read, and nothing is written to it.
fn unanchored(store: &dyn Opening, found: u32) -> Result<Opened, StoreError> {
    if found < FORMAT {
        return Err(StoreError::NoWrites(Stopped::AnchorMissing));
    }
    Ok(Opened {
        tip: read_tip(store)?,
        identity: read_identity(store)?,
        anchoring: Err(Stopped::AnchorMissing),
    })
}

/// Where a store of this format stands.
fn read_tip(store: &dyn Read) -> Result<Tip, StoreError> {
    let head = store
        .get(&head_key())?
        .ok_or_else(|| corrupt("head", "the row is missing"))?;
    let tip = Tip::decode(&head)?;
    ends_at(store, tip.head)?;
    Ok(tip)
}

/// Why the store cannot have everything that was written to it: its log is broken, its counters are not
/// those that were written last, or some of either cannot be read.
pub(super) fn not_whole(store: &dyn Read, tip: &Tip, origin: Origin) -> Option<Stopped> {
    let found = checked(store, tip, origin).and_then(|links| match links.stopped() {
        Some(stopped) => Ok(Some(stopped)),
        None => Ok((count_counters(store)? != tip.counters).then_some(Stopped::CountersDiffer)),
    });
    found.unwrap_or_else(|error| Some(Stopped::RowsUnreadable(error.to_string())))
}

/// The newest events of a log; all of them where damage was found already.
fn checked(store: &dyn Read, tip: &Tip, origin: Origin) -> Result<Links, StoreError> {
    let last = tip.head.seq;
    let since = match origin {
        Origin::AsLeft => Seq(last.0.saturating_sub(CHECKED_AT_START)),
        Origin::CutOff => Seq(0),
    };
    chain::check(store, since, last)
}

/// Makes a store without rows one of this format.
fn begin(
    store: &mut dyn Opening,
    place: Box<dyn AnchorPlace>,
    new_id: [u8; 16],
) -> Result<Opened, StoreError> {
    if !store.scan(&[], &[0xff], 1)?.is_empty() {
        let reason = "the store has rows and no version of its format";
        return Err(corrupt("meta", reason));
    }
    // Everything would be answered, and given out, as though it had never been there. There is nothing that
    // could be taken as it is.
    if anchor::is_there(&*place) {
        return Err(StoreError::NoWrites(Stopped::EmptyBesideAnchor));
    }
    store.write(new_store(new_id))?;
    let identity = Identity {
        store: new_id,
        epoch: 0,
    };
    let anchoring = anchor::make(place, identity, &Tip::EMPTY)?;
    Ok(Opened {
        tip: Tip::EMPTY,
        identity,
        anchoring: Ok(anchoring),
    })
}

/// What anchors the store from now on, or why nothing does.
fn held_against(
    store: &dyn Opening,
    place: Box<dyn AnchorPlace>,
    identity: Identity,
    tip: &Tip,
) -> Result<Result<Anchoring, Stopped>, StoreError> {
    // Nothing was acknowledged under an anchor yet: it is as new as the store, or its first start was
    // cut off before it was made.
    if tip.commits == 0 && !anchor::is_there(&*place) {
        return anchor::make(place, identity, tip).map(Ok);
    }
    Ok(match anchor::judge(store, identity, tip, place)? {
        Judged::Fits(anchoring) => Ok(anchoring),
        Judged::Refused(stopped) => Err(stopped),
    })
}

fn epoch_row(epoch: u32) -> (Vec<u8>, Option<Vec<u8>>) {
    (epoch_key(), Some(epoch.to_be_bytes().to_vec()))
}

/// Begins another epoch: whatever the anchor said, the store counts as it is. The registry sees to what
/// follows from that when it finds the epoch raised. Cut off between the two writes, the store is
/// ahead of its anchor by an epoch, which is taken for what it is; where there was no anchor, it has to be
/// decided again.
fn take_as_found(
    store: &mut dyn Opening,
    place: Box<dyn AnchorPlace>,
    identity: Identity,
    tip: Tip,
) -> Result<Opened, StoreError> {
    let (identity, tip, writes) = as_found(store, identity, tip)?;
    store.write(writes)?;
    upgrade::bring_up(store, FORMAT)?;
    let anchoring = anchor::make(place, identity, &tip)?;
    Ok(Opened {
        tip,
        identity,
        anchoring: Ok(anchoring),
    })
}

/// The rows with which a store counts as it is found, in an epoch of its own, and where it stands then.
pub(super) fn as_found(
    store: &dyn Read,
    identity: Identity,
    tip: Tip,
) -> Result<(Identity, Tip, Writes), StoreError> {
    let identity = Identity {
        epoch: identity.epoch + 1,
        ..identity
    };
    let tip = Tip {
        counters: count_counters(store)?,
        commits: tip.commits + 1,
        ..tip
    };
    let epoch = epoch_row(identity.epoch);
    let head = (head_key(), Some(tip.encode()));
    let mut writes: Writes = [epoch, head].into();
    if chain::check(store, Seq(0), tip.head.seq)? != Links::Whole {
        let up_to = tip.head.seq.0.to_be_bytes().to_vec();
        writes.insert(broken_up_to_key(), Some(up_to));
    }
    Ok((identity, tip, writes))
}

/// Where a copy of a store stands, and of which it is; `None` where it is not one from its beginning to its
/// end, whatever became of it.
#[cfg(feature = "postgres")]
pub(super) fn stand_of_copy(copy: &dyn Read) -> Result<Option<(Tip, Identity)>, StoreError> {
    if copy.get(&head_key())?.is_none() {
        return Ok(None);
    }
    of_this_format(copy)?;
    Ok(Some((read_tip(copy)?, read_identity(copy)?)))
}

/// Refuses a store of another format, older ones too.
#[cfg(feature = "postgres")]
pub(super) fn of_this_format(store: &dyn Read) -> Result<(), StoreError> {
    let row = store.get(&format_key())?.unwrap_or_default();
    match read_format(&row)? {
        FORMAT => Ok(()),
        found => Err(StoreError::Format {
            found,
            known: FORMAT,
        }),
    }
}

/// Where a store stands that has no anchor yet. What brings it up writes the head row anew as one of
/// its last writes, so that the row may be of either shape.
fn read_older_tip(store: &dyn Opening) -> Result<Tip, StoreError> {
    let head = store
        .get(&head_key())?
        .ok_or_else(|| corrupt("head", "the row is missing"))?;
    Tip::decode(&head).or_else(|_| Tip::decode_older(&head))
}

/// The log's last event must be the one that the head names: a log that was cut, or goes on
/// behind its head, was not written by an engine.
fn ends_at(read: &dyn Read, head: Head) -> Result<(), StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Seq;
    use crate::store::engine::{DIGEST_BYTES, LoggedEvent, Row};
    use crate::store::format::{anchor_of, event_row, link};
    use crate::store::memory::{MemoryAnchor, Rows};
    use crate::time::Timestamp;

    const ID: [u8; 16] = [7; 16];

    /// Where the store stands once it has come up, with an anchor that says what its rows say.
    fn opened(rows: &mut Rows) -> Result<Tip, StoreError> {
        let slots = anchor_of(rows).unwrap_or(None);
        let anchor = Box::new(MemoryAnchor::holding(slots));
        let opened = open(rows, anchor, ID, Decision::AsAnchored, Origin::AsLeft)?;
        assert_eq!(opened.anchoring.err(), None);
        Ok(opened.tip)
    }

    /// The rows of a new store, and `rows` over them.
    fn store(rows: impl IntoIterator<Item = Row>) -> Rows {
        new_rows().chain(rows).collect()
    }

    fn new_rows() -> impl Iterator<Item = Row> {
        let rows = new_store(ID).into_iter();
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
            ..Tip::EMPTY
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
    fn a_store_without_rows_is_made_one_of_this_format() {
        let mut rows = Rows::default();
        assert_eq!(opened(&mut rows), Ok(Tip::EMPTY));
        let made = rows.scan(&[], &[0xff], usize::MAX).unwrap();
        assert_eq!(made, new_rows().collect::<Vec<_>>());
        assert_eq!(opened(&mut rows), Ok(Tip::EMPTY));
        assert_eq!(rows.scan(&[], &[0xff], usize::MAX), Ok(made));
    }

    #[test]
    fn a_store_says_where_it_stands() {
        let [event, head] = one_event();
        let tip = opened(&mut store([event, head])).unwrap();
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
            assert_eq!(opened(&mut rows), Err(error));
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
        let refused = |mut rows: Rows| opened(&mut rows).unwrap_err().to_string();
        insta::assert_snapshot!(refused([(vec![0x10], vec![1])].into_iter().collect()), @"table meta: stored bytes cannot be read: the store has rows and no version of its format");
        insta::assert_snapshot!(refused(store([(format_key(), vec![1])])), @"table meta: stored bytes cannot be read: the format is not four bytes");
        insta::assert_snapshot!(refused(new_rows().take(1).collect()), @"table head: stored bytes cannot be read: the row is missing");
        insta::assert_snapshot!(refused(store([(head_key(), vec![0; 55])])), @"table head: stored bytes cannot be read: at byte 48: 8 more bytes are needed and 7 are left");
        insta::assert_snapshot!(refused(store([head.clone()])), @"table events: stored bytes cannot be read: the log does not end with event 1, as the head says");
        insta::assert_snapshot!(refused(store([event.clone()])), @"table events: stored bytes cannot be read: the log does not end with event 0, as the head says");
        insta::assert_snapshot!(refused(store([event.clone(), behind, head.clone()])), @"table events: stored bytes cannot be read: the log does not end with event 1, as the head says");
        insta::assert_snapshot!(refused(store([other, head])), @"table events: stored bytes cannot be read: the log does not end with event 1, as the head says");
    }
}
