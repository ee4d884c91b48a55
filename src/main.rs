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
        &cli::Surroundings {
            open_local: &app::open_local,
            serve: &app::serve,
            init: &app::init,
            backups: &app::Backups,
            examine: &app::examine,
            move_store: &app::move_store,
            clock: &app::SystemClock,
            env: &cli::variable,
            terminals: cli::Terminals::of_this_process(),
        },
    )
}
