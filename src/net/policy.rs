//! What may be fetched, from whom, and how much of it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;
use url::Host;

use super::address::is_public;
use crate::time::Ttl;
use crate::vc::did::Localhost;

/// The rules of a fetcher. Plain values: whoever reads the configuration fills them in. The
/// default fetches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// From whom.
    pub hosts: Hosts,
    /// Development only: `localhost` and loopback addresses are fetched from as well, on every
    /// port and also over http, and names may resolve to loopback.
    pub localhost: bool,
    /// How many redirects are followed. Each one is vetted as the first URL was.
    pub redirects: u8,
    /// Most bytes of a body as it is sent.
    pub body_bytes: usize,
    /// Most bytes of a body when expanded.
    pub expanded_bytes: usize,
    /// Time to reach a host, its TLS handshake included; also how long a fetch waits for its
    /// turn.
    pub connect: Ttl,
    /// Time for everything, from the wait for its turn to the last byte.
    pub total: Ttl,
    /// Fetches under way over all.
    pub in_flight: usize,
    /// Fetches under way per host.
    pub in_flight_per_host: usize,
    /// Bytes of memory for answers, and for what was read in them.
    pub cache_bytes: u64,
    /// How long an answer is fresh that says nothing of it.
    pub fresh_default: Ttl,
    /// How long an answer is fresh at most, whatever it says.
    pub fresh_longest: Ttl,
    /// How long a failure is remembered.
    pub failure_memory: Ttl,
    /// Certificates (PEM) of authorities that are trusted beside the usual ones.
    pub extra_roots: Vec<u8>,
}

/// From whom is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// From nobody.
    None,
    /// From the hosts that one of these patterns names.
    Listed(Vec<HostPattern>),
    /// From every host of the public internet, on port 443.
    Public,
}

/// A host, or all below a domain: `example.org`, `*.example.org`, each perhaps with a port.
/// Without one it is 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    name: String,
    below: bool,
    port: u16,
}

/// A text is no host pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no host to fetch from: give a name such as example.org, *.example.org for all below \
     it, or example.org:8443 for another port than 443"
)]
pub struct HostPatternError(String);

/// The port of https.
pub(super) const HTTPS: u16 = 443;

impl Policy {
    /// How localhost is treated as the host of a did:web.
    #[must_use]
    pub const fn did_localhost(&self) -> Localhost {
        match self.localhost {
            true => Localhost::Http,
            false => Localhost::Refused,
        }
    }

    /// Whether a connection to this address may be made.
    pub(super) fn reaches(&self, address: IpAddr) -> bool {
        is_public(address) || (self.localhost && address.is_loopback())
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hosts: Hosts::None,
            localhost: false,
            redirects: 0,
            body_bytes: 4 << 20,
            expanded_bytes: 12 << 20,
            connect: Ttl::from_seconds(3),
            total: Ttl::from_seconds(10),
            in_flight: 32,
            in_flight_per_host: 4,
            cache_bytes: 64 << 20,
            fresh_default: Ttl::from_seconds(60),
            fresh_longest: Ttl::from_seconds(24 * 3600),
            failure_memory: Ttl::from_seconds(5),
            extra_roots: Vec::new(),
        }
    }
}

impl HostPattern {
    /// Whether the pattern names this host, which is in lower case and without a final dot.
    pub(super) fn names(&self, host: &str) -> bool {
        match host.strip_suffix(self.name.as_str()) {
            Some("") => !self.below,
            Some(before) => self.below && before.ends_with('.') && before.len() > 1,
            None => false,
        }
    }

    /// The port that goes with it.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}

/// Reads a pattern; a name in another script is written as its ASCII form (IDNA).
impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let wrong = || HostPatternError(text.chars().take(300).collect());
        let (name, port) = match text.rsplit_once(':') {
            None => (text, HTTPS),
            Some((name, port)) => (name, port.parse().map_err(|_| wrong())?),
        };
        let (below, name) = match name.strip_prefix("*.") {
            None => (false, name),
            Some(name) => (true, name),
        };
        match Host::parse(name) {
            Ok(Host::Domain(name)) if is_host_name(&name) && port != 0 => {
                Ok(Self { name, below, port })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.below { "*." } else { "" };
        write!(f, "{below}{}", self.name)?;
        match self.port {
            HTTPS => Ok(()),
            port => write!(f, ":{port}"),
        }
    }
}

/// Whether this is a name of two labels or more, each of letters, digits and hyphens (RFC 1123),
/// and with no final dot. Expects lower case.
pub(super) fn is_host_name(name: &str) -> bool {
    let fine = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_pattern_names_one_host_or_all_below_a_domain() {
        assert!(pattern("example.org").names("example.org"));
        assert!(!pattern("example.org").names("a.example.org"));
        assert!(!pattern("example.org").names("badexample.org"));
        assert!(pattern("*.example.org").names("a.example.org"));
        assert!(pattern("*.example.org").names("b.a.example.org"));
        assert!(!pattern("*.example.org").names("example.org"));
        assert!(!pattern("*.example.org").names("badexample.org"));
        assert!(!pattern("*.example.org").names(".example.org"));
        assert!(!pattern("*.example.org").names("example.org.evil.example"));
    }

    #[test]
    fn patterns_are_normalized_and_written_as_they_are_read() {
        for (text, written) in [
            ("Example.ORG", "example.org"),
            ("*.example.org:443", "*.example.org"),
            ("example.org:8443", "example.org:8443"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(pattern(text).to_string(), written);
            assert_eq!(pattern(written), pattern(text));
        }
    }

    #[test]
    fn what_is_no_pattern_says_so() {
        for bad in [
            "",
            "*",
            "*.",
            "*.*.org",
            "a.*.org",
            "localhost",
            "intranet",
            "example.org.",
            "-a.example",
            "a_b.example",
            "10.0.0.1",
            "0x7f.1",
            "[::1]:443",
            "https://example.org",
            "example.org/path",
            "example.org:0",
            "example.org:70000",
            "example.org:",
        ] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad:?}");
        }
    }
}
