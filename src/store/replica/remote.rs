//! What a replica needs of the place that all replicas share: one log of groups, the rows that they leave,
//! and a head row that only one of them holds at a time.
//!
//! A group is what one replica commits at once. Groups stand in the log in the order in which they were
//! committed, without gaps: each says after how many batches it begins and with how many it ends, and the
//! head row says with how many the newest one ends. Whoever holds the head row is the only one who
//! writes; nobody writes without having seen all groups before.

use std::time::Duration;

use thiserror::Error;

use crate::store::engine::{Row, Stopped};
use crate::store::format::Tip;
/// One group of the log.
pub(in crate::store) use crate::store::write_path::Group;

/// Groups that a replica has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Newer {
    /// Those, in order, up to some bound; none where it has seen all.
    Groups(Vec<Group>),
    /// The log does not reach back so far: the rows have to be read anew.
    ForgottenSince,
}

/// The shared place. A replica calls it from one thread at a time, while it holds the head row too; another
/// thread may call `wait_for_news`. No call takes longer than some seconds.
pub(in crate::store) trait Remote: Send + Sync {
    /// Where the newest group ends, as far as anybody may see; `None` where there is no store yet.
    fn tip(&self) -> Result<Option<Tip>, RemoteError>;

    /// The groups that begin after so many batches or later.
    fn newer(&self, commits: u64) -> Result<Newer, RemoteError>;

    /// Reads all rows of one state, handing them over in ascending order of their keys and in portions, and
    /// answers where the store stood then; `None` where there is no store.
    fn read_all(
        &self,
        portion: &mut dyn FnMut(Vec<Row>) -> Result<(), RemoteError>,
    ) -> Result<Option<Tip>, RemoteError>;

    /// Makes the store, where nobody has: what is there already stays as it is.
    fn make(&self, group: &Group) -> Result<(), RemoteError>;

    /// Holds the head row until the answer is written or dropped, and says where the newest group ends.
    fn hold(&self) -> Result<(Tip, Box<dyn Hold + '_>), RemoteError>;

    /// Waits until somebody says that there is something new, or for so long. It may return early, and what
    /// it says may be lost: it only saves time.
    fn wait_for_news(&self, at_most: Duration);

    /// Whether this replica is the one that does what one is enough for, from now on for so long. Two may
    /// think so for a moment: it saves work, and nothing depends on it.
    fn lead(&self, for_so_long: Duration) -> Result<bool, RemoteError>;
}

/// The head row, held.
pub(in crate::store) trait Hold {
    /// Adds a group to the log, its rows to the rows, and moves the head. Returns when it is durable, on
    /// a standby too where the place is set so.
    fn write(self: Box<Self>, group: &Group) -> Result<(), RemoteError>;
}

/// Why the shared place did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(in crate::store) enum RemoteError {
    /// It could not be reached, refused, or was busy for too long: nothing was written. It may go on at
    /// any moment.
    #[error("{0}")]
    Away(String),
    /// It was cut off while it committed: the group may be there or may not.
    #[error("{0}")]
    Unknown(String),
    /// What it holds is not what this program understands, or not what it held before.
    #[error("{0}")]
    Wrong(Stopped),
}
