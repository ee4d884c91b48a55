//! The pages of registrars: credentials and their statuses, lists, uploads, keys, the audit trail.

mod audit;
mod credentials;
mod keys;
mod lists;
mod uploads;

pub use audit::{AuditLine, AuditPage, AuditSearched};
pub use credentials::{
    ChangeLine, ConfirmPage, CredentialLine, CredentialPage, CredentialsPage, Deed, EntryBlock,
    EntryPage,
};
pub use keys::{KeyBlock, KeysPage, RetireKeyPage, RevokeKeyPage, RotationBlock};
pub use lists::{ListBlock, ListPage, ListsPage, NewListPage};
pub use uploads::{NewUploadPage, RefusedLine, UploadPage, UploadStands};

pub(super) use super::{frame, page};
