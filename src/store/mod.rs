//! Storage: an ordered map of bytes with atomic, conditional batches and an event log
//! ([`engine`]), typed tables above it ([`table`], [`tables`]), and the engines that keep the
//! bytes ([`memory`], `rocks`). What a change leaves of the bits before it is [`past`]'s; stores of
//! older formats are brought up by `upgrade`.
//!
//! Every engine takes commits through one pure function, `staging`: what a batch means does not
//! depend on where it is kept.

pub mod engine;

pub mod codec;

pub mod table;

pub mod tables;

pub mod past;

pub mod event;

pub mod format;

mod upgrade;

mod staging;

pub mod memory;

pub mod remembered;

#[cfg(feature = "rocksdb")]
pub mod rocks;

pub use engine::{Batch, CommitError, Committed, Engine, Head, LoggedEvent, Read, Row, StoreError};
pub use table::{Key, Record, Table};
