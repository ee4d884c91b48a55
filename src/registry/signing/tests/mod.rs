//! What is signed, what is remembered of it, and what that says later.

mod statements;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use serde_json::Map;

use super::remembered::SignedHere;
use super::*;
use crate::badges::SubjectKind;
use crate::entropy::SeededEntropy;
use crate::ids::Slug;
use crate::registry::testing::{self, clock, operator};
use crate::registry::{
    AlsoPublished, IssuingOptions, KeyOwner, NewEndorsement, NewList, NewProfile, Roles,
    StatusTarget, StatusUpdate,
};
use crate::status::StatusPurpose;
use crate::store::engine::Batch;
use crate::store::engine::Engine;
use crate::store::memory::MemoryEngine;
use crate::store::tables::IdForm;
use crate::store::tables::SIGNATURES;
use crate::time::Timestamp;
use crate::time::{ManualClock, Ttl};
use crate::vc::controller::Relationship;
use crate::vc::controller::retrieve_key;
use crate::vc::jws::{self, NewHeader};
use crate::vc::jwt::{CredentialJwt, sign_credential};
use crate::vc::keys::{PublicKey, SigningKey};
use crate::vc::proof::{self, ProofOptions};
use crate::verify::{Given, Options, Outside as _};

const SCHOOL: &str = "did:web:registry.example:profiles:school";

fn over(engine: Arc<dyn Engine>, clock: &Arc<ManualClock>, seed: u64) -> Registry {
    testing::over(engine, clock.clone(), seed, testing::settings())
}

/// A registry in which a school issues and an accreditor endorses.
fn set_up(engine: Arc<dyn Engine>, clock: &Arc<ManualClock>) -> Registry {
    let registry = over(engine, clock, 1);
    for (slug, accreditor) in [("school", false), ("board", true)] {
        let new = NewProfile {
            roles: Roles {
                issuer: !accreditor,
                accreditor,
            },
            ..NewProfile::usual(slug.parse().unwrap(), slug)
        };
        registry.create_profile(&operator(), &new).unwrap();
    }
    registry
}

fn in_memory(clock: &Arc<ManualClock>) -> Registry {
    set_up(Arc::new(MemoryEngine::new(clock.clone())), clock)
}

fn unsigned() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
        "type": ["VerifiableCredential"],
        "issuer": SCHOOL,
        "validFrom": "2026-03-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:holder" },
    })
}

fn issued(registry: &Registry) -> Value {
    issued_as(Securing::default(), registry)
}

fn issued_as(securing: Securing, registry: &Registry) -> Value {
    let options = IssuingOptions {
        securing,
        ..IssuingOptions::default()
    };
    let issued = registry.issue(&operator(), &unsigned(), &options);
    issued.unwrap().credential
}

fn found(registry: &Registry, proof: &Value) -> Option<SignedHere> {
    let read = registry.engine.snapshot();
    registry.signed_here(&*read, Held::Proof(proof)).unwrap()
}

fn found_jwt(registry: &Registry, text: &str) -> Option<SignedHere> {
    let read = registry.engine.snapshot();
    registry.signed_here(&*read, Held::Jws(text)).unwrap()
}

/// Whether the proof of a document is good by this key.
fn is_by(document: &Value, key: PublicKey, registry: &Registry) {
    let made = proof::proofs(document).next().unwrap().unwrap();
    let purpose = Relationship::AssertionMethod;
    let _good = proof::verify(document, &made, purpose, &key.into(), registry.now()).unwrap();
}

fn first_key(registry: &Registry, slug: &str) -> KeyId {
    registry.keys(&slug.parse().unwrap()).unwrap()[0].id
}

fn revoke(registry: &Registry, slug: &str, since: &str) {
    let key = first_key(registry, slug);
    let (slug, since): (Slug, Timestamp) = (slug.parse().unwrap(), since.parse().unwrap());
    registry.revoke_key(&operator(), &slug, key, since).unwrap();
}

#[test]
fn what_was_signed_before_a_key_was_lost_is_known_whatever_its_proof_says() {
    let clock = clock();
    let registry = in_memory(&clock);
    let before = issued(&registry);
    clock.advance(Ttl::from_seconds(600));
    revoke(&registry, "school", "2026-03-01T09:05:00Z");

    let known = found(&registry, &before["proof"]).unwrap();
    assert_eq!(known.method, before["proof"]["verificationMethod"]);
    assert_eq!(known.at.to_string(), "2026-03-01T09:00:00Z");
    let since = known.revoked_since.unwrap();
    assert_eq!(since.to_string(), "2026-03-01T09:05:00Z");
    is_by(&before, known.public, &registry);

    // In whatever order its members were handed in.
    let members = before["proof"].as_object().unwrap().clone();
    let turned: Map<String, Value> = members.clone().into_iter().rev().collect();
    assert_eq!(found(&registry, &Value::Object(turned)), Some(known));
    // But nothing else: not one member may be another, be there, or be gone.
    for name in members.keys() {
        let mut other = members.clone();
        other.insert(name.clone(), "z2".into());
        assert_eq!(found(&registry, &other.into()), None, "{name} is another");
        let mut other = members.clone();
        other.shift_remove(name);
        assert_eq!(found(&registry, &other.into()), None, "{name} is gone");
    }
    let mut more = members;
    more.insert("nonce".into(), "1".into());
    assert_eq!(found(&registry, &more.into()), None);
}

#[test]
fn what_the_finder_of_a_key_signs_is_not_known_however_early_it_says_it_was() {
    let clock = clock();
    let registry = in_memory(&clock);
    let real = issued(&registry);
    clock.advance(Ttl::from_seconds(600));
    let known = found(&registry, &real["proof"]).unwrap();
    let place = (known.profile, known.key);
    let stored = KEYS.get(&*registry.engine, &place).unwrap().unwrap();
    let stolen = registry.open_key(place.0, place.1, &stored).unwrap();
    let mut forged = unsigned();
    forged["credentialSubject"]["id"] = "did:example:thief".into();
    let options = ProofOptions {
        created: Some("2026-03-01T09:00:00Z".parse().unwrap()),
        ..ProofOptions::new(&known.method)
    };
    let proven = proof::sign(&forged, &options, &stolen).unwrap();
    is_by(&proven, known.public, &registry);
    assert_eq!(found(&registry, &proven["proof"]), None);
    let jwt = sign_credential(&forged, &format!("{}-jwk", known.method), &stolen).unwrap();
    assert_eq!(found_jwt(&registry, &jwt), None);
}

#[test]
fn each_signature_over_one_credential_keeps_its_own_moment() {
    let clock = clock();
    let registry = in_memory(&clock);
    let first = issued(&registry);
    clock.advance(Ttl::from_millis(500));
    let same = issued(&registry);
    assert_eq!(same["proof"], first["proof"], "within one second");
    clock.advance(Ttl::from_seconds(60));
    let later = issued(&registry);
    let at = |credential: &Value| found(&registry, &credential["proof"]).unwrap().at;
    assert_eq!(at(&first).to_string(), "2026-03-01T09:00:00Z");
    assert_eq!(at(&later).to_string(), "2026-03-01T09:01:00.500Z");
}

#[test]
fn an_endorsement_that_was_signed_again_is_known_by_both_signatures() {
    Securing::ALL.into_iter().for_each(signed_again);
}

fn signed_again(securing: Securing) {
    let clock = clock();
    let registry = in_memory(&clock);
    let board = registry.profile(&"board".parse().unwrap()).unwrap();
    let new = NewEndorsement {
        scope: None,
        endorser: board.id,
        subject: SCHOOL.to_owned(),
        kind: SubjectKind::Profile,
        digest: None,
        name: "Accredited".to_owned(),
        comment: None,
        valid_from: None,
        valid_until: None,
        awarded_date: None,
        suspendable: false,
        securing,
    };
    let before = registry.endorse(&operator(), &new).unwrap();
    clock.advance(Ttl::from_seconds(600));
    revoke(&registry, "board", "2026-03-01T09:05:00Z");
    let after = registry.endorsement(before.id, None).unwrap();
    let known = |view: &EndorsementView| match &view.credential.secured() {
        Secured::Embedded(document) => found(&registry, &document["proof"]).unwrap(),
        Secured::Jwt(jwt) => found_jwt(&registry, jwt.as_str()).unwrap(),
    };
    assert_eq!(after.credential.secured().securing(), securing);
    let unsigned = |view: &EndorsementView| view.credential.secured().unsigned();
    assert_eq!(unsigned(&after), unsigned(&before));
    let (old, new) = (known(&before), known(&after));
    assert_eq!(old.at.to_string(), "2026-03-01T09:00:00Z");
    assert!(old.revoked_since.is_some() && new.revoked_since.is_none());
    assert_eq!(new.at.to_string(), "2026-03-01T09:10:00Z");
}

#[test]
fn a_jwt_is_known_by_its_text_and_by_the_key_that_it_names() {
    let clock = clock();
    let registry = in_memory(&clock);
    let envelope = issued_as(Securing::VcJwt, &registry);
    let Secured::Jwt(jwt) = Secured::read(envelope).unwrap() else {
        panic!("a JWT was asked for");
    };
    let read = CredentialJwt::parse(jwt.as_str()).unwrap();
    clock.advance(Ttl::from_seconds(600));
    revoke(&registry, "school", "2026-03-01T09:05:00Z");
    let known = found_jwt(&registry, jwt.as_str()).unwrap();
    assert_eq!(read.header().kid, Some(known.method));
    assert_eq!(known.at.to_string(), "2026-03-01T09:00:00Z");
    assert!(known.revoked_since.is_some());
    read.verify(&known.public.into()).unwrap();
    for other in [&jwt.as_str()[1..], &format!("{} ", jwt.as_str()), ""] {
        assert_eq!(found_jwt(&registry, other), None);
    }
}

const OWN: &str = "did:web:registry.example";

#[test]
fn what_the_registry_signed_is_verified_here_without_asking_anybody() {
    let registry = in_memory(&clock());
    let place = (ProfileId::REGISTRY, KeyId(1));
    let stored = KEYS.get(&*registry.engine, &place).unwrap().unwrap();
    let secret = registry.open_key(place.0, place.1, &stored).unwrap();
    let mut document = unsigned();
    document["issuer"] = OWN.into();
    let options = ProofOptions {
        created: Some(registry.now()),
        ..ProofOptions::new(format!("{OWN}#key-1"))
    };
    let signed = proof::sign(&document, &options, &secret).unwrap();
    let verify = |signed: &Value| {
        let outside = Given::refused();
        registry.verify(signed, Options::default(), &*outside.session())
    };
    let report = verify(&signed).to_json();
    assert_eq!(report["verified"], true, "{report:?}");
    let since = registry.now();
    registry
        .revoke_key(&operator(), KeyOwner::Registry, KeyId(1), since)
        .unwrap();
    let report = verify(&signed).to_json();
    assert_eq!(report["verified"], false, "{report:?}");
    assert_eq!(report["problemDetails"][0]["code"], "key-revoked");
}

/// Credentials that are signed elsewhere with what an allocation gave out: the older entry, and
/// the claim of a token.
#[test]
fn a_status_in_any_form_of_a_list_here_is_read_here() {
    let registry = in_memory(&clock());
    let school: Slug = "school".parse().unwrap();
    let school = registry.profile(&school).unwrap().id;
    let new = NewList {
        also: AlsoPublished {
            status_2021: true,
            token: true,
            jcs_proof: false,
        },
        ..NewList::usual(school, StatusPurpose::Revocation)
    };
    let list = registry.create_list(&operator(), &new).unwrap().id;
    let given = registry.allocate(&operator(), list, 1).unwrap();
    let index = given.indexes()[0].get();
    let given: Value = serde_json::from_str(&given.answer(&registry).unwrap()).unwrap();
    let read = registry.engine.snapshot();
    let record = registry.profile_record(&*read, school).unwrap();
    let older = {
        let mut older = unsigned();
        older["@context"] = json!([
            "https://www.w3.org/2018/credentials/v1",
            "https://w3id.org/vc/status-list/2021/v1",
            "https://w3id.org/security/data-integrity/v2",
        ]);
        older["issuanceDate"] = older["validFrom"].take();
        older.as_object_mut().unwrap().shift_remove("validFrom");
        older["credentialStatus"] = given["entries2021"][0].clone();
        let form = Securing::EddsaRdfc2022;
        let signed = registry.sign(&*read, school, &record, &older, form);
        signed.unwrap().secured.into_value()
    };
    let token = {
        let owner = registry.controller_of(school, &record);
        let (_, _, signer) = registry.signer(&*read, &owner).unwrap();
        let mut claims = unsigned();
        claims["status"] = given["status"][0].clone();
        let payload = serde_json::to_vec(&claims).unwrap();
        let (typ, kid) = ("vc+jwt", &*owner.jwt_method(KeyId(1)));
        Value::String(jws::sign_with(NewHeader { typ, kid }, &payload, &*signer.signer).unwrap())
    };
    drop(read);
    let outcomes = || {
        [&older, &token].map(|credential| {
            let outside = Given::refused();
            let options = Options::default();
            let report = registry.verify(credential, options, &*outside.session());
            report.to_json()["outcome"].clone()
        })
    };
    assert_eq!(outcomes(), ["active", "active"]);
    let update = StatusUpdate {
        target: StatusTarget::Index(index),
        status: 1,
    };
    registry
        .update_statuses(&operator(), list, vec![update], None)
        .unwrap();
    assert_eq!(outcomes(), ["revoked", "revoked"]);
}

/// A JWT that names its key by `jwk` alone is looked up in the key set of the issuer's host,
/// which is this one (Open Badges 3.0, key provenance).
#[test]
fn an_issuer_by_url_is_verified_by_the_keys_of_this_host() {
    let registry = in_memory(&clock());
    for slug in ["by-url", "other"] {
        let new = NewProfile {
            id_form: IdForm::Https,
            ..NewProfile::usual(slug.parse().unwrap(), slug)
        };
        registry.create_profile(&operator(), &new).unwrap();
    }
    let url = |slug: &str| format!("https://registry.example/profiles/{slug}");
    let slug: Slug = "by-url".parse().unwrap();
    let profile = registry.profile(&slug).unwrap().id;
    let place = (profile, KeyId(1));
    let stored = KEYS.get(&*registry.engine, &place).unwrap().unwrap();
    let secret = registry.open_key(place.0, place.1, &stored).unwrap();
    let verified = |issuer: &str| {
        let mut payload = unsigned();
        payload["issuer"] = issuer.into();
        payload["iss"] = issuer.into();
        let jwk = secret.public().to_jwk();
        let header = json!({ "alg": "EdDSA", "typ": "vc+jwt", "jwk": jwk });
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let mut text = encode(header.to_string().as_bytes());
        text = format!("{text}.{}", encode(payload.to_string().as_bytes()));
        let signature = encode(&secret.sign(text.as_bytes()));
        let outside = Given::refused();
        let jwt = Value::from(format!("{text}.{signature}"));
        let report = registry.verify(&jwt, Options::default(), &*outside.session());
        report.to_json()
    };
    let report = verified(&url("by-url"));
    assert_eq!(report["verified"], true, "{report:#?}");
    let report = verified(&url("other"));
    assert_eq!(
        report["verified"], false,
        "the key is another's: {report:#?}"
    );
    let since = registry.now();
    let lost = registry.revoke_key(&operator(), &slug, KeyId(1), since);
    assert!(lost.is_ok());
    let report = verified(&url("by-url"));
    assert_eq!(report["verified"], false, "{report:#?}");
}

#[test]
fn a_store_from_before_there_were_rows_says_that_it_does_not_know() {
    let clock = clock();
    let registry = in_memory(&clock);
    let credential = issued(&registry);
    let rows = SIGNATURES.scan(&*registry.engine, &[], None, 9).unwrap();
    let mut batch = Batch::default();
    for (digest, _) in &rows {
        SIGNATURES.delete(&mut batch, digest);
    }
    registry.commit(batch).unwrap();
    assert_eq!(found(&registry, &credential["proof"]), None);
    clock.advance(Ttl::from_seconds(60));
    assert!(found(&registry, &issued(&registry)["proof"]).is_some());
}

#[test]
fn the_log_commits_to_the_row() {
    let clock = clock();
    let registry = in_memory(&clock);
    let credential = issued(&registry);
    let digest = Held::Proof(&credential["proof"]).digest().unwrap();
    let events = registry.engine.changes(crate::ids::Seq(0), 100).unwrap();
    let issued = events.iter().filter(|event| event.body.ends_with(&digest));
    let times: Vec<Timestamp> = issued.map(|event| event.at).collect();
    let known = found(&registry, &credential["proof"]).unwrap();
    assert_eq!(times, [known.at]);
}

#[cfg(feature = "rocksdb")]
#[test]
fn what_was_signed_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let open = || {
        use crate::store::rocks::{Place, RocksEngine};
        let engine = RocksEngine::open(&Place::within(folder.path(), [7; 16]), clock.clone());
        Arc::new(engine.unwrap())
    };
    let registry = set_up(open(), &clock);
    let credential = issued(&registry);
    let known = found(&registry, &credential["proof"]);
    assert!(known.is_some());
    drop(registry);
    let registry = over(open(), &clock, 2);
    assert_eq!(found(&registry, &credential["proof"]), known);
}
