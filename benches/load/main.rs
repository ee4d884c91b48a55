//! The service as a whole, in a process of its own, beside what nobody can be faster than: nginx with the
//! same bytes, a bare hyper answer, RocksDB's own synced group commit, the disk's own sync.
//!
//! `cargo bench --bench load -- PART…`; without parts all of them, and then the section of
//! `benches/RESULTS.md` is written. Options: `--rounds=5`, `--seconds=2`, `--no-profiles`,
//! `--program=PATH` (another version's program), `--write` (also where parts were chosen).

#[path = "../harness.rs"]
#[allow(dead_code)] // Shared with the other benches.
mod harness;
#[path = "../nation/mod.rs"]
#[allow(dead_code, unused_imports)] // Shared with the program that only makes one.
mod made;

mod bare;
mod client;
mod lookups;
mod nation;
mod nginx;
mod process;
mod reads;
mod results;
mod rocks;
mod service;
mod slow;
mod steady;
mod tools;
mod turns;
mod upload;
mod visible;
mod writes;
mod wrk;

use std::process::ExitCode;

use results::Results;
use tools::Tools;

type Part = fn(&mut Context);

/// The names by which parts are asked for.
const PARTS: [(&str, Part); 8] = [
    ("reads", reads::run),
    ("statuses", lookups::statuses),
    ("standing", lookups::standing),
    ("writes", writes::run),
    ("visible", visible::run),
    ("upload", upload::run),
    ("slow", slow::run),
    ("nation", nation::run),
];

/// The service's own, for the bare server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What every part needs.
pub(crate) struct Context {
    pub(crate) tools: Tools,
    pub(crate) results: Results,
    /// Rounds of a comparison.
    pub(crate) rounds: usize,
    /// How long each side of a round takes.
    pub(crate) seconds: u64,
    /// Whether perf looks at the reads.
    pub(crate) profiles: bool,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(bare::ARGUMENT) {
        return bare::serve(arguments.collect());
    }
    let parts = harness::chosen(&PARTS);
    raise_limits();
    let tools = Tools::found();
    let mut context = Context {
        results: Results::begin(&tools, "cargo bench --locked --bench load"),
        tools,
        rounds: number("--rounds=").unwrap_or(5),
        seconds: number("--seconds=").unwrap_or(2) as u64,
        profiles: !given("--no-profiles"),
    };
    for part in &parts {
        part(&mut context);
    }
    let whole = parts.len() == PARTS.len();
    context.results.finish(whole || given("--write"))
}

fn number(option: &str) -> Option<usize> {
    let mut arguments = std::env::args();
    arguments.find_map(|one| one.strip_prefix(option)?.parse().ok())
}

fn given(option: &str) -> bool {
    std::env::args().any(|one| one == option)
}

/// As many open files as may be had, for the servers as well: ten thousand connections take two each.
fn raise_limits() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        eprintln!("the limit of open files stays as it is: {error}");
    }
}
