//! From a document and the options of a proof to the bytes that `eddsa-rdfc-2022` signs
//! (VC-DI-EdDSA 1.0, sections 3.2.3 to 3.2.5).

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Part, ProofError};
use crate::jsonld::canon::{self, Canonical, Limits, Variant, canonicalize};
use crate::jsonld::rdf::Dataset;
use crate::jsonld::{InlineTerms, Mode, Options, Processor, RdfDirection};
use crate::vc::members;

/// The canonical forms of a proof's options and of a document, and their hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashData {
    /// The proof without `proofValue`, under the document's contexts.
    pub options: Canonical,
    /// The document without its proofs.
    pub document: Canonical,
    /// SHA-256 of the options' canonical form.
    pub options_hash: [u8; 32],
    /// SHA-256 of the document's canonical form.
    pub document_hash: [u8; 32],
}

/// One of the two: a canonical form, and its hash.
#[derive(Debug, Clone)]
pub(super) struct Half {
    pub(super) canonical: Canonical,
    pub(super) hash: [u8; 32],
}

impl Half {
    pub(super) fn of(
        part: Part,
        dataset: &Dataset,
        variant: Variant,
        limits: Limits,
    ) -> Result<Self, ProofError> {
        let options = canon::Options {
            variant,
            limits,
            ..canon::Options::default()
        };
        let canonical =
            canonicalize(dataset, &options).map_err(|reason| ProofError::Canon { part, reason })?;
        let hash = Sha256::digest(&canonical.nquads).into();
        Ok(Self { canonical, hash })
    }
}

impl HashData {
    /// Transforms and hashes a document without proofs, and the members of a proof without its
    /// value.
    ///
    /// # Errors
    /// [`ProofError::JsonLd`] where a context is unknown or a member undefined,
    /// [`ProofError::Hidden`] where a member is not where a reader looks for it, and
    /// [`ProofError::Canon`] where the statements have no canonical form.
    pub fn of(
        processor: &Processor,
        document: &Value,
        options: &Map<String, Value>,
        variant: Variant,
    ) -> Result<Self, ProofError> {
        let limits = Limits::default();
        let statements = document_statements(processor, document)?;
        let document_half = Half::of(Part::Document, &statements, variant, limits)?;
        let statements = options_statements(processor, document, options)?;
        let options_half = Half::of(Part::Proof, &statements, variant, limits)?;
        Ok(Self {
            options_hash: options_half.hash,
            document_hash: document_half.hash,
            options: options_half.canonical,
            document: document_half.canonical,
        })
    }

    /// What is signed: the hash of the options, then the hash of the document.
    pub fn combined(&self) -> [u8; 64] {
        combined(&self.options_hash, &self.document_hash)
    }
}

/// What is signed.
pub(super) fn combined(options_hash: &[u8; 32], document_hash: &[u8; 32]) -> [u8; 64] {
    let mut combined = [0; 64];
    combined[..32].copy_from_slice(options_hash);
    combined[32..].copy_from_slice(document_hash);
    combined
}

/// What a document without proofs says, which is what a reader of its JSON sees.
pub(super) fn document_statements(
    processor: &Processor,
    document: &Value,
) -> Result<Dataset, ProofError> {
    let part = Part::Document;
    let statements = statements(processor, part, document)?;
    members::check_statements(document, &statements)
        .map_err(|reason| ProofError::Hidden { part, reason })?;
    Ok(statements)
}

/// What the members of a proof say under the contexts of its document.
pub(super) fn options_statements(
    processor: &Processor,
    document: &Value,
    options: &Map<String, Value>,
) -> Result<Dataset, ProofError> {
    let options = under_contexts_of(document, options);
    statements(processor, Part::Proof, &options)
}

/// The proof configuration (section 3.2.5): the options, read with the document's contexts.
fn under_contexts_of(document: &Value, options: &Map<String, Value>) -> Value {
    let context = document
        .get("@context")
        .map(|context| ("@context".to_owned(), context.clone()));
    let members = options
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(context.into_iter().chain(members).collect())
}

fn statements(processor: &Processor, part: Part, value: &Value) -> Result<Dataset, ProofError> {
    members::check_names(value).map_err(|reason| ProofError::Hidden { part, reason })?;
    let options = Options {
        mode: Mode::Safe,
        inline_terms: InlineTerms::NoSecondNames,
        // As the suites of other signers have it.
        direction: RdfDirection::I18nDatatype,
        ..Options::default()
    };
    processor
        .to_rdf(value, &options)
        .map_err(|reason| ProofError::JsonLd { part, reason })
}
