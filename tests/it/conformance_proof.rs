//! The published `eddsa-rdfc-2022` vector (VC-DI-EdDSA, section B.1), every intermediate value,
//! and what must not verify.

use std::fs;
use std::path::PathBuf;

use goodstanding::jsonld::Processor;
use goodstanding::jsonld::canon::Variant;
use goodstanding::time::Timestamp;
use goodstanding::vc::contexts::{Revision, bundle};
use goodstanding::vc::controller::Relationship;
use goodstanding::vc::keys::{PublicKey, SigningKey};
use goodstanding::vc::multibase;
use goodstanding::vc::proof::{
    HashData, Part, Prepared, ProofError, ProofOptions, Verified, Work, proofs, sign_with, verify,
};
use serde_json::{Value, json};

use crate::support::vectors;

const PURPOSE: Relationship = Relationship::AssertionMethod;

/// The vector, and a processor that knows its examples context besides our own.
struct Vector {
    folder: PathBuf,
    processor: Processor,
    key: SigningKey,
    public: PublicKey,
}

impl Vector {
    fn load() -> Option<Self> {
        let folder = vectors::folder("vc-di-eddsa")?;
        let examples = vectors::folder("contexts")?.join("credentials-examples-v2.json");
        let examples = fs::read_to_string(examples).unwrap();
        let known = bundle(Revision::Mid2026).map(|document| (document.url, document.text));
        let known = known.chain([("https://www.w3.org/ns/credentials/examples/v2", &*examples)]);
        let processor = Processor::new(known).unwrap();
        let pair: Value =
            serde_json::from_slice(&fs::read(folder.join("keyPair.json")).unwrap()).unwrap();
        // Multikey: two bytes that name the kind of key, then the 32 bytes of the seed.
        let secret = multibase::decode_base58btc(pair["privateKeyMultibase"].as_str().unwrap());
        let key = SigningKey::from_seed(secret.unwrap()[2..].try_into().unwrap());
        let public =
            PublicKey::from_multikey(pair["publicKeyMultibase"].as_str().unwrap()).unwrap();
        Some(Self {
            folder,
            processor,
            key,
            public,
        })
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join("eddsa-rdfc-2022").join(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    fn unsigned(&self) -> Value {
        serde_json::from_slice(&fs::read(self.folder.join("unsigned.json")).unwrap()).unwrap()
    }

    fn sign(&self, document: &Value) -> Result<Value, ProofError> {
        let config = self.json("proofConfigDataInt.json");
        let options = ProofOptions {
            created: Some(config["created"].as_str().unwrap().parse().unwrap()),
            ..ProofOptions::new(config["verificationMethod"].as_str().unwrap())
        };
        sign_with(&self.processor, document, &options, &self.key)
    }

    /// What verification says of the document's only proof.
    fn verify(&self, secured: &Value) -> Result<Verified, ProofError> {
        let proof = proofs(secured).next().unwrap()?;
        let processors = [(Revision::Mid2026, &self.processor)];
        let mut prepared = Prepared::with(&processors, secured)?;
        let (key, mut work) = (self.public.into(), Work::default());
        prepared.verify(&proof, PURPOSE, &key, Timestamp::EPOCH, &mut work)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_value_of_the_vector_is_reproduced() {
    let Some(vector) = Vector::load() else { return };
    assert_eq!(vector.key.public(), vector.public);
    let mut config = vector.json("proofConfigDataInt.json");
    let options = config.as_object_mut().unwrap();
    options.shift_remove("@context");
    let data = HashData::rdfc(
        &vector.processor,
        &vector.unsigned(),
        options,
        Variant::Listed,
    )
    .unwrap();
    assert_eq!(data.document, vector.text("canonDocDataInt.txt"));
    assert_eq!(hex(&data.document_hash), vector.text("docHashDataInt.txt"));
    assert_eq!(data.options, vector.text("proofCanonDataInt.txt"));
    assert_eq!(hex(&data.options_hash), vector.text("proofHashDataInt.txt"));
    assert_eq!(
        hex(&data.combined()),
        vector.text("combinedHashDataInt.txt")
    );
    let signature = vector.key.sign(&data.combined());
    assert_eq!(hex(&signature), vector.text("sigHexDataInt.txt"));
    assert_eq!(
        multibase::encode_base58btc(&signature),
        vector.text("sigBTC58DataInt.txt")
    );
}

#[test]
fn signing_gives_the_published_document_and_verifying_accepts_it() {
    let Some(vector) = Vector::load() else { return };
    let published = vector.text("signedDataInt.json");
    let signed = vector.sign(&vector.unsigned()).unwrap();
    // Byte for byte: the members stand in the published order too.
    assert_eq!(
        serde_json::to_string_pretty(&signed).unwrap(),
        published.trim_end()
    );
    let expected = Verified::Statements {
        revision: Revision::Mid2026,
        variant: Variant::Listed,
    };
    assert_eq!(
        vector.verify(&serde_json::from_str(&published).unwrap()),
        Ok(expected)
    );
}

#[test]
fn a_changed_document_or_proof_does_not_verify() {
    let Some(vector) = Vector::load() else { return };
    let signed = vector.json("signedDataInt.json");
    let bad_signature = Err(ProofError::Signature {
        place: "/proof".to_owned(),
    });
    for (pointer, value) in [
        ("/name", json!("Alumni credential")),
        ("/issuer", json!("https://vc.example/issuers/5679")),
        ("/validFrom", json!("2023-01-01T00:00:01Z")),
        ("/credentialSubject/id", json!("did:example:abcdefgi")),
        ("/type", json!(["VerifiableCredential"])),
        ("/proof/created", json!("2023-02-24T23:36:39Z")),
        ("/proof/verificationMethod", json!("did:key:z6Mk#z6Mk")),
    ] {
        let mut changed = signed.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(vector.verify(&changed), bad_signature, "{pointer}");
    }
    for (member, value) in [
        ("validUntil", json!("2033-01-01T00:00:00Z")),
        ("invented", json!("by the examples context")),
    ] {
        let mut extended = signed.clone();
        extended[member] = value;
        assert_eq!(vector.verify(&extended), bad_signature, "{member}");
    }
    let mut extended = signed.clone();
    extended["proof"]["expires"] = json!("2033-01-01T00:00:00Z");
    assert_eq!(vector.verify(&extended), bad_signature);
    let value = signed["proof"]["proofValue"].as_str().unwrap();
    let bytes = multibase::decode_base58btc(value).unwrap();
    for place in 0..64 {
        for bit in [1, 0x80] {
            let mut flipped = bytes.clone();
            flipped[place] ^= bit;
            let mut changed = signed.clone();
            changed["proof"]["proofValue"] = json!(multibase::encode_base58btc(&flipped));
            assert_eq!(vector.verify(&changed), bad_signature, "byte {place}");
        }
    }
}

#[test]
fn a_proof_that_is_not_as_the_suite_says_is_refused() {
    let Some(vector) = Vector::load() else { return };
    let signed = vector.json("signedDataInt.json");
    let value = signed["proof"]["proofValue"].as_str().unwrap();
    let bytes = multibase::decode_base58btc(value).unwrap();
    let refused = |member: &str, value: Value| {
        let mut changed = signed.clone();
        changed["proof"][member] = value;
        vector.verify(&changed).unwrap_err()
    };
    for (member, value) in [
        (
            "proofValue",
            json!(multibase::encode_base58btc(&bytes[..63])),
        ),
        (
            "proofValue",
            json!(multibase::encode_base58btc(&[&bytes[..], &[0]].concat())),
        ),
        ("proofValue", json!(multibase::encode_base64url(&bytes))),
        ("proofValue", json!(&value[1..])),
        ("proofValue", json!(format!("{value}="))),
        ("proofValue", json!(null)),
        ("type", json!(["DataIntegrityProof"])),
        ("cryptosuite", json!(null)),
        ("verificationMethod", json!({ "id": "did:key:z6Mk#z6Mk" })),
        ("created", json!(1677281798)),
    ] {
        let error = refused(member, value.clone());
        let is_member = matches!(&error, ProofError::Member { member: m, .. } if *m == member);
        assert!(is_member, "{member} {value}: {error}");
    }
    let error = refused("proofPurpose", json!("authentication"));
    assert!(matches!(error, ProofError::Purpose { .. }), "{error}");
    let error = refused("cryptosuite", json!("EDDSA-RDFC-2022"));
    assert!(matches!(error, ProofError::Suite { .. }), "{error}");
    let error = refused("created", json!("2023-02-24T23:36:38"));
    assert!(
        matches!(
            error,
            ProofError::Date {
                member: "created",
                ..
            }
        ),
        "{error}"
    );
    let error = refused("expires", json!("1970-01-01T00:00:00Z"));
    assert!(matches!(error, ProofError::Expired { .. }), "{error}");
    let error = refused("@context", json!([]));
    assert!(matches!(error, ProofError::Context { .. }), "{error}");
}

#[test]
fn without_the_examples_context_the_document_is_refused() {
    let Some(vector) = Vector::load() else { return };
    let signed = vector.json("signedDataInt.json");
    let proof = proofs(&signed).next().unwrap().unwrap();
    let error = verify(
        &signed,
        &proof,
        PURPOSE,
        &vector.public.into(),
        Timestamp::EPOCH,
    )
    .unwrap_err();
    assert!(
        matches!(
            error,
            ProofError::JsonLd {
                part: Part::Document,
                ..
            }
        ),
        "{error}"
    );
    // With the credentials context alone, the example's terms are undefined.
    let mut undefined = vector.unsigned();
    undefined["@context"] = json!(["https://www.w3.org/ns/credentials/v2"]);
    let error = vector.sign(&undefined).unwrap_err();
    assert!(
        matches!(
            error,
            ProofError::JsonLd {
                part: Part::Document,
                ..
            }
        ),
        "{error}"
    );
}
