//! Whatever is handed to a verifier, in every form, in a world that has some answers.

mod forger;
mod signed;
mod world;

use std::sync::LazyLock;

use goodstanding::verify::outcome::Outcome;
use goodstanding::verify::{
    Expected, Given, Input, Options, PresentationReport, Report, verify_credential,
    verify_presentation,
};
use serde_json::{Value, json};

use super::Reached;
use signed::{SIGNED, at, opened, outcomes};
use world::{is_mallorys, now};

/// What can be had.
static WORLD: LazyLock<Given> = LazyLock::new(world::world);

/// Nothing is verified but what was signed as it stands ([`signed`] says what that means), and it
/// stands as what was signed stands, or nobody knows. The same goes for the input after someone
/// else has put new signatures into it everywhere: what is verified then is that one's own.
pub fn run(data: &[u8]) -> Reached {
    LazyLock::force(&SIGNED);
    let Ok(Input::Credential(value) | Input::Presentation(value)) = Input::read(data) else {
        return Reached::Refused;
    };
    for way in forger::WAYS {
        if let Some(forged) = forger::forged(&value, way) {
            check(forged);
        }
    }
    check(value)
}

fn check(value: Value) -> Reached {
    match Input::of(value) {
        Input::Credential(value) => {
            let report = verify_credential(&value, &*WORLD, Options::default(), now());
            check_credential(&value, "", &report);
            match report.proofs.is_empty() {
                true => Reached::Refused,
                false => Reached::Read,
            }
        }
        Input::Presentation(value) => check_presentations(&value),
    }
}

/// The report on the credential that stands at `place` in `root`.
fn check_credential(root: &Value, place: &str, report: &Report) {
    assert_eq!(report.to_json()["verified"], json!(report.verified));
    if !report.verified {
        assert_ne!(report.outcome, Outcome::Active);
        assert!(!report.problems.is_empty());
        return;
    }
    assert_eq!(
        report.outcome == Outcome::Active,
        report.problems.is_empty()
    );
    let handed_in = at(root, place);
    let judged = report.refreshed.as_ref().unwrap_or(&handed_in);
    if !report.issuer.as_deref().is_some_and(is_mallorys) {
        assert!(
            !outcomes(&handed_in).is_empty(),
            "never signed: {handed_in}"
        );
        let inputs = report.proofs.iter().filter(|proof| proof.problem.is_none());
        let expected: Vec<Outcome> = inputs
            .map(
                |proof| match SIGNED.get(&signed::form(judged, &proof.input)) {
                    Some(outcome) => *outcome,
                    None => panic!("verified, and never signed: {judged}"),
                },
            )
            .collect();
        let not_known = matches!(report.outcome, Outcome::Unknown | Outcome::Unreachable);
        assert!(
            not_known || expected.contains(&report.outcome),
            "{expected:?}, and not {:?}: {judged}",
            report.outcome
        );
    }
    for check in &report.checks {
        let Some(whole) = check.of.as_ref().filter(|whole| whole.verified) else {
            continue;
        };
        let within = check.pointer.strip_prefix(place);
        let inner = at(judged, within.expect("it stands within"));
        assert!(
            whole.issuer.as_deref().is_some_and(is_mallorys) || !outcomes(&inner).is_empty(),
            "verified, and never signed: {inner}"
        );
    }
}

fn check_presentations(value: &Value) -> Reached {
    let asked = Expected {
        challenge: Some("c-1"),
        domain: Some("jobs.example"),
    };
    let other = Expected {
        challenge: Some("c-2"),
        domain: None,
    };
    let mut reached = Reached::Refused;
    for expected in [Expected::default(), asked, other] {
        let options = Options {
            expected,
            ..Options::default()
        };
        let report = verify_presentation(value, &*WORLD, options, now());
        check_presentation(value, &report, expected == other);
        if !report.proofs.is_empty() {
            reached = Reached::Read;
        }
    }
    reached
}

/// `unanswered` is what nobody but Mallory presents.
fn check_presentation(value: &Value, report: &PresentationReport, unanswered: bool) {
    if report.presented {
        let good = report.proofs.iter().find(|proof| proof.problem.is_none());
        let input = &good.expect("a proof is good").input;
        let method = input.get("verificationMethod").or(input.get("kid"));
        let signer = report.holder.as_deref().or(method.and_then(Value::as_str));
        if !signer.is_some_and(|signer| is_mallorys(signer.split('#').next().unwrap_or_default())) {
            assert!(!unanswered, "it answers what it never heard: {value}");
            assert!(SIGNED.contains_key(&signed::form(value, input)), "{value}");
        }
    } else {
        assert!(!report.problems.is_empty());
        assert_ne!(report.outcome, Outcome::Active);
    }
    let all = report.credentials.iter().all(|one| one.verified);
    assert_eq!(report.verified, report.presented && all);
    if report.outcome == Outcome::Active {
        let mut all = report.credentials.iter();
        assert!(all.all(|one| one.outcome == Outcome::Active));
    }
    let is_array = opened(value)["verifiableCredential"].is_array();
    for (index, credential) in report.credentials.iter().enumerate() {
        let place = match is_array {
            true => format!("/verifiableCredential/{index}"),
            false => "/verifiableCredential".to_owned(),
        };
        check_credential(value, &place, credential);
    }
}
