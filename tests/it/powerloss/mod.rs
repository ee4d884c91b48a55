//! Power cuts on the real program and the real engine: what it acknowledged is there afterwards.
//!
//! A server runs under a preload library that records what it asks of the disk (`library`,
//! `journal`). Clients change things and keep what was acknowledged (`clients`, `facts`); at a
//! random moment the server is killed, and its folder becomes what a power cut would have left:
//! what was durable, and a random part of the rest (`disk`, `cut`). Then it starts again, and
//! everything that was acknowledged has to be there (`checks`). One folder goes through many cuts,
//! also while it starts (`trial`).
//!
//! `make powerloss CUTS=2000` tries many; `make powerloss CUTS=20 SEED=7` the folder that failed,
//! as far as the order of threads allows.

mod caller;
mod checks;
mod clients;
mod cut;
mod disk;
mod facts;
mod journal;
mod library;
mod signed;
mod tally;
mod trial;

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use disk::Folder;
use library::library;
use tally::Tally;
use trial::{Ending, HONEST, Lies, Trial};

/// So many cuts are tried unless another number is asked for.
const CUTS: usize = 60;
/// After so many cuts a trial goes on with a fresh folder.
const CUTS_OF_A_FOLDER: usize = 20;
/// So many folders go through their cuts at the same time.
const AT_ONCE: usize = 2;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// No acknowledged change is lost, and no server comes up that does not take changes.
#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut() {
    let cuts = number("GOODSTANDING_POWERLOSS_CUTS").map_or(CUTS, |cuts| cuts as usize);
    let seed = number("GOODSTANDING_POWERLOSS_SEED").unwrap_or(1);
    let Some((tally, endings)) = try_cuts(cuts, seed, HONEST) else {
        return;
    };
    eprintln!("{tally}");
    assert!(endings.is_empty(), "{}", endings.join("\n"));
    // Else little would be shown by it.
    for kind in ["WAL", "SST", "MANIFEST"] {
        assert!(cuts < CUTS || tally.files.contains_key(kind), "{kind}");
    }
    assert!(cuts < CUTS || tally.tails.len() == 6, "{:?}", tally.tails);
    assert!(tally.undone > 0 && tally.names > tally.undone);
}

/// The control: where syncs do nothing, as with an engine that is told not to sync, acknowledged
/// changes are lost, and it is seen here.
#[test]
fn without_syncs_acknowledged_changes_are_lost() {
    let Some((tally, endings)) = try_cuts(6, 1, Lies("all")) else {
        return;
    };
    assert!(tally.lost > 0, "{tally}\n{endings:?}");
}

/// What the library records is all that the program does to its files: played from its journal, the
/// folder is the one that is there, byte for byte.
#[test]
fn the_record_is_whole() {
    let Some(library) = library() else {
        return;
    };
    let tally = Mutex::new(Tally::new());
    for seed in 1..=3 {
        let mut trial = Trial::begin(library, seed, HONEST, &tally);
        let _seed = Failing(seed);
        for _ in 0..3 {
            let (recorded, found) = trial.is_recorded();
            let names = |folder: &Folder| folder.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&recorded), names(&found));
            for (name, bytes) in &recorded {
                assert!(*bytes == found[name], "{name}: {} bytes", bytes.len());
            }
        }
    }
}

/// Folders with successive seeds, until so many cuts were made. What is told of each failure is how
/// to see it again. `None` where there is no compiler.
fn try_cuts(cuts: usize, seed: u64, lies: Lies) -> Option<(Tally, Vec<String>)> {
    let library = library()?;
    let tally = Mutex::new(Tally::new());
    let failures = Mutex::new(Vec::new());
    let (seeds, begun) = (AtomicU64::new(seed), AtomicUsize::new(0));
    let work = || {
        while begun.fetch_add(CUTS_OF_A_FOLDER, Ordering::Relaxed) < cuts {
            let seed = seeds.fetch_add(1, Ordering::Relaxed);
            let mut trial = Trial::begin(library, seed, lies, &tally);
            let _seed = Failing(seed);
            let of_it = cuts.min(CUTS_OF_A_FOLDER);
            let went = (1..of_it).try_for_each(|_| trial.goes_on());
            match went.and_then(|()| trial.ends()) {
                Ok(()) => {}
                Err(ending) => failures.lock().unwrap().push(told(trial, &ending, &tally)),
            }
            progress(&tally, cuts);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().expect("a trial tells what is wrong");
        }
    });
    Some((tally.into_inner().unwrap(), failures.into_inner().unwrap()))
}

fn told(trial: Trial<'_>, ending: &Ending, tally: &Mutex<Tally>) -> String {
    let seed = trial.seed;
    let what = match ending {
        Ending::Lost(wrong) => wrong.join("\n  "),
        Ending::Noticed(why) => {
            let mut tally = tally.lock().unwrap();
            *tally.noticed.entry(why.clone()).or_default() += 1;
            why.clone()
        }
    };
    let kept = trial.keep();
    format!(
        "SEED={seed}: {what}\n  the folder is kept as {}; make powerloss SEED={seed} CUTS={CUTS_OF_A_FOLDER}",
        kept.display()
    )
}

/// Where long runs have come to, on one line.
fn progress(tally: &Mutex<Tally>, cuts: usize) {
    if env::var_os("GOODSTANDING_POWERLOSS_CUTS").is_some() {
        let tally = tally.lock().unwrap();
        eprint!(
            "\r{} of {cuts} power cuts, {} acknowledged changes, {} lost ",
            tally.cuts, tally.acknowledged, tally.lost
        );
    }
}

/// Says which folder it was where something panics.
struct Failing(u64);

impl Drop for Failing {
    fn drop(&mut self) {
        if thread::panicking() {
            let seed = self.0;
            eprintln!("make powerloss SEED={seed} CUTS={CUTS_OF_A_FOLDER} makes it again");
        }
    }
}
