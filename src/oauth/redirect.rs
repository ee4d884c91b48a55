//! Where a browser is sent back with a code (RFC 6749 section 3.1.2, RFC 8252 section 7).

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::error::{ErrorCode, OAuthError};

/// The longest URI that is kept, in characters.
const MAX_CHARACTERS: usize = 2_048;

/// A URI that a client registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Reads a URI: `https`, `http` at the loopback addresses for programs on people's own devices,
    /// or a scheme of such a program, which is a reversed domain name (RFC 8252 section 7.1).
    ///
    /// # Errors
    /// `invalid_redirect_uri` for any other, and for one with a fragment, a user name, or characters
    /// that readers take differently.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let refused = |words: &str| Err(OAuthError::new(ErrorCode::InvalidRedirectUri, words));
        let usual = |c: char| c.is_ascii_graphic() && c != '\\' && c != '"' && c != '<' && c != '>';
        if text.len() > MAX_CHARACTERS || !text.chars().all(usual) {
            return refused("a redirect URI has at most 2048 characters of those that URIs have");
        }
        let Ok(url) = Url::parse(text) else {
            return refused("a redirect URI has to be an absolute URI");
        };
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return refused("a redirect URI has neither a fragment nor a user name");
        }
        match url.scheme() {
            "https" if url.has_host() => {}
            "http" if is_loopback(&url) => {}
            "http" => return refused("http is for 127.0.0.1 and [::1] alone; use https"),
            scheme if scheme.contains('.') && !url.has_host() => {}
            _ => {
                return refused(
                    "a redirect URI is https, http at a loopback address, or has a scheme that is a \
                     reversed domain name",
                );
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `asked` is this URI, letter for letter; at a loopback address its port may be any
    /// (RFC 8252 section 7.3).
    pub fn is(&self, asked: &str) -> bool {
        if self.0 == asked {
            return true;
        }
        match (loopback_parts(&self.0), loopback_parts(asked)) {
            (Some(registered), Some(asked)) => registered == asked,
            _ => false,
        }
    }

    /// This URI, or another that [`RedirectUri::is`] it, with parameters added to its query.
    pub fn with(uri: &str, parameters: &[(&str, &str)]) -> String {
        let mut added = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in parameters {
            added.append_pair(name, value);
        }
        let joint = match uri.contains('?') {
            true => '&',
            false => '?',
        };
        format!("{uri}{joint}{}", added.finish())
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.octets() == [127, 0, 0, 1],
        Some(Host::Ipv6(address)) => address.segments() == [0, 0, 0, 0, 0, 0, 0, 1],
        _ => false,
    }
}

/// Host and what stands behind the port, of a URI at a loopback address that is spelled out.
fn loopback_parts(uri: &str) -> Option<(&'static str, &str)> {
    for host in ["127.0.0.1", "[::1]"] {
        let Some(rest) = uri
            .strip_prefix("http://")
            .and_then(|r| r.strip_prefix(host))
        else {
            continue;
        };
        let Some(port) = rest.strip_prefix(':') else {
            let whole = rest.is_empty() || rest.starts_with(['/', '?']);
            return whole.then_some((host, rest));
        };
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = port.split_at(digits);
        let whole = rest.is_empty() || rest.starts_with(['/', '?']);
        return (whole && number.parse::<u16>().is_ok()).then_some((host, rest));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_its_client_alone() {
        for good in [
            "https://app.example/cb",
            "https://app.example:8443/cb?tenant=1",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:4000/cb",
            "http://[::1]:1/",
            "com.example.app:/cb",
        ] {
            let uri = RedirectUri::parse(good).unwrap_or_else(|e| panic!("{good}: {e}"));
            assert!(uri.is(good));
        }
        for bad in [
            "",
            "/cb",
            "http://app.example/cb",
            "http://localhost/cb",
            "http://127.0.0.2/cb",
            "https://app.example/cb#x",
            "https://u@app.example/cb",
            "https://app.example\\@evil.example/",
            "https://app.example/ cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/cb",
            "com.example.app://host/cb",
            "https://",
        ] {
            let refused = RedirectUri::parse(bad).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidRedirectUri, "{bad}");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        let native = RedirectUri::parse("http://127.0.0.1/cb?x=1").unwrap();
        for good in ["http://127.0.0.1:5/cb?x=1", "http://127.0.0.1:65535/cb?x=1"] {
            assert!(native.is(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:5/cb",
            "http://127.0.0.1:5/cb?x=1#f",
            "http://127.0.0.1:/cb?x=1",
            "http://127.0.0.1:65536/cb?x=1",
            "http://127.0.0.1:5@evil.example/cb?x=1",
            "http://127.0.0.1.evil.example/cb?x=1",
            "http://[::1]:5/cb?x=1",
            "https://127.0.0.1:5/cb?x=1",
        ] {
            assert!(!native.is(bad), "{bad}");
        }
        let web = RedirectUri::parse("https://app.example/cb").unwrap();
        for bad in [
            "https://app.example:444/cb",
            "https://app.example/cb/",
            "https://app.example/CB",
            "https://app.example/cb?",
        ] {
            assert!(!web.is(bad), "{bad}");
        }
    }

    #[test]
    fn parameters_are_added_to_what_is_there() {
        let added = [("code", "a b&c"), ("iss", "https://r.example")];
        let with = |uri| RedirectUri::with(uri, &added);
        let tail = "code=a+b%26c&iss=https%3A%2F%2Fr.example";
        assert_eq!(
            with("https://a.example/"),
            format!("https://a.example/?{tail}")
        );
        assert_eq!(
            with("https://a.example/?x=1"),
            format!("https://a.example/?x=1&{tail}")
        );
    }
}
