//! `goodstanding init`: prepares a data folder.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use url::Url;

use super::error::CliError;
use super::remote::parse_server;
use super::report::Report;
use crate::time::Timestamp;

/// Prepare a data folder: a master key, an empty registry, and the operator's token.
///
/// The master key encrypts the profiles' signing keys: keep a copy of it apart from the data.
/// The token is shown this once.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  goodstanding init --data /var/lib/goodstanding --public-url https://registry.example")]
pub(super) struct Init {
    /// The folder; it is made if need be
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The origin in every id, which can never be changed later [default: http://localhost:8080]
    #[arg(long, value_name = "URL", value_parser = parse_server)]
    public_url: Option<Url>,
    /// Where the master key stands, or is made [default: a file in the folder]
    #[arg(long, value_name = "FILE")]
    master_key: Option<PathBuf>,
    #[command(flatten)]
    not_here: NotHere,
}

/// Options of the other commands, which mean nothing to `init` and `serve`: hidden from their
/// help, and refused instead of ignored.
#[derive(Debug, Args)]
pub(super) struct NotHere {
    #[arg(long, hide = true, value_parser = parse_server)]
    server: Option<Url>,
    #[arg(long, hide = true)]
    token: Option<String>,
    #[arg(long, hide = true)]
    token_file: Option<PathBuf>,
    #[arg(long, hide = true)]
    ca_file: Option<PathBuf>,
    #[arg(long, hide = true, default_value = "60")]
    timeout: u64,
    #[arg(long, hide = true)]
    idempotency_key: Option<String>,
}

impl NotHere {
    pub(super) fn check(&self, command: &str) -> Result<(), CliError> {
        let given = [
            ("--server", self.server.is_some()),
            ("--token", self.token.is_some()),
            ("--token-file", self.token_file.is_some()),
            ("--ca-file", self.ca_file.is_some()),
            ("--timeout", self.timeout != 60),
            ("--idempotency-key", self.idempotency_key.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((option, _)) => Err(CliError::Usage(format!(
                "{option} means nothing to `{command}`, which talks to no server: leave it out"
            ))),
        }
    }
}

/// What `init` is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitArgs {
    /// The data folder.
    pub data: PathBuf,
    /// The origin in every id; none means the default.
    pub public_url: Option<Url>,
    /// Where the master key stands or is to be made; none means in the data folder.
    pub master_key: Option<PathBuf>,
}

/// What `init` has made.
#[derive(Clone, PartialEq, Eq)]
pub struct InitDone {
    /// The data folder.
    pub data: PathBuf,
    /// The file of the master key.
    pub master_key_path: PathBuf,
    /// The operator's bearer token, which is stored nowhere in clear.
    pub token: String,
    /// When the token expires.
    pub expires: Timestamp,
}

impl fmt::Debug for InitDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitDone")
            .field("data", &self.data)
            .field("master_key_path", &self.master_key_path)
            .field("token", &"(redacted)")
            .field("expires", &self.expires)
            .finish()
    }
}

impl Init {
    pub(super) fn run(self, init: &super::Init<'_>) -> Result<Report, CliError> {
        self.not_here.check("init")?;
        let done = init(InitArgs {
            data: self.data,
            public_url: self.public_url,
            master_key: self.master_key,
        })
        .map_err(CliError::Failed)?;
        let mut report = Report::new();
        let data = done.data.display().to_string();
        let key = done.master_key_path.display().to_string();
        let next = format!("goodstanding serve --data {data}");
        report.line(format_args!("The folder {data} is ready."));
        report.rows(&[
            ("master key", Some(format!("{key} (keep a copy elsewhere)"))),
            (
                "operator token",
                Some(format!("{} (shown this once)", done.token)),
            ),
            ("expires", Some(done.expires.to_string())),
            ("next", Some(next)),
        ]);
        report.json(json!({
            "data": data,
            "masterKey": key,
            "token": done.token,
            "expires": done.expires.to_string(),
        }));
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;

    #[test]
    fn the_token_is_shown_once_with_what_to_do_next() {
        let done = Fake::new().run(&["init", "--data", "d"]);
        assert_eq!(
            done.out,
            "The folder d is ready.\n\
             master key      d/master.key (keep a copy elsewhere)\n\
             operator token  operator-token (shown this once)\n\
             expires         2027-01-15T08:00:00Z\n\
             next            goodstanding serve --data d\n"
        );
        assert_eq!(done.exit, 0);
    }

    #[test]
    fn machines_read_the_same() {
        let done = Fake::new().run(&["init", "--data", "d", "--master-key", "k", "--json"]);
        assert_eq!(
            done.out,
            "{\"data\":\"d\",\"masterKey\":\"k\",\"token\":\"operator-token\",\
             \"expires\":\"2027-01-15T08:00:00Z\"}\n"
        );
    }

    #[test]
    fn a_folder_in_use_and_options_of_others_are_refused() {
        let done = Fake::new().run(&["init", "--data", "used"]);
        assert_eq!((done.exit, done.out.as_str()), (2, ""));
        assert!(done.err.contains("already holds a registry"));
        let done = Fake::new().run(&["init", "--data", "d", "--server", "http://h"]);
        assert!(
            done.err.contains("--server means nothing to `init`"),
            "{}",
            done.err
        );
        let done = Fake::new().run(&["init"]);
        assert!(done.err.contains("--data <DIR>"), "{}", done.err);
    }

    #[test]
    fn help_shows_only_what_init_takes() {
        let help = Fake::new().run(&["init", "--help"]).out;
        assert!(
            help.contains("--master-key") && !help.contains("--token-file"),
            "{help}"
        );
    }
}
