//! Lists that are kept: until when, and for whom.

use super::*;

#[test]
fn a_list_holds_within_its_period_only() {
    let (from, until) = ("2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z");
    for (body, reference) in [
        (bits_list().to_string().into_bytes(), bits(0)),
        (
            list_of_2021().to_string().into_bytes(),
            entry("StatusList2021Entry", 0),
        ),
        (token_jwt(&claims()).into_bytes(), token(0)),
        (token_cwt(COLLEGE, URL), token(0)),
    ] {
        let kept = check(body.clone(), &reference).unwrap();
        for (at, expected) in [
            (
                "2025-12-31T23:58:59Z",
                Some(format!("it is valid from {from}")),
            ),
            // Clocks differ, and a list is signed while one waits for it.
            ("2025-12-31T23:59:00Z", None),
            ("2026-12-30T23:59:59Z", None),
            (
                "2026-12-31T00:00:00Z",
                Some(format!("it was valid until {until}")),
            ),
        ] {
            let at: Timestamp = at.parse().unwrap();
            // Neither when it comes nor out of a cache.
            let fresh = check_list(
                &fetched(body.clone()),
                &reference,
                COLLEGE,
                at,
                &mut Signers::default(),
            );
            let fresh = fresh.map(|_| ()).map_err(|error| error.to_string());
            let cached = kept.says(&reference, COLLEGE, Some(BADGE), at);
            let cached = cached.map(|_| ()).map_err(|error| error.to_string());
            assert_eq!(fresh, cached, "{at}");
            let expected = expected.map_or(Ok(()), |reason| {
                Err(format!(
                    "the status list {URL} cannot be verified: {reason}"
                ))
            });
            assert_eq!(fresh, expected, "{at}");
        }
    }
}

#[test]
fn the_period_of_a_jwt_is_that_of_both() {
    let mut list = bits_list();
    list["iss"] = json!(COLLEGE);
    list["exp"] = json!(1_780_272_000); // 2026-06-01
    let expired = check(jwt("vc+jwt", &list), &bits(0)).unwrap_err();
    assert!(
        expired
            .to_string()
            .ends_with("it was valid until 2026-06-01T00:00:00Z")
    );
    list["exp"] = json!(1_780_272_001);
    let list = check(jwt("vc+jwt", &list), &bits(0)).unwrap();
    assert_eq!(
        list.holds_until(now()).unwrap().to_string(),
        "2026-06-01T00:00:01Z"
    );
}

#[test]
fn a_list_is_kept_for_its_ttl_and_never_beyond_its_end() {
    let until = |body: String, reference: &ListReference| {
        let until = check(body, reference).unwrap().holds_until(now());
        until.map(|until| until.to_string())
    };
    // 60,000 milliseconds, and 43,200 seconds.
    let credential = until(bits_list().to_string(), &bits(0));
    assert_eq!(credential.as_deref(), Some("2026-06-01T00:01:00Z"));
    let token_list = until(token_jwt(&claims()), &token(0));
    assert_eq!(token_list.as_deref(), Some("2026-06-01T12:00:00Z"));
    let soon = with("/validUntil", json!("2026-06-01T00:00:01Z"));
    assert_eq!(
        until(soon, &bits(0)).as_deref(),
        Some("2026-06-01T00:00:01Z")
    );
    assert_eq!(until(revocations().to_string(), &ids()), None);
}

#[test]
fn a_kept_list_answers_for_its_own_issuer_and_kind_alone() {
    let kept = check(bits_list().to_string(), &bits(0)).unwrap();
    assert_eq!(kept.issuer(), COLLEGE);
    let stranger = "did:web:stranger.example";
    let refusal = |reference: &ListReference, issuer: &str| {
        let refused = kept.says(reference, issuer, Some(BADGE), now());
        refused.unwrap_err().to_string()
    };
    assert_eq!(
        refusal(&bits(0), stranger),
        format!(
            "the status list {URL} cannot be verified: it is a list of {COLLEGE:?}, not of \
             {stranger:?}"
        )
    );
    for other in [token(0), ids()] {
        assert!(refusal(&other, COLLEGE).ends_with("it is a list of another kind"));
    }
    let older = refusal(&entry("StatusList2021Entry", 0), COLLEGE);
    assert!(
        older.ends_with("the entry is a StatusList2021Entry"),
        "{older}"
    );
    let elsewhere = json!({"id": "https://college.example/4", "type": "1EdTechRevocationList"});
    let elsewhere = refusal(&reference(&elsewhere), COLLEGE);
    assert!(
        elsewhere.ends_with("points to https://college.example/4"),
        "{elsewhere}"
    );
}

#[test]
fn a_credential_without_an_id_is_in_no_list_of_ids() {
    let kept = check(revocations().to_string(), &ids()).unwrap();
    let refused = kept.says(&ids(), COLLEGE, None, now()).unwrap_err();
    assert!(matches!(refused, StatusError::NoId { .. }));
    let other = kept.says(&ids(), COLLEGE, Some("urn:uuid:2"), now());
    assert!(other.unwrap().valid);
}
