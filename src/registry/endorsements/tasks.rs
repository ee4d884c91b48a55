//! What a profile should look at again. The list is made from the present state alone, so that a
//! task is gone when there is nothing left to do.

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;

use super::requests::{open_key, state_of};
use crate::access::Action;
use crate::badges::DigestMultibase;
use crate::ids::{EndorsementId, IdError, ProfileId, RequestId, Slug};
use crate::registry::profiles::id_digest;
use crate::registry::standing::links::Links;
use crate::registry::standing::{MOST_LOOKED_AT, PAGE};
use crate::registry::{Actor, Outcome, Registry, RegistryError, RequestState, Thing};
use crate::store::engine::Read;
use crate::store::tables::{
    ENDORSEMENTS, ENDORSEMENTS_BY_SUBJECT, EndorsementRecord, OPEN_REQUESTS, REQUESTS,
    REQUESTS_BY_REQUESTER, RecordedStanding, RequestRecord,
};
use crate::time::Timestamp;

/// Something to look at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A request waits for a decision.
    Request(WaitingRequest),
    /// A request waits for a decision, and the requester has answered a question.
    Answered(WaitingRequest),
    /// The profile asked for an endorsement, and was asked something.
    Asked(WaitingRequest),
    /// An endorsement is bound to a version of its subject that is no longer the present one.
    StaleDigest {
        /// The endorsement.
        endorsement: EndorsementId,
        /// Id of its subject.
        subject: String,
        /// Digest of the version that was endorsed.
        bound: String,
        /// Digest of the version that is there.
        present: DigestMultibase,
        /// When the subject last changed.
        since: Timestamp,
    },
    /// An endorsement ends soon, and none by the same endorser goes on from it.
    ExpiresSoon {
        /// The endorsement.
        endorsement: EndorsementId,
        /// Id of its subject.
        subject: String,
        /// When it ends.
        until: Timestamp,
    },
}

/// A request that waits for the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingRequest {
    /// The request.
    pub request: RequestId,
    /// `issuer.id` of the other side.
    pub other: String,
    /// Id of what is to be endorsed.
    pub subject: String,
    /// Since when it waits.
    pub since: Timestamp,
}

/// A page of tasks.
#[derive(Debug, Clone)]
pub struct TaskPage {
    /// The tasks: requests first, then endorsements.
    pub tasks: Vec<Task>,
    /// After which place the list goes on, where it does.
    pub next: Option<TaskCursor>,
    /// As of when.
    pub as_of: Timestamp,
}

/// A place in the list of tasks. Text: `queue-ID`, `asked-ID` or `endorsement-ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskCursor {
    /// Among the requests to the profile.
    Queue(RequestId),
    /// Among the requests by the profile.
    Asked(RequestId),
    /// Among its endorsements.
    Endorsement(EndorsementId),
}

/// At most this many other endorsements of one subject are looked at for one that goes on.
const MOST_SUCCESSORS: usize = 1_000;

impl Registry {
    /// What a profile should look at again, for itself or the operator: at most `limit` tasks, after
    /// `after`. Where there is much to look at and little to do, the page is short and has a cursor.
    pub fn tasks(
        &self,
        actor: Actor,
        slug: &Slug,
        after: Option<TaskCursor>,
        limit: usize,
    ) -> Result<TaskPage, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let profile = self.profile_id(read, slug)?;
        if !actor.may(Action::Read, profile) {
            // Who has what to do is nobody else's business.
            return Err(RegistryError::NotFound(Thing::Profile, slug.to_string()));
        }
        let mut page = Gathered {
            tasks: Vec::new(),
            limit,
            looked_at: 0,
            next: None,
        };
        let now = self.now();
        let _full = self.gather(read, profile, after, now, &mut page)?;
        Ok(TaskPage {
            tasks: page.tasks,
            next: page.next,
            as_of: now,
        })
    }

    fn gather(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        after: Option<TaskCursor>,
        now: Timestamp,
        page: &mut Gathered,
    ) -> Result<ControlFlow<()>, RegistryError> {
        let (queue, asked, endorsements) = match after {
            None => (Some(None), Some(None), None),
            Some(TaskCursor::Queue(id)) => (Some(Some(id)), Some(None), None),
            Some(TaskCursor::Asked(id)) => (None, Some(Some(id)), None),
            Some(TaskCursor::Endorsement(id)) => (None, None, Some(id)),
        };
        if let Some(after) = queue
            && self.gather_queue(read, profile, after, page)?.is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(after) = asked
            && self.gather_asked(read, profile, after, page)?.is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        self.gather_endorsements(read, profile, endorsements, now, page)
    }

    /// The open requests to the profile that wait for it.
    fn gather_queue(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        after: Option<RequestId>,
        page: &mut Gathered,
    ) -> Result<ControlFlow<()>, RegistryError> {
        let mut after = match after {
            None => None,
            Some(id) => {
                let record = REQUESTS.get(read, &id)?;
                let record = record.filter(|_| id.owner() == profile);
                let Some(record) = record else {
                    let detail = "this cursor is not one of a Link header";
                    return Err(RegistryError::invalid("?cursor", detail));
                };
                Some(open_key(profile, record.requester, &record.subject))
            }
        };
        loop {
            let rows = OPEN_REQUESTS.scan(read, &profile.0.to_be_bytes(), after.as_ref(), PAGE)?;
            for (key, id) in &rows {
                after = Some(*key);
                let task = match REQUESTS.get(read, id)? {
                    Some(record) if state_of(&record) == RequestState::Requested => {
                        let waiting = self.waiting(read, *id, record.requester, &record)?;
                        Some(match record.steps.is_empty() {
                            true => Task::Request(waiting),
                            false => Task::Answered(waiting),
                        })
                    }
                    _ => None,
                };
                if page.take(TaskCursor::Queue(*id), task).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if rows.len() < PAGE {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    /// The requests by the profile in which it was asked something.
    fn gather_asked(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        mut after: Option<RequestId>,
        page: &mut Gathered,
    ) -> Result<ControlFlow<()>, RegistryError> {
        loop {
            let key = after.map(|id| (profile, id));
            let prefix = profile.0.to_be_bytes();
            let rows = REQUESTS_BY_REQUESTER.scan(read, &prefix, key.as_ref(), PAGE)?;
            for ((_, id), ()) in &rows {
                after = Some(*id);
                let task = match REQUESTS.get(read, id)? {
                    Some(record) if state_of(&record) == RequestState::Asked => {
                        Some(Task::Asked(self.waiting(read, *id, id.owner(), &record)?))
                    }
                    _ => None,
                };
                if page.take(TaskCursor::Asked(*id), task).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if rows.len() < PAGE {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    fn waiting(
        &self,
        read: &dyn Read,
        request: RequestId,
        other: ProfileId,
        record: &RequestRecord,
    ) -> Result<WaitingRequest, RegistryError> {
        let last = record.steps.last();
        Ok(WaitingRequest {
            request,
            other: self.profile_record(read, other)?.issuer_id,
            subject: record.subject.clone(),
            since: last.map_or(record.created_at, |step| step.at),
        })
    }

    /// The endorsements by the profile that its attention would keep in good standing.
    fn gather_endorsements(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        mut after: Option<EndorsementId>,
        now: Timestamp,
        page: &mut Gathered,
    ) -> Result<ControlFlow<()>, RegistryError> {
        loop {
            let prefix = profile.0.to_be_bytes();
            let rows = ENDORSEMENTS.scan(read, &prefix, after.as_ref(), PAGE)?;
            for (id, record) in &rows {
                after = Some(*id);
                let task = self.endorsement_task(read, *id, record, now, page)?;
                if page.take(TaskCursor::Endorsement(*id), task).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if rows.len() < PAGE {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    fn endorsement_task(
        &self,
        read: &dyn Read,
        id: EndorsementId,
        record: &EndorsementRecord,
        now: Timestamp,
        page: &mut Gathered,
    ) -> Result<Option<Task>, RegistryError> {
        let soon = now.plus(self.settings.renewal_notice);
        let ends = record.valid_until.filter(|until| *until <= soon);
        if ends.is_none() && record.digest_multibase.is_none() {
            return Ok(None);
        }
        let present = self.present_version(read, &record.subject)?;
        let subject = record.subject.clone();
        let own = Links::new(self, read, None).link(id, record.clone())?.own;
        let (at, task) = match (own, ends, present) {
            (Outcome::StaleDigest, _, Some((present, since))) => {
                let task = Task::StaleDigest {
                    endorsement: id,
                    subject,
                    bound: record.digest_multibase.clone().unwrap_or_default(),
                    present,
                    since,
                };
                (now, task)
            }
            (Outcome::Active, Some(until), _) => {
                let task = Task::ExpiresSoon {
                    endorsement: id,
                    subject,
                    until,
                };
                (until, task)
            }
            _ => return Ok(None),
        };
        let present = present.map(|(present, _)| present);
        let goes_on = self.goes_on(read, (id, record), present, at, page)?;
        Ok((!goes_on).then_some(task))
    }

    /// Whether another endorsement of the same subject by the same endorser holds at a moment, of
    /// the version that is `present` now and for all that this one covers. Where there are too many
    /// to tell, none does.
    fn goes_on(
        &self,
        read: &dyn Read,
        (id, record): (EndorsementId, &EndorsementRecord),
        present: Option<DigestMultibase>,
        at: Timestamp,
        page: &mut Gathered,
    ) -> Result<bool, RegistryError> {
        let subject = id_digest(&record.subject);
        let prefix = [&subject[..], &id.owner().0.to_be_bytes()].concat();
        let rows = ENDORSEMENTS_BY_SUBJECT.scan(read, &prefix, None, MOST_SUCCESSORS)?;
        for ((_, other_id), other) in rows {
            page.looked_at += 1;
            if other_id == id {
                continue;
            }
            let covers = other.valid_from <= at && other.valid_until.is_none_or(|until| at < until);
            let is_of = |version: DigestMultibase| {
                let bound = other.digest_multibase.as_ref();
                bound.is_none_or(|bound| bound.parse() == Ok(version))
            };
            let holds = covers && other.standing() == RecordedStanding::Active;
            let as_wide = match (record.scope()?, other.scope()?) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(own), Some(other)) => own.is_within(&other).is_ok(),
            };
            if holds && as_wide && other.kind == record.kind && present.is_none_or(is_of) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A page of tasks while it is filled.
struct Gathered {
    tasks: Vec<Task>,
    limit: usize,
    looked_at: usize,
    next: Option<TaskCursor>,
}

impl Gathered {
    /// Takes what a row asks for; breaks where the page ends with it.
    fn take(&mut self, place: TaskCursor, task: Option<Task>) -> ControlFlow<()> {
        self.looked_at += 1;
        self.tasks.extend(task);
        if self.tasks.len() >= self.limit || self.looked_at >= MOST_LOOKED_AT {
            self.next = Some(place);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

impl fmt::Display for TaskCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(id) => write!(f, "queue-{id}"),
            Self::Asked(id) => write!(f, "asked-{id}"),
            Self::Endorsement(id) => write!(f, "endorsement-{id}"),
        }
    }
}

impl FromStr for TaskCursor {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('-') {
            Some(("queue", id)) => id.parse().map(Self::Queue),
            Some(("asked", id)) => id.parse().map(Self::Asked),
            Some(("endorsement", id)) => id.parse().map(Self::Endorsement),
            _ => Err(IdError::Scoped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cursors_survive_their_text(bytes: [u8; 12], which in 0..3) {
            let cursor = match which {
                0 => TaskCursor::Queue(RequestId::from_bytes(bytes)),
                1 => TaskCursor::Asked(RequestId::from_bytes(bytes)),
                _ => TaskCursor::Endorsement(EndorsementId::from_bytes(bytes)),
            };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }
}
