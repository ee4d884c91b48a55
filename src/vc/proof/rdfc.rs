//! From a document and the options of a proof to the bytes that `eddsa-rdfc-2022` signs
//! (VC-DI-EdDSA 1.0, sections 3.2.3 to 3.2.5).

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Part, ProofError};
use crate::jsonld::canon::{self, Canonical, Variant, canonicalize};
use crate::jsonld::rdf::Dataset;
use crate::jsonld::{InlineTerms, Mode, Options, Processor};
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
        let statements = statements(processor, Part::Document, document)?;
        members::check_statements(document, &statements).map_err(|reason| ProofError::Hidden {
            part: Part::Document,
            reason,
        })?;
        let document_form = canonical(Part::Document, &statements, variant)?;
        let options = under_contexts_of(document, options);
        let statements = self::statements(processor, Part::Proof, &options)?;
        let options_form = canonical(Part::Proof, &statements, variant)?;
        Ok(Self {
            options_hash: Sha256::digest(&options_form.nquads).into(),
            document_hash: Sha256::digest(&document_form.nquads).into(),
            options: options_form,
            document: document_form,
        })
    }

    /// What is signed: the hash of the options, then the hash of the document.
    pub fn combined(&self) -> [u8; 64] {
        let mut combined = [0; 64];
        combined[..32].copy_from_slice(&self.options_hash);
        combined[32..].copy_from_slice(&self.document_hash);
        combined
    }
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
        ..Options::default()
    };
    processor
        .to_rdf(value, &options)
        .map_err(|reason| ProofError::JsonLd { part, reason })
}

fn canonical(part: Part, dataset: &Dataset, variant: Variant) -> Result<Canonical, ProofError> {
    let options = canon::Options {
        variant,
        ..canon::Options::default()
    };
    canonicalize(dataset, &options).map_err(|reason| ProofError::Canon { part, reason })
}
