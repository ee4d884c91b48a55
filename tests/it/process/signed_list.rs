//! Status lists as any verifier reads them, by the standard alone.

use serde_json::{Value, json};

use super::client::Client;
use crate::support::peers::{StatusReport, peers};
use crate::support::reader;

/// A signed list, decoded.
pub(crate) struct SignedList {
    /// The credential as it was served.
    pub(crate) document: Value,
    bits: Vec<u8>,
}

impl SignedList {
    /// Fetches the list at `path` and decodes it (Bitstring Status List 1.0, sections 3.2 and 4.2).
    pub(crate) fn fetch(registry: &Client, path: &str) -> Self {
        let document = registry.get(path).json(200);
        let bits = reader::bits(&document);
        Self { document, bits }
    }

    /// The bit at an index; the first is the left-most of the first byte.
    pub(crate) fn is_set(&self, index: u64) -> bool {
        reader::bit(&self.bits, index)
    }

    /// How many bits are set.
    pub(crate) fn count(&self) -> usize {
        reader::ones(&self.bits) as usize
    }

    /// Has the independent verifiers check the signature, with the keys that the issuer's own DID
    /// document shows, and the bits at `indexes`.
    pub(crate) fn is_seen_by_the_peers(&self, did_document: &Value, indexes: &[u64]) {
        let expected: Vec<StatusReport> = indexes
            .iter()
            .map(|&index| StatusReport {
                index,
                status: self.is_set(index).into(),
            })
            .collect();
        for peer in peers() {
            let signed = &self.document["validFrom"];
            let asked = json!({"controllers": [did_document], "indexes": indexes, "now": signed});
            let report = peer.verify_with(&self.document, &asked);
            assert!(report.verified, "{}: {report:?}", peer.name);
            let seen = report.status_list.as_ref().unwrap();
            assert_eq!(seen.statuses, expected, "{}", peer.name);
            assert_eq!(seen.bits_set, self.count() as u64, "{}", peer.name);
        }
    }
}
