//! What a client asks of the token endpoint (RFC 6749 sections 4.1.3 and 4.4.2).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::{ErrorCode, OAuthError};
use super::form::Form;
use crate::access::Scopes;

/// The kinds of grants that are given here, by the names of `grant_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GrantKind {
    /// The client acts for itself.
    ClientCredentials,
    /// The client acts for somebody who signed in.
    AuthorizationCode,
}

impl GrantKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ClientCredentials, Self::AuthorizationCode];

    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
        }
    }
}

impl fmt::Display for GrantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for GrantKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let named = |kind: &Self| kind.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or(())
    }
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq)]
pub enum GrantAsked {
    /// A token for the client itself.
    ClientCredentials {
        /// What it is to be good for; all that the client may have where nothing is said.
        scopes: Option<Scopes>,
    },
    /// A token for a code.
    AuthorizationCode {
        /// The code.
        code: String,
        /// Where the code was sent.
        redirect_uri: String,
        /// What the challenge was made of.
        verifier: String,
    },
}

/// Without the secret.
impl fmt::Debug for GrantAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientCredentials { .. } => "ClientCredentials",
            Self::AuthorizationCode { .. } => "AuthorizationCode",
        })
    }
}

impl GrantAsked {
    /// Reads a request for a token of the registry at `origin`.
    ///
    /// # Errors
    /// `unsupported_grant_type`, `invalid_scope`, `invalid_target` for another resource than this
    /// registry, and `invalid_request` for what is missing.
    pub fn read(form: &Form, origin: &str) -> Result<Self, OAuthError> {
        let kind = form.needed("grant_type")?;
        let kind = kind.parse::<GrantKind>().map_err(|()| {
            let words = "grant_type is one of client_credentials and authorization_code";
            OAuthError::new(ErrorCode::UnsupportedGrantType, words)
        })?;
        check_target(form, origin)?;
        Ok(match kind {
            GrantKind::ClientCredentials => Self::ClientCredentials {
                scopes: scopes(form)?,
            },
            GrantKind::AuthorizationCode => Self::AuthorizationCode {
                code: form.needed("code")?.to_owned(),
                redirect_uri: form.needed("redirect_uri")?.to_owned(),
                verifier: form.needed("code_verifier")?.to_owned(),
            },
        })
    }

    /// Its kind.
    pub const fn kind(&self) -> GrantKind {
        match self {
            Self::ClientCredentials { .. } => GrantKind::ClientCredentials,
            Self::AuthorizationCode { .. } => GrantKind::AuthorizationCode,
        }
    }
}

/// The `scope` of a request, where there is one.
///
/// # Errors
/// `invalid_scope` for what is not known here.
pub fn scopes(form: &Form) -> Result<Option<Scopes>, OAuthError> {
    let read = |text| {
        Scopes::parse(text)
            .map_err(|error| OAuthError::new(ErrorCode::InvalidScope, error.to_string()))
    };
    form.get("scope").map(read).transpose()
}

/// Demands that a token is wanted for the registry at `origin` and for nobody else (RFC 8707).
///
/// # Errors
/// `invalid_target`.
pub fn check_target(form: &Form, origin: &str) -> Result<(), OAuthError> {
    let ours = |target: &str| target.strip_suffix('/').unwrap_or(target) == origin;
    match form.all("resource").chain(form.all("audience")).all(ours) {
        true => Ok(()),
        false => {
            let words = format!("tokens of this registry are for {origin} alone");
            Err(OAuthError::new(ErrorCode::InvalidTarget, words))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://r.example";

    fn read(form: &str) -> Result<GrantAsked, ErrorCode> {
        let form = Form::parse(form.as_bytes()).unwrap();
        GrantAsked::read(&form, ORIGIN).map_err(|error| error.code)
    }

    #[test]
    fn what_is_asked_is_read_or_refused_by_its_code() {
        let asked = read("grant_type=client_credentials&scope=read&resource=https://r.example/");
        let scopes = Some(Scopes::parse("read").unwrap());
        assert_eq!(asked, Ok(GrantAsked::ClientCredentials { scopes }));
        let code = "grant_type=authorization_code&code=c&redirect_uri=u";
        assert_eq!(read(code), Err(ErrorCode::InvalidRequest));
        assert!(read(&format!("{code}&code_verifier=v")).is_ok());
        for (form, refusal) in [
            ("", ErrorCode::InvalidRequest),
            ("grant_type=password", ErrorCode::UnsupportedGrantType),
            ("grant_type=refresh_token", ErrorCode::UnsupportedGrantType),
            (
                "grant_type=client_credentials&scope=all",
                ErrorCode::InvalidScope,
            ),
            (
                "grant_type=client_credentials&resource=https://r.example.evil",
                ErrorCode::InvalidTarget,
            ),
            (
                "grant_type=client_credentials&audience=https://r.example&audience=x",
                ErrorCode::InvalidTarget,
            ),
        ] {
            assert_eq!(read(form), Err(refusal), "{form}");
        }
    }
}
