//! Which key a JWT has to be signed with: where it stands ([`key_source`]), and which of the keys
//! that stand there it is ([`select`]).
//!
//! The issuer is who the document says it is by, and only keys of theirs count. What the header
//! brings along can choose among these and never add to them: a `jwk` alone proves nothing, and a
//! `kid` that leads to somebody else is refused before anything is fetched.

mod source;
#[cfg(test)]
mod tests;

use serde_json::Value;
use thiserror::Error;

use super::jws::Header;
use super::keys::PublicKeyError;
use super::verifying::VerifyingKey;

pub use source::{KeySource, KeySourceError, key_set_url, key_source};

/// How many keys of one set are looked at. A host of many issuers has all of theirs in one.
pub const MAX_KEYS: usize = 4096;

/// Why no key of a set is the one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JwksError {
    /// Not a JWK set (RFC 7517 section 5).
    #[error("this is no JWK set: it has no array \"keys\"")]
    NotASet,
    /// Neither a JWK nor a JWK set.
    #[error("this is neither a JWK nor a JWK set")]
    NotAKey,
    /// More than [`MAX_KEYS`] keys.
    #[error("the JWK set has {0} keys; {MAX_KEYS} are the most that are looked at")]
    TooMany(usize),
    /// The header has neither `kid` nor `jwk`.
    #[error("the header names no key, by kid or by jwk")]
    NoName,
    /// No key of the set has this name.
    #[error("the JWK set has no key {0:?}")]
    Missing(String),
    /// The key of this name counts for other issuers only.
    #[error("the key {0:?} of the JWK set is not the issuer's: it counts for another (iss)")]
    OfAnother(String),
    /// Two different keys have this name, and readers differ in which one they take.
    #[error("the JWK set has two different keys {0:?}")]
    Ambiguous(String),
    /// The key cannot be used.
    #[error("the key is malformed: {0}")]
    Malformed(PublicKeyError),
    /// The key in the header cannot be used.
    #[error("the header's jwk is malformed: {0}")]
    HeaderKey(PublicKeyError),
    /// The key in the header is none of the set's.
    #[error("the header's jwk, of thumbprint {0}, is no key of the issuer")]
    NotInSet(String),
    /// `kid` and `jwk` are two different keys.
    #[error("the header's jwk is another key than its kid names")]
    HeaderDiffers,
}

/// Chooses the key of a JWS out of the JWK set at a [`KeySource`] of the issuer: by `kid`, letter
/// for letter, or else by the thumbprint (RFC 7638) of the header's `jwk`. Where both stand they
/// have to be one key.
///
/// A JWK with `iss` counts for that issuer alone; and once any key of a set has `iss`, those
/// without count for nobody, since the host has many issuers (Open Badges 3.0, key provenance).
///
/// # Errors
/// One variant of [`JwksError`] for each way in which no key, or more than one, is meant.
pub fn select(jwks: &Value, header: &Header, issuer: &str) -> Result<VerifyingKey, JwksError> {
    let keys = jwks.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or(JwksError::NotASet)?;
    if keys.len() > MAX_KEYS {
        return Err(JwksError::TooMany(keys.len()));
    }
    let many_issuers = keys.iter().any(|key| key.get("iss").is_some());
    let counts = |key: &&Value| !many_issuers || is_of(key, issuer);
    if let Some(kid) = &header.kid {
        let is_named = |key: &&Value| key.get("kid").and_then(Value::as_str) == Some(kid);
        let named = keys.iter().filter(is_named);
        let of_issuer: Vec<&Value> = named.clone().filter(counts).collect();
        let key = match of_issuer.first() {
            Some(_) => the_one(&of_issuer, kid)?,
            None if named.count() > 0 => return Err(JwksError::OfAnother(shortened(kid))),
            None => return Err(JwksError::Missing(shortened(kid))),
        };
        return agreeing(key, header);
    }
    let wanted = header_key(header)?.ok_or(JwksError::NoName)?;
    let thumbprint = wanted.thumbprint();
    keys.iter()
        .filter(counts)
        .filter_map(|key| VerifyingKey::from_jwk(key).ok())
        .find(|key| key.thumbprint() == thumbprint)
        .ok_or(JwksError::NotInSet(thumbprint))
}

/// Chooses the key at the URL that `kid` is ([`KeySource::SameOriginKey`]): the JWK that stands
/// there, whatever its own `kid`, or the key of that name in the JWK set that does. It has to say
/// whose it is, by `iss`: what stands anywhere on a host may be put there by anybody who has a
/// place on it, unlike the set of the host ([`KeySource::KeySet`]).
///
/// # Errors
/// As [`select`], and what is neither.
pub fn select_at_kid(
    document: &Value,
    header: &Header,
    issuer: &str,
) -> Result<VerifyingKey, JwksError> {
    if let Some(keys) = document.get("keys").and_then(Value::as_array) {
        let of_somebody = keys.iter().any(|key| key.get("iss").is_some());
        return match of_somebody {
            true => select(document, header, issuer),
            false => Err(JwksError::OfAnother(shortened(
                header.kid.as_deref().unwrap_or_default(),
            ))),
        };
    }
    if document.get("kty").is_none() {
        return Err(JwksError::NotAKey);
    }
    if !is_of(document, issuer) {
        let kid = header.kid.as_deref().unwrap_or_default();
        return Err(JwksError::OfAnother(shortened(kid)));
    }
    let key = VerifyingKey::from_jwk(document).map_err(JwksError::Malformed)?;
    agreeing(key, header)
}

fn is_of(key: &Value, issuer: &str) -> bool {
    key.get("iss").and_then(Value::as_str) == Some(issuer)
}

/// The key that all of these are; there is at least one.
fn the_one(keys: &[&Value], kid: &str) -> Result<VerifyingKey, JwksError> {
    let mut read = keys.iter().map(|key| VerifyingKey::from_jwk(key));
    let first = read
        .next()
        .ok_or_else(|| JwksError::Missing(shortened(kid)))?;
    match read.all(|other| other.is_ok() && other == first) {
        true => first.map_err(JwksError::Malformed),
        false => Err(JwksError::Ambiguous(shortened(kid))),
    }
}

/// The key, unless the header's `jwk` is another one: for keys of a [`KeySource::Method`]. Those
/// of the other sources have been asked already.
///
/// # Errors
/// [`JwksError::HeaderKey`] and [`JwksError::HeaderDiffers`].
pub fn agreeing(key: VerifyingKey, header: &Header) -> Result<VerifyingKey, JwksError> {
    match header_key(header)? {
        Some(other) if other != key => Err(JwksError::HeaderDiffers),
        _ => Ok(key),
    }
}

/// The header's own key. It chooses, and is never taken itself.
fn header_key(header: &Header) -> Result<Option<VerifyingKey>, JwksError> {
    let jwk = header.jwk.as_ref();
    jwk.map(VerifyingKey::from_jwk)
        .transpose()
        .map_err(JwksError::HeaderKey)
}

/// So that an error does not carry a megabyte back.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}
