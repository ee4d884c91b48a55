//! Changes to JSON documents that keep them JSON. Changing single bytes hardly ever moves a member
//! from one object to another, which is what forgers of credentials do.

use serde_json::{Map, Value, json};

/// Names that mean something to JSON-LD, to credentials and to proofs.
const NAMES: &[&str] = &[
    "@base",
    "@container",
    "@context",
    "@direction",
    "@graph",
    "@id",
    "@import",
    "@included",
    "@index",
    "@json",
    "@language",
    "@list",
    "@nest",
    "@none",
    "@prefix",
    "@propagate",
    "@protected",
    "@reverse",
    "@set",
    "@type",
    "@value",
    "@version",
    "@vocab",
    "achievement",
    "awardedDate",
    "challenge",
    "created",
    "credentialSchema",
    "credentialStatus",
    "credentialSubject",
    "cryptosuite",
    "description",
    "domain",
    "endorsement",
    "endorsementJwt",
    "evidence",
    "expirationDate",
    "expires",
    "holder",
    "https://www.w3.org/2018/credentials#validUntil",
    "id",
    "image",
    "issuanceDate",
    "issuer",
    "name",
    "parentOrg",
    "previousProof",
    "proof",
    "proofPurpose",
    "proofValue",
    "refreshService",
    "relatedResource",
    "source",
    "statusListCredential",
    "statusListIndex",
    "statusMessage",
    "statusPurpose",
    "statusSize",
    "type",
    "validFrom",
    "validUntil",
    "verifiableCredential",
    "verificationMethod",
    "p",
    "q",
    "p:q",
    "_:b",
    "alg",
    "alsoKnownAs",
    "assertionMethod",
    "aud",
    "authentication",
    "bits",
    "bitstring",
    "controller",
    "credential",
    "crit",
    "crv",
    "encodedList",
    "entry",
    "exp",
    "header",
    "iat",
    "idx",
    "iss",
    "jku",
    "jti",
    "jwk",
    "jwks",
    "key_ops",
    "keys",
    "kid",
    "kty",
    "list",
    "lst",
    "method",
    "nbf",
    "nonce",
    "payload",
    "publicKeyJwk",
    "publicKeyMultibase",
    "revocationReason",
    "revoked",
    "revokedCredential",
    "revokedCredentials",
    "signature",
    "status",
    "statusReference",
    "status_list",
    "sub",
    "ttl",
    "typ",
    "uri",
    "use",
    "vc",
    "vp",
    "x",
    "y",
    "achievementType",
    "action",
    "alignment",
    "at",
    "authority_id",
    "awardedFrom",
    "awardedUntil",
    "context",
    "endorser",
    "entity_id",
    "ids",
    "jurisdiction",
    "kind",
    "resource",
    "role",
    "scope",
    "signed",
    "subject",
    "subjects",
    "tag",
    "targetUrl",
    "time",
    "to",
    "trustAnchors",
    "wider",
];

/// Texts that mean something as values.
const TEXTS: &[&str] = &[
    "",
    "0",
    "1",
    "2026-01-01T00:00:00Z",
    "2027-01-01T00:00:00.000+00:00",
    "94567",
    "@id",
    "@index",
    "@json",
    "@language",
    "@list",
    "@none",
    "@set",
    "@type",
    "@vocab",
    "_:b",
    "a",
    "en",
    "ltr",
    "p",
    "p:q",
    "#key-1",
    "../x",
    "urn:example:x",
    "https://example.org/",
    "https://example.org/ns#",
    "https://college.example/badges/1",
    "AchievementCredential",
    "DataIntegrityProof",
    "Ed25519Signature2020",
    "EndorsementCredential",
    "EnvelopedVerifiableCredential",
    "BitstringStatusListCredential",
    "BitstringStatusListEntry",
    "OpenBadgeCredential",
    "Profile",
    "VerifiableCredential",
    "VerifiablePresentation",
    "assertionMethod",
    "authentication",
    "eddsa-jcs-2022",
    "eddsa-rdfc-2022",
    "eddsa-2022",
    "ecdsa-rdfc-2019",
    "revocation",
    "suspension",
    "https://www.w3.org/2018/credentials#VerifiableCredential",
    "https://www.w3.org/2018/credentials#validUntil",
    "https://www.w3.org/2018/credentials#credentialStatus",
    "https://www.w3.org/2018/credentials/v1",
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://w3id.org/security/data-integrity/v2",
    "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
    "http://www.w3.org/2001/XMLSchema#dateTime",
    "http://www.w3.org/2001/XMLSchema#string",
    "#0",
    "131071",
    "131072",
    "BitstringStatusList",
    "EC",
    "EdDSA",
    "ES256",
    "Ed25519",
    "JWT",
    "JsonWebKey",
    "Multikey",
    "OKP",
    "P-256",
    "RS256",
    "1EdTechRevocationList",
    "StatusList2021Entry",
    "StatusList2021Credential",
    "did:web:college.example",
    "did:web:college.example#key-1",
    "https://college.example",
    "https://college.example#key-1",
    "https://college.example/lists/1",
    "key-1",
    "message",
    "none",
    "statuslist+jwt",
    "vc+jwt",
    "vp+jwt",
    "u",
    "Degree",
    "ext:Pass",
    "issuer",
    "accreditor",
    "profile",
    "achievement",
    "CH",
    "CH-ZH",
    "*",
    "issue",
    "recognize",
    "ministry",
    "school",
    "did:web:registry.example",
    "did:web:registry.example:profiles:guild",
    "did:web:registry.example:profiles:ministry",
    "did:web:registry.example:profiles:school",
    "https://registry.example/profiles/school",
    "2026-03-01T09:00:00Z",
];

/// The document in `data[..size]` with one to four changes, written into `data`; its length there.
/// Nothing, where that is no document, or where the outcome is too long.
pub fn document(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> Option<usize> {
    let mut document: Value = serde_json::from_slice(&data[..size]).ok()?;
    let mut chance = Chance(u64::from(seed) << 1 | 1);
    for _ in 0..=chance.below(4) {
        change(&mut document, &mut chance);
    }
    let text = serde_json::to_vec(&document).ok()?;
    let room = data
        .get_mut(..text.len())
        .filter(|room| room.len() <= max_size)?;
    room.copy_from_slice(&text);
    Some(text.len())
}

fn change(document: &mut Value, chance: &mut Chance) {
    // What is copied comes out of the document or out of the tables.
    let count = count(document);
    let copied = match chance.below(2) {
        0 => nth(document, chance.below(count)).map(|value| value.clone()),
        _ => None,
    };
    let given = copied.unwrap_or_else(|| made(chance));
    let name = NAMES[chance.below(NAMES.len())];
    let Some(place) = nth(document, chance.below(count)) else {
        return;
    };
    match (place, chance.below(8)) {
        (Value::Object(members), 0..=2) => {
            members.insert(name.to_owned(), given);
        }
        (Value::Object(members), 3) => rename(members, name, chance),
        (Value::Object(members), 4) => {
            if let Some(name) = members
                .keys()
                .nth(chance.below(members.len().max(1)))
                .cloned()
            {
                members.shift_remove(&name);
            }
        }
        (Value::Array(items), 0..=2) => items.insert(chance.below(items.len() + 1), given),
        (Value::Array(items), 3..=4) if !items.is_empty() => {
            items.swap_remove(chance.below(items.len()));
        }
        (Value::String(text), 0) => *text = format!("{text}{}", TEXTS[chance.below(TEXTS.len())]),
        (Value::String(text), 1) => {
            text.truncate(text.chars().take(chance.below(9)).map(char::len_utf8).sum())
        }
        (place, 5) => *place = json!([place.take()]),
        (place, 6) => *place = json!({ name: place.take() }),
        (place, _) => *place = given,
    }
}

fn rename(members: &mut Map<String, Value>, name: &str, chance: &mut Chance) {
    let old = members
        .keys()
        .nth(chance.below(members.len().max(1)))
        .cloned();
    if let Some(value) = old.and_then(|old| members.shift_remove(&old)) {
        members.insert(name.to_owned(), value);
    }
}

fn made(chance: &mut Chance) -> Value {
    let (name, text) = (
        NAMES[chance.below(NAMES.len())],
        TEXTS[chance.below(TEXTS.len())],
    );
    match chance.below(10) {
        0 => json!({}),
        1 => json!({ name: text }),
        2 => json!({"@id": text, "@type": "@id"}),
        3 => json!({"@value": text, "@type": TEXTS[chance.below(TEXTS.len())]}),
        4 => json!({"@context": { name: text }}),
        5 => {
            [Value::Null, json!(true), json!(0), json!(-1.5), json!(1e21)][chance.below(5)].clone()
        }
        _ => json!(text),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// The value at place `n` in document order.
fn nth(value: &mut Value, n: usize) -> Option<&mut Value> {
    fn find<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
        if *left == 0 {
            return Some(value);
        }
        *left -= 1;
        match value {
            Value::Array(items) => items.iter_mut().find_map(|item| find(item, left)),
            Value::Object(members) => members.values_mut().find_map(|member| find(member, left)),
            _ => None,
        }
    }
    find(value, &mut { n })
}

/// Numbers that follow from the fuzzer's seed (splitmix64).
struct Chance(u64);

impl Chance {
    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % bound as u64) as usize
    }
}
