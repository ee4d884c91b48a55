//! Who may act here, and as whom: actors, and the ways in which somebody is known as one.

pub(super) mod actor;
pub(super) mod tokens;
