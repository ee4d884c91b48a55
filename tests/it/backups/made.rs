//! What a backup holds, and what it costs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use goodstanding::backup::{BackupError, Folder, Unwatched};

use super::scene::{Scene, files_below, key};

/// A backup of a registry in use is the registry as it was at one moment, and a second one writes what is
/// new.
#[test]
fn a_second_backup_writes_what_is_new() {
    for scene in [Scene::new(), Scene::sealed()] {
        let house = scene.house();
        let school = house.registrar("school");
        let list = school.opens_list("revocation");
        // Random bytes, which no engine makes smaller.
        for round in 0..40 {
            let ids: Vec<String> = (0..500)
                .map(|n| {
                    format!(
                        "urn:uuid:{round}-{n}-{}",
                        hex(&house.registry.random::<64>())
                    )
                })
                .collect();
            let body = serde_json::json!({ "credentialIds": ids });
            school.post(&format!("{list}/entries"), &body).is(200);
        }
        let first = scene.back_up(&house.engine);
        assert_eq!(first.manifest.number, 1);
        assert_eq!(first.manifest.seq, house.registry.newest_event());
        assert!(first.written > 2_000_000, "{}", first.written);
        assert_eq!(first.written, scene.bytes());

        // RocksDB writes files anew now and then, to keep less of what was overwritten. Most backups meet
        // none of that, and write what is new: no row twice, and nothing where nothing is new.
        let mut written = Vec::new();
        for _ in 0..5 {
            let index = school.allocates(&list, 1)[0];
            school.sets(&list, index, 1).is(200);
            written.push(scene.back_up(&house.engine).written);
        }
        assert_eq!(first.written + written.iter().sum::<u64>(), scene.bytes());
        written.sort_unstable();
        assert!(
            written[2] < first.written / 20,
            "little changed: {written:?} of {}",
            first.written
        );
        let unchanged = (0..5).map(|_| scene.back_up(&house.engine).written);
        let least = unchanged.min().unwrap();
        assert!(least < 5_000, "nothing changed: {least}");
        let there = scene.folder().manifests(scene.key.as_ref()).unwrap();
        let numbers: Vec<u64> = there.iter().map(|manifest| manifest.number).collect();
        assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
        // Beside the store nothing is left.
        assert!(!scene.home.path().join("copy").exists());

        // Of old backups the newest are kept, with the pieces that they need.
        let fourth = scene
            .try_to(&house.engine, Some(2), &mut Unwatched)
            .unwrap();
        assert_eq!(fourth.removed, 10);
        let there = scene.folder().manifests(scene.key.as_ref()).unwrap();
        for manifest in &there {
            let place = scene.home.path().join(format!("kept-{}", manifest.number));
            scene.put_together(manifest, &place).unwrap();
        }
        let pieces: usize = there.iter().map(|manifest| manifest.files.len()).sum();
        assert!(scene.files().len() <= pieces + 2);
    }
}

/// Changes go on while a backup is made, and each is in it or not, whole.
#[test]
fn a_backup_under_load_is_one_moment_of_the_registry() {
    let scene = Scene::new();
    let house = scene.house();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let indexes = school.allocates(&list, 2_000);
    let (done, engine) = (AtomicBool::new(false), house.engine.clone());
    let made = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let (mut written, mut slowest) = (0, Duration::ZERO);
            for index in &indexes {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                let begun = Instant::now();
                school.sets(&list, *index, 1).is(200);
                slowest = slowest.max(begun.elapsed());
                written += 1;
            }
            eprintln!("{written} changes were made meanwhile, the slowest in {slowest:?}");
            written
        });
        let made: Vec<_> = (0..4).map(|_| scene.back_up(&engine)).collect();
        done.store(true, Ordering::SeqCst);
        assert!(writing.join().unwrap() > 4, "changes went on");
        made
    });
    let mut before = 0;
    for made in &made {
        assert!(made.manifest.seq.0 >= before);
        before = made.manifest.seq.0;
        // Put together it is read to its last row, and its log recomputed.
        let place = scene
            .home
            .path()
            .join(format!("at-{}", made.manifest.number));
        scene.put_together(&made.manifest, &place).unwrap();
    }
    let slowest = made.iter().map(|made| made.copied_in).max().unwrap();
    eprintln!("the store was copied in at most {slowest:?}");
}

/// Without its key nothing of a sealed backup can be read, not even which known content is in it.
#[test]
fn a_sealed_backup_shows_nothing() {
    let scene = Scene::sealed();
    let house = scene.house();
    house.registrar("canary-school");
    scene.back_up(&house.engine);
    for path in scene.files() {
        let bytes = std::fs::read(&path).unwrap();
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!holds(b"canary"), "{}", path.display());
        assert!(!holds(b"MANIFEST-0000") || path.extension().unwrap() == "json");
    }
    let refused = scene.folder().manifests(None).unwrap_err().to_string();
    assert!(refused.contains("name its file with --key"), "{refused}");
    let refused = scene.folder().manifest(None, Some(&key(2))).unwrap_err();
    let (needed, given) = (scene.key.as_ref().unwrap().id(), key(2).id().clone());
    let words = format!("sealed under the backup key {needed}, and the one given is {given}");
    assert!(refused.to_string().contains(&words), "{refused}");

    // In the clear it does, so that the test would notice.
    let scene = Scene::new();
    let house = scene.house();
    house.registrar("canary-school");
    scene.back_up(&house.engine);
    let found = scene.files().iter().any(|path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(6).any(|window| window == b"canary")
    });
    assert!(found);
}

/// A folder holds backups of one store, since pieces that none needs are removed from it.
#[test]
fn one_folder_is_for_one_store() {
    let scene = Scene::new();
    let house = scene.house();
    house.registrar("school");
    scene.back_up(&house.engine);
    drop(house);
    let other = Scene::new();
    let place = other.home.path().join("first");
    let place = goodstanding::store::rocks::Place::within(&place, [8; 16]);
    let engine = goodstanding::store::rocks::RocksEngine::open(&place, other.clock.clone());
    let engine: std::sync::Arc<dyn goodstanding::store::engine::Engine> =
        std::sync::Arc::new(engine.unwrap());
    let before = files_below(scene.folder().path());
    let refused = scene.try_to(&engine, Some(1), &mut Unwatched);
    assert!(matches!(refused, Err(BackupError::OtherStore { .. })));
    assert_eq!(files_below(scene.folder().path()), before);
}

#[test]
fn an_empty_folder_says_that_it_holds_none() {
    let scene = Scene::new();
    let folder = scene.folder();
    assert_eq!(folder.manifests(None).unwrap(), []);
    assert!(matches!(
        folder.manifest(None, None),
        Err(BackupError::None(_))
    ));
    let house = scene.house();
    house.registrar("school");
    scene.back_up(&house.engine);
    let missing = folder.manifest(Some(7), None).unwrap_err().to_string();
    assert!(missing.ends_with("holds no backup 7"), "{missing}");
    let nowhere = Folder::at(scene.home.path().join("nowhere"));
    assert_eq!(nowhere.manifests(None).unwrap(), []);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
