//! `goodstanding doctor`: examines a data folder, or asks a server in which states it is.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::progress::Shows;
use super::report::{Exit, Report, text};
use super::transport::Call;

/// Examine a data folder, or ask a server how it is
///
/// With --data, while no server runs, the folder is examined without a write: whether store, log, anchor,
/// clock, disk, files, addresses and master key are as they should be, which settings were read, and what to do where
/// something is not right. Otherwise the server is asked. Exit status: 0 all is well, 1 something is wrong, 2 it cannot be told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding doctor --data /var/lib/goodstanding
  goodstanding doctor --data /var/lib/goodstanding --every-row
  goodstanding doctor --server https://registry.example")]
pub(super) struct Doctor {
    /// The configuration file of the folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read every row as well, so that the checksum of everything on the disk is compared
    #[arg(long)]
    every_row: bool,
    /// Take the store as it is found, whatever its anchor says. Changes that were acknowledged and are not in
    /// it are given up: lists that were open give out no more entries, every list is published anew, and the
    /// decision is recorded
    #[arg(long, requires = "yes")]
    accept_store: bool,
    /// Do so without being asked
    #[arg(long, requires = "accept_store")]
    yes: bool,
}

/// What the doctor is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoctorArgs {
    /// The data folder; none leaves it to the configuration.
    pub data: Option<PathBuf>,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// Whether every row is read.
    pub every_row: bool,
    /// Whether the store is taken as it is found.
    pub accept_store: bool,
}

/// How something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Good,
    /// It will need to be looked after.
    Warning,
    /// Something has to be done.
    Wrong,
    /// It cannot be told.
    Unknown,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Of what.
    pub of: &'static str,
    /// How it is.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What to do, where something is to be done.
    pub to_do: Option<String>,
}

impl Health {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }

    /// What its word is shown like.
    const fn colour(self) -> Exit {
        match self {
            Self::Good => Exit::Good,
            Self::Wrong => Exit::Not,
            Self::Warning | Self::Unknown => Exit::Unknown,
        }
    }

    const fn exit(self) -> Exit {
        match self {
            Self::Good | Self::Warning => Exit::Good,
            Self::Wrong => Exit::Not,
            Self::Unknown => Exit::Unknown,
        }
    }
}

impl Doctor {
    /// Whether a folder is to be examined, and not a server asked.
    pub(super) fn is_of_folder(&self, data: Option<&PathBuf>) -> bool {
        data.is_some() || self.config.is_some() || self.accept_store
    }

    pub(super) fn examine(
        self,
        data: Option<PathBuf>,
        examine: &super::Examine<'_>,
        shows: &Shows,
    ) -> Result<Report, CliError> {
        let args = DoctorArgs {
            data,
            config: self.config,
            every_row: self.every_row,
            accept_store: self.accept_store,
        };
        let mut progress = shows.begin("opening the store");
        let found = examine(args, &mut |done, total, words| {
            progress.at(done, total, words);
        });
        drop(progress);
        Ok(told(&found.map_err(CliError::Failed)?))
    }

    /// What the server says of itself.
    pub(super) fn ask(self, context: &Context<'_>) -> Result<Report, CliError> {
        let call = Call::get("/health/ready");
        let answer = context.transport.call(&call)?;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let (health, states) = match (answer.status, &said["warnings"], &said["states"]) {
            (200, Value::Array(warnings), _) => (Health::Warning, warnings.as_slice()),
            (200, _, _) if said["status"] == "ready" => (Health::Good, &[][..]),
            (503, _, Value::Array(states)) => (Health::Wrong, states.as_slice()),
            // Whatever it says.
            _ => return context.ask(&call).map(|_| Report::new()),
        };
        let mut report = Report::new();
        match health {
            Health::Wrong => report.line("the server takes no changes"),
            _ => report.line("the server is ready"),
        }
        for state in states {
            let [name, detail, to_do] = ["state", "detail", "whatToDo"]
                .map(|member| text(state, member).unwrap_or_default());
            report.line(format_args!("{name}: {detail}"));
            report.line(format_args!("  to do: {to_do}"));
        }
        report.worse(health.exit());
        report.json(said);
        Ok(report)
    }
}

fn told(findings: &[Finding]) -> Report {
    let mut report = Report::new();
    for finding in findings {
        let before = format!("{}: ", finding.of);
        let after = format!(": {}", finding.found);
        report.marked(
            &before,
            finding.health.word(),
            finding.health.colour(),
            after,
        );
        if let Some(to_do) = &finding.to_do {
            report.line(format_args!("  to do: {to_do}"));
        }
        report.worse(finding.health.exit());
    }
    let findings = findings.iter().map(|finding| {
        json!({
            "of": finding.of,
            "health": finding.health.word(),
            "found": finding.found,
            "whatToDo": finding.to_do,
        })
    });
    let findings: Vec<_> = findings.collect();
    let healthy = report.exit == Exit::Good;
    report.line(match healthy {
        true => "all is well",
        false => "not all is well",
    });
    report.json(json!({ "healthy": healthy, "findings": findings }));
    report
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;

    #[test]
    fn a_folder_is_examined_and_no_server_asked() {
        let done = Fake::new().run_remote(&["doctor", "--data", "folder"]);
        assert_eq!((done.exit, done.out.as_str()), (0, "all is well\n"));
        assert!(done.calls.is_empty());
    }

    #[test]
    fn a_store_is_not_taken_as_it_is_by_a_slip() {
        let done = Fake::new().run_remote(&["doctor", "--data", "folder", "--accept-store"]);
        assert_eq!(done.exit, 2);
        assert!(done.err.contains("--yes"), "{}", done.err);
    }
}
