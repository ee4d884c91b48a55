//! What was changed, and the bytes that say so.

use crate::ids::{
    AchievementId, ClientId, EndorsementId, KeyId, ListId, PersonId, ProfileId, RequestId,
    Revision, SpaceId,
};
use crate::store::codec::{CodecError, Reader, SortedIndexes};
use crate::time::Timestamp;
use crate::vc::sealing::{Generation, MasterKeyId};

use super::master_key::MasterKeyStep;
use super::parties::{self, ClientStep, PersonStep};
use super::reading::{achievement, endorsement, key, list, profile, space};
use super::requests::{self, RequestEvent};
use super::state::EndorsementState;

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A profile was registered.
    ProfileCreated {
        /// Its number.
        profile: ProfileId,
    },
    /// A profile's members were changed.
    ProfileChanged {
        /// Its number.
        profile: ProfileId,
    },
    /// The registry decided about an accreditor, and with it about all that it endorsed.
    AccreditorStanding {
        /// Its number.
        profile: ProfileId,
        /// What was decided.
        state: EndorsementState,
    },
    /// A key was made, or brought along with proof of possession.
    KeyMade {
        /// Whose it is.
        profile: ProfileId,
        /// Its number.
        key: KeyId,
    },
    /// A key signs no more; what it signed stays good.
    KeyRetired {
        /// Whose it is.
        profile: ProfileId,
        /// Its number.
        key: KeyId,
    },
    /// A key may be in wrong hands; no proof by it is good any more.
    KeyRevoked {
        /// Whose it is.
        profile: ProfileId,
        /// Its number.
        key: KeyId,
        /// Since when it may have been.
        since: Timestamp,
    },
    /// A data key was made, under which signing keys are sealed from now on.
    DataKeyMade {
        /// Which.
        generation: Generation,
    },
    /// A master key takes the place of another.
    MasterKeyRotated {
        /// The one that was in use.
        from: MasterKeyId,
        /// The one that takes its place.
        to: MasterKeyId,
        /// How far that is.
        step: MasterKeyStep,
    },
    /// An achievement was registered.
    AchievementCreated {
        /// Which.
        achievement: AchievementId,
    },
    /// An achievement's members were changed.
    AchievementChanged {
        /// Which.
        achievement: AchievementId,
    },
    /// An index space was opened.
    SpaceOpened {
        /// Which.
        space: SpaceId,
        /// How many indexes it has.
        length: u64,
    },
    /// A status list was opened over an index space.
    ListOpened {
        /// Which.
        list: ListId,
        /// Over which space.
        space: SpaceId,
    },
    /// Indexes were given out: the permutation of these counters, without those indexes that were
    /// in use before the space was brought here.
    EntriesAllocated {
        /// Of which space.
        space: SpaceId,
        /// The first counter.
        first: u64,
        /// How many.
        count: u64,
    },
    /// Entries of a list got a status, all the same one.
    StatusChanged {
        /// Of which list.
        list: ListId,
        /// The list's revision after the change.
        revision: Revision,
        /// The status, 0 to what the list's status size can hold.
        status: u8,
        /// Which entries.
        indexes: SortedIndexes,
    },
    /// A list was brought here from elsewhere, with its statuses.
    ListImported {
        /// Which it is here.
        list: ListId,
        /// Over which space.
        space: SpaceId,
        /// SHA-256 of its statuses: the bits of all entries, from index 0 on.
        digest: [u8; 32],
    },
    /// A list was signed and published.
    ListPublished {
        /// Which.
        list: ListId,
        /// The revision that it shows.
        revision: Revision,
    },
    /// An endorsement was issued.
    EndorsementIssued {
        /// Which.
        endorsement: EndorsementId,
    },
    /// An endorsement's standing was changed.
    EndorsementStatus {
        /// Which.
        endorsement: EndorsementId,
        /// To what.
        state: EndorsementState,
    },
    /// An endorsement that was issued elsewhere was brought here.
    EndorsementImported {
        /// Which.
        endorsement: EndorsementId,
    },
    /// A credential was signed for its issuer.
    CredentialIssued {
        /// The issuer.
        profile: ProfileId,
        /// SHA-256 of its proof in canonical JSON (RFC 8785), or of the JWT that it is: whoever holds the credential can show
        /// that it was issued, and nobody else learns what it is. It is the key of its row in
        /// [`SIGNATURES`](crate::store::tables::SIGNATURES); events of stores older than that table hold
        /// SHA-256 of the proof's JSON as it was handed out.
        proof: [u8; 32],
    },
    /// A bearer token was made.
    TokenMade {
        /// Its id, which is not its secret.
        id: [u8; 16],
    },
    /// A bearer token was revoked.
    TokenRevoked {
        /// Its id, which is not its secret.
        id: [u8; 16],
    },
    /// Something happened to a client.
    Client {
        /// Which.
        client: ClientId,
        /// What happened.
        step: ClientStep,
    },
    /// Something happened to a person who signs in here.
    Person {
        /// Who.
        person: PersonId,
        /// What happened.
        step: PersonStep,
    },
    /// Words and contacts of a profile were erased; how many of each kind.
    Erased {
        /// Whose.
        profile: ProfileId,
        /// Reasons of changes.
        reasons: u32,
        /// Members of the profile.
        members: u32,
        /// Requests for endorsements.
        requests: u32,
        /// Endorsements.
        endorsements: u32,
    },
    /// Something happened to a request for an endorsement.
    Request {
        /// Which.
        request: RequestId,
        /// What happened.
        event: RequestEvent,
    },
}

/// The code of [`EventKind::ListPublished`], which is looked for among all others.
pub(super) const LIST_PUBLISHED: u8 = 0x34;

impl EventKind {
    /// The byte that names the kind in stored events. A number is never given a second meaning.
    pub const fn code(&self) -> u8 {
        match self {
            Self::ProfileCreated { .. } => 0x01,
            Self::ProfileChanged { .. } => 0x02,
            Self::AccreditorStanding { .. } => 0x03,
            Self::KeyMade { .. } => 0x10,
            Self::KeyRetired { .. } => 0x11,
            Self::KeyRevoked { .. } => 0x12,
            Self::DataKeyMade { .. } => 0x15,
            Self::MasterKeyRotated { .. } => 0x16,
            Self::AchievementCreated { .. } => 0x20,
            Self::AchievementChanged { .. } => 0x21,
            Self::SpaceOpened { .. } => 0x30,
            Self::ListOpened { .. } => 0x31,
            Self::EntriesAllocated { .. } => 0x32,
            Self::StatusChanged { .. } => 0x33,
            Self::ListPublished { .. } => LIST_PUBLISHED,
            Self::ListImported { .. } => 0x35,
            Self::EndorsementIssued { .. } => 0x40,
            Self::EndorsementStatus { .. } => 0x41,
            Self::CredentialIssued { .. } => 0x42,
            Self::EndorsementImported { .. } => 0x43,
            Self::TokenMade { .. } => 0x50,
            Self::TokenRevoked { .. } => 0x51,
            Self::Client { step, .. } => step.code(),
            Self::Person { step, .. } => step.code(),
            Self::Erased { .. } => 0x70,
            Self::Request { event, .. } => event.code(),
        }
    }

    /// Whose affair it is, as far as its payload tells.
    pub fn concerns(&self) -> Vec<ProfileId> {
        match self {
            Self::ProfileCreated { profile }
            | Self::ProfileChanged { profile }
            | Self::AccreditorStanding { profile, .. }
            | Self::KeyMade { profile, .. }
            | Self::KeyRetired { profile, .. }
            | Self::KeyRevoked { profile, .. }
            | Self::Erased { profile, .. }
            | Self::CredentialIssued { profile, .. } => vec![*profile],
            Self::AchievementCreated { achievement } | Self::AchievementChanged { achievement } => {
                vec![achievement.owner()]
            }
            Self::SpaceOpened { space, .. } | Self::EntriesAllocated { space, .. } => {
                vec![space.owner()]
            }
            Self::ListOpened { list, .. }
            | Self::StatusChanged { list, .. }
            | Self::ListImported { list, .. }
            | Self::ListPublished { list, .. } => vec![list.owner()],
            Self::EndorsementIssued { endorsement }
            | Self::EndorsementStatus { endorsement, .. }
            | Self::EndorsementImported { endorsement } => vec![endorsement.owner()],
            Self::DataKeyMade { .. }
            | Self::MasterKeyRotated { .. }
            | Self::TokenMade { .. }
            | Self::TokenRevoked { .. } => Vec::new(),
            Self::Client { client, .. } => vec![client.owner()],
            Self::Person { person, .. } => vec![person.owner()],
            Self::Request { request, event } => {
                let requester = match event {
                    RequestEvent::Made { requester } => Some(*requester),
                    RequestEvent::Step(_) => None,
                };
                let sides = [Some(request.owner()), requester];
                sides.into_iter().flatten().collect()
            }
        }
    }

    pub(super) fn encode_payload(&self, out: &mut Vec<u8>) {
        match self {
            Self::ProfileCreated { profile } | Self::ProfileChanged { profile } => {
                out.extend(profile.0.to_be_bytes());
            }
            Self::AccreditorStanding { profile, state } => {
                out.extend(profile.0.to_be_bytes());
                out.push(state.code());
            }
            Self::KeyMade { profile, key } | Self::KeyRetired { profile, key } => {
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
            Self::ListPublished { list, revision } => {
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
            0x52..=0x59 => parties::decode_payload(code, from)?,
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
