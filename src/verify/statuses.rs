//! What was taken back: every status that a credential points to, whatever the others say, in
//! every format and for every purpose.

use serde_json::Value;

use crate::json::each;
use crate::status::{
    Authenticity, Effect, EntryError, ListReference, StatusError, StatusPurpose, StatusResult,
};
use crate::vc::did::Relationship;
use crate::vc::jws::Header;
use crate::vc::proof;
use crate::vc::verifying::VerifyingKey;

use super::code::Code;
use super::examine::{Claims, Examiner};
use super::keys::{SignedJwt, key_of_jwt};
use super::lists::{self, ListSigners};
use super::outcome::Outcome;
use super::presentation::Expected;
use super::proofs::{self, Wanted};
use super::report::{CheckKind, Finding, Report, StatusReport};
use super::resolver::{Trust, WantedList};

/// One status that a credential points to.
struct Pointed<'a> {
    at: String,
    input: &'a Value,
    read: Result<ListReference, EntryError>,
}

impl Examiner<'_> {
    /// Asks for every status and writes down what it is.
    pub(super) fn status(&mut self, claims: &Claims<'_>, report: &mut Report) {
        let pointed = pointed(claims);
        if pointed.is_empty() {
            let detail = "it has no status entry, so it cannot be revoked";
            let finding = Finding::good(Code::NoStatus, detail);
            report.note("/credentialStatus", CheckKind::Status, finding);
        }
        for Pointed { at, input, read } in pointed {
            let reference = read.as_ref().ok().cloned();
            let answer = read
                .map_err(StatusError::from)
                .and_then(|reference| self.status_of(claims, &reference));
            let finding = status_finding(&answer, reference.as_ref());
            let purpose = reference.as_ref().and_then(ListReference::purpose);
            let (value, message) = match answer {
                Ok(result) => (Some(result.status), result.message),
                Err(_) => (None, None),
            };
            report.status.push(StatusReport {
                input: input.clone(),
                outcome: finding.outcome,
                code: finding.code,
                purpose: purpose.map(StatusPurpose::to_string),
                value,
                message,
            });
            report.found(&at, CheckKind::Status, finding);
        }
    }

    fn status_of(
        &mut self,
        claims: &Claims<'_>,
        reference: &ListReference,
    ) -> Result<StatusResult, StatusError> {
        let issuer = claims.credential.issuer.id;
        let (resolver, now) = (self.resolver, self.now);
        if let ListReference::Bitstring(entry) = reference
            && let Some(hosted) = resolver.hosted_status(issuer, entry)
        {
            return hosted;
        }
        let wanted = WantedList {
            reference,
            issuer,
            trust: match self.options.pinned {
                [] => Trust::Published,
                _ => Trust::Pinned,
            },
        };
        let list = resolver.list(wanted, &mut |fetched| {
            lists::check_list(fetched, reference, issuer, now, self)
        })?;
        list.says(reference, issuer, claims.credential.id, now)
    }
}

/// The list's own proofs are examined as those of any credential, and cost as much.
impl ListSigners for Examiner<'_> {
    fn check_proofs(&mut self, list: &Value, issuer: &str) -> Result<(), StatusError> {
        let mut report = Report::new("");
        let wanted = Wanted {
            signer: Some(issuer),
            relationship: Relationship::AssertionMethod,
            expected: Expected::default(),
        };
        proofs::examine(list, wanted, self, &mut report);
        report.judge();
        match (report.verified, report.outcome) {
            (true, _) => Ok(()),
            (false, outcome) => {
                let problem = report.problems.first();
                let reason = problem.map_or("it has no proof", |problem| &problem.detail);
                Err(unproven(outcome, reason))
            }
        }
    }

    fn check_reading(&mut self, list: &Value) -> Result<(), StatusError> {
        proof::check_reading(list, &mut self.work)
            .map_err(|error| unproven(Outcome::Unknown, &error.to_string()))
    }

    fn key(&mut self, header: &Header, issuer: &str) -> Result<VerifyingKey, StatusError> {
        let signed = SignedJwt {
            signer: issuer,
            header,
            text: "",
            relationship: Relationship::AssertionMethod,
        };
        let found = key_of_jwt(&signed, self);
        found
            .map(|found| found.key)
            .map_err(|problem| unproven(problem.outcome(), &problem.to_string()))
    }
}

/// A key that cannot be had may be had tomorrow; anything else is wrong with the list, which
/// [`lists`] names.
fn unproven(outcome: Outcome, reason: &str) -> StatusError {
    let (list, reason) = (String::new(), reason.to_owned());
    match outcome {
        Outcome::Unreachable => StatusError::Retrieval { list, reason },
        _ => StatusError::Verification { list, reason },
    }
}

/// All that the credential points to, each with its place.
fn pointed<'a>(claims: &Claims<'a>) -> Vec<Pointed<'a>> {
    let entries = each(claims.document.as_object(), "", "credentialStatus");
    let mut pointed: Vec<Pointed<'_>> = entries
        .map(|(at, input)| Pointed {
            read: ListReference::parse(input, &at),
            at,
            input,
        })
        .collect();
    if let Some(input) = claims.token_status {
        let claimed = ListReference::parse_claim(input, "/status");
        pointed.extend(claimed.into_iter().map(|read| Pointed {
            at: "/status".to_owned(),
            input,
            read,
        }));
    }
    pointed
}

/// What a status does to the credential. A status that is not known is never a good one.
fn status_finding(
    answer: &Result<StatusResult, StatusError>,
    reference: Option<&ListReference>,
) -> Finding {
    let finding = match answer {
        Ok(result) => known(result),
        Err(error) => {
            let outcome = match error {
                StatusError::Retrieval { .. } => Outcome::Unreachable,
                _ => Outcome::Unknown,
            };
            Finding::new(outcome, Code::from(error), error.to_string())
        }
    };
    match reference {
        None => finding,
        Some(ListReference::Bitstring(entry)) => finding
            .with("list", &entry.list)
            .with("index", &entry.index.to_string()),
        Some(ListReference::RevocationList(entry)) => finding.with("list", &entry.list),
        Some(ListReference::Token(entry)) => finding
            .with("list", &entry.list)
            .with("index", &entry.index.to_string()),
    }
}

fn known(result: &StatusResult) -> Finding {
    let value = result.status;
    let purpose = result
        .purpose
        .as_ref()
        .map_or("status", StatusPurpose::as_str);
    let message = result.message.as_deref().unwrap_or("no message is given");
    let finding = match result.effect {
        Effect::None => Finding::good(Code::StatusClear, format!("no {purpose} is set")),
        Effect::Revokes => {
            Finding::new(Outcome::Revoked, Code::Revoked, "its issuer has revoked it")
        }
        Effect::Suspends => Finding::new(
            Outcome::Suspended,
            Code::Suspended,
            "its issuer has suspended it",
        ),
        Effect::Refreshes => {
            let detail = "its issuer has a newer one; this one stays good";
            Finding::good(Code::RefreshAvailable, detail)
        }
        Effect::Informs => Finding::good(
            Code::StatusMessage,
            format!("message {value:#x}: {message}"),
        ),
        Effect::Undefined => {
            let detail = format!("the status for {purpose:?} is {value:#x}: {message}");
            Finding::unknown(Code::StatusUndefined, detail)
        }
    };
    match result.authenticity {
        Authenticity::Proven => finding,
        Authenticity::HttpsAlone => finding.with("authenticity", "https alone; not signed"),
    }
}
