use super::*;
use crate::badges::Badge;
use serde_json::json;

const OB_JSON: &str = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_";
const OB_JSON_LD: &str = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json-ld/ob_v3p0_";
const CLR_JSON: &str = "https://purl.imsglobal.org/spec/clr/v2p0/schema/json/clr_v2p0_";

fn schema(base: &str, name: &str) -> Schema {
    known(&format!("{base}{name}_schema.json")).unwrap()
}

fn profile() -> Value {
    json!({
        "id": "https://college.example/issuers/1",
        "type": ["Profile"],
        "name": "College",
        "url": "https://college.example",
        "phone": "1-222-333-4444",
        "email": "registrar@college.example",
        "image": {"id": "data:image/png;base64,iVBORw==", "type": "Image", "caption": "Logo"},
        "address": {
            "type": ["Address"],
            "addressCountryCode": "US",
            "geo": {"type": "GeoCoordinates", "latitude": 1, "longitude": 1.5},
        },
        "otherIdentifier": [
            {"type": "IdentifierEntry", "identifier": "12345", "identifierType": "sourcedId"},
        ],
        "parentOrg": {"id": "did:example:parent", "type": ["Profile"]},
        "dateOfBirth": "1920-01-31",
        "endorsement": [{"type": ["VerifiableCredential", "EndorsementCredential"]}],
        "endorsementJwt": ["eyJh.eyJi.c2ln"],
    })
}

fn achievement() -> Value {
    json!({
        "id": "https://college.example/achievements/degree",
        "type": ["Achievement"],
        "achievementType": "Degree",
        "alignment": [{
            "type": ["Alignment"],
            "targetName": "Degree",
            "targetType": "CTDL",
            "targetUrl": "https://college.example/catalog/degree",
        }],
        "creator": profile(),
        "creditsAvailable": 36,
        "criteria": {"narrative": "# Requirements"},
        "description": "",
        "inLanguage": "en-US",
        "name": "Degree",
        "related": [{"id": "urn:uuid:1", "type": ["Related"], "inLanguage": "es"}],
        "resultDescription": [{
            "id": "urn:uuid:2",
            "type": ["ResultDescription"],
            "allowedValue": ["D", "C", "B", "A"],
            "name": "Grade",
            "resultType": "RubricCriterionLevel",
            "rubricCriterionLevel": [
                {"id": "urn:uuid:3", "type": ["RubricCriterionLevel"], "name": "Mastery"},
            ],
        }],
        "tag": ["research"],
    })
}

/// A badge with a member of every kind, and an extension in each open class.
fn badge() -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
            {"colour": "https://example.org/colour"},
        ],
        "id": "http://college.example/credentials/3732",
        "type": ["VerifiableCredential", "OpenBadgeCredential", "https://example.org/Own"],
        "name": "Degree",
        "description": "A degree.",
        "image": {"id": "https://college.example/image", "type": "Image"},
        "awardedDate": "2010-01-01T00:00:00Z",
        "issuer": profile(),
        "validFrom": "2010-01-01T00:00:00Z",
        "validUntil": "2030-01-01T00:00:00+01:00",
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["AchievementSubject"],
            "activityStartDate": "2010-01-01T00:00:00Z",
            "creditsEarned": 42,
            "achievement": achievement(),
            "identifier": [{
                "type": "IdentityObject",
                "identityHash": "student@college.example",
                "identityType": "emailAddress",
                "hashed": false,
                "salt": "not-used",
            }],
            "result": [{
                "type": ["Result"],
                "achievedLevel": "urn:uuid:3",
                "resultDescription": "urn:uuid:2",
                "status": "Provisional",
                "value": "A",
            }],
            "source": {"id": "did:example:assessor", "type": ["Profile"], "colour": null},
        },
        "evidence": [{"type": ["Evidence"], "narrative": "A report.", "colour": []}],
        "endorsement": [],
        "credentialSchema": [{
            "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json",
            "type": "1EdTechJsonSchemaValidator2019",
        }],
        "credentialStatus": {"id": "https://college.example/revoked", "type": "1EdTechRevocationList"},
        "refreshService": {"id": "https://college.example/refresh", "type": "1EdTechCredentialRefresh"},
        "termsOfUse": [{"type": "Terms"}],
        "proof": [{"type": "DataIntegrityProof"}],
        "colour": "blue",
    })
}

fn endorsement() -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
        ],
        "id": "http://state.example/endorsements/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Good standing",
        "issuer": "https://state.example/issuers/1",
        "validFrom": "2010-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "https://college.example/issuers/1",
            "type": ["EndorsementSubject"],
            "endorsementComment": "In good standing",
        },
    })
}

fn clr() -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": "http://college.example/credentials/1",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Transcript",
        "issuer": {"id": "https://college.example/issuers/1", "type": ["Profile"]},
        "validFrom": "2010-01-01T00:00:00Z",
        "partial": true,
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["ClrSubject"],
            "verifiableCredential": [badge()],
            "achievement": [achievement()],
            "association": [{
                "type": "Association",
                "associationType": "isParentOf",
                "sourceId": "urn:uuid:1",
                "targetId": "urn:uuid:2",
            }],
        },
    })
}

/// One of VCDM 1.1, as platforms have issued it.
fn older(mut document: Value) -> Value {
    document["@context"][0] = json!("https://www.w3.org/2018/credentials/v1");
    let members = document.as_object_mut().unwrap();
    let from = members.shift_remove("validFrom").unwrap();
    members.insert("issuanceDate".into(), from);
    members.shift_remove("validUntil");
    document
}

fn violations(schema: Schema, document: &Value) -> Vec<String> {
    let found = schema.check(document).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

/// The document with another value at a pointer; with `null`, without the member.
fn changed(document: &Value, pointer: &str, to: Value) -> Value {
    let mut document = document.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match (document.pointer_mut(parent).unwrap(), to) {
        (Value::Object(members), Value::Null) => drop(members.shift_remove(name).unwrap()),
        (Value::Object(members), to) => drop(members.insert(name.into(), to)),
        (array, to) => array[name.parse::<usize>().unwrap()] = to,
    }
    document
}

#[test]
fn the_published_urls_are_known() {
    for (url, class, arrays, models) in [
        (
            "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json",
            Class::AchievementCredential,
            Arrays::Always,
            Models::V2,
        ),
        (
            "http://purl.imsglobal.org/spec/ob/v3p0/schema/json-ld/ob_v3p0_anyendorsementcredential_schema.json",
            Class::EndorsementCredential,
            Arrays::OrOne,
            Models::Either,
        ),
        (
            "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_profile_schema.json",
            Class::Profile,
            Arrays::Always,
            Models::V2,
        ),
        (
            "https://purl.imsglobal.org/spec/clr/v2p0/schema/json/clr_v2p0_clrcredential_schema.json",
            Class::ClrCredential,
            Arrays::Always,
            Models::V2,
        ),
    ] {
        let schema = Schema {
            class,
            arrays,
            models,
        };
        assert_eq!(known(url), Some(schema), "{url}");
    }
    for url in [
        "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_clrcredential_schema.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/clr_v2p0_profile_schema.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_imsx_statusinfo_schema.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/schema/yaml/ob_v3p0_profile_schema.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_profile_schema.json#x",
        "https://purl.imsglobal.org.example/spec/ob/v3p0/schema/json/ob_v3p0_profile_schema.json",
        "https://college.example/schema.json",
        "",
    ] {
        assert_eq!(known(url), None, "{url}");
    }
    assert!(is_json_schema("1EdTechJsonSchemaValidator2019") && is_json_schema("JsonSchema"));
    assert!(!is_json_schema("JsonSchemaValidator2018") && !is_json_schema("JsonSchemaCredential"));
}

#[test]
fn a_sound_document_of_each_class_passes() {
    for (base, name, document) in [
        (OB_JSON, "achievementcredential", badge()),
        (CLR_JSON, "achievementcredential", badge()),
        (OB_JSON, "endorsementcredential", endorsement()),
        (OB_JSON, "profile", profile()),
        (CLR_JSON, "clrcredential", clr()),
    ] {
        assert_eq!(schema(base, name).check(&document), Ok(()), "{name}");
        if name != "profile" {
            let either = schema(base, &format!("any{name}"));
            assert_eq!(either.check(&document), Ok(()), "{name}");
            assert_eq!(either.check(&older(document)), Ok(()), "{name}");
        }
    }
}

#[test]
fn a_credential_of_vcdm_1_breaks_a_schema_that_is_for_vcdm_2() {
    assert_eq!(
        violations(schema(OB_JSON, "achievementcredential"), &older(badge())),
        [
            "/@context/0: expected \"https://www.w3.org/ns/credentials/v2\"",
            "the document: expected the member \"validFrom\"",
        ]
    );
}

#[test]
fn each_rule_is_broken_alone() {
    let subject = "/credentialSubject";
    let of_badge = schema(OB_JSON, "achievementcredential");
    for (pointer, to, expected) in [
        (
            "/@context",
            json!(null),
            "the document: expected the member \"@context\"",
        ),
        (
            "/@context",
            json!("https://www.w3.org/ns/credentials/v2"),
            "/@context: expected an array of contexts",
        ),
        (
            "/@context/1",
            json!("https://example.org/c"),
            "/@context/1: expected a context of Open Badges 3.0",
        ),
        (
            "/@context/3",
            json!(7),
            "/@context/3: expected a URL or an object",
        ),
        (
            "/id",
            json!(null),
            "the document: expected the member \"id\"",
        ),
        ("/id", json!("3732"), "/id: expected an absolute URI"),
        (
            "/type",
            json!(null),
            "the document: expected the member \"type\"",
        ),
        (
            "/type",
            json!("OpenBadgeCredential"),
            "/type: expected an array of types with VerifiableCredential in it",
        ),
        (
            "/type",
            json!(["VerifiableCredential"]),
            "/type: expected an array of types with AchievementCredential or OpenBadgeCredential in it",
        ),
        (
            "/type/0",
            json!("Other"),
            "/type: expected an array of types with VerifiableCredential in it",
        ),
        ("/name", json!(["Degree"]), "/name: expected a string"),
        (
            "/image",
            json!("https://college.example/i"),
            "/image: expected an object (Image)",
        ),
        (
            "/image/size",
            json!(1),
            "/image/size: expected no such member, since Image has none",
        ),
        (
            "/issuer",
            json!("college"),
            "/issuer: expected an absolute URI",
        ),
        (
            "/issuer/type",
            json!("Profile"),
            "/issuer/type: expected an array of types with Profile in it",
        ),
        (
            "/issuer/endorsement",
            json!({}),
            "/issuer/endorsement: expected an array",
        ),
        (
            "/issuer/endorsement/0",
            json!("x"),
            "/issuer/endorsement/0: expected an object",
        ),
        (
            "/issuer/endorsementJwt/0",
            json!("a.b"),
            "/issuer/endorsementJwt/0: expected a compact JWS",
        ),
        (
            "/issuer/address/geo/latitude",
            json!("1"),
            "/issuer/address/geo/latitude: expected a number",
        ),
        (
            "/issuer/otherIdentifier/0/type",
            json!(["IdentifierEntry"]),
            "/issuer/otherIdentifier/0/type: expected \"IdentifierEntry\"",
        ),
        (
            "/issuer/parentOrg/id",
            json!(null),
            "/issuer/parentOrg: expected the member \"id\"",
        ),
        (
            "/issuer/dateOfBirth",
            json!("31.1.1920"),
            "/issuer/dateOfBirth: expected a date such as 2026-01-31",
        ),
        (
            "/validFrom",
            json!("2010-01-01"),
            "/validFrom: expected an RFC 3339 time",
        ),
        (
            "/credentialSubject",
            json!([{}]),
            "/credentialSubject: expected an object (AchievementSubject)",
        ),
        (
            "/credentialSubject/identifier/0/hashed",
            json!("no"),
            "/credentialSubject/identifier/0/hashed: expected true or false",
        ),
        (
            "/credentialSubject/result/0/status",
            json!("Done"),
            "/credentialSubject/result/0/status: expected one of Completed, Enrolled, Failed, InProgress, OnHold, Provisional, Withdrew",
        ),
        (
            "/credentialSubject/achievement",
            json!(null),
            "/credentialSubject: expected the member \"achievement\"",
        ),
        (
            "/credentialSubject/achievement/tag",
            json!("research"),
            "/credentialSubject/achievement/tag: expected an array",
        ),
        (
            "/credentialSubject/achievement/tag/0",
            json!(1),
            "/credentialSubject/achievement/tag/0: expected a string",
        ),
        (
            "/credentialSubject/achievement/criteria",
            json!(null),
            "/credentialSubject/achievement: expected the member \"criteria\"",
        ),
        (
            "/credentialSubject/achievement/inLanguage",
            json!("english"),
            "/credentialSubject/achievement/inLanguage: expected a language code such as en or de-CH",
        ),
        (
            "/evidence/0/type",
            json!([]),
            "/evidence/0/type: expected an array of types with Evidence in it",
        ),
        (
            "/credentialSchema/0/id",
            json!(null),
            "/credentialSchema/0: expected the member \"id\"",
        ),
        (
            "/credentialStatus",
            json!([{"type": "X"}]),
            "/credentialStatus: expected an object (object with type)",
        ),
        (
            "/proof",
            json!("x"),
            "/proof: expected an object (object with type)",
        ),
    ] {
        assert_eq!(
            violations(of_badge, &changed(&badge(), pointer, to)),
            [expected]
        );
    }
    let wizardry = changed(
        &badge(),
        &format!("{subject}/achievement/achievementType"),
        json!("Wizardry"),
    );
    let found = violations(of_badge, &wizardry);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("/credentialSubject/achievement/achievementType: expected one of ")
    );

    for (name, document, pointer, to, expected) in [
        (
            "endorsementcredential",
            endorsement(),
            "/name",
            json!(null),
            "the document: expected the member \"name\"",
        ),
        (
            "endorsementcredential",
            endorsement(),
            "/credentialSubject/id",
            json!(null),
            "/credentialSubject: expected the member \"id\"",
        ),
        (
            "clrcredential",
            clr(),
            "/@context/1",
            json!("https://purl.imsglobal.org/spec/ob/v3p0/context.json"),
            "/@context/1: expected a context of CLR 2.0",
        ),
        (
            "clrcredential",
            clr(),
            "/partial",
            json!("yes"),
            "/partial: expected true or false",
        ),
        (
            "clrcredential",
            clr(),
            "/credentialSubject/verifiableCredential",
            json!(null),
            "/credentialSubject: expected the member \"verifiableCredential\"",
        ),
        (
            "clrcredential",
            clr(),
            "/credentialSubject/association/0/associationType",
            json!("isFriendOf"),
            "/credentialSubject/association/0/associationType: expected one of exactMatchOf, isChildOf, isParentOf, isPartOf, isPeerOf, isRelatedTo, precedes, replacedBy",
        ),
        (
            "profile",
            profile(),
            "/id",
            json!(null),
            "the document: expected the member \"id\"",
        ),
    ] {
        let found = violations(schema(CLR_JSON, name), &changed(&document, pointer, to));
        assert_eq!(found, [expected]);
    }
    assert_eq!(
        violations(of_badge, &json!([])),
        ["the document: expected a JSON object"]
    );
    assert_eq!(
        violations(schema(OB_JSON, "profile"), &json!("x")),
        ["the document: expected an object (Profile)"]
    );
}

#[test]
fn json_ld_may_leave_out_the_array_around_one_value() {
    for (pointer, to) in [
        ("/@context", json!("https://www.w3.org/ns/credentials/v2")),
        ("/name", json!({"@value": "Abschluss", "@language": "de"})),
        ("/issuer/type", json!("Profile")),
        ("/issuer/endorsement", json!({"type": "x"})),
        ("/image/type", json!(["Image"])),
        ("/evidence", json!({"type": "Evidence"})),
        ("/credentialSubject/achievement/tag", json!("research")),
        (
            "/credentialSchema",
            json!({"id": "urn:a", "type": "JsonSchema"}),
        ),
    ] {
        let document = changed(&badge(), pointer, to);
        let found = violations(schema(OB_JSON, "achievementcredential"), &document);
        assert_eq!(found.len(), 1, "{pointer}: {found:?}");
        assert!(found[0].starts_with(pointer), "{pointer}: {found:?}");
        let found = violations(schema(OB_JSON_LD, "achievementcredential"), &document);
        assert_eq!(found, Vec::<String>::new(), "{pointer}");
    }
    // What a proof is written as is not for the schema to say.
    let document = changed(&badge(), "/proof", json!({"type": "DataIntegrityProof"}));
    assert_eq!(
        schema(OB_JSON, "achievementcredential").check(&document),
        Ok(())
    );
}

#[test]
fn a_word_of_the_issuers_own_is_as_loose_as_it_is_published() {
    for good in [
        "ext:Micro-credential",
        "ext:Digital Badge",
        "x:ext:1",
        "ext:|",
        "ext: ext:a",
    ] {
        assert!(has_own_word(good), "{good}");
    }
    for bad in ["ext:", "ext: a", "ext:-", "Ext:a", "ext", ""] {
        assert!(!has_own_word(bad), "{bad}");
    }
}

#[test]
fn violations_are_told_up_to_a_number() {
    let many = json!(vec![json!({}); 1000]);
    let document = changed(&badge(), "/evidence", many);
    let found = violations(schema(OB_JSON, "achievementcredential"), &document);
    assert_eq!(found.len(), MAX_VIOLATIONS);
    assert_eq!(found[19], "/evidence/19: expected the member \"type\"");
}

/// Every place in a document, by its pointer.
fn places(document: &Value, at: String, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match document {
        Value::Array(items) => (0..items.len())
            .map(|n| (n.to_string(), &items[n]))
            .collect(),
        Value::Object(members) => members.iter().map(|(n, v)| (n.clone(), v)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let at = pointer(&at, &name);
        all.push(at.clone());
        places(child, at, all);
    }
}

#[test]
fn what_the_registry_would_issue_no_schema_forbids() {
    let schema = schema(OB_JSON_LD, "achievementcredential");
    let badge = issuable();
    let (mut all, mut issued) = (Vec::new(), 0);
    places(&badge, String::new(), &mut all);
    for (place, to) in all
        .iter()
        .flat_map(|place| values().map(move |to| (place, to)))
    {
        let mut document = changed(&badge, place, to);
        // What the registry adds.
        document["validFrom"] = json!("2026-01-01T00:00:00Z");
        document["id"] = json!("urn:uuid:1");
        // What the registry does not look at, since no reader is misled by it.
        let left_alone = [
            "/credentialSchema",
            "/credentialStatus",
            "/refreshService",
            "/termsOfUse",
            "/proof",
        ];
        if left_alone.iter().any(|member| place.starts_with(member)) {
            continue;
        }
        if Badge::read(&document).is_ok() {
            issued += 1;
            assert_eq!(
                violations(schema, &document),
                Vec::<String>::new(),
                "{place}"
            );
        }
    }
    assert!(issued > 100, "{issued}");
}

#[test]
fn a_violation_points_into_the_document() {
    let schema = schema(CLR_JSON, "clrcredential");
    let mut all = Vec::new();
    let clr = changed(
        &clr(),
        "/credentialSubject/verifiableCredential",
        json!([{}]),
    );
    places(&clr, String::new(), &mut all);
    for (place, to) in all
        .iter()
        .flat_map(|place| values().map(move |to| (place, to)))
    {
        let document = changed(&clr, place, to);
        for violation in schema.check(&document).err().unwrap_or_default() {
            let at = document.pointer(&violation.at);
            assert!(at.is_some(), "{place}: {violation}");
        }
    }
}

/// The badge without what a schema lets pass and the registry does not: a blank text, nulls and
/// empty arrays.
fn issuable() -> Value {
    let subject = "/credentialSubject";
    let badge = changed(&badge(), "/endorsement", json!(null));
    let badge = changed(&badge, "/evidence/0/colour", json!(null));
    let badge = changed(&badge, &format!("{subject}/source/colour"), json!(null));
    let blank = format!("{subject}/achievement/description");
    let badge = changed(&badge, &blank, json!("A degree."));
    Badge::read(&badge).unwrap();
    badge
}

/// Values that are right in some places and wrong in most.
fn values() -> impl Iterator<Item = Value> {
    [
        json!(null),
        json!(""),
        json!("x"),
        json!("urn:a"),
        json!("ext:x"),
        json!(1),
        json!(true),
        json!([]),
        json!([[]]),
        json!(["x"]),
        json!({}),
        json!({"~/": 1}),
    ]
    .into_iter()
}
