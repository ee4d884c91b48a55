//! One Open Badge, verified from end to end with everything that it names at hand: its issuer's
//! DID document, and its status list, checked and unpacked. Beside it the floor: what nobody who
//! checks this signature can leave out.

use std::sync::{Arc, OnceLock};

use goodstanding::bitstring::{Bitstring, ListLength, StatusSize};
use goodstanding::json;
use goodstanding::jsonld::canon::Variant;
use goodstanding::status::{
    ListToPublish, StatusEntry, StatusError, StatusPurpose, StatusResult, build_list,
};
use goodstanding::time::Timestamp;
use goodstanding::vc::contexts::{Revision, processor};
use goodstanding::vc::controller::{Method, did_document};
use goodstanding::vc::jwt::sign_credential;
use goodstanding::vc::keys::{SignatureCheck, SigningKey};
use goodstanding::vc::proof::{HashData, ProofOptions, proofs, sign};
use goodstanding::verify::outcome::Outcome;
use goodstanding::verify::{
    CheckedList, Fetched, Known, Options, Report, Resolver, SignedHere, Unresolved, WantedList,
    WantedOf, verify_credential,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const ISSUER: &str = "did:web:registry.example:profiles:harbour-school";

/// A signed credential in both forms, and all that is asked when it is verified.
pub(crate) struct Subject {
    /// With an embedded proof, `eddsa-rdfc-2022`.
    pub(crate) document: Value,
    /// As a JWT.
    pub(crate) jwt: Value,
    /// The issuer's DID document and the signed list.
    pub(crate) documents: [Value; 2],
    key: SigningKey,
    entry: StatusEntry,
    hashed: HashData,
    message: [u8; 64],
    signature: [u8; 64],
    resolver: AtHand,
}

impl Subject {
    /// The credential in `text`, signed; its bit in the list is clear.
    pub(crate) fn new(text: &str) -> Self {
        let key = SigningKey::from_seed(&[7; 32]);
        let method = format!("{ISSUER}#key-1");
        let unsigned = json::parse(text.as_bytes()).expect("the sample is strict JSON");
        let document = signed(&unsigned, &key);
        let jwt = sign_credential(&unsigned, &method, &key).expect("the sample can be signed");
        let mut members = document["proof"].as_object().expect("one proof").clone();
        members.shift_remove("proofValue");
        let processor = processor(Revision::Mid2026);
        let hashed = HashData::rdfc(processor, &unsigned, &members, Variant::Listed);
        let hashed = hashed.expect("the sample was signed");
        let entry = StatusEntry::parse(&unsigned["credentialStatus"], "/credentialStatus");
        let entry = entry.expect("the sample has one status entry");
        let list = list(&entry, &[], &key);
        let resolver = AtHand::new(issuer(&key), &list);
        let subject = Self {
            jwt: Value::from(jwt),
            documents: [issuer(&key), list],
            entry,
            message: hashed.combined(),
            signature: key.sign(&hashed.combined()),
            document,
            key,
            hashed,
            resolver,
        };
        subject.check();
        subject
    }

    /// Verifies the credential `document`, which is this one in one of its forms.
    pub(crate) fn verify(&self, document: &Value) -> Report {
        let now = "2026-03-01T00:00:00Z".parse().expect("RFC 3339");
        verify_credential(document, &self.resolver, Options::default(), now)
    }

    /// One Ed25519 check with a key that is read already, and SHA-256 over both canonical forms.
    pub(crate) fn floor(&self) -> impl Fn() -> (SignatureCheck, [u8; 64]) {
        let public = self.key.public();
        move || {
            let mut message = [0; 64];
            message[..32].copy_from_slice(&Sha256::digest(&self.hashed.options));
            message[32..].copy_from_slice(&Sha256::digest(&self.hashed.document));
            (public.verify(&message, &self.signature), message)
        }
    }

    /// What is timed tells a good credential from a changed one and a revoked one, and the floor
    /// checks the same signature over the same bytes.
    fn check(&self) {
        for form in [&self.document, &self.jwt] {
            let report = self.verify(form);
            assert!(report.verified, "{report:?}");
            assert_eq!(report.outcome, Outcome::Active, "{report:?}");
            assert_eq!(report.status.len(), 1, "its one status was asked for");
            let revoked = list(&self.entry, &[self.entry.index], &self.key);
            let revoked = AtHand::new(issuer(&self.key), &revoked);
            let now = Timestamp::EPOCH;
            let found = verify_credential(form, &revoked, Options::default(), now).outcome;
            assert_eq!(found, Outcome::Revoked);
        }
        let mut changed = self.document.clone();
        changed["name"] = json!("Another");
        assert!(!self.verify(&changed).verified, "it was changed");
        let proof = proofs(&self.document).next().expect("it was signed");
        assert!(proof.is_ok());
        assert_eq!(self.floor()(), (SignatureCheck::Good, self.message));
    }
}

fn signed(document: &Value, key: &SigningKey) -> Value {
    let options = ProofOptions {
        created: Some("2026-02-02T09:00:00Z".parse().expect("RFC 3339")),
        ..ProofOptions::new(format!("{ISSUER}#key-1"))
    };
    sign(document, &options, key).expect("the sample can be signed")
}

fn issuer(key: &SigningKey) -> Value {
    let method = Method {
        fragment: "key-1".to_owned(),
        key: key.public(),
        revoked: None,
    };
    did_document(ISSUER, &[method], &[])
}

/// The list that the entry names, in which the places of `set` are revoked.
fn list(entry: &StatusEntry, set: &[u64], key: &SigningKey) -> Value {
    let length = ListLength::MINIMUM;
    let mut bits = Bitstring::zeroed(length, StatusSize::One);
    for place in set {
        let index = length.index(*place).expect("it is within the list");
        bits.set(index, 1).expect("one bit holds 1");
    }
    let list = build_list(&ListToPublish {
        url: &entry.list,
        issuer: ISSUER,
        purpose: &StatusPurpose::Revocation,
        valid_from: Timestamp::EPOCH,
        valid_until: None,
        ttl: None,
        bits: &bits,
    });
    signed(&list, key)
}

/// Everything that is asked, kept from before.
struct AtHand {
    issuer: Arc<Value>,
    fetched: Fetched,
    list: OnceLock<Result<Arc<CheckedList>, StatusError>>,
}

impl AtHand {
    fn new(issuer: Value, list: &Value) -> Self {
        Self {
            issuer: Arc::new(issuer),
            fetched: Fetched {
                url: list["id"].as_str().expect("it has an id").to_owned(),
                body: list.to_string().into_bytes(),
            },
            list: OnceLock::new(),
        }
    }
}

impl Resolver for AtHand {
    fn controller_document(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        match url {
            ISSUER => Ok(Arc::clone(&self.issuer)),
            _ => Err(Unresolved::NotFound),
        }
    }

    fn key_set(&self, _: &str) -> Result<Arc<Value>, Unresolved> {
        Err(Unresolved::NotFound)
    }

    fn hosted_status(&self, _: &str, _: &StatusEntry) -> Option<Result<StatusResult, StatusError>> {
        None
    }

    fn list(
        &self,
        wanted: WantedList<'_>,
        check: &mut dyn FnMut(&Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Arc<CheckedList>, StatusError> {
        assert_eq!(
            wanted.reference.list(),
            self.fetched.url,
            "the credential names one list"
        );
        let checked = self.list.get_or_init(|| check(&self.fetched).map(Arc::new));
        checked.clone()
    }

    fn newer(&self, _: &str) -> Result<Fetched, Unresolved> {
        Err(Unresolved::NotFound)
    }

    fn signed_here(&self, _: &str, _: &Value) -> Option<SignedHere> {
        None
    }

    fn known(&self, _: &str, _: Option<WantedOf<'_>>) -> Option<Known> {
        None
    }
}
