//! Look-ups of status: by list and index, and by credential, now or at a moment in the past. They
//! show every acknowledged change at once, also before the signed list does.

use super::access::{HistoryTold, WithheldFrom};
use super::allocation::space_of;
use super::history::{Past, entry_at};
use super::staged::stored_page;
use crate::access::Action;
use crate::bitstring::{IndexOutOfRange, StatusIndex, get_in_page, page_of};
use crate::ids::{ListId, ProfileId, Revision, SpaceId};
use crate::registry::lists::{in_token, list_of};
use crate::registry::profiles::id_digest;
use crate::registry::{Actor, Outcome, Registry, RegistryError, Thing};
use crate::status::{Effect, StatusPurpose};
use crate::store::engine::Read;
use crate::store::tables::{
    CREDENTIALS, Carried, CredentialRecord, Digest, LIST_STATES, ListRecord, SpaceRecord,
};
use crate::time::Timestamp;

/// What an entry says, or why it says nothing.
#[derive(Debug, Clone)]
pub struct StatusAnswer {
    /// The value of the entry.
    pub status: u8,
    /// What the list's bits mean.
    pub purpose: StatusPurpose,
    /// How it stands, as far as this list says.
    pub outcome: Outcome,
    /// What the value means, where the list has messages (`statusMessage`).
    pub message: Option<String>,
    /// The list's revision that was read: the one in force at the moment asked for.
    pub revision: Revision,
}

/// Why an entry cannot be told. Distinct from any status.
#[derive(Debug, Clone, PartialEq)]
pub enum StatusUnknown {
    /// The list is not one of this registry.
    Elsewhere(String),
    /// The list would be here, and is not.
    NoList(String),
    /// The list has no such index.
    OutOfRange(IndexOutOfRange),
    /// Nothing is known of the credential, or nothing that the caller may know, or nothing was at
    /// the moment asked for.
    NoCredential(String),
    /// The list had not been opened at the moment asked for.
    BeforeList {
        /// URL of the list.
        list: String,
        /// When it was opened.
        opened: Timestamp,
    },
    /// What the list said at the moment asked for is not held.
    NotHeld {
        /// URL of the list.
        list: String,
        /// The moment.
        at: Timestamp,
    },
    /// The issuer does not tell who asks what its lists said in the past.
    Withheld {
        /// URL of the list.
        list: String,
        /// From whom it withholds that.
        from: WithheldFrom,
    },
}

/// One question of many.
#[derive(Debug, Clone)]
pub enum StatusQuestion {
    /// By place.
    Entry {
        /// URL of the list.
        list: String,
        /// The index.
        index: u64,
    },
    /// By id of the credential.
    Credential {
        /// Its id.
        id: String,
        /// Whose credential is meant, by `issuer.id` or slug, where several say something of it.
        issuer: Option<String>,
    },
}

/// An answer in the order of the questions.
#[derive(Debug, Clone)]
pub enum QuestionAnswer {
    /// To a question by place.
    Entry(Result<StatusAnswer, StatusUnknown>),
    /// To a question by credential.
    Credential(Result<CredentialAnswer, StatusUnknown>),
}

/// How a credential stands, by all its entries here.
#[derive(Debug, Clone)]
pub struct CredentialAnswer {
    /// Its id.
    pub credential: String,
    /// How it stands.
    pub outcome: Outcome,
    /// Each entry.
    pub entries: Vec<EntryAnswer>,
}

/// One entry of a credential.
#[derive(Debug, Clone)]
pub struct EntryAnswer {
    /// URL of the list.
    pub list: String,
    /// The index.
    pub index: u64,
    /// Whose list it is: the credential's issuer, by `issuer.id`.
    pub issuer: String,
    /// What it says.
    pub answer: StatusAnswer,
}

/// Who asks by credential id, which reveals that the id exists.
#[derive(Debug, Clone, Copy)]
pub enum MaySee {
    /// Everybody may.
    Everything,
    /// The caller may see what belongs to whom it speaks for.
    OwnOf(Actor),
    /// The caller may see what this issuer said: it has a code that the issuer handed out.
    SaidBy(ProfileId),
    /// Nobody who did not say who they are.
    Nothing,
}

impl MaySee {
    /// Whether that is told: it was said by then, and is for the caller to see.
    fn sees(self, ((_, owner), record): &Claim, at: Option<Timestamp>) -> bool {
        let visible = match self {
            Self::Everything => true,
            Self::OwnOf(actor) => actor.may(Action::Read, *owner),
            Self::SaidBy(issuer) => issuer == *owner,
            Self::Nothing => false,
        };
        visible && at.is_none_or(|at| record.created_at <= at)
    }
}

/// What an issuer's part of the registry knows of a credential's id.
pub(in crate::registry) type Claim = ((Digest, ProfileId), CredentialRecord);

impl Registry {
    /// What one entry of a list says, or said at `at`: as far as `asker` may see how the list was
    /// (see `lists::access`).
    pub fn status_at(
        &self,
        list: &str,
        index: u64,
        at: Option<Timestamp>,
        asker: Option<Actor>,
    ) -> Result<Result<StatusAnswer, StatusUnknown>, RegistryError> {
        if at.is_none()
            && let Some(told) = self.entry_now(list, index)?
        {
            return Ok(told);
        }
        self.read_entry(&*self.engine.snapshot(), list, index, (at, asker))
    }

    /// How a credential stands, or stood at `at`, by its id, and by its `issuer` where one is
    /// named.
    pub fn status_of(
        &self,
        credential: &str,
        issuer: Option<&str>,
        at: Option<Timestamp>,
        may_see: MaySee,
    ) -> Result<Result<CredentialAnswer, StatusUnknown>, RegistryError> {
        let snapshot = self.engine.snapshot();
        self.read_credential(&*snapshot, credential, issuer, at, may_see)
    }

    /// Answers many questions from one snapshot, in their order, all as of `at` or now. `asker` is
    /// told how lists were, and `may_see` what is said of ids.
    pub fn statuses(
        &self,
        questions: &[StatusQuestion],
        at: Option<Timestamp>,
        asker: Option<Actor>,
        may_see: MaySee,
    ) -> Result<Vec<QuestionAnswer>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let answer = |question: &StatusQuestion| match question {
            StatusQuestion::Entry { list, index } => self
                .read_entry(read, list, *index, (at, asker))
                .map(QuestionAnswer::Entry),
            StatusQuestion::Credential { id, issuer } => self
                .read_credential(read, id, issuer.as_deref(), at, may_see)
                .map(QuestionAnswer::Credential),
        };
        questions.iter().map(answer).collect()
    }

    fn read_entry(
        &self,
        read: &dyn Read,
        url: &str,
        index: u64,
        (at, asker): (Option<Timestamp>, Option<Actor>),
    ) -> Result<Result<StatusAnswer, StatusUnknown>, RegistryError> {
        let list = match self.list_named(url) {
            Ok(list) => list,
            Err(unknown) => return Ok(Err(unknown)),
        };
        let record = match list_of(read, &self.urls(), list) {
            Ok(record) => record,
            Err(RegistryError::NotFound(Thing::List, url)) => {
                return Ok(Err(StatusUnknown::NoList(url)));
            }
            Err(error) => return Err(error),
        };
        // That a list was not there yet tells nothing of its entries.
        if at.is_some_and(|at| record.created_at <= at)
            && let HistoryTold::Withheld(from) = self.history_told(read, list.owner(), asker)?
        {
            let list = self.urls().list(list);
            return Ok(Err(StatusUnknown::Withheld { list, from }));
        }
        match record.length().index(index) {
            Ok(index) => self.entry_then(read, list, &record, index, at),
            Err(error) => Ok(Err(StatusUnknown::OutOfRange(error))),
        }
    }

    /// What an entry says, or said at `at`.
    pub(in crate::registry) fn entry_then(
        &self,
        read: &dyn Read,
        list: ListId,
        record: &ListRecord,
        index: StatusIndex,
        at: Option<Timestamp>,
    ) -> Result<Result<StatusAnswer, StatusUnknown>, RegistryError> {
        let Some(at) = at else {
            if let Some((status, revision)) = self.entry_on(read, list, index.get()) {
                return Ok(Ok(answer_of(record, status, revision)));
            }
            return entry_of(read, list, record, index).map(Ok);
        };
        let url = || self.urls().list(list);
        Ok(match entry_at(read, list, record, index, at)? {
            Past::Was(answer) => Ok(answer),
            Past::BeforeList => Err(StatusUnknown::BeforeList {
                list: url(),
                opened: record.created_at,
            }),
            Past::NotHeld => Err(StatusUnknown::NotHeld { list: url(), at }),
        })
    }

    /// What was said of a credential's id, as far as the caller may see it: by which issuer, and
    /// what.
    pub(in crate::registry) fn claims_seen(
        &self,
        read: &dyn Read,
        credential: &str,
        issuer: Option<&str>,
        at: Option<Timestamp>,
        may_see: MaySee,
    ) -> Result<Vec<Claim>, RegistryError> {
        let meant = match issuer {
            None => None,
            Some(name) => match self.profile_number(read, name)? {
                Some(issuer) => Some(issuer),
                None => return Ok(Vec::new()),
            },
        };
        let mut rows = CREDENTIALS.scan(read, &id_digest(credential), None, usize::MAX)?;
        rows.retain(|claim| {
            let ((_, owner), _) = claim;
            meant.is_none_or(|meant| meant == *owner) && may_see.sees(claim, at)
        });
        Ok(rows)
    }

    /// The same of many credentials, by whichever issuer, in their order.
    pub(in crate::registry) fn claims_seen_of(
        &self,
        read: &dyn Read,
        credentials: &[&str],
        at: Option<Timestamp>,
        may_see: MaySee,
    ) -> Result<Vec<Vec<Claim>>, RegistryError> {
        let digests: Vec<Digest> = credentials.iter().map(|id| id_digest(id)).collect();
        let mut all = CREDENTIALS.scan_each(read, &digests, usize::MAX)?;
        for rows in &mut all {
            rows.retain(|claim| may_see.sees(claim, at));
        }
        Ok(all)
    }

    /// Ids are chosen by issuers, so two can say something of one id. Then the answer is
    /// `unknown` unless an issuer is named: neither can speak for the other's credential.
    pub(in crate::registry) fn read_credential(
        &self,
        read: &dyn Read,
        credential: &str,
        issuer: Option<&str>,
        at: Option<Timestamp>,
        may_see: MaySee,
    ) -> Result<Result<CredentialAnswer, StatusUnknown>, RegistryError> {
        let seen = self.claims_seen(read, credential, issuer, at, may_see)?;
        self.credential_claimed(read, credential, &seen, at)
    }

    /// How a credential stands by what was said of its id.
    pub(in crate::registry) fn credential_claimed(
        &self,
        read: &dyn Read,
        credential: &str,
        seen: &[Claim],
        at: Option<Timestamp>,
    ) -> Result<Result<CredentialAnswer, StatusUnknown>, RegistryError> {
        let mut entries: Vec<EntryAnswer> = Vec::new();
        for (_, record) in seen {
            for carried in &record.entries {
                match self.carried_entries(read, carried, at)? {
                    Ok(found) => entries.extend(found),
                    Err(unknown) => return Ok(Err(unknown)),
                }
            }
        }
        let outcomes = entries.iter().map(|entry| entry.answer.outcome);
        let credential = credential.to_owned();
        let Some(outcome) = credential_outcome(seen, outcomes) else {
            return Ok(Err(StatusUnknown::NoCredential(credential)));
        };
        Ok(Ok(CredentialAnswer {
            credential,
            outcome,
            entries,
        }))
    }

    /// What the lists say, or said at `at`, of the entries that a credential carries. Where its
    /// indexes have a token list it may carry that as well, and so all that the token list shows. A
    /// list that was opened later said nothing then; one whose past is not held leaves the
    /// credential unknown.
    fn carried_entries(
        &self,
        read: &dyn Read,
        carried: &Carried,
        at: Option<Timestamp>,
    ) -> Result<Result<Vec<EntryAnswer>, StatusUnknown>, RegistryError> {
        let space = space_of(read, carried.space)?;
        let issuer = self.profile_record(read, carried.space.owner())?.issuer_id;
        let mut answers = Vec::new();
        for list in lists_carried(&space, carried) {
            let record = list_of(read, &self.urls(), list)?;
            if !is_carried(&record, carried) {
                continue;
            }
            let index = record
                .length()
                .index(carried.index.into())
                .expect("given out within the list's length");
            match self.entry_then(read, list, &record, index, at)? {
                Ok(answer) => answers.push(EntryAnswer {
                    list: self.urls().list(list),
                    index: index.get(),
                    issuer: issuer.clone(),
                    answer,
                }),
                Err(StatusUnknown::BeforeList { .. }) => {}
                Err(unknown) => return Ok(Err(unknown)),
            }
        }
        Ok(Ok(answers))
    }

    /// The list over a space for a purpose.
    pub(in crate::registry) fn plane(
        &self,
        read: &dyn Read,
        space: SpaceId,
        purpose: &StatusPurpose,
    ) -> Result<ListId, RegistryError> {
        space_of(read, space)?.plane(purpose).ok_or_else(|| {
            RegistryError::NotFound(Thing::List, format!("for the purpose {}", purpose.as_str()))
        })
    }
}

/// The lists that may say something of the entries that a credential carries: those whose entries it
/// has, and where there is a token list the others that may be in it.
pub(in crate::registry) fn lists_carried(
    space: &SpaceRecord,
    carried: &Carried,
) -> impl Iterator<Item = ListId> {
    let own = carried.purposes.iter();
    let own = own.filter_map(|purpose| space.plane(purpose));
    let others = space
        .planes
        .iter()
        .filter(|plane| space.token.is_some() && !carried.purposes.contains(&plane.purpose));
    own.chain(others.map(|plane| plane.list))
}

/// Whether one of those does.
pub(in crate::registry) fn is_carried(list: &ListRecord, carried: &Carried) -> bool {
    in_token(&list.purpose, list.in_token) || carried.purposes.contains(&list.purpose)
}

/// How a credential stands by what was said of its id, and by what the entries of that say; none
/// where nothing was.
pub(in crate::registry) fn credential_outcome(
    seen: &[Claim],
    entries: impl Iterator<Item = Outcome>,
) -> Option<Outcome> {
    let [(_, record)] = seen else {
        return (!seen.is_empty()).then_some(Outcome::Unknown);
    };
    // What a list elsewhere says is not known here, and may be the worst.
    let beyond = record.elsewhere.then_some(Outcome::Unreachable);
    let worst = entries.chain(beyond).max_by_key(|it| weight(*it));
    Some(worst.unwrap_or(Outcome::Unknown))
}

pub(in crate::registry) fn entry_of(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    index: StatusIndex,
) -> Result<StatusAnswer, RegistryError> {
    let size = record.status_size;
    let page = stored_page(read, list, page_of(index, size))?;
    let revision = LIST_STATES
        .get(read, &list)?
        .map_or(Revision(1), |state| state.revision);
    Ok(answer_of(record, get_in_page(&page, index, size), revision))
}

/// What an entry of value `status` says.
pub(in crate::registry) fn answer_of(
    record: &ListRecord,
    status: u8,
    revision: Revision,
) -> StatusAnswer {
    let messages = record.entry.messages();
    let message = messages.and_then(|messages| messages.as_messages().message(status));
    StatusAnswer {
        status,
        purpose: record.purpose.clone(),
        outcome: outcome_of(&record.purpose, status),
        message: message.map(str::to_owned),
        revision,
    }
}

/// How an entry of value `status` stands, as far as a list for that purpose says.
pub(in crate::registry) const fn outcome_of(purpose: &StatusPurpose, status: u8) -> Outcome {
    match purpose.effect(status) {
        Effect::Revokes => Outcome::Revoked,
        Effect::Suspends => Outcome::Suspended,
        Effect::None | Effect::Refreshes | Effect::Informs => Outcome::Active,
        Effect::Undefined => Outcome::Unknown,
    }
}

/// Which of several entries decides how a credential stands.
const fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Revoked => 3,
        Outcome::Suspended => 2,
        Outcome::Active => 0,
        _ => 1,
    }
}
