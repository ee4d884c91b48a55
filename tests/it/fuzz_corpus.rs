//! What the fuzzers found worth keeping (`tests/fuzz`), run again through the same bodies. Here
//! the inputs are read by an ordinary build, in which each has to hold as it did there.

#[path = "../fuzz/src/targets/mod.rs"]
#[expect(unreachable_pub, reason = "in its own package it is reached")]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use targets::{Reached, TARGETS};

/// How much a target may keep in the repository.
const MOST_FILES: usize = 200;
const MOST_BYTES: usize = 300 * 1024;

/// One test for each target, so that they run side by side.
macro_rules! replays {
    ($($target:ident),+ $(,)?) => {
        const REPLAYED: &[&str] = &[$(stringify!($target)),+];
        $(
            #[test]
            fn $target() {
                replay(stringify!($target));
            }
        )+
    };
}

replays!(
    bodies,
    controller,
    credential,
    did_web,
    json,
    json_ld,
    jwt,
    keys,
    list_decoding,
    multibase,
    past_pages,
    png,
    scope,
    status,
    svg,
    timestamps,
    token_list,
    verify,
);

/// Runs all inputs of a target. Some have to be taken, so that what comes behind the first checks
/// is run at all, and some refused.
fn replay(name: &str) {
    let (_, body) = TARGETS
        .into_iter()
        .find(|(target, _)| *target == name)
        .expect("the target is in TARGETS");
    let seeds = inputs(&folder("seeds").join(name));
    let corpus = inputs(&folder("corpus").join(name));
    assert!(!seeds.is_empty(), "{name} has no seeds");
    assert!(!corpus.is_empty(), "{name} has no corpus");
    assert!(corpus.len() <= MOST_FILES, "{name}: {} files", corpus.len());
    let bytes: usize = corpus.iter().map(|(_, input)| input.len()).sum();
    assert!(bytes <= MOST_BYTES, "{name}: {bytes} bytes");

    let mut refused = 0;
    let mut broken = Vec::new();
    let all = seeds.len() + corpus.len();
    for (file, input) in seeds.into_iter().chain(corpus) {
        match panic::catch_unwind(|| body(&input)) {
            Ok(Reached::Refused) => refused += 1,
            Ok(Reached::Read) => {}
            Err(_) => broken.push(file),
        }
    }
    assert!(broken.is_empty(), "{name} does not hold for {broken:?}");
    assert!(0 < refused && refused < all, "{refused} of {all} refused");
}

#[test]
fn every_target_is_built_and_replayed() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let replayed = REPLAYED.iter().map(|name| (*name).to_owned());
    assert_eq!(names, replayed.collect());
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for name in &names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    for place in ["fuzz_targets", "seeds", "corpus"] {
        let stand = fs::read_dir(folder(place)).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            path.file_stem().unwrap().to_str().unwrap().to_owned()
        });
        assert_eq!(names, stand.collect(), "{place}");
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz")
        .join(name)
}

fn inputs(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| (file.clone(), fs::read(&file).unwrap()))
        .collect()
}
