//! The table of broken and hostile documents with embedded proofs: how each came about, and what
//! exactly has to be said of it, so that none is refused by accident of another check.
//!
//! Each row spoils a good document. What its issuer did is signed again, by a signer that checks
//! nothing; what a stranger did is not.

mod bytes;
mod embedded;
mod hidden;
mod makers;
mod model;
mod presentations;
mod proofs;
mod suites;

use std::sync::OnceLock;

use self::makers::{ASKED, Base, By, world};
use super::*;

/// One document.
struct Row {
    name: &'static str,
    base: Base,
    by: By,
    spoil: fn(&mut Value),
    expected: Expected,
}

/// What has to be said of it.
struct Expected {
    verified: bool,
    outcome: Outcome,
    /// All problems, each with its code and its pointer.
    problems: Vec<(&'static str, &'static str)>,
    /// All credentials in it that are not in force: path, outcome, code.
    carried: Vec<(&'static str, Outcome, &'static str)>,
}

/// Looks odd and is good: the only word by which a row may stay active.
const fn odd_but_good() -> Expected {
    Expected {
        verified: true,
        outcome: Outcome::Active,
        problems: Vec::new(),
        carried: Vec::new(),
    }
}

/// Nothing is known of it, for this reason alone.
fn refused(code: &'static str, pointer: &'static str) -> Expected {
    refused_for([(code, pointer)])
}

fn refused_for<const N: usize>(problems: [(&'static str, &'static str); N]) -> Expected {
    Expected {
        verified: false,
        outcome: Outcome::Unknown,
        problems: problems.to_vec(),
        carried: Vec::new(),
    }
}

/// Nobody answered for it.
fn out_of_reach(code: &'static str, pointer: &'static str) -> Expected {
    Expected {
        outcome: Outcome::Unreachable,
        ..refused(code, pointer)
    }
}

/// Its issuer said it, and it does not hold now.
fn not_in_force(outcome: Outcome, code: &'static str, pointer: &'static str) -> Expected {
    Expected {
        verified: true,
        outcome,
        problems: vec![(code, pointer)],
        carried: Vec::new(),
    }
}

/// It is good itself, and what it carries at this place is not.
fn carries(path: &'static str, outcome: Outcome, code: &'static str) -> Expected {
    Expected {
        carried: vec![(path, outcome, code)],
        ..odd_but_good()
    }
}

/// Rows by the document that is spoiled, and by whom.
macro_rules! table {
    ($($base:ident $by:ident { $($name:literal: $spoil:expr => $expected:expr;)+ })+) => {
        vec![$($(Row {
            name: $name,
            base: Base::$base,
            by: By::$by,
            spoil: $spoil,
            expected: $expected,
        }),+),+]
    };
}
use table;

/// What was said, of a credential or a presentation.
struct Answer {
    verified: bool,
    outcome: Outcome,
    problems: Vec<Problem>,
    checks: Vec<Check>,
    json: Value,
}

fn verify(base: Base, document: &Value) -> Answer {
    static WORLD: OnceLock<World> = OnceLock::new();
    let world = WORLD.get_or_init(world);
    if base == Base::Presentation {
        let options = Options {
            expected: ASKED,
            ..Options::default()
        };
        let report = verify_presentation(document, world, options, now());
        let json = Value::Object(report.to_json(ASKED));
        return Answer {
            verified: report.verified,
            outcome: report.outcome,
            problems: report.problems,
            checks: report.checks,
            json,
        };
    }
    let report = world.verify(document);
    let json = Value::Object(report.to_json());
    Answer {
        verified: report.verified,
        outcome: report.outcome,
        problems: report.problems,
        checks: report.checks,
        json,
    }
}

impl Answer {
    fn problems(&self) -> Vec<(&str, &str)> {
        let each = self.problems.iter();
        each.map(|p| (p.code.as_str(), &*p.pointer)).collect()
    }

    /// The credentials in it that are not in force.
    fn carried(&self) -> Vec<(String, Outcome, &str)> {
        let is_whole = |check: &&Check| {
            [CheckKind::Endorsement, CheckKind::Credential].contains(&check.kind)
                && check.outcome != Outcome::Active
        };
        let bad = self.checks.iter().filter(is_whole);
        bad.map(|check| (check.path(), check.outcome, check.code.as_str()))
            .collect()
    }
}

/// What is said otherwise than expected, in one line.
fn fault((row, answer): &(Row, Answer)) -> Option<String> {
    let expected = &row.expected;
    let carried = answer.carried();
    let carried: Vec<_> = carried.iter().map(|(p, o, c)| (&**p, *o, *c)).collect();
    let as_expected = answer.verified == expected.verified
        && answer.outcome == expected.outcome
        && answer.problems() == expected.problems
        && carried == expected.carried;
    (!as_expected).then(|| {
        let details: Vec<&str> = answer.problems.iter().map(|p| &*p.detail).collect();
        format!(
            "{}: verified {}, {}, {:?}, {carried:?} {details:?}",
            row.name,
            answer.verified,
            answer.outcome.as_str(),
            answer.problems(),
        )
    })
}

/// Every row with its answer, found out once for all tests.
fn every_row() -> &'static [(Row, Answer)] {
    static ALL: OnceLock<Vec<(Row, Answer)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let tables = [
            model::rows(),
            hidden::rows(),
            proofs::rows(),
            suites::rows(),
            embedded::rows(),
            presentations::rows(),
        ];
        let answered = |row: Row| {
            let answer = verify(row.base, &row.document());
            (row, answer)
        };
        tables.into_iter().flatten().map(answered).collect()
    })
}

#[test]
fn what_is_spoiled_was_good_before() {
    for base in Base::ALL {
        let answer = verify(base, &base.signed());
        let problems = answer.problems();
        assert!(answer.verified, "{base:?}: {:?}", answer.problems);
        assert_eq!(
            (answer.outcome, problems),
            (Outcome::Active, vec![]),
            "{base:?}"
        );
        assert_eq!(answer.carried(), [], "{base:?}");
    }
}

#[test]
fn each_document_is_answered_as_the_table_says() {
    let faults: Vec<String> = every_row().iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The types of problems, as the standards group them: what is no data model, what is no proof,
/// what goes out of range, and what no standard names.
fn problem_type(code: &str) -> String {
    let data_model = "https://www.w3.org/TR/vc-data-model#";
    let error = match code {
        "malformed" | "hidden-member" | "not-signable" | "unknown-context" | "schema-violated"
        | "envelope-malformed" => "MALFORMED_VALUE_ERROR",
        "too-many" => "RANGE_ERROR",
        "challenge-mismatch" => return "https://w3id.org/security#INVALID_CHALLENGE_ERROR".into(),
        "domain-mismatch" => return "https://w3id.org/security#INVALID_DOMAIN_ERROR".into(),
        "revoked" | "suspended" | "expired" | "not-yet-valid" => {
            return format!("urn:goodstanding:problem:{code}");
        }
        _ => "CRYPTOGRAPHIC_SECURITY_ERROR",
    };
    format!("{data_model}{error}")
}

#[test]
fn problems_have_the_types_of_the_standards() {
    for (row, answer) in every_row() {
        let told = answer.json["problemDetails"].as_array().unwrap();
        let types: Vec<&str> = told.iter().map(|p| p["type"].as_str().unwrap()).collect();
        let expected = row.expected.problems.iter();
        let expected: Vec<String> = expected.map(|(code, _)| problem_type(code)).collect();
        assert_eq!(types, expected, "{}", row.name);
    }
}

#[test]
fn nothing_is_active_that_is_not_said_to_be_good() {
    for (row, answer) in every_row() {
        let says_good = row.expected.verified && row.expected.outcome == Outcome::Active;
        let active = answer.verified && answer.outcome == Outcome::Active;
        assert_eq!(active, says_good, "{}", row.name);
        // Whoever reads the one member `verified` is not misled either.
        assert!(
            answer.verified || answer.outcome != Outcome::Active,
            "{}",
            row.name
        );
    }
}

#[test]
fn the_table_is_as_long_as_it_should_be() {
    let rows = every_row();
    let mut names: Vec<&str> = rows.iter().map(|(row, _)| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows.len(), "a name stands twice");
    let is_good = |(row, _): &&(Row, Answer)| {
        let Expected {
            verified,
            problems,
            carried,
            ..
        } = &row.expected;
        *verified && problems.is_empty() && carried.is_empty()
    };
    let good = rows.iter().filter(is_good).count();
    let bad = rows.len() - good + bytes::ROWS;
    assert!(bad >= 450, "{bad} bad documents beside {good} good ones");
}
