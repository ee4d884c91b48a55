//! The `goodstanding` program.

use std::process::ExitCode;

use goodstanding::{app, cli};

/// Answers are made of many small texts by several threads, on which the system's allocator spends a
/// fifth of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(
        std::env::args_os(),
        &app::open_local,
        &app::serve,
        &app::init,
        &app::Backups,
        &app::examine,
        &app::SystemClock,
    )
}
