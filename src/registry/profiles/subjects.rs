//! What can be endorsed: the subject of an endorsement is checked where it lives here.

use crate::badges::{DigestMultibase, SubjectKind};
use crate::ids::{AchievementId, ProfileId};
use crate::registry::profiles::id_digest;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{ACHIEVEMENTS, CREDENTIALS, ENDORSEMENTS};
use crate::time::Timestamp;

/// What is endorsed, as far as it is known here.
#[derive(Default)]
pub(in crate::registry) struct Subject {
    pub(in crate::registry) id: String,
    /// The profile that it is, or that made it, where that is one here.
    pub(in crate::registry) maker: Option<ProfileId>,
    pub(in crate::registry) issuer: bool,
    pub(in crate::registry) accreditor: bool,
}

/// Schemes of URLs that are no name of anything, and that do something where they are followed.
const NO_NAMES: [&str; 6] = ["javascript", "vbscript", "data", "blob", "about", "file"];

impl Registry {
    /// The id under which a thing is known: a profile here answers to its URL as well.
    pub(in crate::registry) fn canonical(
        &self,
        read: &dyn Read,
        id: &str,
    ) -> Result<String, RegistryError> {
        let spelled = self.urls().spelled(id);
        // Who is found by its `issuer.id` has no other one.
        if self.profile_with_issuer_id(read, &spelled)?.is_some() {
            return Ok(spelled.into_owned());
        }
        match self.profile_at(read, &spelled)? {
            Some(profile) => Ok(self.profile_record(read, profile)?.issuer_id),
            None => Ok(spelled.into_owned()),
        }
    }

    /// Digest of what a hosted profile or achievement is now, by which an endorsement can be bound to it.
    pub fn present_digest(&self, id: &str) -> Result<Option<DigestMultibase>, RegistryError> {
        let present = self.present_version(&*self.engine.snapshot(), id)?;
        Ok(present.map(|(digest, _)| digest))
    }

    /// Digest of what a hosted profile or achievement is now, as its JSON-LD is served, and when it
    /// last changed.
    pub(in crate::registry) fn present_version(
        &self,
        read: &dyn Read,
        id: &str,
    ) -> Result<Option<(DigestMultibase, Timestamp)>, RegistryError> {
        let achievement = self.urls().within("achievements", id).map(str::parse);
        let (document, changed_at) = if let Some(profile) = self.profile_with_id(read, id)? {
            let view = self.profile_view(read, profile)?;
            (view.document, view.changed_at)
        } else if let Some(Ok(achievement)) = achievement
            && let Some(record) = ACHIEVEMENTS.get(read, &achievement)?
        {
            let view = self.view_achievement(read, achievement, &record)?;
            (view.document, view.changed_at)
        } else {
            return Ok(None);
        };
        let digest = DigestMultibase::of(document.to_string().as_bytes());
        Ok(Some((digest, changed_at)))
    }

    /// The registered name of a profile or an achievement, and whose the achievement is.
    pub(in crate::registry) fn name_and_owner(
        &self,
        read: &dyn Read,
        subject: &str,
    ) -> Result<(Option<String>, Option<String>), RegistryError> {
        if let Some(profile) = self.profile_with_id(read, subject)? {
            let record = self.profile_record(read, profile)?;
            return Ok((Some(record.name()), None));
        }
        let Some(name) = self.achievement_name(read, subject)? else {
            return Ok((None, None));
        };
        let id = self.urls().within("achievements", subject);
        let owner = match id.map(str::parse::<AchievementId>) {
            Some(Ok(id)) => Some(self.profile_record(read, id.owner())?.issuer_id),
            _ => None,
        };
        Ok((Some(name), owner))
    }

    /// The registered name of an achievement; none where no such one is registered here.
    pub(in crate::registry) fn achievement_name(
        &self,
        read: &dyn Read,
        id: &str,
    ) -> Result<Option<String>, RegistryError> {
        let Some(Ok(id)) = self.urls().within("achievements", id).map(str::parse) else {
            return Ok(None);
        };
        let Some(record) = ACHIEVEMENTS.get(read, &id)? else {
            return Ok(None);
        };
        Ok(record.said()["name"].as_str().map(str::to_owned))
    }

    /// Whether a profile or an achievement of this id is registered here, or was at `at`. That a
    /// credential is known is not told: it would reveal that the credential exists.
    pub(in crate::registry) fn is_known(
        &self,
        read: &dyn Read,
        id: &str,
        at: Option<Timestamp>,
    ) -> Result<bool, RegistryError> {
        let registered_at = if let Some(profile) = self.profile_with_id(read, id)? {
            Some(self.profile_record(read, profile)?.created_at)
        } else if let Some(Ok(id)) = self.urls().within("achievements", id).map(str::parse) {
            ACHIEVEMENTS.get(read, &id)?.map(|record| record.created_at)
        } else {
            None
        };
        Ok(registered_at.is_some_and(|registered_at| at.is_none_or(|at| registered_at <= at)))
    }

    /// Checks that what is to be endorsed is what it is said to be, where it lives here.
    pub(in crate::registry) fn subject(
        &self,
        read: &dyn Read,
        id: &str,
        kind: SubjectKind,
    ) -> Result<Subject, RegistryError> {
        let id = &*self.urls().spelled(id);
        let elsewhere = || Subject {
            id: id.to_owned(),
            ..Subject::default()
        };
        let made_by = |owner| {
            Ok(Subject {
                maker: Some(owner),
                ..elsewhere()
            })
        };
        let names_something = |url: &url::Url| !NO_NAMES.contains(&url.scheme());
        if !url::Url::parse(id).as_ref().is_ok_and(names_something) || id.len() > 2048 {
            let detail = "an absolute URL of at most 2,048 characters is needed, such as a DID, an \
                          https URL or a URN";
            return Err(RegistryError::invalid("/subject/id", detail));
        }
        let wrong = |is: &str| {
            Err(RegistryError::Subject(format!(
                "{id} is {is}, and was to be endorsed as another kind"
            )))
        };
        if let Some(profile) = self.profile_with_id(read, id)? {
            if kind != SubjectKind::Profile {
                return wrong("a profile");
            }
            let record = self.profile_record(read, profile)?;
            return Ok(Subject {
                id: record.issuer_id,
                maker: Some(profile),
                issuer: record.issuer,
                accreditor: record.accreditor,
            });
        }
        if let Some(Ok(achievement)) = self.urls().within("achievements", id).map(str::parse)
            && ACHIEVEMENTS.get(read, &achievement)?.is_some()
        {
            return match kind {
                SubjectKind::Achievement => made_by(achievement.owner()),
                SubjectKind::Profile | SubjectKind::Credential => wrong("an achievement"),
            };
        }
        if let Some(Ok(endorsement)) = self.urls().within("endorsements", id).map(str::parse)
            && ENDORSEMENTS.get(read, &endorsement)?.is_some()
        {
            return match kind {
                SubjectKind::Credential => made_by(endorsement.owner()),
                SubjectKind::Profile | SubjectKind::Achievement => wrong("a credential"),
            };
        }
        // Issuers choose the ids of their credentials, so what one claims of an id says nothing of
        // what others mean by it.
        // An id that the registry gave out itself can mean nothing but the one credential.
        let claims = CREDENTIALS.scan(read, &id_digest(id), None, usize::MAX)?;
        if kind != SubjectKind::Credential && claims.iter().any(|(_, record)| record.named_here) {
            return wrong("a credential");
        }
        if kind == SubjectKind::Credential {
            match claims.as_slice() {
                [] => {}
                [((_, owner), _)] => return made_by(*owner),
                _ => return Ok(elsewhere()),
            }
        }
        if self.would_be_ours(id) {
            let detail = format!("{id} would live here, and there is no such thing to endorse");
            return Err(RegistryError::Subject(detail));
        }
        Ok(elsewhere())
    }

    /// Whether an id lies below this registry's origin, as a URL or as a `did:web`.
    pub(in crate::registry) fn would_be_ours(&self, id: &str) -> bool {
        self.urls().is_ours(id) || self.is_our_did(id)
    }

    fn is_our_did(&self, id: &str) -> bool {
        id.strip_prefix(&self.did())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '#', '/']))
    }
}
