//! The program as a command that runs to its end.

use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The program, untouched by settings for it in the environment of the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goodstanding"));
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("GOODSTANDING_") {
            command.env_remove(name);
        }
    }
    command
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end, with `input` on its standard input.
pub(crate) fn run(command: &mut Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built with the tests");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    // A command that reads nothing may be gone already, and its pipe with it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    Ran {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).expect("what is printed is UTF-8"),
        err: String::from_utf8(output.stderr).expect("what is printed is UTF-8"),
    }
}

impl Ran {
    /// Holds the exit status against the one that the contract gives.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{}\n{}", self.out, self.err);
        self
    }

    /// What `--json` printed: one line, one document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let lines: Vec<&str> = self.out.lines().collect();
        let [line] = lines.as_slice() else {
            panic!("one line of JSON, not: {}\n{}", self.out, self.err);
        };
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// What `--json` said went wrong: one line on standard error, one problem document.
    #[track_caller]
    pub(crate) fn problem(&self) -> Value {
        let line = self.err.strip_suffix('\n').unwrap_or_default();
        let problem: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {}", self.err));
        assert!(problem["title"].is_string(), "{problem}");
        problem
    }

    /// Holds what was said on standard error against words that help its reader.
    #[track_caller]
    pub(crate) fn explains(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in: {}", self.err);
        }
        self
    }
}
