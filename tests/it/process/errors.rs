//! Whatever goes wrong on the command line: what happened, where, and what to do next, with exit status 2, and as a
//! problem document with `--json`.

use std::fs;

use super::folder::Folder;
use super::place::Place;
use super::program::{program, run};
use super::standing::{ACCREDITOR, ISSUER};

/// Words that have to be there: of what happened, of where, and of what to do.
struct Told<'a> {
    what: &'a str,
    at: &'a str,
    next: &'a str,
}

/// Runs a command that goes wrong, for a person and for a program.
#[track_caller]
fn goes_wrong(args: &[&str], set: &[(&str, &str)], told: &Told<'_>) {
    let asked = |more: &[&str]| {
        let mut command = program();
        command.args(args).args(more).envs(set.iter().copied());
        run(&mut command, "").exits(2)
    };
    let for_people = asked(&[]);
    assert_eq!(for_people.out, "", "{args:?}");
    for_people.explains(&[told.what, told.at, told.next]);
    let for_programs = asked(&["--json"]);
    assert_eq!(for_programs.out, "", "{args:?}");
    let problem = for_programs.problem();
    let all = ["title", "detail", "at", "next"]
        .map(|member| problem[member].as_str().unwrap_or_default());
    let all = all.join("\n");
    for words in [told.what, told.at, told.next] {
        assert!(all.contains(words), "{words:?} is not in {problem}");
    }
}

#[test]
fn every_error_says_what_happened_where_and_what_to_do() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let place = Place::Server(&folder, &server);
    for (slug, role) in [(ISSUER, "issuer"), (ACCREDITOR, "accreditor")] {
        place.json(&["profile", "create", slug, "--name", slug, "--role", role]);
    }
    let weak = place.json(&["token", "new", "--profile", ISSUER])["token"].take();
    let (weak, url) = (weak.as_str().unwrap(), server.url());
    let file = |name: &str| folder.beside().join(name).display().to_string();
    let (data, nowhere, missing) = (folder.data(), file("nowhere"), file("missing.json"));
    let data = data.display().to_string();
    let [broken, settings, strange] = ["broken.json", "settings.toml", "strange.toml"].map(file);
    fs::write(&broken, "{\"a\": }").unwrap();
    fs::write(&strange, "no_such_setting = 1\n").unwrap();
    let told = |what, at, next| Told { what, at, next };
    let operator = ("GOODSTANDING_TOKEN", folder.token.as_str());

    for (args, set, told) in [
        // Arguments, and what they name.
        (
            &["revoce"][..],
            &[][..],
            told("unrecognized subcommand", "revoce", "revoke"),
        ),
        (
            &["status", "--at", "noon", "urn:a"],
            &[],
            told("noon", "--at", "--help"),
        ),
        (
            &["list", "show", "nonsense", "--server", &url],
            &[],
            told("not a status list", "nonsense", "URL"),
        ),
        (
            &["verify", &missing],
            &[],
            told("cannot read", &missing, "whether the name is right"),
        ),
        (
            &["verify", &broken, "--server", &url],
            &[],
            told("not usable JSON", &broken, "mend"),
        ),
        (
            &["profile", "list", "--token-file", &missing],
            &[],
            told("cannot read", &missing, "may be read"),
        ),
        (
            &[
                "profile",
                "show",
                "https://other.example/profiles/a",
                "--server",
                "https://registry.example",
            ],
            &[],
            told(
                "another server",
                "https://other.example/profiles/a",
                "--server",
            ),
        ),
        // Servers.
        (
            &["profile", "list", "--server", "http://127.0.0.1:1"],
            &[],
            told("nothing answers", "127.0.0.1:1", "goodstanding serve"),
        ),
        (
            &["profile", "list"],
            &[("GOODSTANDING_SERVER", "nonsense")],
            told("nonsense", "GOODSTANDING_SERVER", "--help"),
        ),
        (
            &["profile", "show", "nobody", "--server", &url],
            &[],
            told("Not found", "/profiles/nobody", "goodstanding profile list"),
        ),
        (
            &["token", "--server", &url],
            &[],
            told("A token is needed", "POST /tokens", "--token-file"),
        ),
        (
            &["token", "--server", &url],
            &[("GOODSTANDING_TOKEN", "gst_0000")],
            told("A token is needed", "POST /tokens", "goodstanding token"),
        ),
        (
            &["profile", "suspend", ACCREDITOR, "--server", &url],
            &[("GOODSTANDING_TOKEN", weak)],
            told("operator", "/profiles/quality-board/suspend", "operator's"),
        ),
        (
            &[
                "profile", "create", ISSUER, "--name", "x", "--role", "issuer", "--server", &url,
            ],
            &[operator],
            told("Slug taken", "POST /profiles", "choose another slug"),
        ),
        // Folders and settings.
        (
            &["profile", "list", "--data", &nowhere],
            &[],
            told("cannot work on", &nowhere, "goodstanding init"),
        ),
        (
            &["profile", "list", "--data", &data],
            &[],
            told("another goodstanding", &data, "stop it"),
        ),
        (
            &["serve", "--config", &settings],
            &[],
            told("settings.toml", &settings, "--config"),
        ),
        (
            &["serve", "--config", &strange],
            &[],
            told("no_such_setting", "strange.toml", "expected"),
        ),
        (
            &["restore", &nowhere, "--data", &file("new")],
            &[],
            told("backup", &nowhere, "folder"),
        ),
    ] {
        goes_wrong(args, set, &told);
    }
    server.stop().in_order();
}
