//! The proofs of a credential or presentation: whose key, whether it signed this document, and
//! what a chain of proofs rests on.

use serde_json::Value;

use crate::json::each;
use crate::jsonld;
use crate::vc::contexts::Revision;
use crate::vc::did::Relationship;
use crate::vc::members::{self, MemberError};
use crate::vc::proof::{self, Part, Prepared, Proof, ProofError, Transformation, Verified, Work};
use crate::vc::verifying::VerifyingKey;

use super::code::Code;
use super::examine::Examiner;
use super::keys::{Signed, key_of};
use super::presentation::Expected;
use super::report::{CheckKind, Finding, ProofReport, Report};

/// How many proofs of one document are looked at. Each costs a canonicalization.
pub(super) const MAX_PROOFS: usize = 8;

/// What the proofs of a document have to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Who has to have signed; `None` where whoever signed speaks for themselves.
    pub(super) signer: Option<&'a str>,
    /// For what.
    pub(super) relationship: Relationship,
    /// What the proof has to answer.
    pub(super) expected: Expected<'a>,
}

/// Examines every proof of the document and writes down what was found. One good proof suffices;
/// what is wrong with others is then told, but no problem.
pub(super) fn examine(
    document: &Value,
    wanted: Wanted<'_>,
    examiner: &mut Examiner<'_>,
    report: &mut Report,
) {
    // What can be known without asking anybody comes first: whoever hides members from readers
    // does not get to name a key.
    if let Err(error) = members::check_names_beside(document, "proof") {
        let finding = Finding::unknown(Code::HiddenMember, error.to_string());
        report.found(place_of_member(&error), CheckKind::DataModel, finding);
        return;
    }
    let inputs: Vec<(String, &Value)> = each(document.as_object(), "", "proof").collect();
    if inputs.is_empty() {
        let detail = "there is no proof, so nobody is known to have said this";
        report.found(
            "/proof",
            CheckKind::Proof,
            Finding::unknown(Code::NoProof, detail),
        );
    }
    let mut proofs = Proofs {
        document,
        wanted,
        examiner,
        read: proof::proofs(document).take(MAX_PROOFS).collect(),
        prepared: None,
        good: [None; MAX_PROOFS],
    };
    let mut unreadable = None;
    for (index, (at, input)) in inputs.iter().take(MAX_PROOFS).enumerate() {
        // What is wrong with the document is wrong under each proof that transforms it so.
        if unreadable.is_some() && unreadable == proofs.transformation(index) {
            continue;
        }
        let found = proofs.stands(index, wanted.signer, input, report);
        proofs.good[index] = found.is_ok().then_some(true);
        if write_down(found, at, input, report) {
            unreadable = proofs.transformation(index);
        }
    }
    if inputs.len() > MAX_PROOFS {
        let detail = format!("more than {MAX_PROOFS} proofs of one document are not looked at");
        report.found(
            "/proof",
            CheckKind::Proof,
            Finding::unknown(Code::TooMany, detail),
        );
    }
    // Two transformations may stumble over the same.
    report.problems.dedup();
    if report.verified {
        report.problems.clear();
    }
}

/// Writes down what became of the proof at `at`; whether the fault is the document's.
fn write_down(
    found: Result<&'static str, Failure>,
    at: &str,
    input: &Value,
    report: &mut Report,
) -> bool {
    let failure = found.map(|how| {
        report.verified = true;
        report.note(at, CheckKind::Proof, Finding::good(Code::ProofGood, how));
    });
    let Err(Failure {
        within,
        kind,
        finding,
    }) = failure
    else {
        report.proofs.push(ProofReport {
            input: input.clone(),
            problem: None,
        });
        return false;
    };
    let in_document = kind == CheckKind::DataModel;
    let pointer = match in_document {
        true => within,
        false => format!("{at}{within}"),
    };
    let problem = Some(report.problem(&pointer, &finding));
    report.proofs.push(ProofReport {
        input: input.clone(),
        problem,
    });
    report.found(&pointer, kind, finding);
    in_document
}

/// The proofs of one document, while they are examined.
struct Proofs<'d, 'e, 'r> {
    document: &'d Value,
    wanted: Wanted<'d>,
    examiner: &'e mut Examiner<'r>,
    read: Vec<Result<Proof<'d>, ProofError>>,
    prepared: Option<Prepared<'d>>,
    /// Which were found good or bad already, whoever signed them.
    good: [Option<bool>; MAX_PROOFS],
}

impl Proofs<'_, '_, '_> {
    /// What a proof makes of the document, where the proof could be read.
    fn transformation(&self, index: usize) -> Option<Transformation> {
        let proof = self.read[index].as_ref().ok()?;
        Some(proof.suite.transformation())
    }

    /// Whether a proof is good, `signer`'s, and rests on good ones alone; how it was found good.
    fn stands(
        &mut self,
        index: usize,
        signer: Option<&str>,
        input: &Value,
        report: &mut Report,
    ) -> Result<&'static str, Failure> {
        let proof = self.read[index].clone()?;
        let (purpose, now) = (self.wanted.relationship, self.examiner.now);
        proof.check(purpose, now)?;
        answers(&proof, self.wanted.expected)?;
        // Without a named signer whoever signed speaks; the key still has to be their own.
        let own = proof.verification_method.split('#').next();
        let signer = signer.or(own).unwrap_or_default();
        let key = self.key(signer, &proof, input, report)?;
        let prepared = match &mut self.prepared {
            Some(prepared) => prepared,
            none => none.insert(Prepared::of(self.document)?),
        };
        let work = &mut self.examiner.work;
        let verified = prepared.verify(&proof, purpose, &key, now, work)?;
        if verified == Verified::Json {
            signed_contexts(self.document, input)?;
        }
        let how = how(verified, prepared, work)?;
        for id in &proof.previous {
            self.previous_stands(id, index, report)?;
        }
        Ok(how)
    }

    /// Whether the proof with this id, on which the one at `after` rests, is good: by whomever,
    /// since who signed after it vouches for who they are.
    fn previous_stands(
        &mut self,
        id: &str,
        after: usize,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let is_it = |proof: &Result<Proof<'_>, ProofError>| {
            proof.as_ref().is_ok_and(|proof| proof.id == Some(id))
        };
        let index = self.read.iter().position(is_it);
        let bad = |why: &str| {
            let detail = format!("it rests on the proof {id:?}, which {why}");
            let mut failure = Failure::of_proof(Code::PreviousProofBad, detail);
            failure.within = "/previousProof".to_owned();
            failure
        };
        let Some(index) = index else {
            return Err(bad("is not among the proofs that are looked at"));
        };
        if self.good[index].is_none() {
            // A circle ends here: what is being asked for counts as bad until it is known.
            self.good[index] = Some(false);
            self.good[after] = self.good[after].or(Some(false));
            let input = each(self.document.as_object(), "", "proof").nth(index);
            let found = input.map(|(_, input)| self.stands(index, None, input, report));
            self.good[index] = Some(matches!(found, Some(Ok(_))));
        }
        match self.good[index] {
            Some(true) => Ok(()),
            _ => Err(bad("is not good")),
        }
    }

    /// The key of a proof, if it is one that `signer` uses so.
    fn key(
        &self,
        signer: &str,
        proof: &Proof<'_>,
        input: &Value,
        report: &mut Report,
    ) -> Result<VerifyingKey, Failure> {
        let within = "/verificationMethod".to_owned();
        self.examiner.work.check()?;
        let signed = Signed {
            signer,
            method: proof.verification_method,
            relationship: self.wanted.relationship,
            signature: input,
        };
        match key_of(&signed, self.examiner) {
            Ok(found) => {
                let place = format!("{}{within}", proof.place);
                report.note(&place, CheckKind::Key, found.finding);
                Ok(found.key)
            }
            Err(problem) => Err(Failure {
                within,
                kind: CheckKind::Key,
                finding: problem.finding(),
            }),
        }
    }
}

/// Whether a document that was signed as JSON has the contexts that were signed, and no more. The
/// suite allows more after them, and leaves these unsigned (VC-DI-EdDSA 1.0, section 3.3.2), so
/// that whoever holds the document could say what its terms mean.
fn signed_contexts(document: &Value, proof: &Value) -> Result<(), Failure> {
    let items = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    match (proof.get("@context"), document.get("@context")) {
        (Some(signed), Some(shown)) if items(signed) != items(shown) => {
            let detail = "the document has contexts after those that were signed";
            Err(Failure::of_proof(Code::ProofContext, detail))
        }
        _ => Ok(()),
    }
}

/// Whether the proof answers what was asked.
fn answers(proof: &Proof<'_>, expected: Expected<'_>) -> Result<(), Failure> {
    if expected.challenge.is_some() && proof.challenge != expected.challenge {
        let detail = "it answers another challenge, or none";
        return Err(Failure::of_proof(Code::ChallengeMismatch, detail));
    }
    if !expected
        .domain
        .is_none_or(|domain| proof.domain.contains(&domain))
    {
        let detail = "it is meant for another domain, or for none";
        return Err(Failure::of_proof(Code::DomainMismatch, detail));
    }
    Ok(())
}

/// Why a proof is not good.
pub(super) struct Failure {
    /// JSON pointer, within the proof or, where that is at fault, within the document.
    pub(super) within: String,
    pub(super) kind: CheckKind,
    pub(super) finding: Finding,
}

impl Failure {
    /// The proof itself is at fault.
    pub(super) fn of_proof(code: Code, detail: impl Into<String>) -> Self {
        let finding = Finding::unknown(code, detail);
        Self {
            within: String::new(),
            kind: CheckKind::Proof,
            finding,
        }
    }
}

/// How a proof was found good. Two revisions of one context exist, and which was signed with
/// says which terms are covered.
fn how(
    verified: Verified,
    document: &Prepared<'_>,
    work: &mut Work,
) -> Result<&'static str, Failure> {
    let revision = match verified {
        Verified::Statements { revision, .. } => revision,
        Verified::Json => {
            document.check_reading(work)?;
            return Ok("the signature is good, over every member of the JSON");
        }
    };
    Ok(match revision {
        Revision::Mid2026 => "the signature is good, read with the newest contexts",
        Revision::First => {
            "the signature is good, read with the first revision of the Open Badges context 3.0.3"
        }
    })
}

impl From<ProofError> for Failure {
    fn from(error: ProofError) -> Self {
        let detail = error.to_string();
        let in_document = |part: Part| match part {
            Part::Document => CheckKind::DataModel,
            Part::Proof => CheckKind::Proof,
        };
        let in_proof = (String::new(), CheckKind::Proof);
        let ((within, kind), code) = match &error {
            ProofError::NotAnObject => ((String::new(), CheckKind::DataModel), Code::Malformed),
            ProofError::Member { member: "type", .. }
            | ProofError::ReadOnly(_)
            | ProofError::Suite { .. } => (in_proof, Code::ProofUnsupported),
            ProofError::Purpose { .. } => (in_proof, Code::ProofPurpose),
            ProofError::Context { .. } => (in_proof, Code::ProofContext),
            ProofError::KeyKind { .. } => (in_proof, Code::ProofKeyKind),
            ProofError::MissingPrevious { .. }
            | ProofError::DuplicateId { .. }
            | ProofError::OwnPrevious { .. }
            | ProofError::Cycle { .. } => (in_proof, Code::ProofChain),
            ProofError::Member { .. } | ProofError::Date { .. } => (in_proof, Code::ProofMalformed),
            ProofError::Expired { .. } => (in_proof, Code::ProofExpired),
            // Only who signs meets the other one.
            ProofError::Signature { .. } | ProofError::Signer(_) => (in_proof, Code::SignatureBad),
            ProofError::Spent => (in_proof, Code::TooMany),
            ProofError::JsonLd { part, reason } => {
                let code = match reason {
                    jsonld::Error::SecondName { .. } => Code::HiddenMember,
                    jsonld::Error::UnknownContext { .. } => Code::UnknownContext,
                    _ => Code::NotSignable,
                };
                (
                    (place_in_json_ld(reason).to_owned(), in_document(*part)),
                    code,
                )
            }
            ProofError::Hidden { part, reason } => {
                let place = place_of_member(reason).to_owned();
                ((place, in_document(*part)), Code::HiddenMember)
            }
            ProofError::Canon { part, .. }
            | ProofError::Json { part, .. }
            | ProofError::Ambiguous(part) => {
                ((String::new(), in_document(*part)), Code::NoCanonicalForm)
            }
        };
        Self {
            within,
            kind,
            finding: Finding::unknown(code, detail),
        }
    }
}

fn place_of_member(error: &MemberError) -> &str {
    match error {
        MemberError::NotATerm { place, .. }
        | MemberError::Keyword { place, .. }
        | MemberError::Alias { place, .. }
        | MemberError::Reverse { place, .. }
        | MemberError::Differs { place, .. } => place,
        MemberError::TooManyStatuses { .. } => "/credentialStatus",
        MemberError::BlankId { .. } => "/id",
    }
}

fn place_in_json_ld(error: &jsonld::Error) -> &str {
    use jsonld::Error;
    match error {
        Error::UndefinedTerm { place, .. }
        | Error::RelativeIri { place, .. }
        | Error::BlankPredicate { place, .. }
        | Error::Dropped { place, .. }
        | Error::SecondName { place, .. }
        | Error::UnknownContext { place, .. }
        | Error::InvalidContext { place, .. }
        | Error::InvalidDocument { place, .. }
        | Error::Unsupported { place, .. }
        | Error::LimitExceeded { place, .. } => place,
    }
}
