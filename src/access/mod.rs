//! Who may do what: actions, the roles that carry them, and the scopes that narrow a token down to
//! some of them. Nobody's identity and nothing stored is known here.

mod action;
mod role;
mod scope;

pub use action::{Action, Actions};
pub use role::{Role, UnknownRole};
pub use scope::{Asked, OPEN_BADGES_PATH, OpenBadgesScope, Reach, Scope, ScopeError, Scopes};
