//! Hostile and broken documents, one row each, where no embedded proof is at fault: JWTs, keys,
//! statuses, images, newer versions, and what is given offline.
//!
//! A row is a good document that one change spoils. The good one has to be in force, so that the
//! row fails by its change alone; and the problems have to be exactly the expected ones, so that it
//! fails by the check that it is meant for. Nobody whom only a forger names is ever asked.

mod claims;
mod cwts;
mod documents;
mod entries;
mod given;
mod images;
mod jwts;
mod key_sets;
mod lists;
mod names;
mod other_lists;
mod presented;
mod refresh;
mod signatures;
mod tokens;
mod web;

use std::collections::HashSet;

use super::*;
use crate::vc::jws::{self, NewHeader};
use web::{Web, base64url, college, forger, seconds, without};

/// One document, and what has to be found about it.
struct Row {
    name: &'static str,
    good: HandedIn,
    spoiled: HandedIn,
    expected: Wanted,
}

/// What is spoiled by a row: a good document with all that it rests on.
trait Draft {
    fn hand_in(self) -> HandedIn;
}

/// What a verifier is given, and whom it can ask.
struct HandedIn {
    form: Form,
    web: Box<dyn Resolver>,
    pinned: Vec<PinnedKey>,
    expected: Expected<'static>,
}

enum Form {
    /// A JWT is a JSON string.
    Document(Value),
    /// A file as it was uploaded.
    File(Vec<u8>),
}

/// What has to be found.
#[derive(Debug, PartialEq)]
enum Wanted {
    /// It looks odd and is good. Checks with these codes tell so.
    Good { telling: Vec<&'static str> },
    /// These problems, each with its pointer and the end of its type's URL.
    Bad {
        verified: bool,
        outcome: Outcome,
        problems: Vec<(&'static str, String, &'static str)>,
    },
    /// There is nothing in it that could be verified, and the error says this.
    NotRead(&'static str),
}

fn row<D: Draft>(
    name: &'static str,
    good: impl Fn() -> D,
    spoil: impl FnOnce(&mut D),
    expected: Wanted,
) -> Row {
    let mut spoiled = good();
    spoil(&mut spoiled);
    Row {
        name,
        good: good().hand_in(),
        spoiled: spoiled.hand_in(),
        expected,
    }
}

fn good() -> Wanted {
    telling(&[])
}

fn telling(codes: &[&'static str]) -> Wanted {
    let telling = codes.to_vec();
    Wanted::Good { telling }
}

/// Not proved, by a fault of the whole.
fn refused(code: &'static str) -> Wanted {
    refused_at(code, "")
}

fn refused_at(code: &'static str, pointer: &str) -> Wanted {
    bad(false, Outcome::Unknown, code, pointer)
}

/// Not proved yet: who has to be asked is out of reach.
fn unreachable_at(code: &'static str, pointer: &str) -> Wanted {
    bad(false, Outcome::Unreachable, code, pointer)
}

/// Proved, and not in force for all that is known.
fn proved(outcome: Outcome, code: &'static str, pointer: &str) -> Wanted {
    bad(true, outcome, code, pointer)
}

fn bad(verified: bool, outcome: Outcome, code: &'static str, pointer: &str) -> Wanted {
    Wanted::Bad {
        verified,
        outcome,
        problems: vec![(code, pointer.to_owned(), problem_type(code))],
    }
}

/// How the URL of a problem's type ends, by the standards.
fn problem_type(code: &'static str) -> &'static str {
    match code {
        "jwt-claim" | "jwt-claim-missing" | "malformed" | "hidden-member"
        | "envelope-malformed" | "status-malformed" => "vc-data-model#MALFORMED_VALUE_ERROR",
        code if code.ends_with("-mismatch") && code.starts_with("jwt-") => {
            "vc-data-model#MALFORMED_VALUE_ERROR"
        }
        "challenge-mismatch" => "security#INVALID_CHALLENGE_ERROR",
        "domain-mismatch" => "security#INVALID_DOMAIN_ERROR",
        "status-unsupported" | "status-verification" => "status-list#STATUS_VERIFICATION_ERROR",
        "status-retrieval" => "status-list#STATUS_RETRIEVAL_ERROR",
        "status-length" => "status-list#STATUS_LIST_LENGTH_ERROR",
        "status-range" | "too-many" => "vc-data-model#RANGE_ERROR",
        code if ["jwt-", "key-", "proof-", "signature-"]
            .iter()
            .any(|prefix| code.starts_with(prefix)) =>
        {
            "vc-data-model#CRYPTOGRAPHIC_SECURITY_ERROR"
        }
        // No standard names a type, and ours ends with the code.
        code => code,
    }
}

/// The same of what was found.
struct Found {
    wanted: Wanted,
    codes: Vec<&'static str>,
}

fn found(handed: &HandedIn) -> Found {
    let options = Options {
        expected: handed.expected,
        pinned: &handed.pinned,
        ..Options::default()
    };
    let input = match &handed.form {
        Form::Document(value) => Input::of(value.clone()),
        Form::File(bytes) => match Input::read(bytes) {
            Ok(input) => input,
            Err(error) => return not_read(&error),
        },
    };
    match input {
        Input::Credential(credential) => {
            let report = verify_credential(&credential, &*handed.web, options, now());
            of_report(
                report.verified,
                report.outcome,
                &report.problems,
                &report.checks,
            )
        }
        Input::Presentation(presentation) => {
            let report = verify_presentation(&presentation, &*handed.web, options, now());
            of_report(
                report.verified,
                report.outcome,
                &report.problems,
                &report.checks,
            )
        }
    }
}

fn not_read(error: &InputError) -> Found {
    Found {
        wanted: Wanted::NotRead(error.to_string().leak()),
        codes: Vec::new(),
    }
}

fn of_report(verified: bool, outcome: Outcome, problems: &[Problem], checks: &[Check]) -> Found {
    let problem = |problem: &Problem| {
        let code = problem.code.as_str();
        let url = problem.code.problem_type();
        let ends = url
            .ends_with(problem_type(code))
            .then(|| problem_type(code));
        (
            code,
            problem.pointer.clone(),
            ends.unwrap_or("another type"),
        )
    };
    let wanted = match verified && outcome == Outcome::Active && problems.is_empty() {
        true => good(),
        false => Wanted::Bad {
            verified,
            outcome,
            problems: problems.iter().map(problem).collect(),
        },
    };
    Found {
        wanted,
        codes: checks.iter().map(|check| check.code.as_str()).collect(),
    }
}

/// What is wrong with a row, if anything.
fn complaint(row: &Row) -> Option<String> {
    let before = found(&row.good).wanted;
    if before != good() {
        return Some(format!(
            "{}: not good before it is spoiled: {before:?}",
            row.name
        ));
    }
    let Found { wanted, codes } = found(&row.spoiled);
    let fits = match (&row.expected, &wanted) {
        (Wanted::Good { telling }, Wanted::Good { .. }) => {
            telling.iter().all(|code| codes.contains(code))
        }
        (Wanted::NotRead(text), Wanted::NotRead(error)) => error.contains(text),
        (expected, found) => expected == found,
    };
    let name = row.name;
    let expected = &row.expected;
    (!fits).then(|| format!("{name}:\n  wanted {expected:?}\n  found  {wanted:?}, {codes:?}"))
}

fn table() -> Vec<Row> {
    let parts = [
        jwts::rows(),
        claims::rows(),
        signatures::rows(),
        signatures::envelopes(),
        presented::rows(),
        names::rows(),
        documents::rows(),
        key_sets::rows(),
        entries::rows(),
        lists::rows(),
        other_lists::rows(),
        tokens::rows(),
        cwts::rows(),
        refresh::rows(),
        images::rows(),
        given::rows(),
    ];
    parts.into_iter().flatten().collect()
}

#[test]
fn each_row_fails_by_the_check_that_it_is_meant_for() {
    let complaints: Vec<String> = table().iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Whatever a row expects: what does not say that it stays good is never in force.
#[test]
fn no_spoiled_document_is_in_force() {
    for row in table() {
        let stays = matches!(row.expected, Wanted::Good { .. });
        let in_force = matches!(found(&row.spoiled).wanted, Wanted::Good { .. });
        assert_eq!(in_force, stays, "{}", row.name);
    }
}

#[test]
fn the_table_is_long_and_no_row_stands_twice() {
    let table = table();
    let names: HashSet<&str> = table.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), table.len());
    let spoiled = table
        .iter()
        .filter(|row| !matches!(row.expected, Wanted::Good { .. }));
    assert!(spoiled.count() >= 90);
}
