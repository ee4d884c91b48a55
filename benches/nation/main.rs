//! Makes a nation's registry in a data folder, to try things on: `make nation DIR=…`.

#[path = "mod.rs"]
#[allow(dead_code, unused_imports)] // Shared with the other benches.
mod nation;

use std::path::PathBuf;

use clap::Parser;
use goodstanding::app::SystemClock;
use goodstanding::time::Clock as _;

use nation::{LENGTH, LISTS, Nation};

/// The service's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Makes a nation's registry in a data folder: 100,000 profiles, 1,000,000 endorsements, and status
/// lists of 131,072 entries each, all given out and 2 % of them revoked.
#[derive(Parser)]
struct Arguments {
    /// The data folder; it has to be empty, or not to be there
    folder: PathBuf,
    /// What everything is a function of
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many status lists
    #[arg(long, default_value_t = LISTS)]
    lists: u32,
    /// Only those who own the lists, and no endorsements
    #[arg(long)]
    few: bool,
    /// cargo hands this to benches
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let folder = &arguments.folder;
    if folder
        .read_dir()
        .is_ok_and(|mut files| files.next().is_some())
    {
        eprintln!("{} is not empty; name another folder", folder.display());
        std::process::exit(1);
    }
    let nation = Nation {
        seed: arguments.seed,
        then: SystemClock.now(),
        lists: arguments.lists,
        people: !arguments.few,
    };
    let made = nation.settle(folder);
    let entries = f64::from(nation.lists) * f64::from(LENGTH);
    println!(
        "{} holds {:.2} GB, {:.3} bytes for each of {entries:.0} credentials",
        folder.display(),
        made.bytes as f64 / 1e9,
        made.bytes as f64 / entries,
    );
    println!("goodstanding serve --data {}", folder.display());
    println!("token of its operator: {}", made.token);
}
