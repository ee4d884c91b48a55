//! What was found out, as its page shows it.

use serde_json::Value;

use super::found::{Found, How, Verdict};
use super::results_laid_out;
use crate::http::edge::Edge;
use crate::http::pages::subject_link;
use crate::http::problem::Problem;
use crate::registry::{Half, Outcome, Party};
use crate::verify::{Check, Report};
use crate::web::{CheckLine, CheckPage, EntryLine, Frame, Link, Moment, Path, PathStep, Standing};

pub(super) fn page(edge: &Edge, frame: &Frame, found: &Found) -> Result<String, Problem> {
    let verdict = found.verdict();
    let issuer = match &found.answer.issuer {
        Some(issuer) if found.how != How::Party => {
            let link = subject_link(edge, frame.language, &issuer.id)?;
            Some((link, issuer.id.clone()))
        }
        _ => None,
    };
    let page = CheckPage {
        verdict: verdict.words(frame, found.since),
        tone: verdict.tone(),
        why: match (found.how, verdict) {
            // Nobody has seen a document.
            (How::Id | How::Code, Verdict::Good) => frame.one_of("check.why", "known"),
            _ => verdict.why(frame),
        },
        limits: limits(frame, found, verdict),
        since: found.since.map(Moment),
        name: name_of(found).map(str::to_owned),
        issuer,
        is_credential: found.how != How::Party,
        path: path(edge, frame, found)?,
        inner: inner(found),
        sent: found.sent,
        as_of: Moment(edge.registry.now()),
        facts: facts(frame, found),
        entries: entries(found),
        checks: checks(found),
        json: results_laid_out(edge, found),
        link: found.link.clone(),
        frame: frame.clone(),
    };
    Ok(page.html())
}

/// What was not looked at.
fn limits(frame: &Frame, found: &Found, verdict: Verdict) -> Vec<String> {
    let mut limits = Vec::new();
    let of = match (found.how, verdict) {
        (How::Entry, _) => Some("entry"),
        (How::Id, _) => Some("id"),
        (How::Code, _) => Some("code"),
        (How::Document | How::Party, _) => None,
    };
    if found.how == How::Entry && found.answer.issuer.is_none() {
        limits.push(frame.one_of("check.limits", "owner"));
    }
    limits.extend(of.map(|of| frame.one_of("check.limits", of)));
    limits
}

/// What the credential is called, or what was achieved, where that is proved.
fn name_of(found: &Found) -> Option<&str> {
    let claims = found.claims()?;
    let at = ["/name", "/credentialSubject/achievement/name"];
    at.iter().find_map(|at| claims.pointer(at)?.as_str())
}

/// From the credential up to whoever is trusted.
fn path(edge: &Edge, frame: &Frame, found: &Found) -> Result<Path, Problem> {
    let answer = &found.answer;
    let mut steps = Vec::new();
    // An entry alone is no credential, and neither is what credentials are of.
    if !matches!(found.how, How::Entry | How::Party) {
        let own = match answer.decided_by {
            Half::Credential => answer.outcome,
            Half::Issuer | Half::Achievement => Outcome::Active,
        };
        let unnamed = frame.say("check.step.credential.unnamed");
        steps.push(PathStep {
            role: frame.say("check.step.credential").to_owned(),
            name: name_of(found).unwrap_or(unnamed).to_owned(),
            link: None,
            standing: match found.verdict() {
                Verdict::NotGenuine => Standing(Outcome::Unknown),
                _ => Standing(own),
            },
            note: None,
        });
    }
    let by_achievement = answer.decided_by == Half::Achievement;
    if let Some(issuer) = &answer.issuer {
        let role = match found.how {
            How::Party => frame.say("check.step.asked"),
            _ => frame.say("check.step.issued"),
        };
        steps.push(step(edge, frame, found, issuer, role)?);
    }
    if let Some(achievement) = answer.achievement.as_ref().filter(|_| by_achievement) {
        let role = frame.say("check.step.achievement");
        steps.push(step(edge, frame, found, achievement, role)?);
    }
    let behind = match by_achievement {
        true => &answer.achievement,
        false => &answer.issuer,
    };
    if let Some(party) = behind {
        for link in &party.backing.path {
            let endorser = subject_link(edge, frame.language, &link.endorser)?;
            let trusted = edge.registry.is_trusted(&found.anchors, &link.endorser)?;
            steps.push(PathStep {
                role: frame.say("check.step.endorsed").to_owned(),
                name: endorser.text().to_owned(),
                link: Some(endorser),
                standing: Standing(link.outcome),
                note: trusted.then(|| frame.say("check.step.anchor").to_owned()),
            });
        }
    }
    Ok(Path { steps })
}

fn step(
    edge: &Edge,
    frame: &Frame,
    found: &Found,
    party: &Party,
    role: &str,
) -> Result<PathStep, Problem> {
    let link = subject_link(edge, frame.language, &party.id)?;
    let note = match party.backing.path.is_empty() {
        true if edge.registry.is_trusted(&found.anchors, &party.id)? => {
            Some(frame.say("check.step.anchor"))
        }
        true if party.backing.outcome == Outcome::NotEndorsed => {
            Some(frame.say("check.step.no-endorsement"))
        }
        _ => None,
    };
    Ok(PathStep {
        role: role.to_owned(),
        name: link.text().to_owned(),
        link: Some(link),
        standing: Standing(party.backing.outcome),
        note: note.map(str::to_owned),
    })
}

/// The credentials within it, by what they are called, or else by where they stand.
fn inner(found: &Found) -> Vec<(String, Standing)> {
    let claims = found.claims();
    let named = |at: &str, rest: &str| {
        let name = claims?.pointer(&format!("{at}{rest}"))?;
        name.as_str().map(str::to_owned)
    };
    let nested = found.answer.nested.iter().map(|(at, inner)| {
        let name = named(at, "/name").or_else(|| named(at, "/credentialSubject/achievement/name"));
        let name = name.filter(|_| inner.verified == Some(true));
        (name.unwrap_or_else(|| at.clone()), Standing(inner.outcome))
    });
    nested.collect()
}

/// What the credential says of itself, by its own word where it is not proved.
fn facts(frame: &Frame, found: &Found) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut tell = |name: &str, value: String| {
        if !value.is_empty() {
            facts.push((name.to_owned(), value));
        }
    };
    tell(
        frame.say("check.fact.detail"),
        found.answer.detail.to_string(),
    );
    // Its issuer chose it, and it may tell of its holder: not for who has a code alone.
    if let Some(id) = found
        .answer
        .credential
        .clone()
        .filter(|_| found.how != How::Code)
    {
        tell(frame.say("check.fact.id"), id);
    }
    if let Some((report, claims, is_jwt)) = &found.document {
        tell(frame.say("check.fact.type"), words_of(&claims["type"]));
        tell(frame.say("check.fact.suite"), suites(claims, *is_jwt));
        tell(frame.say("check.fact.key"), keys(claims));
        let dates = [
            (frame.say("check.fact.valid-from"), &report.valid_from),
            (frame.say("check.fact.valid-until"), &report.valid_until),
        ];
        for (name, date) in dates {
            tell(
                name,
                date.as_ref()
                    .map_or_else(String::new, |date| date.input.clone()),
            );
        }
    }
    facts
}

fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(all) => all,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn words_of(value: &Value) -> String {
    let words: Vec<&str> = each(value).iter().filter_map(Value::as_str).collect();
    words.join(", ")
}

fn suites(claims: &Value, is_jwt: bool) -> String {
    let suite = |proof: &Value| {
        let named = proof["cryptosuite"].as_str().or(proof["type"].as_str());
        named.map(str::to_owned)
    };
    let mut suites: Vec<String> = each(&claims["proof"]).iter().filter_map(suite).collect();
    if is_jwt {
        suites.push("JWT".to_owned());
    }
    suites.join(", ")
}

fn keys(claims: &Value) -> String {
    let methods = each(&claims["proof"]).iter();
    let methods: Vec<&str> = methods
        .filter_map(|proof| proof["verificationMethod"].as_str())
        .collect();
    methods.join(", ")
}

fn entries(found: &Found) -> Vec<EntryLine> {
    let parts = found.answer.status.iter().map(|part| EntryLine {
        // By its place a credential could be found again.
        place: match (&part.list, part.index) {
            (Some(list), Some(index)) if found.how != How::Code => {
                Some((Link::outside(list, list), index))
            }
            _ => None,
        },
        purpose: part.purpose.as_deref().unwrap_or("?").to_owned(),
        standing: Standing(part.outcome),
    });
    parts.collect()
}

/// So many checks of one credential are shown; of more than that there is the command line.
const MOST_CHECKS: usize = 200;

fn checks(found: &Found) -> Vec<CheckLine> {
    let report = found.document.iter();
    let checks = report.flat_map(|(report, ..): &(Report, _, _)| &report.checks);
    let lines = checks.take(MOST_CHECKS).map(|check: &Check| {
        let (kind, path) = (check.kind.as_str(), check.path());
        let evidence: Vec<String> = check
            .evidence
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        CheckLine {
            what: match path.is_empty() {
                true => kind.to_owned(),
                false => format!("{kind}: {path}"),
            },
            standing: Standing(check.outcome),
            found: match evidence.is_empty() {
                true => check.detail.clone(),
                false => format!("{} ({})", check.detail, evidence.join("; ")),
            },
        }
    });
    lines.collect()
}
