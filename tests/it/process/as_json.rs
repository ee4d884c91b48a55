//! `--json` on every command that the program has: one document per line on standard output and nothing else,
//! and what goes wrong as a problem document on standard error. The commands are those that the program names
//! itself, so that a new one has to be added here.

use std::collections::BTreeSet;
use std::fs;

use goodstanding::vc::keys::SigningKey;
use serde_json::{Value, json};

use super::documents::subcommands;
use super::folder::Folder;
use super::place::Place;
use super::program::{Ran, program, run};
use super::server::Server;
use super::standing::{ACCREDITOR, ISSUER, unsigned_badge};
use crate::support::signed::endorsement_by;

/// What can be run, and not only leads to other commands.
fn commands() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![Vec::new()];
    while let Some(words) = waiting.pop() {
        let help = run(program().args(&words).arg("-h"), "").exits(0).out;
        let usage = help
            .lines()
            .find(|line| line.starts_with("Usage:"))
            .unwrap();
        if !usage.ends_with("<COMMAND>") {
            found.insert(words.join(" "));
        }
        for below in subcommands(&help) {
            waiting.push([words.as_slice(), &[below]].concat());
        }
    }
    found
}

/// A registry in which every command is run, and which of them were.
struct Story<'a> {
    place: Place<'a>,
    run: BTreeSet<String>,
}

impl Story<'_> {
    /// Runs a command that is to succeed, and gives the first document that it prints.
    #[track_caller]
    fn done(&mut self, args: &[&str]) -> Value {
        self.note(args);
        let ran = self.place.run(&[args, &["--json"]].concat()).exits(0);
        well_formed(args, &ran)
            .into_iter()
            .next()
            .unwrap_or_default()
    }

    /// Runs a command, whatever comes of it.
    #[track_caller]
    fn asked(&mut self, args: &[&str], input: &str) -> (Option<i32>, Vec<Value>) {
        self.note(args);
        let ran = self.place.run_with(&[args, &["--json"]].concat(), input);
        (ran.status, well_formed(args, &ran))
    }

    /// The same, with words of its own for where it goes.
    #[track_caller]
    fn elsewhere(&mut self, args: &[&str]) -> Vec<Value> {
        self.note(args);
        let ran = run(program().args(args).arg("--json"), "").exits(0);
        well_formed(args, &ran)
    }

    fn note(&mut self, args: &[&str]) {
        let words: Vec<&str> = args.iter().copied().take(2).collect();
        self.run.insert(words.join(" "));
        self.run.insert(words[0].to_owned());
    }
}

/// The documents of an answer, and that nothing stands beside them.
#[track_caller]
fn well_formed(args: &[&str], ran: &Ran) -> Vec<Value> {
    let read = |text: &str| -> Vec<Value> {
        assert!(text.is_empty() || text.ends_with('\n'), "{args:?}: {text}");
        let parsed = text.lines().map(serde_json::from_str);
        let parsed: Result<_, _> = parsed.collect();
        parsed.unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
    };
    let (documents, problems) = (read(&ran.out), read(&ran.err));
    assert!(
        documents
            .iter()
            .all(|one| one.is_object() || one.is_array() || one.is_string()),
        "{args:?}: {documents:?}"
    );
    match ran.status {
        Some(0 | 1) => {
            assert!(!documents.is_empty(), "{args:?} says nothing");
            assert_eq!(problems, [] as [Value; 0], "{args:?}");
        }
        Some(2) => {
            let told =
                |problem: &Value| problem["title"].is_string() && problem["type"].is_string();
            assert!(problems.iter().all(told), "{args:?}: {problems:?}");
            assert!(!problems.is_empty() || !documents.is_empty(), "{args:?}");
        }
        other => panic!("{args:?} ended with {other:?}: {}", ran.err),
    }
    documents
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

#[test]
fn every_command_answers_in_json_and_in_nothing_else() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let place = Place::Server(&folder, &server);
    let run = BTreeSet::new();
    let mut story = Story { place, run };
    let file = |name: &str| folder.beside().join(name).display().to_string();

    let (list, given, badge) = profiles_lists_and_a_credential(&mut story, &file);
    changes(&mut story, &file, (&list, &given), &badge);
    questions(&mut story, &list, &badge, &file("badge.json"));
    requests(&mut story);
    endorsements(&mut story, &file);
    accounts(&mut story);
    keys_and_profiles(&mut story);
    story.done(&["publish", &file("published")]);
    story.asked(&["put-back", &file("published"), "--dry-run"], "");
    story.elsewhere(&["doctor", "--server", &server.url()]);
    story.elsewhere(&["completions", "bash"]);
    story.elsewhere(&["man"]);
    let run = story.run;
    server.stop().in_order();
    let place = Place::Folder(&folder);
    let mut story = Story { place, run };
    folders(&mut story, &folder, &file);

    let never: Vec<String> = commands()
        .into_iter()
        .filter(|one| !story.run.contains(one))
        .collect();
    assert_eq!(
        never,
        [] as [&str; 0],
        "commands that were not run with --json"
    );
}

fn profiles_lists_and_a_credential(
    story: &mut Story<'_>,
    file: &dyn Fn(&str) -> String,
) -> (String, Vec<String>, String) {
    for (slug, role) in [(ISSUER, "issuer"), (ACCREDITOR, "accreditor")] {
        story.done(&["profile", "create", slug, "--name", slug, "--role", role]);
    }
    story.done(&[
        "profile",
        "update",
        ISSUER,
        "--url",
        "https://acme.example/",
    ]);
    story.done(&["profile", "list"]);
    let college = text(&story.done(&["profile", "show", ISSUER])["id"]);
    let about = ["--description", "Can help.", "--criteria", "Passed."];
    let create = ["achievement", "create", ISSUER, "--name", "First aid"];
    let achievement = story.done(&[&create[..], &about].concat())["id"].take();
    story.done(&["achievement", "show", &text(&achievement)]);
    let create = ["list", "create", "--issuer", ISSUER, "--purpose"];
    let list = text(&story.done(&[&create[..], &["revocation"]].concat())["id"]);
    story.done(&["list", "show", &list]);
    let out = file("out.csv");
    let given = indexes(&story.done(&["entries", &list, "--count", "3"]));
    story.done(&["list", "export", &list, "--all", "--out", &out]);
    let import = ["list", "import", &out, "--issuer", ISSUER, "--all-used"];
    story.done(&[&import[..], &["--purpose", "suspension"]].concat());
    let badge = "urn:uuid:7b0c6cd4-a0c5-4d5e-8f4f-0f1b54a86d11";
    let unsigned = unsigned_badge(badge, &college, &achievement).to_string();
    let (status, issued) = story.asked(&["issue", "-"], &unsigned);
    assert_eq!(status, Some(0));
    fs::write(file("badge.json"), issued[0].to_string()).unwrap();
    (list, given, badge.to_owned())
}

/// The indexes of reserved entries.
fn indexes(reserved: &Value) -> Vec<String> {
    let entries = reserved["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| text(&entry["statusListIndex"]))
        .collect()
}

fn changes(
    story: &mut Story<'_>,
    file: &dyn Fn(&str) -> String,
    (list, given): (&str, &[String]),
    badge: &str,
) {
    fs::write(file("lines.csv"), format!("index,status\n{},1\n", given[0])).unwrap();
    story.done(&["updates", list, &file("lines.csv")]);
    let create = [
        "list",
        "create",
        "--issuer",
        ISSUER,
        "--purpose",
        "suspension",
    ];
    let suspensions = text(&story.done(&create)["id"]);
    let one = indexes(&story.done(&["entries", &suspensions, "--count", "1"]));
    let entry = ["--list", &suspensions, "--index", &one[0]];
    story.done(&[&["suspend"], &entry[..]].concat());
    story.done(&[&["reinstate"], &entry[..]].concat());
    let codes = story.done(&["codes", "hand-out", badge]);
    let code = text(&codes["codes"][0]["code"]);
    assert_eq!(story.asked(&["codes", "look-up", &code], "").0, Some(1));
    story.done(&["codes", "withdraw", badge]);
    story.done(&["revoke", "--list", list, "--index", &given[1]]);
    // One that is done and one that is not: each is told where it belongs.
    let (status, documents) = story.asked(&["revoke", badge, "urn:x:nobody"], "");
    assert_eq!((status, documents.len()), (Some(2), 1), "{documents:?}");
}

fn questions(story: &mut Story<'_>, list: &str, badge: &str, file: &str) {
    assert_eq!(story.asked(&["status", badge], "").0, Some(1));
    let (status, several) = story.asked(&["status", badge, &format!("{list}#3")], "");
    assert_eq!((status, several.len()), (Some(1), 2));
    story.asked(&["standing", badge], "");
    let (_, verdict) = story.asked(&["verify", file], "");
    assert_eq!(verdict[0]["outcome"], "revoked", "{verdict:?}");
    story.asked(&["verify", file, "--offline"], "");
    story.done(&["events"]);
    story.asked(&["endorsements", "--subject", ISSUER], "");
}

fn requests(story: &mut Story<'_>) {
    let sides = ["--accreditor", ACCREDITOR, "--requester", ISSUER];
    let create = [
        &["request", "create", ISSUER, "--name", "Accredited"],
        &sides[..],
    ]
    .concat();
    let asked = |story: &mut Story<'_>| text(&story.done(&create)["id"]);
    let request = asked(story);
    story.done(&["request", "list", "--accreditor", ACCREDITOR]);
    story.done(&["request", "show", &request]);
    story.done(&["tasks", ACCREDITOR]);
    story.done(&["request", "withdraw", &request]);
    let request = asked(story);
    story.done(&["request", "decline", &request, "--reason", "not now"]);
    let request = asked(story);
    story.done(&["request", "ask", &request, "--question", "Who?"]);
    story.done(&["request", "answer", &request, "--answer", "We."]);
    story.done(&["request", "approve", &request]);
}

fn endorsements(story: &mut Story<'_>, file: &dyn Fn(&str) -> String) {
    let endorse = [
        "endorse",
        ISSUER,
        "--endorser",
        ACCREDITOR,
        "--name",
        "Good",
    ];
    story.done(&endorse);
    let key = SigningKey::from_seed(&[7; 32]);
    let signed = endorsement_by(&key, "did:web:registry.example:profiles:acme-college");
    fs::write(file("elsewhere.json"), signed.to_string()).unwrap();
    let imported = story.done(&["endorsements", "import", &file("elsewhere.json")]);
    story.done(&["endorsements", "follow", &text(&imported["id"])]);
}

fn accounts(story: &mut Story<'_>) {
    let made = story.done(&["token", "new", "--profile", ISSUER, "--expires-in", "1h"]);
    story.done(&["token"]);
    story.done(&["token", "list", "--profile", ISSUER]);
    let id = text(&made["id"]);
    let (status, _) = story.asked(&["token", "revoke", &id], "");
    // An id that begins with a hyphen is taken for an option: refused, and as JSON too.
    assert!(status == Some(0) || id.starts_with('-'), "{id}");
    let register = ["client", "register", "mailer", "--role", "owner"];
    let client = story.done(&[&register[..], &["--profile", ISSUER]].concat());
    let client = text(&client["client_id"]);
    story.done(&["client", "list", "--profile", ISSUER]);
    story.done(&["client", "secret", &client]);
    story.asked(&["client", "approve", &client, "--role", "owner"], "");
    story.asked(&["client", "reject", &client], "");
    story.asked(&["client", "remove", &client], "");
    let invite = [
        "person",
        "invite",
        "Ada",
        "--role",
        "owner",
        "--email",
        "ada@acme.example",
    ];
    let invited = story.done(&[&invite[..], &["--profile", ISSUER]].concat());
    story.done(&["person", "list", "--profile", ISSUER]);
    let person = ["id", "person"]
        .iter()
        .find_map(|member| invited[member].as_str());
    let person = person.unwrap_or_else(|| panic!("{invited}")).to_owned();
    story.done(&["person", "remove", &person]);
}

fn keys_and_profiles(story: &mut Story<'_>) {
    story.done(&["key", "list", ISSUER]);
    story.done(&["key", "new", ISSUER]);
    story.done(&["key", "retire", ISSUER, "key-2"]);
    story.done(&["key", "rotate", ISSUER]);
    let since = ["--since", "2026-01-01T00:00:00Z", "--dry-run"];
    story.done(&[&["key", "revoke", ISSUER, "key-1"], &since[..]].concat());
    // There is no next key to change to.
    story.asked(&["key", "rotate-master"], "");
    story.done(&["erase", ISSUER, "--member", "url"]);
    story.done(&["profile", "suspend", ACCREDITOR]);
    story.done(&["profile", "reinstate", ACCREDITOR]);
    story.done(&["profile", "revoke", ACCREDITOR, "--dry-run"]);
}

/// What is done with folders while no server runs.
fn folders(story: &mut Story<'_>, folder: &Folder, file: &dyn Fn(&str) -> String) {
    let data = folder.data().display().to_string();
    story.elsewhere(&["doctor", "--data", &data]);
    story.elsewhere(&["backup", "--make-key", &file("backup.key")]);
    let (key, backups, again) = (file("backup.key"), file("backups"), file("again"));
    for how in [&["--data", &data][..], &["--list"], &["--check"]] {
        story.elsewhere(&[&["backup", &backups, "--key", &key], how].concat());
    }
    let master = format!("{data}/master.key");
    let restored = ["--data", &again, "--master-key", &master, "--key", &key];
    story.elsewhere(&[&["restore", &backups], &restored[..]].concat());
    let moved = format!("rocksdb:{}", file("moved"));
    story.elsewhere(&[
        "migrate",
        "--from",
        &format!("rocksdb:{data}"),
        "--to",
        &moved,
    ]);
    story.elsewhere(&["init", "--data", &file("fresh")]);
    story.note(&["serve"]);
    let mut serve = program();
    serve.args([
        "serve",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--data",
        &file("fresh"),
    ]);
    let mut server = Server::start(&mut serve);
    let up: Value = serde_json::from_str(&server.greeting).unwrap();
    assert_eq!(up["serves"], json!("http://localhost:8080"), "{up}");
    server.kill();
}
