//! Members that are missing or cannot be what they are (VCDM 2.0 section 4, VCDM 1.1 sections 4
//! and 5).

use super::makers::*;
use super::*;

pub(super) fn rows() -> Vec<Row> {
    [contexts(), names(), dates(), subjects(), statuses(), odd()]
        .into_iter()
        .flatten()
        .collect()
}

fn contexts() -> Vec<Row> {
    table! {
        Badge Signer {
            "no context at all": |d| drop(cut(d, "/@context")) => refused("malformed", "/@context");
            "the contexts stand the other way round":
                |d| d["@context"] = json!([OPEN_BADGES, CREDENTIALS_V2]) => refused("malformed", "/@context");
            "the context of the data model is missing":
                |d| d["@context"] = json!([OPEN_BADGES]) => refused("malformed", "/@context");
            "the first context is named over http":
                |d| set(d, "/@context/0", json!("http://www.w3.org/ns/credentials/v2")) => refused("malformed", "/@context");
            "the first context has a fragment":
                |d| set(d, "/@context/0", json!("https://www.w3.org/ns/credentials/v2#")) => refused("malformed", "/@context");
            "the first context is written into the document":
                |d| set(d, "/@context/0", json!({"@vocab": "https://www.w3.org/2018/credentials#"})) => refused("malformed", "/@context");
            "the contexts are an empty array": |d| d["@context"] = json!([]) => refused("malformed", "/@context");
            "the contexts are null": |d| d["@context"] = json!(null) => refused("malformed", "/@context");
            "a context is null, which would undo those before it":
                |d| push(d, "/@context", json!(null)) => refused("malformed", "/@context/2");
            "a context is a number": |d| push(d, "/@context", json!(2)) => refused("malformed", "/@context/2");
            "a context is a relative reference":
                |d| push(d, "/@context", json!("badges/context.json")) => refused("malformed", "/@context/2");
            "contexts stand in an array of their own":
                |d| push(d, "/@context", json!([OPEN_BADGES])) => refused("malformed", "/@context/2");
            "both data models at once":
                |d| push(d, "/@context", json!(CREDENTIALS_V1)) => refused("not-signable", "/@context/2");
        }
    }
}

fn names() -> Vec<Row> {
    table! {
        Badge Signer {
            "no type": |d| drop(cut(d, "/type")) => refused("malformed", "/type");
            "the type of all credentials is missing":
                |d| d["type"] = json!(["OpenBadgeCredential"]) => refused("malformed", "/type");
            "the type in another case":
                |d| set(d, "/type/0", json!("verifiableCredential")) => refused("malformed", "/type");
            "a type is a number": |d| push(d, "/type", json!(3)) => refused("malformed", "/type/2");
            "a type is null": |d| push(d, "/type", json!(null)) => refused("malformed", "/type/2");
            "no issuer": |d| drop(cut(d, "/issuer")) => refused("malformed", "/issuer");
            "the issuer is null": |d| d["issuer"] = json!(null) => refused("malformed", "/issuer");
            "two issuers":
                |d| d["issuer"] = json!([college().id, forger().id]) => refused("malformed", "/issuer");
            "one issuer, in an array":
                |d| d["issuer"] = json!([d["issuer"].clone()]) => refused("malformed", "/issuer");
            "the issuer is a name": |d| d["issuer"] = json!("College") => refused("malformed", "/issuer");
            "the issuer has no id": |d| drop(cut(d, "/issuer/id")) => refused("malformed", "/issuer/id");
            "the issuer's id is an object":
                |d| set(d, "/issuer/id", json!({"id": college().id})) => refused("malformed", "/issuer/id");
            "the issuer's id begins with a space":
                |d| set(d, "/issuer/id", json!(format!(" {}", college().id))) => refused("malformed", "/issuer/id");
            "the issuer's id ends with a line":
                |d| set(d, "/issuer/id", json!(format!("{}\n", college().id))) => refused("malformed", "/issuer/id");
            "the id has a space": |d| d["id"] = json!("https://college.example/badges/1 2") => refused("malformed", "/id");
            "the id is relative": |d| d["id"] = json!("badges/1") => refused("malformed", "/id");
            "the id is empty": |d| d["id"] = json!("") => refused("malformed", "/id");
            "the id is null": |d| d["id"] = json!(null) => refused("malformed", "/id");
            "the id is an array": |d| d["id"] = json!([d["id"].clone()]) => refused("malformed", "/id");
            "the id is a blank node label": |d| d["id"] = json!("_:b0") => refused("malformed", "/id");
            "a member is null": |d| d["name"] = json!(null) => refused("not-signable", "/name");
            "a member within is null":
                |d| set(d, "/credentialSubject/achievement/description", json!(null)) => refused("not-signable", "/credentialSubject/achievement/description");
            "the id of the achievement is relative":
                |d| set(d, "/credentialSubject/achievement/id", json!("welding")) => refused("not-signable", "/credentialSubject/achievement/id");
        }
    }
}

fn dates() -> Vec<Row> {
    table! {
        Badge Signer {
            "a date without a time zone": |d| d["validFrom"] = json!("2026-01-01T00:00:00") => refused("malformed", "/validFrom");
            "a date without a time": |d| d["validUntil"] = json!("2027-01-01") => refused("malformed", "/validUntil");
            "a date that no year has": |d| d["validUntil"] = json!("2027-02-29T00:00:00Z") => refused("malformed", "/validUntil");
            "an hour that no day has": |d| d["validUntil"] = json!("2027-02-28T25:00:00Z") => refused("malformed", "/validUntil");
            "an hour that is the next day's": |d| d["validUntil"] = json!("2027-02-28T24:00:00Z") => refused("malformed", "/validUntil");
            "a second that is none": |d| d["validUntil"] = json!("2027-02-28T23:59:61Z") => refused("malformed", "/validUntil");
            "a date with a space after it": |d| d["validUntil"] = json!("2027-02-28T00:00:00Z ") => refused("malformed", "/validUntil");
            "a date in seconds since 1970": |d| d["validUntil"] = json!(1_798_761_600) => refused("malformed", "/validUntil");
            "an end that is null": |d| d["validUntil"] = json!(null) => refused("malformed", "/validUntil");
            "an end in an array":
                |d| d["validUntil"] = json!(["2027-01-01T00:00:00Z"]) => refused("malformed", "/validUntil");
            "the end is before the beginning":
                |d| d["validUntil"] = json!("2025-12-31T00:00:00Z") => refused("malformed", "/validUntil");
            "a date of the older data model": |d| rename(d, "/validFrom", "issuanceDate") => refused("malformed", "/issuanceDate");
            "an end of the older data model": |d| rename(d, "/validUntil", "expirationDate") => refused("malformed", "/expirationDate");
            "its period is over":
                |d| d["validUntil"] = json!("2026-05-31T23:59:59Z") => not_in_force(Outcome::Expired, "expired", "/validUntil");
            "its period ends now":
                |d| d["validUntil"] = json!("2026-06-01T02:00:00+02:00") => not_in_force(Outcome::Expired, "expired", "/validUntil");
            "its period has not begun":
                |d| d["validFrom"] = json!("2026-06-01T00:00:00.001Z") => not_in_force(Outcome::NotYetValid, "not-yet-valid", "/validFrom");
        }
        Badge Stranger {
            "a stranger takes the end away": |d| drop(cut(d, "/validUntil")) => refused("signature-bad", "/proof");
            "a stranger empties the end": |d| d["validUntil"] = json!([]) => refused("malformed", "/validUntil");
            "a stranger writes the end in another case": |d| rename(d, "/validUntil", "validuntil") => refused("not-signable", "/validuntil");
        }
        Old Signer {
            "a date of the newer data model": |d| rename(d, "/expirationDate", "validUntil") => refused("malformed", "/validUntil");
            "nobody says when it was issued": |d| drop(cut(d, "/issuanceDate")) => refused("malformed", "/issuanceDate");
            "it expired before it was issued":
                |d| d["expirationDate"] = json!("2025-12-31T00:00:00Z") => refused("malformed", "/expirationDate");
            "an older credential is over":
                |d| d["expirationDate"] = json!("2026-02-01T00:00:00Z") => not_in_force(Outcome::Expired, "expired", "/expirationDate");
            "an older credential has not begun":
                |d| d["issuanceDate"] = json!("2026-12-01T00:00:00Z") => not_in_force(Outcome::NotYetValid, "not-yet-valid", "/issuanceDate");
        }
    }
}

fn subjects() -> Vec<Row> {
    table! {
        Badge Signer {
            "no subject": |d| drop(cut(d, "/credentialSubject")) => refused("malformed", "/credentialSubject");
            "an empty array of subjects": |d| d["credentialSubject"] = json!([]) => refused("malformed", "/credentialSubject");
            "a subject of whom nothing is said": |d| d["credentialSubject"] = json!({}) => refused("malformed", "/credentialSubject");
            "a subject that is a text": |d| d["credentialSubject"] = json!("did:example:learner") => refused("malformed", "/credentialSubject");
            "a second subject that is null":
                |d| d["credentialSubject"] = json!([d["credentialSubject"].clone(), null]) => refused("malformed", "/credentialSubject/1");
            "a subject whose id is relative": |d| set(d, "/credentialSubject/id", json!("learner")) => refused("malformed", "/credentialSubject/id");
            "a subject whose id has a tab": |d| set(d, "/credentialSubject/id", json!("did:example:\tlearner")) => refused("malformed", "/credentialSubject/id");
        }
        Endorsement Signer {
            "an endorsement of something without an id":
                |d| drop(cut(d, "/credentialSubject/id")) => refused("malformed", "/credentialSubject");
            "an endorsement whose subject is of another class": |d| {
                cut(d, "/credentialSchema");
                set(d, "/credentialSubject/type", json!(["Profile"]));
            } => refused("malformed", "/credentialSubject");
            "the schema wants a name": |d| drop(cut(d, "/name")) => refused("schema-violated", "");
            "the schema wants a beginning": |d| drop(cut(d, "/validFrom")) => refused("schema-violated", "");
            "the schema wants arrays": |d| set(d, "/credentialSubject/type", json!("EndorsementSubject")) => refused("schema-violated", "/credentialSubject/type");
            "the schema is of another class": |d| set(
                d,
                "/credentialSchema/0/id",
                json!("https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_profile_schema.json"),
            ) => refused("schema-violated", "/type");
            "a schema that nobody knows": |d| set(
                d,
                "/credentialSchema/0/id",
                json!("https://college.example/schema.json"),
            ) => odd_but_good();
        }
    }
}

fn statuses() -> Vec<Row> {
    table! {
        Badge Signer {
            "the status is null": |d| d["credentialStatus"] = json!(null) => refused("malformed", "/credentialStatus");
            "the status is a URL": |d| d["credentialStatus"] = json!(LIST) => refused("malformed", "/credentialStatus");
            "the status has no type": |d| drop(cut(d, "/credentialStatus/type")) => refused("malformed", "/credentialStatus/type");
            "more status entries than are looked at":
                |d| d["credentialStatus"] = json!(vec![d["credentialStatus"].clone(); 33]) => refused("too-many", "/credentialStatus");
            "the status is set":
                |d| d["credentialStatus"] = statuses::entry(LIST, "revocation", 3) => not_in_force(Outcome::Revoked, "revoked", "/credentialStatus");
        }
        Badge Stranger {
            "a stranger takes the status away": |d| drop(cut(d, "/credentialStatus")) => refused("signature-bad", "/proof");
            "a stranger empties the status": |d| d["credentialStatus"] = json!([]) => refused("signature-bad", "/proof");
            "a stranger points to another place in the list":
                |d| set(d, "/credentialStatus/statusListIndex", json!("8")) => refused("signature-bad", "/proof");
            "a stranger writes the status in another case":
                |d| rename(d, "/credentialStatus", "credentialstatus") => refused("not-signable", "/credentialstatus");
        }
    }
}

/// What is no credential at all, and what only looks as if it were none.
fn odd() -> Vec<Row> {
    table! {
        Badge Stranger {
            "a credential in an array": |d| *d = json!([d.clone()]) => refused("malformed", "");
            "null": |d| *d = json!(null) => refused("malformed", "");
            "a number": |d| *d = json!(7) => refused("malformed", "");
            "an empty object": |d| *d = json!({}) => refused("malformed", "/@context");
            "a text": |d| *d = json!("badge") => refused("jwt-malformed", "");
            "the JSON of the credential as a text": |d| *d = json!(d.to_string()) => refused("jwt-malformed", "");
            "a credential within a member": |d| *d = json!({"verifiableCredential": d.clone()}) => refused("malformed", "/@context");
            "an envelope with nothing in it": |d| *d = json!({
                "@context": CREDENTIALS_V2,
                "type": "EnvelopedVerifiableCredential",
                "id": "data:application/vc+sd-jwt,a.b.c",
            }) => refused("envelope-malformed", "");
            "a proven credential that calls itself an envelope":
                |d| push(d, "/type", json!("EnvelopedVerifiableCredential")) => refused("envelope-malformed", "");
            "the members in another order": |d| {
                let members = d.as_object().unwrap().iter().rev();
                *d = Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect());
            } => odd_but_good();
            "the types in another order, and one of them twice": |d| {
                d["type"] = json!(["OpenBadgeCredential", "VerifiableCredential", "OpenBadgeCredential"]);
            } => odd_but_good();
            "a text in arrays of one": |d| d["name"] = json!([["Welding"]]) => odd_but_good();
            "a subject in an array of one":
                |d| d["credentialSubject"] = json!([d["credentialSubject"].clone()]) => odd_but_good();
            "a known context more": |d| push(d, "/@context", json!(crate::vc::contexts::OPEN_BADGES_EXTENSIONS)) => odd_but_good();
            "a known context more that names the same otherwise": |d| push(d, "/@context", json!(crate::vc::contexts::CLR)) => odd_but_good();
            "a context stands twice": |d| push(d, "/@context", json!(OPEN_BADGES)) => odd_but_good();
        }
        Badge Signer {
            "a moment by another clock": |d| d["validUntil"] = json!("2027-01-01T05:45:00.000+05:45") => odd_but_good();
            "an empty array of status entries": |d| d["credentialStatus"] = json!([]) => odd_but_good();
            "neither id nor end": |d| {
                cut(d, "/id");
                cut(d, "/validUntil");
            } => odd_but_good();
        }
    }
}
