//! Endorsements that were issued elsewhere: verified on the way in, kept with their original proof,
//! and followed, since how they stand is published by who issued them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::access::Action;
use crate::badges::{Endorsement, Role, Scope, SubjectKind};
use crate::ids::{EndorsementId, ProfileId};
use crate::json::each;
use crate::registry::change::Tx;
use crate::registry::profiles::id_digest;
use crate::registry::profiles::subjects::Subject;
use crate::registry::signing::to_store;
use crate::registry::standing::EndorsementView;
use crate::registry::{Actor, Change, Outcome, Quota, Registry, RegistryError};
use crate::store::engine as store;
use crate::store::event::{EndorsementState, EventKind};
use crate::store::tables::{
    CREDENTIALS, Digest, ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, EndorsementRecord, IMPORTS,
    ImportRow, Imported, Origin, RecordedStanding, StandingChange,
};
use crate::time::Timestamp;
use crate::vc::jwt::CredentialJwt;
use crate::vc::securing::Secured;
use crate::verify::{Options, Outside, Report};

/// An endorsement as somebody brings it here.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// The credential with its proof, in its envelope, or as a compact JWS.
    pub credential: Value,
    /// What kind of thing it is about; found out where that lives here.
    pub kind: Option<SubjectKind>,
}

/// What was found out about an endorsement elsewhere.
struct Read {
    secured: Secured,
    endorsement: Endorsement,
    /// From when on it holds, and until when.
    period: (Timestamp, Option<Timestamp>),
    standing: RecordedStanding,
}

/// What an endorsement was to this registry when it was brought here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[must_use]
pub enum Taken {
    /// One that was not here.
    #[default]
    New,
    /// A newer version of one that was here, whose place it took.
    Newer,
    /// One that is here, or an older version of it: nothing was changed.
    Known,
}

/// What is kept for a repeated request.
#[derive(Serialize, Deserialize)]
struct Brought {
    id: EndorsementId,
    /// Answers that an older program kept do not say it.
    #[serde(default)]
    taken: Taken,
}

/// At most this many bytes of one are kept, with its proof.
const MOST_BYTES: usize = 64 << 10;

/// At most this many of one thing that are not over are taken from one who brings them.
pub(in crate::registry) const MOST_BROUGHT: usize = 64;

/// At most this many of one thing are kept, those that are over too.
const MOST_KEPT: usize = 1_000;

impl Registry {
    /// Takes in an endorsement that was issued elsewhere. It is for the subject, or for whoever
    /// made it, to bring it here, and for the operator. The same endorsement brought again is the
    /// one that is here; a newer version of it (same issuer and `id`, later `validFrom`) takes its
    /// place (Open Badges 3.0, equality). Before that moment it is not known any more how it stood,
    /// unless it was revoked.
    ///
    /// It is judged as it is brought: a refresh service is not asked, since what it gives is another
    /// document than the one that is kept.
    ///
    /// # Errors
    /// [`RegistryError::NotVerified`] for what is not proved, not an endorsement, or over; what its
    /// issuer says of its status has to be there to be followed.
    pub fn import_endorsement(
        &self,
        change: &Change,
        new: &NewImport,
        options: Options<'_>,
        outside: &dyn Outside,
    ) -> Result<(EndorsementView, Taken), RegistryError> {
        // Whoever asks again is not made to wait for others again.
        if let Some(Brought { id, taken }) = self.replayed(&*self.engine.snapshot(), change)? {
            return Ok((self.endorsement(id, None)?, taken));
        }
        let (secured, endorsement) = self.readable_import(&new.credential)?;
        // Nor is anybody asked for somebody who may not bring it.
        self.brought(&*self.engine.snapshot(), change.actor, new, &endorsement)?;
        let read = self.verified_import(secured, endorsement, options, outside)?;
        let brought = self.transact(change, |tx| self.stage_import(tx, change, new, &read))?;
        Ok((self.endorsement(brought.id, None)?, brought.taken))
    }

    /// What is brought, by its own word.
    fn readable_import(&self, credential: &Value) -> Result<(Secured, Endorsement), RegistryError> {
        let invalid = |detail: String| RegistryError::invalid("/verifiableCredential", detail);
        let secured =
            Secured::held(credential.clone()).map_err(|error| invalid(error.to_string()))?;
        if to_store(&secured).len() > MOST_BYTES {
            return Err(invalid(format!(
                "an endorsement of at most {MOST_BYTES} bytes is kept; let its issuer leave out \
                 images and other things that can be linked to"
            )));
        }
        let endorsement =
            Endorsement::read(secured.claims()).map_err(|error| invalid(error.to_string()))?;
        if self.would_be_ours(&endorsement.issuer)
            || self.profile_by_id(&endorsement.issuer)?.is_some()
        {
            let detail = "it is by a profile of this registry, where its endorsements are already";
            return Err(RegistryError::invalid(
                "/verifiableCredential/issuer",
                detail,
            ));
        }
        if endorsement.is_of_itself() {
            return Err(RegistryError::SelfEndorsement);
        }
        Ok((secured, endorsement))
    }

    /// What it is about, where the actor may bring it. Of what is not public the refusal is the
    /// same whether it exists here or not.
    fn brought(
        &self,
        read: &dyn store::Read,
        actor: Actor,
        new: &NewImport,
        endorsement: &Endorsement,
    ) -> Result<(SubjectKind, Subject), RegistryError> {
        actor.must_be_able(Action::WriteEndorsements)?;
        let id = &endorsement.subject;
        let kind = match new.kind {
            Some(kind) => kind,
            None => self.kind_of(read, id)?,
        };
        let found = self.subject(read, id, kind);
        let Some(profile) = actor.speaks_as() else {
            return Ok((kind, found?));
        };
        if self.is_known(read, &self.urls().spelled(id), None)? {
            let subject = found?;
            let maker = subject.maker.ok_or(RegistryError::OperatorOnly)?;
            actor.must(Action::WriteEndorsements, maker)?;
            return Ok((kind, subject));
        }
        match found {
            Ok(subject) if self.claims(read, profile, &subject)? => Ok((kind, subject)),
            Ok(_) | Err(RegistryError::Subject(_)) => Err(RegistryError::OperatorOnly),
            Err(error) => Err(error),
        }
    }

    /// Whether a thing that is not public is the profile's, as far as the profile itself says.
    fn claims(
        &self,
        read: &dyn store::Read,
        profile: ProfileId,
        subject: &Subject,
    ) -> Result<bool, RegistryError> {
        let claimed = CREDENTIALS.get(read, &(id_digest(&subject.id), profile))?;
        Ok(claimed.is_some() || subject.maker == Some(profile))
    }

    fn verified_import(
        &self,
        secured: Secured,
        endorsement: Endorsement,
        options: Options<'_>,
        outside: &dyn Outside,
    ) -> Result<Read, RegistryError> {
        let snapshot = self.engine.snapshot();
        let session = outside.session();
        let credential = secured.to_value();
        let report = self.report_on_kept(&*snapshot, &credential, options, &*session);
        let standing = match report.outcome {
            Outcome::Active | Outcome::NotYetValid => RecordedStanding::Active,
            Outcome::Suspended => RecordedStanding::Suspended,
            _ => return Err(RegistryError::NotVerified(words(&report))),
        };
        // One that has not begun, or is suspended, may have another status that is not known.
        if let Some(status) = report
            .status
            .iter()
            .find(|status| !is_known(status.outcome))
        {
            let words = format!("a status of it is {}", status.outcome.as_str());
            return Err(RegistryError::NotVerified(words));
        }
        let period = period(&secured, &endorsement)?;
        if report.outcome == Outcome::NotYetValid && period.0 <= self.now() {
            // Its JWT is of the future (iat).
            return Err(RegistryError::NotVerified(words(&report)));
        }
        Ok(Read {
            secured,
            endorsement,
            period,
            standing,
        })
    }

    fn stage_import(
        &self,
        tx: &mut Tx<'_>,
        change: &Change,
        new: &NewImport,
        read: &Read,
    ) -> Result<Brought, RegistryError> {
        let endorsement = &read.endorsement;
        let (kind, subject) = self.brought(tx.read, change.actor, new, endorsement)?;
        let key = import_key(&endorsement.issuer, &endorsement.id);
        let known = IMPORTS.get(tx.read, &key)?;
        IMPORTS.expect(&mut tx.batch, &key, known.as_ref());
        let before = match known {
            Some(ImportRow { endorsement: id }) => {
                Some((id, self.endorsement_record(tx.read, id)?))
            }
            None => None,
        };
        if let Some((id, before)) = &before {
            if version(before) >= endorsement.valid_from {
                return Ok(Brought {
                    id: *id,
                    taken: Taken::Known,
                });
            }
            if before.subject != subject.id {
                let detail = format!("the version that is here is about {}", before.subject);
                let place = "/verifiableCredential/credentialSubject/id";
                return Err(RegistryError::invalid(place, detail));
            }
        }
        if let Some(brings) = change.actor.speaks_as() {
            tx.use_up(brings, Quota::EndorsementsPerDay, 1)?;
        }
        let id = match &before {
            Some((id, _)) => *id,
            None => {
                self.check_room(tx, change.actor, &subject)?;
                EndorsementId::generate(ProfileId::REGISTRY, &*self.entropy)
            }
        };
        let mut record = self.imported_record(tx, kind, &subject, read);
        if let Origin::Imported(imported) = &mut record.origin {
            imported.by = change.actor.speaks_as();
        }
        if let Some((_, before)) = &before {
            // What was revoked stays revoked, in whatever version.
            record.history = before.history.clone();
            record.created_at = before.created_at;
        }
        push_standing(&mut record, read.standing, tx.now);
        let previous = before.as_ref().map(|(_, before)| before);
        record.put(&mut tx.batch, &id, previous);
        ENDORSEMENT_DOCUMENTS.put(&mut tx.batch, &id, &to_store(&read.secured));
        IMPORTS.put(&mut tx.batch, &key, &ImportRow { endorsement: id });
        let kind = EventKind::EndorsementImported { endorsement: id };
        match change.actor.speaks_as() {
            // It is the affair of whoever brought it, though it belongs to nobody here.
            Some(by) => tx.log_for(by, kind),
            None => tx.log(kind),
        }
        let taken = match before {
            Some(_) => Taken::Newer,
            None => Taken::New,
        };
        Ok(Brought { id, taken })
    }

    /// The endorsement with this `id`, issued here or by this issuer elsewhere and brought here.
    pub(in crate::registry) fn kept_endorsement(
        &self,
        read: &dyn store::Read,
        id: &str,
        issuer: &str,
    ) -> Result<Option<EndorsementId>, RegistryError> {
        if let Some(own) = self.urls().parse_endorsement(id) {
            return Ok(ENDORSEMENTS.get(read, &own)?.map(|_| own));
        }
        let imported = IMPORTS.get(read, &import_key(issuer, id))?;
        Ok(imported.map(|row| row.endorsement))
    }

    /// A cap on what is looked at, rather than an exact number: of several at the same time each
    /// sees those before.
    fn check_room(
        &self,
        tx: &Tx<'_>,
        actor: Actor,
        subject: &Subject,
    ) -> Result<(), RegistryError> {
        let page = self.imports_of(tx.read, &subject.id, None, MOST_KEPT)?;
        let counts = |record: &EndorsementRecord| {
            let by = match &record.origin {
                Origin::Imported(imported) => imported.by,
                Origin::Issued { .. } => None,
            };
            by == actor.speaks_as()
                && record.standing() != RecordedStanding::Revoked
                && record.valid_until.is_none_or(|until| tx.now < until)
        };
        let own = page.iter().filter(|(_, record)| counts(record));
        match page.len() == MOST_KEPT || own.count() >= MOST_BROUGHT {
            true => Err(RegistryError::ImportsFull),
            false => Ok(()),
        }
    }

    /// What kind of thing lives here under an id; of one elsewhere somebody has to say it.
    fn kind_of(&self, read: &dyn store::Read, subject: &str) -> Result<SubjectKind, RegistryError> {
        if self.profile_with_id(read, subject)?.is_some() {
            return Ok(SubjectKind::Profile);
        }
        if self.is_known(read, &self.urls().spelled(subject), None)? {
            return Ok(SubjectKind::Achievement);
        }
        let detail = "nothing in an endorsement says what kind of thing it is about, and this one \
                      does not live here: profile, achievement or credential is needed";
        Err(RegistryError::invalid("/kind", detail))
    }

    fn imported_record(
        &self,
        tx: &Tx<'_>,
        kind: SubjectKind,
        subject: &Subject,
        read: &Read,
    ) -> EndorsementRecord {
        let endorsement = &read.endorsement;
        let roles = endorsement.scope.as_ref().map_or(&[][..], Scope::roles);
        EndorsementRecord {
            subject: subject.id.clone(),
            kind,
            as_issuer: subject.issuer && (roles.is_empty() || roles.contains(&Role::Issuer)),
            // Only what its endorser says makes an accreditor of somebody elsewhere's.
            as_accreditor: subject.accreditor && roles.contains(&Role::Accreditor),
            digest_multibase: endorsement.digest.map(String::from),
            valid_from: read.period.0,
            valid_until: read.period.1,
            scope: endorsement
                .scope
                .as_ref()
                .map(|scope| scope.to_value().to_string()),
            origin: Origin::Imported(Imported {
                endorser: endorsement.issuer.clone(),
                credential: endorsement.id.clone(),
                by: None,
                version: endorsement.valid_from,
                since: tx.now,
                asked_at: tx.now,
                checked_at: tx.now,
                fresh_until: tx.now.plus(self.settings.imports_unreachable_after),
            }),
            history: Vec::new(),
            created_at: tx.now,
        }
    }
}

/// Notes how an endorsement stands from now on, where that is news. A revocation is never taken
/// back, whatever a list says later.
pub(super) fn push_standing(
    record: &mut EndorsementRecord,
    standing: RecordedStanding,
    now: Timestamp,
) -> Option<EndorsementState> {
    let present = record.standing();
    if present == standing || present == RecordedStanding::Revoked {
        return None;
    }
    record.history.push(StandingChange { at: now, standing });
    Some(match standing {
        RecordedStanding::Active => EndorsementState::Reinstated,
        RecordedStanding::Suspended => EndorsementState::Suspended,
        RecordedStanding::Revoked => EndorsementState::Revoked,
    })
}

/// Whether a status is one that its issuer said.
pub(super) const fn is_known(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Unknown | Outcome::Unreachable)
}

/// The `validFrom` of the version that is here.
const fn version(record: &EndorsementRecord) -> Timestamp {
    match &record.origin {
        Origin::Imported(imported) => imported.version,
        Origin::Issued { .. } => record.valid_from,
    }
}

/// From when on it holds, and until when: what secures a credential may begin later than that says
/// and end earlier (`nbf` and `exp` of a JWT, RFC 7519 section 4.1; `expires` of a proof,
/// Data Integrity 1.0 section 2.1, of several the first).
fn period(
    secured: &Secured,
    endorsement: &Endorsement,
) -> Result<(Timestamp, Option<Timestamp>), RegistryError> {
    let (mut from, mut ends) = (
        endorsement.valid_from,
        Vec::from_iter(endorsement.valid_until),
    );
    let invalid = |error: String| RegistryError::invalid("/verifiableCredential", error);
    match secured {
        Secured::Jwt(jwt) => {
            let jwt = CredentialJwt::parse(jwt.as_str()).map_err(|e| invalid(e.to_string()))?;
            from = from.max(jwt.not_before.unwrap_or(from));
            ends.extend(jwt.expires);
        }
        Secured::Embedded(document) => {
            for (_, proof) in each(document.as_object(), "", "proof") {
                if let Some(end) = proof.get("expires") {
                    let end = end.as_str().and_then(|end| end.parse().ok());
                    let wrong = || invalid("the end of a proof (expires) cannot be read".into());
                    ends.push(end.ok_or_else(wrong)?);
                }
            }
        }
    }
    Ok((from, ends.into_iter().min()))
}

/// What an imported endorsement is found by: who issued it, and its `id`.
fn import_key(issuer: &str, id: &str) -> Digest {
    let mut hash = Sha256::new();
    hash.update((issuer.len() as u64).to_be_bytes());
    hash.update(issuer);
    hash.update(id);
    hash.finalize().into()
}

/// Why a report is none of a good endorsement.
fn words(report: &Report) -> String {
    match report.problems.first() {
        Some(problem) => format!("{}: {}", problem.pointer, problem.detail),
        None => format!("the endorsement is {}", report.outcome.as_str()),
    }
}
