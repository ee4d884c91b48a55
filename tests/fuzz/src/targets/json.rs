//! The strict JSON reader beside serde_json.

use goodstanding::json::{self, JsonError, MAX_DEPTH};
use serde_json::Value;

use super::Reached;

/// What we read, serde_json reads alike, and it survives being written; what we refuse, it refuses
/// too, unless the refusal is one of those that make us strict. What may go through JCS comes out
/// of it in one form.
pub fn run(data: &[u8]) -> Reached {
    let theirs = serde_json::from_slice::<Value>(data);
    let ours = match json::parse(data) {
        Ok(ours) => ours,
        Err(error) => {
            check_refusal(&error, theirs.is_ok());
            return Reached::Refused;
        }
    };
    assert_eq!(ours, theirs.expect("serde_json reads what we read"));
    assert!(depth(&ours) <= MAX_DEPTH);
    let compact = serde_json::to_vec(&ours).expect("values can be written");
    assert_eq!(json::parse(&compact).as_ref(), Ok(&ours));
    assert_eq!(json::from_value::<Value>(&ours).as_ref(), Ok(&ours));
    if json::check_interoperable(&ours).is_ok() {
        let canonical = serde_json_canonicalizer::to_vec(&ours).expect("it has a canonical form");
        match json::parse(&canonical) {
            Ok(again) => assert_eq!(
                serde_json_canonicalizer::to_vec(&again).ok(),
                Some(canonical)
            ),
            // JCS writes doubles below 1e21 as integers, which are too long for us from 2^64 on.
            Err(JsonError::NumberRange { .. }) => {}
            Err(error) => panic!("JCS writes JSON: {error}"),
        }
    }
    Reached::Read
}

fn check_refusal(error: &JsonError, theirs_read_it: bool) {
    let pointer = error.pointer();
    assert!(pointer.is_empty() || pointer.starts_with('/'), "{error}");
    assert!(!error.to_string().is_empty());
    match error {
        JsonError::Duplicate { .. } | JsonError::NumberRange { .. } => {}
        JsonError::TooDeep { pointer } => assert_eq!(pointer.matches('/').count(), MAX_DEPTH),
        _ => assert!(!theirs_read_it, "serde_json reads it: {error}"),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
