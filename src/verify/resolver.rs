//! What verification has to ask others for: controller documents, key sets, status lists, newer
//! versions, and what a registry knows.

use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use crate::badges::{DigestMultibase, Role, SubjectKind};
use crate::metrics::CacheShown;
use crate::status::{ListReference, StatusEntry, StatusError, StatusResult};
use crate::time::Timestamp;
use crate::vc::verifying::VerifyingKey;

use super::lists::{CheckedList, Fetched};
use super::outcome::Outcome;

/// Answers for what stands outside of the credential. Implementations apply policy: what may be
/// fetched, from where, how much in all for one request, and how old an answer may be.
///
/// Nothing is asked that only a stranger names: a controller document is asked for after it is
/// known to be the issuer's, and a status, a newer version or an endorsement after a proof was
/// good.
pub trait Resolver: Sync {
    /// The controller document that `url` names: a DID, or an https URL without fragment. Never
    /// a DID that says all by itself, such as did:key.
    ///
    /// # Errors
    /// [`Unresolved`] says why there is none.
    fn controller_document(&self, url: &str) -> Result<Arc<Value>, Unresolved>;

    /// The key set, or the one key, at `url` (RFC 7517).
    ///
    /// # Errors
    /// As [`Self::controller_document`].
    fn key_set(&self, url: &str) -> Result<Arc<Value>, Unresolved>;

    /// What a list that lives here says of `entry`, for a credential by `issuer`, by its present
    /// state rather than by what was published last; `None` for lists of others.
    fn hosted_status(
        &self,
        issuer: &str,
        entry: &StatusEntry,
    ) -> Option<Result<StatusResult, StatusError>>;

    /// The list that is wanted, fetched or kept from before. `check` reads and verifies what was
    /// fetched; its result may be kept as [`WantedList`] and [`CheckedList::holds_until`] say, and
    /// is never handed out to others or later.
    ///
    /// # Errors
    /// Those of `check`; [`StatusError::Retrieval`] where the list could not be had, be it by
    /// policy.
    fn list(
        &self,
        wanted: WantedList<'_>,
        check: &mut dyn FnMut(&Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Arc<CheckedList>, StatusError>;

    /// The newer version of a credential that its refresh service at `url` offers.
    ///
    /// # Errors
    /// As [`Self::controller_document`].
    fn newer(&self, url: &str) -> Result<Fetched, Unresolved>;

    /// Whether this registry itself made `signature` (a proof as it stands in the document, or a
    /// compact JWS as a string) with the key that `method` names, by its event log.
    fn signed_here(&self, method: &str, signature: &Value) -> Option<SignedHere>;

    /// The one id of a thing that has several here, such as a profile by its DID and by its URL;
    /// `None` where this registry does not know it.
    fn canonical(&self, _: &str) -> Option<String> {
        None
    }

    /// How an endorsement that is proved, with this id and by this issuer, stands here with all
    /// that it rests on; of one that is not kept here, how its issuer stands as an accreditor.
    /// `None` where nothing of either is known here.
    fn endorsement_standing(&self, _id: Option<&str>, _issuer: &str) -> Option<Outcome> {
        None
    }

    /// Whether [`Self::known`] may know anything. Where it never does, nobody has to work out what
    /// to ask it for.
    fn knows_things(&self) -> bool {
        true
    }

    /// What this registry knows of the thing with this id, an issuer or an achievement, for what
    /// is wanted of it; whatever that may be, where it is none. `None` where nobody asked it, as
    /// when verification is offline.
    fn known(&self, id: &str, wanted: Option<WantedOf<'_>>) -> Option<Known>;
}

/// What a credential wants of its issuer, or of what was achieved.
#[derive(Debug, Clone, Copy)]
pub struct WantedOf<'a> {
    /// As what kind of thing it has to be endorsed.
    pub kind: SubjectKind,
    /// As what a profile acts in the credential.
    pub role: Option<Role>,
    /// The one achievement that this is about, as the credential writes it. Of a credential with
    /// none, or with several, it is not known what has to be covered.
    pub achievement: Option<&'a Value>,
    /// When it was awarded.
    pub awarded: Option<Timestamp>,
}

/// A list that a credential points to.
#[derive(Debug, Clone, Copy)]
pub struct WantedList<'a> {
    /// How it points there.
    pub reference: &'a ListReference,
    /// Who issued the credential, and whose the list has to be. What was checked for one issuer is
    /// no answer for another: a stranger may have found a way to pass a list off as its own.
    pub issuer: &'a str,
    /// Whose keys the check goes by.
    pub trust: Trust,
}

/// Whose keys a check goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Those that the issuer publishes, as everybody sees them.
    Published,
    /// Those that who asks has pinned: the result is for this request alone.
    Pinned,
}

/// Where a service may go for what stands elsewhere.
pub trait Outside: Send + Sync {
    /// What one request may ask: its questions, and the time they take, are bounded together.
    fn session(&self) -> Box<dyn Resolver + '_>;

    /// What is told of the answers that it keeps, where it keeps any.
    fn measured(&self) -> Option<CacheShown> {
        None
    }
}

/// A signature that this registry made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHere {
    /// The key that made it.
    pub key: VerifyingKey,
    /// When, by the event log.
    pub at: Timestamp,
}

/// What a registry knows of a profile or an achievement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// [`Outcome::Active`] where an endorsement of it for what is wanted is in force,
    /// [`Outcome::NotEndorsed`] where it is known and has none, the best standing of those it has,
    /// or [`Outcome::Unknown`].
    pub outcome: Outcome,
    /// Whether it was of weight for what achievement, and awarded when, it is wanted.
    pub limited: bool,
    /// Why, for people: by whom it is endorsed for what is wanted, or what is missing.
    pub detail: String,
    /// The way from it up to somebody trusted, where that leads over several: who endorses whom.
    pub path: Vec<String>,
    /// The name under which it is registered, where it lives here.
    pub name: Option<String>,
    /// Whose it is, by `issuer.id`, where it is an achievement here.
    pub owner: Option<String>,
    /// The digest of its present version (`digestMultibase`), where it lives here.
    pub digest: Option<DigestMultibase>,
    /// Its endorsements: first the one by which it stands for what is wanted, then the others in
    /// force; bounded by who answers.
    pub endorsements: Vec<KnownEndorsement>,
}

/// An endorsement that a registry holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEndorsement {
    /// The endorsement's URL.
    pub id: String,
    /// Who endorses, by `issuer.id`.
    pub endorser: String,
    /// The endorser's registered name.
    pub name: String,
    /// How it stands.
    pub outcome: Outcome,
}

/// Why there is no such document.
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
    /// The answer is not what was asked for, with the reason.
    #[error("what was found is of no use: {0}")]
    Malformed(String),
}
