//! What each documented form asks for, one deviation at a time.

use super::*;

#[test]
fn in_open_badges_every_claim_says_what_the_credential_says() {
    let payload = with(&credential(), claims());
    let read = CredentialJwt::parse(&jwt(&plain_jwt(), &payload)).unwrap();
    assert_eq!(read.profile, Profile::OpenBadges);
    assert_eq!(read.credential, credential());
    let mut fraction = payload.clone();
    fraction["nbf"] = json!(1_767_225_600.999);
    assert!(CredentialJwt::parse(&jwt(&plain_jwt(), &fraction)).is_ok());

    let jti = "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33".to_owned();
    let (from, until) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let subjects = json!([{"id": "did:example:alice"}, {"id": "did:example:bob"}]);
    for (changes, refusal) in [
        (json!({"iss": null}), JwtError::ClaimMissing("iss")),
        (json!({"jti": null}), JwtError::ClaimMissing("jti")),
        (json!({"sub": null}), JwtError::ClaimMissing("sub")),
        (json!({"nbf": null}), JwtError::ClaimMissing("nbf")),
        (json!({"exp": null}), JwtError::ClaimMissing("exp")),
        (
            json!({"iss": "https://example.edu/issuers/1/"}),
            JwtError::IssMismatch {
                claim: "https://example.edu/issuers/1/".to_owned(),
                document: "https://example.edu/issuers/1".to_owned(),
            },
        ),
        (
            json!({"jti": "urn:x:y"}),
            JwtError::JtiMismatch {
                claim: "urn:x:y".to_owned(),
                document: Some(jti.clone()),
            },
        ),
        (
            json!({"id": null}),
            JwtError::JtiMismatch {
                claim: jti,
                document: None,
            },
        ),
        (
            json!({"sub": "did:example:mallory"}),
            JwtError::SubMismatch {
                claim: "did:example:mallory".to_owned(),
                document: Some("did:example:alice".to_owned()),
            },
        ),
        (
            json!({"credentialSubject": {"name": "Alice"}}),
            JwtError::SubMismatch {
                claim: "did:example:alice".to_owned(),
                document: None,
            },
        ),
        (
            json!({ "credentialSubject": subjects }),
            JwtError::SubMismatch {
                claim: "did:example:alice".to_owned(),
                document: None,
            },
        ),
        (
            json!({"nbf": 1_767_225_601}),
            JwtError::NbfMismatch {
                claim: at("2026-01-01T00:00:01Z"),
                document: Some(from),
            },
        ),
        (
            json!({"validFrom": null}),
            JwtError::NbfMismatch {
                claim: from,
                document: None,
            },
        ),
        (
            json!({"exp": 1_798_761_599}),
            JwtError::ExpMismatch {
                claim: at("2026-12-31T23:59:59Z"),
                document: until,
            },
        ),
        (json!({"vp": {}}), JwtError::NotACredential),
    ] {
        let changed = with(&payload, changes.clone());
        let refused = CredentialJwt::parse(&jwt(&plain_jwt(), &changed));
        assert_eq!(refused, Err(refusal), "{changes}");
    }
    // Without a period or a subject's id there is nothing that the claims could repeat.
    let bare = json!({"credentialSubject": {"name": "Alice"}, "sub": null, "validUntil": null});
    let bare = with(&payload, bare);
    let read = CredentialJwt::parse(&jwt(&plain_jwt(), &bare)).unwrap();
    assert_eq!(read.validity(until), Validity::Expired { at: until });
    let not_yet = Validity::NotYetValid { from };
    assert_eq!(read.validity(at("2025-12-31T23:59:59.999Z")), not_yet);
}

#[test]
fn the_header_of_an_open_badge_names_its_key_and_little_else() {
    let payload = with(&credential(), claims());
    let header = |changes| with(&plain_jwt(), changes);
    let brought = json!({"kid": null, "jwk": {"kty": "OKP"}});
    for good in [
        header(brought),
        header(json!({"typ": null})),
        header(json!({"typ": "jwt"})),
    ] {
        let read = CredentialJwt::parse(&jwt(&good, &payload)).unwrap();
        assert_eq!(read.profile, Profile::OpenBadges, "{good}");
    }
    let other = |name: &str| JwtError::HeaderMember(name.to_owned());
    let typ = |found: &str| JwtError::Typ {
        found: found.to_owned(),
        expected: "vc+jwt, vc+ld+json+jwt, JWT or nothing",
    };
    for (changes, refusal) in [
        (json!({"kid": null}), JwtError::NoKey),
        (json!({"x5c": []}), other("x5c")),
        (json!({"jku": "https://evil.example"}), other("jku")),
        (json!({"cty": "vc"}), other("cty")),
        (
            json!({"iss": "https://example.edu/issuers/1"}),
            other("iss"),
        ),
        (json!({"typ": "vp+jwt"}), typ("vp+jwt")),
        (json!({"typ": "statuslist+jwt"}), typ("statuslist+jwt")),
        (json!({"typ": ""}), typ("")),
    ] {
        let refused = CredentialJwt::parse(&jwt(&header(changes.clone()), &payload));
        assert_eq!(refused, Err(refusal), "{changes}");
    }
}

#[test]
fn a_vc_jwt_needs_no_claims_and_contradicts_itself_in_none() {
    for typ in ["vc+jwt", "VC+JWT", "application/vc+jwt", "vc+ld+json+jwt"] {
        let header = with(
            &vc_jwt(),
            json!({ "typ": typ, "jku": "https://evil.example" }),
        );
        let read = CredentialJwt::parse(&jwt(&header, &credential())).unwrap();
        assert_eq!(read.profile, Profile::JoseCose, "{typ}");
        assert_eq!(read.credential, credential());
    }
    // The type is recommended and no more.
    let untyped = with(&vc_jwt(), json!({"typ": null}));
    let read = CredentialJwt::parse(&jwt(&untyped, &credential())).unwrap();
    assert_eq!(read.profile, Profile::JoseCose);

    let read =
        |changes: Value| CredentialJwt::parse(&jwt(&vc_jwt(), &with(&credential(), changes)));
    assert!(read(claims()).is_ok());
    assert!(matches!(
        read(json!({"iss": "urn:x:y"})),
        Err(JwtError::IssMismatch { .. })
    ));
    assert!(matches!(
        read(json!({"jti": "urn:x:y"})),
        Err(JwtError::JtiMismatch { .. })
    ));
    assert!(matches!(
        read(json!({"sub": "urn:x:y"})),
        Err(JwtError::SubMismatch { .. })
    ));
    assert!(matches!(
        read(json!({"nbf": 1})),
        Err(JwtError::NbfMismatch { .. })
    ));
    assert_eq!(read(json!({"vc": {}})), Err(JwtError::ClaimForbidden("vc")));
    assert_eq!(read(json!({"vp": {}})), Err(JwtError::ClaimForbidden("vp")));
    // An id that only the JWT has contradicts nothing.
    assert!(read(json!({"id": null, "jti": "urn:x:y"})).is_ok());

    let claims = json!({"status": {"status_list": {"idx": 1, "uri": "https://a.example"}},
        "cnf": {}, "aud": "a", "nonce": "n", "iat": 1, "proof": {"type": "DataIntegrityProof"}});
    let found = read(claims.clone()).unwrap();
    assert_eq!(found.status, Some(claims["status"].clone()));
    let kept = with(&credential(), json!({"proof": claims["proof"]}));
    assert_eq!(found.credential, kept);

    let said = with(&vc_jwt(), json!({"iss": "urn:x:y"}));
    let refused = CredentialJwt::parse(&jwt(&said, &credential()));
    assert!(matches!(refused, Err(JwtError::HeaderIssMismatch { .. })));
}

#[test]
fn a_credential_in_a_claim_has_nothing_of_itself_beside_it() {
    let payload = |vc: Value, beside: Value| {
        let all = with(&claims(), beside);
        with(&all, json!({ "vc": vc }))
    };
    let read = |payload: &Value| CredentialJwt::parse(&jwt(&plain_jwt(), payload));
    let first = json!({
        "@context": [CONTEXT_V1],
        "type": ["VerifiableCredential"],
        "issuer": { "name": "Example" },
        "credentialSubject": [{ "name": "Alice" }],
    });
    // Private claims are ignored.
    let found = read(&payload(first.clone(), json!({"name": "x", "scope": 1}))).unwrap();
    assert_eq!(found.profile, Profile::Claim);
    assert_eq!(
        found.credential["issuer"]["id"],
        "https://example.edu/issuers/1"
    );
    assert_eq!(
        found.credential["credentialSubject"][0]["id"],
        "did:example:alice"
    );
    assert_eq!(found.credential["issuanceDate"], "2026-01-01T00:00:00Z");
    assert_eq!(found.credential["expirationDate"], "2027-01-01T00:00:00Z");
    // As Open Badges 3.0 was drafted.
    assert_eq!(
        read(&payload(credential(), json!({}))).unwrap().credential,
        credential()
    );

    for beside in [
        "credentialStatus",
        "validUntil",
        "expirationDate",
        "issuer",
        "proof",
        "id",
    ] {
        let refused = read(&payload(first.clone(), json!({ beside: {} })));
        assert_eq!(refused, Err(JwtError::Beside(beside)));
    }
    for (changes, claim) in [
        (json!({"issuer": "urn:x:y"}), "iss"),
        (json!({"issuer": {"id": "urn:x:y"}}), "iss"),
        (json!({"id": "urn:x:y"}), "jti"),
        (json!({"credentialSubject": {"id": "urn:x:y"}}), "sub"),
        (
            json!({"credentialSubject": [{"id": "did:example:alice"}, {"name": "Bob"}]}),
            "sub",
        ),
        (json!({"issuanceDate": "2026-01-01T00:00:01Z"}), "nbf"),
        (json!({"expirationDate": "2026-12-31T23:59:59Z"}), "exp"),
    ] {
        let refused = read(&payload(with(&first, changes.clone()), json!({}))).unwrap_err();
        let found = match refused {
            JwtError::IssMismatch { .. } => "iss",
            JwtError::JtiMismatch { .. } => "jti",
            JwtError::SubMismatch { .. } => "sub",
            JwtError::NbfMismatch { .. } => "nbf",
            JwtError::ExpMismatch { .. } => "exp",
            other => panic!("{changes}: {other}"),
        };
        assert_eq!(found, claim, "{changes}");
    }
    let missing = |beside| read(&payload(with(&first, json!({"issuer": null})), beside));
    assert!(missing(json!({})).is_ok());
    for claim in ["iss", "nbf"] {
        let refused = missing(json!({ claim: null }));
        assert!(
            matches!(refused, Err(JwtError::Credential(_))),
            "{claim}: {refused:?}"
        );
    }
    let text = read(&payload(json!("a.b.c"), json!({})));
    assert_eq!(
        text,
        Err(JwtError::Claim {
            claim: "vc",
            expected: "an object"
        })
    );
}

#[test]
fn claims_are_what_rfc_7519_says_they_are() {
    let read =
        |changes: Value| CredentialJwt::parse(&jwt(&vc_jwt(), &with(&credential(), changes)));
    for (exp, moment) in [
        (json!(0), "1970-01-01T00:00:00Z"),
        (json!(1_300_819_380.5), "2011-03-22T18:43:00.500Z"),
        (json!(-1.25), "1969-12-31T23:59:58.750Z"),
        (json!(253_402_300_799_u64), "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(
            read(json!({ "exp": exp })).unwrap().expires,
            Some(at(moment))
        );
    }
    for bad in [
        json!("1300819380"),
        json!(true),
        json!([1]),
        json!(253_402_300_800_u64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(-1e300),
    ] {
        for claim in ["nbf", "exp", "iat"] {
            let expected = "seconds since 1970 as a number";
            let refused = read(json!({ claim: bad }));
            assert_eq!(refused, Err(JwtError::Claim { claim, expected }), "{bad}");
        }
    }
    for claim in ["iss", "sub", "jti", "nonce"] {
        let refused = read(json!({ claim: 7 }));
        let expected = "a string";
        assert_eq!(refused, Err(JwtError::Claim { claim, expected }));
    }
    let expected = "a string or an array of strings";
    let refused = Err(JwtError::Claim {
        claim: "aud",
        expected,
    });
    assert_eq!(read(json!({"aud": 7})), refused);
    assert_eq!(read(json!({"aud": ["a", 7]})), refused);
}

#[test]
fn a_payload_is_one_strict_json_object() {
    let of = |payload: &str| {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        CredentialJwt::parse(&format!(
            "{}.{}.AA",
            part(&vc_jwt().to_string()),
            part(payload)
        ))
    };
    assert_eq!(of("[]"), Err(JwtError::NotAnObject));
    assert!(matches!(of(""), Err(JwtError::Payload(_))));
    assert!(matches!(
        of(r#"{"a":1,"a":2}"#),
        Err(JwtError::Payload(JsonError::Duplicate { .. }))
    ));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(
        of(&deep),
        Err(JwtError::Payload(JsonError::TooDeep { .. }))
    ));
    assert!(matches!(of("{}"), Err(JwtError::Credential(_))));
    assert!(matches!(
        CredentialJwt::parse("a.b"),
        Err(JwtError::Jws(JwsError::Parts))
    ));
}

#[test]
fn a_presentation_is_its_holders() {
    let presentation = json!({
        "@context": [CONTEXT_V2],
        "id": "urn:x:p",
        "type": ["VerifiablePresentation"],
        "holder": "did:example:alice",
        "verifiableCredential": [],
    });
    let vp_jwt = json!({"alg": "EdDSA", "typ": "vp+jwt", "kid": "k"});
    let read = |header: &Value, changes: Value| {
        PresentationJwt::parse(&jwt(header, &with(&presentation, changes)))
    };
    let found = read(&vp_jwt, json!({"nonce": "n", "aud": "a", "iat": 1})).unwrap();
    assert_eq!(found.presentation, presentation);
    assert_eq!(
        (found.nonce.as_deref(), &found.audience[..]),
        (Some("n"), &["a".to_owned()][..])
    );
    assert_eq!(found.issued_at, Some(at("1970-01-01T00:00:01Z")));
    let iss = json!({"holder": null, "iss": "did:example:alice"});
    let found = read(&plain_jwt(), iss).unwrap();
    assert_eq!(found.holder.as_deref(), Some("did:example:alice"));
    assert_eq!(read(&vp_jwt, json!({"holder": null})).unwrap().holder, None);

    let wrong = |pointer, expected| Err(JwtError::Presentation { pointer, expected });
    let holder = wrong("/holder", "a URL, or an object with one as its id");
    assert_eq!(read(&vp_jwt, json!({"holder": {"name": "x"}})), holder);
    assert_eq!(read(&vp_jwt, json!({"holder": 7})), holder);
    assert_eq!(read(&vp_jwt, json!({"id": 7})), wrong("/id", "a URL"));
    let types = wrong("/type", "VerifiablePresentation among the types");
    assert_eq!(
        read(&vp_jwt, json!({"type": "VerifiableCredential"})),
        types
    );
    let context = wrong("/@context", "the context of verifiable credentials first");
    assert_eq!(
        read(&vp_jwt, json!({"@context": "https://a.example"})),
        context
    );
    let iss = read(&vp_jwt, json!({"iss": "did:example:mallory"}));
    assert!(matches!(iss, Err(JwtError::IssMismatch { .. })));
    let jti = read(&vp_jwt, json!({"jti": "urn:x:q"}));
    assert!(matches!(jti, Err(JwtError::JtiMismatch { .. })));
    let said = with(&vp_jwt, json!({"iss": "did:example:mallory"}));
    assert!(matches!(
        read(&said, json!({})),
        Err(JwtError::HeaderIssMismatch { .. })
    ));
    assert_eq!(
        read(&vp_jwt, json!({"vp": {}})),
        Err(JwtError::ClaimForbidden("vp"))
    );
    assert_eq!(
        read(&plain_jwt(), json!({"vc": {}})),
        Err(JwtError::NotAPresentation)
    );
    assert!(matches!(
        read(&vc_jwt(), json!({})),
        Err(JwtError::Typ { .. })
    ));

    let within = json!({"vp": presentation, "holder": "did:example:alice"});
    let refused = PresentationJwt::parse(&jwt(&plain_jwt(), &within));
    assert_eq!(refused, Err(JwtError::Beside("holder")));
}

#[test]
fn an_envelope_holds_a_jwt_and_says_nothing_itself() {
    for (kind, media_type) in [
        (Envelope::Credential, "application/vc+jwt"),
        (Envelope::Presentation, "application/vp+jwt"),
    ] {
        let envelope = kind.wrap("a.b.c");
        assert_eq!(envelope["id"], format!("data:{media_type},a.b.c"));
        assert_eq!(Envelope::of(&envelope), Some(kind));
        assert_eq!(kind.open(&envelope), Ok("a.b.c"));
        let arrays = json!({"@context": [CONTEXT_V2], "type": [envelope["type"]],
            "id": format!("data:{},a.b.c", media_type.to_uppercase())});
        assert_eq!(kind.open(&arrays), Ok("a.b.c"));
    }
    assert_eq!(Envelope::of(&credential()), None);
    let good = Envelope::Credential.wrap("a.b.c");
    let wrong = |pointer, expected| EnvelopeError::Wrong { pointer, expected };
    let media_type = |found: &str| EnvelopeError::MediaType {
        found: found.to_owned(),
        expected: "application/vc+jwt",
    };
    let parameters = |found: &str| EnvelopeError::Parameters(found.to_owned());
    let member = |name: &str| EnvelopeError::Member(name.to_owned());
    let context = "the context of VCDM 2.0 alone";
    for (changes, refusal) in [
        (
            json!({"id": "data:application/vc+sd-jwt,a~"}),
            media_type("application/vc+sd-jwt"),
        ),
        (
            json!({"id": "data:application/vc+cose;base64,AA"}),
            media_type("application/vc+cose"),
        ),
        (
            json!({"id": "data:application/vp+jwt,a.b.c"}),
            media_type("application/vp+jwt"),
        ),
        (json!({"id": "data:,a.b.c"}), media_type("")),
        (
            json!({"id": "data:application/vc+jwt;charset=utf-8,a.b.c"}),
            parameters(";charset=utf-8"),
        ),
        (
            json!({"id": "data:application/vc+jwt;base64,AA"}),
            parameters(";base64"),
        ),
        (
            json!({"id": "data:application/vc+jwt"}),
            wrong("/id", "a data: URL"),
        ),
        (
            json!({"id": "https://a.example/a,b"}),
            wrong("/id", "a data: URL"),
        ),
        (json!({"id": null}), wrong("/id", "a data: URL")),
        (json!({"@context": null}), wrong("/@context", context)),
        (
            json!({"@context": [CONTEXT_V2, {"id": "urn:x:y"}]}),
            wrong("/@context", context),
        ),
        (
            json!({"type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]}),
            wrong("/type", "EnvelopedVerifiableCredential"),
        ),
        (json!({"credentialStatus": {}}), member("credentialStatus")),
        (json!({"issuer": "did:example:bob"}), member("issuer")),
    ] {
        let changed = with(&good, changes.clone());
        assert_eq!(
            Envelope::Credential.open(&changed),
            Err(refusal),
            "{changes}"
        );
    }
    let other = wrong("/type", "EnvelopedVerifiablePresentation");
    assert_eq!(Envelope::Presentation.open(&good), Err(other));
}
