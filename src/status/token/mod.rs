//! Token Status List (draft-ietf-oauth-status-list): packed values in a JWT or a CWT. The values
//! tell by themselves what they mean, so that a list has no purpose.
//!
//! Both forms carry the same claims; `cwt` reads the second one, and `cbor` bounds what it reads.
//! `projection` says what a list that is published here shows; `write` and `cwt_write` put it into
//! tokens.

mod cbor;
mod cwt;
mod cwt_write;
mod projection;
mod write;

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::answer::{Authenticity, StatusError, StatusResult};
use super::purpose::Effect;
use crate::bitstring::{Bitstring, CodecError, Lsb, StatusSize, decode_zlib};
use crate::time::{Timestamp, Ttl};

pub use cwt::SignedCwt;
pub use projection::{
    Plane, ProjectionError, Split, SplitError, TokenValueRefused, check_token_value, project,
    split, token_size,
};
pub use write::{TokenBits, TokenListToPublish, token_claim, write_token_claims};

/// A list whose token was verified. The trust in its issuer and the time in which it is valid are
/// judged by whoever fetched it; what is needed for that stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenStatusList {
    /// The URL under which the list is published (`sub`); the `uri` of every reference to it.
    pub subject: String,
    /// Who published it (`iss`), if it says so.
    pub issuer: Option<String>,
    /// Before that the list does not hold: the later of `iat` and `nbf`.
    pub valid_from: Timestamp,
    /// From then on the list does not hold (`exp`).
    pub valid_until: Option<Timestamp>,
    /// How long the list may be kept; never beyond `valid_until`.
    pub ttl: Option<Ttl>,
    bits: Bitstring<Lsb>,
}

/// What the values mean (Token Status List, section 7.1). The other ones are for applications, or
/// not yet given out; what they mean is not known here.
const INVALID: u8 = 1;
const SUSPENDED: u8 = 2;

impl TokenStatusList {
    /// Reads the claims of a JWT (section 5.1), whose signature and `typ`, `statuslist+jwt`, are
    /// already checked. The list is expanded to at most `cap` bytes.
    ///
    /// # Errors
    /// [`StatusError::Malformed`] names the claim; [`StatusError::Expand`] where `lst` is no list.
    pub fn from_claims(claims: &Value, cap: usize) -> Result<Self, StatusError> {
        let date = |name: &str| {
            let claim = claims.get(name);
            claim.map(|claim| claim.as_f64().and_then(numeric_date))
        };
        let text = |name: &str| claims.get(name).map(|claim| claim.as_str());
        let list = &claims["status_list"];
        let lst = list["lst"].as_str();
        let lst = lst.ok_or_else(|| StatusError::malformed("/status_list/lst", "a string"))?;
        let compressed = URL_SAFE_NO_PAD.decode(lst).map_err(|error| {
            let reason = CodecError::Text(error.to_string());
            StatusError::Expand { at: LST, reason }
        })?;
        Claims {
            subject: text("sub").flatten(),
            issuer: text("iss"),
            issued_at: date("iat").flatten(),
            not_before: date("nbf"),
            expires: date("exp"),
            ttl: claims.get("ttl").map(Value::as_f64),
            bits: list["bits"].as_u64(),
            compressed: &compressed,
        }
        .read(cap)
    }

    /// All its values.
    pub const fn bits(&self) -> &Bitstring<Lsb> {
        &self.bits
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn footprint(&self) -> usize {
        let texts = self.subject.len() + self.issuer.as_ref().map_or(0, String::len);
        size_of::<Self>() + texts + self.bits.as_bytes().len()
    }

    /// The status at `index`.
    ///
    /// # Errors
    /// [`StatusError::Range`] behind the end of the list.
    pub fn status(&self, index: u64) -> Result<StatusResult, StatusError> {
        let entries = self.bits.entries();
        let status = self.bits.get(index);
        let status = status.ok_or(StatusError::Range { index, entries })?;
        Ok(StatusResult {
            status,
            purpose: None,
            effect: match status {
                0 => Effect::None,
                INVALID => Effect::Revokes,
                SUSPENDED => Effect::Suspends,
                _ => Effect::Undefined,
            },
            valid: status == 0,
            message: None,
            authenticity: Authenticity::Proven,
        })
    }
}

const LST: &str = "/status_list/lst";

/// The claims of both forms. What is there and has the wrong type is `Some(None)`.
struct Claims<'a> {
    subject: Option<&'a str>,
    issuer: Option<Option<&'a str>>,
    issued_at: Option<Timestamp>,
    not_before: Option<Option<Timestamp>>,
    expires: Option<Option<Timestamp>>,
    /// In seconds.
    ttl: Option<Option<f64>>,
    bits: Option<u64>,
    compressed: &'a [u8],
}

impl Claims<'_> {
    /// Checks every claim, then expands the list.
    fn read(self, cap: usize) -> Result<TokenStatusList, StatusError> {
        let subject = self.subject;
        let subject = subject.ok_or_else(|| StatusError::malformed("/sub", "the list's URL"))?;
        let issued_at = self.issued_at;
        let issued_at = issued_at.ok_or_else(|| StatusError::malformed("/iat", A_DATE))?;
        let not_before = typed(self.not_before, "/nbf", A_DATE)?;
        let ttl = match self.ttl {
            None => None,
            Some(ttl) => {
                let ttl = ttl.and_then(lifetime);
                Some(ttl.ok_or_else(|| StatusError::malformed("/ttl", "seconds above 0"))?)
            }
        };
        let size = self.bits.and_then(|bits| StatusSize::try_from(bits).ok());
        let size = size
            .ok_or_else(|| StatusError::malformed("/status_list/bits", "one of 1, 2, 4 and 8"))?;
        let issuer = typed(self.issuer, "/iss", "a string")?;
        let valid_until = typed(self.expires, "/exp", A_DATE)?;
        let bytes = decode_zlib(self.compressed, cap)
            .map_err(|reason| StatusError::Expand { at: LST, reason })?;
        Ok(TokenStatusList {
            subject: subject.to_owned(),
            issuer: issuer.map(str::to_owned),
            valid_from: not_before.map_or(issued_at, |from| from.max(issued_at)),
            valid_until,
            ttl,
            bits: Bitstring::from_bytes(bytes, size),
        })
    }
}

const A_DATE: &str = "a date in seconds since 1970";

fn typed<T>(
    claim: Option<Option<T>>,
    at: &'static str,
    expected: &'static str,
) -> Result<Option<T>, StatusError> {
    match claim {
        Some(None) => Err(StatusError::malformed(at, expected)),
        claim => Ok(claim.flatten()),
    }
}

/// A NumericDate (RFC 7519, section 2): seconds, which may have a fraction.
fn numeric_date(seconds: f64) -> Option<Timestamp> {
    // The cast stops at the ends of the range, and so does the moment.
    let moment = || Timestamp::from_millis((seconds * 1000.0).floor() as i64);
    seconds.is_finite().then(moment)
}

fn lifetime(seconds: f64) -> Option<Ttl> {
    let millis = (seconds * 1000.0).floor();
    (seconds.is_finite() && millis > 0.0).then(|| Ttl::from_millis(millis as u64))
}
