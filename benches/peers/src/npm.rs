//! The stack that verifiers on Node run, as a program beside this one: `npm/verify.mjs`, which is
//! told what to verify and how often on a line each.

use serde_json::{Value, json};

use crate::program::Program;

/// The program, with a credential and all that its verification asks for at hand.
pub(crate) struct Npm {
    /// The packages with their versions.
    pub(crate) name: String,
    program: Program,
}

impl Npm {
    /// Starts it, where there is a Node, and checks what it says of the credential.
    pub(crate) fn with(credential: &Value, documents: &[Value]) -> Option<Self> {
        let mut program = Program::on_node("verify.mjs")?;
        let answer = program.ask(&json!({"credential": credential, "documents": documents}));
        assert_eq!(answer["verified"], true, "{answer}");
        assert_eq!(answer["status"], json!([false]), "{answer}");
        assert_eq!(answer["refusesAChange"], true, "{answer}");
        let name = answer["name"].as_str().expect("it has a name").to_owned();
        Some(Self { name, program })
    }

    /// CPU time of one verification, in seconds, over all threads of the program; one after the
    /// other, `count` times.
    pub(crate) fn time(&mut self, count: u32) -> f64 {
        let answer = self.program.ask(&json!(count));
        let nanoseconds = answer["cpuNanoseconds"].as_f64().expect("a number");
        nanoseconds / 1e9 / f64::from(count)
    }
}
