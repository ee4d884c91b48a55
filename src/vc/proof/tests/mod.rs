mod chains;
mod reading;
mod suites;

use proptest::prelude::*;

use super::*;
use crate::vc::contexts::{CREDENTIALS_V2, OPEN_BADGES};
use crate::vc::keys::SigningKey;

const PURPOSE: Relationship = Relationship::AssertionMethod;

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn options() -> ProofOptions {
    ProofOptions {
        created: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..ProofOptions::new("https://a.example/profile#key-1")
    }
}

fn endorsement() -> Value {
    json!({
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": "https://a.example/credentials/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "An endorsement",
        "issuer": { "id": "https://a.example/profile", "type": "Profile", "name": "A" },
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "https://b.example/profile",
            "type": "EndorsementSubject",
            "endorsementComment": "Good work."
        },
        "credentialStatus": {
            "id": "https://a.example/status/1#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://a.example/status/1"
        }
    })
}

/// What each proof's verification says at `now`.
fn verify_all(secured: &Value, now: Timestamp) -> Vec<Result<Verified, ProofError>> {
    let verify = |proof: Result<Proof<'_>, _>| {
        verify(secured, &proof?, PURPOSE, &key().public().into(), now)
    };
    proofs(secured).map(verify).collect()
}

#[test]
fn what_is_signed_verifies_and_says_with_which_contexts() {
    let signed = sign(&endorsement(), &options(), &key()).unwrap();
    let good = Verified::Statements {
        revision: Revision::Mid2026,
        variant: Variant::Listed,
    };
    assert_eq!(verify_all(&signed, Timestamp::EPOCH), [Ok(good)]);
    let proof = proofs(&signed).next().unwrap().unwrap();
    assert_eq!(proof.verification_method, "https://a.example/profile#key-1");
    assert_eq!(proof.created, options().created);
    let other = SigningKey::from_seed(&[8; 32]).public().into();
    let bad = ProofError::Signature {
        place: "/proof".to_owned(),
    };
    let verdict = verify(&signed, &proof, PURPOSE, &other, Timestamp::EPOCH);
    assert_eq!(verdict, Err(bad));
}

#[test]
fn a_document_without_a_proof_has_none_to_verify() {
    assert_eq!(proofs(&endorsement()).count(), 0);
    assert_eq!(proofs(&json!([])).count(), 0);
    assert_eq!(
        sign(&json!("text"), &options(), &key()),
        Err(ProofError::NotAnObject)
    );
}

#[test]
fn proofs_of_a_set_stand_for_themselves() {
    let once = sign(&endorsement(), &options(), &key()).unwrap();
    let mut twice = sign(&once, &options(), &key()).unwrap();
    let good = Verified::Statements {
        revision: Revision::Mid2026,
        variant: Variant::Listed,
    };
    assert_eq!(verify_all(&twice, Timestamp::EPOCH), [Ok(good), Ok(good)]);
    twice["proof"].as_array_mut().unwrap().push(json!({
        "type": "DataIntegrityProof", "cryptosuite": "mldsa44-rdfc-2024"
    }));
    twice["proof"][0]["created"] = json!("2026-01-01T00:00:01Z");
    let outcomes = verify_all(&twice, Timestamp::EPOCH);
    assert_eq!(
        outcomes[0],
        Err(ProofError::Signature {
            place: "/proof/0".to_owned()
        })
    );
    assert_eq!(outcomes[1], Ok(good));
    assert!(matches!(&outcomes[2], Err(ProofError::Suite { place, .. }) if place == "/proof/2"));
}

#[test]
fn a_proof_made_with_the_first_revision_is_good_and_says_so() {
    // The first revision does not define the term, so its holders could define it themselves.
    let mut document = endorsement();
    document["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "jti": "https://a.example/terms#jti" }));
    document["credentialSubject"]["jti"] = json!("7");
    let first = contexts::processor(Revision::First);
    let signed = sign_with(first, &document, &options(), &key()).unwrap();
    let good = Verified::Statements {
        revision: Revision::First,
        variant: Variant::Listed,
    };
    assert_eq!(verify_all(&signed, Timestamp::EPOCH), [Ok(good)]);
    let mut changed = signed;
    changed["credentialSubject"]["jti"] = json!("8");
    assert!(verify_all(&changed, Timestamp::EPOCH)[0].is_err());
}

#[test]
fn a_text_with_a_direction_is_signed_with_it() {
    let mut document = endorsement();
    document["name"] = json!({ "@value": "شهادة", "@language": "ar", "@direction": "rtl" });
    let signed = sign(&document, &options(), &key()).unwrap();
    assert!(verify_all(&signed, Timestamp::EPOCH)[0].is_ok());
    let proof = options().members(None);
    let processor = contexts::processor(Revision::Mid2026);
    let data = HashData::rdfc(processor, &document, &proof, Variant::Listed).unwrap();
    let literal = "\"شهادة\"^^<https://www.w3.org/ns/i18n#ar_rtl>";
    assert!(data.document.contains(literal));
    let mut changed = signed;
    changed["name"]["@direction"] = json!("ltr");
    assert!(verify_all(&changed, Timestamp::EPOCH)[0].is_err());
}

#[test]
fn an_expired_proof_is_an_error_from_that_moment_on() {
    let expires: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let options = ProofOptions {
        expires: Some(expires),
        ..options()
    };
    let signed = sign(&endorsement(), &options, &key()).unwrap();
    let before = Timestamp::from_millis(expires.millis() - 1);
    assert!(verify_all(&signed, before)[0].is_ok());
    let expired = ProofError::Expired {
        place: "/proof".to_owned(),
        at: expires,
    };
    assert_eq!(verify_all(&signed, expires), [Err(expired)]);
}

/// Two endorsements without ids in the issuer's profile; their proofs differ only far from their
/// graphs' names.
fn twins([a, b]: [&str; 2]) -> Value {
    let twin = |name: &str| {
        json!({
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "credentialSubject": { "type": ["EndorsementSubject"] },
            "proof": {
                "type": "DataIntegrityProof",
                "proofPurpose": "assertionMethod",
                "verificationMethod": { "type": "Profile", "name": name }
            }
        })
    };
    let mut document = endorsement();
    document["issuer"]["endorsement"] = json!([twin(a), twin(b)]);
    document
}

#[test]
fn what_verifiers_read_in_two_ways_is_not_signed_but_verified_either_way() {
    let names = ["One", "Two", "Three", "Four", "Five", "Six"];
    let pairs = names
        .iter()
        .flat_map(|a| names.iter().map(move |b| [*a, *b]));
    let refused = Err(ProofError::Ambiguous(Part::Document));
    let document = pairs
        .map(twins)
        .find(|document| sign(document, &options(), &key()) == refused)
        .expect("a pair of names that divides the two readings");
    for variant in [Variant::Listed, Variant::Deduplicated] {
        let mut proof = options().members(None);
        let processor = contexts::processor(Revision::Mid2026);
        let data = HashData::rdfc(processor, &document, &proof, variant).unwrap();
        let value = multibase::encode_base58btc(&key().sign(&data.combined()));
        proof.insert("proofValue".to_owned(), json!(value));
        let mut signed = document.clone();
        signed["proof"] = Value::Object(proof);
        let good = Verified::Statements {
            revision: Revision::Mid2026,
            variant,
        };
        assert_eq!(verify_all(&signed, Timestamp::EPOCH), [Ok(good)]);
    }
}

/// Places of all texts that are neither contexts nor in the proof.
fn texts(value: &Value, place: String, out: &mut Vec<String>) {
    match value {
        Value::String(_) => out.push(place),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                texts(item, format!("{place}/{index}"), out);
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(name, _)| *name != "@context") {
                texts(member, format!("{place}/{name}"), out);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_text_is_covered(place: prop::sample::Index, suffix in "[a-z0-9é\"\\\\\n]{1,4}") {
        let signed = sign(&endorsement(), &options(), &key()).unwrap();
        let mut places = Vec::new();
        texts(&signed, String::new(), &mut places);
        let place = place.get(&places);
        let mut changed = signed.clone();
        let text = changed.pointer_mut(place).unwrap();
        *text = json!(format!("{}{suffix}", text.as_str().unwrap()));
        let outcome = verify_all(&changed, Timestamp::EPOCH).remove(0);
        prop_assert!(outcome.is_err(), "{} = {}", place, changed.pointer(place).unwrap());
    }

    #[test]
    fn order_of_members_and_layout_do_not_matter(shuffled in Just(()).prop_perturb(|(), mut rng| {
        let mut members: Vec<_> = endorsement().as_object().unwrap().clone().into_iter().collect();
        for place in (1..members.len()).rev() {
            members.swap(place, (rng.next_u32() as usize) % (place + 1));
        }
        Value::Object(members.into_iter().collect())
    })) {
        let value = |document: &Value| {
            sign(document, &options(), &key()).unwrap()["proof"]["proofValue"].clone()
        };
        prop_assert_eq!(value(&shuffled), value(&endorsement()));
    }
}

/// A device that keeps a key, and is out of reach.
struct OutOfReach;

impl Signer for OutOfReach {
    fn sign(&self, _: &[u8]) -> Result<[u8; 64], crate::vc::keys::SignerError> {
        Err(crate::vc::keys::SignerError("it does not answer".into()))
    }
}

/// A device that keeps a key, and signs as the key itself would.
struct Device(SigningKey);

impl Signer for Device {
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], crate::vc::keys::SignerError> {
        Ok(self.0.sign(message))
    }
}

#[test]
fn whoever_keeps_the_key_signs_the_same_or_says_why_not() {
    use crate::vc::jwt::sign_credential;
    let document = serde_json::json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:school",
        "credentialSubject": { "id": "did:example:holder" },
    });
    let kid = "did:example:school#key-1";
    let options = ProofOptions {
        created: Some(Timestamp::EPOCH),
        ..ProofOptions::new(kid.to_owned())
    };
    let (here, device) = (key(), Device(key()));
    let by_both = [
        sign(&document, &options, &here),
        sign(&document, &options, &device),
    ];
    assert_eq!(by_both[0], by_both[1]);
    assert_eq!(
        sign_credential(&document, kid, &here),
        sign_credential(&document, kid, &device)
    );
    let refused = sign(&document, &options, &OutOfReach).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the key could not be used: it does not answer"
    );
    let refused = sign_credential(&document, kid, &OutOfReach).unwrap_err();
    assert!(refused.to_string().contains("does not answer"));
}
