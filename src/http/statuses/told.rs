//! The text of answers, written as `serde_json` writes the same members.

use crate::registry::{EntryShown, Outcome};
use crate::time::Timestamp;

/// JSON that is being written.
pub(in crate::http) struct Text(Vec<u8>);

impl Text {
    /// For so many entries, as most of them are.
    pub(in crate::http) fn with_room_for(entries: usize) -> Self {
        /// Of an entry without a message, with a revision of six digits and a comma.
        const ENTRY: usize = 96;
        const AROUND: usize = 64;
        Self(Vec::with_capacity(AROUND + entries * ENTRY))
    }

    /// Text as it stands.
    pub(in crate::http) fn push(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// The members of an entry, in an object that is left open.
    pub(in crate::http) fn entry(&mut self, entry: EntryShown<'_>) {
        let EntryShown {
            wording,
            status,
            revision,
        } = entry;
        self.push("{\"status\":");
        self.number(status.into());
        self.push(",\"purpose\":");
        self.push(wording.purpose_json());
        self.push(match status {
            0 => ",\"valid\":true,\"outcome\":\"",
            _ => ",\"valid\":false,\"outcome\":\"",
        });
        let outcome: Outcome = wording.outcome(status);
        self.push(outcome.as_str());
        self.push("\",\"revision\":");
        self.number(revision.0);
        if let Some(message) = wording.message_json(status) {
            self.push(",\"message\":");
            self.push(message);
        }
    }

    /// The member that says as of when an answer is, behind others.
    pub(in crate::http) fn as_of(&mut self, at: Timestamp) {
        self.push(",\"asOf\":\"");
        self.push(at.text().as_str());
        self.push("\"");
    }

    /// The bytes.
    pub(in crate::http) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn number(&mut self, number: u64) {
        let mut digits = [b'0'; 20];
        let mut left = number;
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.0.extend_from_slice(&digits[at..]);
    }
}
