//! Stories of the vault over the memory engine: stores that older programs wrote, and rotations
//! that go well, are ended by a crash, or find no other master key.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Map;

use super::*;
use crate::entropy::SeededEntropy;
use crate::registry::profiles::keys::public;
use crate::registry::{Idempotency, KeyOwner, NewProfile, Roles, Settings, StatementCheck};
use crate::store::engine::{CommitError, Engine as _};
use crate::store::event::{Event, MasterKeyStep};
use crate::store::memory::{Fault, MemoryEngine};
use crate::store::tables::IdForm;
use crate::time::ManualClock;
use crate::vc::jws::Jws;
use crate::vc::sealing::sealed_directly;

/// A place of master keys that fails on demand. Clones are the same place.
#[derive(Clone)]
struct Shelf(Arc<Mutex<Shelved>>);

struct Shelved {
    present: MasterKey,
    next: Option<MasterKey>,
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
        Ok(self.state().next.clone())
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

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap()))
}

fn engine() -> Arc<MemoryEngine> {
    Arc::new(MemoryEngine::new(clock()))
}

fn try_open(engine: &Arc<MemoryEngine>, shelf: &Shelf) -> Result<Registry, RegistryError> {
    // Every start has randomness of its own.
    static STARTS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let entropy = SeededEntropy::new(STARTS.fetch_add(1, Ordering::Relaxed));
    let settings = Settings::usual("https://registry.example");
    let entropy = Arc::new(entropy);
    Registry::open(engine.clone(), clock(), entropy, shelf.clone(), settings)
}

fn open(engine: &Arc<MemoryEngine>, shelf: &Shelf) -> Registry {
    try_open(engine, shelf).unwrap()
}

/// A registry with a profile, so that it and the registry itself have keys.
fn furnished(engine: &Arc<MemoryEngine>, shelf: &Shelf) -> Registry {
    let registry = open(engine, shelf);
    let mut members = Map::new();
    members.insert("name".into(), "School".into());
    let new = NewProfile {
        slug: "school".parse().unwrap(),
        id_form: IdForm::DidWeb,
        roles: Roles {
            issuer: true,
            accreditor: false,
        },
        history: None,
        members,
    };
    registry.create_profile(&operator(), &new).unwrap();
    registry
}

fn operator() -> Change {
    Change::by(Actor::operator())
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

fn step(from: &MasterKey, to: &MasterKey, step: MasterKeyStep) -> EventKind {
    EventKind::MasterKeyRotated {
        from: from.id(),
        to: to.id(),
        step,
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
                .seal(KeyPlace { profile, key }, &secret, &entropy),
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
    assert_eq!(refused, Some(OpenError::Directly(master(100).id())));
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

#[test]
fn the_next_master_key_opens_everything_and_the_earlier_one_nothing() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let before = state(&registry);
    let (earlier, next) = (shelf.present().unwrap(), shelf.provide(2));
    let done = registry.rotate_master_key(&operator()).unwrap();
    assert_eq!(
        done,
        MasterKeyRotated {
            from: earlier.id().to_string(),
            to: next.id().to_string(),
            taken_up: TakenUp::Now,
        }
    );
    assert_eq!(sealed_under(&engine), (2, [next.id().to_string()].into()));
    opens_nothing(&engine, &earlier);
    every_key_opens(&engine, &registry);
    assert_eq!(
        logged(&engine),
        [
            made(1),
            step(&earlier, &next, MasterKeyStep::Begun),
            made(2),
            step(&earlier, &next, MasterKeyStep::Done),
        ]
    );
    // What is sealed from now on is under a data key that the earlier one never sealed.
    make_key(&registry);
    let rows = key_rows(&engine);
    let generation = |record: &KeyRecord| Sealed::from_bytes(&record.sealed).unwrap().under();
    let (_, newest) = rows.last().unwrap();
    assert_eq!(generation(newest), SealedUnder::DataKey(Generation(2)));
    assert_eq!(generation(&rows[0].1), SealedUnder::DataKey(Generation(1)));
    assert_eq!(registry.check_master_key(), Ok(()));
    drop(registry);
    let registry = open(&engine, &shelf);
    every_key_opens(&engine, &registry);
    assert_eq!(check(&registry, &before), StatementCheck::Good);
    assert_eq!(logged(&engine).len(), 4);
}

#[test]
fn who_signs_meanwhile_notices_nothing() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let (over, failed) = (AtomicBool::new(false), AtomicBool::new(false));
    let (registry, over, failed) = (&registry, &over, &failed);
    let statements: usize = thread::scope(|scope| {
        let signers: Vec<_> = (0..3)
            .map(|nth| {
                scope.spawn(move || {
                    let mut signed = 0;
                    while !over.load(Ordering::SeqCst) || signed < 20 {
                        let good = check(registry, &state(registry)) == StatementCheck::Good;
                        failed.fetch_or(!good, Ordering::SeqCst);
                        if nth == 0 && signed < 300 {
                            make_key(registry);
                        }
                        signed += 1;
                    }
                    signed
                })
            })
            .collect();
        for seed in 0..20 {
            shelf.provide(1_000 + seed);
            let done = registry.rotate_master_key(&operator()).unwrap();
            assert_eq!(done.taken_up, TakenUp::Now);
        }
        over.store(true, Ordering::SeqCst);
        signers
            .into_iter()
            .map(|signer| signer.join().unwrap())
            .sum()
    });
    assert!(!failed.load(Ordering::SeqCst) && statements >= 60);
    assert_eq!(
        sealed_under(&engine),
        (21, [master(1_019).id().to_string()].into())
    );
    every_key_opens(&engine, registry);
    opens_nothing(&engine, &master(1_018));
    every_key_opens(&engine, &open(&engine, &shelf));
}

/// Whatever happens, each start finds a master key that opens all; and when the rotation has been
/// gone on with, the earlier key opens nothing.
#[test]
fn a_crash_at_each_step_is_made_good() {
    let faults = [
        Fault::LoseAndReportFailed,
        Fault::PersistButReportFailed,
        Fault::Refuse,
    ];
    // The first batch, the second, or none of them.
    let in_store = (1..=2).flat_map(|at| faults.map(|fault| (at, fault, Trouble::None)));
    let in_place =
        [Trouble::BeforeIt, Trouble::AfterIt].map(|trouble| (0, Fault::Proceed, trouble));
    for (at, fault, trouble) in in_store.chain(in_place) {
        for restarted in [true, false] {
            // After such a fault the engine takes no writes before a restart.
            if !restarted && at > 0 && fault != Fault::Refuse {
                continue;
            }
            crashed_at(at, fault, trouble, restarted);
        }
    }
}

fn crashed_at(at: u32, fault: Fault, trouble: Trouble, restarted: bool) {
    let (engine, shelf) = (engine(), Shelf::new());
    let mut registry = furnished(&engine, &shelf);
    let before = state(&registry);
    let (earlier, next) = (shelf.present().unwrap(), shelf.provide(2));
    let mut attempts = 0;
    engine.set_fault_hook(move |_, _| {
        attempts += 1;
        if attempts == at {
            fault
        } else {
            Fault::Proceed
        }
    });
    shelf.fails(trouble);
    let refused = registry.rotate_master_key(&operator()).unwrap_err();
    match at {
        0 => assert!(
            matches!(refused, RegistryError::MasterKeyPlace(_)),
            "{refused}"
        ),
        _ => assert!(
            matches!(
                refused,
                RegistryError::Commit(CommitError::Indeterminate(_) | CommitError::Unavailable(_))
            ),
            "{refused}"
        ),
    }
    // Whoever signs goes on.
    assert_eq!(check(&registry, &state(&registry)), StatementCheck::Good);
    engine.set_fault_hook(|_, _| Fault::Proceed);
    shelf.fails(Trouble::None);
    let lost = at == 1 && fault != Fault::PersistButReportFailed;
    if restarted {
        drop(registry);
        engine.reopen().unwrap();
        registry = open(&engine, &shelf);
        every_key_opens(&engine, &registry);
        // What was begun is done by the start; what was not waits to be asked for again.
        let masters = sealed_under(&engine).1;
        let by = if lost { &earlier } else { &next };
        assert_eq!(masters, [by.id().to_string()].into(), "{at} {fault:?}");
        assert_eq!(shelf.present().unwrap().id(), by.id());
    }
    if !restarted || lost {
        let done = registry.rotate_master_key(&operator()).unwrap();
        assert_eq!(
            (done.from, done.to),
            (earlier.id().to_string(), next.id().to_string())
        );
    }
    every_key_opens(&engine, &registry);
    opens_nothing(&engine, &earlier);
    assert_eq!(check(&registry, &before), StatementCheck::Good);
    let begun = step(&earlier, &next, MasterKeyStep::Begun);
    let done = step(&earlier, &next, MasterKeyStep::Done);
    assert_eq!(
        logged(&engine),
        [made(1), begun, made(2), done],
        "{at} {fault:?}"
    );
    assert_eq!(registry.check_master_key(), Ok(()));
    drop(registry);
    every_key_opens(&engine, &open(&engine, &shelf));
}

#[test]
fn one_from_the_environment_is_taken_up_by_a_start() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let (earlier, next) = (shelf.present().unwrap(), shelf.provide(2));
    shelf.fails(Trouble::Environment);
    let done = registry.rotate_master_key(&operator()).unwrap();
    assert_eq!(done.taken_up, TakenUp::AtNextStart);
    assert_eq!(registry.rotate_master_key(&operator()), Ok(done));
    every_key_opens(&engine, &registry);
    drop(registry);
    // Started as before, also where the next one was left out, both go on opening it.
    for given in [Some(next.clone()), None] {
        shelf.state().next = given;
        every_key_opens(&engine, &open(&engine, &shelf));
        assert_eq!(sealed_under(&engine).1.len(), 2);
    }
    let begun = step(&earlier, &next, MasterKeyStep::Begun);
    assert_eq!(logged(&engine), [made(1), begun.clone()]);
    // Started with the next one, while the variable beside it may still hold it as well.
    shelf.is_started_with(&next);
    shelf.provide(2);
    let registry = open(&engine, &shelf);
    every_key_opens(&engine, &registry);
    opens_nothing(&engine, &earlier);
    let done = step(&earlier, &next, MasterKeyStep::Done);
    assert_eq!(logged(&engine), [made(1), begun, made(2), done]);
    let again = registry.rotate_master_key(&operator()).unwrap_err();
    assert!(again.to_string().contains("is the one in use"), "{again}");
}

#[test]
fn a_next_one_that_was_given_up_opens_nothing_when_another_follows() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let (earlier, given_up) = (shelf.present().unwrap(), shelf.provide(2));
    shelf.fails(Trouble::BeforeIt);
    assert!(registry.rotate_master_key(&operator()).is_err());
    drop(registry);
    shelf.state().next = None;
    let registry = open(&engine, &shelf);
    every_key_opens(&engine, &registry);
    let next = shelf.provide(3);
    assert!(registry.rotate_master_key(&operator()).is_err());
    opens_nothing(&engine, &given_up);
    shelf.fails(Trouble::None);
    registry.rotate_master_key(&operator()).unwrap();
    assert_eq!(sealed_under(&engine), (2, [next.id().to_string()].into()));
    opens_nothing(&engine, &earlier);
    every_key_opens(&engine, &registry);
}

/// What was there before must not be taken for what this rotation sealed.
#[test]
fn what_does_not_open_with_the_next_one_ends_the_rotation() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let (earlier, next) = (shelf.present().unwrap(), shelf.provide(2));
    let other = DataKey::generate(Generation(1), &SeededEntropy::new(5));
    let mut sealed = next.seal(&other, &SeededEntropy::new(6)).to_bytes();
    for changed in [false, true] {
        sealed[20] ^= u8::from(changed);
        let record = DataKeyRecord {
            sealed: sealed.clone(),
            master: MasterKeyUse::Next,
        };
        let mut batch = Batch::default();
        DATA_KEYS.put(&mut batch, &row_key(Generation(1), next.id()), &record);
        engine.commit(batch).unwrap();
        let refused = registry.rotate_master_key(&operator()).unwrap_err();
        assert!(matches!(refused, RegistryError::Key(_)), "{refused}");
        assert_eq!(shelf.present().unwrap().id(), earlier.id());
        every_key_opens(&engine, &registry);
    }
}

#[test]
fn without_another_master_key_nothing_changes() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let before = (engine.head(), sealed_under(&engine));
    let refused = registry.rotate_master_key(&operator()).unwrap_err();
    assert_eq!(refused.to_string(), "put one on the shelf");
    shelf.provide(100);
    let refused = registry.rotate_master_key(&operator()).unwrap_err();
    assert!(
        refused.to_string().contains("is the one in use"),
        "{refused}"
    );
    shelf.provide(2);
    let school = Change::by(Actor::profile(ProfileId(1)));
    let refused = registry.rotate_master_key(&school).unwrap_err();
    assert_eq!(refused, RegistryError::OperatorOnly);
    assert_eq!((engine.head(), sealed_under(&engine)), before);
}

#[test]
fn a_rotation_that_is_asked_for_twice_is_made_once() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    let change = Change {
        idempotency: Some(Idempotency::new(Actor::operator(), "a", &[b"rotate"])),
        ..operator()
    };
    shelf.provide(2);
    let done = registry.rotate_master_key(&change).unwrap();
    shelf.provide(3);
    assert_eq!(registry.rotate_master_key(&change), Ok(done.clone()));
    assert_eq!(sealed_under(&engine), (2, [done.to].into()));
}

#[test]
fn a_master_key_that_was_replaced_by_hand_is_noticed() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    assert_eq!(registry.check_master_key(), Ok(()));
    shelf.is_started_with(&master(2));
    assert_eq!(registry.check_master_key(), Err(RegistryError::MasterKey));
    every_key_opens(&engine, &registry);
    // Asked to, the registry follows.
    registry.rotate_master_key(&operator()).unwrap();
    assert_eq!(registry.check_master_key(), Ok(()));
    opens_nothing(&engine, &master(100));
    assert_eq!(registry.keys(KeyOwner::Registry).unwrap().len(), 1);
}
