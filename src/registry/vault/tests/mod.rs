//! Stories of the vault over the memory engine: new stores, and those that older programs wrote.

mod codes;
mod rotation;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Map;

use super::*;
use crate::entropy::SeededEntropy;
use crate::registry::StatementCheck;
use crate::registry::profiles::keys::public;
use crate::registry::testing::{clock, operator, school, settings};
use crate::store::engine::Engine as _;
use crate::store::event::Event;
use crate::store::memory::{Fault, MemoryEngine};
use crate::vc::jws::Jws;
use crate::vc::sealing::sealed_directly;

/// A place of master keys that fails on demand. Clones are the same place.
#[derive(Clone)]
struct Shelf(Arc<Mutex<Shelved>>);

struct Shelved {
    present: MasterKey,
    next: Option<MasterKey>,
    unreadable: bool,
    trouble: Trouble,
}

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    /// Nothing is put in place.
    BeforeIt,
    /// It is put in place, and reported not to be.
    AfterIt,
    /// A process cannot change what it was started with.
    Environment,
}

impl Shelf {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Shelved {
            present: master(100),
            next: None,
            unreadable: false,
            trouble: Trouble::None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, Shelved> {
        self.0.lock().unwrap()
    }

    fn provide(&self, seed: u64) -> MasterKey {
        self.state().next = Some(master(seed));
        master(seed)
    }

    fn fails(&self, trouble: Trouble) {
        self.state().trouble = trouble;
    }

    /// The next start is given the next key, and nothing else changes.
    fn is_started_with(&self, key: &MasterKey) {
        self.state().present = key.clone();
    }
}

impl MasterKeys for Shelf {
    fn present(&self) -> Result<MasterKey, String> {
        Ok(self.state().present.clone())
    }

    fn next(&self) -> Result<Option<MasterKey>, String> {
        let state = self.state();
        match state.unreadable {
            true => Err("it can be read by others".into()),
            false => Ok(state.next.clone()),
        }
    }

    fn make_next(&self) -> Result<MasterKey, String> {
        Err("put one on the shelf".into())
    }

    fn adopt(&self, id: MasterKeyId) -> Result<Adopted, String> {
        let mut state = self.state();
        match state.trouble {
            Trouble::BeforeIt => return Err("the shelf is full".into()),
            Trouble::Environment => return Ok(Adopted::AtNextStart),
            Trouble::None | Trouble::AfterIt => {}
        }
        if state.present.id() != id {
            state.present = state.next.take().expect("there is a next one");
        }
        assert_eq!(state.present.id(), id);
        match state.trouble {
            Trouble::AfterIt => Err("the shelf shook".into()),
            _ => Ok(Adopted::Now),
        }
    }
}

fn master(seed: u64) -> MasterKey {
    MasterKey::generate(&SeededEntropy::new(seed))
}

fn engine() -> Arc<MemoryEngine> {
    Arc::new(MemoryEngine::new(clock()))
}

fn try_open(engine: &Arc<MemoryEngine>, shelf: &Shelf) -> Result<Registry, RegistryError> {
    // Every start has randomness of its own.
    static STARTS: AtomicU64 = AtomicU64::new(1);
    let entropy = SeededEntropy::new(STARTS.fetch_add(1, Ordering::Relaxed));
    let entropy = Arc::new(entropy);
    Registry::open(engine.clone(), clock(), entropy, shelf.clone(), settings())
}

fn open(engine: &Arc<MemoryEngine>, shelf: &Shelf) -> Registry {
    try_open(engine, shelf).unwrap()
}

/// A registry with a profile, so that it and the registry itself have keys.
fn furnished(engine: &Arc<MemoryEngine>, shelf: &Shelf) -> Registry {
    let registry = open(engine, shelf);
    school(&registry, "school");
    registry
}

fn make_key(registry: &Registry) {
    let school = "school".parse().unwrap();
    registry.make_key(&operator(), &school).unwrap();
}

fn state(registry: &Registry) -> String {
    registry
        .sign_statement("standing+jwt", &Map::new())
        .unwrap()
}

fn check(registry: &Registry, statement: &str) -> StatementCheck {
    let jws = Jws::parse(statement).unwrap();
    registry.check_statement(&jws).unwrap()
}

fn key_rows(engine: &MemoryEngine) -> Vec<((ProfileId, KeyId), KeyRecord)> {
    KEYS.scan(engine, &[], None, usize::MAX).unwrap()
}

/// Holds every secret that is stored against its public half.
#[track_caller]
fn every_key_opens(engine: &MemoryEngine, registry: &Registry) {
    let rows = key_rows(engine);
    assert!(rows.len() > 1);
    for ((profile, key), record) in rows {
        let opened = registry
            .vault
            .open(KeyPlace { profile, key }, &record.sealed);
        assert_eq!(opened.unwrap().public(), public(&record).unwrap());
    }
    assert_eq!(check(registry, &state(registry)), StatementCheck::Good);
}

/// Tries a master key on every sealed thing that is stored.
#[track_caller]
fn opens_nothing(engine: &MemoryEngine, key: &MasterKey) {
    for row in data_keys(engine).unwrap() {
        let sealed = SealedDataKey::from_bytes(&row.record.sealed).unwrap();
        assert_ne!(sealed.master_key(), key.id());
        assert!(key.open(row.generation, &sealed).is_err());
    }
    for ((profile, id), record) in key_rows(engine) {
        let sealed = Sealed::from_bytes(&record.sealed).unwrap();
        let place = KeyPlace { profile, key: id };
        assert!(key.open_directly(place, &sealed).is_err());
    }
    let shelf = Shelf::new();
    shelf.is_started_with(key);
    let refused = try_open(&Arc::new(copied(engine)), &shelf).err();
    assert_eq!(refused, Some(RegistryError::MasterKey));
}

/// The same store, to try something on.
fn copied(engine: &MemoryEngine) -> MemoryEngine {
    let rows = engine.scan(&[], &[0xff; 64], usize::MAX).unwrap();
    MemoryEngine::holding(rows, clock()).unwrap()
}

/// The master keys that the store names, and of how many generations its data keys are.
fn sealed_under(engine: &MemoryEngine) -> (usize, BTreeSet<String>) {
    let rows = data_keys(engine).unwrap();
    let generations: BTreeSet<_> = rows.iter().map(|row| row.generation).collect();
    let masters: BTreeSet<_> = rows.iter().map(|row| row.master.to_string()).collect();
    assert_eq!(rows.len(), generations.len() * masters.len());
    (generations.len(), masters)
}

fn logged(engine: &MemoryEngine) -> Vec<EventKind> {
    let events = engine.changes(crate::ids::Seq(0), usize::MAX).unwrap();
    let kinds = events
        .iter()
        .map(|event| Event::decode(&event.body).unwrap().kind);
    kinds
        .filter(|kind| (0x15..=0x16).contains(&kind.code()))
        .collect()
}

const fn made(generation: u32) -> EventKind {
    EventKind::DataKeyMade {
        generation: Generation(generation),
    }
}

/// Makes of the store what a program without data keys would have written.
fn as_an_older_program_wrote_it(engine: &MemoryEngine, registry: &Registry, key: &MasterKey) {
    let mut batch = Batch::default();
    let entropy = SeededEntropy::new(77);
    for ((profile, id), record) in key_rows(engine) {
        let place = KeyPlace { profile, key: id };
        let secret = registry.vault.open(place, &record.sealed).unwrap();
        let record = KeyRecord {
            sealed: sealed_directly(key, place, &secret, &entropy).to_bytes(),
            ..record
        };
        KEYS.put(&mut batch, &(profile, id), &record);
    }
    for row in data_keys(engine).unwrap() {
        DATA_KEYS.delete(&mut batch, &row.key());
    }
    engine.commit(batch).unwrap();
}

/// A store of an older program with more keys than are sealed anew at once.
fn older_store() -> (Arc<MemoryEngine>, Shelf) {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let entropy = SeededEntropy::new(78);
    let mut batch = Batch::default();
    let (_, first) = key_rows(&engine).remove(0);
    for number in 0..2 * SEALED_AT_ONCE as u32 {
        let (profile, key) = (ProfileId(1), KeyId(10 + number));
        let secret = SigningKey::generate(&entropy);
        let record = KeyRecord {
            public: *secret.public().as_bytes(),
            sealed: registry
                .vault
                .seal(KeyPlace { profile, key }, &secret, &entropy)
                .unwrap(),
            ..first.clone()
        };
        KEYS.put(&mut batch, &(profile, key), &record);
    }
    engine.commit(batch).unwrap();
    as_an_older_program_wrote_it(&engine, &registry, &shelf.present().unwrap());
    (engine, shelf)
}

fn sealed_directly_still(engine: &MemoryEngine) -> usize {
    let rows = key_rows(engine);
    let sealed = rows
        .iter()
        .filter(|(_, record)| record.sealed.first() == Some(&1));
    sealed.count()
}

#[test]
fn a_new_store_gets_a_data_key_once() {
    let (engine, shelf) = (engine(), Shelf::new());
    drop(open(&engine, &shelf));
    assert_eq!(logged(&engine), [made(1)]);
    let registry = furnished(&engine, &shelf);
    every_key_opens(&engine, &registry);
    assert_eq!(sealed_directly_still(&engine), 0);
    let before = engine.head();
    drop(open(&engine, &shelf));
    assert_eq!((engine.head(), logged(&engine)), (before, vec![made(1)]));
    // It is this master key's from the first start on.
    let other = Shelf::new();
    other.is_started_with(&master(3));
    assert_eq!(
        try_open(&engine, &other).err(),
        Some(RegistryError::MasterKey)
    );
}

#[test]
fn what_an_older_program_sealed_is_sealed_anew() {
    let (engine, shelf) = older_store();
    let other = Shelf::new();
    other.is_started_with(&master(3));
    assert_eq!(
        try_open(&engine, &other).err(),
        Some(RegistryError::MasterKey)
    );
    assert_eq!(data_keys(&*engine).unwrap().len(), 0);
    let all = key_rows(&engine).len();
    assert_eq!(sealed_directly_still(&engine), all);
    let registry = open(&engine, &shelf);
    assert_eq!(sealed_directly_still(&engine), 0);
    every_key_opens(&engine, &registry);
    let mark = SETTINGS.get(&*engine, &SEALED_DIRECTLY.to_owned()).unwrap();
    assert_eq!(mark, None);
    assert_eq!(key_rows(&engine).len(), all);
}

#[test]
fn a_crash_while_keys_are_sealed_anew_is_made_good() {
    for fault in [
        Fault::LoseAndReportFailed,
        Fault::PersistButReportFailed,
        Fault::Refuse,
    ] {
        // The data key, three batches of keys, and the mark.
        for at in 1..=5 {
            let (engine, shelf) = older_store();
            let mut attempts = 0;
            engine.set_fault_hook(move |_, _| {
                attempts += 1;
                if attempts == at {
                    fault
                } else {
                    Fault::Proceed
                }
            });
            assert!(try_open(&engine, &shelf).is_err(), "{fault:?} {at}");
            engine.set_fault_hook(|_, _| Fault::Proceed);
            engine.reopen().unwrap();
            let registry = open(&engine, &shelf);
            assert_eq!(sealed_directly_still(&engine), 0, "{fault:?} {at}");
            every_key_opens(&engine, &registry);
            assert_eq!(sealed_under(&engine).0, 1);
        }
    }
}

#[test]
fn a_damaged_key_keeps_nothing_else_from_opening() {
    let (engine, shelf) = older_store();
    let rows = key_rows(&engine);
    let (place, whole) = rows[5].clone();
    let (elsewhere, brought) = rows[6].clone();
    let mut batch = Batch::default();
    let mut damaged = whole.clone();
    damaged.sealed[40] ^= 1;
    KEYS.put(&mut batch, &place, &damaged);
    // One whose secret was never here.
    let sealed = Vec::new();
    KEYS.put(
        &mut batch,
        &elsewhere,
        &KeyRecord {
            sealed,
            ..brought.clone()
        },
    );
    engine.commit(batch).unwrap();
    let registry = open(&engine, &shelf);
    assert_eq!(sealed_directly_still(&engine), 1);
    let at = KeyPlace {
        profile: place.0,
        key: place.1,
    };
    let refused = registry.vault.open(at, &damaged.sealed).err();
    let directly = OpenError::Directly(master(100).id());
    assert!(
        matches!(&refused, Some(RegistryError::Key(said)) if said.contains(&directly.to_string())),
        "{refused:?}"
    );
    assert_eq!(check(&registry, &state(&registry)), StatementCheck::Good);
    drop(registry);
    // Once the rows are restored, the next start sees to them.
    let mut batch = Batch::default();
    KEYS.put(&mut batch, &place, &whole);
    KEYS.put(&mut batch, &elsewhere, &brought);
    engine.commit(batch).unwrap();
    let registry = open(&engine, &shelf);
    every_key_opens(&engine, &registry);
}
