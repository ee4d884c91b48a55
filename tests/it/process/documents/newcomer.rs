//! A newcomer's way: what the README says, with nothing else, against the real program in development
//! mode. `make new-user` walks the same way in a fresh clone, with `make run`.

use std::path::Path;

use tempfile::TempDir;

use super::super::client::Client;
use super::super::program::program;
use super::super::server::start_on_a_free_port;
use super::blocks::{commands, read};
use super::carried::{fits, in_shell};

/// Where the README's registry is.
const USUAL: &str = "localhost:8080";

#[test]
fn the_readme_leads_to_a_credential_that_is_shown_as_revoked() {
    let readme = read("README.md");
    assert!(readme.contains("\n    make run "), "how it is started");
    let home = TempDir::new().unwrap();
    let server = start_on_a_free_port(|port| {
        let mut command = program();
        command.current_dir(home.path());
        command.args(["serve", "--dev", "--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--data", "data"]);
        if !cfg!(feature = "rocksdb") {
            command.env("GOODSTANDING_STORE__ENGINE", "memory");
        }
        command
    });
    let here = format!("localhost:{}", server.address.port());
    let client = Client::new(server.url(), None);
    let said = || client.page(page_of(&readme)).matches("revoked").count();
    let before = said();
    let mut words = Vec::new();
    for shown in commands(&readme) {
        let command = shown.command.join("\n").replace(USUAL, &here);
        if command.starts_with("export PATH=") {
            // The program of the tests is on the path already.
            continue;
        }
        let printed = in_shell(&format!("http://{here}"), home.path(), &command)
            .unwrap_or_else(|failed| panic!("README.md:{}: {failed}", shown.line + 1));
        let fitting = fits(&command, &shown.output, &printed);
        assert!(fitting, "README.md:{}: {printed:#?}", shown.line + 1);
        let first = printed.first().map_or("", String::as_str);
        words.push(
            first
                .split([':', ' '])
                .next()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    assert_eq!(words, ["active", "revoked", "revoked"]);
    assert!(said() > before, "the page says nothing of it");
    server.stop().in_order();
}

/// The page that the README has its reader open, as a path.
fn page_of(readme: &str) -> &str {
    let link = readme
        .split_once(&format!("<http://{USUAL}"))
        .expect("a link to the page");
    link.1.split('>').next().unwrap_or_default()
}

/// A document that is meant to be read without scrolling through it stays one.
#[test]
fn the_readme_fits_on_one_screen() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 80, "{lines} lines: it belongs below docs/");
    assert!(Path::new(super::blocks::ROOT).join("docs").is_dir());
}
