//! Envelopes: how a JWT stands where a JSON document is wanted (VCDM 2.0 sections 4.13.1 and
//! 4.13.2).

use serde_json::{Value, json};
use thiserror::Error;

use super::shortened;
use crate::vc::credential::CONTEXT_V2;

/// The kinds of envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Envelope {
    /// `EnvelopedVerifiableCredential`, around `application/vc+jwt`.
    Credential,
    /// `EnvelopedVerifiablePresentation`, around `application/vp+jwt`.
    Presentation,
}

/// Why nothing could be taken out of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// A member is missing or cannot be what it is.
    #[error("{pointer}: expected {expected}")]
    Wrong {
        /// Its place in the envelope.
        pointer: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// A member beside the three that an envelope has. Nobody signs it, and a reader could take
    /// it for what is inside.
    #[error("{0:?} stands on the envelope, where nobody signs it; it belongs within")]
    Member(String),
    /// Another form of securing, such as `application/vc+sd-jwt` or `application/vc+cose`.
    #[error("envelopes of {found:?} are not read; {expected:?} is")]
    MediaType {
        /// The media type.
        found: String,
        /// What is read.
        expected: &'static str,
    },
    /// The data: URL has parameters, such as `;charset=utf-8` or `;base64`. A compact JWS is
    /// written as it is, so that there is one spelling.
    #[error("the envelope's data: URL has the parameters {0:?}; a JWT has none")]
    Parameters(String),
}

impl Envelope {
    /// The kind that a document says it is, by its types; nothing for what is no envelope.
    pub fn of(document: &Value) -> Option<Self> {
        let types = match document.get("type") {
            Some(Value::Array(types)) => types.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        [Self::Credential, Self::Presentation]
            .into_iter()
            .find(|kind| types.iter().any(|name| name == kind.type_name()))
    }

    /// The envelope around a compact JWS.
    pub fn wrap(self, jwt: &str) -> Value {
        json!({
            "@context": CONTEXT_V2,
            "id": format!("data:{},{jwt}", self.media_type()),
            "type": self.type_name(),
        })
    }

    /// The compact JWS in an envelope of this kind, as it stands there. Whether it is one is for
    /// its reader to say.
    ///
    /// # Errors
    /// Members that are missing, wrong or more than three; other media types; parameters.
    pub fn open(self, document: &Value) -> Result<&str, EnvelopeError> {
        let wrong = |pointer, expected| EnvelopeError::Wrong { pointer, expected };
        let members = document
            .as_object()
            .ok_or(wrong("", "an envelope, which is a JSON object"))?;
        let known = |name: &str| ["@context", "id", "type"].contains(&name);
        if let Some(name) = members.keys().find(|name| !known(name)) {
            return Err(EnvelopeError::Member(shortened(name, 80)));
        }
        if !is_alone(members.get("type"), self.type_name()) {
            return Err(wrong("/type", self.type_name()));
        }
        if !is_alone(members.get("@context"), CONTEXT_V2) {
            return Err(wrong("/@context", "the context of VCDM 2.0 alone"));
        }
        let url = members.get("id").and_then(Value::as_str);
        let (head, jwt) = url
            .and_then(|url| url.strip_prefix("data:"))
            .and_then(|rest| rest.split_once(','))
            .ok_or(wrong("/id", "a data: URL"))?;
        let (found, parameters) = head.split_at(head.find(';').unwrap_or(head.len()));
        if !found.eq_ignore_ascii_case(self.media_type()) {
            return Err(EnvelopeError::MediaType {
                found: shortened(found, 80),
                expected: self.media_type(),
            });
        }
        match parameters {
            "" => Ok(jwt),
            parameters => Err(EnvelopeError::Parameters(shortened(parameters, 80))),
        }
    }

    const fn type_name(self) -> &'static str {
        match self {
            Self::Credential => "EnvelopedVerifiableCredential",
            Self::Presentation => "EnvelopedVerifiablePresentation",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Credential => "application/vc+jwt",
            Self::Presentation => "application/vp+jwt",
        }
    }
}

/// Whether a value is this text, by itself or as the one item of an array.
fn is_alone(value: Option<&Value>, text: &str) -> bool {
    match value {
        Some(Value::Array(items)) => matches!(items.as_slice(), [one] if one == text),
        Some(one) => one == text,
        None => false,
    }
}
