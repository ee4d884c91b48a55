//! Giving out indexes: a counter, and a keyed permutation that makes it look random.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::carried::{carry, check_credential_id, credential_key, new_credential};
use super::in_use::{Fresh, InUse, NoneFresh};
use crate::access::Action;
use crate::bitstring::{ListLength, Permutation, StatusIndex};
use crate::ids::{ListId, SpaceId};
use crate::registry::change::Tx;
use crate::registry::lanes::Settled;
use crate::registry::lists::{OpenedSpace, in_token, list_of};
use crate::registry::{Change, Quota, Registry, RegistryError};
use crate::status::{EntryForm, StatusPurpose, write_token_claims};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{
    ALLOCATION, Brought, CREDENTIALS, Carried, CredentialRecord, HOLDERS, Holder, ListForm,
    SEALED_SPACES, SPACES, SpaceRecord,
};

/// Indexes given out in one list. `credentialStatus` objects are made from it on demand, so that
/// a hundred thousand of them are kept in two numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    list: ListId,
    purpose: StatusPurpose,
    length: u64,
    indexes: Indexes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Indexes {
    /// A run of the counter, under the space's permutation.
    Run {
        permutation: [u8; 16],
        first: u64,
        count: u64,
    },
    /// Named one by one, since some of the credentials had theirs before.
    Named(Vec<u32>),
}

impl Allocated {
    /// What is handed out, in order: the text of a JSON object with `entries`, each ready to be put
    /// into a credential, and where the list is published in these forms too, with `entries2021`
    /// for credentials of VC Data Model 1.1 and with `status`, each the `status` claim of a token.
    pub fn answer(&self, registry: &Registry) -> Result<String, RegistryError> {
        let (read, urls) = (&*registry.engine, registry.urls());
        let record = list_of(read, &urls, self.list)?;
        let space = space_of(read, record.space)?;
        let (url, indexes) = (urls.list(self.list), self.indexes());
        let form = EntryForm::bitstring(&url, &self.purpose, &record.entry);
        let mut answer = String::with_capacity(indexes.len() * form.most_bytes() + 16);
        answer.push_str("{\"entries\":");
        form.write(indexes.iter().copied(), &mut answer);
        if record.also_2021 {
            let url = urls.list_as(self.list, ListForm::Status2021);
            let form = EntryForm::status_list_2021(&url, &self.purpose);
            let form = form.expect("checked when the list was opened");
            answer.push_str(",\"entries2021\":");
            form.write(indexes.iter().copied(), &mut answer);
        }
        if let Some(token) = space.token
            && in_token(&self.purpose, record.in_token)
        {
            answer.push_str(",\"status\":");
            write_token_claims(&urls.token_list(token), indexes, &mut answer);
        }
        answer.push('}');
        Ok(answer)
    }

    /// The indexes in order.
    pub fn indexes(&self) -> Vec<StatusIndex> {
        let length = ListLength::new(self.length).expect("written from a list's length");
        match &self.indexes {
            Indexes::Run {
                permutation,
                first,
                count,
            } => Permutation::new(permutation, length).indexes_of(*first..first + count),
            Indexes::Named(indexes) => {
                let index = |index: &u32| length.index((*index).into());
                indexes
                    .iter()
                    .map(|i| index(i).expect("given out within the length"))
                    .collect()
            }
        }
    }
}

/// At most this many entries in one call.
pub(in crate::registry) const MOST_ENTRIES: u64 = 100_000;

/// Entries are handed out in answers of at most so many bytes.
const MOST_ANSWER_BYTES: usize = 1 << 26;

/// Which entries are wanted.
#[derive(Debug, Clone, Copy)]
pub enum EntriesWanted<'a> {
    /// So many, 1 to 100,000.
    Count(u64),
    /// One for each credential with one of these ids, 1 to 100,000.
    Credentials(&'a [String]),
}

impl EntriesWanted<'_> {
    /// How many there will be.
    pub const fn count(&self) -> u64 {
        match self {
            Self::Count(count) => *count,
            Self::Credentials(ids) => ids.len() as u64,
        }
    }

    const fn pointer(&self) -> &'static str {
        match self {
            Self::Count(_) => "/count",
            Self::Credentials(_) => "/credentialIds",
        }
    }
}

/// What became of entries that were asked for ([`Registry::ask_to_allocate`]).
#[must_use]
pub struct AllocationSettled(Settled<String>);

impl AllocationSettled {
    /// What is handed out, as [`Allocated::answer`] gives it. `None`: another change came first, and nothing
    /// was given out; it is to be asked for again.
    pub fn told(self, registry: &Registry) -> Option<Result<String, RegistryError>> {
        self.0.told(registry)
    }
}

impl Registry {
    /// Gives out `count` entries of a list. They are random-looking, never given out twice, and
    /// leave no trace in the published list.
    pub fn allocate(
        &self,
        change: &Change,
        list: ListId,
        count: u64,
    ) -> Result<Allocated, RegistryError> {
        self.allocate_entries(change, list, EntriesWanted::Count(count))
    }

    /// Gives each credential an entry of a list, and remembers it under the credential's id. One
    /// that has an entry over these indexes already gets the same one again.
    pub fn allocate_for(
        &self,
        change: &Change,
        list: ListId,
        credentials: &[String],
    ) -> Result<Allocated, RegistryError> {
        self.allocate_entries(change, list, EntriesWanted::Credentials(credentials))
    }

    /// As [`Registry::allocate`] or [`Registry::allocate_for`].
    pub fn allocate_entries(
        &self,
        change: &Change,
        list: ListId,
        wanted: EntriesWanted<'_>,
    ) -> Result<Allocated, RegistryError> {
        self.check_wanted(list, wanted)?;
        self.transact_of(list.owner(), change, |tx| {
            self.stage_allocation(tx, change, list, wanted)
        })
    }

    /// As [`Registry::allocate_entries`], for whoever does not wait on a thread until it is durable: decides, on
    /// the thread that asks and that may block, and returns. `hear` is called once that is known, and is
    /// to be as brief as [`Queued::then`](crate::store::queued::Queued::then) says.
    pub fn ask_to_allocate(
        &self,
        change: &Change,
        list: ListId,
        wanted: EntriesWanted<'_>,
        hear: impl FnOnce(AllocationSettled) + Send + 'static,
    ) {
        if let Err(refused) = self.check_wanted(list, wanted) {
            return hear(AllocationSettled(Settled::refused(refused)));
        }
        self.decided_of(list.owner(), change, |tx| {
            self.stage_allocation(tx, change, list, wanted)
        })
        // No list falls behind: what is given out leaves no trace in it. The text is made here, and told
        // only once that stands.
        .map(|(allocated, _)| allocated.answer(self))
        .then(|settled| hear(AllocationSettled(settled)));
    }

    fn check_wanted(&self, list: ListId, wanted: EntriesWanted<'_>) -> Result<(), RegistryError> {
        let (count, pointer) = (wanted.count(), wanted.pointer());
        if !(1..=MOST_ENTRIES).contains(&count) {
            let detail = match wanted {
                EntriesWanted::Count(_) => format!("a number from 1 to {MOST_ENTRIES} is needed"),
                EntriesWanted::Credentials(_) => format!("1 to {MOST_ENTRIES} ids are needed"),
            };
            return Err(RegistryError::invalid(pointer, detail));
        }
        let urls = self.urls();
        let known = list_of(&*self.engine, &urls, list)?;
        let url = urls.list(list);
        let bytes = EntryForm::bitstring(&url, &known.purpose, &known.entry).most_bytes();
        let most = (MOST_ANSWER_BYTES / bytes) as u64;
        if count > most {
            let detail =
                format!("each entry of this list carries its messages: at most {most} at a time");
            return Err(RegistryError::invalid(pointer, detail));
        }
        Ok(())
    }

    fn stage_allocation(
        &self,
        tx: &mut Tx<'_>,
        change: &Change,
        list: ListId,
        wanted: EntriesWanted<'_>,
    ) -> Result<Allocated, RegistryError> {
        let known = list_of(tx.read, &self.urls(), list)?;
        change.actor.must(Action::WriteStatus, list.owner())?;
        let (space, purpose) = (known.space, known.purpose);
        let record = space_of(tx.read, space)?;
        let indexes = match wanted {
            EntriesWanted::Count(count) => {
                let fresh = reserve(tx, space, &record, count)?;
                match record.brought {
                    Brought::Nothing => Indexes::Run {
                        permutation: record.permutation,
                        first: fresh.counters.start,
                        count,
                    },
                    // The counter has passed some, so they are no run of it.
                    _ => Indexes::Named(fresh.numbers().collect()),
                }
            }
            EntriesWanted::Credentials(ids) => {
                Indexes::Named(name_entries(tx, space, &record, &purpose, ids)?)
            }
        };
        Ok(Allocated {
            list,
            purpose,
            length: record.length,
            indexes,
        })
    }
}

/// Takes one entry of an opened space for a credential with this id.
pub(in crate::registry) fn take_entry(
    tx: &mut Tx<'_>,
    opened: &OpenedSpace,
) -> Result<StatusIndex, RegistryError> {
    let fresh = reserve(tx, opened.id, &opened.record, 1)?;
    Ok(fresh.indexes[0])
}

/// How many indexes of a space were given out.
pub(in crate::registry) fn allocated(
    read: &dyn Read,
    space: SpaceId,
) -> Result<u64, RegistryError> {
    Ok(ALLOCATION.get(read, &space)?.unwrap_or(0))
}

/// Whether nothing more of a space is given out, since more may have been than is known here.
pub(in crate::registry) fn is_sealed(
    read: &dyn Read,
    space: SpaceId,
) -> Result<bool, RegistryError> {
    Ok(SEALED_SPACES.get(read, &space)?.is_some())
}

/// The order in which a space gives out its indexes.
pub(in crate::registry) fn permutation(space: &SpaceRecord) -> Permutation {
    Permutation::new(&space.permutation, space.length())
}

pub(in crate::registry) fn space_of(
    read: &dyn Read,
    space: SpaceId,
) -> Result<SpaceRecord, RegistryError> {
    SPACES.get(read, &space)?.ok_or_else(|| {
        let reason = format!("a list names the space {space}, and there is none");
        crate::store::engine::StoreError::Corrupt {
            table: SPACES.name(),
            reason,
        }
        .into()
    })
}

/// Moves the counter, in the batch that hands the indexes out, past `count` that are free.
fn reserve(
    tx: &mut Tx<'_>,
    space: SpaceId,
    record: &SpaceRecord,
    count: u64,
) -> Result<Fresh, RegistryError> {
    tx.use_up(space.owner(), Quota::EntriesPerDay, count)?;
    let mut in_use = InUse::of(tx.read, space, record)?;
    let fresh = in_use.fresh(count).map_err(|none| match none {
        NoneFresh::Only(remaining) => RegistryError::ListFull {
            asked: count,
            remaining,
        },
        NoneFresh::Unknown => RegistryError::ListSealed,
        NoneFresh::Sealed => RegistryError::ListSealedByRestore,
        NoneFresh::Store(error) => error.into(),
    })?;
    ALLOCATION.expect(&mut tx.batch, &space, in_use.stored().as_ref());
    ALLOCATION.put(&mut tx.batch, &space, &fresh.counters.end);
    tx.log(EventKind::EntriesAllocated {
        space,
        first: fresh.counters.start,
        count: fresh.counters.end - fresh.counters.start,
    });
    Ok(fresh)
}

fn name_entries(
    tx: &mut Tx<'_>,
    space: SpaceId,
    record: &SpaceRecord,
    purpose: &StatusPurpose,
    credentials: &[String],
) -> Result<Vec<u32>, RegistryError> {
    let owner = space.owner();
    let keys: Vec<_> = credentials
        .iter()
        .map(|id| credential_key(id, owner))
        .collect();
    let known = CREDENTIALS.multi_get(tx.read, &keys)?;
    let here = |record: &CredentialRecord| {
        record
            .entries
            .iter()
            .find(|carried| carried.space == space)
            .map(|carried| carried.index)
    };

    // What each credential gets: its present index, or the next of the fresh ones.
    let mut seen = HashSet::new();
    let mut indexes = Vec::with_capacity(credentials.len());
    for (place, (id, known)) in credentials.iter().zip(&known).enumerate() {
        check_credential_id(id, place)?;
        if !seen.insert(id) {
            let pointer = format!("/credentialIds/{place}");
            return Err(RegistryError::invalid(
                pointer,
                "this id stands twice in the request",
            ));
        }
        indexes.push(known.as_ref().and_then(here));
    }
    let count = indexes.iter().filter(|index| index.is_none()).count() as u64;
    let mut fresh = Vec::new().into_iter();
    if count > 0 {
        fresh = reserve(tx, space, record, count)?.indexes.into_iter();
    }
    let mut named = Vec::with_capacity(credentials.len());
    for (place, (previous, index)) in known.iter().zip(indexes).enumerate() {
        let (index, is_fresh) = match index {
            Some(index) => (index, false),
            None => (
                fresh.next().expect("one was reserved for each").get() as u32,
                true,
            ),
        };
        named.push(index);
        let mut record = previous
            .clone()
            .unwrap_or_else(|| new_credential(&credentials[place], tx.now));
        carry(
            &mut record,
            Carried {
                space,
                index,
                purposes: vec![purpose.clone()],
            },
        );
        if previous.as_ref() != Some(&record) {
            CREDENTIALS.expect(&mut tx.batch, &keys[place], previous.as_ref());
            CREDENTIALS.put(&mut tx.batch, &keys[place], &record);
        }
        if is_fresh {
            HOLDERS.put(
                &mut tx.batch,
                &(space, index),
                &Holder::Credential(keys[place].0),
            );
        }
    }
    Ok(named)
}
