//! What was changed.

use crate::ids::{
    AchievementId, ClientId, EndorsementId, KeyId, ListId, PersonId, ProfileId, RequestId,
    Revision, Seq, SpaceId,
};
use crate::store::codec::SortedIndexes;
use crate::time::Timestamp;
use crate::vc::sealing::{Generation, MasterKeyId};

use super::codes::CodesStep;
use super::master_key::MasterKeyStep;
use super::parties::{ClientStep, PersonStep};
use super::requests::RequestEvent;
use super::state::EndorsementState;
use super::taken::WhyTaken;

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
    /// The store was taken as it was found, by a decision of its operator: what was acknowledged beyond
    /// that is not here.
    StoreTaken {
        /// For the how manieth time.
        epoch: u32,
        /// The newest event that was there.
        found: Seq,
        /// Why.
        why: WhyTaken,
    },
    /// Another key is to take over from those in use.
    RotationBegun {
        /// Whose they are.
        profile: ProfileId,
        /// The new one.
        key: KeyId,
    },
    /// A new key has taken over.
    RotationDone {
        /// Whose it is.
        profile: ProfileId,
        /// The new one.
        key: KeyId,
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
    /// No more indexes of a space are given out, since some may have been that are not known here.
    SpaceSealed {
        /// Which.
        space: SpaceId,
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
    /// A list was published as its owner has signed it elsewhere.
    ListSigned {
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
    /// Something happened to the verification codes of credentials. No code is told.
    Codes {
        /// Whose credentials they are.
        profile: ProfileId,
        /// SHA-256 of their ids: the keys of their rows in
        /// [`CREDENTIALS`](crate::store::tables::CREDENTIALS).
        credentials: Vec<[u8; 32]>,
        /// What happened.
        step: CodesStep,
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

/// The code of [`EventKind::ListSigned`], which tells of a publication as well.
pub(super) const LIST_SIGNED: u8 = 0x36;

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
            Self::RotationBegun { .. } => 0x13,
            Self::RotationDone { .. } => 0x14,
            Self::DataKeyMade { .. } => 0x15,
            Self::MasterKeyRotated { .. } => 0x16,
            Self::StoreTaken { .. } => 0x17,
            Self::AchievementCreated { .. } => 0x20,
            Self::AchievementChanged { .. } => 0x21,
            Self::SpaceOpened { .. } => 0x30,
            Self::ListOpened { .. } => 0x31,
            Self::EntriesAllocated { .. } => 0x32,
            Self::StatusChanged { .. } => 0x33,
            Self::ListPublished { .. } => LIST_PUBLISHED,
            Self::ListImported { .. } => 0x35,
            Self::ListSigned { .. } => LIST_SIGNED,
            Self::SpaceSealed { .. } => 0x37,
            Self::EndorsementIssued { .. } => 0x40,
            Self::EndorsementStatus { .. } => 0x41,
            Self::CredentialIssued { .. } => 0x42,
            Self::EndorsementImported { .. } => 0x43,
            Self::Codes { step, .. } => step.code(),
            Self::TokenMade { .. } => 0x50,
            Self::TokenRevoked { .. } => 0x51,
            Self::Client { step, .. } => step.code(),
            Self::Person { step, .. } => step.code(),
            Self::Erased { .. } => 0x70,
            Self::Request { event, .. } => event.code(),
        }
    }

    /// With whose things the reason for it is kept, whose it then is to erase: with those of whom it
    /// is the affair first, and the registry's where the registry decides about somebody.
    pub fn reason_owner(&self, also: &[ProfileId]) -> ProfileId {
        match self {
            Self::AccreditorStanding { .. } => ProfileId::REGISTRY,
            _ => {
                let first = self.concerns().first().or(also.first()).copied();
                first.unwrap_or(ProfileId::REGISTRY)
            }
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
            | Self::RotationBegun { profile, .. }
            | Self::RotationDone { profile, .. }
            | Self::Erased { profile, .. }
            | Self::CredentialIssued { profile, .. }
            | Self::Codes { profile, .. } => vec![*profile],
            Self::AchievementCreated { achievement } | Self::AchievementChanged { achievement } => {
                vec![achievement.owner()]
            }
            Self::SpaceOpened { space, .. }
            | Self::SpaceSealed { space }
            | Self::EntriesAllocated { space, .. } => vec![space.owner()],
            Self::ListOpened { list, .. }
            | Self::StatusChanged { list, .. }
            | Self::ListImported { list, .. }
            | Self::ListSigned { list, .. }
            | Self::ListPublished { list, .. } => vec![list.owner()],
            Self::EndorsementIssued { endorsement }
            | Self::EndorsementStatus { endorsement, .. }
            | Self::EndorsementImported { endorsement } => vec![endorsement.owner()],
            Self::DataKeyMade { .. }
            | Self::MasterKeyRotated { .. }
            | Self::StoreTaken { .. }
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
}
