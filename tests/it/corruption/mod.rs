//! Whatever happens to a file of the store or of its anchor, what was acknowledged is there, or the
//! service says that it is not: each kind of file, damaged in each way, and what was said.
//!
//! A part of the cases is tried with all other tests, the same ones each time; all of them with
//! `GOODSTANDING_CORRUPTION=all`, which also writes the table into the file that
//! `GOODSTANDING_CORRUPTION_TABLE` names.

mod cases;
mod history;
mod tried;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::{env, fs};

use cases::{Damage, Kind, Mixture};
use history::History;
use tried::{Came, Tried};

#[test]
fn nothing_is_lost_in_silence() {
    let history = History::make();
    let all = env::var("GOODSTANDING_CORRUPTION").is_ok_and(|which| which == "all");
    let mut told = Vec::new();
    let mut sample = BTreeMap::<_, BTreeSet<_>>::new();
    for kind in Kind::ALL {
        for (number, damage) in Damage::of(kind).into_iter().enumerate() {
            let in_sample = (number + kind as usize).is_multiple_of(4);
            if !all && !in_sample {
                continue;
            }
            let tried = Tried::of(&history, |data| damage.does(&history, kind, data));
            let Some(tried) = tried else { continue };
            if in_sample {
                let words = sample.entry((kind, damage.sort())).or_default();
                words.insert(tried.in_a_word(kind));
            }
            told.push((kind.name(), damage.name(), tried));
        }
    }
    println!("{}", table(&told));
    keep(&told);
    let silent: Vec<_> = told
        .iter()
        .filter(|case| case.2.came == Came::Silent)
        .collect();
    assert!(silent.is_empty(), "{}", table(&told));
    let sample = sample.iter().map(|((kind, sort), words)| {
        let words: Vec<_> = words.iter().copied().collect();
        format!("{} {sort}: {}", kind.name(), words.join(", "))
    });
    insta::assert_snapshot!(sample.collect::<Vec<_>>().join("\n"), @r"
    log file, oldest flipped: noticed
    log file, oldest replaced: noticed
    log file, oldest truncated: noticed
    log file, oldest zeroed: noticed
    log file, middle flipped: noticed
    log file, middle older: noticed
    log file, middle truncated: noticed
    log file, middle zeroed: noticed
    log file, newest flipped: noticed
    log file, newest older: noticed
    log file, newest truncated: noticed
    log file, newest zeroed: noticed
    sorted file, oldest flipped: whole or noticed
    sorted file, oldest missing: whole or noticed
    sorted file, oldest truncated: whole or noticed
    sorted file, newest flipped: whole or noticed
    sorted file, newest replaced: whole or noticed
    sorted file, newest truncated: whole or noticed
    sorted file, newest zeroed: whole or noticed
    MANIFEST flipped: whole or noticed
    MANIFEST older: whole or noticed
    MANIFEST truncated: whole or noticed
    MANIFEST zeroed: whole or noticed
    CURRENT flipped: noticed
    CURRENT older: noticed
    CURRENT truncated: noticed
    CURRENT zeroed: noticed
    OPTIONS flipped: harmless
    OPTIONS missing: harmless
    OPTIONS replaced: harmless
    OPTIONS truncated: harmless
    IDENTITY flipped: harmless
    IDENTITY truncated: harmless
    IDENTITY zeroed: harmless
    LOG flipped: harmless
    LOG older: harmless
    LOG truncated: harmless
    LOG zeroed: harmless
    anchor, newer slot flipped: harmless
    anchor, newer slot older: harmless
    anchor, newer slot replaced: harmless
    anchor, older slot flipped: harmless
    anchor, whole file flipped: harmless
    anchor, whole file older: harmless
    anchor, whole file truncated: harmless, noticed
    ");
}

/// Files of several moments, put together.
#[test]
fn no_mixture_is_taken_for_a_whole_store() {
    let history = History::make();
    let mut told = Vec::new();
    for mixture in Mixture::ALL {
        let tried = Tried::of(&history, |data| {
            mixture.does(&history, data);
            Some(())
        });
        told.push(("several files", mixture.name(), tried.unwrap()));
    }
    println!("{}", table(&told));
    keep(&told);
    let words = told
        .iter()
        .map(|(_, damage, tried)| format!("{damage}: {}", tried.came.name()));
    insta::assert_snapshot!(words.collect::<Vec<_>>().join("\n"), @r"
    the store as it was shortly before: read-only: behind-anchor
    the store as it was one start earlier: read-only: behind-anchor
    the store as it was earlier: read-only: behind-anchor
    MANIFEST and CURRENT as they were shortly before: harmless
    MANIFEST and CURRENT as they were one start earlier: read-only: log-damaged
    MANIFEST and CURRENT as they were earlier: read-only: log-damaged
    the store as it was shortly before, with newer log files: harmless
    the store as it was one start earlier, with newer log files: read-only: log-damaged
    the store as it was earlier, with newer log files: read-only: log-damaged
    all log files missing: read-only: behind-anchor
    two sorted files swapped: refused
    two log files swapped: read-only: behind-anchor
    no store beside the anchor: refused
    store and anchor as they were one start earlier: SILENT
    ");
}

/// Adds to the table that is asked for.
fn keep(told: &[Told]) {
    if let Ok(file) = env::var("GOODSTANDING_CORRUPTION_TABLE") {
        let file = fs::OpenOptions::new().append(true).create(true).open(file);
        file.unwrap().write_all(table(told).as_bytes()).unwrap();
    }
}

type Told = (&'static str, String, Tried);

fn table(told: &[Told]) -> String {
    let mut table =
        "| file | what was done | what came of it | what was said |\n|---|---|---|---|\n"
            .to_owned();
    for (kind, damage, tried) in told {
        let (came, said) = (tried.came.name(), tried.said.replace('|', "\\|"));
        writeln!(table, "| {kind} | {damage} | {came} | {said} |").unwrap();
    }
    table
}
