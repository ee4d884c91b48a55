//! What was signed in the world of the target `verify`, told apart without the code that verifies.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::verify::outcome::Outcome;
use goodstanding::verify::{Input, Options, verify_credential, verify_presentation};
use serde_json::{Map, Value, json};

use super::WORLD;
use super::world::now;

macro_rules! seed {
    ($name:literal, $outcome:ident) => {
        (
            $name,
            include_bytes!(concat!("../../../seeds/verify/", $name)),
            Outcome::$outcome,
        )
    };
}

/// All documents that were ever signed, and how they stand. What is within them was signed too.
const DOCUMENTS: &[(&str, &[u8], Outcome)] = &[
    seed!("baked.png", Active),
    seed!("baked.svg", Active),
    seed!("chain.json", Active),
    seed!("claim-by-pyjwt.jwt", Active),
    seed!("enveloped.json", Active),
    seed!("enveloped-presentation.json", Active),
    seed!("expired.json", Expired),
    seed!("expired.jwt", Expired),
    seed!("jcs.json", Active),
    seed!("legacy-list.json", Revoked),
    seed!("newer.json", Active),
    seed!("older-suite.json", Active),
    seed!("open-badges-by-pyjwt.jwt", Active),
    seed!("presentation.json", Active),
    seed!("presentation.jwt", Active),
    seed!("presentation-by-jose.jwt", Active),
    seed!("presentation-by-pyjwt.jwt", Expired),
    seed!("rdfc.json", Active),
    seed!("refresh.json", Active),
    seed!("revoked.json", Revoked),
    seed!("suspended.jwt", Suspended),
    seed!("token-revoked.jwt", Revoked),
    seed!("token.jwt", Active),
    seed!("vc.jwt", Active),
    seed!("vc-by-jose.jwt", Expired),
];

/// What was signed, in the [`form`] that tells documents apart, and how it stands.
pub static SIGNED: LazyLock<BTreeMap<String, Outcome>> = LazyLock::new(|| {
    let mut all = BTreeMap::new();
    let mut changed = Vec::new();
    for (name, bytes, expected) in DOCUMENTS {
        let input = Input::read(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (Input::Credential(value) | Input::Presentation(value)) = &input;
        let found = stands(&input);
        if found != (true, *expected) {
            changed.push((name, found));
        }
        add(value, &mut all);
    }
    assert!(changed.is_empty(), "not what they were: {changed:?}");
    all
});

fn stands(input: &Input) -> (bool, Outcome) {
    match input {
        Input::Credential(value) => {
            let report = verify_credential(value, &*WORLD, Options::default(), now());
            (report.verified, report.outcome)
        }
        Input::Presentation(value) => {
            let report = verify_presentation(value, &*WORLD, Options::default(), now());
            (report.verified, report.outcome)
        }
    }
}

/// Adds all that is signed in a document that is good.
fn add(value: &Value, all: &mut BTreeMap<String, Outcome>) {
    let forms = forms(value);
    if !forms.is_empty() {
        let (_, outcome) = stands(&Input::of(value.clone()));
        all.extend(forms.into_iter().map(|form| (form, outcome)));
    }
    match &*opened(value) {
        Value::Array(items) => items.iter().for_each(|item| add(item, all)),
        Value::Object(members) => members.values().for_each(|member| add(member, all)),
        _ => {}
    }
}

/// How each way stands in which the document was signed; none, if it never was.
pub fn outcomes(value: &Value) -> Vec<Outcome> {
    let forms = forms(value);
    let signed = forms.iter().filter_map(|form| SIGNED.get(form));
    signed.copied().collect()
}

fn forms(value: &Value) -> Vec<String> {
    match jws_of(value) {
        Some(_) => vec![form(value, &Value::Null)],
        None => {
            let proofs = value.get("proof").map(items).unwrap_or_default();
            proofs.iter().map(|proof| form(value, proof)).collect()
        }
    }
}

/// What `proof` signs of a document. Of a JWT, header and payload, letter by letter; of a document
/// that is signed as JSON, each member; of one that is signed as statements, what a reader finds
/// who takes an array for a set of its items, one item for the item, and `{"@value": …}` alone for
/// the value, as JSON-LD does.
pub fn form(value: &Value, proof: &Value) -> String {
    if let Some(jws) = jws_of(value) {
        let (signed, _) = jws.rsplit_once('.').unwrap_or_default();
        return signed.to_owned();
    }
    let without = |value: &Value, name: &str| {
        let members = value.as_object().into_iter().flatten();
        let rest = members.filter(|(member, _)| *member != name);
        rest.map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<_, _>>()
    };
    let mut document = Value::Object(without(value, "proof"));
    let options = Value::Object(without(proof, "proofValue"));
    let both = if proof["cryptosuite"] == "eddsa-jcs-2022" {
        if let Some(context) = options.get("@context") {
            document["@context"] = context.clone();
        }
        json!([document, options])
    } else {
        json!([as_set(&document), as_set(&options)])
    };
    serde_json_canonicalizer::to_string(&both).expect("JSON has a canonical form")
}

fn as_set(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let items = items.iter().map(|item| as_set(item).to_string());
            let items: BTreeSet<String> = items.collect();
            match Vec::from_iter(items).as_slice() {
                [one] => serde_json::from_str(one).expect("it was written here"),
                several => json!(several),
            }
        }
        Value::Object(members) if members.len() == 1 && members.contains_key("@value") => {
            as_set(&members["@value"])
        }
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| *name != "@context");
            let members: BTreeMap<&String, Value> = members
                .map(|(name, member)| (name, as_set(member)))
                .collect();
            json!(members)
        }
        other => other.clone(),
    }
}

/// The value at a JSON pointer, into JWTs and envelopes as well.
pub fn at(root: &Value, pointer: &str) -> Value {
    pointer
        .split('/')
        .skip(1)
        .fold(root.clone(), |value, step| {
            let name = step.replace("~1", "/").replace("~0", "~");
            let found = match &*opened(&value) {
                Value::Array(items) => name.parse().ok().and_then(|index: usize| items.get(index)),
                value => value.get(&name),
            }
            .cloned();
            found.unwrap_or_else(|| panic!("there is nothing at {pointer} in {root}"))
        })
}

/// The document in a JWT, or what is none as it is.
pub fn opened(value: &Value) -> Cow<'_, Value> {
    let payload = jws_of(value).and_then(|jws| {
        let payload = URL_SAFE_NO_PAD.decode(jws.split('.').nth(1)?).ok()?;
        serde_json::from_slice::<Value>(&payload).ok()
    });
    match payload {
        None => Cow::Borrowed(value),
        Some(payload) => {
            let document = payload.get("vc").or(payload.get("vp")).cloned();
            Cow::Owned(document.unwrap_or(payload))
        }
    }
}

/// The compact JWS that a text or an envelope is.
pub fn jws_of(value: &Value) -> Option<&str> {
    let text = match value {
        Value::String(text) => text,
        value => {
            let mut types = value
                .get("type")
                .map(items)?
                .iter()
                .filter_map(Value::as_str);
            types.find(|name| name.starts_with("Enveloped"))?;
            value["id"].as_str()?.split_once(',')?.1
        }
    };
    (text.starts_with("ey") && text.split('.').count() == 3).then_some(text)
}

/// The items of an array, or the one value that is none.
pub fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}
