//! Backup and restore with the program itself: while it serves, and while it does not.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::folder::Folder;
use super::program::{Ran, program, run};
use super::server::Server;
use super::signed_list::SignedList;
use super::standing::{ISSUER, entries, list, profile, revocation};

/// The program with these words, as the folder's operator.
fn operator(folder: &Folder, words: &[&str]) -> Ran {
    let mut command = program();
    command.args(words).env("GOODSTANDING_TOKEN", &folder.token);
    command.current_dir(folder.beside());
    run(&mut command, "")
}

fn serving(folder: &Folder) -> Server {
    let backups = folder.beside().join("backups");
    let key = folder.beside().join("backup.key");
    folder.serve(&[
        ("GOODSTANDING_BACKUP__FOLDER", backups.to_str().unwrap()),
        ("GOODSTANDING_BACKUP__KEY", key.to_str().unwrap()),
        ("GOODSTANDING_BACKUP__KEEP", "2"),
    ])
}

/// Where everything is, from the folder that the commands run in.
const MASTER_KEY: &str = "data/master.key";

#[test]
fn a_registry_is_backed_up_while_it_serves_and_comes_back_in_a_new_folder() {
    let folder = Folder::prepared();
    let made = operator(&folder, &["backup", "--make-key", "backup.key"]).exits(0);
    assert!(made.out.starts_with("made the backup key "), "{}", made.out);
    operator(&folder, &["backup", "--make-key", "backup.key"])
        .exits(2)
        .explains(&["backup.key cannot be made", "exists"]);
    let server = serving(&folder);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let list = list(&registry, ISSUER);
    let before = entries(&registry, &list, 5);
    registry
        .post(&format!("{list}/updates"), &revocation(before[0]))
        .json(200);

    let url = server.url();
    let made = operator(&folder, &["backup", "--server", &url]).exits(0);
    assert!(
        made.out.starts_with("backup 1 was made, and read back\n"),
        "{}",
        made.out
    );
    for line in ["\nup to event", "\nsealed under", "(in no backup)"] {
        assert!(made.out.contains(line), "{line}: {}", made.out);
    }
    let listed = operator(&folder, &["backup", "--list", "--server", &url]).exits(0);
    assert!(listed.out.starts_with("backup 1  "), "{}", listed.out);
    // The store is the server's as long as it runs.
    operator(&folder, &["backup", "elsewhere", "--data", "data"])
        .exits(2)
        .explains(&["data/store"]);
    operator(&folder, &["backup", "elsewhere", "--server", &url])
        .exits(2)
        .explains(&["the folder that its configuration names"]);

    // What comes after the backup is lost with the folder, but for what was published of it.
    let later = entries(&registry, &list, 5);
    for index in [before[1], later[0]] {
        registry
            .post(&format!("{list}/updates"), &revocation(index))
            .json(200);
    }
    server.stop().in_order();
    let server = serving(&folder);
    let registry = folder.operator(&server);
    let published = folder.beside().join("published");
    fs::create_dir(&published).unwrap();
    fs::write(published.join("list.json"), registry.get(&list).body).unwrap();
    server.stop().in_order();

    refuses(&folder);
    let words = ["backup", "backups", "--key", "backup.key", "--check"];
    let checked = operator(&folder, &words).exits(0);
    assert!(
        checked.out.starts_with("backup 1 is whole\n"),
        "{}",
        checked.out
    );
    let restored = operator(
        &folder,
        &[
            "restore",
            "backups",
            "--key",
            "backup.key",
            "--data",
            "new",
            "--master-key",
            MASTER_KEY,
            "--published",
            "published",
        ],
    )
    .exits(0);
    let lines: Vec<&str> = restored.out.lines().collect();
    assert_eq!(lines[0], "new holds the registry of backup 1, in epoch 1");
    assert!(
        restored
            .out
            .contains("\n2 statuses were put back, out of 1 lists"),
        "{}",
        restored.out
    );
    fs::rename(folder.data(), folder.beside().join("lost")).unwrap();
    fs::rename(folder.beside().join("new"), folder.data()).unwrap();
    fs::copy(
        folder.beside().join("lost/master.key"),
        folder.data().join("master.key"),
    )
    .unwrap();

    let server = folder.serve(&[("GOODSTANDING_MASTER_KEY__FILE", "")]);
    let registry = folder.operator(&server);
    registry.get("/health/ready").json(200);
    let signed = SignedList::fetch(&registry, &list);
    for index in [before[0], before[1], later[0]] {
        assert!(signed.is_set(index));
    }
    assert_eq!(signed.count(), 3);
    let refused = registry.post(&format!("{list}/entries"), &json!({ "count": 1 }));
    let refused: Value = refused.json(409);
    assert_eq!(
        refused["type"],
        "urn:goodstanding:problem:list-sealed-by-restore"
    );
    let again = self::list(&registry, ISSUER);
    entries(&registry, &again, 5);
    // Lists can be handed in later too, and then there is nothing more to do.
    let url = server.url();
    let words = [
        "put-back",
        "--dry-run",
        "published/list.json",
        "--server",
        &url,
    ];
    let told = operator(&folder, &words).exits(0);
    assert!(
        told.out.starts_with("0 statuses would be put back"),
        "{}",
        told.out
    );
    // What is left of the lost store tells as much as what others have fetched.
    let words = ["put-back", "--dry-run", "lost/store", "--server", &url];
    let told = operator(&folder, &words).exits(0);
    let all = "0 statuses would be put back, out of 2 lists that are this registry's\n";
    assert_eq!(told.out, all);
    server.stop().in_order();
}

/// A restore that cannot be one says why, and leaves nothing.
fn refuses(folder: &Folder) {
    let other = operator(folder, &["backup", "--make-key", "other.key"]);
    other.exits(0);
    fs::write(
        folder.beside().join("other-master.key"),
        "ab".repeat(15) + &"cd".repeat(17),
    )
    .unwrap();
    let restore = |more: &[&str]| {
        let words = [&["restore", "backups"], more].concat();
        operator(folder, &words).exits(2)
    };
    let with_key = ["--key", "backup.key"];
    restore(&["--data", "new"]).explains(&["sealed under the backup key", "--key"]);
    restore(&["--data", "new", "--key", "other.key"]).explains(&["and the one given is"]);
    restore(&[&["--data", "data"], &with_key[..]].concat()).explains(&["holds a registry already"]);
    restore(&[&["--data", "new"], &with_key[..]].concat()).explains(&[
        "opens with the master key",
        "in no backup",
        "new/master.key",
    ]);
    restore(
        &[
            &["--data", "new", "--master-key", "other-master.key"],
            &with_key[..],
        ]
        .concat(),
    )
    .explains(&["opens with the master key", "the one given is"]);
    restore(&[&["--data", "new", "--number", "9"], &with_key[..]].concat())
        .explains(&["holds no backup 9"]);
    restore(&[&["--data", "new", "--published", "nowhere"], &with_key[..]].concat())
        .explains(&["cannot read nowhere"]);
    // A piece that is damaged, by its name.
    let pieces = pieces(&folder.beside().join("backups/pieces"));
    let piece = pieces
        .iter()
        .max_by_key(|path| path.metadata().unwrap().len());
    let piece = piece.unwrap();
    let whole = fs::read(piece).unwrap();
    fs::write(piece, &whole[..whole.len() - 1]).unwrap();
    let name = piece.file_name().unwrap().to_str().unwrap();
    let master = ["--data", "new", "--master-key", MASTER_KEY];
    restore(&[&master[..], &with_key[..]].concat()).explains(&[name, "is damaged"]);
    fs::write(piece, whole).unwrap();
    assert!(!folder.beside().join("new/store").exists());
    assert!(!folder.beside().join("new/restoring").exists());
    // The key of backups is not the master key.
    fs::copy(
        folder.data().join("master.key"),
        folder.beside().join("same.key"),
    )
    .unwrap();
    let words = ["backup", "elsewhere", "--data", "data", "--key", "same.key"];
    operator(folder, &words).exits(2).explains(&["same.key"]);
    assert!(!folder.beside().join("elsewhere").exists());
}

fn pieces(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(pieces(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn a_folder_is_backed_up_while_nobody_serves_it() {
    let folder = Folder::prepared();
    let words = ["backup", "backups", "--data", "data", "--json"];
    let first = operator(&folder, &words).exits(0).json();
    assert_eq!(first["number"], 1);
    assert!(first.get("sealedUnder").is_none());
    let second = operator(&folder, &words).exits(0).json();
    assert_eq!(
        (&second["number"], &second["seq"]),
        (&json!(2), &first["seq"])
    );
    assert!(second["written"].as_u64() < first["bytes"].as_u64());
    let kept = [&words[..], &["--keep", "1"]].concat();
    assert_eq!(operator(&folder, &kept).exits(0).json()["removed"], 2);
    let listed = operator(&folder, &["backup", "backups", "--list", "--json"]).exits(0);
    assert_eq!(listed.json()["backups"].as_array().unwrap().len(), 1);
    operator(&folder, &["backup", "--data", "data"])
        .exits(2)
        .explains(&["name the folder for backups"]);
    operator(&folder, &["backup", "backups", "--data", "nowhere"])
        .exits(2)
        .explains(&["nowhere holds no registry"]);
}
