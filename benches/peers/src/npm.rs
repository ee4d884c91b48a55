//! The stack that verifiers on Node run, as a program beside this one: `npm/verify.mjs`, which is
//! told what to verify and how often on a line each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Names the Node that is started, as for the tests with independent programs.
const NODE: &str = "GOODSTANDING_INTEROP_NODE";

/// The program, with a credential and all that its verification asks for at hand.
pub(crate) struct Npm {
    /// The packages with their versions.
    pub(crate) name: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Npm {
    /// Starts it, where there is a Node, and checks what it says of the credential.
    pub(crate) fn with(credential: &Value, documents: &[Value]) -> Option<Self> {
        let node = std::env::var_os(NODE).filter(|node| !node.is_empty())?;
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm/verify.mjs");
        let mut child = Command::new(node)
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Node that is named can be started");
        let mut npm = Self {
            name: String::new(),
            input: child.stdin.take().expect("it was asked for"),
            output: BufReader::new(child.stdout.take().expect("it was asked for")),
            child,
        };
        let answer = npm.ask(&json!({"credential": credential, "documents": documents}));
        assert_eq!(answer["verified"], true, "{answer}");
        assert_eq!(answer["status"], json!([false]), "{answer}");
        assert_eq!(answer["refusesAChange"], true, "{answer}");
        npm.name = answer["name"].as_str().expect("it has a name").to_owned();
        Some(npm)
    }

    /// CPU time of one verification, in seconds, over all threads of the program; one after the
    /// other, `count` times.
    pub(crate) fn time(&mut self, count: u32) -> f64 {
        let answer = self.ask(&json!(count));
        let nanoseconds = answer["cpuNanoseconds"].as_f64().expect("a number");
        nanoseconds / 1e9 / f64::from(count)
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input, "{request}").expect("the program reads");
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("the program answers");
        serde_json::from_str(&line).expect("its answers are JSON; see what it wrote above")
    }
}

impl Drop for Npm {
    fn drop(&mut self) {
        // It only reads; there is nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
