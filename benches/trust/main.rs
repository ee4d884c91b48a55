//! Endorsements as a trust service, in a registry of 100,000 profiles, 1,000 accreditors and
//! 1,000,000 endorsements on RocksDB. `cargo bench --bench trust`; it fills some 2 GB below
//! cargo's target folder, and removes them.

#[path = "../nation/mod.rs"]
#[allow(dead_code, unused_imports)] // Shared with the other benches.
mod nation;

#[path = "../harness.rs"]
#[allow(dead_code)] // Shared with the other benches.
mod harness;

mod asking;
mod country;
mod deciding;
mod standing;

use std::process::ExitCode;
use std::time::Instant;

use country::Country;
use harness::Report;

type Bench = fn(&mut Report, &Country);

/// The names by which benches are asked for.
const BENCHES: [(&str, Bench); 3] = [
    ("asking", asking::run),
    ("standing", standing::run),
    ("deciding", deciding::run),
];

/// The service's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let benches = harness::chosen(&BENCHES);
    let mut report = Report::begin("Trust", "cargo bench --bench trust");
    let started = Instant::now();
    let country = Country::settle();
    println!(
        "- the store was filled in {:.0} s, and takes {:.2} GB",
        started.elapsed().as_secs_f64(),
        country.bytes as f64 / 1e9
    );
    for run in benches {
        run(&mut report, &country);
    }
    report.finish()
}
