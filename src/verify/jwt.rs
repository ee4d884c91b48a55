//! Credentials and presentations as JWTs: one signature over the whole, whose key is found by the
//! header and bound to the issuer.

use serde_json::{Value, json};

use crate::time::Timestamp;
use crate::vc::credential::Validity;
use crate::vc::did::Relationship;
use crate::vc::jws::{Header, JwsError};
use crate::vc::jwt::{CredentialJwt, JwtError, PresentationJwt};
use crate::vc::proof;
use crate::vc::verifying::VerifyingKey;

use super::code::Code;
use super::examine::{Claims, Examiner, place};
use super::keys::{SignedJwt, key_of_jwt};
use super::lists::CLOCK_SKEW;
use super::outcome::Outcome;
use super::presentation::{Envelope, Expected, PresentationReport, carried};
use super::proofs::Failure;
use super::report::{CheckKind, Finding, ProofReport, Report};

/// Examines the credential in the compact JWS `text`, as [`Examiner::credential`].
pub(super) fn credential(
    examiner: &mut Examiner<'_>,
    text: &str,
    at: &str,
    depth: usize,
) -> Report {
    let mut report = Report::new(at);
    let jwt = match CredentialJwt::parse(text) {
        Ok(jwt) => jwt,
        Err(error) => {
            unread(&error, &mut report);
            return report;
        }
    };
    let Some(credential) = examiner.envelope(&jwt.credential, &mut report) else {
        return report;
    };
    if !is_readable(&jwt.credential, examiner, &mut report) {
        return report;
    }
    let signed = SignedJwt {
        signer: &jwt.issuer,
        header: jwt.header(),
        text: jwt.as_str(),
        relationship: Relationship::AssertionMethod,
    };
    let checked = check(examiner, &signed, &mut report, |key| jwt.verify(key));
    write_down(checked, jwt.header(), &mut report);
    if report.verified {
        let period = jwt.validity(examiner.now);
        of_period(period, jwt.issued_at, examiner.now, &mut report);
    }
    report.data_model_first();
    let claims = Claims {
        document: &jwt.credential,
        credential: &credential,
        token_status: jwt.status.as_ref(),
    };
    examiner.beyond_the_proof(&claims, depth, report)
}

/// Examines the presentation in the compact JWS `text`.
pub(super) fn presentation(
    examiner: &mut Examiner<'_>,
    text: &str,
    mut report: Report,
) -> PresentationReport {
    let jwt = match PresentationJwt::parse(text) {
        Ok(jwt) => jwt,
        Err(error) => {
            unread(&error, &mut report);
            return PresentationReport::of(report, None, Vec::new());
        }
    };
    let mut envelope = match Envelope::read(&jwt.presentation) {
        Ok(envelope) => envelope,
        Err(finding) => return PresentationReport::malformed(report, finding),
    };
    envelope.holder = jwt.holder.as_deref();
    if is_readable(&jwt.presentation, examiner, &mut report) {
        let checked = present(examiner, &jwt, &mut report);
        write_down(checked, jwt.header(), &mut report);
        if report.verified {
            let period = jwt.validity(examiner.now);
            of_period(period, jwt.issued_at, examiner.now, &mut report);
        }
        report.data_model_first();
    }
    carried(&envelope, examiner, report)
}

/// Writes down why a text is no JWT of the kind that is wanted.
fn unread(error: &JwtError, report: &mut Report) {
    let finding = Finding::unknown(Code::from(error), error.to_string());
    let (place, kind) = match error {
        JwtError::Credential(error) => (place(error), CheckKind::DataModel),
        JwtError::Presentation { pointer, .. } => ((*pointer).to_owned(), CheckKind::DataModel),
        _ => (String::new(), CheckKind::Proof),
    };
    report.found(&place, kind, finding);
}

fn present(
    examiner: &mut Examiner<'_>,
    jwt: &PresentationJwt,
    report: &mut Report,
) -> Result<(), Failure> {
    let Expected { challenge, domain } = examiner.options.expected;
    if challenge.is_some() && jwt.nonce.as_deref() != challenge {
        let detail = "its nonce answers another challenge, or none";
        return Err(Failure::of_proof(Code::ChallengeMismatch, detail));
    }
    if !domain.is_none_or(|domain| jwt.audience.iter().any(|one| one == domain)) {
        let detail = "its aud is another domain, or none";
        return Err(Failure::of_proof(Code::DomainMismatch, detail));
    }
    // Without a named holder whoever signed presents; the key still has to be their own.
    let kid = jwt.header().kid.as_deref().unwrap_or_default();
    let own = kid.split('#').next().unwrap_or_default();
    let signed = SignedJwt {
        signer: jwt.holder.as_deref().unwrap_or(own),
        header: jwt.header(),
        text: jwt.as_str(),
        relationship: Relationship::Authentication,
    };
    check(examiner, &signed, report, |key| jwt.verify(key))
}

/// Whether a reader of the JSON sees what a reader of the JSON-LD sees. A JWT signs every byte,
/// so that undefined terms do no harm; but who aliases or hides a member means two things.
fn is_readable(document: &Value, examiner: &mut Examiner<'_>, report: &mut Report) -> bool {
    match proof::check_reading(document, &mut examiner.work) {
        Ok(()) => true,
        Err(error) => {
            let Failure {
                within, finding, ..
            } = error.into();
            report.found(&within, CheckKind::DataModel, finding);
            false
        }
    }
}

/// Finds the key and has the signature checked with it.
fn check(
    examiner: &mut Examiner<'_>,
    signed: &SignedJwt<'_>,
    report: &mut Report,
    verify: impl FnOnce(&VerifyingKey) -> Result<(), JwsError>,
) -> Result<(), Failure> {
    let key = key_of_jwt(signed, examiner).map_err(|problem| Failure {
        within: String::new(),
        kind: CheckKind::Key,
        finding: problem.finding(),
    })?;
    report.note("", CheckKind::Key, key.finding);
    verify(&key.key).map_err(|error| Failure::of_proof(Code::from(&error), error.to_string()))
}

fn write_down(checked: Result<(), Failure>, header: &Header, report: &mut Report) {
    let input = json!({
        "type": "JsonWebSignature",
        "alg": header.algorithm.algorithm(),
        "kid": header.kid,
        "typ": header.typ,
    });
    let problem = match checked {
        Ok(()) => {
            report.verified = true;
            let detail = "the signature over the whole JWT is good";
            report.note("", CheckKind::Proof, Finding::good(Code::ProofGood, detail));
            None
        }
        Err(Failure { kind, finding, .. }) => {
            let problem = report.problem("", &finding);
            report.found("", kind, finding);
            Some(problem)
        }
    };
    report.proofs.push(ProofReport { input, problem });
}

/// The JWT's own period. Its end is the end of the signature, whatever the credential says.
fn of_period(period: Validity, made: Option<Timestamp>, now: Timestamp, report: &mut Report) {
    let finding = match period {
        Validity::Expired { at } => {
            let detail = format!("the JWT was good until {at} (exp)");
            Finding::new(Outcome::Expired, Code::Expired, detail)
        }
        Validity::NotYetValid { from } => {
            let detail = format!("the JWT is good from {from} (nbf)");
            Finding::new(Outcome::NotYetValid, Code::NotYetValid, detail)
        }
        Validity::Current => match made.filter(|made| *made > now.plus(CLOCK_SKEW)) {
            Some(made) => {
                let detail = format!("the JWT says that it is made at {made} (iat)");
                Finding::new(Outcome::NotYetValid, Code::NotYetValid, detail)
            }
            None => return,
        },
    };
    report.found("", CheckKind::Validity, finding);
}
