//! The embedded engine: RocksDB, one writer thread, group commit.
//!
//! Commits from many threads wait in a queue. The writer takes what waits there, stages it as one
//! group, writes it as one RocksDB batch with one disk sync, and only then answers each. While it
//! syncs, the next group gathers, so that the number of syncs does not grow with the number of
//! callers. Since nobody else writes, conditions that were checked still hold when the group is
//! written.
//!
//! After the first write error the engine takes no more writes: what a failed sync left on the
//! disk is not known before the store is opened again (an error on a sync has been seen to keep
//! the write). Reads go on.

mod options;
mod purge;

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use rocksdb::{
    ColumnFamilyDescriptor, DB, DBIterator, Direction, IteratorMode, ReadOptions, WriteBatch,
    WriteOptions,
};

use super::engine::{
    Batch, CommitError, Committed, Engine, Head, LoggedEvent, Read, Row, StoreError,
};
use super::format::{self, Opening, Tip};
use super::staging::{self, Writes};
use crate::ids::Seq;
use crate::time::Clock;

/// A group stops gathering at this many batches or bytes, whichever comes first, so that the
/// first in it does not wait for ever. A batch that is bigger goes alone.
const GROUP_BATCHES: usize = 1024;
const GROUP_BYTES: usize = 4 << 20;

/// RocksDB's own name for the family of columns in which all rows are.
const FAMILY: &str = "default";

/// An engine that keeps its rows in a directory of its own.
///
/// Dropping it lets the commits that wait finish, ends the writer thread, and syncs the log.
pub struct RocksEngine {
    live: Arc<Live>,
    tip: Arc<RwLock<Tip>>,
    /// Why no more writes are taken; the writer sets it after its first error.
    stopped: Arc<OnceLock<String>>,
    /// `None` only while the engine is being dropped.
    queue: Option<Sender<Waiting>>,
    writer: Option<JoinHandle<()>>,
}

/// A commit in the queue. Its caller blocks on the answer, so there are never more of them than
/// threads that commit.
struct Waiting {
    batch: Batch,
    answer: SyncSender<Result<Committed, CommitError>>,
}

impl RocksEngine {
    /// Opens the store in `path`, and makes it where there is none; new directories on the way to
    /// it are made too. `clock` gives the time of commits.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the directory cannot be used, is in use by another
    /// process, or where RocksDB finds damage, such as a log with a bad record before its end.
    /// [`StoreError::Format`] and [`StoreError::Corrupt`] where the store is not one of this
    /// program's, or one of an older format that cannot be brought up to its own.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        make_directory(path).map_err(|error| cannot_open(path, &error.to_string()))?;
        let options = options::options();
        // Opened by its name, the one family of columns that there is can be named when reading.
        let family = ColumnFamilyDescriptor::new(FAMILY, options.clone());
        let db = DB::open_cf_descriptors(&options, path, [family])
            .map_err(|error| cannot_open(path, error.as_ref()))?;
        let mut live = Live(db);
        let tip = format::open(&mut live).map_err(|error| match error {
            StoreError::NoWrites(reason) => cannot_open(path, &reason),
            other => other,
        })?;
        let live = Arc::new(live);
        let tip = Arc::new(RwLock::new(tip));
        let stopped = Arc::default();
        let (queue, waiting) = mpsc::channel();
        let writer = Writer {
            live: Arc::clone(&live),
            tip: Arc::clone(&tip),
            stopped: Arc::clone(&stopped),
            clock,
            waiting,
        };
        let writer = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| cannot_open(path, &error.to_string()))?;
        Ok(Self {
            live,
            tip,
            stopped,
            queue: Some(queue),
            writer: Some(writer),
        })
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
        drop(self.queue.take());
        if self
            .writer
            .take()
            .is_some_and(|writer| writer.join().is_err())
        {
            tracing::error!("the store's writer thread had panicked");
        }
        // What was acknowledged is synced already; this only spares the next start a torn tail.
        if let Err(error) = self.live.0.flush_wal(true) {
            tracing::warn!(engine = %error, "the store's log could not be synced at shutdown");
        }
    }
}

impl Read for RocksEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.live.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.live.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.live.scan(from, to, limit)
    }

    fn scan_each(
        &self,
        ranges: &[(Vec<u8>, Vec<u8>)],
        limit: usize,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        self.live.scan_each(ranges, limit)
    }
}

impl Engine for RocksEngine {
    fn snapshot(&self) -> Box<dyn Read + '_> {
        Box::new(Snapshot(self.live.0.snapshot(), &self.live.0))
    }

    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.queue
            .as_ref()
            .and_then(|queue| queue.send(Waiting { batch, answer }).ok())
            .ok_or_else(|| CommitError::Unavailable(WRITER_ENDED.to_owned()))?;
        // The writer drops a commit without an answer only when it panics, maybe half way.
        answered.recv().unwrap_or_else(|_| {
            Err(CommitError::Indeterminate(
                "the store's writer ended without an answer".to_owned(),
            ))
        })
    }

    fn takes_writes(&self) -> Result<(), String> {
        if let Some(reason) = self.stopped.get() {
            return Err(reason.clone());
        }
        match &self.writer {
            Some(writer) if !writer.is_finished() => Ok(()),
            _ => Err(WRITER_ENDED.to_owned()),
        }
    }

    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        purge::purge(&self.live.0, ranges)
    }

    fn head(&self) -> Head {
        read_tip(&self.tip).head
    }

    fn changes(&self, since: Seq, limit: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        format::changes(&*self.live, since, limit)
    }

    fn changes_of(
        &self,
        who: u32,
        since: Seq,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        format::changes_of(&*self.live, who, since, limit)
    }
}

const WRITER_ENDED: &str = "the store's writer has ended";

/// The only one who writes once the store is open.
struct Writer {
    live: Arc<Live>,
    tip: Arc<RwLock<Tip>>,
    stopped: Arc<OnceLock<String>>,
    clock: Arc<dyn Clock>,
    waiting: Receiver<Waiting>,
}

impl Writer {
    /// Runs until the engine is dropped and nothing waits any more.
    fn run(self) {
        while let Ok(first) = self.waiting.recv() {
            let Err(error) = self.commit(self.gather(first)) else {
                continue;
            };
            tracing::error!(engine = %error, "a write to the store failed; it takes no more writes");
            for late in &self.waiting {
                let refused = self.stopped.get().cloned().unwrap_or_default();
                let _ = late.answer.send(Err(CommitError::Unavailable(refused)));
            }
        }
    }

    /// All that waits now, up to the bounds of a group.
    fn gather(&self, first: Waiting) -> Vec<Waiting> {
        let mut bytes = first.batch.bytes();
        let mut group = vec![first];
        while bytes < GROUP_BYTES && group.len() < GROUP_BATCHES {
            let Ok(next) = self.waiting.try_recv() else {
                break;
            };
            bytes += next.batch.bytes();
            group.push(next);
        }
        group
    }

    /// Commits a group with one sync and answers all who wait for it; hands back the error after
    /// which nothing may be written. A conflict stays one even then: of that batch nothing was
    /// written, whatever became of the others.
    fn commit(&self, group: Vec<Waiting>) -> Result<(), rocksdb::Error> {
        let (batches, callers): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|waiting| (waiting.batch, waiting.answer))
            .unzip();
        let tip = read_tip(&self.tip);
        let staged = staging::stage(&*self.live, tip, batches, self.clock.now());
        let written = if staged.writes.is_empty() {
            Ok(())
        } else {
            self.live.write_durably(staged.writes)
        };
        match &written {
            Ok(()) => *self.tip.write().unwrap_or_else(PoisonError::into_inner) = staged.tip,
            // Before anybody is answered, so that whoever hears of the error finds it here.
            Err(error) => self.stop(error),
        }
        for (caller, answer) in callers.into_iter().zip(staged.answers) {
            let answer = match &written {
                Ok(()) => answer,
                Err(error) => {
                    answer.and_then(|_| Err(CommitError::Indeterminate(error.to_string())))
                }
            };
            // A caller that panicked has gone; its batch is durable all the same.
            let _ = caller.send(answer);
        }
        written
    }

    fn stop(&self, error: &rocksdb::Error) {
        self.stopped
            .get_or_init(|| format!("a write failed, restart to write again: {error}"));
    }
}

/// The newest state.
struct Live(DB);

impl Live {
    /// Writes all or nothing, and returns when it is on disk.
    fn write_durably(&self, writes: Writes) -> Result<(), rocksdb::Error> {
        let mut batch = WriteBatch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        let mut durably = WriteOptions::default();
        durably.set_sync(true);
        self.0.write_opt(batch, &durably)
    }
}

impl Opening for Live {
    fn write(&mut self, writes: Writes) -> Result<(), StoreError> {
        self.write_durably(writes)
            .map_err(|error| StoreError::NoWrites(error.into_string()))
    }
}

/// One state, which RocksDB keeps until this is dropped.
struct Snapshot<'a>(rocksdb::Snapshot<'a>, &'a DB);

impl Live {
    const fn db(&self) -> &DB {
        &self.0
    }

    fn options(&self) -> ReadOptions {
        ReadOptions::default()
    }
}

impl Snapshot<'_> {
    const fn db(&self) -> &DB {
        self.1
    }

    fn options(&self) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.0);
        options
    }
}

/// The values of keys, looked for together, and sorted here: RocksDB takes longer for that.
fn values(
    db: &DB,
    keys: &[Vec<u8>],
    options: &ReadOptions,
) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    let family = db.cf_handle(FAMILY).ok_or_else(|| {
        StoreError::Unavailable("the store was opened without its rows".to_owned())
    })?;
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_unstable_by(|one, other| keys[*one].cmp(&keys[*other]));
    let sorted = order.iter().map(|place| &keys[*place]);
    let found = db.batched_multi_get_cf_opt(family, sorted, true, options);
    let mut values = vec![None; keys.len()];
    for (place, value) in order.into_iter().zip(found) {
        values[place] = value.map_err(unreadable)?.map(|bytes| bytes.to_vec());
    }
    Ok(values)
}

/// Both of RocksDB's views read alike, and share no trait that says so.
macro_rules! read_by_field {
    ($view:ty) => {
        impl Read for $view {
            fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
                self.0.get(key).map_err(unreadable)
            }

            fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
                let options = self.options();
                values(self.db(), keys, &options)
            }

            fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
                if from >= to {
                    return Ok(Vec::new());
                }
                let start = IteratorMode::From(from, Direction::Forward);
                rows(self.0.iterator_opt(start, below(to)), limit)
            }

            fn scan_each(
                &self,
                ranges: &[(Vec<u8>, Vec<u8>)],
                limit: usize,
            ) -> Result<Vec<Vec<Row>>, StoreError> {
                let mut iterator = self.0.raw_iterator_opt(ReadOptions::default());
                let scan = |(from, to): &(Vec<u8>, Vec<u8>)| {
                    let mut rows = Vec::new();
                    iterator.seek(from);
                    while let Some((key, value)) = iterator.item()
                        && key < &**to
                        && rows.len() < limit
                    {
                        rows.push((key.to_vec(), value.to_vec()));
                        iterator.next();
                    }
                    iterator.status().map_err(unreadable)?;
                    Ok(rows)
                };
                ranges.iter().map(scan).collect()
            }
        }
    };
}
read_by_field!(Live);
read_by_field!(Snapshot<'_>);

fn below(to: &[u8]) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_upper_bound(to);
    options
}

fn rows(iterator: DBIterator<'_>, limit: usize) -> Result<Vec<Row>, StoreError> {
    iterator
        .take(limit)
        .map(|row| {
            row.map(|(key, value)| (key.into_vec(), value.into_vec()))
                .map_err(unreadable)
        })
        .collect()
}

fn read_tip(tip: &RwLock<Tip>) -> Tip {
    *tip.read().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the directory and sees to it that its name survives a power cut, which RocksDB sees to
/// only for what is in it.
fn make_directory(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let made = path.ancestors().take_while(|above| !above.is_dir()).count();
    fs::create_dir_all(&path)?;
    for holder in path.ancestors().skip(1).take(made) {
        File::open(holder)?.sync_all()?;
    }
    Ok(())
}

fn cannot_open(path: &Path, error: &str) -> StoreError {
    let path = path.display();
    // The first is RocksDB's message for a lock of this process, the second for one of another.
    if error.contains("lock hold by") || error.contains("While lock file") {
        return StoreError::Unavailable(format!(
            "another goodstanding is using {path}; stop it, or choose another directory"
        ));
    }
    StoreError::Unavailable(format!("{path} cannot be opened: {error}"))
}

fn unreadable(error: rocksdb::Error) -> StoreError {
    StoreError::Unavailable(error.into_string())
}
