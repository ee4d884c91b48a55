//! How PostgreSQL is reached.

use std::fmt;
use std::time::Duration;

/// How PostgreSQL is reached, and for how long it is waited for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// One URL with all hosts, or the keyword form.
    pub url: Secret,
    /// Which connections are secured.
    pub tls: Tls,
    /// Authorities that servers' certificates come from (PEM); empty for the usual ones.
    pub roots: Vec<u8>,
    /// For reaching one host.
    pub connect: Duration,
    /// For one statement, and for a commit with its wait for standbys.
    pub statement: Duration,
    /// For the head row, while others write.
    pub lock: Duration,
    /// How long the head row may be held by one that says nothing more.
    pub idle_in_transaction: Duration,
    /// How long a group stays in the log.
    pub log_kept: Duration,
    /// How many of the newest batches stay in it however old they are; at least one does.
    pub log_least: u64,
}

impl Settings {
    /// What `config/default.toml` says, for this URL.
    pub const fn usual(url: Secret) -> Self {
        Self {
            url,
            tls: Tls::Elsewhere,
            roots: Vec::new(),
            connect: Duration::from_secs(3),
            statement: Duration::from_secs(10),
            lock: Duration::from_secs(5),
            idle_in_transaction: Duration::from_secs(3),
            log_kept: Duration::from_secs(3_600),
            log_least: 10_000,
        }
    }
}

/// Text that is not shown: a URL with a password in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being shown.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Which connections are secured with TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// All but those within this machine, with servers that prove who they are.
    Elsewhere,
    /// All, with servers that prove who they are.
    Verify,
    /// All, whoever the servers are.
    Require,
    /// None.
    Off,
}
