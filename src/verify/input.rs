//! What a verifier was handed: a credential or a presentation, as JSON, as a JWT, in an envelope,
//! or baked into an image.

use serde_json::Value;
use thiserror::Error;

use crate::badges::baked::{self, Baked, BakedError, Image};
use crate::json::{self, JsonError};
use crate::vc::jws::Jws;
use crate::vc::jwt::Envelope;

use super::code::Code;
use super::examine::has_type;
use super::report::Finding;

/// A document to be verified. A JWT is a JSON string.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// For [`super::verify_credential`].
    Credential(Value),
    /// For [`super::verify_presentation`].
    Presentation(Value),
}

/// Why bytes are nothing that can be verified.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InputError {
    /// Not text.
    #[error("neither a PNG or SVG image nor text in UTF-8: {0}")]
    Json(#[from] JsonError),
    /// An image without a credential that can be taken out.
    #[error("the image: {0}")]
    Image(#[from] BakedError),
}

impl Input {
    /// Reads what stands in a file or was uploaded: a PNG or SVG image with a credential baked in,
    /// a compact JWS, or JSON.
    ///
    /// # Errors
    /// [`InputError`] says what is wrong with whichever of these it is.
    pub fn read(bytes: &[u8]) -> Result<Self, InputError> {
        if Image::of(bytes).is_none() {
            return Self::of_text(bytes);
        }
        match baked::unbake(bytes)? {
            Baked::Json(text) | Baked::Jwt(text) => Self::of_text(text.as_bytes()),
        }
    }

    fn of_text(bytes: &[u8]) -> Result<Self, InputError> {
        let text = bytes.trim_ascii();
        match str::from_utf8(text) {
            Ok(text) if looks_like_jws(text) => Ok(Self::of(Value::from(text))),
            _ => Ok(Self::of(json::parse(bytes)?)),
        }
    }

    /// Tells a presentation from a credential. What is neither is verified as a credential, whose
    /// report then says what is missing.
    pub fn of(value: Value) -> Self {
        let presentation = match &value {
            Value::String(text) => says_presentation(text),
            document => {
                has_type(document.get("type"), "VerifiablePresentation")
                    || Envelope::of(document) == Some(Envelope::Presentation)
            }
        };
        match presentation {
            true => Self::Presentation(value),
            false => Self::Credential(value),
        }
    }
}

/// What a JWT says that it is, by its `typ` or else by its payload, however wrong the rest of it.
fn says_presentation(text: &str) -> bool {
    let Ok(jws) = Jws::parse(text) else {
        return false;
    };
    let is_typ = |typs: [&str; 2]| typs.iter().any(|typ| jws.header().is_typ(typ));
    let claims = || json::parse(jws.payload()).unwrap_or_default();
    let in_payload = |claims: Value| {
        let typed = has_type(claims.get("type"), "VerifiablePresentation");
        claims.get("vc").is_none() && (typed || claims.get("vp").is_some())
    };
    is_typ(["vp+jwt", "vp+ld+json+jwt"])
        || !is_typ(["vc+jwt", "vc+ld+json+jwt"]) && in_payload(claims())
}

/// How a document is secured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Secured<'a> {
    /// By proofs within it.
    Document(&'a Value),
    /// As a whole, by a compact JWS.
    Jwt(&'a str),
}

impl<'a> Secured<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, Finding> {
        if let Value::String(text) = value {
            return Ok(Self::Jwt(text));
        }
        let Some(envelope) = Envelope::of(value) else {
            return Ok(Self::Document(value));
        };
        match envelope.open(value) {
            Ok(text) => Ok(Self::Jwt(text)),
            Err(error) => Err(Finding::unknown(Code::EnvelopeMalformed, error.to_string())),
        }
    }
}

/// Three parts with dots between them, the first of which is a JSON object in base64url.
fn looks_like_jws(text: &str) -> bool {
    text.starts_with("ey") && text.split('.').count() == 3
}
