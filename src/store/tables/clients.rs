//! Rows of who acts here by OAuth 2.0: clients, people, and what they were given.

use serde::{Deserialize, Serialize};

use super::Digest;
use crate::access::Role;
use crate::ids::{ClientId, PersonId};
use crate::oauth::{AuthMethod, GrantKind, RedirectUri};
use crate::store::table::postcard_record;
use crate::time::Timestamp;

/// A client: postcard of the fields in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRecord {
    /// The name by which people know it.
    pub name: String,
    /// Whether it was approved.
    pub state: ClientState,
    /// As what it acts, or wants to.
    pub role: Role,
    /// What it may be good for at most, as a list of scopes; where there is none, all that the role
    /// allows.
    pub scope: Option<String>,
    /// How it says who it is.
    pub auth: AuthMethod,
    /// SHA-256 of its secret, where it has one.
    pub secret: Option<Digest>,
    /// Its public keys, a JWK set, where it signs.
    pub keys: Option<String>,
    /// What it may ask for.
    pub grants: Vec<GrantKind>,
    /// Where it may have people sent back to.
    pub redirects: Vec<RedirectUri>,
    /// SHA-256 of the token by which it sees and ends its own registration.
    pub registration: Digest,
    /// When it registered.
    pub created_at: Timestamp,
    /// When it was last decided about.
    pub decided_at: Option<Timestamp>,
}
postcard_record!(ClientRecord, 1);

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientState {
    /// Nobody has decided about it; it is given nothing.
    Pending,
    /// It may act.
    Approved,
    /// It may not, or not any more.
    Rejected,
}

/// Somebody who signs in on the pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRecord {
    /// Their name, for those who see whom they invited.
    pub name: String,
    /// Where they can be reached.
    pub email: Option<String>,
    /// As what they act.
    pub role: Role,
    /// The invitation, while it was not taken.
    pub invitation: Option<Invitation>,
    /// What is kept of their passphrase, once they have one.
    pub passphrase: Option<PassphraseRecord>,
    /// When they were invited.
    pub created_at: Timestamp,
}
postcard_record!(PersonRecord, 1);

/// An invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// SHA-256 of its code.
    pub code: Digest,
    /// Until when it can be taken.
    pub until: Timestamp,
}

/// What is kept of a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassphraseRecord {
    /// How many rounds of PBKDF2-HMAC-SHA-256 (RFC 8018) it went through.
    pub rounds: u32,
    /// The salt.
    pub salt: [u8; 16],
    /// What came out.
    pub hash: Digest,
}

/// What somebody who signed in agreed to, for a client to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRecord {
    /// By which client.
    pub client: ClientId,
    /// Who.
    pub person: PersonId,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// The challenge of its PKCE.
    pub challenge: Digest,
    /// What was agreed to, as a list of scopes.
    pub scope: String,
    /// Until when it can be used.
    pub until: Timestamp,
    /// The token that it was used for.
    pub used: Option<CodeUse>,
}
postcard_record!(CodeRecord, 1);

/// A session of the console: postcard of the fields in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// When whoever it is for signed in.
    pub created_at: Timestamp,
    /// When it was last seen to be used, give or take an eighth of the time for which it may rest.
    pub seen_at: Timestamp,
    /// The salt of the passphrase that it was begun with, so that it ends with that; zeros in
    /// development mode, where there is none.
    pub passphrase: [u8; 16],
}
postcard_record!(SessionRecord, 1);

/// The one use of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeUse {
    /// `jti` of the token that was made for it; of a session of the console the first half of its digest.
    pub token: [u8; 16],
    /// When that token ends.
    pub until: Timestamp,
}
