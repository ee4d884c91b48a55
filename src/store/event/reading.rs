//! Ids as payloads hold them.

use crate::ids::{
    AchievementId, EndorsementId, KeyId, ListId, ProfileId, SCOPED_ID_BYTES, SpaceId,
};
use crate::store::codec::{CodecError, Reader};

pub(super) fn profile(reader: &mut Reader<'_>) -> Result<ProfileId, CodecError> {
    reader.u32().map(ProfileId)
}

pub(super) fn key(reader: &mut Reader<'_>) -> Result<KeyId, CodecError> {
    reader.u32().map(KeyId)
}

pub(super) fn list(reader: &mut Reader<'_>) -> Result<ListId, CodecError> {
    reader.array::<SCOPED_ID_BYTES>().map(ListId::from_bytes)
}

pub(super) fn space(reader: &mut Reader<'_>) -> Result<SpaceId, CodecError> {
    reader.array::<SCOPED_ID_BYTES>().map(SpaceId::from_bytes)
}

pub(super) fn endorsement(reader: &mut Reader<'_>) -> Result<EndorsementId, CodecError> {
    reader
        .array::<SCOPED_ID_BYTES>()
        .map(EndorsementId::from_bytes)
}

pub(super) fn achievement(reader: &mut Reader<'_>) -> Result<AchievementId, CodecError> {
    reader
        .array::<SCOPED_ID_BYTES>()
        .map(AchievementId::from_bytes)
}
