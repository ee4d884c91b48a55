//! The log as somebody outside reads it: gapless, in order of time, and chained by a digest that is
//! computed anew here. What it says of lists is kept, event by event, from the bytes alone.

use std::collections::{BTreeMap, BTreeSet};

use goodstanding::ids::{ListId, Seq, SpaceId};
use goodstanding::store::engine::{Engine, LoggedEvent};
use sha2::{Digest as _, Sha256};

use super::{Checked, Violation, ensure};

const STORE_TAKEN: u8 = 0x17;
const SPACE_OPENED: u8 = 0x30;
const LIST_OPENED: u8 = 0x31;
const ENTRIES_ALLOCATED: u8 = 0x32;
const STATUS_CHANGED: u8 = 0x33;
const SPACE_SEALED: u8 = 0x37;
pub(super) const LIST_PUBLISHED: u8 = 0x34;
const ENDORSEMENT_ISSUED: u8 = 0x40;

/// What the log says up to a place.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    pub(super) seq: u64,
    pub(super) digest: [u8; 32],
    /// In milliseconds, of the newest event.
    pub(super) at: i64,
    pub(super) lists: BTreeMap<ListId, Told>,
    /// How many indexes of each space were given out.
    pub(super) given: BTreeMap<SpaceId, u64>,
    /// Spaces that give out no more.
    pub(super) sealed: BTreeSet<SpaceId>,
    /// Place, list and revision of each publication, in order.
    pub(super) published: Vec<(u64, ListId, u64)>,
    pub(super) endorsements: usize,
    /// The kinds of the newest events, from `since` on.
    kinds: Vec<u8>,
}

/// What the log says of a list.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) space: SpaceId,
    pub(super) revision: u64,
    /// Whether its next revision may be any later one: another epoch has begun.
    pub(super) jumps: bool,
    /// The entries that are set.
    pub(super) ones: BTreeSet<u32>,
    changes: Vec<(u64, u8, Vec<u32>)>,
}

impl Told {
    /// The entries that were set at a revision.
    pub(super) fn at(&self, revision: u64) -> BTreeSet<u32> {
        let mut ones = BTreeSet::new();
        let upto = self.changes.iter().take_while(|one| one.0 <= revision);
        for (_, status, indexes) in upto {
            set(&mut ones, *status, indexes);
        }
        ones
    }
}

fn set(ones: &mut BTreeSet<u32>, status: u8, indexes: &[u32]) {
    match status {
        0 => ones.retain(|index| !indexes.contains(index)),
        _ => ones.extend(indexes),
    }
}

impl Log {
    /// Reads what is new, and holds it against what was there before. Returns the kinds of the new
    /// events.
    pub(super) fn read_on(&mut self, engine: &dyn Engine) -> Result<Vec<u8>, Violation> {
        self.kinds.clear();
        loop {
            let events = engine.changes(Seq(self.seq), 200);
            let events = events.map_err(|error| Violation(format!("the log: {error}")))?;
            if events.is_empty() {
                break;
            }
            for event in &events {
                self.takes(event)?;
            }
        }
        let head = engine.head();
        ensure!(
            (head.seq.0, head.digest) == (self.seq, self.digest),
            "the head is {head:?}, and the log ends at {}",
            self.seq
        );
        Ok(std::mem::take(&mut self.kinds))
    }

    fn takes(&mut self, event: &LoggedEvent) -> Checked {
        let (seq, at) = (event.seq.0, event.at.millis());
        ensure!(
            seq == self.seq + 1,
            "event {seq} follows event {}",
            self.seq
        );
        ensure!(
            at >= self.at,
            "event {seq} is of {at}, the one before of {}",
            self.at
        );
        let mut hash = Sha256::new();
        hash.update(b"goodstanding event 1");
        hash.update(self.digest);
        hash.update(seq.to_be_bytes());
        hash.update(at.to_be_bytes());
        hash.update(&event.body);
        let digest: [u8; 32] = hash.finalize().into();
        ensure!(
            digest == event.digest,
            "the chain of digests breaks at event {seq}"
        );
        (self.seq, self.digest, self.at) = (seq, digest, at);
        self.reads(&event.body)
            .ok_or_else(|| Violation(format!("event {seq} cannot be read: {:02x?}", event.body)))?
    }

    /// What a body says. All of these are the operator's, so that the front has one length but for
    /// those whose affair it is too. `None` where it ends too early.
    fn reads(&mut self, body: &[u8]) -> Option<Checked> {
        const FRONT: usize = 4 + 16 + 32;
        let kind = *body.get(1)?;
        self.kinds.push(kind);
        let also = usize::from(*body.get(FRONT)?);
        let mut rest = body.get(FRONT + 1 + 4 * also..)?;
        Some(match kind {
            STORE_TAKEN => {
                self.lists.values_mut().for_each(|told| told.jumps = true);
                Ok(())
            }
            SPACE_OPENED => {
                let space = SpaceId::from_bytes(take(&mut rest)?);
                self.given.insert(space, 0);
                Ok(())
            }
            SPACE_SEALED => {
                self.sealed.insert(SpaceId::from_bytes(take(&mut rest)?));
                Ok(())
            }
            LIST_OPENED => {
                let list = ListId::from_bytes(take(&mut rest)?);
                let told = Told {
                    space: SpaceId::from_bytes(take(&mut rest)?),
                    revision: 1,
                    jumps: false,
                    ones: BTreeSet::new(),
                    changes: Vec::new(),
                };
                self.lists.insert(list, told);
                Ok(())
            }
            ENTRIES_ALLOCATED => {
                let space = SpaceId::from_bytes(take(&mut rest)?);
                let (first, count) = (number(&mut rest)?, number(&mut rest)?);
                self.gives_out(space, first, count)
            }
            STATUS_CHANGED => {
                let list = ListId::from_bytes(take(&mut rest)?);
                let revision = number(&mut rest)?;
                let [status] = take(&mut rest)?;
                let indexes = indexes(&mut rest)?;
                self.changes(list, revision, status, indexes)
            }
            LIST_PUBLISHED => {
                let list = ListId::from_bytes(take(&mut rest)?);
                let revision = number(&mut rest)?;
                self.publishes(list, revision)
            }
            ENDORSEMENT_ISSUED => {
                self.endorsements += 1;
                Ok(())
            }
            _ => Ok(()),
        })
    }

    fn gives_out(&mut self, space: SpaceId, first: u64, count: u64) -> Checked {
        ensure!(
            !self.sealed.contains(&space),
            "the space {space} is sealed, and gives out entries"
        );
        let given = self.given.entry(space).or_default();
        ensure!(
            first == *given,
            "of space {space} {given} indexes were given out, and the next is number {first}"
        );
        *given += count;
        Ok(())
    }

    fn changes(&mut self, list: ListId, revision: u64, status: u8, indexes: Vec<u32>) -> Checked {
        let Some(told) = self.lists.get_mut(&list) else {
            return Err(Violation(format!(
                "list {list} changes before it is opened"
            )));
        };
        ensure!(
            revision == told.revision
                || revision == told.revision + 1
                || told.jumps && revision > told.revision,
            "list {list}: revision {revision} follows {}",
            told.revision
        );
        told.jumps = false;
        told.revision = revision;
        set(&mut told.ones, status, &indexes);
        told.changes.push((revision, status, indexes));
        Ok(())
    }

    fn publishes(&mut self, list: ListId, revision: u64) -> Checked {
        let Some(told) = self.lists.get_mut(&list) else {
            return Err(Violation(format!(
                "list {list} is published before it is opened"
            )));
        };
        if told.jumps && revision > told.revision {
            (told.revision, told.jumps) = (revision, false);
        }
        ensure!(
            revision <= told.revision && !told.jumps,
            "list {list} is published at revision {revision}, and is at {}",
            told.revision
        );
        let earlier = self.published.iter().rev().find(|one| one.1 == list);
        ensure!(
            earlier.is_none_or(|one| one.2 <= revision),
            "list {list} is published at revision {revision} after {earlier:?}"
        );
        self.published.push((self.seq, list, revision));
        Ok(())
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_be_bytes)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let [byte] = take(rest)?;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return Some(value);
        }
    }
}

/// Ascending, each as the distance from what the one before it left over.
fn indexes(rest: &mut &[u8]) -> Option<Vec<u32>> {
    let count = varint(rest)?;
    let mut next = 0;
    (0..count)
        .map(|_| {
            let index = next + varint(rest)?;
            next = index + 1;
            u32::try_from(index).ok()
        })
        .collect()
}
