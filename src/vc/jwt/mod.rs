//! Credentials and presentations as JWTs (compact JWS with claims), in the three forms that are
//! documented somewhere. [`CredentialJwt::parse`] and [`PresentationJwt::parse`] read them,
//! [`sign_credential`] writes one, and [`Envelope`] wraps a JWT where JSON is wanted.
//!
//! Reading comes before the check of the signature and trusts nothing: it only settles what the
//! one document is that the signer would have to answer for. Whose key may sign it is for
//! [`super::jwks`]; whether a key did, for [`CredentialJwt::verify`].
//!
//! What claims and members say twice has to agree, or two readers would read two credentials.

mod claims;
mod complete;
mod envelope;
mod presentation;
#[cfg(test)]
mod tests;
mod write;

use serde_json::{Map, Value};
use thiserror::Error;

use super::credential::{Credential, CredentialError, Validity};
use super::jws::{Header, Jws, JwsError};
use super::verifying::VerifyingKey;
use crate::json::{self, JsonError};
use crate::time::Timestamp;

use claims::Claims;

pub use claims::CLAIMS;
pub use envelope::{Envelope, EnvelopeError};
pub use presentation::PresentationJwt;
pub use write::{SignError, claims_of, encoded_payload, sign_credential};

/// The documented forms of a credential or presentation as a JWT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Securing Verifiable Credentials using JOSE and COSE, section 3.1: the payload is the
    /// document. `typ` is `vc+jwt` or `vp+jwt`, or, since that is recommended only, absent where
    /// no claim stands beside a credential.
    JoseCose,
    /// Open Badges 3.0, section 8.2: the payload is the credential with `iss`, `jti`, `nbf` and
    /// `sub` beside it, `typ` is `JWT` or absent.
    OpenBadges,
    /// VCDM 1.1, section 6.3.1: the document is the claim `vc` or `vp`, and the registered claims
    /// take the place of members that it leaves out. Open Badges 3.0 was drafted so with documents
    /// of VCDM 2.0, which are read too.
    Claim,
}

/// A credential as a JWT, read and not verified: all of it is the signer's own word, and the
/// signer is whoever made the text until [`Self::verify`] says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialJwt {
    /// The form in which it came.
    pub profile: Profile,
    /// The credential, one that [`Credential::read`] takes, without JWT claims.
    pub credential: Value,
    /// The issuer's id: the credential's, and `iss` where there is one.
    pub issuer: String,
    /// `nbf`: before it the JWT counts for nothing.
    pub not_before: Option<Timestamp>,
    /// `exp`: from then on the JWT counts for nothing, whatever period the credential has.
    pub expires: Option<Timestamp>,
    /// `iat`: when the JWT was made, by its own word.
    pub issued_at: Option<Timestamp>,
    /// The claim `status` (Token Status List), as it stands.
    pub status: Option<Value>,
    jws: Jws,
}

/// Why a text is not a credential or presentation as a JWT. Each mismatch is of its own kind,
/// since each is another way to be misread.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JwtError {
    /// Not a JWS that is taken here.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The payload is not JSON that every reader reads alike.
    #[error("the JWT payload: {0}")]
    Payload(JsonError),
    /// The payload is not an object.
    #[error("the JWT payload must be a JSON object")]
    NotAnObject,
    /// `typ` names something else than is read here.
    #[error("the JWT header's typ is {found:?}; expected {expected}")]
    Typ {
        /// What it says, cut after 80 characters.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// A member of the header that Open Badges 3.0 does not allow.
    #[error(
        "the JWT header's {0:?} is not allowed: Open Badges has alg, kid, jwk and typ there alone"
    )]
    HeaderMember(String),
    /// Neither `kid` nor `jwk`, one of which Open Badges 3.0 requires.
    #[error("the JWT header names no key; Open Badges requires kid or jwk")]
    NoKey,
    /// A claim cannot be what it is.
    #[error("the JWT claim {claim:?} must be {expected}")]
    Claim {
        /// The claim.
        claim: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A claim that Open Badges 3.0 requires is not there.
    #[error("the JWT claim {0:?} is missing; Open Badges requires it")]
    ClaimMissing(&'static str),
    /// `vc` or `vp` where `typ` says that the payload is the document (VC-JOSE-COSE section
    /// 1.1.2.1).
    #[error("the JWT claim {0:?} must not stand in a payload that is itself the document")]
    ClaimForbidden(&'static str),
    /// A presentation where a credential is wanted.
    #[error("the JWT holds a presentation (vp) and no credential")]
    NotACredential,
    /// A credential where a presentation is wanted.
    #[error("the JWT holds a credential (vc) and no presentation")]
    NotAPresentation,
    /// A member of the data model beside the claim that holds the document; readers differ in
    /// which of the two they take.
    #[error("{0:?} stands beside the JWT claim with the document; it belongs within")]
    Beside(&'static str),
    /// `iss` is not the issuer, or the holder of a presentation.
    #[error("the JWT claim iss is {claim:?}, and the document is by {document:?}")]
    IssMismatch {
        /// The claim, cut after 200 characters, as all of these.
        claim: String,
        /// What the document says.
        document: String,
    },
    /// `iss` in the header is not the issuer (RFC 7519 section 5.3).
    #[error("the JWT header's iss is {header:?}, and the document is by {document:?}")]
    HeaderIssMismatch {
        /// The member of the header.
        header: String,
        /// What the document says.
        document: String,
    },
    /// `jti` is not the document's id.
    #[error(
        "the JWT claim jti is {claim:?}, and the document's id is {}",
        or_absent(document)
    )]
    JtiMismatch {
        /// The claim.
        claim: String,
        /// What the document says, if it does.
        document: Option<String>,
    },
    /// `sub` is not the subject's id, or there are several subjects.
    #[error(
        "the JWT claim sub is {claim:?}, and the subject's id is {}",
        or_absent(document)
    )]
    SubMismatch {
        /// The claim.
        claim: String,
        /// What the document says, if it says one.
        document: Option<String>,
    },
    /// `nbf` is not when the credential becomes valid, to the second.
    #[error("the JWT claim nbf is {claim}, and the credential is valid from {}", or_ever(*document))]
    NbfMismatch {
        /// The claim.
        claim: Timestamp,
        /// What the document says, if it does.
        document: Option<Timestamp>,
    },
    /// `exp` is not when the credential ceases to be valid, to the second.
    #[error("the JWT claim exp is {claim}, and the credential is valid until {document}")]
    ExpMismatch {
        /// The claim.
        claim: Timestamp,
        /// What the document says.
        document: Timestamp,
    },
    /// The document is no credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The document is no presentation.
    #[error("{pointer}: expected {expected}")]
    Presentation {
        /// Its place in the presentation.
        pointer: &'static str,
        /// What should be there.
        expected: &'static str,
    },
}

impl CredentialJwt {
    /// Reads a credential out of a compact JWS.
    ///
    /// # Errors
    /// As [`Self::from_jws`], and what is no JWS.
    pub fn parse(text: &str) -> Result<Self, JwtError> {
        Self::from_jws(Jws::parse(text)?)
    }

    /// Reads the credential in a JWS. Registered claims have to say what the credential says:
    /// `iss` is the issuer, and `jti`, `sub` and `nbf` are the id, the subject's id and the
    /// beginning of validity wherever both stand. `exp` is its end in [`Profile::OpenBadges`] and
    /// [`Profile::Claim`]; in [`Profile::JoseCose`] it is by definition the end of the signature
    /// alone (VC-JOSE-COSE section 3.1.3), and counts beside the credential's.
    ///
    /// # Errors
    /// Every variant of [`JwtError`] but `NotAPresentation` and `Presentation`.
    pub fn from_jws(jws: Jws) -> Result<Self, JwtError> {
        let mut payload = payload(&jws)?;
        let mut claims = Claims::take(&mut payload)?;
        let profile = profile(jws.header(), &claims)?;
        let credential = match (profile, claims.vc.take()) {
            (Profile::Claim, Some(vc)) => {
                complete::refuse_beside(&payload)?;
                complete::credential(vc, &claims)?
            }
            _ => Value::Object(payload),
        };
        let read = Credential::read(&credential)?;
        claims.check(profile, &read)?;
        check_header_iss(jws.header(), read.issuer.id)?;
        Ok(Self {
            profile,
            issuer: read.issuer.id.to_owned(),
            not_before: claims.nbf,
            expires: claims.exp,
            issued_at: claims.iat,
            status: claims.status,
            credential,
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

    /// How `now` lies to the JWT's own period, `nbf` and `exp` (RFC 7519 sections 4.1.4 and
    /// 4.1.5). The credential's period is asked of the credential.
    pub fn validity(&self, now: Timestamp) -> Validity {
        validity(self.not_before, self.expires, now)
    }

    /// Checks the signature. That the key is the issuer's is for the caller to know.
    ///
    /// # Errors
    /// As [`Jws::verify`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), JwsError> {
        self.jws.verify(key)
    }
}

fn profile(header: &Header, claims: &Claims) -> Result<Profile, JwtError> {
    let expected = "vc+jwt, vc+ld+json+jwt, JWT or nothing";
    if says_document(header, claims, ["vc+jwt", "vc+ld+json+jwt"], expected)? {
        return Ok(Profile::JoseCose);
    }
    match (&claims.vc, &claims.vp) {
        (_, Some(_)) => Err(JwtError::NotACredential),
        (Some(_), None) => Ok(Profile::Claim),
        (None, None) if header.typ.is_none() && !claims.speak_of_a_document() => {
            Ok(Profile::JoseCose)
        }
        (None, None) => {
            check_open_badges_header(header)?;
            Ok(Profile::OpenBadges)
        }
    }
}

/// Whether `typ` is one of those that make the payload the document itself. Else it is `JWT` or
/// absent, and the claims tell.
fn says_document(
    header: &Header,
    claims: &Claims,
    typs: [&str; 2],
    expected: &'static str,
) -> Result<bool, JwtError> {
    if typs.iter().any(|typ| header.is_typ(typ)) {
        claims.refuse_documents()?;
        return Ok(true);
    }
    match header.typ.as_deref().filter(|_| !header.is_typ("jwt")) {
        Some(typ) => Err(JwtError::Typ {
            found: shortened(typ, 80),
            expected,
        }),
        None => Ok(false),
    }
}

/// Open Badges 3.0 section 8.2: no other members than these, and one that names the key.
fn check_open_badges_header(header: &Header) -> Result<(), JwtError> {
    let cty = header.cty.as_ref().map(|_| "cty");
    let iss = header.iss.as_ref().map(|_| "iss");
    let others = header.others.first().map(String::as_str);
    match cty.or(iss).or(others) {
        Some(name) => Err(JwtError::HeaderMember(shortened(name, 80))),
        None if header.kid.is_none() && header.jwk.is_none() => Err(JwtError::NoKey),
        None => Ok(()),
    }
}

fn payload(jws: &Jws) -> Result<Map<String, Value>, JwtError> {
    match json::parse(jws.payload()).map_err(JwtError::Payload)? {
        Value::Object(members) => Ok(members),
        _ => Err(JwtError::NotAnObject),
    }
}

fn check_header_iss(header: &Header, document: &str) -> Result<(), JwtError> {
    match header.iss.as_deref() {
        Some(iss) if iss != document => Err(JwtError::HeaderIssMismatch {
            header: shortened(iss, 200),
            document: shortened(document, 200),
        }),
        _ => Ok(()),
    }
}

fn validity(from: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> Validity {
    match (from, until) {
        (Some(from), _) if now < from => Validity::NotYetValid { from },
        (_, Some(at)) if now >= at => Validity::Expired { at },
        _ => Validity::Current,
    }
}

/// So that an error does not carry a megabyte back.
fn shortened(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn or_absent(text: &Option<String>) -> String {
    let quoted = text.as_ref().map(|text| format!("{text:?}"));
    quoted.unwrap_or_else(|| "absent".to_owned())
}

fn or_ever(at: Option<Timestamp>) -> String {
    at.map_or("ever".to_owned(), |at| at.to_string())
}
