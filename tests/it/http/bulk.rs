//! Status lists in bulk: brought from elsewhere, handed on, and changed by the lines of a table.

mod exports;
mod hostile;
mod imports;
mod long;
mod updates;

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};

use crate::support::actors::{Actor, text};
use crate::support::client::Answer;

const ENTRIES: usize = 131_072;

/// GZIP and base64url by this file alone.
fn gzipped(bits: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bits).unwrap();
    URL_SAFE_NO_PAD.encode(encoder.finish().unwrap())
}

fn encoded(bits: &[u8]) -> String {
    format!("u{}", gzipped(bits))
}

fn zlibbed(bits: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bits).unwrap();
    URL_SAFE_NO_PAD.encode(encoder.finish().unwrap())
}

/// The bits of a list of this many entries in which these are set, index 0 left-most.
fn bits_with(entries: usize, set: &[u64]) -> Vec<u8> {
    let mut bits = vec![0; entries / 8];
    for index in set {
        bits[*index as usize / 8] |= 0x80 >> (index % 8);
    }
    bits
}

/// Indexes that look random and are the same each time.
fn scattered(count: u64, below: u64) -> Vec<u64> {
    let mut found: Vec<u64> = (1..=count).map(|n| n * 7_368_787 % below).collect();
    found.sort_unstable();
    found.dedup();
    found
}

impl Actor<'_> {
    fn imports(&self, body: &Value) -> Answer {
        self.post("/status-lists/import", body)
    }

    /// Imports statuses for revocation, and gives the URL of the list.
    fn brings(&self, bits: &[u8], used: Option<&Value>) -> String {
        let mut body = json!({
            "issuer": self.slug, "statusPurpose": "revocation", "encodedList": encoded(bits),
        });
        if let Some(used) = used {
            body["usedIndexes"] = used.clone();
        }
        text(&self.imports(&body).is(201).json()["id"])
    }

    fn sends(&self, target: &str, media: &str, lines: impl Into<Vec<u8>>) -> Answer {
        self.call("POST", target).body(media, lines).send()
    }

    /// All pages of an export, and how many there were.
    fn pages(&self, target: &str) -> (Vec<String>, usize) {
        let (mut lines, mut pages, mut next) = (Vec::new(), 0, Some(target.to_owned()));
        while let Some(target) = next.take() {
            let page = self.get(&target).is(200);
            lines.extend(page.text().lines().map(str::to_owned));
            (next, pages) = (page.next(), pages + 1);
        }
        (lines, pages)
    }
}
