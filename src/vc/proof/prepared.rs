//! A document whose proofs are tried one after the other: what it says and its canonical forms are
//! found out once, and all that is done is counted.

use serde_json::{Map, Value};

use super::rdfc::{Half, combined, document_statements, options_statements};
use super::{Part, Proof, ProofError, Verified, without_proof};
use crate::jsonld::Processor;
use crate::jsonld::canon::{CanonError, Limits, Variant};
use crate::jsonld::rdf::Dataset;
use crate::time::Timestamp;
use crate::vc::contexts::{self, OPEN_BADGES, Revision};
use crate::vc::keys::{PublicKey, SIGNATURE_BYTES, SignatureCheck};

/// Statements that cost one unit of work more.
const QUADS_PER_UNIT: usize = 1_000;
/// Bytes of a canonical form that cost one more.
const BYTES_PER_UNIT: usize = 256 * 1024;
/// Steps of canonicalization that are not counted.
const FREE_STEPS: u64 = 20_000;
/// Units of work of a canonicalization that takes more.
const UNITS_OF_A_LONG_SEARCH: u32 = 50;

/// How much may still be done for one request, in units of one small canonical form, which is
/// that of a document or of the members of a proof. A credential with one proof takes two.
#[derive(Debug, Clone)]
pub struct Work {
    left: u32,
}

impl Work {
    /// So many units.
    pub const fn units(left: u32) -> Self {
        Self { left }
    }

    /// Whether something is left; where nothing is, no key need be looked for.
    ///
    /// # Errors
    /// [`ProofError::Spent`].
    pub const fn check(&self) -> Result<(), ProofError> {
        match self.left {
            0 => Err(ProofError::Spent),
            _ => Ok(()),
        }
    }

    fn spend(&mut self, units: u32) -> Result<(), ProofError> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(ProofError::Spent)
            }
        }
    }
}

impl Default for Work {
    /// Enough for two hundred credentials whose first proof is good, and at most about a second.
    fn default() -> Self {
        Self::units(400)
    }
}

/// A document without its proofs, as each bundle of contexts reads it.
#[derive(Debug)]
pub struct Prepared<'p> {
    document: Value,
    readings: Vec<Reading<'p>>,
}

/// What the document says with one bundle of contexts, found out when it is first asked for.
#[derive(Debug)]
struct Reading<'p> {
    revision: Revision,
    processor: &'p Processor,
    statements: Option<Result<Dataset, ProofError>>,
    halves: [Option<Result<Half, ProofError>>; 2],
}

impl Prepared<'static> {
    /// The document with the contexts that are known: with both revisions of the Open Badges
    /// context where it names that.
    ///
    /// # Errors
    /// [`ProofError::NotAnObject`].
    pub fn of(secured: &Value) -> Result<Self, ProofError> {
        let all = Revision::ALL.map(|revision| (revision, contexts::processor(revision)));
        let tried = if contexts::are_built_on(OPEN_BADGES, secured) {
            &all[..]
        } else {
            &all[..1]
        };
        Self::with(tried, secured)
    }
}

impl<'p> Prepared<'p> {
    /// The document with the contexts that each of the processors knows, tried in order.
    ///
    /// # Errors
    /// [`ProofError::NotAnObject`].
    pub fn with(
        processors: &[(Revision, &'p Processor)],
        secured: &Value,
    ) -> Result<Self, ProofError> {
        let reading = |&(revision, processor)| Reading {
            revision,
            processor,
            statements: None,
            halves: [None, None],
        };
        Ok(Self {
            document: without_proof(secured)?,
            readings: processors.iter().map(reading).collect(),
        })
    }

    /// As [`verify`](super::verify), of a proof of this document.
    ///
    /// # Errors
    /// As [`verify`](super::verify); [`ProofError::Spent`] where no `work` is left.
    pub fn verify(
        &mut self,
        proof: &Proof<'_>,
        key: &PublicKey,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<Verified, ProofError> {
        let place = || proof.place.clone();
        if let Some(at) = proof.expires.filter(|at| *at <= now) {
            return Err(ProofError::Expired { place: place(), at });
        }
        let found = self.find(proof.members, &proof.signature, key, work)?;
        found.ok_or_else(|| ProofError::Signature { place: place() })
    }

    /// With which contexts and in which reading `signature` is good for this document and the
    /// `members` of its proof, if it is.
    ///
    /// # Errors
    /// That of the first contexts, where the document or the proof can be read with none;
    /// [`ProofError::Spent`].
    pub fn find(
        &mut self,
        members: &Map<String, Value>,
        signature: &[u8; SIGNATURE_BYTES],
        key: &PublicKey,
        work: &mut Work,
    ) -> Result<Option<Verified>, ProofError> {
        let mut options = members.clone();
        options.shift_remove("proofValue");
        let mut unread = None;
        let mut read = false;
        for reading in &mut self.readings {
            match reading.find(&self.document, &options, signature, key, work) {
                Ok(Some(variant)) => {
                    let revision = reading.revision;
                    return Ok(Some(Verified { revision, variant }));
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
}

impl Reading<'_> {
    /// The reading of RDFC-1.0 under which the signature is good, if there is one.
    fn find(
        &mut self,
        document: &Value,
        options: &Map<String, Value>,
        signature: &[u8; SIGNATURE_BYTES],
        key: &PublicKey,
        work: &mut Work,
    ) -> Result<Option<Variant>, ProofError> {
        let mut of_options = None;
        for variant in [Variant::Listed, Variant::Deduplicated] {
            let (document_hash, ambiguous) = {
                let half = self.document(document, variant, work)?;
                (half.hash, half.canonical.ambiguous)
            };
            let options = match &mut of_options {
                Some(statements) => &*statements,
                none => match options_statements(self.processor, document, options) {
                    Ok(statements) => none.insert(statements),
                    Err(error) => {
                        work.spend(1)?;
                        return Err(error);
                    }
                },
            };
            let options = canonical(Part::Proof, options, variant, work)?;
            match key.verify(&combined(&options.hash, &document_hash), signature) {
                SignatureCheck::Good => return Ok(Some(variant)),
                SignatureCheck::Bad if ambiguous || options.canonical.ambiguous => {}
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
                .get_or_insert_with(|| document_statements(self.processor, document));
            *half = Some(match statements {
                Ok(statements) => canonical(Part::Document, statements, variant, work),
                Err(error) => {
                    work.spend(1)?;
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
    let units = |amount: usize| u32::try_from(amount).unwrap_or(u32::MAX);
    work.spend(units(1 + statements.quads.len() / QUADS_PER_UNIT))?;
    let all = Limits::default();
    let few = Limits {
        work: FREE_STEPS.min(all.work),
        ..all
    };
    let half = match Half::of(part, statements, variant, few) {
        Err(ProofError::Canon {
            reason: CanonError::Work { .. },
            ..
        }) => {
            work.spend(UNITS_OF_A_LONG_SEARCH)?;
            Half::of(part, statements, variant, all)
        }
        half => half,
    }?;
    work.spend(units(half.canonical.nquads.len() / BYTES_PER_UNIT))?;
    Ok(half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vc::contexts::{CREDENTIALS_V2, OPEN_BADGES};
    use crate::vc::keys::SigningKey;
    use crate::vc::proof::{ProofOptions, proofs, sign};
    use serde_json::json;

    fn signed(contexts: &[&str]) -> Value {
        let document = json!({
            "@context": contexts,
            "type": ["VerifiableCredential"],
            "issuer": "https://a.example/profile",
            "credentialSubject": {"id": "https://b.example/profile"},
        });
        let options = ProofOptions {
            verification_method: "https://a.example/profile#key-1".to_owned(),
            created: None,
            expires: None,
        };
        sign(&document, &options, &SigningKey::from_seed(&[7; 32])).unwrap()
    }

    /// The units that a proof costs by a key, good or not, the first time and the second.
    fn costs(contexts: &[&str], seed: u8) -> [u32; 2] {
        let signed = signed(contexts);
        let proof = proofs(&signed).next().unwrap().unwrap();
        let key = SigningKey::from_seed(&[seed; 32]).public();
        let mut prepared = Prepared::of(&signed).unwrap();
        [(); 2].map(|()| {
            let mut work = Work::units(100);
            let verified = prepared.verify(&proof, &key, Timestamp::EPOCH, &mut work);
            assert_eq!(verified.is_ok(), seed == 7);
            100 - work.left
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
        let key = SigningKey::from_seed(&[7; 32]).public();
        for units in [0, 1] {
            let mut prepared = Prepared::of(&signed).unwrap();
            let mut work = Work::units(units);
            let verified = prepared.verify(&proof, &key, Timestamp::EPOCH, &mut work);
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
        let hard = crate::jsonld::nquads::parse(&text).unwrap().dataset;
        let mut work = Work::units(100);
        let _ = canonical(Part::Document, &hard, Variant::Listed, &mut work);
        assert_eq!(work.left, 49);
        let spent = canonical(Part::Document, &hard, Variant::Listed, &mut work);
        assert!(matches!(spent, Err(ProofError::Spent)));
    }
}
