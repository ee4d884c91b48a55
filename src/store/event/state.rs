//! What can become of an endorsement, or of an accreditor.

use crate::store::codec::{CodecError, Reader};

/// What the standing of an endorsement, or of an accreditor, was changed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndorsementState {
    /// Active again after a suspension.
    Reinstated,
    /// Suspended, reversibly.
    Suspended,
    /// Revoked, for ever.
    Revoked,
}

impl EndorsementState {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Reinstated => 0,
            Self::Suspended => 1,
            Self::Revoked => 2,
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = reader.position();
        match reader.u8()? {
            0 => Ok(Self::Reinstated),
            1 => Ok(Self::Suspended),
            2 => Ok(Self::Revoked),
            other => Err(CodecError::Range {
                at,
                value: other.into(),
                what: "an endorsement's state",
            }),
        }
    }
}
