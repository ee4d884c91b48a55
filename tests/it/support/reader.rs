//! A status list as a stranger reads it: nothing here comes from the registry's own code.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::GzDecoder;
use serde_json::Value;

/// The bytes of a BitstringStatusListCredential's list.
pub(crate) fn bits(credential: &Value) -> Vec<u8> {
    let list = credential["credentialSubject"]["encodedList"].as_str();
    let list = list.unwrap_or_else(|| panic!("no encodedList: {credential}"));
    let text = list.strip_prefix('u').expect("multibase base64url");
    let compressed = URL_SAFE_NO_PAD.decode(text).expect("base64url, unpadded");
    let mut bits = Vec::new();
    let mut unpacked = GzDecoder::new(compressed.as_slice()).take(1 << 26);
    unpacked.read_to_end(&mut bits).expect("gzip");
    bits
}

/// Index 0 is the left-most bit.
pub(crate) fn bit(bits: &[u8], index: u64) -> bool {
    bits[(index / 8) as usize] & (0x80 >> (index % 8)) != 0
}

/// How many bits are set.
pub(crate) fn ones(bits: &[u8]) -> u32 {
    bits.iter().map(|byte| byte.count_ones()).sum()
}

/// Where a `credentialStatus` points: the list's URL, and the index.
pub(crate) fn place(entry: &Value) -> (String, u64) {
    assert_eq!(entry["type"], "BitstringStatusListEntry", "{entry}");
    let list = entry["statusListCredential"].as_str().expect("a URL");
    let index = entry["statusListIndex"].as_str().expect("text, not number");
    (list.to_owned(), index.parse().expect("a whole number"))
}
