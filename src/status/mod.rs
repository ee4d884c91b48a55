//! What statuses mean: purposes and the changes they allow, the status entry of a credential, and
//! the credential that publishes a status list (Bitstring Status List 1.0).

mod bsl;
mod entry;
mod messages;
mod purpose;

pub use bsl::{
    ERROR_LENGTH, ERROR_MALFORMED, ERROR_RANGE, ERROR_RETRIEVAL, ERROR_VERIFICATION, ListToPublish,
    StatusError, StatusList, StatusResult, build_list,
};
pub use entry::{ENTRY_TYPE, EntryError, StatusEntry, build_entry, parse_entries, write_entries};
pub use messages::{MessagesError, StatusMessages};
pub use purpose::{
    Change, CustomPurpose, Effect, PurposeError, StatusPurpose, TransitionRefused, transition,
};
