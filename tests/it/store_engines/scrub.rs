//! Damage in what nobody asks for is noticed while the store is open, and stops its writes.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use goodstanding::ids::Seq;
use goodstanding::store::rocks::{Place, RocksEngine};
use goodstanding::store::{Batch, Decision, Engine, Read as _, Stopped};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::support::{BatchOf, Machine, key, put};

fn open(place: &Place) -> RocksEngine {
    RocksEngine::open(place, Arc::new(Machine::default())).unwrap()
}

/// Why the engine takes no writes, once it does not.
fn stops(engine: &RocksEngine) -> Stopped {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match engine.takes_writes() {
            Err(stopped) => return stopped,
            Ok(()) if Instant::now() > deadline => panic!("nothing was noticed"),
            Ok(()) => thread::yield_now(),
        }
    }
}

/// A kilobyte that no compression makes shorter.
fn noise(n: u32) -> Vec<u8> {
    let block = |place: u32| Sha256::digest([n.to_be_bytes(), place.to_be_bytes()].concat());
    (0..32).flat_map(block).collect()
}

#[test]
fn a_block_that_nobody_reads() {
    let folder = TempDir::new().unwrap();
    let place = Place::within(folder.path(), [7; 16]);
    let engine = open(&place);
    let mut batch = Batch::default();
    for n in 0..200 {
        batch.puts.push((key(&format!("{n:03}")), noise(n)));
    }
    engine.commit(batch.and_log("all of them")).unwrap();
    engine.purge(&[(vec![0], vec![0xff])]).unwrap();
    drop(engine);
    let (file, at) = find(&place, &noise(150)[..32]);
    let mut bytes = fs::read(&file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();

    let engine = open(&place);
    let stopped = stops(&engine);
    assert_eq!(stopped.state(), "rows-unreadable");
    let said = stopped.to_string();
    assert!(
        said.contains("block checksum mismatch") && said.contains(".sst"),
        "{said}"
    );
    assert!(engine.commit(put("a", "1")).is_err());
    // What can be read is answered, and what cannot is an error.
    assert_eq!(engine.get(&key("001")), Ok(Some(noise(1))));
    assert!(engine.get(&key("150")).is_err());
}

/// The sorted file in which these bytes stand, and where.
fn find(place: &Place, bytes: &[u8]) -> (PathBuf, usize) {
    let files = fs::read_dir(&place.store).unwrap();
    let mut files = files.map(|file| file.unwrap().path());
    let found = files.find_map(|file| {
        let found = fs::read(&file).unwrap();
        let at = found
            .windows(bytes.len())
            .position(|window| window == bytes)?;
        (file.extension()? == "sst").then_some((file, at))
    });
    found.expect("the row is in a sorted file")
}

/// More events than are looked at when a store is opened, and one of the first is missing.
#[test]
fn an_event_from_long_ago_that_is_missing() {
    const EVENTS: u64 = 20_000;
    let folder = TempDir::new().unwrap();
    let place = Place::within(folder.path(), [7; 16]);
    let engine = open(&place);
    let events = vec![b"event".to_vec().into(); EVENTS as usize];
    let batch = Batch {
        events,
        ..Batch::default()
    };
    engine.commit(batch).unwrap();
    drop(engine);
    let db = rocksdb::DB::open_default(&place.store).unwrap();
    db.delete([&[3][..], &7u64.to_be_bytes()].concat()).unwrap();
    drop(db);

    let engine = open(&place);
    assert_eq!(stops(&engine), Stopped::LogDamaged(Seq(7)));
    drop(engine);
    // By a decision it is taken with the hole, once and for all.
    let decided = Place {
        decision: Decision::NewEpoch,
        ..place.clone()
    };
    assert_eq!(open(&decided).takes_writes(), Ok(()));
    let engine = open(&place);
    engine.commit(put("a", "1").and_log("on")).unwrap();
    drop(engine);
    let engine = open(&place);
    assert_eq!(engine.head().seq, Seq(EVENTS + 1));
    assert_eq!(engine.takes_writes(), Ok(()));
}
