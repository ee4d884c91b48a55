//! Endorsements: who stands behind whom.
//!
//! The standing of an endorsement lives in the bits of the accreditor's own lists, as everyone
//! outside reads it; the record beside it follows in the same batch, with its times.

pub(super) mod accreditors;
pub(super) mod elsewhere;
pub(super) mod embedding;
pub(super) mod following;
pub(super) mod held;
pub(super) mod imports;
pub(super) mod requests;
pub(super) mod tasks;

use serde_json::Value;

use super::change::Tx;
use super::lists::allocation::take_entry;
use super::lists::statuses::{StatusTarget, StatusUpdate, Updated};
use super::profiles::subjects::Subject;
use super::signing::to_store;
use super::standing::EndorsementView;
use super::standing::links::Links;
use super::{Actor, Change, Outcome, Quota, Registry, RegistryError};
use crate::access::Action;
use crate::badges::{DigestMultibase, EndorsementToIssue, Role, Scope, SubjectKind, Wider};
use crate::ids::{EndorsementId, ProfileId, SpaceId};
use crate::status::StatusPurpose;
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{
    ACCREDITORS, ENDORSEMENT_DOCUMENTS, EndorsementRecord, HOLDERS, Holder, Origin, ProfileRecord,
    RecordedStanding, StandingChange, TO_SIGN, ToSignRecord,
};
use crate::time::Timestamp;
use crate::vc::securing::Securing;

/// An endorsement as an accreditor asks for it.
#[derive(Debug, Clone)]
pub struct NewEndorsement {
    /// Who endorses.
    pub endorser: ProfileId,
    /// Id of the endorsed thing, hosted here or elsewhere.
    pub subject: String,
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Digest of the endorsed version, where the endorsement is bound to one.
    pub digest: Option<DigestMultibase>,
    /// What it covers; all of its subject where there is none.
    pub scope: Option<Scope>,
    /// Name of the endorsement.
    pub name: String,
    /// Why, in Markdown.
    pub comment: Option<String>,
    /// From when on it holds; from now where none is given.
    pub valid_from: Option<Timestamp>,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// When it was awarded.
    pub awarded_date: Option<Timestamp>,
    /// Whether it gets a `suspension` entry beside the `revocation` entry.
    pub suspendable: bool,
    /// How it is secured.
    pub securing: Securing,
}

/// What is done to an endorsement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndorsementAction {
    /// Withdraw it for ever.
    Revoke,
    /// Withdraw it for the time being.
    Suspend,
    /// End a suspension.
    Reinstate,
}

impl EndorsementAction {
    /// What it makes of an endorsement.
    pub(super) const fn standing(self) -> RecordedStanding {
        match self {
            Self::Revoke => RecordedStanding::Revoked,
            Self::Suspend => RecordedStanding::Suspended,
            Self::Reinstate => RecordedStanding::Active,
        }
    }
}

impl Registry {
    /// Issues an endorsement: the credential with its status entry is signed, verified and stored
    /// with its indexes in one batch.
    pub fn endorse(
        &self,
        change: &Change,
        new: &NewEndorsement,
    ) -> Result<EndorsementView, RegistryError> {
        let decide = |tx: &mut Tx<'_>| self.decide_endorsement(tx, change, new);
        let id = self.transact_of(new.endorser, change, decide)?;
        self.endorsement(id, None)
    }

    /// The endorsement that [`Registry::endorse`] would sign, and nothing is written. Its id and the indexes of
    /// its entries are given when it is issued, and will be others.
    ///
    /// # Errors
    /// As that.
    pub fn endorsement_preview(
        &self,
        change: &Change,
        new: &NewEndorsement,
    ) -> Result<Value, RegistryError> {
        self.tried_out(change, |tx| self.unsigned_endorsement(tx, change, new))
    }

    /// Checks an endorsement and stages it with this change. The caller is in the endorser's lane.
    pub(super) fn decide_endorsement(
        &self,
        tx: &mut Tx<'_>,
        change: &Change,
        new: &NewEndorsement,
    ) -> Result<EndorsementId, RegistryError> {
        let decided = self.decide(tx, change, new)?;
        let endorser = &decided.endorser;
        let (unsigned, form) = (&decided.unsigned, new.securing);
        let signed = self.sign_in(tx, new.endorser, endorser, unsigned, form)?;
        let Decided { id, record, .. } = decided;
        record.put(&mut tx.batch, &id, None);
        ENDORSEMENT_DOCUMENTS.put(&mut tx.batch, &id, &to_store(&signed.secured));
        tx.log(EventKind::EndorsementIssued { endorsement: id });
        Ok(id)
    }

    /// As [`Registry::decide_endorsement`], for an endorser who signs elsewhere: it waits for that.
    fn decide_endorsement_to_sign(
        &self,
        tx: &mut Tx<'_>,
        change: &Change,
        new: &NewEndorsement,
    ) -> Result<EndorsementId, RegistryError> {
        let Decided {
            id,
            unsigned,
            record,
            ..
        } = self.decide(tx, change, new)?;
        let waiting = ToSignRecord {
            unsigned: unsigned.to_string(),
            record: Some(record),
        };
        TO_SIGN.expect(&mut tx.batch, &id, None);
        TO_SIGN.put(&mut tx.batch, &id, &waiting);
        Ok(id)
    }

    pub(super) fn unsigned_endorsement(
        &self,
        tx: &mut Tx<'_>,
        change: &Change,
        new: &NewEndorsement,
    ) -> Result<Value, RegistryError> {
        Ok(self.decide(tx, change, new)?.unsigned)
    }

    fn decide(
        &self,
        tx: &mut Tx<'_>,
        change: &Change,
        new: &NewEndorsement,
    ) -> Result<Decided, RegistryError> {
        change.actor.must(Action::WriteEndorsements, new.endorser)?;
        let endorser = self.accreditor_record(tx.read, new.endorser)?;
        let subject = self.subject(tx.read, &new.subject, new.kind)?;
        if subject.maker == Some(new.endorser) {
            return Err(RegistryError::SelfEndorsement);
        }
        self.check_version(tx.read, &subject, new.digest)?;
        check_roles(new, &subject)?;
        tx.use_up(new.endorser, Quota::EndorsementsPerDay, 1)?;
        // A decision about the endorser that is made meanwhile goes first.
        let standing = ACCREDITORS.get(tx.read, &new.endorser)?;
        ACCREDITORS.expect(&mut tx.batch, &new.endorser, standing.as_ref());
        self.check_scope(tx, new.scope.as_ref(), &endorser)?;
        self.stage_endorsement(tx, new, endorser, &subject)
    }

    /// A profile that may endorse now.
    pub(super) fn accreditor_record(
        &self,
        read: &dyn Read,
        id: ProfileId,
    ) -> Result<ProfileRecord, RegistryError> {
        let record = self.profile_record(read, id)?;
        if !record.accreditor {
            return Err(RegistryError::RoleMissing(record.slug, "accreditor"));
        }
        let role = self.accreditor_of(read, id, &record)?;
        match role.standing(None) {
            Outcome::Suspended => Err(RegistryError::AccreditorSuspended(record.slug)),
            _ => Ok(record),
        }
    }

    /// Demands that the version which is to be endorsed is the one that is there, where the
    /// subject lives here.
    pub(super) fn check_version(
        &self,
        read: &dyn Read,
        subject: &Subject,
        bound: Option<DigestMultibase>,
    ) -> Result<(), RegistryError> {
        let present = self.present_version(read, &subject.id)?;
        if let (Some(bound), Some((present, _))) = (bound, present)
            && bound != present
        {
            let detail = format!("the digest of {} as it is now is {present}", subject.id);
            return Err(RegistryError::invalid("/subject/digestMultibase", detail));
        }
        Ok(())
    }

    /// Nobody passes on more than was given: an accreditor that was limited, by one here that still
    /// stands, endorses within what an endorsement in force covers, and does not get rid of the
    /// limits by their end. One that was never limited has its role from the registry alone.
    fn check_scope(
        &self,
        tx: &Tx<'_>,
        scope: Option<&Scope>,
        endorser: &ProfileRecord,
    ) -> Result<(), RegistryError> {
        let links = Links::new(self, tx.read, None);
        let known = links.of(&links.who(&endorser.issuer_id))?;
        let given_here = known.links.iter().filter(|link| {
            link.carries(false)
                && link.lent == Outcome::Active
                && matches!(link.record.origin, Origin::Issued { .. })
        });
        let mut refused = None;
        for link in given_here {
            let in_force = link.outcome() == Outcome::Active;
            let passed_on = match &link.scope {
                None => Ok(()),
                Some(own) => own.lets_pass_on(scope),
            };
            match passed_on {
                Ok(()) if in_force => return Ok(()),
                Ok(()) => {}
                Err(wider) => refused = Some((link, wider)),
            }
            if !in_force && link.scope.is_some() && refused.is_none() {
                let member = "";
                let reason = format!("what limits it is {}", link.outcome().as_str());
                refused = Some((link, Wider { member, reason }));
            }
        }
        match refused {
            None => Ok(()),
            Some((link, wider)) => Err(RegistryError::ScopeTooWide {
                endorsement: self.urls().endorsement(link.id),
                member: wider.member,
                reason: wider.reason,
            }),
        }
    }

    /// Takes an entry for an endorsement, and says what is to be signed and kept of it.
    fn stage_endorsement(
        &self,
        tx: &mut Tx<'_>,
        new: &NewEndorsement,
        endorser: ProfileRecord,
        subject: &Subject,
    ) -> Result<Decided, RegistryError> {
        let mut purposes = vec![StatusPurpose::Revocation];
        purposes.extend(new.suspendable.then_some(StatusPurpose::Suspension));
        let mut opened = self.entry_space(tx, new.endorser, &purposes)?;
        opened.record.endorsements = true;
        let index = take_entry(tx, &opened)?;
        opened.stage(tx);
        let entries = purposes.iter();
        let entries = entries.map(|purpose| self.entry_in(tx.read, &opened, purpose, index));
        let entries: Vec<Value> = entries.collect::<Result<_, RegistryError>>()?;

        let id = EndorsementId::generate(new.endorser, &*self.entropy);
        let valid_from = new.valid_from.unwrap_or(tx.now).whole_seconds();
        check_words(new)?;
        if new.valid_until.is_some_and(|until| until <= valid_from) {
            let detail = "the end has to come after the beginning, validFrom";
            return Err(RegistryError::invalid("/validUntil", detail));
        }
        let unsigned = EndorsementToIssue {
            id: &self.urls().endorsement(id),
            issuer: endorser.profile().issuer(&endorser.issuer_id),
            name: &new.name,
            valid_from,
            valid_until: new.valid_until,
            awarded: new.awarded_date,
            subject: &subject.id,
            comment: new.comment.as_deref(),
            status: &entries,
            digest: new.digest,
            scope: new.scope.as_ref(),
        }
        .build();
        let entry = (opened.id, index.get() as u32);
        let covers = |role: Role| {
            let roles = new.scope.as_ref().map_or(&[][..], Scope::roles);
            roles.is_empty() || roles.contains(&role)
        };
        let role = self.accreditor_of(tx.read, new.endorser, &endorser)?;
        let record = EndorsementRecord {
            subject: subject.id.clone(),
            kind: new.kind,
            as_issuer: subject.issuer && covers(Role::Issuer),
            as_accreditor: subject.accreditor && covers(Role::Accreditor),
            digest_multibase: new.digest.map(String::from),
            valid_from,
            valid_until: new.valid_until,
            scope: new.scope.as_ref().map(|scope| scope.to_value().to_string()),
            origin: Origin::Issued {
                entry,
                suspendable: new.suspendable,
                term: role.term(),
            },
            history: Vec::new(),
            created_at: tx.now,
        };
        HOLDERS.put(&mut tx.batch, &entry, &Holder::Endorsement(id));
        Ok(Decided {
            id,
            endorser,
            unsigned,
            record,
        })
    }

    /// Revokes, suspends or reinstates an endorsement, by the bits of its entries.
    pub fn change_endorsement(
        &self,
        change: &Change,
        id: EndorsementId,
        action: EndorsementAction,
        reason: Option<String>,
    ) -> Result<EndorsementView, RegistryError> {
        let record = self.endorsement_record(&*self.engine, id)?;
        change.actor.must(Action::WriteEndorsements, id.owner())?;
        let (purpose, status) = match action {
            EndorsementAction::Revoke => (StatusPurpose::Revocation, 1),
            EndorsementAction::Suspend => (StatusPurpose::Suspension, 1),
            EndorsementAction::Reinstate => (StatusPurpose::Suspension, 0),
        };
        let snapshot = self.engine.snapshot();
        if let Some(done) = self.replayed::<Updated>(&*snapshot, change)? {
            return self.view_after(id, &record, action, &done);
        }
        let (space, index) = check_action(&record, action)?;
        let list = self.plane(&*self.engine, space, &purpose)?;
        let update = StatusUpdate {
            target: StatusTarget::Index(index.into()),
            status,
        };
        let done = self.update_statuses(change, list, vec![update], reason)?;
        self.view_after(id, &record, action, &done)
    }

    /// Whether an action would change an endorsement's own status.
    ///
    /// # Errors
    /// Those of [`Registry::change_endorsement`], for an action that cannot be taken.
    pub fn would_change(
        &self,
        actor: Actor,
        id: EndorsementId,
        action: EndorsementAction,
    ) -> Result<bool, RegistryError> {
        let record = self.endorsement_record(&*self.engine, id)?;
        actor.must(Action::WriteEndorsements, id.owner())?;
        check_action(&record, action)?;
        Ok(record.standing() != action.standing())
    }

    /// An endorsement as a change left it, whatever was done to it since.
    fn view_after(
        &self,
        id: EndorsementId,
        record: &EndorsementRecord,
        action: EndorsementAction,
        done: &Updated,
    ) -> Result<EndorsementView, RegistryError> {
        let after = EndorsementRecord {
            history: vec![StandingChange {
                at: done.at,
                standing: action.standing(),
            }],
            ..record.clone()
        };
        self.view_endorsement(&*self.engine, id, after, None)
    }
}

/// An endorsement that was decided and has its entry, before it is signed.
struct Decided {
    id: EndorsementId,
    endorser: ProfileRecord,
    unsigned: Value,
    record: EndorsementRecord,
}

/// Whether the subject has the roles that it is to be endorsed for, as far as that is known here.
fn check_roles(new: &NewEndorsement, subject: &Subject) -> Result<(), RegistryError> {
    for role in new.scope.iter().flat_map(Scope::roles) {
        let (held, name) = match role {
            Role::Issuer => (subject.issuer, "issuer"),
            Role::Accreditor => (subject.accreditor, "accreditor"),
        };
        if new.kind != SubjectKind::Profile {
            let detail = "a role is what a profile is endorsed for";
            return Err(RegistryError::invalid("/scope/role", detail));
        }
        if subject.maker.is_some() && !held {
            let detail = format!("{} does not have the role {name} here", subject.id);
            return Err(RegistryError::invalid("/scope/role", detail));
        }
    }
    Ok(())
}

/// The entry that an action changes, where it can be done.
pub(super) fn check_action(
    record: &EndorsementRecord,
    action: EndorsementAction,
) -> Result<(SpaceId, u32), RegistryError> {
    let Origin::Issued { entry, .. } = record.origin else {
        return Err(RegistryError::IssuedElsewhere);
    };
    if action != EndorsementAction::Revoke {
        if record.standing() == RecordedStanding::Revoked {
            let words = "this endorsement was revoked, and a revocation is never taken back";
            return Err(RegistryError::Irreversible(words.into()));
        }
        if !record.is_suspendable() {
            return Err(RegistryError::NotSuspendable);
        }
    }
    Ok(entry)
}

/// The name says something, and no text holds what cannot be shown.
fn check_words(new: &NewEndorsement) -> Result<(), RegistryError> {
    let unshown = |text: &str| text.contains(|c: char| c.is_control() && !"\n\r\t".contains(c));
    if new.name.trim().is_empty() || unshown(&new.name) {
        let detail = "a name is needed, without control characters";
        return Err(RegistryError::invalid("/name", detail));
    }
    if new.comment.as_deref().is_some_and(unshown) {
        let detail = "control characters cannot be shown";
        return Err(RegistryError::invalid("/endorsementComment", detail));
    }
    Ok(())
}
