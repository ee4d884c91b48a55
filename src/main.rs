//! The `goodstanding` program.

use std::process::ExitCode;

use goodstanding::{app, cli};

fn main() -> ExitCode {
    cli::run(
        std::env::args_os(),
        &app::open_local,
        &app::serve,
        &app::init,
        &app::SystemClock,
    )
}
