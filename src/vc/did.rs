//! Decentralized identifiers, as far as issuers use them: did:web, and two methods whose
//! identifiers are keys, did:key for Ed25519 and P-256, and did:jwk.
//!
//! What stands behind an identifier, its controller document, is in [`super::controller`].

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use thiserror::Error;
use url::{Host, Url};

use super::controller;
use super::keys::{PublicKey, PublicKeyError};
use super::verifying::{P256Key, VerifyingKey};
use crate::json::{self, JsonError};

pub use super::controller::{
    KeyError, Method, Relationship, controller_document, did_document, jwk_fragment,
    method_members, retrieve_key,
};

/// A DID of one of the methods that are resolved here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// `did:key:z6Mk…` or `did:key:zDn…`
    Key(DidKey),
    /// `did:jwk:…`
    Jwk(DidJwk),
    /// `did:web:…`
    Web(DidWeb),
}

/// A key as its own identifier: did:key with the Multikey. Profiles here have Ed25519 alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DidKey {
    /// `z6Mk…`
    Ed25519(PublicKey),
    /// `zDn…`
    P256(P256Key),
}

/// A JWK as its own identifier: did:jwk, with the key's JSON in base64url. The text that was read
/// is the text that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DidJwk {
    encoded: String,
    jwk: Value,
}

/// A host, and a path on it, as an identifier. Made only from what the did:web method allows; the
/// text that was read is the text that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DidWeb {
    host: String,
    port: Option<u16>,
    path: Vec<String>,
}

/// How `localhost` is treated as the host of a did:web. Everywhere but in development it has to
/// be refused: whoever resolves it asks their own machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Localhost {
    /// It is no host.
    Refused,
    /// It is asked over plain HTTP.
    Http,
    /// It is asked over HTTPS.
    Https,
}

/// A DID, and the fragment that names one of its verification methods. Paths, queries and
/// parameters lead elsewhere than to a method and are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DidUrl<'a> {
    /// The DID alone.
    pub did: &'a str,
    /// What stands after `#`.
    pub fragment: Option<&'a str>,
}

/// Why a text is not a DID that is taken here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DidError {
    /// Not a DID (DID Core section 3.1).
    #[error("{0:?} is not a DID such as did:web:example.org")]
    Syntax(String),
    /// A method that is not resolved here.
    #[error("DID method {0:?} is not resolved here; did:web, did:key and did:jwk are")]
    Method(String),
    /// A did:key or did:jwk whose key is not taken.
    #[error("the key in the DID: {0}")]
    Key(#[from] PublicKeyError),
    /// A did:jwk that is not in base64url.
    #[error("did:jwk: what follows is not base64url without padding")]
    Base64Url,
    /// A did:jwk with something else than JSON in it.
    #[error("did:jwk: the JWK: {0}")]
    Json(#[from] JsonError),
    /// The host of a did:web.
    #[error(
        "did:web: {0:?} is not a domain name with a dot, at most with a port as %3A8443; \
         IP addresses are no hosts"
    )]
    Host(String),
    /// localhost, where it is not allowed.
    #[error("did:web: localhost is allowed in development only")]
    Localhost,
    /// A path segment of a did:web.
    #[error("did:web: {0:?} is not a path segment")]
    Path(String),
    /// A URL that did:web cannot name.
    #[error("{0:?} has no did:web: it must be https, or http on localhost, without query")]
    Url(String),
    /// More than a DID and a fragment.
    #[error("{0:?} is not a DID with at most a fragment")]
    DidUrl(String),
}

impl FromStr for Did {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        let (method, _) = split_did(text)?;
        match method {
            "key" => text.parse().map(Self::Key),
            "jwk" => text.parse().map(Self::Jwk),
            "web" => text.parse().map(Self::Web),
            other => Err(DidError::Method(other.to_owned())),
        }
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(did) => did.fmt(f),
            Self::Jwk(did) => did.fmt(f),
            Self::Web(did) => did.fmt(f),
        }
    }
}

impl Did {
    /// The document that the identifier itself says; a did:web says none, and is asked for it.
    pub fn document(&self) -> Option<Value> {
        match self {
            Self::Key(did) => Some(did.document()),
            Self::Jwk(did) => Some(did.document()),
            Self::Web(_) => None,
        }
    }
}

impl DidKey {
    /// The key.
    pub fn key(&self) -> VerifyingKey {
        match self {
            Self::Ed25519(key) => VerifyingKey::Ed25519(*key),
            Self::P256(key) => VerifyingKey::P256(key.clone()),
        }
    }

    /// The URL of the key: `did:key:z6Mk…#z6Mk…`.
    pub fn method_url(&self) -> String {
        let multikey = self.multikey();
        format!("did:key:{multikey}#{multikey}")
    }

    /// The document that the identifier itself says.
    pub fn document(&self) -> Value {
        controller::did_key_document(&self.to_string(), &self.multikey())
    }

    fn multikey(&self) -> String {
        match self {
            Self::Ed25519(key) => key.to_multikey(),
            Self::P256(key) => key.to_multikey(),
        }
    }
}

impl From<PublicKey> for DidKey {
    fn from(key: PublicKey) -> Self {
        Self::Ed25519(key)
    }
}

impl fmt::Display for DidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "did:key:{}", self.multikey())
    }
}

impl FromStr for DidKey {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        let multikey = match split_did(text)? {
            ("key", multikey) => multikey,
            (method, _) => return Err(DidError::Method(method.to_owned())),
        };
        match VerifyingKey::from_multikey(multikey)? {
            VerifyingKey::Ed25519(key) => Ok(Self::Ed25519(key)),
            VerifyingKey::P256(key) => Ok(Self::P256(key)),
            VerifyingKey::Rsa(_) => Err(PublicKeyError::NotEd25519.into()),
        }
    }
}

impl DidJwk {
    /// The document that the identifier itself says; its key is `#0`.
    pub fn document(&self) -> Value {
        controller::did_jwk_document(&self.to_string(), &self.jwk)
    }
}

impl fmt::Display for DidJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "did:jwk:{}", self.encoded)
    }
}

impl FromStr for DidJwk {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        let encoded = match split_did(text)? {
            ("jwk", encoded) => encoded,
            (method, _) => return Err(DidError::Method(method.to_owned())),
        };
        let bytes = URL_SAFE_NO_PAD.decode(encoded);
        let jwk = json::parse(&bytes.map_err(|_| DidError::Base64Url)?)?;
        VerifyingKey::from_jwk(&jwk)?;
        Ok(Self {
            encoded: encoded.to_owned(),
            jwk,
        })
    }
}

impl DidWeb {
    /// The identifier that names `url`: `https://example.org/profiles/a` is
    /// `did:web:example.org:profiles:a`. A trailing slash does not count.
    ///
    /// # Errors
    /// Any scheme but https (http for localhost), user names, queries, fragments, IP addresses,
    /// port 0, and paths with empty or dot segments.
    pub fn from_url(url: &str) -> Result<Self, DidError> {
        let refused = || DidError::Url(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| refused())?;
        let Some(Host::Domain(host)) = parsed.host() else {
            return Err(refused());
        };
        let scheme = match parsed.scheme() {
            "https" => true,
            "http" => is_localhost(host),
            _ => false,
        };
        let plain = parsed.username().is_empty() && parsed.password().is_none();
        let plain = plain && parsed.port() != Some(0);
        if !scheme || !plain || parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(refused());
        }
        let path = parsed.path().trim_start_matches('/').trim_end_matches('/');
        let path = if path.is_empty() {
            Vec::new()
        } else {
            path.split('/').collect()
        };
        // `:` may stand in a URL's path but separates in a DID.
        let path = path.into_iter().map(|segment| segment.replace(':', "%3A"));
        Self::new(host, parsed.port(), path.collect())
    }

    /// Where the document is: `https://example.org/.well-known/did.json`, or with a path
    /// `https://example.org/profiles/a/did.json`.
    ///
    /// # Errors
    /// [`DidError::Localhost`] where localhost is refused.
    pub fn document_url(&self, localhost: Localhost) -> Result<String, DidError> {
        let base = self.base_url(localhost)?;
        Ok(match self.path.is_empty() {
            true => format!("{base}/.well-known/did.json"),
            false => format!("{base}/did.json"),
        })
    }

    /// The URL that the identifier names, without a slash at its end.
    ///
    /// # Errors
    /// [`DidError::Localhost`] where localhost is refused.
    pub fn base_url(&self, localhost: Localhost) -> Result<String, DidError> {
        let scheme = match localhost {
            _ if !is_localhost(&self.host) => "https",
            Localhost::Refused => return Err(DidError::Localhost),
            Localhost::Http => "http",
            Localhost::Https => "https",
        };
        let mut url = format!("{scheme}://{}", self.host);
        if let Some(port) = self.port {
            url.push_str(&format!(":{port}"));
        }
        for segment in &self.path {
            url.push('/');
            url.push_str(segment);
        }
        Ok(url)
    }

    /// The host, without its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn new(host: &str, port: Option<u16>, path: Vec<String>) -> Result<Self, DidError> {
        let stays = Host::parse(host) == Ok(Host::Domain(host.to_owned()));
        if !stays || !(host == "localhost" || is_domain(host)) {
            return Err(DidError::Host(host.to_owned()));
        }
        match path.iter().find(|segment| !is_segment(segment)) {
            Some(segment) => Err(DidError::Path(segment.clone())),
            None => Ok(Self {
                host: host.to_owned(),
                port,
                path,
            }),
        }
    }
}

impl fmt::Display for DidWeb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "did:web:{}", self.host)?;
        if let Some(port) = self.port {
            write!(f, "%3A{port}")?;
        }
        self.path
            .iter()
            .try_for_each(|segment| write!(f, ":{segment}"))
    }
}

impl FromStr for DidWeb {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        let rest = match split_did(text)? {
            ("web", rest) => rest,
            (method, _) => return Err(DidError::Method(method.to_owned())),
        };
        let mut parts = rest.split(':');
        let authority = parts.next().unwrap_or_default();
        let refused = || DidError::Host(authority.to_owned());
        let (host, port) = match authority.split_once("%3A") {
            Some((host, digits)) => {
                let port = digits.parse::<u16>().map_err(|_| refused())?;
                // One spelling: no sign, no leading zero, no port 0.
                if port == 0 || port.to_string() != digits {
                    return Err(refused());
                }
                (host, Some(port))
            }
            None => (authority, None),
        };
        Self::new(host, port, parts.map(str::to_owned).collect())
    }
}

impl<'a> DidUrl<'a> {
    /// Splits `did:web:example.org#key-1`.
    ///
    /// # Errors
    /// What is not a DID with at most a fragment.
    pub fn parse(text: &'a str) -> Result<Self, DidError> {
        let (did, fragment) = match text.split_once('#') {
            Some((did, fragment)) => (did, Some(fragment)),
            None => (text, None),
        };
        let extra = did.contains(['/', '?', ';']);
        if extra || fragment.is_some_and(|fragment| !is_fragment(fragment)) {
            return Err(DidError::DidUrl(text.to_owned()));
        }
        split_did(did)?;
        Ok(Self { did, fragment })
    }
}

/// Method and method-specific id (DID Core section 3.1).
fn split_did(text: &str) -> Result<(&str, &str), DidError> {
    let refused = || DidError::Syntax(text.chars().take(200).collect());
    let rest = text.strip_prefix("did:").ok_or_else(refused)?;
    let (method, id) = rest.split_once(':').ok_or_else(refused)?;
    let method_fits = !method.is_empty()
        && method
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let id_fits = !id.is_empty() && !id.ends_with(':') && has_only(id, ".-_:");
    if method_fits && id_fits {
        Ok((method, id))
    } else {
        Err(refused())
    }
}

/// Whether the text holds only letters, digits, the extra characters and whole percent escapes.
fn has_only(text: &str, extra: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())),
            byte => byte.is_ascii_alphanumeric() || extra.as_bytes().contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// RFC 3986 section 3.5.
fn is_fragment(text: &str) -> bool {
    !text.is_empty() && has_only(text, "-._~!$&'()*+,;=:@/?")
}

/// Every name that resolvers give to the machine itself (RFC 6761 section 6.3).
pub(super) fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// A domain name in lower case with at least two labels. The last one starts with a letter, so
/// that no spelling of an IPv4 address passes.
fn is_domain(host: &str) -> bool {
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let Some((_, last)) = host.rsplit_once('.') else {
        return false;
    };
    host.len() <= 253
        && host.split('.').all(label_fits)
        && last.starts_with(|first: char| first.is_ascii_lowercase())
}

/// A path segment that stays one when a URL is made of it.
fn is_segment(segment: &str) -> bool {
    let decoded: Vec<u8> = percent_decode_str(segment).collect();
    let hidden = decoded
        .iter()
        .any(|byte| matches!(byte, b'/' | b'\\') || byte.is_ascii_control());
    has_only(segment, ".-_") && !hidden && !matches!(&decoded[..], b"" | b"." | b"..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::time::Timestamp;
    use crate::vc::keys::SigningKey;
    use proptest::prelude::*;
    use serde_json::json;

    fn web(text: &str) -> DidWeb {
        text.parse().expect(text)
    }

    #[test]
    fn did_web_names_the_url_of_its_document() {
        for (did, url) in [
            (
                "did:web:example.org",
                "https://example.org/.well-known/did.json",
            ),
            (
                "did:web:example.org%3A8443",
                "https://example.org:8443/.well-known/did.json",
            ),
            (
                "did:web:w3c-ccg.github.io:user:alice",
                "https://w3c-ccg.github.io/user/alice/did.json",
            ),
            (
                "did:web:example.com%3A3000:user:alice",
                "https://example.com:3000/user/alice/did.json",
            ),
        ] {
            assert_eq!(
                web(did).document_url(Localhost::Refused).as_deref(),
                Ok(url)
            );
            assert_eq!(web(did).to_string(), did);
        }
    }

    #[test]
    fn a_url_has_its_did_web() {
        for (url, did) in [
            ("https://example.org", "did:web:example.org"),
            ("https://Example.org:443/", "did:web:example.org"),
            (
                "https://example.org:8443/profiles/a",
                "did:web:example.org%3A8443:profiles:a",
            ),
            (
                "http://localhost:8080/profiles/a/",
                "did:web:localhost%3A8080:profiles:a",
            ),
        ] {
            assert_eq!(DidWeb::from_url(url).unwrap().to_string(), did);
        }
        for bad in [
            "http://example.org",
            "ftp://example.org",
            "https://127.0.0.1",
            "https://[::1]/",
            "https://2130706433/",
            "https://a@example.org",
            "https://example.org:0/a",
            "https://example.org/?v=3",
            "https://example.org/#a",
            "https://example.org/a//b",
            "https://intranet/",
            "https://a+b.localhost/",
            "example.org",
        ] {
            assert!(DidWeb::from_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn localhost_is_for_development() {
        for did in ["did:web:localhost%3A8080:profiles:a", "did:web:x.localhost"] {
            assert_eq!(
                web(did).document_url(Localhost::Refused),
                Err(DidError::Localhost)
            );
        }
        let did = web("did:web:localhost%3A8080:profiles:a");
        let http = did.document_url(Localhost::Http).unwrap();
        assert_eq!(http, "http://localhost:8080/profiles/a/did.json");
        let https = did.base_url(Localhost::Https).unwrap();
        assert_eq!(https, "https://localhost:8080/profiles/a");
        // The other hosts are asked over HTTPS in development too.
        let other = web("did:web:example.org")
            .base_url(Localhost::Http)
            .unwrap();
        assert_eq!(other, "https://example.org");
    }

    #[test]
    fn a_did_web_that_leads_elsewhere_is_refused() {
        for bad in [
            "did:web:",
            "did:web:127.0.0.1",
            "did:web:0x7f.1",
            "did:web:127.1",
            "did:web:1.0x7f",
            "did:web:intranet",
            "did:web:example.org.",
            "did:web:.org",
            "did:web:Example.org",
            "did:web:example.org%3A",
            "did:web:example.org%3A0",
            "did:web:example.org%3A080",
            "did:web:example.org%3A65536",
            "did:web:example.org%3A+80",
            "did:web:example.org%3a80",
            "did:web:example.org%2Fa",
            "did:web:a%40example.org",
            "did:web:-a.org",
            "did:web:example.org:",
            "did:web:example.org::a",
            "did:web:example.org:..",
            "did:web:example.org:%2e%2E",
            "did:web:example.org:a%2Fb",
            "did:web:example.org:a%5cb",
            "did:web:example.org:a%0a",
            "did:web:example.org/a",
            "did:web:example.org?a=b",
            "did:web:example.org#a",
            "did:web:%5B::1%5D",
            "DID:web:example.org",
            "did:key:z6Mk",
            "did:web:example.org:a%2",
            "web:example.org",
            " did:web:example.org",
        ] {
            assert!(bad.parse::<DidWeb>().is_err(), "{bad}");
        }
    }

    #[test]
    fn did_key_is_the_key() {
        let text = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
        let did: DidKey = text.parse().unwrap();
        assert_eq!(did.to_string(), text);
        assert_eq!(did.method_url(), format!("{text}#{}", &text[8..]));
        assert_eq!(did.document()["id"], text);
        for bad in [
            "did:key:",
            "did:key:z6Mk",
            "did:key:zQ3s",
            &format!("{text}#x"),
            &text[4..],
        ] {
            assert!(bad.parse::<DidKey>().is_err(), "{bad}");
        }
        assert_eq!(text.parse(), Ok(Did::Key(did)));
        assert_eq!(
            "did:web:example.org".parse(),
            Ok(Did::Web(web("did:web:example.org")))
        );
        assert_eq!(
            "did:ion:x".parse::<Did>(),
            Err(DidError::Method("ion".to_owned()))
        );
    }

    /// The key behind the document that a DID is by itself.
    fn own_key(did: &str, fragment: &str) -> VerifyingKey {
        let document = did.parse::<Did>().unwrap().document().unwrap();
        let url = format!("{did}#{fragment}");
        let purpose = Relationship::AssertionMethod;
        let asserted = retrieve_key(&document, &url, purpose, Timestamp::EPOCH).unwrap();
        let purpose = Relationship::Authentication;
        let authentic = retrieve_key(&document, &url, purpose, Timestamp::EPOCH);
        assert_eq!(authentic.as_ref(), Ok(&asserted));
        asserted
    }

    /// The P-256 example of the did:key method, and its coordinates.
    #[test]
    fn did_key_on_p256_is_the_published_point() {
        let text = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169";
        let did: DidKey = text.parse().unwrap();
        assert_eq!(did.to_string(), text);
        let jwk = json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "fyNYMN0976ci7xqiSdag3buk-ZCwgXU4kz9XNkBlNUI",
            "y": "hW2ojTNfH7Jbi8--CJUo3OCbH3y5n91g-IMA9MLMbTU",
        });
        assert_eq!(Ok(did.key()), VerifyingKey::from_jwk(&jwk));
        assert_eq!(own_key(text, &text[8..]), did.key());
    }

    /// The P-256 example of the did:jwk method.
    #[test]
    fn did_jwk_is_the_jwk_that_it_holds() {
        let text = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";
        let did: Did = text.parse().unwrap();
        assert_eq!(did.to_string(), text);
        let jwk = json!({
            "crv": "P-256",
            "kty": "EC",
            "x": "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0",
            "y": "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE",
        });
        assert_eq!(
            did.document().unwrap()["verificationMethod"][0]["publicKeyJwk"],
            jwk
        );
        assert_eq!(Ok(own_key(text, "0")), VerifyingKey::from_jwk(&jwk));
        let encoded = |jwk: &str| format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(jwk));
        let ed25519 = SigningKey::generate(&SeededEntropy::new(1)).public();
        let own = encoded(&ed25519.to_jwk().to_string());
        assert_eq!(own_key(&own, "0"), ed25519.into());
        for (bad, refused) in [
            ("did:jwk:e30=".to_owned(), "DID"),
            ("did:jwk:e".to_owned(), "base64url"),
            (encoded("{"), "JWK"),
            (encoded(r#"{"kty":"EC","kty":"EC"}"#), "twice"),
            (encoded("{}"), "kty"),
            (
                encoded(r#"{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}"#),
                "private",
            ),
        ] {
            let error = bad.parse::<Did>().unwrap_err().to_string();
            assert!(error.contains(refused), "{bad}: {error}");
        }
    }

    #[test]
    fn a_did_url_is_a_did_and_a_fragment() {
        let url = DidUrl::parse("did:web:example.org:a#key-1").unwrap();
        assert_eq!(
            (url.did, url.fragment),
            ("did:web:example.org:a", Some("key-1"))
        );
        assert_eq!(DidUrl::parse("did:x:y").unwrap().fragment, None);
        for bad in [
            "did:web:example.org#",
            "did:web:example.org#a#b",
            "did:web:example.org/p#a",
            "did:web:example.org?q#a",
            "did:web:example.org;p#a",
            "#key-1",
            "https://a.org/#b",
            "did:web:example.org#a b",
            "did:Web:example.org#a",
            "did:web",
        ] {
            assert!(DidUrl::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn did_key_survives_its_text(seed: u64) {
            let did = DidKey::from(SigningKey::generate(&SeededEntropy::new(seed)).public());
            prop_assert_eq!(did.to_string().parse::<DidKey>(), Ok(did));
        }

        #[test]
        fn every_did_web_that_is_taken_comes_back_from_its_url(
            text in "did:web:(localhost|[a-z]{1,3}(-[a-z0-9]{1,2})?\\.[a-z]{2,4}|[a-z0-9.-]{1,12})\
                     (%3A[0-9]{1,5})?(:[a-zA-Z0-9._-]{0,6}(%[0-9A-F]{2})?){0,3}",
        ) {
            if let Ok(did) = text.parse::<DidWeb>() {
                prop_assert_eq!(did.to_string(), text.as_str());
                let base = did.base_url(Localhost::Http).unwrap();
                let parsed = Url::parse(&base).unwrap();
                prop_assert_eq!(parsed.host_str(), Some(did.host()));
                // The scheme's own port is dropped by URLs; everything else stays.
                if did.port != parsed.port_or_known_default() || parsed.port().is_some() {
                    prop_assert_eq!(DidWeb::from_url(&base), Ok(did));
                }
            }
        }
    }
}
