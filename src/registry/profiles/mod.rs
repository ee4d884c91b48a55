//! Profiles: issuers and accreditors, their ids and roles.

pub(super) mod achievements;
pub(super) mod brought;
pub(super) mod compromise;
pub(super) mod identity;
pub(super) mod keys;
pub(super) mod rotation;
pub(super) mod subjects;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::epoch::{Passed, passed_over};
use super::{Change, Expected, Registry, RegistryError, Thing};
use crate::access::Action;
use crate::badges::Profile;
use crate::ids::{KeyId, ProfileId, Slug};
use crate::store::engine::Read;
use crate::store::event::EventKind;
pub(super) use crate::store::tables::id_digest;
use crate::store::tables::{
    AccreditorStanding, COUNTS, HistoryAccess, IdForm, KEYS, PROFILE_ISSUER_IDS, PROFILE_SLUGS,
    PROFILES, ProfileRecord,
};
use crate::time::Timestamp;
use crate::vc::controller::method_members;
use crate::vc::did::DidKey;
use brought::{BroughtKey, stage_brought};

/// A profile as somebody registers it.
#[derive(Debug, Clone)]
pub struct NewProfile {
    /// Its name in URLs.
    pub slug: Slug,
    /// Which form its `issuer.id` has.
    pub id_form: IdForm,
    /// Its roles.
    pub roles: Roles,
    /// Who may see its lists as they were; as the registry has it, where that is not said.
    pub history: Option<HistoryAccess>,
    /// Members of the Open Badges class; `id` and `type` are given by the registry.
    pub members: Map<String, Value>,
}

impl NewProfile {
    /// An issuer by `did:web` of which no more is said than its name.
    pub fn usual(slug: Slug, name: &str) -> Self {
        let mut members = Map::new();
        members.insert("name".into(), name.into());
        Self {
            slug,
            id_form: IdForm::DidWeb,
            roles: Roles {
                issuer: true,
                accreditor: false,
            },
            history: None,
            members,
        }
    }
}

/// What the registry keeps of a profile besides its members, where that is to change.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProfileSettings {
    /// Its roles, which are the operator's to give.
    pub roles: Option<Roles>,
    /// Who may see its lists as they were.
    pub history: Option<HistoryAccess>,
}

/// What a profile may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Issue credentials, and say later how they stand.
    pub issuer: bool,
    /// Endorse.
    pub accreditor: bool,
}

/// A profile as it is served.
#[derive(Debug, Clone)]
pub struct ProfileView {
    /// The registry's number for it.
    pub id: ProfileId,
    /// Its name in URLs.
    pub slug: Slug,
    /// `issuer.id` of what it issues.
    pub issuer_id: String,
    /// Which form of id that is.
    pub id_form: IdForm,
    /// Its roles.
    pub roles: Roles,
    /// Who may see its lists as they were.
    pub history: HistoryAccess,
    /// JSON-LD of the Profile.
    pub document: Value,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Strong entity tag of this version, with its quotes.
    pub etag: String,
}

/// How many profiles there have been; moved with each new one.
const PROFILE_COUNT: &str = "profiles";

impl Registry {
    /// Registers a profile and makes its first key, in one batch.
    pub fn create_profile(
        &self,
        change: &Change,
        new: &NewProfile,
    ) -> Result<ProfileView, RegistryError> {
        self.create_profile_with(change, new, None)
    }

    /// As [`Registry::create_profile`], with a first key that is brought along, where one is.
    pub fn create_profile_with(
        &self,
        change: &Change,
        new: &NewProfile,
        brought: Option<&BroughtKey>,
    ) -> Result<ProfileView, RegistryError> {
        let given = Profile::parse(&Value::Object(new.members.clone()))?;
        let id = self.transact(change, |tx| {
            change.actor.must_operate()?;
            if PROFILE_SLUGS.get(tx.read, &new.slug)?.is_some() {
                return Err(RegistryError::SlugTaken(new.slug.clone()));
            }
            self.record_public_url(tx)?;
            let count_key = PROFILE_COUNT.to_owned();
            let count = COUNTS.get(tx.read, &count_key)?;
            self.check_profiles(count.unwrap_or(0), tx.now)?;
            let next = count.unwrap_or(0) + 1;
            COUNTS.expect(&mut tx.batch, &count_key, count.as_ref());
            COUNTS.put(&mut tx.batch, &count_key, &next);
            // How many there are, and the numbers that a restore has passed over.
            let number = next + passed_over(tx.read, Passed::ProfileNumbers)?;
            let id = ProfileId(u32::try_from(number).map_err(|_| RegistryError::Contended)?);

            let passed = passed_over(tx.read, Passed::KeyNumbers)?;
            let first = u32::try_from(passed + 1).map_err(|_| RegistryError::Contended)?;
            let first = KeyId(first);
            let (key, public) = match brought {
                None => self.new_key(id, first, tx.now, tx.now)?,
                Some(brought) => {
                    self.check_possession(&new.slug, brought, tx.now)?;
                    let key = stage_brought(tx, (id, first), brought, tx.now)?;
                    (key, brought.public)
                }
            };
            let issuer_id = match new.id_form {
                IdForm::DidWeb => self.did_web(&new.slug),
                IdForm::Https => self.urls().profile(&new.slug),
                IdForm::DidKey => DidKey::from(public).to_string(),
            };
            let record = ProfileRecord {
                slug: new.slug.clone(),
                issuer_id,
                id_form: new.id_form,
                issuer: new.roles.issuer,
                accreditor: new.roles.accreditor,
                members: Value::from(given.clone()).to_string(),
                keys: first.0,
                created_at: tx.now,
                changed_at: tx.now,
                history: new.history,
            };
            KEYS.put(&mut tx.batch, &(id, first), &key);
            PROFILES.put(&mut tx.batch, &id, &record);
            PROFILE_SLUGS.expect(&mut tx.batch, &new.slug, None);
            PROFILE_SLUGS.put(&mut tx.batch, &new.slug, &number);
            PROFILE_ISSUER_IDS.put(&mut tx.batch, &id_digest(&record.issuer_id), &number);
            tx.log(EventKind::ProfileCreated { profile: id });
            tx.log(EventKind::KeyMade {
                profile: id,
                key: first,
            });
            self.stage_identity(tx)?;
            Ok(id)
        })?;
        self.profile_view(&*self.engine.snapshot(), id)
    }

    /// Replaces a profile's members, and of what the registry keeps besides what is named. An accreditor that loses the role is as one that was removed by
    /// [`Registry::change_accreditor`]. `expected` is the entity tag that the caller saw.
    pub fn change_profile(
        &self,
        change: &Change,
        slug: &Slug,
        members: &Map<String, Value>,
        settings: ProfileSettings,
        expected: Option<&Expected>,
    ) -> Result<ProfileView, RegistryError> {
        let given = Profile::parse(&Value::Object(members.clone()))?;
        let id = self.transact(change, |tx| {
            let id = self.profile_id(tx.read, slug)?;
            change.actor.must(Action::WriteProfile, id)?;
            let before = self.profile_record(tx.read, id)?;
            let roles = settings.roles.unwrap_or(before.roles());
            if roles != before.roles() {
                change.actor.must_operate()?;
            }
            let present = self.profile_view(tx.read, id)?.etag;
            if !expected.is_none_or(|expected| expected.allows(&present)) {
                return Err(RegistryError::ChangedMeanwhile { present });
            }
            let record = ProfileRecord {
                members: Value::from(given.clone()).to_string(),
                issuer: roles.issuer,
                accreditor: roles.accreditor,
                history: settings.history.or(before.history),
                changed_at: tx.now,
                ..before.clone()
            };
            PROFILES.expect(&mut tx.batch, &id, Some(&before));
            PROFILES.put(&mut tx.batch, &id, &record);
            tx.log(EventKind::ProfileChanged { profile: id });
            if roles.accreditor != before.accreditor {
                let standing = match roles.accreditor {
                    true => AccreditorStanding::Held,
                    false => AccreditorStanding::Removed,
                };
                self.stage_accreditor(tx, change, (id, &before), standing, None)?;
            }
            Ok(id)
        })?;
        self.profile_view(&*self.engine.snapshot(), id)
    }

    /// A profile by its slug.
    pub fn profile(&self, slug: &Slug) -> Result<ProfileView, RegistryError> {
        let snapshot = self.engine.snapshot();
        let id = self.profile_id(&*snapshot, slug)?;
        self.profile_view(&*snapshot, id)
    }

    /// A profile by its number.
    pub fn profile_numbered(&self, id: ProfileId) -> Result<ProfileView, RegistryError> {
        self.profile_view(&*self.engine.snapshot(), id)
    }

    /// A profile by its slug, its `issuer.id` or its URL, as requests name it at `pointer`.
    pub fn profile_named(&self, name: &str, pointer: &str) -> Result<ProfileView, RegistryError> {
        let snapshot = self.engine.snapshot();
        let found = self.profile_number(&*snapshot, name)?;
        match found {
            Some(id) => self.profile_view(&*snapshot, id),
            None => {
                let detail = format!("no profile here has the slug or the id {name:?}");
                Err(RegistryError::invalid(pointer, detail))
            }
        }
    }

    /// The number of the profile that has this slug, `issuer.id` or URL.
    pub(super) fn profile_number(
        &self,
        read: &dyn Read,
        name: &str,
    ) -> Result<Option<ProfileId>, RegistryError> {
        match name.parse::<Slug>() {
            Ok(slug) => Ok(PROFILE_SLUGS.get(read, &slug)?.map(number)),
            Err(_) => self.profile_with_id(read, name),
        }
    }

    /// The profile whose `issuer.id` or URL this is, where one here has it.
    pub fn profile_by_id(&self, id: &str) -> Result<Option<ProfileView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let found = self.profile_with_id(&*snapshot, id)?;
        found
            .map(|profile| self.profile_view(&*snapshot, profile))
            .transpose()
    }

    /// As [`Registry::profile_by_id`], by number and from one state of the store.
    pub(super) fn profile_with_id(
        &self,
        read: &dyn Read,
        id: &str,
    ) -> Result<Option<ProfileId>, RegistryError> {
        let id = self.urls().spelled(id);
        match self.profile_with_issuer_id(read, &id)? {
            None => self.profile_at(read, &id),
            found => Ok(found),
        }
    }

    /// The profile whose `issuer.id` is this one, in its one spelling.
    pub(super) fn profile_with_issuer_id(
        &self,
        read: &dyn Read,
        id: &str,
    ) -> Result<Option<ProfileId>, RegistryError> {
        Ok(PROFILE_ISSUER_IDS.get(read, &id_digest(id))?.map(number))
    }

    /// The profile at this URL, in its one spelling.
    pub(super) fn profile_at(
        &self,
        read: &dyn Read,
        url: &str,
    ) -> Result<Option<ProfileId>, RegistryError> {
        match self.urls().within("profiles", url).map(str::parse::<Slug>) {
            Some(Ok(slug)) => Ok(PROFILE_SLUGS.get(read, &slug)?.map(number)),
            _ => Ok(None),
        }
    }

    /// Profiles in order of registration, after `after`.
    pub fn profiles(
        &self,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<ProfileView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let rows = PROFILES.scan(&*snapshot, &[], after.as_ref(), limit)?;
        rows.iter()
            .map(|(id, record)| self.view_profile(&*snapshot, *id, record))
            .collect()
    }

    pub(super) fn profile_id(
        &self,
        read: &dyn Read,
        slug: &Slug,
    ) -> Result<ProfileId, RegistryError> {
        let none = || RegistryError::NotFound(Thing::Profile, slug.to_string());
        PROFILE_SLUGS.get(read, slug)?.map(number).ok_or_else(none)
    }

    pub(super) fn profile_record(
        &self,
        read: &dyn Read,
        id: ProfileId,
    ) -> Result<ProfileRecord, RegistryError> {
        let none = || RegistryError::NotFound(Thing::Profile, id.0.to_string());
        PROFILES.get(read, &id)?.ok_or_else(none)
    }

    pub(super) fn profile_view(
        &self,
        read: &dyn Read,
        id: ProfileId,
    ) -> Result<ProfileView, RegistryError> {
        self.view_profile(read, id, &self.profile_record(read, id)?)
    }

    fn view_profile(
        &self,
        read: &dyn Read,
        id: ProfileId,
        record: &ProfileRecord,
    ) -> Result<ProfileView, RegistryError> {
        let mut document = record.profile().render(&record.issuer_id, &[]);
        if let (IdForm::Https, Some(members)) = (record.id_form, document.as_object_mut()) {
            // Its URL is its id, so this document is what verifiers look for its keys in.
            // The contexts before it do not define these terms for a profile.
            if let Some(Value::Array(contexts)) = members.get_mut("@context") {
                contexts.push(controller_terms());
            }
            members.extend(method_members(
                &record.issuer_id,
                &self.methods(read, &self.controller_of(id, record))?,
            ));
        }
        Ok(ProfileView {
            id,
            slug: record.slug.clone(),
            issuer_id: record.issuer_id.clone(),
            id_form: record.id_form,
            roles: record.roles(),
            history: self.history_of(record),
            etag: etag(&document, record),
            document,
            changed_at: record.changed_at,
        })
    }

    /// `did:web` of a profile here: the origin's host and port, then the path.
    pub fn did_web(&self, slug: &Slug) -> String {
        // A slug has no character that a DID would have to encode.
        format!("{}:profiles:{slug}", self.did())
    }
}

impl ProfileRecord {
    pub(super) fn roles(&self) -> Roles {
        Roles {
            issuer: self.issuer,
            accreditor: self.accreditor,
        }
    }

    /// Its name, without what else was said about it.
    pub(super) fn name(&self) -> String {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let named: Named =
            serde_json::from_str(&self.members).expect("profiles are stored as they were checked");
        named.name
    }

    /// What was said about it.
    pub(super) fn profile(&self) -> Profile {
        serde_json::from_str(&self.members).expect("profiles are stored as they were checked")
    }
}

/// The tag of a profile changes with what the registry keeps of it besides the document.
fn etag(document: &Value, record: &ProfileRecord) -> String {
    let mut version = vec![
        document.clone(),
        record.issuer.into(),
        record.accreditor.into(),
    ];
    version.extend(record.history.map(|history| json!(history)));
    document_digest(&version.into())
}

/// The terms of a controller document, for a profile that is its own.
fn controller_terms() -> Value {
    let relationship = |name: &str| {
        let id = format!("https://w3id.org/security#{name}");
        json!({ "@id": id, "@type": "@id", "@container": "@set" })
    };
    json!({
        "verificationMethod": relationship("verificationMethod"),
        "assertionMethod": relationship("assertionMethod"),
        "authentication": relationship("authenticationMethod"),
    })
}

/// Strong entity tag of a JSON document, with its quotes.
pub fn document_digest(document: &Value) -> String {
    text_tag(document.to_string())
}

/// Strong entity tag of a body, with its quotes.
pub fn text_tag(body: impl AsRef<[u8]>) -> String {
    let digest = Sha256::digest(body.as_ref());
    let hex: String = digest[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

/// The key under which something stands that is named by an id others chose.
fn number(stored: u64) -> ProfileId {
    ProfileId(u32::try_from(stored).expect("profile numbers are written from 32 bits"))
}
