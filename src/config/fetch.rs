//! `[fetch]`: what is fetched from others.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use serde::Deserialize;
use url::{Host, Url};

use super::ConfigError;
use crate::net::{Hosts, Policy};
use crate::time::Ttl;

/// What is fetched from others.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchConfig {
    policy: FetchFrom,
    hosts: Vec<String>,
    localhost: bool,
    redirects: u8,
    body_bytes: usize,
    expanded_bytes: usize,
    connect_ms: NonZeroU64,
    total_ms: NonZeroU64,
    in_flight: NonZeroUsize,
    in_flight_per_host: NonZeroUsize,
    cache_bytes: u64,
    fresh_default: u64,
    fresh_longest: u64,
    failure_memory: u64,
    extra_roots: PathBuf,
}

/// From whom is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FetchFrom {
    None,
    Listed,
    Public,
}

impl FetchConfig {
    /// The policy, for a registry at this origin, with the file of additional authorities read.
    pub(super) fn policy(&self, public_url: &str) -> Result<Policy, ConfigError> {
        if self.localhost && !is_local(public_url) {
            return Err(ConfigError::FetchLocalhost(public_url.to_owned()));
        }
        Ok(Policy {
            hosts: self.hosts()?,
            localhost: self.localhost,
            redirects: self.redirects,
            body_bytes: self.body_bytes,
            expanded_bytes: self.expanded_bytes,
            connect: Ttl::from_millis(self.connect_ms.get()),
            total: Ttl::from_millis(self.total_ms.get()),
            in_flight: self.in_flight.get(),
            in_flight_per_host: self.in_flight_per_host.get(),
            cache_bytes: self.cache_bytes,
            fresh_default: Ttl::from_seconds(self.fresh_default),
            fresh_longest: Ttl::from_seconds(self.fresh_longest),
            failure_memory: Ttl::from_seconds(self.failure_memory),
            extra_roots: self.extra_roots()?,
        })
    }

    fn hosts(&self) -> Result<Hosts, ConfigError> {
        match (self.policy, self.hosts.is_empty()) {
            (FetchFrom::None, true) => Ok(Hosts::None),
            (FetchFrom::Public, true) => Ok(Hosts::Public),
            (FetchFrom::Listed, false) => {
                let patterns = self.hosts.iter().map(|host| host.parse());
                Ok(Hosts::Listed(patterns.collect::<Result<_, _>>()?))
            }
            _ => Err(ConfigError::FetchHosts),
        }
    }

    fn extra_roots(&self) -> Result<Vec<u8>, ConfigError> {
        if self.extra_roots.as_os_str().is_empty() {
            return Ok(Vec::new());
        }
        std::fs::read(&self.extra_roots).map_err(|failed| ConfigError::FetchRoots {
            file: self.extra_roots.clone(),
            reason: failed.to_string(),
        })
    }
}

/// Whether an origin is one of this machine.
fn is_local(origin: &str) -> bool {
    let url = Url::parse(origin);
    url.is_ok_and(|url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}
