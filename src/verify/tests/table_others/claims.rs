//! Claims of JWTs that say something else than the credential, and payloads that are none.

use super::jwts::{Jwt, deep};
use super::*;

/// A row that changes one claim or member and signs again.
fn claim(
    name: &'static str,
    good: impl Fn() -> Jwt,
    claim: &str,
    value: Value,
    expected: Wanted,
) -> Row {
    let change = |jwt: &mut Jwt| match value {
        Value::Null => without(&mut jwt.payload, claim),
        value => jwt.payload[claim] = value,
    };
    row(name, good, change, expected)
}

pub(super) fn rows() -> Vec<Row> {
    [names(), dates(), payloads()]
        .into_iter()
        .flatten()
        .collect()
}

fn names() -> Vec<Row> {
    use Jwt as J;
    let missing = || refused("jwt-claim-missing");
    vec![
        claim(
            "iss is another",
            J::vc_jwt,
            "iss",
            json!(forger().id),
            refused("jwt-iss-mismatch"),
        ),
        claim(
            "iss with a slash more",
            J::vc_jwt,
            "iss",
            json!("https://college.example/profile/"),
            refused("jwt-iss-mismatch"),
        ),
        claim(
            "iss is an array",
            J::vc_jwt,
            "iss",
            json!([college().id]),
            refused("jwt-claim"),
        ),
        claim(
            "iss need not be beside the issuer",
            J::vc_jwt,
            "iss",
            Value::Null,
            good(),
        ),
        claim(
            "Open Badges require iss",
            J::open_badges,
            "iss",
            Value::Null,
            missing(),
        ),
        claim(
            "iss is not the issuer in vc",
            J::claim,
            "iss",
            json!(forger().id),
            refused("jwt-iss-mismatch"),
        ),
        claim(
            "jti is another",
            J::vc_jwt,
            "jti",
            json!("urn:uuid:1"),
            refused("jwt-jti-mismatch"),
        ),
        claim(
            "Open Badges require jti",
            J::open_badges,
            "jti",
            Value::Null,
            missing(),
        ),
        claim(
            "jti is not the id in vc",
            J::claim,
            "jti",
            json!("urn:uuid:1"),
            refused("jwt-jti-mismatch"),
        ),
        claim(
            "sub is another",
            J::vc_jwt,
            "sub",
            json!("did:example:thief"),
            refused("jwt-sub-mismatch"),
        ),
        claim(
            "Open Badges require sub",
            J::open_badges,
            "sub",
            Value::Null,
            missing(),
        ),
        claim(
            "sub is not the subject in vc",
            J::claim,
            "sub",
            json!("did:example:thief"),
            refused("jwt-sub-mismatch"),
        ),
        row(
            "sub is one of two subjects",
            J::vc_jwt,
            |jwt| {
                let subject = jwt.payload["credentialSubject"].take();
                let mut other = subject.clone();
                other["id"] = json!("did:example:thief");
                jwt.payload["credentialSubject"] = json!([subject, other]);
            },
            refused("jwt-sub-mismatch"),
        ),
        row(
            "the issuer is another than iss",
            J::open_badges,
            |jwt| jwt.payload["issuer"]["id"] = json!(forger().id),
            refused("jwt-iss-mismatch"),
        ),
    ]
}

fn dates() -> Vec<Row> {
    use Jwt as J;
    let begin = seconds("2026-01-01T00:00:00Z");
    let later = seconds("2027-01-01T00:00:00Z");
    let past = seconds("2026-05-01T00:00:00Z");
    let until = |exp: Option<i64>| {
        move |jwt: &mut Jwt| {
            jwt.payload["validUntil"] = json!("2027-01-01T00:00:00Z");
            if let Some(exp) = exp {
                jwt.payload["exp"] = json!(exp);
            }
        }
    };
    let mismatch = || refused("jwt-nbf-mismatch");
    vec![
        claim(
            "nbf is a second late",
            J::open_badges,
            "nbf",
            json!(begin + 1),
            mismatch(),
        ),
        claim(
            "nbf is a second early",
            J::vc_jwt,
            "nbf",
            json!(begin - 1),
            mismatch(),
        ),
        claim(
            "nbf is not the date in vc",
            J::claim,
            "nbf",
            json!(begin + 1),
            mismatch(),
        ),
        claim(
            "nbf has a fraction",
            J::open_badges,
            "nbf",
            json!(begin as f64 + 0.5),
            good(),
        ),
        claim(
            "Open Badges require nbf",
            J::open_badges,
            "nbf",
            Value::Null,
            refused("jwt-claim-missing"),
        ),
        claim(
            "nbf is a text",
            J::vc_jwt,
            "nbf",
            json!(begin.to_string()),
            refused("jwt-claim"),
        ),
        claim(
            "nbf is beyond all years",
            J::vc_jwt,
            "nbf",
            json!(1e300),
            refused("jwt-claim"),
        ),
        claim(
            "exp is beyond all integers",
            J::vc_jwt,
            "exp",
            json!(u64::MAX),
            refused("jwt-claim"),
        ),
        claim(
            "an end that the JWT alone has",
            J::open_badges,
            "exp",
            json!(later),
            good(),
        ),
        claim(
            "a past end that the JWT alone has",
            J::open_badges,
            "exp",
            json!(past),
            proved(Outcome::Expired, "expired", ""),
        ),
        claim(
            "a past end of the signature alone",
            J::vc_jwt,
            "exp",
            json!(past),
            proved(Outcome::Expired, "expired", ""),
        ),
        row(
            "Open Badges require exp",
            J::open_badges,
            until(None),
            refused("jwt-claim-missing"),
        ),
        row(
            "exp is a second late",
            J::open_badges,
            until(Some(later + 1)),
            refused("jwt-exp-mismatch"),
        ),
        row(
            "exp and the end agree",
            J::open_badges,
            until(Some(later)),
            good(),
        ),
        claim(
            "it is made in the future",
            J::vc_jwt,
            "iat",
            json!(later),
            proved(Outcome::NotYetValid, "not-yet-valid", ""),
        ),
        claim(
            "iat is a text",
            J::vc_jwt,
            "iat",
            json!("now"),
            refused("jwt-claim"),
        ),
    ]
}

fn payloads() -> Vec<Row> {
    use Jwt as J;
    let raw = |name, change: fn(String) -> String, expected| {
        let spoil = |jwt: &mut Jwt| jwt.raw_payload = Some(change(jwt.payload.to_string()));
        row(name, Jwt::vc_jwt, spoil, expected)
    };
    let malformed = || refused("jwt-malformed");
    vec![
        raw(
            "the payload is an array",
            |text| format!("[{text}]"),
            malformed(),
        ),
        raw(
            "the payload is a text",
            |_| "\"badge\"".to_owned(),
            malformed(),
        ),
        raw("there is no payload", |_| String::new(), malformed()),
        raw(
            "the payload ends early",
            |text| text[..text.len() - 1].to_owned(),
            malformed(),
        ),
        raw(
            "a claim stands twice",
            |text| text.replacen('{', r#"{"sub":"did:example:thief","#, 1),
            malformed(),
        ),
        raw(
            "a member stands twice within",
            |text| {
                text.replacen(
                    r#""name":"Welding""#,
                    r#""name":"Flying","name":"Welding""#,
                    1,
                )
            },
            malformed(),
        ),
        raw(
            "the payload is ten thousand levels deep",
            |_| format!(r#"{{"x":{}}}"#, deep()),
            malformed(),
        ),
        raw(
            "the payload is not UTF-8 as it says",
            |text| format!("\u{feff}{text}"),
            malformed(),
        ),
        claim(
            "a member beside the claim vc",
            J::claim,
            "issuer",
            json!(college().id),
            refused("jwt-claim"),
        ),
        claim(
            "a status beside the claim vc",
            J::claim,
            "credentialStatus",
            json!({}),
            refused("jwt-claim"),
        ),
        claim(
            "a claim that nobody knows beside vc",
            J::claim,
            "grade",
            json!(1),
            good(),
        ),
        claim(
            "a claim vc where the payload is the credential",
            J::vc_jwt,
            "vc",
            json!({}),
            refused("jwt-claim"),
        ),
        claim(
            "the claim vc is an array",
            J::claim,
            "vc",
            json!([]),
            refused("jwt-claim"),
        ),
        claim(
            "a presentation beside the credential",
            J::claim,
            "vp",
            json!({}),
            refused("jwt-type"),
        ),
        row(
            "vc where typ says that the payload is the credential",
            J::claim,
            |jwt| jwt.header["typ"] = json!("vc+jwt"),
            refused("jwt-claim"),
        ),
        claim(
            "the type of credentials is missing",
            J::vc_jwt,
            "type",
            json!(["OpenBadgeCredential"]),
            refused_at("malformed", "/type"),
        ),
        row(
            "the end of validity is hidden behind an alias",
            J::vc_jwt,
            |jwt| {
                let iri = "https://www.w3.org/2018/credentials#validUntil";
                let contexts = jwt.payload["@context"].as_array_mut().unwrap();
                contexts.push(json!({"bestBefore": iri}));
                jwt.payload["bestBefore"] = json!("2026-02-01T00:00:00Z");
            },
            refused_at("hidden-member", "/@context/2"),
        ),
    ]
}
