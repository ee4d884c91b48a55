//! The published vectors of the suites (VC-DI-EdDSA, appendix B; VC-DI-ECDSA, appendix A), with
//! every intermediate value where the suite is also made here, and what must not verify.

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
    HashData, Part, Prepared, ProofError, ProofOptions, Suite, Verified, Work, check_reading,
    proofs, sign_with, verify,
};
use goodstanding::vc::verifying::VerifyingKey;
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
        let suite = match name.contains("JCS") {
            true => "eddsa-jcs-2022",
            false => "eddsa-rdfc-2022",
        };
        fs::read_to_string(self.folder.join(suite).join(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    fn unsigned(&self) -> Value {
        serde_json::from_slice(&fs::read(self.folder.join("unsigned.json")).unwrap()).unwrap()
    }

    fn sign(&self, document: &Value) -> Result<Value, ProofError> {
        self.sign_as(Suite::EddsaRdfc2022, "proofConfigDataInt.json", document)
    }

    fn sign_as(&self, suite: Suite, config: &str, document: &Value) -> Result<Value, ProofError> {
        let config = self.json(config);
        let options = ProofOptions {
            suite,
            created: Some(config["created"].as_str().unwrap().parse().unwrap()),
            ..ProofOptions::new(config["verificationMethod"].as_str().unwrap())
        };
        sign_with(&self.processor, document, &options, &self.key)
    }

    /// What verification says of the document's only proof.
    fn verify(&self, secured: &Value) -> Result<Verified, ProofError> {
        self.verify_by(secured, &[self.public.into()]).remove(0)
    }

    /// What it says of each proof, by one key each.
    fn verify_by(
        &self,
        secured: &Value,
        keys: &[VerifyingKey],
    ) -> Vec<Result<Verified, ProofError>> {
        let processors = [(Revision::Mid2026, &self.processor)];
        let mut prepared = Prepared::with(&processors, secured).unwrap();
        let mut work = Work::default();
        let proofs: Vec<_> = proofs(secured).collect();
        assert_eq!(proofs.len(), keys.len());
        let verdicts = proofs.into_iter().zip(keys);
        verdicts
            .map(|(proof, key)| prepared.verify(&proof?, PURPOSE, key, Timestamp::EPOCH, &mut work))
            .collect()
    }

    /// The unsigned document with these proofs.
    fn with_proof(&self, proof: Value) -> Value {
        let mut document = self.unsigned();
        document["proof"] = proof;
        document
    }
}

const GOOD: Verified = Verified::Statements {
    revision: Revision::Mid2026,
    variant: Variant::Listed,
};

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
    assert_eq!(
        vector.verify(&serde_json::from_str(&published).unwrap()),
        Ok(GOOD)
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

#[test]
fn every_value_of_the_jcs_vector_is_reproduced() {
    let Some(vector) = Vector::load() else { return };
    let config = vector.json("proofConfigJCS.json");
    let data = HashData::jcs(&vector.unsigned(), config.as_object().unwrap()).unwrap();
    assert_eq!(data.document, vector.text("canonDocJCS.txt"));
    assert_eq!(hex(&data.document_hash), vector.text("docHashJCS.txt"));
    assert_eq!(data.options, vector.text("proofCanonJCS.txt"));
    assert_eq!(hex(&data.options_hash), vector.text("proofHashJCS.txt"));
    assert_eq!(hex(&data.combined()), vector.text("combinedHashJCS.txt"));
    let signature = vector.key.sign(&data.combined());
    assert_eq!(hex(&signature), vector.text("sigHexJCS.txt"));
    let published = vector.text("signedJCS.json");
    let signed = vector.sign_as(
        Suite::EddsaJcs2022,
        "proofConfigJCS.json",
        &vector.unsigned(),
    );
    assert_eq!(
        serde_json::to_string_pretty(&signed.unwrap()).unwrap(),
        published.trim_end()
    );
    // The proof is good without the examples context, which a reader of JSON-LD needs.
    let published = vector.json("signedJCS.json");
    let proof = proofs(&published).next().unwrap().unwrap();
    let key = vector.public.into();
    let verified = verify(&published, &proof, PURPOSE, &key, Timestamp::EPOCH);
    assert_eq!(verified, Ok(Verified::Json));
    let error = check_reading(&published, &mut Work::default()).unwrap_err();
    assert!(error.to_string().contains("examples/v2"), "{error}");
}

#[test]
fn a_changed_member_of_the_jcs_vector_does_not_verify() {
    let Some(vector) = Vector::load() else { return };
    let signed = vector.json("signedJCS.json");
    assert_eq!(vector.verify(&signed), Ok(Verified::Json));
    let bad_signature = Err(ProofError::Signature {
        place: "/proof".to_owned(),
    });
    for (member, value) in [
        ("invented", json!("which RDF would drop")),
        ("name", json!(["Alumni Credential"])),
        ("id", Value::Null),
    ] {
        let mut changed = signed.clone();
        changed[member] = value;
        assert_eq!(vector.verify(&changed), bad_signature, "{member}");
    }
    let mut changed = signed.clone();
    changed["proof"]["nonce"] = json!("n");
    assert_eq!(vector.verify(&changed), bad_signature);
    // The contexts may go on after those that were signed, but not begin otherwise.
    let mut extended = signed.clone();
    let contexts = extended["@context"].as_array_mut().unwrap();
    contexts.push(json!("https://w3id.org/security/data-integrity/v2"));
    assert_eq!(vector.verify(&extended), Ok(Verified::Json));
    contexts_of(&mut extended).swap(0, 1);
    let refused = vector.verify(&extended);
    assert!(
        matches!(refused, Err(ProofError::Context { .. })),
        "{refused:?}"
    );
    contexts_of(&mut changed).truncate(1);
    let refused = vector.verify(&changed);
    assert!(
        matches!(refused, Err(ProofError::Context { .. })),
        "{refused:?}"
    );
}

fn contexts_of(document: &mut Value) -> &mut Vec<Value> {
    document["@context"].as_array_mut().unwrap()
}

#[test]
fn the_ecdsa_vector_verifies() {
    let Some(vector) = Vector::load() else { return };
    let key = "zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP";
    let signed = vector.with_proof(json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "ecdsa-rdfc-2019",
        "created": "2023-02-24T23:36:38Z",
        "verificationMethod": format!("did:key:{key}#{key}"),
        "proofPurpose": "assertionMethod",
        "proofValue": "zaHXrr7AQdydBk3ahpCDpWbxfLokDqmCToYm2dyWvpcFVyWooC2he63w1f7UNQoAMKdhaRtcnaE2KTo5o5vTCcfw",
    }));
    let keys = [VerifyingKey::from_multikey(key).unwrap()];
    assert_eq!(vector.verify_by(&signed, &keys), [Ok(GOOD)]);
    let mut changed = signed.clone();
    changed["name"] = json!("Another");
    let bad = vector.verify_by(&changed, &keys).remove(0);
    assert!(matches!(bad, Err(ProofError::Signature { .. })), "{bad:?}");
    let other = vector.verify(&signed);
    assert!(
        matches!(other, Err(ProofError::KeyKind { .. })),
        "{other:?}"
    );
}

#[test]
fn proofs_under_the_older_names_verify() {
    let Some(vector) = Vector::load() else { return };
    let mut signed = vector.with_proof(json!({
        "type": "Ed25519Signature2020",
        "created": "2023-02-24T23:36:38Z",
        "verificationMethod": "https://vc.example/issuers/5678#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
        "proofPurpose": "assertionMethod",
        "proofValue": "z5HNuvc5WbWYsRRt97kXJ6SoKgb1tMwtkQND4pnobZE26JGnohdWVpzashF9d8FRzhzm8oYRSivKACTakeE4DzdHL",
    }));
    contexts_of(&mut signed).push(json!("https://w3id.org/security/suites/ed25519-2020/v1"));
    assert_eq!(vector.verify(&signed), Ok(GOOD));
    // The drafts' own vector was made with contexts that were drafts too.
    let mut proof = json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-2022",
        "verificationMethod": "https://vc.example/issuers/5678#key-1",
        "proofPurpose": "assertionMethod",
    });
    let members = proof.as_object().unwrap();
    let unsigned = vector.unsigned();
    let data = HashData::rdfc(&vector.processor, &unsigned, members, Variant::Listed).unwrap();
    let value = multibase::encode_base58btc(&vector.key.sign(&data.combined()));
    proof["proofValue"] = json!(value);
    let draft = vector.with_proof(proof);
    assert_eq!(vector.verify(&draft), Ok(GOOD));
    for mut changed in [signed, draft] {
        changed["validUntil"] = json!("2033-01-01T00:00:00Z");
        let bad = vector.verify(&changed);
        assert!(matches!(bad, Err(ProofError::Signature { .. })), "{bad:?}");
    }
}

/// The published chain: two proofs, one that rests on both, and one that rests on that.
fn published_chain() -> (Value, Vec<VerifyingKey>) {
    let [first, second, third] = [
        "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544",
        "urn:uuid:8cc9022b-6b14-4cf3-8571-74972c5feb54",
        "urn:uuid:d94f792a-c546-4d06-b38a-da070ab56c23",
    ];
    let rows = [
        (
            Some(first),
            "2023-02-24T23:36:38Z",
            "z6MktgKTsu1QhX6QPbyqG6geXdw6FQCZBPq7uQpieWbiQiG7",
            None,
            "z66vWyqwAghu52WbpRkCwFRTu6Msn92ArtjpJ3gGMSVoU5RADwBfszoDt1QWY8owqLPz4nTj7hAwV7xFti1p93zdr",
        ),
        (
            Some(second),
            "2023-02-24T23:36:38Z",
            "z6MkhWqdDBPojHA7cprTGTt5yHv5yUi1B8cnXn8ReLumkw6E",
            None,
            "z2scr94SNNrGpP2bE7ajvKWeUHm7HJ2edDkxpARvFAQ8V3USzwEzibqrXKaLHBrWostswsfvg82twQR88BgtnsrXY",
        ),
        (
            Some(third),
            "2023-02-26T22:06:38Z",
            "z6MkmEq87wkHCYnWnNZkigeDMGTN7oUw1upkhzd77KuXERS1",
            Some(json!([first, second])),
            "zWaPeEvBAkhQpNQj8pknuvg5STcKnt3cvM9t4kAYeJETFjvVMSXEEjadC4uxC9fKCn6JHbjt6fj2fhoaVNynBm6J",
        ),
        (
            None,
            "2023-02-26T22:16:38Z",
            "z6MkmEq87wkHCYnWnNZkigeDMGTN7oUw1upkhzd77KuXERS1",
            Some(json!(third)),
            "z21Royb2jnpDY8GkvsTn3pwWxXiXRMEwNLSzrfERHb1TNtDBydnFqwtxY9Vypv2mwMPygJhuxbKs2QLyGHx9DBjmY",
        ),
    ];
    let keys = rows.iter().map(|row| VerifyingKey::from_multikey(row.2));
    let keys = keys.collect::<Result<_, _>>().unwrap();
    let proofs = rows.map(|(id, created, key, previous, value)| {
        let mut proof = json!({
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "created": created,
            "verificationMethod": format!("did:key:{key}#{key}"),
            "proofPurpose": "assertionMethod",
            "proofValue": value,
        });
        for (member, value) in [("id", id.map(Value::from)), ("previousProof", previous)] {
            if let Some(value) = value {
                proof[member] = value;
            }
        }
        proof
    });
    (Value::from(proofs.to_vec()), keys)
}

#[test]
fn the_published_chain_verifies() {
    let Some(vector) = Vector::load() else { return };
    let (proofs, keys) = published_chain();
    let signed = vector.with_proof(proofs);
    assert_eq!(
        vector.verify_by(&signed, &keys),
        [Ok(GOOD), Ok(GOOD), Ok(GOOD), Ok(GOOD)]
    );
    // Each change of a proof shows in that proof and in the one that rests on it, no further.
    for (changed, bad) in [
        (0, vec![0, 2]),
        (1, vec![1, 2]),
        (2, vec![2, 3]),
        (3, vec![3]),
    ] {
        let mut document = signed.clone();
        document["proof"][changed]["created"] = json!("2023-02-27T00:00:00Z");
        let verdicts = vector.verify_by(&document, &keys);
        for (index, verdict) in verdicts.into_iter().enumerate() {
            let expected = match bad.contains(&index) {
                true => Err(ProofError::Signature {
                    place: format!("/proof/{index}"),
                }),
                false => Ok(GOOD),
            };
            assert_eq!(
                verdict, expected,
                "proof {index}, with proof {changed} changed"
            );
        }
    }
    // What comes first in the array is not what came first.
    let mut turned = signed.clone();
    turned["proof"].as_array_mut().unwrap().reverse();
    let keys: Vec<_> = keys.into_iter().rev().collect();
    assert!(vector.verify_by(&turned, &keys).iter().all(Result::is_ok));
}
