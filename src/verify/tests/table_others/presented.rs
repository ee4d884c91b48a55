//! Presentations as JWTs: by the holder, for whoever asked.

use super::jwts::{Jwt, Sign, by};
use super::*;
use crate::vc::jwt::Envelope;

/// A presentation as a JWT, while it is made.
struct Presented {
    header: Value,
    payload: Value,
    sign: Sign,
}

impl Draft for Presented {
    fn hand_in(self) -> HandedIn {
        let signed = format!(
            "{}.{}",
            base64url(self.header.to_string()),
            base64url(self.payload.to_string())
        );
        let signature = base64url((self.sign)(signed.as_bytes()));
        let mut web = Web::of_college();
        web.world = web.world.with(&learner());
        HandedIn {
            form: Form::Document(json!(format!("{signed}.{signature}"))),
            web: Box::new(web),
            pinned: Vec::new(),
            expected: Expected {
                challenge: Some("n-1"),
                domain: Some("https://jobs.example"),
            },
        }
    }
}

fn learner() -> Actor {
    Actor::named("did:web:learner.example", 5)
}

fn presented() -> Presented {
    let badge = Envelope::Credential.wrap(&Jwt::vc_jwt().text());
    Presented {
        header: json!({"alg": "EdDSA", "typ": "vp+jwt", "kid": learner().method}),
        payload: json!({
            "@context": [CREDENTIALS_V2],
            "type": ["VerifiablePresentation"],
            "holder": learner().id,
            "verifiableCredential": [badge],
            "iss": learner().id,
            "aud": ["https://jobs.example"],
            "nonce": "n-1",
        }),
        sign: by(learner()),
    }
}

fn claim(name: &'static str, claim: &str, value: Value, expected: Wanted) -> Row {
    let change = |jwt: &mut Presented| match value {
        Value::Null => without(&mut jwt.payload, claim),
        value => jwt.payload[claim] = value,
    };
    row(name, presented, change, expected)
}

pub(super) fn rows() -> Vec<Row> {
    let past = seconds("2026-05-01T00:00:00Z");
    let domain = || refused("domain-mismatch");
    vec![
        claim(
            "it answers another challenge",
            "nonce",
            json!("n-2"),
            refused("challenge-mismatch"),
        ),
        claim(
            "it answers no challenge",
            "nonce",
            Value::Null,
            refused("challenge-mismatch"),
        ),
        claim(
            "it is meant for another",
            "aud",
            json!("https://forger.example"),
            domain(),
        ),
        claim("it is meant for nobody", "aud", Value::Null, domain()),
        claim(
            "it is meant for a name that begins alike",
            "aud",
            json!("https://jobs.example.forger.example"),
            domain(),
        ),
        claim(
            "it is meant for several",
            "aud",
            json!(["urn:x", "https://jobs.example"]),
            good(),
        ),
        claim("aud is an object", "aud", json!({}), refused("jwt-claim")),
        claim(
            "the holder is another than iss",
            "iss",
            json!("did:web:thief.example"),
            refused("jwt-iss-mismatch"),
        ),
        claim(
            "the holder is no text",
            "holder",
            json!(5),
            refused_at("malformed", "/holder"),
        ),
        row(
            "a thief presents in the holder's name",
            presented,
            |jwt| {
                jwt.header["kid"] = json!(forger().method);
                jwt.sign = by(forger());
            },
            refused("key-of-another"),
        ),
        row(
            "a thief signs with the holder's kid",
            presented,
            |jwt| jwt.sign = by(forger()),
            refused("signature-bad"),
        ),
        row(
            "the issuer presents in the holder's name",
            presented,
            |jwt| {
                jwt.header["kid"] = json!(college().method);
                jwt.sign = by(college());
            },
            refused("key-of-another"),
        ),
        row(
            "a presentation where typ says that it is a credential",
            presented,
            |jwt| jwt.header["typ"] = json!("vc+jwt"),
            refused_at("malformed", "/type"),
        ),
        claim(
            "the presentation is over",
            "exp",
            json!(past),
            proved(Outcome::Expired, "expired", ""),
        ),
        claim(
            "the claim vp in the presentation itself",
            "vp",
            json!({}),
            refused("jwt-claim"),
        ),
    ]
}
