//! Every short script, with every fault at every commit of it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use goodstanding::registry::{AccreditorAction, EndorsementAction};

use super::script::{Deed, Kind, Script, Step, Trouble};
use super::tally::{Tally, report};
use super::{asked_for, fail, outcome};

/// What scripts are made of: each way of writing is among it.
const ALPHABET: [Deed; 9] = [
    Deed::Set {
        entry: 0,
        status: true,
    },
    Deed::Set {
        entry: 3,
        status: true,
    },
    Deed::Allocate { list: 0, count: 2 },
    Deed::Issue {
        whose: 0,
        credential: 0,
    },
    Deed::Endorse {
        whose: 1,
        whom: 0,
        suspendable: false,
    },
    Deed::Decide {
        endorsement: 0,
        action: EndorsementAction::Suspend,
    },
    Deed::Accreditor {
        whose: 0,
        action: AccreditorAction::Suspend,
    },
    Deed::CatchUp,
    Deed::Retry { which: 0 },
];

/// Scripts have so many steps at most, unless another number is asked for: then lists are
/// signed in either order, and processes also die of what they could live with.
const LENGTH: usize = 2;

#[test]
fn no_short_script_fails_whatever_any_of_its_commits_meets() {
    if asked_for("SEED").is_some() || asked_for("HOURS").is_some() {
        return;
    }
    let asked = asked_for("LENGTH").map(|length| length as usize);
    let mut scripts = scripts(asked.unwrap_or(LENGTH));
    if asked.is_none() {
        // Signing first has all the commits of the other order, and more.
        scripts.retain(|script| script.publishes_first || script.steps.len() < LENGTH);
    }
    let (next, total) = (AtomicUsize::new(0), Mutex::new((0, Tally::default())));
    let began = Instant::now();
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads.min(8) {
            scope.spawn(|| {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (count, tally) = with_every_fault(script, asked.is_some());
                    let mut total = total.lock().expect("nobody panics");
                    total.0 += count;
                    total.1.adds(&tally);
                }
            });
        }
    });
    let (count, tally) = total.into_inner().expect("nobody panics");
    report(&format!("{count} short scripts"), &tally, began);
    assert!(count > scripts.len() * Kind::ALL.len());
}

/// All scripts of up to so many steps.
fn scripts(length: usize) -> Vec<Script> {
    let mut longest: Vec<Vec<Deed>> = vec![Vec::new()];
    let mut all = Vec::new();
    for _ in 0..length {
        let longer = longest.iter().flat_map(|deeds| {
            let append = |deed: &Deed| [deeds.as_slice(), &[*deed]].concat();
            ALPHABET.iter().map(append).collect::<Vec<_>>()
        });
        longest = longer.collect();
        all.extend(longest.iter().cloned());
    }
    let script = |(place, deeds): (usize, Vec<Deed>)| {
        let step = |deed: Deed| Step {
            deed,
            keyed: true,
            trouble: None,
        };
        [false, true].map(|publishes_first| Script {
            seed: place as u64,
            publishes_first,
            furnished: true,
            steps: deeds.iter().copied().map(step).collect(),
        })
    };
    all.into_iter().enumerate().flat_map(script).collect()
}

/// How many scripts it makes, and what happened in them.
fn with_every_fault(script: &Script, all: bool) -> (usize, Tally) {
    let (mut count, mut total) = (0, Tally::default());
    let mut holds = |script: &Script| match outcome(script, None) {
        Ok(tally) => {
            count += 1;
            total.adds(&tally);
            tally
        }
        Err(violation) => fail(script, &violation),
    };
    holds(script);
    for place in 0..script.steps.len() {
        for after in 0.. {
            let meeting = |kind, dies| {
                let mut script = script.clone();
                script.steps[place].trouble = Some(Trouble { after, kind, dies });
                script
            };
            if holds(&meeting(Kind::Nothing, true)).faults.is_empty() {
                // The step has no such commit.
                break;
            }
            for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Nothing) {
                holds(&meeting(kind, false));
                if all || leaves_the_disk_behind(kind) {
                    holds(&meeting(kind, true));
                }
            }
        }
    }
    (count, total)
}

/// Whether a process that dies of it leaves something else on the disk than it knew of.
const fn leaves_the_disk_behind(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Lost | Kind::Persisted | Kind::Torn | Kind::Anchored
    )
}
