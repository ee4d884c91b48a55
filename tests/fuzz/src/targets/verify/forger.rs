//! Documents with new signatures in the place of each old one, all by the same key, which is not
//! that of whom they are by.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::jsonld::canon::Variant;
use goodstanding::vc::contexts::{Revision, processor};
use goodstanding::vc::multibase::encode_base58btc;
use goodstanding::vc::proof::HashData;
use serde_json::{Value, json};

use super::signed::{items, jws_of};
use super::world::{Actor, mallory};

/// What else is changed beside the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Nothing: the key that is named stays.
    SameName,
    /// The forger's key is named, or brought along.
    OwnName,
}

/// All ways.
pub const WAYS: [Way; 2] = [Way::SameName, Way::OwnName];

/// The same with new signatures; nothing, where there was none.
pub fn forged(value: &Value, way: Way) -> Option<Value> {
    let forger = match way {
        Way::SameName => mallory(),
        Way::OwnName => Actor::did_key(66),
    };
    let mut forged = value.clone();
    forge(&mut forged, way, &forger);
    (forged != *value).then_some(forged)
}

fn forge(value: &mut Value, way: Way, forger: &Actor) {
    if let Some(jws) = jws_of(value) {
        if let Some(forged) = forge_jws(jws, way, forger) {
            match value {
                Value::String(text) => *text = forged,
                envelope => envelope["id"] = json!(format!("data:application/vc+jwt,{forged}")),
            }
        }
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| forge(item, way, forger)),
        Value::Object(members) => {
            let members = members.iter_mut().filter(|(name, _)| *name != "proof");
            members.for_each(|(_, member)| forge(member, way, forger));
            let proofs: Option<Vec<Value>> = value.get("proof").map(|it| items(it).to_vec());
            if let Some(proofs) = proofs {
                let forged = proofs.iter().map(|proof| {
                    forge_proof(value, proof, way, forger).unwrap_or_else(|| proof.clone())
                });
                value["proof"] = forged.collect();
            }
        }
        _ => {}
    }
}

fn forge_jws(jws: &str, way: Way, forger: &Actor) -> Option<String> {
    let mut parts = jws.split('.');
    let (header, payload) = (parts.next()?, parts.next()?);
    let mut header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    header.as_object()?;
    header["alg"] = json!("EdDSA");
    if way == Way::OwnName {
        header["jwk"] = forger.key.public().to_jwk();
        header.as_object_mut()?.shift_remove("kid");
    }
    let text = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(forger.key.sign(text.as_bytes()));
    Some(format!("{text}.{signature}"))
}

/// Signed as the first of a set, over the document without the others.
fn forge_proof(document: &Value, proof: &Value, way: Way, forger: &Actor) -> Option<Value> {
    let mut options = proof.as_object()?.clone();
    options.shift_remove("proofValue");
    if way == Way::OwnName {
        options.insert("verificationMethod".to_owned(), json!(forger.method));
    }
    let mut plain = document.as_object()?.clone();
    plain.shift_remove("proof");
    let plain = Value::Object(plain);
    let data = match options.get("cryptosuite").and_then(Value::as_str) {
        Some("eddsa-jcs-2022") => HashData::jcs(&plain, &options),
        _ => {
            let processor = processor(Revision::Mid2026);
            HashData::rdfc(processor, &plain, &options, Variant::Listed)
        }
    };
    let signature = forger.key.sign(&data.ok()?.combined());
    options.insert("proofValue".to_owned(), json!(encode_base58btc(&signature)));
    Some(Value::Object(options))
}
