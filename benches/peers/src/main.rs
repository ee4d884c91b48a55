//! Goodstanding beside other libraries on the same documents: from a signed Open Badge credential
//! to canonical N-Quads, their hashes, and the check of the Ed25519 signature; and the lists of
//! statuses, from bits to text and back.
//!
//! Of JSON-LD all know the same contexts, preloaded and parsed, and nothing is fetched. The peers are given the
//! document and the proof's options already taken apart; Goodstanding takes them apart itself, and
//! also refuses members that are undefined or hidden.

#[path = "../../harness.rs"]
#[allow(dead_code)] // Shared with the micro benches, which use more of it.
mod harness;

#[path = "../../verification.rs"]
mod verification;

mod lists;
mod npm;
mod program;
mod sophia;
mod ssi;
mod verifying;

use std::process::ExitCode;

use goodstanding::jsonld::canon::Variant;
use goodstanding::time::Timestamp;
use goodstanding::vc::contexts::{Revision, processor};
use goodstanding::vc::controller::Relationship;
use goodstanding::vc::keys::{PublicKey, SignatureCheck, SigningKey};
use goodstanding::vc::multibase;
use goodstanding::vc::proof::{HashData, ProofOptions, proofs, sign, verify};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use harness::{Participant, Report, Samples, Verdict, in_turns, ratios};

const DOCUMENTS: [(&str, &str); 2] = [
    ("a small badge", include_str!("../../documents/badge.json")),
    (
        "a badge with results, alignments and evidence",
        include_str!("../../documents/badge-with-results.json"),
    ),
];
/// One of the benches that the program is asked for by name.
type Bench = fn(&mut Report);

const LEAST_RATIO: f64 = 20.0;

/// A library that turns JSON-LD into canonical N-Quads.
trait Peer {
    /// A document as the library holds it, once parsed.
    type Document;

    /// Its name and version.
    const NAME: &'static str;

    /// Parses a document.
    fn parse(&self, text: &str) -> Self::Document;

    /// The canonical N-Quads of a document, in one text.
    fn canonical(&self, document: &Self::Document) -> Result<String, String>;
}

fn main() -> ExitCode {
    let benches: [(&str, Bench); 3] = [
        ("verification", verify_one),
        ("canonical", canonicalize),
        ("lists", lists::run),
    ];
    let chosen = harness::chosen(&benches);
    let command = "cargo run --release --locked --manifest-path benches/peers/Cargo.toml";
    let mut report = Report::begin("Beside other libraries", command);
    for bench in chosen {
        bench(&mut report);
    }
    report.finish()
}

fn verify_one(report: &mut Report) {
    let (name, text) = DOCUMENTS[0];
    verifying::run(report, name, text);
}

fn canonicalize(report: &mut Report) {
    for (name, text) in DOCUMENTS {
        compare(report, name, &Sample::new(text));
    }
}

/// A signed document, whole and taken apart.
struct Sample {
    signed: Value,
    document: Value,
    options: Value,
    signature: [u8; 64],
    key: PublicKey,
    ours: HashData,
}

impl Sample {
    fn new(text: &str) -> Self {
        let key = SigningKey::from_seed(&[7; 32]);
        let document: Value = serde_json::from_str(text).expect("the sample is JSON");
        let method = "did:web:registry.example:profiles:harbour-school#key-1";
        let made = ProofOptions {
            created: Some("2026-02-02T09:00:00Z".parse().expect("RFC 3339")),
            ..ProofOptions::new(method)
        };
        let signed = sign(&document, &made, &key).expect("the sample can be signed");
        let mut members = signed["proof"].as_object().expect("one proof").clone();
        let value = members.shift_remove("proofValue").expect("it is signed");
        let signature = multibase::decode_base58btc(value.as_str().expect("text"));
        let signature = signature.expect("base58btc").try_into();
        let processor = processor(Revision::Mid2026);
        let ours = HashData::rdfc(processor, &document, &members, Variant::Listed);
        members.insert("@context".to_owned(), document["@context"].clone());
        Self {
            signed,
            document,
            options: Value::Object(members),
            signature: signature.expect("64 bytes"),
            key: key.public(),
            ours: ours.expect("the sample was signed"),
        }
    }

    fn verified_by_us(&self, signed: &Value) -> bool {
        let proof = proofs(signed).next().expect("signed").expect("well made");
        let purpose = Relationship::AssertionMethod;
        verify(signed, &proof, purpose, &self.key.into(), Timestamp::EPOCH).is_ok()
    }
}

/// A peer and what it was given.
struct Given<'a, P: Peer> {
    peer: P,
    sample: &'a Sample,
    document: P::Document,
    options: P::Document,
}

impl<'a, P: Peer> Given<'a, P> {
    fn new(peer: P, sample: &'a Sample) -> Self {
        Self {
            document: peer.parse(&sample.document.to_string()),
            options: peer.parse(&sample.options.to_string()),
            peer,
            sample,
        }
    }

    fn verified(&self) -> Result<bool, String> {
        let document = self.peer.canonical(&self.document)?;
        let options = self.peer.canonical(&self.options)?;
        let mut message = [0; 64];
        message[..32].copy_from_slice(&Sha256::digest(options));
        message[32..].copy_from_slice(&Sha256::digest(document));
        let check = self.sample.key.verify(&message, &self.sample.signature);
        Ok(check == SignatureCheck::Good)
    }

    /// Whether its answers are ours, and how they differ.
    fn agreement(&self) -> (bool, String) {
        let parts = [
            ("document", &self.document, &self.sample.ours.document),
            ("proof's options", &self.options, &self.sample.ours.options),
        ];
        let mut differences = Vec::new();
        for (part, given, ours) in parts {
            match self.peer.canonical(given) {
                Ok(theirs) if theirs == *ours => {}
                Ok(theirs) => differences.push(difference(part, ours, &theirs)),
                Err(error) => differences.push(format!("it fails on the {part}: {error}")),
            }
        }
        if differences.is_empty() {
            let verified = self.verified() == Ok(true);
            assert!(verified, "{}: alike N-Quads must verify", P::NAME);
            let words = "the same N-Quads as ours, and the signature verifies.";
            return (true, format!("- {}: {words}", P::NAME));
        }
        (false, format!("- {}: {}.", P::NAME, differences.join("; ")))
    }
}

/// The lines in which two N-Quads documents differ.
fn difference(part: &str, ours: &str, theirs: &str) -> String {
    let only = |these: &str, those: &str| -> Vec<String> {
        let missing = |line: &&str| !those.lines().any(|other| other == *line);
        these.lines().filter(missing).map(str::to_owned).collect()
    };
    let (ours_only, theirs_only) = (only(ours, theirs), only(theirs, ours));
    format!(
        "of the {part}, {} line(s) differ, such as ours `{}` and theirs `{}`",
        ours_only.len().max(theirs_only.len()),
        ours_only.first().map_or("nothing", String::as_str),
        theirs_only.first().map_or("nothing", String::as_str),
    )
}

fn compare(report: &mut Report, name: &str, sample: &Sample) {
    let ssi = Given::new(ssi::Ssi::new(), sample);
    let sophia = Given::new(sophia::Sophia::new(), sample);
    assert!(sample.verified_by_us(&sample.signed));
    let mut changed = sample.signed.clone();
    changed["name"] = json!("Another");
    assert!(
        !sample.verified_by_us(&changed),
        "a changed document must not verify"
    );

    let (ssi_agrees, ssi_words) = ssi.agreement();
    let (sophia_agrees, sophia_words) = sophia.agreement();
    assert!(
        ssi_agrees || sophia_agrees,
        "nobody agrees with us:\n{ssi_words}\n{sophia_words}"
    );

    let words = format!(
        "{} statements, and {} of the proof's options.\n\n{ssi_words}\n{sophia_words}",
        sample.ours.document.lines().count(),
        sample.ours.options.lines().count(),
    );
    report.section(&format!("Open Badge: {name}"), &words);
    let mut participants = [
        Participant::new("goodstanding", || sample.verified_by_us(&sample.signed)),
        Participant::new(ssi::Ssi::NAME, || ssi.verified()),
        Participant::new(sophia::Sophia::NAME, || sophia.verified()),
    ];
    let samples = in_turns(&mut participants);
    for (participant, samples) in participants.iter().zip(&samples) {
        let what = format!("{}: canonicalize and verify", participant.name);
        report.context(&what, &Samples::new(samples.clone()).times());
    }
    for (participant, theirs) in participants.iter().zip(&samples).skip(1) {
        let ratio = ratios(&samples[0], theirs);
        let verdict = Verdict::at_least(ratio.median(), LEAST_RATIO, "20×");
        let what = format!("{} to goodstanding", participant.name);
        report.judged(&what, &ratio.ratios(), &verdict);
    }
}
