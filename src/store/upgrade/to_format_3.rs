//! From format 2 to format 3: lists are published in several forms and renewed, spaces can be
//! brought along, and profiles say who may see their lists as they were.

use serde::{Deserialize, Serialize};

use super::Step;
use super::rewrite::Rewrite;
use super::to_format_2::written;
use crate::bitstring::{ListLength, StatusSize};
use crate::ids::{ListId, Revision, SCOPED_ID_BYTES, Slug, SpaceId};
use crate::status::{EntryMembers, StatusPurpose};
use crate::store::engine::{Batch, Row, StoreError};
use crate::store::opening::Opening;
use crate::store::staging::Writes;
use crate::store::table::{Table, postcard_decode, postcard_record};
use crate::store::tables::{
    ARTEFACTS, ArtefactRecord, Brought, IdForm, LISTS, ListForm, ListRecord, PROFILES, PUBLISHED,
    Plane, ProfileRecord, PublishedState, RENEWALS, SPACES, SpaceRecord,
};
use crate::time::{Timestamp, Ttl};

/// The step.
pub(super) struct ToFormat3;

/// The tables whose records have another version in format 3.
pub(super) const REWRITES: &[Rewrite] = &[
    Rewrite {
        table: PROFILES.name(),
        tag: PROFILES.tag(),
        from: 1,
        to: 2,
        body: profile,
    },
    Rewrite {
        table: SPACES.name(),
        tag: SPACES.tag(),
        from: 1,
        to: 2,
        body: space,
    },
    Rewrite {
        table: LISTS.name(),
        tag: LISTS.tag(),
        from: 1,
        to: 2,
        body: list,
    },
    Rewrite {
        table: PUBLISHED.name(),
        tag: PUBLISHED.tag(),
        from: 1,
        to: 2,
        body: |body| {
            let older: OlderPublished = postcard_decode(body)?;
            Ok(written(&older.now()))
        },
    },
];

/// Lists as they are in formats 1 and 2.
pub(super) const OLDER_LISTS: Table<ListId, OlderList> = Table::new(LISTS.tag(), LISTS.name());

/// What a list is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OlderList {
    space: SpaceId,
    purpose: StatusPurpose,
    length: u64,
    pub(super) status_size: StatusSize,
    ttl_millis: u64,
    pub(super) created_at: Timestamp,
}
postcard_record!(OlderList, 1);

impl OlderList {
    pub(super) fn length(&self) -> ListLength {
        ListLength::of_size(self.length, self.status_size)
            .expect("lists are written from a length that was checked")
    }
}

/// There were lists in one form alone.
fn list(body: &[u8]) -> Result<Vec<u8>, String> {
    let older: OlderList = postcard_decode(body)?;
    Ok(written(&ListRecord {
        space: older.space,
        purpose: older.purpose,
        length: older.length,
        status_size: older.status_size,
        ttl_millis: older.ttl_millis,
        created_at: older.created_at,
        entry: EntryMembers::default(),
        also_2021: false,
        in_token: false,
        jcs_proof: false,
    }))
}

fn space(body: &[u8]) -> Result<Vec<u8>, String> {
    #[derive(Deserialize)]
    struct Older {
        length: u64,
        permutation: [u8; 16],
        planes: Vec<Plane>,
        endorsements: bool,
    }
    let older: Older = postcard_decode(body)?;
    Ok(written(&SpaceRecord {
        length: older.length,
        permutation: older.permutation,
        planes: older.planes,
        endorsements: older.endorsements,
        token: None,
        brought: Brought::Nothing,
    }))
}

fn profile(body: &[u8]) -> Result<Vec<u8>, String> {
    #[derive(Deserialize)]
    struct Older {
        slug: Slug,
        issuer_id: String,
        id_form: IdForm,
        issuer: bool,
        accreditor: bool,
        members: String,
        keys: u32,
        created_at: Timestamp,
        changed_at: Timestamp,
    }
    let older: Older = postcard_decode(body)?;
    Ok(written(&ProfileRecord {
        slug: older.slug,
        issuer_id: older.issuer_id,
        id_form: older.id_form,
        issuer: older.issuer,
        accreditor: older.accreditor,
        members: older.members,
        keys: older.keys,
        created_at: older.created_at,
        changed_at: older.changed_at,
        history: None,
    }))
}

/// How far publication of a list had come.
#[derive(Debug, Serialize, Deserialize)]
struct OlderPublished {
    revision: Revision,
    generation: u64,
    published_at: Timestamp,
}

/// Lists that were signed without an end are renewed so long after it: within the days in which
/// lists of this format are.
const RENEWED_AFTER: Ttl = Ttl::from_seconds(3 * 86_400);

impl OlderPublished {
    fn now(&self) -> PublishedState {
        PublishedState {
            revision: self.revision,
            generation: self.generation,
            published_at: self.published_at,
            valid_until: None,
            renew_at: self.published_at.plus(RENEWED_AFTER),
        }
    }
}

/// A signed list, as it stood under its list's id alone.
#[derive(Debug, Serialize, Deserialize)]
struct OlderArtefact {
    state: OlderPublished,
    document: String,
}
postcard_record!(OlderArtefact, 1);

const OLDER_ARTEFACTS: Table<ListId, OlderArtefact> = Table::new(ARTEFACTS.tag(), ARTEFACTS.name());

/// How many artefacts are read in one go: each may be long.
const ARTEFACTS_AT_ONCE: usize = 256;

impl Step for ToFormat3 {
    fn what(&self) -> &'static str {
        "lists get room for their forms and for when they are renewed; spaces, lists and profiles \
         get new members"
    }

    fn run(&self, store: &mut dyn Opening) -> Result<(), StoreError> {
        let mut from = vec![ARTEFACTS.tag()];
        while let Some(rows) = older_artefacts(store, &mut from)? {
            let mut moved = Batch::default();
            for (key, value) in rows {
                let (list, older) = OLDER_ARTEFACTS.read(&key, &value)?;
                move_artefact(&mut moved, list, older);
            }
            let puts = moved.puts.into_iter().map(|(key, row)| (key, Some(row)));
            let writes: Writes = puts
                .chain(moved.deletes.into_iter().map(|key| (key, None)))
                .collect();
            if !writes.is_empty() {
                store.write(writes)?;
            }
        }
        REWRITES.iter().try_for_each(|rewrite| rewrite.run(store))
    }

    fn validate(&self, store: &dyn Opening) -> Result<(), StoreError> {
        let mut from = vec![ARTEFACTS.tag()];
        while let Some(rows) = older_artefacts(store, &mut from)? {
            if !rows.is_empty() {
                return Err(StoreError::Corrupt {
                    table: ARTEFACTS.name(),
                    reason: "a row is left under the key that it had before".to_owned(),
                });
            }
        }
        REWRITES
            .iter()
            .try_for_each(|rewrite| rewrite.validate(store))
    }
}

/// An artefact moves to the place of its form, and waits to be renewed.
fn move_artefact(moved: &mut Batch, list: ListId, older: OlderArtefact) {
    let state = older.state.now();
    RENEWALS.put(moved, &(state.renew_at, list), &());
    let artefact = ArtefactRecord {
        state,
        body: older.document.into_bytes(),
    };
    ARTEFACTS.put(moved, &(list, ListForm::Bitstring), &artefact);
    OLDER_ARTEFACTS.delete(moved, &list);
}

/// Of the next artefacts from `from` on, which is moved behind them, those that have the key of
/// before; `None` where there are no more.
fn older_artefacts(
    store: &dyn Opening,
    from: &mut Vec<u8>,
) -> Result<Option<Vec<Row>>, StoreError> {
    const OLDER_KEY: usize = 1 + SCOPED_ID_BYTES;
    let mut rows = store.scan(from, &[ARTEFACTS.tag() + 1], ARTEFACTS_AT_ONCE)?;
    let Some((last, _)) = rows.last() else {
        return Ok(None);
    };
    *from = [last.as_slice(), &[0]].concat();
    rows.retain(|(key, _)| key.len() == OLDER_KEY);
    Ok(Some(rows))
}
