//! Where commands go: to a server with a token, or into a data folder.

use std::process::Command;

use super::folder::Folder;
use super::program::{Ran, program, run};
use super::server::Server;

/// A registry that commands work on.
pub(super) enum Place<'a> {
    /// Through the server over a folder.
    Server(&'a Folder, &'a Server),
    /// In the folder itself.
    Folder(&'a Folder),
}

impl Place<'_> {
    /// The command with these arguments, behind those that lead to this place.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = program();
        match self {
            Self::Server(folder, server) => {
                command.args(["--server", &server.url()]);
                command.env("GOODSTANDING_TOKEN", &folder.token);
            }
            Self::Folder(folder) => {
                command.arg("--data").arg(folder.data());
            }
        }
        command.args(args);
        command
    }

    /// Runs a command here.
    pub(super) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs a command here with something on its standard input.
    pub(super) fn run_with(&self, args: &[&str], input: &str) -> Ran {
        run(&mut self.command(args), input)
    }

    /// Runs a command here that is to succeed, and gives the JSON that it prints.
    #[track_caller]
    pub(super) fn json(&self, args: &[&str]) -> serde_json::Value {
        let args = [args, &["--json"]].concat();
        self.run(&args).exits(0).json()
    }
}
