//! A store with a history, and copies of it taken earlier in its life.
//!
//! The first part is made by a registry on RocksDB, which is started several times and whose changes are
//! gathered in little memory, so that there are sorted files of several ages. The last part has several log
//! files at once, as a busy store has while it writes out what it gathered. That moment passes too quickly
//! to be caught, so a registry in memory makes the changes, and they are written as the engine would have
//! written them, with the files held back from being written out.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use goodstanding::store::engine::Row;
use goodstanding::store::memory::{Image, MemoryEngine};
use goodstanding::store::rocks::{Place, RocksEngine};
use goodstanding::store::{Decision, Engine, Read};
use goodstanding::time::ManualClock;
use rocksdb::{DB, Options, WriteBatch, WriteOptions};
use tempfile::TempDir;

use crate::support::files::copy_all;
use crate::support::house::{House, Plan, clock};

/// A data folder at some moments of its life, from the oldest to the newest.
pub(super) struct History {
    home: TempDir,
    pub(super) clock: Arc<ManualClock>,
    /// Everything that was acknowledged.
    pub(super) rows: Vec<Row>,
}

/// The moments, by the names of their folders.
pub(super) const EARLIER: &str = "earlier";
pub(super) const ONE_START_EARLIER: &str = "one-start-earlier";
pub(super) const SHORTLY_BEFORE: &str = "shortly-before";
pub(super) const NEWEST: &str = "newest";
pub(super) const OTHER: &str = "other";

/// So few that what is done here fills several files.
const WRITE_BUFFER: usize = 64 << 10;

impl History {
    pub(super) fn make() -> Self {
        let home = room();
        let clock = clock();
        let mut history = Self {
            home,
            clock,
            rows: Vec::new(),
        };
        history.another();
        for start in 1..=6 {
            history.start(start);
            match start {
                4 => history.keep(EARLIER),
                5 => history.keep(ONE_START_EARLIER),
                _ => {}
            }
        }
        history.several_logs();
        history
    }

    /// The data folder at one of its moments.
    pub(super) fn at(&self, moment: &str) -> PathBuf {
        self.home.path().join(moment)
    }

    pub(super) fn place(&self, folder: &Path) -> Place {
        Place {
            write_buffer_bytes: WRITE_BUFFER,
            ..Place::within(folder, [7; 16])
        }
    }

    fn keep(&self, moment: &str) {
        copy_all(&self.at(NEWEST), &self.at(moment));
    }

    /// A data folder of another registry.
    fn another(&self) {
        let mut place = self.place(&self.at(OTHER));
        place.new_id = [8; 16];
        let engine = RocksEngine::open(&place, self.clock.clone()).unwrap();
        let plan = Plan::over(Arc::new(engine), self.clock.clone());
        work(&plan.seeded(900).open(), 900);
    }

    /// One life of the service, from its start to its stop.
    fn start(&self, start: u64) {
        let place = self.place(&self.at(NEWEST));
        let engine = Arc::new(RocksEngine::open(&place, self.clock.clone()).unwrap());
        let plan = Plan::over(engine.clone(), self.clock.clone());
        let house = plan.seeded(start).open();
        work(&house, start);
        if start == 3 {
            // Everything is written out and put together, as after an erasure.
            engine.purge(&[(vec![0], vec![0xff])]).unwrap();
        }
        drop(house);
    }

    fn several_logs(&mut self) {
        let folder = self.at(NEWEST);
        let place = self.place(&folder);
        let engine = RocksEngine::open(&place, self.clock.clone()).unwrap();
        let mut before = all_rows(&engine);
        drop(engine);
        let slots = fs::read(&place.anchor).unwrap();
        let mut image: Image = before.iter().cloned().collect();
        let (one, other) = slots.split_at(slots.len() / 2);
        image.anchor = Some([one.to_vec(), other.to_vec()]);
        let memory = MemoryEngine::starting(image, Decision::AsAnchored, self.clock.clone());
        let memory = Arc::new(memory.unwrap());
        let db = DB::open(&held_back(), &place.store).unwrap();
        let house = Plan::over(memory.clone(), self.clock.clone()).seeded(50);
        let house = house.open();
        for round in 50..58 {
            work(&house, round);
            let after = all_rows(&*memory);
            write(&db, &before, &after);
            let [one, other] = memory.disk().anchor.unwrap();
            fs::write(&place.anchor, [one, other].concat()).unwrap();
            before = after;
            if round == 53 {
                copy_all(&folder, &self.at(SHORTLY_BEFORE));
            }
        }
        drop(house);
        assert_eq!(all_rows(&*memory), before);
        drop(db);
        self.rows = before;
    }
}

/// A folder for tests that start an engine some hundred times: in memory, where there is room, so that they
/// do not wait for a disk.
pub(super) fn room() -> TempDir {
    TempDir::new_in("/dev/shm").unwrap_or_else(|_| TempDir::new().unwrap())
}

/// What a registry does on a day.
fn work(house: &House, day: u64) {
    let school = house.registrar(&format!("school-{day}"));
    let list = school.opens_list("revocation");
    let indexes = school.allocates(&list, 40);
    for index in &indexes[..8] {
        school.sets(&list, *index, 1).is(200);
    }
    let accreditor = house.accreditor(&format!("accreditor-{day}"));
    let subject = format!("https://example.org/achievements/{day}");
    let endorsement = accreditor.endorses(&subject, "achievement", true);
    accreditor.endorses(&school.id, "profile", false);
    accreditor.does("revoke", &endorsement).is(200);
    house.verifier().reads(&list);
}

pub(super) fn all_rows(read: &dyn Read) -> Vec<Row> {
    read.scan(&[], &[0xff; 64], usize::MAX).unwrap()
}

/// As the engine's options, but what was gathered stays in memory, so that its log files stay too.
fn held_back() -> Options {
    let words = "track_and_verify_wals=true;avoid_flush_during_recovery=true";
    let options = Options::default().get_options_from_string(words);
    let mut options = options.unwrap();
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_recycle_log_file_num(0);
    options.set_compression_type(rocksdb::DBCompressionType::Lz4);
    options.set_write_buffer_size(WRITE_BUFFER);
    options.set_min_write_buffer_number_to_merge(64);
    options.set_max_write_buffer_number(128);
    options
}

/// What leads from one state to the next, in batches as small as the engine's.
fn write(db: &DB, before: &[Row], after: &[Row]) {
    let mut durably = WriteOptions::default();
    durably.set_sync(true);
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    let mut batch = WriteBatch::default();
    loop {
        match (old.peek(), new.peek()) {
            (None, None) => break,
            (Some(was), Some(is)) if was == is => {
                old.next();
                new.next();
            }
            (Some(was), is) if is.is_none_or(|is| was.0 < is.0) => {
                batch.delete(&was.0);
                old.next();
            }
            (was, Some(is)) => {
                batch.put(&is.0, &is.1);
                if was.is_some_and(|was| was.0 == is.0) {
                    old.next();
                }
                new.next();
            }
            (Some(_), None) => unreachable!("it was taken for a row that is gone"),
        }
    }
    db.write_opt(batch, &durably).unwrap();
}
