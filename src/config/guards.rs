//! What keeps callers from each other: rates, quotas, and a log that tells nothing of them.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use crate::http::{Rates, Tls, TlsError};
use crate::registry::Quotas;
use crate::time::Ttl;

/// How often is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatesConfig {
    window_seconds: NonZeroU32,
    client: u32,
    tenant: u32,
    operator: u32,
    codes_of_address: u32,
    codes: u32,
    proxies: u8,
}

/// How much a profile takes up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotasConfig {
    profiles: u64,
    lists: u64,
    lists_per_day: u64,
    entries_per_day: u64,
    credentials_per_day: u64,
    endorsements_per_day: u64,
    requests_per_day: u64,
    achievements: u64,
    client_lists_per_day: u64,
    client_entries_per_day: u64,
}

/// How connections are secured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    certificate: PathBuf,
    key: PathBuf,
}

impl TlsConfig {
    /// Certificate and key, where they are named.
    pub(super) fn tls(&self) -> Result<Option<Arc<Tls>>, TlsError> {
        let named = |file: &PathBuf| !file.as_os_str().is_empty();
        match (named(&self.certificate), named(&self.key)) {
            (false, false) => Ok(None),
            (true, true) => Ok(Some(Arc::new(Tls::load(&self.certificate, &self.key)?))),
            _ => Err(TlsError::OneMissing),
        }
    }
}

/// The log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// How its lines are written.
    pub format: LogFormat,
}

/// How lines of the log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text.
    Pretty,
    /// A JSON object each.
    Json,
}

impl RatesConfig {
    pub(super) fn rates(&self) -> Rates {
        Rates {
            window: Ttl::from_seconds(self.window_seconds.get().into()),
            client: self.client,
            tenant: self.tenant,
            operator: self.operator,
            codes_of_address: self.codes_of_address,
            codes: self.codes,
            proxies: self.proxies,
        }
    }
}

impl QuotasConfig {
    pub(super) const fn quotas(&self) -> Quotas {
        Quotas {
            profiles: self.profiles,
            lists: self.lists,
            lists_per_day: self.lists_per_day,
            entries_per_day: self.entries_per_day,
            credentials_per_day: self.credentials_per_day,
            endorsements_per_day: self.endorsements_per_day,
            requests_per_day: self.requests_per_day,
            achievements: self.achievements,
            client_lists_per_day: self.client_lists_per_day,
            client_entries_per_day: self.client_entries_per_day,
        }
    }
}
