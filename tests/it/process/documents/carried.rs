//! Commands of documents, carried out, and what they print held against what is shown.

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

use super::super::program::run;
use super::super::verdicts::signed_elsewhere;
use crate::support::house::House;
use crate::support::signed::endorsement_by;

/// What the documents take from elsewhere.
pub(super) fn fixtures(folder: &Path) {
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

/// Carries a command out over a registry whose clock stands still, and gives the lines that it prints;
/// or what went wrong, which is also that it exits otherwise than it says.
pub(super) fn carry_out(
    house: &House,
    folder: &Path,
    command: &str,
) -> Result<Vec<String>, String> {
    if command.starts_with("curl ") {
        return curl(house, command);
    }
    let server = format!("http://{}", house.address);
    in_shell(&server, folder, command)
}

/// As [`carry_out`], in a shell, as a client of the registry that is at `server`.
pub(super) fn in_shell(server: &str, folder: &Path, command: &str) -> Result<Vec<String>, String> {
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
fn curl(house: &House, command: &str) -> Result<Vec<String>, String> {
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
    let answer = call.header("Accept", "*/*").send();
    let status = answer.status;
    let text = answer.text();
    if status != 200 {
        return Err(format!("{status}: {text}"));
    }
    let pretty = serde_json::from_str(&text).map(|json: Value| format!("{json:#}"));
    let shown = pretty.unwrap_or(text);
    Ok(shown.lines().map(str::to_owned).collect())
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

/// Whether what is shown is what was printed. A line of `…` alone stands for all that is left.
pub(super) fn fits(command: &str, shown: &[String], printed: &[String]) -> bool {
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
    match shown.split_last() {
        Some((last, shown)) if last.trim() == "…" => {
            shown.len() <= printed.len() && shown.iter().zip(printed).all(line_fits)
        }
        _ => shown.len() == printed.len() && shown.iter().zip(printed).all(line_fits),
    }
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
pub(super) fn note_ids(shown: &[String], printed: &[String], ids: &mut BTreeMap<String, String>) {
    let [was, is] = [shown, printed].map(|lines| {
        let apart = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        let pieces = lines.iter().flat_map(move |line| line.split(apart));
        let is_id = |piece: &&str| {
            // Ids of lists and the like, ids of clients, their secrets, and indexes.
            let secret = piece.starts_with("gsc_") || piece.len() == 32;
            let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            let index = piece.len() >= 4 && piece.bytes().all(|b| b.is_ascii_digit());
            secret || index || piece.len() == 20 && piece.bytes().all(lower)
        };
        pieces.filter(is_id).map(str::to_owned).collect::<Vec<_>>()
    });
    if was.len() == is.len() {
        ids.extend(was.into_iter().zip(is));
    }
}

pub(super) fn renamed(line: &str, ids: &BTreeMap<String, String>) -> String {
    let rename = |line: String, (was, is): (&String, &String)| line.replace(was, is);
    ids.iter().fold(line.to_owned(), rename)
}
