use super::*;
use crate::entropy::SeededEntropy;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use proptest::prelude::*;

const PLACE: KeyPlace = KeyPlace {
    profile: ProfileId(7),
    key: KeyId(2),
};
const THIRD: Generation = Generation(3);

fn keys() -> (MasterKey, DataKey, SigningKey) {
    let entropy = SeededEntropy::new(1);
    (
        MasterKey::generate(&entropy),
        DataKey::generate(THIRD, &entropy),
        SigningKey::generate(&entropy),
    )
}

/// Opens by the cipher itself.
fn open(key: &[u8; 32], boxed: &[u8], aad: &[&[u8]]) -> Vec<u8> {
    let (nonce, msg) = boxed.split_at(24);
    let aad = &aad.concat();
    let opened = XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::try_from(nonce).unwrap(), Payload { msg, aad });
    opened.unwrap()
}

#[test]
fn the_stored_bytes_are_as_drawn() {
    let (master, data, key) = keys();
    let entropy = SeededEntropy::new(2);
    let id = master.id().0;

    let bytes = master.seal(&data, &entropy).to_bytes();
    assert_eq!((bytes.len(), bytes[0]), (SEALED_DATA_KEY_BYTES, 1));
    assert_eq!((bytes.len(), &bytes[1..9]), (81, &id[..]));
    let label = b"goodstanding sealed data key";
    let opened = open(&master.0, &bytes[9..], &[label, &[1], &id, &[0, 0, 0, 3]]);
    assert_eq!(opened, data.key);

    let bytes = data.seal(PLACE, &key, &entropy).to_bytes();
    assert_eq!(
        (bytes.len(), &bytes[..5]),
        (SEALED_BYTES, &[2, 0, 0, 0, 3][..])
    );
    assert_eq!(bytes.len(), 77);
    let label = b"goodstanding sealed key";
    let place = [0, 0, 0, 7, 0, 0, 0, 2];
    let opened = open(&data.key, &bytes[5..], &[label, &[2, 0, 0, 0, 3], &place]);
    assert_eq!(opened, *key.seed());

    // What older programs wrote.
    let bytes = sealed_directly(&master, PLACE, &key, &entropy).to_bytes();
    assert_eq!((bytes.len(), bytes[0], &bytes[1..9]), (81, 1, &id[..]));
    let opened = open(&master.0, &bytes[9..], &[label, &[1], &id, &place]);
    assert_eq!(opened, *key.seed());
}

#[test]
fn a_sealed_key_opens_only_in_its_place() {
    let (master, data, key) = keys();
    let entropy = SeededEntropy::new(2);
    let under_data = data.seal(PLACE, &key, &entropy);
    let directly = sealed_directly(&master, PLACE, &key, &entropy);
    let opened = [
        data.open(PLACE, &under_data),
        master.open_directly(PLACE, &directly),
    ];
    assert!(
        opened
            .iter()
            .all(|opened| opened.as_ref().unwrap().public() == key.public())
    );
    for elsewhere in [
        KeyPlace {
            profile: ProfileId(8),
            ..PLACE
        },
        KeyPlace {
            key: KeyId(3),
            ..PLACE
        },
    ] {
        let damaged = Some(OpenError::Damaged(elsewhere));
        assert_eq!(data.open(elsewhere, &under_data).err(), damaged);
        assert_eq!(master.open_directly(elsewhere, &directly).err(), damaged);
    }
    assert_ne!(data.seal(PLACE, &key, &entropy), under_data);
    let sealed = master.seal(&data, &entropy);
    assert!(master.open(THIRD, &sealed).unwrap().is(&data));
    assert_ne!(master.seal(&data, &entropy), sealed);
    let other = Generation(4);
    assert_eq!(
        master.open(other, &sealed).err(),
        Some(OpenError::DamagedDataKey(other))
    );
}

#[test]
fn a_wrong_key_is_named_as_such() {
    let (master, data, key) = keys();
    let entropy = SeededEntropy::new(2);
    let other = MasterKey::generate(&entropy);
    let wrong = OpenError::WrongMasterKey {
        sealed: master.id(),
        given: other.id(),
    };
    assert!(wrong.to_string().contains(&master.id().to_string()));
    let sealed = master.seal(&data, &entropy);
    assert_eq!(other.open(THIRD, &sealed).err(), Some(wrong.clone()));
    let directly = sealed_directly(&master, PLACE, &key, &entropy);
    assert_eq!(other.open_directly(PLACE, &directly).err(), Some(wrong));
    assert_eq!(
        data.open(PLACE, &directly).err(),
        Some(OpenError::Directly(master.id()))
    );
    let under_data = data.seal(PLACE, &key, &entropy);
    let wrong = Some(OpenError::WrongDataKey { sealed: THIRD });
    assert_eq!(master.open_directly(PLACE, &under_data).err(), wrong);
    let later = DataKey::generate(Generation(4), &entropy);
    assert_eq!(later.open(PLACE, &under_data).err(), wrong);
    // The same number, and not the same key.
    let twin = DataKey::generate(THIRD, &entropy);
    assert!(!twin.is(&data));
    assert_eq!(
        twin.open(PLACE, &under_data).err(),
        Some(OpenError::Damaged(PLACE))
    );
}

#[test]
fn lengths_and_versions_are_checked() {
    let (master, data, key) = keys();
    let entropy = SeededEntropy::new(2);
    for sealed in [
        data.seal(PLACE, &key, &entropy),
        sealed_directly(&master, PLACE, &key, &entropy),
    ] {
        let mut bytes = sealed.to_bytes();
        assert_eq!(Sealed::from_bytes(&bytes), Ok(sealed));
        for length in 0..bytes.len() {
            let short = Sealed::from_bytes(&bytes[..length]);
            assert_eq!(short, Err(OpenError::Length(length)));
        }
        bytes[0] = 3;
        assert_eq!(Sealed::from_bytes(&bytes), Err(OpenError::Version(3)));
    }
    let sealed = master.seal(&data, &entropy);
    let mut bytes = sealed.to_bytes();
    assert_eq!(SealedDataKey::from_bytes(&bytes), Ok(sealed));
    for length in 0..bytes.len() {
        let short = SealedDataKey::from_bytes(&bytes[..length]);
        assert_eq!(short, Err(OpenError::Length(length)));
    }
    bytes[0] = 2;
    assert_eq!(
        SealedDataKey::from_bytes(&bytes),
        Err(OpenError::Version(2))
    );
}

#[test]
fn a_master_key_is_read_in_two_forms() {
    let hexadecimal = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
    let base64url = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    for text in [hexadecimal, base64url] {
        for ending in ["", "\n", "\r\n"] {
            let key = MasterKey::from_text(&format!("{text}{ending}")).unwrap();
            assert_eq!(*key.to_text(), base64url);
        }
    }
    let long = format!("{hexadecimal}0");
    let spaced = format!(" {base64url}");
    let twice = format!("{base64url}\n\n");
    let loose = base64url.replace("h8", "h9");
    let padded = format!("{base64url}=");
    let letters = "g".repeat(64);
    let wide = "ä".repeat(32);
    for bad in [
        "", "\n", &long, &spaced, &twice, &loose, &padded, &letters, &wide,
    ] {
        assert_eq!(
            MasterKey::from_text(bad).err(),
            Some(MasterKeyError::Form),
            "{bad:?}"
        );
    }
    let zeros = MasterKey::from_text(&"0".repeat(64)).err();
    assert_eq!(zeros, Some(MasterKeyError::Placeholder));
}

#[test]
fn no_key_shows_itself() {
    let (master, data, key) = keys();
    let entropy = SeededEntropy::new(2);
    let sealed = (
        master.seal(&data, &entropy),
        data.seal(PLACE, &key, &entropy),
    );
    let shown = format!("{master:?} {data:?} {key:?} {sealed:?}");
    let secrets = [master.0, data.key, *key.seed()];
    for secret in secrets {
        for text in [
            MasterKey(secret).to_text().to_string(),
            format!("{secret:?}"),
        ] {
            assert!(!shown.contains(&text), "{shown}");
        }
    }
    assert_eq!(
        format!("{master:?}"),
        format!("MasterKey(id {})", master.id())
    );
    assert_eq!(format!("{data:?}"), "DataKey(generation 3)");
}

proptest! {
    #[test]
    fn every_key_comes_back_and_no_changed_bit_opens(
        seed: [u8; 32],
        keys: u64,
        generation: u32,
        profile: u32,
        key: u32,
        bit in 0..SEALED_BYTES * 8,
    ) {
        let entropy = SeededEntropy::new(keys);
        let data = DataKey::generate(Generation(generation), &entropy);
        let place = KeyPlace { profile: ProfileId(profile), key: KeyId(key) };
        let sealed = data.seal(place, &SigningKey::from_seed(&seed), &entropy);
        prop_assert_eq!(*data.open(place, &sealed).unwrap().seed(), seed);
        let mut bytes = sealed.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let tampered = Sealed::from_bytes(&bytes).and_then(|sealed| data.open(place, &sealed));
        prop_assert!(tampered.is_err());
    }

    #[test]
    fn every_data_key_comes_back_and_no_changed_bit_opens(
        keys: u64,
        generation: u32,
        bit in 0..SEALED_DATA_KEY_BYTES * 8,
    ) {
        let entropy = SeededEntropy::new(keys);
        let (master, generation) = (MasterKey::generate(&entropy), Generation(generation));
        let data = DataKey::generate(generation, &entropy);
        let sealed = master.seal(&data, &entropy);
        prop_assert!(master.open(generation, &sealed).unwrap().is(&data));
        let mut bytes = sealed.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let tampered = SealedDataKey::from_bytes(&bytes);
        prop_assert!(tampered.and_then(|sealed| master.open(generation, &sealed)).is_err());
    }

    #[test]
    fn a_master_key_survives_its_text(seed: u64) {
        let key = MasterKey::generate(&SeededEntropy::new(seed));
        prop_assert_eq!(MasterKey::from_text(&key.to_text()).unwrap().id(), key.id());
    }
}
