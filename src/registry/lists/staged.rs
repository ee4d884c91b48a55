//! Changes of one list while they are staged: decided one after the other on one snapshot, and
//! written as one batch.

use std::collections::BTreeMap;

use super::allocation::space_of;
use super::carried::credential_key;
use super::forms::state_of;
use super::in_use::InUse;
use super::statuses::{Job, Refused, StatusTarget, StatusUpdate, Updated};
use crate::access::Action;
use crate::bitstring::{
    ListLength, PAGE_BYTES, Page, StatusIndex, get_in_page, page_of, set_in_page,
};
use crate::entropy::random;
use crate::ids::{EndorsementId, ListId, Revision};
use crate::registry::change::{log_event, stage_reason};
use crate::registry::lists::{in_token, list_of};
use crate::registry::{Actor, Registry, RegistryError};
use crate::status::{Change as Allowed, StatusPurpose, check_token_value, transition};
use crate::store::codec::SortedIndexes;
use crate::store::engine::{Batch, Read, StoreError};
use crate::store::event::{EndorsementState, EventKind};
use crate::store::past::{stage_past_page, stage_past_state};
use crate::store::tables::{
    CREDENTIALS, CredentialRecord, DIRTY_LISTS, ENDORSEMENTS, EndorsementRecord, HOLDERS, Holder,
    LIST_STATES, ListRecord, ListState, PAGE_RUNS, PAGES, RecordedStanding, StandingChange,
};
use crate::time::Timestamp;

/// A list while changes of it are staged.
pub(in crate::registry) struct Staged<'a> {
    read: &'a dyn Read,
    list: ListId,
    record: ListRecord,
    length: ListLength,
    holds_endorsements: bool,
    /// Whether a token list shows it: then every credential with an index here is read by it.
    in_token: bool,
    in_use: InUse<'a>,
    before: ListState,
    revision: Revision,
    now: Timestamp,
    pages: BTreeMap<u32, StagedPage>,
    endorsements: BTreeMap<EndorsementId, (EndorsementRecord, EndorsementRecord)>,
    batch: Batch,
    /// Whether anything of the list changes.
    pub(in crate::registry) changed: bool,
}

struct StagedPage {
    stored: Page,
    content: Page,
    touched: bool,
}

impl<'a> Staged<'a> {
    pub(in crate::registry) fn new(
        registry: &Registry,
        read: &'a dyn Read,
        list: ListId,
    ) -> Result<Self, RegistryError> {
        let record = list_of(read, &registry.urls(), list)?;
        let space = space_of(read, record.space)?;
        let before = state_of(read, list, &record)?;
        Ok(Self {
            read,
            list,
            length: record.length(),
            holds_endorsements: space.endorsements,
            in_token: space.token.is_some() && in_token(&record.purpose, record.in_token),
            in_use: InUse::of(read, record.space, &space)?,
            revision: before.revision,
            // A list's own changes are in order, also where the clock was set back while the one
            // before was under way.
            now: registry.now().max(before.changed_at),
            before,
            record,
            pages: BTreeMap::new(),
            endorsements: BTreeMap::new(),
            batch: Batch::default(),
            changed: false,
        })
    }

    /// Decides one request on top of those before it.
    pub(in crate::registry) fn decide(
        &mut self,
        registry: &Registry,
        job: &Job,
    ) -> Result<Updated, RegistryError> {
        if let Some(answer) = registry.replayed(self.read, &job.change)? {
            return Ok(answer);
        }
        let (actor, owner) = (job.change.actor, self.list.owner());
        if !actor.may(Action::WriteEndorsements, owner) {
            actor.must(Action::WriteStatus, owner)?;
        }
        let indexes = self.resolve(&job.updates)?;
        self.check_rights(actor, &indexes)?;
        let mut refused = Vec::new();
        let mut changes = BTreeMap::new();
        for (item, (update, index)) in job.updates.iter().zip(indexes).enumerate() {
            match index.and_then(|index| self.flip(index, update.status)) {
                // Where one request names an index twice, the last word counts.
                Ok(Some((index, status))) => drop(changes.insert(index, status)),
                Ok(None) => {}
                Err(Refusal::Item(reason)) => refused.push(Refused { item, reason }),
                Err(Refusal::Whole(error)) => return Err(error),
            }
        }
        if refused.len() == job.updates.len() {
            return Err(RegistryError::AllRefused(refused));
        }
        if !changes.is_empty() {
            self.record_changes(registry, job, changes)?;
        }
        let applied = job.updates.len() - refused.len();
        let (revision, at) = (self.revision, self.now);
        let updated = Updated {
            revision,
            applied,
            refused,
            at,
        };
        registry.keep_answer(&mut self.batch, self.read, &job.change, &updated, self.now)?;
        Ok(updated)
    }

    /// The index that each update means.
    fn resolve(
        &mut self,
        updates: &[StatusUpdate],
    ) -> Result<Vec<Result<StatusIndex, Refusal>>, RegistryError> {
        let owner = self.list.owner();
        let keys: Vec<_> = updates
            .iter()
            .filter_map(|update| match &update.target {
                StatusTarget::Credential(id) => Some(credential_key(id, owner)),
                StatusTarget::Index(_) => None,
            })
            .collect();
        let mut known = CREDENTIALS.multi_get(self.read, &keys)?.into_iter();
        let resolved = updates.iter().map(|update| match &update.target {
            StatusTarget::Index(index) => self.given_out_index(*index),
            StatusTarget::Credential(id) => {
                let index = self.index_of(id, known.next().flatten().as_ref())?;
                self.given_out_index(u64::from(index))
            }
        });
        Ok(resolved.collect())
    }

    /// The index that a credential of which this is known has in this list.
    fn index_of(&self, id: &str, known: Option<&CredentialRecord>) -> Result<u32, Refusal> {
        let entries = known.iter().flat_map(|record| &record.entries);
        let mut here = entries.filter(|carried| {
            carried.space == self.record.space
                && (self.in_token || carried.purposes.contains(&self.record.purpose))
        });
        match (here.next(), here.next()) {
            (Some(carried), None) => Ok(carried.index),
            (Some(_), Some(_)) => {
                let reason = format!("{id} has several entries here; name the index");
                Err(Refusal::Item(reason))
            }
            _ => Err(Refusal::Item(format!("{id} has no entry in this list"))),
        }
    }

    fn given_out_index(&mut self, index: u64) -> Result<StatusIndex, Refusal> {
        let index = self
            .length
            .index(index)
            .map_err(|error| Refusal::Item(error.to_string()))?;
        match self.in_use.holds(index) {
            Ok(true) => Ok(index),
            Ok(false) => Err(Refusal::Item(format!(
                "the index {} was never given out",
                index.get()
            ))),
            Err(error) => Err(Refusal::Whole(error.into())),
        }
    }

    /// Sets one entry. `None`: it has that status already.
    fn flip(&mut self, index: StatusIndex, status: u64) -> Result<Option<(u32, u8)>, Refusal> {
        let size = self.record.status_size;
        let max = size.maximum();
        let status = u8::try_from(status)
            .map_err(|_| Refusal::Item(format!("the status has to be 0 to {max}")))?;
        let number = page_of(index, size);
        let present = get_in_page(
            &self.page(number).map_err(Refusal::Whole)?.content,
            index,
            size,
        );
        if self.record.in_token {
            check_token_value(&self.record.purpose, status)
                .map_err(|refused| Refusal::Item(refused.to_string()))?;
        }
        match transition(&self.record.purpose, size, present, status) {
            Err(refused) => Err(Refusal::Item(refused.to_string())),
            Ok(Allowed::Unchanged) => Ok(None),
            Ok(Allowed::Set) => {
                let index32 = index.get() as u32;
                self.check_endorsement(index32, status)?;
                let page = self.page(number).map_err(Refusal::Whole)?;
                set_in_page(&mut page.content, index, size, status)
                    .expect("the transition checks that the status fits");
                page.touched = true;
                Ok(Some((index32, status)))
            }
        }
    }

    fn page(&mut self, number: u32) -> Result<&mut StagedPage, RegistryError> {
        use std::collections::btree_map::Entry;
        match self.pages.entry(number) {
            Entry::Occupied(page) => Ok(page.into_mut()),
            Entry::Vacant(place) => {
                let stored = stored_page(self.read, self.list, number)?;
                Ok(place.insert(StagedPage {
                    stored,
                    content: stored,
                    touched: false,
                }))
            }
        }
    }

    /// Where the entry is an endorsement's, its record follows the bit.
    fn check_endorsement(&mut self, index: u32, status: u8) -> Result<(), Refusal> {
        if !self.holds_endorsements {
            return Ok(());
        }
        let Some(id) = self.endorsement_at(index).map_err(Refusal::Whole)? else {
            return Ok(());
        };
        let (_, record) = &mut *self
            .endorsements
            .get_mut(&id)
            .expect("endorsement_at loads it");
        let suspends = self.record.purpose == StatusPurpose::Suspension;
        if suspends && !record.is_suspendable() {
            return Err(Refusal::Item(RegistryError::NotSuspendable.to_string()));
        }
        let standing = match (&self.record.purpose, status, record.standing()) {
            (StatusPurpose::Suspension, _, RecordedStanding::Revoked) => {
                let words = "this endorsement was revoked, and a revocation is never taken back";
                return Err(Refusal::Item(words.into()));
            }
            (_, _, RecordedStanding::Revoked) => return Ok(()),
            (StatusPurpose::Revocation, _, _) => RecordedStanding::Revoked,
            (StatusPurpose::Suspension, 0, _) => RecordedStanding::Active,
            (StatusPurpose::Suspension, _, _) => RecordedStanding::Suspended,
            _ => return Ok(()),
        };
        record.history.push(StandingChange {
            at: self.now,
            standing,
        });
        Ok(())
    }

    fn endorsement_at(&mut self, index: u32) -> Result<Option<EndorsementId>, RegistryError> {
        let holder = HOLDERS.get(self.read, &(self.record.space, index))?;
        let Some(Holder::Endorsement(id)) = holder else {
            return Ok(None);
        };
        if !self.endorsements.contains_key(&id)
            && let Some(record) = ENDORSEMENTS.get(self.read, &id)?
        {
            self.endorsements.insert(id, (record.clone(), record));
        }
        Ok(self.endorsements.contains_key(&id).then_some(id))
    }

    /// The status of an endorsement's entry is how the endorsement stands: it takes another right
    /// than the status of a credential's.
    fn check_rights(
        &mut self,
        actor: Actor,
        indexes: &[Result<StatusIndex, Refusal>],
    ) -> Result<(), RegistryError> {
        let owner = self.list.owner();
        let both = [Action::WriteStatus, Action::WriteEndorsements];
        if both.into_iter().all(|action| actor.may(action, owner)) {
            return Ok(());
        }
        for index in indexes.iter().flatten() {
            let index = u32::try_from(index.get()).expect("a space has fewer than 2^32 indexes");
            let held = self.holds_endorsements && self.endorsement_at(index)?.is_some();
            let [status, endorsements] = both;
            actor.must(if held { endorsements } else { status }, owner)?;
        }
        Ok(())
    }

    /// One event a status, and one for each endorsement whose standing changed.
    fn record_changes(
        &mut self,
        registry: &Registry,
        job: &Job,
        changes: BTreeMap<u32, u8>,
    ) -> Result<(), RegistryError> {
        self.changed = true;
        self.revision = self.revision.next();
        let actor = job.change.actor;
        let reason = job.reason.as_deref();
        let (owner, salt) = (self.list.owner(), random(&*registry.entropy));
        let reason = reason.map(|text| stage_reason(&mut self.batch, owner, salt, text));
        let mut by_status: BTreeMap<u8, Vec<u32>> = BTreeMap::new();
        for (index, status) in changes {
            by_status.entry(status).or_default().push(index);
            if self.holds_endorsements
                && let Some(endorsement) = self.endorsement_at(index)?
            {
                let state = state_after(&self.record.purpose, status);
                let kind = EventKind::EndorsementStatus { endorsement, state };
                log_event(&mut self.batch, actor, reason, kind);
            }
        }
        for (status, indexes) in by_status {
            let indexes = SortedIndexes::from(indexes);
            let (list, revision) = (self.list, self.revision);
            let kind = EventKind::StatusChanged {
                list,
                revision,
                status,
                indexes,
            };
            log_event(&mut self.batch, actor, reason, kind);
        }
        Ok(())
    }

    pub(in crate::registry) fn into_batch(mut self) -> Result<Batch, RegistryError> {
        if !self.changed {
            return Ok(self.batch);
        }
        self.stage_pages()?;
        let mut batch = self.batch;
        batch.decided_at = Some(self.now);
        stage_past_state(&mut batch, self.list, &self.before, self.now);
        for (id, (before, after)) in self.endorsements.iter().filter(|(_, (b, a))| b != a) {
            after.put(&mut batch, id, Some(before));
        }
        LIST_STATES.expect(&mut batch, &self.list, Some(&self.before));
        let state = ListState {
            revision: self.revision,
            changed_at: self.now,
        };
        LIST_STATES.put(&mut batch, &self.list, &state);
        DIRTY_LISTS.put(&mut batch, &self.list, &());
        Ok(batch)
    }

    /// The pages as they are now, and how they were.
    fn stage_pages(&mut self) -> Result<(), RegistryError> {
        self.pages.retain(|_, page| page.touched);
        let places: Vec<_> = self.pages.keys().map(|page| (self.list, *page)).collect();
        let runs = PAGE_RUNS.multi_get(self.read, &places)?;
        for ((place, page), run) in places.iter().zip(self.pages.values()).zip(runs) {
            PAGES.put(&mut self.batch, place, &page.content.to_vec());
            let pages = (&page.stored, &page.content);
            let run = run.unwrap_or(0);
            stage_past_page(&mut self.batch, *place, self.revision, pages, run);
        }
        Ok(())
    }
}

/// A page of a list's bits; one that nobody has written is all zeros.
pub(in crate::registry) fn stored_page(
    read: &dyn Read,
    list: ListId,
    number: u32,
) -> Result<Page, RegistryError> {
    let stored = PAGES.get(read, &(list, number))?;
    Ok(match stored {
        None => [0; PAGE_BYTES],
        Some(bytes) => *page_from(&bytes)?,
    })
}

/// A page as it is stored.
pub(in crate::registry) fn page_from(bytes: &[u8]) -> Result<&Page, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt {
        table: PAGES.name(),
        reason: format!("a page has {} bytes, not {PAGE_BYTES}", bytes.len()),
    })
}

enum Refusal {
    /// This update cannot be made.
    Item(String),
    /// The request cannot be decided.
    Whole(RegistryError),
}

const fn state_after(purpose: &StatusPurpose, status: u8) -> EndorsementState {
    match (purpose, status) {
        (StatusPurpose::Suspension, 0) => EndorsementState::Reinstated,
        (StatusPurpose::Suspension, _) => EndorsementState::Suspended,
        _ => EndorsementState::Revoked,
    }
}
