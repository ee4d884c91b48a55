//! House rules that are checked: the direction of imports, what pure code does without, the size
//! of files, nothing left to be done, the one table of how long answers stay fresh, and what is logged.

mod logs;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format as _, Toml};
use tempfile::TempDir;

use source::{Named, Source};

/// The lines of a file before its tests.
const LONGEST: usize = 500;

/// Files that may be longer, each with the reason why it is not in two.
const LONGER: &[(&str, &str)] = &[];

/// What pure rooms do not name: input and output, other threads of time, randomness.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "getrandom",
    "rocksdb",
    "tokio",
    "ureq",
];

/// Clocks, under whatever path.
const CLOCKS: &[&str] = &["Instant", "SystemTime"];

#[test]
fn imports_look_upward_only() {
    let root = root();
    let breaches = directions(&root);
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn a_planted_import_is_found_and_named() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for (story, plant) in [
        ("alone", "use crate::http::Edge;"),
        ("in braces", "use crate::{ids::Seq, http::Edge};"),
        ("renamed", "use crate::http as wire;"),
        ("in code", "fn planted(edge: &crate::http::Edge) {}"),
        ("by the way up", "use super::super::http::Edge;"),
        ("everything", "use crate::*;"),
    ] {
        let tree = TempDir::new().unwrap();
        let store = tree.path().join("src/store");
        fs::create_dir_all(&store).unwrap();
        fs::write(tree.path().join("src/lib.rs"), &lib).unwrap();
        let good = "//! A table.\nuse crate::ids::Seq;\nuse super::engine::Read;\n";
        fs::write(store.join("table.rs"), good).unwrap();
        assert_eq!(directions(tree.path()), Vec::<String>::new());

        fs::write(store.join("table.rs"), format!("{good}\n{plant}\n")).unwrap();
        let found = directions(tree.path());
        assert_eq!(found.len(), 1, "{story}: {found:?}");
        assert!(
            found[0].starts_with("src/store/table.rs:5: store "),
            "{found:?}"
        );
        assert!(
            found[0].contains("http") || story == "everything",
            "{found:?}"
        );
        // In tests it is no import of the room.
        let tested = format!("{good}\n#[cfg(test)]\nmod tests {{\n    {plant}\n}}\n");
        fs::write(store.join("table.rs"), tested).unwrap();
        assert_eq!(directions(tree.path()), Vec::<String>::new(), "{story}");
    }
}

/// The same in a copy of the whole tree, so that the real rooms and their real order are used.
#[test]
fn a_store_that_imports_http_is_found_in_the_real_tree() {
    let tree = TempDir::new().unwrap();
    for file in files(&root()) {
        let copy = tree.path().join(&file);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(root().join(&file), copy).unwrap();
    }
    assert_eq!(directions(tree.path()), directions(&root()));
    let planted = tree.path().join("src/store/memory.rs");
    let text = fs::read_to_string(&planted).unwrap();
    fs::write(&planted, text + "\nuse crate::http::Edge;\n").unwrap();
    let found = directions(tree.path());
    let named = |breach: &&String| breach.starts_with("src/store/memory.rs:");
    let found: Vec<&String> = found.iter().filter(named).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("store ") && found[0].contains("http"),
        "{found:?}"
    );
}

#[test]
fn pure_rooms_do_no_input_or_output_and_have_no_clock() {
    let breaches = impurities(&root());
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn a_planted_impurity_is_found_and_named() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let tree = TempDir::new().unwrap();
    fs::create_dir_all(tree.path().join("src")).unwrap();
    fs::write(tree.path().join("src/lib.rs"), lib).unwrap();
    let file = tree.path().join("src/ids.rs");
    for plant in [
        "use std::fs::File;",
        "use std::{fmt, net::TcpStream};",
        "fn now() -> std::time::SystemTime { todo() }",
        "use std::time::{Duration, Instant};",
        "async fn later() { tokio::task::yield_now().await }",
        "use rocksdb as db;",
    ] {
        fs::write(&file, format!("//! Ids.\n{plant}\n")).unwrap();
        let found = impurities(tree.path());
        assert_eq!(found.len(), 1, "{plant}: {found:?}");
        assert!(found[0].starts_with("src/ids.rs:2: "), "{found:?}");
    }
    // The edge may.
    fs::rename(&file, tree.path().join("src/app.rs")).unwrap();
    assert_eq!(impurities(tree.path()), Vec::<String>::new());
}

#[test]
fn no_file_is_too_long_to_be_read() {
    let mut wrong = Vec::new();
    for file in files(&root()) {
        let lines = Source::lines_before_tests(&read(&root(), &file));
        let name = file.display().to_string();
        let excused = LONGER.iter().any(|(longer, _)| *longer == name);
        match (lines > LONGEST, excused) {
            (true, false) => wrong.push(format!(
                "{name}: {lines} lines before its tests, and {LONGEST} are the most: part it, or \
                 say in LONGER why not"
            )),
            (false, true) => wrong.push(format!("{name} fits by now: take it out of LONGER")),
            _ => {}
        }
    }
    for (name, _) in LONGER {
        if !root().join(name).is_file() {
            wrong.push(format!("{name} is gone: take it out of LONGER"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_to_be_done() {
    let mut left = Vec::new();
    for file in files(&root()) {
        let source = Source::read(&read(&root(), &file));
        for name in ["todo", "unimplemented", "dbg"] {
            for line in source.calls_of(name) {
                left.push(format!("{}:{line}: {name}!", file.display()));
            }
        }
    }
    assert!(left.is_empty(), "\n{}", left.join("\n"));
}

/// The table for readers has the defaults that the program runs with.
#[test]
fn the_table_of_freshness_is_the_configuration() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md"));
    let text = text.expect("ARCHITECTURE.md holds the table of ttl and max-age");
    let rows = freshness(&text);
    let last = rows
        .len()
        .checked_sub(1)
        .expect("rows | answer | `key` | default |");
    assert_eq!(rows[last].line - rows[0].line, last, "one table: {rows:?}");

    let defaults = fs::read_to_string(root().join("config/default.toml")).unwrap();
    let defaults = Figment::from(Toml::string(&defaults));
    for row in &rows {
        let configured: u64 = defaults
            .extract_inner(&row.key)
            .unwrap_or_else(|error| panic!("ARCHITECTURE.md:{}: {error}", row.line));
        assert_eq!(
            row.default, configured,
            "ARCHITECTURE.md:{}: {} is {configured} in config/default.toml",
            row.line, row.key
        );
    }
    let cache = defaults.find_value("cache").unwrap();
    let cache = cache.as_dict().expect("[cache] is a table").keys();
    let mut needed: BTreeSet<String> = cache.map(|key| format!("cache.{key}")).collect();
    needed.insert("lists.ttl_ms".into());
    let given: BTreeSet<String> = rows.iter().map(|row| row.key.clone()).collect();
    let missing: Vec<_> = needed.difference(&given).collect();
    assert!(missing.is_empty(), "not in ARCHITECTURE.md: {missing:?}");
}

#[derive(Debug)]
struct Row {
    line: usize,
    key: String,
    default: u64,
}

/// Rows `| answer | key | default |` whose key, in backticks, is one of `[cache]` or `[lists]`. A
/// default may have separators within the number and a unit behind it.
fn freshness(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", _, key, default, ..] = cells.as_slice() else {
            continue;
        };
        let key = key.strip_prefix('`').and_then(|key| key.strip_suffix('`'));
        let Some(key) = key.filter(|key| key.starts_with("cache.") || key.starts_with("lists."))
        else {
            continue;
        };
        let digits = default.trim_start_matches('`');
        let end = digits.find(|c: char| !(c.is_ascii_digit() || matches!(c, '_' | ',')));
        let digits = digits[..end.unwrap_or(digits.len())].replace(['_', ','], "");
        rows.push(Row {
            line: number + 1,
            key: key.to_owned(),
            default: digits.parse().unwrap_or_else(|_| {
                panic!("ARCHITECTURE.md:{}: {default:?} is no default", number + 1)
            }),
        });
    }
    rows
}

/// The rooms in the order of lib.rs, and which of them are pure.
struct Rooms {
    order: Vec<String>,
    pure: Vec<String>,
}

impl Rooms {
    /// Reads lib.rs: its modules in order, under headings of which the first says "Pure".
    fn of(root: &Path) -> Self {
        let (mut order, mut pure) = (Vec::new(), Vec::new());
        let mut heading = String::new();
        for line in read(root, Path::new("src/lib.rs")).lines() {
            if let Some(words) = line.strip_prefix("// ") {
                heading = words.to_owned();
            }
            let module = line.trim_start_matches("pub ").strip_prefix("mod ");
            let Some(name) = module.and_then(|rest| rest.strip_suffix(';')) else {
                continue;
            };
            order.push(name.to_owned());
            if heading.starts_with("Pure") {
                pure.push(name.to_owned());
            }
        }
        assert!(pure.len() > 5 && order.len() > pure.len(), "{order:?}");
        Self { order, pure }
    }

    fn place(&self, room: &str) -> Option<usize> {
        self.order.iter().position(|known| known == room)
    }
}

/// Where a room imports from a lower one: file, line, both rooms.
fn directions(root: &Path) -> Vec<String> {
    let rooms = Rooms::of(root);
    let mut breaches = Vec::new();
    for (file, source) in sources(root) {
        let (room, name) = (room_of(&file), file.display());
        let Some(place) = rooms.place(&room) else {
            breaches.push(format!("{name}: {room} is no room of src/lib.rs"));
            continue;
        };
        for Named { line, segments } in source.paths() {
            let Some(other) = room_named(&file, &segments) else {
                continue;
            };
            match rooms.place(other) {
                Some(there) if there <= place => {}
                Some(_) => breaches.push(format!(
                    "{name}:{line}: {room} imports from {other}, which stands below it in \
                     src/lib.rs ({})",
                    segments.join("::")
                )),
                None => breaches.push(format!(
                    "{name}:{line}: {room} names {}, which is no room of src/lib.rs",
                    segments.join("::")
                )),
            }
        }
    }
    breaches
}

/// The room that a path starts in, where it starts at the root of the crate.
fn room_named<'p>(file: &Path, segments: &'p [String]) -> Option<&'p str> {
    let ups = segments.iter().take_while(|word| *word == "super").count();
    let rooted = match segments.first()?.as_str() {
        "crate" => 1,
        "super" if ups >= depth(file) => ups,
        _ => return None,
    };
    segments.get(rooted).map(String::as_str)
}

/// How deep the module of a file is: 1 for `src/ids.rs` and `src/store/mod.rs`.
fn depth(file: &Path) -> usize {
    let parts = file.components().count() - 1;
    parts - usize::from(file.ends_with("mod.rs"))
}

/// Where a pure room names what is not.
fn impurities(root: &Path) -> Vec<String> {
    let rooms = Rooms::of(root);
    let mut breaches = Vec::new();
    for (file, source) in sources(root) {
        let room = room_of(&file);
        if !rooms.pure.contains(&room) {
            continue;
        }
        for Named { line, segments } in source.paths() {
            let path = segments.join("::");
            let within = |prefix: &&&str| (path.clone() + "::").starts_with(&format!("{prefix}::"));
            let clock = CLOCKS
                .iter()
                .find(|clock| segments.iter().any(|word| word == *clock));
            if IMPURE.iter().find(within).or(clock).is_some() {
                breaches.push(format!(
                    "{}:{line}: {room} is pure and names {path}",
                    file.display()
                ));
            }
        }
    }
    breaches
}

/// The files of the rooms without their tests; main.rs and lib.rs stand apart.
fn sources(root: &Path) -> Vec<(PathBuf, Source)> {
    let apart = ["src/main.rs", "src/lib.rs"].map(PathBuf::from);
    let files = files(root).into_iter().filter(|file| !apart.contains(file));
    let sources: Vec<_> = files
        .map(|file| {
            let source = Source::read(&read(root, &file));
            (file, source)
        })
        .collect();
    let mut tests = Vec::new();
    for (file, source) in &sources {
        let folder = match file.ends_with("mod.rs") {
            true => file.with_file_name(""),
            false => file.with_extension(""),
        };
        let modules = source.test_modules.iter();
        tests.extend(modules.map(|module| folder.join(module)));
    }
    let is_test = |file: &Path| {
        let file = file.with_extension("");
        tests.iter().any(|test| file.starts_with(test))
    };
    let kept = sources.into_iter().filter(|(file, _)| !is_test(file));
    kept.collect()
}

/// `store` for `src/store/rocks.rs`, `ids` for `src/ids.rs`.
fn room_of(file: &Path) -> String {
    let room = file.components().nth(1).expect("src/ has files below it");
    let room = Path::new(&room).with_extension("");
    room.display().to_string()
}

/// Every Rust file below src, relative to the root, in order.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root.join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(root: &Path, file: &Path) -> String {
    let text = fs::read_to_string(root.join(file));
    text.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
