//! How endorsements that were issued elsewhere stand by now: their issuers are asked again.

use std::collections::BTreeSet;

use tracing::warn;

use super::imports::{is_known, push_standing};
use crate::access::Action;
use crate::ids::{EndorsementId, ProfileId};
use crate::registry::change::log_event;
use crate::registry::signing::StoredEndorsement;
use crate::registry::{Actor, Outcome, Registry, RegistryError};
use crate::store::engine::{Batch, CommitError};
use crate::store::event::EventKind;
use crate::store::tables::{
    ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, EndorsementRecord, Imported, Origin, RecordedStanding,
};
use crate::time::Timestamp;
use crate::verify::{Options, Outside, Report};

impl Registry {
    /// Asks how the imported endorsements stand that were not asked about for a while, at most
    /// `most` of them: those first that were asked about the longest ago, so that whoever never
    /// answers is no more in the way than others. Returns how many answered. One whose issuer does
    /// not answer stays as it was last known until that is too old, and is unreachable from then
    /// on.
    pub fn follow_imports(
        &self,
        options: Options<'_>,
        outside: &dyn Outside,
        most: usize,
    ) -> Result<usize, RegistryError> {
        let mut answered = 0;
        for (_, id) in self.due_imports(most)? {
            match self.ask_after(id, options, outside) {
                Ok(true) => answered += 1,
                Ok(false) => {}
                Err(problem) => {
                    warn!(endorsement = %id, error = problem.kind(), "not followed this time");
                }
            }
        }
        Ok(answered)
    }

    /// Those that are due, by when they were asked about last.
    fn due_imports(
        &self,
        most: usize,
    ) -> Result<BTreeSet<(Timestamp, EndorsementId)>, RegistryError> {
        let (mut due, mut after) = (BTreeSet::new(), None);
        let prefix = ProfileId::REGISTRY.0.to_be_bytes();
        loop {
            let rows = ENDORSEMENTS.scan(&*self.engine, &prefix, after.as_ref(), 64)?;
            let Some((last, _)) = rows.last() else {
                return Ok(due);
            };
            after = Some(*last);
            for (id, record) in rows {
                let Origin::Imported(imported) = &record.origin else {
                    continue;
                };
                let next = imported.asked_at.plus(self.settings.imports_follow);
                if next <= self.now() && record.standing() != RecordedStanding::Revoked {
                    due.insert((imported.asked_at, id));
                }
                if due.len() > most {
                    due.pop_last();
                }
            }
        }
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
            Origin::Imported(Imported { by: Some(by), .. }) => {
                actor.must(Action::WriteEndorsements, *by)?
            }
            Origin::Imported(_) => actor.must_operate()?,
            Origin::Issued { .. } => {
                actor.must(Action::WriteEndorsements, id.owner())?;
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
        let report = self.report_on_kept(&*snapshot, &document, options, &*session);
        drop((session, snapshot));
        let now = self.now();
        let told = told(&report, &record);
        let mut after = record.clone();
        let Origin::Imported(imported) = &mut after.origin else {
            return Ok(true);
        };
        imported.asked_at = now;
        if told.whole == Whole::Told {
            imported.checked_at = now;
            imported.fresh_until = now.plus(self.settings.imports_unreachable_after);
        }
        let changed = told
            .standing
            .and_then(|standing| push_standing(&mut after, standing, now));
        let mut batch = Batch::default();
        after.put(&mut batch, &id, Some(&record));
        if let Some(state) = changed {
            let kind = EventKind::EndorsementStatus {
                endorsement: id,
                state,
            };
            log_event(&mut batch, Actor::operator(), None, kind);
        }
        match self.commit(batch) {
            // A newer version came meanwhile, and was verified on the way in.
            Ok(_) | Err(RegistryError::Commit(CommitError::Conflict)) => {
                Ok(told.whole == Whole::Told)
            }
            Err(error) => Err(error),
        }
    }
}

/// What an issuer says of an endorsement.
struct Told {
    /// How it stands, as far as that is said.
    standing: Option<RecordedStanding>,
    whole: Whole,
}

/// Whether all is said that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Told,
    InPart,
}

/// What a report tells. A period or a suspension goes before a status that is not known, so that
/// each status is looked at, and a period has to be the one that is recorded.
fn told(report: &Report, record: &EndorsementRecord) -> Told {
    let now_in = |outcome| match outcome {
        Outcome::Active | Outcome::Suspended => true,
        Outcome::NotYetValid => report.verified,
        Outcome::Expired => record.valid_until.is_some(),
        _ => false,
    };
    let known = report.status.iter().all(|status| is_known(status.outcome));
    let whole = match report.outcome == Outcome::Revoked || known && now_in(report.outcome) {
        true => Whole::Told,
        false => Whole::InPart,
    };
    let standing = match report.outcome {
        Outcome::Revoked => Some(RecordedStanding::Revoked),
        Outcome::Suspended => Some(RecordedStanding::Suspended),
        _ if whole == Whole::Told => Some(RecordedStanding::Active),
        _ => None,
    };
    Told { standing, whole }
}
