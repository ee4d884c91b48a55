//! The newest publication of each of the lists that were published last.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use bytes::{Bytes, BytesMut};

use crate::http::feed::event;
use crate::ids::{ListId, Seq};
use crate::registry::Publications;

/// A stretch of the log, from some place to the one that was followed to: of each list that was
/// published within it the newest publication.
pub(super) struct Recent {
    begin: Seq,
    end: Seq,
    told: BTreeMap<Seq, (ListId, Bytes)>,
    places: HashMap<ListId, Seq>,
}

/// What there is behind a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recently {
    /// These events, and with them all is told up to `to`.
    Told {
        /// The events.
        piece: Bytes,
        /// Where to go on.
        to: Seq,
    },
    /// Nothing up to `to`.
    Nothing {
        /// Where to go on.
        to: Seq,
    },
    /// That place is before what is kept.
    NotKept,
}

/// So many lists are kept; those that were published least lately are dropped first.
const MOST_LISTS: usize = 4_096;
/// So many events are in one piece.
const MOST_AT_ONCE: usize = 100;

impl Recent {
    /// Begins behind `begin`.
    pub(super) fn since(begin: Seq) -> Self {
        Self {
            begin,
            end: begin,
            told: BTreeMap::new(),
            places: HashMap::new(),
        }
    }

    /// The place that was followed to.
    pub(super) const fn end(&self) -> Seq {
        self.end
    }

    /// The newest event that was told to anybody, or the place where this begins.
    pub(super) fn newest_told(&self) -> Seq {
        self.told
            .last_key_value()
            .map_or(self.begin, |(seq, _)| *seq)
    }

    /// Goes on by a page that begins where this ends.
    pub(super) fn takes_in(&mut self, page: &Publications) {
        for publication in &page.found {
            if let Some(older) = self.places.insert(publication.list, publication.seq) {
                self.told.remove(&older);
            }
            let kept = (publication.list, event(publication));
            self.told.insert(publication.seq, kept);
        }
        self.end = page.looked_to;
        while self.told.len() > MOST_LISTS {
            if let Some((seq, (list, _))) = self.told.pop_first() {
                self.places.remove(&list);
                self.begin = seq;
            }
        }
    }

    /// What there is to tell to somebody who knows everything up to `place`.
    pub(super) fn behind(&self, place: Seq) -> Recently {
        if place < self.begin {
            return Recently::NotKept;
        }
        let behind = (Bound::Excluded(place), Bound::Unbounded);
        let mut events = self.told.range(behind);
        let mut piece = BytesMut::new();
        let mut last = place;
        for (seq, (_, event)) in events.by_ref().take(MOST_AT_ONCE) {
            piece.extend_from_slice(event);
            last = *seq;
        }
        let to = match events.next() {
            Some(_) => last,
            None => last.max(self.end),
        };
        match piece.is_empty() {
            true => Recently::Nothing { to },
            false => Recently::Told {
                piece: piece.freeze(),
                to,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::ids::Revision;
    use crate::registry::{More, Publication};
    use crate::time::Timestamp;

    fn publication(seq: u64, list: u32, revision: u64) -> Publication {
        let mut id = [0; 12];
        id[8..].copy_from_slice(&list.to_be_bytes());
        let list = ListId::from_bytes(id);
        Publication {
            seq: Seq(seq),
            list,
            revision: Revision(revision),
            at: Timestamp::EPOCH,
            urls: vec![list.to_string()],
        }
    }

    fn page(found: Vec<Publication>, looked_to: u64) -> Publications {
        Publications {
            found,
            looked_to: Seq(looked_to),
            more: More::No,
        }
    }

    /// The lists and revisions that are told behind a place, in as many pieces as it takes.
    fn told(recent: &Recent, mut place: Seq) -> BTreeMap<String, u64> {
        let mut known = BTreeMap::new();
        loop {
            let (piece, to) = match recent.behind(place) {
                Recently::Told { piece, to } => (piece, to),
                Recently::Nothing { to } => {
                    assert_eq!(to, recent.end().max(place));
                    return known;
                }
                Recently::NotKept => panic!("{place} is not kept"),
            };
            assert!(to > place);
            place = to;
            for line in std::str::from_utf8(&piece).unwrap().lines() {
                if let Some(data) = line.strip_prefix("data: ") {
                    let data: serde_json::Value = serde_json::from_str(data).unwrap();
                    let list = data["list"].as_str().unwrap().to_owned();
                    assert_eq!(known.insert(list, data["revision"].as_u64().unwrap()), None);
                }
            }
        }
    }

    proptest! {
        /// Against a model that keeps everything: from whatever place, each list that was published
        /// behind it is told once, as it was published last.
        #[test]
        fn nothing_behind_a_place_is_missed(
            lists in prop::collection::vec(0u32..300, 1..600),
            gap in 1u64..5,
            from: prop::sample::Index,
        ) {
            let mut recent = Recent::since(Seq(7));
            let mut all = Vec::new();
            for (number, list) in (1..).zip(lists) {
                let made = publication(7 + number * gap, list, number);
                all.push(made.clone());
                recent.takes_in(&page(vec![made], 7 + (number + 1) * gap - 1));
            }
            let place = Seq(7 + from.index(all.len() * 5) as u64);
            let mut model = BTreeMap::new();
            for made in all.iter().filter(|made| made.seq > place) {
                model.insert(made.urls[0].clone(), made.revision.0);
            }
            prop_assert_eq!(told(&recent, place), model);
            prop_assert_eq!(recent.newest_told(), all.last().unwrap().seq);
            prop_assert_eq!(recent.behind(Seq(6)), Recently::NotKept);
        }
    }

    #[test]
    fn the_lists_published_longest_ago_are_dropped_and_that_is_said() {
        let mut recent = Recent::since(Seq(0));
        let lists = u32::try_from(MOST_LISTS).unwrap() + 10;
        for list in 1..=lists {
            let made = publication(list.into(), list, 1);
            recent.takes_in(&page(vec![made], list.into()));
        }
        assert_eq!(recent.behind(Seq(9)), Recently::NotKept);
        assert_eq!(told(&recent, Seq(10)).len(), MOST_LISTS);
        // One that is published again makes no other one go.
        recent.takes_in(&page(vec![publication(9_000, lists, 2)], 9_000));
        assert_eq!(told(&recent, Seq(10)).len(), MOST_LISTS);
    }
}
