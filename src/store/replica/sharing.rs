//! A group on its way into the shared place, while its head row is held.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::Known;
use super::copy::{LocalCopy, Still};
use super::remote::{Group, Hold, Newer, Remote, RemoteError};
use crate::store::engine::{Read, Stopped};
use crate::store::format;
use crate::store::write_path::{Disk, NotWritten};

/// For so long it is tried to find out what became of a group that was cut off.
const FOUND_OUT_WITHIN: Duration = Duration::from_secs(5);
/// Between two tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

pub(super) struct Sharing<'a> {
    pub(super) remote: &'a dyn Remote,
    /// `None` once it was written.
    pub(super) hold: Option<Box<dyn Hold + 'a>>,
    /// Everything before the group is in it.
    pub(super) copy: &'a dyn LocalCopy,
    pub(super) known: &'a Known,
    /// The run of this process, and the number of the group in it.
    pub(super) writer: ([u8; 16], u64),
    /// When the way to the shared place was cut off, where it is.
    pub(super) cut_off: Option<Instant>,
}

impl Disk for Sharing<'_> {
    type Shown = Still;

    fn committed(&self) -> &dyn Read {
        self.copy
    }

    fn has_room(&self) -> Result<(), Stopped> {
        self.copy.has_room()
    }

    fn write(&mut self, group: &mut Group) -> Result<Still, NotWritten> {
        let (run, number) = self.writer;
        let (key, value) = format::writer_row(run, number);
        group.writes.insert(key, value);
        let away = "the head row was not held".to_owned();
        let written = match self.hold.take() {
            Some(hold) => hold.write(group),
            None => Err(RemoteError::Away(away)),
        };
        match written {
            Ok(()) => self.in_copy(group),
            Err(RemoteError::Unknown(reason)) => self.find_out(group, reason),
            Err(RemoteError::Away(reason)) => Err(self.refused(reason)),
            Err(RemoteError::Wrong(stopped)) => {
                self.known.standing.stop_for(stopped.clone());
                Err(NotWritten::Refused(stopped))
            }
        }
    }
}

impl Sharing<'_> {
    /// The group is in the shared place; now it is in the copy too.
    fn in_copy(&self, group: &Group) -> Result<Still, NotWritten> {
        self.copy.write(&group.writes).map_err(|reason| {
            self.copy.give_up();
            NotWritten::Failed(reason)
        })?;
        Ok(self.copy.freeze())
    }

    fn refused(&mut self, reason: String) -> NotWritten {
        self.cut_off = Some(Instant::now());
        NotWritten::Refused(Stopped::SharedPlaceAway(reason))
    }

    /// Whoever holds the head row sees every group there will be before theirs: where this one is not among
    /// them, nothing of it was written.
    fn find_out(&mut self, group: &Group, reason: String) -> Result<Still, NotWritten> {
        tracing::warn!(engine = %reason, "a write to the shared store was cut off; whether it is there is looked up");
        let until = Instant::now() + FOUND_OUT_WITHIN;
        loop {
            match self.is_there(group) {
                Some(IsThere::Yes) => return self.in_copy(group),
                Some(IsThere::No) => return Err(self.refused(reason)),
                Some(IsThere::NobodyKnows) => break,
                None => {}
            }
            if Instant::now() >= until || self.known.ending.load(Ordering::Acquire) {
                break;
            }
            thread::park_timeout(BETWEEN_TRIES);
        }
        self.cut_off = Some(Instant::now());
        Err(NotWritten::Unknown(reason))
    }

    /// Looks in the log; `None` where it cannot be reached.
    fn is_there(&self, group: &Group) -> Option<IsThere> {
        let (there, _hold) = self.remote.hold().ok()?;
        if there.commits < group.after {
            // It has lost what was there before: what is next finds that.
            return Some(IsThere::NobodyKnows);
        }
        if there.commits == group.after {
            return Some(IsThere::No);
        }
        Some(match self.remote.newer(group.after).ok()? {
            Newer::ForgottenSince => IsThere::NobodyKnows,
            Newer::Groups(groups) => match groups.first() {
                Some(first) if first == group => IsThere::Yes,
                Some(_) => IsThere::No,
                None => IsThere::NobodyKnows,
            },
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
enum IsThere {
    Yes,
    No,
    NobodyKnows,
}
