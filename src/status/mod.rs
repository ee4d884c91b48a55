//! What statuses mean: purposes and the changes they allow, what a credential points to, and the
//! lists of every format that is met. One format is written here (Bitstring Status List 1.0); the
//! others are read.
//!
//! In reading order: `purpose`; `reference`, where a credential says that its status stands, with
//! `entry` and `messages`; `answer`, what a list says; then the lists, `bsl`, `revocations` and
//! `token`. Nothing is fetched here and no proof but that of a CWT is checked; see
//! [`crate::verify`].

mod answer;
mod bsl;
mod entry;
mod messages;
mod purpose;
mod reference;
mod revocations;
mod token;

pub use answer::{
    Authenticity, ERROR_LENGTH, ERROR_MALFORMED, ERROR_RANGE, ERROR_RETRIEVAL, ERROR_VERIFICATION,
    StatusError, StatusResult,
};
pub use bsl::{ListToPublish, StatusList, build_list};
pub use entry::{ENTRY_TYPE, EntryError, ListFormat, StatusEntry, build_entry, write_entries};
pub use messages::{MessagesError, StatusMessages};
pub use purpose::{
    Change, CustomPurpose, Effect, PurposeError, StatusPurpose, TransitionRefused, transition,
};
pub use reference::{ListReference, RevocationListEntry, TokenEntry};
pub use revocations::RevocationList;
pub use token::{SignedCwt, TokenStatusList};
