//! The proofs of a credential: whose key, and whether it signed this document.

use serde_json::{Map, Value};

use crate::jsonld;
use crate::time::Timestamp;
use crate::vc::contexts::Revision;
use crate::vc::did::Relationship;
use crate::vc::members::{self, MemberError};
use crate::vc::proof::{self, Part, Prepared, Proof, ProofError, Verified, Work};
use crate::vc::verifying::VerifyingKey;

use super::code::Code;
use super::examine::Examiner;
use super::report::{CheckKind, Finding, ProofReport, Report};
use super::resolver::key_of;

/// How many proofs of one document are looked at. Each costs a canonicalization.
pub(super) const MAX_PROOFS: usize = 8;

/// Examines every proof of the credential `document`, which has to be signed by `issuer`, and
/// writes down what was found.
pub(super) fn examine(
    document: &Value,
    issuer: &str,
    examiner: &mut Examiner<'_>,
    report: &mut Report,
) {
    let mut proofs = proof::proofs(document);
    let mut prepared = None;
    examine_each(document, report, |at, _, report| {
        let proof = proofs.next().expect("both count the members of `proof`")?;
        let purpose = Relationship::AssertionMethod;
        check(&proof, purpose, examiner.now)?;
        let method = proof.verification_method;
        let key = key(issuer, method, at, purpose, examiner, report)?;
        let prepared = match &mut prepared {
            Some(prepared) => prepared,
            none => none.insert(Prepared::of(document)?),
        };
        let work = &mut examiner.work;
        let verified = prepared.verify(&proof, purpose, &key, examiner.now, work)?;
        how(verified, prepared, work)
    });
}

/// What can be told of a proof before its key is looked for.
pub(super) fn check(
    proof: &Proof<'_>,
    purpose: Relationship,
    now: Timestamp,
) -> Result<(), Failure> {
    proof.check(purpose, now)?;
    match proof.previous.is_empty() {
        true => Ok(()),
        false => Err(Failure::of_proof(
            Code::ProofUnsupported,
            "proofs are verified as a set, not as a chain",
        )),
    }
}

/// Goes through the proofs of a document: `one` is given the pointer of a proof and the proof
/// itself, and answers how it was found good, or why not. One good proof suffices; what is wrong
/// with others is then told, but no problem.
pub(super) fn examine_each(
    document: &Value,
    report: &mut Report,
    mut one: impl FnMut(&str, &Value, &mut Report) -> Result<&'static str, Failure>,
) {
    // What can be known without asking anybody comes first: whoever hides members from readers
    // does not get to name a key.
    if let Err(error) = members::check_names(&without_proof(document)) {
        let finding = Finding::unknown(Code::HiddenMember, error.to_string());
        report.found(place_of_member(&error), CheckKind::DataModel, finding);
        return;
    }
    let inputs = inputs(document);
    if inputs.is_empty() {
        let detail = "there is no proof, so nobody is known to have said this";
        report.found(
            "/proof",
            CheckKind::Proof,
            Finding::unknown(Code::NoProof, detail),
        );
    }
    for (at, input) in inputs.iter().take(MAX_PROOFS) {
        let failure = one(at, input, report).map(|how| {
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
                input: (*input).clone(),
                problem: None,
            });
            continue;
        };
        let in_document = kind == CheckKind::DataModel;
        let pointer = if in_document {
            within
        } else {
            format!("{at}{within}")
        };
        let problem = Some(report.problem(&pointer, &finding));
        report.proofs.push(ProofReport {
            input: (*input).clone(),
            problem,
        });
        report.found(&pointer, kind, finding);
        if in_document {
            // What is wrong with the document is wrong under each of its proofs.
            break;
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
    if report.verified {
        report.problems.clear();
    }
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

/// The key of a proof at `at`, if it is one that `signer` uses so.
pub(super) fn key(
    signer: &str,
    method: &str,
    at: &str,
    relationship: Relationship,
    examiner: &Examiner<'_>,
    report: &mut Report,
) -> Result<VerifyingKey, Failure> {
    let within = "/verificationMethod".to_owned();
    let place = format!("{at}{within}");
    examiner.work.check()?;
    match key_of(
        signer,
        method,
        relationship,
        examiner.now,
        examiner.resolver,
    ) {
        Ok(key) => {
            let finding = Finding::good(Code::KeyGood, format!("{method} is a key of {signer}"));
            report.note(&place, CheckKind::Key, finding);
            Ok(key)
        }
        Err(problem) => {
            let finding = Finding::new(problem.outcome(), problem.code(), problem.to_string());
            Err(Failure {
                within,
                kind: CheckKind::Key,
                finding,
            })
        }
    }
}

/// How a proof was found good. Two revisions of one context exist, and which was signed with
/// says which terms are covered.
pub(super) fn how(
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
            | ProofError::Context { .. }
            | ProofError::KeyKind { .. }
            | ProofError::ReadOnly(_)
            | ProofError::Suite { .. } => (in_proof, Code::ProofUnsupported),
            ProofError::Purpose { .. } => (in_proof, Code::ProofPurpose),
            ProofError::Member { .. }
            | ProofError::Date { .. }
            | ProofError::MissingPrevious { .. }
            | ProofError::DuplicateId { .. }
            | ProofError::OwnPrevious { .. }
            | ProofError::Cycle { .. } => (in_proof, Code::ProofMalformed),
            ProofError::Expired { .. } => (in_proof, Code::ProofExpired),
            ProofError::Signature { .. } => (in_proof, Code::SignatureBad),
            ProofError::Spent => (in_proof, Code::TooMany),
            ProofError::JsonLd { part, reason } => {
                let code = match reason {
                    jsonld::Error::SecondName { .. } => Code::HiddenMember,
                    _ => Code::NotSignable,
                };
                (
                    (place_in_json_ld(reason).to_owned(), in_document(*part)),
                    code,
                )
            }
            ProofError::Json { part, reason } => {
                let place = reason.pointer().to_owned();
                ((place, in_document(*part)), Code::NotSignable)
            }
            ProofError::Hidden { part, reason } => {
                let place = place_of_member(reason).to_owned();
                ((place, in_document(*part)), Code::HiddenMember)
            }
            ProofError::Canon { part, .. } | ProofError::Ambiguous(part) => {
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

/// The proofs as they stand, each with its pointer.
fn inputs(document: &Value) -> Vec<(String, &Value)> {
    match document.get("proof") {
        None => Vec::new(),
        Some(Value::Array(proofs)) => (0..)
            .zip(proofs)
            .map(|(index, proof): (usize, _)| (format!("/proof/{index}"), proof))
            .collect(),
        Some(proof) => vec![("/proof".to_owned(), proof)],
    }
}

fn without_proof(document: &Value) -> Value {
    let members = document.as_object().into_iter().flatten();
    let rest = members.filter(|(name, _)| *name != "proof");
    Value::Object(
        rest.map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<_, _>>(),
    )
}
