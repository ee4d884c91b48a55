//! Where whoever runs it is told how it runs.

use std::net::SocketAddr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// What is told to whoever runs it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationsConfig {
    /// Where metrics and health are served; nowhere where that is not said.
    #[serde(deserialize_with = "address")]
    pub listen: Option<SocketAddr>,
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

    fn read(toml: &str) -> Result<Option<SocketAddr>, String> {
        let read = Figment::from(Toml::string(toml)).extract::<OperationsConfig>();
        read.map(|read| read.listen)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_named_or_none() {
        assert_eq!(read("listen = \"\""), Ok(None));
        let named = "127.0.0.1:9464";
        let listen = format!("listen = \"{named}\"");
        assert_eq!(read(&listen), Ok(Some(named.parse().unwrap())));
        for bad in ["9464", "localhost:9464", "127.0.0.1"] {
            let told = read(&format!("listen = {bad:?}")).unwrap_err();
            assert!(told.contains("127.0.0.1:9464"), "{told}");
        }
    }
}
