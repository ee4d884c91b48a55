//! What is signed: the hash of a proof's options, then that of its document.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Part, ProofError, jcs, rdfc};
use crate::jsonld::Processor;
use crate::jsonld::canon::{Limits, Variant};

/// The canonical forms of a proof's options and of a document, and their hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashData {
    /// The proof without `proofValue`.
    pub options: String,
    /// The document without its proofs, or with those alone on which the proof rests.
    pub document: String,
    /// SHA-256 of the options' canonical form.
    pub options_hash: [u8; 32],
    /// SHA-256 of the document's canonical form.
    pub document_hash: [u8; 32],
    /// The part on whose canonical form deployed verifiers disagree, if there is one; see
    /// [`canon::Canonical::ambiguous`](crate::jsonld::canon::Canonical::ambiguous).
    pub ambiguous: Option<Part>,
}

/// One of the two: a canonical form, and its hash.
#[derive(Debug, Clone)]
pub(super) struct Half {
    pub(super) canonical: String,
    pub(super) hash: [u8; 32],
    pub(super) ambiguous: bool,
}

impl Half {
    pub(super) fn new(canonical: String, ambiguous: bool) -> Self {
        let hash = Sha256::digest(&canonical).into();
        Self {
            canonical,
            hash,
            ambiguous,
        }
    }
}

impl HashData {
    /// Transforms and hashes, as the `…-rdfc-…` suites do, a document without its own proof, and
    /// the members of that proof without its value, under the contexts of the document
    /// (VC-DI-EdDSA 1.0, sections 3.2.3 to 3.2.5).
    ///
    /// # Errors
    /// [`ProofError::JsonLd`] where a context is unknown or a member undefined,
    /// [`ProofError::Hidden`] where a member is not where a reader looks for it, and
    /// [`ProofError::Canon`] where the statements have no canonical form.
    pub fn rdfc(
        processor: &Processor,
        document: &Value,
        options: &Map<String, Value>,
        variant: Variant,
    ) -> Result<Self, ProofError> {
        let limits = Limits::default();
        let statements = rdfc::document_statements(processor, document)?;
        let document_half = rdfc::half(Part::Document, &statements, variant, limits)?;
        let options = rdfc::configuration(document, options);
        let statements = rdfc::options_statements(processor, &options)?;
        let options_half = rdfc::half(Part::Proof, &statements, variant, limits)?;
        Ok(Self::of(options_half, document_half))
    }

    /// Transforms and hashes the two as `eddsa-jcs-2022` does (VC-DI-EdDSA 1.0, sections 3.3.3 to
    /// 3.3.5). Where the options name contexts, those stand in place of the document's.
    ///
    /// # Errors
    /// [`ProofError::Json`] where a number would be changed, [`ProofError::Hidden`] where a member
    /// is named as no reader would look for it, [`ProofError::Context`] where the document's
    /// contexts do not begin with those of the options.
    pub fn jcs(document: &Value, options: &Map<String, Value>) -> Result<Self, ProofError> {
        let signed = jcs::signed_document("/proof", document, options)?;
        let document = jcs::half(Part::Document, &signed)?;
        let options = jcs::half(Part::Proof, &jcs::configuration(options))?;
        Ok(Self::of(options, document))
    }

    /// What is signed: the hash of the options, then the hash of the document.
    pub fn combined(&self) -> [u8; 64] {
        combined(&self.options_hash, &self.document_hash)
    }

    fn of(options: Half, document: Half) -> Self {
        let ambiguous = match (document.ambiguous, options.ambiguous) {
            (true, _) => Some(Part::Document),
            (false, true) => Some(Part::Proof),
            (false, false) => None,
        };
        Self {
            options_hash: options.hash,
            document_hash: document.hash,
            options: options.canonical,
            document: document.canonical,
            ambiguous,
        }
    }
}

/// What is signed.
pub(super) fn combined(options_hash: &[u8; 32], document_hash: &[u8; 32]) -> [u8; 64] {
    let mut combined = [0; 64];
    combined[..32].copy_from_slice(options_hash);
    combined[32..].copy_from_slice(document_hash);
    combined
}
