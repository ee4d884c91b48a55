//! What the log says of a change: who made it, what it was, and a commitment to the reason given.
//!
//! ```text
//! body     version u8 (2) | kind u8 | party | means | request 16 bytes | commitment 32 bytes
//!          | also: count u8, profile u32 each | payload
//! party    0                    the registry
//!          1 | profile u32      a profile
//!          2                    development mode, where nobody signs in
//!          3                    nobody that is known
//! means    0                    none: the registry itself, or its command line
//!          1 | id 16 bytes      a bearer token
//!          2 | id 16 bytes      a client
//!          3 | id 16 bytes      a person
//!          4 | digest 16 bytes  somebody whom another provider vouches for
//!          5 | id 16 | id 16    a person, by a client
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
//! 15  data key made           generation u32
//! 16  master key rotated      from 8 | to 8 | step u8 (0 both open what is stored, 1 done)
//! 17  store taken as found    epoch u32 | seq u64, the newest | why u8 (0 restored, 1 behind its anchor,
//!                             2 without an anchor)
//! 20  achievement created     achievement 12
//! 21  achievement changed     achievement 12
//! 30  space opened            space 12 | length u64
//! 31  list opened             list 12 | space 12
//! 32  entries allocated       space 12 | first u64 | count u64
//! 33  status changed          list 12 | revision u64 | status u8 | indexes
//! 34  list published          list 12 | revision u64
//! 35  list imported           list 12 | space 12 | SHA-256 of its statuses 32
//! 36  list signed elsewhere   list 12 | revision u64
//! 37  space sealed            space 12
//! 40  endorsement issued      endorsement 12
//! 41  endorsement's status    endorsement 12 | state u8 (0 reinstated, 1 suspended, 2 revoked)
//! 42  credential issued       profile u32 | SHA-256 of its signature 32
//! 43  endorsement imported    endorsement 12
//! 46  codes handed out        profile u32 | count u32 | SHA-256 of each credential's id 32
//! 47  codes withdrawn         the same
//! 50  token made              id 16
//! 51  token revoked           id 16
//! 52  client registered       client 16
//! 53  … and 54 to 56          client 16 (approved, rejected, removed, another secret made)
//! 57  person invited          person 16
//! 58  … and 59                person 16 (invitation taken, removed)
//! 70  words erased            profile u32 | reasons u32 | members u32 | requests u32 | endorsements u32
//! 60  endorsement requested   request 12 | requester u32
//! 61  … and 62 to 65          request 12 (approved, declined, asked, answered, withdrawn)
//! ```
//!
//! Numbers are big endian, times milliseconds since 1970, and `indexes` are the delta varints of
//! [`SortedIndexes`](super::codec::SortedIndexes). A value has one spelling, and nothing may follow it. Free text never stands
//! here: it is kept apart, where it can be erased, and the log holds its [`commitment`] (zeros
//! where none was given), so that erasing it leaves the digest chain whole.
//!
//! A body of version 1 is as it was written, since the digest chain is over it: `version u8 (1) | kind
//! u8 | actor | commitment 32 bytes | payload`, where an actor is a party, and the registry's is
//! followed by the id of its token, zeros where there was none.

mod codes;
mod kind;
mod master_key;
mod parties;
mod payload;
mod reading;
mod requests;
mod state;
mod taken;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::codec::{CodecError, Reader};
use super::engine::NewEvent;
use crate::ids::{ListId, ProfileId, Revision};
use kind::{LIST_PUBLISHED, LIST_SIGNED};
use reading::profile;

pub use codes::CodesStep;
pub use kind::EventKind;
pub use master_key::MasterKeyStep;
pub use parties::{ClientStep, PersonStep};
pub use requests::{RequestEvent, RequestStep};
pub use state::EndorsementState;
pub use taken::WhyTaken;

/// The version of the body that this program writes.
pub const EVENT_VERSION: u8 = 2;

/// The older one, which it reads.
const OLDER_VERSION: u8 = 1;

/// One event, as the services hand it in and read it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Who made the change.
    pub actor: Actor,
    /// The request that asked for it; zeros where none did, and in events of version 1.
    pub request: [u8; 16],
    /// [`commitment`] to the reason that was given, where one was.
    pub commitment: Option<[u8; 32]>,
    /// Whose affair it is beside those whom [`kind`](Self::kind) tells, at most 255.
    pub also: Vec<ProfileId>,
    /// What was changed.
    pub kind: EventKind,
}

/// Who made a change, as the log names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actor {
    /// For whom.
    pub party: Party,
    /// As whom.
    pub means: Means,
}

/// For whom a change was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// For the registry, by its operator or of its own accord.
    Registry,
    /// For a profile.
    Profile(ProfileId),
    /// Anybody: in development mode changes need no token.
    Development,
    /// Somebody who showed nothing of themselves, for nobody.
    Anonymous,
}

/// By what somebody was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Means {
    /// Nothing: the registry itself, its command line over the data folder, or development mode. In
    /// events of version 1 also a profile's token.
    None,
    /// A bearer token, by its id.
    Token([u8; 16]),
    /// A client, by its id.
    Client([u8; 16]),
    /// A person on the pages here, by their id.
    Person([u8; 16]),
    /// A person who signed in by a client, by the ids of both.
    PersonBy {
        /// The person's.
        person: [u8; 16],
        /// The client's.
        client: [u8; 16],
    },
    /// A token of another provider: the first half of SHA-256 over its issuer and subject.
    Outside([u8; 16]),
}

impl Means {
    /// What tells it from every other: its kind and its id, as the log has them; of a person, by whichever
    /// client they act. `None` for those
    /// that are known by nothing.
    pub fn known(self) -> Option<[u8; 17]> {
        let (kind, id) = match self {
            Self::None => return None,
            Self::Token(id) => (1, id),
            Self::Client(id) => (2, id),
            Self::Person(id) | Self::PersonBy { person: id, .. } => (3, id),
            Self::Outside(id) => (4, id),
        };
        let mut known = [kind; 17];
        known[1..].copy_from_slice(&id);
        Some(known)
    }
}

/// Stored bytes are not the body of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EventError {
    /// A newer program wrote the event.
    #[error("the event has version {0}, and this program reads versions up to {EVENT_VERSION}")]
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
    version(&mut reader)?;
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
        out.extend(self.request);
        out.extend(self.commitment.unwrap_or_default());
        let also = &self.also[..self.also.len().min(255)];
        out.push(u8::try_from(also.len()).expect("there are at most 255"));
        out.extend(also.iter().flat_map(|profile| profile.0.to_be_bytes()));
        self.kind.encode_payload(&mut out);
        out
    }

    /// The body, and whose affair it is, for the log.
    pub fn to_log(&self) -> NewEvent {
        NewEvent {
            body: self.encode(),
            concerns: self.concerns(),
        }
    }

    /// The numbers of the profiles whose affair it is, each once.
    pub fn concerns(&self) -> Vec<u32> {
        let by_kind = self.kind.concerns().into_iter();
        let all = by_kind.chain(self.also.iter().copied());
        let profiles = all.filter(|profile| *profile != ProfileId::REGISTRY);
        let mut numbers: Vec<u32> = profiles.map(|profile| profile.0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Reads a body; refuses other versions, unknown kinds, and whatever
    /// [`encode`](Self::encode) would have written otherwise.
    pub fn decode(body: &[u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body);
        let older = version(&mut reader)? == OLDER_VERSION;
        let code = reader.u8()?;
        let (actor, request) = match older {
            true => (Actor::decode_older(&mut reader)?, [0; 16]),
            false => (Actor::decode(&mut reader)?, reader.array()?),
        };
        let commitment = Some(reader.array()?).filter(|bytes| *bytes != [0; 32]);
        let also = match older {
            true => Vec::new(),
            false => (0..reader.u8()?)
                .map(|_| profile(&mut reader))
                .collect::<Result<_, _>>()?,
        };
        let kind = EventKind::decode_payload(code, &mut reader)?;
        reader.finish()?;
        Ok(Self {
            actor,
            request,
            commitment,
            also,
            kind,
        })
    }
}

fn version(reader: &mut Reader<'_>) -> Result<u8, EventError> {
    match reader.u8()? {
        known @ (OLDER_VERSION | EVENT_VERSION) => Ok(known),
        other => Err(EventError::Version(other)),
    }
}

impl Actor {
    /// The registry of its own accord, or its command line.
    pub const REGISTRY: Self = Self {
        party: Party::Registry,
        means: Means::None,
    };

    fn encode(self, out: &mut Vec<u8>) {
        match self.party {
            Party::Registry => out.push(0),
            Party::Profile(profile) => {
                out.push(1);
                out.extend(profile.0.to_be_bytes());
            }
            Party::Development => out.push(2),
            Party::Anonymous => out.push(3),
        }
        match (self.means, self.means.known()) {
            (Means::PersonBy { person, client }, _) => {
                out.push(5);
                out.extend(person);
                out.extend(client);
            }
            (_, None) => out.push(0),
            (_, Some(known)) => out.extend(known),
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let party = Party::decode(reader)?;
        let at = reader.position();
        let means = match reader.u8()? {
            0 => Means::None,
            1 => Means::Token(reader.array()?),
            2 => Means::Client(reader.array()?),
            3 => Means::Person(reader.array()?),
            4 => Means::Outside(reader.array()?),
            5 => Means::PersonBy {
                person: reader.array()?,
                client: reader.array()?,
            },
            other => {
                let what = "how an actor was known";
                return Err(CodecError::Range {
                    at,
                    value: other.into(),
                    what,
                });
            }
        };
        Ok(Self { party, means })
    }

    fn decode_older(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let party = Party::decode(reader)?;
        let token = match party {
            Party::Registry => reader.array()?,
            Party::Profile(_) | Party::Development | Party::Anonymous => [0; 16],
        };
        let means = match token {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => Means::None,
            id => Means::Token(id),
        };
        Ok(Self { party, means })
    }
}

impl Party {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = reader.position();
        match reader.u8()? {
            0 => Ok(Self::Registry),
            1 => Ok(Self::Profile(profile(reader)?)),
            2 => Ok(Self::Development),
            3 => Ok(Self::Anonymous),
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
    use crate::vc::sealing::{Generation, MasterKeyId};
    use proptest::prelude::*;

    fn event(actor: Actor, commitment: Option<[u8; 32]>, kind: EventKind) -> Event {
        Event {
            actor,
            request: [0x22; 16],
            commitment,
            also: vec![ProfileId(9)],
            kind,
        }
    }

    const DEVELOPMENT: Actor = Actor {
        party: Party::Development,
        means: Means::None,
    };

    const OPERATOR: Actor = Actor {
        party: Party::Registry,
        means: Means::Token([0x11; 16]),
    };

    const FIRST: Actor = Actor {
        party: Party::Profile(ProfileId(1)),
        means: Means::Client([0x33; 16]),
    };

    #[test]
    fn stored_bytes_are_these() {
        let (list, space) = (
            ListId::from_bytes([0xaa; 12]),
            SpaceId::from_bytes([0xbb; 12]),
        );
        let reason = Some(commitment(&[7; 16], "left the programme"));
        let events = [
            event(
                OPERATOR,
                None,
                EventKind::ProfileCreated {
                    profile: ProfileId(1),
                },
            ),
            event(
                FIRST,
                reason,
                EventKind::StatusChanged {
                    list,
                    revision: Revision(2),
                    status: 1,
                    indexes: SortedIndexes::from(vec![94567, 3, 4]),
                },
            ),
            event(
                DEVELOPMENT,
                None,
                EventKind::EntriesAllocated {
                    space,
                    first: 258,
                    count: 1000,
                },
            ),
            event(
                DEVELOPMENT,
                None,
                EventKind::KeyRevoked {
                    profile: ProfileId(1),
                    key: KeyId(2),
                    since: Timestamp::from_millis(-1),
                },
            ),
            event(
                DEVELOPMENT,
                None,
                EventKind::MasterKeyRotated {
                    from: MasterKeyId::from_bytes([0xcc; 8]),
                    to: MasterKeyId::from_bytes([0xdd; 8]),
                    step: MasterKeyStep::Done,
                },
            ),
            event(
                FIRST,
                None,
                EventKind::Codes {
                    profile: ProfileId(1),
                    credentials: vec![[0xee; 32], [0xef; 32]],
                    step: CodesStep::HandedOut,
                },
            ),
        ];
        let bytes: Vec<_> = events.iter().map(|event| hex(&event.encode())).collect();
        insta::assert_debug_snapshot!(bytes, @r#"
        [
            "0201000111111111111111111111111111111111222222222222222222222222222222220000000000000000000000000000000000000000000000000000000000000000010000000900000001",
            "023301000000010233333333333333333333333333333333222222222222222222222222222222223858120410e8c534e76af314d427dd6e16d7f64e90a6d9789f90ae040f2e7c9a0100000009aaaaaaaaaaaaaaaaaaaaaaaa000000000000000201030300e2e205",
            "023202002222222222222222222222222222222200000000000000000000000000000000000000000000000000000000000000000100000009bbbbbbbbbbbbbbbbbbbbbbbb000000000000010200000000000003e8",
            "0212020022222222222222222222222222222222000000000000000000000000000000000000000000000000000000000000000001000000090000000100000002ffffffffffffffff",
            "021602002222222222222222222222222222222200000000000000000000000000000000000000000000000000000000000000000100000009ccccccccccccccccdddddddddddddddd01",
            "02460100000001023333333333333333333333333333333322222222222222222222222222222222000000000000000000000000000000000000000000000000000000000000000001000000090000000100000002eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef",
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
        let size = event(DEVELOPMENT, None, kind).encode().len();
        assert!(size < 100_100, "{size} bytes");
    }

    #[test]
    fn bytes_that_are_no_event_are_named() {
        let good = event(
            DEVELOPMENT,
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
        insta::assert_snapshot!(refused(0, 3), @"the event has version 3, and this program reads versions up to 2");
        insta::assert_snapshot!(refused(1, 0x7f), @"at byte 1: 127 is out of range for a kind of event");
        insta::assert_snapshot!(refused(2, 4), @"at byte 2: 4 is out of range for an actor");
        insta::assert_snapshot!(refused(3, 6), @"at byte 3: 6 is out of range for how an actor was known");
        insta::assert_snapshot!(refused(good.len() - 1, 3), @"at byte 69: 3 is out of range for an endorsement's state");
        let longer = [good.as_slice(), &[0]].concat();
        insta::assert_snapshot!(Event::decode(&longer).unwrap_err(), @"at byte 70: 1 bytes too many");
        for end in 0..good.len() {
            let short = Event::decode(&good[..end]);
            assert!(
                matches!(short, Err(EventError::Codec(CodecError::Short { .. }))),
                "{end}"
            );
        }
    }

    fn actors() -> impl Strategy<Value = Actor> {
        let party = prop_oneof![
            Just(Party::Registry),
            any::<u32>().prop_map(|profile| Party::Profile(ProfileId(profile))),
            Just(Party::Development),
            Just(Party::Anonymous),
        ];
        let ids = any::<[[u8; 16]; 2]>();
        let means = (0..6, ids).prop_map(|(which, [id, client])| match which {
            0 => Means::None,
            1 => Means::Token(id),
            2 => Means::Client(id),
            3 => Means::Person(id),
            4 => Means::PersonBy { person: id, client },
            _ => Means::Outside(id),
        });
        (party, means).prop_map(|(party, means)| Actor { party, means })
    }

    /// What older programs wrote is read as they meant it.
    #[test]
    fn an_event_of_version_1_is_read() {
        let zeros = "00".repeat(32);
        let read = |text: &str| {
            let bytes: Vec<u8> = (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
                .collect();
            Event::decode(&bytes).unwrap()
        };
        let made = read(&format!("010100{}{zeros}00000001", "11".repeat(16)));
        assert_eq!(made.actor, OPERATOR);
        let profile = ProfileId(1);
        assert_eq!(made.kind, EventKind::ProfileCreated { profile });
        assert_eq!(made.concerns(), [1]);
        let own = read(&format!("010100{}{zeros}00000001", "00".repeat(16)));
        assert_eq!(own.actor, Actor::REGISTRY);
        let changed = read(&format!("01020100000001{zeros}00000001"));
        assert_eq!(changed.actor.party, Party::Profile(profile));
        assert_eq!((changed.request, changed.also.len()), ([0; 16], 0));
    }

    fn kinds() -> impl Strategy<Value = EventKind> {
        let raw = (
            any::<[u8; 12]>(),
            any::<[u8; 16]>(),
            any::<(u32, u32)>(),
            any::<(u64, u64)>(),
        );
        (
            0usize..27,
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
                        22 => EventKind::Erased {
                            profile,
                            reasons: b,
                            members: a,
                            requests: b,
                            endorsements: a,
                        },
                        18 => EventKind::ListImported {
                            list,
                            space,
                            digest: [id[1]; 32],
                        },
                        19 => EventKind::DataKeyMade {
                            generation: Generation(a),
                        },
                        20 => EventKind::MasterKeyRotated {
                            from: MasterKeyId::from_bytes([id[2]; 8]),
                            to: MasterKeyId::from_bytes([id[3]; 8]),
                            step: [MasterKeyStep::Begun, MasterKeyStep::Done]
                                [usize::from(small) % 2],
                        },
                        21 => EventKind::ListSigned {
                            list,
                            revision: Revision(first),
                        },
                        23 => EventKind::RotationBegun { profile, key },
                        24 => EventKind::RotationDone { profile, key },
                        25 => EventKind::Codes {
                            profile,
                            credentials: indexes.iter().map(|_| [id[4]; 32]).collect(),
                            step: [CodesStep::HandedOut, CodesStep::Withdrawn]
                                [usize::from(small) % 2],
                        },
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
            if let (2, Ok(event)) = (bytes[0], Event::decode(&bytes)) {
                prop_assert_eq!(event.encode(), bytes);
            }
        }
    }
}
