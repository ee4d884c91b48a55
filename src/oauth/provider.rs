//! A sign-in elsewhere: access tokens of an OpenID Connect provider that the operator named, and
//! whom they stand for here. An organisation keeps its own accounts that way.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::claims::{Claims, ClaimsError, LEEWAY};
use crate::access::{Actions, Role, Scopes};
use crate::ids::Slug;
use crate::time::Timestamp;
use crate::vc::jwks::{self, JwksError};
use crate::vc::jws::{Jws, JwsError};
use crate::vc::verifying::KeyKind;

/// A provider, and how its claims are read. Claims are looked for at the top of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its `iss`, letter for letter.
    pub issuer: String,
    /// What `aud` has to name: this registry, as the provider calls it.
    pub audience: String,
    /// With which kinds of keys it signs.
    pub algorithms: Vec<KeyKind>,
    /// The claim that says for which organisation a token is.
    pub profile_claim: String,
    /// Which profile each value of that claim is here.
    pub profiles: BTreeMap<String, Slug>,
    /// As what its tokens act.
    pub role: RoleRule,
    /// The claim with the scopes of a token. Without it all of the role is allowed.
    pub scope_claim: Option<String>,
}

/// As what the tokens of a provider act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleRule {
    /// All as the same.
    Always(Role),
    /// As a claim says, one value or several; what the values allow is put together.
    ByClaim {
        /// The claim.
        claim: String,
        /// What its values mean. Others mean nothing.
        roles: BTreeMap<String, Role>,
    },
}

/// Whom a token of a provider stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The profile that it acts for.
    pub profile: Slug,
    /// What it may do at most.
    pub actions: Actions,
    /// What the token is good for, where its scopes count.
    pub scopes: Option<Scopes>,
    /// A name for the provider's account in our log: SHA-256 of `iss` and `sub`, cut. Who has
    /// neither learns nothing from it.
    pub account: [u8; 16],
}

/// Why a token of a provider stands for nobody.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderRefused {
    /// Another algorithm than the provider signs with.
    #[error("the token's alg is not one that its provider signs with")]
    Algorithm,
    /// Neither an access token nor a JWT.
    #[error("the token's typ has to be JWT or at+jwt")]
    Type,
    /// `kid` is missing.
    #[error("the token names no key by kid")]
    NoKey,
    /// The provider has no such key.
    #[error(transparent)]
    Key(JwksError),
    /// Somebody else signed.
    #[error(transparent)]
    Signature(JwsError),
    /// A claim that cannot be read.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// Another issuer.
    #[error("the token was issued by another than its provider")]
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
    /// No profile here, or several.
    #[error("the token is for none of the profiles here, or for several")]
    Profile,
    /// No role here.
    #[error("the token has no role here")]
    Role,
}

impl Provider {
    /// Reads a token by the provider's keys, a JWK set. `exp` has no leeway, `nbf` and `iat` have
    /// [`LEEWAY`].
    ///
    /// # Errors
    /// A variant of [`ProviderRefused`] for each way in which it stands for nobody.
    /// [`ProviderRefused::Key`] with [`JwksError::Missing`] may be a key that is newer than `keys`.
    pub fn read(
        &self,
        token: &Jws,
        keys: &Value,
        now: Timestamp,
    ) -> Result<Guest, ProviderRefused> {
        self.check_header(token)?;
        let key = jwks::select(keys, token.header(), &self.issuer).map_err(ProviderRefused::Key)?;
        token.verify(&key).map_err(ProviderRefused::Signature)?;
        let claims = Claims::read(token.payload())?;
        if claims.needed("iss")? != self.issuer {
            return Err(ProviderRefused::Issuer);
        }
        if !claims.audience()?.contains(&self.audience.as_str()) {
            return Err(ProviderRefused::Audience);
        }
        check_period(&claims, now)?;
        Ok(Guest {
            profile: self.profile(&claims)?,
            actions: self.actions(&claims)?,
            scopes: self
                .scope_claim
                .as_ref()
                .map(|claim| scopes(&claims, claim)),
            account: account(&self.issuer, claims.needed("sub")?),
        })
    }

    /// What can be said of a token before any key is known.
    ///
    /// # Errors
    /// [`ProviderRefused::Algorithm`], [`ProviderRefused::Type`] and [`ProviderRefused::NoKey`].
    pub fn check_header(&self, token: &Jws) -> Result<(), ProviderRefused> {
        let header = token.header();
        if !self.algorithms.contains(&header.algorithm) {
            return Err(ProviderRefused::Algorithm);
        }
        if !header.is_typ("jwt") && !header.is_typ("at+jwt") {
            return Err(ProviderRefused::Type);
        }
        match header.kid {
            Some(_) => Ok(()),
            None => Err(ProviderRefused::NoKey),
        }
    }

    fn profile(&self, claims: &Claims) -> Result<Slug, ProviderRefused> {
        let values = texts(claims, &self.profile_claim);
        let mut profiles = values.iter().filter_map(|value| self.profiles.get(*value));
        let first = profiles.next().ok_or(ProviderRefused::Profile)?;
        match profiles.all(|other| other == first) {
            true => Ok(first.clone()),
            false => Err(ProviderRefused::Profile),
        }
    }

    fn actions(&self, claims: &Claims) -> Result<Actions, ProviderRefused> {
        let (claim, roles) = match &self.role {
            RoleRule::Always(role) => return Ok(role.actions()),
            RoleRule::ByClaim { claim, roles } => (claim, roles),
        };
        let values = texts(claims, claim);
        let found = values.iter().filter_map(|value| roles.get(*value));
        let actions = found.fold(Actions::NONE, |all, role| all.or(role.actions()));
        match actions == Actions::NONE {
            true => Err(ProviderRefused::Role),
            false => Ok(actions),
        }
    }
}

fn check_period(claims: &Claims, now: Timestamp) -> Result<(), ProviderRefused> {
    let expires = claims.moment("exp")?.ok_or(ClaimsError::Missing("exp"))?;
    if expires <= now {
        return Err(ProviderRefused::Expired);
    }
    for claim in ["nbf", "iat"] {
        if claims
            .moment(claim)?
            .is_some_and(|at| at > now.plus(LEEWAY))
        {
            return Err(ProviderRefused::NotYet);
        }
    }
    Ok(())
}

/// Scopes in one text or in several. Those that are not ours mean nothing here.
fn scopes(claims: &Claims, claim: &str) -> Scopes {
    let texts = texts(claims, claim);
    let words = texts.iter().flat_map(|text| text.split(' '));
    let ours: Vec<&str> = words
        .filter(|word| !word.is_empty() && Scopes::parse(word).is_ok())
        .collect();
    // Too many of ours allow nothing, rather than the first of them.
    Scopes::parse(&ours.join(" ")).unwrap_or_default()
}

/// The texts of a claim that is a text or an array; whatever else stands there is none.
fn texts<'a>(claims: &'a Claims, claim: &str) -> Vec<&'a str> {
    match claims.get(claim) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn account(issuer: &str, subject: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update((issuer.len() as u64).to_be_bytes());
    hash.update(issuer);
    hash.update(subject);
    let digest = hash.finalize();
    let mut account = [0; 16];
    account.copy_from_slice(&digest[..16]);
    account
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::vc::jws::{NewHeader, sign};
    use crate::vc::keys::SigningKey;
    use crate::vc::verifying::VerifyingKey;
    use serde_json::json;

    fn provider() -> Provider {
        let slug = |text: &str| text.parse::<Slug>().unwrap();
        Provider {
            issuer: "https://id.example".into(),
            audience: "https://r.example".into(),
            algorithms: vec![KeyKind::Ed25519],
            profile_claim: "org".into(),
            profiles: [
                ("1", slug("school")),
                ("2", slug("board")),
                ("one", slug("school")),
            ]
            .map(|(value, slug)| (value.to_owned(), slug))
            .into(),
            role: RoleRule::Always(Role::ListManager),
            scope_claim: Some("scope".into()),
        }
    }

    fn now() -> Timestamp {
        "2026-03-01T09:00:00Z".parse().unwrap()
    }

    fn key() -> SigningKey {
        SigningKey::generate(&SeededEntropy::new(1))
    }

    fn read(provider: &Provider, typ: &str, more: Value) -> Result<Guest, ProviderRefused> {
        let mut jwk = VerifyingKey::from(key().public()).to_jwk();
        jwk["kid"] = "1".into();
        let mut claims = json!({
            "iss": "https://id.example", "aud": ["https://r.example", "x"], "sub": "u1",
            "exp": now().seconds() + 60, "org": "1", "scope": "openid status:write",
        });
        let all = claims.as_object_mut().unwrap();
        for (name, value) in more.as_object().unwrap() {
            all.insert(name.clone(), value.clone());
        }
        all.retain(|_, value| !value.is_null());
        let text = sign(
            NewHeader { typ, kid: "1" },
            claims.to_string().as_bytes(),
            &key(),
        );
        provider.read(
            &Jws::parse(&text).unwrap(),
            &json!({ "keys": [jwk] }),
            now(),
        )
    }

    #[test]
    fn a_token_stands_for_the_profile_of_its_claim() {
        let guest = read(&provider(), "at+jwt", json!({})).unwrap();
        assert_eq!(guest.profile.as_str(), "school");
        assert_eq!(guest.actions, Role::ListManager.actions());
        assert_eq!(guest.scopes, Some(Scopes::parse("status:write").unwrap()));
        let other = read(
            &provider(),
            "JWT",
            json!({"org": ["1", "one", "z"], "sub": "u2"}),
        );
        let other = other.unwrap();
        assert_eq!(other.profile, guest.profile);
        assert_ne!(other.account, guest.account);
        let none = read(&provider(), "JWT", json!({"scope": null})).unwrap();
        assert_eq!(
            none.scopes,
            Some(Scopes::default()),
            "and so it may do nothing"
        );
        let unscoped = Provider {
            scope_claim: None,
            ..provider()
        };
        assert_eq!(read(&unscoped, "JWT", json!({})).unwrap().scopes, None);
    }

    #[test]
    fn roles_come_from_a_claim_where_they_do() {
        let roles = [("keeper", Role::ListManager), ("voice", Role::Endorser)];
        let by_claim = Provider {
            role: RoleRule::ByClaim {
                claim: "roles".into(),
                roles: roles.map(|(name, role)| (name.to_owned(), role)).into(),
            },
            ..provider()
        };
        let both = read(
            &by_claim,
            "JWT",
            json!({"roles": ["voice", "keeper", "root"]}),
        )
        .unwrap();
        let put_together = Role::ListManager.actions().or(Role::Endorser.actions());
        assert_eq!(both.actions, put_together);
        for roles in [
            json!(null),
            json!("root"),
            json!([]),
            json!({"keeper": true}),
        ] {
            let refused = read(&by_claim, "JWT", json!({"roles": roles}));
            assert_eq!(refused, Err(ProviderRefused::Role), "{roles}");
        }
    }

    #[test]
    fn what_is_not_for_us_stands_for_nobody() {
        let second = now().seconds();
        for (more, refusal) in [
            (
                json!({"iss": "https://id.example/"}),
                ProviderRefused::Issuer,
            ),
            (json!({"aud": "client"}), ProviderRefused::Audience),
            (json!({"exp": second}), ProviderRefused::Expired),
            (json!({"nbf": second + 31}), ProviderRefused::NotYet),
            (json!({"iat": second + 31}), ProviderRefused::NotYet),
            (json!({"org": "3"}), ProviderRefused::Profile),
            (json!({"org": ["1", "2"]}), ProviderRefused::Profile),
            (json!({"org": {"1": "1"}}), ProviderRefused::Profile),
            (json!({"org": null}), ProviderRefused::Profile),
            (json!({"exp": null}), ClaimsError::Missing("exp").into()),
            (json!({"sub": null}), ClaimsError::Missing("sub").into()),
        ] {
            assert_eq!(
                read(&provider(), "JWT", more.clone()),
                Err(refusal),
                "{more}"
            );
        }
        for typ in ["", "vc+jwt", "id+jwt"] {
            assert_eq!(
                read(&provider(), typ, json!({})),
                Err(ProviderRefused::Type),
                "{typ}"
            );
        }
        let rsa = Provider {
            algorithms: vec![KeyKind::Rsa],
            ..provider()
        };
        assert_eq!(
            read(&rsa, "JWT", json!({})),
            Err(ProviderRefused::Algorithm)
        );
    }
}
