//! Endorsements that were issued elsewhere: verified on the way in, kept with their original proof,
//! and followed, since how they stand is published by who issued them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tracing::warn;

use crate::badges::{Endorsement, Role, Scope, SubjectKind};
use crate::ids::{EndorsementId, ProfileId};
use crate::registry::change::Tx;
use crate::registry::profiles::id_digest;
use crate::registry::profiles::subjects::Subject;
use crate::registry::signing::{StoredEndorsement, to_store};
use crate::registry::standing::EndorsementView;
use crate::registry::{Actor, Change, Outcome, Registry, RegistryError};
use crate::store::engine::{Batch, CommitError};
use crate::store::event::{EndorsementState, Event, EventKind};
use crate::store::tables::{
    Digest, ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, ENDORSEMENTS_BY_SUBJECT, EndorsementRecord,
    IMPORTS, ImportRow, Imported, Origin, RecordedStanding, StandingChange,
};
use crate::time::Timestamp;
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
    standing: RecordedStanding,
}

/// What is kept for a repeated request.
#[derive(Serialize, Deserialize)]
struct Brought {
    id: EndorsementId,
}

impl Registry {
    /// Takes in an endorsement that was issued elsewhere. It is for the subject, or for whoever
    /// made it, to bring it here, and for the operator. The same endorsement brought again is the
    /// one that is here; a newer version of it (same issuer and `id`, later `validFrom`) takes its
    /// place (Open Badges 3.0, equality).
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
    ) -> Result<EndorsementView, RegistryError> {
        // Whoever asks again is not made to wait for others again.
        if let Some(Brought { id }) = self.replayed(&*self.engine.snapshot(), change)? {
            return self.endorsement(id, None);
        }
        let read = self.verified_import(&new.credential, options, outside)?;
        let brought = self.transact(change, |tx| self.stage_import(tx, change, new, &read))?;
        self.endorsement(brought.id, None)
    }

    fn verified_import(
        &self,
        credential: &Value,
        options: Options<'_>,
        outside: &dyn Outside,
    ) -> Result<Read, RegistryError> {
        let secured = Secured::held(credential.clone())
            .map_err(|error| RegistryError::invalid("/verifiableCredential", error.to_string()))?;
        let endorsement = Endorsement::read(secured.claims())
            .map_err(|error| RegistryError::invalid("/verifiableCredential", error.to_string()))?;
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
        let snapshot = self.engine.snapshot();
        let session = outside.session();
        let report = self.report_on(&*snapshot, credential, None, options, &*session);
        let standing = match report.outcome {
            Outcome::Active | Outcome::NotYetValid => RecordedStanding::Active,
            Outcome::Suspended => RecordedStanding::Suspended,
            _ => return Err(RegistryError::NotVerified(words(&report))),
        };
        Ok(Read {
            secured,
            endorsement,
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
        let kind = match new.kind {
            Some(kind) => kind,
            None => self.kind_of(tx, &endorsement.subject)?,
        };
        let subject = self.subject(tx.read, &endorsement.subject, kind)?;
        match subject.maker {
            Some(maker) => change.actor.must_speak_for(maker)?,
            None => change.actor.must_operate()?,
        }
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
            if before.valid_from >= endorsement.valid_from {
                return Ok(Brought { id: *id });
            }
            if before.subject != subject.id {
                let detail = format!("the version that is here is about {}", before.subject);
                let place = "/verifiableCredential/credentialSubject/id";
                return Err(RegistryError::invalid(place, detail));
            }
        }
        let id = match &before {
            Some((id, _)) => *id,
            None => EndorsementId::generate(ProfileId::REGISTRY, &*self.entropy),
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
        ENDORSEMENTS.expect(&mut tx.batch, &id, previous);
        ENDORSEMENTS.put(&mut tx.batch, &id, &record);
        ENDORSEMENT_DOCUMENTS.put(&mut tx.batch, &id, &to_store(&read.secured));
        ENDORSEMENTS_BY_SUBJECT.put(&mut tx.batch, &(id_digest(&subject.id), id), &());
        IMPORTS.put(&mut tx.batch, &key, &ImportRow { endorsement: id });
        tx.log(EventKind::EndorsementImported { endorsement: id });
        Ok(Brought { id })
    }

    /// The endorsement with this `id`, issued here or by this issuer elsewhere and brought here.
    pub(in crate::registry) fn kept_endorsement(
        &self,
        read: &dyn crate::store::engine::Read,
        id: &str,
        issuer: &str,
    ) -> Result<Option<EndorsementId>, RegistryError> {
        if let Some(own) = self.urls().parse_endorsement(id) {
            return Ok(ENDORSEMENTS.get(read, &own)?.map(|_| own));
        }
        let imported = IMPORTS.get(read, &import_key(issuer, id))?;
        Ok(imported.map(|row| row.endorsement))
    }

    /// What kind of thing lives here under an id; of one elsewhere somebody has to say it.
    fn kind_of(&self, tx: &Tx<'_>, subject: &str) -> Result<SubjectKind, RegistryError> {
        if self.profile_with_id(tx.read, subject)?.is_some() {
            return Ok(SubjectKind::Profile);
        }
        if self.is_known(tx.read, &self.urls().spelled(subject), None)? {
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
            valid_from: endorsement.valid_from,
            valid_until: endorsement.valid_until,
            scope: endorsement
                .scope
                .as_ref()
                .map(|scope| scope.to_value().to_string()),
            origin: Origin::Imported(Imported {
                endorser: endorsement.issuer.clone(),
                credential: endorsement.id.clone(),
                by: None,
                checked_at: tx.now,
                fresh_until: tx.now.plus(self.settings.imports_unreachable_after),
            }),
            history: Vec::new(),
            created_at: tx.now,
        }
    }

    /// Asks how the imported endorsements stand that were not asked about for a while, at most
    /// `most` of them. Returns how many answered. One whose issuer does not answer stays as it was
    /// last known until that is too old, and is unreachable from then on.
    pub fn follow_imports(
        &self,
        options: Options<'_>,
        outside: &dyn Outside,
        most: usize,
    ) -> Result<usize, RegistryError> {
        let (mut after, mut asked, mut answered) = (None, 0, 0);
        let prefix = ProfileId::REGISTRY.0.to_be_bytes();
        while asked < most {
            let rows = ENDORSEMENTS.scan(&*self.engine, &prefix, after.as_ref(), 64)?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(*last);
            for (id, record) in rows {
                let Origin::Imported(imported) = &record.origin else {
                    continue;
                };
                let due = imported.checked_at.plus(self.settings.imports_follow) <= self.now();
                if !due || record.standing() == RecordedStanding::Revoked || asked == most {
                    continue;
                }
                asked += 1;
                match self.ask_after(id, options, outside) {
                    Ok(true) => answered += 1,
                    Ok(false) => {}
                    Err(problem) => warn!(endorsement = %id, %problem, "not followed this time"),
                }
            }
        }
        Ok(answered)
    }

    /// Asks how one imported endorsement stands, now; for whoever brought it here, and the
    /// operator. Whether its issuer answered.
    pub fn follow_import(
        &self,
        actor: Actor,
        id: EndorsementId,
        options: Options<'_>,
        outside: &dyn Outside,
    ) -> Result<bool, RegistryError> {
        let record = self.endorsement_record(&*self.engine, id)?;
        match &record.origin {
            Origin::Imported(Imported { by: Some(by), .. }) => actor.must_speak_for(*by)?,
            Origin::Imported(_) => actor.must_operate()?,
            Origin::Issued { .. } => {
                let words = "it was issued here, so that how it stands is known at once";
                return Err(RegistryError::Subject(words.to_owned()));
            }
        }
        self.ask_after(id, options, outside)
    }

    fn ask_after(
        &self,
        id: EndorsementId,
        options: Options<'_>,
        outside: &dyn Outside,
    ) -> Result<bool, RegistryError> {
        let snapshot = self.engine.snapshot();
        let record = self.endorsement_record(&*snapshot, id)?;
        let row = ENDORSEMENT_DOCUMENTS
            .get(&*snapshot, &id)?
            .unwrap_or_default();
        let document = StoredEndorsement::of(row).secured().into_value();
        let session = outside.session();
        let report = self.report_on(&*snapshot, &document, None, options, &*session);
        drop(session);
        let standing = match report.outcome {
            Outcome::Active | Outcome::NotYetValid | Outcome::Expired => RecordedStanding::Active,
            Outcome::Suspended => RecordedStanding::Suspended,
            Outcome::Revoked => RecordedStanding::Revoked,
            _ => return Ok(false),
        };
        let now = self.now();
        let mut after = record.clone();
        let Origin::Imported(imported) = &mut after.origin else {
            return Ok(true);
        };
        imported.checked_at = now;
        imported.fresh_until = now.plus(self.settings.imports_unreachable_after);
        let changed = push_standing(&mut after, standing, now);
        let mut batch = Batch::default();
        ENDORSEMENTS.expect(&mut batch, &id, Some(&record));
        ENDORSEMENTS.put(&mut batch, &id, &after);
        if let Some(state) = changed {
            let event = Event {
                actor: Actor::operator().logged(),
                commitment: None,
                kind: EventKind::EndorsementStatus {
                    endorsement: id,
                    state,
                },
            };
            batch.events.push(event.encode());
        }
        drop(snapshot);
        match self.commit(batch) {
            // A newer version came meanwhile, and was verified on the way in.
            Ok(_) | Err(RegistryError::Commit(CommitError::Conflict)) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// Notes how an endorsement stands from now on, where that is news. A revocation is never taken
/// back, whatever a list says later.
fn push_standing(
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
