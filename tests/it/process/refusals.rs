//! What is said when something is not as it has to be: the place, and the next step.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::folder::{Folder, ORIGIN};
use super::place::Place;
use super::program::{Ran, program, run};
use super::server::Server;
use super::standing::{ISSUER, list, look_up, profile};

/// Starts a server that has to refuse.
#[track_caller]
fn refused(command: &mut Command) -> Ran {
    match Server::try_start(command) {
        Err(ended) => Ran {
            status: ended.status.code(),
            out: String::new(),
            err: ended.err,
        },
        Ok(server) => panic!("it serves: {}", server.greeting),
    }
}

fn serve(folder: &Folder) -> Command {
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(folder.data());
    command
}

#[test]
fn no_server_is_there() {
    // The port of a service that has not been seen for decades.
    let server = "http://127.0.0.1:1";
    let mut command = program();
    command.args(["profile", "list", "--server", server]);
    let said = run(&mut command, "").exits(2);
    said.explains(&[server, "goodstanding serve", "--data"]);
}

#[test]
fn a_change_without_a_good_token() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let revoke = ["revoke", "--index", "7", "--list"];
    let next = [
        "401",
        "--token-file",
        "GOODSTANDING_TOKEN",
        "goodstanding token",
    ];
    let change = |token: Option<&str>| {
        let mut command = program();
        command.args(revoke).arg(format!("{ORIGIN}{list}"));
        command.args(["--server", &server.url()]);
        command.envs(token.map(|token| ("GOODSTANDING_TOKEN", token)));
        run(&mut command, "")
    };
    change(None).exits(2).explains(&next);
    change(Some("gst_0000")).exits(2).explains(&next);
    assert!(!look_up(&registry, &list, &[7])[0].revoked);
    // As a problem document for machines.
    let mut command = program();
    command.args(["token", "--json", "--server", &server.url()]);
    let said = run(&mut command, "").exits(2);
    assert_eq!(
        (said.out.as_str(), &said.problem()["status"]),
        ("", &json!(401))
    );
}

#[test]
fn a_folder_in_use_by_a_server() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let said = Place::Folder(&folder).run(&["profile", "list"]).exits(2);
    said.explains(&["another goodstanding", "stop it"]);
    refused(&mut serve(&folder))
        .exits(2)
        .explains(&["another goodstanding", "stop it"]);
    // The one that was there is not disturbed.
    profile(&folder.operator(&server), ISSUER, "issuer");
    server.stop().in_order();
}

#[test]
fn a_port_that_is_taken() {
    let folder = Folder::prepared();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = program();
    command
        .args(["serve", "--listen", &address, "--data"])
        .arg(folder.data());
    refused(&mut command)
        .exits(2)
        .explains(&[&address, "in use", "--listen"]);
}

#[test]
fn another_public_url() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    profile(&folder.operator(&server), ISSUER, "issuer");
    server.stop().in_order();
    let other = "https://other.example";
    let said = refused(serve(&folder).args(["--public-url", other])).exits(2);
    said.explains(&[ORIGIN, other]);
    let said = refused(serve(&folder).env("GOODSTANDING_PUBLIC_URL", other)).exits(2);
    said.explains(&[ORIGIN, other]);
    // With the recorded one it is served again.
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    assert_eq!(registry.get(&format!("/profiles/{ISSUER}")).status, 200);
}

#[test]
fn a_folder_that_was_never_prepared() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("nowhere");
    let mut command = program();
    command.args(["profile", "list", "--data"]).arg(&data);
    run(&mut command, "")
        .exits(2)
        .explains(&["goodstanding init"]);
    let mut command = program();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data);
    refused(&mut command)
        .exits(2)
        .explains(&["goodstanding init"]);
    assert!(!data.exists(), "nothing is left behind");
}

/// A server over this folder, which serves what is there and names this state; what it said on standard error.
#[track_caller]
fn only_reads(folder: &Folder, state: &str) -> String {
    let server = folder.serve(&[]);
    let problem = folder.operator(&server).get("/health/ready").json(503);
    assert_eq!(problem["state"], state, "{problem}");
    server.stop().err
}

#[test]
fn a_master_key_that_is_missing_or_no_key() {
    let folder = Folder::prepared();
    let file = folder.data().join("master.key");
    let key = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let on_folder = || Place::Folder(&folder).run(&["profile", "list"]).exits(2);
    on_folder().explains(&["master key", "master.key"]);
    let said = only_reads(&folder, "master-key-missing");
    assert!(said.contains("master.key"), "{said}");
    fs::write(&file, "correct horse battery staple").unwrap();
    let said = on_folder().explains(&["master.key", "32 bytes"]);
    assert!(!said.err.contains("horse"), "{}", said.err);
    let said = only_reads(&folder, "master-key-missing");
    assert!(
        said.contains("32 bytes") && !said.contains("horse"),
        "{said}"
    );
    // From the environment it is as good as from the file.
    let server = folder.serve(&[("GOODSTANDING_MASTER_KEY", key.trim())]);
    profile(&folder.operator(&server), ISSUER, "issuer");
}

/// A registry that cannot open its signing keys would acknowledge revocations that no signed list
/// ever shows.
#[test]
fn a_master_key_of_another_registry() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    profile(&folder.operator(&server), ISSUER, "issuer");
    server.stop().in_order();
    let other = Folder::prepared();
    fs::copy(
        other.data().join("master.key"),
        folder.data().join("master.key"),
    )
    .unwrap();
    only_reads(&folder, "master-key-wrong");
    let list = [
        "list",
        "create",
        "--issuer",
        ISSUER,
        "--purpose",
        "revocation",
    ];
    Place::Folder(&folder)
        .run(&list)
        .exits(2)
        .explains(&["master key"]);
}

/// Ids of tokens are random letters of base64url, so that one in 64 begins like an option.
#[test]
fn a_token_whose_id_begins_with_a_dash() {
    let folder = Folder::prepared();
    let said = Place::Folder(&folder).run(&["token", "revoke", "-QVuQjtmf7NGdLjFYq0EaN"]);
    said.exits(2).explains(&["no token"]);
}
