//! RocksDB, and what it finds on a disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use goodstanding::ids::Seq;
use goodstanding::store::rocks::{Place, RocksEngine};
use goodstanding::store::{Batch, Engine, StoreError};
use tempfile::TempDir;

use super::Store;
use super::support::{BatchOf, Machine, assert_chain};

pub(super) struct Rocks {
    // Closed before its directory is removed.
    engine: Option<RocksEngine>,
    clock: Arc<Machine>,
    directory: TempDir,
}

impl Store for Rocks {
    fn new() -> Self {
        let clock = Arc::new(Machine::default());
        let directory = TempDir::new().unwrap();
        let engine = RocksEngine::open(&place(directory.path()), clock.clone()).unwrap();
        Self {
            engine: Some(engine),
            clock,
            directory,
        }
    }

    fn engine(&self) -> &dyn Engine {
        self.engine.as_ref().unwrap()
    }

    fn clock(&self) -> &Machine {
        &self.clock
    }

    fn restart(&mut self) {
        drop(self.engine.take());
        self.engine = Some(open(self.directory.path()).unwrap());
    }
}

impl Rocks {
    /// Closes the engine and leaves its directory.
    fn close(mut self) -> TempDir {
        drop(self.engine.take());
        self.directory
    }
}

fn place(path: &Path) -> Place {
    Place::within(path, [7; 16])
}

fn open(path: &Path) -> Result<RocksEngine, StoreError> {
    RocksEngine::open(&place(path), Arc::new(Machine::default()))
}

fn refusal(path: &Path) -> String {
    let error = open(path).unwrap_err();
    error.to_string().replace(path.to_str().unwrap(), "DIR")
}

/// A closed store with a log of 50 events, and the file that holds them.
fn fifty_events() -> (TempDir, PathBuf) {
    let store = Rocks::new();
    for n in 1..=50 {
        store
            .engine()
            .commit(Batch::default().and_log(&format!("event {n}")))
            .unwrap();
    }
    let directory = store.close();
    let files = fs::read_dir(directory.path().join("store"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let logs: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|e| e == "log"))
        .collect();
    let [log] = logs.try_into().expect("one log file");
    (directory, log)
}

#[test]
fn a_directory_is_made_and_belongs_to_one_engine_at_a_time() {
    let above = TempDir::new().unwrap();
    let path = above.path().join("var/lib");
    let engine = open(&path).unwrap();
    insta::assert_snapshot!(refusal(&path), @"the store cannot be read: another goodstanding is using DIR/store; stop it, or choose another directory");
    drop(engine);
    open(&path).unwrap();
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let above = TempDir::new().unwrap();
    let path = above.path().join("file");
    fs::write(&path, "not a directory").unwrap();
    let refused = refusal(&path);
    assert!(refused.contains("DIR/store cannot be opened"), "{refused}");
}

#[test]
fn another_format_and_a_foreign_store_are_refused() {
    let directory = Rocks::new().close();
    let db = rocksdb::DB::open_default(directory.path().join("store")).unwrap();
    db.put(b"\x01format", 7u32.to_be_bytes()).unwrap();
    drop(db);
    let error = open(directory.path()).err();
    assert_eq!(error, Some(StoreError::Format { found: 7, known: 5 }));

    let foreign = TempDir::new().unwrap();
    rocksdb::DB::open_default(foreign.path().join("store"))
        .unwrap()
        .put(b"x", b"y")
        .unwrap();
    insta::assert_snapshot!(refusal(foreign.path()), @"table meta: stored bytes cannot be read: the store has rows and no version of its format");
}

#[test]
fn a_torn_tail_is_dropped_and_what_stands_before_it_is_kept() {
    let (directory, log) = fifty_events();
    let whole = fs::read(&log).unwrap();
    fs::write(&log, &whole[..whole.len() - 3]).unwrap();
    let engine = open(directory.path()).unwrap();
    assert_eq!(engine.head().seq, Seq(49));
    assert_chain(&engine);
}

#[test]
fn a_damaged_record_before_acknowledged_ones_is_never_passed_over() {
    let (directory, log) = fifty_events();
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes
        .windows(8)
        .position(|window| window == b"event 25")
        .unwrap();
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    let refused = refusal(directory.path());
    assert!(
        refused.contains("DIR/store cannot be opened: Corruption"),
        "{refused}"
    );
}
