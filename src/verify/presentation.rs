//! Presentations (VCDM 2.0 section 4.13): whether the holder signed this one for whoever asks,
//! and what the credentials in it are.

use serde_json::Value;

use crate::json::each;
use crate::time::Timestamp;
use crate::vc::credential::{CONTEXT_V1, CONTEXT_V2};
use crate::vc::did::Relationship;

use super::Options;
use super::code::Code;
use super::examine::{Examiner, MAX_EMBEDDED, has_type};
use super::input::Secured;
use super::jwt;
use super::outcome::Outcome;
use super::proofs::{self, Wanted};
use super::report::{Check, CheckKind, Finding, Problem, ProofReport, Report, weightiest};
use super::resolver::Resolver;

/// What whoever asked for the presentation expects its proof to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected<'a> {
    /// The challenge that was given out, if any.
    pub challenge: Option<&'a str>,
    /// The domain that the proof has to be meant for, if any.
    pub domain: Option<&'a str>,
}

/// All that was found out about a presentation.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct PresentationReport {
    /// Whether proof and data model are good, of the presentation and of every credential in it.
    pub verified: bool,
    /// What counts among the outcomes of the presentation itself and of the credentials;
    /// [`Outcome::Active`] only if `verified`.
    pub outcome: Outcome,
    /// The holder's id. It is by the presentation's own word unless `presented`.
    pub holder: Option<String>,
    /// Whether proof and data model of the presentation itself are good, and its proof answers
    /// what was expected.
    pub presented: bool,
    /// Every check of the presentation, then of each credential under its own path.
    pub checks: Vec<Check>,
    /// What is wrong with the presentation itself, and with the proofs of what is in it.
    pub problems: Vec<Problem>,
    /// Each proof of the presentation that was looked at.
    pub proofs: Vec<ProofReport>,
    /// Each credential, in order. They are looked at whatever the presentation's own proof is,
    /// since each is proved by itself.
    pub credentials: Vec<Report>,
}

/// Verifies a presentation as of `now`, and every credential in it. What secures it, embedded
/// proof or JWT, has to be by the holder, where one is named, for `authentication`, and to answer
/// what is expected in `options`.
pub fn verify_presentation(
    presentation: &Value,
    resolver: &dyn Resolver,
    options: Options<'_>,
    now: Timestamp,
) -> PresentationReport {
    let mut examiner = Examiner::new(resolver, options, now);
    let mut report = Report::new("");
    match Secured::of(presentation) {
        Ok(Secured::Document(document)) => examine(document, &mut examiner, report),
        Ok(Secured::Jwt(text)) => jwt::presentation(&mut examiner, text, report),
        Err(finding) => {
            report.found("", CheckKind::DataModel, finding);
            PresentationReport::of(report, None, Vec::new())
        }
    }
}

fn examine(
    document: &Value,
    examiner: &mut Examiner<'_>,
    mut report: Report,
) -> PresentationReport {
    let envelope = match Envelope::read(document) {
        Ok(envelope) => envelope,
        Err(finding) => return PresentationReport::malformed(report, finding),
    };
    let wanted = Wanted {
        signer: envelope.holder,
        relationship: Relationship::Authentication,
        expected: examiner.options.expected,
    };
    proofs::examine(document, wanted, examiner, &mut report);
    report.data_model_first();
    carried(&envelope, examiner, report)
}

/// What follows once the presentation itself was looked at: each credential in it.
pub(super) fn carried(
    envelope: &Envelope<'_>,
    examiner: &mut Examiner<'_>,
    mut report: Report,
) -> PresentationReport {
    report.judge();
    examiner.reserve(envelope.credentials.len());
    let mut credentials = Vec::new();
    for (pointer, credential) in &envelope.credentials {
        let inner = examiner.credential(credential, pointer, 0);
        let finding = inner.summary(Code::Included);
        report.include(pointer, CheckKind::Credential, finding, &inner);
        credentials.push(inner);
    }
    PresentationReport::of(report, envelope.holder, credentials)
}

impl PresentationReport {
    /// Of what is no presentation: the place of the fault and what is expected there.
    pub(super) fn malformed(mut report: Report, (place, detail): (String, &str)) -> Self {
        let finding = Finding::unknown(Code::Malformed, format!("{place}: expected {detail}"));
        report.found(&place, CheckKind::DataModel, finding);
        Self::of(report, None, Vec::new())
    }

    pub(super) fn of(report: Report, holder: Option<&str>, credentials: Vec<Report>) -> Self {
        // A JWT has a period of its own, which counts beside those of the credentials.
        let own = std::iter::once(report.outcome);
        let mut problems = report.problems;
        let unproven = credentials.iter().filter(|credential| !credential.verified);
        problems.extend(unproven.flat_map(|credential| credential.problems.iter().cloned()));
        let outcome = match report.verified {
            true => weightiest(own.chain(credentials.iter().map(|one| one.outcome))),
            false => report.outcome,
        };
        Self {
            verified: report.verified && credentials.iter().all(|credential| credential.verified),
            outcome,
            holder: holder.map(str::to_owned),
            presented: report.verified,
            checks: report.checks,
            problems,
            proofs: report.proofs,
            credentials,
        }
    }
}

/// The members of a presentation that have a meaning of their own.
pub(super) struct Envelope<'a> {
    pub(super) holder: Option<&'a str>,
    /// Each with its pointer.
    credentials: Vec<(String, &'a Value)>,
}

impl<'a> Envelope<'a> {
    /// The place of a fault and what is expected there are the error.
    pub(super) fn read(presentation: &'a Value) -> Result<Self, (String, &'static str)> {
        let wrong = |place: &str, expected| Err((place.to_owned(), expected));
        let first = |value: &'a Value| match value {
            Value::Array(items) => items.first(),
            one => Some(one),
        };
        let context = presentation
            .get("@context")
            .and_then(first)
            .and_then(Value::as_str);
        if !matches!(context, Some(CONTEXT_V2 | CONTEXT_V1)) {
            return wrong("/@context", "the context of verifiable credentials first");
        }
        if !has_type(presentation.get("type"), "VerifiablePresentation") {
            return wrong("/type", "VerifiablePresentation among the types");
        }
        let holder = match presentation.get("holder") {
            None => None,
            Some(holder) => match holder.as_str().or_else(|| holder.get("id")?.as_str()) {
                Some(id) if url::Url::parse(id).is_ok() => Some(id),
                _ => return wrong("/holder", "a URL, or an object with one as its id"),
            },
        };
        let credentials: Vec<(String, &Value)> =
            each(presentation.as_object(), "", "verifiableCredential").collect();
        if credentials.len() > MAX_EMBEDDED {
            return wrong(
                "/verifiableCredential",
                "fewer credentials in one presentation",
            );
        }
        Ok(Self {
            holder,
            credentials,
        })
    }
}
