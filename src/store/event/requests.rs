//! The events of requests for endorsements.

use serde::{Deserialize, Serialize};

use super::{EventKind, profile};
use crate::ids::{ProfileId, RequestId};
use crate::store::codec::{CodecError, Reader};

/// What happened to a request for an endorsement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestEvent {
    /// It was made. Whom it asks stands in its id.
    Made {
        /// Who asks.
        requester: ProfileId,
    },
    /// One of its two sides took a step.
    Step(RequestStep),
}

/// A step that was taken in a request for an endorsement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RequestStep {
    /// The accreditor issued the endorsement.
    Approved,
    /// The accreditor will not endorse.
    Declined,
    /// The accreditor has a question.
    Asked,
    /// The requester answered it.
    Answered,
    /// The requester asks no longer.
    Withdrawn,
}

const MADE: u8 = 0x60;

impl RequestEvent {
    /// See [`EventKind::code`].
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Made { .. } => MADE,
            Self::Step(RequestStep::Approved) => 0x61,
            Self::Step(RequestStep::Declined) => 0x62,
            Self::Step(RequestStep::Asked) => 0x63,
            Self::Step(RequestStep::Answered) => 0x64,
            Self::Step(RequestStep::Withdrawn) => 0x65,
        }
    }

    pub(super) fn encode_payload(self, request: RequestId, out: &mut Vec<u8>) {
        out.extend(request.as_bytes());
        if let Self::Made { requester } = self {
            out.extend(requester.0.to_be_bytes());
        }
    }
}

/// Reads what [`RequestEvent::encode_payload`] wrote under one of its codes.
pub(super) fn decode_payload(code: u8, from: &mut Reader<'_>) -> Result<EventKind, CodecError> {
    let request = RequestId::from_bytes(from.array()?);
    let step = |step: &&RequestStep| RequestEvent::Step(**step).code() == code;
    let event = match RequestStep::ALL.iter().find(step) {
        Some(step) => RequestEvent::Step(*step),
        None => RequestEvent::Made {
            requester: profile(from)?,
        },
    };
    Ok(EventKind::Request { request, event })
}

impl RequestStep {
    /// Every step.
    pub const ALL: [Self; 5] = [
        Self::Approved,
        Self::Declined,
        Self::Asked,
        Self::Answered,
        Self::Withdrawn,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::Withdrawn => "withdrawn",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::event::{Actor, Event};
    use crate::store::table::hex;

    #[test]
    fn stored_bytes_are_these() {
        let request = RequestId::from_bytes([0xaa; 12]);
        let made = RequestEvent::Made {
            requester: ProfileId(2),
        };
        let events = [made].into_iter();
        let events = events.chain(RequestStep::ALL.map(RequestEvent::Step));
        let bytes = events.map(|event| {
            let kind = EventKind::Request { request, event };
            let event = Event {
                actor: Actor::REGISTRY,
                request: [0xdd; 16],
                commitment: Some([0xcc; 32]),
                also: vec![ProfileId(2)],
                kind,
            };
            assert_eq!(Event::decode(&event.encode()), Ok(event.clone()));
            hex(&event.encode())
        });
        insta::assert_debug_snapshot!(bytes.collect::<Vec<_>>(), @r#"
        [
            "02600000ddddddddddddddddddddddddddddddddcccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc0100000002aaaaaaaaaaaaaaaaaaaaaaaa00000002",
            "02610000ddddddddddddddddddddddddddddddddcccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc0100000002aaaaaaaaaaaaaaaaaaaaaaaa",
            "02620000ddddddddddddddddddddddddddddddddcccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc0100000002aaaaaaaaaaaaaaaaaaaaaaaa",
            "02630000ddddddddddddddddddddddddddddddddcccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc0100000002aaaaaaaaaaaaaaaaaaaaaaaa",
            "02640000ddddddddddddddddddddddddddddddddcccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc0100000002aaaaaaaaaaaaaaaaaaaaaaaa",
            "02650000ddddddddddddddddddddddddddddddddcccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc0100000002aaaaaaaaaaaaaaaaaaaaaaaa",
        ]
        "#);
    }
}
