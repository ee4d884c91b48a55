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
mod endorsements;
mod epoch;
mod erasing;
mod error;
mod issuing;
mod lanes;
mod lists;
mod profiles;
mod signing;
mod standing;
pub mod standing_back;
mod states;
mod vault;
mod verification;

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tracing::info;
use url::{Position, Url, form_urlencoded};

use crate::entropy::{Entropy, random};
use crate::ids::{AchievementId, EndorsementId, ListId, ProfileId, RequestId, Seq, Slug};
use crate::oauth::form_token::FormKey;
use crate::store::engine::{Batch, Engine, StoreError};
use crate::store::tables::SETTINGS;

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
pub use access::sign_in::Consent;
pub use access::tokens::{NewToken, TokenFor, TokenView};
pub use audit::{AuditActor, AuditEvent, AuditPage, AuditParty, AuditReason};
pub use bell::Listener;
pub use change::{Change, Expected, Idempotency};
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
pub use lists::allocation::Allocated;
pub use lists::as_it_was::ListThen;
pub use lists::export::{ExportPage, ExportRow, ExportedList, Exporting};
pub use lists::forgetting::Forgotten;
pub use lists::forms::{FormToSign, ToSign};
pub use lists::import::{BroughtList, ImportedList, UsedIndexes};
pub use lists::live::{EntriesAsked, EntriesTold, EntryShown, Wording};
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
pub use lists::{AlsoPublished, ListView, NewList};
pub use profiles::achievements::AchievementView;
pub use profiles::brought::BroughtKey;
pub use profiles::compromise::{AffectedEndorsements, KeyAffected};
pub use profiles::identity::KeySet;
pub use profiles::keys::{KeyOwner, KeyView};
pub use profiles::rotation::{RotationState, RotationView};
pub use profiles::{
    NewProfile, ProfileSettings, ProfileView, Roles, document_digest as document_tag, text_tag,
};
pub use signing::{StatementCheck, StoredEndorsement};
pub use standing::authority::{Authority, AuthorityQuestion, Grant, GrantAnswer, Resource};
pub use standing::backing::{Anchors, Backing, Question};
pub use standing::cascade::{Affected, AffectedSubject};
pub(crate) use standing::good_standing::on_every_core;
pub use standing::good_standing::{
    Asked, Endorsed, Half, Party, StandingAnswer, StatusPart, Written,
};
pub use standing::issuers::{IssuerStanding, IssuerView, Issuers};
pub use standing::{EndorsementFilter, EndorsementPage, EndorsementView, SubjectAnswer};
pub use states::{Gravity, Lack, State};
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
    published: lists::publisher::Snapshot,
    live: Arc<lists::live::LiveLists>,
    publications: bell::Bell,
    lately: lists::as_it_was::Lately,
    kept: Arc<standing::kept::Kept>,
    all_issuers: standing::ready::Ready<Issuers>,
    all_keys: standing::ready::Ready<KeySet>,
    tries: access::people::Tries,
    tokens: access::tokens::KnownTokens,
    forms: OnceLock<FormKey>,
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
        if let Some(recorded) = recorded
            && recorded != settings.public_url.as_bytes()
        {
            return Err(RegistryError::PublicUrl {
                recorded: String::from_utf8_lossy(&recorded).into_owned(),
                configured: settings.public_url,
            });
        }
        let (vault, master) = match vault::Vault::unlock(&*engine, master_keys.clone()) {
            Ok((vault, master)) => (vault, Some(master)),
            Err(refused) if unable == Unable::ReadOnly => {
                (vault::Vault::locked_by(refused, master_keys)?, None)
            }
            Err(refused) => return Err(refused),
        };
        let published = lists::publisher::Snapshot::new(settings.ready_bytes);
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
            publications: bell::Bell::default(),
            lately: lists::as_it_was::Lately::default(),
            kept: Arc::default(),
            all_issuers: standing::ready::Ready::default(),
            all_keys: standing::ready::Ready::default(),
            tries: access::people::Tries::default(),
            tokens: access::tokens::KnownTokens::default(),
            forms: OnceLock::new(),
            unfinished: OnceLock::new(),
        };
        registry.engine.follow(registry.kept.clone());
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

    /// The key of the forms on the pages of this process.
    pub fn forms(&self) -> &FormKey {
        self.forms.get_or_init(|| FormKey::new(&self.random()))
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
        Urls(&self.settings.public_url)
    }

    /// Records the origin with the first profile, in the batch that writes it.
    fn record_public_url(&self, batch: &mut Batch) -> Result<(), StoreError> {
        let name = PUBLIC_URL.to_owned();
        if SETTINGS.get(&*self.engine, &name)?.is_none() {
            info!(
                public_url = self.settings.public_url,
                "recording the public URL for good"
            );
            let value = self.settings.public_url.clone().into_bytes();
            SETTINGS.put(batch, &name, &value);
        }
        Ok(())
    }
}

const PUBLIC_URL: &str = "public_url";

/// Makes and takes apart the URLs of what lives here.
#[derive(Debug, Clone, Copy)]
pub struct Urls<'a>(&'a str);

impl<'a> Urls<'a> {
    /// The origin, without a path.
    pub const fn origin(&self) -> &'a str {
        self.0
    }

    /// The origin's host, with its port where it has one.
    pub fn host(&self) -> &'a str {
        self.0.split_once("://").map_or(self.0, |(_, host)| host)
    }

    /// A profile.
    pub fn profile(&self, slug: &Slug) -> String {
        format!("{}/profiles/{slug}", self.0)
    }

    /// An achievement.
    pub fn achievement(&self, id: AchievementId) -> String {
        format!("{}/achievements/{id}", self.0)
    }

    /// A status list.
    pub fn list(&self, id: ListId) -> String {
        format!("{}/status-lists/{id}", self.0)
    }

    /// The token list that has a list's id.
    pub fn token_list(&self, id: ListId) -> String {
        format!("{}/token-status-lists/{id}", self.0)
    }

    /// Where the token lists of an issuer are named.
    pub fn token_lists_of(&self, issuer: &str) -> String {
        let issuer: String = form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
        format!("{}/token-status-lists?issuer={issuer}", self.0)
    }

    /// A list in one of its forms.
    pub fn list_as(&self, id: ListId, form: ListForm) -> String {
        match form {
            ListForm::Bitstring | ListForm::BitstringJwt => self.list(id),
            ListForm::Status2021 => format!("{}/2021", self.list(id)),
            ListForm::TokenJwt | ListForm::TokenCwt => self.token_list(id),
        }
    }

    /// An endorsement.
    pub fn endorsement(&self, id: EndorsementId) -> String {
        format!("{}/endorsements/{id}", self.0)
    }

    /// A request for an endorsement.
    pub fn request(&self, id: RequestId) -> String {
        format!("{}/endorsement-requests/{id}", self.0)
    }

    /// The endorsement that `url` names, where it can be one of ours.
    pub fn parse_endorsement(&self, url: &str) -> Option<EndorsementId> {
        let url = self.spelled(url);
        self.within("endorsements", &url)?.parse().ok()
    }

    /// The endorsement of a URL that was written here, by [`Urls::endorsement`].
    pub(crate) fn own_endorsement(&self, url: &str) -> Option<EndorsementId> {
        self.within("endorsements", url)?.parse().ok()
    }

    /// What `url` names below `/{room}/` of this registry, where it names anything there.
    pub fn within<'u>(&self, room: &str, url: &'u str) -> Option<&'u str> {
        url.strip_prefix(self.0)?
            .strip_prefix('/')?
            .strip_prefix(room)?
            .strip_prefix('/')
    }

    /// The one spelling of an id of ours, however it was spelled: scheme and host in any case, a
    /// default port or user information, percent-encoding of a `did:web` in any case. Ids of
    /// others come back as they are.
    pub fn spelled<'u>(&self, id: &'u str) -> Cow<'u, str> {
        if let Some(rest) = id.strip_prefix("did:web:") {
            let host_end = rest.find([':', '/', '#', '?']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(host_end);
            let ours = self.host().replace(':', "%3A");
            if host.eq_ignore_ascii_case(&ours) {
                return Cow::Owned(format!("did:web:{ours}{path}"));
            }
        } else if let Ok(url) = Url::parse(id)
            && url.origin().ascii_serialization() == self.0
        {
            return Cow::Owned(format!("{}{}", self.0, &url[Position::BeforePath..]));
        }
        Cow::Borrowed(id)
    }

    /// The list that `url` names, where it is one of ours.
    pub fn parse_list(&self, url: &str) -> Option<ListId> {
        self.within("status-lists", url)?.parse().ok()
    }

    /// The list that `url` names in a form that has a URL of its own, where it is one of ours.
    pub fn parse_form(&self, url: &str) -> Option<(ListId, ListForm)> {
        if let Some(id) = self.within("token-status-lists", url) {
            return Some((id.parse().ok()?, ListForm::TokenJwt));
        }
        let id = self.within("status-lists", url)?.strip_suffix("/2021")?;
        Some((id.parse().ok()?, ListForm::Status2021))
    }

    /// Whether `id` is a URL below this registry's origin.
    pub fn is_ours(&self, id: &str) -> bool {
        id.strip_prefix(self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::Urls;

    #[test]
    fn an_id_of_ours_has_one_spelling() {
        let urls = Urls("http://localhost:8080");
        for spelling in [
            "http://localhost:8080/profiles/a",
            "HTTP://LOCALHOST:8080/profiles/a",
            "http://u:p@localhost:8080/profiles/a",
            "http://localhost:8080/x/../profiles/a",
        ] {
            assert_eq!(urls.spelled(spelling), "http://localhost:8080/profiles/a");
        }
        for spelling in [
            "did:web:localhost%3A8080:profiles:a",
            "did:web:LocalHost%3a8080:profiles:a",
        ] {
            assert_eq!(
                urls.spelled(spelling),
                "did:web:localhost%3A8080:profiles:a"
            );
        }
        for other in [
            "http://localhost:80801/a",
            "https://localhost:8080/a",
            "did:web:localhost:a",
        ] {
            assert_eq!(urls.spelled(other), other);
        }
    }
}
