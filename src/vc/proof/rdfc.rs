//! From a document and the options of a proof to canonical N-Quads (VC-DI-EdDSA 1.0, sections
//! 3.2.3 to 3.2.5; the same in VC-DI-ECDSA 1.0).

use serde_json::{Map, Value};

use super::hash::Half;
use super::{Part, ProofError};
use crate::jsonld::canon::{self, Limits, Variant, canonicalize};
use crate::jsonld::rdf::Dataset;
use crate::jsonld::{InlineTerms, Mode, Options, Processor, RdfDirection};
use crate::vc::members;

/// The canonical form of statements.
pub(super) fn half(
    part: Part,
    dataset: &Dataset,
    variant: Variant,
    limits: Limits,
) -> Result<Half, ProofError> {
    let options = canon::Options {
        variant,
        limits,
        ..canon::Options::default()
    };
    let canonical =
        canonicalize(dataset, &options).map_err(|reason| ProofError::Canon { part, reason })?;
    Ok(Half::new(canonical.nquads, canonical.ambiguous))
}

/// What a document says, which is what a reader of its JSON sees.
pub(super) fn document_statements(
    processor: &Processor,
    document: &Value,
) -> Result<Dataset, ProofError> {
    read_document(processor, document, Mode::Safe)
}

/// Whether what JSON-LD readers see in the document is what its JSON shows, with terms that no
/// context defines left out of both. Tells how many statements there are.
pub(super) fn check_document(processor: &Processor, document: &Value) -> Result<usize, ProofError> {
    read_document(processor, document, Mode::Standard).map(|statements| statements.quads.len())
}

/// What the members of a proof say under the contexts of its document.
pub(super) fn options_statements(
    processor: &Processor,
    configuration: &Value,
) -> Result<Dataset, ProofError> {
    statements(processor, Part::Proof, configuration, Mode::Safe)
}

/// The proof configuration (section 3.2.5): the members of a proof without its value, under the
/// document's contexts and no others.
pub(super) fn configuration(document: &Value, proof: &Map<String, Value>) -> Value {
    let context = document
        .as_object()
        .and_then(|members| members.get_key_value("@context"));
    let members = proof
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "proofValue" | "@context"));
    let all = context.into_iter().chain(members);
    Value::Object(
        all.map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

fn read_document(
    processor: &Processor,
    document: &Value,
    mode: Mode,
) -> Result<Dataset, ProofError> {
    let part = Part::Document;
    let statements = statements(processor, part, document, mode)?;
    members::check_statements(document, &statements)
        .map_err(|reason| ProofError::Hidden { part, reason })?;
    Ok(statements)
}

fn statements(
    processor: &Processor,
    part: Part,
    value: &Value,
    mode: Mode,
) -> Result<Dataset, ProofError> {
    members::check_names(value).map_err(|reason| ProofError::Hidden { part, reason })?;
    let options = Options {
        mode,
        inline_terms: InlineTerms::NoSecondNames,
        // As the suites of other signers have it.
        direction: RdfDirection::I18nDatatype,
        ..Options::default()
    };
    processor
        .to_rdf(value, &options)
        .map_err(|reason| ProofError::JsonLd { part, reason })
}
