//! Verifying one Open Badge credential from end to end, beside what nobody can leave out, and beside
//! the stack that verifiers on Node run.

use crate::harness::{Participant, Report, Samples, Verdict, in_turns_with, ratios};
use crate::npm::Npm;
use crate::verification::Subject;

/// How long verifying may take, in times of what cannot be left out.
const MOST_OF_THE_FLOOR: f64 = 2.0;

/// How many verifications a second are enough whatever the floor.
const ENOUGH_A_SECOND: f64 = 20_000.0;

/// Verifications that make one sample of the stack on Node.
const SAMPLE_ON_NODE: u32 = 40;

/// The whole of a verification beside its floor and beside the stack on Node.
pub(crate) fn run(report: &mut Report, name: &str, text: &str) {
    let subject = Subject::new(text);
    let mut node = Npm::with(&subject.document, &subject.documents);
    let words = "From the parsed credential to the report: data model, proof, key, status and \
                 period, with the issuer's DID document and the checked status list at hand. The \
                 floor is one strict Ed25519 check with a key that is read already, and SHA-256 \
                 over both canonical forms.";
    report.section(&format!("Verifying an Open Badge: {name}"), words);
    let floor = subject.floor();
    let mut participants = [
        Participant::new("the floor", floor),
        Participant::new("verify the credential", || {
            subject.verify(&subject.document)
        }),
        Participant::new("verify it as a JWT (EdDSA)", || {
            subject.verify(&subject.jwt)
        }),
    ];
    if let Some(node) = &mut node {
        node.time(10 * SAMPLE_ON_NODE);
    }
    let mut on_node = Vec::new();
    let samples = in_turns_with(&mut participants, || {
        let sample = node.as_mut().map(|node| node.time(SAMPLE_ON_NODE));
        on_node.extend(sample);
    });
    for (participant, samples) in participants.iter().zip(&samples) {
        report.context(participant.name, &Samples::new(samples.clone()).times());
    }
    let [floor, whole, jwt] = samples.as_slice() else {
        unreachable!("three took part");
    };
    report.context(
        "credentials a second",
        &Samples::new(whole.clone()).rates(1),
    );
    let ratio = ratios(floor, whole);
    let verdict = Verdict::either(
        &Verdict::below(ratio.median(), MOST_OF_THE_FLOOR, "2.0×"),
        &Verdict::at_least(
            1.0 / Samples::new(whole.clone()).median(),
            ENOUGH_A_SECOND,
            "20,000 /s",
        ),
    );
    report.judged("the credential to the floor", &ratio.hundredths(), &verdict);
    report.context("the JWT to the floor", &ratios(floor, jwt).hundredths());
    match node {
        Some(node) => {
            let what = format!("{}: verify the credential", node.name);
            report.context(&what, &Samples::new(on_node.clone()).times());
            let ratio = ratios(whole, &on_node).ratios();
            report.context(&format!("{} to goodstanding", node.name), &ratio);
        }
        None => report.context("the stack on Node", "not here: no Node is named"),
    }
}
