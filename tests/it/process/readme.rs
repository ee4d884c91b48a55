//! The README's commands, carried out one after another, and what they print held against what it
//! shows. The registry answers over HTTP, with a clock and randomness that the story holds, so that
//! ids, keys and times are the same each time.
//!
//! A command stands behind `    $ `; what follows it in the same block is what it prints. A line
//! that ends in `…` stands for any that begins like it, and JSON that `curl` gets may be laid out
//! otherwise. With `README_UPDATE=1` in the environment the README is written anew.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goodstanding::vc::keys::SigningKey;
use goodstanding::verify::outcome::Outcome;
use serde_json::Value;
use tempfile::TempDir;

use super::program::run;
use super::verdicts::signed_elsewhere;
use crate::support::house::{House, Plan};
use crate::support::signed::endorsement_by;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// Seconds between two commands.
const PAUSE: u64 = 20;

/// A command of the README, and what it shows of its output.
#[derive(Debug, Default)]
struct Shown {
    /// Its first line in the README, from 0.
    line: usize,
    /// The lines of the command, without prompt and indentation.
    command: Vec<String>,
    /// The lines below it.
    output: Vec<String>,
}

#[test]
fn the_readme_shows_what_is_printed() {
    let text = fs::read_to_string(README).unwrap();
    let shown = commands(&text);
    assert!(shown.len() > 40, "{} commands", shown.len());
    let house = Plan::new().in_development().open();
    let folder = TempDir::new().unwrap();
    fixtures(folder.path());
    let update = env::var_os("README_UPDATE").is_some();
    let (mut ids, mut wrong, mut written) = (BTreeMap::new(), String::new(), Vec::new());
    for Shown {
        line,
        command,
        output,
    } in &shown
    {
        house.wait(PAUSE);
        let command: Vec<String> = command.iter().map(|line| renamed(line, &ids)).collect();
        let place = format!("README.md:{}: {}", line + 1, command.join("\n"));
        let mut now = output.clone();
        match carry_out(&house, folder.path(), &command.join("\n")) {
            Ok(printed) if fits(&command[0], output, &printed) => {}
            Ok(printed) => {
                let [was, is] = [output.join("\n"), printed.join("\n")];
                wrong += &format!("{place}\n--- shown\n{was}\n--- printed\n{is}\n");
                note_ids(output, &printed, &mut ids);
                now = printed;
            }
            Err(failed) => wrong += &format!("{place}\n--- failed\n{failed}\n"),
        }
        written.push((*line, command, now));
    }
    if update {
        fs::write(README, rewritten(&text, &shown, &written)).unwrap();
    }
    assert!(
        wrong.is_empty(),
        "{wrong}README_UPDATE=1 writes what is printed"
    );
}

/// What the README takes from elsewhere.
fn fixtures(folder: &Path) {
    let degree = signed_elsewhere("did:web:other.example", "did:web:other.example#key-1");
    let board = SigningKey::from_seed(&[7; 32]);
    let university = "did:web:localhost%3A8080:profiles:example-university";
    let recommendation = endorsement_by(&board, university);
    for (name, document) in [
        ("elsewhere.json", degree),
        ("recommendation.json", recommendation),
    ] {
        fs::write(folder.join(name), document.to_string()).unwrap();
    }
}

/// Every command of the README, in order.
fn commands(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    // Whether the block goes on that the last command stands in.
    let mut within = false;
    for (at, line) in text.lines().enumerate() {
        let Some(code) = line.strip_prefix("    ") else {
            within = false;
            continue;
        };
        match (code.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => {
                within = true;
                found.push(Shown {
                    line: at,
                    command: vec![command.to_owned()],
                    output: Vec::new(),
                });
            }
            (None, Some(last)) if within && goes_on(&last.command) => {
                last.command.push(code.to_owned());
            }
            (None, Some(last)) if within => last.output.push(code.to_owned()),
            _ => {}
        }
    }
    found
}

/// Whether the last line of a command is not its end: within quotes, before the end of what is fed
/// to it, or where it says so.
fn goes_on(command: &[String]) -> bool {
    let last = command.last().map_or("", String::as_str);
    if let Some((_, end)) = command[0].split_once("<<'") {
        return Some(last) != end.strip_suffix('\'');
    }
    let quotes = command.iter().flat_map(|line| line.matches('\'')).count();
    last.ends_with('\\') || quotes % 2 == 1
}

/// Carries a command out, and gives the lines that it prints; or what went wrong, which is also that
/// it exits otherwise than it says.
fn carry_out(house: &House, folder: &Path, command: &str) -> Result<Vec<String>, String> {
    if command.starts_with("curl ") {
        return Ok(curl(house, command));
    }
    let program = Path::new(env!("CARGO_BIN_EXE_goodstanding"));
    let mut path = program
        .parent()
        .expect("it is in a folder")
        .as_os_str()
        .to_owned();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("GOODSTANDING_") {
            shell.env_remove(name);
        }
    }
    let server = format!("http://{}", house.address);
    shell.args(["-c", command]).env("PATH", path);
    shell.env("GOODSTANDING_SERVER", server).current_dir(folder);
    let ran = run(&mut shell, "");
    let first = ran.out.lines().next().unwrap_or_default();
    let expected = Some(status(command, first));
    match ran.err.is_empty() && ran.status == expected {
        true => Ok(ran.out.lines().map(str::to_owned).collect()),
        false => Err(format!("{expected:?} was to be, not {ran:?}")),
    }
}

/// The exit status of a command whose answer begins so: a look-up's follows its outcome, unless
/// another command gives it.
fn status(command: &str, first: &str) -> i32 {
    let word = first.split(':').next().unwrap_or_default();
    let outcome = Outcome::ALL.into_iter().find(|one| one.as_str() == word);
    match outcome {
        _ if command.contains('|') => 0,
        None | Some(Outcome::Active) => 0,
        Some(Outcome::Unknown | Outcome::Unreachable) => 2,
        Some(_) => 1,
    }
}

/// What `curl -s URL [-H HEADER] [-u NAME:SECRET] [-d BODY]` would print. Bodies that are not JSON are
/// parts of a form, as curl takes them.
fn curl(house: &House, command: &str) -> Vec<String> {
    let words = words(command);
    let mut words = words.iter().map(String::as_str).skip(1);
    let (mut target, mut header, mut user) = (None, "", None);
    let mut body: Vec<&str> = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "-s" => {}
            "-H" => header = words.next().unwrap_or_default(),
            "-u" => user = words.next(),
            "-d" => body.extend(words.next()),
            url => target = url.strip_prefix("localhost:8080"),
        }
    }
    let target = target.unwrap_or_else(|| panic!("{command} asks somebody else"));
    let (name, value) = header.split_once(": ").unwrap_or_default();
    let form = "application/x-www-form-urlencoded";
    let call = match (body.as_slice(), name) {
        ([], _) => house.call("GET", target),
        (body, "Content-Type") => house.call("POST", target).body(value, body.join("&")),
        (body, _) => house.call("POST", target).body(form, body.join("&")),
    };
    let call = match user {
        Some(user) => call.header("Authorization", format!("Basic {}", STANDARD.encode(user))),
        None if name == "Authorization" => call.header(name, value),
        None => call,
    };
    let text = call.header("Accept", "*/*").send().is(200).text();
    let pretty = serde_json::from_str(&text).map(|json: Value| format!("{json:#}"));
    let shown = pretty.unwrap_or(text);
    shown.lines().map(str::to_owned).collect()
}

/// The words of a command; single quotes hold one together.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (at, part) in command.split('\'').enumerate() {
        if at % 2 == 1 {
            words.last_mut().expect("there is one").push_str(part);
            continue;
        }
        let part = part.replace("\\\n", " ");
        for (at, piece) in part.split([' ', '\n']).enumerate() {
            if at > 0 {
                words.push(String::new());
            }
            words.last_mut().expect("there is one").push_str(piece);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether what is shown is what was printed.
fn fits(command: &str, shown: &[String], printed: &[String]) -> bool {
    let json = |lines: &[String]| serde_json::from_str::<Value>(&lines.join("\n")).ok();
    if command.starts_with("curl ")
        && let (Some(shown), Some(printed)) = (json(shown), json(printed))
    {
        return same(&shown, &printed);
    }
    let line_fits = |(shown, printed): (&String, &String)| match shown.strip_suffix('…') {
        Some(start) => printed.starts_with(start),
        None => shown == printed,
    };
    shown.len() == printed.len() && shown.iter().zip(printed).all(line_fits)
}

/// Whether JSON is as it is shown; a text that ends in `…` stands for any that begins like it.
fn same(shown: &Value, printed: &Value) -> bool {
    match (shown, printed) {
        (Value::String(shown), Value::String(printed)) => match shown.strip_suffix('…') {
            Some(start) => printed.starts_with(start),
            None => shown == printed,
        },
        (Value::Array(shown), Value::Array(printed)) => {
            shown.len() == printed.len() && shown.iter().zip(printed).all(|(a, b)| same(a, b))
        }
        (Value::Object(shown), Value::Object(printed)) => {
            let is_there = |(name, value): (&String, &Value)| {
                printed
                    .get(name)
                    .is_some_and(|printed| same(value, printed))
            };
            shown.len() == printed.len() && shown.iter().all(is_there)
        }
        _ => shown == printed,
    }
}

/// Notes which ids are others now, for the commands that name them.
fn note_ids(shown: &[String], printed: &[String], ids: &mut BTreeMap<String, String>) {
    let [was, is] = [shown, printed].map(|lines| {
        let pieces = lines.iter().flat_map(|line| line.split(['/', ' ', '#']));
        let is_id = |piece: &&str| {
            // Ids of lists and the like, ids of clients, and their secrets.
            let secret = piece.starts_with("gsc_") || piece.len() == 32;
            let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            secret || piece.len() == 20 && piece.bytes().all(lower)
        };
        pieces.filter(is_id).map(str::to_owned).collect::<Vec<_>>()
    });
    if was.len() == is.len() {
        ids.extend(was.into_iter().zip(is));
    }
}

fn renamed(line: &str, ids: &BTreeMap<String, String>) -> String {
    let rename = |line: String, (was, is): (&String, &String)| line.replace(was, is);
    ids.iter().fold(line.to_owned(), rename)
}

/// The README with other commands and outputs.
fn rewritten(text: &str, shown: &[Shown], written: &[(usize, Vec<String>, Vec<String>)]) -> String {
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
