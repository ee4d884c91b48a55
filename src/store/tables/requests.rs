//! The rows of requests for endorsements.

use serde::{Deserialize, Serialize};

use super::{Digest, ReasonRecord};
use crate::badges::SubjectKind;
use crate::ids::{EndorsementId, ProfileId, RequestId};
use crate::store::event::RequestStep;
use crate::store::table::{Record, known_version, postcard_record};
use crate::time::Timestamp;

/// A request for an endorsement: what was asked for, and each step since. Whom it asks owns its
/// id. How it stands is what the last step led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Who asks.
    pub requester: ProfileId,
    /// Id of what is to be endorsed.
    pub subject: String,
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Digest of the version that is to be endorsed, where the endorsement is to be bound to one.
    pub digest_multibase: Option<String>,
    /// Name that the endorsement is to have.
    pub name: Option<String>,
    /// What the requester has to say for it, in Markdown.
    pub comment: Option<String>,
    /// Links to what speaks for it.
    pub evidence: Vec<String>,
    /// What the endorsement is to cover, as JSON; all of the subject where there is none.
    pub scope: Option<String>,
    /// From when on it is to hold.
    pub valid_from: Option<Timestamp>,
    /// Until when it is to hold.
    pub valid_until: Option<Timestamp>,
    /// The endorsement that it is to go on from.
    pub renews: Option<EndorsementId>,
    /// What was done since, in order.
    pub steps: Vec<RecordedStep>,
    /// The endorsement that was issued for it.
    pub endorsement: Option<EndorsementId>,
    /// When it was made.
    pub created_at: Timestamp,
}
postcard_record!(RequestRecord, 1);

/// A step in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedStep {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub step: RequestStep,
    /// What was said with it.
    pub words: Option<Words>,
    /// Links that came with an answer.
    pub evidence: Vec<String>,
}

/// The words of a step. The log commits to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Words {
    /// A question or an answer, without which the request would not be understood.
    Here(ReasonRecord),
    /// A reason, by the commitment; it stands in [`REASONS`](super::REASONS), as other reasons do.
    Reason(Digest),
}

impl RequestRecord {
    /// How many bytes its row takes.
    pub fn stored_bytes(&self) -> usize {
        let mut out = Vec::new();
        self.encode(&mut out);
        out.len()
    }
}

/// The 12 bytes of the id.
impl Record for RequestId {
    const VERSION: u8 = 1;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, String> {
        known_version::<Self>(version)?;
        let bytes = bytes
            .try_into()
            .map_err(|_| format!("{} bytes, not 12", bytes.len()))?;
        Ok(Self::from_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Batch;
    use crate::store::memory::Rows;
    use crate::store::table::hex;
    use crate::store::tables::{OPEN_REQUESTS, REQUESTS, REQUESTS_BY_REQUESTER};

    fn declined() -> RequestRecord {
        RequestRecord {
            requester: ProfileId(2),
            subject: "urn:x".to_owned(),
            kind: SubjectKind::Achievement,
            digest_multibase: None,
            name: Some("N".to_owned()),
            comment: None,
            evidence: vec!["https://a.example/".to_owned()],
            scope: None,
            valid_from: None,
            valid_until: Some(Timestamp::from_millis(1)),
            renews: Some(EndorsementId::from_bytes([0xee; 12])),
            steps: vec![
                RecordedStep {
                    at: Timestamp::from_millis(2),
                    step: RequestStep::Asked,
                    words: Some(Words::Here(ReasonRecord {
                        salt: [0xbb; 16],
                        text: "W?".to_owned(),
                    })),
                    evidence: Vec::new(),
                },
                RecordedStep {
                    at: Timestamp::from_millis(2),
                    step: RequestStep::Declined,
                    words: Some(Words::Reason([0xdd; 32])),
                    evidence: Vec::new(),
                },
            ],
            endorsement: None,
            created_at: Timestamp::from_millis(3),
        }
    }

    #[test]
    fn stored_bytes_are_these() {
        let id = RequestId::from_bytes([0xaa; 12]);
        let mut batch = Batch::default();
        REQUESTS.put(&mut batch, &id, &declined());
        REQUESTS_BY_REQUESTER.put(&mut batch, &(ProfileId(2), id), &());
        let open = ((ProfileId(1), ProfileId(2)), [0xcc; 32]);
        OPEN_REQUESTS.put(&mut batch, &open, &id);
        let rows: Vec<_> = batch.puts.iter().map(|(k, v)| (hex(k), hex(v))).collect();
        insta::assert_debug_snapshot!(rows, @r#"
        [
            (
                "58aaaaaaaaaaaaaaaaaaaaaaaa",
                "01020575726e3a78010001014e00011268747470733a2f2f612e6578616d706c652f0000010201eeeeeeeeeeeeeeeeeeeeeeee0204020100bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb02573f0004010101dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd000006",
            ),
            (
                "5900000002aaaaaaaaaaaaaaaaaaaaaaaa",
                "01",
            ),
            (
                "5a0000000100000002cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
                "01aaaaaaaaaaaaaaaaaaaaaaaa",
            ),
        ]
        "#);
        let rows: Rows = batch.puts.into_iter().collect();
        assert_eq!(REQUESTS.get(&rows, &id), Ok(Some(declined())));
        assert_eq!(OPEN_REQUESTS.get(&rows, &open), Ok(Some(id)));
        assert!(RequestId::decode(1, &[0; 11]).is_err());
        assert!(RequestId::decode(2, &[0; 12]).is_err());
    }
}
