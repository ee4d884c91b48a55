//! The endorsements that a profile holds: those of itself and of its achievements, issued here or
//! brought here.

use serde_json::Value;

use super::imports::{NewImport, Taken};
use crate::access::Action;
use crate::badges::{Endorsement, SubjectKind};
use crate::ids::{AchievementId, EndorsementId, ProfileId};
use crate::json::each;
use crate::registry::signing::StoredEndorsement;
use crate::registry::standing::{EndorsementView, MOST_LOOKED_AT, PAGE};
use crate::registry::{Actor, Change, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{
    ACHIEVEMENTS, ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, EndorsementRecord, Origin,
};
use crate::time::Timestamp;
use crate::vc::securing::Secured;
use crate::verify::{Options, Outside};

/// Which of the endorsements that a profile holds are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeldQuestion {
    /// Those alone that were issued, taken in or changed after this moment.
    pub since: Option<Timestamp>,
    /// How many of them are passed over.
    pub offset: usize,
    /// The most to give.
    pub limit: usize,
}

/// A page of the endorsements that a profile holds.
#[derive(Debug, Clone)]
pub struct HeldPage {
    /// The signed documents: first those of the profile itself, then those of each achievement in
    /// order of its id; of one thing those issued here first. However they stand: each says where
    /// that is found out.
    pub endorsements: Vec<StoredEndorsement>,
    /// How many there are on all pages.
    pub total: usize,
}

/// Of this many things the endorsements are looked up in one go, and of one thing so many.
const AT_A_TIME: usize = 128;
const FEW: usize = 64;

impl Registry {
    /// A page of the endorsements of a profile and of its achievements.
    ///
    /// # Errors
    /// [`RegistryError::TooMany`] where it has more than 10,000 achievements or endorsements.
    pub fn endorsements_held(
        &self,
        actor: Actor,
        profile: ProfileId,
        question: HeldQuestion,
    ) -> Result<HeldPage, RegistryError> {
        actor.must(Action::Read, profile)?;
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let mut held = self.held_rows(read, profile)?;
        if let Some(since) = question.since {
            held.retain(|(_, record)| changed_at(record) > since);
        }
        let shown = held.iter().skip(question.offset).take(question.limit);
        let shown: Vec<EndorsementId> = shown.map(|(id, _)| *id).collect();
        let documents = ENDORSEMENT_DOCUMENTS.multi_get(read, &shown)?;
        let documents = documents.into_iter().flatten().map(StoredEndorsement::of);
        Ok(HeldPage {
            endorsements: documents.collect(),
            total: held.len(),
        })
    }

    /// Takes an endorsement of the actor's own profile, or of one of its achievements. One that was
    /// issued here is here already; for one from elsewhere this is
    /// [`Registry::import_endorsement`].
    ///
    /// # Errors
    /// Those of the import, [`RegistryError::Subject`] for what is about something else, and
    /// [`RegistryError::Invalid`] for credentials that are no endorsements, and for one that says
    /// something else than the one here that has its id.
    pub fn take_in_held(
        &self,
        change: &Change,
        profile: ProfileId,
        credential: Value,
        options: Options<'_>,
        outside: &dyn Outside,
    ) -> Result<(EndorsementView, Taken), RegistryError> {
        change.actor.must(Action::WriteEndorsements, profile)?;
        let secured = Secured::held(credential.clone());
        let secured = secured.map_err(|error| not_taken("", error.to_string()))?;
        check_is_endorsement(secured.claims())?;
        let endorsement = Endorsement::read(secured.claims());
        let endorsement = endorsement.map_err(|error| not_taken("", error.to_string()))?;
        self.check_is_own(&*self.engine.snapshot(), profile, &endorsement.subject)?;
        if let Some(view) = self.issued_here(&secured, &endorsement)? {
            return Ok((view, Taken::Known));
        }
        let kind = None;
        let new = NewImport { credential, kind };
        self.import_endorsement(change, &new, options, outside)
    }

    /// The endorsements that a profile holds, in their order.
    fn held_rows(
        &self,
        read: &dyn Read,
        profile: ProfileId,
    ) -> Result<Vec<(EndorsementId, EndorsementRecord)>, RegistryError> {
        let mut subjects = vec![self.profile_record(read, profile)?.issuer_id];
        let mut after: Option<AchievementId> = None;
        loop {
            let prefix = profile.0.to_be_bytes();
            let rows = ACHIEVEMENTS.scan(read, &prefix, after.as_ref(), PAGE)?;
            subjects.extend(rows.iter().map(|(id, _)| self.urls().achievement(*id)));
            after = rows.last().map(|(id, _)| *id);
            if subjects.len() > MOST_LOOKED_AT {
                return Err(too_many("achievements"));
            }
            if rows.len() < PAGE {
                break;
            }
        }
        let mut held = Vec::new();
        for part in subjects.chunks(AT_A_TIME) {
            let part: Vec<&str> = part.iter().map(String::as_str).collect();
            let found = self.few_by_subject(read, &part, FEW)?;
            for (subject, few) in part.iter().zip(found) {
                match few {
                    Some(few) => held.extend(few),
                    None => {
                        let most = MOST_LOOKED_AT + 1;
                        held.extend(self.rows_by_subject(read, subject, None, most)?);
                    }
                }
                if held.len() > MOST_LOOKED_AT {
                    return Err(too_many("endorsements"));
                }
            }
        }
        Ok(held)
    }

    /// Demands that a thing is the profile, or one of its achievements.
    fn check_is_own(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        id: &str,
    ) -> Result<(), RegistryError> {
        if !self.is_known(read, &self.urls().spelled(id), None)? {
            return Err(RegistryError::Subject(format!(
                "{id} is neither the profile that the token speaks for nor an achievement of it"
            )));
        }
        let kind = match self.profile_with_id(read, id)? {
            Some(_) => SubjectKind::Profile,
            None => SubjectKind::Achievement,
        };
        match self.subject(read, id, kind)?.maker {
            Some(maker) if maker == profile => Ok(()),
            _ => Err(RegistryError::NotYours),
        }
    }

    /// The endorsement that was issued here and that this is, to the letter of what it claims.
    fn issued_here(
        &self,
        secured: &Secured,
        endorsement: &Endorsement,
    ) -> Result<Option<EndorsementView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let Some(id) = self.urls().parse_endorsement(&endorsement.id) else {
            return Ok(None);
        };
        let record = match ENDORSEMENTS.get(&*snapshot, &id)? {
            Some(record) if matches!(record.origin, Origin::Issued { .. }) => record,
            _ => return Ok(None),
        };
        let view = self.view_endorsement(&*snapshot, id, record, None)?;
        match view.credential.secured().unsigned() == secured.unsigned() {
            true => Ok(Some(view)),
            false => Err(not_taken(
                "/id",
                format!(
                    "{} was issued here, and says something else than this one",
                    endorsement.id
                ),
            )),
        }
    }
}

/// When it was issued here, or this version was brought here, or its standing last changed.
fn changed_at(record: &EndorsementRecord) -> Timestamp {
    let version = match &record.origin {
        Origin::Issued { .. } => record.created_at,
        Origin::Imported(imported) => imported.since,
    };
    let last = record.history.last().map_or(version, |change| change.at);
    version.max(last)
}

/// Badges and records of learners are refused by their name: they belong to their holders.
fn check_is_endorsement(claims: &Value) -> Result<(), RegistryError> {
    const ENDORSEMENT: &str = "EndorsementCredential";
    const GENERAL: &str = "VerifiableCredential";
    let types = || each(claims.as_object(), "", "type").filter_map(|(_, kind)| kind.as_str());
    if types().any(|kind| kind == ENDORSEMENT) {
        return Ok(());
    }
    let named = types().find(|kind| *kind != GENERAL).unwrap_or(GENERAL);
    let named: String = named.chars().take(64).collect();
    let detail = format!(
        "this is of type {named}, and what is kept here for a profile is each {ENDORSEMENT} of it \
         and of its achievements; badges and learner records are kept by their holders"
    );
    Err(not_taken("/type", detail))
}

/// The pointer is one into the request of an import, as those are that the import itself gives.
fn not_taken(at: &str, detail: String) -> RegistryError {
    RegistryError::invalid(format!("/verifiableCredential{at}"), detail)
}

fn too_many(what: &str) -> RegistryError {
    RegistryError::TooMany(format!(
        "the profile has more than {MOST_LOOKED_AT} {what}, which are not looked through for one \
         answer; GET /endorsements?subject= lists what endorses one thing, page by page"
    ))
}
