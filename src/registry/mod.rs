//! The services: what may change, who may change it, and in which order it is written.
//!
//! Every change runs through `Registry::transact`: read one snapshot, stage a batch with its
//! event, commit, and only then answer. Nothing here knows HTTP.
//!
//! `profiles` is who takes part and what is registered, with keys; `lists` the status lists, from
//! giving out indexes to publishing; `endorsements` what is done about those; `standing` how
//! everything stands, worked out at each look-up. What signs and verifies stands beside them.

mod access;
mod audit;
mod bell;
mod change;
mod codes;
mod endorsements;
mod epoch;
mod erasing;
mod error;
mod issuing;
mod lanes;
mod lists;
mod measured;
mod origin;
mod profiles;
mod revision;
#[cfg(test)]
mod sides;
mod signing;
mod standing;
pub mod standing_back;
mod states;
#[cfg(test)]
pub(crate) mod testing;
mod urls;
mod vault;
mod verification;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::entropy::{Entropy, random};
use crate::ids::{ProfileId, Seq};
use crate::store::engine::{Engine, StoreError};
use crate::store::tables::SETTINGS;
use origin::{PUBLIC_URL, check_public_url};

pub use crate::store::tables::{ClientState, HistoryAccess, ListForm};
use crate::time::{Clock, Timestamp, Ttl};

pub use crate::store::event::{RequestStep, WhyTaken};
use crate::vc::sealing::MasterKey;
pub use crate::verify::outcome::Outcome;
pub use access::actor::Actor;
pub use access::bearer::BearerRefused;
pub use access::clients::{ClientView, RegisteredClient, Registration};
pub use access::grants::{GrantRefused, Granted, KnownClient};
pub use access::people::{NewPerson, PersonView, SignInRefused};
pub use access::providers::{GuestRefused, ProviderKeys, Providers};
pub use access::quotas::{Quota, QuotaUse, Quotas};
pub use access::sessions::{CONSOLE, SessionLimits, Visitor};
pub use access::sign_in::Consent;
pub use access::tokens::{NewToken, TokenFor, TokenView};
pub use audit::{
    AuditActor, AuditEvent, AuditPage, AuditParty, AuditReason, AuditSearch, AuditSearchPage,
};
pub use bell::Listener;
pub use change::{Change, Expected, Idempotency};
pub use codes::{
    CodedCredential, CodedStanding, CodesOf, CodesWithdrawn, CredentialCode, HandedOut,
};
pub use endorsements::accreditors::AccreditorAction;
pub use endorsements::elsewhere::{CredentialToSign, WaitingForSignature};
pub use endorsements::embedding::{Embed, Embedded};
pub use endorsements::held::{HeldPage, HeldQuestion};
pub use endorsements::imports::{NewImport, Taken};
pub use endorsements::requests::{
    Approval, Approved, NewRequest, NewStep, RequestFilter, RequestPage, RequestSide, RequestState,
    RequestStateError, RequestView, StepRefused, StepView,
};
pub use endorsements::tasks::{Task, TaskCursor, TaskPage, WaitingRequest};
pub use endorsements::{EndorsementAction, NewEndorsement};
pub use epoch::note_why_taken;
pub use erasing::{Erased, Erasure, ReasonsToErase};
pub use error::{RegistryError, Thing};
pub use issuing::{CredentialStatusRequest, Issued, IssuingOptions};
pub use lists::access::{ToldTo, WithheldFrom};
pub use lists::allocation::{Allocated, AllocationSettled, EntriesWanted};
pub use lists::as_it_was::ListThen;
pub use lists::entry_changes::{EntryChange, EntryChanges};
pub use lists::export::{ExportPage, ExportRow, ExportedList, Exporting};
pub use lists::forgetting::Forgotten;
pub use lists::forms::{FormToSign, ToSign};
pub use lists::found::{EntryCarrier, FoundCredential, FoundCredentials};
pub use lists::import::{BroughtList, ImportedList, UsedIndexes};
pub use lists::live::{EntriesAsked, EntriesTold, EntryShown, Wording};
pub use lists::overview::{ListOverview, ListOverviews, ListPublication};
pub use lists::publications::{More, Publication, Publications};
pub use lists::publisher::{
    Artefact, HandedIn, ListToSign, Packed, PublishedList, Publisher, SignedList,
};
pub use lists::put_back::{Doing, FoundIn, FoundStatuses, Published, Suspensions};
pub use lists::queries::{
    CredentialAnswer, EntryAnswer, MaySee, QuestionAnswer, StatusAnswer, StatusQuestion,
    StatusUnknown,
};
pub use lists::statuses::{Heard, Refused, StatusTarget, StatusUpdate, Turn, Updated};
pub use lists::tried::Tries;
pub use lists::{AlsoPublished, ListPublished, ListView, NewList, PublishedPage, WhichLists};
pub use measured::{Backlog, KeyAges};
pub use profiles::achievements::AchievementView;
pub use profiles::brought::BroughtKey;
pub use profiles::compromise::{AffectedEndorsements, KeyAffected};
pub use profiles::identity::KeySet;
pub use profiles::keys::{KeyOwner, KeyView};
pub use profiles::rotation::{RotationState, RotationView};
pub use profiles::{
    NewProfile, ProfileSettings, ProfileView, Roles, document_digest as document_tag, text_tag,
};
pub use revision::{NoPlace, Place};
pub use signing::{StatementCheck, StoredEndorsement};
pub use standing::authority::{Authority, AuthorityQuestion, Grant, GrantAnswer, Resource};
pub use standing::backing::{Anchors, Backing, Question};
pub use standing::cascade::{Affected, AffectedSubject};
pub(crate) use standing::good_standing::on_every_core;
pub use standing::good_standing::{
    Asked, Endorsed, Examined, Half, Party, StandingAnswer, StatusPart, Written,
};
pub use standing::issuers::{IssuerStanding, IssuerView, Issuers};
pub use standing::{EndorsementFilter, EndorsementPage, EndorsementView, SubjectAnswer};
pub use states::{Gravity, Lack, State};
pub use urls::Urls;
pub use vault::{Adopted, MasterKeyRotated, MasterKeys, TakenUp, opens_secrets};

/// What the services need to know of the configuration, as plain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Origin of every URL that the registry hands out, without a path.
    pub public_url: String,
    /// `ttl` of lists that do not ask for another.
    pub list_ttl: Ttl,
    /// For how long a signed list holds. It is signed again between half and three quarters of
    /// that.
    pub list_validity: Ttl,
    /// How full a list of an issuer has to be, in percent of its entries, before the issuer can open
    /// another one for the same purpose. 0 asks for nothing; the operator can open one all the same.
    pub fill_floor_percent: u8,
    /// How long a new key stands in the controller document before it signs.
    pub key_notice: Ttl,
    /// How long before an endorsement ends its endorser is told to look at it again.
    pub renewal_notice: Ttl,
    /// How long the answer to a change with an `Idempotency-Key` is kept.
    pub idempotency_kept: Ttl,
    /// Whether a list is signed before a change of it is acknowledged.
    pub publish_before_acknowledging: bool,
    /// Bytes of memory in which published lists are kept ready.
    pub ready_bytes: u64,
    /// Bytes of memory in which lists are kept to be looked up in.
    pub looked_up_bytes: u64,
    /// Who may see the lists of issuers as they were that chose nothing for themselves.
    pub history: HistoryAccess,
    /// For how long lists are kept as they were; for ever where that is not said.
    pub history_kept: Option<Ttl>,
    /// Whom the registry trusts, by slug or id: what is endorsed counts where a path leads to one
    /// of them. Without any, all its accreditors count.
    pub trust_anchors: Vec<String>,
    /// How long after it was asked last the issuer of an imported endorsement is asked again.
    pub imports_follow: Ttl,
    /// For how long what it said last is taken for the present, where it does not answer.
    pub imports_unreachable_after: Ttl,
    /// How much a profile takes up.
    pub quotas: Quotas,
    /// For how long an access token is good.
    pub access_token: Ttl,
    /// Who may register clients.
    pub registration: Registration,
    /// For how long somebody stays signed in on the console.
    pub sessions: SessionLimits,
    /// How far the clock may be behind the newest change: beyond that no changes are taken.
    pub clock_tolerance: Ttl,
}

impl Settings {
    /// The settings of a registry at this origin whose configuration says nothing else. Its lists
    /// are signed before a change of them is acknowledged.
    pub fn usual(public_url: &str) -> Self {
        let day = 86_400;
        Self {
            public_url: public_url.to_owned(),
            list_ttl: Ttl::from_millis(300_000),
            list_validity: Ttl::from_seconds(7 * day),
            fill_floor_percent: 1,
            key_notice: Ttl::from_seconds(3_600),
            idempotency_kept: Ttl::from_seconds(day),
            publish_before_acknowledging: true,
            ready_bytes: 1 << 28,
            looked_up_bytes: 1 << 28,
            history: HistoryAccess::Authorised,
            history_kept: None,
            renewal_notice: Ttl::from_seconds(30 * day),
            trust_anchors: Vec::new(),
            imports_follow: Ttl::from_seconds(3_600),
            imports_unreachable_after: Ttl::from_seconds(day),
            quotas: Quotas::usual(),
            access_token: Ttl::from_seconds(600),
            registration: Registration::Authorised,
            sessions: SessionLimits::USUAL,
            clock_tolerance: Ttl::from_seconds(60),
        }
    }
}

/// The registry: every service, over one store.
pub struct Registry {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    vault: vault::Vault,
    settings: Settings,
    /// Where status changes of each list wait for each other.
    lines: lists::statuses::Lines,
    /// Where changes of what each profile owns are decided one after the other.
    owners: lanes::Lanes<ProfileId, lanes::Lane>,
    published: Arc<lists::publisher::Snapshot>,
    live: Arc<lists::live::LiveLists>,
    publications: Arc<bell::Bell>,
    lately: lists::as_it_was::Lately,
    kept: Arc<standing::kept::Kept>,
    all_issuers: standing::ready::Ready<Issuers>,
    all_keys: standing::ready::Ready<KeySet>,
    tries: access::people::Tries,
    tokens: Arc<access::tokens::KnownTokens>,
    /// The secret of forms where none is shared.
    forms: OnceLock<[u8; 32]>,
    /// Why no changes are taken before the next start, where this one could not be finished.
    unfinished: OnceLock<State>,
}

/// What becomes of a registry whose secrets cannot be opened, or whose start cannot be finished.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unable {
    /// It does not open.
    Refuse,
    /// It comes up for reading alone.
    ReadOnly,
}

impl Registry {
    /// Opens the registry over `engine`, and its secrets with the master key that is in use. A store
    /// that was set up for another `public_url` is refused, since every id in it starts with that
    /// one, and so is one whose secrets another master key opens.
    pub fn open(
        engine: Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        master_keys: impl MasterKeys + 'static,
        settings: Settings,
    ) -> Result<Self, RegistryError> {
        let parts = (engine, clock, entropy);
        Self::put_together(parts, Arc::new(master_keys), settings, Unable::Refuse)
    }

    /// As [`Registry::open`], for whoever serves what is there: where something is in the store, and its
    /// secrets cannot be opened, it comes up for reading alone ([`State::MasterKeyMissing`],
    /// [`State::MasterKeyWrong`]).
    pub fn open_to_serve(
        engine: Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        master_keys: impl MasterKeys + 'static,
        settings: Settings,
    ) -> Result<Self, RegistryError> {
        let unable = match engine.head().seq {
            Seq(0) => Unable::Refuse,
            _ => Unable::ReadOnly,
        };
        let parts = (engine, clock, entropy);
        Self::put_together(parts, Arc::new(master_keys), settings, unable)
    }

    fn put_together(
        (engine, clock, entropy): (Arc<dyn Engine>, Arc<dyn Clock>, Arc<dyn Entropy>),
        master_keys: Arc<dyn MasterKeys>,
        settings: Settings,
        unable: Unable,
    ) -> Result<Self, RegistryError> {
        let recorded = SETTINGS.get(&*engine, &PUBLIC_URL.to_owned())?;
        check_public_url(recorded.as_deref(), &settings)?;
        let (vault, master) = match vault::Vault::unlock(&*engine, master_keys.clone()) {
            Ok((vault, master)) => (vault, Some(master)),
            Err(refused) if unable == Unable::ReadOnly => {
                (vault::Vault::locked_by(refused, master_keys)?, None)
            }
            Err(refused) => return Err(refused),
        };
        let publications = Arc::<bell::Bell>::default();
        let ready_bytes = settings.ready_bytes;
        let published = lists::publisher::Snapshot::new(ready_bytes, publications.clone());
        let published = Arc::new(published);
        engine.follow(published.clone());
        let live = Arc::new(lists::live::LiveLists::new(settings.looked_up_bytes));
        engine.follow(live.clone());
        let registry = Self {
            engine,
            clock,
            entropy,
            vault,
            settings,
            lines: lists::statuses::Lines::default(),
            owners: lanes::Lanes::default(),
            published,
            live,
            publications,
            lately: lists::as_it_was::Lately::default(),
            kept: Arc::default(),
            all_issuers: standing::ready::Ready::default(),
            all_keys: standing::ready::Ready::default(),
            tries: access::people::Tries::default(),
            tokens: Arc::default(),
            forms: OnceLock::new(),
            unfinished: OnceLock::new(),
        };
        registry.engine.follow(registry.kept.clone());
        registry.engine.follow(registry.vault.follower());
        registry.engine.follow(registry.tokens.clone());
        if let Some(master) = master {
            registry.finish_start(&master, unable)?;
        }
        Ok(registry)
    }

    /// Brings the store to where the services start from. Mostly there is nothing to be written. Where
    /// there is and cannot be now, no changes are taken before a start that can: some of it has to
    /// be there before anything else is. An empty store is refused then, and the reason told.
    fn finish_start(&self, master: &MasterKey, unable: Unable) -> Result<(), RegistryError> {
        // Where no changes were taken before, nothing else was to be expected.
        let expected = unable == Unable::ReadOnly || !self.takes_changes();
        let comes_up = expected && self.engine.head().seq > Seq(0);
        let finished = self
            .complete_epoch()
            .and_then(|()| self.complete_vault(master))
            .and_then(|()| self.complete_identity());
        match finished {
            Err(RegistryError::ReadOnly(_)) if comes_up => {
                self.unfinished.get_or_init(|| State::StartUnfinished);
                Ok(())
            }
            finished => finished,
        }
    }

    /// The present moment, by the registry's clock, and never before the newest committed change: a
    /// clock that steps back takes nothing back.
    pub fn now(&self) -> Timestamp {
        self.clock.now().max(self.engine.head().at)
    }

    /// Bytes that nobody can guess.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        random(&*self.entropy)
    }

    /// The settings that the services run with.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Copies the store as it is at one moment into a folder that is not there yet, while it goes on to
    /// be read and written.
    ///
    /// # Errors
    /// It cannot be copied: one in memory never can.
    pub fn copy_store_to(&self, folder: &Path) -> Result<(), StoreError> {
        self.engine.copy_to(folder)
    }

    /// URLs of the things that live here.
    pub fn urls(&self) -> Urls<'_> {
        Urls::of(&self.settings.public_url)
    }
}
