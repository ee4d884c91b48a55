//! Verification codes over rotations of the master key, and while nothing opens.

use serde_json::json;

use super::*;
use crate::codes::VerificationCode;
use crate::registry::{CodesOf, IssuingOptions};
use crate::store::tables::{CODES_OF_CREDENTIALS, VERIFICATION_CODES};

fn issues(registry: &Registry, id: &str) {
    let unsigned = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": id,
        "type": ["VerifiableCredential"],
        "issuer": "did:web:registry.example:profiles:school",
        "credentialSubject": { "id": "did:example:ada" },
    });
    let options = IssuingOptions::default();
    registry.issue(&operator(), &unsigned, &options).unwrap();
}

fn code_of(registry: &Registry, id: &str) -> VerificationCode {
    let of = CodesOf {
        credentials: vec![id.to_owned()],
        issuer: None,
    };
    registry
        .hand_out_codes(&operator(), &of, false)
        .unwrap()
        .codes[0]
        .code
}

fn found(registry: &Registry, code: &VerificationCode) -> Option<String> {
    registry.by_code(code).unwrap().map(|coded| coded.id)
}

#[test]
fn codes_are_found_over_rotations_of_the_master_key_and_made_of_the_newest() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    issues(&registry, "urn:x:first");
    issues(&registry, "urn:x:second");
    let first = code_of(&registry, "urn:x:first");
    shelf.provide(2);
    registry.rotate_master_key(&operator()).unwrap();
    let second = code_of(&registry, "urn:x:second");
    let generations = || {
        let rows = CODES_OF_CREDENTIALS.scan(&*engine, &[], None, 9).unwrap();
        let mut all: Vec<u32> = rows.into_iter().map(|(_, row)| row.generation).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(generations(), [1, 2]);
    let check = |registry: &Registry| {
        for (id, code) in [("urn:x:first", &first), ("urn:x:second", &second)] {
            assert_eq!(found(registry, code).as_deref(), Some(id));
            assert_eq!(code_of(registry, id), *code, "for a second print");
        }
    };
    check(&registry);
    drop(registry);
    let registry = open(&engine, &shelf);
    check(&registry);
    // What is replaced goes over to the newest key, and leaves nothing of the one before.
    let of = CodesOf {
        credentials: vec!["urn:x:first".to_owned()],
        issuer: None,
    };
    registry.hand_out_codes(&operator(), &of, true).unwrap();
    assert_eq!(generations(), [2, 2]);
    assert_eq!(found(&registry, &first), None);
    registry.withdraw_codes(&operator(), &of).unwrap();
    let rows = VERIFICATION_CODES.scan(&*engine, &[], None, 9).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(generations(), [2]);
}

/// Where nothing opens nobody knows which code is good: that is another answer than that one is not.
#[test]
fn without_the_master_key_no_code_is_said_to_be_unknown() {
    let (engine, shelf) = (engine(), Shelf::new());
    let registry = furnished(&engine, &shelf);
    issues(&registry, "urn:x:first");
    let code = code_of(&registry, "urn:x:first");
    drop(registry);
    let registry = Registry::open_to_serve(
        engine.clone(),
        clock(),
        Arc::new(SeededEntropy::new(5)),
        master(4_711),
        settings(),
    );
    let refused = registry.unwrap().by_code(&code);
    assert!(
        matches!(refused, Err(RegistryError::ReadOnly(_))),
        "{refused:?}"
    );
}
