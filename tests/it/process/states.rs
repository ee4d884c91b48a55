//! What the program does in each state in which no changes are taken: what was signed is served, changes are
//! refused by name, and when it is over they are taken again with nothing lost.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::Client;
use super::folder::Folder;
use super::program::{program, run};
use super::server::{PATIENCE, Server};
use super::signed_list::SignedList;
use super::standing::{ISSUER, entries, list, profile, revocation};

const WRONG: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The states that readiness names, by their names.
fn states(registry: &Client) -> Vec<String> {
    let answer = registry.get("/health/ready");
    let members: Value = serde_json::from_slice(&answer.body).unwrap();
    let named = members["states"]
        .as_array()
        .or(members["warnings"].as_array());
    let named = named.cloned().unwrap_or_default();
    let name = |state: &Value| state["state"].as_str().unwrap().to_owned();
    named.iter().map(name).collect()
}

/// Waits until readiness names these states.
fn await_states(registry: &Client, expected: &[&str]) {
    let deadline = Instant::now() + PATIENCE;
    while states(registry) != expected {
        assert!(
            Instant::now() < deadline,
            "{:?}, not {expected:?}",
            states(registry)
        );
        thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn read_only(registry: &Client, (path, body): (&str, &Value), state: &str) {
    let problem = registry.post(path, body).json(503);
    assert_eq!(
        problem["type"], "urn:goodstanding:problem:read-only",
        "{problem}"
    );
    assert_eq!(problem["state"], state);
}

#[test]
fn without_its_master_key_a_registry_serves_what_it_signed_and_changes_nothing() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let index = entries(&registry, &list, 1)[0];
    let updates = format!("{list}/updates");
    registry.post(&updates, &revocation(index)).json(200);
    server.stop().in_order();
    folder.serve(&[]).stop().in_order();

    let key = folder.data().join("master.key");
    let right = fs::read_to_string(&key).unwrap();
    for (text, state) in [
        (None, "master-key-missing"),
        (Some(WRONG), "master-key-wrong"),
    ] {
        match text {
            None => fs::remove_file(&key).unwrap(),
            Some(text) => fs::write(&key, text).unwrap(),
        }
        let server = folder.serve(&[]);
        let registry = folder.operator(&server);
        assert_eq!(states(&registry), [state]);
        let problem = registry.get("/health/ready").json(503).to_string();
        assert!(
            !problem.contains(folder.data().to_str().unwrap()),
            "{problem}"
        );
        assert!(!problem.contains("master.key"), "{problem}");
        // What was signed before, and what nothing has to be signed for.
        assert!(SignedList::fetch(&registry, &list).is_set(index));
        registry
            .get(&format!("/profiles/{ISSUER}/did.json"))
            .json(200);
        let asked = format!("/status?list=https://registry.example{list}&index={index}");
        assert_eq!(registry.get(&asked).json(200)["outcome"], "revoked");
        // A change, a change that makes a key, and what is signed without being kept.
        let credential = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": format!("did:web:registry.example:profiles:{ISSUER}"),
            "credentialSubject": { "id": "did:example:holder" },
        });
        let open = json!({ "issuer": ISSUER, "statusPurpose": "suspension" });
        let keys = format!("/profiles/{ISSUER}/keys");
        for asked in [
            ("/status-lists", &open),
            (&*keys, &json!({})),
            ("/master-key/rotate", &json!({})),
            ("/credentials/issue", &json!({ "credential": credential })),
        ] {
            read_only(&registry, asked, state);
        }
        let ended = server.stop();
        ended.in_order();
        assert_eq!(
            ended.err.matches("changes are refused").count(),
            1,
            "{}",
            ended.err
        );
        assert!(!ended.err.contains("request failed"), "{}", ended.err);
        // Who works on the folder itself hears of it at once.
        let mut command = program();
        command.args([
            "list",
            "create",
            "--issuer",
            ISSUER,
            "--purpose",
            "suspension",
        ]);
        command.arg("--data");
        run(command.arg(folder.data()), "")
            .exits(2)
            .explains(&["master key"]);
    }
    fs::write(&key, right).unwrap();
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    assert_eq!(states(&registry), [""; 0]);
    let open = json!({ "issuer": ISSUER, "statusPurpose": "suspension" });
    registry.post("/status-lists", &open).json(201);
    server.stop().in_order();
}

#[test]
fn an_empty_folder_without_a_master_key_is_still_refused() {
    let home = TempDir::new().unwrap();
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    match Server::try_start(command.arg(home.path())) {
        Err(ended) => assert!(ended.err.contains("master key"), "{}", ended.err),
        Ok(server) => panic!("it serves: {}", server.greeting),
    }
    assert!(!home.path().join("store").exists());
}

/// A disk of a size of its own, in memory; `None` where this user may not have one.
struct SmallDisk {
    home: Option<TempDir>,
    at: PathBuf,
}

impl SmallDisk {
    fn of(megabytes: u64) -> Option<(Self, TempDir)> {
        let above = TempDir::new().unwrap();
        let home = TempDir::new_in(above.path()).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"]);
        let mounted = mount.arg(home.path()).output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            eprintln!("SKIPPED: this user cannot mount a small disk, so that none was filled");
            return None;
        }
        let at = home.path().to_owned();
        let disk = Self {
            home: Some(above),
            at,
        };
        Some((disk, home))
    }

    fn free(&self) -> u64 {
        goodstanding::store::rocks::space::free_bytes(&self.at).unwrap()
    }

    /// Fills the disk up to so many bytes; to the last one where that is none.
    fn fill_up_to(&self, left: u64) {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.at.join("others"));
        let mut file = file.unwrap();
        let zeros = vec![0; 1 << 16];
        let pieces = self.free().saturating_sub(left) / zeros.len() as u64;
        for _ in 0..pieces + u64::from(left == 0) {
            // The disk may be full before.
            if file.write_all(&zeros).is_err() {
                return;
            }
        }
    }

    fn clear(&self) {
        fs::remove_file(self.at.join("others")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
        drop(self.home.take());
    }
}

/// The engine takes as much of the disk for its log at once as it gathers in memory.
const WRITTEN_OUT_SOON: (&str, &str) = ("GOODSTANDING_STORE__WRITE_BUFFER_BYTES", "1048576");

const PUBLISHED_FIRST: (&str, &str) = ("GOODSTANDING_LISTS__PUBLISH_DELAY_MS", "0");

fn reserve(data: &Path) -> bool {
    data.join("store/RESERVE").exists()
}

#[test]
fn on_a_full_disk_changes_are_refused_and_go_on_when_there_is_room() {
    let Some((disk, home)) = SmallDisk::of(96) else {
        return;
    };
    let settings = [
        ("GOODSTANDING_STORE__KEEP_FREE_BYTES", "20000000"),
        ("GOODSTANDING_STORE__RESERVE_BYTES", "8388608"),
        PUBLISHED_FIRST,
        WRITTEN_OUT_SOON,
    ];
    let folder = Folder::prepared_in(home, &settings);
    let server = folder.serve(&settings);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let updates = format!("{list}/updates");
    let indexes = entries(&registry, &list, 3);
    registry.post(&updates, &revocation(indexes[0])).json(200);
    assert!(reserve(&folder.data()));

    disk.fill_up_to(15_000_000);
    await_states(&registry, &["disk-full"]);
    let revoke = revocation(indexes[1]);
    read_only(&registry, (&updates, &revoke), "disk-full");
    assert!(reserve(&folder.data()), "there is no need of it yet");
    assert!(SignedList::fetch(&registry, &list).is_set(indexes[0]));

    disk.clear();
    await_states(&registry, &[]);
    registry.post(&updates, &revoke).json(200);

    // All but full: what was set aside is given up, and a start on such a disk works.
    disk.fill_up_to(1_000_000);
    let deadline = Instant::now() + PATIENCE;
    while reserve(&folder.data()) {
        assert!(Instant::now() < deadline, "it is kept");
        assert_eq!(states(&registry), ["disk-full"]);
        thread::sleep(Duration::from_millis(20));
    }
    let ended = server.stop();
    ended.in_order();
    assert!(ended.err.contains("this state is over"), "{}", ended.err);
    let server = folder.serve(&settings);
    let registry = folder.operator(&server);
    assert_eq!(states(&registry), ["disk-full"]);
    let revoke = revocation(indexes[2]);
    read_only(&registry, (&updates, &revoke), "disk-full");
    let signed = SignedList::fetch(&registry, &list);
    assert!(signed.is_set(indexes[0]) && signed.is_set(indexes[1]));

    disk.clear();
    await_states(&registry, &[]);
    assert!(reserve(&folder.data()));
    registry.post(&updates, &revoke).json(200);
    server.stop().in_order();
}

/// With nothing kept free changes are taken until a write fails. Then nobody knows what became of it, and
/// only of it.
#[test]
fn a_disk_that_is_filled_to_the_last_byte_loses_nothing() {
    let Some((disk, home)) = SmallDisk::of(64) else {
        return;
    };
    let settings = [
        ("GOODSTANDING_STORE__KEEP_FREE_BYTES", "0"),
        ("GOODSTANDING_STORE__RESERVE_BYTES", "16777216"),
        WRITTEN_OUT_SOON,
        PUBLISHED_FIRST,
    ];
    let folder = Folder::prepared_in(home, &settings);
    let mut server = folder.serve(&settings);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let updates = format!("{list}/updates");
    let indexes = entries(&registry, &list, 2_000);
    let mut acknowledged = Vec::new();
    let mut unknown = None;
    let mut indexes = indexes.into_iter();
    for index in indexes.by_ref() {
        // Others take whatever the store gives back.
        disk.fill_up_to(0);
        let answer = registry.post(&updates, &revocation(index));
        if answer.status == 200 {
            acknowledged.push(index);
            continue;
        }
        let problem = answer.json(503);
        unknown = Some((index, problem["type"].as_str().unwrap().to_owned()));
        break;
    }
    let (in_doubt, problem) = unknown.expect("the disk is full before that");
    assert!(!acknowledged.is_empty());
    assert!(
        ["outcome-unknown", "read-only"]
            .iter()
            .any(|kind| problem.ends_with(kind)),
        "{problem}"
    );
    assert_eq!(states(&registry), ["write-failed"]);
    let next = revocation(indexes.next().expect("there are more"));
    read_only(&registry, (&updates, &next), "write-failed");
    server.kill();
    assert!(
        !reserve(&folder.data()),
        "it was given up for the next start"
    );

    disk.fill_up_to(8 << 20);
    let server = folder.serve(&settings);
    let registry = folder.operator(&server);
    assert_eq!(
        states(&registry),
        ["disk-full"],
        "what is set aside is to be there again first"
    );
    for index in &acknowledged {
        let asked = format!("/status?list=https://registry.example{list}&index={index}");
        assert_eq!(registry.get(&asked).json(200)["outcome"], "revoked");
    }
    disk.clear();
    await_states(&registry, &[]);
    registry.post(&updates, &revocation(in_doubt)).json(200);
    let signed = SignedList::fetch(&registry, &list);
    assert!(acknowledged.iter().all(|index| signed.is_set(*index)));
    assert!(signed.is_set(in_doubt) && signed.count() == acknowledged.len() + 1);
    server.stop().in_order();
}
