//! What is left of the past when the oldest of it is forgotten, beside the same past kept whole.

use proptest::prelude::*;

use super::*;
use crate::registry::Forgotten;

const KEPT: u64 = 100_000;

fn keeping(place: &mut Place) {
    place.registry.settings.history_kept = Some(Ttl::from_millis(KEPT));
    // Two lists are for the same.
    place.registry.settings.fill_floor_percent = 0;
}

impl Place {
    /// The revisions of the states of a list that are over.
    fn states(&self, list: ListId) -> Vec<Revision> {
        let rows = PAST_STATES.scan(&*self.engine, list.as_bytes(), None, usize::MAX);
        let keys = rows.unwrap().into_iter().map(|(key, _)| key);
        keys.map(|(_, revision)| revision).collect()
    }
}

/// Some changes of one of three lists, after a while; or forgetting, so much at a time.
#[derive(Debug, Clone)]
enum Step {
    Changes(u64, usize, Vec<(usize, u8)>),
    Forgets(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![1 => Just(0u64), 2 => 1u64..3_000, 1 => 3_000u64..60_000];
    let one = prop::collection::vec((0usize..4, any::<u8>()), 1..4);
    let changes =
        (wait, 0usize..3, one).prop_map(|(wait, list, set)| Step::Changes(wait, list, set));
    let forgets = (1usize..6).prop_map(Step::Forgets);
    prop::collection::vec(prop_oneof![12 => changes, 1 => forgets], 1..150)
}

/// What is said of every entry, at every moment; `None` where it is not held.
type Told = Vec<Option<Vec<(u8, u64)>>>;

fn told(place: &Place, lists: &[(ListId, Vec<u64>)], moments: &[Timestamp]) -> Vec<Told> {
    let of = |(list, indexes): &(ListId, Vec<u64>)| {
        let told = moments.iter().map(|at| {
            let said = place.asks(*list, indexes, Some(*at));
            let held: Result<Vec<_>, _> = said.into_iter().collect();
            match held {
                Ok(said) => Some(said),
                Err(StatusUnknown::NotHeld { .. }) => None,
                Err(other) => panic!("{other:?}"),
            }
        });
        told.collect()
    };
    lists.iter().map(of).collect()
}

/// Forgets everything that is old enough, so much at a time.
fn forgets(place: &Place, most: usize) -> usize {
    let (mut states, mut from) = (0, None);
    for _ in 0..1_000 {
        let Forgotten { states: some, next } =
            place.registry.forget_past_by(from, most, most * 2).unwrap();
        assert!(some <= most);
        states += some;
        match next {
            Some(_) => from = next,
            None => return states,
        }
    }
    panic!("it comes to no end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_is_as_it_was(steps in steps()) {
        let mut place = Place::new();
        keeping(&mut place);
        let opened = place.clock.now();
        let lists: Vec<_> = [
            (StatusPurpose::Suspension, StatusSize::One),
            (StatusPurpose::Message, StatusSize::Two),
            (StatusPurpose::Message, StatusSize::Eight),
        ]
        .into_iter()
        .map(|(purpose, size)| {
            let (list, indexes) = place.list(purpose, size, 40);
            (list, size, indexes[..4].to_vec())
        })
        .collect();
        let named: Vec<_> = lists.iter().map(|(list, _, indexes)| (*list, indexes.clone())).collect();
        let mut moments = vec![opened];
        for step in steps {
            match step {
                Step::Changes(wait, list, set) => {
                    place.waits(wait);
                    let (list, size, indexes) = &lists[list];
                    let updates = set.iter().map(|(entry, status)| {
                        (indexes[*entry], u64::from(status & size.maximum()))
                    });
                    place.sets(*list, &updates.collect::<Vec<_>>());
                    let now = place.clock.now();
                    moments.extend([now, Timestamp::from_millis(now.millis() - 1)]);
                }
                Step::Forgets(most) => {
                    moments.retain(|at| *at >= opened);
                    let before = told(&place, &named, &moments);
                    let states = |list: &ListId| place.states(*list).len();
                    let had: Vec<_> = named.iter().map(|(list, _)| states(list)).collect();
                    forgets(&place, most);
                    let horizon = place.clock.now().minus(Ttl::from_millis(KEPT));
                    let after = told(&place, &named, &moments);
                    for (before, after) in before.iter().zip(&after) {
                        let both = before.iter().zip(after).zip(&moments);
                        for ((before, after), at) in both {
                            // Younger than it is kept: nothing went.
                            prop_assert!(after == before || (after.is_none() && *at < horizon));
                        }
                    }
                    prop_assert_eq!(forgets(&place, 3), 0);
                    // Nor is a row left that no moment needs: all lead back to a state.
                    for ((list, _), had) in named.iter().zip(had) {
                        let left = place.states(*list);
                        let first = left.first().copied();
                        let rows = PAST_PAGES.scan(&*place.engine, list.as_bytes(), None, usize::MAX);
                        for ((_, revision), _) in rows.unwrap() {
                            let needed = first.is_some_and(|first| first < revision);
                            prop_assert!(needed || left.len() == had, "{:?}", revision);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_is_forgotten_where_it_is_kept_for_ever() {
    let place = Place::new();
    let (list, indexes) = place.list(StatusPurpose::Suspension, StatusSize::One, 1);
    place.waits(1_000);
    place.sets(list, &[(indexes[0], 1)]);
    place.waits(400 * 86_400_000);
    let forgotten = place.registry.forget_past(None, 8).unwrap();
    assert_eq!((forgotten.states, forgotten.next), (0, None));
    assert_eq!(place.rows(0x39).len(), 1);
}
