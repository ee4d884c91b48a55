//! Verifiable credentials: the envelope, the keys and identifiers behind a proof, and the proofs
//! themselves.
//!
//! Start with [`credential`] (what a credential says), then [`keys`] and [`did`] (who can have
//! said it), then [`proof`] and [`jwt`] (whether they did).

pub mod multibase;

pub mod keys;
pub mod sealing;
pub mod verifying;

pub mod controller;
pub mod did;

pub mod contexts;
pub mod credential;
pub mod members;
pub mod proof;

pub mod jwks;
pub mod jws;
pub mod jwt;

pub mod securing;
