use std::collections::HashSet;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::entropy::{SeededEntropy, random};

fn code(number: u64) -> VerificationCode {
    VerificationCode::of_bits(random(&SeededEntropy::new(number)))
}

fn read(text: &str) -> Result<VerificationCode, CodeError> {
    text.parse()
}

#[test]
fn a_code_is_printed_in_groups_of_four_and_read_as_people_type_it() {
    let code =
        VerificationCode::of_bits([0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xc0]);
    let printed = code.to_string();
    insta::assert_snapshot!(printed, @"0123-4567-89AB-CDE4");
    for typed in [
        "0123-4567-89AB-CDE4",
        "0123456789abcde4",
        " o123 4567\t89ab cde4\n",
        "OI23–4567−89Ab‑CdE4",
        "0l23_4567 89ab—cde4",
        "0 1 2 3 4 5 6 7 8 9 A B C D E 4",
    ] {
        assert_eq!(read(typed), Ok(code), "{typed:?}");
    }
}

#[test]
fn what_is_no_code_is_told_why() {
    for (typed, why) in [
        (
            "",
            "a code has 16 letters and digits, and this has 0: some are missing",
        ),
        (
            "0123-4567",
            "a code has 16 letters and digits, and this has 8: some are missing",
        ),
        (
            "0123-4567-89AB-CDE4-0",
            "a code has 16 letters and digits, and this has more: something else was typed with it",
        ),
        (
            "0123-4U67-89AB-CDE4",
            "'U', symbol 6, is not used in codes: look at it again",
        ),
        (
            "0123-4567-89AB-CDÉ4",
            "'É', symbol 15, is not used in codes: look at it again",
        ),
        (
            "0123-4567-89AB-CDE8",
            "a symbol is mistyped, or two are swapped: compare it with the paper once more",
        ),
    ] {
        assert_eq!(read(typed).unwrap_err().to_string(), why, "{typed:?}");
    }
}

/// Every wrong symbol at every place, and every two symbols that change places, next to each other or not.
/// The check is a sum, so that what holds of one code holds of all: of some this goes through all there is.
#[test]
fn every_wrong_symbol_and_every_swap_is_found() {
    for number in 0..50 {
        let good = code(number).0;
        assert_eq!(remainder(&good), 0);
        for place in 0..CODE_SYMBOLS {
            for wrong in (0..32).filter(|wrong| *wrong != good[place]) {
                let mut typed = good;
                typed[place] = wrong;
                assert_ne!(remainder(&typed), 0, "{place}: {wrong}");
            }
            for other in place + 1..CODE_SYMBOLS {
                let mut typed = good;
                typed.swap(place, other);
                let same = good[place] == good[other];
                assert_eq!(remainder(&typed) == 0, same, "{place} and {other}");
            }
        }
    }
}

/// The same, of the sum itself: what is added by an error of one symbol is its difference times the weight of
/// its place, and what a swap adds is the difference times the sum of two weights. None of these is 0, so that
/// no code at all hides such an error.
#[test]
fn no_code_hides_a_wrong_symbol_or_a_swap() {
    for place in 0..CODE_SYMBOLS {
        for difference in 1..32 {
            let mut error = [0; CODE_SYMBOLS];
            error[place] = difference;
            assert_ne!(remainder(&error), 0);
            for other in place + 1..CODE_SYMBOLS {
                let mut swap = error;
                swap[other] = difference;
                assert_ne!(remainder(&swap), 0);
            }
        }
    }
}

/// 100,000 codes of one key: no two are equal, and each symbol comes up at each place as often as it should.
/// With 31 degrees of freedom chi squared is beyond 76.5 once in 100,000 times; there are 16 places.
#[test]
fn codes_are_unlike_each_other_and_even() {
    const CODES: u32 = 100_000;
    let key = CodeKey::new(&[7; 32]);
    let entropy = SeededEntropy::new(3);
    let mut seen = HashSet::new();
    let mut counts = [[0_u32; 32]; CODE_SYMBOLS];
    for number in 0..CODES {
        let digest = Sha256::digest(format!("urn:credential:{number}")).into();
        let code = key.code(ProfileId(1), &digest, &random(&entropy));
        assert!(seen.insert(code));
        for (place, symbol) in code.0.iter().enumerate() {
            counts[place][usize::from(*symbol)] += 1;
        }
    }
    let expected = f64::from(CODES) / 32.0;
    for (place, counts) in counts.iter().enumerate() {
        let squares = counts
            .iter()
            .map(|count| (f64::from(*count) - expected).powi(2));
        let chi = squares.sum::<f64>() / expected;
        assert!(chi < 76.5, "place {place}: {chi}");
    }
}

#[test]
fn a_code_hangs_on_key_issuer_credential_and_seed_and_is_found_by_its_key() {
    let (key, other) = (CodeKey::new(&[1; 32]), CodeKey::new(&[2; 32]));
    let code = key.code(ProfileId(1), &[3; 32], &[4; 16]);
    assert_eq!(code, key.code(ProfileId(1), &[3; 32], &[4; 16]));
    for different in [
        other.code(ProfileId(1), &[3; 32], &[4; 16]),
        key.code(ProfileId(2), &[3; 32], &[4; 16]),
        key.code(ProfileId(1), &[5; 32], &[4; 16]),
        key.code(ProfileId(1), &[3; 32], &[5; 16]),
    ] {
        assert_ne!(code, different);
        assert_ne!(key.digest(&code), key.digest(&different));
    }
    assert_ne!(key.digest(&code), other.digest(&code));
}

#[test]
fn nothing_that_is_logged_tells_a_code_or_its_key() {
    let told = format!("{:?} {:?}", code(1), CodeKey::new(&[7; 32]));
    assert_eq!(told, "VerificationCode(…) CodeKey(…)");
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(bits in any::<[u8; 10]>()) {
        let code = VerificationCode::of_bits(bits);
        let printed = code.to_string();
        prop_assert_eq!(printed.len(), CODE_SYMBOLS + 3);
        prop_assert_eq!(read(&printed), Ok(code));
        prop_assert_eq!(read(&printed.to_lowercase().replace('-', " ").replace('0', "o")), Ok(code));
        // The bits are all in it, but for the last five.
        let mut others = bits;
        others[9] ^= 0x1f;
        prop_assert_eq!(VerificationCode::of_bits(others), code);
        others[9] ^= 0x20;
        prop_assert_ne!(VerificationCode::of_bits(others), code);
    }

    #[test]
    fn no_text_breaks_the_reader(text in any::<String>()) {
        if let Ok(code) = read(&text) {
            prop_assert_eq!(read(&code.to_string()), Ok(code));
        }
    }
}
