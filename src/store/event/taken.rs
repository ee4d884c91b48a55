//! Why a store was taken as it was found.

use crate::store::codec::{CodecError, Reader};

/// Why a store counts as it was found, whatever its anchor said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhyTaken {
    /// It was made from a backup.
    Restored,
    /// It had lost changes that were acknowledged.
    Behind,
    /// It had no anchor that could tell.
    Unanchored,
}

impl WhyTaken {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Restored => 0,
            Self::Behind => 1,
            Self::Unanchored => 2,
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = reader.position();
        match reader.u8()? {
            0 => Ok(Self::Restored),
            1 => Ok(Self::Behind),
            2 => Ok(Self::Unanchored),
            other => Err(CodecError::Range {
                at,
                value: other.into(),
                what: "why a store was taken",
            }),
        }
    }
}
