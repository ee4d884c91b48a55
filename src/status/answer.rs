//! What a status list says of a credential, and why it says nothing. The same for every format.

use std::borrow::Cow;

use thiserror::Error;

use super::entry::EntryError;
use super::purpose::{Effect, StatusPurpose};
use crate::bitstring::CodecError;
use crate::vc::credential::CredentialError;

/// Error type URL: the list could not be fetched.
pub const ERROR_RETRIEVAL: &str =
    "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR";
/// Error type URL: the list could not be verified, or is not one for this entry.
pub const ERROR_VERIFICATION: &str =
    "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR";
/// Error type URL: the list has too few entries to protect the privacy of holders.
pub const ERROR_LENGTH: &str =
    "https://www.w3.org/ns/credentials/status-list#STATUS_LIST_LENGTH_ERROR";
/// Error type URL: a value breaks a rule of the data model.
pub const ERROR_MALFORMED: &str = "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR";
/// Error type URL: a value lies outside its range.
pub const ERROR_RANGE: &str = "https://www.w3.org/TR/vc-data-model#RANGE_ERROR";

/// What a list says about one credential (Bitstring Status List 1.0, section 3.2, step 14).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct StatusResult {
    /// The status.
    pub status: u8,
    /// What it is about; `None` where the list has no purpose, since its values tell themselves
    /// (Token Status List).
    pub purpose: Option<StatusPurpose>,
    /// What it does to the credential.
    pub effect: Effect,
    /// Whether the status is 0.
    pub valid: bool,
    /// What the status means by the entry's messages, or why the credential was revoked.
    pub message: Option<String>,
    /// Why the list is believed.
    pub authenticity: Authenticity,
}

/// Why a list is believed to be its issuer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Authenticity {
    /// Its issuer signed it, or it is kept here.
    Proven,
    /// It is not signed: whoever answers https requests at its URL can write it.
    HttpsAlone,
}

impl StatusResult {
    /// The answer of a proven list that is for one `purpose`.
    pub fn of(purpose: StatusPurpose, status: u8, message: Option<&str>) -> Self {
        Self {
            status,
            effect: purpose.effect(status),
            purpose: Some(purpose),
            valid: status == 0,
            message: message.map(str::to_owned),
            authenticity: Authenticity::Proven,
        }
    }
}

/// Why a list says nothing about a credential. That is never the same as "not revoked".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatusError {
    /// The entry breaks a rule; nothing was fetched for it.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The list could not be fetched.
    #[error("the status list {list} cannot be fetched: {reason}")]
    Retrieval {
        /// URL of the list.
        list: String,
        /// What went wrong.
        reason: String,
    },
    /// The list was fetched, and its proof, validity or issuer does not hold.
    #[error("the status list {list} cannot be verified: {reason}")]
    Verification {
        /// URL of the list.
        list: String,
        /// What does not hold.
        reason: String,
    },
    /// The list names itself by another id than the URL under which it was found.
    #[error("the status list found at {list} names itself {found}")]
    Identity {
        /// The URL in the entry.
        list: String,
        /// The id in the list.
        found: String,
    },
    /// The list is for another purpose.
    #[error("the status list {list} is not for the purpose {purpose:?}", purpose = purpose.as_str())]
    Purpose {
        /// URL of the list.
        list: String,
        /// The purpose of the entry.
        purpose: StatusPurpose,
    },
    /// What was found is not a status list of its format.
    #[error("{at}: a status list needs {expected} here")]
    Malformed {
        /// The place in the list, a JSON pointer where the list is JSON.
        at: Cow<'static, str>,
        /// What has to stand there.
        expected: &'static str,
    },
    /// The envelope of the list's credential breaks a rule of the data model.
    #[error("the credential of a status list breaks a rule: {0}")]
    Envelope(#[from] CredentialError),
    /// The list cannot be expanded.
    #[error("{at}: {reason}")]
    Expand {
        /// The place in the list.
        at: &'static str,
        /// What is wrong.
        reason: CodecError,
    },
    /// The list is too short.
    #[error("the status list has {entries} entries and needs at least {minimum}")]
    Length {
        /// Entries of the list, in the entry's size.
        entries: u64,
        /// Entries that it needs.
        minimum: u64,
    },
    /// The index lies behind the end of the list.
    #[error("index {index} lies behind the end of the status list, which has {entries} entries")]
    Range {
        /// The index of the entry.
        index: u64,
        /// Entries of the list.
        entries: u64,
    },
    /// The list goes by the ids of credentials, and this one has none.
    #[error("the credential has no id, so it cannot be looked up in the revocation list {list}")]
    NoId {
        /// URL of the list.
        list: String,
    },
}

impl StatusError {
    /// The URL of the error's type, as the standard defines it. A type of entry that is not read
    /// is one whose list cannot be verified.
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::Retrieval { .. } => ERROR_RETRIEVAL,
            Self::Verification { .. }
            | Self::Identity { .. }
            | Self::Purpose { .. }
            | Self::Entry(EntryError::Type { .. } | EntryError::Mechanism(_)) => ERROR_VERIFICATION,
            Self::Length { .. } => ERROR_LENGTH,
            Self::Range { .. } | Self::Entry(EntryError::IndexTooLarge(_)) => ERROR_RANGE,
            Self::Entry(_)
            | Self::Malformed { .. }
            | Self::Envelope(_)
            | Self::Expand { .. }
            | Self::NoId { .. } => ERROR_MALFORMED,
        }
    }

    /// The list needs something else at `at`.
    pub(super) fn malformed(at: impl Into<Cow<'static, str>>, expected: &'static str) -> Self {
        Self::Malformed {
            at: at.into(),
            expected,
        }
    }
}
