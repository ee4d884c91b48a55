//! JSON-LD documents with contexts of their own, and their canonical form.

use goodstanding::json;
use goodstanding::jsonld::canon::{self, canonicalize};
use goodstanding::jsonld::rdf::Dataset;
use goodstanding::jsonld::{Error, InlineTerms, Limits, Mode, Options, nquads};
use goodstanding::vc::contexts::{Revision, processor};
use serde_json::{Map, Value};

use super::Reached;

/// Less than by default, so that each limit is met by inputs of a few kilobytes.
const LIMITS: Limits = Limits {
    depth: 32,
    quads: 2_000,
    text_bytes: 256 * 1024,
    contexts: 50,
    inline_bytes: 8 * 1024,
    definitions: 10_000,
};

const CANON: canon::Options = canon::Options {
    hash: canon::HashAlgorithm::Sha256,
    variant: canon::Variant::Listed,
    limits: canon::Limits {
        bytes: 256 * 1024,
        permutations: 120,
        work: 50_000,
        depth: 16,
    },
};

/// What safe mode takes keeps to the limits and says the same in standard mode, a second time, and
/// with the members of all objects turned round. Its canonical form is N-Quads that a reader of
/// the whole grammar reads, sorted, and canonical again.
pub fn run(data: &[u8]) -> Reached {
    let Ok(document) = json::parse(data) else {
        return Reached::Refused;
    };
    let dataset = match statements(&document, Mode::Safe, InlineTerms::Any) {
        Ok(dataset) => dataset,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            // Standard mode drops what safe mode refuses; it may refuse less, never break.
            let _less = statements(&document, Mode::Standard, InlineTerms::Any);
            return Reached::Refused;
        }
    };
    assert!(dataset.quads.len() <= LIMITS.quads);
    let Some(text) = canonical(&dataset) else {
        return Reached::Refused;
    };
    check_form(&text);
    let modes = [
        (&document, Mode::Safe, InlineTerms::Any),
        (&document, Mode::Safe, InlineTerms::NoSecondNames),
        (&document, Mode::Standard, InlineTerms::Any),
        (&turned(&document), Mode::Safe, InlineTerms::Any),
    ];
    for (document, mode, inline) in modes {
        match statements(document, mode, inline) {
            Ok(dataset) => {
                let again = canonical(&dataset);
                assert_eq!(
                    again.as_ref(),
                    Some(&text),
                    "{mode:?}, {inline:?}: {document}"
                );
            }
            Err(_) if inline == InlineTerms::NoSecondNames => {}
            Err(error) => panic!("{mode:?} refuses {document}: {error}"),
        }
    }
    Reached::Read
}

fn statements(document: &Value, mode: Mode, inline_terms: InlineTerms) -> Result<Dataset, Error> {
    let options = Options {
        mode,
        inline_terms,
        limits: LIMITS,
        ..Options::default()
    };
    processor(Revision::Mid2026).to_rdf(document, &options)
}

fn canonical(dataset: &Dataset) -> Option<String> {
    let canonical = canonicalize(dataset, &CANON).ok()?;
    let mut labels: Vec<u32> = canonical.labels.iter().flatten().copied().collect();
    labels.sort_unstable();
    assert!(
        (0..).zip(&labels).all(|(n, label)| n == *label),
        "{labels:?}"
    );
    assert!(canonical.nquads.len() <= 2 * CANON.limits.bytes);
    Some(canonical.nquads)
}

fn check_form(text: &str) {
    assert!(text.is_empty() || text.ends_with('\n'));
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    assert!(lines.is_sorted_by(|one, next| one < next), "{text}");
    let parsed = nquads::parse(text).expect("the canonical form is N-Quads");
    assert_eq!(parsed.dataset.quads.len(), lines.len());
    // Another order of the statements and other labels may need other work, but never give
    // another text.
    if let Ok(again) = canonicalize(&parsed.dataset, &CANON) {
        assert_eq!(again.nquads, text);
    }
}

/// The document with the members of every object in reverse.
fn turned(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(turned).collect(),
        Value::Object(members) => {
            let members = members.iter().rev();
            let members = members.map(|(name, value)| (name.clone(), turned(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        leaf => leaf.clone(),
    }
}
