//! How a replica comes up: the first time that it reaches the shared place, its copy is brought to where that
//! stands, and that is held against the anchor beside the copy.

use super::copy::LocalCopy;
use super::remote::{Group, Remote, RemoteError};
use super::taking_in::{Taken, Trouble, read_anew, take_in, unwrapped};
use crate::store::anchor::{self, Anchor, AnchorPlace, Anchoring, Judged};
use crate::store::engine::{Decision, Stopped, StoreError};
use crate::store::format::{self, Identity, Tip};
use crate::store::memory::Rows;
use crate::store::opening::{self, Origin};
use crate::store::write_path::Front;

/// A replica that has not met the shared place yet.
pub(super) struct Unmet {
    /// Where its anchor is; taken when it is judged.
    pub(super) anchor: Option<Box<dyn AnchorPlace>>,
    /// The id that a store gets that is made.
    pub(super) new_id: [u8; 16],
    pub(super) decision: Decision,
}

/// A copy that is where the shared place is, and what anchors it from now on.
pub(super) struct Met {
    pub(super) front: Front,
    pub(super) identity: Identity,
    pub(super) anchoring: Anchoring,
}

/// Where a copy stands that is whole, as far as a start looks; `None` where it has to be read anew.
pub(super) fn whole(copy: &dyn LocalCopy) -> Option<(Tip, Identity)> {
    let (tip, identity) = opening::stand_of_copy(copy).ok()??;
    match opening::not_whole(copy, &tip, Origin::AsLeft) {
        None => Some((tip, identity)),
        Some(stopped) => {
            tracing::warn!(engine = %stopped, "the copy of the shared store is not whole, and is read anew");
            None
        }
    }
}

impl Unmet {
    /// Meets the shared place. After [`Trouble::Away`] it can be tried again.
    pub(super) fn meet(
        &mut self,
        remote: &dyn Remote,
        copy: &dyn LocalCopy,
    ) -> Result<Met, Trouble> {
        let anchor = self.newest_anchor()?;
        let mine = whole(copy);
        let had = anchor.is_some() || mine.is_some_and(|(tip, _)| tip.commits > 0);
        let there = self.found_or_made(remote, had)?;
        let anchored = anchor.map(|anchor| anchor.identity.store);
        let accepted = self.decision == Decision::NewEpoch;
        if anchored.is_some_and(|anchored| anchored != there.store) && !accepted {
            return Err(Trouble::Wrong(Stopped::AnchorOfAnotherStore));
        }
        let caught_up = match mine {
            Some((tip, identity)) if identity == there => {
                let mut front = Front::at(tip);
                let taken = catch_up(remote, copy, &mut front);
                taken.map(|()| (front.tip, identity))
            }
            _ => read_anew(remote, copy),
        };
        let (tip, identity) = match caught_up {
            Err(Trouble::Wrong(_)) if accepted => read_anew(remote, copy)?,
            caught_up => caught_up?,
        };
        // What was read anew may be damaged there; of what was taken in, that is known.
        if mine.is_none()
            && !accepted
            && let Some(stopped) = opening::not_whole(copy, &tip, Origin::AsLeft)
        {
            return Err(Trouble::Wrong(stopped));
        }
        if accepted {
            return self.take_as_found(remote, copy, identity, tip);
        }
        self.judged(copy, anchor.is_some(), identity, tip)
    }

    fn newest_anchor(&self) -> Result<Option<Anchor>, Trouble> {
        let newest = self.anchor.as_deref().map_or(Ok(None), anchor::newest);
        match newest {
            // By a decision the store counts as it is found, whatever its anchor says.
            Err(_) if self.decision == Decision::NewEpoch => Ok(None),
            newest => newest.map_err(|reason| Trouble::Wrong(Stopped::AnchorUnreadable(reason))),
        }
    }

    /// Which store the shared place holds; a new one where there is none and never was one.
    fn found_or_made(&self, remote: &dyn Remote, had: bool) -> Result<Identity, Trouble> {
        if remote.tip()?.is_none() {
            if had {
                return Err(Trouble::Wrong(Stopped::EmptyBesideAnchor));
            }
            remote.make(&Group {
                after: 0,
                tip: Tip::EMPTY,
                writes: format::new_store(self.new_id),
            })?;
        }
        // Its own rows are the first ones.
        let mut first = None;
        let read = remote.read_all(&mut |rows| {
            first.get_or_insert(rows);
            Err(RemoteError::Away("no more is needed".to_owned()))
        });
        let Some(rows) = first else {
            read?;
            return Err(Trouble::Away("there are no rows yet".to_owned()));
        };
        let rows: Rows = rows.into_iter().collect();
        let identity = opening::of_this_format(&rows).and_then(|()| format::read_identity(&rows));
        identity.map_err(Trouble::Unreadable)
    }

    /// Held against the anchor. Where there is none, nothing was acknowledged here yet.
    fn judged(
        &mut self,
        copy: &dyn LocalCopy,
        is_anchored: bool,
        identity: Identity,
        tip: Tip,
    ) -> Result<Met, Trouble> {
        let place = self.place()?;
        let anchoring = match is_anchored {
            false => anchor::make(place, identity, &tip).map_err(not_anchored)?,
            true => match unwrapped(anchor::judge(copy, identity, &tip, place))? {
                Judged::Fits(anchoring) => anchoring,
                Judged::Refused(stopped) => return Err(Trouble::Wrong(stopped)),
            },
        };
        let front = Front::at(tip);
        Ok(Met {
            front,
            identity,
            anchoring,
        })
    }

    /// Begins another epoch, for all replicas.
    fn take_as_found(
        &mut self,
        remote: &dyn Remote,
        copy: &dyn LocalCopy,
        identity: Identity,
        tip: Tip,
    ) -> Result<Met, Trouble> {
        let mut front = Front::at(tip);
        let (there, hold) = remote.hold()?;
        take_in(remote, copy, &mut front, &there, &mut |_, _| {})?;
        let after = front.tip.commits;
        let (identity, tip, writes) = unwrapped(opening::as_found(copy, identity, front.tip))?;
        let group = Group { after, tip, writes };
        hold.write(&group)?;
        copy.write(&group.writes).map_err(Trouble::Copy)?;
        // Decided once.
        self.decision = Decision::AsAnchored;
        let anchoring = anchor::make(self.place()?, identity, &tip).map_err(not_anchored)?;
        let front = Front::at(tip);
        Ok(Met {
            front,
            identity,
            anchoring,
        })
    }

    fn place(&mut self) -> Result<Box<dyn AnchorPlace>, Trouble> {
        let gone = || Trouble::Wrong(Stopped::AnchorUnreadable("it was judged before".to_owned()));
        self.anchor.take().ok_or_else(gone)
    }
}

fn catch_up(remote: &dyn Remote, copy: &dyn LocalCopy, front: &mut Front) -> Result<(), Trouble> {
    let there = remote.tip()?;
    let there = there.ok_or(Trouble::Wrong(Stopped::EmptyBesideAnchor))?;
    take_in(remote, copy, front, &there, &mut |_, _: Taken| {})
}

fn not_anchored(error: StoreError) -> Trouble {
    Trouble::Wrong(match error {
        StoreError::NoWrites(stopped) => stopped,
        other => Stopped::AnchorNotWritable(other.to_string()),
    })
}
