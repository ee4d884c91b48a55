//! Who and what takes part in a question: subjects and endorsers, each known by its id, and what is
//! registered here of it, read once.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;

use crate::ids::ProfileId;
use crate::registry::endorsements::accreditors::Accreditor;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{ACCREDITORS, PROFILES, ProfileRecord};
use crate::time::Timestamp;

/// A subject or an endorser. Two are one where their ids are.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Who(Rc<Known>);

#[derive(Debug)]
struct Known {
    id: Arc<str>,
    /// Of the id, worked out once.
    hash: u64,
    /// From when it was asked for: what is registered here of it, if anything is.
    here: OnceCell<Option<Rc<Here>>>,
}

/// What is registered here of somebody.
#[derive(Debug)]
pub(in crate::registry) struct Here {
    pub(in crate::registry) profile: ProfileId,
    pub(in crate::registry) name: String,
    /// Whether it has the issuer role.
    pub(in crate::registry) issuer: bool,
    /// Its role as an accreditor.
    pub(in crate::registry) accreditor: Accreditor,
    pub(in crate::registry) created_at: Timestamp,
    pub(in crate::registry) changed_at: Timestamp,
}

impl Who {
    /// Its canonical id.
    pub(in crate::registry) fn id(&self) -> &str {
        &self.0.id
    }

    /// The same, to be kept.
    pub(in crate::registry) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.0.id)
    }

    /// The name under which it is registered here, where that was looked up.
    pub(in crate::registry) fn name(&self) -> Option<&str> {
        let here = self.0.here.get()?.as_ref()?;
        Some(&here.name)
    }
}

impl PartialEq for Who {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.0.id == other.0.id
    }
}

impl Eq for Who {}

impl Hash for Who {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

/// Everybody who was met, in one state of the store.
pub(super) struct Parties<'a> {
    registry: &'a Registry,
    read: &'a dyn Read,
    /// By canonical id.
    ids: RefCell<HashMap<Arc<str>, Who>>,
    /// By the ids by which they were asked for.
    names: RefCell<HashMap<String, Who>>,
    profiles: RefCell<HashMap<ProfileId, Who>>,
    hasher: RandomState,
}

/// So many are kept at a time.
const MOST_KEPT: usize = 8_192;

impl<'a> Parties<'a> {
    pub(super) fn new(registry: &'a Registry, read: &'a dyn Read) -> Self {
        Self {
            registry,
            read,
            ids: RefCell::default(),
            names: RefCell::default(),
            profiles: RefCell::default(),
            hasher: RandomState::new(),
        }
    }

    /// Who has a canonical id.
    pub(super) fn who(&self, id: &str) -> Who {
        let mut ids = self.ids.borrow_mut();
        if let Some(known) = ids.get(id) {
            return known.clone();
        }
        if ids.len() == MOST_KEPT {
            ids.clear();
        }
        let shared: Arc<str> = id.into();
        let who = Who(Rc::new(Known {
            hash: self.hasher.hash_one(id),
            id: shared.clone(),
            here: OnceCell::new(),
        }));
        ids.insert(shared, who.clone());
        who
    }

    /// Who is known by an id in any of its spellings: a profile here answers to its URL as well.
    pub(super) fn named(&self, id: &str) -> Result<Who, RegistryError> {
        if let Some(known) = self.names.borrow().get(id) {
            return Ok(known.clone());
        }
        let who = match self.registry.profile_with_id(self.read, id)? {
            Some(profile) => self.profile(profile)?,
            None => {
                let who = self.who(&self.registry.urls().spelled(id));
                who.0.here.get_or_init(|| None);
                who
            }
        };
        let mut names = self.names.borrow_mut();
        if names.len() == MOST_KEPT {
            names.clear();
        }
        names.insert(id.to_owned(), who.clone());
        Ok(who)
    }

    /// A profile.
    pub(super) fn profile(&self, profile: ProfileId) -> Result<Who, RegistryError> {
        if let Some(known) = self.profiles.borrow().get(&profile) {
            return Ok(known.clone());
        }
        let record = self.registry.profile_record(self.read, profile)?;
        let role = self.registry.accreditor_of(self.read, profile, &record)?;
        Ok(self.add(profile, record, role))
    }

    /// Reads what is registered of these, in one question to the store.
    pub(super) fn read_all(
        &self,
        profiles: impl Iterator<Item = ProfileId>,
    ) -> Result<(), RegistryError> {
        let mut new: Vec<ProfileId> = {
            let known = self.profiles.borrow();
            profiles.filter(|id| !known.contains_key(id)).collect()
        };
        new.sort_unstable();
        new.dedup();
        if new.len() < 2 {
            return Ok(());
        }
        let rows = PROFILES.multi_get_with(&ACCREDITORS, self.read, &new)?;
        for (profile, (record, role)) in new.into_iter().zip(rows) {
            if let Some(record) = record {
                let role = Accreditor::of(role, &record);
                self.add(profile, record, role);
            }
        }
        Ok(())
    }

    fn add(&self, profile: ProfileId, record: ProfileRecord, accreditor: Accreditor) -> Who {
        let here = Here {
            profile,
            name: record.name(),
            issuer: record.issuer,
            accreditor,
            created_at: record.created_at,
            changed_at: record.changed_at,
        };
        let who = self.who(&record.issuer_id);
        who.0.here.get_or_init(|| Some(Rc::new(here)));
        let mut profiles = self.profiles.borrow_mut();
        if profiles.len() == MOST_KEPT {
            profiles.clear();
        }
        profiles.insert(profile, who.clone());
        who
    }

    /// What is registered here of somebody.
    pub(super) fn here<'w>(&self, who: &'w Who) -> Result<Option<&'w Here>, RegistryError> {
        if let Some(known) = who.0.here.get() {
            return Ok(known.as_deref());
        }
        let here = match self.registry.profile_with_id(self.read, who.id())? {
            None => None,
            Some(profile) => self.profile(profile)?.0.here.get().cloned().flatten(),
        };
        Ok(who.0.here.get_or_init(|| here).as_deref())
    }
}
