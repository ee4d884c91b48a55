//! What the registry says in its own name.

use super::*;

fn statement(registry: &Registry) -> String {
    let mut claims = Map::new();
    claims.insert("iss".into(), OWN.into());
    claims.insert("said".into(), "Grüezi".into());
    registry.sign_statement("standing+jwt", &claims).unwrap()
}

#[test]
fn a_statement_of_the_registry_is_verified_by_its_did_document() {
    let registry = in_memory(&clock());
    let jws = Jws::parse(&statement(&registry)).unwrap();
    let kid = jws.header().kid.clone().unwrap();
    assert_eq!(kid, format!("{OWN}#key-1-jwk"));
    assert!(jws.header().is_typ("standing+jwt"));
    assert_eq!(
        jws.payload(),
        format!(r#"{{"iss":"{OWN}","said":"Grüezi"}}"#).as_bytes()
    );
    let (document, _) = registry.controller_document(KeyOwner::Registry).unwrap();
    let purpose = Relationship::AssertionMethod;
    let key = retrieve_key(&document, &kid, purpose, registry.now()).unwrap();
    assert_eq!(jws.verify(&key), Ok(()));
}

#[test]
fn a_statement_that_is_shown_is_told_from_forgeries_and_from_those_of_lost_keys() {
    let registry = in_memory(&clock());
    let text = statement(&registry);
    let check = |text: &str| {
        let jws = Jws::parse(text).unwrap();
        registry.check_statement(&jws).unwrap()
    };
    assert_eq!(check(&text), StatementCheck::Good);
    let stranger = SigningKey::generate(&SeededEntropy::new(7));
    let signed_as = |kid: &str| {
        let header = NewHeader {
            typ: "standing+jwt",
            kid,
        };
        jws::sign(header, b"{}", &stranger)
    };
    let forged = signed_as(&format!("{OWN}#key-1-jwk"));
    assert_eq!(check(&forged), StatementCheck::Forged);
    for kid in [
        "",
        OWN,
        &format!("{OWN}#key-2-jwk"),
        &format!("{OWN}#key-1"),
        &format!("{SCHOOL}#key-1-jwk"),
    ] {
        assert_eq!(check(&signed_as(kid)), StatementCheck::NotOurs, "{kid:?}");
    }
    let since = registry.now();
    let done = registry.revoke_key(&operator(), KeyOwner::Registry, KeyId(1), since);
    assert_eq!(done.unwrap().0.revoked_since, Some(since));
    assert_eq!(check(&text), StatementCheck::KeyRevoked);
    assert_eq!(check(&statement(&registry)), StatementCheck::Good);
}

#[test]
fn without_a_profile_there_is_no_key_to_sign_with() {
    let clock = clock();
    let registry = over(Arc::new(MemoryEngine::new(clock.clone())), &clock, 1);
    let refused = registry
        .sign_statement("standing+jwt", &Map::new())
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("{OWN} has no key that may sign")
    );
}
