//! The reference pages: what is generated is as the program says it, and what is written by hand leaves
//! nothing out and names nothing that is not there.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use goodstanding::config::DEFAULTS;
use goodstanding::verify::outcome::Outcome;
use goodstanding::web::Language;

use super::super::program::{program, run};
use super::blocks::{ROOT, read};
use super::updating;

#[test]
fn the_settings_are_those_of_the_defaults() {
    let mut page = String::from(
        "# Settings\n\n\
         What `config/default.toml` says, as a table; a test keeps the two the same. A setting comes from, the later \
         before the earlier: these defaults, `goodstanding.toml` in the data folder, a file given with `--config`, the \
         environment (`GOODSTANDING_LISTS__PUBLISH_DELAY_MS` is `publish_delay_ms` in `[lists]`), the command \
         line. An unknown key is refused.\n",
    );
    page += &settings(DEFAULTS);
    is_generated("docs/reference/configuration.md", &page);
}

/// The sections of the defaults, each with a table of its keys.
fn settings(defaults: &str) -> String {
    let (mut page, mut words, mut keys): (String, Vec<&str>, Vec<(&str, &str)>) =
        Default::default();
    let mut open = false;
    let row = |page: &mut String,
               words: &mut Vec<&str>,
               keys: &mut Vec<(&str, &str)>,
               open: &mut bool| {
        if keys.is_empty() {
            return;
        }
        if !*open {
            *page += "\n| key | default | what it is |\n|---|---|---|\n";
            *open = true;
        }
        let column =
            |of: fn(&(&str, &str)) -> String| keys.iter().map(of).collect::<Vec<_>>().join("<br>");
        let names = column(|(key, _)| format!("`{key}`"));
        let values = column(|(_, value)| format!("`{value}`"));
        let said = words.join(" ").replace('|', "\\|").replace('<', "&lt;");
        let _ = writeln!(page, "| {names} | {values} | {said} |");
        words.clear();
        keys.clear();
    };
    for line in defaults.lines().skip(4) {
        if let Some(comment) = line.strip_prefix('#') {
            row(&mut page, &mut words, &mut keys, &mut open);
            words.push(comment.trim());
        } else if line.starts_with('[') {
            row(&mut page, &mut words, &mut keys, &mut open);
            let _ = write!(page, "\n## `{line}`\n");
            if !words.is_empty() {
                let _ = write!(page, "\n{}\n", words.join(" "));
                words.clear();
            }
            open = false;
        } else if let Some((key, value)) = line.split_once(" = ") {
            keys.push((key, value));
        } else if line.is_empty() {
            row(&mut page, &mut words, &mut keys, &mut open);
        }
    }
    row(&mut page, &mut words, &mut keys, &mut open);
    if !words.is_empty() {
        let _ = write!(
            page,
            "\n## An example\n\n```text\n{}\n```\n",
            words.join("\n")
        );
    }
    page
}

#[test]
fn the_commands_are_those_of_the_program() {
    let mut page = String::from(
        "# Commands\n\n\
         What each command says of itself with `-h`; `--help` says more. Every command that talks to a server takes the \
         options under *Connection* in the first block.\n\n\
         | exit status | what it says |\n|---|---|\n\
         | 0 | in good standing, or done |\n\
         | 1 | not in good standing |\n\
         | 2 | not known, or an error: of the arguments, of the connection, or a refusal |\n\
         | 3 | a service was stopped, and not all that was under way was done by then |\n\n\
         Answers go to standard output and errors to standard error, each with what to do next. With `--json` an answer is \
         a line with one JSON document, several answers are as many lines, and nothing else is printed there; an error is \
         a problem document (RFC 9457) in a line on standard error, with the call that it came of in `at` and what to do in \
         `next`, and a warning is `{\"warning\": …}`. Progress and colour are for terminals alone: `NO_COLOR` and \
         `CLICOLOR_FORCE` are heeded.\n",
    );
    let mut waiting = vec![Vec::new()];
    while let Some(command) = waiting.pop() {
        let asked = run(program().args(&command).arg("-h"), "").exits(0);
        let _ = write!(
            page,
            "\n## goodstanding{}\n\n```text\n{}\n```\n",
            command
                .iter()
                .map(|word| format!(" {word}"))
                .collect::<String>(),
            shortened(&asked.out, command.is_empty())
        );
        for below in subcommands(&asked.out).into_iter().rev() {
            waiting.push([command.as_slice(), &[below]].concat());
        }
    }
    is_generated("docs/reference/command-line.md", &page);
}

/// A help text without what is the same for every command.
fn shortened(help: &str, all: bool) -> String {
    let mut kept = Vec::new();
    let mut skipping = false;
    for line in help.lines().map(str::trim_end) {
        let heading = !line.starts_with(' ') && line.ends_with(':');
        if heading {
            skipping = !all && line == "Connection:";
        }
        if !skipping {
            kept.push(line);
        }
    }
    kept.join("\n").trim_end().to_owned()
}

/// The commands that a help text names.
pub(in super::super) fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let named = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let rest = line.strip_prefix("  ")?;
            (!rest.starts_with(' ')).then(|| rest.split(' ').next().unwrap_or_default().to_owned())
        });
    named.filter(|name| name != "help").collect()
}

/// Holds a page against what it has to be, or writes it.
fn is_generated(path: &str, page: &str) {
    let whole = Path::new(ROOT).join(path);
    if updating() {
        fs::write(&whole, page).unwrap();
    }
    let there = fs::read_to_string(&whole).unwrap_or_default();
    let differs = there.lines().zip(page.lines()).find(|(was, is)| was != is);
    assert!(
        there == page,
        "{path} is not as the program says it; DOCUMENTS_UPDATE=1 writes it: {differs:?}"
    );
}

/// Every word for how something stands is explained, and no other.
#[test]
fn the_outcomes_are_all_told() {
    let told = first_cells(&read("docs/reference/outcomes.md"));
    let words: BTreeSet<String> = Outcome::ALL
        .into_iter()
        .map(|outcome| outcome.as_str().to_owned())
        .collect();
    assert_eq!(told, words);
}

/// Every kind of problem that the sources name is told, with its status, and no other.
#[test]
fn the_problems_are_all_told() {
    let page = read("docs/reference/problems.md");
    let named = problems();
    assert!(named.len() > 60, "{named:?}");
    let told: BTreeSet<(String, String)> = rows(&page)
        .into_iter()
        .flat_map(|cells| {
            let kind = cells[0].trim_matches('`').to_owned();
            let statuses: Vec<String> = cells[1].split(", ").map(str::to_owned).collect();
            statuses
                .into_iter()
                .map(move |status| (kind.clone(), status))
        })
        .collect();
    // What to do is said to people in the same words, on the command line and in every language of the pages.
    for cells in rows(&page) {
        let kind = cells[0].trim_matches('`');
        for language in Language::ALL {
            let told = language.problem(kind).map(|(_, to_do)| to_do.to_owned());
            match language {
                Language::English => assert_eq!(told, Some(cells[2].replace('`', ""))),
                _ => assert!(told.is_some(), "{kind} in {language:?}"),
            }
        }
    }
    let missing: Vec<_> = named.difference(&told).collect();
    let gone: Vec<_> = told.difference(&named).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not told: {missing:?}; not there: {gone:?}"
    );
}

/// Kinds of problems with their statuses, as the sources make them.
fn problems() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for file in sources("src/http") {
        let text = file.1;
        for maker in ["Problem::new(", "Self::new("] {
            for call in text.split(maker).skip(1) {
                let mut parts = call.splitn(3, ',').map(str::trim);
                let (Some(status), Some(kind)) = (parts.next(), parts.next()) else {
                    continue;
                };
                if status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit()) {
                    found.extend(named(&text, kind).map(|kind| (kind, status.to_owned())));
                }
            }
        }
        for call in text.split("busy(").skip(1) {
            let kind = call.split(',').next().unwrap_or_default().trim();
            found.extend(named(&text, kind).map(|kind| (kind, "503".to_owned())));
        }
    }
    found
}

/// The kind that an argument is: a text, or a constant of the file. None where it has a standard's URI.
fn named(text: &str, argument: &str) -> Option<String> {
    let literal = match argument.strip_prefix('"') {
        Some(literal) => literal,
        None => {
            let declared = format!("const {argument}: &str = \"");
            text.split_once(declared.as_str())?.1
        }
    };
    let kind = literal.split('"').next().unwrap_or_default();
    (!kind.is_empty()).then(|| kind.to_owned())
}

/// Every test that the table of conformance names is there; every row has one, or says why not.
#[test]
fn the_table_of_conformance_names_tests_that_are_there() {
    tests_are_there("docs/reference/conformance.md", 80);
    tests_are_there("SECURITY.md", 20);
}

fn tests_are_there(path: &str, at_least: usize) {
    let mut everything: Vec<(String, String)> = sources("src");
    everything.extend(sources("tests"));
    let mut wrong = String::new();
    let mut named = 0;
    for (at, line) in read(path).lines().enumerate() {
        let mut here = 0;
        for word in line.split('`').skip(1).step_by(2) {
            let Some((file, test)) = word
                .split_once("::")
                .filter(|(file, _)| file.ends_with(".rs"))
            else {
                continue;
            };
            here += 1;
            let there = everything
                .iter()
                .any(|(path, text)| path == file && text.contains(&format!("fn {test}(")));
            if !there {
                wrong += &format!("{path}:{}: there is no {word}\n", at + 1);
            }
        }
        named += here;
        let row = line.starts_with("| ") && path.contains("conformance");
        let head = line.starts_with("| clause") || line.starts_with("| standard");
        if row && !head && here == 0 && !line.contains("not done, because") {
            wrong += &format!("{path}:{}: names no test, and no reason why not\n", at + 1);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(named >= at_least, "{path} names {named} tests");
}

/// The files of Rust below a folder, with their paths from the root.
fn sources(below: &str) -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::from(below)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(ROOT).join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.display().to_string();
                let text = read(&name);
                found.push((name, text));
            }
        }
    }
    found
}

/// The cells of the rows of a page's tables that begin with code.
fn rows(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let cells = |line: &str| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    rows.map(cells).collect()
}

fn first_cells(page: &str) -> BTreeSet<String> {
    rows(page)
        .into_iter()
        .map(|cells| cells[0].trim_matches('`').to_owned())
        .collect()
}
