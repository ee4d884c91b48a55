//! The RDFC-1.0 suite of the W3C, all of it, by its manifest: canonical forms, label maps, and
//! the poisoned graph that has to be refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use goodstanding::jsonld::canon::{
    CanonError, Canonical, HashAlgorithm, Options, Variant, canonicalize,
};
use goodstanding::jsonld::nquads::{self, Parsed};
use serde::Deserialize;

use crate::support::vectors;

/// A poisoned graph has to be refused, or solved, within this time even in an unoptimised build.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
struct Manifest {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "hashAlgorithm")]
    hash: Option<String>,
    action: String,
    result: Option<String>,
}

#[test]
fn the_rdf_canonicalization_suite_passes() {
    let Some(folder) = vectors::folder("rdf-canon") else {
        return;
    };
    let manifest = fs::read_to_string(folder.join("manifest.jsonld")).unwrap();
    let manifest: Manifest = serde_json::from_str(&manifest).unwrap();
    let mut ran = BTreeMap::new();
    let mut failures = Vec::new();
    for entry in &manifest.entries {
        let begun = Instant::now();
        if let Err(failure) = run(&folder, entry) {
            failures.push(format!("{}: {failure}", entry.id));
        }
        if begun.elapsed() > PATIENCE {
            failures.push(format!("{}: took {:?}", entry.id, begun.elapsed()));
        }
        *ran.entry(entry.kind.as_str()).or_insert(0) += 1;
    }
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    // The counts of the suite of the Recommendation; a manifest read wrongly would pass in silence.
    let expected = [
        ("rdfc:RDFC10EvalTest", 64),
        ("rdfc:RDFC10MapTest", 21),
        ("rdfc:RDFC10NegativeEvalTest", 1),
    ];
    assert_eq!(ran.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn no_dataset_of_the_suite_divides_the_two_readings() {
    let Some(folder) = vectors::folder("rdf-canon") else {
        return;
    };
    let mut compared = 0;
    for file in fs::read_dir(folder.join("rdfc10")).unwrap() {
        let path = file.unwrap().path();
        if !path.to_string_lossy().ends_with("-in.nq") {
            continue;
        }
        let parsed = nquads::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        let listed = canonicalize(&parsed.dataset, &Options::default());
        let options = Options {
            variant: Variant::Deduplicated,
            ..Options::default()
        };
        let deduplicated = canonicalize(&parsed.dataset, &options);
        if let (Ok(listed), Ok(deduplicated)) = (listed, deduplicated) {
            let differ = listed.nquads != deduplicated.nquads;
            assert_eq!(listed.ambiguous, differ, "{}", path.display());
            assert_eq!(deduplicated.ambiguous, differ, "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 60, "only {compared} datasets were compared");
}

fn run(folder: &Path, entry: &Entry) -> Result<(), String> {
    let parsed = nquads::parse(&read(folder, &entry.action)?).map_err(|e| e.to_string())?;
    let hash = match entry.hash.as_deref() {
        None => HashAlgorithm::Sha256,
        Some("SHA384") => HashAlgorithm::Sha384,
        Some(other) => return Err(format!("the suite asks for the hash algorithm {other}")),
    };
    let canonical = canonicalize(
        &parsed.dataset,
        &Options {
            hash,
            ..Options::default()
        },
    );
    match entry.kind.as_str() {
        "rdfc:RDFC10EvalTest" => check_text(folder, entry, &canonical.map_err(|e| e.to_string())?),
        "rdfc:RDFC10MapTest" => check_map(
            folder,
            entry,
            &parsed,
            &canonical.map_err(|e| e.to_string())?,
        ),
        "rdfc:RDFC10NegativeEvalTest" => match canonical {
            Err(CanonError::Permutations { .. } | CanonError::Work { .. }) => Ok(()),
            other => Err(format!("not refused for its cost: {other:?}")),
        },
        other => Err(format!("unknown kind of test {other}")),
    }
}

fn check_text(folder: &Path, entry: &Entry, canonical: &Canonical) -> Result<(), String> {
    let expected = read(folder, entry.result.as_deref().ok_or("no result is named")?)?;
    if canonical.nquads == expected {
        Ok(())
    } else {
        Err(format!("expected\n{expected}got\n{}", canonical.nquads))
    }
}

fn check_map(
    folder: &Path,
    entry: &Entry,
    parsed: &Parsed,
    canonical: &Canonical,
) -> Result<(), String> {
    let expected = read(folder, entry.result.as_deref().ok_or("no result is named")?)?;
    let expected: BTreeMap<String, String> =
        serde_json::from_str(&expected).map_err(|e| e.to_string())?;
    let issued = parsed.labels.iter().zip(&canonical.labels);
    let issued: BTreeMap<String, String> = issued
        .filter_map(|(label, number)| Some((label.clone(), format!("c14n{}", (*number)?))))
        .collect();
    if issued == expected {
        Ok(())
    } else {
        Err(format!("expected {expected:?}, got {issued:?}"))
    }
}

fn read(folder: &Path, name: &str) -> Result<String, String> {
    fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))
}
