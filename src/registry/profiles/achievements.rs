//! Achievements that issuers define here.

use serde_json::{Map, Value};

use crate::access::Action;
use crate::badges::Achievement;
use crate::ids::{AchievementId, Slug};
use crate::registry::profiles::document_digest;
use crate::registry::{Change, Expected, Registry, RegistryError, Thing};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{ACHIEVEMENTS, AchievementRecord};
use crate::time::Timestamp;

/// An achievement as it is served.
#[derive(Debug, Clone)]
pub struct AchievementView {
    /// Its id.
    pub id: AchievementId,
    /// The profile that defined it.
    pub creator: Slug,
    /// JSON-LD of the Achievement.
    pub document: Value,
    /// When the document was last changed, or who defined it, where it shows that.
    pub changed_at: Timestamp,
    /// Strong entity tag of this version, with its quotes.
    pub etag: String,
}

impl Registry {
    /// Registers an achievement of the profile `owner`. `members` are those of the Open Badges
    /// class; `id`, `type` and `creator` are given by the registry.
    pub fn create_achievement(
        &self,
        change: &Change,
        owner: &Slug,
        members: &Map<String, Value>,
    ) -> Result<AchievementView, RegistryError> {
        let given = Achievement::parse(&Value::Object(members.clone()))?;
        let id = self.transact(change, |tx| {
            let profile = self.profile_id(tx.read, owner)?;
            change.actor.must(Action::WriteProfile, profile)?;
            if !self.profile_record(tx.read, profile)?.issuer {
                return Err(RegistryError::RoleMissing(owner.clone(), "issuer"));
            }
            let id = AchievementId::generate(profile, &*self.entropy);
            let record = AchievementRecord {
                members: Value::from(given.clone()).to_string(),
                created_at: tx.now,
                changed_at: tx.now,
            };
            ACHIEVEMENTS.expect(&mut tx.batch, &id, None);
            ACHIEVEMENTS.put(&mut tx.batch, &id, &record);
            tx.log(EventKind::AchievementCreated { achievement: id });
            Ok(id)
        })?;
        self.achievement(id)
    }

    /// Replaces the members of an achievement. `expected` is the entity tag that the caller saw.
    pub fn change_achievement(
        &self,
        change: &Change,
        id: AchievementId,
        members: &Map<String, Value>,
        expected: Option<&Expected>,
    ) -> Result<AchievementView, RegistryError> {
        let given = Achievement::parse(&Value::Object(members.clone()))?;
        self.transact(change, |tx| {
            let before = self.achievement_record(tx.read, id)?;
            change.actor.must(Action::WriteProfile, id.owner())?;
            if let Some(expected) = expected {
                let present = self.view_achievement(tx.read, id, &before)?.etag;
                if !expected.allows(&present) {
                    return Err(RegistryError::ChangedMeanwhile { present });
                }
            }
            let record = AchievementRecord {
                members: Value::from(given.clone()).to_string(),
                created_at: before.created_at,
                changed_at: tx.now,
            };
            ACHIEVEMENTS.expect(&mut tx.batch, &id, Some(&before));
            ACHIEVEMENTS.put(&mut tx.batch, &id, &record);
            tx.log(EventKind::AchievementChanged { achievement: id });
            Ok(())
        })?;
        self.achievement(id)
    }

    /// An achievement that lives here.
    pub fn achievement(&self, id: AchievementId) -> Result<AchievementView, RegistryError> {
        let snapshot = self.engine.snapshot();
        let record = self.achievement_record(&*snapshot, id)?;
        self.view_achievement(&*snapshot, id, &record)
    }

    /// The achievements of a profile, in order of id, after `after`.
    pub fn achievements_of(
        &self,
        owner: &Slug,
        after: Option<AchievementId>,
        limit: usize,
    ) -> Result<Vec<AchievementView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let owner = self.profile_id(&*snapshot, owner)?;
        let prefix = owner.0.to_be_bytes();
        let rows = ACHIEVEMENTS.scan(&*snapshot, &prefix, after.as_ref(), limit)?;
        rows.iter()
            .map(|(id, record)| self.view_achievement(&*snapshot, *id, record))
            .collect()
    }

    pub(in crate::registry) fn achievement_record(
        &self,
        read: &dyn Read,
        id: AchievementId,
    ) -> Result<AchievementRecord, RegistryError> {
        ACHIEVEMENTS
            .get(read, &id)?
            .ok_or_else(|| RegistryError::NotFound(Thing::Achievement, self.urls().achievement(id)))
    }

    /// The achievement here that has this URL.
    pub(in crate::registry) fn achievement_at(
        &self,
        read: &dyn Read,
        url: &str,
    ) -> Result<Option<AchievementView>, RegistryError> {
        let url = self.urls().spelled(url);
        let Some(Ok(id)) = self.urls().within("achievements", &url).map(str::parse) else {
            return Ok(None);
        };
        match ACHIEVEMENTS.get(read, &id)? {
            Some(record) => self.view_achievement(read, id, &record).map(Some),
            None => Ok(None),
        }
    }

    pub(in crate::registry) fn view_achievement(
        &self,
        read: &dyn Read,
        id: AchievementId,
        record: &AchievementRecord,
    ) -> Result<AchievementView, RegistryError> {
        let owner = self.profile_record(read, id.owner())?;
        let given: Achievement = serde_json::from_str(&record.members)
            .expect("achievements are stored as they were checked");
        let mut document = given.render(&self.urls().achievement(id), &[]);
        let mut changed_at = record.changed_at;
        if document.get("creator").is_none() {
            document["creator"] = owner.profile().issuer(&owner.issuer_id).to_value();
            changed_at = changed_at.max(owner.changed_at);
        }
        Ok(AchievementView {
            id,
            creator: owner.slug,
            etag: document_digest(&document),
            document,
            changed_at,
        })
    }
}

impl AchievementRecord {
    /// The members that were said about it.
    pub(in crate::registry) fn said(&self) -> Value {
        serde_json::from_str(&self.members).expect("achievements are stored as they were checked")
    }
}
