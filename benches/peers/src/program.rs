//! A program beside this one that answers each line of JSON with a line of JSON.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Names the Node that is started, as for the tests with independent programs.
const NODE: &str = "GOODSTANDING_INTEROP_NODE";

/// The program, waiting for a line.
pub(crate) struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Program {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("what was named can be started");
        Self {
            input: child.stdin.take().expect("it was asked for"),
            output: BufReader::new(child.stdout.take().expect("it was asked for")),
            child,
        }
    }

    /// Starts a script of the folder `npm`, where there is a Node.
    pub(crate) fn on_node(script: &str) -> Option<Self> {
        let node = std::env::var_os(NODE).filter(|node| !node.is_empty())?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm");
        Some(Self::start(Command::new(node).arg(folder.join(script))))
    }

    /// What it answers.
    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input, "{request}").expect("the program reads");
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("the program answers");
        serde_json::from_str(&line).expect("its answers are JSON; see what it wrote above")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It only reads; there is nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
