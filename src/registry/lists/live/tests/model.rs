//! Whatever is written and in whatever order, look-ups say what a map of entries says that takes in what was
//! acknowledged, and nothing else.

use std::collections::btree_map::Entry;

use proptest::prelude::*;

use super::*;
use crate::store::memory::Fault;

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    /// A list is opened, unless it is there.
    Open(u8, usize),
    /// Entries are set in one batch.
    Set(Vec<(u8, u64, u8)>),
    /// The same, and what becomes of it is not told; then the store is opened again.
    SetUnclear(Vec<(u8, u64, u8)>, bool),
    /// These are looked up.
    Ask(Vec<(u8, u64)>),
}

const LISTS_TRIED: u8 = 5;

fn index() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..4_u64,
        Just(8_191),
        Just(8_192),
        Just(131_071),
        131_072..131_074_u64,
        0..131_072_u64
    ]
}

fn sets() -> impl Strategy<Value = Vec<(u8, u64, u8)>> {
    let inside = index().prop_map(|index| index % 131_072);
    prop::collection::vec((0..LISTS_TRIED, inside, any::<u8>()), 1..6)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..LISTS_TRIED, 0..4_usize).prop_map(|(list, size)| Step::Open(list, size)),
        4 => sets().prop_map(Step::Set),
        1 => (sets(), any::<bool>()).prop_map(|(sets, kept)| Step::SetUnclear(sets, kept)),
        4 => prop::collection::vec((0..LISTS_TRIED, index()), 1..12).prop_map(Step::Ask),
    ]
}

type Model = BTreeMap<u8, Written>;

fn batch_of(model: &mut Model, sets: &[(u8, u64, u8)]) -> Batch {
    let mut batch = Batch::default();
    let mut rows: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
    for (number, index, value) in sets {
        if let Some(written) = model.get_mut(number) {
            let mut one = Batch::default();
            written.set(&mut one, list(*number), *index, *value);
            rows.extend(one.puts.into_iter().map(|(key, value)| (key, Some(value))));
            rows.extend(one.deletes.into_iter().map(|key| (key, None)));
        }
    }
    for (key, value) in rows {
        match value {
            Some(value) => batch.puts.push((key, value)),
            None => batch.deletes.push(key),
        }
    }
    batch
}

fn expected(
    registry: &Registry,
    model: &Model,
    asked: &[(u8, u64)],
) -> Vec<Result<Said, StatusUnknown>> {
    let say = |(number, index): &(u8, u64)| {
        let Some(written) = model.get(number) else {
            let url = registry.urls().list(list(*number));
            return Err(StatusUnknown::NoList(url));
        };
        let length = written.record.length();
        length.index(*index).map_err(StatusUnknown::OutOfRange)?;
        let status = written.status(*index);
        let message = Some(format!("\"{status}\" means ä\\"));
        Ok((status, written.revision, message))
    };
    asked.iter().map(say).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn look_ups_say_what_was_acknowledged(
        bound in prop_oneof![Just(0_u64), Just(60_000), Just(200_000), Just(1 << 28)],
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let engine = memory_engine();
        let registry = over(engine.clone(), bound);
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Open(number, size) => {
                    if let Entry::Vacant(place) = model.entry(number) {
                        let written = Written::new(StatusSize::ALL[size]);
                        let mut batch = Batch::default();
                        written.opened(&mut batch, list(number));
                        engine.commit(batch).unwrap();
                        place.insert(written);
                    }
                }
                Step::Set(sets) => {
                    let batch = batch_of(&mut model, &sets);
                    engine.commit(batch).unwrap();
                }
                Step::SetUnclear(sets, kept) => {
                    let mut after = model.clone();
                    let batch = batch_of(&mut after, &sets);
                    engine.set_fault_hook(move |_, _| match kept {
                        true => Fault::PersistButReportFailed,
                        false => Fault::LoseAndReportFailed,
                    });
                    let outcome = engine.commit(batch.clone());
                    engine.set_fault_hook(|_, _| Fault::Proceed);
                    let asked: Vec<_> = sets.iter().map(|(list, index, _)| (*list, *index)).collect();
                    let places: Vec<_> = asked.iter().map(|(number, index)| (list(*number), *index)).collect();
                    // Nothing is shown of what may not be there.
                    prop_assert_eq!(at_once(&registry, &places), expected(&registry, &model, &asked));
                    engine.reopen().unwrap();
                    if kept || outcome.is_ok() {
                        model = after;
                    }
                    prop_assert_eq!(at_once(&registry, &places), expected(&registry, &model, &asked));
                }
                Step::Ask(asked) => {
                    let places: Vec<_> = asked.iter().map(|(number, index)| (list(*number), *index)).collect();
                    let expected = expected(&registry, &model, &asked);
                    prop_assert_eq!(&at_once(&registry, &places), &expected);
                    prop_assert_eq!(&one_by_one(&registry, &places), &expected);
                    for ((id, index), expected) in places.into_iter().zip(expected) {
                        let number = engine.last_write(TABLES).unwrap();
                        let shown = registry.live.entry_as_of(number, id, index);
                        let shown = shown.map(|(status, revision)| (status, revision.0));
                        let expected = expected.map(|(status, revision, _)| (status, revision));
                        prop_assert!(shown.is_none() || shown == expected.ok());
                    }
                }
            }
            let keeper = registry.live.keeper();
            let held: usize = keeper.held.iter().map(|list| list.bytes()).sum();
            prop_assert_eq!(held, keeper.bytes);
            prop_assert!(held as u64 <= bound);
            prop_assert!(keeper.loading.is_empty());
        }
    }
}
