//! The forms in which a credential that is issued here can be secured: by the words that requests
//! and the command line have for them, and as the credential then travels.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

use super::jwt::{CredentialJwt, Envelope, EnvelopeError, JwtError};

/// How a credential is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Securing {
    /// An embedded proof over canonical RDF (VC-DI-EdDSA 1.0, section 3.2).
    #[default]
    EddsaRdfc2022,
    /// An embedded proof over canonical JSON (VC-DI-EdDSA 1.0, section 3.3).
    EddsaJcs2022,
    /// A JWT around the whole credential (VC-JOSE-COSE 1.0, section 3.1).
    VcJwt,
}

/// A text names no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("eddsa-rdfc-2022, eddsa-jcs-2022 or vc+jwt is needed")]
pub struct SecuringError;

impl Securing {
    /// All forms, the default first.
    pub const ALL: [Self; 3] = [Self::EddsaRdfc2022, Self::EddsaJcs2022, Self::VcJwt];

    /// The word for it: the name of the cryptosuite, or the `typ` of the JWT.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::VcJwt => "vc+jwt",
        }
    }
}

impl FromStr for Securing {
    type Err = SecuringError;

    fn from_str(text: &str) -> Result<Self, SecuringError> {
        let mut all = Self::ALL.into_iter();
        all.find(|form| form.as_str() == text).ok_or(SecuringError)
    }
}

impl fmt::Display for Securing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An envelope holds no credential that is read here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecuredError {
    /// Nothing can be taken out of it.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// What is in it is no credential as a JWT.
    #[error(transparent)]
    Jwt(#[from] JwtError),
}

/// A credential with what secures it, in JSON. That it is secured well is not said.
#[derive(Debug, Clone, PartialEq)]
pub enum Secured {
    /// With its proof.
    Embedded(Value),
    /// In a JWT.
    Jwt(EnvelopedJwt),
}

/// A JWT of a credential, and the credential in it.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvelopedJwt {
    text: String,
    credential: Value,
}

impl Secured {
    /// Reads either form: an EnvelopedVerifiableCredential is taken apart, anything else taken as
    /// it is.
    ///
    /// # Errors
    /// An envelope that does not hold a JWT of a credential.
    pub fn read(document: Value) -> Result<Self, SecuredError> {
        match Envelope::of(&document) {
            Some(_) => {
                let text = Envelope::Credential.open(&document)?;
                Ok(Self::Jwt(CredentialJwt::parse(text)?.into()))
            }
            None => Ok(Self::Embedded(document)),
        }
    }

    /// As [`Self::read`], and of a string, which is a compact JWS.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn held(document: Value) -> Result<Self, SecuredError> {
        match document {
            Value::String(jwt) => Self::read(Envelope::Credential.wrap(&jwt)),
            other => Self::read(other),
        }
    }

    /// What the credential says, in the members of the data model. An embedded proof is there
    /// too.
    pub const fn claims(&self) -> &Value {
        match self {
            Self::Embedded(credential) => credential,
            Self::Jwt(jwt) => &jwt.credential,
        }
    }

    /// The credential without what secures it.
    pub fn unsigned(&self) -> Value {
        let mut credential = self.claims().clone();
        if let (Self::Embedded(_), Some(members)) = (self, credential.as_object_mut()) {
            members.shift_remove("proof");
        }
        credential
    }

    /// Its form; the default where its proof is of a suite that nothing is signed with here.
    pub fn securing(&self) -> Securing {
        match self {
            Self::Embedded(credential) => {
                let suite = credential["proof"]["cryptosuite"].as_str();
                suite
                    .and_then(|suite| suite.parse().ok())
                    .unwrap_or_default()
            }
            Self::Jwt(_) => Securing::VcJwt,
        }
    }

    /// The JSON in which it travels: the credential with its proof, or an
    /// EnvelopedVerifiableCredential (VCDM 2.0, section 4.13).
    pub fn to_value(&self) -> Value {
        match self {
            Self::Embedded(credential) => credential.clone(),
            Self::Jwt(jwt) => Envelope::Credential.wrap(&jwt.text),
        }
    }

    /// As [`Self::to_value`].
    pub fn into_value(self) -> Value {
        match self {
            Self::Embedded(credential) => credential,
            Self::Jwt(jwt) => Envelope::Credential.wrap(&jwt.text),
        }
    }
}

impl EnvelopedJwt {
    /// The compact JWS.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<CredentialJwt> for EnvelopedJwt {
    fn from(jwt: CredentialJwt) -> Self {
        Self {
            text: jwt.as_str().to_owned(),
            credential: jwt.credential,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vc::jwt::{encoded_payload, sign_credential};
    use crate::vc::keys::SigningKey;

    fn unsigned() -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": "urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
            "type": ["VerifiableCredential"],
            "issuer": "https://a.example/",
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": { "id": "did:example:holder" },
        })
    }

    #[test]
    fn a_jwt_is_its_envelope_and_its_claims() {
        let key = SigningKey::from_seed(&[7; 32]);
        let jwt = sign_credential(&unsigned(), "https://a.example/#key-1", &key).unwrap();
        let envelope = json!({
            "@context": "https://www.w3.org/ns/credentials/v2",
            "id": format!("data:application/vc+jwt,{jwt}"),
            "type": "EnvelopedVerifiableCredential",
        });
        let secured = Secured::read(envelope.clone()).unwrap();
        assert_eq!(secured.securing(), Securing::VcJwt);
        assert_eq!(
            (secured.claims(), secured.unsigned()),
            (&unsigned(), unsigned())
        );
        assert_eq!(
            (secured.to_value(), secured.into_value()),
            (envelope.clone(), envelope)
        );
        // The payload can be put together again from the credential.
        let payload = encoded_payload(&unsigned()).unwrap();
        assert_eq!(jwt.split('.').nth(1), Some(payload.as_str()));
    }

    #[test]
    fn a_proof_is_beside_what_is_claimed() {
        for (suite, form) in [
            ("eddsa-rdfc-2022", Securing::EddsaRdfc2022),
            ("eddsa-jcs-2022", Securing::EddsaJcs2022),
        ] {
            let mut document = unsigned();
            document["proof"] = json!({ "cryptosuite": suite });
            let secured = Secured::read(document.clone()).unwrap();
            assert_eq!((secured.securing(), secured.unsigned()), (form, unsigned()));
            assert_eq!(
                (secured.claims(), secured.to_value()),
                (&document, document.clone())
            );
        }
    }

    #[test]
    fn an_envelope_of_anything_else_is_refused() {
        for id in [
            "data:application/vc+sd-jwt,x",
            "data:application/vc+jwt,x",
            "urn:x",
        ] {
            let envelope = Envelope::Credential.wrap("");
            let mut envelope = envelope.as_object().unwrap().clone();
            envelope.insert("id".to_owned(), id.into());
            assert!(Secured::read(envelope.into()).is_err(), "{id}");
        }
        assert!(Secured::read(Envelope::Presentation.wrap("x")).is_err());
    }

    #[test]
    fn each_form_has_one_word() {
        for form in Securing::ALL {
            assert_eq!(form.to_string().parse(), Ok(form));
            let message = SecuringError.to_string();
            assert!(message.contains(form.as_str()), "{message}");
        }
        for word in ["", "EdDSA-RDFC-2022", "jwt", "vc+jwt ", "ecdsa-rdfc-2019"] {
            assert_eq!(word.parse::<Securing>(), Err(SecuringError), "{word}");
        }
    }
}
