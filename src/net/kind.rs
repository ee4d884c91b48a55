//! The kinds of things that are fetched, and what of each is taken.

use super::policy::Policy;

/// What a fetch is for. It fixes what is asked for, what is taken, and how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A DID document, a controller document, or the profile of an issuer (Controlled
    /// Identifiers 1.0; did:web).
    ControllerDocument,
    /// A JWK set (RFC 7517).
    KeySet,
    /// A status list credential (Bitstring Status List 1.0, StatusList2021), also as a JWT.
    StatusList,
    /// A Token Status List, as JWT or CWT.
    TokenStatusList,
    /// A revocation list of 1EdTech.
    RevocationList,
    /// A credential, such as a refresh service gives.
    Credential,
}

/// Longest controller document and key set in bytes: profiles may carry a small image.
const LONGEST_DOCUMENT: usize = 1 << 20;

impl Kind {
    /// The `Accept` header.
    #[must_use]
    pub const fn accept(self) -> &'static str {
        match self {
            Self::ControllerDocument => {
                "application/did, application/cid, application/ld+json, application/json;q=0.9"
            }
            Self::KeySet => "application/jwk-set+json, application/json;q=0.9",
            Self::StatusList => {
                "application/vc, application/vc+jwt, application/ld+json;q=0.9, \
                 application/json;q=0.8"
            }
            Self::TokenStatusList => "application/statuslist+jwt, application/statuslist+cwt;q=0.9",
            Self::RevocationList => "application/json, application/ld+json;q=0.9",
            Self::Credential => {
                "application/vc, application/vc+jwt, application/ld+json;q=0.9, \
                 application/json;q=0.8, text/plain;q=0.1"
            }
        }
    }

    /// The media types that are taken, in lower case and without parameters.
    #[must_use]
    pub const fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::ControllerDocument => &[
                "application/did",
                "application/did+json",
                "application/did+ld+json",
                "application/cid",
                "application/ld+json",
                "application/json",
            ],
            Self::KeySet => &["application/jwk-set+json", "application/json"],
            Self::StatusList => &[
                "application/vc",
                "application/vc+ld+json",
                "application/ld+json",
                "application/json",
                "application/vc+jwt",
                "application/vc+ld+json+jwt",
                "application/jwt",
            ],
            Self::TokenStatusList => &["application/statuslist+jwt", "application/statuslist+cwt"],
            Self::RevocationList => &["application/json", "application/ld+json"],
            Self::Credential => &[
                "application/vc",
                "application/vc+ld+json",
                "application/ld+json",
                "application/json",
                "application/vc+jwt",
                "application/vc+ld+json+jwt",
                "application/jwt",
                // Open Badges 3.0 serves compact JWS under this one.
                "text/plain",
            ],
        }
    }

    /// The most bytes that are read, and the most that they may expand to.
    pub(super) fn caps(self, policy: &Policy) -> (usize, usize) {
        let longest = match self {
            Self::ControllerDocument | Self::KeySet => LONGEST_DOCUMENT,
            _ => usize::MAX,
        };
        (
            policy.body_bytes.min(longest),
            policy.expanded_bytes.min(longest),
        )
    }
}
