//! Proofs that are none, that are for something else, that are somebody else's, and that are over
//! something else (VC Data Integrity 1.0; Controlled Identifiers 1.0).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::makers::*;
use super::*;
use crate::vc::multibase::encode_base58btc;

pub(super) fn rows() -> Vec<Row> {
    [shapes(), members(), values(), methods(), sets(), chains()]
        .into_iter()
        .flatten()
        .collect()
}

fn shapes() -> Vec<Row> {
    table! {
        Badge Stranger {
            "no proof": |d| drop(cut(d, "/proof")) => refused("no-proof", "/proof");
            "the proof is null": |d| d["proof"] = json!(null) => refused("malformed", "/proof");
            "an empty array of proofs": |d| d["proof"] = json!([]) => refused("malformed", "/proof");
            "an empty proof": |d| d["proof"] = json!({}) => refused("proof-unsupported", "/proof");
            "the proof is a text": |d| d["proof"] = d["proof"]["proofValue"].clone() => refused("malformed", "/proof");
            "the proof is true": |d| d["proof"] = json!(true) => refused("malformed", "/proof");
            "a second proof that is null": |d| d["proof"] = json!([d["proof"].clone(), null]) => refused("malformed", "/proof/1");
            "proofs in an array of arrays": |d| d["proof"] = json!([[d["proof"].clone()]]) => refused("malformed", "/proof/0");
            "the proof stands in the subject": |d| {
                let proof = cut(d, "/proof");
                d["credentialSubject"]["proof"] = proof;
            } => refused("no-proof", "/proof");
            "the proof in another case": |d| rename(d, "/proof", "Proof") => refused("no-proof", "/proof");
            "one proof in an array": |d| d["proof"] = json!([d["proof"].clone()]) => odd_but_good();
        }
    }
}

fn members() -> Vec<Row> {
    table! {
        Badge Signer {
            "a proof without a type": |d| drop(cut(d, "/proof/type")) => refused("proof-unsupported", "/proof");
            "a proof of two types": |d| d["proof"]["type"] = json!(["DataIntegrityProof"]) => refused("proof-unsupported", "/proof");
            "a proof of a type in another case": |d| d["proof"]["type"] = json!("dataIntegrityProof") => refused("proof-unsupported", "/proof");
            "a proof of 2018": |d| d["proof"]["type"] = json!("Ed25519Signature2018") => refused("proof-unsupported", "/proof");
            "a JSON web signature of 2020": |d| d["proof"]["type"] = json!("JsonWebSignature2020") => refused("proof-unsupported", "/proof");
            "a proof without a cryptosuite": |d| drop(cut(d, "/proof/cryptosuite")) => refused("proof-malformed", "/proof");
            "a cryptosuite that is not read": |d| d["proof"]["cryptosuite"] = json!("bbs-2023") => refused("proof-unsupported", "/proof");
            "a cryptosuite in capitals": |d| d["proof"]["cryptosuite"] = json!("EDDSA-RDFC-2022") => refused("proof-unsupported", "/proof");
            "two cryptosuites": |d| d["proof"]["cryptosuite"] = json!(["eddsa-rdfc-2022", "none"]) => refused("proof-malformed", "/proof");
            "a proof for no purpose": |d| drop(cut(d, "/proof/proofPurpose")) => refused("proof-malformed", "/proof");
            "a proof for two purposes":
                |d| d["proof"]["proofPurpose"] = json!(["assertionMethod", "authentication"]) => refused("proof-malformed", "/proof");
            "a proof for authentication": |d| d["proof"]["proofPurpose"] = json!("authentication") => refused("proof-purpose", "/proof");
            "a proof for delegation": |d| d["proof"]["proofPurpose"] = json!("capabilityDelegation") => refused("proof-purpose", "/proof");
            "a purpose by its full IRI":
                |d| d["proof"]["proofPurpose"] = json!("https://w3id.org/security#assertionMethod") => refused("proof-purpose", "/proof");
            "what a wallet signs to log in": |d| {
                d["proof"]["proofPurpose"] = json!("authentication");
                d["proof"]["challenge"] = json!("c-1");
                d["proof"]["domain"] = json!("jobs.example");
            } => refused("proof-purpose", "/proof");
            "a proof that is over": |d| d["proof"]["expires"] = json!("2026-05-01T00:00:00Z") => refused("proof-expired", "/proof");
            "a proof that is over now": |d| d["proof"]["expires"] = json!("2026-06-01T00:00:00Z") => refused("proof-expired", "/proof");
            "a proof whose end is no date": |d| d["proof"]["expires"] = json!("never") => refused("proof-malformed", "/proof");
            "a proof whose end is null": |d| d["proof"]["expires"] = json!(null) => refused("proof-malformed", "/proof");
            "a proof made at no date": |d| d["proof"]["created"] = json!("2026-01-01") => refused("proof-malformed", "/proof");
            "a proof made at a number": |d| d["proof"]["created"] = json!(1_767_225_600) => refused("proof-malformed", "/proof");
            "a proof with a challenge that is none": |d| d["proof"]["challenge"] = json!(7) => refused("proof-malformed", "/proof");
            "a proof for no domain at all": |d| d["proof"]["domain"] = json!([]) => refused("proof-malformed", "/proof");
            "a proof with an id that is none": |d| d["proof"]["id"] = json!("proof-1") => refused("proof-malformed", "/proof");
            "a proof with a blank node label": |d| d["proof"]["id"] = json!("_:proof") => refused("proof-malformed", "/proof");
            "the end of a proof under its full IRI":
                |d| d["proof"]["https://w3id.org/security#expiration"] = json!("2026-05-01T00:00:00Z") => refused("hidden-member", "/proof/https:~1~1w3id.org~1security#expiration");
            "a proof with a graph": |d| d["proof"]["@graph"] = json!([]) => refused("hidden-member", "/proof/@graph");
            "a proof with contexts that its document has not":
                |d| d["proof"]["@context"] = json!([CREDENTIALS_V2]) => refused("proof-context", "/proof");
            "a proof that does not say when it was made": |d| drop(cut(d, "/proof/created")) => odd_but_good();
            "a proof made in the future, which nobody can check": |d| d["proof"]["created"] = json!("2036-01-01T00:00:00Z") => odd_but_good();
            "a proof for a challenge that nobody gave": |d| d["proof"]["challenge"] = json!("c-9") => odd_but_good();
        }
        Badge Stranger {
            "a stranger changes when it was made": |d| d["proof"]["created"] = json!("2025-01-01T00:00:00Z") => refused("signature-bad", "/proof");
            "a stranger gives the proof an end": |d| d["proof"]["expires"] = json!("2036-01-01T00:00:00Z") => refused("signature-bad", "/proof");
            "a stranger adds a member to the proof": |d| d["proof"]["nonsense"] = json!("x") => refused("not-signable", "/proof/nonsense");
        }
    }
}

fn values() -> Vec<Row> {
    table! {
        Badge Stranger {
            "no signature": |d| drop(cut(d, "/proof/proofValue")) => refused("proof-malformed", "/proof");
            "the signature is null": |d| d["proof"]["proofValue"] = json!(null) => refused("proof-malformed", "/proof");
            "the signature is an array": |d| d["proof"]["proofValue"] = json!(value(d)) => refused("proof-malformed", "/proof");
            "the signature is empty": |d| d["proof"]["proofValue"] = json!("") => refused("proof-malformed", "/proof");
            "the signature is a z": |d| d["proof"]["proofValue"] = json!("z") => refused("proof-malformed", "/proof");
            "the signature in base64url":
                |d| d["proof"]["proofValue"] = json!(format!("u{}", URL_SAFE_NO_PAD.encode(value(d)))) => refused("proof-malformed", "/proof");
            "the signature in base64":
                |d| d["proof"]["proofValue"] = json!(format!("m{}", STANDARD_NO_PAD.encode(value(d)))) => refused("proof-malformed", "/proof");
            "the signature in hexadecimal": |d| {
                let digits: String = value(d).iter().map(|byte| format!("{byte:02x}")).collect();
                d["proof"]["proofValue"] = json!(format!("f{digits}"));
            } => refused("proof-malformed", "/proof");
            "the signature without its prefix": |d| {
                let text = d["proof"]["proofValue"].as_str().unwrap()[1..].to_owned();
                d["proof"]["proofValue"] = json!(text);
            } => refused("proof-malformed", "/proof");
            "the signature with a letter that base58 has not": |d| {
                let text = format!("{}0", d["proof"]["proofValue"].as_str().unwrap());
                d["proof"]["proofValue"] = json!(text);
            } => refused("proof-malformed", "/proof");
            "the signature with a line after it": |d| {
                let text = format!("{}\n", d["proof"]["proofValue"].as_str().unwrap());
                d["proof"]["proofValue"] = json!(text);
            } => refused("proof-malformed", "/proof");
            "63 bytes": |d| put_value(d, &value(d)[..63]) => refused("proof-malformed", "/proof");
            "65 bytes": |d| put_value(d, &[value(d), vec![0]].concat()) => refused("proof-malformed", "/proof");
            "a zero before 64 bytes": |d| put_value(d, &[vec![0], value(d)].concat()) => refused("proof-malformed", "/proof");
            "a bit of the signature is another": |d| {
                let mut bytes = value(d);
                bytes[40] ^= 1;
                put_value(d, &bytes);
            } => refused("signature-bad", "/proof");
            "the scalar has the order of the group added": |d| {
                let mut bytes = value(d);
                add_order(&mut bytes[32..]);
                put_value(d, &bytes);
            } => refused("signature-bad", "/proof");
            "64 zeros": |d| put_value(d, &[0; 64]) => refused("signature-bad", "/proof");
            "the point that is no point, and zero": |d| put_value(d, &identity_and_zero()) => refused("signature-bad", "/proof");
            "the document is hashed before the options":
                |d| signed_over(d, |options, document| [document, options].concat()) => refused("signature-bad", "/proof");
            "the document alone is signed": |d| signed_over(d, |_, document| document.to_vec()) => refused("signature-bad", "/proof");
            "the hashes are signed as hexadecimal": |d| signed_over(d, |options, document| {
                let both = [options, document].concat();
                both.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes()
            }) => refused("signature-bad", "/proof");
            "the options of no document at all":
                |d| signed_over(d, |options, _| [options, [0; 32]].concat()) => refused("signature-bad", "/proof");
            "the proof of another badge": |d| {
                let mut other = college().badge();
                other["name"] = json!("Flying");
                d["proof"] = college().sign(&other)["proof"].clone();
            } => refused("signature-bad", "/proof");
            "the proof of the college's endorsement": |d| {
                d["proof"] = college().endorse("did:example:x")["proof"].clone();
            } => refused("signature-bad", "/proof");
            "another name": |d| d["name"] = json!("Flying") => refused("signature-bad", "/proof");
            "another learner": |d| set(d, "/credentialSubject/id", forger().id.into()) => refused("signature-bad", "/proof");
            "another achievement":
                |d| set(d, "/credentialSubject/achievement/id", json!("https://college.example/achievements/flying")) => refused("signature-bad", "/proof");
            "the learner is taken out": |d| drop(cut(d, "/credentialSubject/id")) => refused("signature-bad", "/proof");
            "a class is taken away": |d| drop(cut(d, "/issuer/type")) => refused("signature-bad", "/proof");
        }
        Endorsed Stranger {
            "the proof of what stands within": |d| d["proof"] = d["endorsement"][0]["proof"].clone()
                => Expected { problems: vec![("key-of-another", "/proof/verificationMethod")], ..refused("", "") };
        }
    }
}

/// The order of the group of Ed25519, the least byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn add_order(scalar: &mut [u8]) {
    let mut carry = 0;
    for (byte, order) in scalar.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0);
}

/// A signature that a key of small order has for every text.
fn identity_and_zero() -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    bytes
}

fn methods() -> Vec<Row> {
    table! {
        Badge Forger {
            "the issuer's method and another key": |_| {} => refused("signature-bad", "/proof");
            "the forger's own did:key": |d| d["proof"]["verificationMethod"] = json!(forger().method)
                => refused("key-of-another", "/proof/verificationMethod");
            "the issuer's DID and the forger's fragment": |d| {
                let method = format!("{}#{}", college().id, forger().key.public().to_multikey());
                d["proof"]["verificationMethod"] = json!(method);
            } => refused("key-missing", "/proof/verificationMethod");
            "the forger's DID and the issuer's fragment": |d| {
                let (_, fragment) = college().method.split_once('#').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
                d["proof"]["verificationMethod"] = json!(format!("{}#{fragment}", forger().id));
            } => refused("key-of-another", "/proof/verificationMethod");
            "a key that the proof brings along": |d| d["proof"]["verificationMethod"] = json!({
                "id": college().method,
                "type": "Multikey",
                "controller": college().id,
                "publicKeyMultibase": forger().key.public().to_multikey(),
            }) => refused("proof-malformed", "/proof");
            "a bare fragment": |d| {
                d["proof"]["verificationMethod"] = json!(format!("#{}", forger().key.public().to_multikey()));
            } => refused("key-url", "/proof/verificationMethod");
        }
        Named Forger {
            "the forger's key as the fragment of the issuer's URL": |d| {
                let method = format!("{}#{}", university().id, forger().key.public().to_multikey());
                d["proof"]["verificationMethod"] = json!(method);
            } => refused("key-missing", "/proof/verificationMethod");
            "a document beside the issuer's": |d| {
                d["proof"]["verificationMethod"] = json!("https://university.example/uploads/forger#key-1");
            } => refused("key-of-another", "/proof/verificationMethod");
            "the issuer's URL with a query": |d| {
                d["proof"]["verificationMethod"] = json!(format!("{}?v=2#key-1", university().id));
            } => refused("key-of-another", "/proof/verificationMethod");
            "the issuer's host in capitals": |d| {
                d["proof"]["verificationMethod"] = json!("https://University.example/profile#key-1");
            } => refused("key-of-another", "/proof/verificationMethod");
            "the did:web of the issuer's host": |d| {
                d["proof"]["verificationMethod"] = json!("did:web:university.example:profile#key-1");
            } => refused("key-of-another", "/proof/verificationMethod");
            "two fragments": |d| {
                d["proof"]["verificationMethod"] = json!(format!("{}#{}", university().method, forger().id));
            } => refused("key-missing", "/proof/verificationMethod");
        }
        Badge Signer {
            "no method": |d| drop(cut(d, "/proof/verificationMethod")) => refused("proof-malformed", "/proof");
            "an empty method": |d| d["proof"]["verificationMethod"] = json!("") => refused("proof-malformed", "/proof");
            "two methods": |d| d["proof"]["verificationMethod"] = json!([college().method]) => refused("proof-malformed", "/proof");
            "a method without a fragment": |d| d["proof"]["verificationMethod"] = json!(college().id)
                => refused("key-url", "/proof/verificationMethod");
            "a method with an empty fragment": |d| d["proof"]["verificationMethod"] = json!(format!("{}#", college().id))
                => refused("key-url", "/proof/verificationMethod");
            "a method under another fragment": |d| d["proof"]["verificationMethod"] = json!(format!("{}#key-1", college().id))
                => refused("key-missing", "/proof/verificationMethod");
            "an issuer whose key is no point": |d| by_did_key(d, &[0xed, 0x01], &[0xff; 32])
                => refused("key-malformed", "/proof/verificationMethod");
            "an issuer whose key proves everything": |d| {
                let mut weak = [0; 32];
                weak[0] = 1;
                by_did_key(d, &[0xed, 0x01], &weak);
                put_value(d, &identity_and_zero());
            } => refused("key-malformed", "/proof/verificationMethod");
            "an issuer whose key is a symmetric secret": |d| by_did_key(d, &[0xec, 0x01], &[7; 32])
                => refused("key-malformed", "/proof/verificationMethod");
            "an issuer whom nobody finds": |d| {
                set(d, "/issuer/id", json!("did:web:away.example"));
                d["proof"]["verificationMethod"] = json!("did:web:away.example#key-1");
            } => out_of_reach("key-document-not-found", "/proof/verificationMethod");
            "an issuer on a private host": |d| {
                set(d, "/issuer/id", json!("did:web:192.168.0.1"));
                d["proof"]["verificationMethod"] = json!("did:web:192.168.0.1#key-1");
            } => refused("key-url", "/proof/verificationMethod");
        }
        Badge Stranger {
            "the issuer's id with the fragment of its key": |d| set(d, "/issuer/id", json!(college().method))
                => refused("key-of-another", "/proof/verificationMethod");
            "another issuer": |d| set(d, "/issuer/id", json!(board().id)) => refused("key-of-another", "/proof/verificationMethod");
            "the issuer and the method are another's": |d| {
                set(d, "/issuer/id", json!(board().id));
                d["proof"]["verificationMethod"] = json!(board().method);
            } => refused("signature-bad", "/proof");
        }
    }
}

/// Makes a did:key with such a key the issuer.
fn by_did_key(document: &mut Value, prefix: &[u8], key: &[u8]) {
    let text = encode_base58btc(&[prefix, key].concat());
    set(document, "/issuer/id", json!(format!("did:key:{text}")));
    document["proof"]["verificationMethod"] = json!(format!("did:key:{text}#{text}"));
}

/// Puts so many forged proofs before the good one and after it.
fn with_forged(document: &mut Value, forged_before: usize, forged_after: usize) {
    let good = cut(document, "/proof");
    let forged = forger().sign(document)["proof"].clone();
    let mut proofs = vec![forged; forged_before + forged_after];
    proofs.insert(forged_before, good);
    document["proof"] = json!(proofs);
}

fn sets() -> Vec<Row> {
    table! {
        Badge Stranger {
            "a forged proof before the good one": |d| with_forged(d, 1, 0) => odd_but_good();
            "nine forged proofs after the good one": |d| with_forged(d, 0, 9) => odd_but_good();
            "eight forged proofs before the good one": |d| with_forged(d, 8, 0) => refused_for([
                ("key-of-another", "/proof/0/verificationMethod"),
                ("key-of-another", "/proof/1/verificationMethod"),
                ("key-of-another", "/proof/2/verificationMethod"),
                ("key-of-another", "/proof/3/verificationMethod"),
                ("key-of-another", "/proof/4/verificationMethod"),
                ("key-of-another", "/proof/5/verificationMethod"),
                ("key-of-another", "/proof/6/verificationMethod"),
                ("key-of-another", "/proof/7/verificationMethod"),
                ("too-many", "/proof"),
            ]);
            "two forged proofs and no good one": |d| {
                with_forged(d, 1, 1);
                cut(d, "/proof/1");
            } => refused_for([
                ("key-of-another", "/proof/0/verificationMethod"),
                ("key-of-another", "/proof/1/verificationMethod"),
            ]);
            "a member that nobody signs under two proofs is told once": |d| {
                d["proof"] = json!([d["proof"].clone(), d["proof"].clone()]);
                d["grade"] = json!("A");
            } => refused("not-signable", "/grade");
            "a proof of a kind unheard of beside the good one":
                |d| d["proof"] = json!([{"type": "Oath"}, d["proof"].clone()]) => odd_but_good();
        }
    }
}

fn chains() -> Vec<Row> {
    table! {
        Chain Signer {
            "a chain whose first proof is the board's":
                |d| set(d, "/proof/0/verificationMethod", json!(board().method)) => odd_but_good();
            "a chain that stands the other way round": |d| {
                *d = sign(d.clone(), None);
                let first = cut(d, "/proof/0");
                push(d, "/proof", first);
            } => odd_but_good();
            "a chain that rests on nothing": |d| {
                set(d, "/proof/1/previousProof", json!("urn:proof:9"));
                cut(d, "/proof/0");
            } => refused("proof-chain", "/proof/0");
            "a chain that rests on an array of nothing": |d| {
                set(d, "/proof/1/previousProof", json!([]));
                cut(d, "/proof/0");
            } => refused("proof-malformed", "/proof/0");
            "a chain that rests on a number": |d| {
                set(d, "/proof/1/previousProof", json!(1));
                cut(d, "/proof/0");
            } => refused("proof-malformed", "/proof/0");
            "a proof that rests on itself": |d| {
                set(d, "/proof/1/previousProof", json!("urn:proof:2"));
                cut(d, "/proof/0");
            } => refused("proof-chain", "/proof/0");
            "two proofs that rest on each other": |d| set(d, "/proof/0/previousProof", json!("urn:proof:2"))
                => refused_for([("proof-chain", "/proof/0"), ("proof-chain", "/proof/1")]);
            "a chain on a proof that is over": |d| set(d, "/proof/0/expires", json!("2026-05-01T00:00:00Z"))
                => refused_for([("proof-expired", "/proof/0"), ("previous-proof-bad", "/proof/1/previousProof")]);
            "a chain on a proof for something else": |d| set(d, "/proof/0/proofPurpose", json!("authentication"))
                => refused_for([("proof-purpose", "/proof/0"), ("previous-proof-bad", "/proof/1/previousProof")]);
            "a chain on a proof that is not read": |d| set(d, "/proof/0/cryptosuite", json!("bbs-2023"))
                => refused_for([("proof-unsupported", "/proof/0"), ("previous-proof-bad", "/proof/1/previousProof")]);
            "a chain on the board's word, which the board did not give": |d| {
                set(d, "/proof/0/verificationMethod", json!(board().method));
                set(d, "/proof/0/proofValue", json!(encode_base58btc(&[7; 64])));
            } => refused_for([
                ("key-of-another", "/proof/0/verificationMethod"),
                ("previous-proof-bad", "/proof/1/previousProof"),
            ]);
        }
        Chain Stranger {
            "the first proof of a chain is taken away": |d| drop(cut(d, "/proof/0")) => refused("proof-chain", "/proof/0");
            "the first proof of a chain is changed": |d| set(d, "/proof/0/created", json!("2026-02-01T00:00:00Z"))
                => refused_for([("signature-bad", "/proof/0"), ("signature-bad", "/proof/1")]);
            "the first proof of a chain is exchanged for the forger's": |d| {
                let mut other = d.clone();
                other["proof"] = json!([d["proof"][0].clone()]);
                other["proof"][0]["verificationMethod"] = json!(forger().method);
                cut(&mut other, "/proof/0/proofValue");
                d["proof"][0] = sign(other, Some(&forger()))["proof"][0].clone();
            } => refused_for([("key-of-another", "/proof/0/verificationMethod"), ("signature-bad", "/proof/1")]);
            "the second proof of a chain forgets the first": |d| drop(cut(d, "/proof/1/previousProof")) => odd_but_good();
            "two proofs of one id, and a third that rests on them": |d| {
                let twin = d["proof"][0].clone();
                push(d, "/proof", twin);
                cut(d, "/proof/0/proofValue");
                cut(d, "/proof/2/proofValue");
                set(d, "/proof/0/proofValue", json!(encode_base58btc(&[7; 64])));
                set(d, "/proof/2/proofValue", json!(encode_base58btc(&[7; 64])));
            } => refused_for([("signature-bad", "/proof/0"), ("proof-chain", "/proof/1"), ("signature-bad", "/proof/2")]);
        }
    }
}
