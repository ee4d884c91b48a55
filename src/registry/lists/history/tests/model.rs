//! The past of lists beside a model that keeps every value of every moment.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What the entries of one list were, at each moment at which any changed.
struct Model {
    purpose: StatusPurpose,
    now: BTreeMap<u64, u8>,
    revision: u64,
    then: Vec<(Timestamp, BTreeMap<u64, u8>, u64)>,
}

impl Model {
    fn opened(purpose: StatusPurpose, at: Timestamp) -> Self {
        Self {
            purpose,
            now: BTreeMap::new(),
            revision: 1,
            then: vec![(at, BTreeMap::new(), 1)],
        }
    }

    fn sets(&mut self, updates: &[(u64, u64)], at: Timestamp) {
        let mut changed = false;
        for (index, status) in updates {
            let status = u8::try_from(*status).unwrap();
            let present = self.now.get(index).copied().unwrap_or(0);
            let stays = self.purpose == StatusPurpose::Revocation && present != 0;
            if present != status && !stays {
                self.now.insert(*index, status);
                changed = true;
            }
        }
        self.revision += u64::from(changed);
        self.then.push((at, self.now.clone(), self.revision));
    }

    /// What an entry said at `at`, and the revision of then: the last word of that moment.
    fn said(&self, index: u64, at: Timestamp) -> (u8, u64) {
        let (_, then, revision) = self.then.iter().rfind(|(since, ..)| *since <= at).unwrap();
        (then.get(&index).copied().unwrap_or(0), *revision)
    }

    /// When an entry was changed last.
    fn since(&self, index: u64) -> Option<Timestamp> {
        let of = |then: &BTreeMap<u64, u8>| then.get(&index).copied().unwrap_or(0);
        let mut pairs = self.then.windows(2).rev();
        let changed = pairs.find(|pair| of(&pair[0].1) != of(&pair[1].1))?;
        Some(changed[1].0)
    }
}

/// What a request changes: which list, which of its entries to what, and how long is waited before.
#[derive(Debug, Clone)]
struct Step {
    wait: u64,
    list: usize,
    updates: Vec<(prop::sample::Index, u8)>,
    restart: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![2 => Just(0u64), 2 => Just(1), 1 => 2u64..100_000];
    let one = prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..4);
    let many = prop::collection::vec(any::<(prop::sample::Index, u8)>(), 40..60);
    let updates = prop_oneof![12 => one, 1 => many];
    let step = (wait, 0usize..4, updates, prop::bool::weighted(0.05));
    let step = step.prop_map(|(wait, list, updates, restart)| Step {
        wait,
        // Most often the suspensions, which go back and forth.
        list: list.min(2),
        updates,
        restart,
    });
    prop::collection::vec(step, 1..260)
}

/// Some entries of the first page, and a few of others.
fn watched(indexes: &[u64], size: StatusSize) -> Vec<u64> {
    let first_page = 8_192 / size.bits();
    let (first, others): (Vec<u64>, Vec<u64>) =
        indexes.iter().partition(|index| **index < first_page);
    let mut watched = first[..6].to_vec();
    watched.extend(&others[..4]);
    watched
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_moment_is_told_as_the_model_knows_it(steps in steps()) {
        let place = Place::new();
        let message = StatusPurpose::Message;
        let lists = [
            (StatusPurpose::Revocation, StatusSize::One),
            (message, StatusSize::Two),
            (StatusPurpose::Suspension, StatusSize::One),
        ];
        let opened = place.clock.now();
        let mut models = lists.map(|(purpose, size)| {
            let (list, indexes) = place.list(purpose.clone(), size, 900);
            (list, size, watched(&indexes, size), Model::opened(purpose, opened))
        });
        let mut moments = vec![opened];
        for step in steps {
            place.waits(step.wait);
            let (list, size, watched, model) = &mut models[step.list];
            let updates = step.updates.iter().map(|(which, status)| {
                (*which.get(watched), u64::from(status & size.maximum()))
            });
            let updates: Vec<_> = updates.collect();
            place.sets(*list, &updates);
            let now = place.clock.now();
            model.sets(&updates, now);
            moments.extend([now, Timestamp::from_millis(now.millis() - 1)]);
            if step.restart {
                place.engine.reopen().unwrap();
            }
        }
        place.waits(1_000);
        moments.push(place.clock.now());
        moments.retain(|at| *at >= opened);
        for (list, _, watched, model) in &models {
            for at in &moments {
                let told = place.asks(*list, watched, Some(*at));
                let expected = watched.iter().map(|index| Ok(model.said(*index, *at)));
                prop_assert_eq!(told, expected.collect::<Vec<_>>(), "{}", at);
            }
            let present = place.asks(*list, watched, None);
            prop_assert_eq!(present, place.asks(*list, watched, moments.last().copied()));
            let url = place.registry.urls().list(*list);
            for index in watched {
                let read = place.engine.snapshot();
                let since = place.registry.entry_since(&*read, &url, *index).unwrap();
                prop_assert_eq!(since, model.since(*index));
            }
        }
    }
}
