//! The bodies of the fuzz targets: each reads an input, and holds what came out of it against
//! something that is not the code that read it.

pub mod baked;
pub mod bodies;
pub mod controller;
pub mod credential;
pub mod did_web;
pub mod json;
pub mod json_ld;
pub mod jwt;
pub mod keys;
pub mod list_decoding;
pub mod multibase;
pub mod past_pages;
pub mod scope;
pub mod status;
pub mod timestamps;
pub mod token_list;
pub mod verify;

use goodstanding::vc::keys::SigningKey;

/// How far an input came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// What reads it refused it.
    Refused,
    /// It was read, and all that follows was looked at.
    Read,
}

impl Reached {
    /// The farther of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self == Self::Read { self } else { other }
    }
}

/// What a target does with an input. It panics where something does not hold.
pub type Body = fn(&[u8]) -> Reached;

/// All targets by name, which is also the name of their folders of inputs.
pub const TARGETS: [(&str, Body); 18] = [
    ("bodies", bodies::run),
    ("controller", controller::run),
    ("credential", credential::run),
    ("did_web", did_web::run),
    ("json", json::run),
    ("json_ld", json_ld::run),
    ("jwt", jwt::run),
    ("keys", keys::run),
    ("list_decoding", list_decoding::run),
    ("multibase", multibase::run),
    ("past_pages", past_pages::run),
    ("png", baked::run),
    ("scope", scope::run),
    ("status", status::run),
    ("svg", baked::run),
    ("timestamps", timestamps::run),
    ("token_list", token_list::run),
    ("verify", verify::run),
];

/// The key that signs what targets want signed; nothing else is signed with it.
fn signing_key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}
