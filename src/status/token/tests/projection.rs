//! What a token list shows of the lists over its index space, against a table and against a model
//! that goes entry by entry.

use proptest::prelude::*;

use super::*;
use crate::bitstring::ListLength;
use crate::status::StatusPurpose::{self, Message, Refresh, Revocation, Suspension};

fn own() -> StatusPurpose {
    "recall".parse().unwrap()
}

/// A list with these statuses, most significant bit first.
fn list(size: StatusSize, statuses: &[u8]) -> Bitstring {
    let per_byte = 8 / size.bits() as usize;
    let bytes = statuses.chunks(per_byte).map(|chunk| {
        let mut byte = 0;
        for (place, status) in chunk.iter().enumerate() {
            byte |= status << (8 - size.bits() as usize * (place + 1));
        }
        byte
    });
    Bitstring::from_bytes(bytes.collect(), size)
}

fn shown(lists: &[(StatusPurpose, Bitstring)]) -> Result<Bitstring<Lsb>, ProjectionError> {
    let planes: Vec<Plane<'_>> = lists
        .iter()
        .map(|(purpose, bits)| Plane { purpose, bits })
        .collect();
    project(&planes)
}

#[test]
fn the_table_of_what_is_shown() {
    // Each combination of what the lists say about one index; the eighth entry stays clear.
    let revoked = list(StatusSize::One, &[0, 0, 0, 1, 1, 0, 1, 0]);
    let suspended = list(StatusSize::One, &[0, 1, 0, 0, 1, 1, 1, 0]);
    let recalled = list(StatusSize::Two, &[0, 0, 3, 3, 0, 3, 3, 0]);
    let refreshed = list(StatusSize::One, &[1; 8]);
    for (lists, bits, expected) in [
        (
            vec![(Revocation, revoked.clone())],
            1,
            [0, 0, 0, 1, 1, 0, 1, 0],
        ),
        (
            vec![(Suspension, suspended.clone())],
            2,
            [0, 2, 0, 0, 2, 2, 2, 0],
        ),
        (vec![(Refresh, refreshed.clone())], 1, [0; 8]),
        (
            vec![(Message, recalled.clone())],
            2,
            [0, 0, 3, 3, 0, 3, 3, 0],
        ),
        // In whatever order the lists come.
        (
            vec![
                (Suspension, suspended.clone()),
                (Revocation, revoked.clone()),
            ],
            2,
            [0, 2, 0, 1, 1, 2, 1, 0],
        ),
        (
            vec![
                (Revocation, revoked.clone()),
                (Refresh, refreshed),
                (own(), recalled.clone()),
                (Suspension, suspended),
            ],
            2,
            [0, 2, 3, 1, 1, 2, 1, 0],
        ),
        (
            vec![(own(), recalled), (Revocation, revoked)],
            2,
            [0, 0, 3, 1, 1, 3, 1, 0],
        ),
    ] {
        let shown = shown(&lists).unwrap();
        let purposes: Vec<&StatusPurpose> = lists.iter().map(|(purpose, _)| purpose).collect();
        assert_eq!(shown.size().bits(), bits, "{purposes:?}");
        assert_eq!(shown.iter().collect::<Vec<_>>(), expected, "{purposes:?}");
    }
}

#[test]
fn the_size_follows_from_what_the_lists_are_and_not_from_what_is_set() {
    use StatusSize::{Eight, Four, One, Two};
    let own = own();
    for (lists, expected) in [
        (vec![(&Revocation, One)], One),
        (vec![(&Refresh, Eight)], One),
        // Why something was revoked is not shown.
        (vec![(&Revocation, Eight)], One),
        (vec![(&Suspension, One)], Two),
        (vec![(&Suspension, One), (&own, One)], Two),
        (vec![(&own, One), (&Revocation, One)], One),
        (vec![(&own, Four), (&Suspension, One)], Four),
        (vec![(&Message, Eight), (&Suspension, Two)], Eight),
    ] {
        assert_eq!(token_size(lists.clone()), Ok(expected), "{lists:?}");
    }
}

#[test]
fn lists_that_cannot_be_shown_together_are_named() {
    let size = StatusSize::Two;
    let refusal = |lists: Vec<(&StatusPurpose, StatusSize)>| {
        let refused = token_size(lists).unwrap_err();
        refused.to_string()
    };
    assert_eq!(
        refusal(vec![(&Revocation, size), (&Revocation, size)]),
        "there are two lists for revocation, and a token list shows one of each purpose"
    );
    assert_eq!(
        refusal(vec![(&own(), size), (&Message, size)]),
        "a token list shows the values of one list as they are: those of recall or of message"
    );
    assert_eq!(
        refusal(vec![(&Message, StatusSize::One)]),
        "a message list of 1 bit has no value that a token list can show: take 2, 4 or 8"
    );
    assert_eq!(
        refusal(vec![]),
        "a token list needs at least one list to show"
    );
    let (short, long) = (list(size, &[0; 8]), list(size, &[0; 16]));
    let refused = shown(&[(Revocation, short), (Suspension, long)]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the list for suspension has 16 entries and another one 8"
    );
    assert_eq!(shown(&[]), Err(ProjectionError::Empty));
}

#[test]
fn a_message_never_looks_like_a_revocation() {
    for (value, meaning) in [(1, "INVALID"), (2, "SUSPENDED")] {
        assert_eq!(
            check_token_value(&Message, value).unwrap_err().to_string(),
            format!(
                "status {value:#x} of a message list that is also a token list would be read there \
                 as {meaning}: take 0x0, or a value from 0x3 on"
            )
        );
        assert_eq!(check_token_value(&own(), value), Ok(()));
        assert_eq!(check_token_value(&Revocation, value), Ok(()));
    }
    for value in (3..=255).chain([0]) {
        assert_eq!(check_token_value(&Message, value), Ok(()), "{value}");
        let bits = list(StatusSize::Eight, &[value]);
        let shown = shown(&[(Message, bits)]).unwrap();
        let read = TokenStatusList {
            subject: URL.to_owned(),
            issuer: None,
            valid_from: Timestamp::EPOCH,
            valid_until: None,
            ttl: None,
            bits: shown,
        };
        let said = read.status(0).unwrap().effect;
        assert!(
            matches!(said, Effect::None | Effect::Undefined),
            "{value}: {said:?}"
        );
    }
}

#[test]
fn what_is_neither_revoked_nor_suspended_is_not_split_off() {
    let shown = list(StatusSize::Four, &[0, 1, 2, 0, 12, 3]);
    assert_eq!(
        split(&shown).unwrap_err().to_string(),
        "index 4 has status 0xc, which is neither valid (0x0), invalid (0x1) nor suspended (0x2)"
    );
}

/// Time is of no matter here, only that every entry of a long list is where it belongs.
#[test]
fn a_list_of_ten_million_entries_is_shown_whole() {
    let length = ListLength::new(10_000_000).unwrap();
    let mut revoked = Bitstring::zeroed(length, StatusSize::One);
    let mut suspended = revoked.clone();
    for (list, step) in [(&mut revoked, 997), (&mut suspended, 499)] {
        for index in (0..10_000_000).step_by(step) {
            list.set(length.index(index).unwrap(), 1).unwrap();
        }
    }
    let shown = shown(&[(Revocation, revoked), (Suspension, suspended)]).unwrap();
    assert_eq!(shown.entries(), 10_000_000);
    let wrong = (0u64..).zip(shown.iter()).find(|(index, status)| {
        let expected = match (index % 997, index % 499) {
            (0, _) => 1,
            (_, 0) => 2,
            _ => 0,
        };
        *status != expected
    });
    assert_eq!(wrong, None);
}

/// The statuses of a list of this size, mostly clear.
fn statuses(size: StatusSize, entries: usize) -> impl Strategy<Value = Vec<u8>> {
    let status = prop_oneof![3 => Just(0), 1 => 0..=size.maximum()];
    prop::collection::vec(status, entries)
}

/// A list of some size, or none.
fn maybe_list(entries: usize) -> impl Strategy<Value = Option<(StatusSize, Vec<u8>)>> {
    let size = prop::sample::select(&StatusSize::ALL);
    let list = size.prop_flat_map(move |size| (Just(size), statuses(size, entries)));
    prop::option::of(list)
}

proptest! {
    #[test]
    fn every_entry_is_what_the_rules_say(
        lists in (1usize..20).prop_flat_map(|eights| {
            let entries = eights * 8;
            (maybe_list(entries), maybe_list(entries), maybe_list(entries), Just(entries))
        }),
    ) {
        let (revocation, suspension, raw, entries) = lists;
        let refresh = Some((StatusSize::One, vec![1; entries]));
        let purposes = [Revocation, Suspension, own(), Refresh];
        let given = [&revocation, &suspension, &raw, &refresh];
        let given: Vec<(StatusPurpose, Bitstring)> = purposes
            .into_iter()
            .zip(given)
            .filter_map(|(purpose, one)| {
                let (size, statuses) = one.as_ref()?;
                Some((purpose, list(*size, statuses)))
            })
            .collect();
        let shown = shown(&given).unwrap();
        let at = |one: &Option<(StatusSize, Vec<u8>)>, index: usize| {
            one.as_ref().map_or(0, |(_, statuses)| statuses[index])
        };
        let expected: Vec<u8> = (0..entries)
            .map(|index| match (at(&revocation, index), at(&suspension, index)) {
                (0, 0) => at(&raw, index),
                (0, _) => 2,
                _ => 1,
            })
            .collect();
        prop_assert_eq!(shown.iter().collect::<Vec<_>>(), expected);
        let most = [
            raw.map_or(1, |(size, _)| size.maximum()),
            if suspension.is_some() { 2 } else { 1 },
        ];
        let fits = StatusSize::ALL.into_iter().find(|size| most.iter().all(|v| v <= &size.maximum()));
        prop_assert_eq!(Some(shown.size()), fits);
    }

    #[test]
    fn a_split_list_is_shown_again_as_it_was(
        mut statuses in prop::collection::vec(0u8..3, 1..100),
        size in prop::sample::select(&[StatusSize::Two, StatusSize::Four, StatusSize::Eight]),
    ) {
        statuses.resize(statuses.len().next_multiple_of(8), 0);
        let apart = split(&list(size, &statuses)).unwrap();
        let lists = [(Revocation, apart.revocation), (Suspension, apart.suspension)];
        let again = shown(&lists).unwrap();
        prop_assert_eq!(again.iter().collect::<Vec<_>>(), statuses);
    }
}
