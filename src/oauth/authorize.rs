//! What a client asks of somebody who is to sign in (RFC 6749 section 4.1.1).

use super::error::{ErrorCode, OAuthError};
use super::form::Form;
use super::grant;
use super::pkce::Challenge;
use crate::access::Scopes;
use crate::ids::ClientId;

/// The most characters of `state`.
const MAX_STATE: usize = 2_048;

/// Who asks, and where the answer goes. Until the client is known to have registered that place,
/// nobody is sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The client.
    pub client: ClientId,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What the client wants to find again in the answer.
    pub state: Option<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeAsked {
    /// The challenge of PKCE.
    pub challenge: Challenge,
    /// What the token is to be good for.
    pub scopes: Option<Scopes>,
}

impl Asker {
    /// Reads who asks.
    ///
    /// # Errors
    /// What cannot be answered at the client's place, and is told to the person.
    pub fn read(form: &Form) -> Result<Self, OAuthError> {
        let client = form.needed("client_id")?.parse();
        let state = form.get("state").map(str::to_owned);
        if state.as_ref().is_some_and(|state| state.len() > MAX_STATE) {
            let words = format!("state has more than {MAX_STATE} characters");
            return Err(OAuthError::request(words));
        }
        Ok(Self {
            client: client.map_err(|_| OAuthError::client())?,
            redirect_uri: form.needed("redirect_uri")?.to_owned(),
            state,
        })
    }
}

impl CodeAsked {
    /// Reads what is asked of the registry at `origin`.
    ///
    /// # Errors
    /// What is answered at the client's place.
    pub fn read(form: &Form, origin: &str) -> Result<Self, OAuthError> {
        if form.needed("response_type")? != "code" {
            let words = "response_type has to be code";
            return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, words));
        }
        for unknown in ["request", "request_uri"] {
            if form.get(unknown).is_some() {
                let words = format!("{unknown} is not taken here");
                return Err(OAuthError::request(words));
            }
        }
        if form
            .get("response_mode")
            .is_some_and(|mode| mode != "query")
        {
            return Err(OAuthError::request("response_mode has to be query"));
        }
        grant::check_target(form, origin)?;
        let method = form.get("code_challenge_method");
        Ok(Self {
            challenge: Challenge::parse(form.get("code_challenge"), method)?,
            scopes: grant::scopes(form)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "response_type=code&code_challenge_method=S256&\
                        code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn read(form: &str) -> Result<CodeAsked, ErrorCode> {
        let form = Form::parse(form.as_bytes()).unwrap();
        CodeAsked::read(&form, "https://r.example").map_err(|error| error.code)
    }

    #[test]
    fn a_code_is_asked_for_with_pkce() {
        assert!(read(GOOD).is_ok());
        for (form, code) in [
            (
                GOOD.replace("=code&", "=token&"),
                ErrorCode::UnsupportedResponseType,
            ),
            (GOOD.replace("S256", "plain"), ErrorCode::InvalidRequest),
            (format!("{GOOD}&request=eyJ"), ErrorCode::InvalidRequest),
            (
                format!("{GOOD}&response_mode=fragment"),
                ErrorCode::InvalidRequest,
            ),
            (format!("{GOOD}&scope=all"), ErrorCode::InvalidScope),
            (
                format!("{GOOD}&resource=https://x.example"),
                ErrorCode::InvalidTarget,
            ),
        ] {
            assert_eq!(read(&form), Err(code), "{form}");
        }
    }
}
