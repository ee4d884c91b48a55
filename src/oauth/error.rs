//! Refusals in the words of OAuth 2.0.

use thiserror::Error;

/// The codes by which clients tell refusals apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request is malformed (RFC 6749 section 5.2).
    InvalidRequest,
    /// The client is unknown, or did not show that it is itself (RFC 6749 section 5.2).
    InvalidClient,
    /// The code, or what was sent with it, is not good (RFC 6749 section 5.2).
    InvalidGrant,
    /// This client may not ask in this way (RFC 6749 section 5.2).
    UnauthorizedClient,
    /// No such grant is given here (RFC 6749 section 5.2).
    UnsupportedGrantType,
    /// The scope is unknown, or wider than what the client may have (RFC 6749 section 5.2).
    InvalidScope,
    /// The token is wanted for somebody else (RFC 8707 section 2).
    InvalidTarget,
    /// A redirect URI that is not taken (RFC 7591 section 3.2.2).
    InvalidRedirectUri,
    /// Another member of a registration that is not taken (RFC 7591 section 3.2.2).
    InvalidClientMetadata,
    /// A software statement by somebody who is not trusted here (RFC 7591 section 3.2.2).
    UnapprovedSoftwareStatement,
    /// Nobody agreed (RFC 6749 section 4.1.2.1).
    AccessDenied,
    /// Another answer than a code (RFC 6749 section 4.1.2.1).
    UnsupportedResponseType,
    /// No kind of token of that name is known (RFC 7009 section 2.2.1).
    UnsupportedTokenType,
    /// The token is not good (RFC 6750 section 3.1).
    InvalidToken,
    /// The token is good for less than this needs (RFC 6750 section 3.1).
    InsufficientScope,
}

impl ErrorCode {
    /// The code as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// A refusal: a code for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {description}", code.as_str())]
pub struct OAuthError {
    /// Which.
    pub code: ErrorCode,
    /// Where and why, of the characters that the standard allows.
    pub description: String,
}

impl OAuthError {
    /// A refusal. Characters that may not stand in a description (RFC 6749 section 5.2) are told by
    /// others: quotation marks by apostrophes, the rest by question marks.
    pub fn new(code: ErrorCode, description: impl AsRef<str>) -> Self {
        Self {
            code,
            description: plain(description.as_ref()),
        }
    }

    /// [`ErrorCode::InvalidRequest`].
    pub fn request(description: impl AsRef<str>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// [`ErrorCode::InvalidClient`]. Says the same whatever was wrong, so that nobody finds out
    /// which clients there are.
    pub fn client() -> Self {
        let words = "the client is not known here, or did not show that it is itself in the way \
                     that it registered (token_endpoint_auth_method)";
        Self::new(ErrorCode::InvalidClient, words)
    }

    /// [`ErrorCode::InvalidGrant`].
    pub fn grant(description: impl AsRef<str>) -> Self {
        Self::new(ErrorCode::InvalidGrant, description)
    }

    /// [`ErrorCode::InvalidClientMetadata`].
    pub fn metadata(description: impl AsRef<str>) -> Self {
        Self::new(ErrorCode::InvalidClientMetadata, description)
    }
}

/// Text in which every character may stand in `error_description`, and in a quoted string of a
/// header; at most 400 of them.
pub fn plain(text: &str) -> String {
    let told = |c: char| match c {
        '"' => '\'',
        ' '..='~' if c != '\\' => c,
        _ => '?',
    };
    text.chars().take(400).map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_the_characters_of_the_standard_alone() {
        let error = OAuthError::request("the member \"a\\b\"\r\nis ä");
        assert_eq!(error.description, "the member 'a?b'??is ?");
        assert_eq!(plain(&"x".repeat(9_000)).len(), 400);
    }
}
