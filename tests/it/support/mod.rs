//! What tests share.

pub(crate) mod vectors;
