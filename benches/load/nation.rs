//! A nation's registry, as `benches/nation` makes it: how soon it is ready, what it keeps in memory, and
//! whether reads notice that there are ten thousand lists.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use goodstanding::app::SystemClock;
use goodstanding::time::Clock as _;
use serde_json::json;

use crate::Context;
use crate::made::{LENGTH, LISTS, List, Made, Nation};
use crate::process::Process;
use crate::results::{Goal, Row, megabytes, time};
use crate::service::{ORIGIN, Service, bits, is_set, ones, scratch};
use crate::turns::{Side, compare, cpu_cell, profile};
use crate::wrk::Requests;

const SEED: u64 = 1;
/// Lists of the small case, and how many different ones are asked for in the large one.
const SMALL: u32 = 10;
/// Different look-ups that are asked in turns.
const LOOK_UPS: u32 = 20_000;
/// Starts that are timed.
const STARTS: usize = 3;
/// Goals.
const START: Duration = Duration::from_secs(2);
const MEMORY: u64 = 512_000_000;
const DISK: f64 = 0.5;
const WITHIN: f64 = 0.9;

/// What is asked for in turns.
type Paths = fn(&Made) -> Vec<String>;

pub(crate) fn run(context: &mut Context) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("load-nation");
    let nation = nation(LISTS, true);
    let made = nation.found(&folder).unwrap_or_else(|| {
        // Another one, or one whose lists would have to be signed again.
        if folder.exists() {
            std::fs::remove_dir_all(&folder).expect("the folder is ours");
        }
        nation.settle(&folder)
    });
    let small_folder = scratch();
    let small = self::nation(SMALL, false).settle(small_folder.path());
    disk(context, &made);
    let service = started(context, &folder, &made);
    let small_service = Service::over(&context.tools, small_folder.path(), &small.token);
    check(&service, &made);
    reads(context, &service, &made, &small_service, &small);
    check(&service, &made);
    memory(context, &service.process);
}

fn nation(lists: u32, people: bool) -> Nation {
    Nation {
        seed: SEED,
        then: SystemClock.now(),
        lists,
        people,
    }
}

fn disk(context: &mut Context, made: &Made) {
    let credentials = f64::from(LISTS) * f64::from(LENGTH);
    let each = made.bytes as f64 / credentials;
    context.results.row(Row {
        key: "nation-disk",
        what: format!(
            "nation: disk for {:.2} billion credentials, profiles and endorsements included",
            credentials / 1e9
        ),
        figure: format!("{}, {each:.2} bytes each", megabytes(made.bytes)),
        goal: Goal::of("≤ 0.5 byte per credential", each <= DISK),
    });
}

/// Starts it a few times, until its first list is answered; the last one stays up.
fn started(context: &mut Context, folder: &Path, made: &Made) -> Service {
    let mut took = Vec::new();
    let mut service = None;
    for _ in 0..STARTS {
        drop(service.take());
        let begun = Instant::now();
        let up = Service::over(&context.tools, folder, &made.token);
        let mut client = up.anybody();
        let ready = client.get("/health/ready", &[]).expect("it answers");
        let first = client.get(&path(&made.lists[0]), &[]);
        took.push(begun.elapsed());
        ready.expect(200);
        first.expect("it answers").expect(200);
        service = Some(up);
    }
    let service = service.expect("it was started");
    let slowest = took.iter().max().expect("it was started");
    let each: Vec<String> = took.iter().map(|took| time(*took)).collect();
    context.results.row(Row {
        key: "nation-start",
        what: "nation: start until ready, and the first list is answered".to_owned(),
        figure: format!(
            "{}; resident {}",
            each.join(", "),
            megabytes(service.process.memory().now)
        ),
        goal: Goal::of("≤ 2 s", *slowest <= START),
    });
    service
}

/// Some of the lists show what the plan says, entry by entry, and look-ups say the same.
fn check(service: &Service, made: &Made) {
    let mut client = service.anybody();
    for list in made.lists.iter().step_by(made.lists.len() / 25) {
        let answer = client.get(&path(list), &[]).expect("it answers");
        let bits = bits(&answer.expect(200));
        let revoked: Vec<u32> = (0..LENGTH).filter(|n| list.is_revoked(*n)).collect();
        assert_eq!(ones(&bits), revoked.len());
        assert!(revoked.iter().all(|index| is_set(&bits, u64::from(*index))));
        let body = json!({ "queries": [
            { "list": format!("{ORIGIN}{}", path(list)), "index": revoked[0] },
        ] });
        let told = client.json("/status/query", &body, 200);
        assert_eq!(told["results"][0]["outcome"], "revoked", "{told}");
    }
}

/// All lists in turns beside ten of the same kind in a registry of their own.
fn reads(context: &mut Context, large: &Service, made: &Made, small: &Service, few: &Made) {
    let kinds: [(&str, &str, Paths); 2] = [
        ("nation-lists", "GET of lists", all_lists),
        ("nation-status", "GET /status", look_ups),
    ];
    for (key, what, paths) in kinds {
        let ours = side("nation", large, paths(made));
        let theirs = side("ten lists", small, paths(few));
        let words = format!("nation: {what}, all over it, beside a registry of ten lists");
        let turns = compare(context, &words, &ours, &theirs);
        let throughput = turns.throughput();
        context.results.row(Row {
            key,
            what: words,
            figure: format!(
                "{} its throughput, {} its CPU ({})",
                throughput.hundredths(),
                turns.cpu().hundredths(),
                cpu_cell(&turns.ours)
            ),
            goal: Goal::of("within 10 %", throughput.median() >= WITHIN),
        });
        profile(context, key, &ours);
    }
}

fn side<'a>(name: &'static str, service: &'a Service, paths: Vec<String>) -> Side<'a> {
    Side {
        name,
        process: &service.process,
        requests: Requests::get_each(paths),
        wire: 0,
    }
}

fn memory(context: &mut Context, process: &Process) {
    // What is let go is given back by and by.
    thread::sleep(Duration::from_millis(500));
    let memory = process.memory();
    context.results.row(Row {
        key: "nation-memory",
        what: "nation: resident under read load".to_owned(),
        figure: format!(
            "at most {}, {} afterwards",
            megabytes(memory.most),
            megabytes(memory.now)
        ),
        goal: Goal::of("≤ 512 MB", memory.most <= MEMORY),
    });
}

fn path(list: &List) -> String {
    format!("/status-lists/{}", list.id)
}

/// Every list once, in no order of theirs.
fn all_lists(made: &Made) -> Vec<String> {
    let count = made.lists.len();
    let step = 6_007;
    (0..count)
        .map(|n| path(&made.lists[n * step % count]))
        .collect()
}

/// Entries all over the lists.
fn look_ups(made: &Made) -> Vec<String> {
    let one = |number: u32| {
        let list = &made.lists[(number as usize * 6_007) % made.lists.len()];
        let index = number.wrapping_mul(40_503) % LENGTH;
        format!("/status?list={ORIGIN}{}&index={index}", path(list))
    };
    (0..LOOK_UPS).map(one).collect()
}
