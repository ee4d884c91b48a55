//! `goodstanding publish` as those meet it who keep an edge: what is in the folder is what the registry
//! serves, it stays so, and what is wrong is said.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::folder::Folder;
use super::program::{Ran, program, run};
use super::server::{PATIENCE, Server};

/// A registry that serves lists in every form.
pub(super) struct Lists {
    pub(super) folder: Folder,
    pub(super) server: Server,
    pub(super) operator: Client,
    /// May read the audit trail, and nothing else.
    pub(super) auditor: String,
    /// The path of a list in every form.
    pub(super) all_forms: String,
    /// The path of one that is a credential alone.
    pub(super) alone: String,
}

impl Lists {
    pub(super) fn opened() -> Self {
        let folder = Folder::prepared();
        let server = folder.serve(&[]);
        let operator = folder.operator(&server);
        let school = json!({ "slug": "school", "name": "School", "roles": ["issuer"] });
        operator.post("/profiles", &school).json(201);
        let open = |formats: &[&str]| {
            let list =
                json!({ "issuer": "school", "statusPurpose": "revocation", "formats": formats });
            path_of(&operator.post("/status-lists", &list).json(201)["id"])
        };
        let all_forms = open(&["bitstring", "token", "2021"]);
        let alone = open(&["bitstring"]);
        let token = json!({ "role": "auditor", "expiresIn": 86_400 });
        let made = operator.post("/tokens", &token).json(201);
        let auditor = made["token"].as_str().unwrap().to_owned();
        Self {
            folder,
            server,
            operator,
            auditor,
            all_forms,
            alone,
        }
    }

    /// Revokes the next entry of a list, and waits until the list that shows it is signed.
    pub(super) fn revokes(&self, list: &str) {
        let before = self.operator.get(list).header("etag").to_owned();
        let entries = self
            .operator
            .post(&format!("{list}/entries"), &json!({ "count": 1 }))
            .json(200);
        let index = entries["entries"][0]["statusListIndex"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap();
        let updates = json!({ "updates": [{ "index": index, "status": 1 }] });
        self.operator
            .post(&format!("{list}/updates"), &updates)
            .json(200);
        until("the list is signed", || {
            self.operator.get(list).header("etag") != before
        });
    }

    pub(super) fn publish(&self, target: &str, more: &[&str]) -> Ran {
        let mut command = program();
        command.args(["publish", target, "--json", "--server", &self.server.url()]);
        command.args(more).env("GOODSTANDING_TOKEN", &self.auditor);
        run(&mut command, "")
    }

    pub(super) fn target(&self) -> String {
        self.folder.beside().join("edge").display().to_string()
    }
}

pub(super) fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap();
    url.strip_prefix(super::folder::ORIGIN).unwrap().to_owned()
}

pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A publisher that follows, ended when it is dropped.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn body(target: &str, name: &str) -> Vec<u8> {
    fs::read(
        Path::new(target)
            .join(name.trim_start_matches('/'))
            .join("body"),
    )
    .unwrap_or_default()
}

#[test]
fn a_folder_has_what_the_registry_serves_and_only_news_is_written() {
    let lists = Lists::opened();
    let target = lists.target();
    let told = lists.publish(&target, &[]).exits(0).json();
    // Five forms of one list and two of the other, some of them also compressed; documents and keys.
    assert_eq!(told["lists"], 2, "{told}");
    assert!(told["written"].as_u64().unwrap() >= 9, "{told}");
    assert_eq!(told["refused"], json!([]));
    let served = lists.operator.get(&lists.all_forms);
    assert_eq!(
        body(&target, &format!("{}/vc", lists.all_forms)),
        served.body
    );
    let document = lists.operator.get("/profiles/school/did.json");
    assert_eq!(
        body(&target, "profiles/school/did.json/json"),
        document.body
    );

    let again = lists.publish(&target, &[]).exits(0).json();
    assert_eq!(again["written"], 0, "{again}");
    lists.revokes(&lists.alone);
    let after = lists.publish(&target, &[]).exits(0).json();
    let written = after["written"].as_u64().unwrap();
    assert!((2..=4).contains(&written), "the forms of one list: {after}");
    let served = lists.operator.get(&lists.alone);
    assert_eq!(body(&target, &format!("{}/vc", lists.alone)), served.body);

    // The same into a fresh folder while no server runs.
    let Lists { folder, server, .. } = lists;
    server.stop().in_order();
    let offline = folder.beside().join("offline");
    let mut command = program();
    command
        .arg("publish")
        .arg(&offline)
        .arg("--json")
        .arg("--data")
        .arg(folder.data());
    let told = run(&mut command, "").exits(0).json();
    assert_eq!(told["lists"], 2);
    for entry in ["vc", "jwt"] {
        let name = format!("{}/{entry}", lists.all_forms);
        assert_eq!(
            body(&offline.display().to_string(), &name),
            body(&target, &name),
            "{name}"
        );
    }
}

#[test]
fn what_is_published_while_it_follows_is_there_in_a_moment_and_after_a_kill_too() {
    let lists = Lists::opened();
    let target = lists.target();
    let follow = || {
        let mut command = program();
        command.args([
            "publish",
            &target,
            "--follow",
            "--server",
            &lists.server.url(),
        ]);
        command.env("GOODSTANDING_TOKEN", &lists.auditor);
        Following(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    };
    let is_there = || {
        let served = lists.operator.get(&lists.all_forms);
        body(&target, &format!("{}/vc", lists.all_forms)) == served.body
    };
    let following = follow();
    until("the first pass", is_there);
    lists.revokes(&lists.all_forms);
    until("the change", is_there);
    let second = lists.publish(&target, &[]).exits(2);
    assert!(
        second.err.contains("another goodstanding publishes into"),
        "{}",
        second.err
    );

    drop(following);
    lists.revokes(&lists.all_forms);
    let _following = follow();
    until("what was published meanwhile", is_there);
    let list = json!({ "issuer": "school", "statusPurpose": "suspension" });
    let opened = path_of(&lists.operator.post("/status-lists", &list).json(201)["id"]);
    until("a list that is new", || {
        !body(&target, &format!("{opened}/vc")).is_empty()
    });
}

#[test]
fn nothing_newer_is_replaced_and_what_is_no_list_here_is_taken_away() {
    let lists = Lists::opened();
    let target = lists.target();
    lists.publish(&target, &[]).exits(0);
    let link = Path::new(&target)
        .join(lists.alone.trim_start_matches('/'))
        .join("vc");
    let about_file = link.join("about.json");
    let mut about: Value = serde_json::from_slice(&fs::read(&about_file).unwrap()).unwrap();
    about["edition"]["generation"] = 1_000_000.into();
    about["edition"]["published"] = 4_102_444_800_000_i64.into();
    about["edition"]["ends"] = 4_102_444_900_000_i64.into();
    fs::write(&about_file, about.to_string()).unwrap();
    let before = body(&target, &format!("{}/vc", lists.alone));
    lists.revokes(&lists.alone);
    let told = lists.publish(&target, &[]).exits(0).json();
    assert!(told["newerThere"].as_u64().unwrap() >= 1, "{told}");
    assert_eq!(body(&target, &format!("{}/vc", lists.alone)), before);

    // One that another registry of this name had, and one that has ended.
    let strange = Path::new(&target).join("status-lists/000000g123456789abc0");
    fs::create_dir_all(strange.join("vc@x@60@-@00")).unwrap();
    std::os::unix::fs::symlink("vc@x@60@-@00", strange.join("vc")).unwrap();
    about["edition"]["ends"] = 1_000.into();
    fs::write(&about_file, about.to_string()).unwrap();
    let told = lists.publish(&target, &[]).exits(0).json();
    assert!(told["takenAway"].as_u64().unwrap() >= 2, "{told}");
    assert!(!strange.exists() && !link.exists());
    // What is right is put there by the next pass.
    lists.publish(&target, &[]).exits(0);
    assert_eq!(
        body(&target, &format!("{}/vc", lists.alone)),
        lists.operator.get(&lists.alone).body
    );
}

#[test]
fn what_cannot_be_done_is_said() {
    let lists = Lists::opened();
    let full = lists.folder.beside().join("full");
    fs::create_dir_all(full.join("photos")).unwrap();
    let refused = lists.publish(&full.display().to_string(), &[]).exits(2);
    refused.explains(&["holds something else", "a folder of its own"]);
    let usage = lists.publish("ftp://h/x", &[]).exits(2);
    usage.explains(&["neither a folder nor s3://"]);

    let mut command = program();
    command.args([
        "publish",
        &lists.target(),
        "--patience",
        "0",
        "--server",
        &lists.server.url(),
    ]);
    // Without a token nobody is told which lists there are.
    run(&mut command, "").exits(2).explains(&["/published"]);

    let Lists { folder, server, .. } = lists;
    let url = server.url();
    drop(server);
    let mut command = program();
    let target = folder.beside().join("none");
    command
        .arg("publish")
        .arg(&target)
        .args(["--patience", "1", "--server", &url]);
    run(&mut command, "")
        .exits(2)
        .explains(&["nothing answers at", "trying again"]);
    // A folder that is another registry's.
    let other = Folder::prepared();
    let remembered = folder.beside().join("edge/.goodstanding.json");
    fs::create_dir_all(remembered.parent().unwrap()).unwrap();
    fs::write(folder.beside().join("edge/.publishing"), "").unwrap();
    let words = json!({ "format": 1, "registry": "https://elsewhere.example", "event": 0 });
    fs::write(&remembered, words.to_string()).unwrap();
    let mut command = program();
    command
        .arg("publish")
        .arg(folder.beside().join("edge"))
        .arg("--data")
        .arg(other.data());
    // It has no list, and is asked nothing else first.
    run(&mut command, "")
        .exits(2)
        .explains(&["https://elsewhere.example"]);
}
