//! Another master key takes the place of the one in use: by the command line in a folder, through
//! a server that goes on signing, and from the environment.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::client::Client;
use super::folder::Folder;
use super::place::Place;
use super::program::{program, run};
use super::standing::{ISSUER, profile};

const NEXT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ROTATE: &str = "/master-key/rotate";

fn key_file(folder: &Folder) -> PathBuf {
    folder.data().join("master.key")
}

fn next_file(folder: &Folder) -> PathBuf {
    folder.data().join("master.key.next")
}

fn provide(folder: &Folder, text: &str, mode: u32) {
    fs::write(next_file(folder), text).unwrap();
    fs::set_permissions(next_file(folder), fs::Permissions::from_mode(mode)).unwrap();
}

/// Issues a credential, and holds it against the verifier of the same registry.
#[track_caller]
fn issues(registry: &Client, id: &str) {
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": id,
        "credentialSubject": { "id": "did:example:holder" },
    });
    let issued = registry.post("/credentials/issue", &json!({ "credential": credential }));
    let issued = issued.json(201)["verifiableCredential"].take();
    let question = json!({ "verifiableCredential": issued });
    let report = registry.post("/credentials/verify", &question).json(200);
    assert_eq!(report["verified"], true, "{report}");
}

/// A server over this folder with the key of this text, which has to refuse whatever it would have to
/// open.
#[track_caller]
fn refuses(folder: &Folder, key: &str) {
    let server = folder.serve(&[("GOODSTANDING_MASTER_KEY", key.trim())]);
    let problem = folder.operator(&server).get("/health/ready").json(503);
    assert_eq!(problem["state"], "master-key-wrong", "{problem}");
    server.stop().in_order();
}

fn ready(registry: &Client) -> Value {
    registry.get("/health/ready").json(200)
}

#[test]
fn in_a_folder_the_next_one_is_made_and_takes_the_place() {
    let folder = Folder::prepared();
    let here = Place::Folder(&folder);
    here.run(&[
        "profile", "create", ISSUER, "--name", "Acme", "--role", "issuer",
    ])
    .exits(0);
    let earlier = fs::read_to_string(key_file(&folder)).unwrap();
    let done = here.json(&["key", "rotate-master"]);
    assert_eq!(done["inUse"], "now");
    let next = fs::read_to_string(key_file(&folder)).unwrap();
    assert_ne!(next, earlier);
    let mode = key_file(&folder).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!next_file(&folder).exists());
    assert!(!done.to_string().contains(next.trim()));
    refuses(&folder, &earlier);
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    issues(
        &registry,
        &format!("did:web:registry.example:profiles:{ISSUER}"),
    );
    // Once more, to a third one.
    server.stop().in_order();
    let said = here.run(&["key", "rotate-master"]).exits(0);
    let replaced = done["masterKey"].as_str().unwrap();
    assert!(
        said.out
            .contains(&format!("{replaced} opens nothing any more")),
        "{}",
        said.out
    );
    refuses(&folder, &next);
    folder.serve(&[]).stop().in_order();
}

#[test]
fn a_server_goes_on_signing_meanwhile() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    let id = profile(&registry, ISSUER, "issuer");
    let earlier = fs::read_to_string(key_file(&folder)).unwrap();
    // What is missing, or no secret, changes nothing.
    let refused = || {
        let problem = registry.post(ROTATE, &json!({})).json(409);
        assert_eq!(problem["type"], "urn:goodstanding:problem:master-key-place");
        problem["detail"].as_str().unwrap().to_owned()
    };
    let said = refused();
    assert!(
        said.contains("master.key.next") && said.contains("umask 077"),
        "{said}"
    );
    for (text, mode, words) in [
        (NEXT, 0o644, "chmod 600"),
        (&NEXT[1..], 0o600, "32 bytes"),
        (&earlier, 0o600, "is the one in use"),
    ] {
        provide(&folder, text, mode);
        let said = refused();
        assert!(said.contains(words) && !said.contains(&NEXT[1..]), "{said}");
    }
    assert_eq!(fs::read_to_string(key_file(&folder)).unwrap(), earlier);

    let over = AtomicBool::new(false);
    let (registry, id, over) = (&registry, &id, &over);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(move || {
                    let mut issued = 0;
                    while !over.load(Ordering::SeqCst) {
                        issues(registry, id);
                        issued += 1;
                    }
                    issued
                })
            })
            .collect();
        let mut present = String::new();
        for turn in 1..=5 {
            provide(&folder, &NEXT.replacen('0', &turn.to_string(), 1), 0o600);
            let done = registry.post(ROTATE, &json!({})).json(200);
            assert_eq!(done["inUse"], "now");
            assert!(turn == 1 || done["replaced"] == present.as_str());
            present = done["masterKey"].as_str().unwrap().to_owned();
            issues(registry, id);
        }
        over.store(true, Ordering::SeqCst);
        let issued: u32 = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .sum();
        assert!(issued > 0);
    });
    assert_eq!(ready(registry), json!({ "status": "ready" }));
    server.stop().in_order();
    refuses(&folder, &earlier);
    refuses(&folder, &NEXT.replacen('0', "4", 1));
    let server = folder.serve(&[]);
    issues(&folder.operator(&server), id);
}

#[test]
fn from_the_environment_the_first_start_with_the_next_one_takes_it_up() {
    let folder = Folder::prepared();
    let earlier = fs::read_to_string(key_file(&folder)).unwrap();
    fs::remove_file(key_file(&folder)).unwrap();
    let given = |key, next: Option<&'static str>| {
        let mut settings = vec![("GOODSTANDING_MASTER_KEY", key)];
        settings.extend(next.map(|next| ("GOODSTANDING_MASTER_KEY_NEXT", next)));
        folder.serve(&settings)
    };
    let server = given(earlier.trim(), None);
    let registry = folder.operator(&server);
    let id = profile(&registry, ISSUER, "issuer");
    let problem = registry.post(ROTATE, &json!({})).json(409);
    let said = problem["detail"].as_str().unwrap();
    assert!(said.contains("GOODSTANDING_MASTER_KEY_NEXT"), "{said}");
    server.stop().in_order();

    let server = given(earlier.trim(), Some(NEXT));
    let registry = folder.operator(&server);
    let done = registry.post(ROTATE, &json!({})).json(200);
    assert_eq!(done["inUse"], "at-next-start");
    issues(&registry, &id);
    server.stop().in_order();
    // With the earlier one until then, and with the next one from then on.
    for key in [earlier.trim(), NEXT] {
        let server = given(key, None);
        issues(&folder.operator(&server), &id);
        server.stop().in_order();
    }
    refuses(&folder, &earlier);
}

/// What a crash leaves behind: both keys open the store, and the next one lies beside the present
/// one, or in its place already.
#[test]
fn a_start_goes_on_with_a_rotation_that_was_begun() {
    for in_place in [false, true] {
        let folder = Folder::prepared();
        let earlier = fs::read_to_string(key_file(&folder)).unwrap();
        let server = folder.serve(&[("GOODSTANDING_MASTER_KEY_NEXT", NEXT)]);
        let registry = folder.operator(&server);
        let id = profile(&registry, ISSUER, "issuer");
        let begun = registry.post(ROTATE, &json!({})).json(200);
        assert_eq!(begun["inUse"], "at-next-start");
        server.stop().in_order();
        provide(&folder, NEXT, 0o600);
        if in_place {
            fs::rename(next_file(&folder), key_file(&folder)).unwrap();
        }
        let server = folder.serve(&[]);
        issues(&folder.operator(&server), &id);
        server.stop().in_order();
        assert_eq!(fs::read_to_string(key_file(&folder)).unwrap(), NEXT);
        assert!(!next_file(&folder).exists());
        refuses(&folder, &earlier);
    }
}

#[test]
fn a_key_that_was_replaced_by_hand_shows_before_the_next_start() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let registry = Client::new(server.url(), None);
    assert_eq!(ready(&registry), json!({ "status": "ready" }));
    let right = fs::read_to_string(key_file(&folder)).unwrap();
    for wrong in [Some(NEXT), Some("nothing of the kind"), None] {
        match wrong {
            Some(text) => fs::write(key_file(&folder), text).unwrap(),
            None => fs::remove_file(key_file(&folder)).unwrap(),
        }
        let said = ready(&registry);
        let warned = &said["warnings"][0];
        let name = ["master-key-missing", "master-key-wrong"][usize::from(wrong == Some(NEXT))];
        assert_eq!(warned["state"], name, "{said}");
        assert!(
            warned["detail"]
                .as_str()
                .unwrap()
                .contains("the next start")
        );
        assert!(!said.to_string().contains(folder.data().to_str().unwrap()));
    }
    fs::write(key_file(&folder), right).unwrap();
    assert_eq!(ready(&registry), json!({ "status": "ready" }));
}

#[test]
fn it_is_explained() {
    let said = run(program().args(["key", "rotate-master", "--help"]), "").exits(0);
    assert!(said.out.contains(".next"), "{}", said.out);
}
