//! Presentations as JWTs.

use serde_json::{Map, Value};

use super::claims::Claims;
use super::{JwtError, Profile, check_header_iss, complete, payload, says_document, validity};
use crate::time::Timestamp;
use crate::vc::credential::{CONTEXT_V1, CONTEXT_V2, Validity};
use crate::vc::jws::{Header, Jws, JwsError};
use crate::vc::verifying::VerifyingKey;

/// A presentation as a JWT, read and not verified. The credentials in it are looked at by
/// whoever verifies it.
#[derive(Debug, Clone, PartialEq)]
pub struct PresentationJwt {
    /// The form in which it came; never [`Profile::OpenBadges`].
    pub profile: Profile,
    /// The presentation without JWT claims: its first context is of a version of the data model,
    /// and `VerifiablePresentation` is among its types.
    pub presentation: Value,
    /// Whose presentation it is: `holder`, or else `iss`, in the claims or the header.
    pub holder: Option<String>,
    /// `nonce`: the challenge that it answers.
    pub nonce: Option<String>,
    /// `aud`: for whom it is meant; empty where it does not say.
    pub audience: Vec<String>,
    /// `nbf`: before it the JWT counts for nothing.
    pub not_before: Option<Timestamp>,
    /// `exp`: from then on the JWT counts for nothing.
    pub expires: Option<Timestamp>,
    /// `iat`: when the JWT was made, by its own word.
    pub issued_at: Option<Timestamp>,
    jws: Jws,
}

impl PresentationJwt {
    /// Reads a presentation out of a compact JWS.
    ///
    /// # Errors
    /// As [`Self::from_jws`], and what is no JWS.
    pub fn parse(text: &str) -> Result<Self, JwtError> {
        Self::from_jws(Jws::parse(text)?)
    }

    /// Reads the presentation in a JWS: the payload itself (`typ` `vp+jwt`, or absent), or the
    /// claim `vp` of VCDM 1.1. `iss` has to be the holder and `jti` the id, wherever both stand.
    ///
    /// # Errors
    /// What is no presentation, and claims that are malformed or say something else.
    pub fn from_jws(jws: Jws) -> Result<Self, JwtError> {
        let mut payload = payload(&jws)?;
        let mut claims = Claims::take(&mut payload)?;
        let profile = profile(jws.header(), &claims)?;
        let presentation = match (profile, claims.vp.take()) {
            (Profile::Claim, Some(vp)) => {
                complete::refuse_beside(&payload)?;
                complete::presentation(vp, &claims)?
            }
            _ => Value::Object(payload),
        };
        let (id, holder) = read(&presentation)?;
        claims.check_jti(id, false)?;
        if let Some(holder) = holder {
            claims.check_iss(holder)?;
        }
        let iss = claims.iss.as_deref().or(jws.header().iss.as_deref());
        let holder = holder.or(iss).map(str::to_owned);
        if let Some(holder) = &holder {
            check_header_iss(jws.header(), holder)?;
        }
        Ok(Self {
            profile,
            holder,
            nonce: claims.nonce,
            audience: claims.aud,
            not_before: claims.nbf,
            expires: claims.exp,
            issued_at: claims.iat,
            presentation,
            jws,
        })
    }

    /// The header, by which the key is found.
    pub const fn header(&self) -> &Header {
        self.jws.header()
    }

    /// The whole text, as it was read.
    pub fn as_str(&self) -> &str {
        self.jws.as_str()
    }

    /// How `now` lies to the JWT's period, `nbf` and `exp`.
    pub fn validity(&self, now: Timestamp) -> Validity {
        validity(self.not_before, self.expires, now)
    }

    /// Checks the signature. That the key is the holder's is for the caller to know.
    ///
    /// # Errors
    /// As [`Jws::verify`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), JwsError> {
        self.jws.verify(key)
    }
}

fn profile(header: &Header, claims: &Claims) -> Result<Profile, JwtError> {
    let expected = "vp+jwt, vp+ld+json+jwt, JWT or nothing";
    if says_document(header, claims, ["vp+jwt", "vp+ld+json+jwt"], expected)? {
        return Ok(Profile::JoseCose);
    }
    match (&claims.vc, &claims.vp) {
        (Some(_), _) => Err(JwtError::NotAPresentation),
        (None, Some(_)) => Ok(Profile::Claim),
        (None, None) => Ok(Profile::JoseCose),
    }
}

/// Id and holder.
fn read(presentation: &Value) -> Result<(Option<&str>, Option<&str>), JwtError> {
    let wrong = |pointer, expected| JwtError::Presentation { pointer, expected };
    let items = |name| match presentation.get(name) {
        None => &[] as &[Value],
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
    };
    let first = items("@context").first().and_then(Value::as_str);
    if !matches!(first, Some(CONTEXT_V1 | CONTEXT_V2)) {
        let expected = "the context of verifiable credentials first";
        return Err(wrong("/@context", expected));
    }
    if !items("type")
        .iter()
        .any(|name| name == "VerifiablePresentation")
    {
        let expected = "VerifiablePresentation among the types";
        return Err(wrong("/type", expected));
    }
    let id = match presentation.get("id") {
        None => None,
        Some(id) => Some(id.as_str().ok_or(wrong("/id", "a URL"))?),
    };
    let holder = match presentation.get("holder") {
        None => None,
        Some(holder) => {
            let named = holder
                .as_object()
                .and_then(|profile: &Map<_, _>| profile.get("id"));
            let id = named.unwrap_or(holder).as_str();
            let expected = "a URL, or an object with one as its id";
            Some(id.ok_or(wrong("/holder", expected))?)
        }
    };
    Ok((id, holder))
}
