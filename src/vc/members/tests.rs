use super::*;
use crate::jsonld::{InlineTerms, Options};
use crate::vc::contexts::{CREDENTIALS_V2, OPEN_BADGES, Revision, endorsement_scope, processor};
use proptest::prelude::*;
use serde_json::json;

fn credential() -> Value {
    json!({
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": "https://a.example/credentials/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "An endorsement",
        "issuer": { "id": "https://a.example/profile", "type": "Profile" },
        "validFrom": "2026-01-01T00:00:00Z",
        "awardedDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "https://b.example/profile",
            "type": "EndorsementSubject",
            "endorsementComment": "Good work."
        },
        "credentialStatus": {
            "id": "https://a.example/status/1#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://a.example/status/1"
        }
    })
}

/// All rules, as they are applied when a document is signed or verified; `None` where the
/// JSON-LD processor was the one to refuse it.
fn check(document: &Value) -> Option<Result<(), MemberError>> {
    if let Err(error) = check_names(document) {
        return Some(Err(error));
    }
    let options = Options {
        inline_terms: InlineTerms::NoSecondNames,
        ..Options::default()
    };
    let dataset = processor(Revision::Mid2026)
        .to_rdf(document, &options)
        .ok()?;
    Some(check_statements(document, &dataset))
}

fn with(pointer: &str, member: &str, value: Value) -> Value {
    let mut document = credential();
    document.pointer_mut(pointer).unwrap()[member] = value;
    document
}

#[test]
fn an_honest_credential_passes_with_and_without_ids() {
    assert_eq!(check(&credential()), Some(Ok(())));
    let mut document = credential();
    document.as_object_mut().unwrap().shift_remove("id");
    assert_eq!(check(&document), Some(Ok(())));
    document["credentialSubject"]
        .as_object_mut()
        .unwrap()
        .shift_remove("id");
    document["credentialStatus"]
        .as_object_mut()
        .unwrap()
        .shift_remove("id");
    assert_eq!(check(&document), Some(Ok(())));
    document["issuer"] = json!("https://a.example/profile");
    assert_eq!(check(&document), Some(Ok(())));
}

#[test]
fn properties_are_terms_alone() {
    for member in [
        "https://www.w3.org/2018/credentials#validUntil",
        "cred:validUntil",
        "https://unheard.example/of",
        "_:b0",
    ] {
        for pointer in ["", "/credentialSubject", "/issuer"] {
            let document = with(pointer, member, json!("2026-02-01T00:00:00Z"));
            let expected = MemberError::NotATerm {
                place: format!("{pointer}{}", pointer_step(member)),
                member: member.to_owned(),
            };
            assert_eq!(check_names(&document), Err(expected));
        }
    }
}

#[test]
fn keywords_that_move_statements_are_refused() {
    for member in [
        "@included",
        "@graph",
        "@reverse",
        "@nest",
        "@id",
        "@type",
        "@set",
        "@list",
    ] {
        let document = with("/credentialSubject", member, json!([]));
        let expected = MemberError::Keyword {
            place: format!("/credentialSubject/{member}"),
            member: member.to_owned(),
        };
        assert_eq!(check_names(&document), Err(expected));
    }
    let text = json!({ "@value": "Ein Zeugnis", "@language": "de" });
    assert_eq!(check(&with("", "name", text)), Some(Ok(())));
}

#[test]
fn inline_contexts_cannot_rename_keywords_or_known_properties() {
    let inline = |context: Value| {
        let mut document = credential();
        document["@context"].as_array_mut().unwrap().push(context);
        document
    };
    for keyword in ["@included", "@graph", "@nest", "@reverse", "@id", "@index"] {
        for definition in [json!(keyword), json!({ "@id": keyword })] {
            let expected = MemberError::Alias {
                place: "/@context/2".to_owned(),
                term: "other".to_owned(),
                keyword: keyword.to_owned(),
            };
            assert_eq!(
                check_names(&inline(json!({ "other": definition }))),
                Err(expected)
            );
        }
    }
    let scoped = json!({ "a": { "@id": "urn:x:a", "@context": { "b": "@included" } } });
    let Err(MemberError::Alias { place, .. }) = check_names(&inline(scoped)) else {
        panic!()
    };
    assert_eq!(place, "/@context/2/a/@context");
    // A second name of a known property is for the processor to see.
    let mut document = inline(json!({ "until": "https://www.w3.org/2018/credentials#validUntil" }));
    document["until"] = json!("2026-02-01T00:00:00Z");
    assert_eq!(check(&document), None);
    let harmless = inline(json!({ "shoe": "https://c.example/terms#shoe" }));
    assert_eq!(check(&harmless), Some(Ok(())));
    // Under their well-known names the two aliases of the data model are no other names.
    let aliases = json!({ "id": "@id", "type": "@type" });
    assert_eq!(check(&inline(aliases)), Some(Ok(())));
    let same = json!({ "name": "https://schema.org/name" });
    assert_eq!(check_names(&inline(same)), Ok(()));
}

#[test]
fn a_second_mention_of_the_credential_cannot_add_to_it() {
    let id = credential()["id"].clone();
    for (member, value) in [
        ("validUntil", json!("2026-02-01T00:00:00Z")),
        ("validFrom", json!("2025-02-01T00:00:00Z")),
        ("issuer", json!("https://c.example/profile")),
        ("credentialSubject", json!({ "id": "https://c.example/x" })),
        (
            "credentialStatus",
            json!({ "type": "BitstringStatusListEntry" }),
        ),
    ] {
        let mut mention =
            json!({ "id": id, "type": ["VerifiableCredential", "EndorsementCredential"] });
        mention[member] = value;
        let document = with("/issuer", "endorsement", json!([mention]));
        let expected = MemberError::Differs {
            place: format!("/{member}"),
            member: member.to_owned(),
        };
        assert_eq!(check(&document), Some(Err(expected)), "{member}");
    }
    let mention = json!({ "id": id, "type": ["VerifiableCredential"] });
    let document = with("/issuer", "endorsement", json!([mention]));
    assert_eq!(
        check(&document),
        Some(Ok(())),
        "a mention that adds nothing is honest"
    );
}

#[test]
fn a_second_mention_of_a_status_entry_cannot_add_to_it() {
    let mut second = credential()["credentialStatus"].clone();
    second["statusListIndex"] = json!("8");
    let first = credential()["credentialStatus"].clone();
    let document = with("", "credentialStatus", json!([first, second]));
    let expected = MemberError::Differs {
        place: "/credentialStatus/0/statusListIndex".to_owned(),
        member: "statusListIndex".to_owned(),
    };
    assert_eq!(check(&document), Some(Err(expected)));
}

#[test]
fn a_name_that_means_something_else_is_seen() {
    // An inline prefix turns the subject that is shown into another one.
    let mut document = credential();
    document["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "did": "https://c.example/" }));
    document["credentialSubject"]["id"] = json!("did:web:b.example");
    let expected = MemberError::Differs {
        place: "/credentialSubject".to_owned(),
        member: "credentialSubject".to_owned(),
    };
    assert_eq!(check(&document), Some(Err(expected)));
    let labelled = with("", "id", json!("_:b0"));
    assert_eq!(
        check(&labelled),
        Some(Err(MemberError::BlankId { id: "_:b0".into() }))
    );
}

#[test]
fn classes_are_shown_where_they_are_said_and_nowhere_else() {
    const OB: &str = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#";
    const OLD_ENTRY: &str = "https://w3id.org/vc/status-list#StatusList2021Entry";
    let differs = |place: &str| {
        Some(Err(MemberError::Differs {
            place: format!("{place}/type"),
            member: "type".to_owned(),
        }))
    };
    let iri = |name| format!("{OB}{name}");
    let hidden = json!(["VerifiableCredential", iri("EndorsementCredential")]);
    assert_eq!(check(&with("", "type", hidden)), differs(""));
    for name in ["OpenBadgeCredential", "AchievementCredential"] {
        let types = json!(["VerifiableCredential", name]);
        assert_eq!(check(&with("", "type", types)), Some(Ok(())), "{name}");
    }
    let subject = "/credentialSubject";
    let hidden = json!(["EndorsementSubject", iri("AchievementSubject")]);
    assert_eq!(check(&with(subject, "type", hidden)), differs(subject));
    let status = "/credentialStatus";
    let hidden = json!(["BitstringStatusListEntry", OLD_ENTRY]);
    assert_eq!(check(&with(status, "type", hidden)), differs(status));
    // A name that is given another meaning.
    let mut document = credential();
    document["@context"] = json!([
        CREDENTIALS_V2,
        { "EndorsementCredential": "https://x.example/MemberCard" }
    ]);
    for member in ["awardedDate", "credentialStatus"] {
        document.as_object_mut().unwrap().shift_remove(member);
    }
    document["issuer"] = json!("https://a.example/profile");
    document["credentialSubject"] = json!({ "id": "https://b.example/profile" });
    assert_eq!(check(&document), differs(""));
}

#[test]
fn classes_of_nodes_without_an_id_are_told_apart_by_their_places() {
    let named = json!({ "type": "EndorsementSubject", "endorsementComment": "Good work." });
    let bare = json!({ "type": "Profile", "name": "B" });
    for subjects in [json!([named, bare]), json!([bare, named])] {
        let document = with("", "credentialSubject", subjects);
        assert_eq!(check(&document), Some(Ok(())));
    }
    let full = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#EndorsementSubject";
    let mut hidden = bare;
    hidden["type"] = json!(full);
    for (subjects, place) in [(json!([named, hidden]), 1), (json!([hidden, named]), 0)] {
        let expected = MemberError::Differs {
            place: format!("/credentialSubject/{place}/type"),
            member: "type".to_owned(),
        };
        let document = with("", "credentialSubject", subjects);
        assert_eq!(check(&document), Some(Err(expected)));
    }
}

#[test]
fn a_subject_may_be_endorsed_within_what_is_about_it() {
    let mut badge = with("/credentialSubject", "type", json!(["AchievementSubject"]));
    badge["type"] = json!(["VerifiableCredential", "OpenBadgeCredential"]);
    badge["credentialSubject"]
        .as_object_mut()
        .unwrap()
        .shift_remove("endorsementComment");
    badge["endorsement"] = json!([{
        "id": "https://c.example/credentials/2",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "issuer": "https://c.example/profile",
        "credentialSubject": { "id": "https://b.example/profile", "type": "EndorsementSubject" },
    }]);
    assert_eq!(check(&badge), Some(Ok(())));
}

#[test]
fn what_is_covered_is_shown_at_the_subject() {
    let mut document = credential();
    let scope = json!({ "type": ["EndorsementScope"], "tag": ["care"] });
    document["@context"]
        .as_array_mut()
        .unwrap()
        .push(endorsement_scope().clone());
    document["relatedResource"] = json!([{
        "id": "https://b.example/profile", "mediaType": "text/html",
    }]);
    let at = |place: &str| {
        let mut document = document.clone();
        document.pointer_mut(place).unwrap()["endorsementScope"] = scope.clone();
        check(&document)
    };
    assert_eq!(at("/credentialSubject"), Some(Ok(())));
    let expected = MemberError::Differs {
        place: "/credentialSubject/endorsementScope".to_owned(),
        member: "endorsementScope".to_owned(),
    };
    assert_eq!(at("/relatedResource/0"), Some(Err(expected.clone())));
    // Once in each place, they are two.
    document["credentialSubject"]["endorsementScope"] = scope.clone();
    let twice = |place: &str| {
        let mut document = document.clone();
        document.pointer_mut(place).unwrap()["endorsementScope"] = scope.clone();
        check(&document)
    };
    assert_eq!(twice("/relatedResource/0"), Some(Err(expected)));
    // What covers the issuer is about something else.
    assert_eq!(twice("/issuer"), Some(Ok(())));
    let defined = &endorsement_scope()["endorsementScope"]["@id"];
    assert_eq!(defined, SCOPE);
}

#[test]
fn a_term_cannot_be_turned_round() {
    let mut document = credential();
    document["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "of": { "@reverse": "https://c.example/terms#of" } }));
    let expected = MemberError::Reverse {
        place: "/@context/2".to_owned(),
        term: "of".to_owned(),
    };
    assert_eq!(check_names(&document), Err(expected));
}

#[test]
fn there_is_an_end_to_status_entries() {
    let entry = credential()["credentialStatus"].clone();
    let many = |count: usize| with("", "credentialStatus", json!(vec![entry.clone(); count]));
    assert_eq!(check(&many(MAX_STATUS_ENTRIES)), Some(Ok(())));
    let count = MAX_STATUS_ENTRIES + 1;
    assert_eq!(
        check(&many(count)),
        Some(Err(MemberError::TooManyStatuses { count }))
    );
}

#[test]
fn an_award_is_dated_by_open_badges_alone() {
    let mut document = credential();
    document["@context"] = json!([
        CREDENTIALS_V2,
        { "awardedDate": "https://c.example/terms#awardedDate" }
    ]);
    document["type"] = json!(["VerifiableCredential"]);
    document["issuer"] = json!("https://a.example/profile");
    document["credentialSubject"] = json!({ "id": "https://b.example/profile" });
    assert_eq!(check(&document), Some(Ok(())));
}

#[test]
fn texts_may_have_a_direction() {
    let mut text = json!({ "@value": "شهادة", "@language": "ar", "@direction": "rtl" });
    let document = with("", "name", text.clone());
    let options = Options {
        direction: crate::jsonld::RdfDirection::I18nDatatype,
        ..Options::default()
    };
    let dataset = processor(Revision::Mid2026).to_rdf(&document, &options);
    assert_eq!(check_statements(&document, &dataset.unwrap()), Ok(()));
    text["@type"] = json!("https://www.w3.org/ns/i18n#ar_rtl");
    assert!(check_names(&with("", "name", text)).is_err());
}

#[test]
fn json_within_a_credential_has_names_of_its_own() {
    let schema = json!({ "@id": 1, "x:y": { "@included": [] } });
    let mut document = with(
        "",
        "credentialSchema",
        json!({ "id": "https://c.example/schema", "type": "JsonSchema", "jsonSchema": schema }),
    );
    assert_eq!(check(&document), Some(Ok(())));
    // With a context of the document's own the same name could be anything.
    document["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "shoe": "https://c.example/terms#shoe" }));
    assert!(matches!(
        check_names(&document),
        Err(MemberError::Keyword { .. } | MemberError::NotATerm { .. })
    ));
}

#[test]
fn json_terms_are_those_of_the_known_contexts() {
    fn collect(value: &Value, json: &mut Vec<String>) {
        for (name, definition) in value.as_object().into_iter().flatten() {
            let is_json = definition["@type"] == "@json";
            let is_definition = definition.is_string() || definition.get("@id").is_some();
            assert!(
                is_json || !is_definition || !JSON_TERMS.contains(&&**name),
                "{name}"
            );
            if is_json {
                json.push(name.clone());
            }
            collect(definition, json);
        }
    }
    let mut json = Vec::new();
    for document in &crate::vc::contexts::DOCUMENTS {
        collect(&serde_json::from_str(document.text).unwrap(), &mut json);
    }
    json.sort_unstable();
    json.dedup();
    assert_eq!(json, ["_sd", "jsonSchema", "jwk"]);
}

proptest! {
    #[test]
    fn names_with_a_colon_or_a_keyword_never_pass(
        depth in 0usize..4,
        name in "[a-z]{0,3}:[a-z/]{0,5}|@[a-z]{3,8}",
    ) {
        prop_assume!(
            !["@context", "@value", "@language", "@direction"].contains(&name.as_str())
        );
        let mut document = json!({ name: 1 });
        for level in 0..depth {
            document = if level % 2 == 0 { json!([document]) } else { json!({ "a": document }) };
        }
        prop_assert!(check_names(&document).is_err());
    }
}
