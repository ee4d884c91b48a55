//! The embedded engine: RocksDB, group commit, an anchor beside it.
//!
//! Commits from many threads wait in a queue. The writer takes what waits there, stages it as one
//! group, and writes it as one RocksDB batch with one disk sync; while it syncs, the next group
//! gathers, so that the number of syncs does not grow with the number of callers. A second thread
//! anchors what was written, shows it to readers, and answers. Both go along
//! `write_path`. Since nobody else writes, conditions that were checked still hold when the group
//! is written.
//!
//! After the first write error the engine takes no more writes: what a failed sync left on the
//! disk is not known before the store is opened again (an error on a sync has been seen to keep
//! the write). Reads go on.

pub mod checkpoint;
pub mod closed;
#[cfg(feature = "postgres")]
pub(in crate::store) mod copy;
mod damaged;
mod manifest;
pub mod moved;
mod options;
mod purge;
pub(in crate::store) mod scrub;
pub mod space;
mod view;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use arc_swap::ArcSwap;
use rocksdb::{ErrorKind, WriteBatch, WriteOptions};

use super::anchor::Anchoring;
use super::anchor::file::AnchorFile;
use super::durably::make_folder;
use super::engine::{
    Batch, CommitError, Decision, Engine, Head, LoggedEvent, Read, Row, Stopped, StoreError,
};
use super::following::{Follower, Tables};
use super::format;
use super::opening::{self, Opened, Opening, Origin};
use super::queued::Queued;
use super::staging::Writes;
use super::view::{View, reads_through};
use super::write_path::{self, Disk, Durable, Front, Group, NotWritten, Standing, Waiting};
use crate::ids::Seq;
use crate::metrics;
use crate::time::Clock;
use damaged::Tried;
use options::Wals;
use scrub::Scrub;
use space::{Room, Space};
use view::{Frozen, Live};

/// Where a store and its anchor are, and how the store is taken.
#[derive(Debug, Clone)]
pub struct Place {
    /// The store's directory.
    pub store: PathBuf,
    /// The anchor's file, which may be on another disk.
    pub anchor: PathBuf,
    /// The id that a store gets that is made: random bytes.
    pub new_id: [u8; 16],
    /// How one is taken that does not fit its anchor.
    pub decision: Decision,
    /// How much room is kept on its disk.
    pub room: Room,
    /// Bytes of changes that are gathered in memory before they are written out as a sorted file.
    pub write_buffer_bytes: usize,
}

impl Place {
    /// A data folder that holds both, as the configuration has it by default.
    pub fn within(folder: &Path, new_id: [u8; 16]) -> Self {
        Self {
            store: folder.join("store"),
            anchor: folder.join("anchor/anchor"),
            new_id,
            decision: Decision::AsAnchored,
            room: Room::default(),
            write_buffer_bytes: options::WRITE_BUFFER_BYTES,
        }
    }
}

/// An engine that keeps its rows in a directory of its own.
///
/// Dropping it lets the commits that wait finish, ends its threads, and syncs the log.
pub struct RocksEngine {
    live: Arc<Live>,
    /// What readers see.
    shown: Arc<ArcSwap<View<Frozen>>>,
    standing: Arc<Standing>,
    epoch: u32,
    space: Arc<Space>,
    /// `None` where the store is only read, and while the engine is being dropped.
    queue: Option<Sender<Waiting>>,
    threads: Vec<JoinHandle<()>>,
    /// What goes through all rows while the store is open.
    scrub: Option<Scrub>,
    /// The store's folder, where a copy beside it is read: nobody else takes the copy away.
    _held: Option<File>,
}

impl RocksEngine {
    /// Opens the store at `place`, and makes it where there is none; new directories on the way to
    /// it are made too. `clock` gives the time of commits. A store that does not hold everything that
    /// its anchor says was acknowledged comes up for reading alone, and
    /// [`takes_writes`](Engine::takes_writes) says why. One whose log is damaged is read up to the
    /// damage, from a copy beside it unless everything acknowledged stands before that.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the directory cannot be used, is in use by another
    /// process, or where RocksDB finds other damage.
    /// [`StoreError::NoWrites`] where there is an anchor and no store.
    /// [`StoreError::Format`] and [`StoreError::Corrupt`] where the store is not one of this
    /// program's, or one of an older format that cannot be brought up to its own.
    pub fn open(place: &Place, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let path = place.store.as_path();
        let failed = |error: std::io::Error| cannot_open(path, &error.to_string());
        if place.anchor.exists() && options::is_empty(path) {
            return Err(StoreError::NoWrites(Stopped::EmptyBesideAnchor));
        }
        #[cfg(feature = "postgres")]
        if copy::is_copy(path) {
            let copied = "it holds a replica's copy of a store that several share, and no store of its own; choose \
                          another folder, or restore a backup there";
            return Err(cannot_open(path, copied));
        }
        make_folder(path).map_err(failed)?;
        if options::has_lost_its_way(path) {
            let missing = "files of a store are there, and CURRENT is missing; put it back, or the newest copy \
                           of the store";
            return Err(cannot_open(path, missing));
        }
        // Before RocksDB, which may need what is set aside to come up.
        let space = Arc::new(Space::before_opening(place));
        let mut live = match options::open(path, place.write_buffer_bytes, Wals::Whole) {
            Err(damage) if damage.kind() == ErrorKind::Corruption => {
                match damaged::try_copy(place, &damage)? {
                    Tried::Whole(_held) => damaged::open_up_to_damage(place, &damage)?,
                    Tried::Less(copy, opened, held) => {
                        let held = Some(held);
                        return Self::start(copy, space, *opened, clock, held).map_err(failed);
                    }
                }
            }
            opened => opened.map_err(|error| cannot_open(path, error.as_ref()))?,
        };
        let anchor = Box::new(AnchorFile::at(&place.anchor));
        let opened = opening::open(
            &mut live,
            anchor,
            place.new_id,
            place.decision,
            Origin::AsLeft,
        )?;
        damaged::forget(path, false);
        Self::start(live, space, opened, clock, None).map_err(failed)
    }

    fn start(
        live: Live,
        space: Arc<Space>,
        opened: Opened,
        clock: Arc<dyn Clock>,
        held: Option<File>,
    ) -> std::io::Result<Self> {
        let live = Arc::new(live);
        let first = View::new(Frozen::of(&live), Front::at(opened.tip));
        let (anchoring, stopped) = match opened.anchoring {
            Ok(anchoring) => (Some(anchoring), None),
            Err(stopped) => (None, Some(stopped)),
        };
        let mut engine = Self {
            shown: Arc::new(ArcSwap::from_pointee(first)),
            standing: Arc::new(Standing::new(stopped)),
            epoch: opened.identity.epoch,
            live,
            space,
            queue: None,
            threads: Vec::new(),
            scrub: None,
            _held: held,
        };
        if let Some(anchoring) = anchoring {
            engine.take_writes(anchoring, Front::at(opened.tip), clock)?;
        }
        let (shown, standing) = (engine.shown.clone(), engine.standing.clone());
        let found = move |stopped| standing.stop_for(stopped);
        engine.scrub = Some(Scrub::start(move || shown.load_full(), found)?);
        Ok(engine)
    }

    fn take_writes(
        &mut self,
        anchoring: Anchoring,
        front: Front,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<()> {
        let (queue, waiting) = mpsc::channel();
        let (written, durable) = mpsc::channel();
        let writer = Writer {
            disk: Roomy {
                live: self.live.clone(),
                space: self.space.clone(),
            },
            standing: self.standing.clone(),
            front,
            clock,
            waiting,
            written,
        };
        let (standing, shown) = (self.standing.clone(), self.shown.clone());
        // The only one who writes the anchor, and shows readers what it says.
        let settle = move || {
            write_path::settle_all(&standing, anchoring, &durable, |frozen, front| {
                shown.store(Arc::new(View::new(frozen, front)));
            });
        };
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        self.threads
            .push(named("store-writer").spawn(move || writer.run())?);
        self.threads.push(named("store-anchor").spawn(settle)?);
        self.queue = Some(queue);
        Ok(())
    }

    fn shown(&self) -> Arc<View<Frozen>> {
        self.shown.load_full()
    }
}

impl fmt::Debug for RocksEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksEngine")
            .field("path", &self.live.0.path())
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}

impl Drop for RocksEngine {
    fn drop(&mut self) {
        drop(self.scrub.take());
        drop(self.queue.take());
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
        // What was acknowledged is synced already; this only spares the next start a torn tail.
        if self.standing.stopped().is_none()
            && let Err(error) = self.live.0.flush_wal(true)
        {
            tracing::warn!(engine = %error, "the store's log could not be synced at shutdown");
        }
    }
}

reads_through!(<> RocksEngine, |this| this.shown.load());

impl Engine for RocksEngine {
    fn snapshot(&self) -> Box<dyn Read + '_> {
        Box::new(self.shown())
    }

    fn queue(&self, batch: Batch) -> Queued {
        let (answer, queued) = Queued::waits();
        let waiting = Waiting::new(&self.standing, batch, answer);
        let taken = self
            .queue
            .as_ref()
            .is_some_and(|queue| queue.send(waiting).is_ok());
        match taken {
            true => queued,
            false => {
                let stopped = self.takes_writes().err().unwrap_or(Stopped::Ended);
                Queued::settled(Err(CommitError::Unavailable(stopped.to_string())))
            }
        }
    }

    fn follow(&self, follower: Arc<dyn Follower>) {
        self.standing.follow(follower, self.shown.load().tip());
    }

    fn takes_writes(&self) -> Result<(), Stopped> {
        if let Some(stopped) = self.standing.stopped() {
            return Err(stopped);
        }
        // Also where nobody writes: whoever was refused waits until there is room.
        self.space.has_room()?;
        match self.threads.iter().any(JoinHandle::is_finished) {
            false => Ok(()),
            true => Err(Stopped::Ended),
        }
    }

    fn epoch(&self) -> u32 {
        self.epoch
    }

    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        damaged::forget(self.live.0.path(), true);
        purge::purge(&self.live.0, ranges)
    }

    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        // A copy of a store that has lost something would take the place of those that have not.
        if let Some(stopped) = self.standing.stopped() {
            return Err(StoreError::NoWrites(stopped));
        }
        checkpoint::copy(&self.live.0, folder)
    }

    fn measured(&self) -> Option<Arc<metrics::Writes>> {
        Some(self.standing.measured.clone())
    }

    fn head(&self) -> Head {
        self.shown.load().tip().head
    }

    fn changes(&self, since: Seq, limit: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        format::changes(&*self.shown(), since, limit)
    }

    fn changes_of(
        &self,
        who: u32,
        since: Seq,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        format::changes_of(&*self.shown(), who, since, limit)
    }
}

/// The only one who writes rows once the store is open.
struct Writer {
    disk: Roomy,
    standing: Arc<Standing>,
    front: Front,
    clock: Arc<dyn Clock>,
    waiting: Receiver<Waiting>,
    written: Sender<Durable<Frozen>>,
}

impl Writer {
    /// Runs until the engine is dropped and nothing waits any more.
    fn run(mut self) {
        while let Ok(first) = self.waiting.recv() {
            let group = write_path::gather(first, || self.waiting.try_recv().ok());
            let now = self.clock.now();
            let durable =
                write_path::commit(&mut self.disk, &self.standing, &mut self.front, group, now);
            if let Some(durable) = durable
                && self.written.send(durable).is_err()
            {
                return;
            }
        }
    }
}

/// The rows, and the room that there is for more.
struct Roomy {
    live: Arc<Live>,
    space: Arc<Space>,
}

impl Disk for Roomy {
    type Shown = Frozen;

    fn committed(&self) -> &dyn Read {
        &*self.live
    }

    fn has_room(&self) -> Result<(), Stopped> {
        self.space.has_room()
    }

    fn write(&mut self, group: &mut Group) -> Result<Frozen, NotWritten> {
        let written = self.live.write(&group.writes, Synced::Now);
        written.map_err(|error| {
            // Nothing more is written now; the next start may need it.
            self.space.give_up();
            NotWritten::Failed(error.into_string())
        })?;
        Ok(Frozen::of(&self.live))
    }
}

/// When a write reaches the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Synced {
    Now,
    /// When the system sees fit: a power cut may take it away.
    #[cfg(feature = "postgres")]
    Later,
}

impl Live {
    /// Writes all or nothing, and returns when it is on disk or would survive the process.
    fn write(&self, writes: &Writes, synced: Synced) -> Result<(), rocksdb::Error> {
        let mut batch = WriteBatch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(synced == Synced::Now);
        self.0.write_opt(batch, &options)
    }
}

impl Opening for Live {
    fn write(&mut self, writes: Writes) -> Result<(), StoreError> {
        Self::write(self, &writes, Synced::Now).map_err(unreadable)
    }
}

fn cannot_open(path: &Path, error: &str) -> StoreError {
    // The first is RocksDB's message for a lock of this process, the second for one of another.
    if error.contains("lock hold by") || error.contains("While lock file") {
        return in_use(path);
    }
    let path = path.display();
    if error.contains("No space left") {
        return StoreError::Unavailable(format!(
            "{path} cannot be opened, since its disk is full; make space, and start again: {error}"
        ));
    }
    StoreError::Unavailable(format!("{path} cannot be opened: {error}"))
}

fn in_use(path: &Path) -> StoreError {
    let path = path.display();
    StoreError::Unavailable(format!(
        "another goodstanding is using {path}; stop it, or choose another directory"
    ))
}

fn unreadable(error: rocksdb::Error) -> StoreError {
    StoreError::Unavailable(error.into_string())
}
