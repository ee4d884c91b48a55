//! Rows about the verification codes of credentials. None of them tells a code.

use serde::{Deserialize, Serialize};

use super::Digest;
use crate::codes::CodeSeed;
use crate::ids::ProfileId;
use crate::store::table::postcard_record;
use crate::time::Timestamp;

/// Whose code it is: the key of a row of [`CREDENTIALS`](super::CREDENTIALS).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodePlace {
    /// SHA-256 of the credential's id.
    pub credential: Digest,
    /// Its issuer.
    pub profile: ProfileId,
}
postcard_record!(CodePlace, 1);

/// From what the code of a credential is made again, with a key of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeOfCredential {
    /// Random bytes, others for each code that there was.
    pub seed: CodeSeed,
    /// The number of the data key that its key is of.
    pub generation: u32,
    /// When it was handed out first.
    pub made_at: Timestamp,
}
postcard_record!(CodeOfCredential, 1);
