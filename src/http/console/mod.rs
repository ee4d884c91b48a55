//! The console: pages for people who sign in, on top of the same services that tokens reach. A page is a handler
//! that makes a [`Visit`] of its request, and what a form does one that makes a [`Sent`] of it, which is the only
//! way to the fields of a form and sees to it that the form is this session's own.
//!
//! What somebody may do is decided where it is for tokens: their role is an actor's actions, and services ask
//! `must(action, owner)`. The pages leave out what would be refused, for kindness and not for safety.

pub(in crate::http) mod account;
mod cookie;
pub(in crate::http) mod door;
pub(in crate::http) mod endorsements;
pub(in crate::http) mod endorsing;
pub(in crate::http) mod overview;
pub(in crate::http) mod registrar;
pub(in crate::http) mod requests;
mod visit;
mod wanted;

pub(in crate::http) use door::{let_in, turned_away};
use visit::{Sent, Visit};
