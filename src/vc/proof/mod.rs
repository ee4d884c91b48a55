//! Data Integrity proofs (VC Data Integrity 1.0), embedded in the JSON as `proof`.
//!
//! [`sign`] adds a proof. A verifier takes [`proofs`] apart, asks each whether it is for the
//! purpose ([`Proof::check`]), finds the key of its verification method, and asks [`verify`], or
//! [`Prepared`] where there are several. Proofs are a set, of which each one stands for itself,
//! over the document without any; but one that names earlier ones signs these too, and is only as
//! good as they are ([`Proof::previous`]). After a proof over JSON, [`check_reading`] tells
//! whether the document reads the same as JSON-LD.

mod chain;
mod embedded;
mod error;
mod hash;
mod jcs;
mod options;
mod prepared;
mod rdfc;
mod suite;
mod work;

use serde_json::{Value, json};

use super::contexts::{self, Revision};
use super::controller::Relationship;
use super::keys::Signer;
use super::multibase;
use super::verifying::VerifyingKey;
use crate::jsonld::Processor;
use crate::jsonld::canon::Variant;
use crate::time::Timestamp;

use chain::{Chain, Link, with_earlier};

pub use embedded::{Proof, proofs};
pub use error::{Part, ProofError};
pub use hash::HashData;
pub use options::ProofOptions;
pub use prepared::Prepared;
pub use suite::{Suite, Transformation};
pub use work::Work;

/// A good proof, and what it covers.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// The statements of the document, each member of which makes one: what its JSON shows is
    /// what it says.
    Statements {
        /// The revision of the Open Badges context that was signed with; [`Revision::Mid2026`]
        /// also where the document names no such context.
        revision: Revision,
        /// The reading of RDFC-1.0 that was signed with.
        variant: Variant,
    },
    /// The JSON. Its contexts were not looked at, which [`check_reading`] does.
    Json,
}

/// The document with a proof by `key`, made with the newest contexts. Proofs that it has already
/// stay, and the new one joins them.
///
/// # Errors
/// Everything for which [`verify`] would refuse the proof, and [`ProofError::Ambiguous`].
pub fn sign(
    document: &Value,
    options: &ProofOptions,
    key: &dyn Signer,
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
    key: &dyn Signer,
) -> Result<Value, ProofError> {
    let mut secured = without_proof(document)?;
    let existing = embedded::items(document.get("proof"));
    let place = match document.get("proof") {
        None => "/proof".to_owned(),
        Some(_) => format!("/proof/{}", existing.len()),
    };
    let earlier = options.earlier(&place, existing)?;
    let mut proof = options.members(secured.get("@context"));
    let data = match earlier.as_slice() {
        [] => options.hash(processor, &secured, &proof)?,
        earlier => options.hash(processor, &with_earlier(&secured, earlier), &proof)?,
    };
    if let Some(part) = data.ambiguous {
        return Err(ProofError::Ambiguous(part));
    }
    let signature = key.sign(&data.combined())?;
    let value = json!(multibase::encode_base58btc(&signature));
    proof.insert("proofValue".to_owned(), value);
    let proof = Value::Object(proof);
    secured["proof"] = match document.get("proof") {
        None => proof,
        Some(_) => existing.iter().cloned().chain([proof]).collect(),
    };
    Ok(secured)
}

/// Whether `key` made `proof`, which [`proofs`] found in `secured`, over that document, for
/// `purpose`, and the proof is not expired at `now`. That the key is the issuer's is for the
/// caller to know, and whether the proofs are good that this one rests on.
///
/// Both revisions of the Open Badges context are tried, and, where they differ, both readings of
/// RDFC-1.0.
///
/// # Errors
/// As [`Proof::check`]; [`ProofError::KeyKind`], [`ProofError::Signature`]; all that makes a
/// document unfit to be signed: members that no context defines or that are hidden, unknown
/// contexts, no canonical form; where the proof rests on others, what is wrong with these as a
/// chain; [`ProofError::Spent`].
///
/// Whoever has several proofs of one document keeps it [`Prepared`].
pub fn verify(
    secured: &Value,
    proof: &Proof<'_>,
    purpose: Relationship,
    key: &VerifyingKey,
    now: Timestamp,
) -> Result<Verified, ProofError> {
    Prepared::of(secured)?.verify(proof, purpose, key, now, &mut Work::default())
}

/// Whether `document` may be signed at all, in a form that does not look at its contexts: as
/// JSON-LD with the newest contexts it says what its JSON shows, and each member says something.
/// [`sign`] checks that by itself.
///
/// # Errors
/// [`ProofError::JsonLd`] where a context is unknown or a member undefined,
/// [`ProofError::Hidden`] where a member is not where a reader looks for it.
pub fn check_signable(document: &Value) -> Result<(), ProofError> {
    let processor = contexts::processor(Revision::Mid2026);
    rdfc::document_statements(processor, document).map(drop)
}

/// Whether `document`, as a reader of JSON-LD takes it, says of issuer, subjects, statuses, dates
/// and classes what its JSON shows: for documents that were signed as JSON, in a proof or a JWT.
/// What no context defines is no fault, since it was signed; `proof` is left out.
///
/// # Errors
/// [`ProofError::Hidden`], [`ProofError::JsonLd`] where a context is unknown, invalid, or gives a
/// second name to what a known one names; [`ProofError::Spent`].
pub fn check_reading(document: &Value, work: &mut Work) -> Result<(), ProofError> {
    Prepared::of(document)?.check_reading(work)
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
