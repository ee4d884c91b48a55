//! A document whose proofs are tried one after the other: what it says and its canonical forms are
//! found out once, and all that is done is counted.

use std::borrow::Cow;

use serde_json::Value;

use super::chain::{Chain, Link, with_earlier};
use super::embedded::items;
use super::hash::{Half, combined};
use super::{Part, Proof, ProofError, Transformation, Verified, Work, jcs, rdfc, without_proof};
use crate::jsonld::canon::{CanonError, Limits, Variant};
use crate::jsonld::rdf::Dataset;
use crate::jsonld::{self, Processor};
use crate::time::Timestamp;
use crate::vc::contexts::{self, OPEN_BADGES, Revision};
use crate::vc::controller::Relationship;
use crate::vc::keys::SignatureCheck;
use crate::vc::verifying::VerifyingKey;

/// Steps of canonicalization that are not counted.
const FREE_STEPS: u64 = 20_000;

/// A document and its proofs, as each bundle of contexts reads it.
#[derive(Debug)]
pub struct Prepared<'p> {
    plain: Input<'p>,
    proofs: &'p [Value],
    /// The proofs by their ids, once one rests on others.
    chain: Option<Chain<'p>>,
}

/// What a proof signs: the document without proofs, or with those that the proof rests on.
#[derive(Debug)]
struct Input<'p> {
    document: Value,
    readings: Vec<Reading<'p>>,
    json: Option<Result<Half, ProofError>>,
}

/// What the document says with one bundle of contexts, found out when it is first asked for.
#[derive(Debug)]
struct Reading<'p> {
    revision: Revision,
    processor: &'p Processor,
    statements: Option<Result<Dataset, ProofError>>,
    halves: [Option<Result<Half, ProofError>>; 2],
}

impl<'p> Prepared<'p> {
    /// The document with the contexts that are known: with both revisions of the Open Badges
    /// context where it names that.
    ///
    /// # Errors
    /// [`ProofError::NotAnObject`].
    pub fn of(secured: &'p Value) -> Result<Self, ProofError> {
        let all = Revision::ALL.map(|revision| (revision, contexts::processor(revision)));
        let tried = if contexts::are_built_on(OPEN_BADGES, secured) {
            &all[..]
        } else {
            &all[..1]
        };
        Self::with(tried, secured)
    }

    /// The document with the contexts that each of the processors knows, tried in order.
    ///
    /// # Errors
    /// [`ProofError::NotAnObject`].
    pub fn with(
        processors: &[(Revision, &'p Processor)],
        secured: &'p Value,
    ) -> Result<Self, ProofError> {
        Ok(Self {
            plain: Input::new(without_proof(secured)?, processors.iter().copied()),
            proofs: items(secured.get("proof")),
            chain: None,
        })
    }

    /// As [`verify`](super::verify), of a proof of this document.
    ///
    /// # Errors
    /// As [`verify`](super::verify); [`ProofError::Spent`] where no `work` is left.
    pub fn verify(
        &mut self,
        proof: &Proof<'_>,
        purpose: Relationship,
        key: &VerifyingKey,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<Verified, ProofError> {
        proof.check(purpose, now)?;
        if key.kind() != proof.suite.key_kind() {
            return Err(ProofError::KeyKind {
                place: proof.place.clone(),
                suite: proof.suite,
                found: key.kind(),
            });
        }
        if proof.previous.is_empty() {
            return self.plain.verify(proof, key, work);
        }
        work.check()?;
        let chain = self.chain.get_or_insert_with(|| Chain::of(self.proofs));
        let earlier = chain.earlier(Link {
            place: &proof.place,
            id: proof.id,
            previous: &proof.previous,
        })?;
        let document = with_earlier(&self.plain.document, &earlier);
        let readings = self.plain.readings.iter();
        let processors = readings.map(|reading| (reading.revision, reading.processor));
        Input::new(document, processors).verify(proof, key, work)
    }

    /// As [`check_reading`](super::check_reading), of this document.
    ///
    /// # Errors
    /// As [`check_reading`](super::check_reading).
    pub fn check_reading(&self, work: &mut Work) -> Result<(), ProofError> {
        let mut unread = None;
        for reading in &self.plain.readings {
            if matches!(reading.statements, Some(Ok(_))) {
                return Ok(());
            }
            work.spend_one()?;
            match rdfc::check_document(reading.processor, &self.plain.document) {
                Ok(quads) => return work.spend_quads(quads),
                Err(error) if is_hidden(&error) => return Err(error),
                Err(error) => unread = unread.or(Some(error)),
            }
        }
        unread.map_or(Ok(()), Err)
    }
}

impl<'p> Input<'p> {
    fn new(document: Value, processors: impl Iterator<Item = (Revision, &'p Processor)>) -> Self {
        let readings = processors.map(|(revision, processor)| Reading {
            revision,
            processor,
            statements: None,
            halves: [None, None],
        });
        Self {
            document,
            readings: readings.collect(),
            json: None,
        }
    }

    fn verify(
        &mut self,
        proof: &Proof<'_>,
        key: &VerifyingKey,
        work: &mut Work,
    ) -> Result<Verified, ProofError> {
        let found = match proof.suite.transformation() {
            Transformation::Statements => self.signed_statements(proof, key, work),
            Transformation::Json => self.signed_json(proof, key, work),
        };
        found?.ok_or_else(|| ProofError::Signature {
            place: proof.place.clone(),
        })
    }

    /// With which contexts and in which reading the signature is good, if it is. Where the
    /// document or the proof can be read with none, the error is that of the first.
    fn signed_statements(
        &mut self,
        proof: &Proof<'_>,
        key: &VerifyingKey,
        work: &mut Work,
    ) -> Result<Option<Verified>, ProofError> {
        // Some signers leave the document's contexts in the proof.
        let own = proof.members.get("@context");
        if own.is_some() && items(own) != items(self.document.get("@context")) {
            return Err(ProofError::Context {
                place: proof.place.clone(),
                expected: "that of the document, or not to be there",
            });
        }
        let options = rdfc::configuration(&self.document, proof.members);
        let mut unread = None;
        let mut read = false;
        for reading in &mut self.readings {
            let signed = Signed {
                options: &options,
                signature: &proof.signature,
                key,
            };
            match reading.find(&self.document, signed, work) {
                Ok(Some(variant)) => {
                    let revision = reading.revision;
                    return Ok(Some(Verified::Statements { revision, variant }));
                }
                Ok(None) => read = true,
                Err(ProofError::Spent) => return Err(ProofError::Spent),
                Err(error) => unread = unread.or(Some(error)),
            }
        }
        match unread {
            Some(error) if !read => Err(error),
            _ => Ok(None),
        }
    }

    fn signed_json(
        &mut self,
        proof: &Proof<'_>,
        key: &VerifyingKey,
        work: &mut Work,
    ) -> Result<Option<Verified>, ProofError> {
        let signed = jcs::signed_document(&proof.place, &self.document, proof.members)?;
        let is_own = matches!(signed, Cow::Borrowed(_));
        let document_hash = match &self.json {
            Some(known) if is_own => known.as_ref().map(|half| half.hash).map_err(Clone::clone)?,
            _ => {
                let made = canonical_json(Part::Document, &signed, work);
                let hash = made.as_ref().map(|half| half.hash).map_err(Clone::clone);
                if is_own {
                    self.json = Some(made);
                }
                hash?
            }
        };
        let options = jcs::configuration(proof.members);
        let options = canonical_json(Part::Proof, &options, work)?;
        match key.verify(&combined(&options.hash, &document_hash), &proof.signature) {
            SignatureCheck::Good => Ok(Some(Verified::Json)),
            SignatureCheck::Bad => Ok(None),
        }
    }
}

/// A signature, and what it is over besides the document.
#[derive(Clone, Copy)]
struct Signed<'s> {
    options: &'s Value,
    signature: &'s [u8],
    key: &'s VerifyingKey,
}

impl Reading<'_> {
    /// The reading of RDFC-1.0 under which the signature is good, if there is one.
    fn find(
        &mut self,
        document: &Value,
        signed: Signed<'_>,
        work: &mut Work,
    ) -> Result<Option<Variant>, ProofError> {
        let mut of_options = None;
        for variant in [Variant::Listed, Variant::Deduplicated] {
            let (document_hash, ambiguous) = {
                let half = self.document(document, variant, work)?;
                (half.hash, half.ambiguous)
            };
            let options = match &mut of_options {
                Some(statements) => &*statements,
                none => match rdfc::options_statements(self.processor, signed.options) {
                    Ok(statements) => none.insert(statements),
                    Err(error) => {
                        work.spend_one()?;
                        return Err(error);
                    }
                },
            };
            let options = canonical(Part::Proof, options, variant, work)?;
            let message = combined(&options.hash, &document_hash);
            match signed.key.verify(&message, signed.signature) {
                SignatureCheck::Good => return Ok(Some(variant)),
                SignatureCheck::Bad if ambiguous || options.ambiguous => {}
                SignatureCheck::Bad => break,
            }
        }
        Ok(None)
    }

    fn document(
        &mut self,
        document: &Value,
        variant: Variant,
        work: &mut Work,
    ) -> Result<&Half, ProofError> {
        let half = match variant {
            Variant::Listed => &mut self.halves[0],
            Variant::Deduplicated => &mut self.halves[1],
        };
        if half.is_none() {
            // Even reading it is work, which is not begun where none is left.
            work.check()?;
            let statements = self
                .statements
                .get_or_insert_with(|| rdfc::document_statements(self.processor, document));
            *half = Some(match statements {
                Ok(statements) => canonical(Part::Document, statements, variant, work),
                Err(error) => {
                    work.spend_one()?;
                    Err(error.clone())
                }
            });
        }
        let half = half.as_ref().expect("it was just put there");
        half.as_ref().map_err(Clone::clone)
    }
}

/// The canonical form, first as if it were easy to find. Few documents need more, and these are
/// the ones that could be made to keep a verifier busy.
fn canonical(
    part: Part,
    statements: &Dataset,
    variant: Variant,
    work: &mut Work,
) -> Result<Half, ProofError> {
    work.spend_quads(statements.quads.len())?;
    let all = Limits::default();
    let few = Limits {
        work: FREE_STEPS.min(all.work),
        ..all
    };
    let half = match rdfc::half(part, statements, variant, few) {
        Err(ProofError::Canon {
            reason: CanonError::Work { .. },
            ..
        }) => {
            work.spend_search()?;
            rdfc::half(part, statements, variant, all)
        }
        half => half,
    }?;
    work.spend_bytes(half.canonical.len())?;
    Ok(half)
}

fn canonical_json(part: Part, value: &Value, work: &mut Work) -> Result<Half, ProofError> {
    work.spend_one()?;
    let half = jcs::half(part, value)?;
    work.spend_bytes(half.canonical.len())?;
    Ok(half)
}

/// Whether the error says that a reader would be misled, whatever the contexts.
const fn is_hidden(error: &ProofError) -> bool {
    matches!(
        error,
        ProofError::Hidden { .. }
            | ProofError::JsonLd {
                reason: jsonld::Error::SecondName { .. },
                ..
            }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vc::contexts::{CREDENTIALS_V2, OPEN_BADGES};
    use crate::vc::keys::SigningKey;
    use crate::vc::proof::{ProofOptions, proofs, sign};
    use serde_json::json;

    const PURPOSE: Relationship = Relationship::AssertionMethod;

    fn signed(contexts: &[&str]) -> Value {
        let document = json!({
            "@context": contexts,
            "type": ["VerifiableCredential"],
            "issuer": "https://a.example/profile",
            "credentialSubject": {"id": "https://b.example/profile"},
        });
        let options = ProofOptions::new("https://a.example/profile#key-1");
        sign(&document, &options, &SigningKey::from_seed(&[7; 32])).unwrap()
    }

    /// The units that a proof costs by a key, good or not, the first time and the second.
    fn costs(contexts: &[&str], seed: u8) -> [u32; 2] {
        let signed = signed(contexts);
        let proof = proofs(&signed).next().unwrap().unwrap();
        let key = SigningKey::from_seed(&[seed; 32]).public().into();
        let mut prepared = Prepared::of(&signed).unwrap();
        [(); 2].map(|()| {
            let mut work = Work::units(100);
            let verified = prepared.verify(&proof, PURPOSE, &key, Timestamp::EPOCH, &mut work);
            assert_eq!(verified.is_ok(), seed == 7);
            100 - work.left()
        })
    }

    #[test]
    fn a_document_is_read_once_for_all_its_proofs() {
        assert_eq!(costs(&[CREDENTIALS_V2], 7), [2, 1]);
        assert_eq!(costs(&[CREDENTIALS_V2, OPEN_BADGES], 7), [2, 1]);
        // The second revision is tried only where the document names its context.
        assert_eq!(costs(&[CREDENTIALS_V2], 8), [2, 1]);
        assert_eq!(costs(&[CREDENTIALS_V2, OPEN_BADGES], 8), [4, 2]);
    }

    #[test]
    fn no_proof_is_good_without_work() {
        let signed = signed(&[CREDENTIALS_V2]);
        let proof = proofs(&signed).next().unwrap().unwrap();
        let key = SigningKey::from_seed(&[7; 32]).public().into();
        for units in [0, 1] {
            let mut prepared = Prepared::of(&signed).unwrap();
            let mut work = Work::units(units);
            let verified = prepared.verify(&proof, PURPOSE, &key, Timestamp::EPOCH, &mut work);
            assert_eq!(verified, Err(ProofError::Spent));
        }
    }

    #[test]
    fn a_search_that_takes_long_costs_more() {
        // Six layers of four, each all linked to the next.
        let layers = (0..6).flat_map(|layer| {
            (0..16).map(move |n| {
                let (from, to) = (n / 4, n % 4);
                format!("_:n{layer}x{from} <urn:p> _:n{}x{to} .\n", (layer + 1) % 6)
            })
        });
        let text: String = layers.collect();
        let hard = jsonld::nquads::parse(&text).unwrap().dataset;
        let mut work = Work::units(100);
        let _ = canonical(Part::Document, &hard, Variant::Listed, &mut work);
        assert_eq!(work.left(), 49);
        let spent = canonical(Part::Document, &hard, Variant::Listed, &mut work);
        assert!(matches!(spent, Err(ProofError::Spent)));
    }
}
