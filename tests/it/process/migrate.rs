//! A store is moved to another place, and serves from there.

use std::path::Path;

use super::client::Client;
use super::folder::Folder;
use super::program::{Ran, program, run};
use super::server::Server;
use super::standing::{ISSUER, entries, list, look_up, profile, revocation};

fn migrate(from: &str, to: &str) -> Ran {
    let mut command = program();
    command.args(["migrate", "--from", from, "--to", to, "--json"]);
    run(&mut command, "")
}

fn folder(path: &Path) -> String {
    format!("rocksdb:{}", path.display())
}

/// Serves a folder that the store of another was moved to, with what that has beside its store.
fn serve(moved: &Folder, to: &Path) -> Server {
    for file in ["master.key", "goodstanding.toml"] {
        std::fs::copy(moved.data().join(file), to.join(file)).unwrap();
    }
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    Server::start(command.arg(to))
}

fn revoked(registry: &Client, list: &str, indexes: &[u64]) -> Vec<bool> {
    let standings = look_up(registry, list, indexes).into_iter();
    standings.map(|standing| standing.revoked).collect()
}

#[test]
fn a_store_is_moved_from_folder_to_folder_and_back_and_goes_on() {
    let first = Folder::prepared();
    let server = first.serve(&[]);
    let registry = first.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let given = entries(&registry, &list, 3);
    let revoke = |index| registry.post(&format!("{list}/updates"), &revocation(index));
    revoke(given[0]).json(200);
    let place = folder(&first.data());
    let other = first.beside().join("other");
    migrate(&place, &folder(&other))
        .exits(2)
        .explains(&["another goodstanding is using", "backup"]);
    server.stop().in_order();

    let moved = migrate(&place, &folder(&other)).exits(0).json();
    assert!(moved["tables"].as_array().unwrap().len() > 10, "{moved}");
    assert!(moved["written"].as_u64() > Some(0));
    let again = migrate(&place, &folder(&other)).exits(0).json();
    assert_eq!(
        (&again["tables"], again["written"].as_u64()),
        (&moved["tables"], Some(0))
    );

    // What was moved is served from there with the same master key, and goes on.
    let server = serve(&first, &other);
    let registry = first.operator(&server);
    registry
        .post(&format!("{list}/updates"), &revocation(given[1]))
        .json(200);
    assert_eq!(revoked(&registry, &list, &given), [true, true, false]);
    server.stop().in_order();

    // The first folder has not what the other has by now: it can be taken there, and not the other way.
    migrate(&place, &folder(&other))
        .exits(2)
        .explains(&["nothing was written"]);
    let back = migrate(&folder(&other), &place).exits(0).json();
    assert!(back["written"].as_u64() > Some(0));
    let server = first.serve(&[]);
    let registry = first.operator(&server);
    assert_eq!(revoked(&registry, &list, &given), [true, true, false]);
    server.stop().in_order();
}

#[cfg(feature = "postgres")]
#[test]
fn a_store_is_moved_to_a_database_and_back_with_every_table_the_same() {
    use crate::support::postgres;

    if postgres::programs().is_none() {
        return;
    }
    let database = postgres::Server::start();
    let url = database.url(&database.database());
    let first = Folder::prepared();
    let server = first.serve(&[]);
    let registry = first.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let given = entries(&registry, &list, 3);
    let revoke = |registry: &Client, index| {
        let made = registry.post(&format!("{list}/updates"), &revocation(index));
        made.json(200);
    };
    revoke(&registry, given[0]);
    server.stop().in_order();
    let place = folder(&first.data());
    let moved = migrate(&place, &url).exits(0).json();

    // A replica goes on with it there.
    let settings = [
        ("GOODSTANDING_STORE__ENGINE", "postgres"),
        ("GOODSTANDING_STORE__POSTGRES__URL", url.as_str()),
    ];
    let server = first.serve(&settings);
    let registry = first.operator(&server);
    assert_eq!(revoked(&registry, &list, &given), [true, false, false]);
    revoke(&registry, given[1]);
    server.stop().in_order();

    let other = first.beside().join("other");
    let back = migrate(&url, &folder(&other)).exits(0).json();
    let rows = |moved: &serde_json::Value, name: &str| {
        let mut tables = moved["tables"].as_array().unwrap().iter();
        tables.find(|table| table["table"] == name).cloned()
    };
    for table in ["lists", "keys", "allocation", "profiles"] {
        assert_eq!(rows(&moved, table), rows(&back, table), "{table}");
    }
    let again = migrate(&url, &folder(&other)).exits(0).json();
    assert_eq!(again["tables"], back["tables"]);
    assert_eq!(again["written"], 0);
    let server = serve(&first, &other);
    let registry = first.operator(&server);
    assert_eq!(revoked(&registry, &list, &given), [true, true, false]);
    server.stop().in_order();
}
