//! The bytes of what was changed.

use crate::ids::{Revision, Seq};
use crate::store::codec::{CodecError, Reader, SortedIndexes};
use crate::vc::sealing::{Generation, MasterKeyId};

use super::kind::{EventKind, LIST_PUBLISHED, LIST_SIGNED};
use super::master_key::MasterKeyStep;
use super::reading::{achievement, endorsement, key, list, profile, space};
use super::state::EndorsementState;
use super::taken::WhyTaken;
use super::{parties, requests};

impl EventKind {
    pub(super) fn encode_payload(&self, out: &mut Vec<u8>) {
        match self {
            Self::ProfileCreated { profile } | Self::ProfileChanged { profile } => {
                out.extend(profile.0.to_be_bytes());
            }
            Self::AccreditorStanding { profile, state } => {
                out.extend(profile.0.to_be_bytes());
                out.push(state.code());
            }
            Self::KeyMade { profile, key }
            | Self::KeyRetired { profile, key }
            | Self::RotationBegun { profile, key }
            | Self::RotationDone { profile, key } => {
                out.extend(profile.0.to_be_bytes());
                out.extend(key.0.to_be_bytes());
            }
            Self::KeyRevoked {
                profile,
                key,
                since,
            } => {
                out.extend(profile.0.to_be_bytes());
                out.extend(key.0.to_be_bytes());
                out.extend(since.millis().to_be_bytes());
            }
            Self::DataKeyMade { generation } => out.extend(generation.0.to_be_bytes()),
            Self::MasterKeyRotated { from, to, step } => {
                out.extend(from.as_bytes());
                out.extend(to.as_bytes());
                out.push(step.code());
            }
            Self::StoreTaken { epoch, found, why } => {
                out.extend(epoch.to_be_bytes());
                out.extend(found.0.to_be_bytes());
                out.push(why.code());
            }
            Self::SpaceSealed { space } => out.extend(space.as_bytes()),
            Self::AchievementCreated { achievement } | Self::AchievementChanged { achievement } => {
                out.extend(achievement.as_bytes());
            }
            Self::SpaceOpened { space, length } => {
                out.extend(space.as_bytes());
                out.extend(length.to_be_bytes());
            }
            Self::ListOpened { list, space } => {
                out.extend(list.as_bytes());
                out.extend(space.as_bytes());
            }
            Self::EntriesAllocated {
                space,
                first,
                count,
            } => {
                out.extend(space.as_bytes());
                out.extend(first.to_be_bytes());
                out.extend(count.to_be_bytes());
            }
            Self::StatusChanged {
                list,
                revision,
                status,
                indexes,
            } => {
                out.extend(list.as_bytes());
                out.extend(revision.0.to_be_bytes());
                out.push(*status);
                indexes.encode(out);
            }
            Self::ListImported {
                list,
                space,
                digest,
            } => {
                out.extend(list.as_bytes());
                out.extend(space.as_bytes());
                out.extend(digest);
            }
            Self::ListPublished { list, revision } | Self::ListSigned { list, revision } => {
                out.extend(list.as_bytes());
                out.extend(revision.0.to_be_bytes());
            }
            Self::EndorsementIssued { endorsement } | Self::EndorsementImported { endorsement } => {
                out.extend(endorsement.as_bytes());
            }
            Self::EndorsementStatus { endorsement, state } => {
                out.extend(endorsement.as_bytes());
                out.push(state.code());
            }
            Self::CredentialIssued { profile, proof } => {
                out.extend(profile.0.to_be_bytes());
                out.extend(proof);
            }
            Self::TokenMade { id } | Self::TokenRevoked { id } => out.extend(id),
            Self::Client { client, .. } => out.extend(client.as_bytes()),
            Self::Person { person, .. } => out.extend(person.as_bytes()),
            Self::Erased {
                profile,
                reasons,
                members,
                requests,
                endorsements,
            } => {
                let numbers = [profile.0, *reasons, *members, *requests, *endorsements];
                out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
            }
            Self::Request { request, event } => event.encode_payload(*request, out),
        }
    }

    pub(super) fn decode_payload(code: u8, from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match code {
            0x01 => Self::ProfileCreated {
                profile: profile(from)?,
            },
            0x02 => Self::ProfileChanged {
                profile: profile(from)?,
            },
            0x03 => Self::AccreditorStanding {
                profile: profile(from)?,
                state: EndorsementState::decode(from)?,
            },
            0x10 => Self::KeyMade {
                profile: profile(from)?,
                key: key(from)?,
            },
            0x11 => Self::KeyRetired {
                profile: profile(from)?,
                key: key(from)?,
            },
            0x12 => Self::KeyRevoked {
                profile: profile(from)?,
                key: key(from)?,
                since: from.timestamp()?,
            },
            0x15 => Self::DataKeyMade {
                generation: Generation(from.u32()?),
            },
            0x16 => Self::MasterKeyRotated {
                from: MasterKeyId::from_bytes(from.array()?),
                to: MasterKeyId::from_bytes(from.array()?),
                step: MasterKeyStep::decode(from)?,
            },
            0x17 => Self::StoreTaken {
                epoch: from.u32()?,
                found: Seq(from.u64()?),
                why: WhyTaken::decode(from)?,
            },
            0x13 => Self::RotationBegun {
                profile: profile(from)?,
                key: key(from)?,
            },
            0x14 => Self::RotationDone {
                profile: profile(from)?,
                key: key(from)?,
            },
            0x20 => Self::AchievementCreated {
                achievement: achievement(from)?,
            },
            0x21 => Self::AchievementChanged {
                achievement: achievement(from)?,
            },
            0x30 => Self::SpaceOpened {
                space: space(from)?,
                length: from.u64()?,
            },
            0x31 => Self::ListOpened {
                list: list(from)?,
                space: space(from)?,
            },
            0x32 => Self::EntriesAllocated {
                space: space(from)?,
                first: from.u64()?,
                count: from.u64()?,
            },
            0x33 => Self::StatusChanged {
                list: list(from)?,
                revision: Revision(from.u64()?),
                status: from.u8()?,
                indexes: SortedIndexes::decode(from)?,
            },
            LIST_PUBLISHED => Self::ListPublished {
                list: list(from)?,
                revision: Revision(from.u64()?),
            },
            0x35 => Self::ListImported {
                list: list(from)?,
                space: space(from)?,
                digest: from.array()?,
            },
            LIST_SIGNED => Self::ListSigned {
                list: list(from)?,
                revision: Revision(from.u64()?),
            },
            0x37 => Self::SpaceSealed {
                space: space(from)?,
            },
            0x40 => Self::EndorsementIssued {
                endorsement: endorsement(from)?,
            },
            0x41 => Self::EndorsementStatus {
                endorsement: endorsement(from)?,
                state: EndorsementState::decode(from)?,
            },
            0x42 => Self::CredentialIssued {
                profile: profile(from)?,
                proof: from.array()?,
            },
            0x43 => Self::EndorsementImported {
                endorsement: endorsement(from)?,
            },
            0x50 => Self::TokenMade { id: from.array()? },
            0x51 => Self::TokenRevoked { id: from.array()? },
            0x52..=0x5a => parties::decode_payload(code, from)?,
            0x70 => Self::Erased {
                profile: profile(from)?,
                reasons: from.u32()?,
                members: from.u32()?,
                requests: from.u32()?,
                endorsements: from.u32()?,
            },
            0x60..=0x65 => requests::decode_payload(code, from)?,
            other => {
                let what = "a kind of event";
                return Err(CodecError::Range {
                    at: 1,
                    value: other.into(),
                    what,
                });
            }
        })
    }
}
