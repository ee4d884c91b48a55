//! What verification has to ask others for: controller documents and statuses.

use serde_json::Value;
use thiserror::Error;

use crate::status::{StatusEntry, StatusError, StatusResult};
use crate::time::Timestamp;
use crate::vc::did::{DidError, DidKey, KeyError, Relationship, retrieve_key};
use crate::vc::verifying::VerifyingKey;

use super::code::Code;
use super::outcome::Outcome;

/// Answers for what stands outside of the credential. Implementations apply policy: what may be
/// fetched, from where, and how old an answer may be.
///
/// Nothing is asked that only a stranger names: a controller document is asked for after it is
/// known to be the issuer's, and a status after a proof was good.
pub trait Resolver: Sync {
    /// The controller document that `url` names: a DID, or an https URL without fragment. Never
    /// a did:key, which says all by itself.
    ///
    /// # Errors
    /// [`Unresolved`] says why there is none.
    fn controller_document(&self, url: &str) -> Result<Value, Unresolved>;

    /// What the list that `entry` names says of it, for a credential by `issuer`: the list has
    /// to be that issuer's, and its own proof and period to be checked.
    ///
    /// # Errors
    /// [`StatusError`]; the status is then not known. [`StatusError::Retrieval`] where the list
    /// could not be had, be it by policy.
    fn status(&self, issuer: &str, entry: &StatusEntry) -> Result<StatusResult, StatusError>;
}

/// Why there is no controller document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unresolved {
    /// Who was asked knows of none.
    #[error("no such document is known there")]
    NotFound,
    /// Policy forbids to ask.
    #[error("it is not fetched, since the policy here forbids it")]
    Refused,
    /// Nobody answered, with the reason.
    #[error("it could not be fetched: {0}")]
    Unreachable(String),
    /// The answer is no controller document, with the reason.
    #[error("what was found is no controller document: {0}")]
    Malformed(String),
}

/// Why a proof's key does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum KeyProblem {
    #[error("the proof's verificationMethod {0:?} is not an absolute URL with a fragment")]
    Url(String),
    #[error("the key {method:?} is not one of {signer:?}, who has to sign this")]
    OfAnother { method: String, signer: String },
    #[error("{method:?}: {reason}")]
    DidKey { method: String, reason: DidError },
    #[error("the controller document {url:?}: {reason}")]
    Unresolved { url: String, reason: Unresolved },
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The key behind `method`, if it is one that `signer` uses for `relationship` at `now`.
///
/// The key's controller has to be the signer, and Controlled Identifiers 1.0 section 3.3 has it
/// that the controller is the method's URL without its fragment. So that URL is compared first,
/// and whoever names a stranger's document does not get it fetched.
pub(super) fn key_of(
    signer: &str,
    method: &str,
    relationship: Relationship,
    now: Timestamp,
    resolver: &dyn Resolver,
) -> Result<VerifyingKey, KeyProblem> {
    let url = match method.split_once('#') {
        Some((url, fragment)) if !url.is_empty() && !fragment.is_empty() => url,
        _ => return Err(KeyProblem::Url(method.to_owned())),
    };
    if url != signer {
        return Err(KeyProblem::OfAnother {
            method: method.to_owned(),
            signer: signer.to_owned(),
        });
    }
    let document = if url.starts_with("did:key:") {
        url.parse::<DidKey>()
            .map_err(|reason| KeyProblem::DidKey {
                method: method.to_owned(),
                reason,
            })?
            .document()
    } else {
        resolver
            .controller_document(url)
            .map_err(|reason| KeyProblem::Unresolved {
                url: url.to_owned(),
                reason,
            })?
    };
    Ok(retrieve_key(&document, method, relationship, now)?)
}

impl KeyProblem {
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Url(_) => Code::KeyUrl,
            Self::OfAnother { .. } => Code::KeyOfAnother,
            Self::DidKey {
                reason: DidError::Key(_),
                ..
            } => Code::KeyMalformed,
            Self::DidKey { .. } => Code::KeyUrl,
            Self::Unresolved { reason, .. } => Code::from(reason),
            Self::Key(error) => Code::from(error),
        }
    }

    /// A document that cannot be had may be had tomorrow; anything else is not known to be good.
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Unresolved {
                reason: Unresolved::NotFound | Unresolved::Refused | Unresolved::Unreachable(_),
                ..
            } => Outcome::Unreachable,
            _ => Outcome::Unknown,
        }
    }
}
