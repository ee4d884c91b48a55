//! How endorsements stand: one by one, by filter, and for many subjects at once, now or at a moment
//! in the past.

pub(super) mod authority;
pub(super) mod backing;
pub(super) mod cascade;
pub(super) mod good_standing;
pub(super) mod issuers;
pub(super) mod kept;
pub(super) mod links;
mod needs;
pub(super) mod parties;
pub(super) mod ready;
mod seen;

use super::profiles::id_digest;
use super::signing::StoredEndorsement;
use super::{Outcome, Registry, RegistryError, Thing};
use crate::badges::{Scope, SubjectKind};
use crate::ids::{EndorsementId, ProfileId, Slug};
use crate::store::engine::Read;
use crate::store::tables::{
    Digest, ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, ENDORSEMENTS_BY_SUBJECT, EndorsementRecord, Origin,
};
use crate::time::Timestamp;
use backing::{Backing, Question};
use links::{Link, Links};

/// An endorsement and how it stands.
#[derive(Debug, Clone)]
pub struct EndorsementView {
    /// Its id.
    pub id: EndorsementId,
    /// `issuer.id` of the endorser.
    pub endorser: String,
    /// The endorser's registered name; none for who is not registered here.
    pub endorser_name: Option<String>,
    /// Id of the endorsed thing.
    pub subject: String,
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// The roles that the subject held here when it was endorsed, and which the endorsement covers.
    pub roles: Vec<&'static str>,
    /// What it covers; all of its subject where there is none.
    pub scope: Option<Scope>,
    /// How it stands with all that it rests on: its own status and period, the version of its
    /// subject, its endorser.
    pub outcome: Outcome,
    /// How its endorser stands as an accreditor.
    pub endorser_outcome: Outcome,
    /// From when on it holds.
    pub valid_from: Timestamp,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// When its standing last changed.
    pub changed_at: Timestamp,
    /// Its own `id`, and when its issuer was last asked about it, where it was issued elsewhere.
    pub imported: Option<(String, Timestamp)>,
    /// The signed EndorsementCredential.
    pub credential: StoredEndorsement,
}

/// Which endorsements to list.
#[derive(Debug, Clone, Default)]
pub struct EndorsementFilter {
    /// Of this thing.
    pub subject: Option<String>,
    /// By this one: slug or id of a profile here, or the id of who endorsed elsewhere.
    pub endorser: Option<String>,
    /// Of things of this kind.
    pub kind: Option<SubjectKind>,
    /// Standing like this.
    pub standing: Option<Outcome>,
    /// As of this moment rather than now.
    pub at: Option<Timestamp>,
    /// After this one.
    pub after: Option<EndorsementId>,
}

/// A page of endorsements.
#[derive(Debug, Clone)]
pub struct EndorsementPage {
    /// Those that passed the filter.
    pub endorsements: Vec<EndorsementView>,
    /// After which one the list goes on, where it does.
    pub next: Option<EndorsementId>,
}

/// What is known of one subject.
#[derive(Debug, Clone)]
pub struct SubjectAnswer {
    /// The subject as it was asked for.
    pub subject: String,
    /// Who stands behind it, and how well.
    pub backing: Backing,
    /// How it stands as an accreditor here; none where it never was one. It may be endorsed by
    /// others and suspended by the registry at the same time.
    pub accreditor: Option<Outcome>,
    /// Its endorsements, at most 1,000.
    pub endorsements: Vec<EndorsementView>,
    /// Whether there are more, which [`Registry::endorsements`] lists page by page.
    pub more: bool,
}

impl Registry {
    /// An endorsement, as it stands at `at` or now.
    pub fn endorsement(
        &self,
        id: EndorsementId,
        at: Option<Timestamp>,
    ) -> Result<EndorsementView, RegistryError> {
        let snapshot = self.engine.snapshot();
        let record = self.endorsement_record(&*snapshot, id)?;
        self.view_endorsement(&*snapshot, id, record, at)
    }

    /// Endorsements that pass `filter`, in order of id, of one subject those issued here first, at
    /// most `limit` of them. A filter that few pass gives a short page with a cursor, rather than an
    /// answer that takes for ever.
    pub fn endorsements(
        &self,
        filter: &EndorsementFilter,
        limit: usize,
    ) -> Result<EndorsementPage, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let endorser = match &filter.endorser {
            Some(name) => Some(self.endorser_named(read, name)?),
            None => None,
        };
        let links = Links::new(self, read, filter.at);
        let subject = filter.subject.as_deref();
        let subject = subject.map(|id| self.canonical(read, id)).transpose()?;
        let mut found = Vec::new();
        let (mut after, mut looked_at) = (filter.after, 0);
        loop {
            let page = match &subject {
                Some(subject) => self.rows_by_subject(read, subject, after, PAGE)?,
                None => rows_by_owner(read, endorser.as_ref().map(Endorser::owner), after, PAGE)?,
            };
            let rows = page.len();
            links.read_endorsers(page.iter().map(|(id, _)| *id))?;
            for (id, record) in page {
                after = Some(id);
                looked_at += 1;
                if filter.kind.is_none_or(|kind| record.kind == kind)
                    && filter.at.is_none_or(|at| record.created_at <= at)
                    && endorser.as_ref().is_none_or(|one| one.is(id, &record))
                {
                    let link = links.link(id, record)?;
                    let wanted = filter.standing;
                    if wanted.is_none_or(|standing| link.outcome() == standing) {
                        found.push(link);
                    }
                }
                if found.len() == limit || looked_at == MOST_LOOKED_AT {
                    return Ok(EndorsementPage {
                        endorsements: views(read, found.iter())?,
                        next: after,
                    });
                }
            }
            if rows < PAGE {
                return Ok(EndorsementPage {
                    endorsements: views(read, found.iter())?,
                    next: None,
                });
            }
        }
    }

    /// What is known of each subject, all of one snapshot, in the order asked.
    pub fn endorsements_of(
        &self,
        subjects: &[String],
        question: &Question,
    ) -> Result<Vec<SubjectAnswer>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let links = Links::new(self, &*snapshot, question.at);
        let mut room = MOST_SHOWN;
        let answer = |asked: &String| {
            let subject = links.named(asked)?;
            let known = links.of(&subject)?;
            let shown = room.min(known.links.len());
            room -= shown;
            Ok(SubjectAnswer {
                subject: asked.clone(),
                backing: self.backing(&links, &subject, question)?,
                accreditor: links.accreditor(&subject)?,
                endorsements: views(links.read, known.links[..shown].iter())?,
                more: known.more || shown < known.links.len(),
            })
        };
        subjects.iter().map(answer).collect()
    }

    pub(super) fn view_endorsement(
        &self,
        read: &dyn Read,
        id: EndorsementId,
        record: EndorsementRecord,
        at: Option<Timestamp>,
    ) -> Result<EndorsementView, RegistryError> {
        let link = Links::new(self, read, at).link(id, record)?;
        let mut views = views(read, std::iter::once(&link))?;
        Ok(views.remove(0))
    }

    pub(super) fn endorsement_record(
        &self,
        read: &dyn Read,
        id: EndorsementId,
    ) -> Result<EndorsementRecord, RegistryError> {
        let none = || RegistryError::NotFound(Thing::Endorsement, self.urls().endorsement(id));
        ENDORSEMENTS.get(read, &id)?.ok_or_else(none)
    }

    /// Who endorses, by slug or id. Somebody elsewhere is whoever has the id: what they endorsed
    /// may have been brought here.
    fn endorser_named(&self, read: &dyn Read, name: &str) -> Result<Endorser, RegistryError> {
        match self.profile_number(read, name)? {
            Some(profile) => Ok(Endorser::Here(profile)),
            None if name.parse::<Slug>().is_ok() || self.would_be_ours(name) => {
                let detail = format!("no profile here has the slug or the id {name:?}");
                Err(RegistryError::invalid("/endorser", detail))
            }
            None => Ok(Endorser::Elsewhere(name.to_owned())),
        }
    }

    /// The endorsements of a thing after one of them: those issued here in order of id, then those
    /// from elsewhere. Anybody can sign something elsewhere, and it is not in the way of the others.
    pub(super) fn rows_by_subject(
        &self,
        read: &dyn Read,
        subject: &str,
        after: Option<EndorsementId>,
        limit: usize,
    ) -> Result<Vec<Row>, RegistryError> {
        let elsewhere = after.filter(|id| id.owner() == ProfileId::REGISTRY);
        if elsewhere.is_some() {
            return self.imports_of(read, subject, elsewhere, limit);
        }
        if after.is_none()
            && let [Some(all)] = self.few_by_subject(read, &[subject], limit)?.as_mut_slice()
        {
            return Ok(std::mem::take(all));
        }
        let digest = id_digest(subject);
        let after = (digest, after.unwrap_or(LAST_FROM_ELSEWHERE));
        let found = ENDORSEMENTS_BY_SUBJECT.scan(read, &digest, Some(&after), limit)?;
        let mut rows = without_subject(found);
        if rows.len() < limit {
            rows.extend(self.imports_of(read, subject, None, limit - rows.len())?);
        }
        Ok(rows)
    }

    /// The endorsements of each thing that has fewer than `limit`, in the same order. Most have so
    /// few, and then they are read in one go.
    pub(super) fn few_by_subject(
        &self,
        read: &dyn Read,
        subjects: &[&str],
        limit: usize,
    ) -> Result<Vec<Option<Vec<Row>>>, RegistryError> {
        let digests: Vec<_> = subjects.iter().map(|subject| id_digest(subject)).collect();
        let found = ENDORSEMENTS_BY_SUBJECT.scan_each(read, &digests, limit)?;
        let found = found.into_iter().map(|rows| {
            let all = rows.len() < limit;
            let mut rows = without_subject(rows);
            let imports = rows.partition_point(|(id, _)| id.owner() == ProfileId::REGISTRY);
            rows.rotate_left(imports);
            all.then_some(rows)
        });
        Ok(found.collect())
    }

    /// The endorsements of a thing that were issued elsewhere, in order of id: their ids lead with
    /// the number of the registry itself, which issues none.
    pub(super) fn imports_of(
        &self,
        read: &dyn Read,
        subject: &str,
        after: Option<EndorsementId>,
        limit: usize,
    ) -> Result<Vec<Row>, RegistryError> {
        let digest = id_digest(subject);
        let prefix = [&digest[..], &ProfileId::REGISTRY.0.to_be_bytes()].concat();
        let after = after.map(|id| (digest, id));
        let rows = ENDORSEMENTS_BY_SUBJECT.scan(read, &prefix, after.as_ref(), limit)?;
        Ok(without_subject(rows))
    }
}

/// An endorsement as it is stored.
type Row = (EndorsementId, EndorsementRecord);

fn without_subject(rows: Vec<((Digest, EndorsementId), EndorsementRecord)>) -> Vec<Row> {
    let rows = rows.into_iter();
    rows.map(|((_, id), record)| (id, record)).collect()
}

/// Whose endorsements are asked for.
enum Endorser {
    Here(ProfileId),
    Elsewhere(String),
}

impl Endorser {
    /// The number that ids of what it endorsed lead with.
    const fn owner(&self) -> ProfileId {
        match self {
            Self::Here(profile) => *profile,
            Self::Elsewhere(_) => ProfileId::REGISTRY,
        }
    }

    fn is(&self, id: EndorsementId, record: &EndorsementRecord) -> bool {
        match (self, &record.origin) {
            (Self::Here(profile), Origin::Issued { .. }) => id.owner() == *profile,
            (Self::Elsewhere(endorser), Origin::Imported(imported)) => {
                imported.endorser == *endorser
            }
            _ => false,
        }
    }
}

pub(super) fn rows_by_owner(
    read: &dyn Read,
    owner: Option<ProfileId>,
    after: Option<EndorsementId>,
    limit: usize,
) -> Result<Vec<Row>, RegistryError> {
    let prefix = owner.map_or(Vec::new(), |id| id.0.to_be_bytes().to_vec());
    Ok(ENDORSEMENTS.scan(read, &prefix, after.as_ref(), limit)?)
}

/// Links with their documents, in their order.
fn views<'l>(
    read: &dyn Read,
    links: impl Iterator<Item = &'l Link> + Clone,
) -> Result<Vec<EndorsementView>, RegistryError> {
    let ids: Vec<EndorsementId> = links.clone().map(|link| link.id).collect();
    let documents = ENDORSEMENT_DOCUMENTS.multi_get(read, &ids)?;
    let viewed = links.zip(documents);
    Ok(viewed
        .map(|(link, document)| view(link, document.unwrap_or_default()))
        .collect())
}

fn view(link: &Link, document: Vec<u8>) -> EndorsementView {
    let record = &link.record;
    let mut roles = Vec::new();
    roles.extend(record.as_issuer.then_some("issuer"));
    roles.extend(record.as_accreditor.then_some("accreditor"));
    let last = record.history.last();
    EndorsementView {
        id: link.id,
        endorser: link.endorser.id().to_owned(),
        endorser_name: link.endorser_name().map(str::to_owned),
        subject: record.subject.clone(),
        kind: record.kind,
        roles,
        scope: link.scope.as_deref().cloned(),
        outcome: link.outcome(),
        endorser_outcome: link.lent,
        valid_from: record.valid_from,
        valid_until: record.valid_until,
        changed_at: last.map_or(record.created_at, |change| change.at),
        imported: match &record.origin {
            Origin::Issued { .. } => None,
            Origin::Imported(imported) => Some((imported.credential.clone(), imported.checked_at)),
        },
        credential: StoredEndorsement::of(document),
    }
}

/// No id of an endorsement from elsewhere comes after it, and each of one issued here does.
const LAST_FROM_ELSEWHERE: EndorsementId =
    EndorsementId::from_bytes([0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);

/// How many rows are looked at in one go.
pub(super) const PAGE: usize = 256;

/// At most this many rows are looked at for one page of a list.
pub(super) const MOST_LOOKED_AT: usize = 10_000;

/// At most this many endorsements are shown in one batch answer.
const MOST_SHOWN: usize = 10_000;
