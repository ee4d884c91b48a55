//! Requests as both sides see them.

use serde_json::json;

use super::{RequestState, state_of, stored_scope};
use crate::access::Action;
use crate::badges::{Scope, SubjectKind};
use crate::ids::{EndorsementId, RequestId};
use crate::registry::profiles::document_digest;
use crate::registry::{Actor, Registry, RegistryError, Thing};
use crate::store::engine::Read;
use crate::store::event::RequestStep;
use crate::store::tables::{REASONS, REQUESTS, RequestRecord, Words};
use crate::time::Timestamp;

/// A request and how it stands.
#[derive(Debug, Clone)]
pub struct RequestView {
    /// Its id.
    pub id: RequestId,
    /// How it stands.
    pub state: RequestState,
    /// `issuer.id` of who asks.
    pub requester: String,
    /// `issuer.id` of who is asked.
    pub accreditor: String,
    /// Id of what is to be endorsed.
    pub subject: String,
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Digest of the version that is to be endorsed.
    pub digest: Option<String>,
    /// Name that the endorsement is to have.
    pub name: Option<String>,
    /// What the requester has to say for it.
    pub comment: Option<String>,
    /// Links to what speaks for it.
    pub evidence: Vec<String>,
    /// What the endorsement is to cover.
    pub scope: Option<Scope>,
    /// From when on it is to hold.
    pub valid_from: Option<Timestamp>,
    /// Until when it is to hold.
    pub valid_until: Option<Timestamp>,
    /// The endorsement that it is to go on from.
    pub renews: Option<EndorsementId>,
    /// What was done since, in order.
    pub steps: Vec<StepView>,
    /// The endorsement that was issued for it.
    pub endorsement: Option<EndorsementId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the last step was taken.
    pub changed_at: Timestamp,
    /// Strong entity tag of this version, with its quotes.
    pub etag: String,
}

/// A step that was taken.
#[derive(Debug, Clone)]
pub struct StepView {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub step: RequestStep,
    /// The question, the answer or the reason, unless there was none or it was erased.
    pub words: Option<String>,
    /// Links that came with an answer.
    pub evidence: Vec<String>,
}

impl Registry {
    /// A request, for either of its sides.
    pub fn request(&self, actor: Actor, id: RequestId) -> Result<RequestView, RegistryError> {
        let snapshot = self.engine.snapshot();
        let record = self.request_of(&*snapshot, actor, id)?;
        self.view_request(&*snapshot, id, record)
    }

    /// The row of a request, for either of its sides; to others there is none.
    pub(super) fn request_of(
        &self,
        read: &dyn Read,
        actor: Actor,
        id: RequestId,
    ) -> Result<RequestRecord, RegistryError> {
        let record = REQUESTS.get(read, &id)?;
        // Who may take a step sees what it is about.
        let is_theirs =
            |side| actor.may(Action::Read, side) || actor.may(Action::WriteEndorsements, side);
        let sees = |record: &RequestRecord| is_theirs(id.owner()) || is_theirs(record.requester);
        record
            .filter(sees)
            .ok_or_else(|| RegistryError::NotFound(Thing::Request, self.urls().request(id)))
    }

    /// A request as it was after so many steps, whatever was done since.
    pub(super) fn request_after(
        &self,
        id: RequestId,
        steps: usize,
    ) -> Result<RequestView, RegistryError> {
        let snapshot = self.engine.snapshot();
        let record = REQUESTS.get(&*snapshot, &id)?;
        let none = || RegistryError::NotFound(Thing::Request, self.urls().request(id));
        let mut record = record.ok_or_else(none)?;
        record.steps.truncate(steps);
        if state_of(&record) != RequestState::Approved {
            record.endorsement = None;
        }
        self.view_request(&*snapshot, id, record)
    }

    pub(super) fn view_request(
        &self,
        read: &dyn Read,
        id: RequestId,
        record: RequestRecord,
    ) -> Result<RequestView, RegistryError> {
        let mut said = Vec::with_capacity(record.steps.len());
        for step in &record.steps {
            let kept = match &step.words {
                Some(Words::Here(words)) => Some(words.clone()),
                Some(Words::Reason(digest)) => REASONS.get(read, &(id.owner(), *digest))?,
                None => None,
            };
            said.push(kept.map(|reason| reason.text));
        }
        let etag = document_digest(&json!([id.to_string(), record, said]));
        let (state, scope) = (state_of(&record), stored_scope(&record));
        let changed_at = record
            .steps
            .last()
            .map_or(record.created_at, |step| step.at);
        let steps = record.steps.into_iter().zip(said);
        let steps = steps.map(|(step, words)| StepView {
            at: step.at,
            step: step.step,
            words,
            evidence: step.evidence,
        });
        Ok(RequestView {
            id,
            state,
            requester: self.profile_record(read, record.requester)?.issuer_id,
            accreditor: self.profile_record(read, id.owner())?.issuer_id,
            subject: record.subject,
            kind: record.kind,
            digest: record.digest_multibase,
            name: record.name,
            comment: record.comment,
            evidence: record.evidence,
            scope,
            valid_from: record.valid_from,
            valid_until: record.valid_until,
            renews: record.renews,
            steps: steps.collect(),
            endorsement: record.endorsement,
            created_at: record.created_at,
            changed_at,
            etag,
        })
    }
}
