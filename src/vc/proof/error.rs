//! What can be wrong with a proof, each failure by itself.

use thiserror::Error;

use super::Suite;
use crate::json::JsonError;
use crate::jsonld;
use crate::jsonld::canon::CanonError;
use crate::time::{Timestamp, TimestampError};
use crate::vc::controller::Relationship;
use crate::vc::keys::SignerError;
use crate::vc::members::MemberError;
use crate::vc::verifying::KeyKind;

/// Why a document is not signed, or a proof not good. Places are JSON pointers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// What is to be signed or verified is not a JSON object.
    #[error("a document with a proof is a JSON object")]
    NotAnObject,
    /// The key cannot be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A member of a proof is missing or has another value.
    #[error("at {place:?}: a proof needs {member:?} to be {expected}")]
    Member {
        /// The proof's place.
        place: String,
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A cryptosuite that is not known here.
    #[error(
        "at {place:?}: the cryptosuite {name:?} is not known; eddsa-rdfc-2022, eddsa-jcs-2022, \
         ecdsa-rdfc-2019 and eddsa-2022 are"
    )]
    Suite {
        /// The proof's place.
        place: String,
        /// The cryptosuite.
        name: String,
    },
    /// A suite whose proofs are read, and are not made here.
    #[error("proofs of {0} are not made here; sign with eddsa-rdfc-2022 or eddsa-jcs-2022")]
    ReadOnly(Suite),
    /// A date is not an `xsd:dateTimeStamp`.
    #[error("at {place:?}: {member:?}: {reason}")]
    Date {
        /// The proof's place.
        place: String,
        /// The member.
        member: &'static str,
        /// What is wrong.
        reason: TimestampError,
    },
    /// The proof was made for something else.
    #[error("at {place:?}: the proof is for {found:?} and not for {}", expected.as_str())]
    Purpose {
        /// The proof's place.
        place: String,
        /// What it has to be for.
        expected: Relationship,
        /// Its `proofPurpose`.
        found: String,
    },
    /// The proof is past its `expires`.
    #[error("at {place:?}: the proof expired at {at}")]
    Expired {
        /// The proof's place.
        place: String,
        /// When.
        at: Timestamp,
    },
    /// The proof has contexts of its own that are not those of the document.
    #[error("at {place:?}: the proof's \"@context\" has to be {expected}")]
    Context {
        /// The proof's place.
        place: String,
        /// What the suite allows.
        expected: &'static str,
    },
    /// A proof that this one rests on is not there.
    #[error("at {place:?}: there is no earlier proof {id:?}, on which this one rests")]
    MissingPrevious {
        /// The proof's place.
        place: String,
        /// The `id` that it names.
        id: String,
    },
    /// Several proofs have one id.
    #[error("at {place:?}: more than one proof has the id {id:?}; give each its own")]
    DuplicateId {
        /// The place of the proof that has the id, or rests on it.
        place: String,
        /// The id.
        id: String,
    },
    /// A proof rests on itself.
    #[error("at {place:?}: the proof names itself as an earlier one")]
    OwnPrevious {
        /// The proof's place.
        place: String,
    },
    /// A proof rests on others that rest on it.
    #[error("at {place:?}: the proof rests on others that rest on it, so none came first")]
    Cycle {
        /// The proof's place.
        place: String,
    },
    /// The key is of another kind than the suite signs with.
    #[error(
        "at {place:?}: {suite} is signed with keys for {}, and this key is for {}",
        suite.key_kind().algorithm(),
        found.algorithm()
    )]
    KeyKind {
        /// The proof's place.
        place: String,
        /// The suite.
        suite: Suite,
        /// The kind of the key.
        found: KeyKind,
    },
    /// The signature is not the key's over this document and this proof.
    #[error("at {place:?}: the signature does not fit the document, or another key made it")]
    Signature {
        /// The proof's place.
        place: String,
    },
    /// The document, or the proof under the document's contexts, is not safe JSON-LD.
    #[error("{part} is not safe JSON-LD: {reason}")]
    JsonLd {
        /// Which of the two.
        part: Part,
        /// What is wrong; its place is within the part.
        reason: jsonld::Error,
    },
    /// The document hides a member from a reader of its JSON.
    #[error("{part}: {reason}")]
    Hidden {
        /// Which of the two.
        part: Part,
        /// What is wrong; its place is within the part.
        reason: MemberError,
    },
    /// The statements have no canonical form here.
    #[error("{part} has no canonical form: {reason}")]
    Canon {
        /// Which of the two.
        part: Part,
        /// Why.
        reason: CanonError,
    },
    /// The JSON has no canonical form that every reader would find.
    #[error("{part} has no canonical form: {reason}")]
    Json {
        /// Which of the two.
        part: Part,
        /// Why; the place is within the part.
        reason: JsonError,
    },
    /// As much work was done as one request is given; nothing is known of this proof.
    #[error("telling whether the proof is good takes more work than one request is given")]
    Spent,
    /// Verifiers disagree on the canonical form, so that a proof would be good to some alone.
    #[error(
        "deployed verifiers disagree on the canonical form of {0}: it holds alike objects \
         without ids; give them ids, or say something different of each"
    )]
    Ambiguous(Part),
}

/// What the two hashes under a signature are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Part {
    /// The document without its proofs, or with those alone on which the proof rests.
    #[error("the document")]
    Document,
    /// The proof without its value.
    #[error("the proof")]
    Proof,
}
