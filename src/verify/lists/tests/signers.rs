//! Who signs a list, and that somebody does.

use super::*;

#[test]
fn a_list_of_another_issuer_is_refused_before_its_key_is_looked_for() {
    let stranger = "did:web:stranger.example";
    let expected = format!(
        "the status list {URL} cannot be verified: it is a list of {stranger:?}, not of {COLLEGE:?}"
    );
    let mut strange = bits_list();
    strange["issuer"] = json!(stranger);
    let jwt = sign_credential(&strange, &format!("{stranger}#key-1"), &key()).unwrap();
    let mut ids_of_stranger = revocations();
    ids_of_stranger["issuer"] = json!(stranger);
    let mut token_of_stranger = claims();
    token_of_stranger["iss"] = json!(stranger);
    for (body, reference) in [
        (strange.to_string().into_bytes(), bits(0)),
        (jwt.clone().into_bytes(), bits(0)),
        (
            Envelope::Credential.wrap(&jwt).to_string().into_bytes(),
            bits(0),
        ),
        (ids_of_stranger.to_string().into_bytes(), ids()),
        (token_jwt(&token_of_stranger).into_bytes(), token(0)),
        (token_cwt(stranger, URL), token(0)),
    ] {
        assert_eq!(refusal_without_asking(body, &reference), expected);
    }
    // A claim that is no text is nobody's.
    token_of_stranger["iss"] = json!([COLLEGE]);
    let refusal = refusal_without_asking(token_jwt(&token_of_stranger), &token(0));
    assert!(refusal.contains("it is a list of \"\""), "{refusal}");
}

#[test]
fn whoever_signs_is_asked_for_by_issuer_and_key() {
    let asked = |body: Vec<u8>, reference: &ListReference| {
        let mut signers = Signers::default();
        let checked = check_list(&fetched(body), reference, COLLEGE, now(), &mut signers);
        assert!(checked.is_ok(), "{checked:?}");
        signers.asked
    };
    let of_key = [format!("{KEY} key of {COLLEGE}")];
    let jwt = sign_credential(&bits_list(), KEY, &key()).unwrap();
    assert_eq!(asked(jwt.into(), &bits(0)), of_key);
    assert_eq!(asked(token_cwt(COLLEGE, URL), &token(0)), of_key);
    // Without `iss` it is the key alone that binds the list to the issuer.
    let mut anonymous = claims();
    anonymous.as_object_mut().unwrap().shift_remove("iss");
    assert_eq!(asked(token_jwt(&anonymous).into(), &token(0)), of_key);
    let proof = format!("proof of {COLLEGE}");
    assert_eq!(asked(bits_list().to_string().into(), &bits(0)), [proof]);
    assert_eq!(asked(revocations().to_string().into(), &ids()), [""; 0]);
}

#[test]
fn what_is_not_signed_says_nothing() {
    let bad = StatusError::Retrieval {
        list: URL.to_owned(),
        reason: "its issuer is out of reach".to_owned(),
    };
    let mut signers = Signers {
        bad_proof: Some(bad.clone()),
        ..Signers::default()
    };
    let body = fetched(bits_list().to_string());
    let refused = check_list(&body, &bits(0), COLLEGE, now(), &mut signers);
    assert_eq!(refused, Err(bad));
    let forged = |text: String| {
        let (signed, _) = text.rsplit_once('.').unwrap();
        format!("{signed}.{}", base64url(&[1; 64]))
    };
    let jwt = sign_credential(&bits_list(), KEY, &key()).unwrap();
    let mut cwt = token_cwt(COLLEGE, URL);
    *cwt.last_mut().unwrap() ^= 1;
    for (body, reference) in [
        (forged(jwt).into_bytes(), bits(0)),
        (forged(token_jwt(&claims())).into_bytes(), token(0)),
        (cwt, token(0)),
    ] {
        let refused = check(body, &reference).unwrap_err();
        assert!(matches!(&refused, StatusError::Verification { .. }));
        assert!(refused.to_string().contains("signature"), "{refused}");
    }
}
