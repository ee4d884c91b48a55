//! The key behind a proof: whose it is, and whether it counts.

use serde_json::Value;
use thiserror::Error;

use crate::vc::did::{Did, DidError, KeyError, Relationship, retrieve_key};
use crate::vc::jwks::{
    self, JwksError, KeySource, KeySourceError, agreeing, key_set_url, key_source,
};
use crate::vc::jws::Header;
use crate::vc::verifying::VerifyingKey;

use super::code::Code;
use super::examine::Examiner;
use super::outcome::Outcome;
use super::report::Finding;
use super::resolver::Unresolved;

/// A key that the verifier trusts for an identifier, whatever stands at that identifier: for
/// documents whose issuers no longer resolve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedKey {
    /// The identifier whose key it is: `issuer.id` of what it signed.
    pub controller: String,
    /// The URL of the verification method; `None` for whatever method of the controller a proof
    /// names.
    pub method: Option<String>,
    /// The key.
    pub key: VerifyingKey,
}

/// A key that counts, and why.
pub(super) struct FoundKey {
    pub(super) key: VerifyingKey,
    pub(super) finding: Finding,
}

/// What was signed with a key, as far as finding the key needs it.
pub(super) struct Signed<'a> {
    /// Who has to have signed.
    pub(super) signer: &'a str,
    /// URL of the verification method that is named.
    pub(super) method: &'a str,
    /// For what the key has to be listed.
    pub(super) relationship: Relationship,
    /// The proof as it stands, or the compact JWS as a string.
    pub(super) signature: &'a Value,
}

/// Why a proof's key does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum KeyProblem {
    #[error("the proof's verificationMethod {0:?} is not an absolute URL with a fragment")]
    Url(String),
    #[error("the key {method:?} is not one of {signer:?}, who has to sign this")]
    OfAnother { method: String, signer: String },
    #[error("{method:?} is not among the keys that are pinned for {signer:?}")]
    NotPinned { method: String, signer: String },
    #[error("{method:?}: {reason}")]
    Did { method: String, reason: DidError },
    #[error("the controller document {url:?}: {reason}")]
    Unresolved { url: String, reason: Unresolved },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Source(#[from] KeySourceError),
    #[error(transparent)]
    Set(#[from] JwksError),
}

/// The key that made a signature, if it is one that its signer uses so.
///
/// The key's controller has to be the signer, and Controlled Identifiers 1.0 section 3.3 has it
/// that the controller is the method's URL without its fragment. So that URL is compared first,
/// and whoever names a stranger's document does not get it fetched.
pub(super) fn key_of(signed: &Signed<'_>, examiner: &Examiner<'_>) -> Result<FoundKey, KeyProblem> {
    let Signed { signer, method, .. } = *signed;
    let url = match method.split_once('#') {
        Some((url, fragment)) if !url.is_empty() && !fragment.is_empty() => url,
        _ => return Err(KeyProblem::Url(method.to_owned())),
    };
    let (signer, method) = (signer.to_owned(), method.to_owned());
    if url != signer {
        return Err(KeyProblem::OfAnother { method, signer });
    }
    if let Some(pinned) = pinned(examiner, &signer, &method) {
        return pinned.ok_or(KeyProblem::NotPinned { method, signer });
    }
    let found = |code, detail: String, key: VerifyingKey| FoundKey {
        finding: Finding::good(code, detail)
            .with("method", &method)
            .with("key", &key.thumbprint()),
        key,
    };
    match retrieve(url, signed, examiner) {
        Ok(key) => {
            let detail = format!("{method} is a key of {signer}");
            Ok(found(Code::KeyGood, detail, key))
        }
        Err(KeyProblem::Key(KeyError::Revoked(since))) => {
            let by_the_log = examiner.resolver.signed_here(&method, signed.signature);
            match by_the_log.filter(|signed| signed.at < since) {
                Some(here) => {
                    let detail = format!(
                        "{method} was revoked as of {since}, and this registry signed with it \
                         before, at {}, by its event log",
                        here.at
                    );
                    Ok(found(Code::KeySignedBefore, detail, here.key))
                }
                None => Err(KeyError::Revoked(since).into()),
            }
        }
        Err(problem) => Err(problem),
    }
}

/// A compact JWS, as far as finding its key needs it.
pub(super) struct SignedJwt<'a> {
    /// Who has to have signed.
    pub(super) signer: &'a str,
    pub(super) header: &'a Header,
    /// The whole of it.
    pub(super) text: &'a str,
    pub(super) relationship: Relationship,
}

/// As [`key_of`], for a JWT: its header says where to look, and only what is bound to the signer
/// is looked at.
pub(super) fn key_of_jwt(
    signed: &SignedJwt<'_>,
    examiner: &Examiner<'_>,
) -> Result<FoundKey, KeyProblem> {
    let SignedJwt { signer, header, .. } = *signed;
    // A name alone is one of the signer's.
    let kid = match header.kid.as_deref() {
        Some(kid) if !kid.contains(':') => format!("{signer}#{}", kid.trim_start_matches('#')),
        kid => kid.unwrap_or_default().to_owned(),
    };
    if let Some(pinned) = pinned(examiner, signer, &kid) {
        let (method, signer) = (kid, signer.to_owned());
        return pinned.ok_or(KeyProblem::NotPinned { method, signer });
    }
    match key_source(header, signer, examiner.options.localhost)? {
        KeySource::Itself(key) => {
            let detail = format!("the key is {signer} itself");
            let finding = Finding::good(Code::KeyGood, detail).with("key", &key.thumbprint());
            Ok(FoundKey { key, finding })
        }
        KeySource::Method(method) => key_of_method(signed, &method, examiner),
        KeySource::KeySet { url } => key_in(&url, jwks::select, signed, examiner),
        KeySource::SameOriginKey { url } => {
            match key_in(&url, jwks::select_at_kid, signed, examiner) {
                // It does not say whose it is; the set of the host may.
                Err(KeyProblem::Set(problem @ (JwksError::OfAnother(_) | JwksError::NotAKey))) => {
                    let url = key_set_url(signer, examiner.options.localhost)?;
                    key_in(&url, jwks::select, signed, examiner).map_err(|_| problem.into())
                }
                found => found,
            }
        }
    }
}

/// The key of a verification method, or, for an https issuer without a controller document, the
/// one by that name in the key set of its host.
fn key_of_method(
    signed: &SignedJwt<'_>,
    method: &str,
    examiner: &Examiner<'_>,
) -> Result<FoundKey, KeyProblem> {
    let SignedJwt { signer, header, .. } = *signed;
    let signature = Value::from(signed.text);
    let as_method = Signed {
        signer,
        method,
        relationship: signed.relationship,
        signature: &signature,
    };
    match key_of(&as_method, examiner) {
        Ok(found) => {
            agreeing(found.key.clone(), header)?;
            Ok(found)
        }
        Err(problem) if problem.is_absence() && has_no_methods(signer, examiner) => {
            let url = key_set_url(signer, examiner.options.localhost)?;
            key_in(&url, jwks::select, signed, examiner)
        }
        Err(problem) => Err(problem),
    }
}

/// The key that `select` chooses out of what stands at `url`.
fn key_in(
    url: &str,
    select: fn(&Value, &Header, &str) -> Result<VerifyingKey, JwksError>,
    signed: &SignedJwt<'_>,
    examiner: &Examiner<'_>,
) -> Result<FoundKey, KeyProblem> {
    let set = examiner.resolver.key_set(url);
    let set = set.map_err(|reason| KeyProblem::Unresolved {
        url: url.to_owned(),
        reason,
    })?;
    let key = select(&set, signed.header, signed.signer)?;
    let detail = format!("the key is one of {}, by {url}", signed.signer);
    let finding = Finding::good(Code::KeyGood, detail)
        .with("key set", url)
        .with("key", &key.thumbprint());
    Ok(FoundKey { key, finding })
}

/// Whether an https issuer has no controller document with keys, but at most a profile. Where it
/// has one, a key that is missing there counts as revoked, whatever other places still list.
fn has_no_methods(signer: &str, examiner: &Examiner<'_>) -> bool {
    let members = ["verificationMethod", "assertionMethod", "authentication"];
    !signer.starts_with("did:")
        && match examiner.resolver.controller_document(signer) {
            Ok(found) => members.iter().all(|member| found.get(member).is_none()),
            Err(Unresolved::NotFound | Unresolved::Malformed(_)) => true,
            Err(Unresolved::Refused | Unresolved::Unreachable(_)) => false,
        }
}

/// Where keys are pinned for the signer, no other counts: the pinned one, or none that fits.
fn pinned(examiner: &Examiner<'_>, signer: &str, method: &str) -> Option<Option<FoundKey>> {
    let pins = examiner.options.pinned.iter();
    let mut pins = pins.filter(|pin| pin.controller == signer).peekable();
    pins.peek()?;
    let fits = |pin: &&PinnedKey| pin.method.as_deref().is_none_or(|pinned| pinned == method);
    Some(pins.find(fits).map(|pin| {
        let detail = format!("{method} is pinned for {signer} by who asks; nobody was asked");
        FoundKey {
            key: pin.key.clone(),
            finding: Finding::good(Code::KeyPinned, detail)
                .with("method", method)
                .with("key", &pin.key.thumbprint()),
        }
    }))
}

fn retrieve(
    url: &str,
    signed: &Signed<'_>,
    examiner: &Examiner<'_>,
) -> Result<VerifyingKey, KeyProblem> {
    let (method, relationship, now) = (signed.method, signed.relationship, examiner.now);
    let document = match url.parse::<Did>() {
        Ok(did) => did.document(),
        // Not a DID, or of a method that only who is asked may know.
        Err(DidError::Syntax(_) | DidError::Method(_)) => None,
        Err(reason) => {
            let method = method.to_owned();
            return Err(KeyProblem::Did { method, reason });
        }
    };
    if let Some(document) = document {
        return Ok(retrieve_key(&document, method, relationship, now)?);
    }
    let document = examiner.resolver.controller_document(url);
    let document = document.map_err(|reason| KeyProblem::Unresolved {
        url: url.to_owned(),
        reason,
    })?;
    Ok(retrieve_key(&document, method, relationship, now)?)
}

impl KeyProblem {
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Url(_) => Code::KeyUrl,
            Self::OfAnother { .. } => Code::KeyOfAnother,
            Self::NotPinned { .. } => Code::KeyNotPinned,
            Self::Did {
                reason: DidError::Key(_),
                ..
            } => Code::KeyMalformed,
            Self::Did { .. } => Code::KeyUrl,
            Self::Unresolved { reason, .. } => Code::from(reason),
            Self::Key(error) => Code::from(error),
            Self::Source(error) => Code::from(error),
            Self::Set(error) => Code::from(error),
        }
    }

    /// Whether no document with such a method was found.
    const fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Key(KeyError::Missing(_) | KeyError::DocumentId { .. })
                | Self::Unresolved {
                    reason: Unresolved::NotFound | Unresolved::Malformed(_),
                    ..
                }
        )
    }

    pub(super) fn finding(&self) -> Finding {
        Finding::new(self.outcome(), self.code(), self.to_string())
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
