//! What statuses mean: purposes and the changes they allow, what a credential points to, and the
//! lists of every format that is met. Bitstring Status List 1.0, Token Status List and
//! StatusList2021 are read and written; 1EdTech revocation lists, which disclose the ids of
//! credentials, are read alone.
//!
//! In reading order: `purpose`; `reference`, where a credential says that its status stands, with
//! `entry` and `messages`; `answer`, what a list says; then the lists, `bsl`, `revocations` and
//! `token`. What is handed out: `members` and `form` for entries, `list_2021` beside `bsl` for
//! lists, `token::write` for tokens. Nothing is fetched here and no proof but that of a CWT is
//! checked; see [`crate::verify`].

mod answer;
mod bsl;
mod entry;
mod form;
mod list_2021;
mod members;
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
pub use entry::{ENTRY_TYPE, EntryError, ListFormat, StatusEntry};
pub use form::{EntryForm, build_entry};
pub use list_2021::{Not2021, build_list_2021, check_2021};
pub use members::{
    EntryMembers, EntryMembersError, ListMessages, ListMessagesError, MOST_MESSAGE_BYTES,
    MOST_MESSAGE_CHARACTERS, MOST_REFERENCE_CHARACTERS, MOST_REFERENCES, ReferencesError,
    StatusReferences,
};
pub use messages::{MessagesError, StatusMessages};
pub use purpose::{
    Change, CustomPurpose, Effect, PurposeError, StatusPurpose, TransitionRefused, transition,
};
pub use reference::{ListReference, RevocationListEntry, TokenEntry};
pub use revocations::RevocationList;
pub use token::{
    Plane, ProjectionError, SignedCwt, Split, SplitError, TokenBits, TokenListToPublish,
    TokenStatusList, TokenValueRefused, check_token_value, project, split, token_claim, token_size,
    write_token_claims,
};
