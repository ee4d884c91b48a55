//! Data Integrity proofs (VC Data Integrity 1.0), embedded in the JSON as `proof`.
//!
//! [`sign`] adds a proof. A verifier takes [`proofs`] apart, finds the key of each one's
//! verification method, and asks [`verify`]. Several proofs are a set: each one stands for itself,
//! over the document without any.

mod embedded;
mod prepared;
mod rdfc;

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::contexts::{self, Revision};
use super::keys::{PublicKey, SigningKey};
use super::members::MemberError;
use super::multibase;
use crate::jsonld::canon::{CanonError, Variant};
use crate::jsonld::{self, Processor};
use crate::time::{Timestamp, TimestampError};

pub use embedded::{Proof, proofs};
pub use prepared::{Prepared, Work};
pub use rdfc::HashData;

/// The `type` of every proof that is made here.
const PROOF_TYPE: &str = "DataIntegrityProof";
/// The only purpose with which a credential is signed.
const PURPOSE: &str = "assertionMethod";

/// A cryptosuite: how a document becomes bytes, and how these are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// RDFC-1.0, SHA-256 and Ed25519 (VC-DI-EdDSA 1.0, section 3.2).
    EddsaRdfc2022,
}

impl Suite {
    /// The value of `cryptosuite`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::EddsaRdfc2022]
            .into_iter()
            .find(|suite| suite.name() == name)
    }
}

/// What a new proof says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofOptions {
    /// URL of the verification method whose key signs, with its fragment.
    pub verification_method: String,
    /// When the proof is made. Nobody can check it, so it proves nothing.
    pub created: Option<Timestamp>,
    /// From when on the proof is no longer good.
    pub expires: Option<Timestamp>,
}

/// A good proof, and how it was found good.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The revision of the Open Badges context that was signed with; [`Revision::Mid2026`] also
    /// where the document names no such context.
    pub revision: Revision,
    /// The reading of RDFC-1.0 that was signed with.
    pub variant: Variant,
}

/// Why a document is not signed, or a proof not good. Places are JSON pointers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// What is to be signed or verified is not a JSON object.
    #[error("a document with a proof is a JSON object")]
    NotAnObject,
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
    /// A member that a proof must not have here.
    #[error("at {place:?}: {member:?} in a proof is not supported: {reason}")]
    Unsupported {
        /// The proof's place.
        place: String,
        /// The member.
        member: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// A cryptosuite that is not known here.
    #[error("at {place:?}: the cryptosuite {name:?} is not known; eddsa-rdfc-2022 is")]
    Suite {
        /// The proof's place.
        place: String,
        /// The cryptosuite.
        name: String,
    },
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
    /// The proof is past its `expires`.
    #[error("at {place:?}: the proof expired at {at}")]
    Expired {
        /// The proof's place.
        place: String,
        /// When.
        at: Timestamp,
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
    /// The document without its proofs.
    #[error("the document")]
    Document,
    /// The proof without its value.
    #[error("the proof")]
    Proof,
}

/// The document with a proof by `key`, made with the newest contexts. Proofs that it has already
/// stay, and the new one joins them.
///
/// # Errors
/// Everything for which [`verify`] would refuse the proof, and [`ProofError::Ambiguous`].
pub fn sign(
    document: &Value,
    options: &ProofOptions,
    key: &SigningKey,
) -> Result<Value, ProofError> {
    sign_with(
        contexts::processor(Revision::Mid2026),
        document,
        options,
        key,
    )
}

/// As [`sign`], with the contexts that `processor` knows.
///
/// # Errors
/// As [`sign`].
pub fn sign_with(
    processor: &Processor,
    document: &Value,
    options: &ProofOptions,
    key: &SigningKey,
) -> Result<Value, ProofError> {
    let Value::Object(mut members) = document.clone() else {
        return Err(ProofError::NotAnObject);
    };
    let earlier = members.shift_remove("proof");
    let mut secured = Value::Object(members);
    let mut proof = options.members(Suite::EddsaRdfc2022);
    let data = HashData::of(processor, &secured, &proof, Variant::Listed)?;
    for (part, canonical) in [
        (Part::Document, &data.document),
        (Part::Proof, &data.options),
    ] {
        if canonical.ambiguous {
            return Err(ProofError::Ambiguous(part));
        }
    }
    let signature = key.sign(&data.combined());
    proof.insert(
        "proofValue".to_owned(),
        json!(multibase::encode_base58btc(&signature)),
    );
    secured["proof"] = match earlier {
        None => Value::Object(proof),
        Some(Value::Array(mut set)) => {
            set.push(Value::Object(proof));
            Value::Array(set)
        }
        Some(one) => Value::Array(vec![one, Value::Object(proof)]),
    };
    Ok(secured)
}

/// Whether `key` made `proof`, which [`proofs`] found in `secured`, over that document, and the
/// proof is not expired at `now`. That the key is the issuer's is for the caller to know.
///
/// Both revisions of the Open Badges context are tried, and, where they differ, both readings of
/// RDFC-1.0.
///
/// # Errors
/// [`ProofError::Expired`], [`ProofError::Signature`], and all that makes a document unfit to be
/// signed: members that no context defines or that are hidden, unknown contexts, no canonical form.
/// [`ProofError::Spent`].
///
/// Whoever has several proofs of one document keeps it [`Prepared`].
pub fn verify(
    secured: &Value,
    proof: &Proof<'_>,
    key: &PublicKey,
    now: Timestamp,
) -> Result<Verified, ProofError> {
    Prepared::of(secured)?.verify(proof, key, now, &mut Work::default())
}

/// As [`verify`], with the contexts that each of the processors knows, tried in order.
///
/// # Errors
/// As [`verify`]. Where the signature fits under none of the processors, the error says so; where
/// none could read the document, it is that of the first.
pub fn verify_with(
    processors: &[(Revision, &Processor)],
    secured: &Value,
    proof: &Proof<'_>,
    key: &PublicKey,
    now: Timestamp,
) -> Result<Verified, ProofError> {
    Prepared::with(processors, secured)?.verify(proof, key, now, &mut Work::default())
}

impl ProofOptions {
    /// The proof's members without `proofValue`.
    fn members(&self, suite: Suite) -> Map<String, Value> {
        let mut members = Map::new();
        let mut add = |name: &str, value: Option<String>| {
            members.extend(value.map(|value| (name.to_owned(), Value::String(value))));
        };
        add("type", Some(PROOF_TYPE.to_owned()));
        add("cryptosuite", Some(suite.name().to_owned()));
        add("created", self.created.map(|at| at.to_string()));
        add("expires", self.expires.map(|at| at.to_string()));
        add("verificationMethod", Some(self.verification_method.clone()));
        add("proofPurpose", Some(PURPOSE.to_owned()));
        members
    }
}

fn without_proof(secured: &Value) -> Result<Value, ProofError> {
    let members = secured.as_object().ok_or(ProofError::NotAnObject)?;
    let rest = members.iter().filter(|(name, _)| *name != "proof");
    Ok(Value::Object(
        rest.map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    ))
}

#[cfg(test)]
mod tests;
