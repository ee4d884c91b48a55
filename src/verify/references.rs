//! What a credential refers to beside its status: schemas, a newer version of itself, the version
//! of what it endorses, and what this registry knows of its issuer and of what was achieved.
//!
//! But for a newer version, what is found here is told and decides nothing.

use serde_json::Value;

use crate::badges::schema::{self, Schema};
use crate::badges::{DigestMultibase, Need, Role, SubjectKind};
use crate::json::each;
use crate::time::Timestamp;

use super::code::Code;
use super::examine::{Claims, Examiner, has_type};
use super::input::Input;
use super::outcome::Outcome;
use super::report::{CheckKind, Finding, Report};
use super::resolver::{Known, Unresolved, WantedOf};

/// How many achievements of one credential the registry is asked about.
const MAX_ACHIEVEMENTS: usize = 8;

/// How many refresh services of one credential are asked. Open Badges 3.0 has one at most.
const MAX_SERVICES: usize = 2;

/// The schemas that the credential names and that are known here, each with its place.
pub(super) fn known_schemas(document: &Value) -> Vec<(String, Schema)> {
    named_schemas(document)
        .filter_map(|(at, named)| Some((at, known_schema(named)?)))
        .collect()
}

fn named_schemas(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    each(document.as_object(), "", "credentialSchema")
}

fn known_schema(named: &Value) -> Option<Schema> {
    let mut types = each(named.as_object(), "", "type").filter_map(|(_, name)| name.as_str());
    let validator = types.any(schema::is_json_schema);
    let url = named.get("id")?.as_str()?;
    validator.then(|| schema::known(url)).flatten()
}

/// The report on the newer version of the credential, where a refresh service of it gives one that
/// is good and by the same issuer under the same id. Otherwise the original is kept, and why is
/// told (Open Badges 3.0, verification: refresh once, after the proof).
///
/// One service in an array is that service: a proof over statements says nothing about it, so that
/// a holder could otherwise keep the newer version from being asked for.
pub(super) fn refreshed(
    examiner: &mut Examiner<'_>,
    claims: &Claims<'_>,
    depth: usize,
    report: &mut Report,
) -> Option<Report> {
    if examiner.refreshed {
        return None;
    }
    let services = each(claims.document.as_object(), "", "refreshService");
    for (at, service) in services.take(MAX_SERVICES) {
        let url = service.get("id").and_then(Value::as_str);
        let is_read = has_type(service.get("type"), "1EdTechCredentialRefresh");
        let finding = match url.filter(|_| is_read) {
            None => {
                let detail = "it is of a type that is not read, so no newer version was asked for";
                Finding::unknown(Code::RefreshFailed, detail)
            }
            Some(url) => match newer(examiner, claims, (&at, url), depth, report) {
                Ok(newer) => return Some(newer),
                Err(finding) => finding.with("url", url),
            },
        };
        report.note(&at, CheckKind::Reference, finding);
    }
    None
}

/// The newer version at the URL of the service that stands at the first of the two.
fn newer(
    examiner: &mut Examiner<'_>,
    claims: &Claims<'_>,
    (at, url): (&str, &str),
    depth: usize,
    report: &Report,
) -> Result<Report, Finding> {
    let kept = "the credential is judged as it was handed in";
    let failed =
        |detail: String| Finding::unknown(Code::RefreshFailed, format!("{detail}; {kept}"));
    let fetched = examiner.resolver.newer(url).map_err(|reason| {
        let outcome = match reason {
            Unresolved::Malformed(_) => Outcome::Unknown,
            _ => Outcome::Unreachable,
        };
        let detail = format!("the newer version: {reason}; {kept}");
        Finding::new(outcome, Code::RefreshFailed, detail)
    })?;
    let credential = match Input::read(&fetched.body) {
        Ok(Input::Credential(credential)) => credential,
        Ok(Input::Presentation(_)) => return Err(failed("it is a presentation".to_owned())),
        Err(error) => return Err(failed(format!("the newer version: {error}"))),
    };
    examiner.refreshed = true;
    let mut newer = examiner.credential(&credential, &report.place(""), depth);
    examiner.refreshed = false;
    if !newer.verified {
        return Err(failed("the newer version is not proved".to_owned()));
    }
    if newer.issuer != report.issuer || newer.id.is_none() || newer.id != report.id {
        return Err(failed("it has another issuer or id".to_owned()));
    }
    let from = |text: &Option<super::DateReport>| -> Option<Timestamp> {
        text.as_ref()?.input.parse().ok()
    };
    if from(&newer.valid_from) < claims.credential.valid_from {
        return Err(failed("it is older than this one".to_owned()));
    }
    let detail = "its refresh service gave a newer version, and all that follows is of that";
    let finding = Finding::good(Code::Refreshed, detail).with("url", url);
    newer.first(at, CheckKind::Reference, finding);
    newer.refreshed = Some(credential);
    Ok(newer)
}

/// Tells what the credential refers to, and what is known of whom it speaks.
pub(super) fn tell(examiner: &mut Examiner<'_>, claims: &Claims<'_>, report: &mut Report) {
    for (at, named) in named_schemas(claims.document) {
        if known_schema(named).is_none() {
            let detail = "a schema that is not known here, so it was not checked";
            let finding = Finding::unknown(Code::SchemaNotChecked, detail);
            report.note(&at, CheckKind::Reference, finding);
        }
    }
    if claims.credential.is_a("EndorsementCredential") {
        bound_version(examiner, claims, report);
        limits(report);
    }
    if examiner.resolver.knows_things() {
        known_parties(examiner, claims, report);
    }
}

/// Tells what is known of the issuer, and of what was achieved.
fn known_parties(examiner: &mut Examiner<'_>, claims: &Claims<'_>, report: &mut Report) {
    let issuer = claims.credential.issuer;
    let achievements: Vec<(String, &Value)> = achievements(claims.document).collect();
    let known = examiner.known(issuer.id, Some(wanted_of_issuer(claims, &achievements)));
    let named = issuer
        .profile
        .and_then(|profile| profile.get("name")?.as_str());
    if let Some(known) = known {
        report.note(
            "/issuer",
            CheckKind::Registry,
            of_known(&known, named, issuer.id),
        );
    }
    for (at, achievement) in achievements.into_iter().take(MAX_ACHIEVEMENTS) {
        let id = achievement.get("id").unwrap_or(achievement).as_str();
        let named = achievement.get("name").and_then(Value::as_str);
        let wanted = WantedOf {
            kind: SubjectKind::Achievement,
            role: None,
            achievement: Some(achievement),
            awarded: Need::of_credential(claims.document).awarded,
        };
        if let Some(known) = id.and_then(|id| examiner.known(id, Some(wanted))) {
            let finding = of_known(&known, named, issuer.id);
            report.note(&at, CheckKind::Registry, finding);
        }
    }
}

/// Every achievement that a credential speaks of, with its place.
fn achievements(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    each(document.as_object(), "", "credentialSubject")
        .flat_map(|(at, subject)| each(subject.as_object(), &at, "achievement"))
}

/// For what the issuer has to be endorsed: to issue this, or to endorse others.
fn wanted_of_issuer<'a>(claims: &Claims<'a>, achievements: &[(String, &'a Value)]) -> WantedOf<'a> {
    let of_issuer = |role| WantedOf {
        kind: SubjectKind::Profile,
        role: Some(role),
        achievement: None,
        awarded: None,
    };
    if claims.credential.is_a("EndorsementCredential") {
        return of_issuer(Role::Accreditor);
    }
    WantedOf {
        achievement: match achievements {
            [(_, one)] => Some(one),
            _ => None,
        },
        awarded: Need::of_credential(claims.document).awarded,
        ..of_issuer(Role::Issuer)
    }
}

/// What the registry knows, with a word where the credential calls it by another name, and where
/// it is another's than the issuer's.
fn of_known(known: &Known, named: Option<&str>, issuer: &str) -> Finding {
    let mut detail = known.detail.clone();
    match (&known.name, named) {
        (Some(registered), Some(named)) if registered != named => {
            detail.push_str(&format!(
                "; registered as {registered:?}, while the credential says {named:?}"
            ));
        }
        _ => {}
    }
    if let Some(owner) = known.owner.as_deref().filter(|owner| *owner != issuer) {
        detail.push_str(&format!(
            "; it is {owner}'s, while the credential is by {issuer}"
        ));
    }
    let code = match known.outcome {
        Outcome::Active => Code::RegistryEndorsed,
        _ => Code::RegistryNotEndorsed,
    };
    let finding = Finding::new(known.outcome, code, detail);
    let name = known.name.iter().map(|name| ("registered name", name));
    let ids = known
        .endorsements
        .iter()
        .map(|one| ("endorsement", &one.id));
    let path = known.path.iter().map(|link| ("path", link));
    name.chain(ids)
        .chain(path)
        .fold(finding, |finding, (name, value)| finding.with(name, value))
}

/// What the endorsement covers of its subject, where that is not all of it.
fn limits(report: &mut Report) {
    let finding = match &report.scope {
        Ok(None) => return,
        Ok(Some(scope)) => {
            let detail = "it covers a part of its subject";
            let scope = scope.to_value().to_string();
            Finding::good(Code::Limited, detail).with("scope", &scope)
        }
        Err(reason) => Finding::unknown(Code::ScopeMalformed, reason.as_str()),
    };
    let place = "/credentialSubject/endorsementScope";
    report.note(place, CheckKind::Reference, finding);
}

/// Whether what is endorsed is still the version that was, where the endorsement is bound to one
/// (VCDM 2.0, `relatedResource` with `digestMultibase`).
fn bound_version(examiner: &mut Examiner<'_>, claims: &Claims<'_>, report: &mut Report) {
    for (at, resource) in each(claims.document.as_object(), "", "relatedResource") {
        let id = resource.get("id").and_then(Value::as_str);
        let digest = resource.get("digestMultibase").and_then(Value::as_str);
        let digest = digest.and_then(|text| text.parse::<DigestMultibase>().ok());
        let subject = claims
            .credential
            .subjects
            .iter()
            .any(|subject| subject.id == id);
        let present = id
            .filter(|_| subject)
            .and_then(|id| examiner.known(id, None)?.digest);
        let finding = match (digest, present) {
            (Some(digest), Some(present)) if digest == present => {
                let detail = "what is endorsed is still the version that was";
                Finding::good(Code::DigestGood, detail)
            }
            (Some(_), Some(_)) => {
                let detail = "what is endorsed has changed since";
                Finding::new(Outcome::StaleDigest, Code::DigestStale, detail)
            }
            _ => {
                let detail = "the version that is meant was not compared with the present one, \
                              which is not kept here";
                Finding::unknown(Code::DigestNotChecked, detail)
            }
        };
        report.note(&at, CheckKind::Reference, finding);
    }
}
