//! Who may act here, and as whom: actors, and the ways in which somebody is known as one.

pub(super) mod actor;
pub(super) mod bearer;
pub(super) mod clients;
mod colleagues;
pub(super) mod grants;
pub(super) mod people;
pub(super) mod providers;
pub(super) mod quotas;
pub(super) mod sessions;
pub(super) mod sign_in;
pub(super) mod tokens;
