//! Requests for endorsements: one profile asks an accreditor here, which approves, declines or
//! asks back.
//!
//! A request belongs to the accreditor that is asked, and both sides see it; nobody else learns
//! that it is there. The row of a request holds what was asked for and the steps since, so that
//! it can be read as it was after any of them. Questions and answers stand there too; reasons stand
//! where those of other changes do. The log commits to all of them and holds none.

mod approving;
mod checks;
mod listing;
mod view;
mod workflow;

use crate::access::Action;
use crate::badges::{DigestMultibase, Scope, SubjectKind};
use crate::entropy::random;
use crate::ids::{EndorsementId, ProfileId, RequestId};
use crate::registry::change::{Tx, log_event_for, stage_reason};
use crate::registry::profiles::id_digest;
use crate::registry::profiles::subjects::Subject;
use crate::registry::{Actor, Change, Expected, Registry, RegistryError};
use crate::store::engine::{Batch, Read};
use crate::store::event::{EventKind, RequestEvent, RequestStep, commitment};
use crate::store::tables::{
    Digest, ENDORSEMENTS, OPEN_REQUESTS, REQUESTS, REQUESTS_BY_REQUESTER, ReasonRecord,
    RecordedStanding, RecordedStep, RequestRecord, Words,
};
use crate::time::Timestamp;
use checks::{check_links, check_new, check_period, check_text};

pub use approving::{Approval, Approved};
pub use listing::{RequestFilter, RequestPage};
pub use view::{RequestView, StepView};
pub use workflow::{RequestSide, RequestState, RequestStateError, StepRefused};

/// A request as somebody makes it.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// Who asks.
    pub requester: ProfileId,
    /// Who is asked.
    pub accreditor: ProfileId,
    /// Id of what is to be endorsed: the requester, or what it made.
    pub subject: String,
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Digest of the version that is to be endorsed, where the endorsement is to be bound to one.
    pub digest: Option<DigestMultibase>,
    /// Name that the endorsement is to have.
    pub name: Option<String>,
    /// What the requester has to say for it, in Markdown.
    pub comment: Option<String>,
    /// Links to what speaks for it.
    pub evidence: Vec<String>,
    /// What the endorsement is to cover; all of the subject where none is given.
    pub scope: Option<Scope>,
    /// From when on it is to hold.
    pub valid_from: Option<Timestamp>,
    /// Until when it is to hold.
    pub valid_until: Option<Timestamp>,
    /// URL of the endorsement that it is to go on from.
    pub renews: Option<String>,
}

/// A step other than approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewStep {
    /// By the accreditor: there will be no endorsement.
    Decline {
        /// Why.
        reason: String,
    },
    /// By the accreditor: something has to be known first.
    Ask {
        /// What.
        question: String,
    },
    /// By the requester, to what was asked.
    Answer {
        /// The answer.
        answer: String,
        /// Links to what speaks for it.
        evidence: Vec<String>,
    },
    /// By the requester: it asks no longer.
    Withdraw {
        /// Why, where it says so.
        reason: Option<String>,
    },
}

impl Registry {
    /// Asks an accreditor for an endorsement of the requester, or of what it made. One request for
    /// the same is open at a time.
    pub fn request_endorsement(
        &self,
        change: &Change,
        new: &NewRequest,
    ) -> Result<RequestView, RegistryError> {
        check_new(new)?;
        let id = self.transact(change, |tx| {
            change
                .actor
                .must(Action::WriteEndorsements, new.requester)?;
            self.stage_request(tx, new)
        })?;
        self.request_after(id, 0)
    }

    /// Takes a step in a request. `expected` is the entity tag that the caller saw.
    pub fn step(
        &self,
        change: &Change,
        id: RequestId,
        step: &NewStep,
        expected: Option<&Expected>,
    ) -> Result<RequestView, RegistryError> {
        let taken = Taken::of(step)?;
        let steps = self.transact(change, |tx| {
            let before = self.may_step(tx.read, change.actor, id, taken.step, expected)?;
            self.stage_step(tx, change.actor, id, &before, &taken)
        })?;
        self.request_after(id, steps)
    }

    fn stage_request(&self, tx: &mut Tx<'_>, new: &NewRequest) -> Result<RequestId, RegistryError> {
        self.accreditor_record(tx.read, new.accreditor)?;
        let sides = (new.requester, new.accreditor);
        let subject = self.requested_subject(tx.read, &new.subject, new.kind, sides)?;
        self.check_version(tx.read, &subject, new.digest)?;
        check_period(new.valid_from, new.valid_until, tx.now)?;
        let renews = match &new.renews {
            Some(url) => Some(self.renewable(tx.read, url, &subject, new)?),
            None => None,
        };
        let open = open_key(new.accreditor, new.requester, &subject.id);
        if let Some(first) = OPEN_REQUESTS.get(tx.read, &open)? {
            return Err(RegistryError::RequestOpen {
                request: self.urls().request(first),
            });
        }
        let id = RequestId::generate(new.accreditor, &*self.entropy);
        let record = RequestRecord {
            requester: new.requester,
            subject: subject.id,
            kind: new.kind,
            digest_multibase: new.digest.map(String::from),
            name: new.name.clone(),
            comment: new.comment.clone(),
            evidence: new.evidence.clone(),
            scope: new.scope.as_ref().map(|scope| scope.to_value().to_string()),
            valid_from: new.valid_from,
            valid_until: new.valid_until,
            renews,
            steps: Vec::new(),
            endorsement: None,
            created_at: tx.now,
        };
        REQUESTS.expect(&mut tx.batch, &id, None);
        REQUESTS.put(&mut tx.batch, &id, &record);
        REQUESTS_BY_REQUESTER.put(&mut tx.batch, &(new.requester, id), &());
        OPEN_REQUESTS.expect(&mut tx.batch, &open, None);
        OPEN_REQUESTS.put(&mut tx.batch, &open, &id);
        tx.log(EventKind::Request {
            request: id,
            event: RequestEvent::Made {
                requester: new.requester,
            },
        });
        Ok(id)
    }

    /// What an accreditor is asked to endorse: a requester speaks for itself, for its achievements,
    /// and for credentials that it issued here. Of what belongs to others it learns nothing.
    fn requested_subject(
        &self,
        read: &dyn Read,
        id: &str,
        kind: SubjectKind,
        (requester, accreditor): (ProfileId, ProfileId),
    ) -> Result<Subject, RegistryError> {
        let subject = match self.subject(read, id, kind) {
            // What is wrong with it may be told of what everybody can see.
            Err(RegistryError::Subject(_)) if !self.is_known(read, id, None)? => None,
            found => Some(found?),
        };
        let Some(subject) = subject.filter(|subject| subject.maker == Some(requester)) else {
            let slug = self.profile_record(read, requester)?.slug;
            return Err(RegistryError::Subject(format!(
                "{id} is no {kind} that {slug} speaks for; a profile asks for itself, for its own \
                 achievements, and for credentials that it issued here"
            )));
        };
        if requester == accreditor {
            return Err(RegistryError::SelfEndorsement);
        }
        Ok(subject)
    }

    /// The endorsement that a request goes on from: by the same accreditor, of the same subject,
    /// and not revoked.
    fn renewable(
        &self,
        read: &dyn Read,
        url: &str,
        subject: &Subject,
        new: &NewRequest,
    ) -> Result<EndorsementId, RegistryError> {
        let wrong = |detail: String| Err(RegistryError::invalid("/renews", detail));
        let id = self.urls().parse_endorsement(url);
        let id = id.filter(|id| id.owner() == new.accreditor);
        let record = match id {
            Some(id) => ENDORSEMENTS.get(read, &id)?,
            None => None,
        };
        match (id, record) {
            (Some(id), Some(record)) if record.subject == subject.id && record.kind == new.kind => {
                match record.standing() {
                    RecordedStanding::Revoked => {
                        wrong(format!("{url} was revoked, and is not renewed; ask anew"))
                    }
                    RecordedStanding::Active | RecordedStanding::Suspended => Ok(id),
                }
            }
            _ => wrong(format!(
                "{url} is no endorsement of {} by the accreditor that is asked",
                subject.id
            )),
        }
    }

    /// Demands that the actor may take this step now, of a request that is as it was seen.
    fn may_step(
        &self,
        read: &dyn Read,
        actor: Actor,
        id: RequestId,
        step: RequestStep,
        expected: Option<&Expected>,
    ) -> Result<RequestRecord, RegistryError> {
        let record = self.request_of(read, actor, id)?;
        let side = workflow::side(step);
        let party = match side {
            RequestSide::Accreditor => id.owner(),
            RequestSide::Requester => record.requester,
        };
        if !actor.may(Action::WriteEndorsements, party) {
            return Err(RegistryError::OtherSide(side));
        }
        if let Some(expected) = expected {
            let present = self.view_request(read, id, record.clone())?.etag;
            if !expected.allows(&present) {
                return Err(RegistryError::ChangedMeanwhile { present });
            }
        }
        let _leads_to = workflow::next(state_of(&record), step)?;
        Ok(record)
    }

    /// Stages a step that was allowed, and says how many there are with it.
    fn stage_step(
        &self,
        tx: &mut Tx<'_>,
        actor: Actor,
        id: RequestId,
        before: &RequestRecord,
        taken: &Taken<'_>,
    ) -> Result<usize, RegistryError> {
        let salt = random(&*self.entropy);
        let words = taken.stage_words(&mut tx.batch, id.owner(), salt);
        let (words, committed) = words.unzip();
        let mut record = before.clone();
        record.steps.push(RecordedStep {
            at: tx.now,
            step: taken.step,
            words,
            evidence: taken.evidence.to_vec(),
        });
        record.endorsement = taken.endorsement;
        let open = state_of(&record).is_open();
        if open && record.stored_bytes() > workflow::MOST_BYTES {
            return Err(StepRefused::Full.into());
        }
        REQUESTS.expect(&mut tx.batch, &id, Some(before));
        REQUESTS.put(&mut tx.batch, &id, &record);
        if !open {
            let open = open_key(id.owner(), record.requester, &record.subject);
            OPEN_REQUESTS.delete(&mut tx.batch, &open);
        }
        let event = RequestEvent::Step(taken.step);
        let kind = EventKind::Request { request: id, event };
        log_event_for(&mut tx.batch, actor, committed, kind, &[record.requester]);
        Ok(record.steps.len())
    }
}

/// A step as it is to be recorded, its texts checked.
struct Taken<'a> {
    step: RequestStep,
    words: Option<&'a str>,
    evidence: &'a [String],
    endorsement: Option<EndorsementId>,
}

impl<'a> Taken<'a> {
    fn of(step: &'a NewStep) -> Result<Self, RegistryError> {
        let (step, pointer, words, evidence): (_, _, _, &[String]) = match step {
            NewStep::Decline { reason } => (RequestStep::Declined, "/reason", Some(reason), &[]),
            NewStep::Ask { question } => (RequestStep::Asked, "/question", Some(question), &[]),
            NewStep::Answer { answer, evidence } => {
                (RequestStep::Answered, "/answer", Some(answer), evidence)
            }
            NewStep::Withdraw { reason } => {
                (RequestStep::Withdrawn, "/reason", reason.as_ref(), &[])
            }
        };
        let words = words.map(String::as_str);
        check_text(words, pointer)?;
        check_links(evidence)?;
        Ok(Self {
            step,
            words,
            evidence,
            endorsement: None,
        })
    }

    /// What the row holds of the words, and what the log commits to. A reason may be erased like
    /// any other; a question and its answer belong to the request.
    fn stage_words(
        &self,
        batch: &mut Batch,
        owner: ProfileId,
        salt: [u8; 16],
    ) -> Option<(Words, Digest)> {
        let text = self.words?;
        if matches!(self.step, RequestStep::Asked | RequestStep::Answered) {
            let text = text.to_owned();
            let committed = commitment(&salt, &text);
            return Some((Words::Here(ReasonRecord { salt, text }), committed));
        }
        let committed = stage_reason(batch, owner, salt, text);
        Some((Words::Reason(committed), committed))
    }
}

/// Whose step it is.
pub(in crate::registry) const fn said_by(step: RequestStep) -> RequestSide {
    workflow::side(step)
}

/// How a stored request stands.
pub(in crate::registry) fn state_of(record: &RequestRecord) -> RequestState {
    workflow::after(record.steps.last().map(|taken| taken.step))
}

/// What a stored request wants to be covered.
fn stored_scope(record: &RequestRecord) -> Option<Scope> {
    let scope = record.scope.as_deref()?;
    Some(serde_json::from_str(scope).expect("a scope is stored as it was read"))
}

/// The key of the one request for the same that can be open.
pub(in crate::registry) fn open_key(
    accreditor: ProfileId,
    requester: ProfileId,
    subject: &str,
) -> ((ProfileId, ProfileId), Digest) {
    ((accreditor, requester), id_digest(subject))
}
