//! The one form in which a credential is signed as a JWT.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::{CLAIMS, CredentialJwt, JwtError, Profile, shortened};
use crate::vc::credential::{Credential, CredentialError};
use crate::vc::jws::{self, NewHeader};
use crate::vc::keys::{Signer, SignerError};
use crate::vc::members::{self, MemberError};

/// Why a credential is not signed as a JWT.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// The key cannot be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// It is no credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A member is hidden from readers of the JSON.
    #[error(transparent)]
    Hidden(#[from] MemberError),
    /// It has a member by the name of a JWT claim, which readers would take for the claim.
    #[error("the credential's member {0:?} would be read as a JWT claim; name it otherwise")]
    Claim(&'static str),
    /// `kid` is no URL of a key of the issuer.
    #[error("kid {kid:?} is not the issuer's id {issuer:?} with a fragment")]
    Kid {
        /// What was given.
        kid: String,
        /// The issuer's id.
        issuer: String,
    },
    /// What was written would not be read back.
    #[error("the credential as a JWT would not be read back: {0}")]
    Unreadable(#[from] JwtError),
    /// What was written would be read back as another credential.
    #[error("the credential as a JWT would be read back as another one")]
    Differs,
}

/// The credential as a JWT, in the form that both VC-JOSE-COSE and the claims of Open Badges 3.0
/// describe: the payload is the credential with `iss`, and with `jti`, `nbf`, `sub` and `exp` of
/// what it has; `typ` is `vc+jwt`, `alg` is EdDSA. `kid` is the absolute URL of the verification
/// method, the issuer's id with a fragment. An embedded `proof` is signed along.
///
/// `exp` stands there as whole seconds, so that the JWT ends up to a second before the credential
/// does. Several subjects have no `sub`.
///
/// # Errors
/// What a reader here would refuse or could misread: every variant of [`SignError`].
pub fn sign_credential(
    credential: &Value,
    kid: &str,
    key: &dyn Signer,
) -> Result<String, SignError> {
    let read = Credential::read(credential)?;
    check_names(credential)?;
    let issuer = read.issuer.id;
    let fragment = kid
        .strip_prefix(issuer)
        .and_then(|rest| rest.strip_prefix('#'));
    if !fragment.is_some_and(|fragment| !fragment.is_empty() && !fragment.contains('#')) {
        return Err(SignError::Kid {
            kid: shortened(kid, 200),
            issuer: shortened(issuer, 200),
        });
    }
    let payload = payload(credential, &read).to_string();
    let header = NewHeader { typ: "vc+jwt", kid };
    let text = jws::sign_with(header, payload.as_bytes(), key)?;
    let written = CredentialJwt::parse(&text)?;
    match written.profile == Profile::JoseCose && written.credential == *credential {
        true => Ok(text),
        false => Err(SignError::Differs),
    }
}

/// The payload that [`sign_credential`] signs, as it stands in the text: with the header and the
/// signature that were made around it, it is the whole JWT again.
///
/// # Errors
/// [`SignError::Credential`].
pub fn encoded_payload(credential: &Value) -> Result<String, SignError> {
    let read = Credential::read(credential)?;
    Ok(URL_SAFE_NO_PAD.encode(payload(credential, &read).to_string()))
}

/// The claims that [`sign_credential`] signs.
///
/// # Errors
/// [`SignError::Credential`], and a member that would be read as a claim or is hidden.
pub fn claims_of(credential: &Value) -> Result<Value, SignError> {
    let read = Credential::read(credential)?;
    check_names(credential)?;
    Ok(payload(credential, &read))
}

fn check_names(credential: &Value) -> Result<(), SignError> {
    let mut document = credential.clone();
    if let Some(members) = document.as_object_mut() {
        members.shift_remove("proof");
    }
    members::check_names(&document)?;
    match CLAIMS
        .iter()
        .find(|claim| credential.get(**claim).is_some())
    {
        Some(claim) => Err(SignError::Claim(claim)),
        None => Ok(()),
    }
}

fn payload(credential: &Value, read: &Credential<'_>) -> Value {
    let mut payload = credential.as_object().cloned().unwrap_or_default();
    let sub = match read.subjects.as_slice() {
        [one] => one.id,
        _ => None,
    };
    add(&mut payload, "iss", Some(read.issuer.id));
    add(&mut payload, "jti", read.id);
    add(&mut payload, "sub", sub);
    add(&mut payload, "nbf", read.valid_from.map(|at| at.seconds()));
    add(&mut payload, "exp", read.valid_until.map(|at| at.seconds()));
    Value::Object(payload)
}

fn add(payload: &mut Map<String, Value>, claim: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        payload.insert(claim.to_owned(), json!(value.into()));
    }
}
