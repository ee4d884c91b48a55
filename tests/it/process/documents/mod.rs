//! The documents: their commands are carried out, in order, and what they print is held against what is
//! shown; their links lead somewhere; their tables say what the sources say.
//!
//! A block of commands is one of two kinds. One that begins with `$ ` is run: each command stands behind
//! `$ `, and what follows it is what it prints. A line that ends in `…` stands for any that begins like
//! it, a line of `…` alone for all that is left, and JSON that `curl` gets may be laid out otherwise.
//! Any other block is not run, and `<!-- not run: … -->` before it says why. Fences that name a language
//! hold files. With `DOCUMENTS_UPDATE=1` in the environment, documents are written anew.
//!
//! Each document has a registry of its own, with a clock and randomness that the story holds, so that
//! ids, keys and times are the same each time. `<!-- begins after: FILE -->` has the commands of that
//! document carried out before. README.md's go to the real program in development mode (`newcomer.rs`).

mod blocks;
mod carried;
mod links;
mod newcomer;
mod tables;

#[cfg(feature = "rocksdb")]
pub(super) use tables::subcommands;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::thread;

use goodstanding::config::{Config, Overrides};
use tempfile::TempDir;

use crate::support::house::{House, Plan};
use blocks::{Shown, begins_after, blocks, commands, documents, read};
use carried::{carry_out, fits, fixtures, note_ids, renamed};

/// Seconds between two commands.
const PAUSE: u64 = 20;

#[test]
fn the_documents_show_what_is_printed() {
    let texts: BTreeMap<String, String> = documents()
        .into_iter()
        .filter(|path| path != "README.md")
        .map(|path| (path.clone(), read(&path)))
        .collect();
    let told = |path: &String| (!commands(&texts[path]).is_empty()).then(|| tell(path, &texts));
    // Two at a time: each waits for processes of its own most of the time.
    let (ones, others): (Vec<_>, Vec<_>) =
        texts.keys().enumerate().partition(|(at, _)| at % 2 == 0);
    let all = |paths: Vec<(usize, &String)>| {
        paths
            .into_iter()
            .filter_map(|(_, path)| told(path))
            .collect()
    };
    let told: Vec<(usize, String)> = thread::scope(|scope| {
        let half: thread::ScopedJoinHandle<'_, Vec<_>> = scope.spawn(|| all(ones));
        let mut told: Vec<_> = all(others);
        told.extend(half.join().expect("no story panics"));
        told
    });
    let run: usize = told.iter().map(|(run, _)| run).sum();
    let wrong: String = told.into_iter().map(|(_, wrong)| wrong).collect();
    assert!(
        wrong.is_empty(),
        "{wrong}DOCUMENTS_UPDATE=1 writes what is printed"
    );
    assert!(run > 60, "{run} commands");
}

/// How many commands a document has, and what they print otherwise than shown.
fn tell(path: &str, texts: &BTreeMap<String, String>) -> (usize, String) {
    let house = Plan::new().in_development().open();
    let folder = TempDir::new().unwrap();
    fixtures(folder.path());
    let mut ids = BTreeMap::new();
    let mut before = Vec::new();
    while let Some(one) = begins_after(
        before.last().map_or(path, String::as_str),
        &texts[before.last().map_or(path, String::as_str)],
    ) {
        before.push(one);
    }
    for one in before.iter().rev() {
        // What it prints is another story's affair.
        carry_all_out(&house, folder.path(), one, &texts[one], &mut ids);
    }
    let text = &texts[path];
    let (shown, written, wrong) = carry_all_out(&house, folder.path(), path, text, &mut ids);
    if updating() && !wrong.is_empty() {
        fs::write(
            Path::new(blocks::ROOT).join(path),
            rewritten(text, &shown, &written),
        )
        .unwrap();
    }
    (shown.len(), wrong)
}

fn updating() -> bool {
    env::var_os("DOCUMENTS_UPDATE").is_some()
}

/// Commands as they are to be shown: the line where one stood, the command, and its output.
type Written = Vec<(usize, Vec<String>, Vec<String>)>;

/// Carries a document's commands out, under the ids that are given now.
fn carry_all_out(
    house: &House,
    folder: &Path,
    path: &str,
    text: &str,
    ids: &mut BTreeMap<String, String>,
) -> (Vec<Shown>, Written, String) {
    let shown = commands(text);
    let (mut wrong, mut written) = (String::new(), Vec::new());
    for Shown {
        line,
        command,
        output,
    } in &shown
    {
        house.wait(PAUSE);
        let command: Vec<String> = command.iter().map(|line| renamed(line, ids)).collect();
        let place = format!("{path}:{}: {}", line + 1, command.join("\n"));
        let mut now = output.clone();
        match carry_out(house, folder, &command.join("\n")) {
            Ok(printed) if fits(&command[0], output, &printed) => {}
            Ok(printed) => {
                let [was, is] = [output.join("\n"), printed.join("\n")];
                wrong += &format!("{place}\n--- shown\n{was}\n--- printed\n{is}\n");
                note_ids(output, &printed, ids);
                now = printed;
            }
            Err(failed) => wrong += &format!("{place}\n--- failed\n{failed}\n"),
        }
        written.push((*line, command, now));
    }
    (shown, written, wrong)
}

/// A document with other commands and outputs.
fn rewritten(text: &str, shown: &[Shown], written: &Written) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (mut all, mut next) = (String::new(), 0);
    for (was, (line, command, output)) in shown.iter().zip(written) {
        for kept in &lines[next..*line] {
            all += &format!("{kept}\n");
        }
        all += &format!("    $ {}\n", command[0]);
        for line in command[1..].iter().chain(output) {
            all += format!("    {line}").trim_end();
            all.push('\n');
        }
        next = line + was.command.len() + was.output.len();
    }
    for kept in &lines[next..] {
        all += &format!("{kept}\n");
    }
    all
}

#[test]
fn every_block_is_run_or_says_why_not() {
    let mut wrong = String::new();
    for path in documents() {
        for block in blocks(&read(&path)) {
            let reason = block.reason().is_some_and(|reason| reason.len() > 8);
            if !(block.is_run() ^ reason) && !block.is_text() {
                wrong += &format!(
                    "{path}:{}: begins with `$ `, or says why it is not run\n",
                    block.line + 1
                );
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Parts of configurations in the documents are read as the program would.
#[test]
fn what_is_shown_of_configurations_is_one() {
    let mut shown = 0;
    for path in documents() {
        for block in blocks(&read(&path)) {
            if block.language.as_deref() != Some("toml") {
                continue;
            }
            let folder = TempDir::new().unwrap();
            let file = folder.path().join("goodstanding.toml");
            fs::write(&file, block.lines.join("\n")).unwrap();
            let read = Config::load(&Overrides {
                file: Some(file),
                ..Overrides::default()
            });
            assert!(read.is_ok(), "{path}:{}: {read:?}", block.line + 1);
            shown += 1;
        }
    }
    assert!(shown > 2, "{shown} parts");
}
