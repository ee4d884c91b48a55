//! RocksDB, and what it finds on a disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use goodstanding::ids::Seq;
use goodstanding::store::rocks::{Place, RocksEngine};
use goodstanding::store::{Batch, CommitError, Engine, Stopped, StoreError};
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
    let log = log_of(directory.path());
    (directory, log)
}

fn log_of(directory: &Path) -> PathBuf {
    let files = fs::read_dir(directory.join("store"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let logs: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|e| e == "log"))
        .collect();
    let [log] = logs.try_into().expect("one log file");
    log
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

/// What stands behind the damage was acknowledged: what stands before it can be read, from a copy, and
/// the store stays as it was found.
#[test]
fn a_damaged_record_before_acknowledged_ones_is_never_passed_over() {
    let (directory, log) = fifty_events();
    damage(&log, b"event 25");
    let found = fs::read(&log).unwrap();
    for _ in 0..2 {
        let engine = open(directory.path()).unwrap();
        assert_eq!(engine.head().seq, Seq(24));
        assert_chain(&engine);
        let behind = Stopped::BehindAnchor {
            anchored: Seq(50),
            found: Seq(24),
        };
        assert_eq!(engine.takes_writes(), Err(behind));
        let refused = engine.commit(Batch::default().and_log("more"));
        assert!(matches!(refused, Err(CommitError::Unavailable(_))));
        // The copy belongs to one at a time as well.
        let refused = refusal(directory.path());
        assert!(
            refused.contains("another goodstanding is using"),
            "{refused}"
        );
    }
    assert_eq!(fs::read(&log).unwrap(), found);
}

/// A power cut can leave a record with its whole length and not with its bytes. Nobody was told of it.
#[test]
fn a_damaged_record_that_nobody_was_told_of_is_dropped_and_kept() {
    let (directory, _) = fifty_events();
    let anchor = directory.path().join("anchor/anchor");
    let anchored = fs::read(&anchor).unwrap();
    let engine = open(directory.path()).unwrap();
    engine.commit(Batch::default().and_log("event 51")).unwrap();
    drop(engine);
    fs::write(&anchor, anchored).unwrap();
    let log = log_of(directory.path());
    damage(&log, b"event 51");
    let found = fs::read(&log).unwrap();

    let engine = open(directory.path()).unwrap();
    assert_eq!(engine.takes_writes(), Ok(()));
    assert_eq!(engine.head().seq, Seq(50));
    engine.commit(Batch::default().and_log("another")).unwrap();
    assert_chain(&engine);
    drop(engine);
    let kept = directory.path().join("store.damaged");
    assert_eq!(
        fs::read(kept.join(log.file_name().unwrap())).unwrap(),
        found
    );
    assert!(!directory.path().join("store.tried").exists());
    assert_eq!(open(directory.path()).unwrap().head().seq, Seq(51));
}

/// The same of the manifest: a change of files that was being written.
#[test]
fn a_manifest_whose_end_is_damaged_is_read_up_to_there() {
    let (directory, _) = fifty_events();
    drop(open(directory.path()).unwrap());
    let store = directory.path().join("store");
    let current = fs::read_to_string(store.join("CURRENT")).unwrap();
    let manifest = store.join(current.trim_end());
    let whole = fs::read(&manifest).unwrap();
    // A change again that was made last, with one byte of it wrong.
    let mut damaged = whole.clone();
    damaged.extend(&whole[whole.len() - 40..]);
    let at = whole.len();
    damaged[at..at + 7].copy_from_slice(&[1, 2, 3, 4, 33, 0, 1]);
    fs::write(&manifest, &damaged).unwrap();
    let engine = open(directory.path()).unwrap();
    assert_eq!(engine.takes_writes(), Ok(()));
    assert_eq!(engine.head().seq, Seq(50));
    assert_chain(&engine);
    let kept = directory.path().join("store.damaged");
    let kept = kept.join(manifest.file_name().unwrap());
    assert_eq!(fs::read(kept).unwrap(), damaged);
}

fn damage(log: &Path, event: &[u8]) {
    let mut bytes = fs::read(log).unwrap();
    let place = bytes
        .windows(event.len())
        .position(|window| window == event)
        .unwrap();
    bytes[place] ^= 1;
    fs::write(log, bytes).unwrap();
}
