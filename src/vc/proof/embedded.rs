//! Embedded proofs, read out of a document and taken apart (VC Data Integrity 1.0, section 2.1).

use serde_json::{Map, Value};

use super::{PROOF_TYPE, PURPOSE, ProofError, Suite};
use crate::time::Timestamp;
use crate::vc::keys::SIGNATURE_BYTES;
use crate::vc::multibase;

/// One embedded proof, read but not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof<'a> {
    /// JSON pointer to it within the document: `/proof`, or `/proof/N` in a set.
    pub place: String,
    /// Its cryptosuite.
    pub suite: Suite,
    /// URL of the verification method whose key is to be found.
    pub verification_method: &'a str,
    /// When it says it was made.
    pub created: Option<Timestamp>,
    /// From when on it is no longer good.
    pub expires: Option<Timestamp>,
    pub(super) signature: [u8; SIGNATURE_BYTES],
    pub(super) members: &'a Map<String, Value>,
}

/// The embedded proofs, each read by itself, so that one that is not understood does not take the
/// others with it. Nothing, where there is no `proof`.
pub fn proofs(secured: &Value) -> impl Iterator<Item = Result<Proof<'_>, ProofError>> {
    let (one, set) = match secured.get("proof") {
        Some(Value::Array(set)) => (None, set.as_slice()),
        one => (one, &[] as &[Value]),
    };
    let set = set
        .iter()
        .enumerate()
        .map(|(index, proof)| (format!("/proof/{index}"), proof));
    let all = one
        .map(|proof| ("/proof".to_owned(), proof))
        .into_iter()
        .chain(set);
    all.map(|(place, proof)| Proof::read(place, proof))
}

impl<'a> Proof<'a> {
    fn read(place: String, proof: &'a Value) -> Result<Self, ProofError> {
        let wrong = |member, expected| {
            let place = place.clone();
            ProofError::Member {
                place,
                member,
                expected,
            }
        };
        let members = proof
            .as_object()
            .ok_or(wrong("type", "a member of an object"))?;
        let text = |member| members.get(member).and_then(Value::as_str);
        if text("type") != Some(PROOF_TYPE) {
            return Err(wrong("type", "DataIntegrityProof"));
        }
        let name = text("cryptosuite").ok_or(wrong("cryptosuite", "the name of a cryptosuite"))?;
        let suite = Suite::named(name).ok_or(ProofError::Suite {
            place: place.clone(),
            name: name.to_owned(),
        })?;
        if text("proofPurpose") != Some(PURPOSE) {
            return Err(wrong("proofPurpose", "assertionMethod"));
        }
        let verification_method = text("verificationMethod")
            .filter(|url| !url.is_empty())
            .ok_or(wrong(
                "verificationMethod",
                "the URL of a verification method",
            ))?;
        refuse_unsupported(&place, members)?;
        let created = date(&place, members, "created")?;
        let expires = date(&place, members, "expires")?;
        let signature = text("proofValue")
            .and_then(|value| multibase::decode_base58btc(value).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(wrong("proofValue", "z and the base58btc form of 64 bytes"))?;
        Ok(Self {
            place,
            suite,
            verification_method,
            created,
            expires,
            signature,
            members,
        })
    }
}

fn refuse_unsupported(place: &str, members: &Map<String, Value>) -> Result<(), ProofError> {
    for (member, reason) in [
        // The suites sign the document's contexts in its place, so that it would be ignored.
        ("@context", "the contexts are the document's"),
        (
            "previousProof",
            "proofs are verified as a set, not as a chain",
        ),
    ] {
        if members.contains_key(member) {
            return Err(ProofError::Unsupported {
                place: place.to_owned(),
                member,
                reason,
            });
        }
    }
    Ok(())
}

fn date(
    place: &str,
    members: &Map<String, Value>,
    member: &'static str,
) -> Result<Option<Timestamp>, ProofError> {
    let Some(value) = members.get(member) else {
        return Ok(None);
    };
    let Some(text) = value.as_str() else {
        let (place, expected) = (place.to_owned(), "a time such as 2026-01-31T12:00:00Z");
        return Err(ProofError::Member {
            place,
            member,
            expected,
        });
    };
    match text.parse() {
        Ok(at) => Ok(Some(at)),
        Err(reason) => Err(ProofError::Date {
            place: place.to_owned(),
            member,
            reason,
        }),
    }
}
