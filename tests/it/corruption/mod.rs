//! Whatever happens to a file of the store or of its anchor, what was acknowledged is there, or the
//! service says that it is not: each kind of file, damaged in each way, and what was said.
//!
//! A part of the cases is tried with all other tests, the same ones each time; all of them with
//! `GOODSTANDING_CORRUPTION=all`, which also writes the table into the file that
//! `GOODSTANDING_CORRUPTION_TABLE` names.

mod cases;
mod history;
mod tried;

use std::env;
use std::fmt::Write as _;

use cases::{Damage, Kind, Mixture};
use history::History;
use tried::Tried;

#[test]
fn nothing_is_lost_in_silence() {
    let history = History::make();
    let all = env::var("GOODSTANDING_CORRUPTION").is_ok_and(|which| which == "all");
    let mut told = Vec::new();
    for kind in Kind::ALL {
        for (number, damage) in Damage::of(kind).into_iter().enumerate() {
            if !all && (number + kind as usize) % 4 != 0 {
                continue;
            }
            let came = Tried::of(&history, |data| damage.does(&history, kind, data));
            if let Some(came) = came {
                told.push((kind.name(), damage.sort(), damage.name(), came));
            }
        }
    }
    for mixture in Mixture::ALL {
        let came = Tried::of(&history, |data| {
            mixture.does(&history, data);
            Some(())
        });
        told.push(("several files", "mixed", mixture.name(), came.unwrap()));
    }
    let table = table(&told);
    println!("{table}");
    if let Ok(file) = env::var("GOODSTANDING_CORRUPTION_TABLE") {
        std::fs::write(file, &table).unwrap();
    }
}

type Told = (&'static str, &'static str, String, Tried);

fn table(told: &[Told]) -> String {
    let mut table =
        "| file | what was done | what came of it | what was said |\n|---|---|---|---|\n"
            .to_owned();
    for (kind, _, damage, tried) in told {
        let (came, said) = (tried.came.name(), tried.said.replace('|', "\\|"));
        writeln!(table, "| {kind} | {damage} | {came} | {said} |").unwrap();
    }
    table
}
