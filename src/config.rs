//! The configuration: a documented file of defaults, and what overrides it.

mod fetch;
mod guards;
mod oauth;
mod operations;
mod store;

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::Deserialize;
use thiserror::Error;
use url::Url;

use crate::http::{CachePolicy, Limits, ServicePages, Tls, TlsError};
use crate::net::{HostPatternError, Policy};
use crate::registry::{HistoryAccess, Providers, Settings};
use crate::time::Ttl;

pub use fetch::FetchConfig;
pub use guards::{LogConfig, LogFormat, QuotasConfig, RatesConfig, TlsConfig};
pub use oauth::{ConsoleConfig, OAuthConfig, ProviderConfig};
pub use operations::{Collector, OperationsConfig};
pub use store::{
    AnchorConfig, BackupConfig, ClockConfig, EngineChoice, MasterKeyConfig, PostgresConfig,
    StoreConfig,
};

/// The defaults, which are also the documentation of every key.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// What the file in a data folder is called that `init` writes.
pub const FILE_IN_DATA: &str = "goodstanding.toml";

/// The configuration. Each key is explained in `config/default.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Origin of every id, without a path.
    pub public_url: String,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Folder of store and master key.
    pub data: PathBuf,
    /// The store.
    pub store: StoreConfig,
    /// The store's anchor.
    pub anchor: AnchorConfig,
    /// Backups.
    pub backup: BackupConfig,
    /// The machine's clock.
    pub clock: ClockConfig,
    /// The master key.
    pub master_key: MasterKeyConfig,
    /// Who may see what.
    pub access: AccessConfig,
    /// Status lists.
    pub lists: ListsConfig,
    /// Endorsements.
    pub endorsements: EndorsementsConfig,
    /// Idempotency keys.
    pub idempotency: IdempotencyConfig,
    /// Freshness of public answers, in seconds.
    pub cache: CacheConfig,
    /// How much is taken in.
    pub limits: LimitsConfig,
    /// How connections are secured.
    pub tls: TlsConfig,
    /// What is said of those who run it.
    pub service: ServicePages,
    /// What is fetched from others.
    pub fetch: FetchConfig,
    /// Whose endorsements count.
    pub trust: TrustConfig,
    /// How often is asked.
    pub rates: RatesConfig,
    /// How much a profile takes up.
    pub quotas: QuotasConfig,
    /// The log.
    pub log: LogConfig,
    /// Metrics and health, for whoever runs it.
    pub operations: OperationsConfig,
    /// OAuth 2.0.
    pub oauth: OAuthConfig,
    /// The console.
    pub console: ConsoleConfig,
}

/// Who may see what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessConfig {
    /// Who may ask by credential id.
    pub status_by_credential: Audience,
    /// Who may see the lists of issuers as they were that chose nothing for themselves.
    pub history: HistoryAccess,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Everybody.
    Public,
    /// Callers with a token, about what is theirs.
    Authorised,
}

/// Status lists.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListsConfig {
    /// `ttl` of a list that does not ask for another, in milliseconds.
    pub ttl_ms: u64,
    /// For how many days a signed list holds.
    pub valid_days: NonZeroU16,
    /// How full a list has to be before its issuer can open another for the same purpose.
    pub fill_floor_percent: u8,
    /// How long after a change the signed list may follow, in milliseconds.
    pub publish_delay_ms: u64,
    /// Bytes of memory in which published lists are kept ready.
    pub kept_ready_bytes: u64,
    /// Bytes of memory in which lists are kept to be looked up in.
    pub looked_up_bytes: u64,
    /// For how many days lists are kept as they were; 0 for ever.
    pub history_days: u16,
}

/// Endorsements.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndorsementsConfig {
    /// How long before an endorsement ends it is among its endorser's tasks, in days.
    pub renewal_notice_days: u16,
    /// How often the issuers of imported endorsements are asked how those stand, in seconds.
    pub follow_seconds: u64,
    /// For how long what they said last counts where they do not answer, in seconds.
    pub unreachable_after_seconds: u64,
}

/// Idempotency keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdempotencyConfig {
    /// How long an answer is kept, in seconds.
    pub kept_seconds: u64,
}

/// Whose endorsements count.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// Trust anchors, by slug or id. Empty: every accreditor registered here is one.
    pub anchors: Vec<String>,
}

/// Freshness of public answers, in seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheConfig {
    did_document: u64,
    profile: u64,
    achievement: u64,
    status_list: u64,
    past_list: u64,
    endorsement: u64,
    look_up: u64,
    standing: u64,
    description: u64,
}

/// How much is taken in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    body_bytes: usize,
    bulk_body_bytes: usize,
    bulk_lines: u64,
    connections: usize,
    head_ms: u64,
    idle_ms: NonZeroU64,
    body_ms: u64,
    unread_ms: NonZeroU64,
    feeds: usize,
    feed_heartbeat_ms: NonZeroU64,
    revision_wait_ms: u64,
    drain_ms: u64,
}

/// What the command line says, which goes before everything else.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// A file of settings.
    pub file: Option<PathBuf>,
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// The data folder.
    pub data: Option<PathBuf>,
    /// The origin of every id.
    pub public_url: Option<String>,
    /// The file of the master key.
    pub master_key: Option<PathBuf>,
    /// Whether the origin follows the port that is listened on, where none is configured.
    pub local_origin: bool,
}

/// The configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A key or a value is wrong.
    #[error("the configuration is wrong: {0}")]
    Wrong(Box<figment::Error>),
    /// The file that was named is not there.
    #[error(
        "there is no configuration file {0}: name one that is there with --config, or leave it out"
    )]
    NoFile(PathBuf),
    /// Not an origin.
    #[error(
        "public_url is {0:?}, and has to be an origin such as https://registry.example: a scheme \
         and a host, perhaps a port, and no path"
    )]
    PublicUrl(String),
    /// Hosts that do not go with the policy.
    #[error(
        "fetch.hosts and fetch.policy do not go together: with \"listed\" name the hosts, and with \
         \"none\" or \"public\" name none"
    )]
    FetchHosts,
    /// Not a host to fetch from.
    #[error("fetch.hosts: {0}")]
    FetchHost(#[from] HostPatternError),
    /// This machine, and not in development.
    #[error(
        "fetch.localhost is for development, where public_url is on localhost, and here it is {0:?}: \
         set it to false"
    )]
    FetchLocalhost(String),
    /// A provider that cannot be used.
    #[error("oauth.providers: {issuer}: {reason}")]
    Provider {
        /// Its issuer.
        issuer: String,
        /// What is wrong.
        reason: String,
    },
    /// PostgreSQL cannot be used as it is configured.
    #[error("store.postgres.{key}: {reason}")]
    Postgres {
        /// Which key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The additional authorities are not there.
    #[error("fetch.extra_roots: {file} cannot be read: {reason}")]
    FetchRoots {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Config {
    /// Puts the configuration together: defaults, the file in the data folder, the file that was
    /// named, the environment, the command line.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        let mut given = Figment::new();
        if let Some(file) = &overrides.file {
            if !file.is_file() {
                return Err(ConfigError::NoFile(file.clone()));
            }
            given = given.merge(Toml::file_exact(file));
        }
        given = given.merge(environment());
        for (key, value) in [
            (
                "listen",
                overrides.listen.map(|address| address.to_string()),
            ),
            (
                "data",
                overrides
                    .data
                    .as_ref()
                    .map(|path| path.display().to_string()),
            ),
            ("public_url", overrides.public_url.clone()),
            (
                "master_key.file",
                overrides
                    .master_key
                    .as_ref()
                    .map(|p| p.display().to_string()),
            ),
        ] {
            if let Some(value) = value {
                given = given.merge(Serialized::default(key, value));
            }
        }
        let defaults = Figment::from(Toml::string(DEFAULTS));
        let data: PathBuf = defaults
            .clone()
            .merge(given.clone())
            .extract_inner("data")?;
        let in_data = Figment::from(Toml::file_exact(data.join(FILE_IN_DATA)));
        let given = if data.join(FILE_IN_DATA).is_file() {
            in_data.merge(given)
        } else {
            given
        };
        let names_origin = given.contains("public_url");
        let mut config: Self = defaults.merge(given).extract()?;
        if overrides.local_origin && !names_origin {
            config.public_url = format!("http://localhost:{}", config.listen.port());
        }
        config.public_url = origin(&config.public_url)?;
        Ok(config)
    }

    /// Where the master key stands.
    pub fn master_key_file(&self) -> PathBuf {
        match self.master_key.file.as_os_str().is_empty() {
            true => self.data.join("master.key"),
            false => self.master_key.file.clone(),
        }
    }

    /// Where the store stands, or a replica's copy of it.
    pub fn store_folder(&self) -> PathBuf {
        match self.store.engine {
            EngineChoice::Postgres => self.store.postgres.copy_in(&self.data),
            _ => self.data.join("store"),
        }
    }

    /// Where the store's anchor stands.
    pub fn anchor_file(&self) -> PathBuf {
        match self.anchor.file.as_os_str().is_empty() {
            true => self.data.join("anchor/anchor"),
            false => self.anchor.file.clone(),
        }
    }

    /// What the services need to know.
    pub fn settings(&self) -> Settings {
        Settings {
            public_url: self.public_url.clone(),
            list_ttl: Ttl::from_millis(self.lists.ttl_ms),
            list_validity: Ttl::from_seconds(u64::from(self.lists.valid_days.get()) * 86_400),
            fill_floor_percent: self.lists.fill_floor_percent.min(100),
            key_notice: self.cache_policy().did_document,
            idempotency_kept: Ttl::from_seconds(self.idempotency.kept_seconds),
            publish_before_acknowledging: self.lists.publish_delay_ms == 0,
            ready_bytes: self.lists.kept_ready_bytes,
            looked_up_bytes: self.lists.looked_up_bytes,
            history: self.access.history,
            history_kept: match self.lists.history_days {
                0 => None,
                days => Some(Ttl::from_seconds(u64::from(days) * 86_400)),
            },
            renewal_notice: Ttl::from_seconds(
                u64::from(self.endorsements.renewal_notice_days) * 86_400,
            ),
            trust_anchors: self.trust.anchors.clone(),
            imports_follow: Ttl::from_seconds(self.endorsements.follow_seconds),
            imports_unreachable_after: Ttl::from_seconds(
                self.endorsements.unreachable_after_seconds,
            ),
            quotas: self.quotas.quotas(),
            access_token: self.oauth.access_token(),
            registration: self.oauth.registration,
            sessions: self.console.sessions(),
            clock_tolerance: Ttl::from_seconds(self.clock.tolerance_seconds),
        }
    }

    /// `max-age` of public answers.
    pub const fn cache_policy(&self) -> CachePolicy {
        CachePolicy {
            did_document: Ttl::from_seconds(self.cache.did_document),
            profile: Ttl::from_seconds(self.cache.profile),
            achievement: Ttl::from_seconds(self.cache.achievement),
            status_list: Ttl::from_seconds(self.cache.status_list),
            past_list: Ttl::from_seconds(self.cache.past_list),
            endorsement: Ttl::from_seconds(self.cache.endorsement),
            look_up: Ttl::from_seconds(self.cache.look_up),
            standing: Ttl::from_seconds(self.cache.standing),
            description: Ttl::from_seconds(self.cache.description),
        }
    }

    /// How much is taken in.
    pub fn limits(&self) -> Limits {
        Limits {
            body_bytes: self.limits.body_bytes,
            bulk_body_bytes: self.limits.bulk_body_bytes,
            bulk_lines: self.limits.bulk_lines,
            connections: self.limits.connections,
            head: Ttl::from_millis(self.limits.head_ms),
            idle: Ttl::from_millis(self.limits.idle_ms.get()),
            body: Ttl::from_millis(self.limits.body_ms),
            unread: Ttl::from_millis(self.limits.unread_ms.get()),
            feeds: self.limits.feeds,
            feed_heartbeat: Ttl::from_millis(self.limits.feed_heartbeat_ms.get()),
            revision_wait: Ttl::from_millis(self.limits.revision_wait_ms),
            rates: self.rates.rates(),
        }
    }

    /// How connections are secured, with the files of certificate and key read.
    pub fn tls(&self) -> Result<Option<Arc<Tls>>, TlsError> {
        self.tls.tls()
    }

    /// How long stopping in order may take.
    pub const fn drain(&self) -> Duration {
        Duration::from_millis(self.limits.drain_ms)
    }

    /// The OpenID Connect providers whose tokens are taken, with the files of their keys read.
    pub fn providers(&self) -> Result<Providers, ConfigError> {
        self.oauth.providers(&self.public_url)
    }

    /// What is fetched from others, with the file of additional authorities read.
    pub fn fetch_policy(&self) -> Result<Policy, ConfigError> {
        self.fetch.policy(&self.public_url)
    }
}

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        Self::Wrong(Box::new(error))
    }
}

/// Variables that name a key of the configuration. Others with the same prefix speak to the
/// command line and to the tests.
fn environment() -> Env {
    const KEYS: &[&str] = &[
        "public_url",
        "listen",
        "data",
        "store",
        "anchor",
        "backup",
        "master_key",
        "access",
        "lists",
        "endorsements",
        "idempotency",
        "cache",
        "limits",
        "tls",
        "service",
        "trust",
        "fetch",
        "rates",
        "quotas",
        "log",
        "operations",
        "oauth",
        "console",
    ];
    Env::prefixed("GOODSTANDING_")
        .filter(|name| {
            let name = name.as_str().to_ascii_lowercase();
            let section = name.split("__").next().unwrap_or_default();
            // The master key itself, and what is logged, come in variables that have the names of sections.
            KEYS.contains(&section) && !["master_key", "log"].contains(&&*name)
        })
        .split("__")
}

fn origin(text: &str) -> Result<String, ConfigError> {
    let wrong = || ConfigError::PublicUrl(text.to_owned());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let named = url.has_host() && url.username().is_empty() && url.password().is_none();
    if !(bare && named && matches!(url.scheme(), "http" | "https")) {
        return Err(wrong());
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Hosts;
    use std::path::Path;

    fn load(file: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.toml");
        std::fs::write(&path, file).unwrap();
        Config::load(&Overrides {
            file: Some(path),
            ..Overrides::default()
        })
    }

    #[test]
    fn usual_settings_are_those_of_the_default_configuration() {
        let usual = Settings::usual("http://localhost:8080");
        let configured = Settings {
            publish_before_acknowledging: true,
            ..load("").unwrap().settings()
        };
        assert_eq!(configured, usual);
        let config = load("").unwrap();
        assert_eq!(config.cache_policy(), CachePolicy::usual());
        assert_eq!(config.limits(), Limits::usual());
    }

    #[test]
    fn every_sample_is_a_configuration() {
        for sample in [
            "default.toml",
            "development.toml",
            "production.example.toml",
        ] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("config")
                .join(sample);
            let config = load(&std::fs::read_to_string(path).unwrap())
                .unwrap_or_else(|e| panic!("{sample}: {e}"));
            config
                .fetch_policy()
                .unwrap_or_else(|e| panic!("{sample}: {e}"));
        }
    }

    #[test]
    fn operators_are_told_nothing_on_an_address_of_its_own_unless_it_is_named() {
        assert_eq!(load("").unwrap().operations.listen, None);
        let named = load("[operations]\nlisten = \"127.0.0.1:9464\"").unwrap();
        assert_eq!(named.operations.listen.unwrap().port(), 9_464);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = load("[lists]\npublish_dealy_ms = 1")
            .unwrap_err()
            .to_string();
        assert!(error.contains("publish_dealy_ms"), "{error}");
    }

    #[test]
    fn endorsements_are_tasks_thirty_days_before_they_end() {
        let days = |file: &str| {
            load(file).map(|config| config.settings().renewal_notice.seconds() / 86_400)
        };
        assert_eq!(days("").unwrap(), 30);
        assert_eq!(days("[endorsements]\nrenewal_notice_days = 0").unwrap(), 0);
        for bad in ["-1", "65536", "\"a month\""] {
            assert!(days(&format!("[endorsements]\nrenewal_notice_days = {bad}")).is_err());
        }
    }

    #[test]
    fn history_is_for_issuers_and_for_ever_unless_it_is_said_otherwise() {
        let set = |file: &str| {
            let settings = load(file).map(|config| config.settings());
            settings.map(|settings| (settings.history, settings.history_kept))
        };
        assert_eq!(set("").unwrap(), (HistoryAccess::Authorised, None));
        let kept = set("[access]\nhistory = \"none\"\n[lists]\nhistory_days = 2").unwrap();
        assert_eq!(
            kept,
            (HistoryAccess::None, Some(Ttl::from_seconds(172_800)))
        );
        assert!(set("[access]\nhistory = \"everybody\"").is_err());
        assert!(set("[lists]\nhistory_days = -1").is_err());
    }

    #[test]
    fn the_public_url_is_an_origin() {
        let config = load("public_url = \"https://registry.example:443/\"").unwrap();
        assert_eq!(config.public_url, "https://registry.example");
        for bad in [
            "registry.example",
            "https://a/b",
            "ftp://a",
            "https://u@a",
            "https://a?x",
        ] {
            assert!(load(&format!("public_url = {bad:?}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_init_wrote_into_the_data_folder_is_read_and_can_be_overridden() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join(FILE_IN_DATA);
        std::fs::write(file, "public_url = \"https://recorded.example\"").unwrap();
        let overrides = Overrides {
            data: Some(data.path().to_owned()),
            local_origin: true,
            ..Overrides::default()
        };
        assert_eq!(
            Config::load(&overrides).unwrap().public_url,
            "https://recorded.example"
        );
        let overrides = Overrides {
            public_url: Some("https://other.example".into()),
            ..overrides
        };
        assert_eq!(
            Config::load(&overrides).unwrap().public_url,
            "https://other.example"
        );
    }

    #[test]
    fn development_serves_under_the_port_it_listens_on() {
        let listen = Some("127.0.0.1:9123".parse().unwrap());
        let overrides = Overrides {
            listen,
            local_origin: true,
            ..Overrides::default()
        };
        assert_eq!(
            Config::load(&overrides).unwrap().public_url,
            "http://localhost:9123"
        );
    }

    /// The fetch policy that a section makes.
    fn fetch(section: &str) -> Result<Policy, ConfigError> {
        load(&format!("[fetch]\n{section}"))?.fetch_policy()
    }

    #[test]
    fn nothing_is_fetched_by_default() {
        assert_eq!(fetch("").unwrap(), Policy::default());
    }

    #[test]
    fn hosts_are_listed_or_all_of_the_public_internet() {
        assert_eq!(fetch("policy = \"public\"").unwrap().hosts, Hosts::Public);
        let listed = fetch("policy = \"listed\"\nhosts = [\"a.example\", \"*.b.example:8443\"]");
        let Hosts::Listed(patterns) = listed.unwrap().hosts else {
            panic!("these are listed");
        };
        let written: Vec<_> = patterns.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["a.example", "*.b.example:8443"]);
        for section in [
            "policy = \"listed\"",
            "policy = \"public\"\nhosts = [\"a.example\"]",
            "hosts = [\"a.example\"]",
        ] {
            assert!(
                matches!(fetch(section), Err(ConfigError::FetchHosts)),
                "{section}"
            );
        }
        let wrong = fetch("policy = \"listed\"\nhosts = [\"10.0.0.1\"]").unwrap_err();
        assert!(
            wrong.to_string().starts_with("fetch.hosts: \"10.0.0.1\""),
            "{wrong}"
        );
        assert!(fetch("policy = \"all\"").is_err());
        assert!(fetch("in_flight = 0").is_err());
    }

    #[test]
    fn this_machine_is_fetched_from_in_development_only() {
        assert!(fetch("localhost = true").unwrap().localhost);
        let public = "public_url = \"https://registry.example\"\n[fetch]\nlocalhost = true";
        let refused = load(public).unwrap().fetch_policy();
        assert!(matches!(refused, Err(ConfigError::FetchLocalhost(_))));
    }

    #[test]
    fn additional_authorities_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots.pem");
        let section = format!("extra_roots = {:?}", file.display().to_string());
        let missing = fetch(&section).unwrap_err().to_string();
        assert!(missing.contains("roots.pem cannot be read"), "{missing}");
        std::fs::write(&file, "PEM").unwrap();
        assert_eq!(fetch(&section).unwrap().extra_roots, b"PEM");
    }
}
