//! The good documents, the changes, and the signer that checks nothing.

use p256::ecdsa::signature::Signer as _;

use super::*;
use crate::jsonld::canon::canonicalize;
use crate::jsonld::{self, Mode, RdfDirection};
use crate::vc::contexts::{CLR, Revision, processor};
use crate::vc::keys::SignatureCheck;
use crate::vc::multibase::encode_base58btc;
use crate::vc::verifying::VerifyingKey;

pub(super) const LIST: &str = "https://college.example/lists/revocation";
pub(super) const BOARD_LIST: &str = "https://board.example/lists/revocation";
pub(super) const ACHIEVEMENT: &str = "https://college.example/achievements/welding";
pub(super) const CREDENTIALS_V1: &str = "https://www.w3.org/2018/credentials/v1";
pub(super) const DATA_INTEGRITY: &str = "https://w3id.org/security/data-integrity/v2";
pub(super) const ED25519_2020: &str = "https://w3id.org/security/suites/ed25519-2020/v1";
pub(super) const SMITH: &str = "did:web:smith.example";
/// A smith whose key is on P-384, which is not read.
pub(super) const SMITH_384: &str = "did:web:smith-384.example";

/// What whoever asks for presentations has given out.
pub(super) const ASKED: super::super::Expected<'_> = super::super::Expected {
    challenge: Some("c-1"),
    domain: Some("jobs.example"),
};

pub(super) fn college() -> Actor {
    Actor::did_key(1)
}

pub(super) fn board() -> Actor {
    Actor::did_key(2)
}

pub(super) fn university() -> Actor {
    Actor::named("https://university.example/profile", 3)
}

pub(super) fn learner() -> Actor {
    Actor::named("did:web:learner.example", 5)
}

pub(super) fn forger() -> Actor {
    Actor::did_key(66)
}

fn smiths_key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()
}

pub(super) fn world() -> World {
    let point = smiths_key().verifying_key().to_sec1_point(true);
    let smiths = encode_base58btc(&[&[0x80, 0x24], point.as_bytes()].concat());
    assert!(VerifyingKey::from_multikey(&smiths).is_ok());
    let key_384 = "z82LkvBb9ECdqCdPgDa1M1Usu2kkfwbWdXk5a4cALVgfeLXWqHcp6PPeARJdRQEhnYHFaZF";
    let mut world = World::default()
        .with(&university())
        .with(&learner())
        .with_list(LIST, &college(), "revocation", &[3])
        .with_list(BOARD_LIST, &board(), "revocation", &[3]);
    for (id, key) in [(SMITH, &*smiths), (SMITH_384, key_384)] {
        let method = format!("{id}#key-1");
        let document = json!({
            "id": id,
            "verificationMethod": [{
                "id": method, "type": "Multikey", "controller": id, "publicKeyMultibase": key,
            }],
            "assertionMethod": [method],
        });
        world.documents.insert(id.to_owned(), Ok(document));
    }
    world
}

/// The documents that are spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// A badge of Open Badges 3.0 with an end and a status, by `eddsa-rdfc-2022`.
    Badge,
    /// The same by an issuer whose id is an https URL.
    Named,
    /// A credential of VCDM 1.1.
    Old,
    /// A badge with two proofs by its issuer, the second of which rests on the first.
    Chain,
    /// A badge that can be read with the first revision of its context alone.
    FirstRevision,
    /// A badge by `eddsa-jcs-2022`, with three contexts.
    Json,
    /// By `ecdsa-rdfc-2019` on P-256.
    Curve,
    /// By `Ed25519Signature2020`.
    Older,
    /// By `eddsa-2022`.
    Draft,
    /// An endorsement that names its schema.
    Endorsement,
    /// An endorsement of one version of a thing, and of no more of it than its scope says.
    Scoped,
    /// A badge with endorsements of its issuer, its achievement and itself.
    Endorsed,
    /// A CLR with two badges.
    Record,
    /// A presentation of a badge.
    Presentation,
}

/// Who spoiled it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Who signs it, before signing.
    Signer,
    /// Somebody who then signs with a key of their own.
    Forger,
    /// Somebody who has no key, after signing.
    Stranger,
}

impl Row {
    pub(super) fn document(&self) -> Value {
        let spoiled = |mut document| {
            (self.spoil)(&mut document);
            document
        };
        match self.by {
            By::Signer => sign(spoiled(self.base.unsigned()), None),
            By::Forger => sign(spoiled(self.base.unsigned()), Some(&forger())),
            By::Stranger => spoiled(self.base.signed()),
        }
    }
}

impl Base {
    pub(super) const ALL: [Self; 14] = [
        Self::Badge,
        Self::Named,
        Self::Old,
        Self::Chain,
        Self::FirstRevision,
        Self::Json,
        Self::Curve,
        Self::Older,
        Self::Draft,
        Self::Endorsement,
        Self::Scoped,
        Self::Endorsed,
        Self::Record,
        Self::Presentation,
    ];

    pub(super) fn signed(self) -> Value {
        sign(self.unsigned(), None)
    }

    /// With a proof that has no value yet.
    pub(super) fn unsigned(self) -> Value {
        let mut document = match self {
            Self::Named => badge_by(&university().id),
            Self::Old | Self::Older => old(),
            Self::Curve => badge_by(SMITH),
            Self::Endorsement => endorsement(),
            Self::Scoped => scoped(),
            Self::Endorsed => endorsed(),
            Self::Record => record(),
            Self::Presentation => presentation(),
            Self::FirstRevision => first_revision(),
            Self::Badge | Self::Chain | Self::Json | Self::Draft => badge(),
        };
        let method = match self {
            Self::Named => university().method,
            Self::Curve => format!("{SMITH}#key-1"),
            Self::Presentation => learner().method,
            _ => college().method,
        };
        if self == Self::Json {
            push(&mut document, "/@context", json!(OB_EXTENSIONS));
        }
        document["proof"] = proof_by(&method);
        let proof = &mut document["proof"];
        match self {
            Self::Json => {
                proof["cryptosuite"] = json!("eddsa-jcs-2022");
                let contexts = document["@context"].clone();
                document["proof"]["@context"] = contexts;
            }
            Self::Curve => proof["cryptosuite"] = json!("ecdsa-rdfc-2019"),
            Self::Draft => proof["cryptosuite"] = json!("eddsa-2022"),
            Self::Older => {
                cut(proof, "/cryptosuite");
                proof["type"] = json!("Ed25519Signature2020");
                document["@context"][1] = json!(ED25519_2020);
            }
            Self::Chain => {
                let mut second = proof.clone();
                proof["id"] = json!("urn:proof:1");
                second["id"] = json!("urn:proof:2");
                second["previousProof"] = json!("urn:proof:1");
                *proof = json!([proof.clone(), second]);
            }
            Self::Presentation => {
                proof["proofPurpose"] = json!("authentication");
                proof["challenge"] = json!("c-1");
                proof["domain"] = json!("jobs.example");
            }
            _ => {}
        }
        document
    }
}

const OB_EXTENSIONS: &str = crate::vc::contexts::OPEN_BADGES_EXTENSIONS;

/// The members of a proof before it has a value.
pub(super) fn proof_by(method: &str) -> Value {
    json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    })
}

fn badge_by(issuer: &str) -> Value {
    let mut badge = college().badge();
    badge["issuer"]["id"] = json!(issuer);
    badge["validUntil"] = json!("2027-01-01T00:00:00Z");
    badge
}

fn badge() -> Value {
    let mut badge = badge_by(&college().id);
    badge["credentialStatus"] = statuses::entry(LIST, "revocation", 7);
    badge
}

fn old() -> Value {
    json!({
        "@context": [CREDENTIALS_V1, DATA_INTEGRITY],
        "id": "https://college.example/credentials/1",
        "type": ["VerifiableCredential"],
        "issuer": college().id,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2027-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:learner"},
    })
}

/// A term that the newer revision defines otherwise, and protects.
fn first_revision() -> Value {
    let mut badge = badge();
    push(
        &mut badge,
        "/@context",
        json!({"jti": "https://college.example/terms#jti"}),
    );
    badge["credentialSubject"]["jti"] = json!("7");
    badge
}

fn endorsement() -> Value {
    let mut endorsement = college().endorsement("did:example:welder");
    let id = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_endorsementcredential_schema.json";
    push(&mut endorsement, "/@context", json!(OB_EXTENSIONS));
    endorsement["credentialSchema"] = json!([{"id": id, "type": "1EdTechJsonSchemaValidator2019"}]);
    endorsement
}

fn scoped() -> Value {
    let mut endorsement = college().endorsement("did:example:welder");
    push(
        &mut endorsement,
        "/@context",
        crate::badges::scope_context(),
    );
    endorsement["credentialSubject"]["endorsementScope"] = json!({
        "type": ["EndorsementScope"],
        "achievementType": ["Certification"],
        "tag": ["metal", "welding"],
        "jurisdiction": ["CH"],
        "awardedUntil": "2028-01-01T00:00:00Z",
    });
    let digest = crate::badges::DigestMultibase::of(b"{}");
    endorsement["relatedResource"] = json!([{
        "id": "did:example:welder", "digestMultibase": digest,
    }]);
    endorsement
}

fn endorsed() -> Value {
    let mut badge = badge();
    let id = badge["id"].as_str().unwrap().to_owned();
    badge["issuer"]["endorsement"] = json!([board().endorse(&college().id)]);
    badge["issuer"]["endorsementJwt"] = json!([board().endorse_as_jwt(&college().id)]);
    badge["credentialSubject"]["achievement"]["endorsement"] =
        json!([board().endorse(ACHIEVEMENT)]);
    badge["endorsement"] = json!([board().endorse(&id)]);
    badge
}

fn record() -> Value {
    let mut first = board().badge();
    first["id"] = json!("https://board.example/badges/1");
    let mut second = badge();
    second["id"] = json!("https://college.example/badges/2");
    json!({
        "@context": [CREDENTIALS_V2, CLR, OPEN_BADGES],
        "id": "https://college.example/records/1",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Record",
        "issuer": {"id": college().id, "type": ["Profile"]},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["ClrSubject"],
            "verifiableCredential": [board().sign(&first), college().sign(&second)],
        },
    })
}

fn presentation() -> Value {
    json!({
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "holder": learner().id,
        "verifiableCredential": [college().sign(&badge())],
    })
}

/// Gives each proof that has no value one, over whatever the document is, by the key that its
/// method names or by that of `forger`.
pub(super) fn sign(mut document: Value, forger: Option<&Actor>) -> Value {
    let Some(mut proof) = document
        .as_object_mut()
        .and_then(|d| d.shift_remove("proof"))
    else {
        return document;
    };
    let mut done: Vec<Value> = Vec::new();
    let proofs = match &mut proof {
        Value::Array(proofs) => proofs.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for proof in proofs {
        if proof.is_object() && proof.get("proofValue").is_none() {
            let names = |id: &Value| match proof.get("previousProof") {
                Some(Value::Array(ids)) => ids.contains(id),
                named => named == Some(id),
            };
            let is_earlier = |one: &&Value| one.get("id").is_some_and(names);
            let earlier: Vec<Value> = done.iter().filter(is_earlier).cloned().collect();
            let mut signed = document.clone();
            if !earlier.is_empty() {
                signed["proof"] = json!(earlier);
            }
            let message = halves(&signed, proof).concat();
            let method = proof["verificationMethod"].as_str().unwrap_or_default();
            proof["proofValue"] = json!(encode_base58btc(&signature(method, forger, &message)));
        }
        done.push(proof.clone());
    }
    document["proof"] = proof;
    document
}

fn signature(method: &str, forger: Option<&Actor>, message: &[u8]) -> Vec<u8> {
    if method.starts_with(SMITH) && forger.is_none() {
        let signature: p256::ecdsa::Signature = smiths_key().sign(message);
        return signature.to_bytes().to_vec();
    }
    let actors = [college(), board(), university(), learner()];
    let named = actors.iter().find(|actor| actor.method == method);
    let actor = forger.or(named).unwrap_or(&actors[0]);
    actor.key.sign(message).to_vec()
}

/// The hash of a proof's options and that of a document, as somebody makes them who checks
/// nothing. What has no canonical form at all has an empty one.
pub(super) fn halves(document: &Value, proof: &Value) -> [[u8; 32]; 2] {
    use sha2::{Digest as _, Sha256};
    let mut options = proof.clone();
    cut(&mut options, "/proofValue");
    let texts = if proof["cryptosuite"] == "eddsa-jcs-2022" {
        [&options, document].map(|part| serde_json_canonicalizer::to_string(part).unwrap())
    } else {
        options["@context"] = document["@context"].clone();
        [&options, document].map(statements)
    };
    texts.map(|text| Sha256::digest(text).into())
}

fn statements(part: &Value) -> String {
    let options = jsonld::Options {
        mode: Mode::Standard,
        direction: RdfDirection::I18nDatatype,
        ..jsonld::Options::default()
    };
    // What the newer revision refuses is signed with the first.
    let read = Revision::ALL.map(|revision| processor(revision).to_rdf(part, &options));
    let read = read.into_iter().find_map(Result::ok);
    let canonical = read.and_then(|said| canonicalize(&said, &Default::default()).ok());
    canonical
        .map(|canonical| canonical.nquads)
        .unwrap_or_default()
}

/// Whether the signature is the college's, for somebody who checks nothing else.
pub(super) fn passes_by_signature(document: &Value) -> bool {
    let mut plain = document.clone();
    let proof = cut(&mut plain, "/proof");
    let message = halves(&plain, &proof).concat();
    let key = VerifyingKey::from(college().key.public());
    key.verify(&message, &value(document)) == SignatureCheck::Good
}

/// Puts a value in the place of a member or item, or adds the member.
pub(super) fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        parent => parent[name.replace("~1", "/")] = value,
    }
}

/// Takes a member or an item out.
pub(super) fn cut(document: &mut Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(items) => items.remove(name.parse().unwrap()),
        parent => {
            let members = parent.as_object_mut().unwrap();
            members.shift_remove(name).unwrap_or_default()
        }
    }
}

/// Gives a member another name.
pub(super) fn rename(document: &mut Value, pointer: &str, name: &str) {
    let value = cut(document, pointer);
    assert!(!value.is_null(), "{pointer} is there");
    let (parent, _) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[name] = value;
}

/// Adds an item.
pub(super) fn push(document: &mut Value, pointer: &str, value: Value) {
    let items = document.pointer_mut(pointer).unwrap();
    items.as_array_mut().unwrap().push(value);
}

/// A context of the document's own.
pub(super) fn inline(document: &mut Value, context: Value) {
    push(document, "/@context", context);
}

/// Signs anew, as the college, whatever is made of the hash of the options and that of the
/// document.
pub(super) fn signed_over(document: &mut Value, make: fn([u8; 32], [u8; 32]) -> Vec<u8>) {
    let proof = cut(document, "/proof");
    let [options, rest] = halves(document, &proof);
    document["proof"] = proof;
    put_value(document, &college().key.sign(&make(options, rest)));
}

/// The bytes of the signature.
pub(super) fn value(document: &Value) -> Vec<u8> {
    let text = document["proof"]["proofValue"].as_str().unwrap();
    crate::vc::multibase::decode_base58btc(text).unwrap()
}

/// Puts other bytes in the place of the signature.
pub(super) fn put_value(document: &mut Value, bytes: &[u8]) {
    document["proof"]["proofValue"] = json!(encode_base58btc(bytes));
}
