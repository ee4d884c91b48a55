//! What is said of a change of the master key.

use crate::store::codec::{CodecError, Reader};

/// How far it is that a master key takes the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MasterKeyStep {
    /// Both open what is stored.
    Begun,
    /// The earlier one opens nothing any more.
    Done,
}

impl MasterKeyStep {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Begun => 0,
            Self::Done => 1,
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = reader.position();
        match reader.u8()? {
            0 => Ok(Self::Begun),
            1 => Ok(Self::Done),
            other => Err(CodecError::Range {
                at,
                value: other.into(),
                what: "a step of a rotation",
            }),
        }
    }
}
