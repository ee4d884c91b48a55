//! What every storage engine promises: an ordered map from bytes to bytes with atomic,
//! conditional batches and a log of events.
//!
//! The trait is synchronous. Services run on threads that may block; the edge sees to that, and
//! a slow disk never holds up the threads that answer from memory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use thiserror::Error;

use super::following::{Follower, Tables};
use super::queued::Queued;
use crate::ids::Seq;
use crate::metrics::Writes;
use crate::time::Timestamp;

/// Length in bytes of a link in the log's digest chain (SHA-256).
pub const DIGEST_BYTES: usize = 32;

/// Reads from one state of the store. Where it is a snapshot, every answer comes from the same
/// committed batch, however many batches are committed meanwhile.
pub trait Read: Send + Sync {
    /// The value of `key`, or `None` where there is none.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values of `keys`, in their order.
    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Up to `limit` rows with `from <= key < to`, in ascending order of key.
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError>;

    /// The same for many ranges, in their order, each up to `limit` rows. An engine that can do
    /// that in one go is faster than one scan after the other.
    fn scan_each(
        &self,
        ranges: &[(Vec<u8>, Vec<u8>)],
        limit: usize,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        let scans = ranges.iter().map(|(from, to)| self.scan(from, to, limit));
        scans.collect()
    }

    /// As [`scan`](Self::scan), of rows that whoever reads them keeps: the engine need not keep them in memory
    /// as well.
    fn scan_apart(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.scan(from, to, limit)
    }

    /// A number that two snapshots of one engine have in common exactly where no row of these tables was
    /// written between them: what was worked out on one of them holds on the other. `None` where
    /// that cannot be told, so that nothing is to be kept.
    fn last_write(&self, tables: Tables) -> Option<u64> {
        let _ = tables;
        None
    }

    /// How many commits of its engine a snapshot shows: those up to this number ([`Held`]), and no later one.
    /// `None` where that cannot be told.
    fn commits(&self) -> Option<u64> {
        None
    }
}

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// An ordered, durable key-value store. Tables and meaning stand above it. What is read, snapshots and
/// the log alike, is what was acknowledged or is about to be: it is durable, and its anchor says so.
pub trait Engine: Read {
    /// A view that later commits do not change.
    fn snapshot(&self) -> Box<dyn Read + '_>;

    /// Applies `batch` whole or not at all, and returns when it is durable: what is reported
    /// [`Committed`] survives a crash and a power cut. Its events get the next numbers of the
    /// log, without gaps and in commit order. Callers from many threads share one disk sync.
    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.queue(batch).wait()
    }

    /// As [`commit`](Self::commit), without waiting: `batch` has its place when this returns, so that
    /// whatever is queued later is applied after it, and what became of it is heard by waiting.
    fn queue(&self, batch: Batch) -> Queued;

    /// From now on `follower` is handed what is committed. One that is added while something is committed may
    /// miss that.
    fn follow(&self, follower: Arc<dyn Follower>);

    /// Whether the engine takes writes; where it does not, why. It may stop at any moment, so a
    /// commit is answered by [`commit`](Self::commit) alone.
    fn takes_writes(&self) -> Result<(), Stopped>;

    /// For the how manieth time the store was taken as it was found, whatever its anchor said
    /// ([`Decision::NewEpoch`]); 0 where that was never decided.
    fn epoch(&self) -> u32;

    /// Sees to it that what was deleted or overwritten within `from <= key < to` of these ranges is
    /// gone from the engine's files as well, as far as no snapshot holds it: it may take seconds.
    ///
    /// # Errors
    /// What is in memory could not be written out; the rows are gone for readers all the same.
    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError>;

    /// Copies the store as it is at one moment into a folder that is not there yet, while it goes on to
    /// be read and written. The copy holds everything that was acknowledged, and takes no more room than
    /// its index where the folder is on the store's disk.
    ///
    /// # Errors
    /// It could not be copied; or the engine keeps nothing on a disk.
    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        let folder = folder.display();
        Err(StoreError::Unavailable(format!(
            "it cannot be copied to {folder}: this engine keeps nothing on a disk"
        )))
    }

    /// The newest committed place in the log.
    fn head(&self) -> Head;

    /// How long its writes take, where it measures that.
    fn measured(&self) -> Option<Arc<Writes>> {
        None
    }

    /// Waits until the log that readers see goes up to `seq`, and says whether it does by then. On a store
    /// that several processes share, what another one has acknowledged may come a moment later.
    fn reaches(&self, seq: Seq, until: Instant) -> bool {
        let _ = until;
        self.head().seq >= seq
    }

    /// Whether this process is to do what one is enough for where several share a store. Two may be for a
    /// moment, so that nothing but double work may depend on it.
    fn leads(&self) -> bool {
        true
    }

    /// Up to `limit` events after `since`, in order.
    fn changes(&self, since: Seq, limit: usize) -> Result<Vec<LoggedEvent>, StoreError>;

    /// Up to `limit` events after `since` that are the affair of `who`, in order.
    fn changes_of(
        &self,
        who: u32,
        since: Seq,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError>;
}

/// Changes that are made together or not at all. Conditions are checked against the state in
/// which the batch is applied, earlier batches of the same disk sync included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Each key must have exactly this value (`None`: be absent), or the batch is a conflict.
    pub preconditions: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Rows to write. A key stands at most once in `puts` and `deletes` together.
    pub puts: Vec<Row>,
    /// Keys to remove; one that is absent is no error.
    pub deletes: Vec<Vec<u8>>,
    /// Events for the log, in order. Where there are none the log does not move.
    pub events: Vec<NewEvent>,
    /// The moment that its rows speak of as the present, where they do. It is never committed at an
    /// earlier one, also where the clock is set back between the two.
    pub decided_at: Option<Timestamp>,
    /// The batch that it was decided on, where nobody could read that yet: one that did not hold makes
    /// this one a conflict too. It has to have its place in the engine's queue before this one.
    pub after: Option<Held>,
    /// Is told when this one holds.
    pub held: Option<Held>,
}

/// Whether a batch held: its conditions were met, and it was made part of the store or of what is being
/// written.
#[derive(Debug, Clone, Default)]
pub struct Held(Arc<AtomicU64>);

impl Held {
    /// It does, as the commit with this number, which is never 0.
    pub(super) fn tell(&self, number: u64) {
        self.0.store(number, Ordering::Release);
    }

    /// It does not after all: what it was part of could not be written.
    pub(super) fn take_back(&self) {
        self.0.store(0, Ordering::Release);
    }

    pub(super) fn is_told(&self) -> bool {
        self.0.load(Ordering::Acquire) != 0
    }

    /// Whether a snapshot that shows so many commits ([`Read::commits`]) shows this one.
    pub fn is_among(&self, commits: u64) -> bool {
        (1..=commits).contains(&self.0.load(Ordering::Acquire))
    }
}

/// The same where they are of one batch.
impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Held {}

impl Batch {
    /// Whether there is anything to be written.
    pub const fn writes(&self) -> bool {
        !(self.puts.is_empty() && self.deletes.is_empty() && self.events.is_empty())
    }

    /// One that writes nothing yet, and speaks of that moment as the present.
    pub fn decided(at: Timestamp) -> Self {
        Self {
            decided_at: Some(at),
            ..Self::default()
        }
    }

    /// About how many bytes it writes.
    pub fn bytes(&self) -> usize {
        let puts = self.puts.iter().map(|(key, value)| key.len() + value.len());
        let deletes = self.deletes.iter().map(Vec::len);
        let events = self.events.iter().map(|event| event.body.len());
        puts.chain(deletes).chain(events).sum()
    }
}

/// An event for the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewEvent {
    /// What the log says of it.
    pub body: Vec<u8>,
    /// Whose affair it is, by numbers that the services give out, each at most once: the engine
    /// keeps their places in the log apart, for [`Engine::changes_of`].
    pub concerns: Vec<u32>,
}

/// An event that is nobody's affair in particular.
impl From<Vec<u8>> for NewEvent {
    fn from(body: Vec<u8>) -> Self {
        Self {
            body,
            concerns: Vec::new(),
        }
    }
}

/// A durable batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Number of the batch's last event, or of the newest event before it where it has none.
    pub seq: Seq,
    /// When it was committed, by the engine's clock; never earlier than a batch before it.
    pub at: Timestamp,
}

/// The newest place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of the newest event; 0 for an empty log.
    pub seq: Seq,
    /// The digest chain up to and including that event; zeros for an empty log.
    pub digest: [u8; DIGEST_BYTES],
    /// When it was committed.
    pub at: Timestamp,
}

/// One event as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its place.
    pub seq: Seq,
    /// When it was committed.
    pub at: Timestamp,
    /// The digest chain up to and including it.
    pub digest: [u8; DIGEST_BYTES],
    /// What the writer handed in.
    pub body: Vec<u8>,
}

/// How a store is taken that is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decision {
    /// Only with everything in it that its anchor says was acknowledged; else it is read and not
    /// written.
    #[default]
    AsAnchored,
    /// As it is found, whatever its anchor says, by a decision of whoever runs it: another epoch begins.
    NewEpoch,
}

/// Why an engine takes no writes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Stopped {
    /// A write failed: what the disk holds is found out when the store is opened again.
    #[error("a write failed, restart to write again: {0}")]
    WriteFailed(String),
    /// The thread that writes has ended.
    #[error("the store's writer has ended; restart to write again")]
    Ended,
    /// The store is on a disk with too little space left. It goes on when there is more.
    #[error(
        "the disk of the store or of its anchor has {free} bytes left, and {least} are kept free so that \
         what is there stays whole; make space, and changes are taken again"
    )]
    DiskFull {
        /// Bytes that are left.
        free: u64,
        /// Bytes below which no changes are taken.
        least: u64,
    },
    /// The place that this replica shares with others cannot be reached. It goes on when it is back.
    #[error(
        "the database that all replicas share cannot be reached; reads go on, and changes are taken again when \
         it is back: {0}"
    )]
    SharedPlaceAway(String),
    /// There is no anchor beside a store that has one.
    #[error(
        "the store's anchor is missing, so that nobody can tell whether the newest changes are there; put \
         the anchor back, or see `goodstanding doctor`"
    )]
    AnchorMissing,
    /// Neither of the anchor's slots can be read.
    #[error(
        "the store's anchor cannot be read, so that nobody can tell whether the newest changes are there; \
         put the anchor back, or see `goodstanding doctor`: {0}"
    )]
    AnchorUnreadable(String),
    /// The anchor can be read and not written.
    #[error(
        "the store's anchor cannot be written, so that no change could be acknowledged; see to its file and \
         its disk, and restart: {0}"
    )]
    AnchorNotWritable(String),
    /// The anchor is of another store.
    #[error(
        "the anchor is that of another store; name the right one in anchor.file, or see `goodstanding \
         doctor`"
    )]
    AnchorOfAnotherStore,
    /// The store has lost changes that were acknowledged.
    #[error(
        "the store is behind its anchor: changes up to event {anchored} were acknowledged, and it holds \
         them up to event {found}; put the newest copy of the store back, or see `goodstanding doctor`"
    )]
    BehindAnchor {
        /// The newest event that was acknowledged.
        anchored: Seq,
        /// The newest event that is there.
        found: Seq,
    },
    /// What is there is not what was acknowledged.
    #[error(
        "what the store holds at event {0} is not what was acknowledged there; put the newest copy of \
         the store back, or see `goodstanding doctor`"
    )]
    NotTheAnchoredHistory(Seq),
    /// Events are missing in the middle of the log, or are not those that were written.
    #[error(
        "the log does not go on with event {0} as it was written, so that changes are missing; put the \
         newest copy of the store back, or see `goodstanding doctor`"
    )]
    LogDamaged(Seq),
    /// Some of what is stored cannot be read any more.
    #[error(
        "the store holds rows that cannot be read; put the newest copy of the store back, or see \
         `goodstanding doctor`: {0}"
    )]
    RowsUnreadable(String),
    /// Rows that say how far indexes are given out are not those that were written last.
    #[error(
        "the counters of indexes given out are not those that were written last, so that an index could \
         be given out twice; put the newest copy of the store back, or see `goodstanding doctor`"
    )]
    CountersDiffer,
    /// There is an anchor, and no store beside it.
    #[error(
        "the store is empty, and its anchor says that it was not; put the store back, or restore a backup"
    )]
    EmptyBesideAnchor,
}

impl Stopped {
    /// The state's name, for programs.
    pub const fn state(&self) -> &'static str {
        match self {
            Self::WriteFailed(_) => "write-failed",
            Self::Ended => "ended",
            Self::DiskFull { .. } => "disk-full",
            Self::SharedPlaceAway(_) => "shared-place-away",
            Self::AnchorMissing => "anchor-missing",
            Self::AnchorUnreadable(_) => "anchor-unreadable",
            Self::AnchorNotWritable(_) => "anchor-not-writable",
            Self::AnchorOfAnotherStore => "anchor-of-another-store",
            Self::BehindAnchor { .. } => "behind-anchor",
            Self::NotTheAnchoredHistory(_) => "not-the-anchored-history",
            Self::LogDamaged(_) => "log-damaged",
            Self::RowsUnreadable(_) => "rows-unreadable",
            Self::CountersDiffer => "counters-differ",
            Self::EmptyBesideAnchor => "empty-beside-anchor",
        }
    }
}

/// Why a batch was not reported as durable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommitError {
    /// A precondition did not hold; nothing was written. Read again and retry.
    #[error("another change came first")]
    Conflict,
    /// A write failed half way: the batch may be there after a restart or may not. Never retry
    /// blindly; settle it by the idempotency key. The engine takes no further writes.
    #[error("the outcome of the write is unknown: {0}")]
    Indeterminate(String),
    /// The engine takes no writes now; nothing was written.
    #[error("the store takes no writes: {0}")]
    Unavailable(String),
}

/// A read failed, or stored bytes are not what the table says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The engine could not read.
    #[error("the store cannot be read: {0}")]
    Unavailable(String),
    /// The engine takes no writes.
    #[error("the store takes no writes: {0}")]
    NoWrites(Stopped),
    /// A stored value cannot be understood: damage, or a newer format.
    #[error("table {table}: stored bytes cannot be read: {reason}")]
    Corrupt {
        /// Name of the table.
        table: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The store was written by another version of the format.
    #[error("the store has format {found}, and this program reads format {known}")]
    Format {
        /// The version in the store.
        found: u32,
        /// The version that this program writes.
        known: u32,
    },
}
