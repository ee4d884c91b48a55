//! Whose keys count, and which of them is meant.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::entropy::SeededEntropy;
use crate::vc::did::Localhost;
use crate::vc::keys::SigningKey;
use crate::vc::verifying::KeyKind;

const ISSUER: &str = "https://example.edu/issuers/1";
const P256: &str = "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv";

fn key(seed: u64) -> VerifyingKey {
    let key = SigningKey::generate(&SeededEntropy::new(seed));
    key.public().into()
}

/// The JWK of a key with more members.
fn jwk(seed: u64, members: Value) -> Value {
    let mut jwk = key(seed).to_jwk();
    let (all, more) = (jwk.as_object_mut().unwrap(), members.as_object().unwrap());
    all.extend(more.clone());
    jwk
}

fn header(kid: Option<&str>, jwk: Option<Value>) -> Header {
    Header {
        algorithm: KeyKind::Ed25519,
        kid: kid.map(str::to_owned),
        typ: None,
        cty: None,
        jwk,
        iss: None,
        others: vec![],
    }
}

fn named(kid: &str) -> Header {
    header(Some(kid), None)
}

#[test]
fn a_key_is_chosen_by_its_name() {
    let set = json!({"keys": [
        jwk(1, json!({"kid": "1"})),
        jwk(2, json!({"kid": "2", "use": "sig", "alg": "EdDSA", "key_ops": ["verify"]})),
        {"kty": "oct", "kid": "3", "k": "AA"},
        jwk(4, json!({"kid": "4", "use": "enc"})),
        jwk(5, json!({"kid": "5", "d": "AA"})),
        "no key",
    ]});
    let select = |kid| select(&set, &named(kid), ISSUER);
    assert_eq!(select("1"), Ok(key(1)));
    assert_eq!(select("2"), Ok(key(2)));
    for kid in ["3", "4"] {
        assert!(matches!(select(kid), Err(JwksError::Malformed(_))), "{kid}");
    }
    let private = JwksError::Malformed(PublicKeyError::Private);
    assert_eq!(select("5"), Err(private));
    // Letter for letter.
    for kid in ["", "01", "#1", "https://example.edu/issuers/1#1"] {
        assert_eq!(select(kid), Err(JwksError::Missing(kid.to_owned())));
    }
}

#[test]
fn two_different_keys_of_one_name_are_none() {
    let twice =
        json!({"keys": [jwk(1, json!({"kid": "1"})), jwk(1, json!({"kid": "1", "use": "sig"}))]});
    assert_eq!(select(&twice, &named("1"), ISSUER), Ok(key(1)));
    for other in [
        jwk(2, json!({"kid": "1"})),
        json!({"kty": "oct", "kid": "1"}),
    ] {
        for keys in [
            json!([jwk(1, json!({"kid": "1"})), other]),
            json!([other, jwk(1, json!({"kid": "1"}))]),
        ] {
            let refused = select(&json!({ "keys": keys }), &named("1"), ISSUER);
            assert_eq!(refused, Err(JwksError::Ambiguous("1".to_owned())));
        }
    }
}

#[test]
fn a_host_of_many_issuers_says_whose_each_key_is() {
    let set = json!({"keys": [
        jwk(1, json!({"kid": "1", "iss": ISSUER})),
        jwk(2, json!({"kid": "1", "iss": "https://example.edu/issuers/2"})),
        jwk(3, json!({"kid": "3", "iss": "https://example.edu/issuers/2"})),
        jwk(4, json!({"kid": "4"})),
        jwk(5, json!({"kid": "5", "iss": [ISSUER]})),
    ]});
    assert_eq!(select(&set, &named("1"), ISSUER), Ok(key(1)));
    for kid in ["3", "4", "5"] {
        let refused = select(&set, &named(kid), ISSUER);
        assert_eq!(refused, Err(JwksError::OfAnother(kid.to_owned())));
    }
    let brought = |seed| header(None, Some(key(seed).to_jwk()));
    assert_eq!(select(&set, &brought(1), ISSUER), Ok(key(1)));
    for seed in 2..6 {
        let refused = select(&set, &brought(seed), ISSUER);
        assert_eq!(refused, Err(JwksError::NotInSet(key(seed).thumbprint())));
    }
}

#[test]
fn a_key_in_the_header_chooses_and_never_counts() {
    let set = json!({"keys": [jwk(1, json!({"kid": "1"})), jwk(2, json!({"use": "enc"}))]});
    let brought = |kid, seed| header(kid, Some(jwk(seed, json!({"kid": "mine"}))));
    assert_eq!(select(&set, &brought(None, 1), ISSUER), Ok(key(1)));
    assert_eq!(select(&set, &brought(Some("1"), 1), ISSUER), Ok(key(1)));
    let mallory = select(&set, &brought(None, 3), ISSUER);
    assert_eq!(mallory, Err(JwksError::NotInSet(key(3).thumbprint())));
    // What the set says of its key counts, not what the header says.
    let encrypting = select(&set, &brought(None, 2), ISSUER);
    assert_eq!(encrypting, Err(JwksError::NotInSet(key(2).thumbprint())));
    let two = select(&set, &brought(Some("1"), 2), ISSUER);
    assert_eq!(two, Err(JwksError::HeaderDiffers));
    let none = select(&set, &header(None, None), ISSUER);
    assert_eq!(none, Err(JwksError::NoName));
    let broken = header(Some("1"), Some(json!({"kty": "OKP"})));
    assert!(matches!(
        select(&set, &broken, ISSUER),
        Err(JwksError::HeaderKey(_))
    ));
}

#[test]
fn a_set_is_a_set_and_bounded() {
    for no_set in [
        json!([]),
        json!({}),
        json!({"keys": {}}),
        json!(null),
        key(1).to_jwk(),
    ] {
        assert_eq!(
            select(&no_set, &named("1"), ISSUER),
            Err(JwksError::NotASet)
        );
    }
    let keys = vec![json!({}); MAX_KEYS + 1];
    let refused = select(&json!({ "keys": keys }), &named("1"), ISSUER);
    assert_eq!(refused, Err(JwksError::TooMany(MAX_KEYS + 1)));
}

#[test]
fn at_the_url_that_a_kid_is_stands_a_key_or_a_set() {
    let kid = "https://example.edu/keys/1";
    let at = |document: Value| select_at_kid(&document, &named(kid), ISSUER);
    assert_eq!(at(jwk(1, json!({"kid": "1", "iss": ISSUER}))), Ok(key(1)));
    assert_eq!(
        at(json!({"keys": [jwk(1, json!({"kid": kid, "iss": ISSUER}))]})),
        Ok(key(1))
    );
    let other = JwksError::Missing(kid.to_owned());
    assert_eq!(
        at(json!({"keys": [jwk(1, json!({"kid": "1", "iss": ISSUER}))]})),
        Err(other)
    );
    // Whoever has a place on the host can put a key there.
    let another = JwksError::OfAnother(kid.to_owned());
    assert_eq!(at(key(1).to_jwk()), Err(another.clone()));
    assert_eq!(
        at(json!({"keys": [jwk(1, json!({"kid": kid}))]})),
        Err(another.clone())
    );
    assert_eq!(
        at(jwk(1, json!({"iss": "https://example.edu/issuers/2"}))),
        Err(another)
    );
    assert_eq!(
        at(json!({"id": ISSUER, "type": "Profile"})),
        Err(JwksError::NotAKey)
    );
    let brought = header(Some(kid), Some(key(2).to_jwk()));
    let refused = select_at_kid(&jwk(1, json!({"iss": ISSUER})), &brought, ISSUER);
    assert_eq!(refused, Err(JwksError::HeaderDiffers));
}

#[test]
fn an_https_issuer_has_its_document_its_key_set_and_its_origin() {
    let set = || KeySource::KeySet {
        url: "https://example.edu/.well-known/jwks.json".to_owned(),
    };
    let method = |url: &str| KeySource::Method(url.to_owned());
    let same_origin = |url: &str| KeySource::SameOriginKey {
        url: url.to_owned(),
    };
    for (kid, source) in [
        (
            "https://example.edu/issuers/1#key-1",
            method("https://example.edu/issuers/1#key-1"),
        ),
        ("#key-1", method("https://example.edu/issuers/1#key-1")),
        (
            "https://example.edu/keys/1",
            same_origin("https://example.edu/keys/1"),
        ),
        (
            "https://example.edu:443/keys/1",
            same_origin("https://example.edu:443/keys/1"),
        ),
        // The sample of Open Badges 3.0 section 8.2.
        ("https://example.edu/keys#key-1", set()),
        // Somebody else's method on this host: looked for where it says whose it is.
        ("https://example.edu/issuers/2#key-1", set()),
        ("https://example.edu/issuers/1#", set()),
        ("HTTPS://example.edu/issuers/1#key-1", set()),
        ("key-1", set()),
        ("urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33", set()),
        ("", set()),
    ] {
        assert_eq!(
            key_source(&named(kid), ISSUER, Localhost::Refused),
            Ok(source),
            "{kid}"
        );
    }
    let brought = header(None, Some(key(1).to_jwk()));
    assert_eq!(key_source(&brought, ISSUER, Localhost::Refused), Ok(set()));
    assert_eq!(
        key_set_url("https://Example.edu:8443/a?v=3_0#b", Localhost::Refused).as_deref(),
        Ok("https://example.edu:8443/.well-known/jwks.json")
    );
}

#[test]
fn a_kid_that_leads_to_another_is_never_followed() {
    let method = format!("{P256}#{}", &P256[8..]);
    for (issuer, kid) in [
        (ISSUER, "https://evil.example/issuers/1#key-1"),
        (ISSUER, "https://evil.example/keys/1"),
        (ISSUER, "http://example.edu/keys/1"),
        (ISSUER, "http://169.254.169.254/latest"),
        (ISSUER, "https://example.edu:8443/keys/1"),
        (ISSUER, "https://example.edu@evil.example/keys/1"),
        (ISSUER, "https://mallory@example.edu/keys/1"),
        (ISSUER, "https://example.edu.evil.example/issuers/1#key-1"),
        (ISSUER, "did:web:example.edu#key-1"),
        (ISSUER, &method),
        ("did:web:example.edu", "did:web:evil.example#key-1"),
        ("did:web:example.edu", "did:web:example.edu:b#key-1"),
        ("did:web:example.edu", "https://example.edu/#key-1"),
        ("did:web:example.edu", "did:web:example.edu?a=b#key-1"),
        (
            "did:web:example.edu",
            "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        ),
        ("did:web:example.edu", &method),
        (
            P256,
            "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
        ),
        (P256, "#key-1"),
        (P256, "https://evil.example/"),
    ] {
        let (of, by) = (kid.to_owned(), issuer.to_owned());
        let refused = key_source(&named(kid), issuer, Localhost::Http);
        assert_eq!(
            refused,
            Err(KeySourceError::OfAnother {
                kid: of,
                issuer: by
            })
        );
    }
    for kid in [
        "https://example.edu/\tkeys",
        " key",
        "key\n",
        "https:\\\\evil.example\\k",
    ] {
        let refused = key_source(&named(kid), ISSUER, Localhost::Refused);
        assert_eq!(refused, Err(KeySourceError::Malformed(kid.to_owned())));
    }
}

#[test]
fn a_did_has_methods_and_may_be_its_own_key() {
    let did = "did:web:example.edu:a";
    for kid in ["key-1", "#key-1", "did:web:example.edu:a#key-1"] {
        let source = key_source(&named(kid), did, Localhost::Refused);
        assert_eq!(source, Ok(KeySource::Method(format!("{did}#key-1"))));
    }
    let refused = |kid: &str| key_source(&named(kid), did, Localhost::Refused).unwrap_err();
    assert_eq!(refused(did), KeySourceError::NoFragment(did.to_owned()));
    for kid in ["", "#", "#a#b", "did:web:example.edu:a#a#b"] {
        assert_eq!(refused(kid), KeySourceError::Malformed(kid.to_owned()));
    }
    for nameless in [header(None, None), header(None, Some(key(1).to_jwk()))] {
        let refused = key_source(&nameless, did, Localhost::Refused);
        assert!(matches!(refused, Err(KeySourceError::NoName { .. })));
    }

    let own = VerifyingKey::from_multikey(&P256[8..]).unwrap();
    assert_eq!(own.kind(), KeyKind::P256);
    // The example of the did:jwk method, which is P-256 too.
    let did_jwk = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";
    let jwk_key = VerifyingKey::from_jwk(&json!({"kty": "EC", "crv": "P-256",
        "x": "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0", "y": "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE"}))
    .unwrap();
    for (did, fragment, own) in [(P256, &P256[8..], own), (did_jwk, "0", jwk_key)] {
        let absolute = format!("{did}#{fragment}");
        let relative = format!("#{fragment}");
        for kid in [
            None,
            Some(did),
            Some(fragment),
            Some(&relative),
            Some(&absolute),
        ] {
            for jwk in [None, Some(own.to_jwk())] {
                let source = key_source(&header(kid, jwk), did, Localhost::Refused);
                assert_eq!(source, Ok(KeySource::Itself(own.clone())), "{kid:?}");
            }
        }
        let other = header(None, Some(key(1).to_jwk()));
        let refused = key_source(&other, did, Localhost::Refused);
        let differs = KeySourceError::HeaderKey(JwksError::HeaderDiffers);
        assert_eq!(refused, Err(differs));
    }
}

#[test]
fn an_issuer_that_leads_to_no_keys_is_refused() {
    let of = |issuer: &str, localhost| key_source(&named("k"), issuer, localhost);
    for issuer in [
        "http://example.edu/",
        "http://localhost.example.edu/",
        "ftp://example.edu/",
        "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "https://user@example.edu/",
        "https://:secret@example.edu/",
        "example.edu",
        "",
        "did:web",
        "did:web:example.edu#key-1",
        "did:web:example.edu?a=b",
        "did:web:example.edu/path",
    ] {
        let refused = Err(KeySourceError::Issuer(issuer.to_owned()));
        assert_eq!(of(issuer, Localhost::Http), refused);
    }
    for (issuer, allowed) in [
        ("http://localhost:8080/a", vec![Localhost::Http]),
        ("http://a.localhost/a", vec![Localhost::Http]),
        (
            "https://localhost/a",
            vec![Localhost::Http, Localhost::Https],
        ),
    ] {
        for flag in [Localhost::Refused, Localhost::Http, Localhost::Https] {
            assert_eq!(
                of(issuer, flag).is_ok(),
                allowed.contains(&flag),
                "{issuer} {flag:?}"
            );
        }
    }
    let private = format!(
        "did:jwk:{}",
        URL_SAFE_NO_PAD.encode(jwk(1, json!({"d": "AA"})).to_string())
    );
    assert!(matches!(
        of(&private, Localhost::Refused),
        Err(KeySourceError::IssuerKey {
            reason: PublicKeyError::Private,
            ..
        })
    ));
    assert!(matches!(
        of("did:key:z6Mk", Localhost::Refused),
        Err(KeySourceError::IssuerKey { .. })
    ));
    for bad in ["e30=", "!", &"A".repeat(5000)] {
        let did = format!("did:jwk:{bad}");
        assert!(of(&did, Localhost::Refused).is_err(), "{did}");
    }
}

proptest! {
    /// Whatever `kid` says, nothing but the issuer's own places is ever named.
    #[test]
    fn every_source_is_the_issuers_own(
        kid in prop_oneof![
            any::<String>(),
            "(https?|did:web|did|ftp)?(:|://|:\\\\)?(example.edu|evil.example|user@example.edu)?(:[0-9]{1,3})?[/#?a-z0-9]{0,12}",
            "https://example.edu[a-z./@:#?\\\\]{0,12}",
        ],
    ) {
        for issuer in [ISSUER, "did:web:example.edu:a"] {
            match key_source(&named(&kid), issuer, Localhost::Refused) {
                Ok(KeySource::Method(method)) => {
                    let (base, fragment) = method.split_once('#').unwrap();
                    prop_assert_eq!(base, issuer);
                    prop_assert!(!fragment.is_empty());
                }
                Ok(KeySource::KeySet { url }) => {
                    prop_assert_eq!(url, "https://example.edu/.well-known/jwks.json");
                }
                Ok(KeySource::SameOriginKey { url }) => {
                    let url = url::Url::parse(&url).unwrap();
                    prop_assert_eq!(url.origin().ascii_serialization(), "https://example.edu");
                    prop_assert_eq!(url.username(), "");
                }
                Ok(KeySource::Itself(_)) => prop_assert!(false, "neither is its own key"),
                Err(_) => {}
            }
        }
    }
}
