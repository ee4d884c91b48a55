//! Goodstanding: a registry that answers, in one place, whether a credential is in good
//! standing and who stands behind its issuer.
//!
//! The modules below stand in reading order, and imports only look upward in this list
//! (`tests/it/layers.rs` checks that): pure code first, then storage, then the services that
//! own the rules, then the edge that talks HTTP and to people.

// Pure: no I/O, no runtime, no clock and no randomness of its own.
pub mod entropy;

pub mod metrics;

pub mod csv;
pub mod json;

pub mod ids;
pub mod time;

pub mod codes;

pub mod bitstring;
pub mod jsonld;

pub mod vc;

pub mod status;

pub mod badges;

pub mod verify;

pub mod trust;

pub mod access;

pub mod oauth;

// Storage.
pub mod store;

// Services.
pub mod backup;

pub mod registry;

// Edge.
pub mod net;

pub mod web;

pub mod http;

pub mod cli;

pub mod config;

pub mod app;
