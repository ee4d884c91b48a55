//! Micro benches of Goodstanding. `cargo bench --bench micro` runs all of them; with names after
//! `--`, such as `cargo bench --bench micro -- list allocation`, only those.

#[path = "../harness.rs"]
#[allow(dead_code)] // Shared with benches/peers, which judges ratios.
mod harness;

mod allocation;
mod badge;
mod bulk;
mod list;
mod places;
mod services;

use std::process::ExitCode;

use harness::Report;

type Bench = fn(&mut Report);

/// The names by which benches are asked for.
const BENCHES: [(&str, Bench); 5] = [
    ("badge", badge::run),
    ("list", list::run),
    ("allocation", allocation::run),
    ("services", services::run),
    ("bulk", bulk::run),
];

fn main() -> ExitCode {
    let benches = harness::chosen(&BENCHES);
    let mut report = Report::begin("Micro benches", "cargo bench --bench micro");
    for run in benches {
        run(&mut report);
    }
    report.finish()
}
