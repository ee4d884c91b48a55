//! What others signed, with keys of the stories.

use goodstanding::vc::did::DidKey;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions};
use serde_json::{Value, json};

/// The id of that endorsement.
pub(crate) const RECOMMENDATION: &str = "https://board.example/endorsements/1";

/// An endorsement of a profile by whoever has the key, and is nobody here.
pub(crate) fn endorsement_by(key: &SigningKey, subject: &str) -> Value {
    let board = DidKey::from(key.public());
    let unsigned = json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": RECOMMENDATION,
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Recommended",
        "issuer": { "id": board.to_string(), "type": ["Profile"] },
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": { "id": subject, "type": ["EndorsementSubject"] },
    });
    let options = ProofOptions {
        created: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..ProofOptions::new(board.method_url())
    };
    proof::sign(&unsigned, &options, key).unwrap()
}
