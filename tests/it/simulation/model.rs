//! What a registry has to know after what was asked of it: sets and maps, and nothing of how it is
//! made.

use std::collections::{BTreeMap, BTreeSet};

use goodstanding::ids::{EndorsementId, ListId, ProfileId};
use goodstanding::registry::{AccreditorAction, EndorsementAction};

use super::requests::{Answer, Request};
use super::{Checked, Violation, ensure};

/// Everything that was acknowledged.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    /// In order of registration.
    pub(super) profiles: Vec<Profile>,
    pub(super) lists: BTreeMap<ListId, List>,
    /// The entries that credentials were given by their issuers.
    pub(super) credentials: BTreeMap<(ProfileId, String), BTreeSet<(ListId, u32)>>,
    pub(super) endorsements: Vec<Endorsement>,
    /// Endorsements of which nobody was told.
    pub(super) untold_endorsements: usize,
    /// Slugs that are taken, and credentials that have entries, also those of which nobody was told.
    slugs: BTreeSet<String>,
    named: BTreeSet<(ProfileId, String)>,
    /// What was answered under each key, and when.
    pub(super) kept: BTreeMap<String, Kept>,
}

#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) slug: String,
    pub(super) id: ProfileId,
    pub(super) issuer: String,
    pub(super) accreditor: &'static str,
    pub(super) keys: u32,
    pub(super) rotates: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct List {
    pub(super) suspension: bool,
    /// Those of credentials, as far as somebody was told of them.
    pub(super) entries: BTreeSet<u32>,
    pub(super) ones: BTreeSet<u32>,
    /// 0 where nobody has looked since it became known.
    pub(super) revision: u64,
    /// Those of endorsements.
    pub(super) endorsed: BTreeSet<u32>,
    /// Whether none may be given out any more.
    pub(super) sealed: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Endorsement {
    pub(super) id: EndorsementId,
    pub(super) standing: &'static str,
    /// Of revocation, and of suspension where it has one.
    pub(super) entries: Vec<(ListId, u32)>,
}

/// A request that was acknowledged, or would have been.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// `None` where nobody heard it.
    pub(super) answer: Option<Answer>,
    /// In milliseconds.
    pub(super) at: i64,
}

/// What has to come of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Done,
    Refused,
    /// It hangs on what the model does not know.
    Either,
}

impl Model {
    pub(super) fn expects(&self, request: &Request) -> Expected {
        let done = match request {
            Request::Register { slug } => !self.slugs.contains(slug),
            Request::Open { .. } => true,
            Request::Allocate { list, .. } => !self.lists[list].sealed,
            Request::Name { list, credential } => {
                let known = (list.owner(), credential.clone());
                match self.named.contains(&known) {
                    _ if !self.lists[list].sealed => true,
                    // It may have an entry there, and then gets that again.
                    true => return Expected::Either,
                    false => false,
                }
            }
            // What it opens for itself may be sealed, and then it opens another.
            Request::Issue { .. } => true,
            Request::Set {
                list,
                entries,
                status,
            } => self.lists[list].may_set(entries, *status),
            Request::SetNamed {
                list,
                index,
                status,
                ..
            } => self.lists[list].may_set(&[*index], *status),
            Request::Endorse { owner, subject, .. } => {
                let endorser = self.by_id(*owner);
                endorser.accreditor == "active" && endorser.issuer != *subject
            }
            Request::Decide {
                endorsement,
                action,
            } => {
                let one = self.endorsement(*endorsement);
                *action == EndorsementAction::Revoke
                    || one.standing != "revoked" && one.entries.len() > 1
            }
            Request::Accreditor { slug, action } => {
                let present = self.by_slug(slug).map(|profile| profile.accreditor);
                present != Some("revoked") || *action == AccreditorAction::Remove
            }
            Request::Rotate { slug } => !self.by_slug(slug).is_some_and(|one| one.rotates),
        };
        match done {
            true => Expected::Done,
            false => Expected::Refused,
        }
    }

    /// The request was made, whatever was answered.
    pub(super) fn took(&mut self, request: &Request) {
        match request {
            Request::Set {
                list,
                entries,
                status,
            } => self.set(*list, entries, *status),
            Request::SetNamed {
                list,
                index,
                status,
                ..
            } => self.set(*list, &[*index], *status),
            Request::Endorse { .. } => self.untold_endorsements += 1,
            Request::Decide {
                endorsement,
                action,
            } => self.decides(*endorsement, *action),
            Request::Accreditor { slug, action } => {
                let profile = self.profiles.iter_mut().find(|one| one.slug == *slug);
                profile.expect("it was asked about").accreditor = match action {
                    AccreditorAction::Suspend => "suspended",
                    AccreditorAction::Reinstate => "active",
                    AccreditorAction::Remove => "revoked",
                };
            }
            Request::Rotate { slug } => {
                let profile = self.profiles.iter_mut().find(|one| one.slug == *slug);
                let profile = profile.expect("it was asked about");
                profile.keys += 1;
                profile.rotates = true;
            }
            Request::Register { slug } => {
                self.slugs.insert(slug.clone());
            }
            Request::Name { list, credential } => {
                self.named.insert((list.owner(), credential.clone()));
            }
            Request::Issue {
                owner, credential, ..
            } => {
                self.named.insert((*owner, credential.clone()));
            }
            Request::Open { .. } | Request::Allocate { .. } => {}
        }
    }

    /// The request was made, and this was answered for the first time.
    pub(super) fn learned(&mut self, request: &Request, answer: &Answer) -> Checked {
        match (request, answer) {
            (Request::Register { slug }, Answer::Profile(id, issuer)) => {
                let known = self.profiles.iter().any(|one| one.id == *id);
                ensure!(!known, "the number of {slug} is another's");
                self.profiles.push(Profile {
                    slug: slug.clone(),
                    id: *id,
                    issuer: issuer.clone(),
                    accreditor: "active",
                    keys: 1,
                    rotates: false,
                });
                self.profiles.sort_by_key(|one| one.id);
            }
            (Request::Open { suspension, .. }, Answer::List(list)) => {
                let before = self.lists.insert(*list, List::new(*suspension));
                ensure!(before.is_none(), "the list {list} is there twice");
            }
            (Request::Allocate { list, .. }, Answer::Indexes(given)) => {
                self.list(*list).entries.extend(given);
            }
            (Request::Name { list, credential }, Answer::Indexes(given)) => {
                self.list(*list).entries.extend(given);
                let known = (list.owner(), credential.clone());
                let entries = self.credentials.entry(known).or_default();
                entries.insert((*list, given[0]));
            }
            (
                Request::Issue {
                    owner, credential, ..
                },
                Answer::Credential(_, (list, index)),
            ) => {
                let known = self.lists.entry(*list);
                let known = known.or_insert_with(|| List::new(false));
                known.entries.insert(*index);
                let id = (*owner, credential.clone());
                self.credentials
                    .entry(id)
                    .or_default()
                    .insert((*list, *index));
            }
            (Request::Set { list, .. } | Request::SetNamed { list, .. }, answer) => {
                let Answer::Updated(_, revision) = answer else {
                    return Err(Violation(format!("{answer:?} to {request:?}")));
                };
                let known = self.list(*list).revision;
                ensure!(
                    *revision <= known || known == 0,
                    "{list} is said to be at {revision}, and is at {known}"
                );
            }
            (Request::Endorse { .. }, Answer::Endorsement(id, entries)) => {
                self.untold_endorsements -= 1;
                let known = self.endorsements.iter().any(|one| one.id == *id);
                ensure!(!known, "the endorsement {id} is there twice");
                for (place, (list, index)) in entries.iter().enumerate() {
                    let known = self.lists.entry(*list);
                    let known = known.or_insert_with(|| List::new(place == 1));
                    ensure!(
                        known.endorsed.insert(*index),
                        "entry {index} of {list} is another endorsement's"
                    );
                }
                self.endorsements.push(Endorsement {
                    id: *id,
                    standing: "active",
                    entries: entries.clone(),
                });
            }
            (Request::Accreditor { slug, .. }, Answer::Outcome(outcome)) => {
                // A request that is repeated is told what came of it then.
                let words = ["active", "suspended", "revoked"];
                ensure!(words.contains(&outcome.as_str()), "{slug} is {outcome}");
            }
            (Request::Decide { .. }, Answer::Updated(..))
            | (Request::Rotate { .. }, Answer::Key(_)) => {}
            _ => return Err(Violation(format!("{answer:?} to {request:?}"))),
        }
        Ok(())
    }

    /// What becomes of it when a store is accepted as it was found.
    pub(super) fn is_sealed(&mut self) {
        for list in self.lists.values_mut() {
            list.sealed = true;
        }
    }

    pub(super) fn by_slug(&self, slug: &str) -> Option<&Profile> {
        self.profiles.iter().find(|one| one.slug == slug)
    }

    fn by_id(&self, id: ProfileId) -> &Profile {
        let mut profiles = self.profiles.iter();
        profiles.find(|one| one.id == id).expect("it is known")
    }

    fn endorsement(&self, id: EndorsementId) -> &Endorsement {
        let mut endorsements = self.endorsements.iter();
        endorsements.find(|one| one.id == id).expect("it is known")
    }

    fn list(&mut self, list: ListId) -> &mut List {
        self.lists.get_mut(&list).expect("it is known")
    }

    fn set(&mut self, list: ListId, entries: &[u32], status: bool) {
        let list = self.list(list);
        let before = list.ones.clone();
        for entry in entries {
            match (status, list.suspension) {
                (true, _) => list.ones.insert(*entry),
                (false, true) => list.ones.remove(entry),
                // It stays as it is.
                (false, false) => false,
            };
        }
        list.revision += u64::from(list.ones != before);
    }

    fn decides(&mut self, id: EndorsementId, action: EndorsementAction) {
        let endorsements = &mut self.endorsements;
        let one = endorsements.iter_mut().find(|one| one.id == id);
        let one = one.expect("it is known");
        let (place, status) = match action {
            EndorsementAction::Revoke => (0, true),
            EndorsementAction::Suspend => (1, true),
            EndorsementAction::Reinstate => (1, false),
        };
        one.standing = match action {
            EndorsementAction::Revoke => "revoked",
            EndorsementAction::Suspend => "suspended",
            EndorsementAction::Reinstate => "active",
        };
        let (list, index) = one.entries[place];
        self.set(list, &[index], status);
    }
}

impl List {
    fn new(suspension: bool) -> Self {
        Self {
            suspension,
            ..Self::default()
        }
    }

    /// Whether at least one of them can have that status.
    fn may_set(&self, entries: &[u32], status: bool) -> bool {
        status || self.suspension || entries.iter().any(|entry| !self.ones.contains(entry))
    }
}
