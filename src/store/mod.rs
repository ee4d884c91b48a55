//! Storage: an ordered map of bytes with atomic, conditional batches and an event log
//! ([`engine`]), typed tables above it ([`table`], [`tables`]), and the engines that keep the
//! bytes ([`memory`], `rocks`). What a change leaves of the bits before it is [`past`]'s; stores of
//! older formats are brought up by `upgrade`.
//!
//! Every engine takes commits along one way, `write_path`, and decides what a batch means by one pure
//! function, `staging`. What was acknowledged is noted apart from the store, in its `anchor`.

pub mod engine;

pub mod codec;

pub mod table;

pub mod tables;

pub mod past;

pub mod following;

pub mod event;

pub mod format;

mod upgrade;

mod staging;

mod anchor;

mod chain;

pub(crate) mod durably;

mod opening;

pub mod contents;

#[cfg(feature = "rocksdb")]
pub mod moving;

#[cfg(feature = "rocksdb")]
pub mod examine;

pub mod queued;

mod write_path;

mod view;

pub mod memory;

#[cfg(feature = "postgres")]
pub mod replica;

#[cfg(feature = "postgres")]
pub mod postgres;

pub mod remembered;

pub mod watched;

#[cfg(feature = "rocksdb")]
pub mod rocks;

pub use engine::{
    Batch, CommitError, Committed, Decision, Engine, Head, LoggedEvent, Read, Row, Stopped,
    StoreError,
};
pub use table::{Key, Record, Table};
