//! Where whoever runs it is told how it runs.

use std::fmt;
use std::net::SocketAddr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

/// What is told to whoever runs it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationsConfig {
    /// Where metrics and health are served; nowhere where that is not said.
    #[serde(deserialize_with = "address")]
    pub listen: Option<SocketAddr>,
    /// Where traces are sent, by OTLP over HTTP: the base that `/v1/traces` is appended to; nowhere where
    /// that is not said.
    #[serde(deserialize_with = "collector")]
    pub traces: Option<Collector>,
    /// How many of all traces are told of, from 0 to 1.
    #[serde(deserialize_with = "ratio")]
    pub traces_ratio: f64,
    /// As what the registry is named there (`service.name`).
    pub traces_service: String,
}

/// A base URL at which traces are collected.
#[derive(Clone, PartialEq, Eq)]
pub struct Collector(Url);

impl Collector {
    /// Where spans are posted (OTLP, section OTLP/HTTP request).
    pub fn endpoint(&self) -> String {
        format!("{}/v1/traces", self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// An empty text is nowhere.
fn collector<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Collector>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let good = |url: &Url| {
        let bare = url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && url.host().is_some() && bare && nobody
    };
    let url = Url::parse(&text).ok().filter(good);
    url.map(|url| Some(Collector(url))).ok_or_else(|| {
        // What was given is not repeated: it may have a password in it.
        D::Error::custom(
            "traces has to be the base URL of a collector such as \"http://127.0.0.1:4318\", \
             without user, query and fragment, or empty; what it asks for goes into \
             OTEL_EXPORTER_OTLP_HEADERS",
        )
    })
}

fn ratio<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let ratio = f64::deserialize(from)?;
    let good = (0.0..=1.0).contains(&ratio);
    good.then_some(ratio).ok_or_else(|| {
        D::Error::custom(format!(
            "traces_ratio has to be from 0 to 1, and {ratio} is not"
        ))
    })
}

/// An empty text is no address.
fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        D::Error::custom(format!(
            "{text:?} has to be an address and a port such as \"127.0.0.1:9464\", or empty"
        ))
    })
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format as _, Toml};

    use super::*;

    fn read(toml: &str) -> Result<OperationsConfig, String> {
        let usual = "listen = \"\"\ntraces = \"\"\ntraces_ratio = 0.1\ntraces_service = \"g\"";
        let read = Figment::from(Toml::string(usual)).merge(Toml::string(toml));
        read.extract().map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_named_or_none() {
        assert_eq!(read("").unwrap().listen, None);
        let named = "127.0.0.1:9464";
        let listen = format!("listen = \"{named}\"");
        assert_eq!(read(&listen).unwrap().listen, Some(named.parse().unwrap()));
        for bad in ["9464", "localhost:9464", "127.0.0.1"] {
            let told = read(&format!("listen = {bad:?}")).unwrap_err();
            assert!(told.contains("127.0.0.1:9464"), "{told}");
        }
    }

    #[test]
    fn a_collector_is_a_base_without_secrets() {
        assert_eq!(read("").unwrap().traces, None);
        for (base, endpoint) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            (
                "https://c.example/otlp/",
                "https://c.example/otlp/v1/traces",
            ),
        ] {
            let read = read(&format!("traces = {base:?}")).unwrap();
            assert_eq!(read.traces.unwrap().endpoint(), endpoint);
        }
        for bad in [
            "127.0.0.1:4318",
            "grpc://c.example",
            "https://me:canary@c.example",
            "https://c.example/?key=canary",
        ] {
            let told = read(&format!("traces = {bad:?}")).unwrap_err();
            assert!(told.contains("OTEL_EXPORTER_OTLP_HEADERS"), "{told}");
        }
    }

    #[test]
    fn a_ratio_is_a_part_of_one() {
        assert_eq!(read("traces_ratio = 1").unwrap().traces_ratio, 1.0);
        for bad in ["-0.1", "1.5", "nan"] {
            let told = read(&format!("traces_ratio = {bad}")).unwrap_err();
            assert!(told.contains("from 0 to 1"), "{told}");
        }
    }
}
