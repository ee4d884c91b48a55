//! How a client says who it is (RFC 6749 section 2.3): by a secret in the header or in the form, by
//! an assertion, or, where it can keep no secret, by its name alone.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::assertion::ASSERTION_TYPE;
use super::error::OAuthError;
use super::form::Form;

/// The ways that are taken here, by the names of `token_endpoint_auth_method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AuthMethod {
    /// A secret in the header.
    SecretBasic,
    /// A secret in the form.
    SecretPost,
    /// A JWT that the client signs.
    PrivateKeyJwt,
    /// None: a program on people's own devices.
    None,
}

impl AuthMethod {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::SecretBasic,
        Self::SecretPost,
        Self::PrivateKeyJwt,
        Self::None,
    ];

    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }

    /// Whether the client has a secret.
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::SecretBasic | Self::SecretPost)
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuthMethod {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let named = |method: &Self| method.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or(())
    }
}

/// What a client showed of itself. Nothing of it has been checked.
pub enum Presented {
    /// Its name alone.
    Name(String),
    /// A secret.
    Secret {
        /// Its name.
        client: String,
        /// The secret.
        secret: Zeroizing<String>,
        /// How it came.
        by: AuthMethod,
    },
    /// An assertion.
    Assertion {
        /// The JWT.
        jwt: String,
        /// Its name, where it stands beside.
        client: Option<String>,
    },
}

impl Presented {
    /// Reads what came in the `Authorization` headers and in the form.
    ///
    /// # Errors
    /// `invalid_request` where it came in more than one way; `invalid_client` for nothing, and for
    /// what cannot be read.
    pub fn read(authorization: &[&[u8]], form: &Form) -> Result<Self, OAuthError> {
        let client = form.get("client_id").map(str::to_owned);
        let secret = form.get("client_secret");
        let jwt = form.get("client_assertion");
        let ways = authorization.len() + usize::from(secret.is_some()) + usize::from(jwt.is_some());
        if ways > 1 {
            let words = "the client has to say who it is in one way (RFC 6749 section 2.3)";
            return Err(OAuthError::request(words));
        }
        if let [header] = authorization {
            return basic(header, client.as_deref());
        }
        if let Some(jwt) = jwt {
            if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                let words = format!("client_assertion_type has to be {ASSERTION_TYPE}");
                return Err(OAuthError::request(words));
            }
            let jwt = jwt.to_owned();
            return Ok(Self::Assertion { jwt, client });
        }
        let client = client.ok_or_else(OAuthError::client)?;
        Ok(match secret {
            None => Self::Name(client),
            Some(secret) => Self::Secret {
                client,
                secret: Zeroizing::new(secret.to_owned()),
                by: AuthMethod::SecretPost,
            },
        })
    }
}

/// `Basic`, with name and secret each coded as in a form (RFC 6749 section 2.3.1).
fn basic(header: &[u8], named: Option<&str>) -> Result<Presented, OAuthError> {
    let read = || {
        let text = std::str::from_utf8(header).ok()?;
        let (scheme, coded) = text.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = Zeroizing::new(STANDARD.decode(coded.trim_start_matches(' ')).ok()?);
        let (client, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        Some((form_decoded(client)?, Zeroizing::new(form_decoded(secret)?)))
    };
    let (client, secret) = read().ok_or_else(OAuthError::client)?;
    if named.is_some_and(|named| named != client) {
        let words = "client_id is another one in the header than in the form";
        return Err(OAuthError::request(words));
    }
    Ok(Presented::Secret {
        client,
        secret,
        by: AuthMethod::SecretBasic,
    })
}

fn form_decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8();
    decoded.ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::ErrorCode;

    fn read(header: Option<&str>, form: &str) -> Result<Presented, OAuthError> {
        let form = Form::parse(form.as_bytes()).unwrap();
        let headers: Vec<&[u8]> = header.iter().map(|text| text.as_bytes()).collect();
        Presented::read(&headers, &form)
    }

    #[track_caller]
    fn refused(header: Option<&str>, form: &str, code: ErrorCode) {
        match read(header, form) {
            Err(error) => assert_eq!(error.code, code, "{form}"),
            Ok(_) => panic!("taken: {header:?} {form}"),
        }
    }

    #[test]
    fn name_and_secret_in_the_header_are_coded_as_in_a_form() {
        let header = format!("bAsIc {}", STANDARD.encode("a%3Ab+c:s%25%C3%A4"));
        let Ok(Presented::Secret { client, secret, by }) = read(Some(&header), "") else {
            panic!("a secret");
        };
        assert_eq!((client.as_str(), secret.as_str()), ("a:b c", "s%ä"));
        assert_eq!(by, AuthMethod::SecretBasic);
    }

    #[test]
    fn a_client_says_who_it_is_in_one_way() {
        let good = format!("Basic {}", STANDARD.encode("a:b"));
        let jwt = "client_assertion=x&client_assertion_type=\
                   urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        assert!(matches!(
            read(Some(&good), "client_id=a"),
            Ok(Presented::Secret { .. })
        ));
        assert!(matches!(read(None, jwt), Ok(Presented::Assertion { .. })));
        assert!(matches!(read(None, "client_id=a"), Ok(Presented::Name(_))));
        refused(Some(&good), "client_id=b", ErrorCode::InvalidRequest);
        refused(Some(&good), "client_secret=b", ErrorCode::InvalidRequest);
        refused(Some(&good), jwt, ErrorCode::InvalidRequest);
        refused(None, "client_assertion=x", ErrorCode::InvalidRequest);
        refused(None, "", ErrorCode::InvalidClient);
        refused(None, "client_secret=x", ErrorCode::InvalidClient);
        for header in [
            "Bearer x",
            "Basic",
            "Basic !",
            "Basic YQ==",
            "Basic /w==",
            "",
        ] {
            refused(Some(header), "", ErrorCode::InvalidClient);
        }
    }
}
