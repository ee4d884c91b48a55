//! What the edge needs beside the registry, as plain values.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::measured::Measured;
use super::rates::Rates;
use super::server::Tls;
use super::uploads::Uploads;
use crate::backup::Backups;
use crate::registry::{Providers, Registry};
use crate::time::Ttl;
use crate::vc::did::Localhost;
use crate::verify::{Given, Outside};

/// The registry with the rules of the edge around it.
pub struct Edge {
    /// The services.
    pub registry: Arc<Registry>,
    /// Where verification goes for what stands elsewhere.
    pub outside: Arc<dyn Outside>,
    /// Whose tokens are taken beside those of this registry.
    pub providers: Providers,
    /// How localhost is treated as the host of an issuer.
    pub localhost: Localhost,
    /// Who may do what without a token.
    pub mode: Mode,
    /// Whether anybody may ask for the status of a credential by its id, which tells them that
    /// the credential exists.
    pub status_by_credential_is_public: bool,
    /// How long answers stay fresh.
    pub cache: CachePolicy,
    /// How much is taken in.
    pub limits: Limits,
    /// How connections are secured, where they are.
    pub tls: Option<Arc<Tls>>,
    /// What is said of those who run it.
    pub service: ServicePages,
    /// Makes backups, where there is a folder for them.
    pub backups: Option<Arc<Backups>>,
    /// Tables that registrars have uploaded.
    pub uploads: Uploads,
    /// What is counted of requests.
    pub measured: Arc<Measured>,
}

/// Pages of whoever runs the registry, which programs show to people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServicePages {
    #[serde(deserialize_with = "page")]
    terms_of_service_url: Option<Url>,
    #[serde(deserialize_with = "page")]
    privacy_policy_url: Option<Url>,
}

impl ServicePages {
    /// The URL of the terms of service; the front page of the registry where none is named.
    pub fn terms_of_service(&self, origin: &str) -> String {
        or_front_page(self.terms_of_service_url.as_ref(), origin)
    }

    /// The URL of the privacy policy; the front page of the registry where none is named.
    pub fn privacy_policy(&self, origin: &str) -> String {
        or_front_page(self.privacy_policy_url.as_ref(), origin)
    }
}

fn or_front_page(page: Option<&Url>, origin: &str) -> String {
    page.map_or_else(|| format!("{origin}/"), Url::to_string)
}

/// An empty text names no page.
fn page<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    match Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(url)),
        _ => Err(D::Error::custom(format!(
            "{text:?} has to be the http or https URL of a page, or empty"
        ))),
    }
}

impl Edge {
    /// An edge in production that asks nobody outside, and whose configuration says nothing else.
    pub fn usual(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            outside: Arc::new(Given::refused()),
            providers: Providers::default(),
            localhost: Localhost::Refused,
            mode: Mode::Production,
            status_by_credential_is_public: false,
            cache: CachePolicy::usual(),
            limits: Limits::usual(),
            tls: None,
            service: ServicePages::default(),
            backups: None,
            uploads: Uploads::default(),
            measured: Arc::default(),
        }
    }

    /// Whether anybody may ask for things by the id of a credential.
    pub(super) fn tells_everybody(&self) -> bool {
        self.status_by_credential_is_public || self.mode == Mode::Development
    }
}

/// How the registry runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Changes need a token.
    Production,
    /// On the loopback interface only: changes need no token, and requests that come from web
    /// pages of other origins are refused.
    Development,
}

/// `max-age` of every public answer. The one table of ARCHITECTURE.md shows the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePolicy {
    /// DID and controller documents.
    pub did_document: Ttl,
    /// Profiles, also as pages.
    pub profile: Ttl,
    /// Achievements, also as pages.
    pub achievement: Ttl,
    /// Status lists; never longer than the list's own `ttl`.
    pub status_list: Ttl,
    /// Status lists as they were, of a time that is over and where everybody may see them.
    pub past_list: Ttl,
    /// Signed endorsements, also as pages.
    pub endorsement: Ttl,
    /// Look-ups of status and of endorsements, which show every acknowledged change at once.
    pub look_up: Ttl,
    /// Answers about the standing of credentials: for so long after it was given one may be relied
    /// on by those who keep it (`freshUntil`).
    pub standing: Ttl,
    /// The OpenAPI description, the documentation and the style sheet.
    pub description: Ttl,
}

/// How much is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// Bytes of a body of many status updates, of an allocation or of an import. Updates by lines may
    /// be longer: then they are made as they come.
    pub bulk_body_bytes: usize,
    /// Lines of a body of status updates.
    pub bulk_lines: u64,
    /// Open connections; more wait to be accepted.
    pub connections: usize,
    /// Time for a request's head to arrive.
    pub head: Ttl,
    /// How long a connection may stay open between two requests.
    pub idle: Ttl,
    /// Time for a request's body to arrive.
    pub body: Ttl,
    /// How long an answer may wait for its reader to take more of it, before it is cut off.
    pub unread: Ttl,
    /// Open change feeds; more are asked to come back.
    pub feeds: usize,
    /// After so long without news a feed says that it is still there.
    pub feed_heartbeat: Ttl,
    /// For how long a request waits for what its caller has seen elsewhere.
    pub revision_wait: Ttl,
    /// How often is asked.
    pub rates: Rates,
}

impl CachePolicy {
    /// Where the configuration says nothing else.
    pub const fn usual() -> Self {
        let minutes = Ttl::from_seconds(300);
        Self {
            did_document: Ttl::from_seconds(3_600),
            profile: minutes,
            achievement: minutes,
            status_list: Ttl::from_seconds(60),
            past_list: Ttl::from_seconds(86_400),
            endorsement: Ttl::from_seconds(60),
            look_up: Ttl::from_seconds(0),
            standing: minutes,
            description: Ttl::from_seconds(3_600),
        }
    }
}

impl Limits {
    /// Where the configuration says nothing else.
    pub const fn usual() -> Self {
        Self {
            body_bytes: 16 << 20,
            bulk_body_bytes: 64 << 20,
            bulk_lines: 100_000_000,
            connections: 10_000,
            head: Ttl::from_seconds(10),
            idle: Ttl::from_seconds(60),
            body: Ttl::from_seconds(60),
            unread: Ttl::from_seconds(30),
            feeds: 1_000,
            feed_heartbeat: Ttl::from_seconds(15),
            revision_wait: Ttl::from_seconds(2),
            rates: Rates::usual(),
        }
    }
}
