//! Why a service refuses. Each variant is one situation that a caller can act on; which HTTP
//! status it becomes is decided in `http/problem.rs` alone.

use std::fmt;

use thiserror::Error;

use super::{Quota, Refused, RequestSide, State, StepRefused};
use crate::access::Action;
use crate::badges::ShapeError;
use crate::ids::{ClientId, KeyId, Slug};
use crate::store::engine::{CommitError, StoreError};
use crate::time::Timestamp;

/// What was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A profile.
    Profile,
    /// A key of a profile.
    Key,
    /// An achievement.
    Achievement,
    /// A status list.
    List,
    /// An endorsement.
    Endorsement,
    /// A request for an endorsement.
    Request,
    /// A credential with entries here.
    Credential,
    /// A bearer token.
    Token,
    /// Something that waits for a signature.
    ToSign,
    /// An OAuth 2.0 client.
    Client,
    /// Somebody who signs in here.
    Person,
}

/// The name of a variant, which is what a derived `Debug` begins with.
fn name_of(error: &RegistryError) -> String {
    /// Takes a word, and nothing behind it.
    struct Word(String);
    impl fmt::Write for Word {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric());
            self.0.push_str(&text[..end.unwrap_or(text.len())]);
            end.map_or(Ok(()), |_| Err(fmt::Error))
        }
    }
    let mut word = Word(String::new());
    // It breaks off behind the word.
    let _ = fmt::write(&mut word, format_args!("{error:?}"));
    word.0
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Profile => "profile",
            Self::Key => "key",
            Self::Achievement => "achievement",
            Self::List => "status list",
            Self::Endorsement => "endorsement",
            Self::Request => "endorsement request",
            Self::Credential => "credential",
            Self::Token => "token",
            Self::ToSign => "endorsement that waits for a signature",
            Self::Client => "client",
            Self::Person => "person",
        })
    }
}

/// Why a service refuses.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum RegistryError {
    /// There is no such thing here, or none that the caller may see.
    #[error("there is no {0} {1:?} here")]
    NotFound(Thing, String),
    /// The caller may see the thing and may not change it.
    #[error("it belongs to another profile")]
    NotYours,
    /// What the caller is known by does not allow this.
    #[error("this needs the scope {}, which this token does not have", .0.scope())]
    NotAllowed(Action),
    /// Only the registry's operator may do this.
    #[error("only the registry's operator may do this")]
    OperatorOnly,
    /// A member of the request is not what it has to be.
    #[error("{pointer}: {detail}")]
    Invalid {
        /// JSON pointer to the member.
        pointer: String,
        /// What it has to be.
        detail: String,
    },
    /// The thing has changed since the caller looked.
    #[error("it has changed since it was read; its present version is {present}")]
    ChangedMeanwhile {
        /// Entity tag of the present version.
        present: String,
    },
    /// The slug is taken, now or in the past.
    #[error("the slug {0} is taken; slugs are never given out twice")]
    SlugTaken(Slug),
    /// The profile does not have the role that this needs.
    #[error("the profile {0} does not have the role {1}")]
    RoleMissing(Slug, &'static str),
    /// The registry has suspended the accreditor.
    #[error(
        "the accreditor {0} is suspended by the registry, and can endorse when it is reinstated"
    )]
    AccreditorSuspended(Slug),
    /// An accreditor cannot pass on more than it was given.
    #[error(
        "/scope/{member}: {reason}; the endorser is itself endorsed as an accreditor by \
         {endorsement}, and endorses within what that covers"
    )]
    ScopeTooWide {
        /// URL of the endorsement that limits the endorser.
        endorsement: String,
        /// The member of the scope that is wider.
        member: &'static str,
        /// In what.
        reason: String,
    },
    /// What was to be taken in is not proved, or not in force.
    #[error("it is not taken in: {0}")]
    NotVerified(String),
    /// Enough endorsements from elsewhere are here of one thing.
    #[error(
        "no more endorsements from elsewhere are kept of this: {most} that are not over from each \
         who brings them. Newer versions of those that are here are taken; another one is when one \
         of them has ended or its issuer has revoked it",
        most = super::endorsements::imports::MOST_BROUGHT
    )]
    ImportsFull,
    /// The endorsement was issued elsewhere.
    #[error(
        "this endorsement was issued elsewhere and its standing is followed from there; its \
         issuer decides about it"
    )]
    IssuedElsewhere,
    /// The store belongs to another public URL.
    #[error(
        "this store was set up for public_url {recorded}, and {configured} is configured; \
         every id in it starts with the recorded one. Give --public-url {recorded}, or another data \
         folder"
    )]
    PublicUrl {
        /// What the store was set up for.
        recorded: String,
        /// What is configured.
        configured: String,
    },
    /// The keys in the store are sealed under another master key.
    #[error(
        "the keys in this store are sealed under another master key than the one given; nothing \
         could be signed. Give the one that the store was used with last"
    )]
    MasterKey,
    /// Where master keys stand there is none, or none can be put.
    #[error("{0}")]
    MasterKeyPlace(String),
    /// Fewer indexes are left than were asked for.
    #[error("{asked} entries were asked for and {remaining} are left in this list")]
    ListFull {
        /// How many were asked for.
        asked: u64,
        /// How many are left.
        remaining: u64,
    },
    /// The issuer has another list for the purpose, in which too few entries hide each other yet.
    #[error(
        "of the list {list} for the same purpose {given_out} entries were given out; take entries \
         of that list until {least} were, so that the credentials in it hide each other"
    )]
    ListHasRoom {
        /// URL of that list.
        list: String,
        /// How many entries were given out.
        given_out: u64,
        /// How many have to be.
        least: u64,
    },
    /// Nobody said which indexes of an imported list are in use elsewhere.
    #[error(
        "this list was imported without its used indexes, so that any may be in use and none is \
         given out; statuses can be changed. Open another list for new credentials, or import it \
         again with usedIndexes"
    )]
    ListSealed,
    /// The store was put back from an older copy, and more of the list may have been given out since.
    #[error(
        "this list was sealed when the registry was restored from an older copy: entries of it may have \
         been given out since that are not known here, so that none is given out any more; statuses can \
         be changed. Open another list for new credentials"
    )]
    ListSealedByRestore,
    /// The entry is carried by something else.
    #[error("the entry at index {index} belongs to another credential; have a fresh one allocated")]
    EntryTaken {
        /// The index.
        index: u32,
    },
    /// Several entries fit what was said of a credential.
    #[error("{0} entries fit this id; name the list that is meant, and the index")]
    Ambiguous(usize),
    /// The token was made before, and cannot be shown a second time.
    #[error(
        "a token ({id}) was made under this Idempotency-Key and shown then; revoke it and make another"
    )]
    TokenShown {
        /// Id of the token.
        id: String,
    },
    /// The secret was made before, and cannot be shown a second time.
    #[error(
        "the secret of the client {client} was made under this Idempotency-Key and shown then; have \
         another one made"
    )]
    SecretShown {
        /// Which client.
        client: ClientId,
    },
    /// The caller may not register clients.
    #[error(
        "clients are registered here by who may make them (clients:write) for the profile that is \
         named; send a token of theirs"
    )]
    RegistrationClosed,
    /// Enough clients of the profile are here, or wait.
    #[error(
        "no more clients of this profile are taken; remove some, or decide about those that wait"
    )]
    ClientsFull,
    /// The space already has a list for this purpose.
    #[error("the list {list} already lies over these indexes for {purpose}")]
    PurposeTaken {
        /// URL of the list that is there.
        list: String,
        /// The purpose asked for.
        purpose: String,
    },
    /// Not one of the updates could be made.
    #[error("none of the {} changes could be made", .0.len())]
    AllRefused(Vec<Refused>),
    /// The endorsed thing is hosted here and is not there, or is of another kind.
    #[error("{0}")]
    Subject(String),
    /// A profile cannot stand behind itself.
    #[error("a profile cannot endorse itself or what it made")]
    SelfEndorsement,
    /// The same was asked for before, and that request is open.
    #[error("the request {request} for the same endorsement is open; withdraw it, or wait for it")]
    RequestOpen {
        /// URL of the open request.
        request: String,
    },
    /// A step in a request that the other side takes.
    #[error("this step of a request is for the {0} alone")]
    OtherSide(RequestSide),
    /// A step in a request that cannot be taken now.
    #[error(transparent)]
    Step(#[from] StepRefused),
    /// Suspending would not be seen by verifiers elsewhere.
    #[error(
        "this endorsement was issued without a suspension entry, so a suspension would not be \
         seen by verifiers; revoke it, or issue it again with \"suspendable\": true"
    )]
    NotSuspendable,
    /// There is more of something than one answer holds.
    #[error("{0}")]
    TooMany(String),
    /// A status that never goes back was asked to.
    #[error("{0}")]
    Irreversible(String),
    /// The key cannot do or undergo this.
    #[error("{0}")]
    Key(String),
    /// The key that signs is not here.
    #[error(
        "{key}, with which {owner} signs now, is kept elsewhere, so that nothing can be signed with \
         it here. Ask for what is to be signed, sign it, and hand it in: an endorsement by POST \
         /endorsements with \"unsigned\": true, then with \"verifiableCredential\"; a list by GET \
         /status-lists/{{list}}/unsigned, then PUT /status-lists/{{list}}/signed; a credential by \
         POST /credentials/issue with \"options\": {{\"unsigned\": true}}, which is not handed in"
    )]
    SignedElsewhere {
        /// Who signs elsewhere.
        owner: String,
        /// The verification method of the key.
        key: String,
    },
    /// A list whose owner signs elsewhere has not been signed yet, or not again in time.
    #[error(
        "{0} is signed by its owner elsewhere, who has not handed in a signed list that is in force"
    )]
    WaitsForSignature(String),
    /// What was handed in as signed is not what was to be signed, or not signed by who has to.
    #[error("{pointer}: it is not taken: {reason}")]
    NotSigned {
        /// JSON pointer to what was handed in.
        pointer: String,
        /// What is wrong.
        reason: String,
    },
    /// Whoever brought a key along did not show that they have it.
    #[error("{pointer}: it does not show that you have the key: {reason}")]
    NotPossessed {
        /// JSON pointer to the proof of possession.
        pointer: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A key is here already, for whomever.
    #[error(
        "this key was brought to this registry before, and a key is never used twice here; make a \
         fresh one"
    )]
    KeyTaken,
    /// One key is taking over already.
    #[error(
        "{to} is taking over from the keys before it already, and signs from {signs_from} on; wait \
         until that is done, which the keys' page tells. Where a key is in wrong hands, revoke it, \
         which does not wait"
    )]
    RotationUnderWay {
        /// The new key.
        to: KeyId,
        /// From when on it signs.
        signs_from: Timestamp,
    },
    /// A document could not be signed or failed its own verification.
    #[error("the document cannot be signed: {0}")]
    Unsignable(String),
    /// What was said about a profile or an achievement is not as it has to be.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The idempotency key was used for another request.
    #[error("this Idempotency-Key was used with another request; use a fresh one")]
    IdempotencyKeyReused,
    /// More than there may be, in all or in a day.
    #[error(
        "the quota {} is {limit}, of which {used} are used, and this would take {asked} more; {}",
        .quota.name(),
        .anew.map_or_else(
            || "ask the registry's operator for a larger one".to_owned(),
            |(anew, _)| format!("it starts anew at {anew}"),
        )
    )]
    QuotaSpent {
        /// Of what.
        quota: Quota,
        /// How much there may be.
        limit: u64,
        /// How much is used.
        used: u64,
        /// How much was to be taken.
        asked: u64,
        /// When it starts anew and in how many seconds, where it does.
        anew: Option<(Timestamp, u64)>,
    },
    /// Too many changes of the same thing at once.
    #[error("too many changes of the same thing at once; try again")]
    Contended,
    /// The registry is in a state in which nothing is changed, or nothing signed.
    #[error("{}; {}", .0.happened(), .0.to_do())]
    ReadOnly(State),
    /// The store did not take the change, or its outcome is unknown.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegistryError {
    /// Its kind, for the log: the words of most name what callers sent. What the storage engine says of
    /// its files is told, since nobody else does.
    pub fn kind(&self) -> String {
        match self {
            Self::Store(StoreError::Unavailable(engine)) => format!("Store: {engine}"),
            Self::Store(StoreError::Corrupt { table, .. }) => format!("Store: {table}"),
            Self::ReadOnly(state) => format!("ReadOnly: {}", state.name()),
            other => name_of(other),
        }
    }

    /// A member of the request is not what it has to be.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_repeats_nothing_that_was_sent() {
        let sent = || "canary".to_owned();
        for (error, kind) in [
            (RegistryError::NotFound(Thing::Profile, sent()), "NotFound"),
            (
                RegistryError::SlugTaken("canary".parse().unwrap()),
                "SlugTaken",
            ),
            (RegistryError::invalid(sent(), sent()), "Invalid"),
            (RegistryError::NotVerified(sent()), "NotVerified"),
            (RegistryError::Contended, "Contended"),
            (CommitError::Unavailable(sent()).into(), "Commit"),
        ] {
            assert_eq!(error.kind(), kind);
        }
        let table = "profiles";
        let corrupt = StoreError::Corrupt {
            table,
            reason: sent(),
        };
        assert_eq!(RegistryError::from(corrupt).kind(), "Store: profiles");
        let engine = StoreError::Unavailable("IO error".to_owned());
        assert_eq!(RegistryError::from(engine).kind(), "Store: IO error");
    }
}
