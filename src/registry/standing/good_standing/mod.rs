//! Whether a credential is in good standing, and who stands behind its issuer: both halves of the
//! question in one answer, for many credentials, from one snapshot.

mod asking;
mod one;
pub(super) mod statuses;
mod told;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::thread;

use serde_json::Value;

use super::backing::{Backing, Question};
use crate::badges::{Clr, nested_credentials};
use crate::ids::{EndorsementId, ProfileId};
use crate::registry::standing::kept::OwnDocuments;
use crate::registry::{MaySee, Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::remembered::Remembered;
use crate::time::Timestamp;
use crate::vc::jwt::Envelope;
use crate::vc::securing::Secured;
use crate::verify::{Options, Outside, Report};
use asking::Asking;
pub use one::Examined;
use told::Told;

/// A credential that is asked about.
#[derive(Debug, Clone)]
pub enum Asked {
    /// By its id, which is known where it was issued, or given an entry, here.
    Id(String),
    /// As a document, whose proof is verified.
    Document(Value),
}

/// How a credential stands, and who stands behind it.
#[derive(Debug, Clone)]
pub struct StandingAnswer {
    /// Its id; none where a document has none.
    pub credential: Option<String>,
    /// [`Outcome::Active`] where the credential is in force and somebody who is trusted stands
    /// behind its issuer, or behind this achievement of the issuer's.
    pub outcome: Outcome,
    /// What the outcome rests on.
    pub decided_by: Half,
    /// The same for people.
    pub detail: Cow<'static, str>,
    /// Whether its proof and data model are good; none where only an id was given.
    pub verified: Option<bool>,
    /// Each status entry.
    pub status: Vec<StatusPart>,
    /// Its issuer; none where nothing is known of the credential.
    pub issuer: Option<Arc<Party>>,
    /// What was achieved, where it names that.
    pub achievement: Option<Arc<Party>>,
    /// Until when that holds by what is known now, where anything that it rests on ends by itself.
    pub until: Option<Timestamp>,
    /// When its own period ended, where that is over.
    pub ended: Option<Timestamp>,
    /// The credentials within it, by their JSON pointer.
    pub nested: Vec<(String, Self)>,
}

/// Which half of the question decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The credential itself: its proof, status and period.
    Credential,
    /// Who stands behind its issuer.
    Issuer,
    /// Who stands behind what was achieved.
    Achievement,
}

impl Half {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Issuer => "issuer",
            Self::Achievement => "achievement",
        }
    }
}

/// What one status entry says.
#[derive(Debug, Clone)]
pub struct StatusPart {
    /// URL of the list; none where the entry could not be read.
    pub list: Option<Arc<str>>,
    /// The place in the list.
    pub index: Option<u64>,
    /// What the list's bits mean.
    pub purpose: Option<Arc<str>>,
    /// The value; none where it could not be found out.
    pub status: Option<u8>,
    /// How the credential stands by it.
    pub outcome: Outcome,
}

/// An issuer or an achievement, and who stands behind it.
#[derive(Debug, Clone)]
pub struct Party {
    /// Its id.
    pub id: String,
    /// The name under which it is registered here, never the one in the credential.
    pub name: Option<String>,
    /// Who stands behind it, and how well.
    pub backing: Backing,
    /// When the first endorsement on that path ends by itself.
    pub until: Option<Timestamp>,
    /// Its endorsements, the ones in force first; at most 8.
    pub endorsements: Vec<Endorsed>,
    /// Whether there are more.
    pub more: bool,
    /// The profile that it is, where it is one here.
    pub profile: Option<ProfileId>,
    /// Who made the achievement that it is, where it is one here.
    pub made_by: Option<ProfileId>,
    /// How answers write it, by whoever writes it first.
    pub written: OnceLock<Written>,
}

/// The text of an issuer or an achievement, and that of the path behind it.
#[derive(Debug, Clone)]
pub struct Written {
    /// All that is told of it.
    pub whole: Box<[u8]>,
    /// The path alone; empty where there is none.
    pub path: Box<[u8]>,
}

impl Party {
    /// Whether it is registered here.
    pub(super) const fn is_here(&self) -> bool {
        self.profile.is_some() || self.made_by.is_some()
    }
}

/// An endorsement, in short.
#[derive(Debug, Clone)]
pub struct Endorsed {
    /// Its id here.
    pub id: EndorsementId,
    /// Who endorses, by `issuer.id`.
    pub endorser: String,
    /// The endorser's registered name.
    pub name: Option<String>,
    /// How it stands with all that it rests on.
    pub outcome: Outcome,
}

/// So many endorsements of one thing are shown in an answer about standing.
pub(in crate::registry) const MOST_SHOWN: usize = 8;

/// So many credentials within one credential are answered for.
const MOST_NESTED: usize = Clr::MAX_CREDENTIALS;

impl Registry {
    /// How each credential stands and who stands behind it, all of one snapshot, in the order
    /// asked. Documents are verified on every core; nothing but `may_see` limits what is told by
    /// id, since whoever asks by id need not hold the credential.
    pub fn standing(
        &self,
        asked: Vec<Asked>,
        question: &Question,
        may_see: MaySee,
        options: Options<'_>,
        outside: &dyn Outside,
    ) -> Result<Vec<StandingAnswer>, RegistryError> {
        let life = self.kept.life();
        let snapshot = self.engine.snapshot();
        let remembered = Remembered::new(&*snapshot);
        let read = &remembered;
        // All documents of one question share one session.
        let session = outside.session();
        let made = OwnDocuments::new(self.kept.documents(life, read, question.at));
        let report_on = |document: &Value| {
            self.report_on(read, &made, document, question.at, options, &*session)
        };
        let found = on_every_core(asked, |asked| match asked {
            Asked::Id(id) => Ok(Found::Id(id)),
            Asked::Document(document) => {
                let looked = Looked::at(&document, report_on(&document));
                let nested = self.nested(read, question, &looked, &report_on)?;
                let told = Told::by(self, read, question, looked)?;
                Ok(Found::Document(Box::new(told), nested))
            }
        });
        let found: Vec<Found> = found.into_iter().collect::<Result<_, RegistryError>>()?;
        let trust = Asking::trust(read);
        let asking = Asking::new(self, &trust, question, life)?;
        let by_id: Vec<&str> = found.iter().filter_map(Found::id).collect();
        let said = asking.read_ahead(read, &by_id, may_see)?;
        asking.read_issuers_ahead(found.iter().filter_map(Found::issuer))?;
        let mut places = 0..;
        let answers = found.into_iter().map(|found| match found {
            Found::Id(id) => {
                let place = places.next().unwrap_or_default();
                asking.by_id(read, id, (&said, place))
            }
            Found::Document(told, nested) => asking.by_document_with(&told, &nested),
        });
        answers.collect()
    }
}

impl Registry {
    /// The credentials within one, by their JSON pointer.
    fn nested(
        &self,
        read: &dyn Read,
        question: &Question,
        looked: &Looked<'_>,
        report_on: &dyn Fn(&Value) -> Report,
    ) -> Result<Vec<(String, Told)>, RegistryError> {
        // What is in a credential that nobody proved is nobody's.
        let most = match looked.report.verified {
            true => MOST_NESTED,
            false => 0,
        };
        let nested = nested_credentials(&looked.claims).take(most);
        let nested = nested.map(|(at, inner)| {
            let inner = Looked::at(inner, report_on(inner));
            Ok((at, Told::by(self, read, question, inner)?))
        });
        nested.collect()
    }
}

/// What was asked about, once each document was looked at.
enum Found {
    Id(String),
    /// A document, and those within it by their JSON pointer.
    Document(Box<Told>, Vec<(String, Told)>),
}

impl Found {
    fn id(&self) -> Option<&str> {
        match self {
            Self::Id(id) => Some(id),
            Self::Document(..) => None,
        }
    }

    /// Who issued a document, where that is proved.
    fn issuer(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Document(told, _) => told.issuer.as_deref(),
        }
    }
}

/// A document that was verified.
struct Looked<'d> {
    report: Report,
    /// What it says, or what its newer version does where that was verified in its place.
    claims: Cow<'d, Value>,
}

impl<'d> Looked<'d> {
    fn at(document: &'d Value, mut report: Report) -> Self {
        let document = match report.refreshed.take() {
            Some(newer) => Cow::Owned(newer),
            None => Cow::Borrowed(document),
        };
        let claims = match document.is_string() || Envelope::of(&document).is_some() {
            false => document,
            true => {
                let secured = Secured::held(document.into_owned());
                Cow::Owned(secured.map_or(Value::Null, |secured| secured.claims().clone()))
            }
        };
        Self { report, claims }
    }
}

/// One result for each item, in order, worked out by as many threads as there are cores.
pub(crate) fn on_every_core<T: Send, R: Send>(
    mut items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(cores).max(1);
    if items.len() < 16 || cores == 1 {
        return items.into_iter().map(work).collect();
    }
    let mut shares = Vec::with_capacity(cores);
    while items.len() > share {
        let rest = items.split_off(share);
        shares.push(std::mem::replace(&mut items, rest));
    }
    shares.push(items);
    thread::scope(|scope| {
        let work = &work;
        let spawned: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(work).collect::<Vec<R>>()))
            .collect();
        let joined = spawned.into_iter().flat_map(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    })
}

impl StandingAnswer {
    /// Nothing is known of the credential, or nothing that the caller may know.
    fn unknown(id: String) -> Self {
        Self {
            credential: Some(id),
            outcome: Outcome::Unknown,
            decided_by: Half::Credential,
            detail: "nothing is known here of a credential with this id, or it is not for you to \
                     know; hand in the credential itself"
                .into(),
            verified: None,
            status: Vec::new(),
            issuer: None,
            achievement: None,
            until: None,
            ended: None,
            nested: Vec::new(),
        }
    }
}
