//! Where the key of a JWT stands, told from its header and its issuer alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use url::Url;

use super::{JwksError, agreeing, shortened};
use crate::json;
use crate::vc::did::{DidUrl, Localhost, is_localhost};
use crate::vc::jws::Header;
use crate::vc::keys::PublicKeyError;
use crate::vc::verifying::VerifyingKey;

/// The longest did:jwk that is read, in characters. An RSA key of 8,192 bits takes 2,000.
const MAX_DID_JWK: usize = 4096;

/// Where the key of a JWT stands. Each place is the issuer's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In the issuer's controller document: the absolute URL of a verification method, whose part
    /// before the fragment is the issuer's id, letter for letter.
    Method(String),
    /// In the JWK set of the issuer's host ([`super::select`]).
    KeySet {
        /// Its URL.
        url: String,
    },
    /// At the URL that `kid` is, on the issuer's own origin ([`super::select_at_kid`]).
    SameOriginKey {
        /// That URL.
        url: String,
    },
    /// In the issuer's id: did:key or did:jwk. The header names this key or none.
    Itself(VerifyingKey),
}

/// Why it cannot be told where the key stands. Nothing is to be fetched then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeySourceError {
    /// The issuer's id leads to no keys.
    #[error(
        "issuer {0:?} leads to no keys: it must be a DID or an https URL without user name, or \
         http on localhost in development"
    )]
    Issuer(String),
    /// The issuer's id is a did:key or did:jwk that cannot be read.
    #[error("issuer {issuer:?}: {reason}")]
    IssuerKey {
        /// The issuer's id, cut after 200 characters, as all of these.
        issuer: String,
        /// What is wrong with its key.
        reason: PublicKeyError,
    },
    /// The issuer's id is a did:jwk that holds no JWK.
    #[error("issuer {0:?} holds no JWK in base64url without padding")]
    IssuerJwk(String),
    /// The header says nothing by which a key could be found.
    #[error("the header names no key of {issuer:?}: {expected}")]
    NoName {
        /// The issuer's id.
        issuer: String,
        /// What would be needed.
        expected: &'static str,
    },
    /// `kid` has white space or other characters that URLs have not, so that readers differ.
    #[error("kid {0:?} is not a name or URL that every reader takes alike")]
    Malformed(String),
    /// `kid` names somebody else's key.
    #[error("kid {kid:?} is the key of another than the issuer {issuer:?}")]
    OfAnother {
        /// The key's name.
        kid: String,
        /// The issuer's id.
        issuer: String,
    },
    /// `kid` is the issuer's DID without a fragment, and names no method.
    #[error("kid {0:?} names no key: it has no fragment")]
    NoFragment(String),
    /// The header's `jwk` is no key, or another than the issuer's id is.
    #[error(transparent)]
    HeaderKey(JwksError),
}

/// Where the key of a JWT by `issuer` stands:
///
/// | issuer | `kid` | source |
/// |---|---|---|
/// | did:key, did:jwk | its one method, absolute or not, or nothing | [`KeySource::Itself`] |
/// | another DID | absolute, `#fragment` or `fragment` | [`KeySource::Method`] |
/// | https URL | the issuer with a fragment, or `#fragment` | [`KeySource::Method`] |
/// | | another URL of its origin, without fragment | [`KeySource::SameOriginKey`] |
/// | | another URL of its origin, with fragment | [`KeySource::KeySet`] |
/// | | a name, or nothing beside a `jwk` | [`KeySource::KeySet`] |
///
/// What stands at another URL of the origin with a fragment may be anybody's, so that it is only
/// looked for in the set of the host, which says whose each key is. `localhost` says whether it,
/// and plain HTTP on it, are taken.
///
/// # Errors
/// A `kid` that leads to anybody else, and whatever cannot be told.
pub fn key_source(
    header: &Header,
    issuer: &str,
    localhost: Localhost,
) -> Result<KeySource, KeySourceError> {
    let unclear = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if let Some(kid) = header.kid.as_deref().filter(|kid| kid.contains(unclear)) {
        return Err(KeySourceError::Malformed(shortened(kid)));
    }
    if !issuer.starts_with("did:") {
        return of_url(header, issuer, localhost);
    }
    match DidUrl::parse(issuer) {
        Ok(DidUrl { fragment: None, .. }) => of_did(header, issuer),
        _ => Err(KeySourceError::Issuer(shortened(issuer))),
    }
}

/// The URL of the JWK set of an issuer's host, `https://{authority}/.well-known/jwks.json`, which
/// says whose keys are the issuer's even where their names lead to the issuer itself.
///
/// # Errors
/// [`KeySourceError::Issuer`] for what is no https URL, or http where `localhost` allows it.
pub fn key_set_url(issuer: &str, localhost: Localhost) -> Result<String, KeySourceError> {
    Ok(key_set_of(&issuer_url(issuer, localhost)?))
}

fn of_did(header: &Header, did: &str) -> Result<KeySource, KeySourceError> {
    if let Some(multikey) = did.strip_prefix("did:key:") {
        let key = VerifyingKey::from_multikey(multikey).map_err(malformed(did))?;
        return itself(header, did, multikey, key);
    }
    if let Some(encoded) = did.strip_prefix("did:jwk:") {
        // did:jwk has one method, `#0`.
        return itself(header, did, "0", did_jwk(did, encoded)?);
    }
    let kid = header.kid.as_deref().ok_or(KeySourceError::NoName {
        issuer: shortened(did),
        expected: "a kid with a fragment",
    })?;
    absolute(kid, did).map(KeySource::Method)
}

/// An identifier that is its key: the header may name its one method, and no other key.
fn itself(
    header: &Header,
    did: &str,
    fragment: &str,
    key: VerifyingKey,
) -> Result<KeySource, KeySourceError> {
    if let Some(kid) = header.kid.as_deref().filter(|kid| *kid != did) {
        let method = absolute(kid, did)?;
        if method != format!("{did}#{fragment}") {
            return Err(of_another(kid, did));
        }
    }
    agreeing(key, header)
        .map(KeySource::Itself)
        .map_err(KeySourceError::HeaderKey)
}

fn did_jwk(did: &str, encoded: &str) -> Result<VerifyingKey, KeySourceError> {
    let refused = || KeySourceError::IssuerJwk(shortened(did));
    if encoded.len() > MAX_DID_JWK {
        return Err(refused());
    }
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| refused())?;
    let jwk = json::parse(&bytes).map_err(|_| refused())?;
    VerifyingKey::from_jwk(&jwk).map_err(malformed(did))
}

/// The URL of a method of `did`, which `kid` names absolutely or by its fragment.
fn absolute(kid: &str, did: &str) -> Result<String, KeySourceError> {
    if kid == did {
        return Err(KeySourceError::NoFragment(shortened(kid)));
    }
    let method = match Url::parse(kid) {
        Ok(_) => kid.to_owned(),
        Err(_) => format!("{did}#{}", kid.strip_prefix('#').unwrap_or(kid)),
    };
    match method.split_once('#') {
        Some((base, _)) if base == did => {}
        _ => return Err(of_another(kid, did)),
    }
    match DidUrl::parse(&method) {
        Ok(_) => Ok(method),
        Err(_) => Err(KeySourceError::Malformed(shortened(kid))),
    }
}

fn of_url(
    header: &Header,
    issuer: &str,
    localhost: Localhost,
) -> Result<KeySource, KeySourceError> {
    let own = issuer_url(issuer, localhost)?;
    let key_set = KeySource::KeySet {
        url: key_set_of(&own),
    };
    let kid = match (header.kid.as_deref(), &header.jwk) {
        (Some(kid), _) => kid,
        (None, Some(_)) => return Ok(key_set),
        (None, None) => {
            return Err(KeySourceError::NoName {
                issuer: shortened(issuer),
                expected: "a kid or jwk",
            });
        }
    };
    let resolved = match kid.starts_with('#') {
        true => format!("{issuer}{kid}"),
        false => kid.to_owned(),
    };
    let Ok(url) = Url::parse(&resolved) else {
        return Ok(key_set);
    };
    match (url.scheme(), resolved.split_once('#')) {
        ("http" | "https", Some((base, fragment))) if base == issuer && !fragment.is_empty() => {
            Ok(KeySource::Method(resolved))
        }
        ("http" | "https", _) if !is_plain(&url) || url.origin() != own.origin() => {
            Err(of_another(kid, issuer))
        }
        ("http" | "https", None) => Ok(KeySource::SameOriginKey { url: resolved }),
        ("http" | "https", Some(_)) => Ok(key_set),
        ("did", _) => Err(of_another(kid, issuer)),
        // A name that leads nowhere, such as a urn.
        _ => Ok(key_set),
    }
}

fn issuer_url(issuer: &str, localhost: Localhost) -> Result<Url, KeySourceError> {
    let refused = || KeySourceError::Issuer(shortened(issuer));
    let url = Url::parse(issuer).map_err(|_| refused())?;
    let local = url.host_str().is_some_and(is_localhost);
    let allowed = match (url.scheme(), localhost) {
        ("https", Localhost::Refused) => !local,
        ("https", Localhost::Http | Localhost::Https) => true,
        ("http", Localhost::Http) => local,
        _ => false,
    };
    match allowed && is_plain(&url) {
        true => Ok(url),
        false => Err(refused()),
    }
}

fn key_set_of(issuer: &Url) -> String {
    let origin = issuer.origin().ascii_serialization();
    format!("{origin}/.well-known/jwks.json")
}

/// Without user name and password, which nobody needs to read a public key.
fn is_plain(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

fn malformed(did: &str) -> impl Fn(PublicKeyError) -> KeySourceError {
    let issuer = shortened(did);
    move |reason| KeySourceError::IssuerKey {
        issuer: issuer.clone(),
        reason,
    }
}

fn of_another(kid: &str, issuer: &str) -> KeySourceError {
    KeySourceError::OfAnother {
        kid: shortened(kid),
        issuer: shortened(issuer),
    }
}
