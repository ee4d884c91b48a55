//! From a document and the options of a proof to canonical JSON (VC-DI-EdDSA 1.0, sections 3.3.2
//! to 3.3.5).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::embedded::items;
use super::hash::Half;
use super::{Part, ProofError};
use crate::json;
use crate::vc::members;

/// The canonical form of JSON (RFC 8785), where every reader finds the same one.
pub(super) fn half(part: Part, value: &Value) -> Result<Half, ProofError> {
    json::check_interoperable(value).map_err(|reason| ProofError::Json { part, reason })?;
    members::check_names(value).map_err(|reason| ProofError::Hidden { part, reason })?;
    let canonical = serde_json_canonicalizer::to_string(value)
        .expect("JSON without numbers that are none has a canonical form");
    Ok(Half::new(canonical, false))
}

/// The proof configuration (section 3.3.5): the proof without its value.
pub(super) fn configuration(proof: &Map<String, Value>) -> Value {
    let members = proof.iter().filter(|(name, _)| *name != "proofValue");
    Value::Object(
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

/// The document that a proof signs (section 3.3.2, step 4): where the proof names contexts, the
/// document has to begin with these, and is signed with these alone. What others were added after
/// that, the proof does not cover.
pub(super) fn signed_document<'d>(
    place: &str,
    document: &'d Value,
    proof: &Map<String, Value>,
) -> Result<Cow<'d, Value>, ProofError> {
    let (own, signed) = (document.get("@context"), proof.get("@context"));
    if signed.is_none() || own == signed {
        return Ok(Cow::Borrowed(document));
    }
    if own.is_none() || !items(own).starts_with(items(signed)) {
        return Err(ProofError::Context {
            place: place.to_owned(),
            expected: "what the contexts of the document begin with",
        });
    }
    let mut document = document.clone();
    if let Some(signed) = signed {
        document["@context"] = signed.clone();
    }
    Ok(Cow::Owned(document))
}
