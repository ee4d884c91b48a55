//! Credentials and presentations as JWTs, and where their keys stand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::json;
use goodstanding::vc::credential::Credential;
use goodstanding::vc::did::Localhost;
use goodstanding::vc::jwks::{KeySource, key_source, select};
use goodstanding::vc::jws::{Header, Jws};
use goodstanding::vc::jwt::{CLAIMS, CredentialJwt, PresentationJwt, Profile, sign_credential};
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::verifying::{KeyKind, VerifyingKey};
use serde_json::Value;
use url::Url;

use super::{Reached, signing_key};

/// An input is a compact JWS, or JSON of which one is made: `header` and `payload`, a `signature`
/// unless it is to be signed here, and `jwks`. What is taken has one spelling; a signature is good
/// where it was made here, and nowhere else; and whoever reads the payload alone reads the same
/// issuer, id and dates. Its key is looked for at its issuer's and nowhere else.
pub fn run(data: &[u8]) -> Reached {
    let input = json::parse(data).unwrap_or(Value::Null);
    let (text, signed) = match (&input, std::str::from_utf8(data)) {
        (Value::Object(_), _) => made(&input),
        (_, Ok(text)) => (text.to_owned(), false),
        (_, Err(_)) => return Reached::Refused,
    };
    let Ok(jws) = Jws::parse(&text) else {
        return Reached::Refused;
    };
    check_jws(&jws, &text, signed);
    let payload = json::parse(jws.payload()).unwrap_or(Value::Null);
    if let Ok(jwt) = PresentationJwt::parse(&text) {
        let iss = payload["iss"].as_str();
        assert!(iss.is_none() || jwt.holder.as_deref() == iss, "{payload}");
        // Without a typ a document may have the types of both.
        let both = CredentialJwt::parse(&text).is_ok();
        assert!(!both || jwt.header().typ.is_none(), "it is both: {payload}");
        return Reached::Read;
    }
    let Ok(jwt) = CredentialJwt::parse(&text) else {
        return Reached::Refused;
    };
    check_claims(&jwt, &payload);
    check_source(jwt.header(), &jwt.issuer);
    check_set(&input["jwks"], jwt.header(), &jwt.issuer);
    check_written(&jwt);
    Reached::Read
}

/// The JWS that the input describes, and whether its signature was made here. A part that is a
/// text stands for itself, so that it need not be JSON.
fn made(input: &Value) -> (String, bool) {
    let part = |name: &str| match &input[name] {
        Value::String(text) => URL_SAFE_NO_PAD.encode(text),
        value => URL_SAFE_NO_PAD.encode(value.to_string()),
    };
    let text = format!("{}.{}", part("header"), part("payload"));
    match input["signature"].as_str() {
        Some(signature) => (format!("{text}.{signature}"), false),
        None => {
            let signature = URL_SAFE_NO_PAD.encode(signing_key().sign(text.as_bytes()));
            (format!("{text}.{signature}"), true)
        }
    }
}

fn check_jws(jws: &Jws, text: &str, signed: bool) {
    assert_eq!(jws.as_str(), text);
    let parts: Vec<&str> = text.split('.').collect();
    assert_eq!(parts.len(), 3);
    assert_eq!(URL_SAFE_NO_PAD.encode(jws.payload()), parts[1]);
    let header = URL_SAFE_NO_PAD.decode(parts[0]).expect("it was read");
    let header: Value = serde_json::from_slice(&header).expect("it was read");
    let names: &[&str] = match jws.header().algorithm {
        // RFC 9864 gives EdDSA on this curve a name of its own.
        KeyKind::Ed25519 => &["EdDSA", "Ed25519"],
        KeyKind::P256 => &["ES256"],
        KeyKind::Rsa => &["RS256"],
    };
    assert!(names.iter().any(|name| header["alg"] == *name), "{header}");
    assert!(header.get("crit").is_none() && header["jwk"].get("d").is_none());
    let key = VerifyingKey::from(signing_key().public());
    let ours = signed && jws.header().algorithm == KeyKind::Ed25519;
    assert_eq!(jws.verify(&key).is_ok(), ours, "{text}");
}

fn check_claims(jwt: &CredentialJwt, payload: &Value) {
    let read = Credential::read(&jwt.credential).expect("it holds a credential");
    assert_eq!(read.issuer.id, jwt.issuer);
    let vc = payload.get("vc");
    assert_eq!(vc.is_some(), jwt.profile == Profile::Claim, "{payload}");
    let shown = vc.unwrap_or(payload);
    let issuer = shown["issuer"]
        .as_str()
        .or_else(|| shown["issuer"]["id"].as_str());
    for said in [issuer, payload["iss"].as_str()].into_iter().flatten() {
        assert_eq!(said, jwt.issuer, "{payload}");
    }
    let same =
        |claim: &Value, member: &Value| claim.is_null() || member.is_null() || claim == member;
    assert!(same(&payload["jti"], &jwt.credential["id"]), "{payload}");
    assert!(same(&shown["id"], &jwt.credential["id"]), "{payload}");
    for date in ["validFrom", "validUntil", "issuanceDate", "expirationDate"] {
        assert!(same(&shown[date], &jwt.credential[date]), "{payload}");
    }
    for (claim, at) in [("nbf", jwt.not_before), ("exp", jwt.expires)] {
        assert_eq!(payload.get(claim).is_some(), at.is_some(), "{payload}");
        if let (Some(seconds), Some(at)) = (payload[claim].as_i64(), at) {
            assert_eq!(seconds, at.seconds(), "{payload}");
        }
    }
    if vc.is_none() {
        let claim = CLAIMS
            .iter()
            .find(|claim| jwt.credential.get(**claim).is_some());
        assert_eq!(claim, None);
    }
}

fn check_source(header: &Header, issuer: &str) {
    match key_source(header, issuer, Localhost::Refused) {
        Ok(KeySource::Method(url)) => {
            let fragment = url
                .strip_prefix(issuer)
                .and_then(|rest| rest.strip_prefix('#'));
            assert!(fragment.is_some_and(|it| !it.is_empty()), "{issuer}: {url}");
        }
        Ok(KeySource::KeySet { url } | KeySource::SameOriginKey { url }) => {
            let asked = Url::parse(&url).expect("it is a URL");
            let own = Url::parse(issuer).expect("its issuer is a URL");
            assert_eq!(asked.origin(), own.origin(), "{issuer}: {url}");
            assert_eq!(asked.scheme(), "https", "{issuer}: {url}");
            assert!(
                asked.username().is_empty() && asked.password().is_none(),
                "{url}"
            );
        }
        Ok(KeySource::Itself(key)) => match (issuer.strip_prefix("did:key:"), &key) {
            (Some(multikey), key) => {
                assert_eq!(VerifyingKey::from_multikey(multikey).as_ref(), Ok(key));
            }
            (None, _) => assert!(issuer.starts_with("did:jwk:"), "{issuer}"),
        },
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn check_set(jwks: &Value, header: &Header, issuer: &str) {
    let Ok(key) = select(jwks, header, issuer) else {
        return;
    };
    assert_eq!(key.kind(), header.algorithm);
    let keys = jwks["keys"].as_array().expect("it is a set");
    let found = keys.iter().any(|jwk| {
        let named = header.kid.as_ref().is_none_or(|kid| jwk["kid"] == **kid);
        let of_issuer = jwk.get("iss").is_none_or(|iss| iss == issuer);
        named && of_issuer && VerifyingKey::from_jwk(jwk).as_ref() == Ok(&key)
    });
    assert!(found, "{jwks}");
}

/// What was read as a credential, and can be signed, is read again as the same.
fn check_written(jwt: &CredentialJwt) {
    let key: SigningKey = signing_key();
    let kid = format!("{}#key-1", jwt.issuer);
    if let Ok(text) = sign_credential(&jwt.credential, &kid, &key) {
        let again = CredentialJwt::parse(&text).expect("it was written here");
        assert_eq!(again.credential, jwt.credential);
        assert!(again.verify(&key.public().into()).is_ok());
    }
}
