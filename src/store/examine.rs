//! A closed store, examined without a write: where it stands, whether its log and its counters add up, and how
//! its anchor fits it.

use super::anchor::{self, Anchor, AnchorPlace};
use super::chain::{Chain, Links};
use super::engine::{Head, Read, Stopped, StoreError};
use super::format::{
    ANCHORED, FORMAT, Tip, corrupt, count_counters, epoch_key, format_key, head_key, read_format,
    read_identity,
};
use crate::ids::Seq;
use crate::time::Timestamp;

/// What a store says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// The version of its format.
    pub format: u32,
    /// The newest event.
    pub head: Head,
    /// How often it was taken as it was found.
    pub epoch: u32,
    tip: Tip,
}

/// What an anchor says, and how that fits the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorSays {
    /// The two slots, in their order in the file; none where there is no anchor.
    pub slots: Vec<Result<SlotSays, String>>,
    /// Whether the store holds everything that was acknowledged.
    pub fits: Result<(), Stopped>,
}

/// What one slot says was acknowledged last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotSays {
    /// How many writes of the anchor there were before it.
    pub number: u64,
    /// The newest event.
    pub seq: Seq,
    /// When that was.
    pub at: Timestamp,
    /// In which epoch.
    pub epoch: u32,
}

impl Stand {
    /// What `read` says; `None` where it is an empty store.
    ///
    /// # Errors
    /// Rows that cannot be read; a format that this program does not know.
    pub fn of(read: &dyn Read) -> Result<Option<Self>, StoreError> {
        let Some(format) = read.get(&format_key())? else {
            return Ok(None);
        };
        let format = read_format(&format)?;
        if format > FORMAT {
            let known = FORMAT;
            return Err(StoreError::Format {
                found: format,
                known,
            });
        }
        let row = read.get(&head_key())?;
        let row = row.ok_or_else(|| corrupt("head", "the row is missing"))?;
        let tip = match format < ANCHORED {
            true => Tip::decode_older(&row).or_else(|_| Tip::decode(&row))?,
            false => Tip::decode(&row)?,
        };
        let epoch = read.get(&epoch_key())?.and_then(|row| row.try_into().ok());
        Ok(Some(Self {
            format,
            head: tip.head,
            epoch: epoch.map_or(0, u32::from_be_bytes),
            tip,
        }))
    }

    /// Whether a store of this format has an anchor.
    pub const fn is_anchored(&self) -> bool {
        self.format >= ANCHORED
    }

    /// Follows the log from its first event to its newest, recomputing the chain over it; `so_far` hears
    /// of the events that it has come past. Gives the first that does not follow from those before it, where
    /// there is one.
    ///
    /// # Errors
    /// Rows that cannot be read.
    pub fn follow_log(
        &self,
        read: &dyn Read,
        so_far: &mut dyn FnMut(Seq),
    ) -> Result<Option<Seq>, StoreError> {
        let mut chain = Chain::behind(read, Seq(0))?;
        loop {
            match chain.go_on(read, self.head.seq)? {
                Links::More => so_far(chain.seq()),
                Links::Whole => return Ok(None),
                Links::Broken(at) => return Ok(Some(at)),
            }
        }
    }

    /// Whether the indexes given out are those that were written last.
    ///
    /// # Errors
    /// Rows that cannot be read.
    pub fn counters_add_up(&self, read: &dyn Read) -> Result<bool, StoreError> {
        Ok(!self.is_anchored() || count_counters(read)? == self.tip.counters)
    }

    /// Holds the store against an anchor.
    pub(super) fn held_against(
        &self,
        read: &dyn Read,
        place: &dyn AnchorPlace,
    ) -> Result<AnchorSays, StoreError> {
        let slots = match place.read() {
            Ok(slots) => slots,
            Err(reason) => {
                return Ok(AnchorSays {
                    slots: Vec::new(),
                    fits: Err(Stopped::AnchorUnreadable(reason)),
                });
            }
        };
        let Some(slots) = slots else {
            return Ok(AnchorSays {
                slots: Vec::new(),
                fits: match self.tip.commits {
                    0 => Ok(()),
                    _ => Err(Stopped::AnchorMissing),
                },
            });
        };
        let slots = slots.map(|slot| Anchor::decode(&slot));
        let newest = slots
            .iter()
            .filter_map(|slot| slot.as_ref().ok())
            .max_by_key(|slot| slot.number);
        let fits = match newest {
            None => Err(Stopped::AnchorUnreadable(
                "neither of its slots is whole".to_owned(),
            )),
            Some(newest) => {
                let misfit = anchor::misfit(read, read_identity(read)?, &self.tip, newest)?;
                misfit.map_or(Ok(()), Err)
            }
        };
        let says = |slot: &Anchor| SlotSays {
            number: slot.number,
            seq: slot.tip.head.seq,
            at: slot.tip.head.at,
            epoch: slot.identity.epoch,
        };
        let slots = slots
            .iter()
            .map(|slot| slot.as_ref().map(says).map_err(Clone::clone));
        Ok(AnchorSays {
            slots: slots.collect(),
            fits,
        })
    }
}
