//! The algorithm: from a credential to its report.
//!
//! Each step only starts where the one before it was good, and nothing is asked of anybody that
//! only an unproven document names: the rules of the data model first, then the proofs, then
//! what the issuer is now known to have said: a newer version, status, period, and what is
//! embedded.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::badges::schema::{Schema, Violation};
use crate::badges::{self, Coverage, Need, Scope, SubjectKind, achievements_of, scope_of};
use crate::bitstring::{DEFAULT_CAP_BYTES, MINIMUM_ENTRIES};
use crate::status::StatusList;
use crate::time::Timestamp;
use crate::vc::credential::{Credential, CredentialError, Validity, Version};
use crate::vc::did::Relationship;
use crate::vc::members::MAX_STATUS_ENTRIES;
use crate::vc::proof::Work;

use super::Options;
use super::code::Code;
use super::embedded::{self, Embedded, Role, Thing};
use super::input::Secured;
use super::jwt;
use super::outcome::Outcome;
use super::presentation::Expected;
use super::proofs::{self, Wanted};
use super::record;
use super::references;
use super::report::{CheckKind, DateReport, Finding, Report, weightiest};
use super::resolver::{Known, Resolver, WantedOf};

/// How deep credentials within credentials are looked at; the outermost is 0. Each level reads
/// its part of the document once more.
pub(super) const MAX_DEPTH: usize = 4;

/// How many credentials are looked at in all: those of a presentation, and what is embedded.
pub(super) const MAX_EMBEDDED: usize = 128;

/// How often the registry is asked what it knows of something, in one run.
const MAX_KNOWN: usize = 32;

/// One run of verification.
pub(super) struct Examiner<'r> {
    pub(super) resolver: &'r dyn Resolver,
    pub(super) options: Options<'r>,
    pub(super) now: Timestamp,
    /// How many more embedded credentials are looked at.
    left: usize,
    /// What trying proofs may still cost, over all credentials.
    pub(super) work: Work,
    /// Whether what is looked at is a newer version already: it is not refreshed once more.
    pub(super) refreshed: bool,
    /// What the registry said, where that holds whatever somebody is needed for.
    said: HashMap<Party, Option<Known>>,
    /// How many more things it is asked about.
    questions_left: usize,
}

/// Somebody by id, as a kind of thing and in a role, or in any.
type Party = (String, Option<(SubjectKind, Option<badges::Role>)>);

/// A credential whose proof is good, or nearly so: its document, and what only its JWT said.
pub(super) struct Claims<'a> {
    pub(super) document: &'a Value,
    pub(super) credential: &'a Credential<'a>,
    /// The `status` claim of a JWT (Token Status List).
    pub(super) token_status: Option<&'a Value>,
}

impl<'r> Examiner<'r> {
    pub(super) fn new(resolver: &'r dyn Resolver, options: Options<'r>, now: Timestamp) -> Self {
        Self {
            resolver,
            options,
            now,
            left: MAX_EMBEDDED,
            work: Work::default(),
            refreshed: false,
            said: HashMap::new(),
            questions_left: MAX_KNOWN,
        }
    }

    /// Counts so many credentials among those that are looked at, whatever they embed.
    pub(super) const fn reserve(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
    }

    /// Examines the credential `value`, which stands at the pointer `at`, `depth` levels down, in
    /// whichever form it is secured.
    pub(super) fn credential(&mut self, value: &Value, at: &str, depth: usize) -> Report {
        match Secured::of(value) {
            Ok(Secured::Document(document)) => self.document(document, at, depth),
            Ok(Secured::Jwt(text)) => jwt::credential(self, text, at, depth),
            Err(finding) => {
                let mut report = Report::new(at);
                report.found("", CheckKind::DataModel, finding);
                report
            }
        }
    }

    fn document(&mut self, document: &Value, at: &str, depth: usize) -> Report {
        let mut report = Report::new(at);
        let Some(credential) = self.envelope(document, &mut report) else {
            return report;
        };
        let wanted = Wanted {
            signer: Some(credential.issuer.id),
            relationship: Relationship::AssertionMethod,
            expected: Expected::default(),
        };
        proofs::examine(document, wanted, self, &mut report);
        report.data_model_first();
        let claims = Claims {
            document,
            credential: &credential,
            token_status: None,
        };
        self.beyond_the_proof(&claims, depth, report)
    }

    /// Reads the envelope and what the classes that decide something here demand beyond it, and
    /// applies the schemas that are known. What is wrong is written down.
    pub(super) fn envelope<'d>(
        &self,
        document: &'d Value,
        report: &mut Report,
    ) -> Option<Credential<'d>> {
        let credential = match read(document) {
            Ok(credential) => credential,
            Err((place, finding)) => {
                report.found(&place, CheckKind::DataModel, finding);
                return None;
            }
        };
        report.id = credential.id.map(str::to_owned);
        report.issuer = Some(credential.issuer.id.to_owned());
        report.types = credential
            .types
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let subjects = credential.subjects.iter();
        report.subjects = subjects.map(|one| one.id.map(str::to_owned)).collect();
        if credential.is_a("EndorsementCredential") {
            report.scope = scope_of(document).map_err(|error| error.to_string());
        }
        let mut kept = true;
        for (at, schema) in references::known_schemas(document) {
            kept &= self.schema(schema, &at, document, report);
        }
        kept.then_some(credential)
    }

    fn schema(&self, schema: Schema, at: &str, document: &Value, report: &mut Report) -> bool {
        let Err(violations) = schema.check(document) else {
            let detail = "the schema is kept, by the rules for it that are compiled in";
            let finding = Finding::good(Code::SchemaKept, detail);
            report.note(at, CheckKind::Reference, finding);
            return true;
        };
        for Violation {
            at: place,
            expected,
        } in &violations
        {
            let detail = format!("the schema that is named at {at} demands {expected}");
            let finding = Finding::unknown(Code::SchemaViolated, detail);
            report.found(place, CheckKind::DataModel, finding);
        }
        false
    }

    /// All that follows once the proofs were looked at.
    pub(super) fn beyond_the_proof(
        &mut self,
        claims: &Claims<'_>,
        depth: usize,
        mut report: Report,
    ) -> Report {
        if !report.verified {
            report.judge();
            return report;
        }
        if let Some(newer) = references::refreshed(self, claims, depth, &mut report) {
            return newer;
        }
        self.status(claims, &mut report);
        self.period(claims, &mut report);
        self.expanded_list(claims, &mut report);
        report.judge();
        references::tell(self, claims, &mut report);
        self.embedded(claims.document, depth, &mut report);
        report
    }

    fn period(&self, claims: &Claims<'_>, report: &mut Report) {
        let Claims {
            document,
            credential,
            ..
        } = claims;
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

    /// A status list is good only if it can be read to its end.
    fn expanded_list(&mut self, claims: &Claims<'_>, report: &mut Report) {
        if !is_status_list(claims.credential) {
            return;
        }
        // Expanding one may take as much as some credentials take to verify.
        if self.work.spend_expansion().is_err() {
            let detail = "there is no work left for expanding it";
            let finding = Finding::unknown(Code::TooMany, detail);
            report.found("/credentialSubject/encodedList", CheckKind::Status, finding);
            return;
        }
        let list = StatusList::parse(claims.document, DEFAULT_CAP_BYTES);
        if let Err(error) = list.and_then(|list| list.check_length(MINIMUM_ENTRIES)) {
            let finding = Finding::unknown(Code::from(&error), error.to_string());
            let place = "/credentialSubject/encodedList";
            report.found(place, CheckKind::Status, finding);
        }
    }

    /// Each embedded endorsement and credential, reported one by one. None of them changes what
    /// the credential that carries them is.
    fn embedded(&mut self, document: &Value, depth: usize, report: &mut Report) {
        // Of what a record bundles: the achievements that a proved credential is for.
        let mut proved = HashSet::new();
        for Embedded {
            pointer,
            value,
            role,
        } in embedded::find(document)
        {
            let kind = match role {
                Role::Endorsement(_) => CheckKind::Endorsement,
                Role::Credential => CheckKind::Credential,
            };
            if self.left == 0 {
                let detail = format!("{MAX_EMBEDDED} were looked at; from here on none is");
                report.note(&pointer, kind, Finding::unknown(Code::NotLookedAt, detail));
                return;
            }
            self.left -= 1;
            if depth >= MAX_DEPTH {
                let detail = format!("it stands more than {MAX_DEPTH} levels deep");
                report.note(&pointer, kind, Finding::unknown(Code::NotLookedAt, detail));
                continue;
            }
            let inner = self.credential(value, &report.place(&pointer), depth + 1);
            let finding = match &role {
                Role::Endorsement(thing) => self.endorsement_finding(&inner, thing),
                Role::Credential => self.bundled_finding(&inner, report),
            };
            if inner.verified && role == Role::Credential {
                proved.extend(achievements_of(value));
            }
            report.include(&pointer, kind, finding, &inner);
        }
        record::tell(document, &proved, report);
    }

    /// What a credential within a record is. One without a proof may be told by whoever signed the
    /// record, and nobody else.
    fn bundled_finding(&self, inner: &Report, record: &Report) -> Finding {
        let mut finding = inner.summary(Code::Included);
        if let (Code::NoProof, Some(issuer)) = (finding.code, &inner.issuer) {
            let teller = record.issuer.as_deref().unwrap_or_default();
            let whose = match self.is_same(issuer, teller) {
                true => format!("it is there by the word of {teller}, who signed the record"),
                false => format!("nothing shows that {issuer} has issued it"),
            };
            finding.detail = format!("it has no proof of its own: {whose}");
        }
        finding
    }

    /// What an embedded endorsement says for the thing that it stands at.
    fn endorsement_finding(&self, inner: &Report, thing: &Thing<'_>) -> Finding {
        if !inner.verified {
            return inner.summary(Code::Endorsed);
        }
        if !inner
            .types
            .iter()
            .any(|name| name == "EndorsementCredential")
        {
            let detail = "it is a credential, but not an EndorsementCredential";
            return Finding::unknown(Code::NotAnEndorsement, detail);
        }
        // Every subject has an id, so that a thing without one is never what is meant.
        let mut subjects = inner.subjects.iter().map(Option::as_deref);
        if let Some(other) = subjects.find(|subject| *subject != thing.id) {
            let meant = other.unwrap_or_default();
            let at = thing.id.unwrap_or("something without an id");
            let detail = format!("it endorses {meant:?}, but stands at {at:?}");
            return Finding::unknown(Code::WrongSubject, detail);
        }
        let endorser = inner.issuer.as_deref().unwrap_or_default();
        let mut own = thing
            .owners
            .iter()
            .copied()
            .chain(thing.id)
            .chain(thing.carrier);
        if own.any(|own| self.is_same(own, endorser)) {
            let detail = format!("{endorser} endorses what is its own");
            return Finding::new(Outcome::NotEndorsed, Code::SelfEndorsement, detail);
        }
        let finding = inner.summary(Code::Endorsed);
        let finding = self.as_it_stands_here(finding, inner.id.as_deref(), endorser);
        within_scope(finding, &inner.scope, &thing.need)
    }

    /// The finding on an endorsement, or what this registry says of it where that is worse: its
    /// endorser may not be trusted any more, which no list tells.
    fn as_it_stands_here(&self, finding: Finding, id: Option<&str>, endorser: &str) -> Finding {
        let Some(here) = self.resolver.endorsement_standing(id, endorser) else {
            return finding;
        };
        let outcome = weightiest([finding.outcome, here].into_iter());
        if outcome == finding.outcome {
            return finding;
        }
        let detail = format!(
            "{} in this registry, with the standing of {endorser} on which it rests",
            here.as_str()
        );
        Finding::new(outcome, Code::EndorsementNotStanding, detail)
    }

    /// Whether two ids are one thing's, which may have several here.
    fn is_same(&self, one: &str, other: &str) -> bool {
        let canonical = |id: &str| self.resolver.canonical(id);
        one == other || canonical(one).is_some_and(|one| canonical(other) == Some(one))
    }

    /// What the registry knows of a thing, for what is wanted of it.
    pub(super) fn known(&mut self, id: &str, wanted: Option<WantedOf<'_>>) -> Option<Known> {
        let party = (
            id.to_owned(),
            wanted.map(|wanted| (wanted.kind, wanted.role)),
        );
        if let Some(known) = self.said.get(&party) {
            return known.clone();
        }
        self.questions_left = self.questions_left.checked_sub(1)?;
        let known = self.resolver.known(id, wanted);
        if known.as_ref().is_none_or(|known| !known.limited) {
            self.said.insert(party, known.clone());
        }
        known
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
    if is_status_list(&credential) {
        StatusList::check_shape(document).map_err(|error| {
            let place = "/credentialSubject".to_owned();
            (place, malformed(error.to_string()))
        })?;
    }
    Ok(credential)
}

fn is_status_list(credential: &Credential<'_>) -> bool {
    ["BitstringStatusListCredential", "StatusList2021Credential"]
        .iter()
        .any(|name| credential.is_a(name))
}

/// JSON pointer of the fault in the credential.
pub(super) fn place(error: &CredentialError) -> String {
    match error {
        CredentialError::NotAnObject => String::new(),
        CredentialError::Context => "/@context".to_owned(),
        CredentialError::Missing { pointer, .. }
        | CredentialError::Wrong { pointer, .. }
        | CredentialError::Date { pointer, .. } => pointer.clone(),
        CredentialError::OtherVersion { member, .. } | CredentialError::Period { member, .. } => {
            format!("/{member}")
        }
    }
}

/// The finding on an endorsement that is in force, for what it is wanted for: it may cover a part
/// of its subject alone.
fn within_scope(finding: Finding, scope: &Result<Option<Scope>, String>, need: &Need) -> Finding {
    let scope = match scope {
        _ if finding.outcome != Outcome::Active => return finding,
        Ok(None) => return finding,
        Ok(Some(scope)) => scope,
        Err(reason) => return Finding::unknown(Code::ScopeMalformed, reason.as_str()),
    };
    let finding = match scope.covers(need) {
        Coverage::Covered => finding,
        Coverage::NotCovered(why) => Finding::new(Outcome::NotEndorsed, Code::OutOfScope, why),
        Coverage::Unknown(why) => Finding::unknown(Code::OutOfScope, why),
    };
    finding.with("scope", &scope.to_value().to_string())
}

pub(super) fn has_type(types: Option<&Value>, name: &str) -> bool {
    match types {
        Some(Value::Array(types)) => types.iter().any(|one| one == name),
        Some(one) => one == name,
        None => false,
    }
}
