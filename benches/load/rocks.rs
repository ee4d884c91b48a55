//! RocksDB alone, and the disk alone: what a durable change costs where nothing is decided.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rocksdb::{DB, Options, WriteBatch, WriteOptions};
use tempfile::TempDir;

use crate::service::scratch;

/// What a batch writes, about as much as a revocation does: a page of 1,024 bytes, and four small rows
/// of 40 bytes beside it, under keys of 16 bytes.
pub(crate) const BATCH: &str = "one batch of five rows, 1.2 KB";
const PAGE: usize = 1_024;
const SMALL: usize = 40;

/// A store of its own. Its commits are RocksDB's: a group of those that wait, one sync for all of them.
pub(crate) struct Rocks {
    store: DB,
    next: AtomicU64,
    // After the store, which writes there.
    _folder: TempDir,
}

impl Rocks {
    /// A fresh one on the same disk as the service's.
    pub(crate) fn new() -> Self {
        let folder = scratch();
        let mut options = Options::default();
        options.create_if_missing(true);
        let store = DB::open(&options, folder.path().join("rocks"));
        Self {
            store: store.expect("the folder is empty"),
            next: AtomicU64::new(0),
            _folder: folder,
        }
    }

    /// Synced commits a second, by so many threads.
    pub(crate) fn commits(&self, threads: usize, time: Duration) -> f64 {
        let until = Instant::now() + time;
        let count = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while Instant::now() < until {
                        self.commit();
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        count.into_inner() as f64 / time.as_secs_f64()
    }

    fn commit(&self) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let key = |row: u64| (u128::from(row) << 64 | u128::from(number)).to_be_bytes();
        let mut batch = WriteBatch::default();
        batch.put(key(0), [number as u8; PAGE]);
        for row in 1..5 {
            batch.put(key(row), [number as u8; SMALL]);
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let written = self.store.write_opt(batch, &options);
        written.expect("the disk takes it");
    }
}

/// Syncs a second by one thread, each of 1.2 KB that are written into a file which has its blocks
/// already, as a log has that is written into blocks set aside for it.
pub(crate) fn syncs(time: Duration) -> f64 {
    const ROOM: usize = 64 << 20;
    let folder = scratch();
    let mut file = File::create(folder.path().join("file")).expect("the folder can be written");
    file.write_all(&vec![0; ROOM]).expect("the disk takes it");
    file.sync_all().expect("the disk takes it");
    file.rewind().expect("a file has a beginning");
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < time {
        file.write_all(&[7; PAGE + 4 * SMALL])
            .expect("the disk takes it");
        file.sync_data().expect("the disk takes it");
        count += 1;
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}
