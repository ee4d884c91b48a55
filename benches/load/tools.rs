//! The programs beside: wrk and nginx, as `setup/load.sh` found or brought them, and perf where
//! there is one.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where they are.
pub(crate) struct Tools {
    wrk: PathBuf,
    nginx: PathBuf,
    /// Folders of the libraries that they were brought with.
    libraries: Option<String>,
    perf: Option<PathBuf>,
    /// The program that is measured.
    pub(crate) program: PathBuf,
}

impl Tools {
    /// As the environment says, else as the system has them.
    pub(crate) fn found() -> Self {
        let named = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty());
        let tool = |variable: &str, places: &[&str]| {
            let named = named(variable).map(PathBuf::from);
            named.or_else(|| installed(places))
        };
        let needed = |variable: &str, places: &[&str]| {
            tool(variable, places).unwrap_or_else(|| {
                let name = places[0].rsplit('/').next().unwrap_or_default();
                eprintln!("{name} is missing: run setup/load.sh, or apt-get install {name}");
                std::process::exit(1);
            })
        };
        Self {
            wrk: needed(
                "GOODSTANDING_LOAD_WRK",
                &["/usr/bin/wrk", "/usr/local/bin/wrk"],
            ),
            nginx: needed(
                "GOODSTANDING_LOAD_NGINX",
                &["/usr/sbin/nginx", "/usr/bin/nginx"],
            ),
            libraries: env::var("GOODSTANDING_LOAD_LIBRARIES").ok(),
            perf: tool("GOODSTANDING_LOAD_PERF", &["/usr/bin/perf"]),
            program: program(),
        }
    }

    pub(crate) fn wrk(&self) -> Command {
        self.command(&self.wrk)
    }

    pub(crate) fn nginx(&self) -> Command {
        self.command(&self.nginx)
    }

    pub(crate) fn perf(&self) -> Option<Command> {
        self.perf.as_ref().map(Command::new)
    }

    /// The measured program, untouched by settings for it in the environment.
    pub(crate) fn goodstanding(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("GOODSTANDING_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// What nginx and wrk call themselves.
    pub(crate) fn versions(&self) -> String {
        let said = |mut command: Command, option: &str| {
            let output = command.arg(option).stdin(Stdio::null()).output();
            let output = output.expect("it can be started");
            let both = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&both).into_owned();
            let line = text.lines().next().unwrap_or_default();
            line.split(" Copyright")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        format!("{}, {}", said(self.nginx(), "-v"), said(self.wrk(), "-v"))
    }

    fn command(&self, program: &PathBuf) -> Command {
        let mut command = Command::new(program);
        if let Some(libraries) = self
            .libraries
            .as_ref()
            .filter(|folders| !folders.is_empty())
        {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

/// The optimised program of this package, which cargo builds with the bench; or the one that
/// `--program=PATH` names, to measure another version by the same bench.
fn program() -> PathBuf {
    let mut arguments = env::args();
    let named = arguments.find_map(|one| one.strip_prefix("--program=").map(PathBuf::from));
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_goodstanding").into())
}

fn installed(places: &[&str]) -> Option<PathBuf> {
    let mut places = places.iter().map(PathBuf::from);
    places.find(|place| place.is_file())
}
