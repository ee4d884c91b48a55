//! Accreditors: what the registry decides about them. What they endorsed follows at look-up, so
//! that one row is all that changes, however much rests on it.

use crate::entropy::random;
use crate::ids::{ProfileId, Slug};
use crate::registry::change::{Tx, log_event, stage_reason};
use crate::registry::standing::rows_by_owner;
use crate::registry::{Change, Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::event::{EndorsementState, EventKind};
use crate::store::tables::{
    ACCREDITORS, AccreditorChange, AccreditorRecord, AccreditorStanding, PROFILES, ProfileRecord,
};
use crate::time::Timestamp;

/// What the registry does about an accreditor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccreditorAction {
    /// What it endorsed does not count for the time being, and it endorses nothing.
    Suspend,
    /// End a suspension.
    Reinstate,
    /// Take the role from it: what it endorsed until now never counts again.
    Remove,
}

/// The accreditor role of a profile over time.
#[derive(Debug, Clone, Default)]
pub(in crate::registry) struct Accreditor {
    history: Vec<AccreditorChange>,
}

impl Accreditor {
    /// The role by its row, and without one by the profile's own.
    pub(in crate::registry) fn of(row: Option<AccreditorRecord>, profile: &ProfileRecord) -> Self {
        Self {
            history: row.map_or_else(|| from_the_start(profile), |row| row.history),
        }
    }

    /// How the role stands at `at` or now: `not-endorsed` where it was never given by then.
    pub(in crate::registry) fn standing(&self, at: Option<Timestamp>) -> Outcome {
        let last = self.by(at).last();
        last.map_or(Outcome::NotEndorsed, |change| outcome(change.standing))
    }

    /// What the role lends to an endorsement of its `term`, at `at` or now: `revoked` once the role
    /// was taken, also where it was given anew.
    pub(in crate::registry) fn lends(&self, term: u32, at: Option<Timestamp>) -> Outcome {
        if removals(self.by(at)) > term {
            return Outcome::Revoked;
        }
        self.standing(at)
    }

    /// How often the role has been taken.
    pub(in crate::registry) fn term(&self) -> u32 {
        removals(&self.history)
    }

    fn by(&self, at: Option<Timestamp>) -> &[AccreditorChange] {
        let Some(at) = at else {
            return &self.history;
        };
        &self.history[..self.history.partition_point(|change| change.at <= at)]
    }
}

fn removals(history: &[AccreditorChange]) -> u32 {
    let removed = |change: &&AccreditorChange| change.standing == AccreditorStanding::Removed;
    history.iter().filter(removed).count() as u32
}

impl Registry {
    /// Suspends, reinstates or removes an accreditor. What rests on it follows at once, and comes
    /// back with a reinstatement; no other record is touched.
    ///
    /// # Errors
    /// The operator alone decides. Only who holds the role can be suspended or lose it, and only a
    /// suspension is taken back.
    pub fn change_accreditor(
        &self,
        change: &Change,
        slug: &Slug,
        action: AccreditorAction,
        reason: Option<&str>,
    ) -> Result<Outcome, RegistryError> {
        self.transact(change, |tx| {
            let id = self.profile_id(tx.read, slug)?;
            change.actor.must_operate()?;
            let record = self.profile_record(tx.read, id)?;
            let present = self.accreditor_of(tx.read, id, &record)?.standing(None);
            let Some(standing) = decide(slug, present, action)? else {
                return Ok(present);
            };
            if standing == AccreditorStanding::Removed {
                let after = ProfileRecord {
                    accreditor: false,
                    changed_at: tx.now,
                    ..record.clone()
                };
                PROFILES.expect(&mut tx.batch, &id, Some(&record));
                PROFILES.put(&mut tx.batch, &id, &after);
            }
            self.stage_accreditor(tx, change, (id, &record), standing, reason)?;
            Ok(outcome(standing))
        })
    }

    /// How an accreditor stands at `at` or now.
    pub fn accreditor_standing(
        &self,
        slug: &Slug,
        at: Option<Timestamp>,
    ) -> Result<Outcome, RegistryError> {
        let snapshot = self.engine.snapshot();
        let id = self.profile_id(&*snapshot, slug)?;
        Ok(self.accreditor(&*snapshot, id)?.standing(at))
    }

    /// The accreditor role of a profile.
    pub(in crate::registry) fn accreditor(
        &self,
        read: &dyn Read,
        id: ProfileId,
    ) -> Result<Accreditor, RegistryError> {
        self.accreditor_of(read, id, &self.profile_record(read, id)?)
    }

    pub(in crate::registry) fn accreditor_of(
        &self,
        read: &dyn Read,
        id: ProfileId,
        record: &ProfileRecord,
    ) -> Result<Accreditor, RegistryError> {
        Ok(Accreditor::of(ACCREDITORS.get(read, &id)?, record))
    }

    /// The history of a profile about which nothing is kept. One that has not the role and has
    /// endorsed had it, and lost it before such things were kept.
    fn kept_before(
        &self,
        read: &dyn Read,
        id: ProfileId,
        record: &ProfileRecord,
    ) -> Result<Vec<AccreditorChange>, RegistryError> {
        let endorsed = !rows_by_owner(read, Some(id), None, 1)?.is_empty();
        if record.accreditor || !endorsed {
            return Ok(from_the_start(record));
        }
        let change = |at, standing| AccreditorChange { at, standing };
        Ok(vec![
            change(record.created_at, AccreditorStanding::Held),
            change(record.changed_at, AccreditorStanding::Removed),
        ])
    }

    /// Stages one decision, on the profile as it is before it.
    pub(in crate::registry) fn stage_accreditor(
        &self,
        tx: &mut Tx<'_>,
        change: &Change,
        (id, before): (ProfileId, &ProfileRecord),
        standing: AccreditorStanding,
        reason: Option<&str>,
    ) -> Result<(), RegistryError> {
        let present = ACCREDITORS.get(tx.read, &id)?;
        ACCREDITORS.expect(&mut tx.batch, &id, present.as_ref());
        let mut history = match present {
            Some(present) => present.history,
            None => self.kept_before(tx.read, id, before)?,
        };
        history.push(AccreditorChange {
            at: tx.now,
            standing,
        });
        ACCREDITORS.put(&mut tx.batch, &id, &AccreditorRecord { history });
        let state = match standing {
            AccreditorStanding::Held => EndorsementState::Reinstated,
            AccreditorStanding::Suspended => EndorsementState::Suspended,
            AccreditorStanding::Removed => EndorsementState::Revoked,
        };
        let kind = EventKind::AccreditorStanding { profile: id, state };
        let owner = kind.reason_owner(&[]);
        let reason =
            reason.map(|text| stage_reason(&mut tx.batch, owner, random(&*self.entropy), text));
        log_event(&mut tx.batch, change.actor, reason, kind);
        Ok(())
    }
}

pub(in crate::registry) const fn outcome(standing: AccreditorStanding) -> Outcome {
    match standing {
        AccreditorStanding::Held => Outcome::Active,
        AccreditorStanding::Suspended => Outcome::Suspended,
        AccreditorStanding::Removed => Outcome::Revoked,
    }
}

/// What an action makes of how an accreditor stands; none where it stands so already.
pub(in crate::registry) fn decide(
    slug: &Slug,
    present: Outcome,
    action: AccreditorAction,
) -> Result<Option<AccreditorStanding>, RegistryError> {
    let wanted = match action {
        AccreditorAction::Suspend => AccreditorStanding::Suspended,
        AccreditorAction::Reinstate => AccreditorStanding::Held,
        AccreditorAction::Remove => AccreditorStanding::Removed,
    };
    match present {
        Outcome::NotEndorsed => Err(RegistryError::RoleMissing(slug.clone(), "accreditor")),
        present if present == outcome(wanted) => Ok(None),
        Outcome::Revoked => Err(RegistryError::Irreversible(format!(
            "the role accreditor was taken from {slug}, and what it endorsed until then stays \
             without it; give it the role again for what it endorses from now on"
        ))),
        _ => Ok(Some(wanted)),
    }
}

/// The history of a profile about which nothing was decided: the role since it was registered, or
/// none.
fn from_the_start(record: &ProfileRecord) -> Vec<AccreditorChange> {
    let held = record.accreditor.then_some(AccreditorChange {
        at: record.created_at,
        standing: AccreditorStanding::Held,
    });
    held.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccreditorStanding::{Held, Removed, Suspended};

    fn accreditor(history: &[(i64, AccreditorStanding)]) -> Accreditor {
        let change = |&(at, standing): &(i64, AccreditorStanding)| AccreditorChange {
            at: Timestamp::from_millis(at),
            standing,
        };
        Accreditor {
            history: history.iter().map(change).collect(),
        }
    }

    #[test]
    fn a_suspension_is_lifted_and_a_removal_is_not() {
        let role = accreditor(&[
            (10, Held),
            (20, Suspended),
            (30, Held),
            (40, Removed),
            (50, Held),
        ]);
        let at = |millis| Some(Timestamp::from_millis(millis));
        for (moment, standing, first, second) in [
            (9, "not-endorsed", "not-endorsed", "not-endorsed"),
            (10, "active", "active", "active"),
            (20, "suspended", "suspended", "suspended"),
            (30, "active", "active", "active"),
            (40, "revoked", "revoked", "revoked"),
            (50, "active", "revoked", "active"),
        ] {
            let told = |term| role.lends(term, at(moment)).as_str();
            assert_eq!(role.standing(at(moment)).as_str(), standing, "at {moment}");
            assert_eq!((told(0), told(1)), (first, second), "at {moment}");
        }
        assert_eq!(role.term(), 1);
        assert_eq!(role.lends(0, None), Outcome::Revoked);
        assert_eq!(role.lends(1, None), Outcome::Active);
    }
}
