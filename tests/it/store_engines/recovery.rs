//! A store that RocksDB refuses to open: it goes on where nothing that was acknowledged is lost, and is
//! read where something is; and whatever a crash leaves of that, the next start ends it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use goodstanding::ids::Seq;
use goodstanding::store::rocks::{Place, RocksEngine};
use goodstanding::store::{Decision, Engine, Stopped, StoreError};
use tempfile::TempDir;

use super::support::{BatchOf, Machine, assert_chain, put, whole_log};

const EVENTS: u64 = 50;

/// A closed store of so many changes in its own data folder.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        let engine = folder.open().unwrap();
        for n in 1..=EVENTS {
            let text = format!("event {n}");
            engine.commit(put("a", &text).and_log(&text)).unwrap();
        }
        drop(engine);
        folder
    }

    /// One whose log ends in a record that nobody was told of, and that is damaged.
    fn with_a_bad_tail() -> Self {
        let folder = Self::new();
        let log = folder.log();
        let whole = fs::read(&log).unwrap();
        // The head of a whole record of a hundred bytes, with another checksum.
        let mut record = vec![0xee; 4];
        record.extend(100u16.to_le_bytes());
        record.push(1);
        record.extend([0xaa; 100]);
        let mut file = OpenOptions::new().append(true).open(&log).unwrap();
        file.write_all(&record).unwrap();
        assert!(whole.len() + record.len() < 32_768, "within a block");
        folder
    }

    /// One whose log is damaged in the middle.
    fn with_a_bad_record() -> Self {
        let folder = Self::new();
        let log = folder.log();
        let mut bytes = fs::read(&log).unwrap();
        let mut words = bytes.windows(8);
        let middle = words.position(|word| word == b"event 25").unwrap();
        bytes[middle] ^= 1;
        fs::write(log, bytes).unwrap();
        folder
    }

    fn place(&self) -> Place {
        Place::within(self.0.path(), [7; 16])
    }

    fn open(&self) -> Result<RocksEngine, StoreError> {
        RocksEngine::open(&self.place(), Arc::new(Machine::default()))
    }

    fn store(&self) -> PathBuf {
        self.place().store
    }

    fn log(&self) -> PathBuf {
        let files = fs::read_dir(self.store()).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        let log = files.find(|file| file.extension().is_some_and(|kind| kind == "log"));
        log.unwrap()
    }

    /// The folders in it, without what hangs on the moment.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap();
        let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names
            .map(|name| name.split('-').next().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }
}

/// Everything is there, and more is taken, also at the next start.
fn goes_on(folder: &Folder) {
    for more in 1..=2 {
        let engine = folder.open().unwrap();
        assert_eq!(engine.takes_writes(), Ok(()));
        assert_chain(&engine);
        let done = engine.commit(put("b", "1").and_log("on")).unwrap();
        assert_eq!(done.seq, Seq(EVENTS + more));
    }
}

#[test]
fn a_damaged_tail_that_nobody_was_told_of_is_left_behind() {
    let folder = Folder::with_a_bad_tail();
    goes_on(&folder);
    assert_eq!(folder.names(), ["anchor", "store", "store.damaged"]);
}

#[test]
fn a_store_that_lost_acknowledged_changes_is_read_from_a_copy() {
    let folder = Folder::with_a_bad_record();
    let damaged = fs::read(folder.log()).unwrap();
    for _ in 0..3 {
        let engine = folder.open().unwrap();
        let stopped = engine.takes_writes().unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(stopped, @"the store is behind its anchor: changes up to event 50 were acknowledged, and it holds them up to event 24; put the newest copy of the store back, or see `goodstanding doctor`");
        }
        assert_eq!(whole_log(&engine).len(), 24);
        assert_chain(&engine);
        assert!(engine.commit(put("b", "1")).is_err());
        drop(engine);
        assert_eq!(folder.names(), ["anchor", "store", "store.tried"]);
        assert_eq!(fs::read(folder.log()).unwrap(), damaged);
    }
    // By a decision it is taken so far, once.
    let mut place = folder.place();
    place.decision = Decision::NewEpoch;
    let engine = RocksEngine::open(&place, Arc::new(Machine::default())).unwrap();
    assert_eq!((engine.takes_writes(), engine.epoch()), (Ok(()), 1));
    drop(engine);
    let engine = folder.open().unwrap();
    assert_eq!((engine.takes_writes(), engine.epoch()), (Ok(()), 1));
    assert_eq!(whole_log(&engine).len(), 24);
}

/// Nobody can tell what has to be there.
#[test]
fn without_an_anchor_what_is_damaged_is_only_read() {
    for folder in [Folder::with_a_bad_tail(), Folder::with_a_bad_record()] {
        let damaged = fs::read(folder.log()).unwrap();
        fs::remove_file(folder.place().anchor).unwrap();
        for _ in 0..2 {
            let engine = folder.open().unwrap();
            assert_eq!(engine.takes_writes().unwrap_err().state(), "anchor-missing");
        }
        assert_eq!(fs::read(folder.log()).unwrap(), damaged);
    }
}

/// Each state of the folders that a crash can leave.
#[test]
fn a_recovery_that_was_cut_off_is_ended_by_the_next_start() {
    // While the copy was made.
    let folder = Folder::with_a_bad_tail();
    let copy = folder.0.path().join("store.tried");
    fs::create_dir(&copy).unwrap();
    fs::copy(folder.log(), copy.join("000004.log")).unwrap();
    goes_on(&folder);

    // When the copy was whole, and while the logs were put aside.
    for aside in [false, true] {
        let folder = Folder::with_a_bad_tail();
        let anchor = fs::read(folder.place().anchor).unwrap();
        fs::remove_file(folder.place().anchor).unwrap();
        drop(folder.open().unwrap());
        assert_eq!(folder.names(), ["anchor", "store", "store.tried"]);
        fs::write(folder.place().anchor, anchor).unwrap();
        if aside {
            let kept = folder.0.path().join("store.damaged");
            fs::create_dir(&kept).unwrap();
            fs::copy(folder.log(), kept.join("000004.log")).unwrap();
        }
        goes_on(&folder);
        assert_eq!(folder.names(), ["anchor", "store", "store.damaged"]);
    }
}

/// Where the damage is not at the end of anything a copy is of no use, and none is left.
#[test]
fn what_cannot_be_recovered_is_refused() {
    let folder = Folder::new();
    let manifest = fs::read_to_string(folder.store().join("CURRENT")).unwrap();
    let manifest = folder.store().join(manifest.trim());
    let mut bytes = fs::read(&manifest).unwrap();
    bytes[10] ^= 1;
    fs::write(manifest, bytes).unwrap();
    for _ in 0..2 {
        let refused = folder.open().unwrap_err().to_string();
        assert!(
            refused.contains("store cannot be opened: Corruption"),
            "{refused}"
        );
        assert_eq!(folder.names(), ["anchor", "store"]);
    }
}

/// RocksDB would make a new store in the place, and remove what it does not know.
#[test]
fn a_store_that_lost_what_leads_to_it_is_left_alone() {
    let folder = Folder::new();
    // What was written becomes a sorted file.
    drop(folder.open().unwrap());
    let sorted = || {
        let files = fs::read_dir(folder.store()).unwrap();
        let files = files.map(|file| file.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|kind| kind == "sst"))
    };
    assert_eq!(sorted().count(), 1);
    fs::remove_file(folder.store().join("CURRENT")).unwrap();
    fs::remove_file(folder.place().anchor).unwrap();
    let refused = || {
        let refused = folder.open().unwrap_err().to_string();
        assert!(refused.contains("CURRENT is missing"), "{refused}");
        assert_eq!(sorted().count(), 1, "it is still there");
    };
    refused();
    fs::remove_file(folder.log()).unwrap();
    refused();
}

/// Nothing can be made beside the store: it says so, and the store stays as it was.
#[test]
fn a_copy_that_cannot_be_made_is_told() {
    let folder = Folder::with_a_bad_tail();
    // A file stands where the copy would.
    let place = folder.0.path().join("store.tried");
    fs::write(&place, "").unwrap();
    let refused = folder.open().unwrap_err().to_string();
    assert!(
        refused.contains("is damaged") && refused.contains("no copy of it can be made"),
        "{refused}"
    );
    fs::remove_file(place).unwrap();
    goes_on(&folder);
}

#[test]
fn an_anchor_of_a_newer_version_is_not_passed_over() {
    let folder = Folder::new();
    let mut slots = fs::read(folder.place().anchor).unwrap();
    for slot in [0, 4_096] {
        slots[slot + 9] = 2;
    }
    fs::write(folder.place().anchor, slots).unwrap();
    let stopped = folder.open().unwrap().takes_writes().unwrap_err();
    assert_eq!(stopped.state(), "anchor-unreadable");
    let said = stopped.to_string();
    assert!(
        said.contains("version 2, and this program reads version 1"),
        "{said}"
    );
}

/// Everything was in the log file that is lost: there is no store any more, and the anchor knows of one.
#[test]
fn the_loss_of_the_only_log_is_noticed_by_the_anchor() {
    let folder = Folder::new();
    fs::remove_file(folder.log()).unwrap();
    let refused = folder.open().unwrap_err();
    assert_eq!(refused, StoreError::NoWrites(Stopped::EmptyBesideAnchor));
}
