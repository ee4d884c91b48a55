//! Where a command goes: the server or the folder, the token, the key of its first change.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use url::Url;

use super::Surroundings;
use super::colour::When;
use super::context::Context;
use super::error::CliError;
use super::progress::Shows;
use super::remote::{Remote, in_the_clear, parse_server};
use super::transport::Transport;

const DEFAULT_SERVER: &str = "http://localhost:8080";

/// Where a command goes, and how it answers.
#[derive(Debug, Args)]
pub(super) struct Connection {
    /// The server [default: GOODSTANDING_SERVER, else http://localhost:8080]
    #[arg(long, global = true, value_name = "URL", value_parser = parse_server)]
    #[arg(help_heading = "Connection")]
    pub(super) server: Option<Url>,
    /// Work on this data folder instead of a server
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "server")]
    #[arg(help_heading = "Connection")]
    pub(super) data: Option<PathBuf>,
    /// The bearer token for changes [or GOODSTANDING_TOKEN]; others on this machine may see
    /// arguments, so a file is better
    #[arg(long, global = true, value_name = "TOKEN", hide_short_help = true)]
    #[arg(help_heading = "Connection")]
    pub(super) token: Option<String>,
    /// A file that holds the bearer token for changes
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "token")]
    #[arg(help_heading = "Connection")]
    pub(super) token_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file, for a server with one of its own making
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    #[arg(help_heading = "Connection")]
    pub(super) ca_file: Option<PathBuf>,
    /// How many seconds to wait for an answer
    #[arg(long, global = true, value_name = "SECONDS", default_value = "60")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    #[arg(hide_short_help = true, help_heading = "Connection")]
    pub(super) timeout: u64,
    /// Repeat a change whose outcome is not known, under the key that its error named
    #[arg(long, global = true, value_name = "KEY", value_parser = parse_key)]
    #[arg(hide_short_help = true, help_heading = "Connection")]
    pub(super) idempotency_key: Option<String>,
    /// Print the server's JSON, one answer per line; errors too
    ///
    /// Errors are problem documents (RFC 9457), one per line, on standard error.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// When to colour: auto is on terminals, unless NO_COLOR is set; CLICOLOR_FORCE=1 is everywhere
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_short_help = true)]
    pub(super) color: When,
}

/// The way that a command takes: over the network, or into a folder.
pub(super) fn connect<'a>(
    connection: &Connection,
    surroundings: &Surroundings<'_>,
    shows: Shows,
    stdin: &'a mut dyn Read,
    warnings: &mut Vec<String>,
) -> Result<Context<'a>, CliError> {
    let timeout = Duration::from_secs(connection.timeout);
    let (transport, server): (Box<dyn Transport>, _) = match &connection.data {
        Some(data) => {
            let opening = shows.begin(&format!("opening {}", data.display()));
            let opened = (surroundings.open_local)(data).map_err(|reason| CliError::Folder {
                data: data.clone(),
                reason,
            })?;
            drop(opening);
            (opened, None)
        }
        None => {
            let server = server(connection, surroundings)?;
            let token = token(connection, surroundings)?;
            if token.is_some() && in_the_clear(&server) {
                warnings.push(format!("the token goes to {server} unencrypted; use https"));
            }
            let ca_file = connection.ca_file.as_deref();
            let remote = Remote::new(server.clone(), token.as_deref(), timeout, ca_file)?;
            (Box::new(remote), Some(server))
        }
    };
    let first_key = match &connection.idempotency_key {
        Some(key) => key.clone(),
        None => random_key()?,
    };
    Ok(Context {
        transport,
        server,
        first_key,
        changes: Cell::new(0),
        stdin: RefCell::new(stdin),
        timeout,
        ca_file: connection.ca_file.clone(),
        json: connection.json,
        shows,
    })
}

fn server(connection: &Connection, surroundings: &Surroundings<'_>) -> Result<Url, CliError> {
    if let Some(server) = &connection.server {
        return Ok(server.clone());
    }
    let text = (surroundings.env)("GOODSTANDING_SERVER");
    let text = text.as_deref().unwrap_or(DEFAULT_SERVER);
    parse_server(text)
        .map_err(|refused| CliError::Usage(format!("GOODSTANDING_SERVER is {text:?}: {refused}")))
}

fn token(
    connection: &Connection,
    surroundings: &Surroundings<'_>,
) -> Result<Option<String>, CliError> {
    if let Some(token) = &connection.token {
        return Ok(Some(token.clone()));
    }
    let Some(path) = &connection.token_file else {
        return Ok((surroundings.env)("GOODSTANDING_TOKEN"));
    };
    let unreadable = |reason: String| CliError::Unreadable {
        place: path.display().to_string(),
        reason,
    };
    let text = fs::read_to_string(path).map_err(|failed| unreadable(failed.to_string()))?;
    match text.trim() {
        "" => Err(unreadable("it holds no token".into())),
        token => Ok(Some(token.to_owned())),
    }
}

/// Reads `--idempotency-key`: visible characters that a header can carry.
fn parse_key(text: &str) -> Result<String, String> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if !fits {
        return Err("a key has 1 to 128 visible ASCII characters".into());
    }
    Ok(text.to_owned())
}

fn random_key() -> Result<String, CliError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|failed| {
        CliError::Failed(format!("the system gives no random bytes: {failed}"))
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
