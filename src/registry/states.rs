//! What keeps the registry from taking changes, and what whoever looks after it should know: every state
//! of that kind, by a name for programs, with what happened and what to do.
//!
//! | state | changes are taken again |
//! |---|---|
//! | `write-failed`, `ended` | after a restart |
//! | `disk-full` | by itself, when there is room |
//! | `anchor-missing`, `anchor-unreadable`, `anchor-not-writable`, `anchor-of-another-store`, `behind-anchor`, `not-the-anchored-history`, `log-damaged`, `rows-unreadable`, `counters-differ`, `empty-beside-anchor` | when store and anchor fit again, or after a decision |
//! | `store-unreadable` | when it can be read |
//! | `start-unfinished` | after a restart |
//! | `clock-behind` | by itself, when the clock has caught up; a little of it is only a warning |
//! | `master-key-missing`, `master-key-wrong` | after a restart with the key; before one it is only a warning |
//!
//! The words here are told to everybody: they name no file and no secret. The log and `goodstanding
//! doctor` do.

use std::fmt;

use super::{PUBLIC_URL, Registry, RegistryError};
use crate::store::engine::{Stopped, StoreError};
use crate::store::tables::SETTINGS;
use crate::time::Ttl;

/// A state that keeps the registry from taking changes, or soon may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The store takes no writes.
    Store(Stopped),
    /// The store cannot be read.
    Unreadable(StoreError),
    /// What a start has to write before anything else could not be written.
    StartUnfinished,
    /// The machine's clock is behind the newest change.
    ClockBehind {
        /// By so much.
        by: Ttl,
        /// How much is let pass.
        tolerated: Ttl,
    },
    /// There is no master key.
    MasterKeyMissing(Lack),
    /// The master key is another one's.
    MasterKeyWrong(Lack),
}

/// Who lacks the master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// This process, from its start on.
    Now,
    /// The next start would.
    AtNextStart,
}

/// What a state means for who asks for changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub enum Gravity {
    /// None are taken.
    ReadOnly,
    /// They are taken.
    Warning,
}

impl State {
    /// All names.
    pub const NAMES: &[&str] = &[
        "write-failed",
        "ended",
        "disk-full",
        "shared-place-away",
        "anchor-missing",
        "anchor-unreadable",
        "anchor-not-writable",
        "anchor-of-another-store",
        "behind-anchor",
        "not-the-anchored-history",
        "log-damaged",
        "rows-unreadable",
        "counters-differ",
        "empty-beside-anchor",
        "store-unreadable",
        "start-unfinished",
        "clock-behind",
        "master-key-missing",
        "master-key-wrong",
    ];

    /// Its name, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Store(stopped) => stopped.state(),
            Self::Unreadable(_) => "store-unreadable",
            Self::StartUnfinished => "start-unfinished",
            Self::ClockBehind { .. } => "clock-behind",
            Self::MasterKeyMissing(_) => "master-key-missing",
            Self::MasterKeyWrong(_) => "master-key-wrong",
        }
    }

    /// Whether changes are taken in it.
    pub fn gravity(&self) -> Gravity {
        match self {
            Self::Store(_) | Self::Unreadable(_) | Self::StartUnfinished => Gravity::ReadOnly,
            Self::ClockBehind { by, tolerated } if by > tolerated => Gravity::ReadOnly,
            Self::MasterKeyMissing(Lack::Now) | Self::MasterKeyWrong(Lack::Now) => {
                Gravity::ReadOnly
            }
            Self::ClockBehind { .. } | Self::MasterKeyMissing(_) | Self::MasterKeyWrong(_) => {
                Gravity::Warning
            }
        }
    }

    /// In how many seconds it is worth while to ask again: sooner where it may be over by itself.
    pub const fn ask_again_in(&self) -> u32 {
        match self {
            Self::Store(Stopped::SharedPlaceAway(_)) => 5,
            Self::Store(Stopped::DiskFull { .. }) | Self::ClockBehind { .. } => 10,
            _ => 60,
        }
    }

    /// What happened.
    pub fn happened(&self) -> String {
        match self {
            Self::Store(stopped) => store_stopped(stopped),
            Self::Unreadable(_) => "the store cannot be read".to_owned(),
            Self::StartUnfinished => "what a start has to write before anything else could not be \
                                      written"
                .to_owned(),
            Self::ClockBehind { by, .. } => format!(
                "this machine's clock is {} seconds behind the newest change",
                by.seconds()
            ),
            Self::MasterKeyMissing(Lack::Now) => {
                "no master key could be read at the start, so that nothing can be signed".to_owned()
            }
            Self::MasterKeyWrong(Lack::Now) => {
                "the master key at the start was not the one under which this store's keys are \
                 sealed, so that nothing can be signed"
                    .to_owned()
            }
            Self::MasterKeyMissing(Lack::AtNextStart) => {
                "the next start could read no master key".to_owned()
            }
            Self::MasterKeyWrong(Lack::AtNextStart) => {
                "the next start would not find a master key that opens this store".to_owned()
            }
        }
    }

    /// What whoever looks after the registry is to do.
    pub const fn to_do(&self) -> &'static str {
        match self {
            Self::Store(stopped) => mended_by(stopped),
            Self::Unreadable(_) => "see the log for what cannot be read, and `goodstanding doctor`",
            Self::StartUnfinished => "see to the other states, and restart",
            Self::ClockBehind { .. } => {
                "set the machine's clock right; changes are taken again when it has caught up. Where \
                 it was ahead when the newest change was made, raise clock.tolerance_seconds above \
                 the difference, and restart"
            }
            Self::MasterKeyMissing(Lack::Now) => {
                "put the master key back that the store was used with last, and restart"
            }
            Self::MasterKeyWrong(Lack::Now) => {
                "give the master key that the store was used with last, and restart"
            }
            Self::MasterKeyMissing(Lack::AtNextStart) | Self::MasterKeyWrong(Lack::AtNextStart) => {
                "put the master key back that this process was started with, before it is restarted"
            }
        }
    }
}

/// What happened, without the names of files that the store's own words have.
fn store_stopped(stopped: &Stopped) -> String {
    match stopped {
        Stopped::WriteFailed(_) => {
            "a write to the store failed, and what of it reached the disk is found out at the next \
             start"
                .to_owned()
        }
        Stopped::Ended => "the part of the service that writes has ended".to_owned(),
        Stopped::DiskFull { free, least } => format!(
            "the disk has {free} bytes left, and at {least} changes are no longer taken, so that what \
             is there stays whole"
        ),
        Stopped::SharedPlaceAway(_) => {
            "the database that all replicas share cannot be reached".to_owned()
        }
        Stopped::AnchorMissing => {
            "the store's anchor is missing, so that nobody can tell whether the newest changes are \
             there"
                .to_owned()
        }
        Stopped::AnchorUnreadable(_) => {
            "the store's anchor cannot be read, so that nobody can tell whether the newest changes \
             are there"
                .to_owned()
        }
        Stopped::AnchorNotWritable(_) => {
            "the store's anchor cannot be written, so that no change could be acknowledged"
                .to_owned()
        }
        Stopped::AnchorOfAnotherStore => "the anchor is that of another store".to_owned(),
        Stopped::BehindAnchor { anchored, found } => format!(
            "changes up to event {anchored} were acknowledged, and the store holds them up to event \
             {found}"
        ),
        Stopped::NotTheAnchoredHistory(seq) => {
            format!("what the store holds at event {seq} is not what was acknowledged there")
        }
        Stopped::LogDamaged(seq) => {
            format!("the log does not go on with event {seq} as it was written")
        }
        Stopped::RowsUnreadable(_) => "some of what is stored cannot be read any more".to_owned(),
        Stopped::CountersDiffer => "the counters of indexes given out are not those that were \
                                    written last"
            .to_owned(),
        Stopped::EmptyBesideAnchor => "there is an anchor, and no store beside it".to_owned(),
    }
}

const fn mended_by(stopped: &Stopped) -> &'static str {
    match stopped {
        Stopped::WriteFailed(_) => "see the log for what failed, mend the disk, and restart",
        Stopped::Ended => "restart",
        Stopped::DiskFull { .. } => "make space; changes are taken again by themselves",
        Stopped::SharedPlaceAway(_) => {
            "see to the database and the way to it; changes are taken again by themselves"
        }
        Stopped::AnchorMissing | Stopped::AnchorUnreadable(_) => {
            "put the anchor back and restart; where it is lost, see `goodstanding doctor`"
        }
        Stopped::AnchorNotWritable(_) => "see to the anchor's file and its disk, and restart",
        Stopped::AnchorOfAnotherStore => {
            "name this store's own anchor in anchor.file and restart, or see `goodstanding doctor`"
        }
        Stopped::BehindAnchor { .. }
        | Stopped::NotTheAnchoredHistory(_)
        | Stopped::LogDamaged(_)
        | Stopped::RowsUnreadable(_)
        | Stopped::CountersDiffer
        | Stopped::EmptyBesideAnchor => {
            "put the newest copy of the store back and restart; where there is none, see \
             `goodstanding doctor`"
        }
    }
}

/// For the log and the command line: what happened, and what to do.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The store's own words name files.
            Self::Store(stopped) => stopped.fmt(f),
            Self::Unreadable(error) => error.fmt(f),
            other => write!(f, "{}; {}", other.happened(), other.to_do()),
        }
    }
}

/// A clock is set by about this much all the time.
const CLOCKS_DIFFER: Ttl = Ttl::from_seconds(1);

impl Registry {
    /// The states that the registry is in, those in which no changes are taken first; none where all
    /// is well.
    pub fn states(&self) -> Vec<State> {
        let mut states: Vec<State> = [
            self.engine.takes_writes().err().map(State::Store),
            self.unreadable(),
            self.vault.locked(),
            self.clock_behind(),
            self.unfinished.get().cloned(),
            self.lacks_at_next_start(),
        ]
        .into_iter()
        .flatten()
        .collect();
        states.sort_by_key(State::gravity);
        states
    }

    /// Whether changes are taken at this moment.
    pub fn takes_changes(&self) -> bool {
        self.engine.takes_writes().is_ok() && self.read_only().is_none()
    }

    /// Why no changes are taken, where that is not for the store to say.
    pub(super) fn read_only(&self) -> Option<State> {
        let behind = || {
            self.clock_behind()
                .filter(|state| state.gravity() == Gravity::ReadOnly)
        };
        let locked = self.vault.locked().or_else(behind);
        locked.or_else(|| self.unfinished.get().cloned())
    }

    /// Whether the clock is behind the newest change by more than clocks usually differ: everything
    /// would be dated and judged at a moment that it has not reached.
    fn clock_behind(&self) -> Option<State> {
        let newest = self.engine.head().at.millis();
        let by = newest.saturating_sub(self.clock.now().millis());
        let by = Ttl::from_millis(u64::try_from(by).unwrap_or(0));
        let tolerated = self.settings.clock_tolerance;
        (by > CLOCKS_DIFFER).then_some(State::ClockBehind { by, tolerated })
    }

    fn unreadable(&self) -> Option<State> {
        let read = SETTINGS.get(&*self.engine, &PUBLIC_URL.to_owned());
        read.err().map(State::Unreadable)
    }

    fn lacks_at_next_start(&self) -> Option<State> {
        if self.vault.locked().is_some() {
            return None;
        }
        match self.check_master_key() {
            Err(RegistryError::MasterKeyPlace(_)) => {
                Some(State::MasterKeyMissing(Lack::AtNextStart))
            }
            Err(RegistryError::MasterKey) => Some(State::MasterKeyWrong(Lack::AtNextStart)),
            // Where the store cannot be read, that is a state of its own.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Seq;

    /// Each state there is, with a path wherever the store's own words can have one.
    fn all() -> Vec<State> {
        let path = || "/var/lib/canary".to_owned();
        let of_store = [
            Stopped::WriteFailed(path()),
            Stopped::Ended,
            Stopped::DiskFull { free: 7, least: 9 },
            Stopped::SharedPlaceAway(path()),
            Stopped::AnchorMissing,
            Stopped::AnchorUnreadable(path()),
            Stopped::AnchorNotWritable(path()),
            Stopped::AnchorOfAnotherStore,
            Stopped::BehindAnchor {
                anchored: Seq(9),
                found: Seq(7),
            },
            Stopped::NotTheAnchoredHistory(Seq(7)),
            Stopped::LogDamaged(Seq(7)),
            Stopped::RowsUnreadable(path()),
            Stopped::CountersDiffer,
            Stopped::EmptyBesideAnchor,
        ];
        let seconds = Ttl::from_seconds;
        let others = [
            State::Unreadable(StoreError::Unavailable(path())),
            State::StartUnfinished,
            State::ClockBehind {
                by: seconds(61),
                tolerated: seconds(60),
            },
            State::MasterKeyMissing(Lack::Now),
            State::MasterKeyWrong(Lack::Now),
        ];
        of_store
            .map(State::Store)
            .into_iter()
            .chain(others)
            .collect()
    }

    #[test]
    fn every_state_has_its_own_name_says_what_to_do_and_names_no_file() {
        let names: Vec<_> = all().iter().map(State::name).collect();
        assert_eq!(names, State::NAMES);
        for state in all() {
            let said = format!("{}; {}", state.happened(), state.to_do());
            assert!(!said.contains("canary"), "{said}");
            assert!(!state.to_do().is_empty() && !state.happened().is_empty());
            assert_eq!(state.gravity(), Gravity::ReadOnly, "{said}");
            assert_eq!(RegistryError::ReadOnly(state).to_string(), said);
        }
    }

    #[test]
    fn what_is_only_to_come_is_a_warning() {
        let seconds = Ttl::from_seconds;
        for state in [
            State::ClockBehind {
                by: seconds(60),
                tolerated: seconds(60),
            },
            State::MasterKeyMissing(Lack::AtNextStart),
            State::MasterKeyWrong(Lack::AtNextStart),
        ] {
            assert_eq!(state.gravity(), Gravity::Warning);
            assert!(State::NAMES.contains(&state.name()));
        }
    }
}
