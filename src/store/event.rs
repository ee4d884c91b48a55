//! What the log says of a change: who made it, what it was, and a commitment to the reason given.
//!
//! ```text
//! body     version u8 (1) | kind u8 | actor | commitment 32 bytes | payload
//! actor    0 | id of the operator's token, 16 bytes     the registry's operator
//!          1 | profile u32                              a profile
//!          2                                            development mode, where nobody signs in
//!
//! kind                        payload
//! 01  profile created         profile u32
//! 02  profile changed         profile u32
//! 03  accreditor's standing   profile u32 | state u8 (0 reinstated, 1 suspended, 2 role taken)
//! 10  key made                profile u32 | key u32
//! 11  key retired             profile u32 | key u32
//! 12  key revoked             profile u32 | key u32 | since i64
//! 13  rotation begun          profile u32 | key u32, the new one
//! 14  rotation done           profile u32 | key u32, the new one
//! 20  achievement created     achievement 12
//! 21  achievement changed     achievement 12
//! 30  space opened            space 12 | length u64
//! 31  list opened             list 12 | space 12
//! 32  entries allocated       space 12 | first u64 | count u64
//! 33  status changed          list 12 | revision u64 | status u8 | indexes
//! 34  list published          list 12 | revision u64
//! 35  list imported           list 12 | space 12 | SHA-256 of its statuses 32
//! 36  list signed elsewhere   list 12 | revision u64
//! 40  endorsement issued      endorsement 12
//! 41  endorsement's status    endorsement 12 | state u8 (0 reinstated, 1 suspended, 2 revoked)
//! 42  credential issued       profile u32 | SHA-256 of its signature 32
//! 43  endorsement imported    endorsement 12
//! 50  token made              id 16
//! 51  token revoked           id 16
//! 60  endorsement requested   request 12 | requester u32
//! 61  … and 62 to 65          request 12 (approved, declined, asked, answered, withdrawn)
//! ```
//!
//! Numbers are big endian, times milliseconds since 1970, and `indexes` are the delta varints of
//! [`SortedIndexes`](super::codec::SortedIndexes). A value has one spelling, and nothing may follow it. Free text never stands
//! here: it is kept apart, where it can be erased, and the log holds its [`commitment`] (zeros
//! where none was given), so that erasing it leaves the digest chain whole.

mod kind;
mod requests;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::codec::{CodecError, Reader};
use crate::ids::{ListId, ProfileId, Revision};
use kind::{LIST_PUBLISHED, LIST_SIGNED, profile};

pub use kind::{EndorsementState, EventKind};
pub use requests::{RequestEvent, RequestStep};

/// The version of the body that this program writes.
pub const EVENT_VERSION: u8 = 1;

/// One event, as the services hand it in and read it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Who made the change.
    pub actor: Actor,
    /// [`commitment`] to the reason that was given, where one was.
    pub commitment: Option<[u8; 32]>,
    /// What was changed.
    pub kind: EventKind,
}

/// Who made a change, as the log names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The registry's operator, by the id of the token that was used; zeros for what the registry
    /// does without one, as at start-up and from its own command line.
    Registry([u8; 16]),
    /// A profile, by a token of its own.
    Profile(ProfileId),
    /// Anybody: in development mode changes need no token.
    Development,
}

/// Stored bytes are not the body of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EventError {
    /// A newer program wrote the event.
    #[error("the event has version {0}, and this program reads version {EVENT_VERSION}")]
    Version(u8),
    /// The bytes are damaged.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// The commitment to `text` that stands in the log in its place:
/// `SHA-256("goodstanding reason 1" | salt | text)`. Without the salt, which is erased together
/// with the text, guesses at the text cannot be tried.
pub fn commitment(salt: &[u8; 16], text: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"goodstanding reason 1");
    hash.update(salt);
    hash.update(text.as_bytes());
    hash.finalize().into()
}

/// Which list was published and at which revision, where that is what a body says. Of other bodies
/// no more is read than of which kind they are.
///
/// # Errors
/// As [`Event::decode`], for a body of this kind or of another version.
pub fn published(body: &[u8]) -> Result<Option<(ListId, Revision)>, EventError> {
    let mut reader = Reader::new(body);
    let version = reader.u8()?;
    if version != EVENT_VERSION {
        return Err(EventError::Version(version));
    }
    if !matches!(reader.u8()?, LIST_PUBLISHED | LIST_SIGNED) {
        return Ok(None);
    }
    Ok(match Event::decode(body)?.kind {
        EventKind::ListPublished { list, revision } | EventKind::ListSigned { list, revision } => {
            Some((list, revision))
        }
        _ => None,
    })
}

impl Event {
    /// The body, as drawn at the top of this file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![EVENT_VERSION, self.kind.code()];
        self.actor.encode(&mut out);
        out.extend(self.commitment.unwrap_or_default());
        self.kind.encode_payload(&mut out);
        out
    }

    /// Reads a body; refuses other versions, unknown kinds, and whatever
    /// [`encode`](Self::encode) would have written otherwise.
    pub fn decode(body: &[u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body);
        let version = reader.u8()?;
        if version != EVENT_VERSION {
            return Err(EventError::Version(version));
        }
        let code = reader.u8()?;
        let actor = Actor::decode(&mut reader)?;
        let commitment = Some(reader.array()?).filter(|bytes| *bytes != [0; 32]);
        let kind = EventKind::decode_payload(code, &mut reader)?;
        reader.finish()?;
        Ok(Self {
            actor,
            commitment,
            kind,
        })
    }
}

impl Actor {
    fn encode(self, out: &mut Vec<u8>) {
        match self {
            Self::Registry(token) => {
                out.push(0);
                out.extend(token);
            }
            Self::Profile(profile) => {
                out.push(1);
                out.extend(profile.0.to_be_bytes());
            }
            Self::Development => out.push(2),
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = reader.position();
        match reader.u8()? {
            0 => Ok(Self::Registry(reader.array()?)),
            1 => Ok(Self::Profile(profile(reader)?)),
            2 => Ok(Self::Development),
            other => Err(CodecError::Range {
                at,
                value: other.into(),
                what: "an actor",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AchievementId, EndorsementId, KeyId, ListId, RequestId, Revision, SpaceId};
    use crate::store::codec::SortedIndexes;
    use crate::store::table::hex;
    use crate::time::Timestamp;
    use proptest::prelude::*;

    fn event(actor: Actor, commitment: Option<[u8; 32]>, kind: EventKind) -> Event {
        Event {
            actor,
            commitment,
            kind,
        }
    }

    #[test]
    fn stored_bytes_are_these() {
        let (list, space) = (
            ListId::from_bytes([0xaa; 12]),
            SpaceId::from_bytes([0xbb; 12]),
        );
        let reason = Some(commitment(&[7; 16], "left the programme"));
        let events = [
            event(
                Actor::Registry([0x11; 16]),
                None,
                EventKind::ProfileCreated {
                    profile: ProfileId(1),
                },
            ),
            event(
                Actor::Profile(ProfileId(1)),
                reason,
                EventKind::StatusChanged {
                    list,
                    revision: Revision(2),
                    status: 1,
                    indexes: SortedIndexes::from(vec![94567, 3, 4]),
                },
            ),
            event(
                Actor::Development,
                None,
                EventKind::EntriesAllocated {
                    space,
                    first: 258,
                    count: 1000,
                },
            ),
            event(
                Actor::Development,
                None,
                EventKind::KeyRevoked {
                    profile: ProfileId(1),
                    key: KeyId(2),
                    since: Timestamp::from_millis(-1),
                },
            ),
        ];
        let bytes: Vec<_> = events.iter().map(|event| hex(&event.encode())).collect();
        insta::assert_debug_snapshot!(bytes, @r#"
        [
            "01010011111111111111111111111111111111000000000000000000000000000000000000000000000000000000000000000000000001",
            "013301000000013858120410e8c534e76af314d427dd6e16d7f64e90a6d9789f90ae040f2e7c9aaaaaaaaaaaaaaaaaaaaaaaaa000000000000000201030300e2e205",
            "0132020000000000000000000000000000000000000000000000000000000000000000bbbbbbbbbbbbbbbbbbbbbbbb000000000000010200000000000003e8",
            "01120200000000000000000000000000000000000000000000000000000000000000000000000100000002ffffffffffffffff",
        ]
        "#);
    }

    #[test]
    fn a_commitment_is_a_salted_digest_of_the_text() {
        // printf 'goodstanding reason 1\0…\0left' | sha256sum, with sixteen zero bytes.
        insta::assert_snapshot!(hex(&commitment(&[0; 16], "left")), @"e83f56cf1dea51e82f1ccc32a7f6a5f640aeb9250ef79d1e896b1ad1556a1889");
        assert_ne!(commitment(&[0; 16], "left"), commitment(&[1; 16], "left"));
    }

    #[test]
    fn many_revocations_take_about_a_byte_each() {
        // A product with an odd number shuffles the 131,072 indexes; the first 100,000 of them.
        let indexes: SortedIndexes = (0u32..100_000)
            .map(|n| n.wrapping_mul(0x9e37_79b1) & 0x1_ffff)
            .collect();
        assert_eq!(indexes.as_slice().len(), 100_000);
        let list = ListId::from_bytes([0; 12]);
        let kind = EventKind::StatusChanged {
            list,
            revision: Revision(1),
            status: 1,
            indexes,
        };
        let size = event(Actor::Development, None, kind).encode().len();
        assert!(size < 100_100, "{size} bytes");
    }

    #[test]
    fn bytes_that_are_no_event_are_named() {
        let good = event(
            Actor::Development,
            None,
            EventKind::EndorsementStatus {
                endorsement: EndorsementId::from_bytes([0; 12]),
                state: EndorsementState::Revoked,
            },
        )
        .encode();
        let refused = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            Event::decode(&bytes).unwrap_err().to_string()
        };
        insta::assert_snapshot!(refused(0, 2), @"the event has version 2, and this program reads version 1");
        insta::assert_snapshot!(refused(1, 0x7f), @"at byte 1: 127 is out of range for a kind of event");
        insta::assert_snapshot!(refused(2, 3), @"at byte 2: 3 is out of range for an actor");
        insta::assert_snapshot!(refused(good.len() - 1, 3), @"at byte 47: 3 is out of range for an endorsement's state");
        let longer = [good.as_slice(), &[0]].concat();
        insta::assert_snapshot!(Event::decode(&longer).unwrap_err(), @"at byte 48: 1 bytes too many");
        for end in 0..good.len() {
            let short = Event::decode(&good[..end]);
            assert!(
                matches!(short, Err(EventError::Codec(CodecError::Short { .. }))),
                "{end}"
            );
        }
    }

    fn actors() -> impl Strategy<Value = Actor> {
        prop_oneof![
            any::<[u8; 16]>().prop_map(Actor::Registry),
            any::<u32>().prop_map(|profile| Actor::Profile(ProfileId(profile))),
            Just(Actor::Development),
        ]
    }

    fn kinds() -> impl Strategy<Value = EventKind> {
        let raw = (
            any::<[u8; 12]>(),
            any::<[u8; 16]>(),
            any::<(u32, u32)>(),
            any::<(u64, u64)>(),
        );
        (
            0usize..23,
            raw,
            any::<u8>(),
            prop::collection::vec(any::<u32>(), 0..20),
        )
            .prop_map(
                |(which, (scoped, id, (a, b), (first, count)), small, indexes)| {
                    let (profile, key) = (ProfileId(a), KeyId(b));
                    let (list, space) = (ListId::from_bytes(scoped), SpaceId::from_bytes(scoped));
                    let endorsement = EndorsementId::from_bytes(scoped);
                    let achievement = AchievementId::from_bytes(scoped);
                    let states = [
                        EndorsementState::Reinstated,
                        EndorsementState::Suspended,
                        EndorsementState::Revoked,
                    ];
                    match which {
                        0 => EventKind::ProfileCreated { profile },
                        1 => EventKind::ProfileChanged { profile },
                        2 => EventKind::KeyMade { profile, key },
                        3 => EventKind::KeyRetired { profile, key },
                        4 => {
                            let since = Timestamp::from_millis(first as i64);
                            EventKind::KeyRevoked {
                                profile,
                                key,
                                since,
                            }
                        }
                        5 => EventKind::AchievementCreated { achievement },
                        6 => EventKind::AchievementChanged { achievement },
                        7 => EventKind::SpaceOpened {
                            space,
                            length: count,
                        },
                        8 => EventKind::ListOpened { list, space },
                        9 => EventKind::EntriesAllocated {
                            space,
                            first,
                            count,
                        },
                        10 => EventKind::StatusChanged {
                            list,
                            revision: Revision(first),
                            status: small,
                            indexes: indexes.into(),
                        },
                        17 => EventKind::ListPublished {
                            list,
                            revision: Revision(first),
                        },
                        11 => EventKind::EndorsementIssued { endorsement },
                        12 => {
                            let state = states[usize::from(small) % 3];
                            EventKind::EndorsementStatus { endorsement, state }
                        }
                        13 => EventKind::CredentialIssued {
                            profile,
                            proof: [id[0]; 32],
                        },
                        14 => EventKind::TokenMade { id },
                        15 => EventKind::Request {
                            request: RequestId::from_bytes(scoped),
                            event: RequestEvent::Made { requester: profile },
                        },
                        16 => EventKind::Request {
                            request: RequestId::from_bytes(scoped),
                            event: RequestEvent::Step(
                                RequestStep::ALL[usize::from(small) % RequestStep::ALL.len()],
                            ),
                        },
                        18 => EventKind::ListImported {
                            list,
                            space,
                            digest: [id[1]; 32],
                        },
                        21 => EventKind::ListSigned {
                            list,
                            revision: Revision(first),
                        },
                        19 => EventKind::RotationBegun { profile, key },
                        20 => EventKind::RotationDone { profile, key },
                        _ => EventKind::TokenRevoked { id },
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn events_survive(
            actor in actors(),
            commitment: Option<[u8; 32]>,
            kind in kinds(),
        ) {
            let event = event(actor, commitment.filter(|bytes| *bytes != [0; 32]), kind);
            let told = match event.kind {
                EventKind::ListPublished { list, revision }
                | EventKind::ListSigned { list, revision } => Some((list, revision)),
                _ => None,
            };
            prop_assert_eq!(published(&event.encode()), Ok(told));
            prop_assert_eq!(Event::decode(&event.encode()), Ok(event));
        }

        /// One wrong byte is refused, or is another event with a spelling of its own.
        #[test]
        fn an_event_that_is_read_has_one_spelling(
            actor in actors(),
            kind in kinds(),
            at: prop::sample::Index,
            byte: u8,
        ) {
            let mut bytes = event(actor, None, kind).encode();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(event) = Event::decode(&bytes) {
                prop_assert_eq!(event.encode(), bytes);
            }
        }
    }
}
