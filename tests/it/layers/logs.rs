//! What the program says in its log is held to one list, in the sources as in the program.

use std::fs;

use goodstanding::app::LOG_FIELDS;
use tempfile::TempDir;

use super::source::{Call, Source};
use super::{Path, files, read, root};

/// The macros of the log.
const MACROS: &[&str] = &[
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "event",
    "span",
    "trace_span",
    "debug_span",
    "info_span",
    "warn_span",
    "error_span",
];

/// Where people are spoken to, and not the log.
const SPEAKS: &[&str] = &["src/cli/", "src/main.rs", "src/app/mod.rs"];

#[test]
fn the_log_has_the_fields_of_its_list_and_fixed_words() {
    let breaches = breaches(&root());
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn every_field_of_the_list_is_of_use() {
    let mut said = Vec::new();
    for file in files(&root()) {
        for call in calls(&read(&root(), &file)) {
            said.extend(call.arguments.iter().filter_map(|one| field(one).ok()));
        }
    }
    let idle: Vec<_> = LOG_FIELDS
        .iter()
        .filter(|name| !said.iter().any(|(said, _)| said == *name))
        .collect();
    assert!(idle.is_empty(), "nothing says {idle:?} any more");
}

#[test]
fn a_planted_breach_is_found_and_named() {
    let tree = TempDir::new().unwrap();
    fs::create_dir_all(tree.path().join("src/http")).unwrap();
    let file = tree.path().join("src/http/service.rs");
    for (plant, word) in [
        ("info!(subject, \"asked\");", "subject"),
        ("info!(status, %path, \"asked\");", "path"),
        ("tracing::warn!(index = 7, \"asked\");", "index"),
        ("info!(\"asked {subject}\");", "fixed"),
        ("info!(status, \"asked {}\", subject);", "fixed"),
        ("info!(status, \"asked\", subject);", "behind"),
        ("info!(path.name = %path, \"asked\");", "path.name"),
        ("info!(status, words);", "words"),
        ("error!(error = %error, \"failed\");", "kind"),
        ("error!(\n    %error,\n    \"failed\"\n);", "kind"),
        ("info!(target: \"hyper\", status, \"asked\");", "target"),
        ("#[instrument]\nfn ask(subject: &str) {}", "instrument"),
        ("fn ask() { println!(\"{subject}\"); }", "println"),
    ] {
        let good =
            "//! A room.\nfn f() { info!(status = 200, route, error = why.kind(), \"asked\"); }\n";
        fs::write(&file, good).unwrap();
        assert_eq!(breaches(tree.path()), Vec::<String>::new());
        fs::write(&file, format!("{good}{plant}\n")).unwrap();
        let found = breaches(tree.path());
        assert_eq!(found.len(), 1, "{plant}: {found:?}");
        assert!(found[0].starts_with("src/http/service.rs:3: "), "{found:?}");
        assert!(found[0].contains(word), "{plant}: {found:?}");
    }
}

fn breaches(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in files(root) {
        let (name, text) = (file.display().to_string(), read(root, &file));
        let mut says = |line: usize, what: String| found.push(format!("{name}:{line}: {what}"));
        for call in calls(&text) {
            if let Err(what) = check(&call) {
                says(call.line, what);
            }
        }
        let source = Source::read(&text);
        for named in source.paths() {
            if named
                .segments
                .last()
                .is_some_and(|word| word == "instrument")
            {
                says(
                    named.line,
                    "instrument logs whatever a function is given".into(),
                );
            }
        }
        let speaks = SPEAKS.iter().any(|place| name.starts_with(place));
        for word in ["println", "eprintln", "print", "eprint"] {
            for line in source.calls_of(word).into_iter().filter(|_| !speaks) {
                says(line, format!("{word}! goes past the log"));
            }
        }
    }
    found
}

fn calls(text: &str) -> Vec<Call> {
    let source = Source::read(text);
    MACROS
        .iter()
        .flat_map(|name| source.arguments_of(name, text))
        .collect()
}

/// Fields of the list, and then a message without places for values.
fn check(call: &Call) -> Result<(), String> {
    let mut message = false;
    for argument in &call.arguments {
        if message {
            return Err(format!("{argument} stands behind the message"));
        }
        if argument.starts_with('"') {
            if argument.contains(['{', '}']) {
                return Err(format!("{argument} is no fixed text"));
            }
            message = true;
            continue;
        }
        let (name, value) = field(argument)?;
        if !LOG_FIELDS.contains(&&*name) {
            return Err(format!(
                "{name} is not among the fields of src/app/logging.rs"
            ));
        }
        if name == "error" && !value.contains("kind") {
            return Err("of an error its kind() is told, and not its words".into());
        }
    }
    match message {
        true => Ok(()),
        false => Err("it has no message".into()),
    }
}

/// The name and the value of `name = value`, `%name`, `?name` or `name`.
fn field(argument: &str) -> Result<(String, String), String> {
    let (name, value) = argument.split_once('=').unwrap_or((argument, argument));
    let name = name.trim().trim_start_matches(['%', '?']);
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    match name.chars().all(word) {
        true => Ok((name.to_owned(), value.trim().to_owned())),
        false => Err(format!("{argument} is no field")),
    }
}
