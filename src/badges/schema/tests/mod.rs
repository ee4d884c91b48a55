mod rules;
mod samples;

use super::*;
use crate::badges::{Badge, Clr};
use samples::{badge, clr, endorsement, issuable, issuable_record, older, profile};
use serde_json::json;

const OB_JSON: &str = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_";
const OB_JSON_LD: &str = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json-ld/ob_v3p0_";
const CLR_JSON: &str = "https://purl.imsglobal.org/spec/clr/v2p0/schema/json/clr_v2p0_";

const CLR_JSON_LD: &str = "https://purl.imsglobal.org/spec/clr/v2p0/schema/json-ld/clr_v2p0_";

fn schema(base: &str, name: &str) -> Schema {
    known(&format!("{base}{name}_schema.json")).unwrap()
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
fn an_endorsement_may_be_limited() {
    let scope = crate::badges::Scope::parse(&json!({"tag": ["care"]})).unwrap();
    let mut limited = endorsement();
    limited["credentialSubject"]["endorsementScope"] = scope.to_value();
    let contexts = limited["@context"].as_array_mut().unwrap();
    contexts.push(crate::badges::scope_context());
    for base in [OB_JSON, OB_JSON_LD] {
        for name in ["endorsementcredential", "anyendorsementcredential"] {
            assert_eq!(schema(base, name).check(&limited), Ok(()), "{name}");
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
    let badges = schema(OB_JSON_LD, "achievementcredential");
    let issued = [
        issued_and_allowed(badges, &issuable(), |badge| Badge::read(badge).is_ok()),
        issued_and_allowed(
            schema(CLR_JSON_LD, "clrcredential"),
            &issuable_record(),
            |record| Clr::read(record).is_ok(),
        ),
    ];
    assert!(issued.iter().all(|issued| *issued > 100), "{issued:?}");
}

/// How many of the document's changes the registry would issue; the schema allows each of them.
fn issued_and_allowed(schema: Schema, base: &Value, would_issue: fn(&Value) -> bool) -> usize {
    let (mut all, mut issued) = (Vec::new(), 0);
    places(base, String::new(), &mut all);
    for (place, to) in all
        .iter()
        .flat_map(|place| values().map(move |to| (place, to)))
    {
        let mut document = changed(base, place, to);
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
        if would_issue(&document) {
            issued += 1;
            let found = violations(schema, &document);
            assert_eq!(found, Vec::<String>::new(), "{place}");
        }
    }
    issued
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
