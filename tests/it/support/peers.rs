//! The independent programs of `tests/interop`, as the tests see them.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

/// When everything is signed.
pub(crate) const CREATED: &str = "2026-01-01T00:00:00Z";

/// When everything is verified, unless a test asks as of another time.
pub(crate) const NOW: &str = "2026-06-01T00:00:00Z";

/// A signer and verifier that shares no code with the registry. One program runs for all tests,
/// and ends with them, when its input does.
pub(crate) struct Peer {
    /// What a failure calls it.
    pub(crate) name: &'static str,
    program: Mutex<Program>,
}

struct Program {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _child: Child,
}

/// The peers that are here. One that is missing is named on a line of its own; where
/// `GOODSTANDING_REQUIRE_INTEROP=1` is set, as continuous integration does, it is a failure.
pub(crate) fn peers() -> &'static [Peer] {
    static PEERS: LazyLock<Vec<Peer>> = LazyLock::new(find);
    &PEERS
}

fn find() -> Vec<Peer> {
    let known = [
        ("Python", "GOODSTANDING_INTEROP_PYTHON", "peer.py"),
        ("Node", "GOODSTANDING_INTEROP_NODE", "peer.mjs"),
    ];
    let mut here = Vec::new();
    for (name, variable, file) in known {
        match env::var_os(variable).filter(|value| !value.is_empty()) {
            Some(interpreter) => here.push(Peer {
                name,
                program: Mutex::new(start(name, interpreter, file)),
            }),
            None => skip(name, variable),
        }
    }
    here
}

fn start(name: &str, interpreter: OsString, file: &str) -> Program {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let mut child = Command::new(interpreter)
        .arg(programs.join(file))
        // Nothing of the tests' own run is left behind in the tree.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    Program {
        input: child.stdin.take().unwrap(),
        output: BufReader::new(child.stdout.take().unwrap()),
        _child: child,
    }
}

/// Says that the checks with a program are left out, where it may be.
pub(crate) fn skip(name: &str, variable: &str) {
    assert!(
        env::var_os("GOODSTANDING_REQUIRE_INTEROP").is_none_or(|value| value != "1"),
        "{name} is required and {variable} is not set: run the tests by `make test`"
    );
    // Written past the capture of a test's output, which hides what a passing test says.
    let line =
        format!("skipped: interoperability with {name}; {variable} is not set (`make test`)\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

/// What a peer says of one document or token. Members that a kind of document has not are absent.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Report {
    pub(crate) verified: bool,
    pub(crate) error: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) proofs: Vec<ProofReport>,
    /// The status of each entry, where the lists were handed over.
    pub(crate) statuses: Vec<EntryReport>,
    pub(crate) status_list: Option<ListReport>,
    /// Of each credential in a presentation.
    pub(crate) credentials: Vec<bool>,
    /// The document within a token.
    pub(crate) document: Option<Value>,
    /// The header and the whole payload of a token.
    pub(crate) header: Option<Value>,
    pub(crate) payload: Option<Value>,
    /// The claims of a token list, without the list.
    pub(crate) claims: Option<Value>,
}

/// The answer to one proof of a document.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProofReport {
    pub(crate) verified: bool,
    pub(crate) suite: Option<String>,
    pub(crate) verification_method: Option<String>,
    pub(crate) created: Option<String>,
    pub(crate) contexts: Option<Vec<String>>,
    pub(crate) error: Option<String>,
}

/// The status that an entry points to.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct EntryReport {
    pub(crate) purpose: String,
    pub(crate) status: u64,
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

/// What a client of registries says of an issuer.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookedUp {
    /// Whether the registry could be asked at all.
    pub(crate) checked: bool,
    pub(crate) found: bool,
    /// What it would show of the issuer.
    pub(crate) issuer: Option<Value>,
    /// What it would call the registry.
    pub(crate) registry: Option<String>,
}

/// What there is to one request of `sign`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Signed {
    Signed(Value),
    Refused(String),
}

impl Peer {
    /// A new private key, and the public one, as JWK.
    pub(crate) fn key(&self, kind: &str) -> (Value, Value) {
        let mut made: Value = self.ask(&json!({"act": "key", "suite": kind}), &json!({}));
        (made["key"].take(), made["public"].take())
    }

    /// Signs `document` with `key`, a private JWK, and makes that key's did:key its issuer.
    pub(crate) fn sign(&self, document: &Value, suite: &str, key: &Value) -> Value {
        self.sign_with(document, suite, key, &json!({"issuer": true}))
    }

    /// As [`Peer::sign`], with the members of the request that `more` holds.
    pub(crate) fn sign_with(
        &self,
        document: &Value,
        suite: &str,
        key: &Value,
        more: &Value,
    ) -> Value {
        self.try_sign(document, suite, key, more)
            .unwrap_or_else(|refusal| panic!("{} does not sign: {refusal}", self.name))
    }

    /// As [`Peer::sign_with`]; what the peer refuses to sign is an error with its reason.
    pub(crate) fn try_sign(
        &self,
        document: &Value,
        suite: &str,
        key: &Value,
        more: &Value,
    ) -> Result<Value, String> {
        let request = json!({
            "act": "sign", "suite": suite, "document": document, "key": key, "created": CREATED
        });
        match self.ask(&request, more) {
            Signed::Signed(signed) => Ok(signed),
            Signed::Refused(reason) => Err(reason),
        }
    }

    /// A list that is not signed yet, or a token list that is: `request` says of what.
    pub(crate) fn make_list(&self, suite: &str, request: &Value) -> Value {
        match self.ask(&json!({"act": "sign", "suite": suite}), request) {
            Signed::Signed(made) => made,
            Signed::Refused(reason) => panic!("{} makes no list: {reason}", self.name),
        }
    }

    /// Verifies `document`, with the keys of `controllers` where they are not in a did:key.
    pub(crate) fn verify(&self, document: &Value, controllers: &[Value]) -> Report {
        self.verify_with(document, &json!({"controllers": controllers}))
    }

    /// As [`Peer::verify`], with the members of the request that `more` holds: of a token `suite`
    /// says which profile it has, `indexes` what to read in a list.
    pub(crate) fn verify_with(&self, document: &Value, more: &Value) -> Report {
        let request = json!({"act": "verify", "document": document, "now": NOW});
        self.ask(&request, more)
    }

    /// What a client of registries, on Node, says of a DID in `registry`.
    pub(crate) fn looks_up(&self, client: &str, registry: &Value, did: &str) -> LookedUp {
        let request = json!({"act": "look-up", "client": client, "registry": registry});
        self.ask(&request, &json!({"did": did}))
    }

    fn ask<Answer: for<'a> Deserialize<'a>>(&self, request: &Value, more: &Value) -> Answer {
        let mut members = request.as_object().unwrap().clone();
        members.extend(more.as_object().unwrap().clone());
        let line = Value::Object(members).to_string() + "\n";
        let mut answer = String::new();
        // A lock is poisoned by a test that failed after its answer was read.
        let mut program = self.program.lock().unwrap_or_else(PoisonError::into_inner);
        program.input.write_all(line.as_bytes()).unwrap();
        program.output.read_line(&mut answer).unwrap();
        drop(program);
        serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("{}, asked {line}: {error} in {answer}", self.name))
    }
}
