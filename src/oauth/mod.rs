//! OAuth 2.0 as a protocol: the texts that go to and fro, and what makes each of them good. Nothing
//! here knows who the clients are, what they may do, or how a request arrives.
//!
//! [`access_token`] is what a bearer shows (RFC 9068); [`client_auth`] and [`assertion`] are how a
//! client says who it is (RFC 6749 section 2.3, RFC 7523); [`registration`] is what it says of
//! itself (RFC 7591); [`grant`] what it asks for; [`authorize`], [`redirect`], [`pkce`], [`passphrase`] and [`form_token`] are
//! how somebody signs in by one (RFC 7636, RFC 8252); [`provider`] is a sign-in elsewhere (OpenID Connect).

pub mod access_token;
pub mod assertion;
pub mod authorize;
pub mod claims;
pub mod client_auth;
pub mod error;
pub mod form;
pub mod form_token;
pub mod grant;
pub mod passphrase;
pub mod pkce;
pub mod provider;
pub mod redirect;
pub mod registration;
pub mod secret;

pub use access_token::{AccessClaims, Bearer, TokenRefused};
pub use assertion::{Assertion, AssertionRefused};
pub use client_auth::{AuthMethod, Presented};
pub use error::{ErrorCode, OAuthError};
pub use form::Form;
pub use grant::{GrantAsked, GrantKind};
pub use redirect::RedirectUri;
pub use registration::ClientMetadata;
