//! Approval: the endorsement that was asked for is issued in the batch that closes the request.

use serde_json::Value;

use super::checks::check_period;
use super::{RequestView, Taken, stored_scope};
use crate::badges::{DigestMultibase, Scope};
use crate::ids::{EndorsementId, RequestId};
use crate::registry::change::Tx;
use crate::registry::{Change, EndorsementView, Expected, NewEndorsement, Registry, RegistryError};
use crate::store::event::RequestStep;
use crate::store::tables::RequestRecord;
use crate::time::Timestamp;
use crate::vc::securing::Securing;

/// What the accreditor says of the endorsement. Where it says nothing, it is as was asked for.
#[derive(Debug, Clone, Default)]
pub struct Approval {
    /// Name of the endorsement.
    pub name: Option<String>,
    /// Why, in Markdown. The requester's comment is not the accreditor's, and is never taken.
    pub comment: Option<String>,
    /// From when on it holds.
    pub valid_from: Option<Timestamp>,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// When it was awarded.
    pub awarded_date: Option<Timestamp>,
    /// Whether it gets a `suspension` entry beside the `revocation` entry.
    pub suspendable: bool,
    /// How it is secured.
    pub securing: Securing,
    /// What it covers.
    pub scope: Option<Scope>,
}

/// A request that was approved, and what was issued for it.
#[derive(Debug, Clone)]
pub struct Approved {
    /// The request.
    pub request: RequestView,
    /// The endorsement.
    pub endorsement: EndorsementView,
}

impl Registry {
    /// Approves a request: issues the endorsement and closes the request, in one batch. `expected`
    /// is the entity tag that the caller saw.
    pub fn approve(
        &self,
        change: &Change,
        id: RequestId,
        approval: &Approval,
        expected: Option<&Expected>,
    ) -> Result<Approved, RegistryError> {
        self.request_of(&*self.engine, change.actor, id)?;
        let decide = |tx: &mut Tx<'_>| {
            let step = RequestStep::Approved;
            let (before, new) = self.to_approve(tx, change, id, approval, expected)?;
            let endorsement = self
                .decide_endorsement(tx, change, &new)
                .map_err(in_the_request)?;
            let taken = Taken {
                step,
                words: None,
                evidence: &[],
                endorsement: Some(endorsement),
            };
            let steps = self.stage_step(tx, change.actor, id, &before, &taken)?;
            Ok((endorsement, steps))
        };
        let owner = id.owner();
        let (endorsement, steps): (EndorsementId, usize) =
            self.transact_of(owner, change, decide)?;
        Ok(Approved {
            request: self.request_after(id, steps)?,
            endorsement: self.endorsement(endorsement, None)?,
        })
    }

    /// The endorsement that [`Registry::approve`] would sign, and nothing is written. Its id and the indexes of
    /// its entries are given when it is issued, and will be others.
    ///
    /// # Errors
    /// As that.
    pub fn approval_preview(
        &self,
        change: &Change,
        id: RequestId,
        approval: &Approval,
        expected: Option<&Expected>,
    ) -> Result<Value, RegistryError> {
        self.tried_out(change, |tx| {
            let (_, new) = self.to_approve(tx, change, id, approval, expected)?;
            self.unsigned_endorsement(tx, change, &new)
                .map_err(in_the_request)
        })
    }

    /// A request that can be approved now, and the endorsement that it would give.
    fn to_approve(
        &self,
        tx: &Tx<'_>,
        change: &Change,
        id: RequestId,
        approval: &Approval,
        expected: Option<&Expected>,
    ) -> Result<(RequestRecord, NewEndorsement), RegistryError> {
        let step = RequestStep::Approved;
        let before = self.may_step(tx.read, change.actor, id, step, expected)?;
        let sides = (before.requester, id.owner());
        self.requested_subject(tx.read, &before.subject, before.kind, sides)?;
        let new = asked_for(id, &before, approval, tx.now)?;
        Ok((before, new))
    }
}

/// The endorsement that a request asks for, as the accreditor gives it.
fn asked_for(
    id: RequestId,
    request: &RequestRecord,
    approval: &Approval,
    now: Timestamp,
) -> Result<NewEndorsement, RegistryError> {
    let Some(name) = approval.name.clone().or_else(|| request.name.clone()) else {
        let detail = "the request names no endorsement, so a name is needed here";
        return Err(RegistryError::invalid("/name", detail));
    };
    let valid_from = approval.valid_from.or(request.valid_from);
    let valid_until = approval.valid_until.or(request.valid_until);
    check_period(valid_from, valid_until, now)?;
    let parse = |text: &String| text.parse();
    let digest: Option<DigestMultibase> = request
        .digest_multibase
        .as_ref()
        .map(parse)
        .transpose()
        .expect("a digest is stored as it was read");
    Ok(NewEndorsement {
        endorser: id.owner(),
        subject: request.subject.clone(),
        kind: request.kind,
        digest,
        scope: approval.scope.clone().or_else(|| stored_scope(request)),
        name,
        comment: approval.comment.clone(),
        valid_from,
        valid_until,
        awarded_date: approval.awarded_date,
        suspendable: approval.suspendable,
        securing: approval.securing,
    })
}

/// What is wrong with the subject stands in the request, not in what the accreditor sent.
fn in_the_request(error: RegistryError) -> RegistryError {
    match error {
        RegistryError::Invalid { pointer, detail } if pointer.starts_with("/subject") => {
            RegistryError::Subject(format!(
                "{detail}, and the request is bound to another version: decline it, or ask for a \
                 new one"
            ))
        }
        other => other,
    }
}
