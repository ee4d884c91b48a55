//! Events of clients and people: one code for each step, `52` to `55` and `56` for clients, `57` to
//! `5a` for people.

use crate::ids::{ClientId, PersonId};
use crate::store::codec::{CodecError, Reader};

use super::EventKind;

/// What happened to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientStep {
    /// It registered.
    Registered,
    /// It was approved, or approved anew for something else.
    Approved,
    /// It was rejected, or its approval taken back.
    Rejected,
    /// It was removed.
    Removed,
    /// It was given another secret.
    SecretMade,
}

/// What happened to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PersonStep {
    /// They were invited.
    Invited,
    /// They took the invitation.
    Accepted,
    /// They were removed.
    Removed,
    /// They chose another passphrase.
    PassphraseChanged,
}

impl ClientStep {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 5] = [
        Self::Registered,
        Self::Approved,
        Self::Rejected,
        Self::Removed,
        Self::SecretMade,
    ];

    pub(super) const fn code(self) -> u8 {
        0x52 + self as u8
    }
}

impl PersonStep {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 4] = [
        Self::Invited,
        Self::Accepted,
        Self::Removed,
        Self::PassphraseChanged,
    ];

    pub(super) const fn code(self) -> u8 {
        0x57 + self as u8
    }
}

/// Reads the payload of a code from 52 to 5a.
pub(super) fn decode_payload(code: u8, from: &mut Reader<'_>) -> Result<EventKind, CodecError> {
    if let Some(step) = ClientStep::ALL.into_iter().find(|step| step.code() == code) {
        let client = ClientId::from_bytes(from.array()?);
        return Ok(EventKind::Client { client, step });
    }
    let step = PersonStep::ALL.into_iter().find(|step| step.code() == code);
    let step = step.ok_or(CodecError::Range {
        at: 1,
        value: code.into(),
        what: "a kind of event",
    })?;
    let person = PersonId::from_bytes(from.array()?);
    Ok(EventKind::Person { person, step })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_these() {
        let clients = ClientStep::ALL.map(ClientStep::code);
        assert_eq!(clients, [0x52, 0x53, 0x54, 0x55, 0x56]);
        let people = PersonStep::ALL.map(PersonStep::code);
        assert_eq!(people, [0x57, 0x58, 0x59, 0x5a]);
    }

    #[test]
    fn steps_survive() {
        let id = [7; 16];
        let clients = ClientStep::ALL.map(|step| EventKind::Client {
            client: ClientId::from_bytes(id),
            step,
        });
        let people = PersonStep::ALL.map(|step| EventKind::Person {
            person: PersonId::from_bytes(id),
            step,
        });
        for kind in clients.into_iter().chain(people) {
            let mut bytes = Vec::new();
            kind.encode_payload(&mut bytes);
            assert_eq!(bytes, id);
            let read = decode_payload(kind.code(), &mut Reader::new(&bytes));
            assert_eq!(read, Ok(kind));
        }
        assert!(decode_payload(0x5b, &mut Reader::new(&id)).is_err());
    }
}
