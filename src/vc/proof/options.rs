//! What a new proof says of itself.

use serde_json::{Map, Value};

use super::embedded::is_id;
use super::suite::DATA_INTEGRITY_PROOF;
use super::{Chain, HashData, Link, ProofError, Suite, rdfc};
use crate::jsonld::Processor;
use crate::jsonld::canon::Variant;
use crate::time::Timestamp;
use crate::vc::controller::Relationship;

/// What a new proof says of itself. [`ProofOptions::new`] is a credential's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofOptions {
    /// How it signs; [`Suite::EddsaRdfc2022`] and [`Suite::EddsaJcs2022`] are made here.
    pub suite: Suite,
    /// What it is for.
    pub purpose: Relationship,
    /// URL of the verification method whose key signs, with its fragment.
    pub verification_method: String,
    /// When the proof is made. Nobody can check it, so it proves nothing.
    pub created: Option<Timestamp>,
    /// From when on the proof is no longer good.
    pub expires: Option<Timestamp>,
    /// What it answers.
    pub challenge: Option<String>,
    /// For whom it is meant.
    pub domain: Vec<String>,
    /// Its own id, a URL, by which later proofs can name it.
    pub id: Option<String>,
    /// Ids of the proofs in the document that it rests on, and signs too.
    pub previous_proof: Vec<String>,
}

impl ProofOptions {
    /// `eddsa-rdfc-2022` for `assertionMethod`, and nothing that need not be said.
    pub fn new(verification_method: impl Into<String>) -> Self {
        Self {
            suite: Suite::EddsaRdfc2022,
            purpose: Relationship::AssertionMethod,
            verification_method: verification_method.into(),
            created: None,
            expires: None,
            challenge: None,
            domain: Vec::new(),
            id: None,
            previous_proof: Vec::new(),
        }
    }

    /// The proofs that the new one, at `place`, rests on.
    pub(super) fn earlier<'p>(
        &self,
        place: &str,
        existing: &'p [Value],
    ) -> Result<Vec<&'p Value>, ProofError> {
        let chain = Chain::of(existing);
        if let Some(id) = &self.id {
            let (place, id) = (place.to_owned(), id.clone());
            if !is_id(&id) {
                let (member, expected) = ("id", "a URL");
                return Err(ProofError::Member {
                    place,
                    member,
                    expected,
                });
            }
            if chain.has(&id) {
                return Err(ProofError::DuplicateId { place, id });
            }
        }
        let previous: Vec<&str> = self.previous_proof.iter().map(String::as_str).collect();
        chain.earlier(Link {
            place,
            id: self.id.as_deref(),
            previous: &previous,
        })
    }

    /// The proof's members without `proofValue`, under a document's `@context`.
    pub(super) fn members(&self, context: Option<&Value>) -> Map<String, Value> {
        let mut members = Map::new();
        let mut add = |name: &str, value: Option<Value>| {
            members.extend(value.map(|value| (name.to_owned(), value)));
        };
        let text = |text: &str| Some(Value::from(text));
        add("type", text(DATA_INTEGRITY_PROOF));
        add("id", self.id.as_deref().map(Value::from));
        add("cryptosuite", text(self.suite.name()));
        add("created", self.created.map(|at| at.to_string().into()));
        add("expires", self.expires.map(|at| at.to_string().into()));
        add("verificationMethod", text(&self.verification_method));
        add("proofPurpose", text(self.purpose.as_str()));
        add("challenge", self.challenge.as_deref().map(Value::from));
        add("domain", one_or_more(&self.domain));
        add("previousProof", one_or_more(&self.previous_proof));
        if self.suite == Suite::EddsaJcs2022 {
            add("@context", context.cloned());
        }
        members
    }

    /// What is signed of a document, with the earlier proofs, and of these members. A document
    /// that is signed as JSON has to be as safe to read as any other.
    pub(super) fn hash(
        &self,
        processor: &Processor,
        document: &Value,
        members: &Map<String, Value>,
    ) -> Result<HashData, ProofError> {
        match self.suite {
            Suite::EddsaRdfc2022 => HashData::rdfc(processor, document, members, Variant::Listed),
            Suite::EddsaJcs2022 => {
                rdfc::document_statements(processor, document)?;
                HashData::jcs(document, members)
            }
            suite @ (Suite::EcdsaRdfc2019 | Suite::Eddsa2022 | Suite::Ed25519Signature2020) => {
                Err(ProofError::ReadOnly(suite))
            }
        }
    }
}

fn one_or_more(texts: &[String]) -> Option<Value> {
    match texts {
        [] => None,
        [text] => Some(Value::from(text.as_str())),
        texts => Some(Value::from(texts)),
    }
}
