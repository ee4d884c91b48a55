//! Documents that keep to their schemas.

use serde_json::{Value, json};

use super::changed;
use crate::badges::{Badge, Clr};

pub(super) fn profile() -> Value {
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

pub(super) fn achievement() -> Value {
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
pub(super) fn badge() -> Value {
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

pub(super) fn endorsement() -> Value {
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

pub(super) fn clr() -> Value {
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
pub(super) fn older(mut document: Value) -> Value {
    document["@context"][0] = json!("https://www.w3.org/2018/credentials/v1");
    let members = document.as_object_mut().unwrap();
    let from = members.shift_remove("validFrom").unwrap();
    members.insert("issuanceDate".into(), from);
    members.shift_remove("validUntil");
    document
}

/// The badge without what a schema lets pass and the registry does not: a blank text, nulls and
/// empty arrays.
pub(super) fn issuable() -> Value {
    let subject = "/credentialSubject";
    let badge = changed(&badge(), "/endorsement", json!(null));
    let badge = changed(&badge, "/evidence/0/colour", json!(null));
    let badge = changed(&badge, &format!("{subject}/source/colour"), json!(null));
    let blank = format!("{subject}/achievement/description");
    let badge = changed(&badge, &blank, json!("A degree."));
    Badge::read(&badge).unwrap();
    badge
}

/// The record with associations between what is in it, and an achievement that is not blank.
pub(super) fn issuable_record() -> Value {
    let subject = "/credentialSubject";
    let id = clr()["credentialSubject"]["achievement"][0]["id"].clone();
    let ends = ["sourceId", "targetId"].map(|end| format!("{subject}/association/0/{end}"));
    let record = ends
        .iter()
        .fold(clr(), |record, end| changed(&record, end, id.clone()));
    let blank = format!("{subject}/achievement/0/description");
    let record = changed(&record, &blank, json!("A degree."));
    Clr::read(&record).unwrap();
    record
}
