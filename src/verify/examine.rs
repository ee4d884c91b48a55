//! The algorithm: from a credential to its report.
//!
//! Each step only starts where the one before it was good, and nothing is asked of anybody that
//! only an unproven document names: the rules of the data model first, then the proofs, then
//! what the issuer is now known to have said: status, period, and what is embedded.

use serde_json::Value;

use crate::status::{Effect, StatusEntry, StatusError, StatusList, StatusPurpose, StatusResult};
use crate::time::Timestamp;
use crate::vc::credential::{Credential, CredentialError, Validity, Version};
use crate::vc::members::MAX_STATUS_ENTRIES;
use crate::vc::proof::Work;

use super::code::Code;
use super::embedded::{self, Embedded, Role, Thing};
use super::outcome::Outcome;
use super::proofs;
use super::report::{CheckKind, DateReport, Finding, Report, StatusReport};
use super::resolver::Resolver;

/// How deep credentials within credentials are looked at; the outermost is 0. Each level reads
/// its part of the document once more.
pub(super) const MAX_DEPTH: usize = 4;

/// How many credentials are looked at in all: those of a presentation, and what is embedded.
pub(super) const MAX_EMBEDDED: usize = 128;

/// One run of verification.
pub(super) struct Examiner<'r> {
    pub(super) resolver: &'r dyn Resolver,
    pub(super) now: Timestamp,
    /// How many more embedded credentials are looked at.
    left: usize,
    /// What trying proofs may still cost, over all credentials.
    pub(super) work: Work,
}

impl<'r> Examiner<'r> {
    pub(super) fn new(resolver: &'r dyn Resolver, now: Timestamp) -> Self {
        Self {
            resolver,
            now,
            left: MAX_EMBEDDED,
            work: Work::default(),
        }
    }

    /// Counts so many credentials among those that are looked at, whatever they embed.
    pub(super) const fn reserve(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
    }

    /// Examines the credential `document`, which stands at the pointer `at`, `depth` levels down.
    pub(super) fn credential(&mut self, document: &Value, at: &str, depth: usize) -> Report {
        let mut report = Report::new(at);
        if has_type(document.get("type"), "EnvelopedVerifiableCredential") {
            let detail = "credentials in an envelope, such as a JWT, are not verified in this \
                          version";
            let finding = Finding::unknown(Code::ProofUnsupported, detail);
            report.found("", CheckKind::Proof, finding);
            return report;
        }
        let credential = match read(document) {
            Ok(credential) => credential,
            Err((place, finding)) => {
                report.found(&place, CheckKind::DataModel, finding);
                return report;
            }
        };
        report.id = credential.id.map(str::to_owned);
        report.issuer = Some(credential.issuer.id.to_owned());
        proofs::examine(document, credential.issuer.id, self, &mut report);
        report.data_model_first();
        if report.verified {
            self.status(document, credential.issuer.id, &mut report);
            self.period(document, &credential, &mut report);
        }
        report.judge();
        if report.verified {
            references(document, &credential, &mut report);
            self.embedded(document, depth, &mut report);
        }
        report
    }

    /// Every entry is asked for, whatever the others say, and all purposes.
    fn status(&self, document: &Value, issuer: &str, report: &mut Report) {
        let kind = CheckKind::Status;
        let entries = entries(document);
        if entries.is_empty() {
            let detail = "it has no status entry, so it cannot be revoked";
            report.note(
                "/credentialStatus",
                kind,
                Finding::good(Code::NoStatus, detail),
            );
        }
        for (at, entry) in &entries {
            let read = StatusEntry::parse(entry, at).map_err(StatusError::from);
            let purpose = read.as_ref().ok().map(|entry| entry.purpose.to_string());
            let answer = read.and_then(|entry| self.resolver.status(issuer, &entry));
            let finding = status_finding(&answer);
            let (value, message) = match answer {
                Ok(result) => (Some(result.status), result.message),
                Err(_) => (None, None),
            };
            report.status.push(StatusReport {
                input: (*entry).clone(),
                outcome: finding.outcome,
                code: finding.code,
                purpose,
                value,
                message,
            });
            report.found(at, kind, finding);
        }
    }

    fn period(&self, document: &Value, credential: &Credential<'_>, report: &mut Report) {
        let [from, until] = match credential.version {
            Version::V1 => ["issuanceDate", "expirationDate"],
            Version::V2 => ["validFrom", "validUntil"],
        };
        let date = |member: &str, verified| {
            let input = document.get(member)?.as_str()?.to_owned();
            Some(DateReport { input, verified })
        };
        let begun = credential.valid_from.is_none_or(|from| from <= self.now);
        let lasts = credential.valid_until.is_none_or(|until| self.now < until);
        report.valid_from = date(from, begun);
        report.valid_until = date(until, lasts);
        let (member, finding) = match credential.validity(self.now) {
            Validity::Current => (from, Finding::good(Code::Current, "within its period")),
            Validity::NotYetValid { from: moment } => {
                let detail = format!("it is valid from {moment}");
                (
                    from,
                    Finding::new(Outcome::NotYetValid, Code::NotYetValid, detail),
                )
            }
            Validity::Expired { at } => {
                let detail = format!("it was valid until {at}");
                (until, Finding::new(Outcome::Expired, Code::Expired, detail))
            }
        };
        report.found(&format!("/{member}"), CheckKind::Validity, finding);
    }

    /// Each embedded endorsement and credential, reported one by one. None of them changes what
    /// the credential that carries them is.
    fn embedded(&mut self, document: &Value, depth: usize, report: &mut Report) {
        for Embedded {
            pointer,
            value,
            role,
        } in embedded::find(document)
        {
            let kind = match role {
                Role::Endorsement(_) | Role::EndorsementJwt => CheckKind::Endorsement,
                Role::Credential => CheckKind::Credential,
            };
            if self.left == 0 {
                let detail = format!("{MAX_EMBEDDED} were looked at; from here on none is");
                report.note(&pointer, kind, Finding::unknown(Code::NotLookedAt, detail));
                return;
            }
            self.left -= 1;
            let thing = match role {
                Role::EndorsementJwt => {
                    let detail = "endorsements as JWT are not checked in this version";
                    report.note(
                        &pointer,
                        kind,
                        Finding::unknown(Code::JwtNotChecked, detail),
                    );
                    continue;
                }
                Role::Endorsement(thing) => Some(thing),
                Role::Credential => None,
            };
            if depth >= MAX_DEPTH {
                let detail = format!("it stands more than {MAX_DEPTH} levels deep");
                report.note(&pointer, kind, Finding::unknown(Code::NotLookedAt, detail));
                continue;
            }
            let inner = self.credential(value, &report.place(&pointer), depth + 1);
            let finding = match thing {
                Some(thing) => endorsement_finding(value, &inner, thing),
                None => inner.summary(Code::Included),
            };
            report.include(&pointer, kind, finding, &inner);
        }
    }
}

/// The envelope, and what the classes that decide something here demand beyond it; or else the
/// place of the fault and the fault.
fn read(document: &Value) -> Result<Credential<'_>, (String, Finding)> {
    let malformed = |detail: String| Finding::unknown(Code::Malformed, detail);
    let credential = Credential::read(document)
        .map_err(|error| (place(&error), malformed(error.to_string())))?;
    if credential.statuses.len() > MAX_STATUS_ENTRIES {
        let detail = format!("more than {MAX_STATUS_ENTRIES} status entries are not looked at");
        let finding = Finding::unknown(Code::TooMany, detail);
        return Err(("/credentialStatus".to_owned(), finding));
    }
    if credential.is_a("EndorsementCredential") {
        let is_subject = |claims| has_type(claims, "EndorsementSubject");
        let mut subjects = credential.subjects.iter();
        if !subjects.all(|subject| subject.id.is_some() && is_subject(subject.claims.get("type"))) {
            let place = "/credentialSubject".to_owned();
            let detail = "an endorsement names what it endorses by its id, with the type \
                          EndorsementSubject";
            return Err((place, malformed(format!("/credentialSubject: {detail}"))));
        }
    }
    if credential.is_a("BitstringStatusListCredential") {
        StatusList::check_shape(document).map_err(|error| {
            let place = "/credentialSubject".to_owned();
            (place, malformed(error.to_string()))
        })?;
    }
    Ok(credential)
}

fn place(error: &CredentialError) -> String {
    match error {
        CredentialError::NotAnObject => String::new(),
        CredentialError::Context => "/@context".to_owned(),
        CredentialError::Missing { pointer, .. }
        | CredentialError::Wrong { pointer, .. }
        | CredentialError::Date { pointer, .. } => pointer.clone(),
        CredentialError::OtherVersion { member, .. } => format!("/{member}"),
        CredentialError::Period { .. } => "/validUntil".to_owned(),
    }
}

/// The status entries, each with its place.
fn entries(document: &Value) -> Vec<(String, &Value)> {
    match document.get("credentialStatus") {
        None => Vec::new(),
        Some(Value::Array(entries)) => (0..)
            .zip(entries)
            .map(|(index, entry): (usize, _)| (format!("/credentialStatus/{index}"), entry))
            .collect(),
        Some(entry) => vec![("/credentialStatus".to_owned(), entry)],
    }
}

/// What a status does to the credential. A status that is not known is never a good one.
fn status_finding(answer: &Result<StatusResult, StatusError>) -> Finding {
    let result = match answer {
        Ok(result) => result,
        Err(error) => {
            let outcome = match error {
                StatusError::Retrieval { .. } => Outcome::Unreachable,
                _ => Outcome::Unknown,
            };
            return Finding::new(outcome, Code::from(error), error.to_string());
        }
    };
    let purpose = result.purpose.as_ref();
    let (purpose, value) = (
        purpose.map_or("status", StatusPurpose::as_str),
        result.status,
    );
    let message = result.message.as_deref().unwrap_or("no message is given");
    match result.effect {
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
    }
}

/// Whether an endorsement counts for the thing on which it hangs. `inner` is its report.
fn endorsement_finding(endorsement: &Value, inner: &Report, thing: Thing<'_>) -> Finding {
    let (true, Ok(credential)) = (inner.verified, Credential::read(endorsement)) else {
        return inner.summary(Code::Endorsed);
    };
    if !credential.is_a("EndorsementCredential") {
        let detail = "it is a credential, but not of type EndorsementCredential";
        return Finding::unknown(Code::NotAnEndorsement, detail);
    }
    // Every subject has an id, so that a thing without one is never what is meant.
    let mut subjects = credential.subjects.iter();
    if let Some(other) = subjects.find(|subject| subject.id != thing.id) {
        let meant = other.id.unwrap_or_default();
        let at = thing.id.unwrap_or("something without an id");
        let detail = format!("it endorses {meant:?}, but stands at {at:?}");
        return Finding::unknown(Code::WrongSubject, detail);
    }
    let endorser = credential.issuer.id;
    if [thing.id, thing.owner, thing.carrier].contains(&Some(endorser)) {
        let detail = format!("{endorser} endorses what is its own");
        return Finding::new(Outcome::NotEndorsed, Code::SelfEndorsement, detail);
    }
    inner.summary(Code::Endorsed)
}

/// Tells what the credential refers to and nobody looked at.
fn references(document: &Value, credential: &Credential<'_>, report: &mut Report) {
    let mut tell = |member: &str, code, detail: &str| {
        if document.get(member).is_some() {
            let finding = Finding::unknown(code, detail);
            report.note(&format!("/{member}"), CheckKind::Reference, finding);
        }
    };
    let detail = "schemas stand elsewhere and are not applied in this version";
    tell("credentialSchema", Code::SchemaNotChecked, detail);
    if credential.is_a("EndorsementCredential") {
        // The digest is one of what stands at the subject's URL.
        let detail = "the version that is endorsed was not compared with the present one";
        tell("relatedResource", Code::DigestNotChecked, detail);
    }
}

fn has_type(types: Option<&Value>, name: &str) -> bool {
    match types {
        Some(Value::Array(types)) => types.iter().any(|one| one == name),
        Some(one) => one == name,
        None => false,
    }
}
