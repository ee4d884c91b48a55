//! Development mode, as a newcomer meets it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::Client;
use super::program::{Ran, program, run};
use super::server::{Server, start_on_a_free_port};

fn serve(home: &Path, port: u16) -> Command {
    let mut command = program();
    command.current_dir(home);
    command.args(["serve", "--dev", "--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--data", "data"]);
    if !cfg!(feature = "rocksdb") {
        command.env("GOODSTANDING_STORE__ENGINE", "memory");
    }
    command
}

/// The commands that the greeting says to try.
fn suggested(server: &Server) -> Vec<String> {
    let indented = |line: &&str| line.starts_with("  ");
    let lines = server.greeting.lines().filter(indented);
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Does what a suggestion says, with the program for its name and a client for curl.
fn tried(home: &Path, suggestion: &str) -> Ran {
    let mut words = suggestion.split(' ');
    match words.next() {
        Some("goodstanding") => run(program().current_dir(home).args(words), ""),
        Some("curl") => {
            let url = words.next().unwrap();
            let reply = Client::new(url.to_owned(), None).get("");
            Ran {
                status: Some(i32::from(reply.status != 200)),
                out: String::from_utf8(reply.body).unwrap(),
                err: String::new(),
            }
        }
        _ => panic!("who does that? {suggestion}"),
    }
}

#[test]
fn what_the_greeting_says_to_try_works() {
    let home = TempDir::new().unwrap();
    let server = start_on_a_free_port(|port| serve(home.path(), port));
    let suggestions = suggested(&server);
    let of = |word: &str| {
        let found = suggestions
            .iter()
            .find(|suggestion| suggestion.contains(word));
        found.unwrap_or_else(|| panic!("{word} is not in {}", server.greeting))
    };
    assert_eq!(suggestions.len(), 5, "{}", server.greeting);
    let good = tried(home.path(), of("good.json")).exits(0).out;
    assert!(good.starts_with("active: "), "{good}");
    let revoked = tried(home.path(), of("revoked.json")).exits(1).out;
    assert!(revoked.starts_with("revoked: "), "{revoked}");
    let stands = tried(home.path(), of(" standing ")).exits(0).out;
    assert!(stands.contains("endorsed by the trust anchor"), "{stands}");
    let endorsed = tried(home.path(), of("endorsements")).exits(0).out;
    assert!(endorsed.contains("demo-accreditor"), "{endorsed}");
    let listed = tried(home.path(), of("curl")).exits(0).out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["profiles"].as_array().unwrap().len(), 2);
    let client = Client::new(server.url(), None);
    for page in ["/", "/docs"] {
        assert_eq!(client.get(page).status, 200, "{page}");
    }
    // The issuer's id is the did:web of this very port.
    let did = format!(
        "did:web:localhost%3A{}:profiles:demo-issuer",
        server.address.port()
    );
    let document = client.get("/profiles/demo-issuer/did.json").json(200);
    assert_eq!(document["id"], did);
    // A change needs no token.
    let body = json!({ "slug": "mine", "name": "Mine", "roles": ["issuer"] });
    client.post("/profiles", &body).json(201);
    server.stop().in_order();
}

#[test]
fn only_this_machine_is_listened_to() {
    let home = TempDir::new().unwrap();
    let refused = |command: &mut Command| match Server::try_start(command) {
        Ok(server) => panic!("it serves: {}", server.greeting),
        Err(ended) => {
            assert_eq!(ended.status.code(), Some(2), "{}", ended.err);
            assert!(ended.err.contains("loopback"), "{}", ended.err);
        }
    };
    for address in ["0.0.0.0:0", "[::]:0"] {
        let mut command = program();
        command.current_dir(home.path());
        refused(command.args(["serve", "--dev", "--listen", address]));
        let mut command = program();
        command
            .current_dir(home.path())
            .env("GOODSTANDING_LISTEN", address);
        refused(command.args(["serve", "--dev"]));
    }
    let left: Vec<PathBuf> = home
        .path()
        .read_dir()
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[cfg(feature = "rocksdb")]
#[test]
fn a_second_start_goes_on_with_the_same_data() {
    let home = TempDir::new().unwrap();
    let server = start_on_a_free_port(|port| serve(home.path(), port));
    let port = server.address.port();
    let client = Client::new(server.url(), None);
    let body = json!({ "slug": "mine", "name": "Mine", "roles": ["issuer"] });
    client.post("/profiles", &body).json(201);
    let everything = |client: &Client| {
        [
            "/profiles",
            "/profiles/demo-issuer/did.json",
            "/endorsements?endorser=demo-accreditor",
        ]
        .map(|path| {
            let mut document = client.get(path).json(200);
            // The one member that names the moment of the answer.
            document.as_object_mut().unwrap().remove("asOf");
            document
        })
    };
    let before = everything(&client);
    let endorsements = before[2]["endorsements"].as_array().unwrap();
    assert_eq!(endorsements.len(), 2);
    let suggestions = suggested(&server);
    server.stop().in_order();

    let server = Server::start(&mut serve(home.path(), port));
    let client = Client::new(format!("http://127.0.0.1:{port}"), None);
    assert_eq!(everything(&client), before);
    assert_eq!(suggested(&server), suggestions);
    for (suggestion, status) in suggestions.iter().zip([0, 1, 0, 0]) {
        tried(home.path(), suggestion).exits(status);
    }
    server.stop().in_order();
}

/// Killed before the demonstration credentials were written, which is done last: the next start
/// makes what it then says to try.
#[cfg(feature = "rocksdb")]
#[test]
fn a_first_start_that_was_cut_off_is_made_good() {
    let home = TempDir::new().unwrap();
    let mut server = start_on_a_free_port(|port| serve(home.path(), port));
    let port = server.address.port();
    server.kill();
    std::fs::remove_dir_all(home.path().join("data/demo")).unwrap();
    let server = Server::start(&mut serve(home.path(), port));
    for (suggestion, status) in suggested(&server).iter().zip([0, 1, 0, 0]) {
        tried(home.path(), suggestion).exits(status);
    }
}
