//! `[oauth]`: clients, and sign-ins elsewhere; `[console]`: sign-ins here.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::ConfigError;
use crate::access::Role;
use crate::ids::Slug;
use crate::json;
use crate::oauth::access_token;
use crate::oauth::provider::{Provider, RoleRule};
use crate::registry::{ProviderKeys, Providers, Registration, SessionLimits};
use crate::time::Ttl;
use crate::vc::verifying::KeyKind;

/// OAuth 2.0.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthConfig {
    /// For how many seconds an access token is good.
    pub access_token_seconds: NonZeroU32,
    /// Who may register clients.
    pub registration: Registration,
    /// OpenID Connect providers whose tokens are taken.
    pub providers: Vec<ProviderConfig>,
}

/// The console.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleConfig {
    /// After so many minutes without use somebody has to sign in again.
    pub idle_minutes: NonZeroU32,
    /// After so many hours somebody has to sign in again in any case.
    pub session_hours: NonZeroU32,
}

impl ConsoleConfig {
    /// For how long somebody stays signed in.
    pub(super) fn sessions(&self) -> SessionLimits {
        SessionLimits {
            idle: Ttl::from_seconds(u64::from(self.idle_minutes.get()) * 60),
            longest: Ttl::from_seconds(u64::from(self.session_hours.get()) * 3_600),
        }
    }
}

/// An OpenID Connect provider whose tokens are taken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    issuer: String,
    audience: String,
    /// A file with its JWK set, where that is given.
    jwks: Option<PathBuf>,
    /// Where its JWK set is fetched, otherwise.
    jwks_uri: Option<String>,
    algorithms: Vec<String>,
    profile_claim: String,
    profiles: BTreeMap<String, Slug>,
    role: Option<Role>,
    role_claim: Option<String>,
    #[serde(default)]
    roles: BTreeMap<String, Role>,
    scope_claim: Option<String>,
}

impl OAuthConfig {
    /// For how long an access token is good: no longer than any may be.
    pub(super) fn access_token(&self) -> Ttl {
        let seconds = Ttl::from_seconds(u64::from(self.access_token_seconds.get()));
        seconds.min(access_token::LONGEST)
    }

    /// The providers, with the files of their keys read.
    ///
    /// # Errors
    /// [`ConfigError::Provider`], with the issuer and what is wrong.
    pub(super) fn providers(&self, public_url: &str) -> Result<Providers, ConfigError> {
        let mut read: Vec<(Provider, ProviderKeys)> = Vec::new();
        for config in &self.providers {
            let wrong = |reason: String| ConfigError::Provider {
                issuer: config.issuer.clone(),
                reason,
            };
            let twice = read.iter().any(|(other, _)| other.issuer == config.issuer);
            if twice || config.issuer == public_url || config.issuer.is_empty() {
                let words = "an issuer stands once, and is not this registry itself";
                return Err(wrong(words.into()));
            }
            let provider = config.provider().map_err(wrong)?;
            read.push((provider, config.keys().map_err(wrong)?));
        }
        Ok(Providers::new(read))
    }
}

impl ProviderConfig {
    fn provider(&self) -> Result<Provider, String> {
        if self.audience.is_empty() || self.profile_claim.is_empty() || self.profiles.is_empty() {
            return Err("audience, profile_claim and profiles are needed".into());
        }
        let kinds = self.algorithms.iter().map(|name| {
            let kind = KeyKind::of_algorithm(name);
            kind.ok_or_else(|| format!("algorithms: {name:?} is none of EdDSA, ES256 and RS256"))
        });
        let algorithms: Vec<KeyKind> = kinds.collect::<Result<_, _>>()?;
        if algorithms.is_empty() {
            return Err("algorithms: at least one is needed".into());
        }
        let role = match (self.role, &self.role_claim) {
            (Some(role), None) if self.roles.is_empty() => RoleRule::Always(role),
            (None, Some(claim)) if !self.roles.is_empty() => RoleRule::ByClaim {
                claim: claim.clone(),
                roles: self.roles.clone(),
            },
            _ => return Err("either role, or role_claim with roles, is needed".into()),
        };
        let named = self.role.iter().chain(self.roles.values());
        if named.into_iter().any(|role| !role.is_for_a_profile()) {
            return Err("nobody is operator by a provider elsewhere".into());
        }
        Ok(Provider {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            algorithms,
            profile_claim: self.profile_claim.clone(),
            profiles: self.profiles.clone(),
            role,
            scope_claim: self.scope_claim.clone(),
        })
    }

    fn keys(&self) -> Result<ProviderKeys, String> {
        match (&self.jwks, &self.jwks_uri) {
            (Some(file), None) => read_keys(file).map(ProviderKeys::Given),
            (None, Some(url)) => Ok(ProviderKeys::At(url.clone())),
            _ => Err("either jwks, a file, or jwks_uri is needed".into()),
        }
    }
}

fn read_keys(file: &Path) -> Result<Value, String> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| format!("jwks: {name}: {error}"))?;
    let keys = json::parse(&bytes).map_err(|error| format!("jwks: {name}: {error}"))?;
    match keys.get("keys").and_then(Value::as_array) {
        Some(_) => Ok(keys),
        None => Err(format!("jwks: {name} is no JWK set")),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError, Overrides};

    fn providers(file: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.toml");
        let keys = folder.path().join("keys.json");
        std::fs::write(&keys, "{\"keys\": []}").unwrap();
        std::fs::write(&path, file.replace("KEYS", &keys.display().to_string())).unwrap();
        let overrides = Overrides {
            file: Some(path),
            ..Overrides::default()
        };
        let read = Config::load(&overrides).and_then(|config| config.providers());
        let read = read.map_err(|error: ConfigError| error.to_string())?;
        Ok(read.issuers().map(str::to_owned).collect())
    }

    const GOOD: &str = "[[oauth.providers]]\nissuer = \"https://id.example\"\n\
        audience = \"https://r.example\"\njwks = \"KEYS\"\nalgorithms = [\"ES256\"]\n\
        profile_claim = \"org\"\nrole = \"list-manager\"\nprofiles = { \"1\" = \"school\" }\n";

    #[test]
    fn a_provider_says_whose_its_tokens_are() {
        assert_eq!(providers(""), Ok(vec![]));
        assert_eq!(providers(GOOD), Ok(vec!["https://id.example".into()]));
        let by_claim = GOOD.replace(
            "role = \"list-manager\"",
            "role_claim = \"roles\"\nroles = { \"keeper\" = \"list-manager\" }",
        );
        assert!(providers(&by_claim).is_ok());
        let fetched = GOOD.replace("jwks = \"KEYS\"", "jwks_uri = \"https://id.example/jwks\"");
        assert!(providers(&fetched).is_ok());
        for (good, bad) in [
            ("ES256", "HS256"),
            ("[\"ES256\"]", "[]"),
            ("list-manager", "operator"),
            ("list-manager", "root"),
            ("\"school\"", "\"No Slug\""),
            ("jwks = \"KEYS\"", ""),
            ("jwks = \"KEYS\"", "jwks = \"/nowhere\""),
            ("role = \"list-manager\"", ""),
            ("https://id.example", "http://localhost:8080"),
            ("profile_claim", "profil_claim"),
        ] {
            let refused = providers(&GOOD.replace(good, bad));
            assert!(refused.is_err(), "{bad}: {refused:?}");
        }
        let twice = format!("{GOOD}{GOOD}");
        assert!(providers(&twice).unwrap_err().contains("stands once"));
    }
}
