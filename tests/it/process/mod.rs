//! Stories of the whole program: the real binary, with its process, its files and its exit status.
//! What the registry says is held against lists decoded here, and against the independent
//! verifiers where they are at hand.
#![cfg_attr(
    not(feature = "rocksdb"),
    expect(
        dead_code,
        reason = "most stories need a store that outlives a process"
    )
)]

pub(crate) mod client;
pub(crate) mod program;
pub(crate) mod server;

mod development;
mod documents;
mod stopping;
mod verdicts;

#[cfg(feature = "rocksdb")]
mod as_json;
#[cfg(feature = "rocksdb")]
mod backup;
#[cfg(feature = "rocksdb")]
mod bulk;
#[cfg(feature = "rocksdb")]
mod canary;
#[cfg(feature = "rocksdb")]
mod collector;
#[cfg(feature = "rocksdb")]
mod crash;
#[cfg(feature = "rocksdb")]
mod damage;
#[cfg(feature = "rocksdb")]
mod doctor;
#[cfg(feature = "rocksdb")]
mod edge_nginx;
#[cfg(feature = "rocksdb")]
mod errors;
#[cfg(feature = "rocksdb")]
pub(crate) mod folder;
#[cfg(feature = "rocksdb")]
mod journeys;
#[cfg(feature = "rocksdb")]
mod master_key;
#[cfg(feature = "rocksdb")]
mod memory;
#[cfg(feature = "rocksdb")]
mod metrics;
#[cfg(feature = "rocksdb")]
mod migrate;
#[cfg(feature = "rocksdb")]
mod monitoring;
#[cfg(feature = "rocksdb")]
mod operations;
#[cfg(feature = "rocksdb")]
mod place;
#[cfg(feature = "rocksdb")]
mod publish;
#[cfg(all(feature = "rocksdb", feature = "s3"))]
mod publish_s3;
#[cfg(feature = "rocksdb")]
mod refusals;
#[cfg(feature = "rocksdb")]
mod release;
#[cfg(feature = "rocksdb")]
mod requests;
#[cfg(feature = "rocksdb")]
mod restart;
#[cfg(feature = "rocksdb")]
pub(crate) mod signed_list;
#[cfg(feature = "rocksdb")]
pub(crate) mod standing;
#[cfg(feature = "rocksdb")]
mod states;
#[cfg(feature = "rocksdb")]
mod systemd;
#[cfg(feature = "rocksdb")]
mod terminal;
#[cfg(feature = "rocksdb")]
mod told_twice;
#[cfg(all(feature = "rocksdb", feature = "otel"))]
mod traces;
#[cfg(feature = "rocksdb")]
mod trust;
