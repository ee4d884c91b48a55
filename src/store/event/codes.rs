//! The events of verification codes.

use super::{EventKind, profile};
use crate::store::codec::{CodecError, Reader};

/// What was done with the codes of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodesStep {
    /// They have codes from now on; what they had before is good no longer.
    HandedOut,
    /// They have none any more.
    Withdrawn,
}

pub(super) const HANDED_OUT: u8 = 0x46;
pub(super) const WITHDRAWN: u8 = 0x47;

impl CodesStep {
    /// See [`EventKind::code`].
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::HandedOut => HANDED_OUT,
            Self::Withdrawn => WITHDRAWN,
        }
    }
}

pub(super) fn encode_payload(credentials: &[[u8; 32]], out: &mut Vec<u8>) {
    let count = u32::try_from(credentials.len()).expect("so many were asked for in one request");
    out.extend(count.to_be_bytes());
    out.extend(credentials.iter().flatten());
}

/// Reads the profile and what [`encode_payload`] wrote, under one of its codes.
pub(super) fn decode_payload(code: u8, from: &mut Reader<'_>) -> Result<EventKind, CodecError> {
    let profile = profile(from)?;
    let count = from.u32()?;
    let credentials = (0..count).map(|_| from.array()).collect::<Result<_, _>>()?;
    Ok(EventKind::Codes {
        profile,
        credentials,
        step: match code {
            HANDED_OUT => CodesStep::HandedOut,
            _ => CodesStep::Withdrawn,
        },
    })
}
