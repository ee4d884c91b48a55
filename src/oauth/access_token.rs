//! Access tokens: what the registry signs for a client that has shown who it is, and reads again
//! with each request (JWT Profile for OAuth 2.0 Access Tokens, RFC 9068).
//!
//! ```text
//! header   alg EdDSA | typ at+jwt | kid the registry's key
//! claims   iss, aud     the registry's own origin, both
//!          sub          who acts: the client itself, or the person who signed in by it
//!          client_id    the client
//!          iat, exp     whole seconds
//!          jti          16 random bytes, base64url
//!          scope        what it is good for, with spaces between
//!          profile      URL of the profile that it acts for; absent for the registry
//! ```
//!
//! The registry signs other statements by the same keys: `typ` alone tells them apart, so that it is
//! compared letter for letter. A token says what was so when it was made; whether the client is
//! still there and may still do that is for the caller to find out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use thiserror::Error;

use super::claims::{Claims, ClaimsError, LEEWAY};
use crate::access::{ScopeError, Scopes};
use crate::ids::{ClientId, PersonId};
use crate::time::{Timestamp, Ttl};
use crate::vc::jws::{Jws, JwsError};
use crate::vc::verifying::{KeyKind, VerifyingKey};

/// `typ` of an access token.
pub const TYP: &str = "at+jwt";

/// The longest token that is read, in characters.
pub const MAX_CHARACTERS: usize = 8 << 10;

/// The longest time for which a token is good.
pub const LONGEST: Ttl = Ttl::from_seconds(24 * 3_600);

/// Who acts by a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// The client, for itself.
    Client(ClientId),
    /// Somebody who signed in by a client.
    Person {
        /// Who.
        person: PersonId,
        /// By which client.
        client: ClientId,
    },
}

impl Bearer {
    /// The client that holds the token.
    pub const fn client(self) -> ClientId {
        match self {
            Self::Client(client) | Self::Person { client, .. } => client,
        }
    }
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// Who acts.
    pub bearer: Bearer,
    /// When it was made; whole seconds count.
    pub issued_at: Timestamp,
    /// From when on it is refused; whole seconds count.
    pub expires: Timestamp,
    /// Its own name, by which it is revoked.
    pub id: [u8; 16],
    /// What it is good for.
    pub scopes: Scopes,
    /// URL of the profile that it acts for; none for the registry.
    pub profile: Option<String>,
}

/// Why a text is no access token of this registry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenRefused {
    /// Longer than [`MAX_CHARACTERS`].
    #[error("the token is longer than any of this registry")]
    TooLong,
    /// Not signed by EdDSA.
    #[error("the token is not signed with EdDSA, as those of this registry are")]
    Algorithm,
    /// Something else that the registry signed, or that claims it.
    #[error("the token is of another type than at+jwt")]
    Type,
    /// A header that this registry does not write.
    #[error("the token's header says more than alg, typ and kid")]
    Header,
    /// No key of the registry, or one that may have been in wrong hands.
    #[error("the token is not signed by a key of this registry that is in good hands")]
    Key,
    /// Somebody else signed.
    #[error(transparent)]
    Signature(JwsError),
    /// A claim that is not what this registry writes.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// Another issuer.
    #[error("the token was issued by another than this registry")]
    Issuer,
    /// For somebody else.
    #[error("the token is for another audience than this registry")]
    Audience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the token is not good yet")]
    NotYet,
    /// Good for longer than any token.
    #[error("the token is good for longer than any of this registry")]
    TooLasting,
    /// `sub` and `client_id` go together in no way that this registry writes.
    #[error("the token's sub is neither its client nor a person")]
    Subject,
    /// Its `jti` is none of this registry's.
    #[error("the token's jti is not of this registry's form")]
    Id,
    /// Its scope is none.
    #[error("the token's {0}")]
    Scope(ScopeError),
}

impl AccessClaims {
    /// The claims of the JWT, for this origin as issuer and audience.
    pub fn to_claims(&self, origin: &str) -> Map<String, Value> {
        let client = self.bearer.client().to_string();
        let subject = match self.bearer {
            Bearer::Client(_) => client.clone(),
            Bearer::Person { person, .. } => person.to_string(),
        };
        let mut claims = Map::new();
        let mut say = |claim: &str, value: Value| claims.insert(claim.into(), value);
        say("iss", origin.into());
        say("aud", origin.into());
        say("sub", subject.into());
        say("client_id", client.into());
        say("iat", self.issued_at.seconds().into());
        say("exp", self.expires.seconds().into());
        say("jti", URL_SAFE_NO_PAD.encode(self.id).into());
        say("scope", self.scopes.to_string().into());
        if let Some(profile) = &self.profile {
            say("profile", profile.as_str().into());
        }
        claims
    }

    /// Reads a token of the registry at `origin`. `key_of` tells the registry's key of a name,
    /// unless it may have been in wrong hands. `exp` has no leeway, `iat` and `nbf` have
    /// [`LEEWAY`].
    ///
    /// # Errors
    /// A variant of [`TokenRefused`] for each way in which it is not one, or not now.
    pub fn read(
        token: &Jws,
        origin: &str,
        key_of: impl FnOnce(&str) -> Option<VerifyingKey>,
        now: Timestamp,
    ) -> Result<Self, TokenRefused> {
        check_header(token)?;
        let key = token.header().kid.as_deref().and_then(key_of);
        let key = key.ok_or(TokenRefused::Key)?;
        token.verify(&key).map_err(TokenRefused::Signature)?;
        let claims = Claims::read(token.payload())?;
        if claims.needed("iss")? != origin {
            return Err(TokenRefused::Issuer);
        }
        if claims.audience()? != [origin] {
            return Err(TokenRefused::Audience);
        }
        let (issued_at, expires) = period(&claims, now)?;
        Ok(Self {
            bearer: bearer(&claims)?,
            issued_at,
            expires,
            id: id(&claims)?,
            scopes: Scopes::parse(claims.needed("scope")?).map_err(TokenRefused::Scope)?,
            profile: claims.text("profile")?.map(str::to_owned),
        })
    }
}

fn check_header(token: &Jws) -> Result<(), TokenRefused> {
    let header = token.header();
    if token.as_str().len() > MAX_CHARACTERS {
        return Err(TokenRefused::TooLong);
    }
    if header.algorithm != KeyKind::Ed25519 {
        return Err(TokenRefused::Algorithm);
    }
    if header.typ.as_deref() != Some(TYP) {
        return Err(TokenRefused::Type);
    }
    let says_more = header.jwk.is_some() || header.cty.is_some() || header.iss.is_some();
    if says_more || !header.others.is_empty() {
        return Err(TokenRefused::Header);
    }
    Ok(())
}

fn period(claims: &Claims, now: Timestamp) -> Result<(Timestamp, Timestamp), TokenRefused> {
    let (issued_at, expires) = (claims.whole("iat")?, claims.whole("exp")?);
    if expires <= now {
        return Err(TokenRefused::Expired);
    }
    let begins = claims.moment("nbf")?.unwrap_or(issued_at).max(issued_at);
    if begins > now.plus(LEEWAY) {
        return Err(TokenRefused::NotYet);
    }
    if expires > issued_at.plus(LONGEST) {
        return Err(TokenRefused::TooLasting);
    }
    Ok((issued_at, expires))
}

fn bearer(claims: &Claims) -> Result<Bearer, TokenRefused> {
    let (subject, client) = (claims.needed("sub")?, claims.needed("client_id")?);
    let id = client.parse().map_err(|_| TokenRefused::Subject)?;
    if subject == client {
        return Ok(Bearer::Client(id));
    }
    let person = subject.parse().map_err(|_| TokenRefused::Subject)?;
    Ok(Bearer::Person { person, client: id })
}

fn id(claims: &Claims) -> Result<[u8; 16], TokenRefused> {
    let bytes = URL_SAFE_NO_PAD.decode(claims.needed("jti")?).ok();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(TokenRefused::Id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::ids::ProfileId;
    use crate::vc::jws::{NewHeader, sign};
    use crate::vc::keys::SigningKey;
    use serde_json::json;

    const ORIGIN: &str = "https://registry.example";
    const KID: &str = "did:web:registry.example#key-1-jwk";

    fn now() -> Timestamp {
        "2026-03-01T09:00:00Z".parse().unwrap()
    }

    fn key() -> SigningKey {
        SigningKey::generate(&SeededEntropy::new(1))
    }

    fn claims() -> AccessClaims {
        AccessClaims {
            bearer: Bearer::Client(ClientId::generate(ProfileId(1), &SeededEntropy::new(2))),
            issued_at: now(),
            expires: now().plus(Ttl::from_seconds(600)),
            id: [7; 16],
            scopes: Scopes::parse("read status:write").unwrap(),
            profile: Some(format!("{ORIGIN}/profiles/school")),
        }
    }

    fn signed(typ: &str, claims: &Value) -> Jws {
        let header = NewHeader { typ, kid: KID };
        Jws::parse(&sign(header, claims.to_string().as_bytes(), &key())).unwrap()
    }

    fn read_at(token: &Jws, at: Timestamp) -> Result<AccessClaims, TokenRefused> {
        let key_of = |kid: &str| (kid == KID).then(|| key().public().into());
        AccessClaims::read(token, ORIGIN, key_of, at)
    }

    /// A token whose claims are these but for some.
    fn bent(members: Value) -> Result<AccessClaims, TokenRefused> {
        let mut all = claims().to_claims(ORIGIN);
        for (name, value) in members.as_object().unwrap() {
            match value {
                Value::Null => drop(all.shift_remove(name)),
                _ => drop(all.insert(name.clone(), value.clone())),
            }
        }
        read_at(&signed(TYP, &all.into()), now())
    }

    #[test]
    fn what_was_written_is_read_until_it_is_over() {
        let client = claims();
        let person = AccessClaims {
            bearer: Bearer::Person {
                person: PersonId::from_bytes([3; 16]),
                client: client.bearer.client(),
            },
            profile: None,
            ..client.clone()
        };
        for claims in [client, person] {
            let token = signed(TYP, &claims.to_claims(ORIGIN).into());
            assert_eq!(read_at(&token, now()), Ok(claims.clone()));
            let last = claims.expires.minus(Ttl::from_millis(1));
            assert_eq!(read_at(&token, last), Ok(claims.clone()));
            assert_eq!(read_at(&token, claims.expires), Err(TokenRefused::Expired));
        }
    }

    #[test]
    fn what_else_the_registry_signs_is_no_access_token() {
        let claims = claims().to_claims(ORIGIN).into();
        for typ in ["standing+jwt", "JWT", "AT+JWT", "application/at+jwt", ""] {
            let read = read_at(&signed(typ, &claims), now());
            assert_eq!(read, Err(TokenRefused::Type), "{typ}");
        }
    }

    #[test]
    fn each_claim_is_what_this_registry_writes() {
        assert!(bent(json!({})).is_ok());
        assert!(bent(json!({ "more": [1] })).is_ok());
        let second = now().seconds();
        for (members, refusal) in [
            (
                json!({"iss": "https://other.example"}),
                TokenRefused::Issuer,
            ),
            (
                json!({"aud": "https://other.example"}),
                TokenRefused::Audience,
            ),
            (
                json!({"aud": [ORIGIN, "https://other.example"]}),
                TokenRefused::Audience,
            ),
            (json!({"exp": second}), TokenRefused::Expired),
            (json!({"exp": second + 90_000}), TokenRefused::TooLasting),
            (json!({"iat": second + 31}), TokenRefused::NotYet),
            (json!({"nbf": second + 31}), TokenRefused::NotYet),
            (json!({"sub": "somebody"}), TokenRefused::Subject),
            (json!({"client_id": "somebody"}), TokenRefused::Subject),
            (json!({"jti": "AAAA"}), TokenRefused::Id),
            (
                json!({"scope": "admin"}),
                TokenRefused::Scope(ScopeError::Unknown(1)),
            ),
        ] {
            assert_eq!(bent(members.clone()), Err(refusal), "{members}");
        }
        for name in [
            "iss",
            "aud",
            "exp",
            "iat",
            "sub",
            "client_id",
            "jti",
            "scope",
        ] {
            let missing = TokenRefused::Claims(ClaimsError::Missing(name));
            assert_eq!(bent(json!({ name: null })), Err(missing), "{name}");
            assert!(bent(json!({ name: {} })).is_err(), "{name}");
        }
    }

    #[test]
    fn a_key_of_another_name_is_not_asked() {
        let header = NewHeader {
            typ: TYP,
            kid: "../key-1",
        };
        let payload = Value::from(claims().to_claims(ORIGIN)).to_string();
        let token = Jws::parse(&sign(header, payload.as_bytes(), &key())).unwrap();
        assert_eq!(read_at(&token, now()), Err(TokenRefused::Key));
        let other = SigningKey::generate(&SeededEntropy::new(9));
        let header = NewHeader { typ: TYP, kid: KID };
        let token = Jws::parse(&sign(header, payload.as_bytes(), &other)).unwrap();
        let forged = TokenRefused::Signature(JwsError::Signature);
        assert_eq!(read_at(&token, now()), Err(forged));
    }
}
