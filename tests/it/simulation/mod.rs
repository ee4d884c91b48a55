//! Simulation: random runs of a registry whose disk, clock and process fail at every point of a
//! commit, held against a plain model of what was acknowledged.
//!
//! In reading order: `script`, what is done; `run`, `deeds` and `disasters`, how it is done; `requests`,
//! what is asked and answered; `model`, what has to be known after it, and `known`, what beside that;
//! `log`, the log as it reads from outside; `checks`, what has to hold; `machine`, what goes wrong.
//! `short` tries every short script, `hours` a long one, and `planted` whether the checks find anything
//! at all.
//!
//! A seed makes one script: `make simulate SEEDS=100000` tries many, `make simulate SEED=7` tells one
//! of them step by step, `make simulate HOURS=24` a whole day. What was found is in `found`.

mod checks;
mod deeds;
mod disasters;
mod found;
mod hours;
mod known;
mod log;
mod machine;
mod model;
mod planted;
mod requests;
mod run;
mod script;
mod short;
mod tally;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use known::Saved;
use machine::Planted;
use run::Run;
use script::{Deed, Kind, Script, Step};
use tally::{Tally, report};

/// So many seeds are tried unless another number is asked for.
const SEEDS: u64 = 2_000;

/// Something does not hold.
#[derive(Debug, Clone, PartialEq)]
struct Violation(String);

type Checked = Result<(), Violation>;

/// Unless that holds, it is a violation.
macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err($crate::simulation::Violation(format!($($words)+)));
        }
    };
}
use ensure;

#[test]
fn whatever_fails_nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    if let Some(seed) = asked_for("SEED") {
        return tell(&Script::of(seed));
    }
    if asked_for("HOURS").is_some() {
        return;
    }
    let seeds = asked_for("SEEDS").unwrap_or(SEEDS);
    let began = Instant::now();
    let tally = try_all(seeds);
    report(&format!("{seeds} seeds"), &tally, began);
    for kind in Kind::ALL {
        let met = tally.faults.get(&kind).copied().unwrap_or(0);
        assert!(met >= seeds / 20, "{kind:?} was met {met} times");
    }
    for (count, what) in [
        (tally.acknowledged, "acknowledgements"),
        (tally.refused, "refusals"),
        (tally.unanswered, "requests without an answer"),
        (tally.replayed, "answers given again"),
        (tally.kills, "kills"),
        (tally.misfits, "stores that do not fit their anchors"),
        (tally.epochs, "stores accepted as they were"),
    ] {
        assert!(count >= seeds / 20, "{count} {what}");
    }
}

/// A number from the environment of `make simulate`.
fn asked_for(name: &str) -> Option<u64> {
    let name = format!("GOODSTANDING_SIMULATE_{name}");
    env::var(name).ok()?.parse().ok()
}

/// Tries the scripts of the seeds from 1 on, each on one thread.
fn try_all(seeds: u64) -> Tally {
    let (next, total) = (AtomicU64::new(1), Mutex::new(Tally::default()));
    let began = Instant::now();
    let loud = asked_for("SEEDS").is_some();
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads.min(8) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds {
                        break;
                    }
                    let script = Script::of(seed);
                    match outcome(&script, None) {
                        Ok(tally) => total.lock().expect("nobody panics").adds(&tally),
                        Err(violation) => {
                            // The others need not go on.
                            next.store(seeds + 1, Ordering::Relaxed);
                            fail(&script, &violation);
                        }
                    }
                    if loud && seed % 100 == 0 {
                        let seconds = began.elapsed().as_secs();
                        eprint!("\r{seed} of {seeds} seeds, {seconds} s ");
                    }
                }
            });
        }
    });
    total.into_inner().expect("nobody panics")
}

/// What happened in a script, from its beginning to its end.
fn outcome(script: &Script, planted: Option<Planted>) -> Result<Tally, Violation> {
    let run = || {
        let mut run = Run::begin(script, script.furnished.then(furnished), planted)?;
        for step in &script.steps {
            run.takes(*step)?;
        }
        run.ends()?;
        Ok(run.tally)
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Violation(words.unwrap_or_else(|| "a panic".to_owned())))
    })
}

/// The shortest beginning of a script that fails.
fn shortest(script: &Script, planted: Option<Planted>) -> Script {
    let cut = (0..script.steps.len()).map(|steps| script.cut(steps));
    let mut failing = cut.filter(|cut| outcome(cut, planted).is_err());
    failing.next().unwrap_or_else(|| script.clone())
}

/// Leaves out of a failing script what it fails without.
fn leanest(script: &Script, planted: Option<Planted>) -> Script {
    let mut lean = shortest(script, planted);
    let mut place = lean.steps.len();
    while place > 0 {
        place -= 1;
        let mut without = lean.clone();
        without.steps.remove(place);
        if outcome(&without, planted).is_err() {
            lean = without;
        }
    }
    lean
}

fn fail(script: &Script, violation: &Violation) -> ! {
    let lean = leanest(script, None);
    let found = outcome(&lean, None);
    let seed = script.seed;
    let steps: Vec<String> = lean.steps.iter().map(|step| format!("{step:?}")).collect();
    panic!(
        "seed {seed}: {}\nmake simulate SEED={seed}\nthe same with fewer steps ({found:?}):\n{}",
        violation.0,
        steps.join("\n")
    );
}

/// Tells a script step by step.
fn tell(script: &Script) {
    let Script {
        seed,
        publishes_first,
        furnished: on_a_store,
        ..
    } = script;
    eprintln!(
        "seed {seed}: lists are signed before changes are acknowledged: {publishes_first}; \
         the store has something in it: {on_a_store}"
    );
    let base = script.furnished.then(furnished);
    let mut run = Run::begin(script, base, None).expect("it starts");
    for (place, step) in script.steps.iter().enumerate() {
        let Step {
            deed,
            keyed,
            trouble,
        } = step;
        let key = if *keyed { ", under a key" } else { "" };
        let met = trouble.map_or(String::new(), |trouble| format!(", {trouble:?}"));
        let came = run.takes(*step);
        let words = match &came {
            Ok(words) | Err(Violation(words)) => words,
        };
        eprintln!("{place:>4}  {deed:?}{key}{met}: {words}");
        came.expect("everything holds");
    }
    run.ends().expect("everything holds at the end");
    eprintln!("everything holds: {:?}", run.tally);
}

/// A store on which somebody has worked: what most scripts begin on.
fn furnished() -> &'static Saved {
    static FURNISHED: OnceLock<Saved> = OnceLock::new();
    FURNISHED.get_or_init(|| {
        let deeds = [
            Deed::Register,
            Deed::Register,
            Deed::Open {
                whose: 0,
                suspension: false,
            },
            Deed::Open {
                whose: 1,
                suspension: true,
            },
            Deed::Allocate { list: 0, count: 3 },
            Deed::Allocate { list: 1, count: 2 },
            Deed::Name {
                list: 1,
                credential: 0,
            },
            Deed::Endorse {
                whose: 0,
                whom: 1,
                suspendable: true,
            },
            Deed::CatchUp,
        ];
        let steps = deeds.map(|deed| Step {
            deed,
            keyed: false,
            trouble: None,
        });
        let script = Script {
            seed: u64::MAX / 10_000,
            publishes_first: false,
            furnished: false,
            steps: steps.to_vec(),
        };
        let mut run = Run::begin(&script, None, None).expect("it starts");
        for step in script.steps {
            run.takes(step).expect("nothing goes wrong");
        }
        let mut saved = run.saved();
        // Names go on where these ended.
        saved.asked = run.names as usize;
        saved
    })
}
