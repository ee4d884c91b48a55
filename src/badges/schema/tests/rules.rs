//! Each rule, broken alone.

use super::*;

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
