//! `private_key_jwt`: a client says who it is by a JWT that it signs itself (RFC 7523 section 2.2).

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::claims::{Claims, ClaimsError, LEEWAY};
use crate::ids::ClientId;
use crate::time::{Timestamp, Ttl};
use crate::vc::jwks::{self, JwksError};
use crate::vc::jws::{Jws, JwsError};
use crate::vc::verifying::VerifyingKey;

/// `client_assertion_type` of such a JWT.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far ahead an assertion may end. Its `jti` is remembered for as long.
pub const LONGEST: Ttl = Ttl::from_seconds(300);

/// The longest assertion that is read, in characters.
const MAX_CHARACTERS: usize = 16 << 10;
/// The longest `jti`, in characters.
const MAX_ID: usize = 256;

/// An assertion that is good. It may be used once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assertion {
    /// Whose it is.
    pub client: ClientId,
    /// Its name among those of all clients: SHA-256 of the client and `jti`.
    pub id: [u8; 32],
    /// When it ends.
    pub expires: Timestamp,
}

/// Why an assertion is not good. Only who signed it by the client's key hears which it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AssertionRefused {
    /// No JWS that is read.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// Too long.
    #[error("the assertion is longer than {MAX_CHARACTERS} characters")]
    TooLong,
    /// Another type of JWT.
    #[error("the assertion's typ is neither JWT nor client-authentication+jwt")]
    Type,
    /// The header brings a key along.
    #[error("the assertion's header may not bring a key along")]
    Header,
    /// None of the client's keys.
    #[error(transparent)]
    Key(#[from] JwksError),
    /// A claim that cannot be read.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// `iss` and `sub` are not one and the same client.
    #[error("iss and sub have to be the client_id, both")]
    Client,
    /// For somebody else, or for others besides.
    #[error("aud has to be this registry, by its issuer or one of its endpoints, and nobody else")]
    Audience,
    /// Its time is over.
    #[error("the assertion has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the assertion is not good yet")]
    NotYet,
    /// It ends too far ahead.
    #[error("the assertion ends more than {} seconds ahead", LONGEST.seconds())]
    TooLasting,
    /// Its `jti` cannot be remembered.
    #[error("jti has to have 1 to {MAX_ID} characters")]
    Id,
}

impl AssertionRefused {
    /// Whether [`check`] found this out once the signature was good, so that it was the client who
    /// asked, and may hear of it.
    pub const fn was_signed(&self) -> bool {
        matches!(
            self,
            Self::Claims(_)
                | Self::Audience
                | Self::Expired
                | Self::NotYet
                | Self::TooLasting
                | Self::Id
        )
    }
}

/// Takes an assertion apart, and reads whose it says it is. Nothing is known to be true of it.
///
/// # Errors
/// What is no JWS, or names no client.
pub fn open(text: &str) -> Result<(ClientId, Jws), AssertionRefused> {
    if text.len() > MAX_CHARACTERS {
        return Err(AssertionRefused::TooLong);
    }
    let jws = Jws::parse(text)?;
    let claims = Claims::read(jws.payload())?;
    let subject = claims.needed("sub")?;
    if claims.needed("iss")? != subject {
        return Err(AssertionRefused::Client);
    }
    let client = subject.parse().map_err(|_| AssertionRefused::Client)?;
    Ok((client, jws))
}

/// Checks an assertion of `client` by its registered keys. `audiences` are the names under which
/// this registry may be meant. `exp` has no leeway, `nbf` and `iat` have [`LEEWAY`].
///
/// # Errors
/// A variant of [`AssertionRefused`] for each way in which it is not good.
pub fn check(
    client: ClientId,
    jws: &Jws,
    keys: &Value,
    audiences: &[&str],
    now: Timestamp,
) -> Result<Assertion, AssertionRefused> {
    let header = jws.header();
    let typed = header.typ.is_none() || header.is_typ("jwt");
    if !typed && !header.is_typ("client-authentication+jwt") {
        return Err(AssertionRefused::Type);
    }
    let brings = ["jku", "x5u", "x5c"];
    let brought = header
        .others
        .iter()
        .any(|name| brings.contains(&name.as_str()));
    if header.jwk.is_some() || brought {
        return Err(AssertionRefused::Header);
    }
    match header.kid {
        Some(_) => jws.verify(&jwks::select(keys, header, &client.to_string())?)?,
        None => by_any(jws, keys)?,
    }
    let claims = Claims::read(jws.payload())?;
    if !claims.audience()?.iter().all(|aud| audiences.contains(aud)) {
        return Err(AssertionRefused::Audience);
    }
    let expires = period(&claims, now)?;
    let jti = claims.needed("jti")?;
    if jti.is_empty() || jti.len() > MAX_ID {
        return Err(AssertionRefused::Id);
    }
    let mut id = Sha256::new();
    id.update(client.as_bytes());
    id.update(jti.as_bytes());
    Ok(Assertion {
        client,
        id: id.finalize().into(),
        expires,
    })
}

/// Where no key is named, each of the client's is tried: they are few.
fn by_any(jws: &Jws, keys: &Value) -> Result<(), AssertionRefused> {
    let keys = keys.get("keys").and_then(Value::as_array);
    let mut keys = keys.into_iter().flatten().take(jwks::MAX_KEYS);
    let good = keys.any(|key| {
        let key = VerifyingKey::from_jwk(key);
        key.is_ok_and(|key| jws.verify(&key).is_ok())
    });
    match good {
        true => Ok(()),
        false => Err(JwsError::Signature.into()),
    }
}

fn period(claims: &Claims, now: Timestamp) -> Result<Timestamp, AssertionRefused> {
    let expires = claims.moment("exp")?.ok_or(ClaimsError::Missing("exp"))?;
    if expires <= now {
        return Err(AssertionRefused::Expired);
    }
    if expires > now.plus(LONGEST) {
        return Err(AssertionRefused::TooLasting);
    }
    for claim in ["nbf", "iat"] {
        if claims
            .moment(claim)?
            .is_some_and(|at| at > now.plus(LEEWAY))
        {
            return Err(AssertionRefused::NotYet);
        }
    }
    Ok(expires)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::vc::jws::{NewHeader, sign};
    use crate::vc::keys::SigningKey;
    use serde_json::json;

    const AUDIENCES: [&str; 2] = ["https://r.example", "https://r.example/oauth/token"];

    fn client() -> ClientId {
        ClientId::from_bytes([5; 16])
    }

    fn now() -> Timestamp {
        "2026-03-01T09:00:00Z".parse().unwrap()
    }

    fn key() -> SigningKey {
        SigningKey::generate(&SeededEntropy::new(1))
    }

    fn keys() -> Value {
        let mut jwk = VerifyingKey::from(key().public()).to_jwk();
        jwk["kid"] = "1".into();
        json!({ "keys": [jwk] })
    }

    fn asserted(header: NewHeader<'_>, members: Value) -> Result<Assertion, AssertionRefused> {
        let mut claims = json!({
            "iss": client().to_string(), "sub": client().to_string(), "aud": AUDIENCES[0],
            "exp": now().seconds() + 60, "jti": "a",
        });
        let all = claims.as_object_mut().unwrap();
        for (name, value) in members.as_object().unwrap() {
            all.insert(name.clone(), value.clone());
            all.retain(|_, value| !value.is_null());
        }
        let text = sign(header, claims.to_string().as_bytes(), &key());
        let (named, jws) = open(&text)?;
        check(named, &jws, &keys(), &AUDIENCES, now())
    }

    fn bent(members: Value) -> Result<Assertion, AssertionRefused> {
        asserted(
            NewHeader {
                typ: "JWT",
                kid: "1",
            },
            members,
        )
    }

    #[test]
    fn an_assertion_is_the_clients_own_for_a_short_time() {
        let good = bent(json!({})).unwrap();
        assert_eq!(good.client, client());
        let other = bent(json!({"aud": AUDIENCES, "jti": "b"})).unwrap();
        assert_ne!(good.id, other.id);
        assert!(bent(json!({"exp": now().seconds() + 300, "iat": now().seconds()})).is_ok());
        let second = now().seconds();
        let stranger = ClientId::from_bytes([6; 16]).to_string();
        for (members, refusal) in [
            (json!({"iss": stranger}), AssertionRefused::Client),
            (json!({"iss": "x", "sub": "x"}), AssertionRefused::Client),
            (
                json!({"aud": "https://other.example"}),
                AssertionRefused::Audience,
            ),
            (
                json!({"aud": [AUDIENCES[0], "https://other.example"]}),
                AssertionRefused::Audience,
            ),
            (json!({"exp": second}), AssertionRefused::Expired),
            (json!({"exp": second + 301}), AssertionRefused::TooLasting),
            (json!({"nbf": second + 31}), AssertionRefused::NotYet),
            (json!({"iat": second + 31}), AssertionRefused::NotYet),
            (json!({"jti": ""}), AssertionRefused::Id),
            (json!({"jti": null}), ClaimsError::Missing("jti").into()),
            (json!({"exp": null}), ClaimsError::Missing("exp").into()),
            (json!({"aud": null}), ClaimsError::Missing("aud").into()),
            (json!({"sub": null}), ClaimsError::Missing("sub").into()),
        ] {
            assert_eq!(bent(members.clone()), Err(refusal), "{members}");
        }
    }

    #[test]
    fn an_access_token_is_no_assertion() {
        let typed = |typ| asserted(NewHeader { typ, kid: "1" }, json!({}));
        assert!(typed("client-authentication+jwt").is_ok());
        assert_eq!(typed("at+jwt"), Err(AssertionRefused::Type));
        let other = asserted(
            NewHeader {
                typ: "JWT",
                kid: "2",
            },
            json!({}),
        );
        assert!(matches!(other, Err(AssertionRefused::Key(_))), "{other:?}");
    }
}
