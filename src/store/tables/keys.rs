//! The rows of what is done with keys over time.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::EndorsementRecord;
use crate::ids::{KeyId, ListId, ProfileId};
use crate::store::table::postcard_record;
use crate::time::Timestamp;

/// One key taking over from others. It is under way until [`Self::done_at`]; from
/// [`Self::signs_from`] on every list is signed again, in passes: one in which lists could not be
/// signed is followed by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationRecord {
    /// The keys that were in use.
    pub from: Vec<KeyId>,
    /// The new one.
    pub to: KeyId,
    /// From when on the new one signs.
    pub signs_from: Timestamp,
    /// How many lists there are to sign again, as they were counted last.
    pub total: u64,
    /// How many of them this pass has signed, or found signed by a key that signs.
    pub done: u64,
    /// How many this pass could not sign.
    pub missed: u64,
    /// The last list that this pass looked at.
    pub after: Option<ListId>,
    /// When it is to be seen to next: its place among the rotations under way.
    pub due: Timestamp,
    /// When it was done.
    pub done_at: Option<Timestamp>,
}
postcard_record!(RotationRecord, 1);

/// Where a key stands that was brought along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BroughtKeyRecord {
    /// Whose it is.
    pub profile: ProfileId,
    /// Which of their keys.
    pub key: KeyId,
}
postcard_record!(BroughtKeyRecord, 1);

/// An endorsement that its endorser is to sign elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToSignRecord {
    /// The credential without a proof, JSON.
    pub unsigned: String,
    /// What is kept of it once it is in force; none where it is already, and is to be signed again.
    pub record: Option<EndorsementRecord>,
}
postcard_record!(ToSignRecord, 1);

impl ToSignRecord {
    /// The credential.
    pub fn unsigned(&self) -> Value {
        serde_json::from_str(&self.unsigned).expect("it is JSON that this registry wrote")
    }
}
