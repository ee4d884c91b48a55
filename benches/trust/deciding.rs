//! What rests on an accreditor follows a decision about it: 99,999 endorsements of the one that
//! endorses everybody.

use std::time::Instant;

use goodstanding::registry::{AccreditorAction, Actor};
use serde_json::Value;

use crate::asking::ask;
use crate::country::Country;
use crate::harness::{Report, Samples, Verdict};
use crate::nation::people::{change, id};
use crate::nation::plan::{self, PROFILES, WIDEST};

const MOST_SECONDS: f64 = 1.0;
const ROUNDS: u32 = 15;

pub(crate) fn run(report: &mut Report, country: &Country) {
    let words = "Time that passes. A decision is effective when the look-up of somebody who was \
                 endorsed shows it, the look-up included. The dry run looks at all of them, and \
                 writes nothing.";
    report.section(
        "A decision about an accreditor with 99,999 dependents",
        words,
    );
    let slug = plan::slug(WIDEST).parse().expect("a slug");
    let (mut suspended, mut reinstated) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let actions = [
            (AccreditorAction::Suspend, "suspended", &mut suspended),
            (AccreditorAction::Reinstate, "active", &mut reinstated),
        ];
        for (action, outcome, taken) in actions {
            let dependent = 1_001 + round * 6_007 % (PROFILES - 1_001);
            let began = Instant::now();
            let decided = country
                .registry
                .change_accreditor(&change(), &slug, action, None);
            let shown = ask(country, dependent);
            taken.push(began.elapsed().as_secs_f64());
            let decided = decided.expect("it can be decided");
            assert_eq!(decided.as_str(), outcome);
            assert_eq!(of_the_widest(&shown.body), outcome);
        }
    }
    for (what, taken) in [("suspended", suspended), ("reinstated", reinstated)] {
        let taken = Samples::new(taken);
        let verdict = Verdict::below(taken.median(), MOST_SECONDS, "1 s");
        report.judged(&format!("{what}, and looked up"), &taken.times(), &verdict);
    }
    let dry_runs = (0..3).map(|_| {
        let began = Instant::now();
        let tried = country.registry.accreditor_dry_run(
            Actor::operator(),
            &slug,
            AccreditorAction::Suspend,
        );
        let tried = tried.expect("it can be decided");
        assert_eq!(tried.endorsements, PROFILES as usize - 1);
        began.elapsed().as_secs_f64()
    });
    let dry_runs = Samples::new(dry_runs.collect());
    report.context("the dry run of a suspension", &dry_runs.times());
}

/// How the endorsement by the widest one is told to stand.
fn of_the_widest(body: &[u8]) -> String {
    let told: Value = serde_json::from_slice(body).expect("JSON");
    let told = told["endorsements"].as_array().expect("a list");
    let one = told.iter().find(|one| one["endorser"] == id(WIDEST));
    one.and_then(|one| one["outcome"].as_str())
        .expect("it endorses everybody")
        .to_owned()
}
