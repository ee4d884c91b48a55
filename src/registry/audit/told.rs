//! What an event says was done, in the words and ids of the API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::ids::SpaceId;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::event::{
    ClientStep, EndorsementState, EventKind, MasterKeyStep, PersonStep, RequestEvent, RequestStep,
    WhyTaken,
};
use crate::store::tables::SPACES;

impl EventKind {
    /// What happened, in words: the kind of thing, and what was done to it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ProfileCreated { .. } => "profile.created",
            Self::ProfileChanged { .. } => "profile.changed",
            Self::AccreditorStanding { state, .. } => match state {
                EndorsementState::Reinstated => "accreditor.reinstated",
                EndorsementState::Suspended => "accreditor.suspended",
                EndorsementState::Revoked => "accreditor.revoked",
            },
            Self::KeyMade { .. } => "key.made",
            Self::KeyRetired { .. } => "key.retired",
            Self::KeyRevoked { .. } => "key.revoked",
            Self::RotationBegun { .. } => "key.rotation-begun",
            Self::RotationDone { .. } => "key.rotated",
            Self::DataKeyMade { .. } => "data-key.made",
            Self::MasterKeyRotated { step, .. } => match step {
                MasterKeyStep::Begun => "master-key.rotation-begun",
                MasterKeyStep::Done => "master-key.rotated",
            },
            Self::StoreTaken { .. } => "store.taken",
            Self::AchievementCreated { .. } => "achievement.created",
            Self::AchievementChanged { .. } => "achievement.changed",
            Self::SpaceOpened { .. } => "space.opened",
            Self::SpaceSealed { .. } => "space.sealed",
            Self::ListOpened { .. } => "list.opened",
            Self::EntriesAllocated { .. } => "entries.allocated",
            Self::StatusChanged { .. } => "status.changed",
            Self::ListPublished { .. } => "list.published",
            Self::ListSigned { .. } => "list.signed",
            Self::ListImported { .. } => "list.imported",
            Self::EndorsementIssued { .. } => "endorsement.issued",
            Self::EndorsementStatus { state, .. } => match state {
                EndorsementState::Reinstated => "endorsement.reinstated",
                EndorsementState::Suspended => "endorsement.suspended",
                EndorsementState::Revoked => "endorsement.revoked",
            },
            Self::EndorsementImported { .. } => "endorsement.imported",
            Self::CredentialIssued { .. } => "credential.issued",
            Self::TokenMade { .. } => "token.made",
            Self::TokenRevoked { .. } => "token.revoked",
            Self::Client { step, .. } => match step {
                ClientStep::Registered => "client.registered",
                ClientStep::Approved => "client.approved",
                ClientStep::Rejected => "client.rejected",
                ClientStep::Removed => "client.removed",
                ClientStep::SecretMade => "client.secret-made",
            },
            Self::Person { step, .. } => match step {
                PersonStep::Invited => "person.invited",
                PersonStep::Accepted => "person.accepted",
                PersonStep::Removed => "person.removed",
                PersonStep::PassphraseChanged => "person.passphrase-changed",
            },
            Self::Erased { .. } => "words.erased",
            Self::Request { event, .. } => match event {
                RequestEvent::Made { .. } => "request.made",
                RequestEvent::Step(step) => match step {
                    RequestStep::Approved => "request.approved",
                    RequestStep::Declined => "request.declined",
                    RequestStep::Asked => "request.asked",
                    RequestStep::Answered => "request.answered",
                    RequestStep::Withdrawn => "request.withdrawn",
                },
            },
        }
    }
}

impl Registry {
    /// What it was done to, and what came of it. The profile whose it is stands beside it.
    pub(super) fn about(
        &self,
        read: &dyn Read,
        kind: &EventKind,
    ) -> Result<Map<String, Value>, RegistryError> {
        let urls = self.urls();
        let id = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let about = match kind {
            EventKind::ProfileCreated { .. }
            | EventKind::ProfileChanged { .. }
            | EventKind::AccreditorStanding { .. } => json!({}),
            EventKind::KeyMade { key, .. }
            | EventKind::KeyRetired { key, .. }
            | EventKind::RotationBegun { key, .. }
            | EventKind::RotationDone { key, .. } => {
                json!({ "key": key.to_string() })
            }
            EventKind::KeyRevoked { key, since, .. } => {
                json!({ "key": key.to_string(), "since": since.to_string() })
            }
            EventKind::DataKeyMade { generation } => json!({ "generation": generation.0 }),
            EventKind::MasterKeyRotated { from, to, .. } => {
                json!({ "from": from.to_string(), "to": to.to_string() })
            }
            EventKind::StoreTaken { epoch, found, why } => {
                let why = match why {
                    WhyTaken::Restored => "restored",
                    WhyTaken::Behind => "behind-anchor",
                    WhyTaken::Unanchored => "unanchored",
                };
                json!({ "epoch": epoch, "found": found.0, "why": why })
            }
            EventKind::AchievementCreated { achievement }
            | EventKind::AchievementChanged { achievement } => {
                json!({ "achievement": urls.achievement(*achievement) })
            }
            EventKind::SpaceOpened { length, .. } => json!({ "length": length }),
            EventKind::ListOpened { list, .. } => json!({ "list": urls.list(*list) }),
            EventKind::EntriesAllocated { space, count, .. } => {
                json!({ "lists": self.lists_over(read, *space)?, "count": count })
            }
            EventKind::SpaceSealed { space } => {
                json!({ "lists": self.lists_over(read, *space)? })
            }
            EventKind::StatusChanged {
                list,
                revision,
                status,
                indexes,
            } => json!({
                "list": urls.list(*list),
                "revision": revision.0,
                "status": status,
                "indexes": indexes.as_slice(),
            }),
            EventKind::ListPublished { list, revision }
            | EventKind::ListSigned { list, revision } => {
                json!({ "list": urls.list(*list), "revision": revision.0 })
            }
            EventKind::ListImported { list, digest, .. } => {
                json!({ "list": urls.list(*list), "statusesSha256": id(digest) })
            }
            EventKind::EndorsementIssued { endorsement }
            | EventKind::EndorsementStatus { endorsement, .. }
            | EventKind::EndorsementImported { endorsement } => {
                json!({ "endorsement": urls.endorsement(*endorsement) })
            }
            EventKind::CredentialIssued { proof, .. } => json!({ "proofSha256": id(proof) }),
            EventKind::TokenMade { id: token } | EventKind::TokenRevoked { id: token } => {
                json!({ "token": id(token) })
            }
            EventKind::Client { client, .. } => json!({ "client": client.to_string() }),
            EventKind::Person { person, .. } => json!({ "person": person.to_string() }),
            EventKind::Erased {
                reasons,
                members,
                requests,
                endorsements,
                ..
            } => json!({
                "reasons": reasons,
                "members": members,
                "requests": requests,
                "endorsements": endorsements,
            }),
            EventKind::Request { request, .. } => json!({ "request": urls.request(*request) }),
        };
        match about {
            Value::Object(members) => Ok(members),
            _ => unreachable!("every kind is told as an object"),
        }
    }

    fn lists_over(&self, read: &dyn Read, space: SpaceId) -> Result<Vec<String>, RegistryError> {
        let planes = SPACES.get(read, &space)?.map(|space| space.planes);
        let planes = planes.unwrap_or_default().into_iter();
        Ok(planes.map(|plane| self.urls().list(plane.list)).collect())
    }
}
