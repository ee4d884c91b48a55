//! The five journeys on the command line: against a running server, and straight in a folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::folder::{Folder, ORIGIN};
use super::place::Place;
use super::program::{program, run};
use super::standing::{ACCREDITOR, ISSUER, unsigned_badge};

#[test]
fn the_journeys_against_a_running_server() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    travel(&folder, &Place::Server(&folder, &server));
    server.stop().in_order();
}

#[test]
fn the_journeys_in_a_data_folder() {
    let folder = Folder::prepared();
    travel(&folder, &Place::Folder(&folder));
    // A server over the same folder goes on from there.
    let server = folder.serve(&[]);
    let seen = Place::Server(&folder, &server).run(&["endorsements", "--subject", ISSUER]);
    seen.exits(1);
}

fn travel(folder: &Folder, place: &Place<'_>) {
    let college = profiles_and_keys(place);
    let achievement = achievement(place);
    lists_and_entries(place);
    let badge = issue(folder, place, &college, &achievement);
    let code = codes(place, &badge);
    verify(folder, place, &badge);
    let said = place.run(&["codes", "look-up", &code]).exits(1).out;
    assert!(said.starts_with(&format!("revoked: {code}")), "{said}");
    endorsements(place, &college);
    keys(folder, place, &badge);
    tokens(place);
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not text"))
}

fn profiles_and_keys(place: &Place<'_>) -> String {
    let named = ["--name", "Acme College", "--role", "issuer"];
    let college = place.json(&[&["profile", "create", ISSUER], &named[..]].concat());
    let did = "did:web:registry.example:profiles:acme-college";
    assert_eq!(college["id"], did);
    let named = ["--name", "Quality Board", "--role", "accreditor"];
    let said = place.run(&[&["profile", "create", ACCREDITOR], &named[..]].concat());
    let said = said.exits(0);
    assert!(said.out.contains("registered did:web:"), "{}", said.out);
    let listed = place.run(&["profile", "list"]).exits(0).out;
    assert!(listed.contains("Acme College") && listed.contains("Quality Board"));
    let shown = place.json(&["profile", "show", ISSUER]);
    assert_eq!(
        (&shown["id"], &shown["name"]),
        (&college["id"], &json!("Acme College"))
    );
    place.json(&[
        "profile",
        "update",
        ISSUER,
        "--url",
        "https://acme.example/",
    ]);
    let shown = place.json(&["profile", "show", did]);
    assert_eq!(shown["url"], "https://acme.example/");
    assert_eq!(shown["name"], "Acme College");
    did.to_owned()
}

fn achievement(place: &Place<'_>) -> Value {
    let about = [
        "--description",
        "Can give first aid.",
        "--criteria",
        "Passed.",
    ];
    let create = ["achievement", "create", ISSUER, "--name", "First aid"];
    let made = place.json(&[&create[..], &about[..]].concat());
    let shown = place.json(&["achievement", "show", text(&made["id"])]);
    assert_eq!(shown["name"], "First aid");
    made["id"].clone()
}

/// A list for each purpose over the same indexes, and one entry's way through them.
fn lists_and_entries(place: &Place<'_>) {
    let create = ["list", "create", "--issuer", ISSUER, "--purpose"];
    let revocations = place.json(&[&create[..], &["revocation"]].concat());
    let revocations = text(&revocations["id"]);
    assert!(revocations.starts_with(&format!("{ORIGIN}/status-lists/")));
    let paired = ["suspension", "--paired-with", revocations];
    let suspensions = place.json(&[&create[..], &paired[..]].concat());
    let suspensions = text(&suspensions["id"]);
    let entries = place.json(&["entries", revocations, "--count", "3"]);
    let index = |entry: &Value| text(&entry["statusListIndex"]).to_owned();
    let of_revocations = |entry: &&Value| entry["statusPurpose"] == "revocation";
    let entries = entries["entries"].as_array().unwrap();
    let indexes: Vec<String> = entries
        .iter()
        .flat_map(flattened)
        .filter(of_revocations)
        .map(index)
        .collect();
    assert_eq!(indexes.iter().collect::<BTreeSet<_>>().len(), 3);
    let revoked = format!("{revocations}#{}", indexes[0]);
    let suspended = format!("{suspensions}#{}", indexes[1]);

    for entry in [&revoked, &suspended] {
        let said = place.run(&["status", entry]).exits(0).out;
        assert!(said.starts_with(&format!("active: {entry}")), "{said}");
    }
    place
        .run(&["revoke", &revoked, "--reason", "story"])
        .exits(0);
    let seen = place.run(&["status", &revoked, "--json"]).exits(1).json();
    assert_eq!(
        (&seen["outcome"], &seen["status"]),
        (&json!("revoked"), &json!(1))
    );
    place.run(&["suspend", &suspended]).exits(0);
    let seen = place.run(&["status", &suspended, "--json"]).exits(1).json();
    assert_eq!(seen["outcome"], "suspended");
    place.run(&["reinstate", &suspended]).exits(0);
    place.run(&["status", &suspended]).exits(0);
    // The worst of several answers is the exit status.
    place.run(&["status", &suspended, &revoked]).exits(1);
    // A verb works on its own purpose only, and a revocation is for ever.
    place
        .run(&["suspend", &revoked])
        .exits(2)
        .explains(&["revocation"]);
    place.run(&["reinstate", &revoked]).exits(2);
    place.run(&["status", &revoked]).exits(1);
    let beyond = format!("{revocations}#131072");
    place.run(&["status", &beyond]).exits(2);
    let nowhere = format!("{ORIGIN}/status-lists/000000g123456789abc0#1");
    place.run(&["status", &nowhere]).exits(2);
}

/// `entries` gives one entry per index, or an array of them where lists are paired.
fn flattened(entry: &Value) -> impl Iterator<Item = &Value> {
    let several = entry
        .as_array()
        .map_or(std::slice::from_ref(entry), Vec::as_slice);
    several.iter()
}

/// An issued badge in a file of its own.
struct Badge {
    id: &'static str,
    file: PathBuf,
    text: String,
}

fn issue(folder: &Folder, place: &Place<'_>, college: &str, achievement: &Value) -> Badge {
    let id = "urn:uuid:7b0c6cd4-a0c5-4d5e-8f4f-0f1b54a86d11";
    let unsigned = unsigned_badge(id, college, achievement).to_string();
    let issued = place.run_with(&["issue", "-"], &unsigned).exits(0);
    let credential: Value = serde_json::from_str(&issued.out).unwrap();
    assert_eq!(
        credential["credentialStatus"]["statusPurpose"],
        "revocation"
    );
    // The same again as a JWT, which is printed as it is.
    let jwt = ["issue", "-", "--securing", "vc+jwt"];
    let jwt = place.run_with(&jwt, &unsigned).exits(0).out;
    let parts: Vec<&str> = jwt.trim_end().split('.').collect();
    assert!(jwt.ends_with('\n') && parts.len() == 3, "{jwt}");
    let payload: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    assert_eq!(
        (&payload["jti"], &payload["iss"]),
        (&json!(id), &json!(college))
    );
    assert_eq!(payload["credentialStatus"], credential["credentialStatus"]);
    let file = folder.beside().join("badge.json");
    fs::write(&file, &issued.out).unwrap();
    Badge {
        id,
        file,
        text: issued.out,
    }
}

/// The code of a credential, as a table for a mail merge and as it is typed by who has the print.
fn codes(place: &Place<'_>, badge: &Badge) -> String {
    let hand_out = ["codes", "hand-out", "--from", "-"];
    let table = [&hand_out[..], &["--csv"]].concat();
    let table = place.run_with(&table, badge.id).exits(0).out;
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "credential,code,url");
    let [id, code, url] = rows[1].split(',').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((id, url), (badge.id, &*format!("{ORIGIN}/codes/{code}")));
    // Nobody stands behind the college yet, and that is what is told.
    let typed = code.replace('-', " ").to_lowercase();
    let told = place.run(&["codes", "look-up", &typed, "--json"]);
    assert_eq!(told.exits(1).json()["outcome"], "not-endorsed");
    // A slip is told without asking anybody, and what is not there as a failure.
    let slip = code.replacen(&code[..1], if code.starts_with('7') { "8" } else { "7" }, 1);
    place
        .run(&["codes", "look-up", &slip])
        .exits(2)
        .explains(&["a symbol is mistyped"]);
    place.run(&["codes", "withdraw", badge.id]).exits(0);
    place
        .run(&["codes", "look-up", code])
        .exits(2)
        .explains(&["No such verification code", "compare it with the paper"]);
    place
        .run(&["codes", "hand-out", badge.id, "urn:x:nobody"])
        .exits(2)
        .explains(&["urn:x:nobody: no credential with this id"]);
    let again = place.json(&["codes", "hand-out", badge.id]);
    let again = text(&again["codes"][0]["code"]);
    assert_ne!(again, code);
    again.to_owned()
}

/// From a file, standard input and a URL: good, then revoked by its id; and not known.
fn verify(folder: &Folder, place: &Place<'_>, badge: &Badge) {
    let file = badge.file.to_str().unwrap();
    let said = place.run(&["verify", file]).exits(0).out;
    assert!(said.starts_with("active: "), "{said}");
    place.run_with(&["verify", "-"], &badge.text).exits(0);
    place.run(&["verify", &shelf(&badge.text)]).exits(0);
    place.run(&["status", badge.id]).exits(0);

    let forged = badge.text.replace("Ada Okafor", "Eve Okafor");
    assert_ne!(forged, badge.text);
    // A forgery says nothing about the standing of what it was made from.
    let verdict = place
        .run_with(&["verify", "-", "--json"], &forged)
        .exits(2)
        .json();
    assert_eq!(verdict["verified"], json!(false), "{verdict}");

    place
        .run(&["revoke", badge.id, "--reason", "story"])
        .exits(0);
    place.run(&["status", badge.id]).exits(1);
    let verdict = place.run(&["verify", file, "--json"]).exits(1).json();
    assert_eq!(
        (&verdict["verified"], &verdict["outcome"]),
        (&json!(true), &json!("revoked"))
    );
    place.run_with(&["verify", "-"], &badge.text).exits(1);
    place.run(&["verify", &shelf(&badge.text)]).exits(1);

    let missing = folder.beside().join("missing.json");
    let missing = missing.to_str().unwrap();
    place
        .run(&["verify", missing])
        .exits(2)
        .explains(&[missing]);
    let twice = badge.text.replacen('{', "{\"name\":\"other\",", 1);
    place
        .run_with(&["verify", "-"], &twice)
        .exits(2)
        .explains(&["standard input", "name"]);
    place
        .run(&["verify", "http://127.0.0.1:1/none"])
        .exits(2)
        .explains(&["http://127.0.0.1:1/none"]);
}

/// A URL at which a document is answered, once.
fn shelf(document: &str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/vc\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{document}",
        document.len()
    );
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            head.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    format!("http://{address}/credential")
}

fn endorsements(place: &Place<'_>, college: &str) {
    let standing = ["endorsements", "--subject", ISSUER];
    place.run(&standing).exits(1);
    let endorse = [
        "endorse",
        ISSUER,
        "--endorser",
        ACCREDITOR,
        "--name",
        "Accredited",
        "--kind",
    ];
    let made = place.json(&[&endorse[..], &["profile", "--suspendable"]].concat());
    let id = text(&made["verifiableCredential"]["id"]);
    let seen = place
        .run(&[&standing[..], &["--json"]].concat())
        .exits(0)
        .json();
    assert_eq!(seen["results"][0]["endorsements"][0]["id"], id);
    assert_eq!(seen["results"][0]["endorsements"][0]["subject"], college);
    for (verb, outcome, status) in [
        ("suspend", "suspended", 1),
        ("reinstate", "active", 0),
        ("revoke", "revoked", 1),
    ] {
        let said = place
            .run(&[verb, id, "--reason", "story", "--json"])
            .exits(0)
            .json();
        assert_eq!(said["outcome"], outcome, "{said}");
        let said = place.run(&standing).exits(status).out;
        assert!(said.contains(outcome), "{outcome} is not in: {said}");
    }
    place.run(&["reinstate", id]).exits(2);
    // As a JWT it is told in the same words.
    let jwt = [&endorse[..], &["profile", "--securing", "vc+jwt"]].concat();
    let said = place.run(&jwt).exits(0).out;
    assert!(said.starts_with(&format!("endorsed {college}\n")), "{said}");
    let id = said.lines().find_map(|line| line.strip_prefix("id "));
    let id = id.expect("its id").trim();
    place.run(&standing).exits(0);
    place.run(&["revoke", id]).exits(0);
    place.run(&standing).exits(1);
    // A profile that is there is endorsed as what it is.
    place
        .run(&[&endorse[..], &["achievement"]].concat())
        .exits(2);
}

fn keys(folder: &Folder, place: &Place<'_>, badge: &Badge) {
    let listed = place.json(&["key", "list", ISSUER]);
    assert_eq!(listed["keys"].as_array().unwrap().len(), 1);
    let made = place.run(&["key", "new", ISSUER]).exits(0).out;
    assert!(made.contains("key-2"), "{made}");
    let listed = place.run(&["key", "list", ISSUER]).exits(0).out;
    assert!(
        listed.contains("key-1") && listed.contains("key-2"),
        "{listed}"
    );
    // Verifiers have to see the new key before it signs, so the old one cannot go yet.
    place
        .run(&["key", "retire", ISSUER, "key-1"])
        .exits(2)
        .explains(&["key"]);
    place.run(&["key", "retire", ISSUER, "key-2"]).exits(0);
    let since = "2026-01-01T00:00:00Z";
    place
        .run(&["key", "revoke", ISSUER, "key-1", "--since", since])
        .exits(0);
    let listed = place.run(&["key", "list", ISSUER]).exits(0).out;
    assert!(
        listed.contains(&format!("key-1  revoked since {since}")),
        "{listed}"
    );
    // What it signed is no longer good, while what is signed from now on is.
    let file = badge.file.to_str().unwrap();
    let verdict = place.run(&["verify", file, "--json"]);
    assert_eq!(verdict.json()["verified"], json!(false));
    assert_ne!(verdict.status, Some(0));
    let unsigned: Value = serde_json::from_str(&badge.text).unwrap();
    let mut unsigned = unsigned.as_object().unwrap().clone();
    unsigned.retain(|member, _| !matches!(member.as_str(), "proof" | "credentialStatus" | "id"));
    let again = folder.beside().join("again.json");
    let unsigned = Value::Object(unsigned).to_string();
    fs::write(
        &again,
        place.run_with(&["issue", "-"], &unsigned).exits(0).out,
    )
    .unwrap();
    place.run(&["verify", again.to_str().unwrap()]).exits(0);
}

fn tokens(place: &Place<'_>) {
    let made = place.json(&["token", "new", "--profile", ISSUER, "--expires-in", "1h"]);
    let (token, id) = (text(&made["token"]), text(&made["id"]));
    let create = ["list", "create", "--purpose", "refresh", "--issuer"];
    if let Place::Server(folder, server) = place {
        let here = server.url();
        let file = folder.beside().join("token");
        fs::write(&file, format!("{token}\n")).unwrap();
        let with_it = |args: &[&str]| {
            let mut command = program();
            command
                .args(args)
                .args(["--server", &here, "--token-file"])
                .arg(&file);
            run(&mut command, "")
        };
        with_it(&[&create[..], &[ISSUER]].concat()).exits(0);
        with_it(&[&create[..], &[ACCREDITOR]].concat())
            .exits(2)
            .explains(&["403"]);
        place.run(&["token", "revoke", "--", id]).exits(0);
        with_it(&[&create[..], &[ISSUER]].concat())
            .exits(2)
            .explains(&["401"]);
    } else {
        place.run(&["token", "revoke", "--", id]).exits(0);
    }
    place.run(&["token", "revoke", "--", id]).exits(2);
    let text = place.run(&["token"]).exits(0).out;
    assert!(
        text.contains("gst_") && text.contains("shown this once"),
        "{text}"
    );
}

/// `init` leaves a key that only its owner reads, and prints a token that it writes nowhere.
#[test]
fn init_prepares_a_folder_once() {
    let home = tempfile::TempDir::new().unwrap();
    let data = home.path().join("deep/data");
    let init = || {
        let mut command = program();
        command.arg("init").arg("--data").arg(&data);
        run(&mut command, "")
    };
    let done = init().exits(0);
    let mode = |file: &str| fs::metadata(data.join(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("master.key"), 0o600);
    let words: Vec<&str> = done.out.split_whitespace().collect();
    let tokens: Vec<&&str> = words
        .iter()
        .filter(|word| word.starts_with("gst_"))
        .collect();
    let [token] = tokens.as_slice() else {
        panic!("one token, once: {}", done.out);
    };
    assert!(done.out.contains("goodstanding serve"), "{}", done.out);
    let key = fs::read_to_string(data.join("master.key")).unwrap();
    assert!(!done.out.contains(key.trim()) && !done.err.contains(key.trim()));
    for file in files_below(&data) {
        let bytes = fs::read(&file).unwrap();
        let holds = |secret: &str| {
            bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
        };
        assert!(!holds(token), "{} holds the token", file.display());
        let is_key = file.ends_with("master.key");
        assert_eq!(holds(key.trim()), is_key, "{}", file.display());
    }

    init()
        .exits(2)
        .explains(&["holds a registry already", "goodstanding token"]);
    assert_eq!(fs::read_to_string(data.join("master.key")).unwrap(), key);
}

fn files_below(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false => found.push(path),
        }
    }
    found
}
