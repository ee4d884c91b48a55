//! A store that several processes share: each is a replica, with a copy of all rows beside it that it reads
//! from, and commits through the shared place ([`remote`]).

pub(in crate::store) mod bytes;
pub(in crate::store) mod remote;
