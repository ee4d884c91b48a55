//! The running program against its own description of itself, by schemathesis: no fault, no status, media type
//! or header that is not described, no JSON that does not fit.

use std::env;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::program::{program, run};
use crate::process::server::start_on_a_free_port;
use crate::support::peers::skip;

const PYTHON: &str = "GOODSTANDING_INTEROP_PYTHON";

/// `make contract` asks for more.
fn number(variable: &str, otherwise: u64) -> u64 {
    let asked = env::var(variable).ok().filter(|text| !text.is_empty());
    asked.map_or(otherwise, |text| text.parse().expect(variable))
}

#[test]
fn every_answer_is_one_that_is_described() {
    let Some(python) = env::var_os(PYTHON).filter(|value| !value.is_empty()) else {
        return skip("schemathesis", PYTHON);
    };
    let requests = number("GOODSTANDING_CONTRACT_REQUESTS", 1_000);
    let seed = number("GOODSTANDING_CONTRACT_SEED", 8);
    let seconds = number("GOODSTANDING_CONTRACT_SECONDS", 60);
    let home = TempDir::new().unwrap();
    let server = start_on_a_free_port(|port| {
        let mut command = program();
        let listen = format!("127.0.0.1:{port}");
        command.current_dir(home.path());
        command.args(["serve", "--dev", "--data", "data", "--listen", &listen]);
        if !cfg!(feature = "rocksdb") {
            command.env("GOODSTANDING_STORE__ENGINE", "memory");
        }
        command
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/contract.py");
    let mut contract = Command::new(python);
    contract.current_dir(home.path()).arg(script);
    contract.arg(server.url());
    contract.args([requests, seed, seconds].map(|number| number.to_string()));
    contract.env("PYTHONDONTWRITEBYTECODE", "1");
    let ran = run(&mut contract, "").exits(0);
    let told: Value = ran.json();
    assert_eq!(told["failures"], Value::Array(Vec::new()), "{}", ran.err);
    let made = told["requests"].as_u64().unwrap();
    assert!(
        made >= requests,
        "{made} of {requests} requests in {seconds} s"
    );
    // Not all refused: answers when all is well are held to what is described as well.
    for status in ["200", "201", "400", "404"] {
        let count = told["statuses"][status].as_u64();
        assert!(count.is_some_and(|count| count >= 5), "{status}: {told}");
    }
}
