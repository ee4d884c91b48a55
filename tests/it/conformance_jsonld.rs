//! The toRdf suite of JSON-LD 1.1 (W3C), all of it, by its manifest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use goodstanding::jsonld::canon::{self, canonicalize};
use goodstanding::jsonld::{Error, Mode, Options, ProcessingMode, Processor, RdfDirection, nquads};
use serde::Deserialize;
use serde_json::Value;

use crate::support::vectors;

#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "baseIri")]
    base: String,
    sequence: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@type")]
    kinds: Vec<String>,
    input: String,
    expect: Option<String>,
    expect_error_code: Option<String>,
    #[serde(default)]
    option: Settings,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Settings {
    base: Option<String>,
    processing_mode: Option<String>,
    spec_version: Option<String>,
    rdf_direction: Option<String>,
    expand_context: Option<String>,
}

const JSON_LD_1_0: &str = "of JSON-LD 1.0, whose processing mode is refused";
const BLANK_PREDICATE: &str = "a blank node as property is refused, not dropped";

/// Cases that are not supported, with the reason. Each ends in an error.
const UNSUPPORTED: [(&str, &str); 20] = [
    ("#t0118", JSON_LD_1_0),
    ("#tc029", JSON_LD_1_0),
    ("#te014", JSON_LD_1_0),
    ("#te026", JSON_LD_1_0),
    ("#te038", JSON_LD_1_0),
    ("#te068", BLANK_PREDICATE),
    ("#te071", JSON_LD_1_0),
    ("#te075", JSON_LD_1_0),
    ("#te115", JSON_LD_1_0),
    ("#te116", JSON_LD_1_0),
    ("#tep02", JSON_LD_1_0),
    ("#ter02", JSON_LD_1_0),
    ("#ter03", JSON_LD_1_0),
    ("#ter21", JSON_LD_1_0),
    ("#ter24", JSON_LD_1_0),
    ("#ter32", JSON_LD_1_0),
    ("#ter42", JSON_LD_1_0),
    ("#tpi01", JSON_LD_1_0),
    ("#tso01", JSON_LD_1_0),
    ("#ttn01", JSON_LD_1_0),
];

/// Cases whose input is not among the vectors as they were published.
const WITHOUT_INPUT: [&str; 1] = ["#ter56"];

#[test]
fn the_json_ld_to_rdf_suite_passes() {
    let Some(folder) = vectors::folder("json-ld-api") else {
        return;
    };
    let manifest = fs::read_to_string(folder.join("toRdf-manifest.jsonld")).unwrap();
    let manifest: Manifest = serde_json::from_str(&manifest).unwrap();
    for (id, _) in UNSUPPORTED {
        let listed = manifest.sequence.iter().any(|case| case.id == id);
        assert!(listed, "{id} is no case of the suite");
    }
    let mut ran = BTreeMap::new();
    let mut failures = Vec::new();
    for case in &manifest.sequence {
        if WITHOUT_INPUT.contains(&case.id.as_str()) {
            assert!(!folder.join(&case.input).exists(), "{} can run", case.id);
            continue;
        }
        if let Err(failure) = run(&folder, &manifest.base, case) {
            failures.push(format!("{}: {failure}", case.id));
        }
        *ran.entry(case.kinds[1].as_str()).or_insert(0) += 1;
    }
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("{ran:?}");
}

fn run(folder: &Path, base: &str, case: &Case) -> Result<(), String> {
    let outcome = outcome(folder, base, case);
    if let Some((_, reason)) = UNSUPPORTED.iter().find(|(id, _)| *id == case.id) {
        return match outcome {
            Ok(found) => Err(format!("{reason}, but gives\n{found}")),
            Err(Error::Unsupported { .. }) if *reason == JSON_LD_1_0 => Ok(()),
            Err(Error::BlankPredicate { .. }) if *reason == BLANK_PREDICATE => Ok(()),
            Err(error) => Err(format!("{reason}, but fails otherwise: {error}")),
        };
    }
    if let Some(code) = &case.expect_error_code {
        let found = match outcome {
            Ok(found) => return Err(format!("expected {code}, got\n{found}")),
            Err(error) => error
                .code()
                .map_or("no code", |found| found.as_str())
                .to_owned(),
        };
        return if found == *code {
            Ok(())
        } else {
            Err(format!("expected {code}, got {found}"))
        };
    }
    let found = outcome.map_err(|error| error.to_string())?;
    let Some(expect) = &case.expect else {
        return Ok(());
    };
    let expected = fs::read_to_string(folder.join(expect)).unwrap();
    let expected = nquads::parse(&expected).map_err(|error| error.to_string())?;
    let expected = canonicalize(&expected.dataset, &canon::Options::default())
        .unwrap()
        .nquads;
    if found == expected {
        Ok(())
    } else {
        Err(format!("expected\n{expected}got\n{found}"))
    }
}

/// The canonical form of what the case's document says.
fn outcome(folder: &Path, base: &str, case: &Case) -> Result<String, Error> {
    let options = &case.option;
    // A case of an older version asks for that version's mode, said or not.
    for mode in options.processing_mode.iter().chain(&options.spec_version) {
        let ProcessingMode::JsonLd11 = mode.parse()?;
    }
    let document = read(&folder.join(&case.input));
    let url = options
        .base
        .clone()
        .unwrap_or_else(|| format!("{base}{}", case.input));
    let expand_context = options
        .expand_context
        .as_ref()
        .map(|path| read(&folder.join(path)));
    let processor = processor(folder, base, case)?;
    let options = Options {
        mode: Mode::Standard,
        base: Some(&url),
        expand_context: expand_context.as_ref(),
        direction: match options.rdf_direction.as_deref() {
            None => RdfDirection::Drop,
            Some("i18n-datatype") => RdfDirection::I18nDatatype,
            Some("compound-literal") => RdfDirection::CompoundLiteral,
            Some(other) => panic!("a new rdfDirection {other}"),
        },
        ..Options::default()
    };
    let dataset = processor.to_rdf(&document, &options)?;
    Ok(canonicalize(&dataset, &canon::Options::default())
        .unwrap()
        .nquads)
}

/// A processor that knows the documents that the case's input names, directly or not.
fn processor(folder: &Path, base: &str, case: &Case) -> Result<Processor, Error> {
    let mut texts = vec![fs::read_to_string(folder.join(&case.input)).unwrap()];
    let mut found = BTreeMap::new();
    while let Some(text) = texts.pop() {
        for path in files(&folder.join("toRdf")) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap();
            if text.contains(name) && !found.contains_key(&path) {
                let text = fs::read_to_string(&path).unwrap();
                texts.push(text.clone());
                found.insert(path, text);
            }
        }
    }
    let documents: Vec<_> = found
        .iter()
        .map(|(path, text)| {
            let path = path.strip_prefix(folder).unwrap().to_str().unwrap();
            (format!("{base}{path}"), text)
        })
        .collect();
    Processor::new(
        documents
            .iter()
            .map(|(url, text)| (url.as_str(), text.as_str())),
    )
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "jsonld")
        {
            found.push(path);
        }
    }
    found
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
