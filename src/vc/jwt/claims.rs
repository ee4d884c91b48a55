//! The registered claims of a JWT (RFC 7519 section 4.1), and what they have in common with the
//! document beside them.

use serde_json::{Map, Value};

use super::{JwtError, Profile, shortened};
use crate::time::Timestamp;
use crate::vc::credential::{Credential, Subject};

/// The members of a payload that are claims of the JWT and no part of the document.
pub const CLAIMS: [&str; 12] = [
    "iss", "sub", "jti", "nbf", "exp", "iat", "aud", "nonce", "status", "cnf", "vc", "vp",
];

/// The claims, taken out of a payload.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) iss: Option<String>,
    pub(super) sub: Option<String>,
    pub(super) jti: Option<String>,
    pub(super) nbf: Option<Timestamp>,
    pub(super) exp: Option<Timestamp>,
    pub(super) iat: Option<Timestamp>,
    pub(super) aud: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) status: Option<Value>,
    pub(super) vc: Option<Value>,
    pub(super) vp: Option<Value>,
}

/// How a claim lies to the member that says the same.
enum Pair<T> {
    Fits,
    Missing,
    Differs { claim: T, document: Option<T> },
}

impl Claims {
    /// Takes the claims out of `payload`, in which everything else is left.
    pub(super) fn take(payload: &mut Map<String, Value>) -> Result<Self, JwtError> {
        let (mut claims, rest): (Map<_, _>, Map<_, _>) = std::mem::take(payload)
            .into_iter()
            .partition(|(name, _)| CLAIMS.contains(&name.as_str()));
        *payload = rest;
        Ok(Self {
            iss: text(&claims, "iss")?,
            sub: text(&claims, "sub")?,
            jti: text(&claims, "jti")?,
            nbf: moment(&claims, "nbf")?,
            exp: moment(&claims, "exp")?,
            iat: moment(&claims, "iat")?,
            aud: audience(&claims)?,
            nonce: text(&claims, "nonce")?,
            status: claims.shift_remove("status"),
            vc: claims.shift_remove("vc"),
            vp: claims.shift_remove("vp"),
        })
    }

    /// Refuses `vc` and `vp`, where the payload itself is the document.
    pub(super) fn refuse_documents(&self) -> Result<(), JwtError> {
        match (&self.vc, &self.vp) {
            (Some(_), _) => Err(JwtError::ClaimForbidden("vc")),
            (_, Some(_)) => Err(JwtError::ClaimForbidden("vp")),
            (None, None) => Ok(()),
        }
    }

    /// Whether a claim is there that says what a member of a credential says too.
    pub(super) const fn speak_of_a_document(&self) -> bool {
        self.iss.is_some() || self.sub.is_some() || self.jti.is_some() || self.nbf.is_some()
    }

    /// Compares with the credential, in which [`Profile::Claim`] has already filled in what was
    /// left out.
    pub(super) fn check(
        &self,
        profile: Profile,
        credential: &Credential<'_>,
    ) -> Result<(), JwtError> {
        let exact = profile == Profile::OpenBadges;
        self.check_iss(credential.issuer.id)?;
        if exact && self.iss.is_none() {
            return Err(JwtError::ClaimMissing("iss"));
        }
        self.check_jti(credential.id, exact)?;
        self.check_sub(&credential.subjects, exact)?;
        match moments(self.nbf, credential.valid_from, exact) {
            Pair::Fits => {}
            Pair::Missing => return Err(JwtError::ClaimMissing("nbf")),
            Pair::Differs { claim, document } => {
                return Err(JwtError::NbfMismatch { claim, document });
            }
        }
        if profile == Profile::JoseCose {
            return Ok(());
        }
        match moments(self.exp, credential.valid_until, exact) {
            Pair::Missing => Err(JwtError::ClaimMissing("exp")),
            Pair::Differs {
                claim,
                document: Some(document),
            } => Err(JwtError::ExpMismatch { claim, document }),
            // An end that only the JWT has counts like any other.
            Pair::Fits | Pair::Differs { .. } => Ok(()),
        }
    }

    /// Compares with whoever the document is by.
    pub(super) fn check_iss(&self, document: &str) -> Result<(), JwtError> {
        match self.iss.as_deref() {
            Some(iss) if iss != document => Err(JwtError::IssMismatch {
                claim: shortened(iss, 200),
                document: shortened(document, 200),
            }),
            _ => Ok(()),
        }
    }

    /// Compares with the id of the document; `exact` as for [`pair`].
    pub(super) fn check_jti(&self, id: Option<&str>, exact: bool) -> Result<(), JwtError> {
        match pair(self.jti.as_deref(), id, exact) {
            Pair::Fits => Ok(()),
            Pair::Missing => Err(JwtError::ClaimMissing("jti")),
            Pair::Differs { claim, document } => Err(JwtError::JtiMismatch {
                claim: shortened(claim, 200),
                document: document.map(|id| shortened(id, 200)),
            }),
        }
    }

    /// Several subjects have no one id that `sub` could be.
    fn check_sub(&self, subjects: &[Subject<'_>], exact: bool) -> Result<(), JwtError> {
        let found = match subjects {
            [one] => pair(self.sub.as_deref(), one.id, exact),
            _ => pair(self.sub.as_deref(), None, true),
        };
        match found {
            Pair::Fits => Ok(()),
            Pair::Missing => Err(JwtError::ClaimMissing("sub")),
            Pair::Differs { claim, document } => Err(JwtError::SubMismatch {
                claim: shortened(claim, 200),
                document: document.map(|id| shortened(id, 200)),
            }),
        }
    }
}

/// Compares a claim with its member. Where both stand they have to be equal; if `exact`, neither
/// may stand without the other.
fn pair<T: PartialEq>(claim: Option<T>, document: Option<T>, exact: bool) -> Pair<T> {
    match (claim, document) {
        (Some(claim), Some(document)) if claim != document => Pair::Differs {
            claim,
            document: Some(document),
        },
        (Some(claim), None) if exact => Pair::Differs {
            claim,
            document: None,
        },
        (None, Some(_)) if exact => Pair::Missing,
        _ => Pair::Fits,
    }
}

/// As [`pair`], to the second: claims are mostly written without fractions.
fn moments(claim: Option<Timestamp>, document: Option<Timestamp>, exact: bool) -> Pair<Timestamp> {
    pair(
        claim.map(Timestamp::whole_seconds),
        document.map(Timestamp::whole_seconds),
        exact,
    )
}

fn text(claims: &Map<String, Value>, claim: &'static str) -> Result<Option<String>, JwtError> {
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(claim, "a string")),
    }
}

/// A NumericDate (RFC 7519 section 2): seconds since the epoch, which may have a fraction.
fn moment(claims: &Map<String, Value>, claim: &'static str) -> Result<Option<Timestamp>, JwtError> {
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    let millis = match value.as_i64() {
        Some(seconds) => seconds.checked_mul(1000),
        // The conversion saturates, and what is beyond the year 9999 is refused below.
        None => value
            .as_f64()
            .map(|seconds| (seconds * 1000.0).floor() as i64),
    };
    let at = millis.map(Timestamp::from_millis);
    let held = at.filter(|at| Some(at.millis()) == millis);
    held.map(Some)
        .ok_or(wrong(claim, "seconds since 1970 as a number"))
}

fn audience(claims: &Map<String, Value>) -> Result<Vec<String>, JwtError> {
    let wrong = || wrong("aud", "a string or an array of strings");
    match claims.get("aud") {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(several)) => several
            .iter()
            .map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect(),
        Some(_) => Err(wrong()),
    }
}

const fn wrong(claim: &'static str, expected: &'static str) -> JwtError {
    JwtError::Claim { claim, expected }
}
