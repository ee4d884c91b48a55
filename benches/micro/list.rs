//! Publication of one status list: encode, sign, verify, as the publisher does it.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::MultiGzDecoder;
use goodstanding::bitstring::{Bitstring, ListLength, StatusSize, encode};
use goodstanding::entropy::{SeededEntropy, random};
use goodstanding::status::{ListToPublish, StatusPurpose, build_list};
use goodstanding::time::{Timestamp, Ttl};
use goodstanding::vc::controller::Relationship;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{ProofError, ProofOptions, proofs, sign, verify};
use serde_json::{Value, json};

use crate::harness::{Participant, Report, Samples, Verdict, in_turns};

const URL: &str = "https://registry.example/status-lists/1679091c";
const ISSUER: &str = "did:web:registry.example:profiles:harbour-school";
const MOST_SECONDS: f64 = 0.001;

pub(crate) fn run(report: &mut Report) {
    let bits = one_percent();
    let key = SigningKey::from_seed(&[7; 32]);
    let unsigned = unsigned(&bits);
    let signed = published(&bits, &key);
    check(&bits, &signed, &key);

    let mut parts = [
        Participant::new("encode, sign and verify", || published(&bits, &key)),
        Participant::new("of that: encode (gzip and base64url)", || {
            encode(bits.as_bytes())
        }),
        Participant::new("of that: sign", || sign(&unsigned, &options(), &key)),
        Participant::new("of that: verify", || verified(&signed, &key)),
        Participant::new("beyond that: write as text", || signed.to_string()),
    ];
    let mut samples = in_turns(&mut parts).into_iter().map(Samples::new);
    let encoded = unsigned["credentialSubject"]["encodedList"].as_str();
    let words = format!(
        "{} entries, of which {} are set; `encodedList` has {} characters.",
        bits.entries(),
        bits.count_ones(),
        encoded.map_or(0, str::len)
    );
    report.section("Status list of 131,072 entries at 1 %", &words);
    let whole = samples.next().expect("the first participant is the whole");
    let verdict = Verdict::below(whole.median(), MOST_SECONDS, "1 ms");
    report.judged(parts[0].name, &whole.times(), &verdict);
    for (part, samples) in parts[1..].iter().zip(samples) {
        report.context(part.name, &samples.times());
    }
}

/// A list of the least length, of which one entry in a hundred is set, anywhere.
fn one_percent() -> Bitstring {
    let length = ListLength::MINIMUM;
    let mut bits = Bitstring::zeroed(length, StatusSize::One);
    let entropy = SeededEntropy::new(1);
    while bits.count_ones() < length.entries() / 100 {
        let place = u64::from(u32::from_be_bytes(random(&entropy))) % length.entries();
        let index = length.index(place).expect("within the length");
        bits.set(index, 1).expect("one bit holds 1");
    }
    bits
}

fn unsigned(bits: &Bitstring) -> Value {
    build_list(&ListToPublish {
        url: URL,
        issuer: ISSUER,
        purpose: &StatusPurpose::Revocation,
        valid_from: Timestamp::EPOCH,
        valid_until: None,
        ttl: Some(Ttl::from_seconds(300)),
        bits,
    })
}

fn options() -> ProofOptions {
    ProofOptions {
        created: Some(Timestamp::EPOCH),
        ..ProofOptions::new(format!("{ISSUER}#key-1"))
    }
}

/// What is measured: from the bits to a signed list whose signature was verified.
fn published(bits: &Bitstring, key: &SigningKey) -> Value {
    let signed = sign(&unsigned(bits), &options(), key).expect("the list can be signed");
    verified(&signed, key).expect("what was just signed verifies");
    signed
}

fn verified(signed: &Value, key: &SigningKey) -> Result<(), ProofError> {
    let proof = proofs(signed).next().expect("the list was signed")?;
    let (purpose, key) = (Relationship::AssertionMethod, key.public().into());
    verify(signed, &proof, purpose, &key, Timestamp::EPOCH).map(|_| ())
}

/// The list unpacks, by the codecs themselves, to the bits that went in; one that says something
/// else does not verify.
fn check(bits: &Bitstring, signed: &Value, key: &SigningKey) {
    let encoded = signed["credentialSubject"]["encodedList"]
        .as_str()
        .and_then(|text| text.strip_prefix('u'))
        .expect("multibase base64url");
    let packed = URL_SAFE_NO_PAD.decode(encoded).expect("base64url");
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(packed.as_slice())
        .read_to_end(&mut unpacked)
        .expect("gzip");
    assert!(unpacked == bits.as_bytes(), "the list shows other bits");

    let mut changed = signed.clone();
    let empty: Bitstring = Bitstring::zeroed(ListLength::MINIMUM, StatusSize::One);
    changed["credentialSubject"]["encodedList"] = json!(encode(empty.as_bytes()));
    let refused = verified(&changed, key);
    assert!(
        matches!(refused, Err(ProofError::Signature { .. })),
        "a list that was emptied must not verify: {refused:?}"
    );
}
