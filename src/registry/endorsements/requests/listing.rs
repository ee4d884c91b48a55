//! Lists of requests: each side sees its own, the operator all.

use super::{RequestState, RequestView, state_of};
use crate::access::Action;
use crate::ids::{ProfileId, RequestId};
use crate::registry::standing::{MOST_LOOKED_AT, PAGE};
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{REQUESTS, REQUESTS_BY_REQUESTER};

/// Which requests to list.
#[derive(Debug, Clone, Default)]
pub struct RequestFilter {
    /// To this profile (slug or id).
    pub accreditor: Option<String>,
    /// By this profile (slug or id).
    pub requester: Option<String>,
    /// Standing like this.
    pub state: Option<RequestState>,
    /// After this one.
    pub after: Option<RequestId>,
}

/// A page of requests.
#[derive(Debug, Clone)]
pub struct RequestPage {
    /// Those that passed the filter.
    pub requests: Vec<RequestView>,
    /// After which one the list goes on, where it does.
    pub next: Option<RequestId>,
}

/// A page is at its end once what it shows took this many bytes in the store.
const MOST_BYTES: usize = 4 << 20;

/// Rows that stand together in the order of request ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Every request.
    All,
    /// To an accreditor.
    To(ProfileId),
    /// By a requester.
    By(ProfileId),
    /// By a requester to an accreditor.
    Between(ProfileId, ProfileId),
}

impl Registry {
    /// Requests that `actor` is a side of and that pass `filter`, in order of id, at most `limit`
    /// of them. A filter that few pass, and requests about which much was said, give a short page
    /// with a cursor.
    pub fn requests(
        &self,
        actor: Actor,
        filter: &RequestFilter,
        limit: usize,
    ) -> Result<RequestPage, RegistryError> {
        actor.must_be_able(Action::Read)?;
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let accreditor = self.party(filter.accreditor.as_deref(), "?accreditor")?;
        let requester = self.party(filter.requester.as_deref(), "?requester")?;
        let sources = sources(actor.speaks_as(), accreditor, requester);
        let (mut found, mut after) = (Vec::new(), filter.after);
        let (mut looked_at, mut bytes) = (0, 0);
        loop {
            let page = merged(read, &sources, after)?;
            let rows = REQUESTS.multi_get(read, &page)?;
            for (id, record) in page.iter().zip(rows) {
                after = Some(*id);
                looked_at += 1;
                if let Some(record) = record
                    && filter.state.is_none_or(|state| state_of(&record) == state)
                {
                    bytes += record.stored_bytes();
                    found.push(self.view_request(read, *id, record)?);
                }
                if found.len() == limit || looked_at == MOST_LOOKED_AT || bytes > MOST_BYTES {
                    return Ok(RequestPage {
                        requests: found,
                        next: after,
                    });
                }
            }
            if page.len() < PAGE {
                return Ok(RequestPage {
                    requests: found,
                    next: None,
                });
            }
        }
    }

    fn party(&self, name: Option<&str>, place: &str) -> Result<Option<ProfileId>, RegistryError> {
        let number = |name| Ok(self.profile_named(name, place)?.id);
        name.map(number).transpose()
    }
}

/// Where to look for what somebody sees; `viewer` is nobody in particular for the operator.
fn sources(
    viewer: Option<ProfileId>,
    accreditor: Option<ProfileId>,
    requester: Option<ProfileId>,
) -> Vec<Source> {
    match (requester, accreditor, viewer) {
        (Some(by), Some(to), Some(me)) if me != by && me != to => Vec::new(),
        (Some(by), Some(to), _) => vec![Source::Between(by, to)],
        (Some(by), None, Some(me)) if me != by => vec![Source::Between(by, me)],
        (Some(by), None, _) => vec![Source::By(by)],
        (None, Some(to), Some(me)) if me != to => vec![Source::Between(me, to)],
        (None, Some(to), _) => vec![Source::To(to)],
        // Nobody asks themselves, so no request is in both.
        (None, None, Some(me)) => vec![Source::To(me), Source::By(me)],
        (None, None, None) => vec![Source::All],
    }
}

/// The next ids of all sources, in order; fewer than a page where there are no more.
fn merged(
    read: &dyn Read,
    sources: &[Source],
    after: Option<RequestId>,
) -> Result<Vec<RequestId>, RegistryError> {
    let mut ids = Vec::new();
    for source in sources {
        ids.extend(source.ids(read, after)?);
    }
    ids.sort_unstable();
    ids.truncate(PAGE);
    Ok(ids)
}

impl Source {
    fn ids(
        self,
        read: &dyn Read,
        after: Option<RequestId>,
    ) -> Result<Vec<RequestId>, RegistryError> {
        let bytes = |id: ProfileId| id.0.to_be_bytes();
        let by = |requester: ProfileId, prefix: &[u8]| -> Result<_, RegistryError> {
            let after = after.map(|id| (requester, id));
            let rows = REQUESTS_BY_REQUESTER.scan(read, prefix, after.as_ref(), PAGE)?;
            Ok(rows.into_iter().map(|((_, id), ())| id).collect())
        };
        let to = |prefix: &[u8]| -> Result<_, RegistryError> {
            let rows = REQUESTS.scan(read, prefix, after.as_ref(), PAGE)?;
            Ok(rows.into_iter().map(|(id, _)| id).collect())
        };
        match self {
            Self::All => to(&[]),
            Self::To(accreditor) => to(&bytes(accreditor)),
            Self::By(requester) => by(requester, &bytes(requester)),
            Self::Between(requester, accreditor) => {
                by(requester, &[bytes(requester), bytes(accreditor)].concat())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::badges::SubjectKind;
    use crate::store::engine::{Batch, Engine as _};
    use crate::store::memory::MemoryEngine;
    use crate::store::tables::RequestRecord;
    use crate::time::{ManualClock, Timestamp};
    use proptest::prelude::*;

    fn stored(requests: &[(RequestId, ProfileId)]) -> MemoryEngine {
        let engine = MemoryEngine::new(Arc::new(ManualClock::new(Timestamp::EPOCH)));
        let mut batch = Batch::default();
        for (id, requester) in requests {
            let record = RequestRecord {
                requester: *requester,
                subject: String::new(),
                kind: SubjectKind::Profile,
                digest_multibase: None,
                name: None,
                comment: None,
                evidence: Vec::new(),
                scope: None,
                valid_from: None,
                valid_until: None,
                renews: None,
                steps: Vec::new(),
                endorsement: None,
                created_at: Timestamp::EPOCH,
            };
            REQUESTS.put(&mut batch, id, &record);
            REQUESTS_BY_REQUESTER.put(&mut batch, &(*requester, *id), &());
        }
        engine.commit(batch).unwrap();
        engine
    }

    /// The number of an accreditor and of a requester, another one, and random bytes.
    fn requests() -> impl Strategy<Value = Vec<(RequestId, ProfileId)>> {
        let one = (1u32..5, 1u32..5, any::<[u8; 8]>());
        let one = one.prop_filter("nobody asks themselves", |(to, by, _)| to != by);
        let one = one.prop_map(|(to, by, random)| {
            let id = [&to.to_be_bytes()[..], &random].concat();
            let id = id.try_into().expect("4 and 8 bytes");
            (RequestId::from_bytes(id), ProfileId(by))
        });
        prop::collection::vec(one, 0..40)
    }

    proptest! {
        /// Whoever looks, and whatever for, finds what a walk over all requests finds.
        #[test]
        fn each_side_sees_its_own_and_nothing_else(
            mut requests in requests(),
            viewer in prop::option::of(1u32..5),
            accreditor in prop::option::of(1u32..5),
            requester in prop::option::of(1u32..5),
            after in prop::option::of(any::<prop::sample::Index>()),
        ) {
            requests.sort_unstable_by_key(|(id, _)| *id);
            requests.dedup_by_key(|(id, _)| *id);
            let after = after.filter(|_| !requests.is_empty());
            let after = after.map(|at| requests[at.index(requests.len())].0);
            let [viewer, accreditor, requester] =
                [viewer, accreditor, requester].map(|id| id.map(ProfileId));
            let wanted = requests.iter().filter(|(id, by)| {
                viewer.is_none_or(|me| me == id.owner() || me == *by)
                    && accreditor.is_none_or(|to| to == id.owner())
                    && requester.is_none_or(|named| named == *by)
                    && after.is_none_or(|after| *id > after)
            });
            let wanted: Vec<RequestId> = wanted.map(|(id, _)| *id).collect();
            let engine = stored(&requests);
            let found = merged(&engine, &sources(viewer, accreditor, requester), after);
            prop_assert_eq!(found, Ok(wanted));
        }
    }
}
