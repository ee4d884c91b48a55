//! What each suite lets through and what it does not (VC-DI-EdDSA 1.0, VC-DI-ECDSA 1.0, and what
//! came before them).

use super::makers::*;
use super::*;
use crate::vc::multibase::encode_base58btc;

pub(super) fn rows() -> Vec<Row> {
    [json_suite(), keys(), older(), poison()]
        .into_iter()
        .flatten()
        .collect()
}

const EXTENSIONS: &str = crate::vc::contexts::OPEN_BADGES_EXTENSIONS;

fn json_suite() -> Vec<Row> {
    table! {
        Json Stranger {
            "JSON: contexts in another order": |d| d["@context"] = json!([CREDENTIALS_V2, EXTENSIONS, OPEN_BADGES])
                => refused("proof-context", "/proof");
            "JSON: contexts in another order, in the proof as well": |d| {
                d["@context"] = json!([CREDENTIALS_V2, EXTENSIONS, OPEN_BADGES]);
                d["proof"]["@context"] = d["@context"].clone();
            } => refused("signature-bad", "/proof");
            "JSON: a context is taken away": |d| drop(cut(d, "/@context/2")) => refused("proof-context", "/proof");
            "JSON: the proof forgets its contexts": |d| drop(cut(d, "/proof/@context")) => refused("signature-bad", "/proof");
            "JSON: a context more that nobody knows": |d| push(d, "/@context", json!("https://forger.example/context"))
                => refused("proof-context", "/proof");
            "JSON: a context more that makes the issuer another": |d| inline(d, json!({"did": "https://forger.example/"}))
                => refused("proof-context", "/proof");
            "JSON: a context more that gives the end a second name":
                |d| inline(d, json!({"bestBefore": {"@id": "https://www.w3.org/2018/credentials#validUntil"}}))
                => refused("proof-context", "/proof");
            "JSON: a context more with another name for a keyword": |d| inline(d, json!({"also": "@included"}))
                => refused("hidden-member", "/@context/3");
            "JSON: a grade that nobody signed": |d| d["grade"] = json!("A+") => refused("signature-bad", "/proof");
            "JSON: the end is taken away": |d| drop(cut(d, "/validUntil")) => refused("signature-bad", "/proof");
            "JSON: an empty array is taken for one text": |d| d["name"] = json!(["Welding"]) => refused("signature-bad", "/proof");
            "JSON: the same word in other code points":
                |d| set(d, "/credentialSubject/achievement/name", json!("Welding\u{301}")) => refused("signature-bad", "/proof");
            "JSON: the name of another suite": |d| d["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022") => refused("signature-bad", "/proof");
            "JSON: the members in another order": |d| {
                let members = d.as_object().unwrap().iter().rev();
                *d = Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect());
            } => odd_but_good();
            "JSON: a known context more": |d| push(d, "/@context", json!(DATA_INTEGRITY)) => refused("proof-context", "/proof");
        }
        Json Signer {
            "JSON: the end under its full IRI": |d| {
                let until = cut(d, "/validUntil");
                d["https://www.w3.org/2018/credentials#validUntil"] = until;
            } => refused("hidden-member", "/https:~1~1www.w3.org~12018~1credentials#validUntil");
            "JSON: the end in @included": |d| {
                let until = cut(d, "/validUntil");
                d["@included"] = json!([{"id": d["id"], "validUntil": until}]);
            } => refused("hidden-member", "/@included");
            "JSON: a second mention with another issuer": |d| {
                let again = json!({"id": d["id"], "type": d["type"], "issuer": "did:example:other"});
                d["issuer"]["endorsement"] = json!([again]);
            } => refused("hidden-member", "/issuer");
            "JSON: a context that nobody knows": |d| {
                push(d, "/@context", json!("https://college.example/context"));
                d["proof"]["@context"] = d["@context"].clone();
            } => refused("unknown-context", "/@context/3");
            "JSON: a number that readers round":
                |d| set(d, "/credentialSubject/achievement/creditsAvailable", json!(9_007_199_254_740_993_u64)) => refused("no-canonical-form", "");
            "JSON: the most negative number that is rounded":
                |d| set(d, "/credentialSubject/achievement/creditsAvailable", json!(-9_007_199_254_740_993_i64)) => refused("no-canonical-form", "");
            "JSON: a term that no context defines": |d| d["grade"] = json!("A") => odd_but_good();
            "JSON: a member that is null": |d| d["description"] = json!(null) => odd_but_good();
            "JSON: a whole number with a fraction of zero": |d| {
                set(d, "/credentialSubject/achievement/creditsAvailable", json!(1));
                *d = sign(d.clone(), None);
                set(d, "/credentialSubject/achievement/creditsAvailable", json!(1.0));
            } => odd_but_good();
            "JSON: another number": |d| {
                set(d, "/credentialSubject/achievement/creditsAvailable", json!(1));
                *d = sign(d.clone(), None);
                set(d, "/credentialSubject/achievement/creditsAvailable", json!(1.5));
            } => refused("signature-bad", "/proof");
        }
        Json Signer {
            "JSON: an endorsement by a name that no context explains": |d| {
                d["@context"] = json!([CREDENTIALS_V2]);
                d["proof"]["@context"] = d["@context"].clone();
                d["type"] = json!(["VerifiableCredential", "EndorsementCredential"]);
                d["credentialSubject"] = json!({"id": "did:example:x", "type": ["EndorsementSubject"]});
            } => refused("hidden-member", "/type");
            "JSON: a proof over statements beside it, under which a term means nothing": |d| {
                d["grade"] = json!("A");
                let mut other = proof_by(&college().method);
                other["proofValue"] = json!(encode_base58btc(&[7; 64]));
                *d = sign(d.clone(), None);
                d["proof"] = json!([other, d["proof"].clone()]);
            } => odd_but_good();
            "JSON: the same fault under both kinds of proofs is told once": |d| {
                inline(d, json!({"also": {"@id": "https://www.w3.org/2018/credentials#validUntil"}}));
                d["proof"]["@context"] = d["@context"].clone();
                *d = sign(d.clone(), None);
                let mut other = proof_by(&college().method);
                other["proofValue"] = json!(encode_base58btc(&[7; 64]));
                d["proof"] = json!([other, d["proof"].clone()]);
            } => refused("hidden-member", "/@context/3");
        }
        Badge Signer {
            "a number that statements do not hold":
                |d| set(d, "/credentialSubject/achievement/creditsAvailable", json!(9_007_199_254_740_993_u64))
                => refused("not-signable", "/credentialSubject/achievement/creditsAvailable");
            "a signature over JSON under the name of one over statements": |d| {
                d["proof"]["cryptosuite"] = json!("eddsa-jcs-2022");
                *d = sign(d.clone(), None);
                d["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022");
            } => refused("signature-bad", "/proof");
        }
    }
}

fn keys() -> Vec<Row> {
    table! {
        Badge Signer {
            "an Ed25519 key for ECDSA": |d| d["proof"]["cryptosuite"] = json!("ecdsa-rdfc-2019") => refused("proof-key-kind", "/proof");
            "64 bytes too many, as P-384 has them": |d| {
                d["proof"]["cryptosuite"] = json!("ecdsa-rdfc-2019");
                put_value(d, &[7; 96]);
            } => refused("proof-malformed", "/proof");
        }
        Curve Signer {
            "a key on P-256 for EdDSA": |d| d["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022") => refused("proof-key-kind", "/proof");
            "a key on P-256 for EdDSA over JSON": |d| d["proof"]["cryptosuite"] = json!("eddsa-jcs-2022") => refused("proof-key-kind", "/proof");
            "a suite for ECDSA over JSON": |d| d["proof"]["cryptosuite"] = json!("ecdsa-jcs-2019") => refused("proof-unsupported", "/proof");
            "a key on P-384": |d| {
                set(d, "/issuer/id", json!(SMITH_384));
                d["proof"]["verificationMethod"] = json!(format!("{SMITH_384}#key-1"));
            } => refused("key-malformed", "/proof/verificationMethod");
        }
        Curve Stranger {
            "ECDSA: another name": |d| d["name"] = json!("Flying") => refused("signature-bad", "/proof");
            "ECDSA: a signature in DER": |d| {
                let both = value(d);
                let number = |half: &[u8]| {
                    let mut bytes = half.to_vec();
                    if bytes[0] >= 0x80 { bytes.insert(0, 0); }
                    [&[2, u8::try_from(bytes.len()).unwrap()], &*bytes].concat()
                };
                let body = [number(&both[..32]), number(&both[32..])].concat();
                put_value(d, &[&[0x30, u8::try_from(body.len()).unwrap()], &*body].concat());
            } => refused("proof-malformed", "/proof");
            "ECDSA: the second number is the other of its two": |d| {
                let both = p256::ecdsa::Signature::from_slice(&value(d)).unwrap();
                let (r, s) = both.split_scalars();
                let other = p256::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
                assert_ne!(both, other);
                put_value(d, &other.to_bytes());
            } => odd_but_good();
            "ECDSA: both numbers are zero": |d| put_value(d, &[0; 64]) => refused("signature-bad", "/proof");
            "ECDSA: the second number is zero": |d| put_value(d, &[&value(d)[..32], &[0; 32]].concat()) => refused("signature-bad", "/proof");
            "ECDSA: the numbers are exchanged": |d| {
                let both = value(d);
                put_value(d, &[&both[32..], &both[..32]].concat());
            } => refused("signature-bad", "/proof");
            "ECDSA: a member that nobody signs": |d| d["grade"] = json!("A") => refused("not-signable", "/grade");
        }
    }
}

fn older() -> Vec<Row> {
    table! {
        Older Stranger {
            "2020: another learner": |d| set(d, "/credentialSubject/id", forger().id.into()) => refused("signature-bad", "/proof");
            "2020: a member that nobody signs": |d| d["grade"] = json!("A") => refused("not-signable", "/grade");
            "2020: the cryptosuite of another": |d| d["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022") => refused("not-signable", "/proof/cryptosuite");
            "2020: the type of a newer proof": |d| d["proof"]["type"] = json!("DataIntegrityProof") => refused("proof-malformed", "/proof");
            "2020: without the context of its type": |d| drop(cut(d, "/@context/1")) => refused("not-signable", "/proof/type");
        }
        Draft Stranger {
            "the draft: another name": |d| d["name"] = json!("Flying") => refused("signature-bad", "/proof");
            "the draft under its later name": |d| d["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022") => refused("signature-bad", "/proof");
            "the draft without its name": |d| drop(cut(d, "/proof/cryptosuite")) => refused("proof-malformed", "/proof");
        }
        Draft Forger {
            "the draft by another key": |_| {} => refused("signature-bad", "/proof");
        }
    }
}

// Where no canonical form is found, nobody can sign: these have a signature over nothing, which
// is never come to.

/// Nodes without names, each of which points to all of the next layer: looking for a canonical
/// form of these takes for ever, unless it is given up.
fn poison_graph(layers: usize, width: usize) -> Value {
    let name = |layer: usize, place: usize| format!("_:n{}x{place}", layer % layers);
    let nodes = (0..layers).flat_map(|layer| {
        (0..width).map(move |place| {
            let next: Vec<Value> = (0..width)
                .map(|to| json!({"id": name(layer + 1, to)}))
                .collect();
            json!({"id": name(layer, place), "linked": next})
        })
    });
    nodes.collect()
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!("x"), |inner, _| json!({"linked": inner}))
}

/// The first place that is deeper than is read.
fn too_deep() -> &'static str {
    format!("/credentialSubject{}", "/linked".repeat(64)).leak()
}

fn poison() -> Vec<Row> {
    table! {
        Badge Signer {
            "a graph without a canonical form": |d| {
                inline(d, json!({"linked": "https://college.example/terms#linked"}));
                d["credentialSubject"]["linked"] = poison_graph(6, 4);
                put_value(d, &[7; 64]);
            } => refused("no-canonical-form", "");
            "a graph of many nodes that look alike": |d| {
                inline(d, json!({"linked": "https://college.example/terms#linked"}));
                d["credentialSubject"]["linked"] = poison_graph(3, 40);
                put_value(d, &[7; 64]);
            } => refused("no-canonical-form", "");
            "a hundred thousand statements": |d| {
                inline(d, json!({"linked": "https://college.example/terms#linked"}));
                d["credentialSubject"]["linked"] = (0..100_001).map(Value::from).collect();
            } => refused("not-signable", "/credentialSubject/linked/99986");
            "objects in objects in objects": |d| {
                inline(d, json!({"linked": "https://college.example/terms#linked"}));
                d["credentialSubject"]["linked"] = nested(70);
            } => refused("not-signable", too_deep());
            "an inline context of many terms": |d| {
                let terms = (0..5_000).map(|n| (format!("t{n}"), json!(format!("urn:x:{n}"))));
                inline(d, Value::Object(terms.collect()));
            } => refused("not-signable", "/@context/2");
            "eight proofs over a graph without a canonical form": |d| {
                inline(d, json!({"linked": "https://college.example/terms#linked"}));
                d["credentialSubject"]["linked"] = poison_graph(6, 4);
                put_value(d, &[7; 64]);
                d["proof"] = json!(vec![d["proof"].clone(); 8]);
            } => refused("no-canonical-form", "");
        }
        Json Signer {
            "JSON: a graph that is poison for those who read it as statements": |d| {
                inline(d, json!({"linked": "https://college.example/terms#linked"}));
                d["proof"]["@context"] = d["@context"].clone();
                d["credentialSubject"]["linked"] = poison_graph(6, 4);
            } => odd_but_good();
            "JSON: objects in objects in objects": |d| {
                inline(d, json!({"linked": "https://college.example/terms#linked"}));
                d["proof"]["@context"] = d["@context"].clone();
                d["credentialSubject"]["linked"] = nested(70);
            } => refused("not-signable", too_deep());
        }
    }
}
