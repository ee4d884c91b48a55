//! The independent programs of `tests/interop`, as the tests see them.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

/// The two proof suites that the peers know.
pub(crate) const SUITES: [&str; 2] = ["eddsa-rdfc-2022", "eddsa-jcs-2022"];

/// A signer and verifier that shares no code with the registry.
pub(crate) struct Peer {
    /// What a failure calls it.
    pub(crate) name: &'static str,
    interpreter: OsString,
    extension: &'static str,
}

/// The peers that are here. One that is missing is named on a line of its own; where
/// `GOODSTANDING_REQUIRE_INTEROP=1` is set, as continuous integration does, it is a failure.
pub(crate) fn peers() -> &'static [Peer] {
    static PEERS: LazyLock<Vec<Peer>> = LazyLock::new(find);
    &PEERS
}

fn find() -> Vec<Peer> {
    let known = [
        ("PyLD on Python", "GOODSTANDING_INTEROP_PYTHON", "py"),
        ("jsonld.js on Node", "GOODSTANDING_INTEROP_NODE", "mjs"),
    ];
    let mut here = Vec::new();
    for (name, variable, extension) in known {
        match env::var_os(variable).filter(|value| !value.is_empty()) {
            Some(interpreter) => here.push(Peer {
                name,
                interpreter,
                extension,
            }),
            None => skip(name, variable),
        }
    }
    here
}

fn skip(name: &str, variable: &str) {
    assert!(
        env::var_os("GOODSTANDING_REQUIRE_INTEROP").is_none_or(|value| value != "1"),
        "{name} is required and {variable} is not set: run the tests by `make test`"
    );
    // Written past the capture of a test's output, which hides what a passing test says.
    let line =
        format!("skipped: interoperability with {name}; {variable} is not set (`make test`)\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

/// What `verify` prints.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Report {
    pub(crate) verified: bool,
    pub(crate) documents: Vec<DocumentReport>,
}

/// The answer to one document.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DocumentReport {
    pub(crate) file: String,
    pub(crate) verified: bool,
    pub(crate) issuer: Option<String>,
    pub(crate) proofs: Vec<ProofReport>,
    pub(crate) status_list: Option<ListReport>,
}

/// The answer to one proof of a document.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProofReport {
    pub(crate) verified: bool,
    pub(crate) cryptosuite: Option<String>,
    pub(crate) verification_method: Option<String>,
    pub(crate) created: Option<String>,
    pub(crate) contexts: Option<Vec<String>>,
    pub(crate) error: Option<String>,
}

/// What a peer reads out of a status list.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ListReport {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status_purpose: Option<Value>,
    pub(crate) status_size: u32,
    pub(crate) length: u64,
    pub(crate) bits_set: u64,
    pub(crate) statuses: Vec<StatusReport>,
}

/// The status at one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct StatusReport {
    pub(crate) index: u64,
    pub(crate) status: u64,
}

impl Peer {
    /// Verifies `document`, with the keys of `controllers` where they are not in a did:key, and
    /// reads the statuses at `indexes` where it is a status list.
    pub(crate) fn verify(
        &self,
        document: &Value,
        controllers: &[Value],
        indexes: &[u64],
    ) -> Report {
        let folder = TempDir::new().unwrap();
        let mut arguments = Vec::new();
        for (number, controller) in controllers.iter().enumerate() {
            arguments.push("--controller".into());
            arguments.push(write(
                &folder,
                &format!("controller-{number}.json"),
                controller,
            ));
        }
        for index in indexes {
            arguments.push("--index".into());
            arguments.push(index.to_string().into());
        }
        arguments.push(write(&folder, "document.json", document));
        let output = self.run("verify", &arguments);
        match output.status.code() {
            Some(0 | 1) => serde_json::from_slice(&output.stdout).unwrap(),
            _ => panic!("{}", self.failure("verify", &output)),
        }
    }

    /// Signs `document` with the key of `seed`, and makes that key's did:key its issuer.
    pub(crate) fn sign(&self, document: &Value, suite: &str, seed: &[u8; 32]) -> Value {
        self.try_sign(document, suite, seed)
            .unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    /// Like [`Peer::sign`]; what the peer refuses to sign is an error with its reason.
    pub(crate) fn try_sign(
        &self,
        document: &Value,
        suite: &str,
        seed: &[u8; 32],
    ) -> Result<Value, String> {
        let folder = TempDir::new().unwrap();
        let seed: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = write(&folder, "document.json", document);
        let plain = [
            "--issuer",
            "--created",
            "2026-01-01T00:00:00Z",
            "--suite",
            suite,
        ];
        let mut arguments: Vec<OsString> = plain.map(OsString::from).to_vec();
        arguments.extend([seed.into(), file]);
        let output = self.run("sign", &arguments);
        match output.status.code() {
            Some(0) => Ok(serde_json::from_slice(&output.stdout).unwrap()),
            Some(1) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            _ => panic!("{}", self.failure("sign", &output)),
        }
    }

    fn run(&self, program: &str, arguments: &[OsString]) -> Output {
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
        Command::new(&self.interpreter)
            .arg(programs.join(program).with_extension(self.extension))
            .args(arguments)
            // Nothing of the tests' own run is left behind in the tree.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.name))
    }

    fn failure(&self, program: &str, output: &Output) -> String {
        let said = String::from_utf8_lossy(&output.stderr);
        format!(
            "{program} of {} ended with {}: {said}",
            self.name, output.status
        )
    }
}

fn write(folder: &TempDir, name: &str, document: &Value) -> OsString {
    let path: PathBuf = folder.path().join(name);
    fs::write(&path, document.to_string()).unwrap();
    path.into_os_string()
}
