//! `goodstanding serve`: runs the service.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use url::Url;

use super::error::CliError;
use super::init::NotHere;
use super::remote::parse_server;
use super::report::{Exit, Report};

/// Run the service until it is told to stop (Ctrl-C, or SIGTERM).
///
/// With --dev it listens on this machine only, makes a demonstration issuer and accreditor, and
/// accepts changes without a token.
///
/// Told to stop, it answers the requests under way, signs the lists that wait, and ends with status
/// 0; with 3 where limits.drain_ms was not enough for that. Told a second time it ends at once, with
/// 143 (SIGTERM) or 130 (Ctrl-C). No acknowledged change is lost by either.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding serve --dev
  goodstanding serve --listen 0.0.0.0:8080 --data /var/lib/goodstanding
  goodstanding serve --config /etc/goodstanding.toml")]
pub(super) struct Serve {
    /// Development mode: on this machine only, with demonstration data, changes without a token
    #[arg(long)]
    dev: bool,
    /// The address to listen on, such as 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS", value_parser = parse_listen)]
    listen: Option<SocketAddr>,
    /// The data folder, as `init` made it
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The origin in every id; it has to be the one that the folder was made with
    #[arg(long, value_name = "URL", value_parser = parse_server)]
    public_url: Option<Url>,
    #[command(flatten)]
    not_here: NotHere,
}

/// What `serve` is asked for; what is not given is left to the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeArgs {
    /// Development mode.
    pub dev: bool,
    /// The address to listen on.
    pub listen: Option<SocketAddr>,
    /// The data folder.
    pub data: Option<PathBuf>,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// The origin in every id.
    pub public_url: Option<Url>,
    /// Whether it says as JSON that it is up.
    pub json: bool,
}

/// How the service stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Stopped {
    /// Every request was answered, and every change published.
    InOrder,
    /// The time for stopping was up before that.
    CutOff {
        /// How many connections had a request under way.
        connections: usize,
        /// How many lists are to be signed at the next start.
        lists: usize,
    },
}

impl Serve {
    pub(super) fn run(self, serve: &super::Serve<'_>, json: bool) -> Result<Report, CliError> {
        self.not_here.check("serve")?;
        let stopped = serve(ServeArgs {
            dev: self.dev,
            listen: self.listen,
            data: self.data,
            config: self.config,
            public_url: self.public_url,
            json,
        })
        .map_err(CliError::Failed)?;
        let mut report = Report::new();
        if let Stopped::CutOff { connections, lists } = stopped {
            report.fail(CliError::Failed(format!(
                "limits.drain_ms was not enough to stop in order: {connections} connections were cut \
                 off, and {lists} lists are signed at the next start; every acknowledged change is \
                 kept"
            )));
            report.worse(Exit::CutOff);
        }
        Ok(report)
    }
}

/// Reads `--listen`: `IP:PORT`, or `localhost:PORT`, which is 127.0.0.1.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let refused = || "give an address and a port, such as 127.0.0.1:8080".to_owned();
    match text.strip_prefix("localhost:") {
        Some(port) => {
            let port = port.parse().map_err(|_| refused())?;
            Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        }
        None => text.parse().map_err(|_| refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::Fake;

    #[test]
    fn the_arguments_are_handed_over() {
        let done = Fake::new().run(&[
            "serve",
            "--dev",
            "--listen",
            "localhost:9",
            "--data",
            "d",
            "--config",
            "c.toml",
            "--public-url",
            "https://r.example",
        ]);
        assert_eq!(
            (done.exit, done.out.as_str(), done.err.as_str()),
            (0, "", "")
        );
        let expected = ServeArgs {
            dev: true,
            listen: Some("127.0.0.1:9".parse().unwrap()),
            data: Some("d".into()),
            config: Some("c.toml".into()),
            public_url: Some("https://r.example".parse().unwrap()),
            json: false,
        };
        assert_eq!(done.served, [expected]);
        let done = Fake::new().run(&["serve"]);
        assert_eq!(done.served[0].data, None);
        assert!(!done.served[0].dev);
        let done = Fake::new().run(&["serve", "--json"]);
        assert!(done.served[0].json);
    }

    #[test]
    fn what_was_cut_off_is_said_with_a_status_of_its_own() {
        let stopped = Stopped::CutOff {
            connections: 3,
            lists: 2,
        };
        let done = Fake::new().stops(stopped).run(&["serve"]);
        assert_eq!((done.exit, done.out.as_str()), (3, ""));
        for said in ["limits.drain_ms", "3 connections", "2 lists"] {
            assert!(done.err.contains(said), "{}", done.err);
        }
    }

    #[test]
    fn an_address_without_a_port_is_refused() {
        for bad in ["127.0.0.1", "8080", "localhost:", "host:80"] {
            let done = Fake::new().run(&["serve", "--listen", bad]);
            assert_eq!(done.exit, 2, "{bad}");
            assert!(done.err.contains("such as 127.0.0.1:8080"), "{}", done.err);
            assert!(done.served.is_empty());
        }
    }
}
