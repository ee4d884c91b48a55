//! Damage of a backup: each file flipped, cut short, missing, or put in the place of another. All of it is
//! noticed before anything is made of it, and told by the name of the piece.

use std::fs;
use std::path::Path;

use goodstanding::backup::BackupError;

use super::scene::Scene;

/// What is done to a file.
type Damage = (&'static str, fn(&Path));

const DAMAGES: [Damage; 6] = [
    ("first byte flipped", |path| flip(path, |_| 0)),
    ("byte in the middle flipped", |path| {
        flip(path, |length| length / 2)
    }),
    ("last byte flipped", |path| flip(path, |length| length - 1)),
    ("cut in half", |path| cut(path, |length| length / 2)),
    ("emptied", |path| cut(path, |_| 0)),
    ("missing", |path| fs::remove_file(path).unwrap()),
];

fn flip(path: &Path, at: fn(usize) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, to: fn(usize) -> usize) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..to(bytes.len())]).unwrap();
}

#[test]
fn a_damaged_file_of_a_backup_is_named_and_nothing_is_made_of_it() {
    for scene in [Scene::new(), Scene::sealed()] {
        let house = scene.house();
        let school = house.registrar("school");
        let list = school.opens_list("revocation");
        school.allocates(&list, 10);
        let made = scene.back_up(&house.engine);
        let files = scene.files();
        assert!(files.len() > 4, "{files:?}");
        let mut told = Vec::new();
        for path in &files {
            let whole = fs::read(path).unwrap();
            if whole.is_empty() {
                continue;
            }
            for (what, damage) in DAMAGES {
                damage(path);
                let name = path.file_name().unwrap().to_str().unwrap();
                let place = scene.home.path().join("new");
                let number = made.manifest.number;
                let manifest = scene.folder().manifest(Some(number), scene.key.as_ref());
                let refused = manifest
                    .and_then(|manifest| scene.put_together(&manifest, &place))
                    .expect_err(&format!("{what}: {name}"));
                let is_manifest = name.ends_with(".json");
                // A manifest that is not there is no backup.
                if is_manifest && what == "missing" {
                    assert!(matches!(refused, BackupError::None(_)));
                } else {
                    let words = refused.to_string();
                    assert!(words.contains(name), "{what}: {name}: {words}");
                    told.push(words);
                }
                assert!(!place.exists(), "{what}: {name}: something was made of it");
                fs::write(path, &whole).unwrap();
            }
        }
        assert!(told.len() > 20);
        let manifest = &made.manifest;
        scene
            .put_together(manifest, &scene.home.path().join("new"))
            .unwrap();
    }
}

/// A piece in the place of another, whole as it is.
#[test]
fn a_piece_in_the_place_of_another_is_noticed() {
    for scene in [Scene::new(), Scene::sealed()] {
        let house = scene.house();
        house.registrar("school");
        let made = scene.back_up(&house.engine);
        let pieces: Vec<_> = scene.files();
        let pieces = pieces
            .iter()
            .filter(|path| path.extension().is_none_or(|e| e != "json"));
        let pieces: Vec<_> = pieces.collect();
        let [one, other, ..] = pieces[..] else {
            panic!("there are pieces");
        };
        fs::copy(one, other).unwrap();
        let place = scene.home.path().join("new");
        let refused = scene.put_together(&made.manifest, &place).unwrap_err();
        assert!(matches!(refused, BackupError::Piece { .. }), "{refused}");
    }
}

/// A manifest of an older backup under the name of a newer one.
#[test]
fn a_manifest_under_another_name_is_noticed() {
    let scene = Scene::new();
    let house = scene.house();
    house.registrar("school");
    let first = scene.back_up(&house.engine).manifest;
    let second = scene.back_up(&house.engine).manifest;
    let backups = scene.folder().path().join("backups");
    let [first, second] = [first, second].map(|made| backups.join(made.file_name()));
    fs::copy(&first, &second).unwrap();
    let refused = scene.folder().manifest(None, None).unwrap_err();
    let words = refused.to_string();
    assert!(words.contains("its check does not fit"), "{words}");
}
