//! Proof key for code exchange (RFC 7636), with S256 alone: whoever sees a code on its way back
//! cannot use it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::error::OAuthError;

/// A challenge: SHA-256 of the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge([u8; 32]);

impl Challenge {
    /// Reads `code_challenge` beside `code_challenge_method`. Where that is left out RFC 7636 means
    /// `plain`, which protects nothing.
    ///
    /// # Errors
    /// `invalid_request` for another method than S256, and for what is no such challenge.
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Self, OAuthError> {
        let challenge = challenge.ok_or_else(|| {
            OAuthError::request("code_challenge is missing: PKCE (RFC 7636) is needed here")
        })?;
        if method != Some("S256") {
            return Err(OAuthError::request("code_challenge_method has to be S256"));
        }
        let bytes = URL_SAFE_NO_PAD.decode(challenge).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| {
                OAuthError::request("code_challenge has to be a SHA-256 in base64url, unpadded")
            })
    }

    /// The challenge of a verifier.
    pub fn of(verifier: &str) -> Self {
        Self(Sha256::digest(verifier.as_bytes()).into())
    }

    /// As it is sent.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The stored bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads stored bytes back.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Demands that `verifier` is what the challenge was made of.
    ///
    /// # Errors
    /// `invalid_grant` where it is not, `invalid_request` where it cannot be one (RFC 7636 section
    /// 4.1: 43 to 128 unreserved characters).
    pub fn verify(&self, verifier: &str) -> Result<(), OAuthError> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            let words = "code_verifier has to have 43 to 128 letters, digits, and - . _ ~";
            return Err(OAuthError::request(words));
        }
        match bool::from(Self::of(verifier).0.ct_eq(&self.0)) {
            true => Ok(()),
            false => Err(OAuthError::grant(
                "code_verifier is not what code_challenge was made of",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::ErrorCode;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_rfc_7636_is_good() {
        let challenge = Challenge::parse(Some(CHALLENGE), Some("S256")).unwrap();
        assert_eq!(challenge.verify(VERIFIER), Ok(()));
        assert_eq!(Challenge::of(VERIFIER).to_text(), CHALLENGE);
        assert_eq!(Challenge::from_bytes(*challenge.as_bytes()), challenge);
        let other = VERIFIER.replace('d', "e");
        let refused = challenge.verify(&other).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidGrant);
        for bad in ["", "short", &VERIFIER.replace('d', "+"), &"x".repeat(129)] {
            let refused = challenge.verify(bad).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidRequest, "{bad}");
        }
    }

    #[test]
    fn no_other_method_and_no_other_length_is_taken() {
        for (challenge, method) in [
            (None, Some("S256")),
            (Some(CHALLENGE), None),
            (Some(CHALLENGE), Some("plain")),
            (Some(CHALLENGE), Some("s256")),
            (Some(&CHALLENGE[1..]), Some("S256")),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"),
                Some("S256"),
            ),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="),
                Some("S256"),
            ),
        ] {
            let refused = Challenge::parse(challenge, method).unwrap_err();
            assert_eq!(
                refused.code,
                ErrorCode::InvalidRequest,
                "{challenge:?} {method:?}"
            );
        }
    }
}
