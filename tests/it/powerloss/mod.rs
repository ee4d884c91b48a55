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
mod tally;
mod trial;

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use disk::Folder;
use library::library;
use tally::Tally;
use trial::{Ending, HONEST, Lies, Trial};

/// So many cuts are tried unless another number is asked for.
const CUTS: usize = 60;
/// In so many, chance has come upon everything.
const LONG: usize = 500;
/// After so many cuts a trial goes on with a fresh folder.
const CUTS_OF_A_FOLDER: usize = 20;
/// So many folders are taken at most until one ends as it has to.
const MOST_OF_CONTROL: usize = 60;
/// So many folders go through their cuts at the same time.
const AT_ONCE: usize = 2;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// No acknowledged change is lost, and every server comes up and takes changes.
#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut() {
    let cuts = number("GOODSTANDING_POWERLOSS_CUTS").map_or(CUTS, |cuts| cuts as usize);
    let seed = number("GOODSTANDING_POWERLOSS_SEED").unwrap_or(1);
    let folders = cuts.div_ceil(CUTS_OF_A_FOLDER);
    let Some(series) = Series::run(seed, folders, cuts.min(CUTS_OF_A_FOLDER), HONEST) else {
        return;
    };
    let tally = &series.tally;
    eprintln!("\n{tally}");
    assert!(series.endings.is_empty(), "{series}");
    // Else little would be shown by it.
    let seen: &[&str] = match cuts {
        LONG.. => &["WAL", "SST", "MANIFEST", "anchor"],
        CUTS.. => &["WAL", "SST"],
        _ => &[],
    };
    let missing = seen.iter().filter(|kind| !tally.files.contains_key(**kind));
    assert_eq!(missing.count(), 0, "{tally}");
    assert!(cuts < LONG || tally.tails.len() == 6, "{tally}");
    assert!(cuts < CUTS || tally.undone > 0, "{tally}");
}

/// The control: where the log and the anchor are not synced, which is what an engine with
/// `sync = false` does, acknowledged changes are lost and nobody says so; and it is seen here.
///
/// Chance decides what a cut leaves, and threads in which order things are written: about three folders in
/// ten lose something silently, most others in a way that is noticed. So folders are taken until one does:
/// that none of so many does has a chance below one in 10^9.
#[test]
fn without_syncs_acknowledged_changes_are_lost() {
    let silent = |ending: &Ending| matches!(ending, Ending::Silent(_));
    let Some(series) = Series::until(1, MOST_OF_CONTROL, 10, Lies("logs,anchor"), silent) else {
        return;
    };
    assert!(series.silent() > 0, "{series}");
}

/// The same where nothing at all is synced, on a disk that lies about everything: changes are gone, or
/// the store does not come up any more.
#[test]
fn a_disk_that_lies_about_everything_is_found_out() {
    let Some(series) = Series::run(1, 6, 10, Lies("all")) else {
        return;
    };
    assert!(!series.endings.is_empty(), "{series}");
}

/// What the anchor is for: where the log loses what was acknowledged, the registry says so, takes no
/// changes, and goes on being read.
#[test]
fn a_log_that_lost_its_end_is_noticed() {
    let Some(series) = Series::run(1, 8, 10, Lies("logs")) else {
        return;
    };
    assert_eq!(series.silent(), 0, "{series}");
    let behind = |ending: &&Ending| matches!(ending, Ending::Noticed { why, gone } if why.contains("behind") && !gone.is_empty());
    let behind = series
        .endings
        .iter()
        .map(|(_, ending)| ending)
        .filter(behind);
    assert!(behind.count() > 0, "{series}");
}

/// The store alone holds everything: without its anchor it may say that nobody can tell, and loses
/// nothing.
#[test]
fn an_anchor_that_lost_its_end_loses_nothing() {
    let Some(series) = Series::run(1, 4, 10, Lies("anchor")) else {
        return;
    };
    assert_eq!(series.silent() + series.gone(), 0, "{series}");
}

/// Files whose names were never durable are missing: whatever that does, it is never silent.
#[test]
fn names_that_were_lost_are_noticed() {
    let Some(series) = Series::run(1, 8, 10, Lies("folders")) else {
        return;
    };
    assert_eq!(series.silent(), 0, "{series}");
    assert!(!series.endings.is_empty(), "{series}");
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
            // What is set aside is made by a call that only the kernel hears, and nothing is ever read of it.
            let told = recorded
                .iter()
                .filter(|(name, _)| !name.ends_with("RESERVE"));
            for (name, bytes) in told {
                assert!(*bytes == found[name], "{name}: {} bytes", bytes.len());
            }
        }
    }
}

/// What came of a series of folders with successive seeds.
struct Series {
    tally: Tally,
    /// How the trials ended that did not come to their end, by their seeds.
    endings: Vec<(u64, Ending)>,
    /// Where their folders were kept.
    kept: Vec<PathBuf>,
}

impl Series {
    /// Takes so many folders through so many cuts each. `None` where there is no compiler.
    fn run(seed: u64, folders: usize, cuts: usize, lies: Lies) -> Option<Self> {
        Self::until(seed, folders, cuts, lies, |_| false)
    }

    /// The same, where no other folder is begun once one has ended like this.
    fn until(
        seed: u64,
        folders: usize,
        cuts: usize,
        lies: Lies,
        enough: impl Fn(&Ending) -> bool + Sync,
    ) -> Option<Self> {
        let library = library()?;
        let tally = Mutex::new(Tally::new());
        let endings = Mutex::new((Vec::new(), Vec::new()));
        let next = AtomicU64::new(seed);
        let end = seed + folders as u64;
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= end {
                    return;
                }
                let _seed = Failing(seed);
                let mut trial = Trial::begin(library, seed, lies, &tally);
                let went = (1..cuts).try_for_each(|_| trial.goes_on());
                if let Err(ending) = went.and_then(|()| trial.ends()) {
                    if enough(&ending) {
                        next.store(end, Ordering::Relaxed);
                    }
                    let mut endings = endings.lock().unwrap();
                    tally.lock().unwrap().ended(&ending);
                    if lies == HONEST {
                        eprintln!("\nSEED={seed}: {ending}");
                    }
                    endings.0.push((seed, ending));
                    endings.1.extend((lies == HONEST).then(|| trial.keep()));
                }
                progress(&tally, folders * cuts);
            }
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().expect("a trial tells what is wrong");
            }
        });
        let (endings, kept) = endings.into_inner().unwrap();
        let series = Self {
            tally: tally.into_inner().unwrap(),
            endings,
            kept,
        };
        if lies != HONEST {
            let (silent, gone) = (series.silent(), series.gone());
            eprintln!(
                "not synced: {}; {silent} folders lost something and said nothing, {gone} lost something\n{}",
                lies.0, series.tally
            );
        }
        Some(series)
    }

    fn count(&self, which: impl Fn(&Ending) -> bool) -> usize {
        self.endings
            .iter()
            .filter(|(_, ending)| which(ending))
            .count()
    }

    /// How often something was gone and nobody said so.
    fn silent(&self) -> usize {
        self.count(|ending| matches!(ending, Ending::Silent(_)))
    }

    /// How often something acknowledged was gone, whether it was noticed or not.
    fn gone(&self) -> usize {
        self.count(|ending| match ending {
            Ending::Silent(_) => true,
            Ending::Noticed { gone, .. } => !gone.is_empty(),
            Ending::Refused(_) => false,
        })
    }
}

/// How each failure can be seen again.
impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.tally)?;
        for (seed, ending) in &self.endings {
            let again = format!("make powerloss SEED={seed} CUTS={CUTS_OF_A_FOLDER}");
            writeln!(f, "{again}: {ending}")?;
        }
        for kept in &self.kept {
            writeln!(f, "kept: {}", kept.display())?;
        }
        Ok(())
    }
}

/// Where long runs have come to, on one line.
fn progress(tally: &Mutex<Tally>, cuts: usize) {
    if env::var_os("GOODSTANDING_POWERLOSS_CUTS").is_some() {
        let tally = tally.lock().unwrap();
        eprint!(
            "\r{} of {cuts} power cuts, {} acknowledged changes, lost in {} folders ",
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
