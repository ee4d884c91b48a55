//! A signed status list as any verifier reads it, by the standard alone.

use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::read::GzDecoder;
use serde_json::Value;

/// The indexes that are set in a list (Bitstring Status List 1.0, sections 3.2 and 4.2).
pub(super) fn bits_set(document: &Value) -> BTreeSet<u64> {
    let encoded = document["credentialSubject"]["encodedList"].as_str();
    let encoded = encoded.and_then(|text| text.strip_prefix('u'));
    let compressed = BASE64_URL_SAFE_NO_PAD
        .decode(encoded.expect("a multibase of base64url"))
        .unwrap();
    let mut bits = Vec::new();
    GzDecoder::new(compressed.as_slice())
        .read_to_end(&mut bits)
        .unwrap();
    let mut set = BTreeSet::new();
    for (place, byte) in bits.iter().enumerate().filter(|(_, byte)| **byte != 0) {
        let place = u64::try_from(place).expect("a small number") * 8;
        set.extend(
            (0..8)
                .filter(|bit| byte & (0x80 >> bit) != 0)
                .map(|bit| place + bit),
        );
    }
    set
}
