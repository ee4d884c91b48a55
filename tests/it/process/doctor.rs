//! What `goodstanding doctor` finds in a folder, that it changes nothing there, and the way out that it offers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::folder::Folder;
use super::program::{Ran, program, run};
use super::standing::{ISSUER, entries, list, profile, revocation};
use crate::support::files::copy_all;

fn doctor(folder: &Folder, more: &[&str]) -> Ran {
    let mut command = program();
    command.args(["doctor", "--json", "--data"]);
    run(command.arg(folder.data()).args(more), "")
}

/// What was found of one thing: how it is, and in which words.
#[track_caller]
fn found(ran: &Ran, of: &str) -> (String, String) {
    let said = ran.json();
    let findings = said["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["of"] == of);
    let finding = finding.unwrap_or_else(|| panic!("nothing of {of}: {said}"));
    let well = ["good"].contains(&finding["health"].as_str().unwrap());
    assert_eq!(well, finding["whatToDo"] == Value::Null, "{finding}");
    let text = |member: &str| finding[member].as_str().unwrap().to_owned();
    (text("health"), text("found"))
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => {
                found.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_folder_in_which_all_is_well_is_left_as_it_was() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let index = entries(&registry, &list, 1)[0];
    registry
        .post(&format!("{list}/updates"), &revocation(index))
        .json(200);

    // While it is served, the server is asked.
    let busy = doctor(&folder, &[]).exits(2);
    assert_eq!(found(&busy, "store").0, "unknown");
    let mut command = program();
    let said = run(command.args(["doctor", "--server", &server.url()]), "").exits(0);
    assert!(said.out.contains("the server is ready"), "{}", said.out);
    server.stop().in_order();

    let before = files(&folder.data());
    let well = doctor(&folder, &["--every-row"]).exits(0);
    assert_eq!(files(&folder.data()), before);
    assert_eq!(well.json()["healthy"], true);
    for of in [
        "store",
        "log",
        "counters",
        "anchor",
        "clock",
        "lists",
        "rows",
        "space",
        "master key",
    ] {
        assert_eq!(found(&well, of).0, "good", "{of}");
    }
    let mut command = program();
    let told = run(command.args(["doctor", "--data"]).arg(folder.data()), "").exits(0);
    assert!(told.out.ends_with("all is well\n"), "{}", told.out);
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let folder = Folder::prepared();
    let key = folder.data().join("master.key");
    let right = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let (health, said) = found(&doctor(&folder, &[]).exits(1), "master key");
    assert!(
        health == "wrong" && said.contains("cannot be read"),
        "{said}"
    );
    fs::write(&key, "0123456789abcdef".repeat(4)).unwrap();
    let (health, said) = found(&doctor(&folder, &[]).exits(1), "master key");
    assert!(health == "wrong" && said.contains("not the one"), "{said}");
    fs::write(&key, right).unwrap();

    let anchor = folder.data().join("anchor/anchor");
    let whole = fs::read(&anchor).unwrap();
    fs::remove_file(&anchor).unwrap();
    let (_, said) = found(&doctor(&folder, &[]).exits(1), "anchor");
    assert!(said.contains("anchor-missing"), "{said}");
    fs::write(&anchor, vec![7; whole.len()]).unwrap();
    let (_, said) = found(&doctor(&folder, &[]).exits(1), "anchor");
    assert!(said.contains("anchor-unreadable"), "{said}");
    fs::write(&anchor, whole).unwrap();

    let more = [
        "GOODSTANDING_STORE__KEEP_FREE_BYTES",
        "GOODSTANDING_PUBLIC_URL",
    ];
    for (name, value, of) in [
        (more[0], "9000000000000000", "space"),
        (more[1], "https://other.example", "store"),
    ] {
        let mut command = program();
        command
            .env(name, value)
            .args(["doctor", "--json", "--data"]);
        let ran = run(command.arg(folder.data()), "");
        // The origin is recorded with the first profile, and there is none.
        match of {
            "space" => assert_eq!(found(&ran.exits(1), of).0, "wrong"),
            _ => assert_eq!(found(&ran.exits(0), of).0, "good"),
        }
    }
    doctor(&folder, &[]).exits(0);

    fs::rename(folder.data().join("store"), folder.beside().join("away")).unwrap();
    let (_, said) = found(&doctor(&folder, &[]).exits(1), "store");
    assert!(said.contains("there is no store"), "{said}");
}

#[test]
fn an_older_copy_of_the_store_is_noticed_and_taken_only_by_a_decision() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    profile(&folder.operator(&server), ISSUER, "issuer");
    server.stop().in_order();
    let (store, older) = (folder.data().join("store"), folder.beside().join("older"));
    copy_all(&store, &older);
    let server = folder.serve(&[]);
    list(&folder.operator(&server), ISSUER);
    server.stop().in_order();
    fs::remove_dir_all(&store).unwrap();
    copy_all(&older, &store);

    let (health, said) = found(&doctor(&folder, &[]).exits(1), "anchor");
    assert!(
        health == "wrong" && said.contains("behind-anchor"),
        "{said}"
    );
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    assert_eq!(
        registry.get("/health/ready").json(503)["state"],
        "behind-anchor"
    );
    registry
        .get(&format!("/profiles/{ISSUER}/did.json"))
        .json(200);
    let mut command = program();
    let said = run(command.args(["doctor", "--server", &server.url()]), "").exits(1);
    assert!(
        said.out.contains("behind-anchor") && said.out.contains("to do"),
        "{}",
        said.out
    );
    server.stop().in_order();

    doctor(&folder, &["--accept-store"])
        .exits(2)
        .explains(&["--yes"]);
    assert_eq!(found(&doctor(&folder, &[]).exits(1), "anchor").0, "wrong");
    let taken = doctor(&folder, &["--accept-store", "--yes"]).exits(0);
    assert!(
        found(&taken, "decision").1.contains("epoch 1"),
        "{}",
        taken.out
    );
    assert_eq!(found(&taken, "anchor").0, "good");
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    registry.get("/health/ready").json(200);
    list(&registry, ISSUER);
    server.stop().in_order();
    doctor(&folder, &[]).exits(0);
}
