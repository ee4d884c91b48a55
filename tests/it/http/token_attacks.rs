//! Tokens that somebody bent, stole or made up, each of them refused, and why.

mod scene;

use serde_json::{Value, json};

use crate::support::client::{Answer, Call};
use crate::support::oauth::opened;
use scene::{Scene, hs256, swapped};

/// A request that must not get through: a name, how it is made, the status that it is answered
/// with, and what `WWW-Authenticate` says, where it says that.
type Attack = (&'static str, fn(&Scene) -> Call, u16, Option<&'static str>);

const INVALID: Option<&str> = Some("invalid_token");
const SCOPE: Option<&str> = Some("insufficient_scope");

/// How a token arrives.
#[rustfmt::skip]
const TRANSPORT: &[Attack] = &[
    ("no token", |s| s.update(), 401, None),
    ("in the query", |s| s.at(&format!("{}/updates?access_token={}", s.list, s.good)), 401, None),
    ("in the form", |s| s.at(&format!("{}/updates", s.list)).body("application/x-www-form-urlencoded", format!("access_token={}", s.good)), 401, None),
    ("in a cookie", |s| s.update().header("Cookie", format!("access_token={}", s.good)), 401, None),
    ("for a proxy", |s| s.update().header("Proxy-Authorization", format!("Bearer {}", s.good)), 401, None),
    ("as Basic", |s| s.header(format!("Basic {}", s.good)), 401, INVALID),
    ("as DPoP", |s| s.header(format!("DPoP {}", s.good)), 401, INVALID),
    ("a scheme alone", |s| s.header("Bearer"), 401, INVALID),
    ("an empty token", |s| s.header("Bearer "), 401, INVALID),
    ("no scheme", |s| s.header(s.good.clone()), 401, INVALID),
    ("a tab behind the scheme", |s| s.header(format!("Bearer\t{}", s.good)), 401, INVALID),
    ("a tab before the token", |s| s.header(format!("Bearer \t{}", s.good)), 401, INVALID),
    ("quoted", |s| s.header(format!("Bearer \"{}\"", s.good)), 401, INVALID),
    ("with more behind it", |s| s.header(format!("Bearer {} x", s.good)), 401, INVALID),
    ("twice in a header", |s| s.header(format!("Bearer {0}, Bearer {0}", s.good)), 401, INVALID),
    ("two headers", |s| s.bearer(&s.good).token(&s.good), 400, Some("invalid_request")),
    ("a good and a bad header", |s| s.bearer(&s.good).token("x"), 400, Some("invalid_request")),
    ("not ASCII", |s| s.header(format!("Bearer {}ä", s.good).into_bytes()), 401, INVALID),
    ("longer than any", |s| s.bearer(&format!("{}{}", s.good, "A".repeat(16 << 10))), 401, INVALID),
    ("percent-encoded", |s| s.bearer(&s.good.replace('.', "%2E")), 401, INVALID),
    ("in upper case", |s| s.bearer(&s.good.to_uppercase()), 401, INVALID),
    ("padded", |s| s.bearer(&format!("{}==", s.good)), 401, INVALID),
    ("with a fourth part", |s| s.bearer(&format!("{}.", s.good)), 401, INVALID),
    ("with two parts", |s| s.bearer(s.good.rsplit_once('.').unwrap().0), 401, INVALID),
    ("a JWE", |s| s.bearer(&format!("{}.e30.e30", s.good)), 401, INVALID),
];

/// What stands in the header, by somebody who has no key of ours.
#[rustfmt::skip]
const HEADERS: &[Attack] = &[
    ("alg none", |s| s.bearer(&unsigned(s, "none")), 401, INVALID),
    ("alg NonE", |s| s.bearer(&unsigned(s, "NonE")), 401, INVALID),
    ("an empty alg", |s| s.bearer(&unsigned(s, "")), 401, INVALID),
    ("no signature", |s| s.bearer(&format!("{}.", s.good.rsplit_once('.').unwrap().0)), 401, INVALID),
    ("HS256 by the bytes of our public key", |s| s.bearer(&hs256(&s.header_of(json!({"alg": "HS256"})), &s.claims(json!({})), &s.our_key())), 401, INVALID),
    ("HS256 by the JWK of our public key", |s| s.bearer(&hs256(&s.header_of(json!({"alg": "HS256"})), &s.claims(json!({})), s.our_jwk().as_bytes())), 401, INVALID),
    ("alg ES256", |s| s.forged(json!({"alg": "ES256"})), 401, INVALID),
    ("alg RS256", |s| s.forged(json!({"alg": "RS256"})), 401, INVALID),
    ("alg PS256", |s| s.forged(json!({"alg": "PS256"})), 401, INVALID),
    ("no alg", |s| s.forged(json!({"alg": null})), 401, INVALID),
    ("alg as a number", |s| s.forged(json!({"alg": 1})), 401, INVALID),
    ("a key of their own under our kid", |s| s.forged(json!({})), 401, INVALID),
    ("a key of their own in jwk", |s| s.forged(json!({"jwk": s.their_jwk()})), 401, INVALID),
    ("a key of their own in jwk alone", |s| s.forged(json!({"jwk": s.their_jwk(), "kid": null})), 401, INVALID),
    ("a key of their own at jku", |s| s.forged(json!({"jku": "https://evil.example/jwks"})), 401, INVALID),
    ("a key of their own at x5u", |s| s.forged(json!({"x5u": "https://evil.example/x"})), 401, INVALID),
    ("a certificate of their own", |s| s.forged(json!({"x5c": ["MIIB"]})), 401, INVALID),
    ("no kid", |s| s.forged(json!({"kid": null})), 401, INVALID),
    ("an empty kid", |s| s.forged(json!({"kid": ""})), 401, INVALID),
    ("a kid that climbs", |s| s.forged(json!({"kid": "../../../../dev/null"})), 401, INVALID),
    ("a kid that asks a database", |s| s.forged(json!({"kid": "x' UNION SELECT 'k'; --"})), 401, INVALID),
    ("a kid elsewhere", |s| s.forged(json!({"kid": "https://evil.example/#key-1"})), 401, INVALID),
    ("a kid of did:key", |s| s.forged(json!({"kid": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"})), 401, INVALID),
    ("a kid of the profile's key", |s| s.forged(json!({"kid": "did:web:registry.example:profiles:school#key-1-jwk"})), 401, INVALID),
    ("crit", |s| s.forged(json!({"crit": ["exp"], "exp": 1})), 401, INVALID),
    ("an empty crit", |s| s.forged(json!({"crit": []})), 401, INVALID),
    ("b64 false", |s| s.forged(json!({"b64": false, "crit": ["b64"]})), 401, INVALID),
    ("zip", |s| s.forged(json!({"zip": "DEF"})), 401, INVALID),
    ("a private key in jwk", |s| s.forged(json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "d": "AA"}})), 401, INVALID),
    ("alg twice", |s| s.by_nobody(r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt"}"#, "{}"), 401, INVALID),
    ("a header that is no JSON", |s| s.by_nobody("EdDSA", "{}"), 401, INVALID),
    ("a header that is an array", |s| s.by_nobody("[]", "{}"), 401, INVALID),
    ("a deep header", |s| s.by_nobody(&format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)), "{}"), 401, INVALID),
];

/// What is bent of a good token without its key.
#[rustfmt::skip]
const BENT: &[Attack] = &[
    ("a bit of the signature", |s| s.bearer(&flipped(&s.good, 2)), 401, INVALID),
    ("a bit of the payload", |s| s.bearer(&flipped(&s.good, 1)), 401, INVALID),
    ("a bit of the header", |s| s.bearer(&flipped(&s.good, 0)), 401, INVALID),
    ("the payload of another", |s| s.bearer(&swapped(&s.good, &s.foreign, 1)), 401, INVALID),
    ("the signature of another", |s| s.bearer(&swapped(&s.good, &s.foreign, 2)), 401, INVALID),
    ("half of the signature", |s| s.bearer(&s.good[..s.good.len() - 43]), 401, INVALID),
    ("spare bits of the signature", |s| s.bearer(&spare_bits(&s.good)), 401, INVALID),
];

/// What the registry's own key signed, and what is no access token, or not this one.
#[rustfmt::skip]
const OURS: &[Attack] = &[
    ("a statement about standing", |s| s.ours("standing+jwt", json!({})), 401, INVALID),
    ("an entity statement", |s| s.ours("entity-statement+jwt", json!({})), 401, INVALID),
    ("a JWT", |s| s.ours("JWT", json!({})), 401, INVALID),
    ("AT+JWT", |s| s.ours("AT+JWT", json!({})), 401, INVALID),
    ("application/at+jwt", |s| s.ours("application/at+jwt", json!({})), 401, INVALID),
    ("the registry's federation entity", |s| s.bearer(&s.fetched("/.well-known/openid-federation", "*/*")), 401, INVALID),
    ("a list that the profile signed", |s| s.bearer(&s.fetched(&s.list, "application/vc+jwt")), 401, INVALID),
    ("another issuer", |s| s.ours("at+jwt", json!({"iss": "https://other.example"})), 401, INVALID),
    ("an issuer with a slash", |s| s.ours("at+jwt", json!({"iss": format!("{}/", s.house.origin())})), 401, INVALID),
    ("another audience", |s| s.ours("at+jwt", json!({"aud": "https://other.example"})), 401, INVALID),
    ("another audience besides", |s| s.ours("at+jwt", json!({"aud": [s.house.origin(), "https://other.example"]})), 401, INVALID),
    ("an empty audience", |s| s.ours("at+jwt", json!({"aud": []})), 401, INVALID),
    ("no audience", |s| s.ours("at+jwt", json!({"aud": null})), 401, INVALID),
    ("no exp", |s| s.ours("at+jwt", json!({"exp": null})), 401, INVALID),
    ("exp now", |s| s.ours("at+jwt", json!({"exp": s.now()})), 401, INVALID),
    ("exp with a fraction", |s| s.ours("at+jwt", json!({"exp": s.now() as f64 + 60.5})), 401, INVALID),
    ("exp below zero", |s| s.ours("at+jwt", json!({"exp": -1})), 401, INVALID),
    ("a huge exp", |s| s.ours("at+jwt", json!({"exp": u64::MAX})), 401, INVALID),
    ("exp in ten years", |s| s.ours("at+jwt", json!({"exp": s.now() + 315_360_000})), 401, INVALID),
    ("exp as text", |s| s.ours("at+jwt", json!({"exp": (s.now() + 60).to_string()})), 401, INVALID),
    ("nbf to come", |s| s.ours("at+jwt", json!({"nbf": s.now() + 60})), 401, INVALID),
    ("iat to come", |s| s.ours("at+jwt", json!({"iat": s.now() + 60})), 401, INVALID),
    ("no iat", |s| s.ours("at+jwt", json!({"iat": null})), 401, INVALID),
    ("another sub", |s| s.ours("at+jwt", json!({"sub": s.other.id})), 401, INVALID),
    ("a sub that is nobody", |s| s.ours("at+jwt", json!({"sub": "operator"})), 401, INVALID),
    ("no sub", |s| s.ours("at+jwt", json!({"sub": null})), 401, INVALID),
    ("a client that is nobody", |s| s.ours("at+jwt", json!({"sub": "0".repeat(32), "client_id": "0".repeat(32)})), 401, INVALID),
    ("a client of another tenant", |s| s.ours("at+jwt", json!({"sub": s.other.id, "client_id": s.other.id})), 401, INVALID),
    ("another profile", |s| s.ours("at+jwt", json!({"profile": format!("{}/profiles/other", s.house.origin())})), 401, INVALID),
    ("the registry itself", |s| s.ours("at+jwt", json!({"profile": null})), 401, INVALID),
    ("no jti", |s| s.ours("at+jwt", json!({"jti": null})), 401, INVALID),
    ("a jti of another form", |s| s.ours("at+jwt", json!({"jti": "../x"})), 401, INVALID),
    ("no scope", |s| s.ours("at+jwt", json!({"scope": null})), 401, INVALID),
    ("a scope that is none", |s| s.ours("at+jwt", json!({"scope": "admin"})), 401, INVALID),
    ("an empty scope", |s| s.ours("at+jwt", json!({"scope": ""})), 403, SCOPE),
    ("another scope", |s| s.ours("at+jwt", json!({"scope": "read"})), 403, SCOPE),
    ("a scope of another path", |s| s.ours("at+jwt", json!({"scope": "write:/status"})), 403, SCOPE),
    ("a scope to read the path", |s| s.ours("at+jwt", json!({"scope": "read:/status-lists"})), 403, SCOPE),
    ("a scope wider than its client's", |s| {
        let token = s.signed("at+jwt", json!({"scope": "keys:write"}));
        s.at("/profiles/school/keys").token(&token)
    }, 403, SCOPE),
    ("the operator's scope", |s| {
        let token = s.signed("at+jwt", json!({"scope": "registry:write"}));
        s.at("/tokens").token(&token).json(&json!({}))
    }, 403, None),
    ("the list of another tenant", |s| s.house.call("POST", &format!("{}/updates", s.foreign_list)).token(&s.good).json(&json!({"updates": [{"index": s.foreign_index, "status": 1}]})), 403, None),
    ("a good token of another tenant", |s| s.bearer(&s.foreign), 403, None),
    ("a token of another instance under our name", |s| s.bearer(&s.of_another_instance()), 401, INVALID),
];

/// What somebody holds who was let in once, or for something else.
#[rustfmt::skip]
const HELD: &[Attack] = &[
    ("of a client that was removed", |s| s.held(|s, id| s.decides(id, "remove", json!({}))), 401, INVALID),
    ("of a client that was rejected", |s| s.held(|s, id| s.decides(id, "reject", json!({}))), 401, INVALID),
    ("of a client whose role was changed", |s| s.held(|s, id| s.decides(id, "approve", json!({"role": "endorser"}))), 403, SCOPE),
    ("of a client whose scope was narrowed", |s| s.held(|s, id| s.decides(id, "approve", json!({"role": "list-manager", "scope": "read"}))), 403, SCOPE),
    ("of a client whose role may only read the log", |s| s.held(|s, id| s.decides(id, "approve", json!({"role": "auditor"}))), 403, SCOPE),
    ("that was revoked", |s| s.revoked(), 401, INVALID),
    ("an assertion", |s| s.bearer(&s.assertion()), 401, INVALID),
    ("a client's secret", |s| s.bearer(&s.other.secret), 401, INVALID),
    ("a registration token", |s| s.bearer(&s.other.registration), 401, INVALID),
    ("a client's name", |s| s.bearer(&s.other.id), 401, INVALID),
    ("a made-up one of those that are kept", |s| s.bearer(&format!("gst_{}", "A".repeat(43))), 401, INVALID),
    ("a kept one without its prefix", |s| s.bearer(s.house.operator_token.trim_start_matches("gst_")), 401, INVALID),
];

/// What a provider elsewhere signed, with its own key, and what only looks like it.
#[rustfmt::skip]
const ELSEWHERE: &[Attack] = &[
    ("an ID token", |s| s.elsewhere("JWT", json!({"aud": "their-client", "nonce": "n"})), 401, INVALID),
    ("of a provider that nobody named", |s| s.elsewhere("at+jwt", json!({"iss": "https://evil.example"})), 401, INVALID),
    ("of the provider's name with a slash", |s| s.elsewhere("at+jwt", json!({"iss": "https://id.example/"})), 401, INVALID),
    ("in our own name", |s| s.elsewhere("at+jwt", json!({"iss": s.house.origin()})), 401, INVALID),
    ("without an issuer", |s| s.elsewhere("at+jwt", json!({"iss": null})), 401, INVALID),
    ("without an end", |s| s.elsewhere("at+jwt", json!({"exp": null})), 401, INVALID),
    ("that is over", |s| s.elsewhere("at+jwt", json!({"exp": s.now()})), 401, INVALID),
    ("that has not begun", |s| s.elsewhere("at+jwt", json!({"nbf": s.now() + 60})), 401, INVALID),
    ("without a subject", |s| s.elsewhere("at+jwt", json!({"sub": null})), 401, INVALID),
    ("of an organisation that is none here", |s| s.elsewhere("at+jwt", json!({"org": "3"})), 401, INVALID),
    ("of two organisations", |s| s.elsewhere("at+jwt", json!({"org": ["1", "2"]})), 401, INVALID),
    ("of no organisation", |s| s.elsewhere("at+jwt", json!({"org": null})), 401, INVALID),
    ("of an organisation that is an object", |s| s.elsewhere("at+jwt", json!({"org": {"1": true}})), 401, INVALID),
    ("of an organisation that has no profile", |s| s.elsewhere("at+jwt", json!({"org": "4"})), 401, INVALID),
    ("of another organisation", |s| s.elsewhere("at+jwt", json!({"org": "2"})), 403, None),
    ("without scopes", |s| s.elsewhere("at+jwt", json!({"scope": null})), 403, SCOPE),
    ("with scopes of its own alone", |s| s.elsewhere("at+jwt", json!({"scope": "openid profile"})), 403, SCOPE),
    ("without a type", |s| s.elsewhere("", json!({})), 401, INVALID),
    ("of another type", |s| s.elsewhere("logout+jwt", json!({})), 401, INVALID),
    ("with a claim twice", |s| s.elsewhere_raw(r#"{"alg":"EdDSA","typ":"JWT","kid":"p1"}"#, &s.provider_claims(json!({})).replacen('{', "{\"org\":\"2\",", 1)), 401, INVALID),
    ("with a payload that is no JSON", |s| s.elsewhere_raw(r#"{"alg":"EdDSA","typ":"JWT","kid":"p1"}"#, "iss=https://id.example"), 401, INVALID),
    ("with a foreign kid", |s| s.elsewhere_raw(r#"{"alg":"EdDSA","typ":"JWT","kid":"p2"}"#, &s.provider_claims(json!({}))), 401, INVALID),
    ("without a kid", |s| s.elsewhere_raw(r#"{"alg":"EdDSA","typ":"JWT"}"#, &s.provider_claims(json!({}))), 401, INVALID),
    ("with crit", |s| s.elsewhere_raw(r#"{"alg":"EdDSA","typ":"JWT","kid":"p1","crit":["x"],"x":1}"#, &s.provider_claims(json!({}))), 401, INVALID),
    ("with another jwk", |s| s.elsewhere_raw(&format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"p1","jwk":{}}}"#, s.their_jwk()), &s.provider_claims(json!({}))), 401, INVALID),
    ("with alg none", |s| s.elsewhere_raw(r#"{"alg":"none","typ":"JWT","kid":"p1"}"#, &s.provider_claims(json!({}))), 401, INVALID),
    ("with HS256 by its public key", |s| s.bearer(&hs256(r#"{"alg":"HS256","typ":"JWT","kid":"p1"}"#, &s.provider_claims(json!({})), s.provider_key().verifying_key().as_bytes())), 401, INVALID),
    ("with an algorithm that it does not sign with", |s| s.elsewhere_raw(r#"{"alg":"ES256","typ":"JWT","kid":"p1"}"#, &s.provider_claims(json!({}))), 401, INVALID),
];

#[test]
fn nothing_gets_through_that_is_bent() {
    let scene = Scene::set();
    scene.good_tokens_get_through();
    let before = scene.statuses();
    let all = [TRANSPORT, HEADERS, BENT, OURS, HELD, ELSEWHERE];
    let count: usize = all.iter().map(|attacks| attacks.len()).sum();
    assert!(count >= 60, "{count}");
    for (name, make, status, error) in all.into_iter().flatten() {
        check(name, &make(&scene).send(), *status, *error);
    }
    assert_eq!(scene.statuses(), before);
    scene.good_tokens_get_through();
}

#[test]
fn a_token_ends_with_its_time_and_with_its_key() {
    let scene = Scene::set();
    scene.good_tokens_get_through();
    let path = "/keys/key-1/revoke";
    let since = json!({ "since": scene.house.now() });
    let operator = scene.house.operator();
    let signed = opened(&scene.good)[0]["kid"].clone();
    assert!(signed.as_str().unwrap().contains("key-1"), "{signed}");
    scene.house.wait(599);
    scene.bearer(&scene.good).send().is(200);
    operator.post(path, &since).is(200);
    check(
        "its key was lost",
        &scene.bearer(&scene.good).send(),
        401,
        INVALID,
    );

    let scene = Scene::set();
    scene.house.wait(600);
    check(
        "its time is over",
        &scene.bearer(&scene.good).send(),
        401,
        INVALID,
    );
}

/// Schemes are names, and names are of either case (RFC 9110 section 11.1).
#[test]
fn what_is_spelled_otherwise_and_means_the_same_gets_through() {
    let scene = Scene::set();
    for header in ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}"] {
        scene
            .header(header.replace("{}", &scene.good))
            .send()
            .is(200);
    }
}

#[track_caller]
fn check(name: &str, answer: &Answer, status: u16, error: Option<&str>) {
    assert_eq!(answer.status, status, "{name}: {}", answer.text());
    let challenge = answer.header("www-authenticate");
    match error {
        Some(error) => {
            let said = challenge.unwrap_or_else(|| panic!("{name}: no challenge"));
            assert!(said.starts_with("Bearer realm="), "{name}: {said}");
            assert!(
                said.contains(&format!("error=\"{error}\"")),
                "{name}: {said}"
            );
        }
        None if status == 401 => {
            assert_eq!(challenge, Some("Bearer realm=\"goodstanding\""), "{name}")
        }
        None => assert_eq!(challenge, None, "{name}"),
    }
    let problem = answer.problem(status);
    assert!(
        !problem.to_string().contains("eyJ"),
        "{name}: a token is not repeated: {problem}"
    );
}

fn unsigned(scene: &Scene, algorithm: &str) -> String {
    let [_, payload, _] = scene::parts(&scene.good);
    let header = scene::coded(scene.header_of(json!({ "alg": algorithm })));
    format!("{header}.{payload}.")
}

/// One bit of a part, of the bytes that it codes.
fn flipped(token: &str, part: usize) -> String {
    let mut parts = scene::parts(token).map(str::to_owned);
    let mut bytes = scene::decoded(&parts[part]);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    parts[part] = scene::coded(bytes);
    parts.join(".")
}

/// The same bytes with bits set behind the last of them, which lenient readers overlook.
fn spare_bits(token: &str) -> String {
    let last = token.chars().last().unwrap();
    // 64 bytes leave four bits of the last character: those of A, Q, g and w are zeros.
    let other = match last {
        'A' => 'B',
        'Q' => 'R',
        'g' => 'h',
        'w' => 'x',
        other => panic!("{other} ends no signature of 64 bytes"),
    };
    format!("{}{other}", &token[..token.len() - 1])
}

/// So that the table says what it means.
#[test]
fn the_header_of_a_token_is_what_is_forged() {
    let scene = Scene::set();
    let [header, claims] = opened(&scene.good);
    assert_eq!(header["typ"], "at+jwt");
    let again: Value = serde_json::from_str(&scene.header_of(json!({}))).unwrap();
    assert_eq!(again, header);
    let again: Value = serde_json::from_str(&scene.claims(json!({}))).unwrap();
    assert_eq!(again, claims);
}
