//! Embedded proofs, read out of a document and taken apart (VC Data Integrity 1.0, section 2.1).

use serde_json::{Map, Value};
use url::Url;

use super::suite::DATA_INTEGRITY_PROOF;
use super::{ProofError, Suite};
use crate::time::Timestamp;
use crate::vc::controller::Relationship;
use crate::vc::keys::SIGNATURE_BYTES;
use crate::vc::multibase;

/// One embedded proof, read but not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof<'a> {
    /// JSON pointer to it within the document: `/proof`, or `/proof/N` in a set.
    pub place: String,
    /// Its own id, a URL, by which later proofs may name it.
    pub id: Option<&'a str>,
    /// Its suite.
    pub suite: Suite,
    /// What it was made for, its `proofPurpose`; [`Proof::check`] compares it.
    pub purpose: &'a str,
    /// URL of the verification method whose key is to be found.
    pub verification_method: &'a str,
    /// When it says it was made.
    pub created: Option<Timestamp>,
    /// From when on it is no longer good.
    pub expires: Option<Timestamp>,
    /// What it answers, given out by whoever asked for it.
    pub challenge: Option<&'a str>,
    /// For whom it is meant; nobody in particular where there are none.
    pub domain: Vec<&'a str>,
    /// Ids of the proofs that it rests on, which it signs together with the document. Whether
    /// these are good is another question: this proof says that it came after them, no more.
    pub previous: Vec<&'a str>,
    pub(super) signature: [u8; SIGNATURE_BYTES],
    pub(super) members: &'a Map<String, Value>,
}

/// The embedded proofs, each read by itself, so that one that is not understood does not take the
/// others with it. Nothing, where there is no `proof`.
pub fn proofs(secured: &Value) -> impl Iterator<Item = Result<Proof<'_>, ProofError>> {
    let in_set = matches!(secured.get("proof"), Some(Value::Array(_)));
    let each = items(secured.get("proof")).iter().enumerate();
    each.map(move |(index, proof)| {
        let place = match in_set {
            true => format!("/proof/{index}"),
            false => "/proof".to_owned(),
        };
        Proof::read(place, proof)
    })
}

impl Proof<'_> {
    /// All that can be told of a proof before its key is looked for: whether it was made for this
    /// purpose, and is not expired at `now`.
    ///
    /// # Errors
    /// [`ProofError::Purpose`], [`ProofError::Expired`].
    pub fn check(&self, purpose: Relationship, now: Timestamp) -> Result<(), ProofError> {
        let place = || self.place.clone();
        if self.purpose != purpose.as_str() {
            return Err(ProofError::Purpose {
                place: place(),
                expected: purpose,
                found: self.purpose.to_owned(),
            });
        }
        match self.expires.filter(|at| *at <= now) {
            Some(at) => Err(ProofError::Expired { place: place(), at }),
            None => Ok(()),
        }
    }
}

impl<'a> Proof<'a> {
    fn read(place: String, proof: &'a Value) -> Result<Self, ProofError> {
        let Some(members) = proof.as_object() else {
            return Err(wrong(&place, "type", "a member of an object"));
        };
        let reader = Reader {
            place: &place,
            members,
        };
        let suite = reader.suite()?;
        let signature = reader.text("proofValue")?;
        let signature = signature.and_then(|value| multibase::decode_base58btc(value).ok());
        let signature = signature.and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            suite,
            id: reader.id()?,
            purpose: reader.required("proofPurpose", "a purpose such as assertionMethod")?,
            verification_method: reader
                .required("verificationMethod", "the URL of a verification method")?,
            created: reader.date("created")?,
            expires: reader.date("expires")?,
            challenge: reader.text("challenge")?,
            domain: reader.texts("domain", "a text, or an array of texts")?,
            previous: reader.texts("previousProof", "the id of a proof, or an array of ids")?,
            signature: signature.ok_or_else(|| reader.wrong("proofValue", value_of(suite)))?,
            members,
            place,
        })
    }
}

/// A member that may be an array or one value.
pub(super) fn items(member: Option<&Value>) -> &[Value] {
    match member {
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

/// Whether a proof may have this id. A blank node label is none: no proof would cover it.
pub(super) fn is_id(text: &str) -> bool {
    Url::parse(text).is_ok()
}

const fn value_of(suite: Suite) -> &'static str {
    match suite {
        Suite::EcdsaRdfc2019 => {
            "z and the base58btc form of 64 bytes, as keys on P-256 sign; P-384 is not read"
        }
        _ => "z and the base58btc form of 64 bytes",
    }
}

fn wrong(place: &str, member: &'static str, expected: &'static str) -> ProofError {
    ProofError::Member {
        place: place.to_owned(),
        member,
        expected,
    }
}

/// Reads the members of one proof.
struct Reader<'a, 'p> {
    place: &'p str,
    members: &'a Map<String, Value>,
}

impl<'a> Reader<'a, '_> {
    fn suite(&self) -> Result<Suite, ProofError> {
        match self.members.get("type").and_then(Value::as_str) {
            Some(DATA_INTEGRITY_PROOF) => {
                let name = self.required("cryptosuite", "the name of a cryptosuite")?;
                Suite::named(name).ok_or_else(|| ProofError::Suite {
                    place: self.place.to_owned(),
                    name: name.to_owned(),
                })
            }
            Some(kind) if kind == Suite::Ed25519Signature2020.name() => {
                Ok(Suite::Ed25519Signature2020)
            }
            _ => Err(self.wrong("type", "DataIntegrityProof, or Ed25519Signature2020")),
        }
    }

    fn id(&self) -> Result<Option<&'a str>, ProofError> {
        match self.text("id")? {
            Some(id) if !is_id(id) => Err(self.wrong("id", "a URL")),
            id => Ok(id),
        }
    }

    fn text(&self, member: &'static str) -> Result<Option<&'a str>, ProofError> {
        match self.members.get(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(member, "a text")),
        }
    }

    fn required(
        &self,
        member: &'static str,
        expected: &'static str,
    ) -> Result<&'a str, ProofError> {
        let text = self.members.get(member).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| self.wrong(member, expected))
    }

    /// One text or an array of them; an empty array is neither.
    fn texts(
        &self,
        member: &'static str,
        expected: &'static str,
    ) -> Result<Vec<&'a str>, ProofError> {
        let Some(value) = self.members.get(member) else {
            return Ok(Vec::new());
        };
        let texts: Option<Vec<_>> = items(Some(value)).iter().map(Value::as_str).collect();
        texts
            .filter(|texts| !texts.is_empty())
            .ok_or_else(|| self.wrong(member, expected))
    }

    fn date(&self, member: &'static str) -> Result<Option<Timestamp>, ProofError> {
        let Some(value) = self.members.get(member) else {
            return Ok(None);
        };
        let text = value
            .as_str()
            .ok_or_else(|| self.wrong(member, "a time such as 2026-01-31T12:00:00Z"))?;
        text.parse().map(Some).map_err(|reason| ProofError::Date {
            place: self.place.to_owned(),
            member,
            reason,
        })
    }

    fn wrong(&self, member: &'static str, expected: &'static str) -> ProofError {
        wrong(self.place, member, expected)
    }
}
