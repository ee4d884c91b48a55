//! `/credentials/verify` and `/presentations/verify`: every form in which a credential comes, and
//! keys that who asks trusts.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use goodstanding::badges::baked::{Baked, bake};
use goodstanding::vc::did::DidKey;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions};
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::House;
use crate::support::jwt::enveloped;

const ELSEWHERE: &str = "https://far.example/welding";
pub(super) const PNG: &[u8] = include_bytes!("../../fuzz/seeds/png/plain.png");
pub(super) const SVG: &[u8] = include_bytes!("../../fuzz/seeds/svg/plain.svg");

fn asks(house: &House, body: &Value) -> Value {
    let answer = house.verifier().post("/credentials/verify", body);
    answer.is(200).json()
}

fn issued(school: &Actor<'_>, form: &str) -> Value {
    let body = json!({
        "credential": badge(&school.id, ELSEWHERE), "options": { "securing": form },
    });
    let answer = school.post("/credentials/issue", &body).is(201).json();
    answer["verifiableCredential"].clone()
}

fn is_good(report: &Value, what: &str) {
    let words = (&report["verified"], &report["outcome"]);
    assert_eq!(words, (&json!(true), &json!("active")), "{what}: {report}");
}

fn is_forged(report: &Value, what: &str) {
    assert_eq!(report["verified"], false, "{what}: {report}");
    let problem = &report["problemDetails"][0]["code"];
    assert_eq!(problem, "signature-bad", "{what}: {report}");
}

/// A JWT whose claims were changed.
fn forged(jwt: &str) -> String {
    let parts: Vec<&str> = jwt.split('.').collect();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let changed = claims.replace("Welding, level 2", "Welding, level 9");
    assert_ne!(changed, claims);
    format!(
        "{}.{}.{}",
        parts[0],
        URL_SAFE_NO_PAD.encode(changed),
        parts[2]
    )
}

#[test]
fn a_jwt_comes_as_a_string_and_in_an_envelope() {
    let house = House::open();
    let school = house.registrar("school");
    let envelope = issued(&school, "vc+jwt");
    let jwt = enveloped(&envelope);
    is_good(
        &asks(&house, &json!({ "verifiableCredential": envelope })),
        "envelope",
    );
    is_good(
        &asks(&house, &json!({ "verifiableCredential": jwt })),
        "JWT",
    );
    let forged = forged(&jwt);
    is_forged(
        &asks(&house, &json!({ "verifiableCredential": forged })),
        "JWT",
    );
    let mut envelope = envelope;
    envelope["id"] = json!(format!("data:application/vc+jwt,{forged}"));
    is_forged(
        &asks(&house, &json!({ "verifiableCredential": envelope })),
        "envelope",
    );
}

#[test]
fn a_file_comes_in_base64_whatever_it_is() {
    let house = House::open();
    let school = house.registrar("school");
    let json_text = issued(&school, "eddsa-rdfc-2022").to_string();
    let jwt = enveloped(&issued(&school, "vc+jwt"));
    let changed = json_text.replace("Welding, level 2", "Welding, level 9");
    for (text, jwt, is_as_wanted) in [
        (&json_text, &jwt, is_good as fn(&Value, &str)),
        (&changed, &forged(&jwt), is_forged),
    ] {
        for (what, bytes) in [
            ("JSON", text.clone().into_bytes()),
            ("JWT", format!("{jwt}\n").into_bytes()),
            (
                "JSON in PNG",
                bake(PNG, &Baked::Json(text.clone())).unwrap(),
            ),
            (
                "JSON in SVG",
                bake(SVG, &Baked::Json(text.clone())).unwrap(),
            ),
            ("JWT in PNG", bake(PNG, &Baked::Jwt(jwt.clone())).unwrap()),
            ("JWT in SVG", bake(SVG, &Baked::Jwt(jwt.clone())).unwrap()),
        ] {
            let padded = STANDARD.encode(&bytes);
            for media in [padded.trim_end_matches('='), &padded] {
                is_as_wanted(&asks(&house, &json!({ "media": media })), what);
            }
        }
    }
}

#[test]
fn what_holds_no_credential_is_refused_with_its_place() {
    let house = House::open();
    let verifier = house.verifier();
    let refused = |body: &Value| verifier.post("/credentials/verify", body).problem(400);
    let encoded = |bytes: &[u8]| json!({ "media": STANDARD.encode(bytes) });
    let parsing = "https://www.w3.org/TR/vc-data-model#PARSING_ERROR";
    for (body, why) in [
        (json!({ "media": "%" }), "not base64"),
        (json!({ "media": "" }), ""),
        (encoded(PNG), "the image: "),
        (encoded(SVG), "the image: "),
        (encoded(&PNG[..40]), "the image: "),
        (encoded(b"{\"id\": \"a\", \"id\": \"b\"}"), "id"),
        (encoded(b"\xff\xfe"), ""),
    ] {
        let problem = refused(&body);
        assert_eq!(
            (&problem["type"], &problem["pointer"]),
            (&json!(parsing), &json!("/media")),
            "{problem}"
        );
        assert!(text(&problem["detail"]).contains(why), "{problem}");
    }
    let presentation = json!({
        "@context": "https://www.w3.org/ns/credentials/v2", "type": "VerifiablePresentation",
    });
    let problem = refused(&encoded(presentation.to_string().as_bytes()));
    assert!(
        text(&problem["detail"]).contains("/presentations/verify"),
        "{problem}"
    );
    for body in [
        json!({}),
        json!({ "verifiableCredential": {}, "media": "e30=" }),
    ] {
        let problem = refused(&body);
        for member in ["verifiableCredential", "media"] {
            assert!(text(&problem["detail"]).contains(member), "{problem}");
        }
    }
}

/// Somebody whose controller document nobody here has.
struct Stranger {
    id: &'static str,
    key: SigningKey,
}

impl Stranger {
    fn new() -> Self {
        Self {
            id: "did:web:gone.example",
            key: SigningKey::from_seed(&[7; 32]),
        }
    }

    fn badge(&self) -> Value {
        let mut unsigned = badge(self.id, ELSEWHERE);
        unsigned["id"] = json!("urn:uuid:00000000-0000-4000-8000-000000000001");
        unsigned["validFrom"] = json!("2026-01-01T00:00:00Z");
        let method = format!("{}#key-1", self.id);
        let options = ProofOptions {
            created: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            ..ProofOptions::new(&method)
        };
        proof::sign(&unsigned, &options, &self.key).unwrap()
    }
}

fn pinning(badge: &Value, pin: Value) -> Value {
    json!({ "verifiableCredential": badge, "options": { "pinnedKeys": [pin] } })
}

#[test]
fn a_pinned_key_stands_in_for_an_issuer_that_is_gone() {
    let house = House::open();
    let stranger = Stranger::new();
    let badge = stranger.badge();
    let report = asks(&house, &json!({ "verifiableCredential": badge }));
    assert_eq!(report["outcome"], "unreachable", "{report}");
    assert!(
        report.to_string().contains("the policy here forbids it"),
        "{report}"
    );

    let multikey = stranger.key.public().to_multikey();
    let jwk = stranger.key.public().to_jwk();
    for pin in [
        json!({ "controller": stranger.id, "publicKeyMultibase": multikey }),
        json!({ "controller": stranger.id, "publicKeyJwk": jwk,
                "verificationMethod": "did:web:gone.example#key-1" }),
    ] {
        let report = asks(&house, &pinning(&badge, pin));
        is_good(&report, "pinned");
        assert!(report.to_string().contains("key-pinned"), "{report}");
    }

    let other = SigningKey::from_seed(&[8; 32]).public().to_multikey();
    let wrong = json!({ "controller": stranger.id, "publicKeyMultibase": other });
    is_forged(&asks(&house, &pinning(&badge, wrong)), "another key");
    // A key that is pinned for somebody else says nothing of this issuer.
    let other = json!({ "controller": "did:web:other.example", "publicKeyMultibase": multikey });
    let report = asks(&house, &pinning(&badge, other));
    assert_eq!(report["outcome"], "unreachable", "{report}");
    let method = json!({ "controller": stranger.id, "publicKeyMultibase": multikey,
                         "verificationMethod": "did:web:gone.example#key-2" });
    let report = asks(&house, &pinning(&badge, method));
    assert_eq!(report["verified"], false);
    assert_eq!(
        report["problemDetails"][0]["code"], "key-not-pinned",
        "{report}"
    );
}

#[test]
fn a_pin_is_the_only_key_even_of_an_issuer_that_lives_here() {
    let house = House::open();
    let school = house.registrar("school");
    let badge = issued(&school, "eddsa-rdfc-2022");
    let key = SigningKey::from_seed(&[9; 32]).public().to_multikey();
    let pin = json!({ "controller": school.id, "publicKeyMultibase": key });
    is_forged(&asks(&house, &pinning(&badge, pin)), "pinned");
}

#[test]
fn a_pin_that_cannot_be_used_is_named() {
    let house = House::open();
    let key = DidKey::from(SigningKey::from_seed(&[7; 32]).public()).to_string();
    let key = key.strip_prefix("did:key:").unwrap();
    let good = json!({ "controller": "did:web:a.example", "publicKeyMultibase": key });
    let with = |member: &str, value: Value| {
        let mut pin = good.clone();
        pin[member] = value;
        pin
    };
    let private = json!({ "kty": "OKP", "crv": "Ed25519", "d": "AA",
                          "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    for (pins, pointer) in [
        (
            json!([with("controller", json!("school"))]),
            "/0/controller",
        ),
        (
            json!([good, with("verificationMethod", json!("key-1"))]),
            "/1/verificationMethod",
        ),
        (
            json!([with("publicKeyMultibase", json!("z6Mkx"))]),
            "/0/publicKeyMultibase",
        ),
        (json!([with("publicKeyJwk", json!({}))]), "/0"),
        (json!([{ "controller": "did:web:a.example" }]), "/0"),
        (
            json!([{ "controller": "did:web:a.example", "publicKeyJwk": private }]),
            "/0/publicKeyJwk",
        ),
        (json!(vec![good.clone(); 17]), ""),
    ] {
        for (target, member) in [
            ("/credentials/verify", "verifiableCredential"),
            ("/presentations/verify", "verifiablePresentation"),
        ] {
            let body = json!({ member: {}, "options": { "pinnedKeys": pins } });
            let problem = house.verifier().post(target, &body).problem(400);
            let at = format!("/options/pinnedKeys{pointer}");
            assert_eq!(problem["pointer"], at, "{problem}");
        }
    }
    let body = json!({ "verifiableCredential": {}, "options": { "pinnedKeys": vec![good; 16] } });
    house.verifier().post("/credentials/verify", &body).is(200);
}

#[test]
fn the_credential_comes_back_as_it_was_verified() {
    let house = House::open();
    let school = house.registrar("school");
    let badge = issued(&school, "eddsa-rdfc-2022");
    let options = json!({ "returnCredential": true });
    let media = STANDARD.encode(badge.to_string());
    for body in [
        json!({ "verifiableCredential": badge, "options": options }),
        json!({ "media": media, "options": options }),
    ] {
        assert_eq!(asks(&house, &body)["credential"], badge);
    }
    let report = asks(&house, &json!({ "verifiableCredential": badge }));
    assert!(report.get("credential").is_none() && report.get("results").is_none());
}

/// A presentation as a wallet makes it (VC-JOSE-COSE), by a holder who is a key.
fn presented(credential: &Value, holder: &DidKey, key: &SigningKey) -> String {
    let id = holder.to_string();
    let header = json!({ "alg": "EdDSA", "typ": "vp+jwt", "kid": holder.method_url() });
    let claims = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": id,
        "iss": id,
        "aud": "jobs.example",
        "nonce": "c-1",
        "verifiableCredential": [credential],
    });
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[test]
fn a_presentation_comes_as_a_jwt_and_in_an_envelope() {
    let house = House::open();
    let school = house.registrar("school");
    let key = SigningKey::from_seed(&[3; 32]);
    let holder = DidKey::from(key.public());
    let jwt = presented(&issued(&school, "vc+jwt"), &holder, &key);
    let envelope = json!({
        "@context": "https://www.w3.org/ns/credentials/v2",
        "id": format!("data:application/vp+jwt,{jwt}"),
        "type": "EnvelopedVerifiablePresentation",
    });
    let asks = |presentation: &Value, challenge: &str, pins: Value| {
        let body = json!({
            "verifiablePresentation": presentation,
            "options": {
                "challenge": challenge, "domain": "jobs.example", "pinnedKeys": pins,
                "returnPresentation": true,
            },
        });
        let answer = house.verifier().post("/presentations/verify", &body);
        answer.is(200).json()
    };
    for presentation in [json!(jwt), envelope] {
        let report = asks(&presentation, "c-1", json!([]));
        is_good(&report, "as it was asked for");
        assert_eq!(report["presentation"], presentation);
        assert_eq!(report["report"]["holder"], holder.to_string());

        let report = asks(&presentation, "c-2", json!([]));
        assert_eq!(report["verified"], false);
        assert_eq!(
            report["problemDetails"][0]["code"], "challenge-mismatch",
            "{report}"
        );

        let other = SigningKey::from_seed(&[4; 32]).public().to_multikey();
        let pin = json!([{ "controller": holder.to_string(), "publicKeyMultibase": other }]);
        is_forged(&asks(&presentation, "c-1", pin), "by another key");
    }
}
